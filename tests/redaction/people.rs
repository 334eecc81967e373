//! Samples of personal data with real check digits, and harmless lines that look like them.

use super::Sample;
use super::random::{Random, to_base64};

fn luhn(prefix: &str, length: usize, r: &mut Random) -> String {
    let body = prefix.to_owned() + &r.digits(length - 1 - prefix.len());
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(n, b)| {
            let d = u32::from(b - b'0') * if n % 2 == 0 { 2 } else { 1 };
            d / 10 + d % 10
        })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

fn card(brand: &str, r: &mut Random) -> String {
    match brand {
        "amex" => luhn(r.pick(&["34", "37"]), 15, r),
        "diners" => luhn(r.pick(&["36", "38", "305"]), 14, r),
        "disc" => luhn(r.pick(&["6011", "65"]), 16, r),
        "jcb" => luhn(r.pick(&["3530", "3566"]), 16, r),
        "mc" => luhn(r.pick(&["51", "55", "2221"]), 16, r),
        _ => luhn("4", 16, r),
    }
}

fn grouped(digits: &str, lengths: &[usize], mark: &str) -> String {
    let mut at = 0;
    let groups: Vec<&str> = lengths
        .iter()
        .map(|n| {
            at += n;
            &digits[at - n..at]
        })
        .collect();
    groups.join(mark)
}

fn my_number(r: &mut Random) -> String {
    let body = r.digits(11);
    let weights = [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2];
    let sum: u32 = body.bytes().zip(weights).map(|(b, w)| u32::from(b - b'0') * w).sum();
    format!("{body}{}", if sum % 11 <= 1 { 0 } else { 11 - sum % 11 })
}

fn iban(r: &mut Random) -> String {
    let (country, number) = ("DE", r.digits(18));
    let checked = format!("{number}131400");
    let rest = checked.bytes().fold(0, |rest, b| (rest * 10 + u32::from(b - b'0')) % 97);
    format!("{country}{:02}{number}", 98 - rest)
}

