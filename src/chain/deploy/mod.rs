//! Putting the contracts on a chain: what is wanted, what is missing, and the next transaction. Every step is judged by
//! what the chain shows, so that a deployment that was broken off anywhere goes on from there.

pub mod code;
pub mod diff;
pub mod fault;
mod standing;
mod steps;

use std::time::Duration;

use alloy::network::TransactionBuilder;
use alloy::primitives::{Address, B256, Bytes};
use alloy::rpc::types::TransactionRequest;
use alloy::sol_types::SolCall;
use serde::{Deserialize, Serialize};

use super::abi::IRegimeRiskOracle::{Bounds, Policy, SmokeProof};
use super::abi::RiskOracle;
use super::model::Expected;
use super::{Chain, Reader};
use code::Contracts;
use fault::DeployFault;
use standing::Standing;

/// Shortest timelock that the contract takes on a real chain.
pub const MIN_TIMELOCK_SECONDS: u64 = 86_400;
/// anvil's and forge's chain, the only one that the contract takes for no real one.
pub const ANVIL_CHAIN_ID: u64 = 31_337;
/// How long after its ripening an announced call can be made, and a proposed model activated.
const LIFETIME_SECONDS: u64 = 14 * 86_400;
/// Looks for what a mined transaction did, and the pause between two.
const EFFECT_LOOKS: usize = 20;
const EFFECT_PAUSE: Duration = Duration::from_millis(500);

/// The arguments with which the oracle is created. Its address follows from them.
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

/// What keeps a step from being taken now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocked {
    /// Steps before it.
    Earlier,
    /// The timelock, until that Unix time in seconds.
    Until(u64),
    /// It is another account's to take.
    Sender(Address),
    /// A proposal that was not used in time: the guardian must veto it first.
    Veto,
}

/// A transaction that is missing.
#[derive(Debug, Clone)]
pub struct Step {
    pub name: String,
    pub to: Address,
    /// Empty while it is made with a proof.
    pub data: Bytes,
    pub needs_proof: bool,
    pub blocked: Option<Blocked>,
}

/// What [`Deployment::advance`] did.
#[derive(Debug)]
pub enum Progress {
    /// A step was taken.
    Sent { name: String, hash: B256, gas_used: u64 },
    /// The next step takes a proof by the model.
    WantsProof,
    /// Steps are missing and none can be taken now.
    Waiting(Vec<Step>),
    /// Everything wanted is there.
    Done,
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
    /// [`DeployFault::TimelockTooShort`].
    pub fn new(wanted: Wanted, chain_id: u64) -> Result<Self, DeployFault> {
        let seconds = wanted.constructor.timelock_seconds;
        if seconds < MIN_TIMELOCK_SECONDS && chain_id != ANVIL_CHAIN_ID {
            return Err(DeployFault::TimelockTooShort { seconds, least: MIN_TIMELOCK_SECONDS });
        }
        let contracts = Contracts::of(&wanted);
        let model_id = wanted.expected.model_id(contracts.verifier.address);
        Ok(Self { wanted, contracts, model_id })
    }

    /// What is missing, in order, for a wallet.
    ///
    /// # Errors
    /// [`DeployFault::NoDeployer`], [`DeployFault::ForeignCode`], or what the chain says.
    pub async fn missing(&self, read: &Reader, wallet: Address) -> Result<Vec<Step>, DeployFault> {
        let standing = Standing::read(self, read).await?;
        Ok(steps::missing(self, &standing, wallet))
    }

    /// Of the contracts in the order of their creation, the hash of the code on chain, which is what was compiled; `None`
    /// for one that is not there.
    ///
    /// # Errors
    /// As [`Deployment::missing`].
    pub async fn code_hashes(&self, read: &Reader) -> Result<Vec<Option<B256>>, DeployFault> {
        Ok(Standing::read(self, read).await?.code_hashes)
    }

    /// Takes the next step that can be taken, and waits until the chain shows it.
    ///
    /// # Errors
    /// As [`Deployment::missing`]; [`DeployFault::Unmined`], [`DeployFault::WithoutEffect`].
    pub async fn advance(&self, chain: &Chain, smoke: Option<&SmokeProof>) -> Result<Progress, DeployFault> {
        let steps = self.missing(&chain.read, chain.address()).await?;
        if steps.is_empty() {
            return Ok(Progress::Done);
        }
        let Some(step) = steps.iter().find(|step| step.blocked.is_none()) else {
            return Ok(Progress::Waiting(steps));
        };
        let data = match (step.needs_proof, smoke) {
            (false, _) => step.data.clone(),
            (true, None) => return Ok(Progress::WantsProof),
            (true, Some(smoke)) => {
                RiskOracle::activateModelCall { modelId: self.model_id, smoke: smoke.clone() }.abi_encode().into()
            }
        };
        if !chain.is_idle().await? {
            return Err(DeployFault::Unmined(chain.address()));
        }
        let receipt = chain.send(TransactionRequest::default().with_to(step.to).with_input(data)).await?;
        for _ in 0..EFFECT_LOOKS {
            let left = self.missing(&chain.read, chain.address()).await?;
            if !left.iter().any(|other| other.name == step.name) {
                let (name, hash) = (step.name.clone(), receipt.transaction_hash);
                return Ok(Progress::Sent { name, hash, gas_used: receipt.gas_used });
            }
            tokio::time::sleep(EFFECT_PAUSE).await;
        }
        Err(DeployFault::WithoutEffect(step.name.clone()))
    }
}
