//! What a vault told of a sale: the forecast behind it, and what came of it.

use std::ops::Range;

use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::primitives::{Address, B256, U256};
use alloy::rpc::types::{Filter, Log};
use alloy::sol_types::SolEvent;
use serde::Serialize;

use super::abi::vault::{HedgeVault, IHedgeVault};
use super::order::executed;
use super::prices::decoded;
use crate::actions::risk_oracle::packed::{unpack_features, unpack_outputs};
use crate::chain::answers;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use veriregime_core::hedge::prices::Prices;
use veriregime_core::types::evidence::SaleFigures;
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::period::{Grid, PeriodId};
use veriregime_core::types::update::{Arguments, PublishedUpdate};

/// A sale as the chain tells it.
#[derive(Debug, Clone, Serialize)]
pub struct PublishedSale {
    /// The forecast behind it.
    pub update: PublishedUpdate,
    /// What was stated beside it.
    pub prices: Prices,
    /// The signatures of that, as `execute` takes them; nothing where another contract made the call.
    pub price_attestations: Option<alloy::primitives::Bytes>,
    /// What came of it.
    pub figures: SaleFigures,
}

impl Reader {
    /// The sales of a vault in a period.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn sales(&self, vault: Address, grid: Grid, period: PeriodId) -> Result<Vec<PublishedSale>, ChainError> {
        let newest = self.head().await?.number;
        let first = self.first_block_at(grid.start_ms(period) / 1000, newest).await?;
        let end = self.first_block_at(grid.end_ms(period) / 1000, newest).await?;
        self.sales_in(vault, Some(period), first..end).await
    }

    /// The sales of a vault in these blocks, of one period or of all.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn sales_in(
        &self,
        vault: Address,
        period: Option<PeriodId>,
        blocks: Range<u64>,
    ) -> Result<Vec<PublishedSale>, ChainError> {
        let filter = Filter::new().address(vault).event_signature(HedgeVault::ForecastUsed::SIGNATURE_HASH);
        let filter = match period {
            Some(period) => filter.topic2(B256::from(U256::from(period.0))),
            None => filter,
        };
        let mut sales = Vec::new();
        for log in self.logs(&filter, blocks).await? {
            let Some(transaction) = log.transaction_hash else { continue };
            sales.extend(self.sale_in(vault, transaction).await?);
        }
        Ok(sales)
    }

    /// The sale that a transaction made at a vault, `None` where it made none.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn sale_in(&self, vault: Address, transaction: B256) -> Result<Option<PublishedSale>, ChainError> {
        let Some(receipt) = self.receipt(transaction).await? else { return Ok(None) };
        let of_vault =
            |topic: B256| receipt.logs.iter().find(|log| log.address() == vault && log.topic0() == Some(&topic));
        let events = of_vault(HedgeVault::ForecastUsed::SIGNATURE_HASH).zip(of_vault(HedgeVault::Sold::SIGNATURE_HASH));
        let Some((forecast, sold)) = events else { return Ok(None) };
        self.read_sale(vault, transaction, forecast, sold).await.map(Some)
    }

    async fn read_sale(
        &self,
        vault: Address,
        transaction: B256,
        forecast: &Log,
        sold: &Log,
    ) -> Result<PublishedSale, ChainError> {
        let unreadable = |error: alloy::sol_types::Error| ChainError::Refused(error.to_string());
        let told = HedgeVault::ForecastUsed::decode_log(&forecast.inner).map_err(unreadable)?.data;
        let sale = HedgeVault::Sold::decode_log(&sold.inner).map_err(unreadable)?.data;
        let sent = self.sent(transaction).await?;
        let sent = sent.ok_or_else(|| ChainError::Refused("an event's transaction is unknown".into()))?;
        let call = executed(&sent.input).filter(|_| sent.to == Some(vault));
        let block = answers::height(forecast.block_number)?;
        let arguments = call
            .as_ref()
            .map(|call| Arguments { proof: call.update.proof.clone(), attestations: call.update.attestations.clone() });
        let update = PublishedUpdate {
            model_id: told.modelId,
            period: PeriodId(told.period),
            relayer: sale.relayer,
            omitted_markets: OmittedMarkets::NONE,
            candle_features: unpack_features(&told.features),
            outputs: unpack_outputs(&told.outputs),
            proof_hash: told.proofHash,
            attestor_set_version: self.attestor_set_at(vault, block).await?,
            transaction,
            block,
            arguments,
            signers: Vec::new(),
        };
        let figures = figures(&sale.sale);
        Ok(PublishedSale {
            update,
            prices: decoded(&sale.prices),
            price_attestations: call.map(|call| call.attestations),
            figures,
        })
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

fn figures(sale: &IHedgeVault::Sale) -> SaleFigures {
    SaleFigures {
        sats: sale.sats,
        usdc: sale.usdc.saturating_to(),
        from_day: sale.fromDay,
        until_day: sale.untilDay,
        twap_wad: sale.twapWad,
    }
}
