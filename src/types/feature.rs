//! Features by name: what a model's inputs mean, how they are normalised, and the integers that come out.

use serde::{Deserialize, Serialize};

/// A named feature with its parameters. Candle features look back from the decision time (the start of the forecast
/// window); calendar features depend on that time alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
pub enum Feature {
    /// ln of the root mean square of the last `minutes` one-minute returns.
    LogRmsReturn { minutes: usize },
    /// The same over the `minutes` that began `minutes_ago` before the decision time.
    LogRmsReturnFrom { minutes_ago: usize, minutes: usize },
    /// ln of the root mean square over the same window of the day in each of the last `days` days.
    LogRmsReturnSameWindow { days: usize, minutes: usize },
    /// ln of the mean absolute one-minute return of the last `minutes`.
    LogMeanAbsoluteReturn { minutes: usize },
    /// ln of Parkinson's range volatility of the last `minutes` candles (Parkinson 1980).
    LogParkinson { minutes: usize },
    /// ln of the mean volume of the last `minutes` over that of the last `relative_to_minutes`.
    LogRelativeVolume { minutes: usize, relative_to_minutes: usize },
    /// Sine of `harmonic` times the day's angle.
    DaySine { harmonic: u32 },
    /// Cosine of `harmonic` times the day's angle.
    DayCosine { harmonic: u32 },
    /// 1 on the given days of the week (0 is Monday), else 0.
    Weekday { days: Vec<u32> },
    /// The spec's weekly profile at `minutes_before` the decision time, linear between the middles of its hours.
    WeeklyProfile { minutes_before: usize },
}

impl Feature {
    /// Whether the feature depends on the decision time alone.
    pub fn is_calendar(&self) -> bool {
        matches!(
            self,
            Self::DaySine { .. } | Self::DayCosine { .. } | Self::Weekday { .. } | Self::WeeklyProfile { .. }
        )
    }

    /// How many minutes before the decision time the oldest candle used lies, the previous close that its first
    /// return needs not counted.
    pub fn lookback_minutes(&self) -> usize {
        match self {
            Self::LogRmsReturn { minutes }
            | Self::LogMeanAbsoluteReturn { minutes }
            | Self::LogParkinson { minutes } => *minutes,
            Self::LogRmsReturnFrom { minutes_ago, .. } => *minutes_ago,
            Self::LogRmsReturnSameWindow { days, .. } => days * 1440,
            Self::LogRelativeVolume { minutes, relative_to_minutes } => *minutes.max(relative_to_minutes),
            Self::DaySine { .. } | Self::DayCosine { .. } | Self::Weekday { .. } | Self::WeeklyProfile { .. } => 0,
        }
    }
}

/// A feature with its frozen z-score: statistics of the training split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScaledFeature {
    /// What is measured.
    pub feature: Feature,
    /// Mean over the training split.
    pub mean: f64,
    /// Standard deviation over the training split.
    pub standard_deviation: f64,
}

/// Hours of a week, the length of a weekly profile.
pub const HOURS_PER_WEEK: usize = 168;

/// Everything that turns candles and a period into a market's feature integers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureSpec {
    /// Features from candles, in the order of the instances.
    pub candle: Vec<ScaledFeature>,
    /// Features from the period, behind the candle features.
    pub calendar: Vec<ScaledFeature>,
    /// Mean of the log-volatility that followed in each hour of the week over the training split, in millionths; 168
    /// hours from Thursday 00:00 UTC, or none where no feature asks for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weekly_profile: Vec<i32>,
    /// Normalised values are clipped to `±clip`.
    pub clip: f64,
    /// log2 of the quantisation: `q = round_half_away_from_zero(x * 2^input_scale)`.
    pub input_scale: u32,
    /// Minutes of candles before the period's start that are needed, the previous close included.
    pub lookback_minutes: usize,
    /// How many of these may be absent and carried forward.
    pub max_missing_minutes: usize,
}

impl FeatureSpec {
    /// Features of one market: those from candles and those of the calendar.
    pub fn count(&self) -> usize {
        self.candle.len() + self.calendar.len()
    }

    /// Largest magnitude of a feature integer.
    pub fn bound(&self) -> i32 {
        libm::round(self.clip * f64::from(1_u32 << self.input_scale)) as i32
    }
}

/// One market's quantised features, as published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureVector {
    /// From candles.
    pub candle: Vec<i32>,
    /// From the period.
    pub calendar: Vec<i32>,
}

impl FeatureVector {
    /// The integers of all markets in the order of the instances.
    pub fn concat(vectors: &[Self]) -> Vec<i32> {
        vectors.iter().flat_map(Self::integers).collect()
    }

    /// All integers in the order of the instances.
    pub fn integers(&self) -> impl Iterator<Item = i32> + '_ {
        self.candle.iter().chain(&self.calendar).copied()
    }
}
