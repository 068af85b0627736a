//! What is answered from the last forecasts of a node's strategies.

use std::collections::BTreeMap;

use super::allocation::{Allocation, Asset, Money, allocate};
use super::prediction::Prediction;
use super::{Forecasts, MAX_ASKED};
use crate::sources::yields::costs::Costs;
use crate::sources::yields::error::YieldError;
use veriregime_core::hedge::panel::Day;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::yields::HORIZON_DAYS;

/// Why there is no answer, for whoever asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Stable code.
    pub code: &'static str,
    /// What is wrong, in words.
    pub message: String,
    /// What to do about it.
    pub hint: &'static str,
}

/// Money that is to be laid out over strategies of a node.
#[derive(Debug)]
pub struct Asked {
    /// Their names; all of which something can be said where empty.
    pub names: Vec<String>,
    /// The money.
    pub money: Money,
    /// Gas of a transaction, USD; by the node's tables where absent.
    pub gas_usd: Option<f64>,
    /// Lost of an amount that enters or leaves, basis points; what is assumed of the kind where absent.
    pub slippage_bps: Option<f64>,
}

impl<T: Diagnostic> From<&T> for Refusal {
    fn from(fault: &T) -> Self {
        Self { code: fault.code(), message: fault.to_string(), hint: fault.hint() }
    }
}

impl Forecasts {
    /// What is said of these strategies, for who asks on a day.
    ///
    /// # Errors
    /// [`Refusal`]: another horizon, no strategies or too many, one that is not known, data that are too old, or nothing to say.
    pub fn asked(
        &self,
        names: &[String],
        horizon_days: i64,
        today: Day,
    ) -> Result<BTreeMap<String, Prediction>, Refusal> {
        if usize::try_from(horizon_days) != Ok(HORIZON_DAYS) {
            return Err((&YieldError::Horizon { days: horizon_days }).into());
        }
        let count = names.len();
        if !(1..=MAX_ASKED).contains(&count) {
            return Err((&YieldError::Count { count, limit: MAX_ASKED }).into());
        }
        names.iter().map(|name| Ok((name.clone(), self.said(name, today)?))).collect()
    }

    /// What is said of a strategy, for who asks on a day.
    ///
    /// # Errors
    /// As [`Forecasts::asked`].
    pub fn said(&self, name: &str, today: Day) -> Result<Prediction, Refusal> {
        let said = self.of(name, today).map_err(|fault| Refusal::from(&fault))?;
        Ok(said.map_err(Refusal::from)?.seen_on(today))
    }

    /// What to do with money.
    ///
    /// # Errors
    /// As [`Forecasts::asked`], limits that no portfolio keeps to, or a cost that is not known.
    pub fn allocation(&self, asked: &Asked, today: Day) -> Result<Allocation, Refusal> {
        let mut said = BTreeMap::new();
        if asked.names.is_empty() {
            let all = self.strategies.keys().filter_map(|name| Some((name.clone(), self.said(name, today).ok()?)));
            said.extend(all);
        } else {
            said = self.asked(&asked.names, HORIZON_DAYS as i64, today)?;
        }
        let costs = Costs { gas_usd: asked.gas_usd, slippage_bps: asked.slippage_bps };
        let asset = |(name, prediction): (&'_ String, &'_ Prediction)| {
            let leg = costs.over(prediction.kind, self.gas_usd.get(&prediction.kind).copied(), self.day)?;
            let past = self.strategies.get(name).map_or_else(Vec::new, |found| found.past.clone());
            Ok((past, leg))
        };
        let assets: Vec<_> =
            said.iter().map(asset).collect::<Result<_, YieldError>>().map_err(|fault| Refusal::from(&fault))?;
        let assets: Vec<Asset<'_>> = said
            .iter()
            .zip(assets)
            .map(|((name, prediction), (past, leg))| Asset { name, prediction, past, leg })
            .collect();
        allocate(&assets, &asked.money).map_err(|fault| Refusal::from(&fault))
    }
}
