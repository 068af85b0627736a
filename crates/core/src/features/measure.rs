//! What each candle feature measures.

use super::quantity::Quantity;
use super::sums::Sums;
use super::{indicators, seasonal, volatility, volume};
use crate::types::candle::Candle;
use crate::types::feature::{DAY_MINUTES, Feature, WEEK_MINUTES};

/// The value of a candle feature at a decision time that `at` candles precede. Only these are looked at.
///
/// A calendar feature is 0 here; see [`super::calendar`].
///
/// # Panics
/// If the feature looks back further than the candles reach.
pub fn value(feature: &Feature, sums: &Sums, at: usize) -> f64 {
    let last = |minutes: &usize| at - minutes..at;
    let candles = |minutes: &usize| &sums.candles()[at - minutes..at];
    let ago = |minutes_ago: &usize, minutes: &usize| at - minutes_ago..at - minutes_ago + minutes;
    match feature {
        Feature::LogRmsReturn { minutes } => volatility::log_rms(sums, last(minutes)),
        Feature::LogRmsReturnFrom { minutes_ago, minutes } => volatility::log_rms(sums, ago(minutes_ago, minutes)),
        Feature::LogRmsReturnSameWindow { days, minutes } => {
            let earlier = [*days, DAY_MINUTES, *minutes];
            volatility::log_root(volatility::mean_of_earlier(sums, Quantity::SquaredReturn, at, earlier))
        }
        Feature::LogRmsReturnSameWeekday { weeks, minutes } => {
            let earlier = [*weeks, WEEK_MINUTES, *minutes];
            volatility::log_root(volatility::mean_of_earlier(sums, Quantity::SquaredReturn, at, earlier))
        }
        Feature::LogRmsRatio { minutes, relative_to_minutes } => {
            let before = at - minutes - relative_to_minutes..at - minutes;
            volatility::log_rms(sums, last(minutes)) - volatility::log_rms(sums, before)
        }
        Feature::LogMeanAbsoluteReturn { minutes } => {
            volatility::log_magnitude(sums.mean(Quantity::AbsoluteReturn, last(minutes)))
        }
        Feature::LogMeanAbsoluteReturnFrom { minutes_ago, minutes } => {
            volatility::log_magnitude(sums.mean(Quantity::AbsoluteReturn, ago(minutes_ago, minutes)))
        }
        Feature::LogMeanAbsoluteReturnSameWindow { days, minutes } => {
            let earlier = [*days, DAY_MINUTES, *minutes];
            volatility::log_magnitude(volatility::mean_of_earlier(sums, Quantity::AbsoluteReturn, at, earlier))
        }
        Feature::LogMedianAbsoluteReturn { minutes } => volatility::log_median(sums, last(minutes)),
        Feature::LogMaximumAbsoluteReturn { minutes } => volatility::log_maximum(sums, last(minutes)),
        Feature::LogDownsideRms { minutes } => volatility::log_root(sums.mean(Quantity::SquaredFall, last(minutes))),
        Feature::LogUpsideRms { minutes } => volatility::log_root(sums.mean(Quantity::SquaredRise, last(minutes))),
        Feature::SemivarianceAsymmetry { minutes } => volatility::asymmetry(sums, last(minutes)),
        Feature::LogBipower { minutes } => volatility::log_root(volatility::bipower(sums, last(minutes))),
        Feature::JumpRatio { minutes } => volatility::jump_ratio(sums, last(minutes)),
        Feature::LogMedianVariation { minutes } => {
            volatility::log_root(volatility::median_variation(sums, last(minutes)))
        }
        Feature::LogQuarticity { minutes } => volatility::log_quarticity(sums, last(minutes)),
        Feature::VolatilityOfVolatility { minutes, block_minutes } => {
            volatility::of_volatility(sums, last(minutes), *block_minutes)
        }
        Feature::MeanLogRms { minutes, block_minutes } => seasonal::mean_log_rms(sums, last(minutes), *block_minutes),
        Feature::LogFadingAbsoluteReturn { half_life_minutes, block_minutes } => {
            seasonal::log_fading_mean(sums, at, *half_life_minutes, *block_minutes)
        }
        Feature::MeanLogRmsOfDays { days, count, ahead_minutes, minutes } => {
            let windows = seasonal::windows(sums, at, *days, *count, *ahead_minutes, *minutes);
            seasonal::mean_log_rms_of_days(sums, &windows)
        }
        Feature::LogMeanAbsoluteReturnOfDays { days, count, ahead_minutes, minutes } => {
            let windows = seasonal::windows(sums, at, *days, *count, *ahead_minutes, *minutes);
            seasonal::log_mean_of_days(sums, &windows)
        }
        Feature::ZeroReturnShare { minutes } => sums.mean(Quantity::ZeroReturn, last(minutes)),
        Feature::LogParkinson { minutes } => volatility::log_root(volatility::parkinson(sums, last(minutes))),
        Feature::LogGarmanKlass { minutes } => volatility::log_root(volatility::garman_klass(sums, last(minutes))),
        Feature::LogRogersSatchell { minutes } => {
            volatility::log_root(sums.mean(Quantity::ShadowProduct, last(minutes)))
        }
        Feature::LogTrueRange { minutes } => volatility::log_magnitude(sums.mean(Quantity::TrueRange, last(minutes))),
        Feature::LogRelativeVolume { minutes, relative_to_minutes } => {
            volume::log_relative(sums, last(minutes), last(relative_to_minutes))
        }
        Feature::VwapDistance { minutes } => volume::vwap_distance(candles(minutes)),
        Feature::OnBalanceVolume { minutes } => volume::balance(sums, last(minutes)),
        Feature::LogReturn { minutes } => libm::log(growth(sums.candles(), at, *minutes)),
        Feature::RateOfChange { minutes } => growth(sums.candles(), at, *minutes) - 1.0,
        Feature::Momentum { minutes } => {
            let unit = sums.mean(Quantity::TrueRange, last(minutes));
            if unit > 0.0 { (growth(sums.candles(), at, *minutes) - 1.0) / unit } else { 0.0 }
        }
        Feature::EfficiencyRatio { minutes } => volatility::efficiency(sums, last(minutes)),
        Feature::BodyShare { minutes } => sums.mean(Quantity::Body, last(minutes)),
        Feature::UpperShadowShare { minutes } => sums.mean(Quantity::UpperShadow, last(minutes)),
        Feature::LowerShadowShare { minutes } => sums.mean(Quantity::LowerShadow, last(minutes)),
        Feature::EmaDistance { span_minutes } => {
            indicators::ema_distance(candles(&feature.lookback_minutes()), *span_minutes)
        }
        Feature::MacdHistogram { fast_minutes, slow_minutes, signal_minutes } => indicators::macd_histogram(
            candles(&feature.lookback_minutes()),
            [*fast_minutes, *slow_minutes, *signal_minutes],
        ),
        Feature::RelativeStrength { minutes } => indicators::relative_strength(candles(&(minutes + 1))),
        Feature::BollingerPosition { minutes } => indicators::bollinger_position(candles(minutes)),
        Feature::LogBollingerWidth { minutes } => indicators::log_bollinger_width(candles(minutes)),
        Feature::Stochastic { minutes } => indicators::stochastic(candles(minutes)),
        Feature::WilliamsR { minutes } => indicators::stochastic(candles(minutes)) - 1.0,
        Feature::CommodityChannel { minutes } => indicators::commodity_channel(candles(minutes)),
        Feature::DaySine { .. }
        | Feature::DayCosine { .. }
        | Feature::Weekday { .. }
        | Feature::WeeklyProfile { .. } => 0.0,
    }
}

/// The last close over the one `minutes` before it.
fn growth(candles: &[Candle], at: usize, minutes: usize) -> f64 {
    candles[at - 1].close / candles[at - 1 - minutes].close
}
