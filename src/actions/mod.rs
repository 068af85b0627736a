//! What jobs do on chain with their forecasts. A kind of action knows its contract: whether there is something to do in a
//! period, the call, what a refusal means, what was published. Whoever drives an action knows only this.

pub mod contracts;
pub mod error;
pub mod hedge_vault;
pub mod refusal;
pub mod risk_oracle;

use alloy::eips::BlockId;
use alloy::primitives::{Address, B256};

use crate::chain::call::Call;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use error::ActionError;
use refusal::{Meaning, Refusal};
use risk_oracle::action::RiskOracleAction;
use veriregime_core::types::attestation::Attestation;
use veriregime_core::types::cycle::Forecast;
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::proof::Proof;
use veriregime_core::types::update::PublishedUpdate;

/// What a job does on chain with its forecasts.
#[derive(Debug, Clone)]
pub enum Action {
    /// Sets the risk parameters of markets.
    RiskOracle(RiskOracleAction),
}

impl Action {
    /// The contract that is called.
    pub fn contract(&self) -> Address {
        match self {
            Self::RiskOracle(oracle) => oracle.contract,
        }
    }

    /// The id by which the contract knows the job's model, after checking that it is the bundle's.
    ///
    /// # Errors
    /// [`ActionError::NoContract`] or [`ActionError::ForeignModel`], else [`ActionError`].
    pub async fn model_id(&self, read: &Reader) -> Result<B256, ActionError> {
        match self {
            Self::RiskOracle(oracle) => read.model_id(oracle.contract, &oracle.expected).await,
        }
    }

    /// The last period of which nothing was left to be done for a forecast of the job that omits these markets, whoever did it:
    /// that of the market that was served least. `None` where nobody can do anything for them, and where the RPC has no state of
    /// the block.
    ///
    /// # Errors
    /// [`ActionError`].
    pub async fn last_period(
        &self,
        read: &Reader,
        omitted: OmittedMarkets,
        block: BlockId,
    ) -> Result<Option<PeriodId>, ActionError> {
        match self {
            Self::RiskOracle(oracle) => Ok(oracle.last_period(read, omitted, block).await?),
        }
    }

    /// The same for a stored call of any model at a contract.
    ///
    /// # Errors
    /// [`ActionError`].
    pub async fn last_period_of(
        &self,
        read: &Reader,
        contract: Address,
        calldata: &[u8],
    ) -> Result<Option<PeriodId>, ActionError> {
        match self {
            Self::RiskOracle(_) => Ok(RiskOracleAction::last_period_of(read, contract, calldata).await?),
        }
    }

    /// The call that does it.
    pub fn call(
        &self,
        model_id: B256,
        period: PeriodId,
        forecast: &Forecast,
        proof: &Proof,
        attestations: &[Attestation],
    ) -> Call {
        match self {
            Self::RiskOracle(oracle) => oracle.call(model_id, period, forecast, proof, attestations),
        }
    }

    /// What keeps a call from being signed, for somebody who wants to know when to try again.
    pub async fn explained(&self, read: &Reader, fault: ChainError) -> ActionError {
        let fault = ActionError::from(fault);
        let ActionError::Refused(Refusal { meaning: Meaning::TooEarly { starts_seconds }, .. }) = fault else {
            return fault;
        };
        match read.head().await {
            Ok(head) => {
                ActionError::ChainBehind { behind_seconds: starts_seconds.saturating_sub(head.timestamp_seconds) }
            }
            Err(fault) => ActionError::Chain(fault),
        }
    }

    /// What a transaction has published at a contract, `None` where it published nothing.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn published_in(
        &self,
        read: &Reader,
        contract: Address,
        transaction: B256,
    ) -> Result<Option<PublishedUpdate>, ChainError> {
        match self {
            Self::RiskOracle(_) => read.published_in(contract, transaction).await,
        }
    }

    /// The contract that verifies a model's updates, and the hash of its code.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn verifier(
        &self,
        read: &Reader,
        contract: Address,
        model_id: B256,
    ) -> Result<(Address, B256), ChainError> {
        match self {
            Self::RiskOracle(_) => {
                let spec = read.model_spec(contract, model_id).await?;
                Ok((spec.verifier, spec.verifierCodeHash))
            }
        }
    }
}
