//! When somebody is to be told, checked.

use std::path::PathBuf;
use std::time::Duration;

use super::raw::RawAlerts;
use super::{ConfigFault, positive_ms, value};

/// Alerts' settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alerts {
    /// File with the webhook's address; `None` for no alerts.
    pub webhook_file: Option<PathBuf>,
    /// What still holds is said again after this time.
    pub resend_after: Duration,
    /// A cycle that works on one period for longer is stuck.
    pub stuck_after: Duration,
    /// A wallet that can pay for fewer updates is low.
    pub low_balance_updates: u64,
}

/// Checks the section.
pub(super) fn check(raw: &RawAlerts) -> Result<Alerts, ConfigFault> {
    let minutes = |key, minutes: u64| positive_ms(key, minutes.saturating_mul(60_000));
    if raw.low_balance_updates == 0 {
        return Err(value("alerts.low_balance_updates", 0, "must be positive"));
    }
    Ok(Alerts {
        webhook_file: match raw.webhook_file.trim() {
            "" => None,
            path => Some(path.into()),
        },
        resend_after: minutes("alerts.resend_minutes", raw.resend_minutes)?,
        stuck_after: minutes("alerts.stuck_minutes", raw.stuck_minutes)?,
        low_balance_updates: raw.low_balance_updates,
    })
}
