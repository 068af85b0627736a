//! A table of strategies' rates: a row a day and pool, parquet or CSV, columns by name.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use super::error::YieldError;
use crate::sources::tables::columns::{Content, content, parquet, places};
use crate::sources::tables::error::TableError;
use crate::sources::tables::series::MAX_ROWS;
use veriregime_core::types::time::{format_day, parse_day};
use veriregime_core::yields::Kind;
use veriregime_core::yields::series::{Cleaning, Observation, Series};

/// What such a table is called.
pub const WANTED: &str = "yields";
/// Most strategies of a table.
pub const MAX_POOLS: usize = 20_000;
/// Longest id of a pool, and longest of its other names.
pub const MAX_NAME: usize = 100;
/// Payments of funding a day, and days of a year.
const FUNDING_A_YEAR: f64 = 3.0 * 365.0;
/// A table whose every rate is below this, in percent, holds fractions.
const FRACTIONS_BELOW: f64 = 1.0;
/// Fewest rates that tell so.
const LEAST_RATES: usize = 30;

/// A strategy with its rates.
#[derive(Debug, Clone, PartialEq)]
pub struct Pool {
    /// Its id.
    pub id: String,
    /// What it does.
    pub kind: Kind,
    /// Its rates.
    pub series: Series,
}

/// Strategies of a table, by their ids.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pools {
    /// The strategies.
    pub pools: BTreeMap<String, Pool>,
    /// What the rules of cleaning met.
    pub cleaning: Cleaning,
}

/// A row before it is sorted by pool.
struct Raw {
    pool: String,
    row: Observation,
}

impl Pools {
    /// Reads a file, whatever it is. `delta` tables may have `funding_8h_mean` instead of rates: the rate is 3 · 365 times it.
    ///
    /// # Errors
    /// [`YieldError`].
    pub fn read(path: &Path, kind: Kind) -> Result<Self, YieldError> {
        let table = path.display().to_string();
        match content(path)? {
            Content::Text(text) => Self::parse(&table, &text, kind),
            Content::Parquet => Self::of(&table, kind, from_parquet(path)?.into_iter().map(Ok)),
        }
    }

    /// Reads CSV. `table` only names it in errors.
    ///
    /// # Errors
    /// [`YieldError`].
    pub fn parse(table: &str, text: &[u8], kind: Kind) -> Result<Self, YieldError> {
        let not_table = |detail: String| TableError::NotTable { table: table.to_owned(), wanted: WANTED, detail };
        let mut reader = csv::Reader::from_reader(text);
        let header = reader.headers().map_err(|error| not_table(error.to_string()))?.clone();
        let [date, pool] = places(&header, [&["date"], &["pool"]]).map_err(not_table)?;
        let one = |name: &str| places(&header, [&[name]]).map(|[place]| place);
        let (apy, times) = match (one("apy"), one("funding_8h_mean")) {
            (Err(_), Ok(funding)) => (funding, FUNDING_A_YEAR * 100.0),
            (apy, _) => (apy.map_err(not_table)?, 1.0),
        };
        let tvl = one("tvlUsd").ok();
        let rows = reader.records().map(|record| {
            let record = record.map_err(|error| error.to_string())?;
            let line = record.position().map_or(0, csv::Position::line);
            let cell = |place: usize| record.get(place).unwrap_or("").trim();
            let number = |text: &str| match text {
                "" => Ok(f64::NAN),
                text => text
                    .parse::<f64>()
                    .map_err(|_| format!("line {line}: no number: {:?}", text.chars().take(20).collect::<String>())),
            };
            let day = parse_day(cell(date)).map_err(|error| format!("line {line}: {error}"))?;
            let tvl_usd = tvl.map(|place| number(cell(place))).transpose()?.filter(|tvl| !tvl.is_nan());
            Ok(Raw {
                pool: cell(pool).to_owned(),
                row: Observation { day, apy_percent: times * number(cell(apy))?, tvl_usd },
            })
        });
        Self::of(table, kind, rows)
    }

    fn of(table: &str, kind: Kind, rows: impl Iterator<Item = Result<Raw, String>>) -> Result<Self, YieldError> {
        let not_table = |detail: String| TableError::NotTable { table: table.to_owned(), wanted: WANTED, detail };
        let mut found: BTreeMap<String, Vec<Observation>> = BTreeMap::new();
        for (number, row) in rows.enumerate() {
            let Raw { pool, row } = row.map_err(not_table)?;
            if number == MAX_ROWS || found.len() > MAX_POOLS {
                return Err(TableError::TooManyRows { table: table.to_owned(), limit_rows: MAX_ROWS }.into());
            }
            check_name(&pool).map_err(not_table)?;
            found.entry(pool).or_default().push(row);
        }
        if found.is_empty() {
            return Err(not_table("it has no rows".into()).into());
        }
        let mut pools = Self::default();
        for (id, rows) in found {
            let (series, cleaning) = Series::new(&rows).map_err(|fault| YieldError::of(fault, table, &id))?;
            pools.cleaning = pools.cleaning.and(cleaning);
            if let Some(series) = series {
                pools.pools.insert(id.clone(), Pool { id, kind, series });
            }
        }
        pools.check_unit(table)?;
        Ok(pools)
    }

    /// Refuses fractions: no table of several strategies and weeks is below one percent everywhere, and none says so of itself.
    pub(super) fn check_unit(&self, table: &str) -> Result<(), YieldError> {
        let rates = || self.pools.values().flat_map(|pool| pool.series.iter()).map(|row| row.apy_percent.abs());
        let highest = rates().fold(0.0, f64::max);
        if rates().count() >= LEAST_RATES && highest > 0.0 && highest < FRACTIONS_BELOW {
            return Err(YieldError::Fractions { table: table.to_owned(), highest });
        }
        Ok(())
    }

