//! Days that are lived through with money, under a rule.

use crate::decide::{Candidate, Policy, decide};
use crate::error::PortfolioError;
use crate::gate::{Holdings, Leg, Terms, move_always};
use crate::history::{DAYS_A_YEAR, Daily};

/// A day on which money may move, at its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// The day, counted from the first.
    pub day: usize,
    /// What is expected of each strategy: rate and deviation, shares; nothing of those that cannot be entered.
    pub expected: Vec<Option<(f64, f64)>>,
    /// What entering and leaving each costs on that day.
    pub legs: Vec<Leg>,
}

/// How money is moved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule<'a> {
    /// Equal parts of all that can be entered on the first turn, and never again.
    EqualHeld,
    /// By a policy, with this cap for each strategy and so many days of the past.
    Follow {
        /// The policy.
        policy: &'a Policy,
        /// Largest weight of each.
        cap: f64,
        /// Days of the past that tell covariances and drawdowns.
        past_days: usize,
    },
}

/// What a rule came to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Life {
    /// What was there at the end of the last day, USD.
    pub end_usd: f64,
    /// Moves that were made.
    pub made: usize,
    /// Moves that were refused.
    pub refused: usize,
    /// Gas and slippage, USD.
    pub cost_usd: f64,
}

impl Life {
    /// What it came to a year, after costs.
    pub fn net_apy(&self, start_usd: f64, days: usize) -> f64 {
        (self.end_usd / start_usd).powf(DAYS_A_YEAR / days.max(1) as f64) - 1.0
    }
}

/// Lives from the first turn to the last of the days. `daily` has the rates that came, which a strategy earns on the days after a
/// turn; on a day without one it earns nothing.
///
/// # Errors
/// [`PortfolioError`] of a turn.
pub fn live(start_usd: f64, turns: &[Turn], daily: &[Daily], rule: Rule<'_>) -> Result<Life, PortfolioError> {
    let mut held = Holdings { strategies_usd: vec![0.0; daily.len()], cash_usd: start_usd };
    let mut life = Life::default();
    for (number, turn) in turns.iter().enumerate() {
        match rule {
            Rule::EqualHeld if number > 0 => {}
            Rule::EqualHeld => {
                let count = turn.expected.iter().flatten().count().max(1) as f64;
                let target: Vec<f64> = turn.expected.iter().map(|one| one.map_or(0.0, |_| 1.0 / count)).collect();
                let rates = vec![0.0; daily.len()];
                let terms = Terms { rates: &rates, legs: &turn.legs, cash_rate: 0.0, days: 1.0 };
                let plan = move_always(&held, &target, &terms)?;
                life.count(plan.made.len(), plan.refused.len(), plan.cost_usd());
                held = plan.after;
            }
            Rule::Follow { policy, cap, past_days } => held = life.follow(held, turn, daily, policy, cap, past_days)?,
        }
        let end = turns.get(number + 1).map_or(usize::MAX, |next| next.day);
        for (usd, rates) in held.strategies_usd.iter_mut().zip(daily) {
            *usd *= growth(rates, turn.day, end);
        }
    }
    life.end_usd = held.total_usd();
    Ok(life)
}

impl Life {
    fn count(&mut self, made: usize, refused: usize, cost_usd: f64) {
        self.made += made;
        self.refused += refused;
        self.cost_usd += cost_usd;
    }

    /// One turn by a policy: of strategies that can be entered, and of those that hold money.
    fn follow(
        &mut self,
        mut held: Holdings,
        turn: &Turn,
        daily: &[Daily],
        policy: &Policy,
        cap: f64,
        past_days: usize,
    ) -> Result<Holdings, PortfolioError> {
        let is_there = |place: &usize| turn.expected[*place].is_some() || held.strategies_usd[*place] > 0.0;
        let places: Vec<usize> = (0..daily.len()).filter(is_there).collect();
        let past = (turn.day + 1).saturating_sub(past_days)..=turn.day;
        let candidate = |place: &usize| {
            let (rate, deviation) = turn.expected[*place].unwrap_or_default();
            let cap = if turn.expected[*place].is_some() { cap } else { 0.0 };
            let daily = past.clone().map(|day| daily[*place].get(day).copied().flatten()).collect();
            Candidate { rate, deviation, daily, leg: turn.legs[*place], cap }
        };
        if places.is_empty() {
            return Ok(held);
        }
        let candidates: Vec<Candidate> = places.iter().map(candidate).collect();
        let own = Holdings {
            strategies_usd: places.iter().map(|place| held.strategies_usd[*place]).collect(),
            cash_usd: held.cash_usd,
        };
        let plan = decide(&candidates, &own, policy)?.plan;
        self.count(plan.made.len(), plan.refused.len(), plan.cost_usd());
        held.cash_usd = plan.after.cash_usd;
        for (place, usd) in places.iter().zip(plan.after.strategies_usd) {
            held.strategies_usd[*place] = usd.max(0.0);
        }
        Ok(held)
    }
}

/// The most that could have been there at the end by whoever knew all that came, always with everything in one strategy or in cash.
///
/// More money is never worth less later, so that of every place the largest sum is the only one that counts.
pub fn foreseen(start_usd: f64, turns: &[Turn], daily: &[Daily]) -> f64 {
    let mut best = vec![0.0_f64; daily.len()];
    let mut cash = start_usd;
    for (number, turn) in turns.iter().enumerate() {
        let left = |place: usize, usd: f64| usd * (1.0 - turn.legs[place].slippage) - turn.legs[place].gas_usd;
        let out = best.iter().enumerate().map(|(place, usd)| left(place, *usd)).fold(cash, f64::max);
        let end = turns.get(number + 1).map_or(usize::MAX, |next| next.day);
        for (place, usd) in best.iter_mut().enumerate() {
            let entered = if turn.expected[place].is_some() { left(place, out) } else { 0.0 };
            *usd = usd.max(entered).max(0.0) * growth(&daily[place], turn.day, end);
        }
        cash = out;
    }
    best.into_iter().fold(cash, f64::max)
}

/// What 1 becomes on the days after `from` up to `to`.
fn growth(rates: &Daily, from: usize, to: usize) -> f64 {
    let days = rates.iter().take(to.saturating_add(1)).skip(from + 1).flatten();
    days.fold(1.0, |value, rate| value * (1.0 + rate / DAYS_A_YEAR).max(0.0))
}

#[cfg(test)]
#[path = "live_tests.rs"]
mod tests;
