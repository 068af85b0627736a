//! What a stranger can say about an update: whether the published features are those of public candles, and whether the
//! proof is one of them.

use serde::Serialize;

use veriregime_core::types::candle::Candle;
use veriregime_core::types::feature::{FeatureSpec, FeatureVector};

/// How an audit ends. The worst finding decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The features are those of the auditor's candles, bit for bit, and the proof holds for them.
    Match,
    /// It is of a model whose bundle the auditor does not have: nothing can be said of it.
    UnknownModel,
    /// The proof holds, for features that the auditor's candles do not give.
    DataDiffer,
    /// An attestation is missing, is not its signer's, or its signer was not in the set.
    AttestationInvalid,
    /// The proof does not hold for what was published, or is one of another model.
    ProofInvalid,
}

impl Verdict {
    /// The verdict in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::UnknownModel => "unknown model",
            Self::DataDiffer => "data differ",
            Self::AttestationInvalid => "attestation invalid",
            Self::ProofInvalid => "proof invalid",
        }
    }
}

/// A published feature that is not what the candles give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FeatureDifference {
    /// Number of the market in the model's order.
    pub market: usize,
    /// Number of the candle feature.
    pub index: usize,
    /// Its name and parameters.
    pub feature: String,
    /// What was published, on the model's integer grid.
    pub published: i32,
    /// What the auditor's candles give.
    pub recomputed: i32,
}

/// A minute for which the operator and the auditor have different candles.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CandleDifference {
    /// The minute.
    pub open_time_ms: i64,
    /// The candle that the update was made from, if there was one.
    pub operators: Option<Candle>,
    /// The auditor's, if there is one.
    pub auditors: Option<Candle>,
}

/// All candle features that differ, in their order. `published` holds those of all markets, as many for each as the spec
/// names; what is missing or too much makes every feature of its market differ.
pub fn feature_differences(
    spec: &FeatureSpec,
    published: &[i32],
    recomputed: &[FeatureVector],
) -> Vec<FeatureDifference> {
    let count = spec.candle.len();
    let mut differences = Vec::new();
    for (market, vector) in recomputed.iter().enumerate() {
        for (index, (scaled, &ours)) in spec.candle.iter().zip(&vector.candle).enumerate() {
            let theirs = published.get(market * count + index).copied();
            if theirs != Some(ours) {
                differences.push(FeatureDifference {
                    market,
                    index,
                    feature: scaled.feature.label(),
                    published: theirs.unwrap_or_default(),
                    recomputed: ours,
                });
            }
        }
    }
    differences
}

/// The first minute for which two sets of candles, each strictly increasing, do not say the same, bit for bit.
pub fn first_candle_difference(operators: &[Candle], auditors: &[Candle]) -> Option<CandleDifference> {
    let pairs = operators.iter().zip(auditors);
    let same = pairs.take_while(|(one, other)| one.to_le_bytes() == other.to_le_bytes()).count();
    let (operators, auditors) = (operators.get(same).copied(), auditors.get(same).copied());
    let open_time_ms = operators.iter().chain(&auditors).map(|candle| candle.open_time_ms).min()?;
    let of_the_minute = |candle: &Candle| candle.open_time_ms == open_time_ms;
    Some(CandleDifference {
        open_time_ms,
        operators: operators.filter(of_the_minute),
        auditors: auditors.filter(of_the_minute),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use veriregime_core::types::feature::{Feature, ScaledFeature};
    use veriregime_core::types::period::MINUTE_MS;

    fn candle(minute: i64, close: f64) -> Candle {
        Candle { open_time_ms: minute * MINUTE_MS, open: close, high: close, low: close, close, volume: 1.0 }
    }

    fn spec(features: usize) -> FeatureSpec {
        let feature =
            |minutes| ScaledFeature { feature: Feature::LogRmsReturn { minutes }, mean: 0.0, standard_deviation: 1.0 };
        FeatureSpec {
            candle: (1..=features).map(feature).collect(),
            calendar: vec![],
            weekly_profile: vec![],
            clip: 4.0,
            input_scale: 13,
            lookback_minutes: 241,
            max_missing_minutes: 5,
        }
    }

    proptest! {
        #[test]
        fn exactly_the_altered_features_are_found(
            rows in proptest::collection::vec(proptest::collection::vec(any::<i32>(), 3), 1..4),
            altered in 0_usize..12, by in 1_i32..1000,
        ) {
            let vectors: Vec<_> =
                rows.iter().map(|row| FeatureVector { candle: row.clone(), calendar: vec![] }).collect();
            let mut published = rows.concat();
            prop_assert!(feature_differences(&spec(3), &published, &vectors).is_empty());
            let at = altered % published.len();
            published[at] = published[at].wrapping_add(by);
            let found = feature_differences(&spec(3), &published, &vectors);
            prop_assert_eq!(found.len(), 1);
            prop_assert_eq!((found[0].market, found[0].index, found[0].published), (at / 3, at % 3, published[at]));
            prop_assert_eq!(found[0].recomputed, rows[at / 3][at % 3]);
            published.truncate(at);
            prop_assert_eq!(feature_differences(&spec(3), &published, &vectors).len(), rows.len() * 3 - at);
        }

        #[test]
        fn the_first_candle_that_differs_is_found(length in 1_i64..30, at in 0_i64..30) {
            let at = at % length;
            let ours: Vec<_> = (0..length).map(|minute| candle(minute, 100.0)).collect();
            prop_assert_eq!(first_candle_difference(&ours, &ours), None);
            let mut theirs = ours.clone();
            theirs[at as usize].close = 100.0 + f64::EPSILON * 64.0;
            let found = first_candle_difference(&ours, &theirs).unwrap();
            prop_assert_eq!((found.open_time_ms, found.operators), (at * MINUTE_MS, Some(ours[at as usize])));
            theirs.remove(at as usize);
            let found = first_candle_difference(&ours, &theirs).unwrap();
            prop_assert_eq!((found.open_time_ms, found.auditors), (at * MINUTE_MS, None));
            let found = first_candle_difference(&theirs, &ours).unwrap();
            prop_assert_eq!((found.open_time_ms, found.operators), (at * MINUTE_MS, None));
        }
    }

    #[test]
    fn the_worst_finding_decides() {
        assert_eq!(Verdict::Match.max(Verdict::DataDiffer), Verdict::DataDiffer);
        assert_eq!(Verdict::Match.max(Verdict::UnknownModel), Verdict::UnknownModel);
        assert_eq!(Verdict::ProofInvalid.max(Verdict::DataDiffer), Verdict::ProofInvalid);
    }
}
