//! GARCH(1,1) of Bollerslev (1986) on returns of any length, fitted by Gaussian quasi maximum likelihood.

use super::simplex::minimise;
use veriregime_core::features::quantity::Quantity;
use veriregime_core::features::sums::Sums;
use veriregime_core::types::baselines::Garch;

/// Returns are in bps here: their variances are then numbers that nine decimals hold.
const BPS: f64 = 1e4;
/// Fewest returns that a variance process can be told from.
const MIN_RETURNS: usize = 100;
/// Keeps the logarithm of a variance of a dead market finite.
const LEAST_VARIANCE: f64 = 1e-6;

/// Weights of a variance process.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// Constant term.
    pub omega: f64,
    /// Of the last squared return.
    pub news: f64,
    /// Of the last variance.
    pub memory: f64,
}

impl Weights {
    /// Of a frozen baseline.
    pub fn of(garch: &Garch) -> Self {
        Self { omega: garch.omega, news: garch.news, memory: garch.memory }
    }

    /// Variance that the process returns to.
    pub fn long_run(&self) -> f64 {
        self.omega / (1.0 - self.news - self.memory)
    }

    fn next(&self, variance: f64, change: f64) -> f64 {
        (self.omega + self.news * change * change + self.memory * variance).max(LEAST_VARIANCE)
    }

    /// From unbounded numbers: logarithm of the long-run variance, logit of `news + memory`, logit of the news' share of
    /// these. Every point stands for a process that returns to its mean.
    fn from_free([log_long_run, persistence, share]: [f64; 3]) -> Self {
        let logistic = |value: f64| 1.0 / (1.0 + libm::exp(-value));
        let (persistence, share) = (logistic(persistence), logistic(share));
        let omega = libm::exp(log_long_run) * (1.0 - persistence);
        Self { omega, news: persistence * share, memory: persistence * (1.0 - share) }
    }

    /// Twice the negative log-likelihood per return, constants apart.
    fn loss(&self, returns: &[f64]) -> f64 {
        let mut variance = self.long_run();
        let mut total = 0.0;
        for change in returns {
            total += libm::log(variance) + change * change / variance;
            variance = self.next(variance, *change);
        }
        total / returns.len() as f64
    }
}

/// The most likely weights; `None` where there are too few returns or none of them moves.
pub fn fit(returns: &[f64]) -> Option<Weights> {
    let variance = returns.iter().map(|change| change * change).sum::<f64>() / returns.len() as f64;
    if returns.len() < MIN_RETURNS || variance <= LEAST_VARIANCE {
        return None;
    }
    // Persistence of 0.98, of which the news are a tenth: where financial returns usually end up near.
    let start = [libm::log(variance), 3.9, -2.2];
    let best = minimise(start, |free| Weights::from_free(*free).loss(returns));
    let weights = Weights::from_free(best);
    weights.long_run().is_finite().then_some(weights)
}

/// Returns in bps over successive windows of `minutes` that end before candle `to`, from candle `from` on.
pub fn returns(sums: &Sums, from: usize, to: usize, minutes: usize) -> Vec<f64> {
    (from.max(1)..to + 1 - minutes.min(to)).step_by(minutes).map(|at| change(sums, at, minutes)).collect()
}

fn change(sums: &Sums, at: usize, minutes: usize) -> f64 {
    sums.mean(Quantity::Return, at..at + minutes) * minutes as f64 * BPS
}

/// Variance of the next return at every decision index, from the returns before it alone: windows of `minutes` that end
/// at the decision, one after the other. The first of them starts from the long-run variance.
pub fn variances(weights: &Weights, minutes: usize, sums: &Sums) -> Vec<f64> {
    let mut variances = vec![weights.long_run(); sums.len() + 1];
    for at in minutes + 1..=sums.len() {
        variances[at] = weights.next(variances[at - minutes], change(sums, at - minutes, minutes));
    }
    variances
}

/// Logarithm of the root of the mean one-minute variance over the horizon: the expected variances of the returns to come
/// fall geometrically towards the long-run one, and their sum has a closed form.
pub fn log_volatility(weights: &Weights, minutes: usize, variance: f64, horizon_minutes: usize) -> f64 {
    let steps = horizon_minutes as f64 / minutes as f64;
    let persistence = weights.news + weights.memory;
    let long_run = weights.long_run();
    let total = steps * long_run + (variance - long_run) * (1.0 - libm::pow(persistence, steps)) / (1.0 - persistence);
    libm::log(total / horizon_minutes as f64) / 2.0 - libm::log(BPS)
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Box and Muller (1958).
    fn gaussian(random: &mut ChaCha8Rng) -> f64 {
        let (radius, angle): (f64, f64) = (random.random(), random.random());
        (-2.0 * libm::log(1.0 - radius)).sqrt() * libm::cos(std::f64::consts::TAU * angle)
    }

    #[test]
    fn the_weights_that_made_the_returns_are_found() {
        let truth = Weights { omega: 0.5, news: 0.1, memory: 0.85 };
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let mut variance = truth.long_run();
        let returns: Vec<f64> = (0..60_000)
            .map(|_| {
                let change = variance.sqrt() * gaussian(&mut random);
                variance = truth.next(variance, change);
                change
            })
            .collect();
        let found = fit(&returns).expect("enough returns");
        assert!((found.news - 0.1).abs() < 0.01, "{found:?}");
        assert!((found.memory - 0.85).abs() < 0.015, "{found:?}");
        assert!((found.long_run() / 10.0 - 1.0).abs() < 0.05, "{found:?}");
        assert!(found.loss(&returns) <= truth.loss(&returns));
    }

    #[test]
    fn aggregation_is_the_sum_of_the_expected_variances() {
        let weights = Weights { omega: 0.2, news: 0.06, memory: 0.92 };
        let (mut expected, mut total) = (30.0_f64, 0.0_f64);
        for _ in 0..240 {
            total += expected;
            expected = 0.2 + 0.98 * expected;
        }
        let by_hand = libm::log((total / 240.0).sqrt() / 1e4);
        assert!((log_volatility(&weights, 1, 30.0, 240) - by_hand).abs() < 1e-9);
        let long_run = libm::log((weights.long_run() / 60.0).sqrt() / 1e4);
        assert!((log_volatility(&weights, 60, weights.long_run(), 240) - long_run).abs() < 1e-9);
    }

    #[test]
    fn returns_that_never_move_have_no_variance_process() {
        assert_eq!(fit(&[0.0; 1000]), None);
        assert_eq!(fit(&[1.0; 50]), None);
    }
}
