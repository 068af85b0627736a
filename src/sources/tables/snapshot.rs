//! From tables to what a forecast of a country is computed from.

use super::electricity::Electricity;
use super::folder::Tables;
use super::series::DailySeries;
use veriregime_core::hedge::panel::Day;
use veriregime_core::hedge::snapshot::{Dated, Exact, MAX_AGE_DAYS, Snapshot};

/// How old a bitcoin's price may be, in days.
const MAX_BITCOIN_AGE_DAYS: Day = 1;

impl Tables {
    /// What was known of a country at the end of `day`.
    pub fn snapshot(&self, country: &str, day: Day) -> Snapshot {
        Snapshot {
            btc_usd: self.bitcoin.as_ref().and_then(|series| last(series, day, MAX_BITCOIN_AGE_DAYS)),
            ..snapshot(&self.electricity, self.rates.as_ref(), country, day)
        }
    }
}

/// As [`Tables::snapshot`], without what a bitcoin costs.
pub fn snapshot(electricity: &Electricity, rates: Option<&DailySeries>, country: &str, day: Day) -> Snapshot {
    let rows = electricity
        .countries
        .iter()
        .flat_map(|(iso3, days)| days.iter().map(move |(day, price)| (iso3.as_str(), day, price)));
    let usd_per_eur = rates.and_then(|series| last(series, day, MAX_AGE_DAYS));
    Snapshot { usd_per_eur, ..Snapshot::new(country, day, rows) }
}

fn last(series: &DailySeries, day: Day, days: Day) -> Option<Dated> {
    series.last(day, days).map(|(day, value)| Dated { day, value: Exact(value) })
}
