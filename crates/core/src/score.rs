//! How good forecasts of a volatility and of its regime were: one definition for training, the model's card and the node.

use crate::features::label::log_volatility;
use crate::types::baselines::{Baselines, Residual};
use crate::types::manifest::regime::Label;

/// Bins of equal width into which probabilities of High are sorted.
pub const BINS: usize = 10;

/// The loss of a log-volatility by the variance that followed (QLIKE): 0 for the right one. Where a forecast of the logarithm
/// is known to be too low for the variance, `variance_ratio` lifts it.
pub fn qlike(log_realised: f64, log_forecast: f64, variance_ratio: f64) -> f64 {
    let ratio = libm::exp(2.0 * (log_realised - log_forecast)) / variance_ratio;
    ratio - libm::log(ratio) - 1.0
}

/// The chance that a log-volatility exceeds a threshold if the errors of its forecast are Gaussian.
pub fn chance_above(log_threshold: f64, log_forecast: f64, residual: &Residual) -> f64 {
    let distance = (log_threshold - log_forecast) / residual.deviation;
    libm::erfc(distance * std::f64::consts::FRAC_1_SQRT_2) / 2.0
}

/// A period whose horizon is over. Volatilities are standard deviations of one-minute returns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// Forecast probability of High.
    pub probability_high: f64,
    /// Whether High was called.
    pub called_high: bool,
    /// Forecast volatility.
    pub volatility: f64,
    /// What persistence said, where it is known.
    pub persistence: Option<f64>,
    /// What the regression on earlier volatilities said, where it is known.
    pub har: Option<f64>,
    /// What followed.
    pub realised: f64,
}

/// How good one forecaster was.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Figures {
    /// Share of right regimes.
    pub accuracy: Option<f64>,
    /// Mean squared error of the probability; `None` of who gives none.
    pub brier: Option<f64>,
    /// Mean of [`qlike`].
    pub qlike: Option<f64>,
}

/// What was promised and what came, of probabilities in one bin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// Lower end.
    pub from: f64,
    /// Upper end.
    pub to: f64,
    /// Forecasts in it.
    pub count: usize,
    /// Their mean.
    pub mean_forecast: f64,
    /// Share of them that High followed.
    pub share_high: f64,
}

/// Figures of the model and of those that need no network.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Score {
    /// Periods that all figures are of.
    pub periods: usize,
    /// The model.
    pub forecast: Figures,
    /// The last horizon repeats itself.
    pub persistence: Figures,
    /// The regression on earlier volatilities.
    pub har: Figures,
    /// Of the model's probabilities; bins that hold none are absent.
    pub calibration: Vec<Bin>,
}

/// One forecaster's word on one period.
struct Word {
    probability: Option<f64>,
    called_high: bool,
    log_volatility: f64,
    variance_ratio: f64,
}

/// Judges periods. A forecaster that is known in none of them has no figures; of the others, the periods count of which all of
/// them are known, so that they are judged by the same.
pub fn score(periods: &[Judged], label: &Label, baselines: &Baselines) -> Score {
    let has_persistence = periods.iter().any(|one| one.persistence.is_some());
    let has_har = periods.iter().any(|one| one.har.is_some());
    let is_known = |one: &&Judged| (one.persistence.is_some() || !has_persistence) && (one.har.is_some() || !has_har);
    let periods: Vec<&Judged> = periods.iter().filter(is_known).collect();
    let log_threshold = libm::log(label.threshold);
    let forecast = |one: &Judged| {
        let (probability, log_volatility) = (Some(one.probability_high), libm::log(one.volatility));
        Some(Word { probability, called_high: one.called_high, log_volatility, variance_ratio: 1.0 })
    };
    let persistence = |one: &Judged| {
        let past = libm::log(one.persistence?);
        Some(Word { probability: None, called_high: past > log_threshold, log_volatility: past, variance_ratio: 1.0 })
    };
    let residual = &baselines.har_volatility.residual;
    let har = |one: &Judged| {
        let said = libm::log(one.har?);
        let chance = chance_above(log_threshold, said, residual);
        let variance_ratio = residual.variance_ratio;
        Some(Word { probability: Some(chance), called_high: chance > 0.5, log_volatility: said, variance_ratio })
    };
    Score {
        periods: periods.len(),
        forecast: figures(&periods, label, forecast),
        persistence: figures(&periods, label, persistence),
        har: figures(&periods, label, har),
        calibration: calibration(periods.iter().map(|one| (one.probability_high, one.realised > label.threshold))),
    }
}

