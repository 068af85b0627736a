//! What to offer for a unit of gas.

use std::sync::{Arc, PoisonError, RwLock};

use super::fault::ChainFault;
use crate::types::cycle::Attempt;

/// Room for the base fee to grow until the transaction is included: six full blocks in a row double it.
const BASE_FEE_HEADROOM: u128 = 2;
/// Nodes take a replacement only if both fees rise by a tenth; an eighth leaves room for rounding.
const REPLACEMENT_NUMERATOR: u128 = 9;
const REPLACEMENT_DENOMINATOR: u128 = 8;

/// What may be paid for a unit of gas, in wei.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    pub max_fee_per_gas_wei: u128,
    /// Cap of transactions that only free a nonce.
    pub max_cancel_fee_per_gas_wei: u128,
    /// Offered to the builder.
    pub priority_fee_wei: u128,
}

/// The caps in force, the same for all who hold them.
#[derive(Debug, Clone)]
pub struct Policy(Arc<RwLock<Caps>>);

impl Policy {
    /// With these caps.
    pub fn new(caps: Caps) -> Self {
        Self(Arc::new(RwLock::new(caps)))
    }

    /// The caps of now.
    pub fn caps(&self) -> Caps {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes them, for the next transaction that is signed.
    pub fn set(&self, caps: Caps) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = caps;
    }
}

/// An offer, in wei for a unit of gas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// The most that is paid in all.
    pub max_fee_per_gas_wei: u128,
    /// The builder's part.
    pub priority_fee_wei: u128,
}

/// The offer for a transaction at the given base fee, high enough to replace `replaced` where one with the same nonce
/// was sent before.
///
/// # Errors
/// [`ChainFault::FeeAboveCap`].
pub fn offer(
    base_fee_wei: u128,
    priority_fee_wei: u128,
    cap_wei: u128,
    replaced: Option<&Attempt>,
) -> Result<Offer, ChainFault> {
    let raised = |fee_wei: u128| (fee_wei * REPLACEMENT_NUMERATOR).div_ceil(REPLACEMENT_DENOMINATOR);
    let priority_fee_wei = priority_fee_wei.max(replaced.map_or(0, |attempt| raised(attempt.priority_fee_wei)));
    let least_wei =
        (base_fee_wei + priority_fee_wei).max(replaced.map_or(0, |attempt| raised(attempt.max_fee_per_gas_wei)));
    if least_wei > cap_wei {
        return Err(ChainFault::FeeAboveCap { needed_wei: least_wei, cap_wei });
    }
    let wanted_wei = base_fee_wei * BASE_FEE_HEADROOM + priority_fee_wei;
    Ok(Offer { max_fee_per_gas_wei: wanted_wei.max(least_wei).min(cap_wei), priority_fee_wei })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::types::cycle::Purpose;

    proptest! {
        #[test]
        fn an_offer_pays_the_base_fee_stays_under_the_cap_and_replaces(
            base in 0_u128..1_000_000, priority in 0_u128..1_000_000, cap in 0_u128..3_000_000,
            earlier in proptest::option::of((0_u128..1_000_000, 0_u128..1_000_000)),
        ) {
            let replaced = earlier.map(|(max_fee_per_gas_wei, priority_fee_wei)| Attempt {
                purpose: Purpose::Update, nonce: 0, hash: [0; 32].into(), raw: vec![].into(), max_fee_per_gas_wei, priority_fee_wei,
            });
            match offer(base, priority, cap, replaced.as_ref()) {
                Ok(offer) => {
                    prop_assert!(offer.max_fee_per_gas_wei <= cap);
                    prop_assert!(offer.max_fee_per_gas_wei >= base + offer.priority_fee_wei);
                    prop_assert!(offer.priority_fee_wei >= priority);
                    if let Some(replaced) = replaced {
                        prop_assert!(offer.max_fee_per_gas_wei * 10 >= replaced.max_fee_per_gas_wei * 11);
                        prop_assert!(offer.priority_fee_wei * 10 >= replaced.priority_fee_wei * 11);
                    }
                }
                Err(fault) => {
                    let justified = matches!(fault, ChainFault::FeeAboveCap { needed_wei, cap_wei } if needed_wei > cap_wei);
                    prop_assert!(justified);
                }
            }
        }
    }
}
