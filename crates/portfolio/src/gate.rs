//! The cost gate: money moves only where the gain over a stated time exceeds what the move costs.

use crate::error::PortfolioError;
use crate::history::DAYS_A_YEAR;

/// Amounts below this are not moved, USD.
const LEAST_USD: f64 = 0.01;
/// Largest sum and longest time that are believed.
const MAX_USD: f64 = 1e12;
const MAX_DAYS: f64 = 3650.0;

/// What it costs to enter a strategy, and to leave it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leg {
    /// Gas, USD.
    pub gas_usd: f64,
    /// What is lost of the amount: fees and slippage.
    pub slippage: f64,
}

/// What moves are judged by. Cash is left and entered for nothing.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// Expected rate of each strategy, a share a year.
    pub rates: &'a [f64],
    /// What each costs.
    pub legs: &'a [Leg],
    /// What cash earns a year.
    pub cash_rate: f64,
    /// Days in which a move must pay for itself.
    pub days: f64,
}

/// What lies where, USD.
#[derive(Debug, Clone, PartialEq)]
pub struct Holdings {
    /// In each strategy.
    pub strategies_usd: Vec<f64>,
    /// Cash.
    pub cash_usd: f64,
}

/// A move of money; cash is no strategy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Move {
    /// Where it lies.
    pub from: Option<usize>,
    /// Where it would go.
    pub to: Option<usize>,
    /// How much of it.
    pub usd: f64,
    /// What it would earn more there over the stated time, before costs.
    pub gain_usd: f64,
    /// Gas and slippage.
    pub cost_usd: f64,
}

/// What is moved, and what is not.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What lies where afterwards.
    pub after: Holdings,
    /// Moves that are made.
    pub made: Vec<Move>,
    /// Moves that do not pay.
    pub refused: Vec<Move>,
}

impl Holdings {
    /// Everything.
    pub fn total_usd(&self) -> f64 {
        self.cash_usd + self.strategies_usd.iter().sum::<f64>()
    }

    /// Shares of the strategies.
    pub fn weights(&self) -> Vec<f64> {
        let total = self.total_usd();
        self.strategies_usd.iter().map(|usd| if total > 0.0 { usd / total } else { 0.0 }).collect()
    }

    fn place(&mut self, of: Option<usize>) -> &mut f64 {
        match of {
            Some(place) => &mut self.strategies_usd[place],
            None => &mut self.cash_usd,
        }
    }
}

impl Plan {
    /// What all made moves cost.
    pub fn cost_usd(&self) -> f64 {
        self.made.iter().fold(0.0, |sum, one| sum + one.cost_usd)
    }

    /// What all made moves are expected to earn over the stated time, before costs.
    pub fn gain_usd(&self) -> f64 {
        self.made.iter().fold(0.0, |sum, one| sum + one.gain_usd)
    }
}

/// Towards the weights `target`, by those moves alone that pay: at the expected rates, what arrives has earned more at the end of
/// the stated time than what left would have. Until then it is behind by the cost at most. A strategy's gas is paid once.
///
/// # Errors
/// [`PortfolioError::Number`].
pub fn move_where_it_pays(holdings: &Holdings, target: &[f64], terms: &Terms<'_>) -> Result<Plan, PortfolioError> {
    terms.plan(holdings, target, |one| terms.net_usd(one) > 0.0)
}

/// Towards the weights `target`, by every move that is larger than its cost.
///
/// # Errors
/// [`PortfolioError::Number`].
pub fn move_always(holdings: &Holdings, target: &[f64], terms: &Terms<'_>) -> Result<Plan, PortfolioError> {
    terms.plan(holdings, target, |_| true)
}

