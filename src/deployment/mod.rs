//! Putting the contracts on a chain: what is wanted, what is missing, and the next transaction. Every step is judged by
//! what the chain shows, so that a deployment that was broken off anywhere goes on from there.

pub mod admin;
pub mod announced;
pub mod code;
pub mod complete;
pub mod diff;
pub mod error;
pub mod feed;
pub mod hedge;
mod one_model;
pub mod outbox;
pub mod outlook;
pub mod policy;
pub mod record;
pub mod render;
pub mod request;
pub mod rights;
pub mod roles;
mod standing;
mod steps;

use std::time::Duration;

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol_types::{SolCall, SolValue};
use serde::{Deserialize, Serialize};

use crate::actions::risk_oracle::abi::oracle::IRegimeRiskOracle::{Bounds, Policy};
use crate::actions::risk_oracle::abi::oracle::RiskOracle;
use crate::actions::risk_oracle::abi::registry::IModelRegistry::Update as Smoke;
use crate::actions::risk_oracle::abi::registry::ModelRegistry;
use crate::actions::risk_oracle::spec::Expected;
use crate::chain::read::Reader;
use crate::chain::rehearsal::Trial;
use code::Contracts;
use complete::Plan;
use error::DeploymentError;
use roles::RoleHolders;
use standing::OnChainState;
use veriregime_core::types::period::Grid;

/// Shortest timelock that the contract takes on a real chain.
pub const MIN_TIMELOCK_SECONDS: u64 = 86_400;
/// anvil's and forge's chain, the only one that the contract takes for no real one.
pub const ANVIL_CHAIN_ID: u64 = 31_337;
/// How long after its ripening an announced call can be made, and a proposed model activated.
pub const LIFETIME_SECONDS: u64 = 14 * 86_400;
/// Looks for what a mined transaction did.
pub const EFFECT_LOOKS: usize = 20;
/// Pause between two of them.
pub const EFFECT_PAUSE: Duration = Duration::from_millis(500);

/// The arguments with which registry and oracle are created. Their addresses follow from them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constructor {
    pub owner: Address,
    pub guardian: Address,
    pub timelock_seconds: u64,
    /// Strictly ascending.
    pub attestors: Vec<Address>,
    pub threshold: u8,
    /// Zero where there is none.
    pub sequencer_feed: Address,
}

impl Constructor {
    /// The arguments of `deploy` by which two differ.
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        let pairs = [
            ("--owner", self.owner == other.owner),
            ("--guardian", self.guardian == other.guardian),
            ("--timelock", self.timelock_seconds == other.timelock_seconds),
            ("--attestor", self.attestors == other.attestors),
            ("--threshold", self.threshold == other.threshold),
            ("--sequencer-feed", self.sequencer_feed == other.sequencer_feed),
        ];
        pairs.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
    }
}

/// A market of the model.
#[derive(Debug, Clone)]
pub struct WantedMarket {
    pub name: String,
    pub id: B256,
}

/// What is to be on the chain in the end.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub expected: Expected,
    /// Creation code of the verifier.
    pub verifier_code: Bytes,
    pub constructor: Constructor,
    pub markets: Vec<WantedMarket>,
    pub market_owner: Address,
    pub bounds: Bounds,
    pub policy: Policy,
    /// Whether a market that has another policy gets this one, through the timelock.
    pub change_policy: bool,
    /// Periods for which the models that this one replaces stay accepted.
    pub overlap_periods: u16,
}

impl Wanted {
    /// The call that sets a market's policy. The timelock knows it by its bytes.
    fn set_policy(&self, market: &WantedMarket) -> Bytes {
        RiskOracle::setPolicyCall { market: market.id, policy_: self.policy.clone() }.abi_encode().into()
    }
}

/// For how long a replaced model stays accepted, in periods of its successor.
pub fn overlap_seconds(periods: u16, grid: Grid) -> U256 {
    U256::from(periods) * U256::from(grid.period_seconds)
}

/// What keeps a step from being taken now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocked {
    /// Steps before it.
    Earlier,
    /// The timelock, until that Unix time in seconds.
    Until(u64),
    /// It is another account's to take.
    Sender,
}

