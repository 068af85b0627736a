//! Day-ahead electricity prices by country: Ember's CSV, and the same as parquet.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::RangeInclusive;
use std::path::Path;

use super::columns::{Content, content, parquet, places};
use super::error::TableError;
use super::series::{Bounds, DailySeries, MAX_ROWS};
use veriregime_core::hedge::panel::{Day, Panel};
use veriregime_core::types::time::{format_day, parse_day};

/// What such a table is called.
pub const WANTED: &str = "electricity prices";
/// Far beyond what any power exchange allows, either way.
const BOUNDS: Bounds = Bounds { column: "price_eur_mwh", lowest: -1000.0, highest: 10_000.0 };
/// A country whose typical price is below this has it by the kilowatt hour.
const LEAST_TYPICAL: f64 = 1.0;
/// Longest name of a country.
const MAX_NAME: usize = 60;

/// Prices of countries.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Electricity {
    /// Daily prices in EUR/MWh by ISO 3166 code.
    pub countries: BTreeMap<String, DailySeries>,
    /// Names of the countries by the same code.
    pub names: BTreeMap<String, String>,
    /// Rows without a price.
    pub without_price: usize,
    /// Rows of a day that had one already, as days on which clocks change; their mean counts.
    pub averaged: usize,
}

struct Row {
    country: String,
    iso3: String,
    day: Day,
    price: Option<f64>,
}

impl Electricity {
    /// Reads a file, whatever it is.
    ///
    /// # Errors
    /// [`TableError`].
    pub fn read(path: &Path) -> Result<Self, TableError> {
        let table = path.display().to_string();
        match content(path)? {
            Content::Text(text) => Self::parse(&table, &text),
            Content::Parquet => {
                let columns = parquet(path, WANTED, ["country", "iso3", "date"], ["price_eur_mwh"])?;
                let rows = columns.texts.into_iter().zip(columns.numbers);
                Self::of(
                    &table,
                    rows.map(|([country, iso3, date], [price])| {
                        let day = parse_day(&date).map_err(|error| error.to_string())?;
                        Ok(Row { country, iso3, day, price: (!price.is_nan()).then_some(price) })
                    }),
                )
            }
        }
    }

    /// Reads Ember's CSV. `table` only names it in errors.
    ///
    /// # Errors
    /// [`TableError`].
    pub fn parse(table: &str, text: &[u8]) -> Result<Self, TableError> {
        let not_table = |detail: String| TableError::NotTable { table: table.to_owned(), wanted: WANTED, detail };
        let mut reader = csv::Reader::from_reader(text);
        let header = reader.headers().map_err(|error| not_table(error.to_string()))?;
        let names: [&[&str]; 4] = [
            &["Country"],
            &["ISO3 Code", "iso3"],
            &["Date"],
            &["Price (EUR/MWhe)", "Price (EUR/MWh)", "price_eur_mwh"],
        ];
        let [country, iso3, date, price] = places(header, names).map_err(not_table)?;
        Self::of(
            table,
            reader.records().map(|record| {
                let record = record.map_err(|error| error.to_string())?;
                let cell = |place: usize| record.get(place).unwrap_or("").trim();
                let line = || record.position().map_or(0, csv::Position::line);
                let day = parse_day(cell(date)).map_err(|error| format!("line {}: {error}", line()))?;
                let number =
                    |text: &str| text.parse::<f64>().map_err(|_| format!("line {}: no price: {text:?}", line()));
                let price = (!cell(price).is_empty()).then(|| number(cell(price))).transpose()?;
                let price = price.filter(|price| !price.is_nan());
                Ok(Row { country: cell(country).to_owned(), iso3: cell(iso3).to_owned(), day, price })
            }),
        )
    }

    fn of(table: &str, rows: impl Iterator<Item = Result<Row, String>>) -> Result<Self, TableError> {
        let mut found: BTreeMap<String, BTreeMap<Day, (f64, u32)>> = BTreeMap::new();
        let mut electricity = Self::default();
        for (number, row) in rows.enumerate() {
            let not_table = |detail: String| TableError::NotTable { table: table.to_owned(), wanted: WANTED, detail };
            let Row { country, iso3, day, price } = row.map_err(not_table)?;
            if number == MAX_ROWS {
                return Err(TableError::TooManyRows { table: table.to_owned(), limit_rows: MAX_ROWS });
            }
            let is_code = iso3.len() == 3 && iso3.bytes().all(|byte| byte.is_ascii_uppercase());
            if !is_code || country.len() > MAX_NAME {
                let shown: String = iso3.chars().take(10).collect();
                return Err(not_table(format!("row {}: {shown:?} is no ISO 3166 code of three letters", number + 1)));
            }
            let Some(price) = price else {
                electricity.without_price += 1;
                continue;
            };
            BOUNDS.check(table, day, price)?;
            let (sum, count) = found.entry(iso3.clone()).or_default().entry(day).or_insert((0.0, 0));
            (*sum, *count) = (*sum + price, *count + 1);
            electricity.averaged += usize::from(*count > 1);
            electricity.names.entry(iso3).or_insert(country);
        }
        for (iso3, days) in found {
            let means = days.into_iter().map(|(day, (sum, count))| (day, sum / f64::from(count)));
            electricity.countries.insert(iso3, DailySeries::new(table, &BOUNDS, means)?);
        }
        if electricity.countries.is_empty() {
            let detail = "it has no prices".to_owned();
            return Err(TableError::NotTable { table: table.to_owned(), wanted: WANTED, detail });
        }
        electricity.check_unit(table)?;
        Ok(electricity)
    }

