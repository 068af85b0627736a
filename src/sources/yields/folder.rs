//! The tables of a folder that concern yields: rates by kind, and the market beside them.

use std::collections::BTreeMap;
use std::path::Path;

use super::error::YieldError;
use super::table::{Pool, Pools};
use crate::sources::tables::bitcoin;
use crate::sources::tables::columns::{Content, content, parquet, parquet_with_gaps, places};
use crate::sources::tables::error::TableError;
use crate::sources::tables::folder::{BITCOIN, file};
use crate::sources::tables::series::{Bounds, DailySeries};
use veriregime_core::hedge::panel::Day;
use veriregime_core::types::time::parse_day;
use veriregime_core::yields::Kind;
use veriregime_core::yields::costs::gas_usd;
use veriregime_core::yields::market::Market;
use veriregime_core::yields::series::Cleaning;

/// Gas prices of Ethereum.
pub const GAS: &str = "eth_gas_daily";
/// How files of rates begin; the kind follows.
const PREFIX: &str = "yields_";
/// How they may end.
const ENDINGS: [&str; 2] = ["csv", "parquet"];
const GAS_BOUNDS: Bounds = Bounds { column: "gas_gwei", lowest: 0.0, highest: 1e6 };
const ETHER_BOUNDS: Bounds = Bounds { column: "eth_usd", lowest: 0.0, highest: 1e9 };

/// Rates of a folder.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Yields {
    /// Strategies by their ids.
    pub pools: BTreeMap<String, Pool>,
    /// What the rules of cleaning met, by kind.
    pub cleaning: BTreeMap<Kind, Cleaning>,
    /// Bitcoin's closes and the price of gas, as far as they are there.
    pub market: Market,
    /// What gas costs on Ethereum.
    pub gas: Gas,
}

/// What gas costs on Ethereum, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gas {
    /// Its price in gwei.
    pub gwei: DailySeries,
    /// Ether in USD.
    pub eth_usd: DailySeries,
}

impl Gas {
    /// So much gas in USD at the end of a day; nothing where a price is older than this.
    pub fn usd(&self, units: f64, day: Day, max_age_days: Day) -> Option<f64> {
        let [gwei, ether] = [&self.gwei, &self.eth_usd].map(|series| series.carried(day, max_age_days));
        Some(gas_usd(units, gwei?, ether?))
    }
}

impl Yields {
    /// Reads all files `yields_<kind>….csv` and `.parquet` of a folder, and `btc_daily_usd` and `eth_gas_daily` where they are.
    ///
    /// # Errors
    /// [`YieldError::Absent`] without any rates, or what is wrong with a file.
    pub fn read(folder: &Path) -> Result<Self, YieldError> {
        let mut yields = Self::default();
        let mut names = if folder.is_dir() { veriregime_files::listing::files_in(folder)? } else { Vec::new() };
        names.sort();
        for name in names {
            let Some((stem, ending)) = name.rsplit_once('.') else { continue };
            let Some(kind) = kind_of(stem).filter(|_| ENDINGS.contains(&ending)) else { continue };
            let path = folder.join(&name);
            let found = Pools::read(&path, kind)?;
            let cleaning = yields.cleaning.entry(kind).or_default();
            *cleaning = cleaning.and(found.cleaning);
            for (id, pool) in found.pools {
                if yields.pools.contains_key(&id) {
                    let table = path.display().to_string();
                    return Err(YieldError::Rate { table, pool: id, reason: "another table has it, too".into() });
                }
                yields.pools.insert(id, pool);
            }
        }
        if yields.pools.is_empty() {
            return Err(YieldError::Absent { folder: folder.display().to_string() });
        }
        let closes = file(folder, BITCOIN).map(|path| bitcoin::read(&path)).transpose()?.unwrap_or_default();
        yields.gas = file(folder, GAS).map(|path| gas(&path)).transpose()?.unwrap_or_default();
        yields.market = Market::new(closes.iter(), yields.gas.gwei.iter());
        Ok(yields)
    }

    /// The last day of any strategy of a kind.
    pub fn last_day(&self, kind: Kind) -> Option<Day> {
        self.pools.values().filter(|pool| pool.kind == kind).map(|pool| pool.series.last_day()).max()
    }
}

/// The kind that a file's name tells: `yields_lp_daily` is of liquidity pools.
pub fn kind_of(stem: &str) -> Option<Kind> {
    let rest = stem.strip_prefix(PREFIX)?;
    Kind::parse(rest.split('_').next()?)
}

