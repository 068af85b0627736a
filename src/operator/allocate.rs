//! How money is laid out over strategies: weights by their forecasts, and only those moves that pay for their gas and slippage.

use std::collections::BTreeMap;

use serde::Serialize;

use super::yields::{PredictRequest, Prediction, forecasts};
use crate::bundle::yields::YieldModels;
use crate::render::layout::{self, Table};
use crate::render::{Render, lines};
use crate::sources::yields::costs::Costs;
use crate::sources::yields::error::YieldError;
use crate::sources::yields::folder::Yields;
use veriregime_core::hedge::panel::Day;
use veriregime_core::types::diagnostic::quoted;
use veriregime_core::types::time::{format_day, parse_day};
use veriregime_core::yields::Kind;
use veriregime_core::yields::risk::TRAILING_DAYS;
use veriregime_portfolio::allocate::MAX_STRATEGIES;
use veriregime_portfolio::decide::{Candidate, Policy, decide};
use veriregime_portfolio::error::PortfolioError;
use veriregime_portfolio::gate::{Holdings, Move};

/// What money in no strategy is called.
const CASH: &str = "cash";

/// What is to be laid out, and how.
#[derive(Debug)]
pub struct AllocateRequest<'a> {
    /// The strategies, and what is known of them.
    pub predict: PredictRequest<'a>,
    /// All of the money, USD.
    pub capital_usd: f64,
    /// Shares of it that lie in strategies now, by their names; the rest is cash.
    pub current: Vec<(String, f64)>,
    /// Largest share of a strategy.
    pub cap: f64,
    /// How it is laid out.
    pub policy: Policy,
    /// What moves cost.
    pub costs: Costs,
}

/// What is to be done.
#[derive(Debug, Serialize)]
pub struct Allocation {
    /// The last day that is known of any strategy.
    as_of: String,
    capital_usd: f64,
    objective: &'static str,
    /// Days in which a move must pay for itself.
    gate_days: f64,
    /// By name; shares are of the capital.
    strategies: BTreeMap<String, Share>,
    /// Share that stays cash.
    cash: f64,
    /// Moves, those that are made first.
    moves: Vec<Step>,
    /// What the made moves are expected to earn more over the gate's days, before costs.
    expected_gain_usd: f64,
    /// Gas and slippage of the made moves.
    cost_usd: f64,
    /// Expected rate of everything as it lies now, and after the moves.
    expected_apy: [f64; 2],
}

