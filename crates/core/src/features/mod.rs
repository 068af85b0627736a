//! From candles and a period to the integers that a model is fed. Pure: the same candles give the same integers on
//! every machine, in a stream or in a batch.
//!
//! Every one-minute quantity is rounded to an integer once; sums over windows are then exact, whatever the order and
//! wherever the series begins. What is no sum (an exponential mean, a band) is computed over the feature's own window
//! alone, oldest candle first. What follows (a logarithm, a z-score) is one fixed sequence of f64 operations with
//! `libm`'s functions.

pub mod baseline_cnn;
pub mod calendar;
mod columns;
mod estimate;
pub mod har;
mod indicators;
pub mod label;
pub mod measure;
pub mod outcome;
pub mod quantity;
pub mod scale;
pub mod seasonal;
pub mod sums;
pub mod unit;
mod volatility;
mod volume;

use std::ops::Range;

use thiserror::Error;

use crate::types::candle::{Candle, CandleSeries};
use crate::types::diagnostic::Diagnostic;
use crate::types::feature::{
    DAY_MINUTES, FADE_HALF_LIVES, Feature, FeatureSpec, FeatureVector, HOURS_PER_WEEK, WEEK_MINUTES,
};
use crate::types::period::{Grid, MINUTE_MS, PeriodId};
use sums::Sums;

/// Longest window or offset that a feature may ask for, in minutes: a year.
pub const MAX_WINDOW_MINUTES: usize = 527_040;
/// Longest look-back of a feature that visits each candle of its window, in minutes: a week.
pub const MAX_VISITED_MINUTES: usize = WEEK_MINUTES;

/// Why no features come out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FeatureError {
    /// The candles do not reach exactly to the start of the forecast window.
    #[error("the candles end at {end_ms} ms, the forecast window starts at {start_ms} ms")]
    WrongEnd { end_ms: i64, start_ms: i64 },
    /// Fewer candles than the spec looks back over.
    #[error("{given} minutes of candles were given, the features look back over {needed}")]
    TooShort { given: usize, needed: usize },
    /// The spec contradicts itself.
    #[error("the feature spec is not usable: {reason}")]
    Spec { reason: String },
}

impl Diagnostic for FeatureError {
    fn code(&self) -> &'static str {
        match self {
            Self::WrongEnd { .. } => "VR-FEATURE-001",
            Self::TooShort { .. } => "VR-FEATURE-002",
            Self::Spec { .. } => "VR-FEATURE-003",
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::WrongEnd { .. } => "give the closed candles up to the period's start and none after it",
            Self::TooShort { .. } => "fetch candles further back, as many minutes as the model's lookback",
            Self::Spec { .. } => "restore the model bundle, its manifest does not describe a usable model",
        }
    }
}

/// The minutes of candles that a forecast at `start_ms` needs, as `from_ms..to_ms`.
pub fn window_ms(spec: &FeatureSpec, start_ms: i64) -> (i64, i64) {
    let to_ms = start_ms;
    let lookback_ms = i64::try_from(spec.lookback_minutes).unwrap_or(i64::MAX / MINUTE_MS).saturating_mul(MINUTE_MS);
    (to_ms.saturating_sub(lookback_ms), to_ms)
}

/// The features of one market for a period that begins at `start_ms`, from a series that ends there.
///
/// # Errors
/// [`FeatureError`].
pub fn vector(spec: &FeatureSpec, series: &CandleSeries, start_ms: i64) -> Result<FeatureVector, FeatureError> {
    check(spec)?;
    let end_ms = series.end_ms();
    if end_ms != start_ms {
        return Err(FeatureError::WrongEnd { end_ms, start_ms });
    }
    let given = series.candles().len();
    if given < spec.lookback_minutes {
        return Err(FeatureError::TooShort { given, needed: spec.lookback_minutes });
    }
    let needed: &[Candle] = &series.candles()[given - spec.lookback_minutes..];
    let sums = Sums::new(needed, &[]);
    let candle = spec.candle.iter().map(|scaled| {
        let value = measure::value(&scaled.feature, &sums, needed.len());
        scale::integer(scaled, spec, value)
    });
    Ok(FeatureVector { candle: candle.collect(), calendar: calendar::integers(spec, start_ms) })
}

