//! What a model is fed.

use alloy::primitives::{B256, keccak256};
use serde::{Deserialize, Serialize};

use crate::types::digest::Digest;
use crate::types::feature::{FeatureSpec, Scaler, canonical_digest};

/// The inputs of a model, by their kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Inputs {
    /// Features of one-minute candles and of the calendar, a row for each market.
    Candles(Candles),
    /// Named columns, one row.
    Table(Table),
}

impl Inputs {
    /// The kind in words.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Candles(_) => "candles",
            Self::Table(_) => "a table",
        }
    }
}

/// Features of candles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candles {
    /// Markets in the order of the proof's rows.
    pub markets: Vec<Market>,
    /// Features of each, with the means and standard deviations of the first market.
    pub features: FeatureSpec,
    /// Those of the candle features of each further market; none where all markets have the first one's. What depends on the
    /// calendar alone is the same for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further_scalers: Vec<Vec<Scaler>>,
}

impl Candles {
    /// The features of the market of this index with its own means and standard deviations.
    pub fn features_of(&self, market: usize) -> FeatureSpec {
        let mut features = self.features.clone();
        let own = market.checked_sub(1).and_then(|further| self.further_scalers.get(further));
        for (scaled, own) in features.candle.iter_mut().zip(own.into_iter().flatten()) {
            (scaled.mean, scaled.standard_deviation) = (own.mean, own.standard_deviation);
        }
        features
    }

    /// [`Candles::features_of`] each market.
    pub fn features_of_each(&self) -> Vec<FeatureSpec> {
        (0..self.markets.len()).map(|market| self.features_of(market)).collect()
    }

    /// The digest by which the contract names how features are computed: [`FeatureSpec::digest`] where all markets are treated
    /// alike, else the same of `features` and `further_scalers` in one object.
    pub fn features_digest(&self) -> Digest {
        if self.further_scalers.is_empty() {
            return self.features.digest();
        }
        let Self { features, further_scalers, .. } = self;
        canonical_digest(&serde_json::json!({"features": features, "further_scalers": further_scalers}))
    }
}

/// A market of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Market {
    /// Name, e.g. `BTC-USD`; its keccak-256 is the id on chain.
    pub name: String,
    /// Symbol at [`super::TRAINED_ON`], e.g. `BTCUSDT`.
    pub symbol: String,
}

impl Market {
    /// The market's id on chain.
    pub fn id(&self) -> B256 {
        keccak256(self.name.as_bytes())
    }
}

/// Columns of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// In the order of a row.
    pub columns: Vec<Column>,
    /// log2 of the quantisation: `q = round_half_away_from_zero(x * 2^input_scale)`.
    pub input_scale: u32,
}

/// A column with its scaler.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its unit in words.
    pub unit: String,
    /// Mean over the training split.
    pub mean: f64,
    /// Standard deviation over the training split.
    pub standard_deviation: f64,
    /// Normalised values are clipped to `±clip`.
    pub clip: f64,
}
