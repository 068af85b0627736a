//! Why a job cannot act on chain.

use alloy::contract::Error as ContractError;
use alloy::primitives::Address;
use thiserror::Error;

use super::contracts::refusal_of;
use super::refusal::{Meaning, PAUSE, Refusal};
use crate::chain::error::ChainError;
use veriregime_core::types::diagnostic::{Diagnostic, Retry};

/// Code of a contract whose owner lets nothing be done for now.
pub const PAUSED_CODE: &str = "VR-VAULT-003";

/// Why a job cannot act, or cannot know whether it has to.
#[derive(Debug, Error)]
pub enum ActionError {
    /// The chain cannot be read or written.
    #[error(transparent)]
    Chain(ChainError),
    /// No contract is configured, or there is none at its address.
    #[error("there is no contract at {0}")]
    NoContract(Address),
    /// The market is served by no model, or by another one.
    #[error("the contract does not run this model: {0}")]
    ForeignModel(String),
    /// The chain's newest block lies before the period.
    #[error("our clock is ahead of the chain: its newest block is {behind_seconds} s short of the period")]
    ChainBehind { behind_seconds: i64 },
    /// The contract refuses.
    #[error("the contract refuses: {0}")]
    Refused(Refusal),
}

impl Diagnostic for ActionError {
    fn code(&self) -> &'static str {
        match self {
            Self::Chain(fault) => fault.code(),
            Self::NoContract(_) => "VR-CHAIN-004",
            Self::ForeignModel(_) => "VR-CHAIN-005",
            Self::ChainBehind { .. } => "VR-CHAIN-008",
            Self::Refused(Refusal { meaning: Meaning::Nothing, .. }) => "VR-VAULT-001",
            Self::Refused(Refusal { meaning: Meaning::NotYet { .. }, .. }) => "VR-VAULT-002",
            Self::Refused(Refusal { meaning: Meaning::Paused { .. }, .. }) => PAUSED_CODE,
            Self::Refused(_) => "VR-CHAIN-009",
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Chain(fault) => fault.hint(),
            Self::NoContract(_) => "set chain.oracle, or the job's `contract`, to the contract's address on this chain",
            Self::ForeignModel(_) => "point model.bundle at the model that the contract runs, or `deploy` this one",
            Self::ChainBehind { .. } => "check this machine's clock and whether the node is in sync",
            Self::Refused(refusal) => refusal.hint(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Chain(fault) => fault.retry(),
            Self::NoContract(_) | Self::ForeignModel(_) | Self::ChainBehind { .. } => Retry::Later(PAUSE),
            Self::Refused(refusal) => refusal.retry(),
        }
    }
}

/// What a contract gives back says which of its errors it is.
impl From<ChainError> for ActionError {
    fn from(fault: ChainError) -> Self {
        match fault {
            ChainError::Rejected(revert) => Self::Refused(refusal_of(&revert)),
            fault => Self::Chain(fault),
        }
    }
}

impl From<ContractError> for ActionError {
    fn from(error: ContractError) -> Self {
        ChainError::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use alloy::sol_types::SolError;
    use alloy::transports::RpcError;

    use super::*;
    use crate::actions::risk_oracle::abi::oracle::RiskOracle;
    use crate::actions::risk_oracle::abi::registry::ModelRegistry;
    use crate::chain::revert::Revert;

    #[test]
    fn the_contracts_errors_become_decisions() {
        let of = |data: &[u8]| ActionError::from(ChainError::Rejected(Revert::new(data)));
        let future = ModelRegistry::FuturePeriod {
            period: alloy::primitives::U256::from(8),
            current: alloy::primitives::U256::from(7),
        };
        assert_eq!(of(&future.abi_encode()).retry(), Retry::Later(PAUSE));
        let silent = of(&[]);
        assert_eq!(
            (silent.to_string(), silent.code(), silent.retry()),
            ("the contract refuses: it reverts without a reason".into(), "VR-CHAIN-009", Retry::Later(PAUSE))
        );
        assert_eq!(of(&ModelRegistry::InvalidProof {}.abi_encode()).retry(), Retry::Never);
    }

    #[test]
    fn old_nethermind_s_reverts_carry_the_contract_s_errors() {
        let data = alloy::hex::encode(RiskOracle::NothingApplied { reason: 2 }.abi_encode());
        let payload = format!(r#"{{"code": -32015, "message": "VM execution error.", "data": "Reverted 0x{data}"}}"#);
        let error = RpcError::ErrorResp(serde_json::from_str(&payload).unwrap());
        let fault = ActionError::from(ChainError::from(error));
        assert!(matches!(fault, ActionError::Refused(Refusal { meaning: Meaning::AlreadyDone, .. })), "{fault}");
    }
}
