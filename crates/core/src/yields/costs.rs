//! What it costs to enter a strategy, or to leave it: assumptions, the same for both ways.

use super::Kind;

/// Gwei of an ether.
const GWEI: f64 = 1e9;

/// Gas of one way: a deposit at a lender; a swap and a position in a pool; a swap and a transfer to a perpetual exchange.
pub fn gas_units(kind: Kind) -> f64 {
    match kind {
        Kind::Lending => 250_000.0,
        Kind::Lp => 450_000.0,
        Kind::Delta => 300_000.0,
    }
}

/// Share of the amount that one way loses: nothing at a lender of the money that is there; the fee of swapping half of it into a
/// pool's other token; the fees of a spot and of a perpetual trade.
pub fn slippage(kind: Kind) -> f64 {
    match kind {
        Kind::Lending => 0.0,
        Kind::Lp | Kind::Delta => 0.001,
    }
}

/// So much gas in USD.
pub fn gas_usd(units: f64, gwei: f64, eth_usd: f64) -> f64 {
    units * gwei / GWEI * eth_usd
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gas_is_paid_in_ether() {
        // 250,000 at 40 gwei are 0.01 ether.
        assert!((gas_usd(gas_units(Kind::Lending), 40.0, 3000.0) - 30.0).abs() < 1e-9);
    }
}
