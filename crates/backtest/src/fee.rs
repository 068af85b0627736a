//! From a volatility to a fee: the one map that all policies share.

use serde::Serialize;

use crate::error::BacktestError;

/// Largest fee, as a fraction: what the contracts' bounds allow.
pub const MAX_FEE: f64 = 0.02;
/// Where a policy on chain ends that follows a power, in knees: a wilder forecast is none that was seen twice.
const MOST_KNEES: f64 = 4.0;
/// Most knots of a policy.
pub const MAX_KNOTS: usize = 4;

/// A fee for each volatility of one-minute returns.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FeeMap {
    /// The lowest fee, as a fraction.
    pub level: f64,
    /// How it grows from there.
    pub shape: Shape,
}

/// How a fee grows with the volatility.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// Not at all.
    Static,
    /// As what is seen, which is a fee already.
    Seen,
    /// Behind a knee as a power of the volatility over it.
    Power { knee: f64, exponent: f64 },
    /// Linear between knots, as the contract does it: volatilities, and fees in lowest fees. Unused knots repeat the last.
    Knots([(f64, f64); MAX_KNOTS]),
}

impl FeeMap {
    /// The same fee at all times.
    pub fn flat(level: f64) -> Self {
        Self { level, shape: Shape::Static }
    }

    /// What is seen itself, as a fraction.
    pub const SEEN: Self = Self { level: 1.0, shape: Shape::Seen };

    /// Through knots of volatility and fee, as a fraction, in order.
    ///
    /// # Errors
    /// [`BacktestError::Knots`] where there are none or too many, or where they fall.
    pub fn knots(knots: &[(f64, f64)]) -> Result<Self, BacktestError> {
        let (Some(first), Some(last)) = (knots.first(), knots.last()) else {
            return Err(BacktestError::Knots { knot: 1 });
        };
        let is_lower = |pair: &[(f64, f64)]| !(pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
        if let Some(knot) = knots.windows(2).position(is_lower) {
            return Err(BacktestError::Knots { knot: knot + 2 });
        }
        if knots.len() > MAX_KNOTS || !(first.0 > 0.0 && first.1 > 0.0) {
            return Err(BacktestError::Knots { knot: 1 });
        }
        let relative = |(volatility, fee): (f64, f64)| (volatility, fee / first.1);
        let all = std::array::from_fn(|at| relative(*knots.get(at).unwrap_or(last)));
        Ok(Self { level: first.1, shape: Shape::Knots(all) })
    }

    /// Fee as a fraction at a volatility of one-minute returns.
    pub fn fee(&self, volatility: f64) -> f64 {
        let factor = match &self.shape {
            Shape::Static => 1.0,
            Shape::Seen => volatility,
            Shape::Power { knee, exponent } => libm::pow((volatility / knee).max(1.0), *exponent),
            Shape::Knots(knots) => between(knots, volatility),
        };
        (self.level * factor).min(MAX_FEE)
    }

    /// The volatility at which the fee begins to rise, of a map that has one.
    pub fn knee(&self) -> Option<f64> {
        match self.shape {
            Shape::Power { knee, .. } => Some(knee),
            Shape::Static | Shape::Seen | Shape::Knots(_) => None,
        }
    }

    /// Where the fee begins to rise, and from where on it does no more: the first and the last knot of a policy; `None` where it
    /// never rises.
    pub fn span(&self) -> Option<(f64, f64)> {
        match &self.shape {
            Shape::Static | Shape::Seen => None,
            Shape::Power { knee, exponent } => {
                let bounded = libm::pow((MAX_FEE / self.level).max(1.0), 1.0 / exponent);
                Some((*knee, knee * bounded.min(MOST_KNEES)))
            }
            Shape::Knots(knots) => Some((knots[0].0, knots[MAX_KNOTS - 1].0)),
        }
    }

    /// The same shape at another level.
    #[must_use]
    pub fn at_level(self, level: f64) -> Self {
        Self { level, ..self }
    }
}

fn between(knots: &[(f64, f64); MAX_KNOTS], volatility: f64) -> f64 {
    let above = knots.iter().position(|knot| volatility < knot.0);
    match above {
        None => knots[MAX_KNOTS - 1].1,
        Some(0) => knots[0].1,
        Some(at) => {
            let ((from, low), (to, high)) = (knots[at - 1], knots[at]);
            low + (high - low) * (volatility - from) / (to - from)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fee_is_flat_then_grows_as_a_power_and_is_bounded() {
        let map = FeeMap { level: 0.001, shape: Shape::Power { knee: 0.0005, exponent: 2.0 } };
        assert!((map.fee(0.0001) - 0.001).abs() < 1e-15);
        assert!((map.fee(0.001) - 0.004).abs() < 1e-15);
        assert!((map.fee(1.0) - MAX_FEE).abs() < 1e-15);
        assert!((FeeMap::SEEN.fee(0.0007) - 0.0007).abs() < 1e-15);
        assert!((FeeMap::flat(0.003).fee(0.5) - 0.003).abs() < 1e-15);
    }

    #[test]
    fn knots_are_joined_by_lines_and_flat_outside() {
        let map = FeeMap::knots(&[(0.0007, 0.0005), (0.0012, 0.0015), (0.0017, 0.003)]).expect("they rise");
        for (volatility, fee) in
            [(0.0, 5e-4), (7e-4, 5e-4), (9.5e-4, 1e-3), (1.2e-3, 1.5e-3), (1.45e-3, 2.25e-3), (1.0, 3e-3)]
        {
            assert!((map.fee(volatility) - fee).abs() < 1e-12, "{volatility}: {}", map.fee(volatility));
        }
        assert!((map.at_level(1e-3).fee(1.0) - 6e-3).abs() < 1e-12);
    }

    #[test]
    fn a_map_rises_from_its_knee_to_its_bound() {
        let map = FeeMap { level: 0.005, shape: Shape::Power { knee: 5e-4, exponent: 2.0 } };
        assert_eq!(map.span(), Some((5e-4, 1e-3)));
        assert_eq!(map.at_level(1e-4).span(), Some((5e-4, 2e-3)));
        assert_eq!(FeeMap::flat(1e-3).span(), None);
        let knots = FeeMap::knots(&[(7e-4, 5e-4), (1.7e-3, 3e-3)]).expect("they rise");
        assert_eq!(knots.span(), Some((7e-4, 1.7e-3)));
    }

    #[test]
    fn knots_that_fall_or_cross_are_refused_with_their_number() {
        assert_eq!(FeeMap::knots(&[]), Err(BacktestError::Knots { knot: 1 }));
        assert_eq!(FeeMap::knots(&[(1e-3, 1e-3), (1e-3, 2e-3)]), Err(BacktestError::Knots { knot: 2 }));
        assert_eq!(FeeMap::knots(&[(1e-3, 1e-3), (2e-3, 2e-3), (3e-3, 1e-3)]), Err(BacktestError::Knots { knot: 3 }));
        assert_eq!(FeeMap::knots(&[(1e-3, 0.0)]), Err(BacktestError::Knots { knot: 1 }));
    }
}
