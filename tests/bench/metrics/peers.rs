//! The simple methods that ours is compared with, as they are published or as everybody writes them.

use super::data::Points;

const LEAST: f64 = 1e-9;

fn mean(v: &[f64]) -> f64 {
    v.iter().sum::<f64>() / real(v.len().max(1))
}

fn sd(v: &[f64]) -> f64 {
    let m = mean(v);
    (v.iter().map(|x| (x - m).powi(2)).sum::<f64>() / real(v.len().max(1))).sqrt()
}

pub(crate) fn real(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap())
}

fn quantile(sorted: &[f64], q: f64) -> f64 {
    let place = q * real(sorted.len() - 1);
    let low = sorted.iter().take_while(|_| true).count().min(place as usize);
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + (sorted[high] - sorted[low]) * (place - real(low))
}

fn sorted(mut v: Vec<f64>) -> Vec<f64> {
    v.sort_by(f64::total_cmp);
    v
}

fn values(p: &Points) -> Vec<f64> {
    p.iter().map(|(_, v)| *v).collect()
}

fn farthest(window: &[f64], centre: f64, scale: f64) -> f64 {
    window.iter().map(|x| (x - centre).abs() / scale.max(LEAST)).fold(0.0, f64::max)
}

type InWindow = fn(&Points, &Points) -> f64;

/// (name, score of a window against its baseline)
pub(crate) const IN_WINDOW: [(&str, InWindow); 6] = [
    ("n-sigma", |b, w| {
        let b = values(b);
        farthest(&values(w), mean(&b), sd(&b))
    }),
    ("n-sigma mean", |b, w| {
        let (b, w) = (values(b), values(w));
        let (m, s) = (mean(&b), sd(&b));
        mean(&w.iter().map(|x| (x - m).abs() / s.max(LEAST)).collect::<Vec<_>>())
    }),
    ("MAD", |b, w| {
        let b = sorted(values(b));
        let m = quantile(&b, 0.5);
        let mad = quantile(&sorted(b.iter().map(|x| (x - m).abs()).collect()), 0.5);
        farthest(&values(w), m, 1.4826 * mad)
    }),
    ("MAD median", |b, w| {
        let b = sorted(values(b));
        let m = quantile(&b, 0.5);
        let mad = quantile(&sorted(b.iter().map(|x| (x - m).abs()).collect()), 0.5);
        (quantile(&sorted(values(w)), 0.5) - m).abs() / (1.4826 * mad).max(LEAST)
    }),
    ("mean shift", |b, w| {
        let b = values(b);
        (mean(&values(w)) - mean(&b)).abs() / sd(&b).max(LEAST)
    }),
    ("BARO IQR", |b, w| {
        let b = sorted(values(b));
        let iqr = quantile(&b, 0.75) - quantile(&b, 0.25);
        // The robust scaler it uses divides by 1 where the range is 0.
        farthest(&values(w), quantile(&b, 0.5), if iqr > 0.0 { iqr } else { 1.0 })
    }),
];

type Continuous = fn(&Points) -> Vec<f64>;

