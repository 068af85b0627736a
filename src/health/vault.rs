//! What an owner of a vault wants to be told early: dear electricity, a budget that runs out, and a need that is not covered.

use std::sync::Arc;

use alloy::primitives::Address;

use super::{Check, HealthError};
use crate::actions::hedge_vault::estimate::Estimate;
use crate::actions::hedge_vault::read::VaultState;
use crate::chain::read::Reader;
use crate::state::reader::Reader as StateReader;
use veriregime_core::hedge::forecast::read;
use veriregime_core::types::cycle::Forecast;
use veriregime_core::types::job::JobKey;

/// Cycles that are looked at for the newest forecast.
const CYCLES: u32 = 4;
const DEAR: &str = "electricity";
const BUDGET: &str = "vault budget";
const BALANCE: &str = "vault balance";
const SATS: f64 = 1e8;

/// From when on an owner is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VaultLimits {
    /// A forecast so many percent above the last month is dear.
    pub rise_percent: u32,
    /// A budget that does not last for so many weeks is low.
    pub low_budget_weeks: u32,
}

/// What the checks of a vault look at.
#[derive(Debug, Clone)]
pub struct VaultProbe {
    /// Where the job's forecasts are.
    pub cycles: Arc<StateReader>,
    pub job: JobKey,
    /// log2 of the model's outputs' grid.
    pub output_scale: u32,
    pub limits: VaultLimits,
}

impl VaultProbe {
    /// What is to be told of a vault by the newest forecast; nothing before there is one.
    pub(super) async fn checks(&self, chain: &Reader, vault: Address) -> Vec<Check> {
        let Some((start_ms, forecast)) = self.newest() else { return Vec::new() };
        let asked = async {
            let state = chain.hedge_vault(vault).await.ok()?;
            let pool = chain.vault_mean(vault, state.terms.twapSeconds).await.ok()??;
            let horizons = read(&forecast.output_integers(), self.output_scale)?;
            let times = (start_ms.unsigned_abs() / 1000, chain.next_block_seconds().await.ok()?);
            Some((Estimate::of(&state, (forecast.prices?.prices()?, &horizons), times, &pool)?, state))
        };
        // That the chain does not answer is other checks' news.
        asked.await.map_or_else(Vec::new, |(estimate, state)| judged(&estimate, &state, self.limits))
    }

    fn newest(&self) -> Option<(i64, Forecast)> {
        let records = self.cycles.page(self.job, None, CYCLES).ok()?;
        records.into_iter().find_map(|record| Some((record.start_ms, record.forecast?)))
    }
}

/// What an estimate means for an owner.
fn judged(estimate: &Estimate, vault: &VaultState, limits: VaultLimits) -> Vec<Check> {
    let percent = (estimate.forecast_eur_mwh / estimate.last_month_eur_mwh - 1.0) * 100.0;
    let prices = format!("{:.2} EUR/MWh after {:.2}", estimate.forecast_eur_mwh, estimate.last_month_eur_mwh);
    let dear = if percent > f64::from(limits.rise_percent) {
        Check::warn(DEAR, &HealthError::DearElectricity { percent: percent.round() as i64, prices })
    } else {
        Check::ok(DEAR, prices)
    };
    let btc = |sats: u64| format!("{:.8} WBTC", sats as f64 / SATS);
    let days = estimate.horizon_day.saturating_sub(estimate.from_day).max(1);
    let a_week = (estimate.need_sats / u64::from(days)).saturating_mul(7);
    let left = vault.terms.maxInAllSats.saturating_sub(vault.state.soldSats);
    let weeks = left.checked_div(a_week).unwrap_or(u64::MAX);
    let budget = if weeks < u64::from(limits.low_budget_weeks) {
        Check::warn(BUDGET, &HealthError::LowBudget { left: btc(left), weeks })
    } else {
        Check::ok(BUDGET, format!("{} left", btc(left)))
    };
    let held: u64 = vault.balance_sats.saturating_to();
    let balance = if held < estimate.need_sats {
        Check::warn(BALANCE, &HealthError::UncoveredNeed { held: btc(held), need: btc(estimate.need_sats) })
    } else {
        Check::ok(BALANCE, format!("{}, {} needed", btc(held), btc(estimate.need_sats)))
    };
    vec![dear, budget, balance]
}

#[cfg(test)]
mod tests {
    use alloy::primitives::U256;
    use alloy::primitives::aliases::U40;

    use super::*;
    use crate::actions::hedge_vault::abi::vault::IHedgeVault::{State, Terms};
    use crate::health::Level;

    const LIMITS: VaultLimits = VaultLimits { rise_percent: 25, low_budget_weeks: 4 };

    fn told(forecast_eur_mwh: f64, sold: u64, held: u64) -> Vec<(Level, Option<&'static str>)> {
        let estimate = Estimate {
            months: 2,
            last_month_eur_mwh: 100.0,
            forecast_eur_mwh,
            usd_a_day: 1.0,
            btc_usd: 1.0,
            from_day: 100,
            horizon_day: 160,
            until_day: 160,
            need_sats: 60_000,
            available_sats: 0,
            sold_sats: 0,
        };
        let terms = Terms {
            modelId: [7; 32].into(),
            watts: 1,
            months: 2,
            shareBps: 10_000,
            slippageBps: 1,
            twapSeconds: 300,
            minObservations: 2,
            deadline: U40::from(1),
            maxPerPeriodSats: 1,
            operatorSeconds: 0,
            maxInAllSats: 100_000,
            floorUsdPerBtc: 1,
            operator: Address::ZERO,
        };
        let state = State { soldSats: sold, ..State::default() };
        let vault = VaultState { owner: Address::ZERO, terms, state, balance_sats: U256::from(held) };
        judged(&estimate, &vault, LIMITS).into_iter().map(|check| (check.level, check.code)).collect()
    }

    #[test]
    fn an_owner_is_told_of_dear_electricity_low_budgets_and_needs_that_are_not_covered() {
        let ok = (Level::Ok, None);
        assert_eq!(told(125.0, 0, 60_000), [ok; 3]);
        assert_eq!(told(126.0, 0, 60_000), [(Level::Warn, Some("VR-HEALTH-009")), ok, ok]);
        // Seven thousand a week: three weeks are left.
        assert_eq!(told(90.0, 73_000, 60_000), [ok, (Level::Warn, Some("VR-HEALTH-010")), ok]);
        assert_eq!(told(90.0, 72_000, 59_999), [ok, ok, (Level::Warn, Some("VR-HEALTH-011"))]);
    }
}
