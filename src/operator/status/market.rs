//! What the contract says of a market.

use std::fmt::Write as _;

use alloy::primitives::Address;
use serde_json::{Value, json};

use crate::actions::error::ActionError;
use crate::actions::risk_oracle::abi::oracle::IRiskParameters::{Params, RiskVector};
use crate::actions::risk_oracle::abi::oracle::RiskOracle::{paramsReturn, pendingReturn};
use crate::actions::risk_oracle::read::status_word;
use crate::config::Config;
use crate::node::assemble;
use crate::render::{percent, pips_as_bps, volatility_bps};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::manifest::inputs::Market;
use veriregime_core::types::period::Grid;
use veriregime_core::types::prediction::Regime;
use veriregime_core::types::time::format_utc;

/// Half a probability in bps.
const HALF_BPS: u16 = 5_000;
/// Units of a volatility on chain.
const E9: f64 = 1e9;

/// A market's parameters now, and what comes next.
#[derive(Debug)]
pub struct Read {
    now: paramsReturn,
    next: pendingReturn,
    grid: Grid,
}

/// Asks the contract.
///
/// # Errors
/// [`ActionError`].
pub async fn read(config: &Config, market: &Market) -> Result<Read, ActionError> {
    let chain = assemble::reader(config)?;
    chain.check_chain_id().await?;
    let oracle = config.chain.oracle.ok_or(ActionError::NoContract(Address::ZERO))?;
    Ok(Read {
        now: chain.params(oracle, market.id()).await?,
        next: chain.pending(oracle, market.id()).await?,
        grid: config.grid(),
    })
}

impl Read {
    fn status(&self) -> &'static str {
        status_word(self.now.status)
    }

    /// What was forecast, if anything ever was.
    fn regime(&self) -> Option<Regime> {
        let regime = if self.now.current.probabilityHighBps > HALF_BPS { Regime::High } else { Regime::Low };
        (self.now.current.periodStart.to::<u64>() > 0).then_some(regime)
    }

    /// The forecast's period.
    fn period(&self) -> u64 {
        self.grid.period_at_seconds(self.now.current.periodStart.to()).0
    }

    /// Volatility that the parameters follow.
    fn applied_volatility(&self) -> f64 {
        f64::from(self.now.current.appliedVolatilityE9) / E9
    }

    /// Forecast standard deviation of one-minute returns.
    fn volatility(&self) -> f64 {
        f64::from(self.now.current.volatilityE9) / E9
    }
}

/// The market in a line.
pub fn line(read: &Result<Read, ActionError>) -> String {
    let read = match read {
        Ok(read) => read,
        Err(fault) => return format!("{} {fault}; {}", fault.code(), fault.hint()),
    };
    let (params, next) = (&read.now.current, &read.next.next);
    let mut line = format!(
        "{}, of period {}; {}, P(High) {}, volatility {} a minute, applied {}; borrow ratio {}, liquidation ratio {}, AMM fee {}, borrow cap {}",
        read.status(),
        read.period(),
        read.regime().map_or_else(|| "no forecast".into(), |regime| regime.to_string()),
        percent(params.probabilityHighBps.into()),
        volatility_bps(read.volatility()),
        volatility_bps(read.applied_volatility()),
        percent(params.borrowCollateralRatioBps.into()),
        percent(params.liquidationCollateralRatioBps.into()),
        pips_as_bps(params.ammFeePips.to()),
        percent(params.borrowCapFactorBps.into()),
    );
    if read.status() == "fresh" && is_looser(next, params) {
        let _ = write!(
            line,
            "; this until {}, and from then on: borrow ratio {}, AMM fee {}, borrow cap {}",
            format_utc(read.next.effectiveAt.saturating_to::<i64>().saturating_mul(1000)),
            percent(next.borrowCollateralRatioBps.into()),
            pips_as_bps(next.ammFeePips.to()),
            percent(next.borrowCapFactorBps.into()),
        );
    }
    line
}

/// Whether anything gets looser.
fn is_looser(next: &RiskVector, now: &Params) -> bool {
    next.borrowCollateralRatioBps < now.borrowCollateralRatioBps
        || next.ammFeePips < now.ammFeePips
        || next.borrowCapFactorBps > now.borrowCapFactorBps
}

/// The market for machines.
pub fn json(name: &str, read: &Result<Read, ActionError>) -> Value {
    let read = match read {
        Ok(read) => read,
        Err(fault) => return json!({"market": name, "error": fault.to_string(), "code": fault.code()}),
    };
    let (params, next) = (&read.now.current, &read.next.next);
    json!({
        "market": name,
        "status": read.status(),
        "period": read.period(),
        "regime": read.regime(),
        "volatility": read.volatility(),
        "borrow_collateral_ratio_bps": params.borrowCollateralRatioBps,
        "liquidation_collateral_ratio_bps": params.liquidationCollateralRatioBps,
        "amm_fee_pips": params.ammFeePips.to::<u64>(),
        "borrow_cap_factor_bps": params.borrowCapFactorBps,
        "prob_high_bps": params.probabilityHighBps,
        "applied_volatility": read.applied_volatility(),
        "next": {
            "effective_at": read.next.effectiveAt.saturating_to::<u64>(),
            "liquidation_reached_at": read.next.liquidationReachedAt.saturating_to::<u64>(),
            "borrow_collateral_ratio_bps": next.borrowCollateralRatioBps,
            "liquidation_collateral_ratio_bps": next.liquidationCollateralRatioBps,
            "amm_fee_pips": next.ammFeePips.to::<u64>(),
            "borrow_cap_factor_bps": next.borrowCapFactorBps,
        },
    })
}
