//! One period's sale of a vault, by hand: forecast, proof, attestations, and what the vault makes of them.

use std::path::Path;

use alloy::primitives::{Address, B256, U256};
use serde::Serialize;

use super::forecast::{ForecastRequest, known};
use crate::actions::error::ActionError;
use crate::actions::hedge_vault::abi::vault::IHedgeVault::Sale;
use crate::actions::hedge_vault::contract::Vault;
use crate::actions::hedge_vault::read::VaultState;
use crate::actions::one_market::model::OneMarketModel;
use crate::actions::one_market::order::Order;
use crate::attestation::gather::{Attesting, Claim};
use crate::attestation::peers::Peers;
use crate::bundle::Bundle;
use crate::bundle::error::BundleError;
use crate::chain::Chain;
use crate::chain::call::Call;
use crate::config::Config;
use crate::node::assemble;
use crate::render::layout;
use crate::render::{Render, lines};
use crate::sources::tables::error::TableError;
use crate::state::Store;
use veriregime_core::hedge::electricity::{Known, NO_RATE, NOTHING_TO_PAY};
use veriregime_core::hedge::prices::Prices;
use veriregime_core::hedge::snapshot::NoForecast;
use veriregime_core::hedge::{GRID, HORIZON_MONTHS};
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::proof::Proof;
use veriregime_core::types::stated::Stated;
use veriregime_core::types::time::format_day;

const DAY_SECONDS: u64 = 86_400;
const SATS: f64 = 1e8;
const USDC_UNITS: f64 = 1e6;
/// From units of USDC for a unit of WBTC, wad, to dollars for a bitcoin.
const WAD_PRICE: f64 = 1e16;

/// Whose sale, by what.
#[derive(Debug)]
pub struct SaleRequest<'a> {
    pub config: &'a Config,
    pub chain: &'a Chain,
    pub vault: Address,
    /// Folder of the bundle.
    pub model: &'a Path,
    /// Folder with the tables.
    pub data: &'a Path,
    /// The country by its ISO 3166 code.
    pub country: &'a str,
}

/// What is to be done in the running period.
#[derive(Debug)]
pub enum Outlook {
    /// The period has its sale.
    Done(Done),
    /// A sale that would go through now.
    Sale { call: Call, report: Box<SaleReport> },
}

/// A period that has its sale.
#[derive(Debug, Serialize)]
pub struct Done {
    vault: Address,
    period: u64,
    /// First day that is not covered.
    covered_until: String,
}

/// A sale, and why.
#[derive(Debug, Serialize)]
pub struct SaleReport {
    vault: Address,
    model_id: B256,
    country: String,
    period: u64,
    /// The last day whose price was known.
    day: String,
    months: u8,
    last_month_eur_mwh: f64,
    forecast_eur_mwh: f64,
    prices: Prices,
    /// Mean price of the pool in dollars for a bitcoin.
    mean_btc_usd: f64,
    sold_sats: u64,
    usdc: f64,
    from_day: String,
    until_day: String,
    /// What the vault keeps.
    left_sats: u64,
    /// The transaction; nothing where none was sent.
    pub transaction: Option<B256>,
    pub gas_used: Option<u64>,
}

/// Finds out what the vault would sell in the running period, with a real proof and this node's attestations.
///
/// # Errors
/// Tables or a bundle that are not usable, [`ActionError::ForeignModel`], what keeps [`Attesting::of`] from attesting, or [`ActionError::Refused`] with what the vault says.
pub async fn outlook(request: &SaleRequest<'_>) -> anyhow::Result<Outlook> {
    let SaleRequest { config, chain, vault, .. } = *request;
    let read = &chain.read;
    let bundle = Bundle::open(request.model)?;
    let state = read.hedge_vault(vault).await?;
    let period_seconds = period_seconds(request, &bundle, &state).await?;
    let period = read.next_block_seconds().await? / period_seconds;
    let start_seconds = period * period_seconds;
    if state.is_done(start_seconds) {
        let covered_until = day(state.state.coveredUntilDay);
        return Ok(Outlook::Done(Done { vault, period, covered_until }));
    }
    let first_day = i32::try_from(start_seconds / DAY_SECONDS).unwrap_or(i32::MAX);
    let asked = ForecastRequest {
        model: request.model,
        data: request.data,
        country: request.country,
        at: Some(first_day - 1),
        watts: None,
    };
    let known = known(&bundle, &asked)?;
    let refused =
        |reason: &str| TableError::from(NoForecast { country: request.country.to_owned(), reason: reason.to_owned() });
    let usd_per_eur = known.usd_per_eur.ok_or_else(|| refused(NO_RATE))?;
    let prices = Prices::of(known.month_eur_mwh, usd_per_eur).ok_or_else(|| refused(NOTHING_TO_PAY))?;
    let mut prover = assemble::prover(config, &bundle).await?;
    let proved = prover.prove(&known.answer.inputs, &known.answer.outputs).await;
    prover.stop().await;
    let call = attested(request, &state, &known, prices, &proved?.proof, period).await?;
    let sale = read.try_sale(chain.address(), &call).await?;
    let report = Box::new(SaleReport::new(request, &state, &known, prices, period, &sale));
    Ok(Outlook::Sale { call, report })
}

