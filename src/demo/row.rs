//! What one period of the demo brought.

use anyhow::Context;
use serde::{Serialize, Serializer};

use crate::actions::risk_oracle::abi::oracle::IRiskParameters::Params;
use crate::actions::risk_oracle::abi::oracle::RiskOracle::pendingReturn;
use crate::job::Agent;
use veriregime_core::types::cycle::{CycleRecord, Stage};
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::prediction::{Prediction, Regime};
use veriregime_core::types::time::format_utc;

/// What one period of a job brought.
#[derive(Debug, Clone, Serialize)]
pub struct PeriodRow {
    pub period: PeriodId,
    pub start: String,
    /// In the model's order. In JSON, the only one of a model is part of the period.
    #[serde(flatten, serialize_with = "one_or_several")]
    pub markets: Vec<MarketRow>,
    pub prove_ms: u64,
    pub gas_used: u64,
    pub tx_hash: String,
    #[serde(skip)]
    pub cycle_ms: f64,
}

/// What one period brought to a market.
#[derive(Debug, Clone, Serialize)]
pub struct MarketRow {
    /// Its name, where the model has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub market: Option<String>,
    #[serde(skip)]
    pub volatility_before: Option<f64>,
    pub prob_high_bps: u64,
    /// What was forecast.
    pub regime: Regime,
    /// What the parameters follow, behind dwell, margin and rate limits.
    pub applied_volatility: f64,
    pub vol_forecast: f64,
    /// What the update leads to: at once where it is tighter, else from `looser_from` on.
    pub collateral_ratio_bps: u64,
    /// What readers get right after the update.
    pub collateral_ratio_at_once_bps: u64,
    #[serde(skip)]
    pub collateral_ratio_before_bps: u64,
    /// As of the collateral ratio.
    pub amm_fee_pips: u64,
    pub amm_fee_at_once_pips: u64,
    /// When looser values begin to hold; `None` where none are to come.
    pub looser_from: Option<String>,
    #[serde(skip)]
    pub amm_fee_before_pips: u64,
    pub realised_regime: Option<Regime>,
    #[serde(skip)]
    pub realised_volatility: Option<f64>,
}

fn one_or_several<S: Serializer>(rows: &[MarketRow], serializer: S) -> Result<S::Ok, S::Error> {
    match rows {
        [only] => only.serialize(serializer),
        _ => serializer.collect_map([("markets", rows)]),
    }
}

/// What readers get of a market, and what comes next.
pub(super) struct Reading {
    now: Params,
    next: pendingReturn,
}

/// Reads all markets of a job, in the model's order.
///
/// # Errors
/// A chain that does not answer.
pub(super) async fn read(agent: &Agent) -> anyhow::Result<Vec<Reading>> {
    let (chain, contract) = (&agent.chain.read, agent.action.contract());
    let mut readings = Vec::new();
    for market in agent.regime().into_iter().flat_map(|regime| &regime.model.candles.markets) {
        let now = chain.params(contract, market.id()).await?.current;
        readings.push(Reading { now, next: chain.pending(contract, market.id()).await? });
    }
    Ok(readings)
}

/// Of a cycle that landed, with the parameters before and after its update.
///
/// # Errors
/// A cycle that was missed.
pub(super) fn row(
    agent: &Agent,
    record: &CycleRecord,
    before: &[Reading],
    after: &[Reading],
    cycle_ms: f64,
) -> anyhow::Result<PeriodRow> {
    if let Some(miss) = &record.miss {
        anyhow::bail!("period {} was missed: {} {}", record.period, miss.code, miss.message);
    }
    anyhow::ensure!(record.stage == Stage::Confirmed, "period {} ended as {}", record.period, record.stage.name());
    let landed = record.landed.context("a confirmed cycle has a transaction")?;
    let forecast = record.forecast.as_ref().context("a confirmed cycle has a forecast")?;
    let model = agent.regime().context("it is a job of regimes")?.model;
    let named = model.candles.markets.iter();
    let mut markets = Vec::with_capacity(named.len());
    for (((market, outputs), before), after) in named.zip(&forecast.outputs).zip(before).zip(after) {
        let prediction = model.read(outputs).context("the outputs are not a regime model's")?;
        let name = (forecast.outputs.len() > 1).then(|| market.name.clone());
        markets.push(market_row(name, &prediction, &before.now, after));
    }
    Ok(PeriodRow {
        period: record.period,
        start: format_utc(record.start_ms),
        markets,
        prove_ms: record.prove_ms.unwrap_or(0),
        gas_used: landed.gas_used,
        tx_hash: landed.hash.to_string(),
        cycle_ms,
    })
}

fn market_row(market: Option<String>, prediction: &Prediction, before: &Params, after: &Reading) -> MarketRow {
    let effective_ms = after.next.effectiveAt.saturating_to::<i64>().saturating_mul(1000);
    let (after, next) = (&after.now, &after.next.next);
    let is_delayed =
        next.borrowCollateralRatioBps < after.borrowCollateralRatioBps || next.ammFeePips < after.ammFeePips;
    MarketRow {
        market,
        volatility_before: None,
        prob_high_bps: u64::from(after.probabilityHighBps),
        regime: prediction.regime,
        applied_volatility: f64::from(after.appliedVolatilityE9) / 1e9,
        vol_forecast: prediction.volatility,
        collateral_ratio_bps: next.borrowCollateralRatioBps.into(),
        collateral_ratio_at_once_bps: after.borrowCollateralRatioBps.into(),
        collateral_ratio_before_bps: before.borrowCollateralRatioBps.into(),
        amm_fee_pips: next.ammFeePips.to(),
        amm_fee_at_once_pips: after.ammFeePips.to(),
        looser_from: is_delayed.then(|| format_utc(effective_ms)),
        amm_fee_before_pips: before.ammFeePips.to(),
        realised_regime: None,
        realised_volatility: None,
    }
}
