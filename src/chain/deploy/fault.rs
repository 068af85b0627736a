//! What can go wrong while contracts are put on a chain.

use std::path::PathBuf;

use alloy::primitives::{Address, B256};
use thiserror::Error;

use crate::chain::fault::ChainFault;
use crate::types::fault::Fault;

/// Why a deployment stops.
#[derive(Debug, Error)]
pub enum DeployFault {
    #[error(transparent)]
    Chain(#[from] ChainFault),
    /// The chain has no CREATE2 deployer.
    #[error("there is no CREATE2 deployer at {0} on this chain")]
    NoDeployer(Address),
    /// Code that is not what the artifact promises.
    #[error("the code of {name} at {address} is not what was compiled: keccak-256 {hash}")]
    ForeignCode { name: &'static str, address: Address, hash: B256 },
    /// The timelock is shorter than real chains allow.
    #[error("a timelock of {seconds} s is too short: at least {least} s on any chain but anvil's")]
    TimelockTooShort { seconds: u64, least: u64 },
    /// The record of an earlier deployment says something else.
    #[error("{} tells of a RiskOracle at {recorded}, these arguments make another one at {derived}", path.display())]
    OtherDeployment { path: PathBuf, recorded: Address, derived: Address },
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
}

impl Fault for DeployFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Chain(fault) => fault.code(),
            Self::NoDeployer(_) => "VR-DEPLOY-001",
            Self::ForeignCode { .. } => "VR-DEPLOY-002",
            Self::TimelockTooShort { .. } => "VR-DEPLOY-003",
            Self::OtherDeployment { .. } => "VR-DEPLOY-004",
            Self::BadRecord { .. } => "VR-DEPLOY-005",
            Self::WithoutEffect(_) => "VR-DEPLOY-006",
            Self::Unmined(_) => "VR-DEPLOY-007",
            Self::BadPolicy { .. } => "VR-DEPLOY-008",
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Chain(fault) => fault.advice(),
            Self::NoDeployer(_) => {
                "send its signed transaction (github.com/Arachnid/deterministic-deployment-proxy), then run this again"
            }
            Self::ForeignCode { .. } => "use nothing of this deployment; check the RPC and the artifacts",
            Self::TimelockTooShort { .. } => "give --timelock at least a day",
            Self::OtherDeployment { .. } => {
                "leave out the arguments that differ, or move the record away to deploy a second oracle"
            }
            Self::BadRecord { .. } => "restore the file, or move it away and give the arguments of the first run",
            Self::WithoutEffect(_) => "run it again; an RPC behind a load balancer may lag",
            Self::Unmined(_) => "wait until it is mined, or replace it, then run this again",
            Self::BadPolicy { .. } => "start from deploy/policy.toml",
        }
    }
}