/// Length of the periods of the vault's model, which must be the bundle's.
async fn period_seconds(request: &SaleRequest<'_>, bundle: &Bundle, state: &VaultState) -> anyhow::Result<u64> {
    let model = OneMarketModel::of_country(
        &bundle.manifest,
        bundle.manifest_digest,
        request.country,
        request.config.prover.kind.way(),
    );
    let model = model.ok_or_else(|| BundleError::Manifest {
        path: bundle.manifest_path.clone(),
        reason: "it is no electricity model with a circuit".into(),
    })?;
    if state.terms.modelId.is_zero() {
        return Err(ActionError::ForeignModel("the vault has no terms".into()).into());
    }
    let spec = request.chain.read.model_spec(request.vault, state.terms.modelId).await?;
    match model.difference(&spec) {
        Some(difference) => Err(ActionError::ForeignModel(difference.into()).into()),
        None => Ok(model.period_seconds),
    }
}

/// The call with everything that this node attests.
async fn attested(
    request: &SaleRequest<'_>,
    state: &VaultState,
    known: &Known,
    prices: Prices,
    proof: &Proof,
    period: u64,
) -> anyhow::Result<Call> {
    let (config, chain, model_id) = (request.config, request.chain, state.terms.modelId);
    // What this node has attested, as a job or by hand, it does not attest otherwise.
    let store = Store::open(&config.state_path)?;
    let peers = Peers::new(&config.attestation.peers, config.attestation.timeout)?;
    let attesting = Attesting { chain, store: &store, contract: request.vault, peers: &peers };
    let claim = |instances: Vec<U256>, prices: Option<Prices>| Claim {
        model_id,
        period: PeriodId(period),
        end_ms: GRID.end_ms(PeriodId(period)),
        markets: 1,
        omitted: OmittedMarkets::NONE,
        instances,
        prices: prices.map(Stated::from),
    };
    let attestations = attesting.of(claim(proof.instances.clone(), None)).await?;
    let price_attestations = attesting.of(claim(Vec::new(), Some(prices))).await?;
    let order = Order::<Vault> {
        model_id,
        period,
        inputs: &known.answer.inputs,
        outputs: &known.answer.outputs,
        proof: &proof.bytes,
        attestations: &attestations,
        stated: prices,
        stated_attestations: &price_attestations,
    };
    Ok(order.call(request.vault))
}

impl SaleReport {
    fn new(
        request: &SaleRequest<'_>,
        state: &VaultState,
        known: &Known,
        prices: Prices,
        period: u64,
        sale: &Sale,
    ) -> Self {
        let months = state.terms.months;
        let at = HORIZON_MONTHS.iter().position(|one| *one == u32::from(months)).unwrap_or(0);
        let log_ratio = known.forecasts[at].log_ratio;
        Self {
            vault: request.vault,
            model_id: state.terms.modelId,
            country: request.country.to_owned(),
            period,
            day: format_day(known.day),
            months,
            last_month_eur_mwh: known.month_eur_mwh,
            forecast_eur_mwh: known.month_eur_mwh * libm::exp(log_ratio),
            prices,
            mean_btc_usd: f64::from(sale.twapWad) / WAD_PRICE,
            sold_sats: sale.sats,
            usdc: f64::from(sale.usdc) / USDC_UNITS,
            from_day: day(sale.fromDay),
            until_day: day(sale.untilDay),
            left_sats: state.balance_sats.saturating_to::<u64>().saturating_sub(sale.sats),
            transaction: None,
            gas_used: None,
        }
    }
}

fn day(number: u32) -> String {
    format_day(i32::try_from(number).unwrap_or(i32::MAX))
}

impl Render for Done {
    fn text(&self) -> String {
        format!(
            "period {} of vault {} has its sale; it is covered until {}",
            self.period, self.vault, self.covered_until
        )
    }
}

impl Render for SaleReport {
    fn text(&self) -> String {
        let btc = |sats: u64| sats as f64 / SATS;
        let why = format!(
            "{} after {}: the last 30 days cost {:.2} EUR/MWh, the next {} months will cost {:.2} by the forecast",
            self.country, self.day, self.last_month_eur_mwh, self.months, self.forecast_eur_mwh
        );
        let what = format!(
            "{:.8} WBTC for {:.2} USDC ({:.2} each, the pool's mean is {:.2}), for the electricity from {} until {}; {:.8} WBTC are left",
            btc(self.sold_sats),
            self.usdc,
            self.usdc / btc(self.sold_sats),
            self.mean_btc_usd,
            self.from_day,
            self.until_day,
            btc(self.left_sats)
        );
        let how = match (self.transaction, self.gas_used) {
            (Some(hash), Some(gas)) => format!("sold: {hash}, {gas} gas"),
            _ => "would be sold; nothing was sent".into(),
        };
        lines([layout::text(&why), layout::text(&what), how])
    }
}
