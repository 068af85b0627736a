//! What a job's forecasts are made from.

use std::sync::Arc;

use super::Agent;
use super::candles::CandleService;
use super::feeds::Feeds;
use super::tables::{Country, TableService};
use crate::forecast::JobModel;
use crate::job::error::StageError;
use crate::state::error::StateError;
use veriregime_core::forecast::RegimeModel;

/// Where what a model is fed comes from.
#[derive(Debug)]
pub enum Input {
    /// Candles of exchanges.
    Candles(CandleInput),
    /// Tables of publishers, shared with every other job that is fed by them.
    Tables(Arc<TableService>),
}

/// Candles of exchanges.
#[derive(Debug)]
pub struct CandleInput {
    pub feeds: Feeds,
    /// Shared with every other job, as the store is.
    pub candles: Arc<CandleService>,
}

/// A job of regimes, with all that its candles come from.
#[derive(Debug, Clone, Copy)]
pub struct Regime<'a> {
    pub model: &'a RegimeModel,
    pub feeds: &'a Feeds,
    pub candles: &'a CandleService,
}

impl Agent {
    /// The job as one of regimes, where it is one.
    pub fn regime(&self) -> Option<Regime<'_>> {
        match (&self.model, &self.input) {
            (JobModel::Regime(model), Input::Candles(CandleInput { feeds, candles })) => {
                Some(Regime { model, feeds, candles })
            }
            _ => None,
        }
    }

    /// The job as one of a country's electricity, where it is one.
    pub fn country(&self) -> Option<Country<'_>> {
        match (&self.model, &self.input) {
            (JobModel::Electricity { country, .. }, Input::Tables(tables)) => Some(Country { name: country, tables }),
            _ => None,
        }
    }

    /// The name of what the model is fed by first.
    pub fn source_name(&self) -> String {
        match &self.input {
            Input::Candles(input) => input.feeds.primary().name.clone(),
            Input::Tables(_) => super::tables::SOURCE.to_owned(),
        }
    }
}

/// A model with another kind of input than it is fed.
pub(super) fn unfit() -> StageError {
    StateError::Corrupt("a job's model and its input are of two kinds".into()).into()
}
