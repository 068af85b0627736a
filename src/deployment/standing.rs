//! What of a deployment the chain shows already.

use alloy::primitives::{Address, B256, U256, keccak256};
use alloy::providers::Provider;

use super::code::CREATE2_DEPLOYER;
use super::{Blocked, Deployment, LIFETIME_SECONDS, WantedMarket};
use crate::actions::risk_oracle::abi::oracle::IRegimeRiskOracle::{Bounds, Policy};
use crate::actions::risk_oracle::abi::oracle::RiskOracle;
use crate::actions::risk_oracle::abi::oracle::RiskOracle::RiskOracleInstance;
use crate::actions::risk_oracle::abi::registry::ModelRegistry;
use crate::actions::risk_oracle::abi::registry::ModelRegistry::ModelRegistryInstance;
use crate::actions::risk_oracle::spec::PURPOSE;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use crate::deployment::error::DeploymentError;

/// A trial announces some blocks later than now: in a second for each transaction before it.
pub(super) const TRIAL_SLACK_SECONDS: u64 = 3_600;
/// Until when a model without an end is accepted.
const NO_END: u64 = (1 << 40) - 1;

/// What the chain shows.
#[derive(Debug)]
pub(crate) struct OnChainState {
    /// Of the contracts in the order of their creation; `None` for one that is not there.
    pub(crate) code_hashes: Vec<Option<B256>>,
    /// The oracle's owner; the one that it will have, while it is not there.
    pub(crate) owner: Address,
    /// The registry's owner, likewise.
    pub(crate) registry_owner: Address,
    /// `None` while there is no oracle.
    pub(crate) oracle: Option<OracleStanding>,
    /// One for each wanted market.
    pub(crate) markets: Vec<MarketStanding>,
    /// Whether the model is the active one of all of its markets, and without an end.
    pub(crate) model_active: bool,
    /// When a proposed model can be activated; 0 if it is not proposed.
    pub(crate) model_ready_at: u64,
    /// Unix seconds of the block that a transaction would come into.
    now: u64,
}

/// The oracle's settings.
#[derive(Debug)]
pub(crate) struct OracleStanding {
    pub(crate) guardian: Address,
    pub(crate) timelock_seconds: u64,
    pub(crate) sequencer_feed: Address,
    pub(crate) threshold: u8,
    /// Those of the wanted attestors that are in the set.
    pub(crate) attestors: Vec<Address>,
}

/// A market.
#[derive(Debug, Default)]
pub(crate) struct MarketStanding {
    /// Zero if it is not registered.
    pub(crate) owner: Address,
    pub(crate) bounds: Option<Bounds>,
    pub(crate) policy: Option<Policy>,
    pub(crate) active_model: Option<B256>,
    /// When the wanted policy can be set; 0 if it is not announced.
    pub(crate) policy_ready_at: u64,
}

impl OnChainState {
    pub(crate) async fn read(deployment: &Deployment, read: &Reader) -> Result<Self, DeploymentError> {
        let provider = &read.provider;
        if provider.get_code_at(CREATE2_DEPLOYER).await.map_err(ChainError::from)?.is_empty() {
            return Err(DeploymentError::NoDeployer(CREATE2_DEPLOYER));
        }
        let mut code_hashes = Vec::new();
        for creation in deployment.contracts.all() {
            let code = provider.get_code_at(creation.address).await.map_err(ChainError::from)?;
            code_hashes.push(if code.is_empty() { None } else { Some(creation.verified(&code)?) });
        }
        let wanted = &deployment.wanted;
        let mut standing = Self {
            owner: wanted.constructor.owner,
            registry_owner: wanted.constructor.owner,
            oracle: None,
            markets: wanted.markets.iter().map(|_| MarketStanding::default()).collect(),
            model_active: false,
            model_ready_at: 0,
            now: read.next_block_seconds().await?,
            code_hashes,
        };
        // The oracle is created last.
        if standing.code_hashes.last().is_some_and(Option::is_some) {
            standing.read_oracle(deployment, read).await?;
        }
        Ok(standing)
    }

    async fn read_oracle(&mut self, deployment: &Deployment, read: &Reader) -> Result<(), ChainError> {
        let contract = RiskOracle::new(deployment.contracts.oracle.address, &read.provider);
        let arguments = &deployment.wanted.constructor;
        let registry = ModelRegistry::new(deployment.contracts.registry.address, &read.provider);
        self.owner = contract.owner().call().await?;
        self.registry_owner = registry.owner().call().await?;
        let mut attestors = Vec::new();
        for attestor in &arguments.attestors {
            if registry.isAttestor(*attestor).call().await? {
                attestors.push(*attestor);
            }
        }
        self.oracle = Some(OracleStanding {
            guardian: contract.guardian().call().await?,
            timelock_seconds: contract.timelockSeconds().call().await?.saturating_to(),
            sequencer_feed: contract.sequencerFeed().call().await?,
            threshold: registry.attestorSet().call().await?.threshold,
            attestors,
        });
        self.model_ready_at = registry.modelReadyAt(deployment.model_id).call().await?.saturating_to();
        self.model_active = match registry.facts(deployment.model_id).call().await.map_err(ChainError::from) {
            Ok(facts) => facts.activeUntil.to::<u64>() == NO_END,
            Err(ChainError::Rejected(_)) => false, // it was never proposed
            Err(fault) => return Err(fault),
        };
        for (market, found) in deployment.wanted.markets.iter().zip(&mut self.markets) {
            *found = market_standing(&contract, &registry, deployment, market).await?;
            self.model_active &= found.active_model == Some(deployment.model_id);
        }
        Ok(())
    }

    /// When the timelock lets pass what is announced in the next block.
    pub(crate) fn ripe_if_announced_now(&self, deployment: &Deployment) -> u64 {
        let of_wanted = deployment.wanted.constructor.timelock_seconds;
        let timelock_seconds = self.oracle.as_ref().map_or(of_wanted, |oracle| oracle.timelock_seconds);
        self.now.saturating_add(timelock_seconds).saturating_add(TRIAL_SLACK_SECONDS)
    }

    /// What blocks a step that the timelock lets ripen at that time.
    pub(crate) fn unripe(&self, ready_at: u64) -> Option<Blocked> {
        (self.now < ready_at).then_some(Blocked::Until(ready_at))
    }

    pub(crate) fn is_expired(&self, ready_at: u64) -> bool {
        self.now > ready_at.saturating_add(LIFETIME_SECONDS)
    }
}

async fn market_standing<P: Provider>(
    contract: &RiskOracleInstance<P>,
    registry: &ModelRegistryInstance<P>,
    deployment: &Deployment,
    market: &WantedMarket,
) -> Result<MarketStanding, ChainError> {
    let owner = contract.marketOwner(market.id).call().await?;
    if owner.is_zero() {
        return Ok(MarketStanding::default());
    }
    let policy = contract.policy(market.id).call().await?;
    let active = registry.activeModel(keccak256(PURPOSE), market.id).call().await?;
    let operation = contract.operationOf(owner, deployment.wanted.set_policy(market)).call().await?;
    let ready_at: U256 = contract.readyAt(operation).call().await?;
    Ok(MarketStanding {
        owner,
        bounds: Some(contract.bounds(market.id).call().await?),
        policy: (!policy.knots.is_empty()).then_some(policy),
        active_model: (!active.is_zero()).then_some(active),
        policy_ready_at: ready_at.saturating_to(),
    })
}
