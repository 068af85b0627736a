//! Results for people: tables and lines that fit the terminal, and numbers with their units. Nothing is printed here.

pub mod cycle;
pub mod layout;

use serde::Serialize;
use veriregime_core::types::gwei::Gwei;

/// A result that is shown either to people, as text, or to programs, as JSON.
pub trait Render: Serialize {
    /// The result for people, without the end of its last line.
    fn text(&self) -> String;
}

/// `18000` bps as `180.00 %`.
pub fn percent(bps: u64) -> String {
    format!("{}.{:02} %", bps / 100, bps % 100)
}

/// `3000` pips as `30.00 bps`.
pub fn pips_as_bps(pips: u64) -> String {
    format!("{}.{:02} bps", pips / 100, pips % 100)
}

/// `1500000000` wei as `1.5 gwei`.
pub fn gwei(wei: u128) -> String {
    format!("{} gwei", Gwei(wei))
}

/// A standard deviation of one-minute returns in bps.
pub fn volatility_bps(volatility: f64) -> String {
    format!("{:.2} bps", volatility * 1e4)
}

/// `values` in one line each.
pub fn lines(values: impl IntoIterator<Item = String>) -> String {
    values.into_iter().collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_written_out() {
        assert_eq!(percent(15_005), "150.05 %");
        assert_eq!(pips_as_bps(3_001), "30.01 bps");
        assert_eq!((gwei(1_050_000_000), gwei(1)), ("1.05 gwei".into(), "0.000000001 gwei".into()));
        assert_eq!(volatility_bps(0.000_5), "5.00 bps");
    }
}
