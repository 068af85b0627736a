//! Borrowers that are given instead of drawn.

use serde::{Deserialize, Serialize};

use crate::error::BacktestError;

/// A borrower's position when the judged minutes begin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// What the collateral is worth then, in dollars. The borrower keeps to it.
    pub collateral_usd: f64,
    /// The debt in dollars.
    pub debt_usd: f64,
}

/// Most positions, and dollars of one.
pub const MAX_POSITIONS: usize = 100_000;
const MAX_POSITION_USD: f64 = 1e12;

impl Position {
    /// Checks positions; at least one.
    ///
    /// # Errors
    /// [`BacktestError::Position`] with the first that cannot be, counted from 1.
    pub fn check(positions: &[Self]) -> Result<(), BacktestError> {
        let refuse = |row, reason| Err(BacktestError::Position { row, reason });
        if positions.is_empty() || positions.len() > MAX_POSITIONS {
            return refuse(positions.len(), "there are none, or more than 100,000");
        }
        for (index, Self { collateral_usd, debt_usd }) in positions.iter().enumerate() {
            let is_sum = |usd: f64| (0.0..=MAX_POSITION_USD).contains(&usd);
            if !is_sum(*collateral_usd) || !is_sum(*debt_usd) || *collateral_usd <= 0.0 {
                return refuse(index + 1, "collateral and debt are dollars up to 1e12, and there is collateral");
            }
            if debt_usd >= collateral_usd {
                return refuse(
                    index + 1,
                    "the debt is worth no less than its collateral: no lender would have let it be",
                );
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_that_cannot_be_are_refused_with_their_row() {
        let at = |collateral_usd, debt_usd| Position { collateral_usd, debt_usd };
        assert_eq!(Position::check(&[at(2.0, 1.0), at(1.0, 0.0)]), Ok(()));
        for (bad, row) in [
            (vec![], 0),
            (vec![at(2.0, 1.0), at(1.0, 1.0)], 2),
            (vec![at(0.0, 0.0)], 1),
            (vec![at(f64::NAN, 0.0)], 1),
            (vec![at(1.0, -1.0)], 1),
            (vec![at(1e13, 1.0)], 1),
        ] {
            let found = Position::check(&bad);
            assert!(matches!(found, Err(BacktestError::Position { row: at, .. }) if at == row), "{found:?}");
        }
    }
}
