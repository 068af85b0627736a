//! Daily electricity prices of several countries, and their means over days. Pure.

use std::collections::BTreeMap;

/// Most countries.
pub const MAX_COUNTRIES: usize = 256;
/// Most days: a century.
pub const MAX_DAYS: usize = 36_525;
/// Share of a mean's days that must be there.
const REQUIRED_SHARE: f64 = 0.9;

/// A day, counted from 1970-01-01.
pub type Day = i32;

/// Prices of one country, one for each day of its panel, with gaps.
#[derive(Debug, Clone, PartialEq)]
pub struct Prices {
    values: Vec<Option<f64>>,
    /// Sums, sums of squares and counts of all days before each.
    sums: Vec<(f64, f64, u32)>,
}

impl Prices {
    fn new(values: Vec<Option<f64>>) -> Self {
        let mut sums = Vec::with_capacity(values.len() + 1);
        let mut sum = (0.0, 0.0, 0);
        sums.push(sum);
        for value in &values {
            if let Some(price) = value {
                sum = (sum.0 + price, sum.1 + price * price, sum.2 + 1);
            }
            sums.push(sum);
        }
        Self { values, sums }
    }

    /// Mean over the positions `from..to`; nothing where they are not all in the panel, or a tenth of them has no price.
    pub fn mean(&self, from: usize, to: usize) -> Option<f64> {
        let (sum, _, count) = self.over(from, to)?;
        Some(sum / f64::from(count))
    }

    /// Standard deviation over the positions `from..to`, as [`Prices::mean`].
    pub fn deviation(&self, from: usize, to: usize) -> Option<f64> {
        let (sum, squares, count) = self.over(from, to)?;
        let mean = sum / f64::from(count);
        Some(libm::sqrt((squares / f64::from(count) - mean * mean).max(0.0)))
    }

    /// The price of a position.
    pub fn at(&self, position: usize) -> Option<f64> {
        *self.values.get(position)?
    }

    fn over(&self, from: usize, to: usize) -> Option<(f64, f64, u32)> {
        let (before, after) = (self.sums.get(from)?, self.sums.get(to)?);
        let count = after.2.checked_sub(before.2)?;
        let is_enough = count > 0 && f64::from(count) >= REQUIRED_SHARE * to.checked_sub(from)? as f64;
        is_enough.then_some((after.0 - before.0, after.1 - before.1, count))
    }
}

/// Prices of countries over the same days.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    first_day: Day,
    days: usize,
    countries: BTreeMap<String, Prices>,
}

impl Panel {
    /// A panel of `(country, day, EUR/MWh)`, from the first day to the last one. Of a day that comes twice the last price counts;
    /// nothing where there are no rows, or more than [`MAX_COUNTRIES`] or [`MAX_DAYS`].
    pub fn new<'a>(rows: impl Iterator<Item = (&'a str, Day, f64)> + Clone) -> Option<Self> {
        let days = rows.clone().map(|(_, day, _)| day);
        let (first_day, last_day) = (days.clone().min()?, days.max()?);
        let days = usize::try_from(i64::from(last_day) - i64::from(first_day) + 1).ok()?;
        if days > MAX_DAYS {
            return None;
        }
        let mut values: BTreeMap<&str, Vec<Option<f64>>> = BTreeMap::new();
        for (country, day, price) in rows {
            let known = values.entry(country).or_insert_with(|| vec![None; days]);
            known[usize::try_from(day - first_day).ok()?] = Some(price);
        }
        let countries = values.into_iter().map(|(country, values)| (country.to_owned(), Prices::new(values)));
        let countries: BTreeMap<_, _> = countries.collect();
        (countries.len() <= MAX_COUNTRIES).then_some(Self { first_day, days, countries })
    }

    /// The first day.
    pub fn first_day(&self) -> Day {
        self.first_day
    }

    /// The last day.
    pub fn last_day(&self) -> Day {
        self.first_day + self.days as Day - 1
    }

    /// Number of days.
    pub fn days(&self) -> usize {
        self.days
    }

    /// The day at a position.
    pub fn day(&self, position: usize) -> Day {
        self.first_day + position as Day
    }

    /// Where a day lies; days before the panel at its start.
    pub fn position(&self, day: Day) -> usize {
        usize::try_from(i64::from(day) - i64::from(self.first_day)).unwrap_or(0)
    }

    /// Countries with their prices, by name.
    pub fn countries(&self) -> impl Iterator<Item = (&str, &Prices)> {
        self.countries.iter().map(|(country, prices)| (country.as_str(), prices))
    }

    /// Prices of one country.
    pub fn prices(&self, country: &str) -> Option<&Prices> {
        self.countries.get(country)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_those_of_the_days_that_are_there() {
        let rows = (0..20).filter(|day| *day != 7).map(|day| ("AUT", 100 + day, f64::from(day) - 3.0));
        let panel = Panel::new(rows).unwrap();
        let prices = panel.prices("AUT").unwrap();
        assert_eq!((panel.first_day(), panel.last_day(), panel.days()), (100, 119, 20));
        assert_eq!((prices.at(0), prices.at(7), prices.at(20)), (Some(-3.0), None, None));
        assert_eq!(prices.mean(0, 3), Some(-2.0), "negative prices count");
        assert_eq!(prices.mean(6, 9), None, "a third is missing");
        assert_eq!(prices.mean(1, 11), Some((-2.0 - 1.0 + 0.0 + 1.0 + 2.0 + 3.0 + 5.0 + 6.0 + 7.0) / 9.0));
        assert_eq!(prices.mean(15, 21), None, "beyond the last day");
        assert_eq!(prices.mean(9, 9), None);
        assert!((prices.deviation(0, 3).unwrap() - (2.0_f64 / 3.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn what_is_no_panel_is_none() {
        assert_eq!(Panel::new(std::iter::empty()), None);
        assert_eq!(Panel::new([("AUT", 0, 1.0), ("AUT", 1_000_000, 1.0)].into_iter()), None);
    }
}
