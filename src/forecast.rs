//! A job's model, and the forecast of a cycle from what is stored for it.

use thiserror::Error;

use crate::state::Store;
use crate::state::error::StateError;
use veriregime_core::forecast::{ForecastError, RegimeModel};
use veriregime_core::hedge::electricity::{ElectricityError, ElectricityModel};
use veriregime_core::hedge::snapshot::Snapshot;
use veriregime_core::types::cycle::{CycleRecord, Forecast};
use veriregime_core::types::digest::Digest;
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::public_inputs;
use veriregime_core::yields::Strategy;
use veriregime_core::yields::model::{StrategyError, StrategyModel};
use veriregime_core::yields::snapshot::Snapshot as StrategySnapshot;

/// Why what is stored of a cycle gives no forecast.
#[derive(Debug, Error)]
pub enum StoredForecastError {
    /// The database fails, or does not hold what it should.
    #[error(transparent)]
    State(#[from] StateError),
    /// What is stored of candles cannot be computed with.
    #[error(transparent)]
    Forecast(#[from] ForecastError),
    /// What is stored of tables cannot be computed with.
    #[error(transparent)]
    Electricity(#[from] ElectricityError),
    /// What is stored of a strategy's tables cannot be computed with.
    #[error(transparent)]
    Strategy(#[from] StrategyError),
}

/// What a job forecasts with.
#[derive(Debug)]
pub enum JobModel {
    /// Volatility regimes of markets, from candles.
    Regime(Box<RegimeModel>),
    /// A country's price of electricity, from tables.
    Electricity {
        /// The network.
        model: Box<ElectricityModel>,
        /// The country by its ISO 3166 code.
        country: String,
    },
    /// A strategy's yield, from tables.
    Strategy {
        /// The network.
        model: Box<StrategyModel>,
        /// The strategy.
        strategy: Strategy,
    },
}

impl JobModel {
    /// The model of regimes, where it is one.
    pub fn regime(&self) -> Option<&RegimeModel> {
        match self {
            Self::Regime(model) => Some(model),
            Self::Electricity { .. } | Self::Strategy { .. } => None,
        }
    }

    /// What each row of features and outputs is of: markets, the country or the strategy.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::Regime(model) => model.candles.markets.iter().map(|market| market.name.clone()).collect(),
            Self::Electricity { country, .. } => vec![country.clone()],
            Self::Strategy { strategy, .. } => vec![strategy.name.clone()],
        }
    }

    /// What the public input at `index` is, in words.
    pub fn input_name(&self, index: usize) -> String {
        match self {
            Self::Regime(model) => public_inputs::name(&model.candles, &model.outputs, index),
            Self::Electricity { model, .. } => model.name(index),
            Self::Strategy { model, .. } => model.name(index),
        }
    }

    /// Whether tables can be computed with.
    ///
    /// # Errors
    /// [`ElectricityError`].
    pub fn check_snapshot(&self, snapshot: &Snapshot) -> Result<(), ElectricityError> {
        match self {
            Self::Regime(_) | Self::Strategy { .. } => Ok(()),
            Self::Electricity { model, .. } => model.compute(snapshot).map(|_| ()),
        }
    }

    /// Features and outputs from what is stored, of all markets but those that are to be omitted: among these must be the ones
    /// that have no candles.
    ///
    /// # Errors
    /// [`StoredForecastError`].
    pub fn from_stored(
        &self,
        store: &Store,
        record: &CycleRecord,
        omitted: OmittedMarkets,
    ) -> Result<Forecast, StoredForecastError> {
        match self {
            Self::Regime(model) => from_candles(store, model, record, omitted),
            Self::Electricity { model, .. } => Ok(model.compute(&stored_snapshot(store, record)?)?),
            Self::Strategy { model, .. } => Ok(model.compute(&stored_strategy(store, record)?)?),
        }
    }
}

/// The tables that a cycle was computed from.
///
/// # Errors
/// [`StoredForecastError::State`] for a cycle without them, or with others than its record names.
pub fn stored_snapshot(store: &Store, record: &CycleRecord) -> Result<Snapshot, StoredForecastError> {
    Ok(Snapshot::parse(&stored_tables(store, record)?).map_err(ElectricityError::from)?)
}

/// The days of a strategy that a cycle was computed from.
///
/// # Errors
/// As [`stored_snapshot`].
pub fn stored_strategy(store: &Store, record: &CycleRecord) -> Result<StrategySnapshot, StoredForecastError> {
    Ok(StrategySnapshot::parse(&stored_tables(store, record)?).map_err(StrategyError::from)?)
}

fn stored_tables(store: &Store, record: &CycleRecord) -> Result<Vec<u8>, StateError> {
    let bytes = store.snapshot(record.job, record.period)?;
    let bytes = bytes.ok_or_else(|| StateError::Corrupt("a cycle is without its tables".into()))?;
    if record.candles != [Digest::of(&bytes)] {
        return Err(StateError::Corrupt("stored tables do not match their digest".into()));
    }
    Ok(bytes)
}

fn from_candles(
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
