//! A folder with one file for each table, by name.

use std::path::{Path, PathBuf};

use super::electricity::Electricity;
use super::error::TableError;
use super::series::DailySeries;
use super::{bitcoin, difficulty, rates};

/// Electricity by country.
pub const ELECTRICITY: &str = "electricity_daily_eur_mwh";
/// Dollars for a euro.
pub const RATES: &str = "eurusd_daily";
/// Mining difficulty.
pub const DIFFICULTY: &str = "btc_difficulty_daily";
/// Bitcoin's price.
pub const BITCOIN: &str = "btc_daily_usd";
/// How files may end; what was fetched comes before what lay there.
const ENDINGS: [&str; 5] = ["csv", "json", "zip", "xml", "parquet"];

/// The file of a table, if it is there.
pub fn file(folder: &Path, name: &str) -> Option<PathBuf> {
    ENDINGS.iter().map(|ending| folder.join(format!("{name}.{ending}"))).find(|path| path.is_file())
}

/// Tables of a folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Tables {
    /// Electricity by country.
    pub electricity: Electricity,
    /// Dollars for a euro.
    pub rates: Option<DailySeries>,
    /// Mining difficulty.
    pub difficulty: Option<DailySeries>,
    /// Bitcoin's price in dollars.
    pub bitcoin: Option<DailySeries>,
}

impl Tables {
    /// Reads what is there; electricity must be.
    ///
    /// # Errors
    /// [`TableError`].
    pub fn read(folder: &Path) -> Result<Self, TableError> {
        Ok(Self {
            electricity: electricity(folder)?,
            rates: file(folder, RATES).map(|path| rates::read(&path)).transpose()?,
            difficulty: file(folder, DIFFICULTY).map(|path| difficulty::read(&path)).transpose()?,
            bitcoin: file(folder, BITCOIN).map(|path| bitcoin::read(&path)).transpose()?,
        })
    }

    /// The tables beside electricity, of which none may be absent from `folder`, where they were read.
    ///
    /// # Errors
    /// [`TableError::Absent`] for the first that is.
    pub fn market(&self, folder: &Path) -> Result<MarketSeries, TableError> {
        let need = |series: &Option<DailySeries>, name| series.clone().ok_or_else(|| absent(folder, name));
        Ok(MarketSeries {
            rates: need(&self.rates, RATES)?,
            difficulty: need(&self.difficulty, DIFFICULTY)?,
            bitcoin: need(&self.bitcoin, BITCOIN)?,
        })
    }
}

/// What a miner's bill and income depend on beside electricity.
#[derive(Debug, Clone, PartialEq)]
pub struct MarketSeries {
    /// Dollars for a euro.
    pub rates: DailySeries,
    /// Mining difficulty.
    pub difficulty: DailySeries,
    /// Bitcoin's price in dollars.
    pub bitcoin: DailySeries,
}

fn absent(folder: &Path, name: &'static str) -> TableError {
    let folder = folder.display().to_string();
    TableError::Absent { folder, name, kinds: "csv, json, zip, xml or parquet" }
}

/// The electricity of a folder alone.
///
/// # Errors
/// As [`Tables::read`].
pub fn electricity(folder: &Path) -> Result<Electricity, TableError> {
    Electricity::read(&file(folder, ELECTRICITY).ok_or_else(|| absent(folder, ELECTRICITY))?)
}
