//! From windows of candles to features, outputs and a proof's public inputs. Pure, and written once: whoever forecasts,
//! attests, audits, proves or measures calls this.

use std::sync::Arc;

use thiserror::Error;

use crate::features::{self, FeatureError};
use crate::model::{Layout, Model, ModelError};
use crate::types::baselines::Baselines;
use crate::types::candle::{Candle, CandleSeries, SeriesError};
use crate::types::cycle::Forecast;
use crate::types::diagnostic::{Diagnostic, Retry};
use crate::types::feature::FeatureSpec;
use crate::types::manifest::error::ManifestError;
use crate::types::manifest::inputs::Candles;
use crate::types::manifest::regime::Label;
use crate::types::manifest::{Manifest, Output};
use crate::types::period::{Grid, PeriodId};
use crate::types::prediction::{Outputs, Prediction};
use crate::types::public_inputs;

/// Why there is no forecast.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ForecastError {
    /// A model of another kind.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Candles that no features are computed from.
    #[error(transparent)]
    Candles(#[from] SeriesError),
    /// Windows that do not suit the features.
    #[error(transparent)]
    Features(#[from] FeatureError),
    /// The network does not answer, or float model and circuit arithmetic disagree.
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl ForecastError {
    fn inner(&self) -> &dyn Diagnostic {
        match self {
            Self::Manifest(error) => error,
            Self::Candles(error) => error,
            Self::Features(error) => error,
            Self::Model(error) => error,
        }
    }
}

impl Diagnostic for ForecastError {
    fn code(&self) -> &'static str {
        self.inner().code()
    }

    fn hint(&self) -> &'static str {
        self.inner().hint()
    }

    fn retry(&self) -> Retry {
        self.inner().retry()
    }
}

/// The candles that the features of a period look at that begins at `start_ms`, of all those in `candles`; what is absent is carried forward as far as the
/// spec allows.
///
/// # Errors
/// Candles that contradict each other, or too many that are absent.
pub fn window(spec: &FeatureSpec, candles: &[Candle], start_ms: i64) -> Result<CandleSeries, SeriesError> {
    let (from_ms, to_ms) = features::window_ms(spec, start_ms);
    CandleSeries::new(candles, from_ms, to_ms, spec.max_missing_minutes)
}

/// A regime model that was loaded and is the one that its manifest describes.
#[derive(Debug)]
pub struct RegimeModel {
    /// Markets and features.
    pub candles: Candles,
    /// What it forecasts of each market.
    pub labels: Vec<Label>,
    /// When.
    pub grid: Grid,
    /// What a market's outputs are.
    pub outputs: Vec<Output>,
    /// What it is compared with in each market.
    pub baselines: Vec<Baselines>,
    /// The features of each market with its own statistics.
    features: Vec<FeatureSpec>,
    /// Shared by the models of several bundles that have the same network.
    network: Arc<Model>,
}

impl RegimeModel {
    /// Loads the network of a bundle.
    ///
    /// # Errors
    /// [`ForecastError::Manifest`] for a model of another kind, [`ForecastError::Model`] for a network that is not the
    /// manifest's.
    pub fn load(manifest: &Manifest, onnx: &[u8]) -> Result<Self, ForecastError> {
        let layout = Layout::of(&manifest.regime()?);
        Self::of(manifest, Arc::new(Model::load(onnx, layout)?))
    }

    /// The model of a bundle whose network, of this layout, is loaded.
    ///
    /// # Errors
    /// As [`RegimeModel::load`].
    pub fn of(manifest: &Manifest, network: Arc<Model>) -> Result<Self, ForecastError> {
        let spec = manifest.regime()?;
        network.expect_layers(&spec.layers.layers)?;
        Ok(Self {
            candles: spec.candles.clone(),
            features: spec.candles.features_of_each(),
            labels: spec.labels,
            grid: manifest.grid,
            outputs: manifest.outputs.clone(),
            baselines: spec.baselines.into_iter().cloned().collect(),
            network,
        })
    }

    /// The network.
    pub fn network(&self) -> &Model {
        &self.network
    }

    /// As [`window`], of this model's features.
    ///
    /// # Errors
    /// As [`window`].
    pub fn window(&self, candles: &[Candle], period: PeriodId) -> Result<CandleSeries, SeriesError> {
        window(&self.candles.features, candles, self.grid.start_ms(period))
    }

    /// The forecast of `period` from the [`window`] of each market, in the model's order. A market without one is omitted: its
    /// features are the neutral row. Float model and circuit arithmetic must agree.
    ///
    /// # Errors
    /// [`ForecastError`].
    pub fn compute(&self, windows: &[Option<CandleSeries>], period: PeriodId) -> Result<Forecast, ForecastError> {
        let features = features::of_markets(&self.features, windows, self.grid.start_ms(period))?;
        let outputs = self.network.predict(&public_inputs::features(&features))?;
        let absent = windows.iter().enumerate().filter(|(_, window)| window.is_none());
        Ok(Forecast {
            features,
            outputs: outputs.into_iter().map(|values| self.named(values)).collect(),
            carried_minutes: windows
                .iter()
                .map(|window| window.as_ref().map_or(0, |one| one.carried().len()))
                .collect(),
            omitted: absent.map(|(index, _)| index).collect(),
            stated: None,
        })
    }

    /// A market's outputs with their names.
    pub fn named(&self, values: impl IntoIterator<Item = i128>) -> Outputs {
        Outputs::new(self.outputs.iter().map(|output| output.name.as_str()), values)
    }

    /// A market's outputs as a regime and a volatility; `None` for the outputs of another model.
    pub fn read(&self, outputs: &Outputs) -> Option<Prediction> {
        Prediction::read(outputs, self.network.layout().output_scale)
    }
}
