//! The portfolio that would have fallen least: conditional drawdown at risk as a linear program (Chekhlov, Uryasev and Zabarankin,
//! Drawdown measure in portfolio optimization, 2005, with the form of Rockafellar and Uryasev 2000 for the mean of the worst share).

use crate::error::PortfolioError;
use crate::problem::Open;
use crate::program::Program;

/// How much more than the least drawdown is taken for the sake of the rate: of the largest value, and of the drawdown itself.
const SLACK: [f64; 2] = [1e-7, 1e-4];

/// The smallest mean of the worst drawdowns over the past days; of the portfolios that have it, the one of the highest rate.
pub(crate) fn min_drawdown(open: &Open<'_>, confidence: f64) -> Result<Option<Vec<f64>>, PortfolioError> {
    let mut least = program(open, confidence);
    let Some(found) = least.program.solve()? else { return Ok(None) };
    let value = |row: &[(usize, f64)]| row.iter().map(|(variable, factor)| factor * found[*variable]).sum::<f64>();
    let reached = value(&least.measure).max(0.0);
    let [absolute, relative] = SLACK;
    least.program.at_most.push((least.measure.clone(), reached * (1.0 + relative) + absolute));
    least.program.linear.fill(0.0);
    let highest = open.excess().map(f64::abs).fold(f64::MIN_POSITIVE, f64::max);
    for (linear, excess) in least.program.linear.iter_mut().zip(open.excess()) {
        *linear = -excess / highest;
    }
    // Where the second program has no inner point, the first one's answer is the answer.
    let best = least.program.solve().ok().flatten().unwrap_or(found);
    Ok(Some(best.into_iter().take(open.places.len()).collect()))
}

/// A program with the drawdown that it minimises as a row.
struct Least {
    program: Program,
    measure: Vec<(usize, f64)>,
}

/// Variables: weights; the threshold; of each day the highest value so far, and what its drawdown has beyond the threshold.
fn program(open: &Open<'_>, confidence: f64) -> Least {
    let paths = open.problem.paths;
    let (count, days) = (open.places.len(), paths.len());
    let scale = paths.iter().flatten().map(|value| value.abs()).fold(f64::MIN_POSITIVE, f64::max);
    let mut program = Program::new(count + 1 + 2 * days);
    let (threshold, peak, beyond) = (count, |day: usize| count + 1 + day, |day: usize| count + 1 + days + day);
    let share = 1.0 / ((1.0 - confidence) * days.max(1) as f64);
    let mut measure = vec![(threshold, 1.0)];
    measure.extend((0..days).map(|day| (beyond(day), share)));
    for (variable, factor) in &measure {
        program.linear[*variable] = *factor;
    }
    open.limit(&mut program);
    program.at_most.push((vec![(threshold, -1.0)], 0.0));
    for (day, path) in paths.iter().enumerate() {
        let value = || open.places.iter().enumerate().map(|(variable, place)| (variable, path[*place] / scale));
        // peak ≥ value, peak ≥ the day before's, or 0 at the start; beyond ≥ peak − value − threshold, beyond ≥ 0.
        let mut above: Vec<_> = value().collect();
        above.push((peak(day), -1.0));
        program.at_most.push((above, 0.0));
        let mut rising = vec![(peak(day), -1.0)];
        rising.extend(day.checked_sub(1).map(|before| (peak(before), 1.0)));
        program.at_most.push((rising, 0.0));
        let mut missing: Vec<_> = value().map(|(variable, value)| (variable, -value)).collect();
        missing.extend([(peak(day), 1.0), (threshold, -1.0), (beyond(day), -1.0)]);
        program.at_most.push((missing, 0.0));
        program.at_most.push((vec![(beyond(day), -1.0)], 0.0));
    }
    Least { program, measure }
}

/// The mean of the worst share of the drawdowns of these weights.
#[cfg(test)]
pub(crate) fn measured(paths: &[Vec<f64>], weights: &[f64], confidence: f64) -> f64 {
    let mut peak = 0.0_f64;
    let mut falls: Vec<f64> = paths
        .iter()
        .map(|path| {
            let value: f64 = path.iter().zip(weights).map(|(value, weight)| value * weight).sum();
            peak = peak.max(value);
            peak - value
        })
        .collect();
    falls.sort_by(|one, other| other.total_cmp(one));
    let worst = (1.0 - confidence) * falls.len() as f64;
    let whole = worst.floor() as usize;
    let part = falls.get(whole).map_or(0.0, |fall| (worst - whole as f64) * fall);
    (falls[..whole].iter().sum::<f64>() + part) / worst
}
