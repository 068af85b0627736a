//! What can go wrong while contracts are put on a chain.

use std::path::PathBuf;

use alloy::primitives::{Address, B256};
use thiserror::Error;

use crate::actions::error::ActionError;
use crate::actions::refusal::Refusal;
use crate::chain::error::ChainError;
use veriregime_core::types::diagnostic::Diagnostic;

/// Why a deployment stops.
#[derive(Debug, Error)]
pub enum DeploymentError {
    #[error(transparent)]
    Action(#[from] ActionError),
    /// The chain has no CREATE2 deployer.
    #[error("there is no CREATE2 deployer at {0} on this chain")]
    NoDeployer(Address),
    /// Code that is not what the artifact promises.
    #[error("the code of {name} at {address} is not what was compiled: keccak-256 {hash}")]
    ForeignCode { name: &'static str, address: Address, hash: B256 },
    /// The timelock is shorter than real chains allow.
    #[error("a timelock of {seconds} s is too short: at least {least} s on any chain but anvil's")]
    TimelockTooShort { seconds: u64, least: u64 },
    /// The record of an earlier deployment tells of another oracle. `arguments` are those that differ; none where it is the
    /// contracts' code that does.
    #[error("{} tells of a RiskOracle at {recorded}; with {} there would be another one at {derived}", path.display(), differing(arguments))]
    OtherDeployment { path: PathBuf, recorded: Address, derived: Address, arguments: Vec<&'static str> },
    /// A record that cannot be understood.
    #[error("{} is no record of a deployment: {reason}", path.display())]
    BadRecord { path: PathBuf, reason: String },
    /// A transaction was mined and the chain does not show what it did.
    #[error("{0} was mined, but the chain does not show it")]
    WithoutEffect(String),
    /// An earlier transaction of the wallet is not mined.
    #[error("wallet {0} has a transaction that is not mined yet")]
    Unmined(Address),
    /// A policy that no contract can take.
    #[error("{} is no policy: {reason}", path.display())]
    BadPolicy { path: PathBuf, reason: String },
    /// A transaction that would revert, at once or when the timelock lets it pass.
    #[error("the chain would refuse to {step}: {reason} ({})", reason.hint())]
    Refused { step: String, reason: Refusal },
    /// Roles on a chain that is no development chain, which nobody was named for.
    #[error("roles are named on a chain that is no development chain: {} absent", .0.join(", "))]
    RolesUnnamed(Vec<&'static str>),
    /// A vault's file that cannot be understood.
    #[error("{} describes no vault: {reason}", path.display())]
    BadVault { path: PathBuf, reason: String },
    /// No pool has liquidity.
    #[error("the factory {0} knows no pool of WBTC and USDC that has liquidity at its price")]
    NoPool(Address),
    /// Nobody can say what would become of the transactions.
    #[error("what would be sent cannot be tried out: {0}")]
    Untried(String),
}

fn differing(arguments: &[&str]) -> String {
    if arguments.is_empty() { "this version's contracts".into() } else { arguments.join(", ") }
}

impl Diagnostic for DeploymentError {
    fn code(&self) -> &'static str {
        match self {
            Self::Action(fault) => fault.code(),
            Self::NoDeployer(_) => "VR-DEPLOY-001",
            Self::ForeignCode { .. } => "VR-DEPLOY-002",
            Self::TimelockTooShort { .. } => "VR-DEPLOY-003",
            Self::OtherDeployment { .. } => "VR-DEPLOY-004",
            Self::BadRecord { .. } => "VR-DEPLOY-005",
            Self::WithoutEffect(_) => "VR-DEPLOY-006",
            Self::Unmined(_) => "VR-DEPLOY-007",
            Self::BadPolicy { .. } => "VR-DEPLOY-008",
            Self::Refused { .. } => "VR-DEPLOY-009",
            Self::Untried(_) => "VR-DEPLOY-010",
            Self::RolesUnnamed(_) => "VR-DEPLOY-011",
            Self::BadVault { .. } => "VR-DEPLOY-012",
            Self::NoPool(_) => "VR-DEPLOY-013",
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Action(fault) => about_the_chain(fault),
            Self::NoDeployer(_) => {
                "send its signed transaction (github.com/Arachnid/deterministic-deployment-proxy), then run this again"
            }
            Self::ForeignCode { .. } => "use nothing of this deployment; check the RPC and the artifacts",
            Self::TimelockTooShort { .. } => "give --timelock at least a day",
            Self::OtherDeployment { arguments, .. } if arguments.is_empty() => {
                "use the version that made this oracle; a second oracle takes a --record folder of its own"
            }
            Self::OtherDeployment { .. } => {
                "leave these out: `admin set-attestors`, `admin set-guardian`, `admin set-sequencer-feed` and `admin hand-over` \
                 change the oracle that is there; a second oracle takes a --record folder of its own"
            }
            Self::BadRecord { .. } => {
                "restore the file from version control; nothing else knows the arguments of the first run"
            }
            Self::WithoutEffect(_) => "run it again; an RPC behind a load balancer may lag",
            Self::Unmined(_) => {
                "wait until it is mined, then run this again; a daemon replaces its own, and so must whatever else sent it"
            }
            Self::BadPolicy { .. } => "start from deploy/policy.toml",
            Self::BadVault { .. } => "start from deploy/hedge.toml",
            Self::NoPool(_) => "check factory, wbtc and usdc in the vault's file, and that the RPC is on their chain",
            Self::Refused { .. } => "nothing of this was sent; correct what the error names, then run it again",
            Self::RolesUnnamed(_) => {
                "name an account for each, no two of them in one hand; --i-know-one-key-rules-all gives the wallet what is not named"
            }
            Self::Untried(_) => {
                "nothing was sent; use an RPC with eth_simulateV1, or install anvil (`make setup`), which makes a copy of the chain"
            }
        }
    }
}

impl From<ChainError> for DeploymentError {
    fn from(fault: ChainError) -> Self {
        Self::Action(fault.into())
    }
}

/// The chain's troubles in words for somebody who deploys: no period ends, and what was mined before stays.
fn about_the_chain(fault: &ActionError) -> &'static str {
    match fault {
        ActionError::Chain(ChainError::Unreachable(_)) => {
            "check chain.rpc_url and the node behind it, then run this again: it goes on from there"
        }
        ActionError::Chain(ChainError::EmptyWallet { .. }) => {
            "send the wallet that much, then run this again: it goes on from there"
        }
        ActionError::Chain(ChainError::FeeAboveCap { .. }) => {
            "wait for a lower fee, or raise chain.max_fee_per_gas_gwei, then run this again"
        }
        ActionError::Chain(ChainError::Underpriced { .. }) => {
            "raise chain.priority_fee_gwei or chain.max_fee_per_gas_gwei, then run this again"
        }
        ActionError::Refused(_) => "read the contract's error; what was mined before stays, and is not sent again",
        ActionError::Chain(ChainError::Reverted(_)) => {
            "look the transaction up: its gas is spent; run this again, it goes on from there"
        }
        _ => fault.hint(),
    }
}
