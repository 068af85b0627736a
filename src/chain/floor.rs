//! What replaces a transaction.

use veriregime_core::types::cycle::Attempt;

/// Nodes take a replacement only if both fees rise by a tenth; an eighth leaves room for rounding.
const REPLACEMENT_PART: u128 = 8;

/// The least that must be offered to be taken, in wei for a unit of gas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Floor {
    pub max_fee_per_gas_wei: u128,
    pub priority_fee_wei: u128,
}

impl Floor {
    /// What replaces a transaction: both fees an eighth higher, and by a wei at least.
    pub fn above(replaced: &Attempt) -> Self {
        let raised = |fee_wei: u128| fee_wei.saturating_add(fee_wei.div_ceil(REPLACEMENT_PART).max(1));
        Self {
            max_fee_per_gas_wei: raised(replaced.max_fee_per_gas_wei),
            priority_fee_wei: raised(replaced.priority_fee_wei),
        }
    }

    /// What satisfies both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            max_fee_per_gas_wei: self.max_fee_per_gas_wei.max(other.max_fee_per_gas_wei),
            priority_fee_wei: self.priority_fee_wei.max(other.priority_fee_wei),
        }
    }
}
