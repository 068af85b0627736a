//! Prices between the closes of two minutes, block by block.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::error::BacktestError;

/// Minutes whose squared returns tell how much a price moves within one.
const SPREAD_MINUTES: usize = 60;
/// A dead minute still moves by this much, log.
const LEAST_VARIANCE: f64 = 1e-14;

/// Logarithmic moves of the market's price from block to block.
#[derive(Debug, Clone, PartialEq)]
pub struct Blocks {
    per_minute: usize,
    moves: Vec<f32>,
}

impl Blocks {
    /// A Brownian bridge from close to close, with the variance of the last hour's returns; the same seed gives the same
    /// path. The first minute has no move.
    ///
    /// # Errors
    /// [`BacktestError::Block`] where blocks do not divide a minute.
    pub fn new(closes: &[f64], block_seconds: u32, seed: u64) -> Result<Self, BacktestError> {
        if block_seconds == 0 || 60 % block_seconds != 0 {
            return Err(BacktestError::Block { seconds: block_seconds });
        }
        let per_minute = (60 / block_seconds) as usize;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut moves = vec![0.0; closes.len().min(1) * per_minute];
        moves.reserve(closes.len().saturating_sub(1) * per_minute);
        let returns: Vec<f64> = closes.windows(2).map(|pair| libm::log(pair[1] / pair[0])).collect();
        let mut squares = 0.0;
        let mut steps = vec![0.0; per_minute];
        for (at, change) in returns.iter().enumerate() {
            squares += change * change;
            if at >= SPREAD_MINUTES {
                squares -= returns[at - SPREAD_MINUTES] * returns[at - SPREAD_MINUTES];
            }
            let variance = (squares / (at + 1).min(SPREAD_MINUTES) as f64).max(LEAST_VARIANCE);
            let deviation = (variance / per_minute as f64).sqrt();
            for step in &mut steps {
                *step = deviation * gaussian(&mut random);
            }
            let excess = (steps.iter().sum::<f64>() - change) / per_minute as f64;
            moves.extend(steps.iter().map(|step| (step - excess) as f32));
        }
        Ok(Self { per_minute, moves })
    }

    /// Blocks with moves of one deviation and nothing between: what closed forms are about.
    #[cfg(test)]
    pub(crate) fn gaussian(count: usize, deviation: f64, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        Self { per_minute: 5, moves: (0..count * 5).map(|_| (deviation * gaussian(&mut random)) as f32).collect() }
    }

    /// One after the other.
    #[cfg(test)]
    pub(crate) fn joined(first: &Self, second: &Self) -> Self {
        Self { per_minute: first.per_minute, moves: [first.moves.as_slice(), &second.moves].concat() }
    }

    /// The moves within a minute.
    pub fn of_minute(&self, at: usize) -> &[f32] {
        &self.moves[at * self.per_minute..(at + 1) * self.per_minute]
    }
}

/// Box and Muller (1958).
pub(crate) fn gaussian(random: &mut ChaCha8Rng) -> f64 {
    let (radius, angle): (f64, f64) = (random.random(), random.random());
    (-2.0 * libm::log(1.0 - radius)).sqrt() * libm::cos(std::f64::consts::TAU * angle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bridge_ends_at_the_close_and_varies_as_the_minutes_do() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let mut price = 100.0;
        let closes: Vec<f64> = (0..20_000)
            .map(|_| {
                price *= libm::exp(1e-3 * gaussian(&mut random));
                price
            })
            .collect();
        let blocks = Blocks::new(&closes, 12, 1).expect("12 divides 60");
        let mut squares = 0.0;
        for at in 1..closes.len() {
            let moves = blocks.of_minute(at);
            assert_eq!(moves.len(), 5);
            let total: f64 = moves.iter().map(|step| f64::from(*step)).sum();
            assert!((total - libm::log(closes[at] / closes[at - 1])).abs() < 1e-7);
            squares += moves.iter().map(|step| f64::from(*step) * f64::from(*step)).sum::<f64>();
        }
        let variance = squares / (closes.len() - 1) as f64;
        assert!((variance / 1e-6 - 1.0).abs() < 0.03, "{variance}");
        assert_eq!(blocks, Blocks::new(&closes, 12, 1).expect("12 divides 60"));
        assert_ne!(blocks, Blocks::new(&closes, 12, 2).expect("12 divides 60"));
    }

    #[test]
    fn blocks_divide_a_minute() {
        assert_eq!(Blocks::new(&[1.0, 1.1], 7, 1), Err(BacktestError::Block { seconds: 7 }));
        assert_eq!(Blocks::new(&[1.0, 1.1], 0, 1), Err(BacktestError::Block { seconds: 0 }));
        assert_eq!(Blocks::new(&[1.0, 1.1], 2, 1).expect("2 divides 60").of_minute(1).len(), 30);
    }
}
