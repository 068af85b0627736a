//! What can go wrong between us and the chain, and what a refusal of the contract means.

use std::time::Duration;

use alloy::contract::Error as ContractError;
use alloy::primitives::{Address, U256};
use alloy::sol_types::SolInterface;
use alloy::transports::{RpcError, TransportError, TransportErrorKind};
use thiserror::Error;

use super::fees::Floor;
use crate::actions::risk_oracle::abi::RiskOracle::RiskOracleErrors;
use crate::chain::rpc::error_class::{ErrorClass, meaning, minimum, revert};
use veriregime_core::types::diagnostic::{Diagnostic, Retry, innermost, quoted};
use veriregime_core::types::period::PeriodId;

/// Most revert data that is shown.
const MAX_SHOWN_BYTES: usize = 120;
/// The contract's `SkipReason.Withheld`.
const SKIPPED_WITHHELD: u8 = 0;
/// The contract's `SkipReason.AlreadyUpdated`.
const SKIPPED_ALREADY_UPDATED: u8 = 1;
/// Pause before the RPC is asked again.
const RPC_PAUSE: Duration = Duration::from_secs(2);
/// Pause before other operators are asked again.
const ATTESTATION_PAUSE: Duration = Duration::from_secs(5);

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
    /// No contract is configured, or there is none at its address.
    #[error("there is no RiskOracle at {0}")]
    NoContract(Address),
    /// The market is served by no model, or by another one.
    #[error("the contract does not run this model: {0}")]
    ForeignModel(String),
    /// The wallet cannot pay.
    #[error("wallet {wallet} holds {balance_wei} wei and needs {needed_wei}")]
    EmptyWallet { wallet: Address, balance_wei: U256, needed_wei: U256 },
    /// The network asks for more than the cap.
    #[error("the network asks {needed_wei} wei for a unit of gas, the cap is {cap_wei}")]
    FeeAboveCap { needed_wei: u128, cap_wei: u128 },
    /// The chain's newest block lies before the period.
    #[error("our clock is ahead of the chain: its newest block is {behind_seconds} s short of the period")]
    ChainBehind { behind_seconds: i64 },
    /// The contract refuses the update.
    #[error("the contract refuses: {0}")]
    Rejected(Rejection),
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
    /// A transaction of an earlier period holds the nonce.
    #[error("the transaction of period {period} with nonce {nonce} is not mined yet")]
    NonceHeld { period: PeriodId, nonce: u64 },
    /// There is nothing to replace or cancel.
    #[error("no transaction waits to be mined")]
    NothingWaits,
    /// Too few operators attest.
    #[error("the contract wants {threshold} attestations, there are {held}, and {peers} other operators to ask")]
    FewAttestations { threshold: u8, held: usize, peers: usize },
    /// A key that cannot sign.
    #[error("the transaction cannot be signed: {0}")]
    Signing(String),
}

/// What the contract said.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Rejection {
    /// An update for the period is there already.
    #[error("the period already has an update")]
    AlreadySubmitted,
    /// The period is over.
    #[error("the period is over")]
    StalePeriod,
    /// The period has not begun for the chain.
    #[error("the period has not begun on chain")]
    FuturePeriod { starts_seconds: i64 },
    /// The key that attests is not in the contract's set.
    #[error("{0} is not an attestor")]
    NotAttestor(Address),
    /// The attestation is not the attestor's, or for something else.
    #[error("the attestation of {0} does not hold")]
    InvalidAttestation(Address),
    /// The guardian paused the model's markets or disabled the period.
    #[error("the guardian withholds the period for all of the model's markets")]
    Withheld,
    /// Another model's update for the period is there already.
    #[error("all of the model's markets have another model's update for the period")]
    OvertakenByOther,
    /// No market's price feed agrees.
    #[error("the price feeds of the model's markets do not agree with the closes")]
    PriceMismatch,
    /// The verifier does not take the proof.
    #[error("the proof is invalid")]
    InvalidProof,
    /// It reverts without a word. That may be a node's own trouble.
    #[error("it reverts without a reason")]
    Silent,
    /// Something else, by the error's name.
    #[error("{0}")]
    Other(String),
}

