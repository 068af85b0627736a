//! When somebody is to be told, checked.

use std::path::PathBuf;
use std::time::Duration;

use super::raw::RawAlerts;
use super::{ConfigError, positive_ms, value};

/// The largest rise that is forecast, in percent.
const MAX_RISE_PERCENT: u32 = 100;
/// Longest name of a node.
const MAX_NAME_CHARS: usize = 100;

/// Alerts' settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alerts {
    /// File with the webhook's address; `None` for no alerts.
    pub webhook_file: Option<PathBuf>,
    /// What the operator calls this node; `None` for a name from its wallet and model.
    pub node_name: Option<String>,
    /// What still holds is said again after this time.
    pub resend_after: Duration,
    /// A cycle that works on one period for longer is stuck.
    pub stuck_after: Duration,
    /// A wallet that can pay for fewer updates is low.
    pub low_balance_updates: u64,
    /// A forecast of electricity so many percent above the last month is dear.
    pub electricity_rise_percent: u32,
    /// A vault's budget that lasts for fewer weeks is low.
    pub low_budget_weeks: u32,
}

/// Checks the section.
pub(super) fn check(raw: &RawAlerts) -> Result<Alerts, ConfigError> {
    let minutes = |key, minutes: u64| positive_ms(key, minutes.saturating_mul(60_000));
    if raw.low_balance_updates == 0 {
        return Err(value("alerts.low_balance_updates", 0, "must be positive"));
    }
    if raw.electricity_rise_percent == 0 || raw.electricity_rise_percent > MAX_RISE_PERCENT {
        let reason = format!("must be from 1 to {MAX_RISE_PERCENT}: no forecast is of more than twice the last month");
        return Err(value("alerts.electricity_rise_percent", raw.electricity_rise_percent, reason));
    }
    let node_name = raw.node_name.trim();
    if node_name.chars().count() > MAX_NAME_CHARS || node_name.contains(char::is_control) {
        return Err(value("alerts.node_name", node_name, "wants a line of at most 100 characters"));
    }
    Ok(Alerts {
        node_name: (!node_name.is_empty()).then(|| node_name.to_owned()),
        webhook_file: match raw.webhook_file.trim() {
            "" => None,
            path => Some(path.into()),
        },
        resend_after: minutes("alerts.resend_minutes", raw.resend_minutes)?,
        stuck_after: minutes("alerts.stuck_minutes", raw.stuck_minutes)?,
        low_balance_updates: raw.low_balance_updates,
        electricity_rise_percent: raw.electricity_rise_percent,
        low_budget_weeks: raw.low_budget_weeks,
    })
}
