# 日本語。数値・時刻・名称は整形済みで渡される。ここでは数えず、丸めず、エスケープしない。
# キーと変数は en.ftl と同じ（テストで照合）。

## 体裁
list-separator = 、
with-remarks = { $main }（{ $remarks }）
because = { $statement }。{ $reasons }
labelled = { $label }：{ $text }
quoted = 「{ $text }」
cites = [{ $items }]
none = なし
status-open = 調査中
status-ended = 終了

## 確からしさ・情報源・種類
band-weak = 確度：低
band-moderate = 確度：中
band-strong = 確度：高
source-alarms = アラーム
source-topology = トポロジー
source-metrics = メトリクス
source-logs = ログ
source-traces = トレース
source-changes = 変更履歴
source-other = 情報源
kind-impact = アラーム対象メトリクスへの影響
kind-own-time = トレース上の自身の処理時間
kind-own-errors = 自身が起点のエラー
kind-call-delay = 呼び出しの遅延
kind-saturation = リソースメトリクスの逸脱
kind-logs = ログパターン
kind-change = 変更
change-deployment = デプロイ
change-configuration = 設定変更
effect-read-only = 参照のみ
effect-diagnostic-aux = 診断（補助リソースの作成や課金の可能性あり）
effect-mutating-low = 設定を変更（通常は停止なし）
effect-mutating-disruptive = サービス中断の可能性あり、または復元が困難
risk-low = リスク：低
risk-medium = リスク：中
risk-high = リスク：高
status-pending = 未開始
status-in-progress = 実行中
status-waiting = 承認待ち
status-success = 成功
status-failed = 失敗
status-timed-out = タイムアウト
status-cancelled = 中止
mechanism-own-latency = 自身の遅延
mechanism-own-errors = 自身のエラー
mechanism-saturation = リソース不足
mechanism-call-delay = 呼び出しの遅延
mechanism-behaviour = 挙動の変化
mechanism-unobserved-dependency = 観測されていない依存先の影響
mechanism-surge = 負荷の増加
mechanism-unclear = 原因の型は不明

## フィード項目
item-opened = 調査を開始：{ $title }
item-collected = { $source }を取得（{ $records } 件）
item-concluded = 分析が完了
item-concluded-unknown = 分析が完了、原因は特定せず
item-concluded-again = 再分析が完了
item-concluded-again-unknown = 再分析が完了、原因は特定せず
item-matched = プレイブック { $considered } 件を照合、{ $suggested } 件を提案
item-round = 第 { $number } ラウンド：{ $until } までの全ソースを再取得
round-due = 前回の結論が暫定だったため
round-asked = 依頼による
item-alarm = アラーム { $name }：{ $from } → { $to }
item-alarm-now = アラーム { $name }：{ $to }
item-topology = リソース { $resources } 件、依存関係 { $edges } 件
item-metric-up = { $metric } が { $before } から { $after } に上昇
item-metric-down = { $metric } が { $before } から { $after } に低下
item-metric-missing = { $metric } のデータが途絶
item-log-new-error = 新しいエラーログ（{ $before } → { $after } 件）：{ $text }
item-log-new = 新しいログ（{ $before } → { $after } 件）：{ $text }
item-log-gone = 出なくなったログ（{ $before } → { $after } 件）：{ $text }
item-log-more-error = エラーログが増加（{ $before } → { $after } 件）：{ $text }
item-log-more = ログが増加（{ $before } → { $after } 件）：{ $text }
item-log-less = ログが減少（{ $before } → { $after } 件）：{ $text }
item-log-broken = { $text } の後に続くはずのログが出ていない
item-link = 呼び出し時間 { $before } → { $after }
item-link-outside = 外部からの呼び出し時間 { $before } → { $after }
item-link-new = 以前はなかった呼び出し { $calls } 回、平均 { $after }
item-change-at = { $actor } による{ $kind }（発生とほぼ同時）：{ $summary }
item-change-before = { $actor } による{ $kind }（発生の { $lead }前）：{ $summary }
item-change-after = { $actor } による{ $kind }（発生の { $lead }後）：{ $summary }
item-suggestion-run = 実行可能：{ $title }
item-suggestion-complete = パラメータの入力が必要：{ $title }
item-suggestion-read = 手動で対応：{ $title }
item-approved = { $person } が { $suggestion } を承認（{ $surface }、プラン { $digest }、有効期限 { $until }）
item-rejected = { $person } が { $suggestion } を却下（{ $surface }、プラン { $digest }）
item-run-intended = { $suggestion } を実行開始（プラン { $digest }）
item-run-step = { $suggestion } ステップ { $step }（{ $action }）：{ $status }
item-run-ended = { $suggestion } の実行結果：{ $status }
item-run-refused = { $suggestion } は開始されませんでした：{ $why }
item-run-failed = { $suggestion } を開始できませんでした：{ $message }
item-run-lost = { $suggestion } が開始されたかどうか不明：{ $message }
refusal-no-plan = 実行できる計画がありません
refusal-discarded = 担当者が破棄しました
refusal-outdated = 現在わかっている状況に合わなくなりました
refusal-not-approved = 承認されていません
refusal-other-digest = 承認は別の計画に対するものです
refusal-expired = 承認の有効期限が切れています
refusal-started = すでに一度開始されています
refusal-automation = Automation が拒否しました
item-note = { $person } のメモ：{ $text }
item-accepted = { $person } が { $item } を採用
item-discarded = { $person } が { $item } を除外
item-restored = { $person } が { $item } の除外を取り消し
item-usage = { $source }：リクエスト { $requests } 回、{ $bytes }

