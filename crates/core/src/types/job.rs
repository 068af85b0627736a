//! Which job a cycle belongs to: a model, and the contract that takes its updates.

use std::fmt;

use super::contract::Contract;
use super::digest::Digest;

/// A job: one model's updates of one contract on one chain. Each of its periods has one outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobKey {
    /// The contract and its chain.
    pub contract: Contract,
    /// The model, by its bundle's manifest.
    pub manifest: Digest,
}

impl JobKey {
    /// A model's updates of a contract.
    pub fn new(contract: Contract, manifest: Digest) -> Self {
        Self { contract, manifest }
    }

    /// Which of the `running` jobs closes what is left open of this one: itself; of a job that does not run any more, such
    /// as that of a model that was replaced, the first one with its contract, else the first one on its chain. `None` for a
    /// job of a chain that no job runs on.
    pub fn caretaker(self, running: &[Self]) -> Option<Self> {
        let first = |is_it: &dyn Fn(&Self) -> bool| running.iter().copied().find(is_it);
        first(&|job| *job == self)
            .or_else(|| first(&|job| job.contract == self.contract))
            .or_else(|| first(&|job| job.contract.chain_id == self.contract.chain_id))
    }
}

impl fmt::Display for JobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "model {} at {}", self.manifest, self.contract)
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::Address;

    use super::*;

    fn job(chain_id: u64, contract: u8, manifest: u8) -> JobKey {
        JobKey::new(Contract { chain_id, address: Address::repeat_byte(contract) }, Digest([manifest; 32]))
    }

    #[test]
    fn what_does_not_run_any_more_has_one_caretaker_on_its_chain() {
        let running = [job(1, 1, 1), job(1, 1, 2), job(1, 2, 1), job(2, 1, 1)];
        for one in running {
            assert_eq!(one.caretaker(&running), Some(one), "whoever runs cares for itself");
        }
        assert_eq!(job(1, 2, 9).caretaker(&running), Some(running[2]), "a model before it");
        assert_eq!(job(1, 1, 9).caretaker(&running), Some(running[0]), "one of two");
        assert_eq!(job(1, 9, 9).caretaker(&running), Some(running[0]), "another contract before it");
        assert_eq!(job(2, 2, 2).caretaker(&running), Some(running[3]));
        assert_eq!(job(3, 1, 1).caretaker(&running), None);
    }
}
