//! The demo's money: laid out each day by what was forecast, moved only where that pays.

use std::collections::BTreeMap;

use anyhow::Context;
use serde::Serialize;

use crate::job::yields::Forecasts;
use crate::job::yields::allocation::{Allocation, Money};
use crate::job::yields::answer::Asked;
use veriregime_core::hedge::panel::Day;
use veriregime_core::yields::HORIZON_DAYS;
use veriregime_portfolio::decide::Policy;
use veriregime_portfolio::problem::Objective;

/// What is laid out, all of it cash in the beginning.
pub const START_USD: f64 = 100_000.0;
/// Gas of a transaction.
pub const GAS_USD: f64 = 2.0;
/// Largest part of a strategy.
const CAP: f64 = 0.6;
const DAYS_A_YEAR: f64 = 365.0;

/// What a day did to the money.
#[derive(Debug, Clone, Serialize)]
pub struct MoneyRow {
    /// Parts of it, by strategy.
    pub weights: BTreeMap<String, f64>,
    /// Moves that were made, and those that the gate refused.
    pub made: usize,
    pub refused: usize,
    /// Gas and slippage.
    pub cost_usd: f64,
    /// All of it at the day's end.
    pub worth_usd: f64,
}

/// The money.
#[derive(Debug)]
pub(super) struct Portfolio {
    usd: BTreeMap<String, f64>,
    cash_usd: f64,
}

impl Portfolio {
    /// All of it cash.
    pub(super) fn new() -> Self {
        Self { usd: BTreeMap::new(), cash_usd: START_USD }
    }

    fn worth_usd(&self) -> f64 {
        self.cash_usd + self.usd.values().sum::<f64>()
    }

    /// Moves what pays for itself within the days that are forecast, then lets it earn what the day really paid: `rate` is a
    /// strategy's in percent a year.
    pub(super) fn day(
        &mut self,
        forecasts: &Forecasts,
        today: Day,
        rate: impl Fn(&str) -> Option<f64>,
    ) -> anyhow::Result<MoneyRow> {
        let worth_usd = self.worth_usd();
        let policy = Policy {
            objective: Objective::MeanVariance { risk_aversion: 1.0 },
            min_position: 0.0,
            cash: Some(0.0),
            gate_days: HORIZON_DAYS as f64,
            is_open: false,
        };
        let current = self.usd.iter().map(|(name, usd)| (name.clone(), (usd / worth_usd).min(1.0))).collect();
        let money = Money { capital_usd: worth_usd, current, cap: CAP, policy };
        let asked = Asked { names: Vec::new(), money, gas_usd: Some(GAS_USD), slippage_bps: None };
        let said = forecasts.allocation(&asked, today);
        let said: Allocation = said.map_err(|refusal| anyhow::anyhow!("{} {}", refusal.code, refusal.message))?;
        let left_usd = worth_usd - said.cost_usd;
        self.usd = said.strategies.iter().map(|(name, share)| (name.clone(), share.weight * left_usd)).collect();
        self.cash_usd = said.cash * left_usd;
        for (name, usd) in &mut self.usd {
            *usd *= 1.0 + rate(name).context("a strategy has no rate on a day of the demo")? / 100.0 / DAYS_A_YEAR;
        }
        let made = said.moves.iter().filter(|step| step.is_made).count();
        Ok(MoneyRow {
            weights: said.strategies.into_iter().map(|(name, share)| (name, share.weight)).collect(),
            made,
            refused: said.moves.len() - made,
            cost_usd: said.cost_usd,
            worth_usd: self.worth_usd(),
        })
    }
}
