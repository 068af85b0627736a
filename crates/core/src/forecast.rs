//! From windows of candles to features, outputs and a proof's public inputs. Pure, and written once: whoever forecasts,
//! attests, audits, proves or measures calls this.

use thiserror::Error;

use crate::features::{self, FeatureError};
use crate::model::{Model, ModelError};
use crate::types::candle::{Candle, CandleSeries, SeriesError};
use crate::types::cycle::Forecast;
use crate::types::diagnostic::{Diagnostic, Retry};
use crate::types::feature::{FeatureSpec, FeatureVector};
use crate::types::period::PeriodId;
use crate::types::public_inputs;

/// Why there is no forecast.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ForecastError {
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

/// The candles that `period`'s features look at, of all those in `candles`; what is absent is carried forward as far as the
/// spec allows.
///
/// # Errors
/// Candles that contradict each other, or too many that are absent.
pub fn window(spec: &FeatureSpec, candles: &[Candle], period: PeriodId) -> Result<CandleSeries, SeriesError> {
    let (from_ms, to_ms) = features::window_ms(spec, period);
    CandleSeries::new(candles, from_ms, to_ms, spec.max_missing_minutes)
}

/// The forecast of `period` for all markets of a model, in its order, from the [`window`] of each. A market without one is
/// omitted: its features are the neutral row. Float model and circuit arithmetic must agree.
///
/// # Errors
/// [`ForecastError`].
pub fn compute(
    spec: &FeatureSpec,
    model: &Model,
    windows: &[Option<CandleSeries>],
    period: PeriodId,
) -> Result<Forecast, ForecastError> {
    let features = |window: &Option<CandleSeries>| {
        window
            .as_ref()
            .map_or_else(|| Ok(features::neutral(spec, period)), |series| features::vector(spec, series, period))
    };
    let features: Vec<FeatureVector> = windows.iter().map(features).collect::<Result<_, _>>()?;
    let outputs = model.predict(&public_inputs::features(&features))?;
    let absent = windows.iter().enumerate().filter(|(_, window)| window.is_none());
    Ok(Forecast {
        features,
        outputs: outputs.into_iter().map(|one| one.circuit).collect(),
        carried_minutes: windows
            .iter()
            .map(|window| window.as_ref().map_or(0, |series| series.carried().len()))
            .collect(),
        omitted: absent.map(|(index, _)| index).collect(),
    })
}
