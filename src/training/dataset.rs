//! Samples: which decision times serve for what, their features and what really followed.

use std::ops::Range;

use super::TrainingError;
use super::settings::{Settings, date_ms};
use crate::features::{Batch, calendar, label, measure, sums::Sums};
use crate::types::candle::CandleSeries;
use crate::types::feature::{Feature, FeatureSpec, HOURS_PER_WEEK, ScaledFeature};
use crate::types::period::MINUTE_MS;

/// Fewest samples that statistics and training are attempted on.
const MIN_SAMPLES: usize = 500;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// Decision times in ms UTC. No label of one part reaches into the next part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// For the weights, the scaler and the baseline.
    pub train: Range<i64>,
    /// For choosing among epochs and restarts.
    pub validation: Range<i64>,
    /// For nothing but the final figures.
    pub test: Range<i64>,
    /// For the weekly profile; ends with `train`.
    pub profile: Range<i64>,
}

impl Split {
    /// Cuts the protocol's minutes in time, as far as candles up to `end_ms` go.
    ///
    /// # Errors
    /// [`TrainingError::Settings`].
    pub fn new(settings: &Settings, end_ms: i64) -> Result<Self, TrainingError> {
        let split = &settings.split;
        let from = date_ms("protocol_from", &split.protocol_from)?;
        let to = date_ms("protocol_to", &split.protocol_to)?.min(end_ms);
        let minutes = ((to - from) / MINUTE_MS) as f64;
        let minute = |share: f64| from + libm::floor(minutes * share) as i64 * MINUTE_MS;
        let validation = minute(1.0 - split.validation_share - split.test_share);
        let test = minute(1.0 - split.test_share);
        let horizon_ms = i64::try_from(settings.label.horizon_minutes).expect("checked to be small") * MINUTE_MS;
        let last = |next: i64| next - horizon_ms + MINUTE_MS;
        let train = date_ms("train_from", &split.train_from)?..last(validation);
        let profile = date_ms("profile_from", &split.profile_from)?..last(validation);
        Ok(Self { train, validation: validation..last(test), test: test..last(to), profile })
    }
}

/// Features and outcomes of decision times, row after row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Samples {
    /// Columns of `features`.
    pub columns: usize,
    /// What the network is fed: quantised, as reals.
    pub features: Vec<f32>,
    /// 1 where the window that followed was High, else 0.
    pub high: Vec<f32>,
    /// Logarithm of the volatility that followed.
    pub log_volatility: Vec<f32>,
}

impl Samples {
    /// Number of samples.
    pub fn len(&self) -> usize {
        self.high.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.high.is_empty()
    }
}

/// Indices of the decision times in `times` that have the needed past and a known future, with the volatility that
/// followed; every `stride`-th minute is looked at.
pub fn decisions(
    settings: &Settings,
    sums: &Sums,
    start_ms: i64,
    times: &Range<i64>,
    stride: usize,
) -> Vec<(usize, f64)> {
    let index = |time_ms: i64| usize::try_from((time_ms - start_ms) / MINUTE_MS).unwrap_or(0);
    let lookback = settings.features.lookback_minutes;
    let from = index(times.start).max(lookback);
    let to = index(times.end).min(sums.len());
    (from..to.max(from))
        .step_by(stride)
        .filter(|at| sums.carried(at - lookback, *at) <= settings.features.max_missing_minutes)
        .filter_map(|at| Some((at, label::volatility(sums, at, settings.label.horizon_minutes)?)))
        .collect()
}

