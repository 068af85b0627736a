//! Who has rights in a deployment: whom they are named for, whom the chain says, and where one key has too many.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256};
use serde::{Deserialize, Serialize};

use super::Deployment;
use crate::actions::risk_oracle::abi::oracle::RiskOracle;
use crate::actions::risk_oracle::abi::registry::ModelRegistry;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;

/// Who has which rights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleHolders {
    pub oracle_owner: Address,
    pub oracle_guardian: Address,
    pub registry_owner: Address,
    pub registry_guardian: Address,
    /// Those of the accounts that were asked about that are in the set.
    pub attestors: Vec<Address>,
    /// Goes up whenever the set is replaced.
    pub attestor_set_version: u32,
    /// How many of them an update needs.
    pub threshold: u8,
    /// Zero where there is none.
    pub sequencer_feed: Address,
    /// Of each market that is registered.
    pub market_owners: BTreeMap<B256, Address>,
}

impl RoleHolders {
    /// Those that a deployment begins with.
    pub fn wanted(deployment: &Deployment) -> Self {
        let (wanted, arguments) = (&deployment.wanted, &deployment.wanted.constructor);
        Self {
            oracle_owner: arguments.owner,
            oracle_guardian: arguments.guardian,
            registry_owner: arguments.owner,
            registry_guardian: arguments.guardian,
            attestors: arguments.attestors.clone(),
            attestor_set_version: 1,
            threshold: arguments.threshold,
            sequencer_feed: arguments.sequencer_feed,
            market_owners: wanted.markets.iter().map(|market| (market.id, wanted.market_owner)).collect(),
        }
    }

    /// In words, each role that another has by `now`.
    pub fn differences(&self, now: &Self) -> Vec<String> {
        let mut said = Vec::new();
        let mut compare = |role: String, recorded: String, now: String| {
            if recorded != now {
                said.push(format!("{role} is {now}, recorded was {recorded}"));
            }
        };
        let accounts = [
            ("the oracle's owner", self.oracle_owner, now.oracle_owner),
            ("the oracle's guardian", self.oracle_guardian, now.oracle_guardian),
            ("the registry's owner", self.registry_owner, now.registry_owner),
            ("the registry's guardian", self.registry_guardian, now.registry_guardian),
            ("the sequencer feed", self.sequencer_feed, now.sequencer_feed),
        ];
        for (role, recorded, now) in accounts {
            compare(role.into(), recorded.to_string(), now.to_string());
        }
        let set = |of: &Self| format!("{} of {:?}, version {}", of.threshold, of.attestors, of.attestor_set_version);
        compare("the attestor set".into(), set(self), set(now));
        for (market, recorded) in &self.market_owners {
            let owner = now.market_owners.get(market).map_or_else(|| "nobody".into(), ToString::to_string);
            compare(format!("the owner of market {market}"), recorded.to_string(), owner);
        }
        said
    }

    /// What a key that has several roles can do alone, in words; `None` where owner and guardian are two, and no owner's key
    /// is enough to attest.
    pub fn one_key(&self) -> Option<String> {
        let (owner, guardian) = (self.registry_owner, self.registry_guardian);
        let (attests, refuses) = (self.attestors == [owner], guardian == owner);
        let guards_oracle = self.oracle_guardian == self.oracle_owner;
        let what = match (attests && self.threshold == 1, refuses || guards_oracle) {
            (false, false) => return None,
            (true, true) => {
                "sets parameters anywhere between the knots at once, and changes everything after the timelock, with nobody to refuse it"
            }
            (true, false) => "sets parameters anywhere between the knots at once",
            (false, true) => "changes everything after the timelock, with nobody to refuse it",
        };
        Some(format!("who has the key of {owner} {what}"))
    }
}

impl Reader {
    /// Who has which rights at an oracle and its registry, as far as these markets and accounts go.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn role_holders(
        &self,
        oracle: Address,
        markets: impl IntoIterator<Item = B256>,
        accounts: &[Address],
    ) -> Result<RoleHolders, ChainError> {
        let registry = ModelRegistry::new(self.registry_of(oracle).await?, &self.provider);
        let oracle = RiskOracle::new(oracle, &self.provider);
        let mut market_owners = BTreeMap::new();
        for market in markets {
            let owner = oracle.marketOwner(market).call().await?;
            if !owner.is_zero() {
                market_owners.insert(market, owner);
            }
        }
        let mut attestors = Vec::new();
        for account in accounts {
            if registry.isAttestor(*account).call().await? {
                attestors.push(*account);
            }
        }
        let set = registry.attestorSet().call().await?;
        Ok(RoleHolders {
            oracle_owner: oracle.owner().call().await?,
            oracle_guardian: oracle.guardian().call().await?,
            registry_owner: registry.owner().call().await?,
            registry_guardian: registry.guardian().call().await?,
            attestors,
            attestor_set_version: set.version,
            threshold: set.threshold,
            sequencer_feed: oracle.sequencerFeed().call().await?,
            market_owners,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holders() -> RoleHolders {
        let account = Address::repeat_byte;
        RoleHolders {
            oracle_owner: account(1),
            oracle_guardian: account(2),
            registry_owner: account(1),
            registry_guardian: account(2),
            attestors: vec![account(3), account(4)],
            attestor_set_version: 1,
            threshold: 2,
            sequencer_feed: Address::ZERO,
            market_owners: [(B256::repeat_byte(7), account(5))].into(),
        }
    }

    #[test]
    fn every_role_that_another_has_is_named() {
        let before = holders();
        assert_eq!(before.differences(&holders()), Vec::<String>::new());
        let other = Address::repeat_byte(9);
        let changes: [fn(&mut RoleHolders, Address); 9] = [
            |now, other| now.oracle_owner = other,
            |now, other| now.oracle_guardian = other,
            |now, other| now.registry_owner = other,
            |now, other| now.registry_guardian = other,
            |now, other| now.sequencer_feed = other,
            |now, _| now.attestor_set_version += 1,
            |now, _| now.threshold = 1,
            |now, _| now.attestors.truncate(1),
            |now, other| now.market_owners = [(B256::repeat_byte(7), other)].into(),
        ];
        for change in changes {
            let mut now = holders();
            change(&mut now, other);
            assert_eq!(before.differences(&now).len(), 1, "{now:?}");
        }
    }

    #[test]
    fn one_key_is_warned_of_where_it_is_enough() {
        let said = |change: fn(&mut RoleHolders)| {
            let mut holders = holders();
            change(&mut holders);
            holders.one_key().unwrap_or_default()
        };
        assert_eq!(said(|_| ()), "");
        assert!(said(|all| all.registry_guardian = all.registry_owner).contains("nobody to refuse"));
        assert!(said(|all| all.oracle_guardian = all.oracle_owner).contains("nobody to refuse"));
        let attests: fn(&mut RoleHolders) = |all| (all.attestors, all.threshold) = (vec![all.registry_owner], 1);
        assert!(said(attests).ends_with("between the knots at once"));
    }
}
