//! What one period of the demo brought.

use anyhow::Context;
use serde::Serialize;

use crate::actions::risk_oracle::abi::IRiskParameters::Params;
use crate::actions::risk_oracle::abi::RiskOracle::pendingReturn;
use crate::job::Agent;
use veriregime_core::types::cycle::{CycleRecord, Stage};
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::prediction::Regime;
use veriregime_core::types::time::format_utc;

/// What one period brought.
#[derive(Debug, Clone, Serialize)]
pub struct PeriodRow {
    pub period: PeriodId,
    pub start: String,
    #[serde(skip)]
    pub volatility_before: Option<f64>,
    pub prob_high_bps: u64,
    /// What was forecast.
    pub regime: Regime,
    /// What the parameters follow, behind dwell, margin and rate limits.
    pub applied_prob_bps: u64,
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
    pub prove_ms: u64,
    pub gas_used: u64,
    pub tx_hash: String,
    pub realised_regime: Option<Regime>,
    #[serde(skip)]
    pub realised_volatility: Option<f64>,
    #[serde(skip)]
    pub cycle_ms: f64,
}

/// Of a cycle that landed, with the parameters before and after its update.
///
/// # Errors
/// A cycle that was missed.
pub(super) fn row(
    agent: &Agent,
    record: &CycleRecord,
    before: &Params,
    after: &Params,
    next: &pendingReturn,
    cycle_ms: f64,
) -> anyhow::Result<PeriodRow> {
    if let Some(miss) = &record.miss {
        anyhow::bail!("period {} was missed: {} {}", record.period, miss.code, miss.message);
    }
    anyhow::ensure!(record.stage == Stage::Confirmed, "period {} ended as {}", record.period, record.stage.name());
    let landed = record.landed.context("a confirmed cycle has a transaction")?;
    let forecast = record.forecast.as_ref().context("a confirmed cycle has a forecast")?;
    let outputs = forecast.outputs.first().context("the model has no market")?;
    let prediction = agent.model.read(outputs).context("the outputs are not a regime model's")?;
    let effective_ms = next.effectiveAt.saturating_to::<i64>().saturating_mul(1000);
    let next = &next.next;
    let is_delayed =
        next.borrowCollateralRatioBps < after.borrowCollateralRatioBps || next.ammFeePips < after.ammFeePips;
    Ok(PeriodRow {
        period: record.period,
        start: format_utc(record.period.start_ms()),
        volatility_before: None,
        prob_high_bps: u64::from(after.probabilityHighBps),
        regime: prediction.regime,
        applied_prob_bps: u64::from(after.appliedProbabilityBps),
        vol_forecast: prediction.volatility,
        collateral_ratio_bps: next.borrowCollateralRatioBps.into(),
        collateral_ratio_at_once_bps: after.borrowCollateralRatioBps.into(),
        collateral_ratio_before_bps: before.borrowCollateralRatioBps.into(),
        amm_fee_pips: next.ammFeePips.to(),
        amm_fee_at_once_pips: after.ammFeePips.to(),
        looser_from: is_delayed.then(|| format_utc(effective_ms)),
        amm_fee_before_pips: before.ammFeePips.to(),
        prove_ms: record.prove_ms.unwrap_or(0),
        gas_used: landed.gas_used,
        tx_hash: landed.hash.to_string(),
        realised_regime: None,
        realised_volatility: None,
        cycle_ms,
    })
}
