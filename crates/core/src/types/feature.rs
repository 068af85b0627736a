//! Features by name: what a model's inputs mean, how they are normalised, and the integers that come out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::digest::Digest;

/// Minutes of a day.
pub const DAY_MINUTES: usize = 1440;
/// Minutes of a week.
pub const WEEK_MINUTES: usize = 7 * DAY_MINUTES;

/// A named feature with its parameters. Candle features look back from the decision time (the start of the forecast
/// window); calendar features depend on that time alone.
///
/// A window of `minutes` is made of the last so many candles. A return is a candle's close over the close before it,
/// less one. Logarithms are natural and of per-minute quantities, with a floor that a standstill ends on. Shares and
/// indices run from 0 to 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
pub enum Feature {
    /// ln of the root mean square of the last `minutes` one-minute returns.
    LogRmsReturn { minutes: usize },
    /// The same over the `minutes` that began `minutes_ago` before the decision time.
    LogRmsReturnFrom { minutes_ago: usize, minutes: usize },
    /// ln of the root mean square over the same window of the day in each of the last `days` days.
    LogRmsReturnSameWindow { days: usize, minutes: usize },
    /// ln of the root mean square over the same window of the week in each of the last `weeks` weeks.
    LogRmsReturnSameWeekday { weeks: usize, minutes: usize },
    /// ln of the root mean square of the last `minutes` returns over that of the `relative_to_minutes` before them.
    LogRmsRatio { minutes: usize, relative_to_minutes: usize },
    /// ln of the mean absolute one-minute return of the last `minutes`.
    LogMeanAbsoluteReturn { minutes: usize },
    /// The same over the `minutes` that began `minutes_ago` before the decision time.
    LogMeanAbsoluteReturnFrom { minutes_ago: usize, minutes: usize },
    /// ln of the mean absolute return over the same window of the day in each of the last `days` days.
    LogMeanAbsoluteReturnSameWindow { days: usize, minutes: usize },
    /// ln of the median absolute return; of an even number of minutes the mean of the two in the middle.
    LogMedianAbsoluteReturn { minutes: usize },
    /// ln of the largest absolute return.
    LogMaximumAbsoluteReturn { minutes: usize },
    /// ln of the root of the squared falls' share of the mean square (Barndorff-Nielsen, Kinnebrock & Shephard 2010).
    LogDownsideRms { minutes: usize },
    /// ln of the root of the squared rises' share of the mean square (the same).
    LogUpsideRms { minutes: usize },
    /// Squared rises less squared falls over the sum of both, -1 to 1: the signed jump variation of Patton & Sheppard
    /// 2015, relative to realised variance.
    SemivarianceAsymmetry { minutes: usize },
    /// Half the ln of bipower variation a minute: π/2 times the mean product of adjacent absolute returns
    /// (Barndorff-Nielsen & Shephard 2004).
    LogBipower { minutes: usize },
    /// The share of realised variance that bipower variation does not explain (Huang & Tauchen 2005); may be below 0.
    JumpRatio { minutes: usize },
    /// Half the ln of median realised variance a minute, from medians of three adjacent absolute returns (Andersen,
    /// Dobrev & Schaumburg 2012).
    LogMedianVariation { minutes: usize },
    /// A quarter of the ln of realised quarticity a minute: a third of the mean fourth power of returns
    /// (Barndorff-Nielsen & Shephard 2002).
    LogQuarticity { minutes: usize },
    /// Standard deviation of the log root mean squares of the consecutive blocks of `block_minutes` that make up the
    /// last `minutes` (after Corsi, Mittnik, Pigorsch & Pigorsch 2008).
    VolatilityOfVolatility { minutes: usize, block_minutes: usize },
    /// Mean over the consecutive blocks of `block_minutes` that make up the last `minutes` of the ln of their root mean
    /// squares: a geometric mean of volatilities, which single jumps move little.
    MeanLogRms { minutes: usize, block_minutes: usize },
    /// ln of the exponentially weighted mean absolute return over blocks of `block_minutes` (after J.P. Morgan 1996,
    /// with magnitudes for squares).
    LogFadingAbsoluteReturn { half_life_minutes: usize, block_minutes: usize },
    /// Mean ln of the root mean square over `minutes` on each of the last `count` of the `days`, from `ahead_minutes`
    /// after the clock time of the decision on.
    MeanLogRmsOfDays { days: Days, count: usize, ahead_minutes: i64, minutes: usize },
    /// ln of the mean absolute return over the same windows.
    LogMeanAbsoluteReturnOfDays { days: Days, count: usize, ahead_minutes: i64, minutes: usize },
    /// Share of minutes whose return is zero (Lesmond, Ogden & Trzcinka 1999).
    ZeroReturnShare { minutes: usize },
    /// ln of Parkinson's range volatility of the last `minutes` candles (Parkinson 1980).
    LogParkinson { minutes: usize },
    /// ln of the volatility from ranges and bodies (Garman & Klass 1980, their practical estimator).
    LogGarmanKlass { minutes: usize },
    /// ln of the volatility from ranges that drift does not bias (Rogers & Satchell 1991).
    LogRogersSatchell { minutes: usize },
    /// ln of the mean true range, each relative to the close before it (average true range, Wilder 1978).
    LogTrueRange { minutes: usize },
    /// ln of the mean volume of the last `minutes` over that of the last `relative_to_minutes`.
    LogRelativeVolume { minutes: usize, relative_to_minutes: usize },
    /// ln of the close over the volume-weighted mean of the typical prices, a third of high + low + close each
    /// (Berkowitz, Logue & Noser 1988).
    VwapDistance { minutes: usize },
    /// Change of on-balance volume over the volume traded, -1 to 1 (Granville 1963).
    OnBalanceVolume { minutes: usize },
    /// ln of the close over the close `minutes` before.
    LogReturn { minutes: usize },
    /// The close over the close `minutes` before, less one (rate of change, Murphy 1999).
    RateOfChange { minutes: usize },
    /// The close less the close `minutes` before (momentum, Murphy 1999), in mean true ranges of these minutes.
    Momentum { minutes: usize },
    /// Magnitude of the sum of the returns over the sum of their magnitudes (efficiency ratio, Kaufman 1995).
    EfficiencyRatio { minutes: usize },
    /// Mean share of a candle's range between open and close (Nison 1991); 0 for one without a range, as below.
    BodyShare { minutes: usize },
    /// Mean share of a candle's range above open and close.
    UpperShadowShare { minutes: usize },
    /// Mean share of a candle's range below open and close.
    LowerShadowShare { minutes: usize },
    /// ln of the close over its exponential mean, which weighs the newest by `2 / (span_minutes + 1)`.
    EmaDistance { span_minutes: usize },
    /// Histogram of the moving average convergence/divergence over the close (Appel 1979, Aspray 1986).
    MacdHistogram { fast_minutes: usize, slow_minutes: usize, signal_minutes: usize },
    /// Gains over gains and losses, 0 to 1 (Wilder 1978 with Cutler's plain means).
    RelativeStrength { minutes: usize },
    /// How many standard deviations the close lies above its mean: %b of Bollinger bands (Bollinger 2001) is a quarter
    /// of it and a half.
    BollingerPosition { minutes: usize },
    /// ln of the width of Bollinger bands over their middle: four standard deviations over the mean.
    LogBollingerWidth { minutes: usize },
    /// Place of the close between lowest low and highest high, 0 to 1 (%K, Lane 1984).
    Stochastic { minutes: usize },
    /// The same measured from the highest high, -1 to 0 (%R, Williams 1979).
    WilliamsR { minutes: usize },
    /// Typical price less its mean, over 0.015 mean absolute deviations (Lambert 1980).
    CommodityChannel { minutes: usize },
    /// Sine of `harmonic` times the day's angle.
    DaySine { harmonic: u32 },
    /// Cosine of `harmonic` times the day's angle.
    DayCosine { harmonic: u32 },
    /// 1 on the given days of the week (0 is Monday), else 0.
    Weekday { days: Vec<u32> },
    /// The spec's weekly profile at `minutes_before` the decision time, linear between the middles of its hours.
    WeeklyProfile { minutes_before: usize },
}

