//! What a contract told of a forecast: what it was made from, and what came of it.

use std::ops::Range;

use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::rpc::types::{Filter, Log};
use alloy::sol_types::SolEvent;

use super::{OneMarketContract, Told};
use crate::actions::feed::abi::Feed::ForecastUsed;
use crate::actions::risk_oracle::packed::{unpack_features, unpack_outputs};
use crate::chain::answers;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::period::{Grid, PeriodId};
use veriregime_core::types::update::{Arguments, PublishedUpdate};

/// A forecast as the chain tells it.
#[derive(Debug, Clone)]
pub struct Published<C: OneMarketContract> {
    /// What it was made from.
    pub update: PublishedUpdate,
    /// What was stated beside it.
    pub stated: C::Stated,
    /// The signatures of that, as the contract takes them; nothing where another contract made the call.
    pub stated_attestations: Option<Bytes>,
    /// What came of it.
    pub figures: C::Figures,
}

impl Reader {
    /// What a contract published in a period: one forecast at most.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn published_of<C: OneMarketContract>(
        &self,
        contract: Address,
        grid: Grid,
        period: PeriodId,
    ) -> Result<Vec<Published<C>>, ChainError> {
        let newest = self.head().await?.number;
        let first = self.first_block_at(grid.start_ms(period) / 1000, newest).await?;
        let end = self.first_block_at(grid.end_ms(period) / 1000, newest).await?;
        self.published_within(contract, Some(period), first..end).await
    }

    /// What a contract published in these blocks, of one period or of all.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn published_within<C: OneMarketContract>(
        &self,
        contract: Address,
        period: Option<PeriodId>,
        blocks: Range<u64>,
    ) -> Result<Vec<Published<C>>, ChainError> {
        let filter = Filter::new().address(contract).event_signature(ForecastUsed::SIGNATURE_HASH);
        let filter = match period {
            Some(period) => filter.topic2(B256::from(U256::from(period.0))),
            None => filter,
        };
        let mut found = Vec::new();
        for log in self.logs(&filter, blocks).await? {
            let Some(transaction) = log.transaction_hash else { continue };
            found.extend(self.publication_in(contract, transaction).await?);
        }
        Ok(found)
    }

    /// What a transaction published at a contract, `None` where it published nothing of the kind.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn publication_in<C: OneMarketContract>(
        &self,
        contract: Address,
        transaction: B256,
    ) -> Result<Option<Published<C>>, ChainError> {
        let Some(receipt) = self.receipt(transaction).await? else { return Ok(None) };
        let of_contract =
            |topic: B256| receipt.logs.iter().find(|log| log.address() == contract && log.topic0() == Some(&topic));
        let Some((forecast, told)) = of_contract(ForecastUsed::SIGNATURE_HASH).zip(of_contract(C::TOLD)) else {
            return Ok(None);
        };
        self.read_publication(contract, transaction, forecast, told).await.map(Some)
    }

    async fn read_publication<C: OneMarketContract>(
        &self,
        contract: Address,
        transaction: B256,
        forecast: &Log,
        told: &Log,
    ) -> Result<Published<C>, ChainError> {
        let unreadable = |error: alloy::sol_types::Error| ChainError::Refused(error.to_string());
        let used = ForecastUsed::decode_log(&forecast.inner).map_err(unreadable)?.data;
        let Told { relayer, stated, figures } = C::told(told).map_err(unreadable)?;
        let sent = self.sent(transaction).await?;
        let sent = sent.ok_or_else(|| ChainError::Refused("an event's transaction is unknown".into()))?;
        let call = C::brought(&sent.input).filter(|_| sent.to == Some(contract));
        let block = answers::height(forecast.block_number)?;
        let arguments = call
            .as_ref()
            .map(|call| Arguments { proof: call.update.proof.clone(), attestations: call.update.attestations.clone() });
        let update = PublishedUpdate {
            model_id: used.modelId,
            period: PeriodId(used.period),
            relayer,
            omitted_markets: OmittedMarkets::NONE,
            candle_features: unpack_features(&used.features),
            outputs: unpack_outputs(&used.outputs),
            proof_hash: used.proofHash,
            attestor_set_version: self.attestor_set_at(contract, block).await?,
            transaction,
            block,
            arguments,
            signers: Vec::new(),
        };
        Ok(Published { update, stated, stated_attestations: call.map(|call| call.attestations), figures })
    }

    /// Version of a contract's attestor set at a block; the present one where the RPC has no state of that time.
    pub(crate) async fn attestor_set_at(&self, contract: Address, block: u64) -> Result<u32, ChainError> {
        let block = BlockId::Number(BlockNumberOrTag::Number(block));
        Ok(match self.attestor_set_version(contract, block).await {
            Ok(version) => version,
            Err(fault @ ChainError::Unreachable(_)) => return Err(fault),
            Err(_) => self.attestor_set(contract).await?.version,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::hedge_vault::abi::vault::HedgeVault;

    #[test]
    fn vaults_and_feeds_tell_of_the_forecast_in_one_event() {
        assert_eq!(ForecastUsed::SIGNATURE_HASH, HedgeVault::ForecastUsed::SIGNATURE_HASH);
    }
}
