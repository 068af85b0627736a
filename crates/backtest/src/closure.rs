//! What nobody measured: how other traders answer to a fee, and how much they trade.
//!
//! Their volume in a minute is `turnover · (market volume / its mean)^θ · e^(−ε · fee)`. Three θ and three ε are tried; the turnover follows:
//! liquidity has come in until the best static fee just pays for what arbitrageurs take.

use std::ops::Range;

use serde::Serialize;

use crate::market::DAY_MINUTES;

/// How other traders' volume moves with the market's.
pub const THETAS: [f64; 3] = [0.0, 0.5, 1.0];
/// How strongly a fee deters them: at 1000, ten basis points keep a third of them.
pub const EPSILONS: [f64; 3] = [500.0, 1_000.0, 2_000.0];

/// The assumption that is shown where only one is.
pub const SHOWN: Closure = Closure { theta: 0.5, epsilon: 1_000.0 };

/// An assumption on other traders.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Closure {
    /// Exponent of the market's volume.
    pub theta: f64,
    /// Semi-elasticity of their volume to a fee as a fraction.
    pub epsilon: f64,
}

impl Closure {
    /// All that are tried.
    pub fn all() -> impl Iterator<Item = Self> {
        THETAS.into_iter().flat_map(|theta| EPSILONS.into_iter().map(move |epsilon| Self { theta, epsilon }))
    }

    /// What others would trade in each minute, as a share of a mean day of `reference`.
    pub fn weights(&self, volumes: &[f64], reference: &Range<usize>) -> Weights {
        let known = &volumes[reference.clone()];
        let power = |volume: f64| if self.theta == 0.0 { 1.0 } else { libm::pow(volume, self.theta) };
        let total: f64 = known.iter().map(|volume| power(*volume)).sum();
        let scale = known.len() as f64 / total / DAY_MINUTES as f64;
        Weights { minutes: volumes.iter().map(|volume| power(*volume) * scale).collect(), epsilon: self.epsilon }
    }
}

/// An assumption, applied to a market.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    minutes: Vec<f64>,
    epsilon: f64,
}

impl Weights {
    /// What others would trade in a minute at no fee, in mean days.
    pub fn of_minute(&self, at: usize) -> f64 {
        self.minutes[at]
    }

    /// The share of them that a fee keeps.
    pub fn kept(&self, fee: f64) -> f64 {
        libm::exp(-self.epsilon * fee)
    }
}
