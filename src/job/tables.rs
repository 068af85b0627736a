//! The stage that fetches tables: each publisher's, once a period for all jobs of a process, and what is done where one fails.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Mutex;
use tracing::{info, warn};
use url::Url;

use super::Agent;
use crate::job::error::StageError;
use crate::sources::tables::electricity::Electricity;
use crate::sources::tables::error::{FETCH_CODE, TableError};
use crate::sources::tables::fetch::{fetch_electricity, fetch_rates};
use crate::sources::tables::folder::{self, ELECTRICITY, RATES};
use crate::sources::tables::rates;
use crate::sources::tables::series::DailySeries;
use crate::sources::tables::snapshot::snapshot;
use crate::sources::yields::error::NOT_RENEWED_CODE;
use crate::state::Step;
use veriregime_core::hedge::panel::Day;
use veriregime_core::hedge::snapshot::Snapshot;
use veriregime_core::types::cycle::CycleRecord;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::origin::FailedSource;
use veriregime_core::types::time::DAY_MS;
use veriregime_core::types::vintage::{TablesOrigin, Vintage};

/// What the publishers are called together.
pub const SOURCE: &str = "tables";
/// From so long after the start of period and cycle on, a table that cannot be fetched counts as it last was.
pub const FALL_BACK_AFTER_MS: i64 = 3_600_000;

/// Whether a cycle that is tried again for that code waits for a publisher, which it does for [`FALL_BACK_AFTER_MS`] at most.
pub fn waits_for_publisher(code: &str) -> bool {
    [FETCH_CODE, NOT_RENEWED_CODE].contains(&code)
}

/// Publishers' tables, in a folder that nobody else writes.
#[derive(Debug)]
pub struct TableService {
    folder: PathBuf,
    electricity: Url,
    rates: Url,
    /// The newest tables, fetched for a period that starts then.
    fetched: Mutex<Option<(i64, Arc<Edition>)>>,
}

/// A job of a country's electricity.
#[derive(Debug, Clone, Copy)]
pub struct Country<'a> {
    /// Its ISO 3166 code.
    pub name: &'a str,
    pub tables: &'a TableService,
}

/// Tables as they were for a period.
#[derive(Debug)]
struct Edition {
    electricity: Electricity,
    rates: Option<DailySeries>,
    origin: TablesOrigin,
}

impl TableService {
    /// Of these addresses.
    pub fn new(folder: PathBuf, electricity: Url, rates: Url) -> Self {
        Self { folder, electricity, rates, fetched: Mutex::default() }
    }

    /// The tables for a period that starts at `start_ms`: fetched by the first job that asks, unless it forgets them.
    /// The record of editions keeps those that are `used`.
    async fn edition(
        &self,
        start_ms: i64,
        now_ms: i64,
        falls_back: bool,
        used: &BTreeSet<Digest>,
    ) -> Result<Arc<Edition>, TableError> {
        let mut fetched = self.fetched.lock().await;
        if let Some((_, edition)) = fetched.as_ref().filter(|(known_ms, _)| *known_ms == start_ms) {
            return Ok(edition.clone());
        }
        let asked = [
            (ELECTRICITY, fetch_electricity(&self.folder, &self.electricity, now_ms, used).await),
            (RATES, fetch_rates(&self.folder, &self.rates, now_ms, used).await),
        ];
        let mut origin = TablesOrigin { vintages: Vec::new(), failed: Vec::new() };
        for (table, outcome) in asked {
            match outcome {
                Ok(vintage) => origin.vintages.push(told(vintage)),
                Err(fault) if falls_back => {
                    warn!(table, code = fault.code(), error = %fault, hint = fault.hint(), "the last edition counts");
                    origin.failed.push(FailedSource { source: table.into(), code: fault.code().into() });
                }
                Err(fault) => return Err(fault),
            }
        }
        let folder = self.folder.clone();
        let read = move || {
            let rates = folder::file(&folder, RATES).map(|path| rates::read(&path)).transpose()?;
            Ok::<_, TableError>((folder::electricity(&folder)?, rates))
        };
        let read = tokio::task::spawn_blocking(read).await;
        let broken = |error: tokio::task::JoinError| TableError::Damaged {
            table: SOURCE.into(),
            detail: format!("reading broke off: {error}"),
        };
        let (electricity, rates) = read.map_err(broken)??;
        let edition = Arc::new(Edition { electricity, rates, origin });
        // One that a publisher has not given is asked for again by the next job.
        if edition.origin.failed.is_empty() {
            *fetched = Some((start_ms, edition.clone()));
        }
        Ok(edition)
    }

    /// What is known of a country before a period that starts at `start_ms`, as publishers tell it now.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn snapshot(&self, country: &str, start_ms: i64, now_ms: i64) -> Result<Snapshot, TableError> {
        let edition = self.edition(start_ms, now_ms, false, &BTreeSet::new()).await?;
        Ok(edition.before(country, start_ms))
    }

    /// Has the tables fetched anew by whoever asks next.
    async fn forget(&self) {
        *self.fetched.lock().await = None;
    }
}

impl Edition {
    /// What it says of a country before a moment.
    fn before(&self, country: &str, start_ms: i64) -> Snapshot {
        let day = Day::try_from(start_ms.div_euclid(DAY_MS) - 1).unwrap_or(Day::MAX);
        snapshot(&self.electricity, self.rates.as_ref(), country, day)
    }
}

fn told(vintage: Vintage) -> Vintage {
    let (table, rows, revised) = (&vintage.table, vintage.rows, vintage.revised);
    info!(table, rows, added = vintage.added, revised, sha256 = %vintage.sha256, "table fetched");
    vintage
}

impl Agent {
    /// Fetches the tables and stores what of them the period's forecast is made from: the days before the period, as they are
    /// told now. A country that nothing can be said of may be told of later.
    pub(super) async fn collect_tables(
        &self,
        record: &CycleRecord,
        country: Country<'_>,
    ) -> Result<CycleRecord, StageError> {
        if let Some(step) = self.look_on_chain(record).await? {
            return Ok(self.advance(record, &step)?);
        }
        let now_ms = self.clock.now_ms();
        let falls_back = now_ms >= record.start_ms.max(record.started_ms) + FALL_BACK_AFTER_MS;
        let used = self.store.editions()?;
        let edition = country.tables.edition(record.start_ms, now_ms, falls_back, &used).await?;
        let snapshot = edition.before(country.name, record.start_ms);
        // What cannot be computed with is not stored: its publisher may mend it within the period.
        if let Err(fault) = self.model.check_snapshot(&snapshot) {
            country.tables.forget().await;
            return Err(fault.into());
        }
        Ok(self.advance(record, &Step::Tables(&snapshot.to_bytes(), &edition.origin))?)
    }
}
