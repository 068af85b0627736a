//! The reading of a manifest by a regime job.

use serde::{Deserialize, Serialize};

use super::error::ManifestError;
use super::inputs::Candles;
use super::network::{Layers, ModelKind};
use super::of_markets::OfMarkets;
use super::{Manifest, Output};
use crate::types::baselines::Baselines;
use crate::types::feature::FeatureSpec;
use crate::types::period::Grid;
use crate::types::prediction::REGIME_OUTPUTS;

/// What a regime model's High means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegimeLabel {
    /// Standard deviation of one-minute returns above which a horizon is High: each market's own, or the same for all.
    pub threshold: OfMarkets<f64>,
}

/// The label: High when the standard deviation of the next `horizon_minutes` one-minute returns exceeds `threshold`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// Length of the forecast window in minutes.
    pub horizon_minutes: usize,
    /// Standard deviation of one-minute returns above which a window is High.
    pub threshold: f64,
}

impl Label {
    /// The grid on which such windows are forecast once in `period_seconds`.
    pub fn grid(&self, period_seconds: u64) -> Grid {
        Grid { horizon_seconds: (self.horizon_minutes as u64).saturating_mul(60), ..Grid::of_seconds(period_seconds) }
    }
}

/// What a regime job needs of a manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct RegimeSpec<'a> {
    /// Markets and features.
    pub candles: &'a Candles,
    /// The network.
    pub layers: &'a Layers,
    /// What is forecast of each market.
    pub labels: Vec<Label>,
    /// log2 of the outputs' grid.
    pub output_scale: u32,
    /// What it is compared with in each market.
    pub baselines: Vec<&'a Baselines>,
}

/// What a regime model is to one of its markets.
#[derive(Debug, Clone, PartialEq)]
pub struct MarketSpec<'a> {
    /// Features, with the market's own statistics.
    pub features: FeatureSpec,
    /// What is forecast.
    pub label: Label,
    /// What it is compared with.
    pub baselines: &'a Baselines,
}

impl<'a> RegimeSpec<'a> {
    /// The market of this index; `None` beyond the last.
    pub fn market(&self, market: usize) -> Option<MarketSpec<'a>> {
        let (label, baselines) = (self.labels.get(market)?.clone(), *self.baselines.get(market)?);
        Some(MarketSpec { features: self.candles.features_of(market), label, baselines })
    }

    /// Minutes of a horizon, the same for all markets.
    pub fn horizon_minutes(&self) -> usize {
        self.labels.first().map_or(0, |label| label.horizon_minutes)
    }
}

/// The outputs of a regime model at that scale.
pub fn outputs(scale: u32) -> Vec<Output> {
    let output = |(name, unit): (&str, &str)| Output { name: name.into(), unit: unit.into(), scale, per_market: true };
    REGIME_OUTPUTS.into_iter().map(output).collect()
}

impl Manifest {
    /// The manifest as that of a regime model.
    ///
    /// # Errors
    /// [`ManifestError::NotRegime`] with what it is instead, or [`ManifestError::Grid`].
    pub fn regime(&self) -> Result<RegimeSpec<'_>, ManifestError> {
        let candles = self.candles()?;
        let ModelKind::Layers(layers) = &self.model else {
            return Err(ManifestError::not_regime(format!("it is made of {}, not of layers", self.model.kind())));
        };
        let said = |outputs: &[Output]| outputs.iter().map(|output| output.name.clone()).collect::<Vec<_>>().join(", ");
        let output_scale = self.outputs.first().map_or(0, |output| output.scale);
        let wanted = outputs(output_scale);
        if self.outputs.iter().map(|output| &output.name).ne(wanted.iter().map(|output| &output.name)) {
            return Err(ManifestError::not_regime(format!(
                "its outputs are {}, not {}",
                said(&self.outputs),
                said(&wanted)
            )));
        }
        if self.outputs.iter().any(|output| output.scale != output_scale || !output.per_market) {
            return Err(ManifestError::not_regime("its outputs are not of one scale, or not of each market"));
        }
        let (Some(label), Some(baselines)) = (&self.regime, &self.training.baselines) else {
            return Err(ManifestError::not_regime("it does not say what High is, or what it is compared with"));
        };
        let horizon_seconds = self.grid.horizon_seconds;
        if !self.grid.suits_risk_parameters() {
            return Err(ManifestError::Grid { found: self.grid });
        }
        if !horizon_seconds.is_multiple_of(60) {
            return Err(ManifestError::not_regime(format!(
                "its horizon of {horizon_seconds} s is not made of minutes"
            )));
        }
        let horizon_minutes = usize::try_from(horizon_seconds / 60).map_err(ManifestError::not_regime)?;
        let markets = candles.markets.len();
        let (Some(thresholds), Some(baselines)) = (label.threshold.each(markets), baselines.each(markets)) else {
            return Err(ManifestError::not_regime(format!(
                "it has thresholds or baselines of other than its {markets} markets"
            )));
        };
        let labels = thresholds.into_iter().map(|threshold| Label { horizon_minutes, threshold: *threshold }).collect();
        Ok(RegimeSpec { candles, layers, labels, output_scale, baselines })
    }
}
