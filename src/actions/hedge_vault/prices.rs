//! What attestors state beside a forecast, as the contract takes it.

use super::abi::vault::IHedgeVault;
use veriregime_core::hedge::prices::Prices;

pub(super) fn encoded(prices: Prices) -> IHedgeVault::Prices {
    IHedgeVault::Prices { eurPerMwhE6: prices.eur_per_mwh_e6, usdPerEurE6: prices.usd_per_eur_e6 }
}

pub(super) fn decoded(prices: &IHedgeVault::Prices) -> Prices {
    Prices { eur_per_mwh_e6: prices.eurPerMwhE6, usd_per_eur_e6: prices.usdPerEurE6 }
}
