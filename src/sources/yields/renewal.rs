//! The newest days of strategies into a folder's tables: each by itself, so that one that fails holds no other up.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use url::Url;

use super::defillama::chart;
use super::error::YieldError;
use super::fetch::{below, client, get, over};
use super::funding::{FUNDING_PATH, MAX_PAYMENTS, payments};
use super::table::{Pool, Pools};
use crate::sources::tables::vintages::note;
use veriregime_core::hedge::panel::Day;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::time::{DAY_MS, format_utc};
use veriregime_core::types::vintage::Vintage;
use veriregime_core::yields::series::{Observation, Series};
use veriregime_core::yields::{Kind, Strategy};

/// Tries for one strategy: whoever wants its days asks again.
const ATTEMPTS: usize = 2;

/// Where the newest days are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Publishers {
    /// DefiLlama, where it is to be asked.
    pub pools: Option<Url>,
    /// Binance's futures, where they are to be asked.
    pub funding: Option<Url>,
}

impl Publishers {
    /// Who publishes a kind of strategies.
    pub fn of(&self, kind: Kind) -> Option<&Url> {
        match kind {
            Kind::Lp | Kind::Lending => self.pools.as_ref(),
            Kind::Delta => self.funding.as_ref(),
        }
    }
}

/// Fetches the days of strategies that have ended at `now_ms`, one strategy after the other, into `yields_<kind>_fetched.csv`.
/// Days that an answer does not have stay as they were. By pool: what a fetch brought, or why it brought nothing; nothing of
/// strategies without a publisher. The record of editions keeps those that are `used`.
///
/// # Errors
/// Tables that cannot be read or written.
pub async fn renew(
    folder: &Path,
    publishers: &Publishers,
    strategies: &[Strategy],
    now_ms: i64,
    used: &BTreeSet<Digest>,
) -> Result<BTreeMap<String, Result<Vintage, YieldError>>, YieldError> {
    let today = Day::try_from(now_ms.div_euclid(DAY_MS)).unwrap_or(Day::MAX);
    let mut outcomes = BTreeMap::new();
    for kind in Kind::ALL {
        let Some(url) = publishers.of(kind) else { continue };
        let wanted: Vec<&Strategy> = strategies.iter().filter(|strategy| strategy.kind == kind).collect();
        if wanted.is_empty() {
            continue;
        }
        let path = folder.join(format!("yields_{}_fetched.csv", kind.name()));
        let mut table = if path.is_file() { Pools::read(&path, kind)? } else { Pools::default() };
        let client = client(url, ATTEMPTS)?;
        let mut vintages = Vec::new();
        for Strategy { pool: id, .. } in wanted {
            let address = address(url, kind, id);
            let came = get(&client, &address).await.map_err(YieldError::from);
            let read = came.and_then(|bytes| Ok((days(kind, &address, &bytes, id, today)?, bytes)));
            let outcome = read.map(|(mut pool, bytes)| {
                let (mut added, mut revised) = (pool.series.known_days(), 0);
                if let Some(earlier) = table.pools.get(id) {
                    (pool.series, revised) = over(&pool.series, &earlier.series);
                    added = pool.series.known_days() - earlier.series.known_days();
                }
                let rows = pool.series.known_days();
                table.pools.insert(id.clone(), pool);
                let (time, url, sha256) = (format_utc(now_ms), address.to_string(), Digest::of(&bytes));
                let vintage = Vintage { time, table: table_name(kind, id), url, sha256, rows, added, revised };
                vintages.push(vintage.clone());
                vintage
            });
            outcomes.insert(id.clone(), outcome);
        }
        if !vintages.is_empty() {
            veriregime_files::create_folder(folder)?;
            veriregime_files::write_atomic(&path, table.to_csv().as_bytes())?;
            for vintage in &vintages {
                note(folder, vintage, used)?;
            }
        }
    }
    Ok(outcomes)
}

/// What a strategy's days are called where editions are noted.
fn table_name(kind: Kind, pool: &str) -> String {
    format!("yields_{}/{pool}", kind.name())
}

fn address(url: &Url, kind: Kind, id: &str) -> Url {
    match kind {
        Kind::Lp | Kind::Lending => below(url, &["chart", id]),
        Kind::Delta => {
            let mut url = below(url, &FUNDING_PATH[1..].split('/').collect::<Vec<_>>());
            url.query_pairs_mut().append_pair("symbol", id).append_pair("limit", &MAX_PAYMENTS.to_string());
            url
        }
    }
}

/// An answer's days before `today`: a day's values are known at its end.
fn days(kind: Kind, address: &Url, bytes: &[u8], id: &str, today: Day) -> Result<Pool, YieldError> {
    let url = address.as_str();
    let pool = match kind {
        Kind::Lp | Kind::Lending => chart(url, bytes, id, kind)?.0,
        Kind::Delta => payments(url, bytes, id, today)?,
    };
    let ended: Vec<Observation> = pool.series.iter().filter(|row| row.day < today).collect();
    let (series, _) = Series::new(&ended).map_err(|fault| YieldError::of(fault, url, id))?;
    let none = || YieldError::Answer { url: url.to_owned(), detail: "it has no day that has ended".into() };
    let pool = Pool { series: series.ok_or_else(none)?, ..pool };
    let alone = Pools { pools: BTreeMap::from([(id.to_owned(), pool.clone())]), ..Pools::default() };
    alone.check_unit(url)?;
    Ok(pool)
}