/// The features of a market without candles for a period that begins at `start_ms`: zeros, which is each candle feature at its
/// mean over the training data, and the calendar features.
pub fn neutral(spec: &FeatureSpec, start_ms: i64) -> FeatureVector {
    FeatureVector { candle: vec![0; spec.candle.len()], calendar: calendar::integers(spec, start_ms) }
}

/// The features of each market, in the order of `specs`, for a period that begins at `start_ms`: [`vector`] of the series that ends
/// there, [`neutral`] of a market without one.
///
/// # Errors
/// [`FeatureError`].
pub fn of_markets(
    specs: &[FeatureSpec],
    windows: &[Option<CandleSeries>],
    start_ms: i64,
) -> Result<Vec<FeatureVector>, FeatureError> {
    specs.iter().try_for_each(check)?;
    if windows.len() != specs.len() {
        return Err(FeatureError::Spec { reason: format!("{} markets, of a model of {}", windows.len(), specs.len()) });
    }
    let of_market = |(spec, window): (&FeatureSpec, &Option<CandleSeries>)| match window {
        Some(series) => vector(spec, series, start_ms),
        None => Ok(neutral(spec, start_ms)),
    };
    specs.iter().zip(windows).map(of_market).collect()
}

/// The calendar features of each of a grid's slots of the week; row `slot` belongs to the periods with that
/// [`Grid::slot_of_week`].
///
/// # Errors
/// [`FeatureError::Spec`].
pub fn calendar_table(spec: &FeatureSpec, grid: Grid) -> Result<Vec<Vec<i32>>, FeatureError> {
    check(spec)?;
    Ok((0..grid.periods_per_week()).map(|slot| calendar::integers(spec, grid.start_ms(PeriodId(slot)))).collect())
}

/// The features of many decision times of one long series, row after row.
#[derive(Debug)]
pub struct Batch<'a> {
    spec: &'a FeatureSpec,
    sums: Sums<'a>,
    start_ms: i64,
}

impl<'a> Batch<'a> {
    /// Prepares the sums over the whole series.
    ///
    /// # Errors
    /// [`FeatureError::Spec`].
    pub fn new(spec: &'a FeatureSpec, series: &'a CandleSeries) -> Result<Self, FeatureError> {
        check(spec)?;
        let sums = Sums::new(series.candles(), series.carried());
        Ok(Self { spec, sums, start_ms: series.start_ms() })
    }

    /// The sums, for labels and baselines.
    pub fn sums(&self) -> &Sums<'a> {
        &self.sums
    }

    /// Names of the features in the order of a row.
    pub fn feature_names(&self) -> Vec<String> {
        let all = self.spec.candle.iter().chain(&self.spec.calendar);
        all.map(|scaled| scaled.feature.label()).collect()
    }

    /// Candles that the features look back over.
    pub fn lookback_minutes(&self) -> usize {
        self.spec.lookback_minutes
    }

    /// Opening of the minute with this index, in ms UTC: the decision time that looks back over `at` candles.
    pub fn time_ms(&self, at: usize) -> i64 {
        self.start_ms + i64::try_from(at).expect("an index into memory fits") * MINUTE_MS
    }

    /// Whether the series reaches back far enough from `at` and no more minutes are carried forward there than the
    /// spec allows.
    pub fn is_usable(&self, at: usize) -> bool {
        at >= self.spec.lookback_minutes
            && at <= self.sums.len()
            && self.sums.carried(at - self.spec.lookback_minutes, at) <= self.spec.max_missing_minutes
    }

    /// Appends the integers of decision index `at`, candle features first, to `row`.
    ///
    /// # Panics
    /// If `at` is not usable.
    pub fn append(&self, at: usize, row: &mut Vec<i32>) {
        let spec = self.spec;
        row.extend(
            spec.candle
                .iter()
                .map(|scaled| scale::integer(scaled, spec, measure::value(&scaled.feature, &self.sums, at))),
        );
        calendar::append(spec, self.time_ms(at), row);
    }

    /// The integers of the consecutive decision indices `at`, row after row: what [`Batch::append`] gives for each, from
    /// all cores at once.
    ///
    /// # Panics
    /// If one of them looks back further than the candles reach.
    pub fn rows(&self, at: Range<usize>) -> Vec<i32> {
        let mut rows = vec![0; at.len() * self.spec.count()];
        columns::fill(self.spec, &self.sums, self.start_ms, at.start, &mut rows);
        rows
    }
}

