//! What is wrong with tables: missing days, told by country and year, and what they hold that is unusual.

use std::collections::BTreeMap;

use serde::Serialize;

use super::folder::{BITCOIN, DIFFICULTY, RATES, Tables};
use super::series::DailySeries;
use crate::render::Render;
use crate::render::layout::Table;
use veriregime_core::hedge::panel::Day;
use veriregime_core::types::time::format_day;

/// Days of a week without reference rates.
const WEEKEND: [i32; 2] = [5, 6];

/// A report on a folder's tables.
#[derive(Debug, PartialEq, Serialize)]
pub struct Report {
    /// One for each table; electricity has one a country.
    pub series: Vec<Quality>,
    /// Rows of electricity without a price.
    pub electricity_rows_without_price: usize,
    /// Rows of electricity that were averaged with another of the same day.
    pub electricity_rows_averaged: usize,
}

/// A report on one series.
#[derive(Debug, PartialEq, Serialize)]
pub struct Quality {
    /// The table, and the country where it has several.
    pub name: String,
    /// First day.
    pub from: String,
    /// Last day.
    pub to: String,
    /// Days that have a number.
    pub days: usize,
    /// Days between the first and the last that have none, by year. Weekends of reference rates do not count.
    pub missing_by_year: BTreeMap<i32, usize>,
    /// The longest run of them.
    pub longest_gap_days: usize,
    /// Numbers below zero: they are kept.
    pub negative: usize,
}

/// A report on tables.
pub fn report(tables: &Tables) -> Report {
    let countries = tables.electricity.countries.iter();
    let mut series: Vec<Quality> = countries.map(|(iso3, days)| quality(iso3, days, |_| true)).collect();
    let is_weekday = |day: Day| !WEEKEND.contains(&weekday(day));
    series.extend(tables.rates.iter().map(|days| quality(RATES, days, is_weekday)));
    // A difficulty holds until it changes: days between are not missing.
    series.extend(tables.difficulty.iter().map(|days| quality(DIFFICULTY, days, |_| false)));
    series.extend(tables.bitcoin.iter().map(|days| quality(BITCOIN, days, |_| true)));
    Report {
        series,
        electricity_rows_without_price: tables.electricity.without_price,
        electricity_rows_averaged: tables.electricity.averaged,
    }
}

fn quality(name: &str, days: &DailySeries, is_expected: impl Fn(Day) -> bool) -> Quality {
    let (mut missing_by_year, mut longest_gap_days, mut negative) = (BTreeMap::new(), 0, 0);
    let mut before: Option<Day> = None;
    let mut ends: Option<(Day, Day)> = None;
    for (day, value) in days.iter() {
        let gap: Vec<Day> =
            before.map_or_else(Vec::new, |before| (before + 1..day).filter(|day| is_expected(*day)).collect());
        longest_gap_days = longest_gap_days.max(gap.len());
        for missing in gap {
            *missing_by_year.entry(year(missing)).or_default() += 1;
        }
        negative += usize::from(value < 0.0);
        before = Some(day);
        ends = Some((ends.map_or(day, |(first, _)| first), day));
    }
    let (from, to) = ends.map_or_else(Default::default, |(from, to)| (format_day(from), format_day(to)));
    Quality { name: name.to_owned(), from, to, days: days.len(), missing_by_year, longest_gap_days, negative }
}

/// Monday is 0; the first of January 1970 was a Thursday.
fn weekday(day: Day) -> i32 {
    (day + 3).rem_euclid(7)
}

fn year(day: Day) -> i32 {
    format_day(day).get(..4).and_then(|year| year.parse().ok()).unwrap_or(0)
}

impl Render for Report {
    fn text(&self) -> String {
        let mut table = Table::new(&["table", "from", "to", "days", "longest gap", "below zero", "missing days"]);
        for one in &self.series {
            let missing = one.missing_by_year.iter().map(|(year, days)| format!("{year}: {days}"));
            table.add_row([
                one.name.clone(),
                one.from.clone(),
                one.to.clone(),
                one.days.to_string(),
                one.longest_gap_days.to_string(),
                one.negative.to_string(),
                missing.collect::<Vec<_>>().join(", "),
            ]);
        }
        format!(
            "{table}\nelectricity: {} rows without a price, {} averaged with another of the same day",
            self.electricity_rows_without_price, self.electricity_rows_averaged
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::tables::series::Bounds;

    #[test]
    fn missing_days_are_told_by_year_and_weekends_of_rates_are_not_missing() {
        let bounds = Bounds { column: "price", lowest: -10.0, highest: 10.0 };
        // Saturday the 30th of December 2023 to Wednesday, without Sunday, Monday and Tuesday.
        let rows = [(19_721, 1.0), (19_725, -1.0)];
        let series = DailySeries::new("t", &bounds, rows).unwrap();
        let all = quality("AUT", &series, |_| true);
        assert_eq!(all.missing_by_year, BTreeMap::from([(2023, 1), (2024, 2)]));
        assert_eq!((all.longest_gap_days, all.negative, all.days), (3, 1, 2));
        assert_eq!((all.from.as_str(), all.to.as_str()), ("2023-12-30", "2024-01-03"));
        let weekdays = quality("rates", &series, |day| !WEEKEND.contains(&weekday(day)));
        assert_eq!(weekdays.missing_by_year, BTreeMap::from([(2024, 2)]));
    }
}
