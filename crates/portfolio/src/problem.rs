//! What weights are chosen by, and what they must keep to.

use crate::error::PortfolioError;
use crate::program::Program;

/// Most strategies of a portfolio.
pub const MAX_STRATEGIES: usize = 200;
/// Days of the past at most.
pub const MAX_DAYS: usize = 400;
/// A weight below this is none: what the solver leaves of zero.
pub(crate) const DUST: f64 = 1e-5;
/// How far sums of weights and caps may miss 1.
const TOLERANCE: f64 = 1e-9;

/// What is best.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Objective {
    /// The highest rate less half of the variance times an aversion.
    MeanVariance {
        /// The aversion; 0 looks at the rate alone.
        risk_aversion: f64,
    },
    /// The highest rate in excess of cash, in standard deviations.
    MaxSharpe,
    /// The smallest mean of the worst drawdowns of the past.
    MinDrawdown {
        /// Share of days that do not count as the worst.
        confidence: f64,
    },
}

impl Objective {
    /// Its name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::MeanVariance { .. } => "mean_variance",
            Self::MaxSharpe => "max_sharpe",
            Self::MinDrawdown { .. } => "min_drawdown",
        }
    }
}

/// What weights must keep to.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Largest weight of each strategy.
    pub caps: Vec<f64>,
    /// Smallest weight that is not zero.
    pub min_position: f64,
    /// What cash earns a year, where some may be left; otherwise everything is invested.
    pub cash: Option<f64>,
}

/// What weights are chosen by.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    /// Expected rate of each strategy, a share a year.
    pub rates: &'a [f64],
    /// Covariance of the rates.
    pub covariance: &'a [Vec<f64>],
    /// What each strategy had earned since the start at the end of each of the past days, a share.
    pub paths: &'a [Vec<f64>],
    /// The limits.
    pub limits: &'a Limits,
}

/// A problem with only some of its strategies, which may have to be held.
#[derive(Debug)]
pub(crate) struct Open<'a> {
    pub problem: &'a Problem<'a>,
    /// Places of the strategies.
    pub places: Vec<usize>,
    /// What is held of each at least.
    pub floors: Vec<f64>,
}

impl Open<'_> {
    /// Weights within their caps, whose sum is that of before, and never more than 1.
    pub fn cleaned(&self, weights: &[f64]) -> Vec<f64> {
        let sum = if self.problem.limits.cash.is_some() { weights.iter().sum::<f64>().min(1.0) } else { 1.0 };
        let caps = || self.places.iter().map(|place| self.problem.limits.caps[*place]);
        let mut kept: Vec<f64> = weights
            .iter()
            .zip(caps())
            .map(|(weight, cap)| if *weight < DUST { 0.0 } else { weight.min(cap) })
            .collect();
        let missing = sum - kept.iter().sum::<f64>();
        let room: f64 =
            kept.iter().zip(caps()).filter(|(weight, _)| **weight > 0.0).map(|(weight, cap)| cap - weight).sum();
        let total: f64 = kept.iter().sum();
        for (weight, cap) in kept.iter_mut().zip(caps()).filter(|(weight, _)| **weight > 0.0) {
            *weight += if missing < 0.0 {
                missing * *weight / total
            } else if room > 0.0 {
                missing.min(room) * (cap - *weight) / room
            } else {
                0.0
            };
        }
        kept
    }

    /// The same without these.
    pub fn without(&self, closed: &[usize]) -> Self {
        let kept = || (0..self.places.len()).filter(|at| !closed.contains(at));
        Self {
            problem: self.problem,
            places: kept().map(|at| self.places[at]).collect(),
            floors: kept().map(|at| self.floors[at]).collect(),
        }
    }

    /// Rates beyond that of cash.
    pub fn excess(&self) -> impl Iterator<Item = f64> {
        let cash = self.problem.limits.cash.unwrap_or(0.0);
        self.places.iter().map(move |place| self.problem.rates[*place] - cash)
    }

    /// Adds the limits on weights, which are the first variables.
    pub fn limit(&self, program: &mut Program) {
        let sum = (0..self.places.len()).map(|variable| (variable, 1.0)).collect();
        if self.problem.limits.cash.is_some() { &mut program.at_most } else { &mut program.equal }.push((sum, 1.0));
        for (variable, (place, floor)) in self.places.iter().zip(&self.floors).enumerate() {
            program.between(variable, *floor, self.problem.limits.caps[*place]);
        }
    }

    /// Why the whole problem has no answer.
    pub fn why(&self) -> PortfolioError {
        let caps: f64 = self.places.iter().map(|place| self.problem.limits.caps[*place]).sum();
        PortfolioError::Infeasible {
            reason: if caps < 1.0 - TOLERANCE {
                "the caps add up to less than everything, and no cash is allowed"
            } else {
                "nothing is expected to earn more than nothing, and no cash is allowed"
            },
        }
    }
}

impl Problem<'_> {
    /// Refuses what is none.
    pub(crate) fn check(&self, objective: Objective) -> Result<(), PortfolioError> {
        let count = self.rates.len();
        if !(1..=MAX_STRATEGIES).contains(&count) {
            return Err(PortfolioError::Count { count, limit: MAX_STRATEGIES });
        }
        let refuse = |what: &'static str, reason: &str| Err(PortfolioError::Number { what, reason: reason.to_owned() });
        let is_share = |share: &f64| (0.0..=1.0).contains(share);
        let Limits { caps, min_position, cash } = self.limits;
        if self.rates.iter().chain(cash).any(|rate| !rate.is_finite()) {
            return refuse("a rate", "it is no number");
        }
        if caps.len() != count || !caps.iter().all(is_share) {
            return refuse("a cap", "there is one for each strategy, from 0 to 1");
        }
        if !is_share(min_position) {
            return refuse("the smallest position", "it is a share from 0 to 1");
        }
        let is_square = self.covariance.len() == count && self.covariance.iter().all(|row| row.len() == count);
        if !is_square || self.covariance.iter().flatten().any(|value| !value.is_finite()) {
            return refuse("the covariance", "it has a number for each pair of strategies");
        }
        let is_path = |path: &Vec<f64>| path.len() == count && path.iter().all(|value| value.is_finite());
        if self.paths.len() > MAX_DAYS || !self.paths.iter().all(is_path) {
            return refuse("the past", "it has a number for each strategy and day, of 400 days at most");
        }
        match objective {
            Objective::MeanVariance { risk_aversion } if !(risk_aversion >= 0.0 && risk_aversion.is_finite()) => {
                refuse("the aversion to risk", "it is 0 or more")
            }
            Objective::MinDrawdown { confidence } if !(0.0..1.0).contains(&confidence) => {
                refuse("the confidence", "it is a share from 0 to below 1")
            }
            Objective::MinDrawdown { .. } if self.paths.is_empty() => refuse("the past", "drawdowns need some days"),
            _ => Ok(()),
        }
    }
}
