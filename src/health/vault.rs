//! What an owner of a vault wants to be told early: dear electricity, a budget that runs out, and a need that is not covered.

use std::sync::Arc;

use alloy::primitives::Address;

use super::{Check, HealthError, OVERDUE_CODE};
use crate::actions::hedge_vault::estimate::Estimate;
use crate::actions::hedge_vault::read::VaultState;
use crate::chain::read::Reader;
use crate::state::reader::Reader as StateReader;
use crate::telemetry::metrics::vault::{NeedFigures, VaultFigures, vault_needs, vault_seen};
use veriregime_core::hedge::forecast::read;
use veriregime_core::types::cycle::Forecast;
use veriregime_core::types::job::JobKey;

/// Cycles that are looked at for the newest forecast.
const CYCLES: u32 = 4;
const SALES: &str = "vault sales";
const DEAR: &str = "electricity";
const BUDGET: &str = "vault budget";
const BALANCE: &str = "vault balance";
const SATS: f64 = 1e8;
const DAY_SECONDS: u64 = 86_400;

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
    /// What is to be told of a vault, beside the check of its last sale: whether its owner lets it sell, and what the newest
    /// forecast means for it, once there is one. That the chain does not answer is other checks' news.
    pub(super) async fn checks(&self, chain: &Reader, vault: Address, last_sale: Check) -> Vec<Check> {
        let (mut found, state) = sales(chain, vault, last_sale).await;
        let Some(state) = state else { return found };
        vault_seen(figures(&state));
        if state.state.paused {
            return found;
        }
        if let Some(estimate) = self.estimate(chain, vault, &state).await {
            vault_needs(NeedFigures {
                need_sats: estimate.need_sats,
                last_month_eur_mwh: estimate.last_month_eur_mwh,
                forecast_eur_mwh: estimate.forecast_eur_mwh,
            });
            found.extend(judged(&estimate, &state, self.limits));
        }
        found
    }

    async fn estimate(&self, chain: &Reader, vault: Address, state: &VaultState) -> Option<Estimate> {
        let (start_ms, forecast) = self.newest()?;
        let pool = chain.vault_mean(vault, state.terms.twapSeconds).await.ok()??;
        let horizons = read(&forecast.output_integers(), self.output_scale)?;
        let times = (start_ms.unsigned_abs() / 1000, chain.next_block_seconds().await.ok()?);
        Estimate::of(state, (forecast.stated?.prices()?, &horizons), times, &pool)
    }

    fn newest(&self) -> Option<(i64, Forecast)> {
        let records = self.cycles.page(self.job, None, CYCLES).ok()?;
        records.into_iter().find_map(|record| Some((record.start_ms, record.forecast?)))
    }
}

fn figures(vault: &VaultState) -> VaultFigures {
    VaultFigures {
        balance_sats: vault.balance_sats.saturating_to(),
        sold_sats: vault.state.soldSats,
        budget_left_sats: vault.terms.maxInAllSats.saturating_sub(vault.state.soldSats),
        covered_until_seconds: u64::from(vault.state.coveredUntilDay) * DAY_SECONDS,
        is_paused: vault.state.paused,
    }
}

/// Whether a vault's owner lets it sell, beside the check of its last sale, and the vault; `None` where the chain does not say.
pub async fn sales(chain: &Reader, vault: Address, last_sale: Check) -> (Vec<Check>, Option<VaultState>) {
    match chain.hedge_vault(vault).await {
        Ok(state) if state.state.paused => (paused(last_sale), Some(state)),
        Ok(state) => (vec![last_sale, Check::ok(SALES, "its owner lets it sell")], Some(state)),
        Err(_) => (vec![last_sale], None),
    }
}

/// That a vault sells nothing whose owner wants it so is as it should be.
fn paused(last_sale: Check) -> Vec<Check> {
    let last_sale = match last_sale.code {
        Some(OVERDUE_CODE) => Check::ok(last_sale.name, format!("none is due; {}", last_sale.figure)),
        _ => last_sale,
    };
    vec![last_sale, Check::ok(SALES, "paused by its owner: nothing is sold until it lets sales go on")]
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
    use super::*;
    use crate::actions::hedge_vault::abi::vault::IHedgeVault::State;
    use crate::health::Level;
    use veriregime_core::types::period::PeriodId;

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
        let mut vault = VaultState::given(State { soldSats: sold, ..State::default() }, held);
        vault.terms.maxInAllSats = 100_000;
        judged(&estimate, &vault, LIMITS).into_iter().map(|check| (check.level, check.code)).collect()
    }

    #[test]
    fn a_vault_that_its_owner_paused_is_well_although_it_sells_nothing() {
        let overdue = Check::fail("last update", &HealthError::Overdue { last: PeriodId(1), age_minutes: 90_000 });
        let found = paused(overdue);
        assert!(found.iter().all(|check| check.level == Level::Ok), "{found:?}");
        assert!(found[0].figure.contains("period 1") && found[1].figure.contains("paused"), "{found:?}");
        // A chain that does not answer is a fault all the same.
        let silent = Check::fail("last update", &HealthError::NoResult { after: std::time::Duration::from_secs(1) });
        assert_eq!(paused(silent.clone())[0], silent);
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
