//! What the figures of a forecaster need to know about its rows: sums, so that those of many days are the sum of those
//! of each day.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::metrics::ECE_BINS;
use super::outcomes::{Forecast, Outcomes};
use veriregime_core::score::qlike;

/// Classes of ratings, each of as many distinct ones as the next, from which a resampled area under the curve is computed.
const RATING_BINS: usize = 1000;
/// True Low, Low called High, High called Low, true High.
const CONFUSION: Range<usize> = 0..4;
const SQUARED_MISS: usize = 4;
const CALIBRATION: Range<usize> = 5..5 + ECE_BINS;
/// Log-volatility that followed, less its mean over all rows; its square; the square of what the forecast missed it by.
const TRUTH: usize = CALIBRATION.end;
const TRUTH_SQUARED: usize = TRUTH + 1;
const ERROR_SQUARED: usize = TRUTH + 2;
const QLIKE: usize = TRUTH + 3;
const LOW_RATINGS: Range<usize> = QLIKE + 1..QLIKE + 1 + RATING_BINS;
const HIGH_RATINGS: Range<usize> = LOW_RATINGS.end..LOW_RATINGS.end + RATING_BINS;
/// Numbers of one set of tallies.
pub const SIZE: usize = HIGH_RATINGS.end;

/// A figure of a forecaster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Share of right regimes.
    Accuracy,
    /// F1 of both regimes, weighted by how often each occurred.
    F1Weighted,
    /// Area under the ROC curve.
    Auc,
    /// Mean squared error of the probability (Brier 1950).
    Brier,
    /// Expected calibration error over ten bins of equal width.
    Ece,
    /// Share of the variance of the log-volatility, around its mean over the very rows, that the forecast explains:
    /// against that mean, which nobody knew before, a forecast has it harder than against the training part's.
    LogVolatilityR2,
    /// Mean of `h / f - ln(h / f) - 1` for the variance `h` that followed and the forecast `f` (Patton 2011).
    Qlike,
}

impl Metric {
    /// Number of figures.
    pub const COUNT: usize = 7;
    /// All, in the order of the report.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Accuracy, Self::F1Weighted, Self::Auc, Self::Brier, Self::Ece, Self::LogVolatilityR2, Self::Qlike];

    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::F1Weighted => "F1",
            Self::Auc => "AUC",
            Self::Brier => "Brier",
            Self::Ece => "ECE",
            Self::LogVolatilityR2 => "R² of log-volatility",
            Self::Qlike => "QLIKE",
        }
    }
}

/// How often each regime was called when each occurred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    /// Low, called Low.
    pub true_low: usize,
    /// Low, called High.
    pub false_high: usize,
    /// High, called Low.
    pub false_low: usize,
    /// High, called High.
    pub true_high: usize,
}

impl Confusion {
    /// From tallies.
    pub fn of(tallies: &[f64]) -> Self {
        let [true_low, false_high, false_low, true_high] = [0, 1, 2, 3].map(|index| tallies[index] as usize);
        Self { true_low, false_high, false_low, true_high }
    }
}

/// Adds up one forecaster's rows.
#[derive(Debug)]
pub struct Tally<'a> {
    outcomes: &'a Outcomes,
    forecast: &'a Forecast,
    /// Mean log-volatility of all rows.
    centre: f64,
    /// Upper ends of the classes of ratings.
    edges: Vec<f64>,
}

impl<'a> Tally<'a> {
    /// Prepares the classes of ratings.
    pub fn new(outcomes: &'a Outcomes, forecast: &'a Forecast) -> Self {
        let mut edges = forecast.rating.clone();
        edges.sort_unstable_by(f64::total_cmp);
        edges.dedup();
        let distinct = edges.len();
        if distinct > RATING_BINS {
            edges = (1..=RATING_BINS).map(|bin| edges[bin * distinct / RATING_BINS - 1]).collect();
        }
        let centre = outcomes.log_volatility.iter().sum::<f64>() / outcomes.len() as f64;
        Self { outcomes, forecast, centre, edges }
    }

    /// Adds a row.
    pub fn add(&self, row: usize, tallies: &mut [f64]) {
        let Forecast { rating, called_high, .. } = self.forecast;
        let was_high = self.outcomes.was_high[row];
        let rating = rating[row];
        tallies[CONFUSION.start + 2 * usize::from(was_high) + usize::from(called_high[row])] += 1.0;
        let bin = self.edges.partition_point(|edge| *edge < rating).min(RATING_BINS - 1);
        tallies[if was_high { HIGH_RATINGS.start } else { LOW_RATINGS.start } + bin] += 1.0;
        if self.forecast.is_probability {
            let miss = rating - f64::from(u8::from(was_high));
            tallies[SQUARED_MISS] += miss * miss;
            let bin = ((rating * ECE_BINS as f64) as usize).min(ECE_BINS - 1);
            tallies[CALIBRATION.start + bin] += miss;
        }
        if let Some(log_volatility) = &self.forecast.log_volatility {
            let truth = self.outcomes.log_volatility[row] - self.centre;
            let error = self.outcomes.log_volatility[row] - log_volatility[row];
            tallies[TRUTH] += truth;
            tallies[TRUTH_SQUARED] += truth * truth;
            tallies[ERROR_SQUARED] += error * error;
            tallies[QLIKE] +=
                qlike(self.outcomes.log_volatility[row], log_volatility[row], self.forecast.variance_ratio[row]);
        }
    }

