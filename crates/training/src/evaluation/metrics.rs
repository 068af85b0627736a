//! Scores of probability forecasts.

use serde::Serialize;

/// Bins of equal width for the calibration error.
pub const ECE_BINS: usize = 10;

/// How good forecasts of High were.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Scores {
    /// Share of right regimes.
    pub accuracy: f64,
    /// F1 of both regimes, weighted by how often each occurred.
    pub f1_weighted: f64,
    /// Area under the ROC curve: chance that a High window was rated above a Low one, ties counting half.
    pub auc: f64,
    /// Mean squared error of the probability (Brier 1950).
    pub brier: f64,
    /// Expected calibration error over ten bins of equal width.
    pub ece: f64,
}

/// One scored forecast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// Probability of High.
    pub probability: f64,
    /// The regime that was called.
    pub called_high: bool,
    /// What happened.
    pub was_high: bool,
}

/// Scores of a set of forecasts; `None` where there are none.
pub fn scores(forecasts: &[Scored]) -> Option<Scores> {
    if forecasts.is_empty() {
        return None;
    }
    let count = forecasts.len() as f64;
    let right = forecasts.iter().filter(|forecast| forecast.called_high == forecast.was_high).count();
    let brier = forecasts.iter().map(|forecast| (forecast.probability - real(forecast.was_high)).powi(2)).sum::<f64>();
    Some(Scores {
        accuracy: right as f64 / count,
        f1_weighted: f1_weighted(forecasts),
        auc: auc(forecasts.iter().map(|forecast| (forecast.probability, forecast.was_high))),
        brier: brier / count,
        ece: calibration_error(forecasts),
    })
}

/// Area under the ROC curve from mid-ranks; one half where only one regime occurred.
pub fn auc(rated: impl Iterator<Item = (f64, bool)>) -> f64 {
    let mut rated: Vec<(f64, bool)> = rated.collect();
    rated.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
    let (mut rank_sum, mut positives, mut before) = (0.0, 0.0, 0.0);
    for tied in rated.chunk_by(|left, right| left.0.total_cmp(&right.0).is_eq()) {
        let high = tied.iter().filter(|(_, high)| *high).count() as f64;
        let size = tied.len() as f64;
        rank_sum += high * (before + f64::midpoint(size, 1.0));
        positives += high;
        before += size;
    }
    let negatives = before - positives;
    if positives == 0.0 || negatives == 0.0 {
        return 0.5;
    }
    (rank_sum - positives * (positives + 1.0) / 2.0) / (positives * negatives)
}

/// F1 of both regimes, weighted by how often each occurred.
pub fn f1_weighted(forecasts: &[Scored]) -> f64 {
    let of = |regime: bool| {
        let count = |condition: &dyn Fn(&Scored) -> bool| forecasts.iter().filter(|f| condition(f)).count() as f64;
        let hits = count(&|f| f.called_high == regime && f.was_high == regime);
        let called = count(&|f| f.called_high == regime);
        let occurred = count(&|f| f.was_high == regime);
        let f1 = if called + occurred > 0.0 { 2.0 * hits / (called + occurred) } else { 0.0 };
        f1 * occurred / forecasts.len() as f64
    };
    of(true) + of(false)
}

fn calibration_error(forecasts: &[Scored]) -> f64 {
    let mut bins = [(0.0_f64, 0.0_f64); ECE_BINS];
    for forecast in forecasts {
        let bin = ((forecast.probability * ECE_BINS as f64) as usize).min(ECE_BINS - 1);
        bins[bin].0 += forecast.probability;
        bins[bin].1 += real(forecast.was_high);
    }
    bins.iter().map(|(promised, occurred)| (promised - occurred).abs()).sum::<f64>() / forecasts.len() as f64
}

/// Share of the variance of `truth` that `forecast` explains; `None` without variance.
pub fn r_squared(pairs: &[(f64, f64)]) -> Option<f64> {
    let count = pairs.len() as f64;
    let mean = pairs.iter().map(|(_, truth)| truth).sum::<f64>() / count;
    let total: f64 = pairs.iter().map(|(_, truth)| (truth - mean).powi(2)).sum();
    let left: f64 = pairs.iter().map(|(forecast, truth)| (truth - forecast).powi(2)).sum();
    (total > 0.0).then(|| 1.0 - left / total)
}

fn real(high: bool) -> f64 {
    f64::from(u8::from(high))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(rows: &[(f64, bool)]) -> Vec<Scored> {
        let called = |(probability, was_high): &(f64, bool)| Scored {
            probability: *probability,
            called_high: *probability > 0.5,
            was_high: *was_high,
        };
        rows.iter().map(called).collect()
    }

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
    }

    #[test]
    fn scores_match_an_example_worked_by_hand() {
        // Called right: 0.9, 0.2, 0.1; wrong: 0.6, 0.4. Highs: 0.9, 0.4. Of 6 pairs (High, Low), 5 are in order.
        let scores =
            scores(&scored(&[(0.9, true), (0.6, false), (0.4, true), (0.2, false), (0.1, false)])).expect("not empty");
        close(scores.accuracy, 0.6);
        close(scores.auc, 5.0 / 6.0);
        close(scores.brier, (0.01 + 0.36 + 0.36 + 0.04 + 0.01) / 5.0);
        // High: 1 hit, 2 called, 2 occurred, F1 0.5. Low: 2 hits, 3 called, 3 occurred, F1 2/3.
        close(scores.f1_weighted, 0.4 * 0.5 + 0.6 * 2.0 / 3.0);
        close(scores.ece, (0.1 + 0.6 + 0.6 + 0.2 + 0.1) / 5.0);
    }

    #[test]
    fn ties_count_half_and_a_single_regime_says_nothing() {
        close(auc([(0.5, true), (0.5, false), (0.5, false)].into_iter()), 0.5);
        close(auc([(0.5, true), (0.5, false), (0.1, false)].into_iter()), 0.75);
        close(auc([(0.3, true), (0.7, true)].into_iter()), 0.5);
        assert_eq!(scores(&[]), None);
    }

    #[test]
    fn calibration_errors_cancel_only_inside_a_bin() {
        close(calibration_error(&scored(&[(0.75, true), (0.75, true), (0.75, true), (0.75, false)])), 0.0);
        close(calibration_error(&scored(&[(1.0, true), (0.0, false)])), 0.0);
        close(calibration_error(&scored(&[(1.0, false), (0.0, true)])), 1.0);
    }

    #[test]
    fn explained_variance_is_one_for_the_truth_and_zero_for_its_mean() {
        assert_eq!(r_squared(&[(1.0, 1.0), (3.0, 3.0)]), Some(1.0));
        assert_eq!(r_squared(&[(2.0, 1.0), (2.0, 3.0)]), Some(0.0));
        assert_eq!(r_squared(&[(2.0, 2.0), (2.0, 2.0)]), None);
    }
}
