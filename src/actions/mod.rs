//! What jobs do on chain with their forecasts. A kind of action knows its contract: whether there is something to do in a
//! period, the call, what a refusal means, what was published. Whoever drives an action knows only this.

pub mod contracts;
pub mod error;
pub mod feed;
pub mod hedge_vault;
pub mod one_market;
pub mod refusal;
pub mod risk_oracle;
mod sent;

use alloy::eips::BlockId;
use alloy::primitives::{Address, B256};

use crate::chain::call::Call;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use error::ActionError;
use feed::contract::{FeedAction, PublishedYield, YieldFeed};
use hedge_vault::contract::{HedgeVaultAction, PublishedSale, Vault};
use one_market::OneMarketContract;
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
    /// Sells a vault's WBTC.
    HedgeVault(HedgeVaultAction),
    /// Publishes a strategy's forecasts.
    Feed(FeedAction),
}

impl Action {
    /// The contract that is called.
    pub fn contract(&self) -> Address {
        match self {
            Self::RiskOracle(oracle) => oracle.contract,
            Self::HedgeVault(vault) => vault.contract,
            Self::Feed(feed) => feed.contract,
        }
    }

    /// The id by which the contract knows the job's model, after checking that it is the bundle's.
    ///
    /// # Errors
    /// [`ActionError::NoContract`] or [`ActionError::ForeignModel`], else [`ActionError`].
    pub async fn model_id(&self, read: &Reader) -> Result<B256, ActionError> {
        match self {
            Self::RiskOracle(oracle) => read.model_id(oracle.contract, &oracle.expected).await,
            Self::HedgeVault(vault) => vault.model_id(read).await,
            Self::Feed(feed) => feed.model_id(read).await,
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
            Self::HedgeVault(vault) => Ok(vault.last_period(read, block).await?),
            Self::Feed(feed) => Ok(feed.last_period(read, block).await?),
        }
    }

    /// The block in which the contract took a model's forecast of a period; `None` where no event tells.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn block_of(&self, read: &Reader, model_id: B256, period: PeriodId) -> Result<Option<u64>, ChainError> {
        Ok(match self {
            Self::RiskOracle(oracle) => read
                .published(oracle.contract, model_id, oracle.expected.grid, period)
                .await?
                .map(|update| update.block),
            Self::HedgeVault(vault) => {
                let sales = read.published_of::<Vault>(vault.contract, vault.grid, period).await?;
                sales.first().map(|sale| sale.update.block)
            }
            Self::Feed(feed) => {
                let forecasts = read.published_of::<YieldFeed>(feed.contract, feed.grid, period).await?;
                forecasts.first().map(|forecast| forecast.update.block)
            }
        })
    }

    /// The call that does it, with the attestations of the forecast and of what is stated beside it.
    pub fn call(
        &self,
        model_id: B256,
        period: PeriodId,
        forecast: &Forecast,
        proof: &Proof,
        both: [&[Attestation]; 2],
    ) -> Call {
        match self {
            Self::RiskOracle(oracle) => oracle.call(model_id, period, forecast, proof, both[0]),
            Self::HedgeVault(vault) => vault.call(model_id, period, forecast, &proof.bytes, both),
            Self::Feed(feed) => feed.call(model_id, period, forecast, &proof.bytes, both),
        }
    }

    /// What keeps a call from being signed, for somebody who wants to know when to try again.
    pub async fn explained(&self, read: &Reader, fault: ChainError) -> ActionError {
        let fault = ActionError::from(fault);
        let ActionError::Refused(Refusal { meaning: Meaning::TooEarly { period }, .. }) = fault else {
            return fault;
        };
        let grid = match self {
            Self::RiskOracle(oracle) => oracle.expected.grid,
            Self::HedgeVault(vault) => vault.grid,
            Self::Feed(feed) => feed.grid,
        };
        let starts_seconds = grid.start_ms(period) / 1000;
        match read.head().await {
            Ok(head) => {
                ActionError::ChainBehind { behind_seconds: starts_seconds.saturating_sub(head.timestamp_seconds) }
            }
            Err(fault) => ActionError::Chain(fault),
        }
    }
}

/// As [`Action::last_period`], for a stored call of any job at a contract.
///
/// # Errors
/// [`ActionError`].
pub async fn last_period_of(
    read: &Reader,
    contract: Address,
    calldata: &[u8],
) -> Result<Option<PeriodId>, ActionError> {
    if Vault::brought(calldata).is_some() {
        return Ok(HedgeVaultAction::last_period_of(read, contract, calldata).await?);
    }
    if YieldFeed::brought(calldata).is_some() {
        return Ok(FeedAction::last_period_of(read, contract, calldata).await?);
    }
    Ok(RiskOracleAction::last_period_of(read, contract, calldata).await?)
}

/// What a transaction has published at a contract.
#[derive(Debug, Clone)]
pub enum Published {
    /// Risk parameters.
    Update(Box<PublishedUpdate>),
    /// A sale.
    Sale(Box<PublishedSale>),
    /// A strategy's forecast.
    Yield(Box<PublishedYield>),
}

impl Published {
    /// The forecast that it is by.
    pub fn update(&self) -> &PublishedUpdate {
        match self {
            Self::Update(update) => update,
            Self::Sale(sale) => &sale.update,
            Self::Yield(published) => &published.update,
        }
    }
}

/// What a transaction has published at a contract of any kind, `None` where it published nothing.
///
/// # Errors
/// [`ChainError`].
pub async fn published_in(
    read: &Reader,
    contract: Address,
    transaction: B256,
) -> Result<Option<Published>, ChainError> {
    if let Some(update) = read.published_in(contract, transaction).await? {
        return Ok(Some(Published::Update(Box::new(update))));
    }
    if let Some(sale) = read.publication_in(contract, transaction).await? {
        return Ok(Some(Published::Sale(Box::new(sale))));
    }
    let published = read.publication_in(contract, transaction).await?;
    Ok(published.map(|published| Published::Yield(Box::new(published))))
}

/// The contract that verifies a model's updates, and the hash of its code.
///
/// # Errors
/// [`ChainError`].
pub async fn verifier(read: &Reader, contract: Address, model_id: B256) -> Result<(Address, B256), ChainError> {
    let spec = read.model_spec(contract, model_id).await?;
    Ok((spec.verifier, spec.verifierCodeHash))
}
