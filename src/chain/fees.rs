//! What to offer for a unit of gas.

use std::sync::{Arc, PoisonError, RwLock};

use super::floor::Floor;
use crate::chain::error::ChainError;

/// Room for the base fee to grow until the transaction is included: six full blocks in a row double it.
const BASE_FEE_HEADROOM: u128 = 2;

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

/// The offer for a transaction at the given base fee, as high as `floor` at least.
///
/// # Errors
/// [`ChainError::FeeAboveCap`].
pub fn offer(base_fee_wei: u128, priority_fee_wei: u128, cap_wei: u128, floor: Floor) -> Result<Offer, ChainError> {
    let priority_fee_wei = priority_fee_wei.max(floor.priority_fee_wei);
    let least_wei = base_fee_wei.saturating_add(priority_fee_wei).max(floor.max_fee_per_gas_wei);
    if least_wei > cap_wei {
        return Err(ChainError::FeeAboveCap { needed_wei: least_wei, cap_wei });
    }
    let wanted_wei = base_fee_wei.saturating_mul(BASE_FEE_HEADROOM).saturating_add(priority_fee_wei);
    Ok(Offer { max_fee_per_gas_wei: wanted_wei.max(least_wei).min(cap_wei), priority_fee_wei })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use veriregime_core::types::cycle::{Attempt, Purpose};

    fn attempt(max_fee_per_gas_wei: u128, priority_fee_wei: u128) -> Attempt {
        Attempt {
            purpose: Purpose::Action,
            wallet: [0; 20].into(),
            nonce: 0,
            hash: [0; 32].into(),
            raw: vec![].into(),
            max_fee_per_gas_wei,
            priority_fee_wei,
        }
    }

    #[test]
    fn a_tip_of_zero_is_raised() {
        let mut last = offer(7, 0, 1000, Floor::default()).unwrap();
        assert_eq!(last.priority_fee_wei, 0);
        for tip_wei in [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13] {
            last = offer(7, 0, 1000, Floor::above(&attempt(last.max_fee_per_gas_wei, last.priority_fee_wei))).unwrap();
            assert_eq!(last.priority_fee_wei, tip_wei);
        }
    }

    #[test]
    fn an_offer_goes_at_once_where_a_node_says_that_it_must_be() {
        let (gwei, replaced) = (1_000_000_000, attempt(3_000_000_000, 1_000_000_000));
        let named = Floor { priority_fee_wei: 3 * gwei, ..Floor::default() };
        let dearer = offer(gwei, gwei, 200 * gwei, Floor::above(&replaced).and(named)).unwrap();
        assert_eq!(dearer, Offer { max_fee_per_gas_wei: 5 * gwei, priority_fee_wei: 3 * gwei });
        let beyond = offer(gwei, gwei, 3 * gwei, named).expect_err("above the cap");
        assert!(matches!(beyond, ChainError::FeeAboveCap { needed_wei, .. } if needed_wei == 4 * gwei));
    }

    fn fee() -> impl Strategy<Value = u128> {
        prop_oneof![0_u128..20, 0_u128..1_000_000, any::<u64>().prop_map(u128::from), any::<u128>()]
    }

    proptest! {
        #[test]
        fn an_offer_pays_the_base_fee_stays_under_the_cap_and_replaces(
            base in fee(), priority in fee(), cap in fee(),
            earlier in proptest::option::of((fee(), fee())), named in (fee(), fee()),
        ) {
            let earlier = earlier.map(|(max_fee, tip)| attempt(max_fee, tip));
            let named = Floor { max_fee_per_gas_wei: named.0, priority_fee_wei: named.1 };
            let floor = earlier.as_ref().map(Floor::above).unwrap_or_default().and(named);
            match offer(base, priority, cap, floor) {
                Ok(offer) => {
                    prop_assert!(offer.max_fee_per_gas_wei <= cap);
                    prop_assert!(offer.max_fee_per_gas_wei >= base.saturating_add(offer.priority_fee_wei));
                    prop_assert!(offer.priority_fee_wei >= priority.max(named.priority_fee_wei));
                    prop_assert!(offer.max_fee_per_gas_wei >= named.max_fee_per_gas_wei);
                    if let Some(earlier) = earlier {
                        for (new, old) in [
                            (offer.max_fee_per_gas_wei, earlier.max_fee_per_gas_wei),
                            (offer.priority_fee_wei, earlier.priority_fee_wei),
                        ] {
                            // A tenth, as nodes count it, and more than nothing.
                            prop_assert!(new > old && new - old >= old / 10);
                        }
                    }
                }
                Err(fault) => {
                    let justified = matches!(fault, ChainError::FeeAboveCap { needed_wei, cap_wei } if needed_wei > cap_wei);
                    prop_assert!(justified);
                }
            }
        }
    }
}
