//! What somebody asks to have deployed, and the deployment that follows: from the request, else from the record, else the usual.

use std::path::{Path, PathBuf};

use alloy::primitives::{Address, Bytes};
use anyhow::Context;

use super::error::DeploymentError;
use super::policy::MarketRules;
use super::record::Record;
use super::{ANVIL_CHAIN_ID, Constructor, Deployment, MIN_TIMELOCK_SECONDS, Wanted, WantedMarket};
use crate::actions::risk_oracle::spec::Expected;
use crate::bundle::Bundle;
use crate::chain::Chain;
use veriregime_core::types::chain_id::is_development;
use veriregime_core::types::manifest::verification::Way;

/// Periods for which a replaced model stays accepted: a day, enough for every node to change over.
pub const OVERLAP_PERIODS: u16 = 6;
/// Largest creation code.
const MAX_BYTECODE_BYTES: u64 = 1 << 20;
/// Two days: time for a guardian to wake up.
const TIMELOCK_SECONDS: u64 = 2 * MIN_TIMELOCK_SECONDS;

/// What is asked for; what is absent comes from the record of an earlier run, or is the usual.
#[derive(Debug, Clone)]
pub struct Request {
    /// Owner of the contracts.
    pub owner: Option<Address>,
    /// Owner of the markets that are registered.
    pub market_owner: Option<Address>,
    pub guardian: Option<Address>,
    /// Whose signatures updates need, in any order; none for those of before.
    pub attestors: Vec<Address>,
    pub threshold: Option<u8>,
    pub timelock_seconds: Option<u64>,
    /// Chainlink's sequencer uptime feed.
    pub sequencer_feed: Option<Address>,
    /// File with the markets' policy, which then replaces that of existing markets, too.
    pub policy: Option<PathBuf>,
    /// Periods for which the model that is replaced stays accepted.
    pub overlap_periods: u16,
    /// Whether the wallet may have every role that is not named, on whatever chain.
    pub one_key: bool,
}

impl Request {
    /// The deployment that is asked for, which is the recorded one wherever the chain has that already. `record` is the
    /// record's file.
    ///
    /// # Errors
    /// A record, policy or bundle that is not usable; what the chain says; [`DeploymentError::RolesUnnamed`] on a chain that is
    /// no development chain; [`DeploymentError::TimelockTooShort`].
    pub async fn deployment(
        &self,
        bundle: &Bundle,
        expected: Expected,
        chain: &Chain,
        record: &Path,
    ) -> anyhow::Result<Deployment> {
        let recorded = Record::read(record)?;
        let is_binding = match &recorded {
            Some(recorded) => {
                chain.read.check_chain_id().await.map_err(DeploymentError::from)?;
                recorded.binds(record, &chain.read).await?
            }
            None => false,
        };
        // Arguments of an oracle that never came to be are worth keeping only as a whole.
        let recorded = recorded.filter(|_| is_binding || !self.names_arguments());
        if recorded.is_none() && !self.one_key && !is_development(chain.read.chain_id()) {
            self.names_all_roles()?;
        }
        let rules = match &self.policy {
            Some(path) => MarketRules::read(path)?,
            None => MarketRules::starting()?,
        };
        let constructor = self.constructor(chain, recorded.as_ref().map(|recorded| &recorded.constructor));
        let mut wanted = wanted(bundle, expected, constructor, rules)?;
        let market_owner = self.market_owner.or(recorded.as_ref().map(|recorded| recorded.market_owner));
        wanted.market_owner = market_owner.unwrap_or(wanted.market_owner);
        wanted.change_policy = self.policy.is_some();
        wanted.overlap_periods = self.overlap_periods;
        let deployment = Deployment::new(wanted, chain.read.chain_id())?;
        if let Some(recorded) = recorded.filter(|_| is_binding) {
            recorded.check(record, &deployment)?;
        }
        Ok(deployment)
    }

    /// Whether it names any of the arguments with which an oracle is created.
    fn names_arguments(&self) -> bool {
        let addresses = [self.owner, self.guardian, self.sequencer_feed, self.attestors.first().copied()];
        addresses.iter().any(Option::is_some) || self.threshold.is_some() || self.timelock_seconds.is_some()
    }