## 補足
remark-factor = { $factor }
remark-follower = 通常は { $text }
remark-failing = { $after } が失敗、通常は { $before }
remark-own = 自身の処理時間 { $before } → { $after }
remark-uncovered = 応答開始までの時間 { $before } → { $after }
remark-lost = { $lost } 件を失った
remark-place = 場所：{ $place }
remark-detail = { $text }
remark-provisional = 暫定：発生から 1 周期分のデータがまだない
remark-back = { $all } 項目中 { $back } 項目が通常範囲に復帰
remark-alarm-ok = アラームは { $at } に OK
remark-took = 実行完了から { $seconds }
remark-back-since = { $at } に復帰
remark-explained = うち { $share } は呼び出し先に由来

## 見えなかったもの
gap-absent = { $source }：記録なし
gap-malformed = { $source }：一部が読み取り不能、残りは使用
gap-truncated = { $source }：上限に達したため途中まで取得、以降は不明
gap-denied = { $source }：アクセス拒否
gap-unavailable = { $source }：遅延、スロットリングまたは停止
gap-no-baseline = { $source }：比較できる正常時のデータなし
gap-target-unseen = { $source }：アラーム対象リソース自身のテレメトリーなし
gap-clock-skew = { $source }：時刻のずれを補正

## 原因
cause-own-latency = { $resource } 自身の処理が遅くなった（{ $band }）
cause-own-errors = { $resource } 自身がエラーを起こしている（{ $band }）
cause-saturation = { $resource } のリソースが不足している（{ $band }）
cause-call-delay = { $resource } への呼び出しが応答前に遅延している（{ $band }）
cause-behaviour = { $resource } のログの挙動が変わった（{ $band }）
cause-unobserved-dependency = { $resource }、またはその観測されていない依存先に異常がある（{ $band }）
cause-surge = { $resource } の負荷が通常より増えている（{ $band }）
cause-unclear = { $resource } に異常があるが、原因の型は不明（{ $band }）
cause-since = 開始 { $at }
cause-path = アラームからの経路：{ $path }
cause-path-inferred = アラームからの既知の経路はない（同時に逸脱していることから依存関係を推定）
cause-unknown = 原因は不明

unknown-target-quiet = アラーム対象リソースに異常は見られない
unknown-nothing-stands-out = 際立った異常を示すリソースがない
unknown-no-telemetry = 判断に使えるテレメトリーがない
unknown-no-baseline = 比較できる正常時のデータがない
unknown-not-concluded = 仮説はまだない
unknown-threshold-usual = アラームのしきい値がメトリクスの通常範囲内にあり、障害がなくても発報する
unknown-ruled-out = 見つかった原因はすべて担当者が除外した

