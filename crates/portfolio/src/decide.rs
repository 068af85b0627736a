//! What to do with what is held: the best weights by what is expected, and the moves towards them that pay.

use crate::allocate::allocate;
use crate::error::PortfolioError;
use crate::gate::{Holdings, Leg, Plan, Terms, move_always, move_where_it_pays};
use crate::history::{Daily, covariance, paths};
use crate::problem::{Limits, Objective, Problem};

/// A strategy that may be held.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Expected rate, a share a year.
    pub rate: f64,
    /// Expected standard deviation of the daily rate.
    pub deviation: f64,
    /// Its past, on the same days as that of all others.
    pub daily: Daily,
    /// What entering and leaving costs.
    pub leg: Leg,
    /// Largest weight; 0 where it is only to be left.
    pub cap: f64,
}

/// How money is laid out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// What is best.
    pub objective: Objective,
    /// Smallest weight that is not zero.
    pub min_position: f64,
    /// What cash earns a year, where some may be left.
    pub cash: Option<f64>,
    /// Days in which a move must pay for itself.
    pub gate_days: f64,
    /// Whether moves that do not pay are made, too.
    pub is_open: bool,
}

/// What is wanted, and what is done towards it.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The best weights, without regard to costs.
    pub target: Vec<f64>,
    /// Moves, and what lies where after them.
    pub plan: Plan,
}

/// Decides.
///
/// # Errors
/// [`PortfolioError`].
pub fn decide(candidates: &[Candidate], held: &Holdings, policy: &Policy) -> Result<Decision, PortfolioError> {
    let of = |number: &dyn Fn(&Candidate) -> f64| candidates.iter().map(number).collect::<Vec<f64>>();
    let rates = of(&|one| one.rate);
    let daily: Vec<Daily> = candidates.iter().map(|one| one.daily.clone()).collect();
    let limits = Limits { caps: of(&|one| one.cap), min_position: policy.min_position, cash: policy.cash };
    let problem = Problem {
        rates: &rates,
        covariance: &covariance(&daily, &of(&|one| one.deviation)),
        paths: &paths(&daily),
        limits: &limits,
    };
    let target = allocate(&problem, policy.objective)?;
    let legs: Vec<Leg> = candidates.iter().map(|one| one.leg).collect();
    let terms = Terms { rates: &rates, legs: &legs, cash_rate: policy.cash.unwrap_or(0.0), days: policy.gate_days };
    let moves = if policy.is_open { move_always } else { move_where_it_pays };
    let plan = moves(held, &target, &terms)?;
    Ok(Decision { target, plan })
}
