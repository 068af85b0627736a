//! What attestors state beside a forecast: the level that its ratios are of, and what a euro is worth.

use alloy::primitives::{B256, keccak256};
use alloy::sol_types::SolValue;
use serde::Serialize;

use super::abi::vault::IHedgeVault;

/// The contract's type of what is stated.
const TYPE: &str = "HedgePrices(bytes32 modelId,uint64 period,uint64 eurPerMwhE6,uint64 usdPerEurE6)";
/// Parts of a unit on chain.
const E6: f64 = 1e6;
/// No price is as high: a million euros for a megawatt-hour.
const MAX_PRICE: f64 = 1e6;

/// Prices as the contract takes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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
            let rounded = (price * E6).round();
            (price < MAX_PRICE && rounded >= 1.0).then_some(rounded as u64)
        };
        Some(Self { eur_per_mwh_e6: e6(eur_per_mwh)?, usd_per_eur_e6: e6(usd_per_eur)? })
    }

    /// What is signed of them for a model's period, by `statement::of_consumer`.
    pub fn statement(&self, model_id: B256, period: u64) -> B256 {
        keccak256((keccak256(TYPE), model_id, period, self.eur_per_mwh_e6, self.usd_per_eur_e6).abi_encode())
    }

    pub(super) fn encoded(self) -> IHedgeVault::Prices {
        IHedgeVault::Prices { eurPerMwhE6: self.eur_per_mwh_e6, usdPerEurE6: self.usd_per_eur_e6 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_rounded_and_must_be_positive() {
        let prices = Prices::of(81.234_567_89, 1.0874).unwrap();
        assert_eq!((prices.eur_per_mwh_e6, prices.usd_per_eur_e6), (81_234_568, 1_087_400));
        for (eur, usd) in [(0.0, 1.1), (-3.0, 1.1), (80.0, 0.0), (f64::NAN, 1.1), (f64::INFINITY, 1.1), (1e-7, 1.1)] {
            assert_eq!(Prices::of(eur, usd), None, "{eur} {usd}");
        }
    }
}
