//! What followed a forecast, and what forecasters without a network had said, from one window of candles.

use super::sums::Sums;
use super::{har, label, measure};
use crate::types::baselines::Baselines;
use crate::types::feature::Feature;
use crate::types::manifest::regime::Label;

/// What the candles before a decision say by themselves: standard deviations of one-minute returns, `None` where there are
/// too few candles.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Plain {
    /// Of the horizon that has just ended, which persistence expects to repeat itself.
    pub persistence: Option<f64>,
    /// By the regression on an hour, four hours, a day and a week.
    pub har: Option<f64>,
}

/// What forecasters without a network say at a decision time that `at` candles precede.
pub fn plain(sums: &Sums, at: usize, label: &Label, baselines: &Baselines) -> Plain {
    let is_within = at <= sums.len();
    let persistence = (is_within && at > label.horizon_minutes).then(|| {
        let past = Feature::LogRmsReturn { minutes: label.horizon_minutes };
        libm::exp(measure::value(&past, sums, at))
    });
    let har = (is_within && at >= har::LEAST_BEFORE)
        .then(|| libm::exp(har::linear(&baselines.har_volatility.coefficients, &har::regressors(sums, at))));
    Plain { persistence, har }
}

/// The standard deviation of the one-minute returns of the horizon that begins `at` candles into the series: the label of
/// training. `None` where the series ends before, or holds minutes that nobody saw.
pub fn realised(sums: &Sums, at: usize, label: &Label) -> Option<f64> {
    label::volatility(sums, at, label.horizon_minutes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::baselines::{Garch, HarVolatility, Residual};
    use crate::types::candle::Candle;

    fn candles(count: i64) -> Vec<Candle> {
        let candle = |minute: i64| {
            let price = 100.0 + f64::from(u32::try_from(minute * 2_654_435_761 % 10_007).unwrap()) / 1000.0;
            Candle { open_time_ms: minute * 60_000, open: price, high: price, low: price, close: price, volume: 1.0 }
        };
        (0..count).map(candle).collect()
    }

    #[test]
    fn too_few_candles_say_nothing_and_a_week_says_both() {
        let candles = candles(10_400);
        let sums = Sums::new(&candles, &[]);
        let label = Label { horizon_minutes: 240, threshold: 0.001 };
        let residual = Residual { deviation: 0.5, variance_ratio: 1.1 };
        let baselines = Baselines {
            training_share_high: 0.5,
            har_logistic: [0.0; 5],
            har_volatility: HarVolatility { coefficients: [0.0, 0.0, 1.0, 0.0, 0.0], residual },
            garch: Garch { return_minutes: 1, omega: 0.0, news: 0.0, memory: 0.0, log_shift: 0.0, residual },
        };
        assert_eq!(plain(&sums, 240, &label, &baselines), Plain::default());
        let early = plain(&sums, 241, &label, &baselines);
        assert!(early.persistence.is_some() && early.har.is_none());
        // Of the four hours alone, it says what persistence says.
        let late = plain(&sums, 10_081, &label, &baselines);
        assert!((late.har.unwrap() - late.persistence.unwrap()).abs() < 1e-15, "{late:?}");
        assert_eq!(plain(&sums, 10_401, &label, &baselines), Plain::default());
        assert_eq!(realised(&sums, 10_081, &label), label::volatility(&sums, 10_081, 240));
        assert!(realised(&sums, 10_160, &label).is_some() && realised(&sums, 10_161, &label).is_none());
        let gap = Sums::new(&candles, &[candles[10_100].open_time_ms]);
        assert_eq!(realised(&gap, 10_081, &label), None);
    }
}
