//! The demo's weeks lived through under other rules: what would have come of them, by the same prices.

use serde::Serialize;

use crate::sources::tables::series::DailySeries;
use veriregime_core::hedge::features::MONTH_DAYS;
use veriregime_core::hedge::need::dollars_a_day;
use veriregime_core::hedge::panel::Day;

const WEEK_DAYS: Day = 7;
/// How old a rate may be, in days.
const RATE_DAYS: Day = 7;

/// What a week brought under one rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Trade {
    pub(super) sold_btc: f64,
    pub(super) usd: f64,
}

/// What came of a rule.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// What it is called.
    pub rule: &'static str,
    /// Bitcoin sold.
    pub sold_btc: f64,
    /// Dollars received for them.
    pub received_usd: f64,
    /// Dollars at hand after the weeks' bills; below zero where they did not pay them.
    pub left_usd: f64,
    /// Weeks at whose end the dollars at hand did not pay the bills so far.
    pub short_weeks: u32,
    /// Bitcoin left, and the dollars that are left at the last price.
    pub worth_btc: f64,
}

/// What is the same for all rules.
#[derive(Debug)]
pub(super) struct Weeks<'a> {
    pub(super) electricity: &'a DailySeries,
    pub(super) rates: &'a DailySeries,
    pub(super) watts: f64,
    /// First day of each week, and what a bitcoin brought in it, the pool's fee taken off.
    pub(super) starts: Vec<(Day, f64)>,
    /// Days that are covered ahead.
    pub(super) horizon: Day,
    pub(super) treasury_btc: f64,
}

impl Weeks<'_> {
    /// What the electricity of these days really cost, in dollars; nothing where a price is not known.
    pub(super) fn cost(&self, days: std::ops::Range<Day>) -> Option<f64> {
        days.map(|day| {
            let price = self.electricity.carried(day, 1)?;
            Some(dollars_a_day(self.watts, price, self.rates.carried(day, RATE_DAYS)?))
        })
        .sum()
    }

    /// Mean price of the month before a day.
    fn last_month(&self, day: Day) -> Option<f64> {
        let prices = (day - MONTH_DAYS as Day..day).map(|day| self.electricity.carried(day, 1));
        Some(prices.sum::<Option<f64>>()? / MONTH_DAYS as f64)
    }

    /// All bitcoin in the first week.
    pub(super) fn everything_now(&self) -> Option<Outcome> {
        let trades = self.starts.iter().enumerate().map(|(week, (_, btc_usd))| {
            let sold_btc = if week == 0 { self.treasury_btc } else { 0.0 };
            Trade { sold_btc, usd: sold_btc * btc_usd }
        });
        self.outcome("convert everything now", &trades.collect::<Vec<_>>())
    }

    /// Each week what that week's electricity costs, which nobody knows before.
    pub(super) fn pay_as_due(&self) -> Option<Outcome> {
        let trade = |(start, btc_usd): &(Day, f64)| {
            let usd = self.cost(*start..*start + WEEK_DAYS)?;
            Some(Trade { sold_btc: usd / btc_usd, usd })
        };
        let trades: Option<Vec<Trade>> = self.starts.iter().map(trade).collect();
        self.outcome("pay as due", &trades?)
    }

    /// As the vault does, with the last month's price for a forecast.
    pub(super) fn persistence(&self) -> Option<Outcome> {
        let mut covered = Day::MIN;
        let trade = |(start, btc_usd): &(Day, f64)| {
            let until = *start + self.horizon;
            let days = until - covered.max(*start);
            covered = until;
            let rate = self.rates.carried(*start - 1, RATE_DAYS)?;
            let usd = dollars_a_day(self.watts, self.last_month(*start)?, rate) * f64::from(days.max(0));
            Some(Trade { sold_btc: usd / btc_usd, usd })
        };
        let trades: Option<Vec<Trade>> = self.starts.iter().map(trade).collect();
        self.outcome("persistence", &trades?)
    }

    /// What trades come to.
    pub(super) fn outcome(&self, rule: &'static str, trades: &[Trade]) -> Option<Outcome> {
        let (mut sold_btc, mut received_usd, mut left_usd, mut short_weeks) = (0.0, 0.0, 0.0, 0);
        for ((start, _), trade) in self.starts.iter().zip(trades) {
            sold_btc += trade.sold_btc;
            received_usd += trade.usd;
            left_usd += trade.usd - self.cost(*start..*start + WEEK_DAYS)?;
            // Cents are rounding.
            short_weeks += u32::from(left_usd < -0.01);
        }
        let (_, last_usd) = self.starts.last()?;
        let worth_btc = self.treasury_btc - sold_btc + left_usd / last_usd;
        Some(Outcome { rule, sold_btc, received_usd, left_usd, short_weeks, worth_btc })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::tables::series::Bounds;

    #[test]
    fn every_rule_pays_the_same_bills() {
        let bounds = Bounds { column: "x", lowest: 0.0, highest: 1e9 };
        let flat = |value: f64| DailySeries::new("t", &bounds, (0..200).map(|day| (day, value))).unwrap();
        let (electricity, rates) = (flat(100.0), flat(1.0));
        let weeks = Weeks {
            electricity: &electricity,
            rates: &rates,
            watts: 1e6,
            starts: vec![(40, 10_000.0), (47, 20_000.0)],
            horizon: 14,
            treasury_btc: 10.0,
        };
        // A megawatt at 100 EUR costs 2,400 dollars a day.
        let now = weeks.everything_now().unwrap();
        assert!((now.left_usd - (100_000.0 - 33_600.0)).abs() < 1e-6 && now.short_weeks == 0);
        let due = weeks.pay_as_due().unwrap();
        assert!((due.sold_btc - (1.68 + 0.84)).abs() < 1e-9 && due.left_usd.abs() < 1e-6 && due.short_weeks == 0);
        let persistence = weeks.persistence().unwrap();
        assert!((persistence.sold_btc - (3.36 + 0.84)).abs() < 1e-9, "{persistence:?}");
        assert!((persistence.left_usd - 16_800.0).abs() < 1e-6, "a week is paid for ahead");
        assert!((due.worth_btc - (10.0 - due.sold_btc)).abs() < 1e-9);
    }
}
