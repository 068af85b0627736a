//! Pools from DefiLlama into a folder's tables, with what was revised.

use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use url::Url;

use super::defillama::{Listed, chart, pools};
use super::error::YieldError;
use super::table::{Pools, check_name};
use crate::render::Render;
use crate::render::layout::Table;
use crate::sources::candles::error::CandleError;
use crate::sources::candles::http::{HttpClient, HttpSettings};
use veriregime_core::types::diagnostic::quoted;
use veriregime_core::types::time::format_day;
use veriregime_core::yields::Kind;
use veriregime_core::yields::series::{Observation, Series};

/// Where DefiLlama answers.
pub const URL: &str = "https://yields.llama.fi/";
/// Most pools of one fetch.
pub const MAX_FETCHED: usize = 500;
/// Requests a minute.
const REQUESTS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(100).expect("not zero");
/// One request weighs so much.
const ONE: NonZeroU32 = NonZeroU32::MIN;
/// Largest answer: all pools together have some ten MiB.
const MAX_BODY_BYTES: usize = 64 << 20;
const TIMEOUT: Duration = Duration::from_mins(1);

/// One pool that was fetched.
#[derive(Debug, PartialEq, Serialize)]
pub struct Fetched {
    /// Its id.
    pub pool: String,
    /// Its kind.
    pub kind: Kind,
    /// Days after it, also of earlier fetches.
    pub days: usize,
    /// Days that are new.
    pub added: usize,
    /// Days whose rate is another than before.
    pub revised: usize,
    /// The last day.
    pub to: String,
}

/// All pools that were fetched.
#[derive(Debug, Serialize)]
pub struct FetchedPools {
    /// One for each.
    pub pools: Vec<Fetched>,
}

/// Fetches pools, one after the other, into `yields_lp_defillama.csv` and `yields_lending_defillama.csv`. Days that an answer does
/// not have stay as they were; nothing is written unless all pools came.
///
/// # Errors
/// [`YieldError::Count`] for none or too many, [`YieldError::Unknown`] for a pool that the publisher does not list, or what
/// the publisher says.
pub async fn fetch(folder: &Path, url: &Url, ids: &[String]) -> Result<FetchedPools, YieldError> {
    if !(1..=MAX_FETCHED).contains(&ids.len()) {
        return Err(YieldError::Count { count: ids.len(), limit: MAX_FETCHED });
    }
    let client = client(url, HttpSettings::default().max_attempts)?;
    let list_url = below(url, &["pools"]);
    let listed = pools(list_url.as_str(), &get(&client, &list_url).await?)?;
    let mut came = Vec::with_capacity(ids.len());
    for id in ids {
        check_name(id).map_err(|_| YieldError::Unknown { name: quoted(id), similar: None })?;
        let kind = listed.iter().find(|one| one.pool == *id).map(Listed::kind);
        let kind = kind.ok_or_else(|| YieldError::Unknown { name: id.clone(), similar: None })?;
        let url = below(url, &["chart", id]);
        came.push(chart(url.as_str(), &get(&client, &url).await?, id, kind)?.0);
    }
    veriregime_files::create_folder(folder)?;
    let mut fetched = Vec::with_capacity(came.len());
    for kind in [Kind::Lp, Kind::Lending] {
        let path = folder.join(format!("yields_{}_defillama.csv", kind.name()));
        let mut table = if path.is_file() { Pools::read(&path, kind)? } else { Pools::default() };
        let mut is_changed = false;
        for pool in came.iter().filter(|pool| pool.kind == kind) {
            let mut pool = pool.clone();
            let (mut added, mut revised) = (pool.series.known_days(), 0);
            if let Some(earlier) = table.pools.get(&pool.id) {
                (pool.series, revised) = over(&pool.series, &earlier.series);
                added = pool.series.known_days() - earlier.series.known_days();
            }
            let (days, to) = (pool.series.known_days(), format_day(pool.series.last_day()));
            fetched.push(Fetched { pool: pool.id.clone(), kind, days, added, revised, to });
            table.pools.insert(pool.id.clone(), pool);
            is_changed = true;
        }
        if is_changed {
            veriregime_files::write_atomic(&path, table.to_csv().as_bytes())?;
        }
    }
    Ok(FetchedPools { pools: fetched })
}

/// A client as the publisher allows it, that tries so often.
pub(super) fn client(url: &Url, max_attempts: usize) -> Result<HttpClient, CandleError> {
    let settings = HttpSettings {
        total_timeout: TIMEOUT,
        weight_per_minute: REQUESTS_PER_MINUTE,
        max_body_bytes: MAX_BODY_BYTES,
        max_attempts,
        ..HttpSettings::default()
    };
    HttpClient::new(url, settings, REQUESTS_PER_MINUTE)
}

/// A series with the days of an earlier one that it does not have, and how many days of both differ.
pub(super) fn over(fresh: &Series, earlier: &Series) -> (Series, usize) {
    let mut rows: Vec<Observation> = fresh.iter().collect();
    let mut revised = 0;
    for row in earlier.iter() {
        match fresh.position(row.day).and_then(|position| fresh.apy(position)) {
            Some(now) => revised += usize::from(now.total_cmp(&row.apy_percent).is_ne()),
            None => rows.push(row),
        }
    }
    rows.sort_by_key(|row| row.day);
    // Both had days in order, each once: together they have a series.
    let series = Series::new(&rows).ok().and_then(|(series, _)| series);
    (series.unwrap_or_else(|| fresh.clone()), revised)
}

pub(super) async fn get(client: &HttpClient, url: &Url) -> Result<Vec<u8>, CandleError> {
    client.get(url, ONE, |bytes| Ok(bytes.to_vec()), |_, _| None).await
}

/// An address below another, whose parts are escaped.
pub(super) fn below(url: &Url, parts: &[&str]) -> Url {
    let mut url = url.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(parts);
    }
    url
}

impl Render for FetchedPools {
    fn text(&self) -> String {
        let mut table = Table::new(&["pool", "kind", "days", "new", "revised", "to"]);
        for one in &self.pools {
            let Fetched { pool, kind, days, added, revised, to } = one;
            table.add_row([pool, kind.name(), &days.to_string(), &added.to_string(), &revised.to_string(), to]);
        }
        table.to_string()
    }
}
