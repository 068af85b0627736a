//! What attestors state beside a forecast: the level that its ratios are of, and what a euro is worth. Pure.

use serde::{Deserialize, Serialize};

/// Parts of a unit on chain.
const E6: f64 = 1e6;
/// No price is as high: a million euros for a megawatt-hour.
const MAX_PRICE: f64 = 1e6;

/// Prices as the contract takes them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// Mean price of the last 30 days in EUR/MWh, times 1e6.
    pub eur_per_mwh_e6: u64,
    /// Dollars for a euro, times 1e6.
    pub usd_per_eur_e6: u64,
}

impl Prices {
    /// Rounded to nearest; `None` for what is no positive price.
    pub fn of(eur_per_mwh: f64, usd_per_eur: f64) -> Option<Self> {
        let e6 = |price: f64| {
            let rounded = libm::round(price * E6);
            (price < MAX_PRICE && rounded >= 1.0).then_some(rounded as u64)
        };
        Some(Self { eur_per_mwh_e6: e6(eur_per_mwh)?, usd_per_eur_e6: e6(usd_per_eur)? })
    }

    /// EUR/MWh.
    pub fn eur_per_mwh(&self) -> f64 {
        self.eur_per_mwh_e6 as f64 / E6
    }

    /// Dollars for a euro.
    pub fn usd_per_eur(&self) -> f64 {
        self.usd_per_eur_e6 as f64 / E6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_rounded_and_must_be_positive() {
        let prices = Prices::of(81.234_567_89, 1.0874).unwrap();
        assert_eq!((prices.eur_per_mwh_e6, prices.usd_per_eur_e6), (81_234_568, 1_087_400));
        assert!((prices.eur_per_mwh() - 81.234_568).abs() < 1e-12 && (prices.usd_per_eur() - 1.0874).abs() < 1e-12);
        for (eur, usd) in [(0.0, 1.1), (-3.0, 1.1), (80.0, 0.0), (f64::NAN, 1.1), (f64::INFINITY, 1.1), (1e-7, 1.1)] {
            assert_eq!(Prices::of(eur, usd), None, "{eur} {usd}");
        }
    }
}
