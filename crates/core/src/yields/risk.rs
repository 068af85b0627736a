//! What a strategy may lose, read from its own past. Rates leave out what liquidity providers lose where prices part.

use serde::Serialize;

use super::HORIZON_DAYS;
use super::series::Series;
use crate::quantile::quantile;

/// Days of the past that count.
pub const TRAILING_DAYS: usize = 90;
/// Fewest of them that have a rate.
const LEAST_DAYS: usize = 14;
/// Share of weeks that are worse than the value at risk.
const WORST_SHARE: f64 = 0.05;
const DAYS_A_YEAR: f64 = 365.0;

/// Risk of a strategy at a position. Shares are of its value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Risk {
    /// Standard deviation of the daily rate, in percent a year.
    pub volatility_pp: f64,
    /// Largest fall of the value below what it once was, over the last 90 days.
    pub drawdown_trailing: f64,
    /// The same within any 7 days of them.
    pub drawdown_week: f64,
    /// What the worst twentieth of their weeks lost at least; 0 where they lost nothing.
    pub value_at_risk_week: f64,
}

impl Risk {
    /// At a position; nothing where too few of its days have a rate.
    pub fn new(series: &Series, at: usize) -> Option<Self> {
        let from = (at + 1).saturating_sub(TRAILING_DAYS);
        let rates: Vec<f64> = series.known(from, at + 1).collect();
        if rates.len() < LEAST_DAYS {
            return None;
        }
        let mean = rates.iter().sum::<f64>() / rates.len() as f64;
        let variance = rates.iter().map(|rate| (rate - mean) * (rate - mean)).sum::<f64>() / rates.len() as f64;
        // Days without a rate earn nothing.
        let daily: Vec<f64> = (from..=at).map(|position| daily(series.apy(position).unwrap_or(0.0))).collect();
        let weeks = || daily.windows(HORIZON_DAYS);
        let weekly: Vec<f64> =
            weeks().map(|week| -week.iter().fold(1.0, |value, rate| value * (1.0 + rate)) + 1.0).collect();
        Some(Self {
            volatility_pp: libm::sqrt(variance),
            drawdown_trailing: drawdown(&daily),
            drawdown_week: weeks().map(drawdown).fold(0.0, f64::max),
            value_at_risk_week: quantile(&weekly, 1.0 - WORST_SHARE).max(0.0),
        })
    }
}

/// What a day at this rate adds to a value of 1; a day takes no more than all.
fn daily(apy_percent: f64) -> f64 {
    (apy_percent / 100.0 / DAYS_A_YEAR).max(-1.0)
}

/// Largest fall of a value that starts at 1 and grows by these shares.
pub fn drawdown(daily: &[f64]) -> f64 {
    let (mut value, mut peak, mut worst) = (1.0_f64, 1.0_f64, 0.0_f64);
    for rate in daily {
        value *= 1.0 + rate;
        peak = peak.max(value);
        worst = worst.max(1.0 - value / peak);
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yields::series::Observation;

    fn series(rate: impl Fn(i32) -> f64) -> Series {
        let row = |day: i32| Observation { day, apy_percent: rate(day), tvl_usd: None };
        Series::new(&(0..30).map(row).collect::<Vec<_>>()).unwrap().0.unwrap()
    }

    #[test]
    fn what_only_earns_loses_nothing() {
        let risk = Risk::new(&series(|day| 4.0 + f64::from(day % 2)), 29).unwrap();
        assert!((risk.volatility_pp - 0.5).abs() < 1e-12);
        assert_eq!(
            [risk.drawdown_trailing, risk.drawdown_week, risk.value_at_risk_week].map(f64::to_bits),
            [0.0_f64; 3].map(f64::to_bits)
        );
        assert_eq!(Risk::new(&series(|_| 1.0), 12), None, "too young");
    }

    #[test]
    fn falls_are_those_of_the_hand() {
        assert!((drawdown(&[0.1, -0.5, 1.0, -0.25]) - 0.5).abs() < 1e-12);
        assert!((drawdown(&[-0.1, -0.1]) - 0.19).abs() < 1e-12);
        // Ten days of a tenth of a percent down: −36.5 % a year.
        let risk = Risk::new(&series(|day| if day >= 20 { -36.5 } else { 0.0 }), 29).unwrap();
        assert!((risk.drawdown_trailing - (1.0 - 0.999_f64.powi(10))).abs() < 1e-12);
        assert!((risk.drawdown_week - (1.0 - 0.999_f64.powi(7))).abs() < 1e-12);
        // 24 weeks, of which the worst four lost seven days: the second worst of them is one of those.
        assert!((risk.value_at_risk_week - risk.drawdown_week).abs() < 1e-12);
    }
}