/// Refuses a spec that cannot be computed.
///
/// # Errors
/// [`FeatureError::Spec`] with the reason.
pub fn check(spec: &FeatureSpec) -> Result<(), FeatureError> {
    let refuse = |reason: String| Err(FeatureError::Spec { reason });
    if spec.count() == 0 {
        return refuse("it has no features".into());
    }
    if !(spec.clip.is_finite() && spec.clip > 0.0 && spec.input_scale <= 20 && spec.clip <= 512.0) {
        return refuse("clip must be within 0 to 512 and input_scale at most 20".into());
    }
    for scaled in spec.candle.iter().chain(&spec.calendar) {
        if !(scaled.mean.is_finite() && scaled.standard_deviation.is_finite() && scaled.standard_deviation > 0.0) {
            return refuse(format!("{} has no usable mean and standard deviation", scaled.feature.label()));
        }
        if !has_sane_windows(&scaled.feature) {
            return refuse(format!("{} has an empty, absurdly long or future window", scaled.feature.label()));
        }
    }
    if spec.candle.iter().any(|scaled| scaled.feature.is_calendar())
        || spec.calendar.iter().any(|scaled| !scaled.feature.is_calendar())
    {
        return refuse("candle and calendar features are mixed up".into());
    }
    let needed = spec.candle.iter().map(|scaled| scaled.feature.lookback_minutes()).max().unwrap_or(0) + 1;
    if !(needed..=MAX_WINDOW_MINUTES).contains(&spec.lookback_minutes) {
        return refuse(format!("lookback_minutes is {}, the features need {needed}", spec.lookback_minutes));
    }
    let wants_profile = spec.calendar.iter().any(|scaled| matches!(scaled.feature, Feature::WeeklyProfile { .. }));
    if wants_profile && spec.weekly_profile.len() != HOURS_PER_WEEK {
        return refuse(format!("the weekly profile has {} hours, not {HOURS_PER_WEEK}", spec.weekly_profile.len()));
    }
    Ok(())
}

