//! What a vault's owner wants to see over time.

use metrics::gauge;

use super::names::{
    ELECTRICITY_FORECAST, ELECTRICITY_LAST_MONTH, VAULT_BALANCE, VAULT_BUDGET_LEFT, VAULT_COVERED_UNTIL, VAULT_NEED,
    VAULT_PAUSED, VAULT_SOLD,
};
use super::{JOB, job};

/// What the chain says of a vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VaultFigures {
    /// WBTC in it, in units of 1e-8.
    pub balance_sats: u64,
    /// What it has sold since it exists.
    pub sold_sats: u64,
    /// What the budget in all leaves.
    pub budget_left_sats: u64,
    /// Unix time up to which electricity is covered; 0 before the first sale.
    pub covered_until_seconds: u64,
    /// Whether its owner lets nothing be sold.
    pub is_paused: bool,
}

/// What the newest forecast says of a vault.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NeedFigures {
    /// WBTC that the days need which are not covered, in units of 1e-8.
    pub need_sats: u64,
    /// Mean price of the last 30 days, EUR/MWh.
    pub last_month_eur_mwh: f64,
    /// Forecast mean price of the terms' months, EUR/MWh.
    pub forecast_eur_mwh: f64,
}

/// A vault was looked at.
pub fn vault_seen(figures: VaultFigures) {
    let set = |name: &'static str, value: u64| gauge!(name, JOB => job()).set(value as f64);
    set(VAULT_BALANCE, figures.balance_sats);
    set(VAULT_SOLD, figures.sold_sats);
    set(VAULT_BUDGET_LEFT, figures.budget_left_sats);
    set(VAULT_COVERED_UNTIL, figures.covered_until_seconds);
    set(VAULT_PAUSED, figures.is_paused.into());
}

/// What a vault needs is known.
pub fn vault_needs(figures: NeedFigures) {
    gauge!(VAULT_NEED, JOB => job()).set(figures.need_sats as f64);
    gauge!(ELECTRICITY_LAST_MONTH, JOB => job()).set(figures.last_month_eur_mwh);
    gauge!(ELECTRICITY_FORECAST, JOB => job()).set(figures.forecast_eur_mwh);
}
