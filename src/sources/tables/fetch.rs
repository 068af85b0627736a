//! Tables from their publishers into a folder, with what they revised.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use url::Url;

use super::electricity::Electricity;
use super::error::TableError;
use super::folder::{DIFFICULTY, ELECTRICITY, RATES, file};
use super::series::DailySeries;
use super::{difficulty, electricity, rates, vintages};
use crate::http;
use crate::render::Render;
use crate::render::layout::Table;
use crate::sources::candles::archive::{ZIP_MAGIC, csv_in_zip};
use veriregime_core::types::digest::Digest;
use veriregime_core::types::time::format_utc;
use veriregime_core::types::vintage::Vintage;
use veriregime_files::write_atomic;

/// Where Ember publishes daily prices.
pub const ELECTRICITY_URL: &str =
    "https://files.ember-energy.org/public-downloads/price/outputs/european_wholesale_electricity_price_data_daily.csv";
/// Where the European Central Bank publishes all its reference rates.
pub const RATES_URL: &str = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip";
/// Where mempool.space publishes the difficulty of three years.
pub const DIFFICULTY_URL: &str = "https://mempool.space/api/v1/mining/hashrate/3y";
/// Longest time for one table.
const TIMEOUT: Duration = Duration::from_mins(2);
/// Largest answer.
const MAX_BODY_BYTES: usize = 64 << 20;

/// Where tables are published.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// Ember's CSV.
    pub electricity: Url,
    /// The European Central Bank's CSV, zip or XML.
    pub rates: Url,
    /// JSON of mempool.space or blockchain.com.
    pub difficulty: Url,
}

/// What all fetches brought.
#[derive(Debug, Serialize)]
pub struct Fetched {
    /// One for each table.
    pub vintages: Vec<Vintage>,
}

/// Fetches all tables into `folder`. Days that an answer does not have stay as they were, and one that brings nothing new
/// writes nothing.
///
/// # Errors
/// The first table that is not to be had; those before it are written.
pub async fn fetch(folder: &Path, addresses: &Addresses, now_ms: i64) -> Result<Fetched, TableError> {
    let used = BTreeSet::new();
    let vintages = vec![
        fetch_electricity(folder, &addresses.electricity, now_ms, &used).await?,
        fetch_rates(folder, &addresses.rates, now_ms, &used).await?,
        fetch_difficulty(folder, &addresses.difficulty, now_ms).await?,
    ];
    Ok(Fetched { vintages })
}

/// As [`fetch`], the electricity. The record keeps the editions that are `used`.
///
/// # Errors
/// As [`fetch`].
pub async fn fetch_electricity(
    folder: &Path,
    url: &Url,
    now_ms: i64,
    used: &BTreeSet<Digest>,
) -> Result<Vintage, TableError> {
    let body = get(url, electricity::WANTED).await?;
    let earlier = file(folder, ELECTRICITY).map(|path| Electricity::read(&path)).transpose()?.unwrap_or_default();
    let (merged, added, revised) = merged(Electricity::parse(url.as_str(), &body)?, &earlier);
    let vintage = vintage(ELECTRICITY, url, &body, now_ms);
    keep(folder, "csv", &merged.to_csv(), Vintage { rows: merged.rows(), added, revised, ..vintage }, used)
}

/// As [`fetch_electricity`], what a euro is worth.
///
/// # Errors
/// As [`fetch`].
pub async fn fetch_rates(
    folder: &Path,
    url: &Url,
    now_ms: i64,
    used: &BTreeSet<Digest>,
) -> Result<Vintage, TableError> {
    let body = get(url, rates::WANTED).await?;
    let text = if body.starts_with(ZIP_MAGIC) { csv_in_zip(Path::new(url.path()), &body)? } else { body.clone() };
    let earlier = file(folder, RATES).map(|path| rates::read(&path)).transpose()?.unwrap_or_default();
    let (series, added, revised) = over(rates::parse(url.as_str(), &text)?, &earlier);
    let vintage = vintage(RATES, url, &body, now_ms);
    keep(folder, "csv", &rates::to_csv(&series), Vintage { rows: series.len(), added, revised, ..vintage }, used)
}

async fn fetch_difficulty(folder: &Path, url: &Url, now_ms: i64) -> Result<Vintage, TableError> {
    let body = get(url, difficulty::WANTED).await?;
    let earlier = file(folder, DIFFICULTY).map(|path| difficulty::read(&path)).transpose()?.unwrap_or_default();
    let (series, added, revised) = over(difficulty::parse(url.as_str(), &body)?, &earlier);
    let vintage = vintage(DIFFICULTY, url, &body, now_ms);
    let text = difficulty::to_blockchain(&series).to_string();
    keep(folder, "json", &text, Vintage { rows: series.len(), added, revised, ..vintage }, &BTreeSet::new())
}

/// Of an answer, before its rows are counted.
fn vintage(table: &str, url: &Url, body: &[u8], now_ms: i64) -> Vintage {
    let (time, sha256) = (format_utc(now_ms), Digest::of(body));
    Vintage { time, table: table.to_owned(), url: url.to_string(), sha256, rows: 0, added: 0, revised: 0 }
}

fn over(fresh: DailySeries, earlier: &DailySeries) -> (DailySeries, usize, usize) {
    let revised = fresh.revised(earlier);
    let series = fresh.over(earlier);
    let added = series.len() - earlier.len();
    (series, added, revised)
}

fn merged(mut fresh: Electricity, earlier: &Electricity) -> (Electricity, usize, usize) {
    let mut revised = 0;
    for (iso3, days) in &earlier.countries {
        let now = fresh.countries.entry(iso3.clone()).or_default();
        revised += now.revised(days);
        *now = std::mem::take(now).over(days);
    }
    for (iso3, name) in &earlier.names {
        fresh.names.entry(iso3.clone()).or_insert_with(|| name.clone());
    }
    let added = fresh.rows() - earlier.rows();
    (fresh, added, revised)
}

/// Writes the table, unless it is as it was, then notes its edition.
fn keep(
    folder: &Path,
    ending: &str,
    text: &str,
    vintage: Vintage,
    used: &BTreeSet<Digest>,
) -> Result<Vintage, TableError> {
    veriregime_files::create_folder(folder)?;
    let path = folder.join(format!("{}.{ending}", vintage.table));
    if (vintage.added, vintage.revised) != (0, 0) || !path.is_file() {
        write_atomic(&path, text.as_bytes())?;
    }
    vintages::note(folder, &vintage, used)?;
    Ok(vintage)
}

async fn get(url: &Url, wanted: &'static str) -> Result<Vec<u8>, TableError> {
    let fault = |detail: String| TableError::Fetch { url: url.to_string(), wanted, detail };
    http::bytes(url, TIMEOUT, MAX_BODY_BYTES).await.map_err(fault)
}

impl Render for Fetched {
    fn text(&self) -> String {
        let mut table = Table::new(&["table", "rows", "new", "revised"]);
        for one in &self.vintages {
            table.add_row([&one.table, &one.rows.to_string(), &one.added.to_string(), &one.revised.to_string()]);
        }
        table.to_string()
    }
}