/// Whether every window is long enough to be measured, lies in the past and is no longer than [`MAX_WINDOW_MINUTES`], or
/// [`MAX_VISITED_MINUTES`] where it is not summed.
fn has_sane_windows(feature: &Feature) -> bool {
    let summed = |minutes: usize, least: usize| (least..=MAX_WINDOW_MINUTES).contains(&minutes);
    let visited = |minutes: usize, least: usize| (least..=MAX_VISITED_MINUTES).contains(&minutes);
    match feature {
        Feature::LogRmsReturn { minutes }
        | Feature::LogMeanAbsoluteReturn { minutes }
        | Feature::LogDownsideRms { minutes }
        | Feature::LogUpsideRms { minutes }
        | Feature::SemivarianceAsymmetry { minutes }
        | Feature::LogQuarticity { minutes }
        | Feature::ZeroReturnShare { minutes }
        | Feature::LogParkinson { minutes }
        | Feature::LogGarmanKlass { minutes }
        | Feature::LogRogersSatchell { minutes }
        | Feature::LogTrueRange { minutes }
        | Feature::OnBalanceVolume { minutes }
        | Feature::LogReturn { minutes }
        | Feature::RateOfChange { minutes }
        | Feature::Momentum { minutes }
        | Feature::EfficiencyRatio { minutes }
        | Feature::BodyShare { minutes }
        | Feature::UpperShadowShare { minutes }
        | Feature::LowerShadowShare { minutes } => summed(*minutes, 1),
        Feature::LogBipower { minutes } | Feature::JumpRatio { minutes } => summed(*minutes, 2),
        Feature::LogMedianVariation { minutes } => summed(*minutes, 3),
        Feature::LogMedianAbsoluteReturn { minutes }
        | Feature::LogMaximumAbsoluteReturn { minutes }
        | Feature::VwapDistance { minutes }
        | Feature::RelativeStrength { minutes }
        | Feature::Stochastic { minutes }
        | Feature::WilliamsR { minutes } => visited(*minutes, 1),
        Feature::BollingerPosition { minutes }
        | Feature::LogBollingerWidth { minutes }
        | Feature::CommodityChannel { minutes } => visited(*minutes, 2),
        Feature::EmaDistance { span_minutes } => *span_minutes > 0 && visited(feature.lookback_minutes(), 1),
        Feature::MacdHistogram { fast_minutes, slow_minutes, signal_minutes } => {
            *signal_minutes > 0 && (1..*slow_minutes).contains(fast_minutes) && visited(feature.lookback_minutes(), 1)
        }
        Feature::MeanLogRms { minutes, block_minutes } => {
            summed(*minutes, 1)
                && (1..=*minutes).contains(block_minutes)
                && minutes.is_multiple_of(*block_minutes)
                && minutes / block_minutes <= MAX_VISITED_MINUTES
        }
        Feature::LogFadingAbsoluteReturn { half_life_minutes, block_minutes } => {
            summed(*half_life_minutes, 1)
                && (1..=*half_life_minutes).contains(block_minutes)
                && half_life_minutes.is_multiple_of(*block_minutes)
                && half_life_minutes / block_minutes <= MAX_VISITED_MINUTES / FADE_HALF_LIVES
        }
        Feature::MeanLogRmsOfDays { days, count, ahead_minutes, minutes }
        | Feature::LogMeanAbsoluteReturnOfDays { days, count, ahead_minutes, minutes } => {
            // Even the newest window has ended at the decision time, and none begins more than a day before its own.
            let day = DAY_MINUTES as i64;
            (1..=MAX_WINDOW_MINUTES / DAY_MINUTES).contains(&days.reach(*count))
                && (1..=DAY_MINUTES).contains(minutes)
                && (-day..=day - *minutes as i64).contains(ahead_minutes)
        }
        Feature::VolatilityOfVolatility { minutes, block_minutes } => {
            summed(*minutes, 2)
                && (1..=minutes / 2).contains(block_minutes)
                && minutes.is_multiple_of(*block_minutes)
                && minutes / block_minutes <= MAX_VISITED_MINUTES
        }
        Feature::LogRmsReturnFrom { minutes_ago, minutes }
        | Feature::LogMeanAbsoluteReturnFrom { minutes_ago, minutes } => {
            summed(*minutes_ago, 1) && (1..=*minutes_ago).contains(minutes)
        }
        Feature::LogRmsReturnSameWindow { days, minutes }
        | Feature::LogMeanAbsoluteReturnSameWindow { days, minutes } => {
            (1..=MAX_WINDOW_MINUTES / DAY_MINUTES).contains(days) && (1..=DAY_MINUTES).contains(minutes)
        }
        Feature::LogRmsReturnSameWeekday { weeks, minutes } => {
            (1..=MAX_WINDOW_MINUTES / WEEK_MINUTES).contains(weeks) && (1..=WEEK_MINUTES).contains(minutes)
        }
        Feature::LogRelativeVolume { minutes, relative_to_minutes }
        | Feature::LogRmsRatio { minutes, relative_to_minutes } => {
            summed(*minutes, 1) && summed(*relative_to_minutes, 1)
        }
        Feature::DaySine { harmonic } | Feature::DayCosine { harmonic } => (1..=720).contains(harmonic),
        Feature::Weekday { days } => days.iter().all(|day| *day < 7),
        Feature::WeeklyProfile { minutes_before } => *minutes_before <= MAX_WINDOW_MINUTES,
    }
}
