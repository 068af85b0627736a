//! A number a day, with gaps.

use std::collections::BTreeMap;

use serde::Serialize;

use super::error::TableError;
use veriregime_core::hedge::panel::Day;

/// Most rows of a table.
pub const MAX_ROWS: usize = 1_000_000;

/// What numbers a series may have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Name of the column.
    pub column: &'static str,
    /// Lowest.
    pub lowest: f64,
    /// Highest.
    pub highest: f64,
}

/// A number for each day that has one.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct DailySeries(BTreeMap<Day, f64>);

impl DailySeries {
    /// A series of rows in any order. A row that comes twice with the same number counts once.
    ///
    /// # Errors
    /// [`TableError::Bounds`], [`TableError::Contradiction`], [`TableError::TooManyRows`], or [`TableError::NotTable`] for none.
    pub fn new(table: &str, bounds: &Bounds, rows: impl IntoIterator<Item = (Day, f64)>) -> Result<Self, TableError> {
        let mut values = BTreeMap::new();
        for (number, (day, value)) in rows.into_iter().enumerate() {
            if number == MAX_ROWS {
                return Err(TableError::TooManyRows { table: table.to_owned(), limit_rows: MAX_ROWS });
            }
            bounds.check(table, day, value)?;
            match values.insert(day, value) {
                Some(first) if first.total_cmp(&value).is_ne() => {
                    let (table, column) = (table.to_owned(), bounds.column);
                    return Err(TableError::Contradiction { table, column, day, first, second: value });
                }
                _ => {}
            }
        }
        if values.is_empty() {
            let detail = "it has no rows".to_owned();
            return Err(TableError::NotTable { table: table.to_owned(), wanted: bounds.column, detail });
        }
        Ok(Self(values))
    }

    /// The number of a day, or that of the last day before it that has one, up to `days` earlier.
    pub fn carried(&self, day: Day, days: Day) -> Option<f64> {
        self.last(day, days).map(|(_, value)| value)
    }

    /// As [`DailySeries::carried`], with the day that it is of.
    pub fn last(&self, day: Day, days: Day) -> Option<(Day, f64)> {
        let (found, value) = self.0.range(..=day).next_back()?;
        (day - found <= days).then_some((*found, *value))
    }

    /// Days with their numbers, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Day, f64)> {
        self.0.iter().map(|(day, value)| (*day, *value))
    }

    /// Number of days that have one.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no day has a number.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// This series, with the days of an earlier one that it does not have.
    #[must_use]
    pub fn over(mut self, earlier: &Self) -> Self {
        for (day, value) in earlier.iter() {
            self.0.entry(day).or_insert(value);
        }
        self
    }

    /// Days on which both have a number, and it differs.
    pub fn revised(&self, earlier: &Self) -> usize {
        earlier.iter().filter(|(day, value)| self.0.get(day).is_some_and(|now| now.total_cmp(value).is_ne())).count()
    }
}

impl Bounds {
    /// Refuses a number that is none, or lies outside.
    ///
    /// # Errors
    /// [`TableError::Bounds`].
    pub fn check(&self, table: &str, day: Day, value: f64) -> Result<(), TableError> {
        let Self { column, lowest, highest } = *self;
        if value >= lowest && value <= highest {
            return Ok(());
        }
        Err(TableError::Bounds { table: table.to_owned(), column, day, value, lowest, highest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use veriregime_core::types::diagnostic::Diagnostic;

    const BOUNDS: Bounds = Bounds { column: "usd_per_eur", lowest: 0.5, highest: 2.0 };

    fn series(rows: &[(Day, f64)]) -> Result<DailySeries, TableError> {
        DailySeries::new("rates", &BOUNDS, rows.iter().copied())
    }

    #[test]
    fn rows_are_put_in_order_and_a_gap_is_carried_so_far() {
        let series = series(&[(7, 1.2), (5, 1.1), (7, 1.2)]).unwrap();
        assert_eq!(series.iter().collect::<Vec<_>>(), [(5, 1.1), (7, 1.2)]);
        assert_eq!([4, 5, 6, 10, 11].map(|day| series.carried(day, 3)), [None, Some(1.1), Some(1.1), Some(1.2), None]);
        assert_eq!(self::series(&[(5, 1.0), (7, 1.2)]).unwrap().revised(&series), 1);
    }

    #[test]
    fn what_cannot_be_is_refused_by_its_day() {
        for (rows, code) in [
            (&[(5, 1.1), (5, 1.2)][..], "VR-TABLE-005"),
            (&[(5, 2.1)], "VR-TABLE-003"),
            (&[(5, f64::NAN)], "VR-TABLE-003"),
            (&[], "VR-TABLE-001"),
        ] {
            assert_eq!(series(rows).unwrap_err().code(), code, "{rows:?}");
        }
        assert!(series(&[(19_939, 9.0)]).unwrap_err().to_string().contains("2024-08-04"));
    }
}