reason-explains-share = { $target } への影響の { $share } を説明できる
reason-kinds-agree = 独立した { $kinds } 種類の証拠が一致
reason-stands-out = スコアは次点の { $factor }
reason-close-second = { $resource } も同程度に疑わしい
reason-change-at = 変更 { $item } が発生とほぼ同時にあった
reason-change-before = 変更 { $item } が発生の { $lead }前にあった
reason-change-after = 変更 { $item } が発生の { $lead }後にあった
reason-single-kind = 証拠は 1 種類のみ
reason-only-external = 根拠はすべて外部から書き込み可能なテキスト
reason-provisional = 暫定：発生から 1 周期分のデータがまだない
revised-lead = 首位は { $from } から { $resource } に変わった
revised-found = 前回は特定できなかったが、今回は { $resource } を特定
revised-lost = { $resource } は原因候補から外れた
revised-same = 結論は前回と同じ
revised-mechanism = { $resource } の状態は「{ $from }」から「{ $to }」に変わった
revised-strength = { $resource } の確度は「{ $from }」から「{ $to }」に変わった
revised-evidence = 根拠：新規 { $new } 件、再測定 { $again } 件、消失 { $gone } 件
reason-source-missing = 裏付けとなる{ $source }が欠けている（{ $item }）

check-metric-returns = この原因を取り除くと { $resource } の { $metric } が { $usual } に戻る（{ $item }）
check-undo-change = { $resource } の変更 { $item } を元に戻すと異常が収まる
check-other-earlier = 別のリソースの異常が { $resource } より先に、または大きく出ている
check-hidden-callee = { $resource } の未観測の呼び出し先に異常が見つかる
check-lines-stop = { $resource } のログ { $item } が通常の頻度に戻る
check-calls-return = { $resource } への呼び出し時間が { $usual } に戻る（{ $item }）
check-item-returns = { $resource } の { $item } が通常に戻る

part-impact = アラーム対象メトリクスの逸脱（トラフィックで重み付け）
part-own-time = トレース上、自身の処理時間が { $seen } 増加
part-own-errors = ここを起点とする失敗 { $seen } 件
part-call-delay = 応答開始までの遅延が { $seen } 増加
part-saturation = リソースメトリクスが通常範囲を逸脱
part-logs = ログパターンの変化
part-change = 発生の { $seen }前に変更

lower-score = スコア { $score }（首位は { $best }）
lower-contradicted = { $item } のほうが先に始まっており、因果の順序と合わない
lower-explained = 異常の { $share } は呼び出し先に由来
lower-unreached = アラームからの既知の依存経路がない
lower-single = 証拠は{ $kind }のみ

## 対応
action-run = { $targets } に { $document }（バージョン { $version }）を実行：{ $effect }、{ $risk }。プラン { $digest }、承認の有効時間は { $expires }
action-complete = 不足パラメータを入力すれば { $document } を実行可能：{ $effect }
action-read = 安全な自動対応なし。手順に沿って手動で対応
origin-resource = リソース自身（{ $item } で観測）
origin-dimension = { $item } のディメンション { $name }
origin-attribute = { $item } の属性 { $name }
origin-change = 変更 { $item } のフィールド { $name }
origin-incident-start = インシデントの開始時刻
origin-incident-end = 調査対象期間の終了時刻
origin-constant = プレイブックの定数
origin-setting = 運用者の設定 { $name }
missing-resource = 未設定：リソース識別子がランブックの求める形式ではありません
missing-dimension = 未設定：ディメンション { $name } を持つメトリクスがありません
missing-attribute = 未設定：トポロジーに属性 { $name } がありません
missing-change = 未設定：フィールド { $name } を持つ変更イベントがありません
missing-setting = 未設定：運用者の設定 { $name }
missing-person = 未設定：担当者の入力が必要です
match-any-kind = すべてのリソースが対象
match-kind = { $kind } が対象
match-mechanism = { $mechanism }が対象
match-signal = { $item } が条件に一致
recovery-recovered = 復旧した
recovery-improved = 改善したが、まだ通常には戻っていない
recovery-not-recovered = 改善していない
recovery-worse = 悪化した
recovery-unknown = 復旧を判定できない
measure = { $resource } { $metric }：通常 { $usual }、障害時 { $incident }、現在 { $after }（{ $item }）
measure-blind = { $resource } { $metric }：通常 { $usual }、障害時 { $incident }、以降データなし（{ $item }）