/// Which earlier days a feature looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Days {
    /// All of them.
    Every,
    /// Working days where the window begins on a working day, days of a weekend where on one of these (UTC).
    SameKind,
    /// The same day of each week.
    SameWeekday,
}

impl Days {
    /// How many days back the last of `count` such days may lie.
    pub fn reach(self, count: usize) -> usize {
        match self {
            Self::Every => count,
            Self::SameKind => count.div_ceil(2).saturating_mul(7),
            Self::SameWeekday => count.saturating_mul(7),
        }
    }
}

/// How many half-lives a fading mean looks back: what lies further back would weigh a sixty-fourth.
pub const FADE_HALF_LIVES: usize = 6;
/// How many spans an exponential mean is started before the decision time: what lies further back weighs less than
/// 4e-11 of it.
pub const EMA_WARM_UP_SPANS: usize = 12;

impl Feature {
    /// Name and parameters for a person or a column: `log_rms_return minutes=30`. Without commas.
    pub fn label(&self) -> String {
        let json = serde_json::to_value(self).expect("a feature has only names, numbers and lists of numbers");
        let fields = json.as_object().expect("a feature is written as an object");
        let name = fields["name"].as_str().unwrap_or_default().to_owned();
        let parameters = fields.iter().filter(|(key, _)| *key != "name");
        parameters.fold(name, |label, (key, value)| format!("{label} {key}={}", value.to_string().replace(',', "+")))
    }

