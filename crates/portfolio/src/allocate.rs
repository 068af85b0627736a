//! Weights of strategies: the best that keep to limits.

use crate::drawdown::min_drawdown;
use crate::error::PortfolioError;
use crate::problem::{DUST, Limits, Objective, Open, Problem};
use crate::quadratic::{max_sharpe, mean_variance};

/// The best weights; what they leave of 1 is cash.
///
/// The smallest position is kept to by passes: the smaller half of the positions below it are closed and the rest is solved again,
/// until none is below. Where closing leaves no portfolio, they are raised to it instead. A pass closes or raises one at least.
///
/// # Errors
/// [`PortfolioError`].
pub fn allocate(problem: &Problem<'_>, objective: Objective) -> Result<Vec<f64>, PortfolioError> {
    problem.check(objective)?;
    let count = problem.rates.len();
    let Limits { caps, min_position, .. } = problem.limits;
    let places = (0..count).filter(|place| caps[*place] >= min_position.max(DUST)).collect::<Vec<_>>();
    let mut open = Open { problem, floors: vec![0.0; places.len()], places };
    let mut found = best(&open, objective)?.ok_or(open.why())?;
    loop {
        let is_small = |weight: f64| weight > 0.0 && weight < min_position - DUST;
        let mut small: Vec<usize> = (0..found.len()).filter(|at| is_small(found[*at])).collect();
        if small.is_empty() {
            break;
        }
        small.sort_by(|one, other| found[*one].total_cmp(&found[*other]));
        small.truncate(small.len().div_ceil(2));
        let without = open.without(&small);
        let closed =
            if without.places.is_empty() && problem.limits.cash.is_none() { None } else { best(&without, objective)? };
        if let Some(weights) = closed {
            (open, found) = (without, weights);
        } else {
            for at in small {
                open.floors[at] = *min_position;
            }
            found = best(&open, objective)?.ok_or(PortfolioError::Infeasible {
                reason: "the smallest position is too large for what the caps leave",
            })?;
        }
    }
    let mut weights = vec![0.0; count];
    for (place, weight) in open.places.iter().zip(found) {
        weights[*place] = weight;
    }
    Ok(weights)
}

/// The best weights of what is open, without what the solver leaves of zero; nothing where there are none.
fn best(open: &Open<'_>, objective: Objective) -> Result<Option<Vec<f64>>, PortfolioError> {
    if open.places.is_empty() {
        return Ok(open.problem.limits.cash.map(|_| Vec::new()));
    }
    let found = match objective {
        Objective::MeanVariance { risk_aversion } => mean_variance(open, risk_aversion)?,
        Objective::MaxSharpe => max_sharpe(open)?,
        Objective::MinDrawdown { confidence } => min_drawdown(open, confidence)?,
    };
    Ok(found.map(|weights| open.cleaned(&weights)))
}

#[cfg(test)]
#[path = "allocate_tests.rs"]
mod tests;
