//! What a vault would sell, before anything is attested: the contract's arithmetic in floats, for people and alerts.

use serde::Serialize;

use super::read::VaultState;
use super::wallet::PoolMean;
use veriregime_core::hedge::HORIZON_MONTHS;
use veriregime_core::hedge::features::MONTH_DAYS;
use veriregime_core::hedge::forecast::PriceForecast;
use veriregime_core::hedge::need::dollars_a_day;
use veriregime_core::hedge::prices::Prices;

const DAY_SECONDS: u64 = 86_400;
const SATS: f64 = 1e8;
const BPS: f64 = 1e4;
const PIPS: f64 = 1e6;

/// What a vault needs in a period, and what it would sell.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// Months that the terms cover.
    pub months: u32,
    /// Mean price of the last 30 days, EUR/MWh.
    pub last_month_eur_mwh: f64,
    /// Forecast mean price of the terms' months, EUR/MWh.
    pub forecast_eur_mwh: f64,
    /// Dollars of a day's electricity, as far as the terms cover it.
    pub usd_a_day: f64,
    /// The pool's time-weighted price, its fee taken off.
    pub btc_usd: f64,
    /// First day that is not covered, counted from 1970-01-01, and the first beyond the horizon.
    pub from_day: u32,
    pub horizon_day: u32,
    /// First day that would not be covered after the sale.
    pub until_day: u32,
    /// WBTC that the uncovered days need, in units of 1e-8.
    pub need_sats: u64,
    /// What the week's budget, the budget in all and the balance leave.
    pub available_sats: u64,
    /// What would be sold.
    pub sold_sats: u64,
}

impl Estimate {
    /// In a period that starts then, at that time. `None` for terms or a forecast of other months, and for prices of nothing.
    pub fn of(
        vault: &VaultState,
        (prices, horizons): (Prices, &[PriceForecast; HORIZON_MONTHS.len()]),
        (start_seconds, now_seconds): (u64, u64),
        pool: &PoolMean,
    ) -> Option<Self> {
        let (terms, state) = (&vault.terms, &vault.state);
        let months = u32::from(terms.months);
        let horizon = horizons.iter().find(|one| one.months == months)?;
        let last_month_eur_mwh = prices.eur_per_mwh();
        let forecast_eur_mwh = last_month_eur_mwh * libm::exp(horizon.log_ratio);
        let share = f64::from(terms.shareBps) / BPS;
        let usd_a_day = dollars_a_day(f64::from(terms.watts), forecast_eur_mwh, prices.usd_per_eur()) * share;
        let btc_usd = pool.btc_usd * (1.0 - f64::from(pool.fee_pips) / PIPS);
        let sats_a_day = usd_a_day / btc_usd * SATS;
        let day = |seconds: u64| u32::try_from(seconds / DAY_SECONDS).unwrap_or(u32::MAX);
        let from_day = state.coveredUntilDay.max(day(now_seconds));
        let horizon_day = day(start_seconds).saturating_add(months * MONTH_DAYS as u32);
        let open_days = horizon_day.saturating_sub(from_day);
        let left = terms.maxInAllSats.saturating_sub(state.soldSats).min(terms.maxPerPeriodSats);
        let available_sats = left.min(vault.balance_sats.saturating_to());
        if !sats_a_day.is_finite() || sats_a_day <= 0.0 {
            return None;
        }
        let days = ((available_sats as f64 / sats_a_day) as u32).min(open_days);
        let sats = |days: u32| libm::ceil(f64::from(days) * sats_a_day) as u64;
        Some(Self {
            months,
            last_month_eur_mwh,
            forecast_eur_mwh,
            usd_a_day,
            btc_usd,
            from_day,
            horizon_day,
            until_day: from_day.saturating_add(days),
            need_sats: sats(open_days),
            available_sats,
            sold_sats: sats(days),
        })
    }

    /// Dollars that the uncovered days need.
    pub fn need_usd(&self) -> f64 {
        f64::from(self.horizon_day.saturating_sub(self.from_day)) * self.usd_a_day
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::hedge_vault::abi::vault::IHedgeVault::{State, Terms};

    const START: u64 = 2833 * 7 * DAY_SECONDS;

    fn vault(covered: u32, sold: u64, balance: u64) -> VaultState {
        VaultState::given(State { coveredUntilDay: covered, soldSats: sold, ..State::default() }, balance)
    }

    fn estimate(vault: &VaultState) -> Estimate {
        let horizons = HORIZON_MONTHS.map(|months| PriceForecast { months, log_ratio: 0.0, half_width: 0.1 });
        let prices = Prices::of(50.0, 1.0).unwrap();
        let pool = PoolMean { btc_usd: 60_000.0, observations: 10, fee_pips: 0 };
        Estimate::of(vault, (prices, &horizons), (START, START + 3600), &pool).unwrap()
    }

    #[test]
    fn whole_days_are_sold_for_as_far_as_budgets_and_balance_go() {
        // A megawatt at 50 EUR costs 1,200 dollars a day: 0.02 bitcoin.
        let day = (START / DAY_SECONDS) as u32;
        for (covered, sold, balance, days, need_days) in [
            (0, 0, 1_000_000_000, 1, 60),
            (day + 59, 0, 1_000_000_000, 1, 1),
            (day + 60, 0, 1_000_000_000, 0, 0),
            (0, 0, 1_999_999, 0, 60),
            (0, 4_000_000, 1_000_000_000, 0, 60),
        ] {
            let found = estimate(&vault(covered, sold, balance));
            assert!((found.usd_a_day - 1200.0).abs() < 1e-3);
            assert_eq!(
                (found.until_day - found.from_day, found.need_sats),
                (days, need_days * 2_000_000),
                "{covered} {sold}"
            );
            assert_eq!(found.sold_sats, u64::from(days) * 2_000_000);
        }
        let other = VaultState { terms: Terms { months: 7, ..vault(0, 0, 1).terms }, ..vault(0, 0, 1) };
        let horizons = HORIZON_MONTHS.map(|months| PriceForecast { months, log_ratio: 0.0, half_width: 0.1 });
        let pool = PoolMean { btc_usd: 60_000.0, observations: 10, fee_pips: 0 };
        assert!(Estimate::of(&other, (Prices::of(50.0, 1.0).unwrap(), &horizons), (START, START), &pool).is_none());
    }
}