    /// Whether the feature depends on the decision time alone.
    pub fn is_calendar(&self) -> bool {
        matches!(
            self,
            Self::DaySine { .. } | Self::DayCosine { .. } | Self::Weekday { .. } | Self::WeeklyProfile { .. }
        )
    }

    /// Whether traded amounts go into it: they are one exchange's own, where prices are nearly everybody's.
    pub fn uses_volume(&self) -> bool {
        matches!(self, Self::LogRelativeVolume { .. } | Self::VwapDistance { .. } | Self::OnBalanceVolume { .. })
    }

    /// How many minutes before the decision time the oldest candle used lies, the previous close that its first
    /// return needs not counted.
    pub fn lookback_minutes(&self) -> usize {
        match self {
            Self::LogRmsReturn { minutes }
            | Self::LogMeanAbsoluteReturn { minutes }
            | Self::LogMedianAbsoluteReturn { minutes }
            | Self::LogMaximumAbsoluteReturn { minutes }
            | Self::LogDownsideRms { minutes }
            | Self::LogUpsideRms { minutes }
            | Self::SemivarianceAsymmetry { minutes }
            | Self::LogBipower { minutes }
            | Self::JumpRatio { minutes }
            | Self::LogMedianVariation { minutes }
            | Self::LogQuarticity { minutes }
            | Self::VolatilityOfVolatility { minutes, .. }
            | Self::MeanLogRms { minutes, .. }
            | Self::ZeroReturnShare { minutes }
            | Self::LogParkinson { minutes }
            | Self::LogGarmanKlass { minutes }
            | Self::LogRogersSatchell { minutes }
            | Self::LogTrueRange { minutes }
            | Self::VwapDistance { minutes }
            | Self::OnBalanceVolume { minutes }
            | Self::LogReturn { minutes }
            | Self::RateOfChange { minutes }
            | Self::Momentum { minutes }
            | Self::EfficiencyRatio { minutes }
            | Self::BodyShare { minutes }
            | Self::UpperShadowShare { minutes }
            | Self::LowerShadowShare { minutes }
            | Self::RelativeStrength { minutes }
            | Self::BollingerPosition { minutes }
            | Self::LogBollingerWidth { minutes }
            | Self::Stochastic { minutes }
            | Self::WilliamsR { minutes }
            | Self::CommodityChannel { minutes } => *minutes,
            Self::LogRmsReturnFrom { minutes_ago, .. } | Self::LogMeanAbsoluteReturnFrom { minutes_ago, .. } => {
                *minutes_ago
            }
            Self::LogRmsReturnSameWindow { days, .. } | Self::LogMeanAbsoluteReturnSameWindow { days, .. } => {
                days.saturating_mul(DAY_MINUTES)
            }
            Self::LogFadingAbsoluteReturn { half_life_minutes, .. } => {
                half_life_minutes.saturating_mul(FADE_HALF_LIVES)
            }
            Self::MeanLogRmsOfDays { days, count, ahead_minutes, .. }
            | Self::LogMeanAbsoluteReturnOfDays { days, count, ahead_minutes, .. } => {
                let behind = usize::try_from(ahead_minutes.saturating_neg()).unwrap_or(0);
                days.reach(*count).saturating_mul(DAY_MINUTES).saturating_add(behind)
            }
            Self::LogRmsReturnSameWeekday { weeks, .. } => weeks.saturating_mul(WEEK_MINUTES),
            Self::LogRmsRatio { minutes, relative_to_minutes } => minutes.saturating_add(*relative_to_minutes),
            Self::LogRelativeVolume { minutes, relative_to_minutes } => *minutes.max(relative_to_minutes),
            Self::EmaDistance { span_minutes } => span_minutes.saturating_mul(EMA_WARM_UP_SPANS),
            Self::MacdHistogram { fast_minutes, slow_minutes, signal_minutes } => {
                let slowest = *fast_minutes.max(slow_minutes);
                slowest.saturating_add(*signal_minutes).saturating_mul(EMA_WARM_UP_SPANS)
            }
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

impl ScaledFeature {
    /// Its z-score alone.
    pub fn scaler(&self) -> Scaler {
        Scaler { mean: self.mean, standard_deviation: self.standard_deviation }
    }
}

/// The frozen z-score of a feature.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scaler {
    /// Mean over the market's own candles.
    pub mean: f64,
    /// Standard deviation over them.
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

    /// Whether any feature is made of traded amounts.
    pub fn uses_volume(&self) -> bool {
        self.candle.iter().any(|scaled| scaled.feature.uses_volume())
    }

    /// The digest by which the contract names this specification: SHA-256 of the manifest's `features` (ordered features
    /// with parameters, means and deviations, profile, clip, scale, window) as JSON with sorted keys and without white
    /// space, numbers as the manifest writes them.
    pub fn digest(&self) -> Digest {
        let json = serde_json::to_value(self).expect("a specification has only names, numbers and lists");
        canonical_digest(&json)
    }

    /// Largest magnitude of a feature integer.
    pub fn bound(&self) -> i32 {
        libm::round(self.clip * libm::exp2(f64::from(self.input_scale))) as i32
    }
}

/// SHA-256 of JSON with sorted keys and without white space.
pub(super) fn canonical_digest(json: &Value) -> Digest {
    Digest::of(canonical(json).as_bytes())
}

fn canonical(json: &Value) -> String {
    let joined = |parts: Vec<String>| parts.join(",");
    match json {
        Value::Object(fields) => {
            let sorted: BTreeMap<_, _> = fields.iter().collect();
            let field = |(key, value): (&String, &Value)| format!("{}:{}", Value::from(key.as_str()), canonical(value));
            format!("{{{}}}", joined(sorted.into_iter().map(field).collect()))
        }
        Value::Array(items) => format!("[{}]", joined(items.iter().map(canonical).collect())),
        plain => plain.to_string(),
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
    /// All integers in the order of the public inputs.
    pub fn integers(&self) -> impl Iterator<Item = i32> + '_ {
        self.candle.iter().chain(&self.calendar).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_the_sorted_json() {
        let feature = Feature::LogRelativeVolume { minutes: 15, relative_to_minutes: 240 };
        let spec = FeatureSpec {
            candle: vec![ScaledFeature { feature, mean: -0.112_347_698, standard_deviation: 1.0 }],
            calendar: vec![],
            weekly_profile: vec![],
            clip: 4.0,
            input_scale: 13,
            lookback_minutes: 241,
            max_missing_minutes: 5,
        };
        let json = concat!(
            r#"{"calendar":[],"candle":[{"feature":{"minutes":15,"name":"log_relative_volume","#,
            r#""relative_to_minutes":240},"mean":-0.112347698,"standard_deviation":1.0}],"#,
            r#""clip":4.0,"input_scale":13,"lookback_minutes":241,"max_missing_minutes":5}"#
        );
        assert_eq!(spec.digest(), Digest::of(json.as_bytes()));
        assert_eq!(spec.bound(), 1 << 15);
        assert_eq!(
            FeatureSpec { input_scale: u32::MAX, ..spec }.bound(),
            i32::MAX,
            "from a manifest that nobody has checked"
        );
    }
}