/// (name, score of every point)
pub(crate) const CONTINUOUS: [(&str, Continuous); 8] = [
    ("n-sigma (all the past)", |p| {
        let (mut n, mut m, mut s) = (0.0, 0.0, 0.0f64);
        let step = |v: f64| {
            let z = if n < 10.0 { 0.0 } else { (v - m).abs() / (s / n).sqrt().max(LEAST) };
            n += 1.0;
            let d = v - m;
            m += d / n;
            s += d * (v - m);
            z
        };
        values(p).into_iter().map(step).collect()
    }),
    ("windowed Gaussian", |p| over_past(p, 500, |past, now| farthest(now, mean(past), sd(past)))),
    ("MAD of the last 500", |p| {
        over_past(p, 500, |past, now| {
            let past = sorted(past.to_vec());
            let m = quantile(&past, 0.5);
            let mad = quantile(&sorted(past.iter().map(|x| (x - m).abs()).collect()), 0.5);
            farthest(now, m, 1.4826 * mad)
        })
    }),
    ("IQR of the last 500", |p| {
        over_past(p, 500, |past, now| {
            let past = sorted(past.to_vec());
            let iqr = quantile(&past, 0.75) - quantile(&past, 0.25);
            farthest(now, quantile(&past, 0.5), if iqr > 0.0 { iqr } else { 1.0 })
        })
    }),
    ("mean shift (20 against 500)", |p| {
        let v = values(p);
        let score = |i: usize| {
            let past = &v[i.saturating_sub(520)..i.saturating_sub(20)];
            let now = &v[i.saturating_sub(19)..=i];
            if past.len() < 10 { 0.0 } else { (mean(now) - mean(past)).abs() / sd(past).max(LEAST) }
        };
        (0..v.len()).map(score).collect()
    }),
    ("EWMA, one speed", |p| {
        let (mut m, mut s, mut n) = (0.0, 0.0f64, 0.0f64);
        let step = |v: f64| {
            let z = if n < 10.0 { 0.0 } else { (v - m).abs() / s.sqrt().max(LEAST) };
            n += 1.0;
            let a = 1.0 / n.min(100.0);
            let d = v - m;
            m += a * d;
            s = (1.0 - a) * (s + a * d * d);
            z
        };
        values(p).into_iter().map(step).collect()
    }),
    ("EWMA, fast against slow", |p| {
        let (mut fast, mut slow, mut s, mut n) = (0.0, 0.0, 0.0f64, 0.0f64);
        let step = |v: f64| {
            n += 1.0;
            fast += (v - fast) / n.min(6.0);
            slow += (v - slow) / n.min(100.0);
            let d: f64 = fast - slow;
            let z = if n < 10.0 { 0.0 } else { d.abs() / s.sqrt().max(LEAST) };
            s += (d * d - s) / n.min(1_000.0);
            z
        };
        values(p).into_iter().map(step).collect()
    }),
    ("Bayesian changepoint", changepoint),
];

/// The score of each point against up to `length` points before it.
fn over_past(p: &Points, length: usize, score: fn(&[f64], &[f64]) -> f64) -> Vec<f64> {
    let v = values(p);
    let one = |i: usize| if i < 10 { 0.0 } else { score(&v[i.saturating_sub(length)..i], &v[i..=i]) };
    (0..v.len()).map(one).collect()
}

/// Adams & MacKay 2007 with a Normal-Gamma prior and a constant hazard, runs cut at 200 as NAB's does: the
/// probability that a run began within the last points.
fn changepoint(p: &Points) -> Vec<f64> {
    const HAZARD: f64 = 1.0 / 99.0;
    const RUNS_MAX: usize = 200;
    let v = values(p);
    let start = v.len().min(100);
    let (m, s) = (mean(&v[..start]), sd(&v[..start]).max(LEAST));
    let prior = (0.0, 1.0, 1.0, 1.0);
    let mut runs: Vec<(f64, (f64, f64, f64, f64))> = vec![(1.0, prior)];
    let mut scores = Vec::with_capacity(v.len());
    for x in v.iter().map(|x| (x - m) / s) {
        let likely = |(mu, kappa, alpha, beta): (f64, f64, f64, f64)| {
            let scale2 = beta * (kappa + 1.0) / (alpha * kappa);
            let t = (1.0 + (x - mu).powi(2) / (2.0 * alpha * scale2)).powf(-alpha - 0.5);
            t / scale2.sqrt() * (alpha / (alpha + 0.5)).sqrt()
        };
        let weights: Vec<f64> = runs.iter().map(|(w, of)| w * likely(*of)).collect();
        let born = weights.iter().sum::<f64>() * HAZARD;
        let grown = runs.iter().zip(&weights).map(|((_, (mu, kappa, alpha, beta)), w)| {
            let next = (
                (kappa * mu + x) / (kappa + 1.0),
                kappa + 1.0,
                alpha + 0.5,
                beta + kappa * (x - mu).powi(2) / (2.0 * (kappa + 1.0)),
            );
            (w * (1.0 - HAZARD), next)
        });
        runs = std::iter::once((born, prior)).chain(grown).take(RUNS_MAX).collect();
        let all = runs.iter().map(|(w, _)| w).sum::<f64>().max(1e-300);
        runs.iter_mut().for_each(|(w, _)| *w /= all);
        scores.push(runs.iter().skip(1).take(9).map(|(w, _)| w).sum());
    }
    scores
}

/// The hold-off of ours for any score, so that it is not what makes the difference.
pub(crate) fn held_off(scores: &[f64]) -> Vec<f64> {
    let (mut peak, mut at) = (0.0, None::<usize>);
    let step = |(i, s): (usize, &f64)| {
        let held = at.is_some_and(|a| i < a + 100);
        if *s > 0.0 && (!held || *s > peak) {
            peak = *s;
            at = Some(i);
            return *s;
        }
        0.0
    };
    scores.iter().enumerate().map(step).collect()
}
