//! Money laid out over strategies by what is said of them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::outlook::unknown;
use super::prediction::Prediction;
use crate::sources::yields::error::YieldError;
use veriregime_core::hedge::panel::Day;
use veriregime_core::types::time::format_day;
use veriregime_core::yields::Kind;
use veriregime_portfolio::decide::{Candidate, Policy, decide};
use veriregime_portfolio::error::PortfolioError;
use veriregime_portfolio::gate::{Holdings, Leg, Move};
use veriregime_portfolio::problem::MAX_STRATEGIES;

/// What money in no strategy is called.
const CASH: &str = "cash";

/// A strategy that may be held.
#[derive(Debug)]
pub struct Asset<'a> {
    /// What it is called.
    pub name: &'a str,
    /// What is said of it.
    pub prediction: &'a Prediction,
    /// Its rates as shares, on the same days as those of the others.
    pub past: Vec<Option<f64>>,
    /// What entering and leaving costs.
    pub leg: Leg,
}

/// The money, and how it is laid out.
#[derive(Debug, Clone)]
pub struct Money {
    /// All of it, USD.
    pub capital_usd: f64,
    /// Shares of it that lie in strategies now, by their names; the rest is cash.
    pub current: Vec<(String, f64)>,
    /// Largest share of a strategy.
    pub cap: f64,
    /// How it is laid out.
    pub policy: Policy,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Allocation {
    /// The last day that is known of any strategy.
    pub as_of: String,
    /// All of the money, USD.
    pub capital_usd: f64,
    /// What was best.
    pub objective: &'static str,
    /// Days in which a move must pay for itself.
    pub gate_days: f64,
    /// By name; shares are of the capital.
    pub strategies: BTreeMap<String, Share>,
    /// Share that is cash afterwards.
    pub cash: f64,
    /// Moves, those that are made first.
    pub moves: Vec<Step>,
    /// What the made moves are expected to earn more over the gate's days, before costs.
    pub expected_gain_usd: f64,
    /// Gas and slippage of the made moves.
    pub cost_usd: f64,
    /// Expected rate of everything as it lies now, and after the moves.
    pub expected_apy: [f64; 2],
}

/// A strategy's part; rates and shares, not percent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Share {
    /// What publishers call it.
    pub pool: String,
    /// What it does.
    pub kind: Kind,
    /// Who forecast it.
    pub model_id: String,
    /// Expected rate a year.
    pub apy: f64,
    /// Ends of its 90 % interval.
    pub interval: [f64; 2],
    /// Expected standard deviation of its daily rate.
    pub volatility: f64,
    /// What lies there now.
    pub current: f64,
    /// What would be best, if moves cost nothing.
    pub target: f64,
    /// What is to lie there.
    pub weight: f64,
    /// What the rate leaves out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
}

/// A move.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// Where the money lies; `cash` for none of the strategies.
    pub from: String,
    /// Where it would go.
    pub to: String,
    /// How much of it.
    pub usd: f64,
    /// What it would earn more over the gate's days, before costs.
    pub gain_usd: f64,
    /// Gas and slippage.
    pub cost_usd: f64,
    /// Whether it is made.
    pub is_made: bool,
    /// Why, or why not.
    pub why: String,
}

impl Money {
    /// What lies where, by the strategies' order.
    fn holdings(&self, assets: &[Asset<'_>]) -> Result<Holdings, YieldError> {
        let number = |what: &'static str, reason: &str| PortfolioError::Number { what, reason: reason.to_owned() };
        let mut current: BTreeMap<&str, f64> = BTreeMap::new();
        for (name, share) in &self.current {
            if !assets.iter().any(|asset| asset.name == name) {
                let names: Vec<String> = assets.iter().map(|asset| asset.name.to_owned()).collect();
                return Err(unknown(names.iter(), name));
            }
            if !(0.0..=1.0).contains(share) || current.insert(name, *share).is_some() {
                return Err(number("a current share", "it is from 0 to 1, once for each strategy").into());
            }
        }
        let held: f64 = current.values().sum();
        if held > 1.0 + 1e-9 {
            return Err(number("the current shares", "they add up to more than everything").into());
        }
        let of = |asset: &Asset<'_>| current.get(asset.name).copied().unwrap_or(0.0) * self.capital_usd;
        let cash_usd = (1.0 - held).max(0.0) * self.capital_usd;
        Ok(Holdings { strategies_usd: assets.iter().map(of).collect(), cash_usd })
    }
}

/// What to do with money.
///
/// # Errors
/// [`YieldError::Count`], [`YieldError::Unknown`] for a strategy that is held and not among these, or [`PortfolioError`].
pub fn allocate(assets: &[Asset<'_>], money: &Money) -> Result<Allocation, YieldError> {
    let count = assets.len();
    if !(1..=MAX_STRATEGIES).contains(&count) {
        return Err(YieldError::Count { count, limit: MAX_STRATEGIES });
    }
    let holdings = money.holdings(assets)?;
    let candidate = |asset: &Asset<'_>| Candidate {
        rate: asset.prediction.apy,
        deviation: asset.prediction.volatility,
        daily: asset.past.clone(),
        leg: asset.leg,
        cap: money.cap,
    };
    let candidates: Vec<Candidate> = assets.iter().map(candidate).collect();
    let decision = decide(&candidates, &holdings, &money.policy)?;
    let (before, after) = (holdings.weights(), decision.plan.after.weights());
    let share = |(at, asset): (usize, &Asset<'_>)| {
        let Prediction { pool, kind, model_id, apy, interval, volatility, note, .. } = asset.prediction;
        let share = Share {
            pool: pool.clone(),
            kind: *kind,
            model_id: model_id.clone(),
            apy: *apy,
            interval: *interval,
            volatility: *volatility,
            current: before[at],
            target: decision.target[at],
            weight: after[at],
            note: *note,
        };
        (asset.name.to_owned(), share)
    };
    let gate_days = money.policy.gate_days;
    let step = |one: &Move, is_made: bool| {
        let name = |of: Option<usize>| of.map_or(CASH, |at| assets[at].name).to_owned();
        let Move { from, to, usd, gain_usd, cost_usd } = *one;
        let why = format!("gains {gain_usd:.2} USD in {gate_days} days and costs {cost_usd:.2}");
        Step { from: name(from), to: name(to), usd, gain_usd, cost_usd, is_made, why }
    };
    let rate = |of: &Holdings| {
        let earned: f64 = of.strategies_usd.iter().zip(assets).map(|(usd, one)| usd * one.prediction.apy).sum();
        let total = of.total_usd();
        if total > 0.0 { (earned + of.cash_usd * money.policy.cash.unwrap_or(0.0)) / total } else { 0.0 }
    };
    let last: Day = assets.iter().map(|asset| asset.prediction.day).max().unwrap_or_default();
    let made = decision.plan.made.iter().map(|one| step(one, true));
    Ok(Allocation {
        as_of: format_day(last),
        capital_usd: money.capital_usd,
        objective: money.policy.objective.name(),
        gate_days,
        strategies: assets.iter().enumerate().map(share).collect(),
        cash: (1.0 - after.iter().sum::<f64>()).max(0.0),
        moves: made.chain(decision.plan.refused.iter().map(|one| step(one, false))).collect(),
        expected_gain_usd: decision.plan.gain_usd(),
        cost_usd: decision.plan.cost_usd(),
        expected_apy: [rate(&holdings), rate(&decision.plan.after)],
    })
}
