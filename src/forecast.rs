//! The forecast of a cycle from the candles that are stored for it.

use thiserror::Error;

use crate::state::Store;
use crate::state::error::StateError;
use veriregime_core::forecast::{ForecastError, RegimeModel};
use veriregime_core::types::cycle::{CycleRecord, Forecast};
use veriregime_core::types::omission::OmittedMarkets;

/// Why a cycle's stored candles give no forecast.
#[derive(Debug, Error)]
pub enum StoredForecastError {
    /// The database fails, or does not hold what it should.
    #[error(transparent)]
    State(#[from] StateError),
    /// What is stored cannot be computed with.
    #[error(transparent)]
    Forecast(#[from] ForecastError),
}

/// Features and outputs from the stored candles, of all markets but those that are to be omitted: among these must be the
/// ones that have no candles.
///
/// # Errors
/// [`StoredForecastError`].
pub fn from_stored(
    store: &Store,
    model: &RegimeModel,
    record: &CycleRecord,
    omitted: OmittedMarkets,
) -> Result<Forecast, StoredForecastError> {
    let stored = store.candles(record.job, record.period)?;
    let mut windows = Vec::with_capacity(stored.len());
    for (index, (candles, digest)) in stored.iter().zip(&record.candles).enumerate() {
        if omitted.omits(index) {
            windows.push(None);
            continue;
        }
        let series = model.window(candles, record.period).map_err(ForecastError::from)?;
        if series.digest() != *digest {
            return Err(StateError::Corrupt("stored candles do not match their digest".into()).into());
        }
        windows.push(Some(series));
    }
    Ok(model.compute(&windows, record.period)?)
}