/// Personal data of a kind.
#[expect(clippy::too_many_lines, reason = "a table: one arm a kind")]
pub(crate) fn sample(kind: &str, r: &mut Random) -> Option<Sample> {
    if let Some(brand) = kind.strip_prefix("card_") {
        let (brand, separated) = brand.strip_suffix("_sep").map_or((brand, false), |b| (b, true));
        let digits = card(brand, r);
        let mark = r.pick(&["-", " "]);
        let lengths: &[usize] = match digits.len() {
            14 => &[4, 6, 4],
            15 => &[4, 6, 5],
            _ => &[4, 4, 4, 4],
        };
        return Some(Sample::bare(&if separated { grouped(&digits, lengths, mark) } else { digits }));
    }
    let family = r.pick(&["tanaka", "suzuki", "smith", "garcia", "mueller"]);
    let mobile = format!("{}{}", r.pick(&["070", "080", "090"]), r.digits(8));
    Some(match kind {
        "email" => Sample::bare(&format!(
            "{family}.{}@{}",
            r.lower(4),
            r.pick(&["example.com", "mail.example.co.jp", "corp-x.io"])
        )),
        "iban" => Sample::bare(&iban(r)),
        "ipv4_public" => Sample::bare(&format!(
            "{}.{}.{}.{}",
            r.within(20, 99),
            r.within(1, 254),
            r.within(0, 254),
            r.within(1, 254)
        )),
        "ipv6_public" => Sample::bare(&format!(
            "2{}:{}:{}:{}::{}",
            r.pick(&["400", "001", "606", "a01"]),
            r.hex(4),
            r.hex(3),
            r.hex(4),
            r.hex(4)
        )),
        "jp_address" => {
            let text = r.pick(&[
                "東京都千代田区丸の内1-9-1",
                "大阪府大阪市北区梅田3丁目1番3号",
                "神奈川県横浜市西区みなとみらい2-2-1",
                "北海道札幌市中央区北5条西2-5",
                "愛知県名古屋市中村区名駅一丁目1番4号",
            ]);
            let tail = format!(" 第{}ビル{}号室", r.pick(&["一", "三", "青葉"]), r.within(101, 909));
            Sample::of(text, &if r.below(2) == 0 { text.to_owned() } else { text.to_owned() + &tail })
        }
        "jp_bank_account" => {
            let v = r.digits(7);
            Sample::of(
                &v,
                &format!(
                    "{}{v}",
                    r.pick(&[
                        "三井住友銀行 新宿支店 普通 ",
                        "口座番号: ",
                        "振込先 みずほ銀行 渋谷支店 (普) 口座番号",
                        "account_number="
                    ])
                ),
            )
        }
        "jp_driver_license" => {
            let v = r.pick(&["30", "62", "45"]).to_owned() + &r.digits(10);
            Sample::of(
                &v,
                &format!(
                    "{}{v}",
                    r.pick(&["運転免許証番号: ", "免許証 第", "driver_license=", "license no: "])
                ),
            )
        }
        "jp_passport" => {
            let v = r.pick(&["TK", "TR", "MZ"]).to_owned() + &r.digits(7);
            Sample::of(
                &v,
                &format!(
                    "{}{v}",
                    r.pick(&["旅券番号 ", "パスポート番号は", "passport_number=", "passport: "])
                ),
            )
        }
        "jp_residence_card" => Sample::bare(&format!("{}{}{}", letters(r), r.digits(8), letters(r))),
        "mac" => {
            let mark = r.pick(&[":", "-"]);
            Sample::bare(
                &(0..6)
                    .map(|n| if n == 0 { "a4".to_owned() } else { r.hex(2) })
                    .collect::<Vec<_>>()
                    .join(mark),
            )
        }
        "mynumber" => {
            let v = my_number(r);
            Sample::of(
                &v,
                &format!(
                    "{}{v}",
                    r.pick(&["マイナンバー: ", "個人番号は", "mynumber=", "my_number: ", "個人番号 "])
                ),
            )
        }
        "mynumber_sep" => Sample::bare(&grouped(&my_number(r), &[4, 4, 4], r.pick(&["-", " "]))),
        "phone_jp_intl" => Sample::bare(&format!("+81-{}-{}-{}", &mobile[1..3], &mobile[3..7], &mobile[7..])),
        "phone_jp_intl_plain" => Sample::bare(&format!("+81{}", &mobile[1..])),
        "phone_jp_landline" => Sample::bare(&match r.below(3) {
            0 => format!("03-{}-{}", r.within(3000, 6999), r.digits(4)),
            1 => format!("0467-{}-{}", r.within(20, 99), r.digits(4)),
            _ => format!("045-{}-{}", r.within(200, 999), r.digits(4)),
        }),
        "phone_jp_mobile" => Sample::bare(&grouped(&mobile, &[3, 4, 4], "-")),
        "phone_jp_mobile_plain" => Sample::bare(&mobile),
        "phone_uk" => Sample::bare(&match r.below(2) {
            0 => format!("+44 7700 900{}", r.digits(3)),
            _ => format!("+44 20 7946 0{}", r.digits(3)),
        }),
        "phone_us" => Sample::bare(&match r.below(3) {
            0 => format!("({}) {}-{}", r.within(201, 989), r.within(200, 999), r.digits(4)),
            1 => format!("+1 {} {} {}", r.within(201, 989), r.within(200, 999), r.digits(4)),
            _ => format!("{}-{}-{}", r.within(201, 989), r.within(200, 999), r.digits(4)),
        }),
        "us_ssn" => Sample::bare(&format!(
            "{:03}-{:02}-{:04}",
            r.within(100, 665),
            r.within(1, 99),
            r.within(1, 9999)
        )),
        _ => return None,
    })
}

fn letters(r: &mut Random) -> String {
    format!("{}{}", r.pick(&["A", "K", "U"]), r.pick(&["B", "H", "M"]))
}