    /// The arguments of a registry that stands alone. Nobody gets a role by not being thought of.
    ///
    /// # Errors
    /// [`DeploymentError::RolesUnnamed`] on a chain that is no development chain.
    pub fn registry_arguments(&self, chain: &Chain) -> Result<Constructor, DeploymentError> {
        if !self.one_key && !is_development(chain.read.chain_id()) {
            names(&self.registry_roles())?;
        }
        Ok(self.constructor(chain, None))
    }

    fn registry_roles(&self) -> [(&'static str, bool); 3] {
        [
            ("--owner", self.owner.is_some()),
            ("--guardian", self.guardian.is_some()),
            ("--attestor", !self.attestors.is_empty()),
        ]
    }

    /// Nobody gets a role by not being thought of.
    fn names_all_roles(&self) -> Result<(), DeploymentError> {
        let [owner, others @ ..] = self.registry_roles();
        let market_owner = ("--market-owner", self.market_owner.is_some());
        names(&[&[owner, market_owner], &others[..]].concat())
    }

    fn constructor(&self, chain: &Chain, recorded: Option<&Constructor>) -> Constructor {
        let owner = self.owner.or(recorded.map(|arguments| arguments.owner)).unwrap_or(chain.address());
        let mut attestors = self.attestors.clone();
        if attestors.is_empty() {
            attestors = recorded.map_or_else(|| vec![chain.attestor()], |arguments| arguments.attestors.clone());
        }
        attestors.sort_unstable();
        let usual_timelock = if chain.read.chain_id() == ANVIL_CHAIN_ID { 0 } else { TIMELOCK_SECONDS };
        let recorded_timelock = recorded.map(|arguments| arguments.timelock_seconds);
        let recorded_feed = recorded.map(|arguments| arguments.sequencer_feed);
        Constructor {
            owner,
            guardian: self.guardian.or(recorded.map(|arguments| arguments.guardian)).unwrap_or(owner),
            timelock_seconds: self.timelock_seconds.or(recorded_timelock).unwrap_or(usual_timelock),
            attestors,
            threshold: self.threshold.or(recorded.map(|arguments| arguments.threshold)).unwrap_or(1),
            sequencer_feed: self.sequencer_feed.or(recorded_feed).unwrap_or(Address::ZERO),
        }
    }
}

fn names(named: &[(&'static str, bool)]) -> Result<(), DeploymentError> {
    let absent: Vec<_> = named.iter().filter(|(_, is_named)| !is_named).map(|(flag, _)| *flag).collect();
    if absent.is_empty() { Ok(()) } else { Err(DeploymentError::RolesUnnamed(absent)) }
}

/// Creation code of a bundle's verifier.
///
/// # Errors
/// A way that the bundle does not offer, or a file that is not right.
pub fn verifier_code(bundle: &Bundle, way: Way) -> anyhow::Result<Bytes> {
    let offer = bundle.manifest.offer(way)?;
    let code = veriregime_files::read_text(&bundle.path(offer.bytecode_file), MAX_BYTECODE_BYTES)?;
    code.trim().parse().context("the verifier's bytecode is not hex")
}

/// Everything that an update with `bundle` needs, the markets owned by `constructor.owner`.
///
/// # Errors
/// A bundle that is not right.
pub fn wanted(
    bundle: &Bundle,
    expected: Expected,
    constructor: Constructor,
    rules: MarketRules,
) -> anyhow::Result<Wanted> {
    let verifier_code = verifier_code(bundle, expected.way)?;
    let markets = bundle.manifest.markets()?.iter();
    Ok(Wanted {
        expected,
        verifier_code,
        market_owner: constructor.owner,
        constructor,
        markets: markets.map(|market| WantedMarket { name: market.name.clone(), id: market.id() }).collect(),
        bounds: rules.bounds,
        policy: rules.policy,
        change_policy: false,
        overlap_periods: OVERLAP_PERIODS,
    })
}