    /// The same as CSV.
    pub fn to_csv(&self) -> String {
        let mut text = String::from("date,pool,apy,tvlUsd\n");
        for pool in self.pools.values() {
            for row in pool.series.iter() {
                let tvl = row.tvl_usd.map_or_else(String::new, |tvl| tvl.to_string());
                let _ = writeln!(text, "{},{},{},{tvl}", format_day(row.day), pool.id, row.apy_percent);
            }
        }
        text
    }
}

/// Whether a text can be a pool's id: printable, without commas and quotes, and short.
pub fn check_name(id: &str) -> Result<(), String> {
    let is_id =
        (1..=MAX_NAME).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic() && !b",\"".contains(&byte));
    if is_id { Ok(()) } else { Err(format!("{:?} is no id of a pool", id.chars().take(40).collect::<String>())) }
}

fn from_parquet(path: &Path) -> Result<Vec<Raw>, TableError> {
    let texts = ["date", "pool"];
    let raw = |texts: Vec<[String; 2]>, numbers: &mut dyn Iterator<Item = (f64, Option<f64>)>| {
        let day = |text: &str| {
            let detail = |error: veriregime_core::types::time::TimeError| error.to_string();
            let table = path.display().to_string();
            parse_day(text).map_err(|error| TableError::NotTable { table, wanted: WANTED, detail: detail(error) })
        };
        let rows = texts.into_iter().zip(numbers);
        rows.map(|([date, pool], (apy_percent, tvl_usd))| {
            Ok(Raw { pool, row: Observation { day: day(&date)?, apy_percent, tvl_usd } })
        })
        .collect::<Result<Vec<_>, _>>()
    };
    // Not every publisher tells what lies in a strategy, and funding is a rate in other words.
    if let Ok(found) = parquet(path, WANTED, texts, ["apy", "tvlUsd"]) {
        return raw(found.texts, &mut found.numbers.into_iter().map(|[apy, tvl]| (apy, Some(tvl))));
    }
    match parquet(path, WANTED, texts, ["apy"]) {
        Ok(found) => raw(found.texts, &mut found.numbers.into_iter().map(|[apy]| (apy, None))),
        Err(fault) => {
            let Ok(found) = parquet(path, WANTED, texts, ["funding_8h_mean"]) else { return Err(fault) };
            let rate = |[funding]: [f64; 1]| (funding * FUNDING_A_YEAR * 100.0, None);
            raw(found.texts, &mut found.numbers.into_iter().map(rate))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use veriregime_core::types::diagnostic::Diagnostic;

    fn parsed(text: &str) -> Result<Pools, YieldError> {
        Pools::parse("yields.csv", text.as_bytes(), Kind::Lp)
    }

    #[test]
    fn columns_are_found_by_name_and_pools_are_told_apart() {
        let text = "pool,date,project,tvlUsd,apy\na:1,2025-07-10,x,1000,5.5\nb,2025-07-10,x,,0\na:1,2025-07-12,x,900,6\nb,2025-07-11,x,7,\n";
        let pools = parsed(text).unwrap();
        assert_eq!(pools.pools.keys().collect::<Vec<_>>(), ["a:1", "b"]);
        let series = &pools.pools["a:1"].series;
        assert_eq!((series.days(), series.apy(0), series.apy(1), series.tvl(2)), (3, Some(5.5), None, Some(900.0)));
        let Cleaning { rows, without_apy, zeros, gap_days, young_pools, .. } = pools.cleaning;
        assert_eq!((rows, without_apy, zeros, gap_days, young_pools), (4, 1, 1, 1, 2));
        assert_eq!(parsed(&pools.to_csv()).unwrap().pools, pools.pools);
    }

    #[test]
    fn funding_is_a_rate_in_other_words() {
        let text = "date,pool,funding_8h_mean\n2020-01-01,perp,0.0001\n";
        let pools = Pools::parse("t", text.as_bytes(), Kind::Delta).unwrap();
        assert!((pools.pools["perp"].series.apy(0).unwrap() - 10.95).abs() < 1e-9);
    }

    #[test]
    fn what_is_no_table_of_yields_is_refused_by_code() {
        let fractions = (1..=30).map(|day| format!("2025-07-{day:02},a,0.05,1\n")).collect::<Vec<_>>().concat();
        for (rows, code) in [
            ("2025-07-10,a,1,1\n2025-07-09,a,1,1\n", "VR-YIELD-003"),
            ("2025-07-10,a,1,-1\n", "VR-YIELD-002"),
            ("2025-07-10,a,inf,1\n", "VR-YIELD-004"),
            ("2025-07-10,a,1,1\n2025-07-10,a,2,1\n", "VR-TABLE-005"),
            ("2025-07-10,a,much,1\n", "VR-TABLE-001"),
            ("10.7.2025,a,1,1\n", "VR-TABLE-001"),
            ("2025-07-10,,1,1\n", "VR-TABLE-001"),
            ("", "VR-TABLE-001"),
            (&fractions, "VR-YIELD-001"),
        ] {
            assert_eq!(parsed(&format!("date,pool,apy,tvlUsd\n{rows}")).unwrap_err().code(), code, "{rows}");
        }
        assert_eq!(parsed("date,pool,rate\n2025-07-10,a,1\n").unwrap_err().code(), "VR-TABLE-001");
        assert!(parsed(&format!("date,pool,apy,tvlUsd\n{}", fractions.replace("0.05", "5"))).is_ok());
    }
}
