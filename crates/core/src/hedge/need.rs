//! From a price of electricity to the bitcoin that pay it. Pure.

use super::features::MONTH_DAYS;

/// What a euro and a bitcoin are worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Market {
    /// Dollars for a euro.
    pub usd_per_eur: f64,
    /// Dollars for a bitcoin.
    pub btc_usd: f64,
}

/// Dollars of a day's electricity of machines that draw so many watts.
pub fn dollars_a_day(watts: f64, eur_mwh: f64, usd_per_eur: f64) -> f64 {
    eur_mwh * usd_per_eur * 24.0 * watts / 1e6
}

/// Bitcoin for the electricity of so many months of 30 days at one mean price and the market's rates.
pub fn btc_for(watts: f64, months: u32, eur_mwh: f64, market: &Market) -> f64 {
    let days = f64::from(months) * MONTH_DAYS as f64;
    dollars_a_day(watts, eur_mwh, market.usd_per_eur) * days / market.btc_usd
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kilowatt_for_two_months_is_1440_kilowatt_hours() {
        let market = Market { usd_per_eur: 1.1, btc_usd: 50_000.0 };
        assert!((dollars_a_day(1000.0, 100.0, 1.1) - 2.64).abs() < 1e-12);
        assert!((btc_for(1000.0, 2, 100.0, &market) - 1440.0 * 0.11 / 50_000.0).abs() < 1e-15);
    }
}
