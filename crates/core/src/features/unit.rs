//! What the number of a feature is counted in, for people.

use crate::types::feature::Feature;

/// The unit of a feature's value.
pub fn unit(feature: &Feature) -> &'static str {
    match feature {
        Feature::LogRmsReturn { .. }
        | Feature::LogRmsReturnFrom { .. }
        | Feature::LogRmsReturnSameWindow { .. }
        | Feature::LogRmsReturnSameWeekday { .. }
        | Feature::LogMeanAbsoluteReturn { .. }
        | Feature::LogMeanAbsoluteReturnFrom { .. }
        | Feature::LogMeanAbsoluteReturnSameWindow { .. }
        | Feature::LogMedianAbsoluteReturn { .. }
        | Feature::LogMaximumAbsoluteReturn { .. }
        | Feature::LogDownsideRms { .. }
        | Feature::LogUpsideRms { .. }
        | Feature::LogBipower { .. }
        | Feature::LogMedianVariation { .. }
        | Feature::LogQuarticity { .. }
        | Feature::MeanLogRms { .. }
        | Feature::LogFadingAbsoluteReturn { .. }
        | Feature::MeanLogRmsOfDays { .. }
        | Feature::LogMeanAbsoluteReturnOfDays { .. }
        | Feature::LogParkinson { .. }
        | Feature::LogGarmanKlass { .. }
        | Feature::LogRogersSatchell { .. }
        | Feature::LogTrueRange { .. } => "ln of a one-minute return",
        Feature::LogRmsRatio { .. }
        | Feature::LogRelativeVolume { .. }
        | Feature::VwapDistance { .. }
        | Feature::LogReturn { .. }
        | Feature::EmaDistance { .. }
        | Feature::LogBollingerWidth { .. } => "ln of a ratio",
        Feature::VolatilityOfVolatility { .. } => "deviation of a ln",
        Feature::SemivarianceAsymmetry { .. } | Feature::OnBalanceVolume { .. } => "-1 to 1",
        Feature::JumpRatio { .. }
        | Feature::ZeroReturnShare { .. }
        | Feature::EfficiencyRatio { .. }
        | Feature::BodyShare { .. }
        | Feature::UpperShadowShare { .. }
        | Feature::LowerShadowShare { .. }
        | Feature::RelativeStrength { .. }
        | Feature::Stochastic { .. } => "share",
        Feature::WilliamsR { .. } => "-1 to 0",
        Feature::RateOfChange { .. } | Feature::MacdHistogram { .. } => "fraction of the price",
        Feature::Momentum { .. } => "mean true ranges",
        Feature::BollingerPosition { .. } => "standard deviations",
        Feature::CommodityChannel { .. } => "mean deviations over 0.015",
        Feature::DaySine { .. } | Feature::DayCosine { .. } => "-1 to 1, by the time of day",
        Feature::Weekday { .. } => "0 or 1, by the day",
        Feature::WeeklyProfile { .. } => "ln of a volatility, by the hour of the week",
    }
}
