//! What a vault says of itself.

use alloy::primitives::Address;
use serde_json::{Value, json};

use crate::actions::error::ActionError;
use crate::actions::hedge_vault::read::VaultState;
use crate::config::Config;
use crate::node::assemble;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::time::format_day;

const SATS: f64 = 1e8;

/// Asks the job's vault.
///
/// # Errors
/// [`ActionError`].
pub(super) async fn read(config: &Config) -> Result<VaultState, ActionError> {
    let chain = assemble::reader(config)?;
    chain.check_chain_id().await?;
    chain.hedge_vault(config.chain.oracle.ok_or(ActionError::NoContract(Address::ZERO))?).await
}

fn covered(vault: &VaultState) -> String {
    match vault.state.coveredUntilDay {
        0 => "nothing".into(),
        day => format!("the days until {}", format_day(i32::try_from(day).unwrap_or(i32::MAX))),
    }
}

/// In a line.
pub(super) fn line(country: &str, read: &Result<VaultState, ActionError>) -> String {
    let vault = match read {
        Ok(vault) => vault,
        Err(fault) => return format!("{} {fault}; {}", fault.code(), fault.hint()),
    };
    let btc = |sats: u64| sats as f64 / SATS;
    let paused = if vault.state.paused { ", paused by its owner: nothing is sold" } else { "" };
    format!(
        "{country}, {} W for {} months{paused}: {:.8} WBTC in it, {:.8} sold of {:.8}; covers {}; owner {}",
        vault.terms.watts,
        vault.terms.months,
        btc(vault.balance_sats.saturating_to()),
        btc(vault.state.soldSats),
        btc(vault.terms.maxInAllSats),
        covered(vault),
        vault.owner
    )
}

/// For programs.
pub(super) fn json(country: &str, read: &Result<VaultState, ActionError>) -> Value {
    match read {
        Ok(vault) => json!({
            "country": country,
            "owner": vault.owner,
            "watts": vault.terms.watts,
            "months": vault.terms.months,
            "paused": vault.state.paused,
            "balance_sats": vault.balance_sats.saturating_to::<u64>(),
            "sold_sats": vault.state.soldSats,
            "max_in_all_sats": vault.terms.maxInAllSats,
            "max_per_period_sats": vault.terms.maxPerPeriodSats,
            "covered_until_day": vault.state.coveredUntilDay,
            "last_period_start": vault.state.lastPeriodStart.to::<u64>(),
        }),
        Err(fault) => json!({"country": country, "error": fault.to_string(), "code": fault.code()}),
    }
}