impl Terms<'_> {
    fn plan(
        &self,
        holdings: &Holdings,
        target: &[f64],
        is_made: impl Fn(&Move) -> bool,
    ) -> Result<Plan, PortfolioError> {
        self.check(holdings, target)?;
        let mut plan = Plan { after: holdings.clone(), made: Vec::new(), refused: Vec::new() };
        let (mut left, mut entered) = (vec![false; target.len()], vec![false; target.len()]);
        for (from, to, usd) in self.transfers(holdings, target) {
            let fixed = |of: Option<usize>, paid: &[bool]| {
                of.filter(|place| !paid[*place]).map_or(0.0, |place| self.legs[place].gas_usd)
            };
            let slippage = |of: Option<usize>| of.map_or(0.0, |place| self.legs[place].slippage);
            let cost_usd = fixed(from, &left) + fixed(to, &entered) + usd * (slippage(from) + slippage(to));
            let gain_usd = usd * (self.rate(to) - self.rate(from)) * self.years();
            let one = Move { from, to, usd, gain_usd, cost_usd };
            if cost_usd < usd && is_made(&one) {
                *plan.after.place(from) -= usd;
                *plan.after.place(to) += usd - cost_usd;
                for (of, paid) in [(from, &mut left), (to, &mut entered)] {
                    if let Some(place) = of {
                        paid[place] = true;
                    }
                }
                plan.made.push(one);
            } else {
                plan.refused.push(one);
            }
        }
        Ok(plan)
    }

    /// What a move is ahead by at the end of the stated time.
    fn net_usd(&self, one: &Move) -> f64 {
        let grown = |of: Option<usize>| 1.0 + self.rate(of) * self.years();
        (one.usd - one.cost_usd) * grown(one.to) - one.usd * grown(one.from)
    }

    fn rate(&self, of: Option<usize>) -> f64 {
        of.map_or(self.cash_rate, |place| self.rates[place])
    }

    fn years(&self) -> f64 {
        self.days / DAYS_A_YEAR
    }

    /// What must go from where to where: the lowest rates to the highest ones first. Fewer than there are places.
    fn transfers(&self, holdings: &Holdings, target: &[f64]) -> Vec<(Option<usize>, Option<usize>, f64)> {
        let total = holdings.total_usd();
        let wanted = (1.0 - target.iter().sum::<f64>()).max(0.0) * total - holdings.cash_usd;
        let mut missing: Vec<(Option<usize>, f64)> = vec![(None, wanted)];
        let strategies = target.iter().zip(&holdings.strategies_usd).enumerate();
        missing.extend(strategies.map(|(place, (weight, usd))| (Some(place), weight * total - usd)));
        let side = |sign: f64| {
            missing.iter().filter(move |(_, usd)| sign * usd >= LEAST_USD).map(|(of, usd)| (*of, usd.abs()))
        };
        let (mut from, mut to): (Vec<_>, Vec<_>) = (side(-1.0).collect(), side(1.0).collect());
        // The next one of each is the last.
        from.sort_by(|one, other| self.rate(other.0).total_cmp(&self.rate(one.0)));
        to.sort_by(|one, other| self.rate(one.0).total_cmp(&self.rate(other.0)));
        let mut transfers = Vec::with_capacity(from.len() + to.len());
        while let (Some((source, has)), Some((sink, needs))) = (from.last_mut(), to.last_mut()) {
            let usd = has.min(*needs);
            transfers.push((*source, *sink, usd));
            (*has, *needs) = (*has - usd, *needs - usd);
            if *needs < LEAST_USD {
                to.pop();
            }
            if from.last().is_some_and(|(_, has)| *has < LEAST_USD) {
                from.pop();
            }
        }
        transfers
    }

    fn check(&self, holdings: &Holdings, target: &[f64]) -> Result<(), PortfolioError> {
        let refuse = |what: &'static str, reason: &str| Err(PortfolioError::Number { what, reason: reason.to_owned() });
        let count = target.len();
        if [self.rates.len(), self.legs.len(), holdings.strategies_usd.len()] != [count; 3] {
            return refuse("the portfolio", "each strategy has a rate, a cost and an amount");
        }
        if !self.rates.iter().chain([&self.cash_rate]).all(|rate| rate.is_finite()) {
            return refuse("a rate", "it is no number");
        }
        let is_cost = |leg: &Leg| (0.0..=MAX_USD).contains(&leg.gas_usd) && (0.0..1.0).contains(&leg.slippage);
        if !self.legs.iter().all(is_cost) {
            return refuse("a cost", "gas is 0 or more, slippage a share from 0 to below 1");
        }
        if !holdings.strategies_usd.iter().chain([&holdings.cash_usd]).all(|usd| (0.0..=MAX_USD).contains(usd)) {
            return refuse("an amount", "it is 0 or more, in USD");
        }
        if !(self.days > 0.0 && self.days <= MAX_DAYS) {
            return refuse("the time in which a move must pay", "it is above 0 days and at most ten years");
        }
        if !target.iter().all(|weight| (0.0..=1.0).contains(weight)) || target.iter().sum::<f64>() > 1.0 + 1e-6 {
            return refuse("a weight", "it is from 0 to 1, and all of them are 1 at most");
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "gate_tests.rs"]
mod tests;
