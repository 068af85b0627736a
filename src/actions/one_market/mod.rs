//! Contracts that take one market's forecast once a period, with what attestors state beside it: vaults and feeds. What differs
//! is a [`OneMarketContract`]; the rest is here.

pub mod action;
pub mod model;
pub mod order;
pub mod published;

use std::fmt::Debug;

use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, Bytes};
use alloy::rpc::types::Log;
use alloy::sol_types::Result;

use super::error::ActionError;
use super::risk_oracle::abi::registry::IModelRegistry::Update;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use model::OneMarketModel;
use veriregime_core::types::stated::Stated;

/// A kind of such contracts: its call, its event, and what is stated and told.
pub trait OneMarketContract: Debug + Clone + Copy + Send + Sync + 'static {
    /// What attestors state beside the forecast.
    type Stated: Debug + Clone + Copy + Default + PartialEq + Into<Stated> + Send + Sync;
    /// What comes of a forecast.
    type Figures: Debug + Clone + Copy + PartialEq + Send + Sync;

    /// What an event of the kind is called in errors.
    const NAME: &'static str;
    /// Topic of the event that tells what came of a forecast.
    const TOLD: B256;

    /// The data of its call.
    fn calldata(update: Update, stated: Self::Stated, attestations: Bytes) -> Vec<u8>;

    /// What the data of its call bring; `None` of any other call.
    fn brought(calldata: &[u8]) -> Option<Brought<Self>>;

    /// What its event tells.
    ///
    /// # Errors
    /// Another event.
    fn told(log: &Log) -> Result<Told<Self>>;

    /// What a forecast states, where that is of this kind.
    fn stated(stated: Stated) -> Option<Self::Stated>;

    /// When the last period with a forecast began, and how long its periods are, in seconds; 0 before the first.
    fn last_start(
        read: &Reader,
        contract: Address,
        block: BlockId,
    ) -> impl Future<Output = std::result::Result<(u64, u64), ChainError>> + Send;

    /// The id of the model that the contract takes forecasts of, be it the job's or not.
    fn served_model(
        read: &Reader,
        contract: Address,
        model: &OneMarketModel,
    ) -> impl Future<Output = std::result::Result<B256, ActionError>> + Send;
}

/// What a call brings.
#[derive(Debug, Clone)]
pub struct Brought<C: OneMarketContract> {
    /// Forecast, proof and attestations.
    pub update: Update,
    /// What is stated beside.
    pub stated: C::Stated,
    /// The signatures of that.
    pub attestations: Bytes,
}

/// What an event tells.
#[derive(Debug, Clone, Copy)]
pub struct Told<C: OneMarketContract> {
    /// Who called.
    pub relayer: Address,
    /// What was stated.
    pub stated: C::Stated,
    /// What came of it.
    pub figures: C::Figures,
}