## 概要・影響・フォローアップ
overview-alarm = { $title }：{ $resource } の { $metric } でアラーム発報（{ $at }）
overview-alarm-ended = アラームは { $at } に OK へ復帰
overview-going-on = { $until } までに復旧は確認されていない
overview-origin = テレメトリーの取得元：{ $origin }
overview-seen = 観測 { $observations } 件、欠落 { $gaps } 件
impact-start = 開始 { $at }
impact-detected = アラーム発報 { $at }（開始から { $delay }）
impact-end = 終了 { $at }（継続時間 { $lasted }）
impact-no-end = 終了は未確認
impact-affected = 影響を受けたリソース { $count } 件：{ $names }
follow-trigger = { $resource } の変更 { $item } と、そのテスト方法を見直す
follow-unknown = 欠落を解消して再調査する
follow-provisional = 結論は暫定。1 周期分のデータがそろってから再確認する
follow-recovery = 復旧を確認する：アラームが OK で安定し、メトリクスが通常範囲に戻ること
follow-gap = 欠落 { $item } を解消する：{ $source }を取得できるようにする

## 見出し
head-report = インシデントレポート { $investigation }
head-answer = 原因
head-overview = 概要
head-impact = 影響
head-detection = 検知
head-timeline = タイムライン
head-cause = 根本原因
head-evidence = 証拠
head-account = 証拠の種類ごとの強さ
head-contradicting = 反証
head-alternatives = その他の候補
head-checks = 確定・否定する方法
head-actions = 対応
head-gaps = 見えなかったもの
head-follow-ups = フォローアップ
head-recovery = 復旧
label-why = 理由
label-trigger = 契機
label-confirm = 裏付けになること
label-refute = 否定になること
label-precondition = 事前確認
label-expect = 期待される結果
label-undo = 元に戻す方法
label-step = 手順
label-link = 参照
label-recommended = 推奨
label-parameter = パラメータ
label-where = いつ・どこで
label-revised = 前回から
column-parameter = パラメータ
column-value = 値
column-origin = 由来
label-approval = 判断
label-run = 実行
label-result = 結果
label-measure = 測定
column-time = 時刻 (UTC)
column-item = 項目
column-resource = リソース
column-what = 内容
column-course = 推移
timeline-omitted = 弱い観測 { $count } 件を省略
gaps-none = 記録された欠落なし
actions-none = 一致するプレイブックなし

## デモ。

demo-intro = 実際に記録したインシデントです（ALB・ECS・RDS 上の小さなショップでの `orders` のデプロイ）。テレメトリ、アラーム、復旧は実測値で、Systems Manager Automation だけを模擬しています。
demo-ask = この計画（{ $digest }）を承認しますか？ [y/N]
demo-nobody = 端末に応答者がいません。--yes を付けて実行すると承認されます
demo-report = レポートを { $file } に書き出しました

## ログ行のパターン。

logs-patterns = { $lines } 行、{ $patterns } パターン
logs-example = 例：{ $line }
logs-more-patterns = … ほか { $count } パターン（`--json` で全件）
logs-more-differences = … ほか { $count } 件の差分（`--json` で全件）
logs-no-lines = ファイルに行がなく、基準と違うかどうかは不明
logs-no-baseline = 基準に行がなく、比べる対象なし
logs-same = 基準との明確な差分なし
logs-differences = 基準との差分 { $count } 件、エラーと新規を先に明確な順（行数 前 → 今、レベル、強さ 0～1）
logs-new = 新規
logs-gone = 消失
logs-more-frequent = 増加
logs-less-frequent = 減少
logs-values = 値の変化
logs-sequence = 流れの途切れ
logs-companions = 通常は同じリクエスト内に現れる次の行が欠けている：
logs-companion = 以前は { $all } リクエスト中 { $with }、今は { $all_now } 中 { $with_now }
logs-field = 値
logs-code = ステータス
logs-quantiles = { $field }：中央値 { $median } → { $median_now }、95% が { $p95 } → { $p95_now } 以下
logs-share = { $field } { $code }：{ $before } → { $now }（行の割合）

## Recording
record-done = { $folder }: { $records } 件を記録、欠落 { $gaps } 件。`tantei investigate --bundle` で再生できます。
record-same = 現在読み取れるデータからも、調査と同じ第一原因が導かれます。
record-differs = 現在読み取れるデータからは、調査とは別の第一原因が導かれます。テレメトリの期限切れや遅着、または人の判断によるものです。調査自体のフィードは feed.jsonl にあります。
