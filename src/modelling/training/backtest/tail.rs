//! The bad tail: the fall within the horizon that is exceeded once in a hundred times, forecast, and held against what came.

use std::ops::Range;

use serde::Serialize;

use veriregime_core::quantile::quantile;
use veriregime_training::pinball;

/// The share of falls that a forecast is to lie above.
pub(super) const SHARE: f64 = 0.99;
/// Part of what is known that the regression is fitted on; the rest moves its level to where `SHARE` lies.
const FITTED_PART: f64 = 0.8;
/// Falls below this count as this large, as logarithms have to: a tenth of a basis point.
const LEAST_FALL: f64 = 1e-5;

/// How a forecast of the tail did on the judged decisions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct TailRow {
    /// `unconditional`, `volatility_multiple` or `head`.
    pub by: &'static str,
    /// Share of the decisions after which the price fell further: 0.01 would be right.
    pub exceeded: f64,
    /// Mean pinball loss of the falls, as fractions.
    pub pinball: f64,
    /// 1 less its part of the unconditional forecast's loss.
    pub skill: f64,
}

/// Forecasts of the fall, a fraction, one for each decision.
pub(super) struct Tails {
    /// What its past alone would make of it: the same for all.
    pub unconditional: Vec<f64>,
    /// A multiple of the forecast volatility.
    pub multiple: Vec<f64>,
    /// A linear function of the logarithms of the model's forecast and of four past volatilities, with the clock.
    pub head: Vec<f64>,
}

impl Tails {
    /// Fits on the rows in `known`, in order of time, and forecasts all. `regressors` begin with a one.
    pub fn new(log_volatility: &[f64], regressors: &[Vec<f64>], falls: &[f64], known: &[usize]) -> Self {
        let logs: Vec<f64> = falls.iter().map(|fall| fall.max(LEAST_FALL).ln()).collect();
        let of = |rows: &[usize], value: &dyn Fn(usize) -> f64| rows.iter().map(|row| value(*row)).collect::<Vec<_>>();
        let level = quantile(&of(known, &|row| logs[row]), SHARE);
        let factor = quantile(&of(known, &|row| logs[row] - log_volatility[row]), SHARE);
        let (fit, calibrate) = known.split_at((known.len() as f64 * FITTED_PART) as usize);
        let inputs: Vec<Vec<f64>> = fit.iter().map(|row| regressors[*row].clone()).collect();
        let weights = pinball::fitted(&inputs, &of(fit, &|row| logs[row]), SHARE);
        let said = |row: usize| pinball::dot(&regressors[row], &weights);
        let shift = quantile(&of(calibrate, &|row| logs[row] - said(row)), SHARE);
        Self {
            unconditional: vec![level.exp(); falls.len()],
            multiple: log_volatility.iter().map(|value| (value + factor).exp()).collect(),
            head: (0..falls.len()).map(|row| (said(row) + shift).exp()).collect(),
        }
    }

    /// How they did on the rows in `judged`.
    pub fn rows(&self, falls: &[f64], judged: &[usize]) -> Vec<TailRow> {
        let pick = |values: &[f64]| judged.iter().map(|row| values[*row]).collect::<Vec<f64>>();
        let came = pick(falls);
        let unconditional = pinball::loss(&pick(&self.unconditional), &came, SHARE);
        let row = |(by, said): (&'static str, &Vec<f64>)| {
            let said = pick(said);
            let beyond = said.iter().zip(&came).filter(|(said, came)| came > said).count();
            let pinball = pinball::loss(&said, &came, SHARE);
            let exceeded = beyond as f64 / came.len() as f64;
            TailRow { by, exceeded, pinball, skill: 1.0 - pinball / unconditional }
        };
        [("unconditional", &self.unconditional), ("volatility_multiple", &self.multiple), ("head", &self.head)]
            .map(row)
            .to_vec()
    }
}

/// The deepest fall from the close before minute `at` within the next `horizon` minutes, as a positive logarithm; 0 for a price that only rises.
pub(super) fn fall(closes: &[f64], at: usize, horizon: usize) -> f64 {
    let ahead: Range<usize> = at..(at + horizon).min(closes.len());
    let Some(before) = at.checked_sub(1).map(|at| closes[at]) else { return 0.0 };
    let least = closes[ahead].iter().copied().fold(before, f64::min);
    (before / least).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fall_is_the_deepest_within_the_horizon() {
        let closes = [100.0, 101.0, 90.0, 95.0, 50.0];
        assert!((fall(&closes, 1, 3) - (100.0_f64 / 90.0).ln()).abs() < 1e-12);
        assert!((fall(&closes, 1, 4) - 2.0_f64.ln()).abs() < 1e-12);
        assert!(fall(&closes, 1, 1).abs() < 1e-12, "it rose");
    }

    /// Falls are a volatility times a number that has nothing to do with it: the head finds the volatility, the level is right.
    #[test]
    fn the_head_is_calibrated_and_beats_the_unconditional_one() {
        use rand::{Rng, SeedableRng};
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(5);
        let logs: Vec<f64> = (0..30_000).map(|_| -7.0 + 1.5 * random.random::<f64>()).collect();
        let falls: Vec<f64> = logs.iter().map(|log| log.exp() * (10.0 * random.random::<f64>())).collect();
        let regressors: Vec<Vec<f64>> = logs.iter().map(|log| vec![1.0, *log]).collect();
        let (known, judged): (Vec<usize>, Vec<usize>) = ((0..20_000).collect(), (20_000..30_000).collect());
        let rows = Tails::new(&logs, &regressors, &falls, &known).rows(&falls, &judged);
        assert!(rows.iter().all(|row| (row.exceeded - 0.01).abs() < 0.005), "{rows:?}");
        assert!(rows[1].skill > 0.1 && rows[2].skill > 0.1, "{rows:?}");
    }
}