/// Fits the weekly profile and the z-scores on the training split.
///
/// # Errors
/// [`TrainingError::TooFew`], or [`TrainingError::Constant`] where a feature never moves.
pub fn fit_spec(settings: &Settings, series: &CandleSeries, split: &Split) -> Result<FeatureSpec, TrainingError> {
    let sums = Sums::new(series.candles(), series.carried());
    let (start_ms, stride) = (series.start_ms(), settings.split.stride_minutes);
    let wanted = &settings.features;
    let mut weekly_profile = Vec::new();
    if wanted.calendar.iter().any(|feature| matches!(feature, Feature::WeeklyProfile { .. })) {
        weekly_profile = fit_profile(&decisions(settings, &sums, start_ms, &split.profile, stride), start_ms)?;
    }
    let train = decisions(settings, &sums, start_ms, &split.train, stride);
    if train.len() < MIN_SAMPLES {
        return Err(TrainingError::TooFew { part: "training".into(), found: train.len(), needed: MIN_SAMPLES });
    }
    let time_ms = |at: usize| start_ms + i64::try_from(at).expect("an index fits") * MINUTE_MS;
    let candle = wanted
        .candle
        .iter()
        .map(|feature| scaled(feature, train.iter().map(|(at, _)| measure::value(feature, &sums, *at))));
    let calendar = wanted.calendar.iter().map(|feature| {
        scaled(feature, train.iter().map(|(at, _)| calendar::value(feature, &weekly_profile, time_ms(*at))))
    });
    Ok(FeatureSpec {
        candle: candle.collect::<Result<_, _>>()?,
        calendar: calendar.collect::<Result<_, _>>()?,
        clip: wanted.clip,
        input_scale: wanted.input_scale,
        lookback_minutes: wanted.lookback_minutes,
        max_missing_minutes: wanted.max_missing_minutes,
        weekly_profile,
    })
}

/// The samples of a part, quantised as they will be served.
pub fn samples(batch: &Batch<'_>, spec: &FeatureSpec, decisions: &[(usize, f64)], threshold: f64) -> Samples {
    let mut samples = Samples { columns: spec.count(), ..Samples::default() };
    let unit = libm::exp2f(-(spec.input_scale as f32));
    let mut row = Vec::with_capacity(spec.count());
    for (at, volatility) in decisions {
        row.clear();
        batch.append(*at, &mut row);
        samples.features.extend(row.iter().map(|integer| *integer as f32 * unit));
        samples.high.push(f32::from(u8::from(*volatility > threshold)));
        samples.log_volatility.push(label::log_volatility(*volatility) as f32);
    }
    samples
}

/// Mean log-volatility that followed each hour of the week, in millionths.
fn fit_profile(decisions: &[(usize, f64)], start_ms: i64) -> Result<Vec<i32>, TrainingError> {
    let mut totals = [(0.0_f64, 0_u32); HOURS_PER_WEEK];
    for (at, volatility) in decisions {
        let time_ms = start_ms + i64::try_from(*at).expect("an index fits") * MINUTE_MS;
        let hour = time_ms.div_euclid(HOUR_MS).rem_euclid(HOURS_PER_WEEK as i64);
        let (sum, count) = &mut totals[usize::try_from(hour).expect("within a week")];
        *sum += label::log_volatility(*volatility);
        *count += 1;
    }
    let found = decisions.len();
    let means = totals.iter().map(|(sum, count)| match count {
        0 => Err(TrainingError::TooFew { part: "the weekly profile".into(), found, needed: MIN_SAMPLES }),
        _ => Ok(libm::round(sum / f64::from(*count) * 1e6) as i32),
    });
    means.collect()
}

fn scaled(feature: &Feature, values: impl Iterator<Item = f64> + Clone) -> Result<ScaledFeature, TrainingError> {
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    let variance = values.map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
    if variance.is_nan() || variance <= 1e-12 {
        return Err(TrainingError::Constant { feature: format!("{feature:?}") });
    }
    Ok(ScaledFeature { feature: feature.clone(), mean: frozen(mean), standard_deviation: frozen(variance.sqrt()) })
}

/// Rounded to nine decimals: few enough digits for every JSON reader to give back the same bits.
pub fn frozen(value: f64) -> f64 {
    libm::round(value * 1e9) / 1e9
}