impl Diagnostic for ChainError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "VR-CHAIN-001",
            Self::Refused(_) => "VR-CHAIN-002",
            Self::WrongChain { .. } => "VR-CHAIN-003",
            Self::NoContract(_) => "VR-CHAIN-004",
            Self::ForeignModel(_) => "VR-CHAIN-005",
            Self::EmptyWallet { .. } => "VR-CHAIN-006",
            Self::FeeAboveCap { .. } => "VR-CHAIN-007",
            Self::ChainBehind { .. } => "VR-CHAIN-008",
            Self::Rejected(_) => "VR-CHAIN-009",
            Self::Reverted(_) => "VR-CHAIN-010",
            Self::Signing(_) => "VR-CHAIN-011",
            Self::FewAttestations { .. } => "VR-CHAIN-012",
            Self::Garbage(_) => "VR-CHAIN-013",
            Self::Lagging { .. } => "VR-CHAIN-014",
            Self::Underpriced { .. } => "VR-CHAIN-015",
            Self::NonceHeld { .. } => "VR-CHAIN-016",
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
            Self::NonceHeld { .. } => {
                "nothing: it is being cancelled, up to chain.max_cancel_fee_per_gas_gwei; `tx list` shows it"
            }
            Self::NothingWaits => "look at `tx list`: what was sent is mined, or its cycle has ended",
            Self::WrongChain { .. } => "correct chain.rpc_url or chain.chain_id; nothing was sent",
            Self::NoContract(_) => "set chain.oracle to the RiskOracle's address on this chain",
            Self::ForeignModel(_) => "point model.bundle at the model that the contract runs, or `deploy` this one",
            Self::EmptyWallet { .. } => "send funds to the wallet; a daemon tries again until the period ends",
            Self::FeeAboveCap { .. } => "raise chain.max_fee_per_gas_gwei if this period is worth it",
            Self::ChainBehind { .. } => "check this machine's clock and whether the node is in sync",
            Self::Rejected(Rejection::NotAttestor(_)) => {
                "ask the contract's owner to take this key into the attestor set, or configure one that is in it in [attestor]"
            }
            Self::Rejected(Rejection::Silent) => {
                "nothing: it is asked again; if it goes on, check chain.rpc_url and that chain.oracle is a RiskOracle"
            }
            Self::Rejected(Rejection::Withheld) => "nothing: the guardian has stopped the market; ask them why",
            Self::Rejected(_) => "read the contract's error; nothing was spent",
            Self::Reverted(_) => "look the transaction up; the state changed between simulation and inclusion",
            Self::Signing(_) => "check the key, or the service or device that holds it",
            Self::FewAttestations { threshold, peers, .. } if *peers + 1 < usize::from(*threshold) => {
                "name more of the other attestors' nodes in attestation.peers"
            }
            Self::FewAttestations { .. } => {
                "look in the log which operators did not attest, and why; they are asked again"
            }
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Unreachable(_)
            | Self::Refused(_)
            | Self::Garbage(_)
            | Self::Lagging { .. }
            | Self::Underpriced { .. }
            | Self::NonceHeld { .. }
            | Self::WrongChain { .. }
            | Self::NoContract(_)
            | Self::ForeignModel(_)
            | Self::EmptyWallet { .. }
            | Self::FeeAboveCap { .. }
            | Self::ChainBehind { .. }
            | Self::Reverted(_)
            | Self::Rejected(Rejection::FuturePeriod { .. } | Rejection::Silent) => Retry::Later(RPC_PAUSE),
            Self::FewAttestations { threshold, peers, .. } if *peers + 1 >= usize::from(*threshold) => {
                Retry::Later(ATTESTATION_PAUSE)
            }
            Self::Rejected(_) | Self::Signing(_) | Self::FewAttestations { .. } | Self::NothingWaits => Retry::Never,
        }
    }
}

