//! A sale from the wallet: the electricity of some days, by the forecast, with a vault's checks and without its memory.

use std::path::Path;

use alloy::primitives::{Address, B256};
use serde::Serialize;

use super::forecast::{ForecastRequest, known};
use crate::actions::error::ActionError;
use crate::actions::hedge_vault::abi::vault::IHedgeVault::Terms;
use crate::actions::hedge_vault::wallet::WalletSale;
use crate::actions::refusal::{Meaning, Refusal};
use crate::bundle::Bundle;
use crate::chain::Chain;
use crate::chain::call::Call;
use crate::render::{Render, layout, lines};
use crate::sources::tables::error::TableError;
use veriregime_core::hedge::HORIZON_MONTHS;
use veriregime_core::hedge::electricity::NO_RATE;
use veriregime_core::hedge::features::MONTH_DAYS;
use veriregime_core::hedge::need::dollars_a_day;
use veriregime_core::hedge::snapshot::NoForecast;
use veriregime_core::types::time::format_day;

const SATS: f64 = 1e8;
const USDC_UNITS: f64 = 1e6;
const BPS: f64 = 1e4;
const PIPS: f64 = 1e6;
/// Time in which a transaction must be mined.
const SWAP_SECONDS: u64 = 600;

/// What is to be sold, and where.
#[derive(Debug)]
pub struct SwapRequest<'a> {
    pub chain: &'a Chain,
    pub model: &'a Path,
    pub data: &'a Path,
    pub country: &'a str,
    /// The limits of a vault; who operates it does not matter here.
    pub terms: &'a Terms,
    pub factory: Address,
    pub router: Address,
    pub wbtc: Address,
    pub usdc: Address,
    pub fee_pips: u32,
    /// Days to pay; all of the terms' months where absent.
    pub days: Option<u32>,
}

/// Transactions in their order, and what they come to.
#[derive(Debug)]
pub struct SwapPlan {
    pub calls: Vec<Call>,
    pub report: SwapReport,
}

/// A sale from the wallet, and why.
#[derive(Debug, Serialize)]
pub struct SwapReport {
    wallet: Address,
    country: String,
    /// The last day whose price was known.
    day: String,
    days: u32,
    forecast_eur_mwh: f64,
    need_usd: f64,
    mean_btc_usd: f64,
    sold_sats: u64,
    min_usdc: f64,
    /// What was sent.
    pub transactions: Vec<B256>,
}

/// Finds out what is to be sold.
///
/// # Errors
/// Tables or a bundle that are not usable, or [`ActionError::Refused`] where a vault would refuse.
pub async fn plan(request: &SwapRequest<'_>) -> anyhow::Result<SwapPlan> {
    let (chain, terms) = (request.chain, request.terms);
    let (read, wallet) = (&chain.read, chain.address());
    let bundle = Bundle::open(request.model)?;
    let asked =
        ForecastRequest { model: request.model, data: request.data, country: request.country, at: None, watts: None };
    let known = known(&bundle, &asked)?;
    let at = HORIZON_MONTHS.iter().position(|months| *months == u32::from(terms.months));
    let at = at.ok_or_else(|| refused("the terms' months are 2, 3, 4 or 5"))?;
    let rate = known
        .usd_per_eur
        .ok_or_else(|| TableError::from(NoForecast { country: request.country.to_owned(), reason: NO_RATE.into() }))?;
    let forecast_eur_mwh = known.month_eur_mwh * libm::exp(known.forecasts[at].log_ratio);
    let days = request.days.unwrap_or(u32::from(terms.months) * MONTH_DAYS as u32);
    let share = f64::from(terms.shareBps) / BPS;
    let need_usd = dollars_a_day(f64::from(terms.watts), forecast_eur_mwh, rate) * f64::from(days) * share;

    let now = read.next_block_seconds().await?;
    if now > terms.deadline.to::<u64>() {
        return Err(refused("the terms' deadline is over").into());
    }
    let place = (request.wbtc, request.usdc, request.fee_pips);
    let mean = read.pool_mean(request.factory, place, terms.twapSeconds).await?;
    let mean = mean.ok_or_else(|| refused("there is no such pool, or its observations do not reach back so far"))?;
    if mean.observations < terms.minObservations {
        return Err(refused("the pool has room for fewer observations than the terms want").into());
    }
    let net = mean.btc_usd * (1.0 - f64::from(request.fee_pips) / PIPS);
    let (balance, allowed) = read.wbtc_of(request.wbtc, wallet, request.router).await?;
    let wanted = (need_usd / net * SATS).ceil();
    let sats = (wanted as u64).min(terms.maxPerPeriodSats).min(balance);
    if sats == 0 {
        return Err(refused("there is nothing to sell: no need, no budget, or no WBTC in the wallet").into());
    }
    let slipped = net * (1.0 - f64::from(terms.slippageBps) / BPS);
    let least = slipped.max(f64::from(terms.floorUsdPerBtc)) * sats as f64 / SATS;
    let sale = WalletSale {
        router: request.router,
        wbtc: request.wbtc,
        usdc: request.usdc,
        fee_pips: request.fee_pips,
        wallet,
        sats,
        min_usdc: (least * USDC_UNITS).ceil() as u64,
        deadline_seconds: now + SWAP_SECONDS,
    };
    let approve = (allowed < sats).then(|| sale.approve());
    Ok(SwapPlan {
        calls: approve.into_iter().chain([sale.swap()]).collect(),
        report: SwapReport {
            wallet,
            country: request.country.to_owned(),
            day: format_day(known.day),
            days,
            forecast_eur_mwh,
            need_usd,
            mean_btc_usd: mean.btc_usd,
            sold_sats: sats,
            min_usdc: least,
            transactions: Vec::new(),
        },
    })
}

fn refused(words: &str) -> ActionError {
    ActionError::Refused(Refusal::new(Meaning::Final, words))
}

impl Render for SwapReport {
    fn text(&self) -> String {
        let why = format!(
            "{} after {}: {} days at {:.2} EUR/MWh by the forecast cost {:.2} dollars",
            self.country, self.day, self.days, self.forecast_eur_mwh, self.need_usd
        );
        let what = format!(
            "{:.8} WBTC of {} for {:.2} USDC at least; the pool's mean is {:.2}",
            self.sold_sats as f64 / SATS,
            self.wallet,
            self.min_usdc,
            self.mean_btc_usd
        );
        let sent = match self.transactions.as_slice() {
            [] => "would be sold; nothing was sent".to_owned(),
            sent => lines(sent.iter().map(|hash| format!("sent: {hash}"))),
        };
        let note = "Nothing remembers which days this pays: a vault does.";
        lines([layout::text(&why), layout::text(&what), sent, note.to_owned()])
    }
}