/// A strategy's part; rates and shares, not percent.
#[derive(Debug, Serialize)]
struct Share {
    pool: String,
    kind: Kind,
    model_id: String,
    apy: f64,
    interval: [f64; 2],
    volatility: f64,
    /// What lies there now.
    current: f64,
    /// What would be best, if moves cost nothing.
    target: f64,
    /// What is to lie there.
    weight: f64,
    /// What the rate leaves out.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

/// A move.
#[derive(Debug, Serialize)]
struct Step {
    from: String,
    to: String,
    usd: f64,
    /// What it would earn more over the gate's days, before costs.
    gain_usd: f64,
    cost_usd: f64,
    is_made: bool,
    why: String,
}

/// Decides.
///
/// # Errors
/// [`YieldError`] or [`PortfolioError`], or a bundle that is not usable.
pub fn allocate(request: &AllocateRequest<'_>) -> anyhow::Result<Allocation> {
    request.predict.check()?;
    let count = request.predict.strategies.len();
    if count > MAX_STRATEGIES {
        return Err(YieldError::Count { count, limit: MAX_STRATEGIES }.into());
    }
    let yields = Yields::read(request.predict.data)?;
    let said = forecasts(&request.predict, &YieldModels::open(request.predict.model)?, &yields)?.predictions;
    let names: Vec<&String> = said.keys().collect();
    let mut current: BTreeMap<&str, f64> = BTreeMap::new();
    for (name, share) in &request.current {
        if !said.contains_key(name) {
            return Err(YieldError::Unknown { name: quoted(name), similar: None }.into());
        }
        if !(0.0..=1.0).contains(share) || current.insert(name, *share).is_some() {
            return Err(number("a current weight", "it is a share from 0 to 1, once for each strategy"));
        }
    }
    let held: f64 = current.values().sum();
    if held > 1.0 + 1e-9 {
        return Err(number("the current weights", "they add up to more than everything"));
    }
    let holdings = Holdings {
        strategies_usd: names
            .iter()
            .map(|name| current.get(name.as_str()).copied().unwrap_or(0.0) * request.capital_usd)
            .collect(),
        cash_usd: (1.0 - held).max(0.0) * request.capital_usd,
    };
    let days: Vec<Day> = said.values().map(|one| parse_day(&one.as_of)).collect::<Result<_, _>>()?;
    let last = days.into_iter().max().unwrap_or(request.predict.today);
    let candidate = |one: &Prediction| {
        Ok(Candidate {
            rate: one.apy,
            deviation: one.volatility,
            daily: daily(&yields, &one.pool, last),
            leg: request.costs.leg(one.kind, &yields, last)?,
            cap: request.cap,
        })
    };
    let candidates: Vec<Candidate> = said.values().map(candidate).collect::<Result<_, YieldError>>()?;
    let decision = decide(&candidates, &holdings, &request.policy)?;
    let after = &decision.plan.after;
    let weights = after.weights();
    let shares = holdings.weights();
    let strategies = said.iter().enumerate().map(|(at, (name, one))| {
        let Prediction { pool, kind, model_id, apy, interval, volatility, note, .. } = one;
        let share = Share {
            pool: pool.clone(),
            kind: *kind,
            model_id: model_id.clone(),
            apy: *apy,
            interval: *interval,
            volatility: *volatility,
            current: shares[at],
            target: decision.target[at],
            weight: weights[at],
            note: *note,
        };
        (name.clone(), share)
    });
    let gate_days = request.policy.gate_days;
    let step = |one: &Move, is_made: bool| {
        let name = |of: Option<usize>| of.map_or_else(|| CASH.to_owned(), |at| names[at].clone());
        let Move { from, to, usd, gain_usd, cost_usd } = *one;
        let why = format!("gains {gain_usd:.2} USD in {gate_days} days and costs {cost_usd:.2}");
        Step { from: name(from), to: name(to), usd, gain_usd, cost_usd, is_made, why }
    };
    let made = decision.plan.made.iter().map(|one| step(one, true));
    let rate = |of: &Holdings| {
        let earned: f64 = of.strategies_usd.iter().zip(&candidates).map(|(usd, one)| usd * one.rate).sum();
        (earned + of.cash_usd * request.policy.cash.unwrap_or(0.0)) / of.total_usd().max(f64::MIN_POSITIVE)
    };
    Ok(Allocation {
        as_of: format_day(last),
        capital_usd: request.capital_usd,
        objective: request.policy.objective.name(),
        gate_days,
        strategies: strategies.collect(),
        cash: if after.total_usd() > 0.0 { after.cash_usd / after.total_usd() } else { 0.0 },
        moves: made.chain(decision.plan.refused.iter().map(|one| step(one, false))).collect(),
        expected_gain_usd: decision.plan.gain_usd(),
        cost_usd: decision.plan.cost_usd(),
        expected_apy: [rate(&holdings), rate(after)],
    })
}

fn number(what: &'static str, reason: &str) -> anyhow::Error {
    PortfolioError::Number { what, reason: reason.to_owned() }.into()
}

/// The last days of a pool's rates up to a day, as shares.
fn daily(yields: &Yields, pool: &str, last: Day) -> Vec<Option<f64>> {
    let series = yields.pools.get(pool).map(|pool| &pool.series);
    let rate = |day: Day| {
        let series = series?;
        Some(series.apy(series.position(day)?)? / 100.0)
    };
    (last - TRAILING_DAYS as Day + 1..=last).map(rate).collect()
}

impl Render for Allocation {
    fn text(&self) -> String {
        let percent = |share: f64| format!("{:.2} %", share * 100.0);
        let mut table = Table::new(&["strategy", "kind", "APY", "90 % interval", "volatility", "now", "best", "weight"]);
        for (name, one) in &self.strategies {
            table.add_row([
                name.clone(),
                one.kind.name().to_owned(),
                percent(one.apy),
                format!("{} to {}", percent(one.interval[0]), percent(one.interval[1])),
                percent(one.volatility),
                percent(one.current),
                percent(one.target),
                percent(one.weight),
            ]);
        }
        let mut moves = Table::new(&["from", "to", "USD", "", "why"]);
        for one in &self.moves {
            let verdict = if one.is_made { "made" } else { "refused" };
            moves.add_row([
                one.from.clone(),
                one.to.clone(),
                format!("{:.2}", one.usd),
                verdict.to_owned(),
                one.why.clone(),
            ]);
        }
        let head = format!("{:.2} USD by what was known at the end of {}", self.capital_usd, self.as_of);
        let [before, after] = self.expected_apy.map(percent);
        let sum = format!(
            "{} stay cash. The made moves gain {:.2} USD in {} days and cost {:.2}; everything is expected to earn {after} a year, {before} \
             as it lies now.",
            percent(self.cash), self.expected_gain_usd, self.gate_days, self.cost_usd
        );
        let moves = if self.moves.is_empty() { "nothing to move".to_owned() } else { moves.to_string() };
        let is_pool = self.strategies.values().any(|one| one.note.is_some());
        let note = is_pool.then(|| layout::text("Rates of liquidity pools leave out impermanent loss."));
        lines([head, table.to_string(), moves, layout::text(&sum)].into_iter().chain(note))
    }
}
