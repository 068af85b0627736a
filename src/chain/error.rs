//! What can go wrong between us and the chain.

use std::time::Duration;

use alloy::contract::Error as ContractError;
use alloy::primitives::{Address, U256};
use alloy::transports::{RpcError, TransportError, TransportErrorKind};
use thiserror::Error;

use super::floor::Floor;
use super::revert::Revert;
use crate::chain::rpc::error_class::{ErrorClass, meaning, minimum, revert};
use veriregime_core::types::diagnostic::{Diagnostic, Retry, innermost, quoted};

/// Pause before the RPC is asked again.
const RPC_PAUSE: Duration = Duration::from_secs(2);

/// Why the chain cannot be read or written.
#[derive(Debug, Error)]
pub enum ChainError {
    /// The RPC does not answer.
    #[error("the RPC does not answer: {0}")]
    Unreachable(String),
    /// The RPC answers with an error.
    #[error("the RPC refuses: {0}")]
    Refused(String),
    /// What the RPC answers makes no sense, or is too much.
    #[error("the RPC's answer makes no sense: {0}")]
    Garbage(String),
    /// The RPC's newest block is older than another RPC's.
    #[error("the RPC lags {behind_seconds} s behind another one")]
    Lagging { behind_seconds: u64 },
    /// The RPC is on another chain.
    #[error("the RPC is on chain {actual}, the settings say {expected}")]
    WrongChain { expected: u64, actual: u64 },
    /// The wallet cannot pay.
    #[error("wallet {wallet} holds {balance_wei} wei and needs {needed_wei}")]
    EmptyWallet { wallet: Address, balance_wei: U256, needed_wei: U256 },
    /// The network asks for more than the cap.
    #[error("the network asks {needed_wei} wei for a unit of gas, the cap is {cap_wei}")]
    FeeAboveCap { needed_wei: u128, cap_wei: u128 },
    /// The contract refuses the call.
    #[error("the contract refuses: {0}")]
    Rejected(Revert),
    /// A transaction that would not stay within its gas estimate.
    #[error("transaction {0} was mined and reverted")]
    Reverted(alloy::primitives::B256),
    /// No RPC takes the transaction at its price.
    #[error("every RPC wants more for the transaction: {words}")]
    Underpriced {
        words: String,
        /// What the RPC says would do.
        minimum: Floor,
    },
    /// There is nothing to replace or cancel.
    #[error("no transaction waits to be mined")]
    NothingWaits,
    /// A key that cannot sign.
    #[error("the transaction cannot be signed: {0}")]
    Signing(String),
}

impl Diagnostic for ChainError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "VR-CHAIN-001",
            Self::Refused(_) => "VR-CHAIN-002",
            Self::WrongChain { .. } => "VR-CHAIN-003",
            Self::EmptyWallet { .. } => "VR-CHAIN-006",
            Self::FeeAboveCap { .. } => "VR-CHAIN-007",
            Self::Rejected(_) => "VR-CHAIN-009",
            Self::Reverted(_) => "VR-CHAIN-010",
            Self::Signing(_) => "VR-CHAIN-011",
            Self::Garbage(_) => "VR-CHAIN-013",
            Self::Lagging { .. } => "VR-CHAIN-014",
            Self::Underpriced { .. } => "VR-CHAIN-015",
            Self::NothingWaits => "VR-CHAIN-017",
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => {
                "check chain.rpc_url and the node behind it; a daemon tries again until the period ends"
            }
            Self::Refused(_) => "read the RPC's words; rate limits and unsynced nodes are the usual reasons",
            Self::Garbage(_) => "check that chain.rpc_url leads to a node, and no proxy answers in its place",
            Self::Lagging { .. } => "nothing: the others are asked; look at the node if it does not catch up",
            Self::Underpriced { .. } => "nothing: it is replaced by a dearer one, up to chain.max_fee_per_gas_gwei",
            Self::NothingWaits => "look at `tx list`: what was sent is mined, or its cycle has ended",
            Self::WrongChain { .. } => "correct chain.rpc_url or chain.chain_id; nothing was sent",
            Self::EmptyWallet { .. } => "send funds to the wallet; a daemon tries again until the period ends",
            Self::FeeAboveCap { .. } => "raise chain.max_fee_per_gas_gwei if this period is worth it",
            Self::Rejected(revert) if revert.is_silent() => {
                "nothing: it is asked again; if it goes on, check chain.rpc_url and that the contract is at the address of the settings"
            }
            Self::Rejected(_) => "read the contract's error; nothing was spent",
            Self::Reverted(_) => "look the transaction up; the state changed between simulation and inclusion",
            Self::Signing(_) => "check the key, or the service or device that holds it",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Rejected(revert) if !revert.is_silent() => Retry::Never,
            Self::Signing(_) | Self::NothingWaits => Retry::Never,
            _ => Retry::Later(RPC_PAUSE),
        }
    }
}

impl From<TransportError> for ChainError {
    fn from(error: TransportError) -> Self {
        match error {
            RpcError::ErrorResp(payload) => match revert(&payload) {
                Some(data) => Self::Rejected(Revert::new(&data)),
                None if meaning(&payload) == ErrorClass::Underpriced => {
                    Self::Underpriced { words: quoted(&payload.message), minimum: minimum(&payload.message) }
                }
                None => Self::Refused(quoted(&payload.message)),
            },
            RpcError::Transport(TransportErrorKind::Custom(error)) => match error.downcast::<Self>() {
                Ok(fault) => *fault,
                Err(error) => Self::Unreachable(quoted(&innermost(&*error))),
            },
            RpcError::DeserError { err, .. } => Self::Garbage(quoted(&err.to_string())),
            other => Self::Unreachable(quoted(&innermost(&other))),
        }
    }
}

impl From<ContractError> for ChainError {
    fn from(error: ContractError) -> Self {
        match error {
            ContractError::TransportError(error) => error.into(),
            other => Self::Refused(quoted(&other.to_string())),
        }
    }
}
