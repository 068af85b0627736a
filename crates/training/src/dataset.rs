//! Samples: which decision times serve for what, their features and what really followed.

use std::ops::Range;

use super::error::TrainingError;
use super::feature_settings::FeatureSettings;
use super::loss::Samples;
use super::settings::{Settings, date_ms};
use super::statistics::{moments, scaled};
use veriregime_core::features::sums::Sums;
use veriregime_core::features::{calendar, label, measure};
use veriregime_core::types::feature::{Feature, FeatureSpec, HOURS_PER_WEEK};
use veriregime_core::types::manifest::frozen;
use veriregime_core::types::period::MINUTE_MS;

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
    /// The minutes whose shares the parts are, labels included.
    pub protocol: Range<i64>,
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
        Ok(Self { train, validation: validation..last(test), test: test..last(to), profile, protocol: from..to })
    }
}

/// A decision time: how many candles precede it, and the volatility that followed.
pub type Decision = (usize, f64);

/// The decision times in `times` that have `lookback_minutes` of candles before them, at most `max_missing_minutes` of
/// these carried forward, and a known future of `horizon_minutes`; every `stride_minutes`-th minute is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Candles before.
    pub lookback_minutes: usize,
    /// How many of them may be absent.
    pub max_missing_minutes: usize,
    /// Candles after.
    pub horizon_minutes: usize,
}

impl Wanted {
    /// The decision times in `times` (ms UTC) of a series that begins at `start_ms`.
    pub fn decisions(&self, sums: &Sums, start_ms: i64, times: &Range<i64>, stride_minutes: usize) -> Vec<Decision> {
        let index = |time_ms: i64| usize::try_from(time_ms.saturating_sub(start_ms) / MINUTE_MS).unwrap_or(0);
        let from = index(times.start).max(self.lookback_minutes);
        let to = index(times.end).min(sums.len());
        (from..to.max(from))
            .step_by(stride_minutes)
            .filter(|at| sums.carried(at - self.lookback_minutes, *at) <= self.max_missing_minutes)
            .filter_map(|at| Some((at, label::volatility(sums, at, self.horizon_minutes)?)))
            .collect()
    }
}

/// A market's training part, as statistics are fitted on it.
#[derive(Debug, Clone, Copy)]
pub struct FitPart<'a> {
    /// Sums of the market's candles.
    pub sums: &'a Sums<'a>,
    /// When they begin, ms UTC.
    pub start_ms: i64,
    /// Decisions that means and standard deviations are taken over.
    pub train: &'a [Decision],
    /// Decisions that the weekly profile averages over.
    pub profile: &'a [Decision],
}

impl FitPart<'_> {
    fn time_ms(&self, at: usize) -> i64 {
        self.start_ms + i64::try_from(at).expect("an index fits") * MINUTE_MS
    }
}

/// Fits the z-scores of `wanted` on the training part of each market, and what depends on the time alone on all of them, each counting
/// the same. Of several markets the weekly profile is the mean of theirs, each less its own mean.
///
/// # Errors
/// [`TrainingError::TooFew`], or [`TrainingError::Constant`] where a feature never moves.
pub fn fit_specs(wanted: &FeatureSettings, parts: &[FitPart<'_>]) -> Result<Vec<FeatureSpec>, TrainingError> {
    for FitPart { train, .. } in parts {
        if train.len() < MIN_SAMPLES {
            return Err(TrainingError::TooFew { part: "training".into(), found: train.len(), needed: MIN_SAMPLES });
        }
    }
    let mut weekly_profile = Vec::new();
    if wanted.calendar.iter().any(|feature| matches!(feature, Feature::WeeklyProfile { .. })) {
        weekly_profile = fit_profile(parts)?;
    }
    let profile = &weekly_profile;
    let calendar = wanted.calendar.iter().map(|feature| {
        let values = parts
            .iter()
            .map(|part| part.train.iter().map(move |(at, _)| calendar::value(feature, profile, part.time_ms(*at))));
        scaled(feature, &values.collect::<Vec<_>>())
    });
    let calendar = calendar.collect::<Result<Vec<_>, _>>()?;
    let of_market = |part: &FitPart<'_>| {
        let candle = wanted.candle.iter().map(|feature| {
            scaled(feature, &[part.train.iter().map(|(at, _)| measure::value(feature, part.sums, *at))])
        });
        Ok(FeatureSpec {
            candle: candle.collect::<Result<_, TrainingError>>()?,
            calendar: calendar.clone(),
            clip: wanted.clip,
            input_scale: wanted.input_scale,
            lookback_minutes: wanted.lookback_minutes,
            max_missing_minutes: wanted.max_missing_minutes,
            weekly_profile: weekly_profile.clone(),
        })
    };
    parts.iter().map(of_market).collect()
}

/// The outcomes of a market's decision times as a network learns them: of the logarithm of the volatility what is over `log_offset`.
pub fn samples(decisions: &[Decision], threshold: f64, log_offset: f64, [mean, deviation]: [f64; 2]) -> Samples {
    let high = |(_, volatility): &Decision| f32::from(u8::from(*volatility > threshold));
    let over = |volatility: f64| label::log_volatility(volatility) - log_offset;
    let normalised = |(_, volatility): &Decision| ((over(*volatility) - mean) / deviation) as f32;
    Samples {
        at: decisions.iter().map(|(at, _)| *at).collect(),
        high: decisions.iter().map(high).collect(),
        log_volatility: decisions.iter().map(normalised).collect(),
        teacher: None,
        weight: None,
    }
}

/// Mean and standard deviation of the log-volatility that followed, over the offset of each market; all count the same.
pub fn log_volatility_moments(parts: &[(&[Decision], f64)]) -> [f64; 2] {
    let values: Vec<_> = parts
        .iter()
        .map(|(decisions, log_offset)| {
            decisions.iter().map(move |(_, volatility)| label::log_volatility(*volatility) - log_offset)
        })
        .collect();
    let [mean, variance] = moments(&values);
    [mean, variance.sqrt().max(1e-6)].map(frozen)
}

/// Mean log-volatility that followed each hour of the week, in millionths.
fn fit_profile(parts: &[FitPart<'_>]) -> Result<Vec<i32>, TrainingError> {
    let mut profile = [0.0; HOURS_PER_WEEK];
    for part in parts {
        let own = market_profile(part)?;
        let mean = own.iter().sum::<f64>() / HOURS_PER_WEEK as f64;
        let level = if parts.len() == 1 { 0.0 } else { mean };
        for (sum, own) in profile.iter_mut().zip(own) {
            *sum += own - level;
        }
    }
    Ok(profile.iter().map(|sum| libm::round(sum / parts.len() as f64 * 1e6) as i32).collect())
}

fn market_profile(part: &FitPart<'_>) -> Result<Vec<f64>, TrainingError> {
    let mut totals = [(0.0_f64, 0_u32); HOURS_PER_WEEK];
    for (at, volatility) in part.profile {
        let hour = part.time_ms(*at).div_euclid(HOUR_MS).rem_euclid(HOURS_PER_WEEK as i64);
        let (sum, count) = &mut totals[usize::try_from(hour).expect("within a week")];
        *sum += label::log_volatility(*volatility);
        *count += 1;
    }
    let found = part.profile.len();
    let means = totals.iter().map(|(sum, count)| match count {
        0 => Err(TrainingError::TooFew { part: "the weekly profile".into(), found, needed: MIN_SAMPLES }),
        _ => Ok(sum / f64::from(*count)),
    });
    means.collect()
}