impl From<TransportError> for ChainError {
    fn from(error: TransportError) -> Self {
        match error {
            RpcError::ErrorResp(payload) => match revert(&payload) {
                Some(data) => Self::Rejected(rejection(&data)),
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

/// The meaning of revert data.
pub(crate) fn rejection(data: &[u8]) -> Rejection {
    if data.is_empty() {
        return Rejection::Silent;
    }
    match RiskOracleErrors::abi_decode(data) {
        Ok(RiskOracleErrors::AlreadySubmitted(_)) => Rejection::AlreadySubmitted,
        Ok(RiskOracleErrors::StalePeriod(_)) => Rejection::StalePeriod,
        Ok(RiskOracleErrors::FuturePeriod(error)) => {
            Rejection::FuturePeriod { starts_seconds: PeriodId(error.period.saturating_to()).start_seconds() }
        }
        Ok(RiskOracleErrors::NotAttestor(error)) => Rejection::NotAttestor(error.signer),
        Ok(RiskOracleErrors::InvalidAttestation(error)) => Rejection::InvalidAttestation(error.signer),
        Ok(RiskOracleErrors::NothingApplied(error)) => match error.reason {
            SKIPPED_WITHHELD => Rejection::Withheld,
            SKIPPED_ALREADY_UPDATED => Rejection::OvertakenByOther,
            _ => Rejection::PriceMismatch,
        },
        Ok(RiskOracleErrors::InvalidProof(_)) => Rejection::InvalidProof,
        Ok(other) => Rejection::Other(quoted(&words(&other))),
        Err(_) => {
            let kept = &data[..data.len().min(MAX_SHOWN_BYTES)];
            Rejection::Other(quoted(&format!("revert data 0x{}", alloy::hex::encode(kept))))
        }
    }
}

/// A contract's error with its fields.
fn words(error: &RiskOracleErrors) -> String {
    let text = format!("{error:?}");
    // The variant has the name of what is in it.
    match text.split_once('(').and_then(|(_, inner)| inner.strip_suffix(')')) {
        Some(inner) => inner.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use alloy::sol_types::SolError;

    use super::*;
    use crate::actions::risk_oracle::abi::RiskOracle;

    #[test]
    fn revert_data_without_end_is_cut_before_it_is_kept() {
        let kept = rejection(&vec![0xee; 1 << 20]).to_string();
        assert!(kept.starts_with("revert data 0xeeee") && kept.len() == 14 + 2 * MAX_SHOWN_BYTES, "{}", kept.len());
    }

    #[test]
    fn the_contracts_errors_become_decisions() {
        let already = RiskOracle::AlreadySubmitted { modelId: [1; 32].into(), period: 7 }.abi_encode();
        assert_eq!(rejection(&already), Rejection::AlreadySubmitted);
        let future = RiskOracle::FuturePeriod { period: U256::from(8), current: U256::from(7) }.abi_encode();
        assert_eq!(ChainError::Rejected(rejection(&future)).retry(), Retry::Later(RPC_PAUSE));
        assert_eq!(rejection(&RiskOracle::InvalidProof {}.abi_encode()), Rejection::InvalidProof);
        let signer = Address::repeat_byte(7);
        assert_eq!(rejection(&RiskOracle::NotAttestor { signer }.abi_encode()), Rejection::NotAttestor(signer));
        let forged = RiskOracle::InvalidAttestation { signer }.abi_encode();
        assert_eq!(rejection(&forged), Rejection::InvalidAttestation(signer));
        let skipped = [Rejection::Withheld, Rejection::OvertakenByOther, Rejection::PriceMismatch];
        for (reason, meaning) in (0..).zip(skipped) {
            assert_eq!(rejection(&RiskOracle::NothingApplied { reason }.abi_encode()), meaning);
        }
        let paused = RiskOracle::UnknownModel { modelId: [1; 32].into() }.abi_encode();
        let said = rejection(&paused).to_string();
        assert!(said.starts_with("UnknownModel { modelId: 0x0101") && said.ends_with(" }"), "said once: {said}");
        assert_eq!(rejection(&RiskOracle::InvalidAttestors {}.abi_encode()).to_string(), "InvalidAttestors");
        let silent = ChainError::Rejected(rejection(&[]));
        assert_eq!(
            (silent.to_string(), silent.retry()),
            ("the contract refuses: it reverts without a reason".into(), Retry::Later(RPC_PAUSE))
        );
    }

    #[test]
    fn old_nethermind_s_reverts_carry_the_contract_s_errors() {
        let data = alloy::hex::encode(RiskOracle::NothingApplied { reason: SKIPPED_WITHHELD }.abi_encode());
        let payload = format!(r#"{{"code": -32015, "message": "VM execution error.", "data": "Reverted 0x{data}"}}"#);
        let error = RpcError::ErrorResp(serde_json::from_str(&payload).unwrap());
        assert!(matches!(ChainError::from(error), ChainError::Rejected(Rejection::Withheld)));
    }
}