    /// The figures that tallies amount to, in the order of [`Metric::ALL`]; NaN for what was not forecast or cannot be
    /// told from these rows.
    pub fn figures(&self, tallies: &[f64]) -> [f64; Metric::COUNT] {
        let [true_low, false_high, false_low, true_high] = [0, 1, 2, 3].map(|index| tallies[index]);
        let count = true_low + false_high + false_low + true_high;
        let f1 = |hits: f64, errors: f64| 2.0 * hits / (2.0 * hits + errors).max(1.0);
        let errors = false_high + false_low;
        let f1_weighted =
            f1(true_high, errors) * (true_high + false_low) + f1(true_low, errors) * (true_low + false_high);
        let probability = |value: f64| if self.forecast.is_probability { value } else { f64::NAN };
        let volatility = |value: f64| if self.forecast.log_volatility.is_some() { value } else { f64::NAN };
        let variance = tallies[TRUTH_SQUARED] - tallies[TRUTH] * tallies[TRUTH] / count;
        let explained = if variance > 0.0 { 1.0 - tallies[ERROR_SQUARED] / variance } else { f64::NAN };
        [
            (true_low + true_high) / count,
            f1_weighted / count,
            area(&tallies[LOW_RATINGS], &tallies[HIGH_RATINGS]),
            probability(tallies[SQUARED_MISS] / count),
            probability(tallies[CALIBRATION].iter().map(|gap| gap.abs()).sum::<f64>() / count),
            volatility(explained),
            volatility(tallies[QLIKE] / count),
        ]
    }
}

/// Area under the ROC curve of ratings that are known by their class only: two in the same count half.
fn area(lows: &[f64], highs: &[f64]) -> f64 {
    let (mut below, mut ordered) = (0.0, 0.0);
    for (low, high) in lows.iter().zip(highs) {
        ordered += high * (below + low / 2.0);
        below += low;
    }
    let pairs = below * highs.iter().sum::<f64>();
    if pairs > 0.0 { ordered / pairs } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::metrics::{Scored, scores};
    use crate::evaluation::outcomes::Forecaster;

    fn outcomes(rows: &[(f64, bool, f64)]) -> Outcomes {
        Outcomes {
            at: (0..rows.len()).collect(),
            time_ms: (0..rows.len()).map(|row| row as i64).collect(),
            was_high: rows.iter().map(|(_, high, _)| *high).collect(),
            log_volatility: rows.iter().map(|(_, _, log_volatility)| *log_volatility).collect(),
            on_grid: vec![false; rows.len()],
        }
    }

    fn figures(outcomes: &Outcomes, forecast: &Forecast) -> [f64; Metric::COUNT] {
        let tally = Tally::new(outcomes, forecast);
        let mut tallies = vec![0.0; SIZE];
        (0..outcomes.len()).for_each(|row| tally.add(row, &mut tallies));
        tally.figures(&tallies)
    }

    #[test]
    fn sums_give_the_same_figures_as_the_rows_themselves() {
        let rows: Vec<(f64, bool, f64)> = (0..997_u32)
            .map(|row| {
                let rating = f64::from(row * 7919 % 997) / 997.0;
                (rating, (row * row + row) % 11 < 5 || rating > 0.8, f64::from(row % 13))
            })
            .collect();
        let outcomes = outcomes(&rows);
        let ratings: Vec<f64> = rows.iter().map(|(rating, ..)| *rating).collect();
        let found = figures(&outcomes, &Forecast::of_probabilities(Forecaster::Teacher, ratings));
        let scored = |(probability, was_high, _): &(f64, bool, f64)| Scored {
            probability: *probability,
            called_high: *probability > 0.5,
            was_high: *was_high,
        };
        let expected = scores(&rows.iter().map(scored).collect::<Vec<_>>()).expect("rows");
        let expected = [expected.accuracy, expected.f1_weighted, expected.auc, expected.brier, expected.ece];
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
        }
        assert!(found[5].is_nan() && found[6].is_nan(), "no volatility was forecast");
    }

    #[test]
    fn classes_of_ratings_keep_the_area_to_four_digits() {
        let rows: Vec<(f64, bool, f64)> = (0..50_000_u32)
            .map(|row| (libm::fabs(libm::sin(f64::from(row))), row % 3 == 0 || row % 7 < row % 5, 0.0))
            .collect();
        let ratings = rows.iter().map(|(rating, ..)| *rating).collect();
        let exact = crate::evaluation::metrics::auc(rows.iter().map(|(rating, high, _)| (*rating, *high)));
        let found = figures(&outcomes(&rows), &Forecast::of_probabilities(Forecaster::Teacher, ratings))[2];
        assert!((found - exact).abs() < 1e-4, "{found}, not {exact}");
    }

    #[test]
    fn losses_of_volatility_match_an_example_worked_by_hand() {
        // Twice and half the variance that was forecast: 2 - ln 2 - 1 and 0.5 + ln 2 - 1, mean 0.25. Of the truths' sum
        // of squares around their mean, 2 * 1, the errors leave 2 * (ln 2 / 2)².
        let half = std::f64::consts::LN_2 / 2.0;
        let outcomes = outcomes(&[(0.6, true, -7.0), (0.6, false, -9.0)]);
        let forecast = Forecast::of_probabilities(Forecaster::Teacher, vec![0.6, 0.6]);
        let found = figures(&outcomes, &forecast.clone().with_log_volatility(vec![-7.0 - half, -9.0 + half], 1.0));
        assert!((found[6] - 0.25).abs() < 1e-12, "{found:?}");
        assert!((found[5] - (1.0 - half * half)).abs() < 1e-12, "{found:?}");
        // With the ratio 2 expected, the first is exactly right and the second four times too high.
        let found = figures(&outcomes, &forecast.with_log_volatility(vec![-7.0 - half, -9.0 + half], 2.0));
        assert!((found[6] - (0.25 + 4.0 * half - 1.0) / 2.0).abs() < 1e-12, "{found:?}");
    }
}
