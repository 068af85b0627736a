//! A network's features, as a training run is told of them.

use serde::{Deserialize, Serialize};

use veriregime_core::types::feature::Feature;

/// The inputs, without the statistics that training finds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureSettings {
    /// Features from candles.
    pub candle: Vec<Feature>,
    /// Features from the decision time.
    pub calendar: Vec<Feature>,
    /// Normalised values are clipped to `±clip`.
    pub clip: f64,
    /// log2 of the quantisation.
    pub input_scale: u32,
    /// Minutes of candles that are needed, the previous close included.
    pub lookback_minutes: usize,
    /// How many of these may be absent.
    pub max_missing_minutes: usize,
}
