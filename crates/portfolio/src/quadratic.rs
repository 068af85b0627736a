//! Portfolios by mean and variance (Markowitz 1952), and the one of the highest Sharpe ratio.

use crate::error::PortfolioError;
use crate::problem::Open;
use crate::program::Program;

/// What the scale of the ratio costs, so that it is the smallest of those that are equally good.
const SCALE_COST: f64 = 1e-6;

/// `max r′w − ½ a · w′Vw`, in excess of what cash earns.
pub(crate) fn mean_variance(open: &Open<'_>, risk_aversion: f64) -> Result<Option<Vec<f64>>, PortfolioError> {
    let mut program = Program::new(open.places.len());
    program.quadratic = upper(open, risk_aversion);
    program.linear = open.excess().map(|excess| -excess).collect();
    open.limit(&mut program);
    program.solve()
}

/// The highest `r′w / √(w′Vw)`, in excess of what cash earns: with `y = κw` this is `min y′Vy` where `r′y = 1`, a convex program
/// (Cornuejols and Tütüncü, Optimization Methods in Finance, 8.2). With cash the ratio is the same for any part that is invested;
/// as much is as the caps allow.
pub(crate) fn max_sharpe(open: &Open<'_>) -> Result<Option<Vec<f64>>, PortfolioError> {
    let count = open.places.len();
    let highest = open.excess().fold(0.0, f64::max);
    if highest <= 0.0 {
        // Cash is the best there is.
        return Ok(open
            .problem
            .limits
            .cash
            .and(open.floors.iter().all(|floor| *floor == 0.0).then(|| vec![0.0; count])));
    }
    let spread = open.places.iter().map(|place| open.problem.covariance[*place][*place]).sum::<f64>() / count as f64;
    let mut program = Program::new(count + 1);
    program.quadratic = upper(open, 2.0 / spread.max(f64::MIN_POSITIVE));
    program.linear[count] = SCALE_COST;
    program.equal.push((open.excess().map(|excess| excess / highest).enumerate().collect(), 1.0));
    let mut sum: Vec<(usize, f64)> = (0..count).map(|place| (place, 1.0)).collect();
    sum.push((count, -1.0));
    if open.problem.limits.cash.is_some() { &mut program.at_most } else { &mut program.equal }.push((sum, 0.0));
    for (variable, (place, floor)) in open.places.iter().zip(&open.floors).enumerate() {
        program.at_most.push((vec![(variable, 1.0), (count, -open.problem.limits.caps[*place])], 0.0));
        program.at_most.push((vec![(variable, -1.0), (count, *floor)], 0.0));
    }
    let Some(mut found) = program.solve()? else { return Ok(None) };
    let mut scale = found.pop().unwrap_or_default();
    if open.problem.limits.cash.is_some() {
        let of_cap = |(value, place): (&f64, &usize)| value / open.problem.limits.caps[*place];
        scale = found.iter().zip(&open.places).map(of_cap).fold(found.iter().sum(), f64::max);
    }
    Ok(Some(found.into_iter().map(|value| value / scale).collect()))
}

/// The covariance of what is open, times a factor.
fn upper(open: &Open<'_>, factor: f64) -> Vec<(usize, usize, f64)> {
    let covariance = |row: usize, column: usize| open.problem.covariance[open.places[row]][open.places[column]];
    let count = open.places.len();
    (0..count).flat_map(|row| (row..count).map(move |column| (row, column, factor * covariance(row, column)))).collect()
}