fn figures(periods: &[&Judged], label: &Label, said: impl Fn(&Judged) -> Option<Word>) -> Figures {
    let words: Option<Vec<(Word, &Judged)>> = periods.iter().map(|one| Some((said(one)?, *one))).collect();
    let Some(words) = words.filter(|words| !words.is_empty()) else { return Figures::default() };
    let count = words.len() as f64;
    let was_high = |one: &Judged| one.realised > label.threshold;
    let right = words.iter().filter(|(word, one)| word.called_high == was_high(one)).count();
    let missed = |(word, one): &(Word, &Judged)| {
        let miss = word.probability? - f64::from(u8::from(was_high(one)));
        Some(miss * miss)
    };
    let squares: Option<Vec<f64>> = words.iter().map(missed).collect();
    let lost =
        |(word, one): &(Word, &Judged)| qlike(log_volatility(one.realised), word.log_volatility, word.variance_ratio);
    Figures {
        accuracy: Some(right as f64 / count),
        brier: squares.map(|squares| squares.iter().sum::<f64>() / count),
        qlike: Some(words.iter().map(lost).sum::<f64>() / count),
    }
}

/// Sorts probabilities of High, each with whether High followed, into bins of equal width.
pub fn calibration(forecasts: impl Iterator<Item = (f64, bool)>) -> Vec<Bin> {
    let mut bins = [(0_usize, 0.0_f64, 0_usize); BINS];
    for (probability, was_high) in forecasts {
        let bin = &mut bins[((probability * BINS as f64) as usize).min(BINS - 1)];
        *bin = (bin.0 + 1, bin.1 + probability, bin.2 + usize::from(was_high));
    }
    let bin = |(at, (count, sum, highs)): (usize, &(usize, f64, usize))| Bin {
        from: at as f64 / BINS as f64,
        to: (at + 1) as f64 / BINS as f64,
        count: *count,
        mean_forecast: sum / *count as f64,
        share_high: *highs as f64 / *count as f64,
    };
    bins.iter().enumerate().filter(|(_, bin)| bin.0 > 0).map(bin).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::baselines::{Garch, HarVolatility};

    const LABEL: Label = Label { horizon_minutes: 240, threshold: 0.001 };

    fn baselines() -> Baselines {
        let residual = Residual { deviation: 0.5, variance_ratio: 1.0 };
        Baselines {
            training_share_high: 0.5,
            har_logistic: [0.0; 5],
            har_volatility: HarVolatility { coefficients: [0.0; 5], residual },
            garch: Garch { return_minutes: 1, omega: 0.0, news: 0.0, memory: 0.0, log_shift: 0.0, residual },
        }
    }

    fn judged(probability_high: f64, persistence: Option<f64>, realised: f64) -> Judged {
        let called_high = probability_high > 0.5;
        Judged { probability_high, called_high, volatility: 0.001, persistence, har: None, realised }
    }

    fn close(found: Option<f64>, expected: f64) {
        assert!((found.unwrap() - expected).abs() < 1e-9, "{found:?}, not {expected}");
    }

    #[test]
    fn figures_match_an_example_worked_by_hand() {
        // High followed the first two; the third is of no use to persistence, and so to nobody.
        let periods = [judged(0.9, Some(0.002), 0.002), judged(0.4, Some(0.0005), 0.0011), judged(0.1, None, 0.0001)];
        let score = score(&periods, &LABEL, &baselines());
        assert_eq!((score.periods, score.har), (2, Figures::default()));
        close(score.forecast.accuracy, 0.5);
        close(score.forecast.brier, f64::midpoint(0.01, 0.36));
        close(score.persistence.accuracy, 0.5);
        assert_eq!(score.persistence.brier, None);
        let loss = |realised: f64, forecast: f64| {
            let ratio = ((realised + 1e-7) / forecast).powi(2);
            ratio - ratio.ln() - 1.0
        };
        close(score.forecast.qlike, f64::midpoint(loss(0.002, 0.001), loss(0.0011, 0.001)));
        close(score.persistence.qlike, f64::midpoint(loss(0.002, 0.002), loss(0.0011, 0.0005)));
        let bins: Vec<_> = score.calibration.iter().map(|bin| (bin.count, bin.mean_forecast, bin.share_high)).collect();
        assert_eq!(bins, [(1, 0.4, 1.0), (1, 0.9, 1.0)]);
    }

    #[test]
    fn nothing_is_said_of_no_periods_and_a_right_volatility_loses_nothing() {
        assert_eq!(score(&[], &LABEL, &baselines()), Score::default());
        close(Some(qlike(-7.0, -7.0, 1.0)), 0.0);
        close(Some(chance_above(-7.0, -7.0, &baselines().har_volatility.residual)), 0.5);
        assert_eq!(calibration([(1.0, true), (0.0, false)].into_iter()).len(), 2);
    }
}
