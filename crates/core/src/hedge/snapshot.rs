//! What was known when a country's electricity was forecast: its bytes are what a forecast is of, and what evidence carries. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use super::panel::{Day, Panel};
use crate::types::digest::Digest;

/// Days before the last one that a forecast looks at: three years, and a week for a country whose last days are not there.
pub const HISTORY_DAYS: Day = 1095 + MAX_AGE_DAYS;
/// How old the last price of a country, or a rate, may be, in days.
pub const MAX_AGE_DAYS: Day = 7;
/// Largest snapshot: some hundred countries.
pub const MAX_SNAPSHOT_BYTES: usize = 4 << 20;

/// Why there is no forecast of a country.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no forecast of {country}: {reason}")]
pub struct NoForecast {
    /// The country.
    pub country: String,
    /// In words.
    pub reason: String,
}

/// A number as the shortest decimal that reads back as the same 64-bit float: whoever writes a snapshot again writes the same
/// bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exact(pub f64);

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// A number of a day.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dated {
    /// The day, counted from 1970-01-01.
    pub day: Day,
    /// The number.
    pub value: Exact,
}

/// Prices of all countries up to a day, and the rates of that day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// Whose electricity is forecast, by its ISO 3166 code.
    pub country: String,
    /// The last day that counts, counted from 1970-01-01: what came later was not known, or is not to be.
    pub day: Day,
    /// The day of each country's first price.
    pub first_day: Day,
    /// EUR/MWh by country, one for each day; `null` for a day that has none.
    pub prices: BTreeMap<String, Vec<Option<Exact>>>,
    /// Dollars for a euro, as last known.
    pub usd_per_eur: Option<Dated>,
    /// Dollars for a bitcoin, as last known: no part of any forecast.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub btc_usd: Option<Dated>,
}

impl Snapshot {
    /// Of rows `(country, day, EUR/MWh)`, of which those of its days are taken.
    pub fn new<'a>(country: &str, day: Day, rows: impl Iterator<Item = (&'a str, Day, f64)>) -> Self {
        let first_day = day.saturating_sub(HISTORY_DAYS - 1);
        let mut prices: BTreeMap<String, Vec<Option<Exact>>> = BTreeMap::new();
        for (name, at, price) in rows.filter(|(_, at, _)| (first_day..=day).contains(at)) {
            let known = prices.entry(name.to_owned()).or_insert_with(|| vec![None; HISTORY_DAYS as usize]);
            if let Some(slot) = usize::try_from(at - first_day).ok().and_then(|index| known.get_mut(index)) {
                *slot = Some(Exact(price));
            }
        }
        Self { country: country.to_owned(), day, first_day, prices, usd_per_eur: None, btc_usd: None }
    }

    /// The bytes that its digest is of.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a snapshot has only names, numbers and lists")
    }

    /// Reads what [`Snapshot::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`NoForecast`] for other bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoForecast> {
        let refused = |reason: String| NoForecast { country: "whatever country".into(), reason };
        if bytes.len() > MAX_SNAPSHOT_BYTES {
            return Err(refused(format!("its snapshot has more than {MAX_SNAPSHOT_BYTES} bytes")));
        }
        serde_json::from_slice(bytes).map_err(|error| refused(format!("its snapshot cannot be read: {error}")))
    }

    /// Digest of its bytes.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_bytes())
    }

    /// The prices as a panel.
    pub fn panel(&self) -> Option<Panel> {
        let rows = self.prices.iter().flat_map(|(country, prices)| {
            let days = (self.first_day..=self.day).zip(prices);
            days.filter_map(move |(day, price)| Some((country.as_str(), day, (*price)?.0)))
        });
        Panel::new(rows.collect::<Vec<_>>().into_iter())
    }

    pub(super) fn refused(&self, reason: impl Into<String>) -> NoForecast {
        NoForecast { country: self.country.clone(), reason: reason.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_has_its_days_and_nothing_of_later_ones() {
        let day = 19_000;
        let rows =
            [("AUT", day, 70.5), ("AUT", day + 1, 9.0), ("DEU", day - HISTORY_DAYS, 9.0), ("DEU", day - 3, -4.0)];
        let snapshot = Snapshot::new("DEU", day, rows.into_iter());
        let panel = snapshot.panel().unwrap();
        assert_eq!((panel.first_day(), panel.last_day()), (day - 3, day));
        assert_eq!(panel.prices("DEU").unwrap().at(0), Some(-4.0));
        let bytes = snapshot.to_bytes();
        assert_eq!(Snapshot::parse(&bytes).unwrap(), snapshot);
        assert_eq!(Digest::of(&bytes), snapshot.digest());
        assert!(Snapshot::parse(b"{}").is_err());
    }

    /// A regression: numbers of JSON were read back a last bit apart, and evidence had another digest.
    #[test]
    fn whoever_writes_a_snapshot_again_writes_the_same_bytes() {
        let day = 19_000;
        let rows = (0..HISTORY_DAYS).map(|before| ("DEU", day - before, 100.0 / f64::from(before + 3) - 7.3));
        let mut snapshot = Snapshot::new("DEU", day, rows);
        snapshot.usd_per_eur = Some(Dated { day, value: Exact(1.1 / 3.0) });
        let bytes = snapshot.to_bytes();
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let read: Snapshot = serde_json::from_value(value).unwrap();
        assert_eq!((&read, read.to_bytes()), (&snapshot, bytes));
    }
}
