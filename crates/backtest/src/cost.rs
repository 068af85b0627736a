//! From what size of a pool on a forecast pays what it costs to bring it on chain.

/// Gas of a year in dollars.
pub fn usd_per_year(gas: f64, updates_per_year: f64, gas_price_gwei: f64, eth_usd: f64) -> f64 {
    gas * updates_per_year * gas_price_gwei * 1e-9 * eth_usd
}

/// Value of the pool in dollars at which a gain and a cost of a year are even; the gain is that of a pool of `pool_usd`. None where
/// nothing is gained, so that it never pays.
pub fn break_even_usd(gain_usd_per_year: f64, pool_usd: f64, cost_usd_per_year: f64) -> Option<f64> {
    (gain_usd_per_year > 0.0).then(|| cost_usd_per_year / (gain_usd_per_year / pool_usd))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_even_where_its_gain_is_the_gas() {
        let cost = usd_per_year(400_000.0, 2_191.5, 5.0, 3_000.0);
        assert!((cost - 13_149.0).abs() < 1e-6, "{cost}");
        // A pool of $100M gains $1,314,900 a year, so one of a hundredth pays.
        assert!((break_even_usd(1_314_900.0, 1e8, cost).expect("a gain") - 1e6).abs() < 1e-3);
        assert_eq!(break_even_usd(0.0, 1e8, cost), None);
        assert_eq!(break_even_usd(f64::NAN, 1e8, cost), None);
    }
}
