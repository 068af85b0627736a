//! The layout of a proof's public inputs, decided here and nowhere else: the features of all markets, of each those from
//! candles and then the calendar's; then the outputs of all markets.

use alloy::primitives::U256;

use super::feature::FeatureVector;
use super::field;
use super::manifest::Output;
use super::manifest::inputs::Candles;
use super::prediction::Outputs;

/// The feature integers of all markets.
pub fn features(vectors: &[FeatureVector]) -> Vec<i32> {
    vectors.iter().flat_map(FeatureVector::integers).collect()
}

/// The candle features alone, market after market: what is published, since the contract knows the calendar's.
pub fn candle_features(vectors: &[FeatureVector]) -> Vec<i32> {
    vectors.iter().flat_map(|vector| &vector.candle).copied().collect()
}

/// As [`features`], from published candle features: `candle` holds `candle_count` of each market, and all share `calendar`.
pub fn published_features(candle: &[i32], candle_count: usize, calendar: &[i32]) -> Vec<i32> {
    let markets = candle.chunks(candle_count.max(1));
    markets.flat_map(|market| market.iter().chain(calendar)).copied().collect()
}

/// The output integers of all markets.
pub fn outputs(outputs: &[Outputs]) -> Vec<i128> {
    outputs.iter().flat_map(Outputs::values).collect()
}

/// Public inputs of the statement "the model maps `features` to `outputs`", as field elements.
pub fn instances(features: &[i32], outputs: &[i128]) -> Vec<U256> {
    let features = features.iter().map(|feature| i128::from(*feature));
    features.chain(outputs.iter().copied()).map(field::encode).collect()
}

/// Features and outputs of each of so many markets, each with so many outputs.
pub fn by_market(instances: &[U256], markets: usize, outputs: usize) -> impl Iterator<Item = (&[U256], &[U256])> {
    let features = (instances.len() / markets.max(1)).saturating_sub(outputs);
    let (inputs, said) = instances.split_at(markets * features);
    inputs.chunks(features.max(1)).zip(said.chunks(outputs.max(1)))
}

/// What the public input at `index` is, in words, of a model of these candles with these outputs for each market.
pub fn name(candles: &Candles, outputs: &[Output], index: usize) -> String {
    let (spec, features, markets) = (&candles.features, candles.features.count(), candles.markets.len());
    if index < markets * features {
        let scaled = spec.candle.iter().chain(&spec.calendar).nth(index % features);
        let label = scaled.map_or_else(|| "?".into(), |scaled| scaled.feature.label());
        return format!("feature {label} of market {}", index / features);
    }
    let (index, count) = (index - markets * features, outputs.len().max(1));
    let output = outputs.get(index % count).map_or("?", |output| &output.name);
    format!("output {output} of market {}", index / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_market_s_features_come_before_all_outputs() {
        let vector = |first: i32| FeatureVector { candle: vec![first, first + 1], calendar: vec![9] };
        let vectors = [vector(1), vector(5)];
        let row = features(&vectors);
        assert_eq!(row, [1, 2, 9, 5, 6, 9]);
        assert_eq!(candle_features(&vectors), [1, 2, 5, 6]);
        assert_eq!(published_features(&[1, 2, 5, 6], 2, &[9]), row);
        let said = |first: i128| Outputs::new(["a", "b", "c"], [first, first + 1, first + 2]);
        let instances = instances(&row, &outputs(&[said(-20), said(30)]));
        assert_eq!((instances[0], instances[6], instances[11]), (U256::ONE, field::encode(-20), field::encode(32)));
        let markets: Vec<_> = by_market(&instances, 2, 3).collect();
        assert_eq!(markets[1], (&instances[3..6], &instances[9..12]));
        assert_eq!(by_market(&[], 0, 3).count(), 0);
    }
}