/// A line that says nothing that must go.
#[expect(clippy::too_many_lines, reason = "a table: one arm a kind")]
pub(crate) fn harmless(kind: &str, r: &mut Random) -> Option<String> {
    let account = r.digits(12);
    Some(match kind {
        "alb_tg" => format!("targetgroup/orders/{} app/shop/{}", r.hex(16), r.hex(16)),
        "arn_account" => format!("arn:aws:iam::{account}:role/orders denied for account {account}"),
        "arn_lambda" => format!("arn:aws:lambda:ap-northeast-1:{account}:function:orders:12"),
        "auth_prose" => r
            .pick(&[
                "authentication failed: token expired",
                "password reset requested by the user",
                "Authorization header missing",
                "secret rotation finished in 12 s",
                "invalid password for user bob",
                "token: invalid, retrying",
                "Bearer token required",
                "the API key is missing",
                "パスワードが違います",
                "認証トークンの有効期限が切れました",
                "password authentication failed for user \"app\"",
                "session expired after 30 minutes",
                "password must be at least 12 characters",
                "Access token refreshed",
            ])
            .to_owned(),
        "certificate" => {
            let body: Vec<String> = (0..8).map(|_| r.base64(64)).collect();
            format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----", body.join("\n"))
        }
        "cidr" => format!("allowed {}.{}.0.0/16 and 203.0.113.0/24", r.within(20, 99), r.within(0, 255)),
        "corporate_number" => format!("法人番号 {}{}", r.within(1, 9), r.digits(12)),
        "ec2_ids" => format!("i-{} vol-{} subnet-{} sg-{}", r.hex(17), r.hex(17), r.hex(17), r.hex(17)),
        "ecs_task" => format!("arn:aws:ecs:ap-northeast-1:{account}:task/shop/{}", r.hex(32)),
        "epoch_ms" => format!("at 179550{} took {} ms, seq={}", r.digits(7), r.digits(4), r.digits(9)),
        "etag" => format!("ETag: \"{}-{}\"", r.hex(32), r.within(2, 9)),
        "git_sha" => format!("deployed commit {} ({})", r.hex(40), r.hex(7)),
        "iam_unique_ids" => {
            format!("principal {}{} assumed", r.pick(&["AIDA", "AROA", "AGPA", "ANPA"]), r.upper(17))
        }
        "image_digest" => {
            format!("{account}.dkr.ecr.ap-northeast-1.amazonaws.com/orders@sha256:{}", r.hex(64))
        }
        "jp_date_number" => format!(
            "2026年11月{}日 第{}号 注文番号 {}-{}",
            r.within(1, 28),
            r.within(1, 999),
            r.digits(8),
            r.digits(4)
        ),
        "k8s_pod" => format!("pod orders-{}-{} restarted", r.hex(9), r.lower(5)),
        "kms_key" => format!("KeyId=arn:aws:kms:ap-northeast-1:{account}:key/{}", r.uuid()),
        "log_stream" => format!("2026/11/24/[$LATEST]{}", r.hex(32)),
        "masked" => r
            .pick(&[
                "password=******** user=bob",
                "Authorization: Bearer ***",
                "token=[REDACTED]",
                "secret=<hidden>",
                "api_key=xxxxxxxxxxxx",
                "password=${DB_PASSWORD}",
                "card ****-****-****-1234",
                "password: {{ .Values.db.password }}",
            ])
            .to_owned(),
        "metric" => format!(
            "http_server_duration_bucket{{le=\"{}\",route=\"/v1/orders\"}} {}",
            r.within(1, 9),
            r.digits(6)
        ),
        "order_16" => format!("order_id={} shipped", r.pick(&["1", "7", "9"]).to_owned() + &r.digits(15)),
        "private_dns" => {
            format!("ip-10-0-{}-{}.ap-northeast-1.compute.internal", r.within(0, 255), r.within(1, 254))
        }
        "private_ip" => format!(
            "connect 10.{}.{}.{}:5432 from 192.168.{}.{}",
            r.within(0, 255),
            r.within(0, 255),
            r.within(1, 254),
            r.within(0, 255),
            r.within(1, 254)
        ),
        "public_key" => format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n{}\n-----END PUBLIC KEY-----",
            r.base64(64),
            r.base64(40)
        ),
        "request_id" => format!("RequestId: {} Duration: {} ms", r.uuid(), r.digits(3)),
        "s3_key" => format!(
            "s3://bucket/year=2026/month=11/part-{}-{}.snappy.parquet Key=photos/{}/a.jpg",
            r.digits(5),
            r.uuid(),
            r.digits(4)
        ),
        "sql" => r
            .pick(&[
                "SELECT id FROM users WHERE token = $1 AND password_hash = ?",
                "UPDATE t SET secret = :secret WHERE id = 7",
                "INSERT INTO api_keys (key, user_id) VALUES (?, ?)",
            ])
            .to_owned(),
        "ssh_pub" => {
            format!("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ{} deploy@build.example.com", r.base64(200))
        }
        "stack_java" => format!(
            "\tat com.example.orders.TokenService.refreshToken(TokenService.java:{}) ~[app.jar:1.4.{}]",
            r.within(10, 999),
            r.within(0, 20)
        ),
        "traceparent" => format!("traceparent: 00-{}-{}-01", r.hex(32), r.hex(16)),
        "version_like_ip" => {
            format!("Chrome/120.0.6{}.{} version 4.18.0.{}", r.digits(3), r.within(10, 200), r.within(1, 250))
        }
        "xray" => {
            format!("X-Amzn-Trace-Id: Root=1-{}-{};Parent={};Sampled=1", r.hex(8), r.hex(24), r.hex(16))
        }
        "either" => format!("checksum {} of {}", to_base64(r.alnum(20).as_bytes()), r.hex(64)),
        _ => return None,
    })
}
