//! What a job's forecasts are made from.

use std::sync::Arc;

use super::Agent;
use super::candles::CandleService;
use super::feeds::Feeds;
use super::tables::{Country, TableService};
use super::yields::YieldService;
use crate::forecast::JobModel;
use crate::job::error::StageError;
use crate::state::error::StateError;
use veriregime_core::forecast::RegimeModel;
use veriregime_core::yields::Strategy;
use veriregime_core::yields::model::StrategyModel;

/// Where what a model is fed comes from.
#[derive(Debug)]
pub enum Input {
    /// Candles of exchanges.
    Candles(CandleInput),
    /// Tables of publishers, shared with every other job that is fed by them.
    Tables(Arc<TableService>),
    /// Tables of strategies, shared with every other job that is fed by them.
    Strategies(Arc<YieldService>),
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

/// A job of a strategy's yield, with where its days come from.
#[derive(Debug, Clone, Copy)]
pub struct OfStrategy<'a> {
    pub model: &'a StrategyModel,
    pub strategy: &'a Strategy,
    pub service: &'a YieldService,
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

    /// The job as one of a strategy's yield, where it is one.
    pub fn strategy(&self) -> Option<OfStrategy<'_>> {
        match (&self.model, &self.input) {
            (JobModel::Strategy { model, strategy }, Input::Strategies(service)) => {
                Some(OfStrategy { model, strategy, service })
            }
            _ => None,
        }
    }

    /// The name of what the model is fed by first.
    pub fn source_name(&self) -> String {
        match &self.input {
            Input::Candles(input) => input.feeds.primary().name.clone(),
            Input::Tables(_) | Input::Strategies(_) => super::tables::SOURCE.to_owned(),
        }
    }
}

/// A model with another kind of input than it is fed.
pub(super) fn unfit() -> StageError {
    StateError::Corrupt("a job's model and its input are of two kinds".into()).into()
}
