//! What a feed says of itself.

use alloy::primitives::Address;
use serde_json::{Value, json};

use crate::actions::error::ActionError;
use crate::actions::feed::abi::IFeed::Forecast;
use crate::config::Config;
use crate::node::assemble;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::time::format_day;

/// A percent in the contract's units.
const PERCENT: f64 = 1e6;

/// Asks the job's feed.
///
/// # Errors
/// [`ActionError`].
pub(super) async fn read(config: &Config) -> Result<Forecast, ActionError> {
    let chain = assemble::reader(config)?;
    chain.check_chain_id().await?;
    chain.feed(config.chain.oracle.ok_or(ActionError::NoContract(Address::ZERO))?).await
}

/// In a line.
pub(super) fn line(strategy: &str, read: &Result<Forecast, ActionError>) -> String {
    let last = match read {
        Ok(last) => last,
        Err(fault) => return format!("{} {fault}; {}", fault.code(), fault.hint()),
    };
    if last.updatedAt.is_zero() {
        return format!("{strategy}: no forecast yet");
    }
    format!(
        "{strategy}: {:.2} % a year, 90 % between {:.2} and {:.2} %, volatility {:.2} points; data up to {}",
        last.apyE8 as f64 / PERCENT,
        last.lowE8 as f64 / PERCENT,
        last.highE8 as f64 / PERCENT,
        last.volatilityE8 as f64 / PERCENT,
        format_day(i32::try_from(last.dataDay).unwrap_or(i32::MAX))
    )
}

/// For programs.
pub(super) fn json(strategy: &str, read: &Result<Forecast, ActionError>) -> Value {
    match read {
        Ok(last) => json!({
            "strategy": strategy,
            "period_start": last.periodStart.to::<u64>(),
            "updated_at": last.updatedAt.to::<u64>(),
            "data_day": last.dataDay,
            "apy_e8": last.apyE8,
            "volatility_e8": last.volatilityE8,
            "low_e8": last.lowE8,
            "high_e8": last.highE8,
        }),
        Err(fault) => json!({"strategy": strategy, "error": fault.to_string(), "code": fault.code()}),
    }
}