/// A transaction that is missing.
#[derive(Debug, Clone)]
pub struct Step {
    pub name: String,
    /// Whose it is to send.
    pub sender: Address,
    pub to: Address,
    /// Empty while it is made with a proof.
    pub data: Bytes,
    pub needs_proof: bool,
    /// Unix seconds from which the timelock lets it pass, of a step that the timelock holds back.
    pub ripe_at: Option<u64>,
    pub blocked: Option<Blocked>,
}

/// A deployment, begun or not.
#[derive(Debug, Clone)]
pub struct Deployment {
    pub wanted: Wanted,
    pub contracts: Contracts,
    pub model_id: B256,
}

impl Deployment {
    /// The deployment of what is wanted to that chain.
    ///
    /// # Errors
    /// [`DeploymentError::TimelockTooShort`].
    pub fn new(wanted: Wanted, chain_id: u64) -> Result<Self, DeploymentError> {
        let seconds = wanted.constructor.timelock_seconds;
        if seconds < MIN_TIMELOCK_SECONDS && chain_id != ANVIL_CHAIN_ID {
            return Err(DeploymentError::TimelockTooShort { seconds, least: MIN_TIMELOCK_SECONDS });
        }
        let contracts = Contracts::of(&wanted);
        let model_id = wanted.expected.model_id(contracts.verifier.address);
        Ok(Self { wanted, contracts, model_id })
    }

    /// `abi.encode` of the model's specification.
    pub fn model_spec(&self) -> Bytes {
        self.wanted.expected.spec(self.contracts.verifier.address).abi_encode().into()
    }

    /// What is missing, in order, for a wallet.
    ///
    /// # Errors
    /// As [`Plan::missing`].
    pub async fn missing(&self, read: &Reader, wallet: Address) -> Result<Vec<Step>, DeploymentError> {
        let standing = OnChainState::read(self, read).await?;
        Ok(steps::missing(self, &standing, wallet))
    }

    /// What a step sends; one that needs a proof is made with `smoke`, the proof that activates the model.
    pub fn calldata(&self, step: &Step, smoke: Option<&Smoke>) -> Bytes {
        calldata(self.model_id, step, smoke)
    }

    /// Of the contracts in the order of their creation, the hash of the code on chain, which is what was compiled; `None`
    /// for one that is not there.
    ///
    /// # Errors
    /// As [`Plan::missing`].
    pub async fn code_hashes(&self, read: &Reader) -> Result<Vec<Option<B256>>, DeploymentError> {
        Ok(OnChainState::read(self, read).await?.code_hashes)
    }

    /// Who has which rights: by the chain, or as it will be where the oracle is not there.
    ///
    /// # Errors
    /// What the chain says.
    pub async fn role_holders(&self, read: &Reader) -> Result<RoleHolders, DeploymentError> {
        let (oracle, wanted) = (self.contracts.oracle.address, RoleHolders::wanted(self));
        if !read.has_code(oracle).await? {
            return Ok(wanted);
        }
        let markets: Vec<B256> = wanted.market_owners.into_keys().collect();
        Ok(read.role_holders(oracle, markets, &wanted.attestors).await?)
    }
}

impl Plan for Deployment {
    async fn missing(&self, read: &Reader, wallet: Address) -> Result<Vec<Step>, DeploymentError> {
        Self::missing(self, read, wallet).await
    }

    fn calldata(&self, step: &Step, smoke: Option<&Smoke>) -> Bytes {
        Self::calldata(self, step, smoke)
    }
}

/// What a step sends; one that needs a proof activates the model with `smoke`.
fn calldata(model_id: B256, step: &Step, smoke: Option<&Smoke>) -> Bytes {
    match smoke {
        Some(smoke) if step.needs_proof => {
            let smoke = Smoke { modelId: model_id, ..smoke.clone() };
            ModelRegistry::activateModelCall { smoke }.abi_encode().into()
        }
        _ => step.data.clone(),
    }
}

/// The trials of `steps`, in the order in which they would be sent: those that the timelock holds back come when it lets
/// them pass. `data` says what a step sends.
pub fn trials(steps: &[Step], data: impl Fn(&Step) -> Bytes) -> Vec<(&Step, Trial)> {
    let trial = |step: &Step| Trial {
        from: step.sender,
        to: step.to,
        data: data(step),
        not_before_seconds: step.ripe_at.unwrap_or_default(),
    };
    let mut trials: Vec<(&Step, Trial)> = steps.iter().map(|step| (step, trial(step))).collect();
    trials.sort_by_key(|(_, trial)| trial.not_before_seconds);
    trials
}
