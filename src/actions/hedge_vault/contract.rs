//! A vault: `execute` sells by a country's forecast and the prices that attestors state beside it.

use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, Bytes};
use alloy::rpc::types::Log;
use alloy::sol_types::{Result, SolCall, SolEvent, SolValue};

use super::abi::vault::{HedgeVault, IHedgeVault};
use crate::actions::error::ActionError;
use crate::actions::one_market::action::OneMarketAction;
use crate::actions::one_market::model::OneMarketModel;
use crate::actions::one_market::published::Published;
use crate::actions::one_market::{Brought, OneMarketContract, Told};
use crate::actions::risk_oracle::abi::registry::IModelRegistry::Update;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use veriregime_core::hedge::prices::Prices;
use veriregime_core::types::evidence::SaleFigures;
use veriregime_core::types::stated::Stated;

/// What `execute` takes.
type Parameters = (Update, IHedgeVault::Prices, Bytes);

/// Vaults.
#[derive(Debug, Clone, Copy)]
pub enum Vault {}

/// Sales of a vault.
pub type HedgeVaultAction = OneMarketAction<Vault>;
/// A sale as the chain tells it.
pub type PublishedSale = Published<Vault>;

impl OneMarketContract for Vault {
    type Stated = Prices;
    type Figures = SaleFigures;

    const NAME: &'static str = "a sale";
    const TOLD: B256 = HedgeVault::Sold::SIGNATURE_HASH;

    fn calldata(update: Update, stated: Prices, attestations: Bytes) -> Vec<u8> {
        let Prices { eur_per_mwh_e6, usd_per_eur_e6 } = stated;
        let prices = IHedgeVault::Prices { eurPerMwhE6: eur_per_mwh_e6, usdPerEurE6: usd_per_eur_e6 };
        let parameters: Parameters = (update, prices, attestations);
        [&HedgeVault::executeCall::SELECTOR[..], &parameters.abi_encode_params()].concat()
    }

    fn brought(calldata: &[u8]) -> Option<Brought<Self>> {
        let parameters = calldata.strip_prefix(&HedgeVault::executeCall::SELECTOR)?;
        let (update, prices, attestations) = Parameters::abi_decode_params(parameters).ok()?;
        Some(Brought { update, stated: decoded(&prices), attestations })
    }

    fn told(log: &Log) -> Result<Told<Self>> {
        let sold = HedgeVault::Sold::decode_log(&log.inner)?.data;
        let figures = SaleFigures {
            sats: sold.sale.sats,
            usdc: sold.sale.usdc.saturating_to(),
            from_day: sold.sale.fromDay,
            until_day: sold.sale.untilDay,
            twap_wad: sold.sale.twapWad,
        };
        Ok(Told { relayer: sold.relayer, stated: decoded(&sold.prices), figures })
    }

    fn stated(stated: Stated) -> Option<Prices> {
        stated.prices()
    }

    async fn last_start(
        read: &Reader,
        contract: Address,
        block: BlockId,
    ) -> std::result::Result<(u64, u64), ChainError> {
        let state = HedgeVault::new(contract, &read.provider).state().block(block).call().await?;
        Ok((state.lastPeriodStart.to(), u64::from(state.periodSeconds)))
    }

    async fn served_model(
        read: &Reader,
        contract: Address,
        _: &OneMarketModel,
    ) -> std::result::Result<B256, ActionError> {
        let model_id = read.hedge_vault(contract).await?.terms.modelId;
        if model_id.is_zero() {
            return Err(ActionError::ForeignModel("the vault has no terms".into()));
        }
        Ok(model_id)
    }
}

fn decoded(prices: &IHedgeVault::Prices) -> Prices {
    Prices { eur_per_mwh_e6: prices.eurPerMwhE6, usd_per_eur_e6: prices.usdPerEurE6 }
}