    /// Refuses prices by the kilowatt hour: no country's power has cost a euro a megawatt hour on most of its days.
    fn check_unit(&self, table: &str) -> Result<(), TableError> {
        let mut sizes: Vec<f64> =
            self.countries.values().flat_map(DailySeries::iter).map(|(_, price)| price.abs()).collect();
        let middle = sizes.len() / 2;
        let typical = *sizes.select_nth_unstable_by(middle, f64::total_cmp).1;
        if typical >= LEAST_TYPICAL {
            return Ok(());
        }
        let (table, column) = (table.to_owned(), BOUNDS.column);
        Err(TableError::Units { table, column, seen: "EUR/kWh", wanted: "EUR/MWh" })
    }

    /// The prices as a panel; nothing for far more countries or days than there can be.
    pub fn panel(&self) -> Option<Panel> {
        Panel::new(self.countries.iter().flat_map(|(iso3, days)| {
            days.iter().map(move |(day, price)| (iso3.as_str(), day, price)).collect::<Vec<_>>()
        }))
    }

    /// From the first day that any country has to the last; nothing without prices.
    pub fn days(&self) -> Option<RangeInclusive<Day>> {
        let ends = |series: &DailySeries| Some((series.iter().next()?.0, series.iter().next_back()?.0));
        let all = self.countries.values().filter_map(ends);
        let (first, last) = all.reduce(|(first, last), (from, to)| (first.min(from), last.max(to)))?;
        Some(first..=last)
    }

    /// Days of all countries together.
    pub fn rows(&self) -> usize {
        self.countries.values().map(DailySeries::len).sum()
    }

    /// Ember's CSV.
    pub fn to_csv(&self) -> String {
        let mut text = String::from("Country,ISO3 Code,Date,Price (EUR/MWhe)\n");
        for (iso3, days) in &self.countries {
            let name = quoted(self.names.get(iso3).map_or("", String::as_str));
            for (day, price) in days.iter() {
                let _ = writeln!(text, "{name},{iso3},{},{price}", format_day(day));
            }
        }
        text
    }
}

/// A cell of CSV.
fn quoted(name: &str) -> Cow<'_, str> {
    if name.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", name.replace('"', "\"\"")).into()
    } else {
        name.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use veriregime_core::types::diagnostic::Diagnostic;

    const HEADER: &str = "Country,ISO3 Code,Date,Price (EUR/MWhe)\n";

    fn parse(rows: &str) -> Result<Electricity, TableError> {
        Electricity::parse("prices.csv", format!("{HEADER}{rows}").as_bytes())
    }

    #[test]
    fn negative_prices_stay_and_days_that_come_twice_are_averaged() {
        let found = parse("Austria,AUT,2024-03-31,-5.5\nIreland,IRL,2024-03-31,60\nIreland,IRL,2024-03-31,80\nIreland,IRL,2024-04-01,\n")
            .unwrap();
        assert_eq!((found.without_price, found.averaged, found.rows()), (1, 1, 2));
        assert_eq!(found.countries["AUT"].iter().collect::<Vec<_>>(), [(19_813, -5.5)]);
        assert_eq!(found.countries["IRL"].iter().collect::<Vec<_>>(), [(19_813, 70.0)]);
        assert_eq!(Electricity::parse("again", found.to_csv().as_bytes()).unwrap().countries, found.countries);
    }

    /// A regression: a name with a comma was written so that the table could not be read any more.
    #[test]
    fn names_with_commas_and_quotes_are_read_back() {
        let found =
            parse("\"Moldova, Republic of\",MDA,2024-03-31,50\n\"a \"\"name\"\"\",AUT,2024-03-31,60\n").unwrap();
        assert_eq!(found.names["MDA"], "Moldova, Republic of");
        assert_eq!(Electricity::parse("again", found.to_csv().as_bytes()).unwrap(), found);
    }

    #[test]
    fn what_is_no_table_of_prices_is_refused() {
        for (rows, code) in [
            ("Austria,AUT,31.3.2024,50\n", "VR-TABLE-001"),
            ("Austria,AT,2024-03-31,50\n", "VR-TABLE-001"),
            ("Austria,AUT,2024-03-31,much\n", "VR-TABLE-001"),
            ("Austria,AUT,2024-03-31,50000\n", "VR-TABLE-003"),
            ("Austria,AUT,2024-03-31,0.05\nAustria,AUT,2024-04-01,0.06\n", "VR-TABLE-004"),
            ("", "VR-TABLE-001"),
        ] {
            assert_eq!(parse(rows).unwrap_err().code(), code, "{rows}");
        }
        assert_eq!(Electricity::parse("t", b"a,b\n1,2\n").unwrap_err().code(), "VR-TABLE-001");
    }
}