/// Prices of gas, and of ether where the table has them.
///
/// # Errors
/// [`TableError`].
pub fn gas(path: &Path) -> Result<Gas, TableError> {
    let table = path.display().to_string();
    let wanted = "gas prices";
    let not_table = |detail: String| TableError::NotTable { table: table.clone(), wanted, detail };
    let day = |text: &str| parse_day(text).map_err(|error| not_table(error.to_string()));
    let rows: Vec<(Day, f64, f64)> = match content(path)? {
        Content::Parquet => {
            let row = |(date, gas, ether): (&String, f64, f64)| Ok((day(date)?, gas, ether));
            if let Ok(columns) = parquet_with_gaps(path, wanted, ["date"], ["gas_gwei", "eth_usd"]) {
                let rows = columns.texts.iter().zip(columns.numbers);
                rows.map(|([date], [gas, ether])| row((date, gas, ether))).collect::<Result<_, TableError>>()?
            } else {
                let columns = parquet(path, wanted, ["date"], ["gas_gwei"])?;
                let rows = columns.texts.iter().zip(columns.numbers);
                rows.map(|([date], [gas])| row((date, gas, f64::NAN))).collect::<Result<_, TableError>>()?
            }
        }
        Content::Text(text) => {
            let mut reader = csv::Reader::from_reader(text.as_slice());
            let header = reader.headers().map_err(|error| not_table(error.to_string()))?;
            let [date, gas] = places(header, [&["date"], &["gas_gwei"]]).map_err(not_table)?;
            let ether = places(header, [&["eth_usd"]]).ok();
            let row = |record: Result<csv::StringRecord, csv::Error>| {
                let record = record.map_err(|error| not_table(error.to_string()))?;
                let cell = |place: usize| record.get(place).unwrap_or("").trim();
                let number = cell(gas).parse().map_err(|_| not_table("a row has no gas price".into()))?;
                let ether = ether.map_or("", |[place]| cell(place));
                let ether = if ether.is_empty() { Ok(f64::NAN) } else { ether.parse() };
                Ok((day(cell(date))?, number, ether.map_err(|_| not_table("a row has no price of ether".into()))?))
            };
            reader.records().map(row).collect::<Result<_, TableError>>()?
        }
    };
    let ether: Vec<(Day, f64)> =
        rows.iter().filter(|(.., ether)| !ether.is_nan()).map(|(day, _, ether)| (*day, *ether)).collect();
    let gwei = DailySeries::new(&table, &GAS_BOUNDS, rows.into_iter().map(|(day, gas, _)| (day, gas)))?;
    let eth_usd =
        if ether.is_empty() { DailySeries::default() } else { DailySeries::new(&table, &ETHER_BOUNDS, ether)? };
    Ok(Gas { gwei, eth_usd })
}

#[cfg(test)]
mod tests {
    use super::*;
    use veriregime_core::types::diagnostic::Diagnostic;

    #[test]
    fn files_are_of_the_kind_that_their_names_tell() {
        for (stem, kind) in [
            ("yields_lp_daily", Some(Kind::Lp)),
            ("yields_lending_usdc_daily", Some(Kind::Lending)),
            ("yields_delta_btc_funding_daily", Some(Kind::Delta)),
            ("yields_staking", None),
            ("btc_daily_usd", None),
        ] {
            assert_eq!(kind_of(stem), kind, "{stem}");
        }
    }

    #[test]
    fn a_folder_is_read_with_the_market_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Yields::read(folder.path()).unwrap_err().code(), "VR-YIELD-005");
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("yields_lp_daily.csv", "date,pool,apy\n2025-07-10,a,1\n");
        write("yields_delta.csv", "date,pool,apy\n2025-07-12,b,-1\n");
        let gas = (1..=30).map(|day| format!("2025-06-{day:02},2\n")).collect::<Vec<_>>().concat();
        write("eth_gas_daily.csv", &format!("date,gas_gwei\n{gas}"));
        let yields = Yields::read(folder.path()).unwrap();
        assert_eq!(yields.pools.len(), 2);
        assert_eq!(yields.last_day(Kind::Delta), Some(parse_day("2025-07-12").unwrap()));
        assert_eq!(yields.last_day(Kind::Lending), None);
        assert!(yields.market.at(parse_day("2025-06-30").unwrap()).gas.is_some());
        write("yields_lp_other.csv", "date,pool,apy\n2025-07-10,a,1\n");
        assert_eq!(Yields::read(folder.path()).unwrap_err().code(), "VR-YIELD-004");
    }
}
