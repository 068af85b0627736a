//! Strategies' tables, each publisher's once a day for all who ask, and what is said of the strategies.

pub mod allocation;
pub mod answer;
mod collect;
pub mod outlook;
pub mod prediction;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;
use tracing::{info, warn};

use crate::bundle::yields::YieldModels;
use crate::job::tables::SOURCE;
use crate::sources::tables::error::TableError;
use crate::sources::yields::costs::Costs;
use crate::sources::yields::error::YieldError;
use crate::sources::yields::folder::Yields;
use crate::sources::yields::renewal::{Publishers, renew};
use outlook::Outlook;
use prediction::Prediction;
use veriregime_core::hedge::panel::Day;
use veriregime_core::types::diagnostic::{Diagnostic, quoted};
use veriregime_core::types::digest::Digest;
use veriregime_core::types::origin::FailedSource;
use veriregime_core::types::time::DAY_MS;
use veriregime_core::types::vintage::{TablesOrigin, Vintage};
use veriregime_core::yields::risk::TRAILING_DAYS;
use veriregime_core::yields::snapshot::Snapshot;
use veriregime_core::yields::{Kind, Strategy};

/// A publisher that failed is asked again after so long at the earliest.
const PAUSE_MS: i64 = 60_000;
/// Most strategies of one question.
pub const MAX_ASKED: usize = 100;

/// Strategies with their publishers, in a folder that nobody else writes.
#[derive(Debug)]
pub struct YieldService {
    settings: YieldSettings,
    models: Arc<YieldModels>,
    /// The newest edition, and the day that it was fetched for.
    fetched: Mutex<Option<Arc<Edition>>>,
    /// What was said last.
    latest: RwLock<Option<Arc<Forecasts>>>,
}

/// What a service is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YieldSettings {
    /// Folder of the tables.
    pub folder: PathBuf,
    /// Who is asked.
    pub publishers: Publishers,
    /// How many days before the running one the last day of the data may lie.
    pub max_age_days: u32,
    /// Whose yields are forecast.
    pub strategies: Vec<Strategy>,
}

/// Tables as they were for a day.
#[derive(Debug)]
pub struct Edition {
    /// The running day: what is known is of the days before it.
    pub day: Day,
    /// When a publisher was asked last, Unix milliseconds.
    fetched_ms: i64,
    /// Tables and models.
    pub outlook: Outlook,
    /// What was fetched for it, by pool.
    vintages: BTreeMap<String, Vintage>,
    /// Pools that brought nothing.
    failed: BTreeMap<String, FailedSource>,
}

/// What is said of all strategies of a node.
#[derive(Debug)]
pub struct Forecasts {
    /// The running day that it was said for.
    pub day: Day,
    /// When, Unix milliseconds.
    pub collected_ms: i64,
    /// How many days before the running one the last day of the data may lie.
    pub max_age_days: u32,
    /// By the strategies' names.
    pub strategies: BTreeMap<String, StrategyForecast>,
    /// What a transaction costs, USD, by kind; absent where the tables do not tell.
    pub gas_usd: BTreeMap<Kind, f64>,
}

/// What is said of a strategy.
#[derive(Debug)]
pub struct StrategyForecast {
    /// The strategy.
    pub strategy: Strategy,
    /// The last that can be said, however old its data, or why nothing can.
    pub prediction: Result<Prediction, YieldError>,
    /// Why its publisher brought nothing new.
    pub failed: Option<FailedSource>,
    /// Its rates as shares, on the days that risk is read from; the last is the one before the running day.
    pub past: Vec<Option<f64>>,
}

impl Forecasts {
    /// What is said of a strategy on a day.
    ///
    /// # Errors
    /// [`YieldError::Unknown`], [`YieldError::Stale`] for data that are too old by then; the inner error where nothing can be said.
    pub fn of(&self, name: &str, today: Day) -> Result<Result<&Prediction, &YieldError>, YieldError> {
        let found = self.strategies.get(name).ok_or_else(|| outlook::unknown(self.strategies.keys(), name))?;
        let Ok(prediction) = &found.prediction else { return Ok(found.prediction.as_ref()) };
        prediction.check_age(today, self.max_age_days)?;
        Ok(Ok(prediction))
    }
}

impl YieldService {
    /// Of these settings, with the models of a folder.
    pub fn new(settings: YieldSettings, models: Arc<YieldModels>) -> Self {
        Self { settings, models, fetched: Mutex::default(), latest: RwLock::default() }
    }

    /// The strategy of that name.
    pub fn strategy(&self, name: &str) -> Option<&Strategy> {
        self.settings.strategies.iter().find(|strategy| strategy.name == name)
    }

    /// What was said last, from memory; nothing before the first [`YieldService::refresh`].
    pub fn latest(&self) -> Option<Arc<Forecasts>> {
        self.latest.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forecasts all strategies by what is known before the day of `now_ms`, and keeps it for [`YieldService::latest`]. Tables that
    /// cannot be fetched count as they last were.
    ///
    /// # Errors
    /// [`YieldError`] where nothing can be said of any strategy.
    pub async fn refresh(&self, now_ms: i64) -> Result<Arc<Forecasts>, YieldError> {
        let edition = self.edition(day_of(now_ms), now_ms, &self.settings.strategies, &BTreeSet::new()).await?;
        let said = |strategy: &Strategy| StrategyForecast {
            strategy: strategy.clone(),
            prediction: edition.outlook.predict(strategy, edition.day),
            failed: edition.failed.get(&strategy.pool).cloned(),
            past: edition.outlook.past(&strategy.pool, edition.day - 1, TRAILING_DAYS),
        };
        let gas_usd = |kind: Kind| Some((kind, Costs::gas_usd(kind, edition.outlook.tables(), edition.day - 1)?));
        let gas_usd = Kind::ALL.into_iter().filter_map(gas_usd).collect();
        let strategies =
            self.settings.strategies.iter().map(|strategy| (strategy.name.clone(), said(strategy))).collect();
        let max_age_days = self.settings.max_age_days;
        let forecasts =
            Arc::new(Forecasts { day: edition.day, collected_ms: now_ms, max_age_days, strategies, gas_usd });
        *self.latest.write().unwrap_or_else(PoisonError::into_inner) = Some(forecasts.clone());
        Ok(forecasts)
    }

    /// What is known of a strategy before a day, as publishers tell it now, and which editions that are. The record of editions
    /// keeps those that are `used`.
    ///
    /// # Errors
    /// [`YieldError`]: of a publisher that fails, unless its last edition counts; [`YieldError::Stale`] for data that are too old.
    pub async fn snapshot(
        &self,
        name: &str,
        day: Day,
        now_ms: i64,
        falls_back: bool,
        used: &BTreeSet<Digest>,
    ) -> Result<(Snapshot, TablesOrigin), YieldError> {
        let strategy = self
            .strategy(name)
            .ok_or_else(|| outlook::unknown(self.settings.strategies.iter().map(|strategy| &strategy.name), name))?;
        let edition = self.edition(day, now_ms, std::slice::from_ref(strategy), used).await?;
        let failed = edition.failed.get(&strategy.pool);
        let snapshot = edition.outlook.snapshot(strategy, day, self.settings.max_age_days)?;
        if self.settings.publishers.of(strategy.kind).is_some() && !falls_back {
            let code = failed.map(|failed| failed.code.clone());
            if code.is_some() || snapshot.day + 1 < day {
                return Err(YieldError::NotRenewed { strategy: quoted(name), last_day: snapshot.day, code });
            }
        }
        let origin = TablesOrigin {
            vintages: edition.vintages.get(&strategy.pool).cloned().into_iter().collect(),
            failed: failed.cloned().into_iter().collect(),
        };
        Ok((snapshot, origin))
    }

    /// Has the tables fetched anew by whoever asks next.
    pub async fn forget(&self) {
        *self.fetched.lock().await = None;
    }

    /// The tables for a day, with what of it the publishers of these strategies have: of one that failed, it is asked for again.
    async fn edition(
        &self,
        day: Day,
        now_ms: i64,
        wanted: &[Strategy],
        used: &BTreeSet<Digest>,
    ) -> Result<Arc<Edition>, YieldError> {
        let mut fetched = self.fetched.lock().await;
        let before = fetched.as_ref().filter(|edition| edition.day == day);
        let is_good = |edition: &Edition| {
            let is_new = (0..PAUSE_MS).contains(&(now_ms - edition.fetched_ms));
            is_new || !wanted.iter().any(|strategy| edition.failed.contains_key(&strategy.pool))
        };
        if let Some(edition) = before.filter(|edition| is_good(edition)) {
            return Ok(edition.clone());
        }
        let YieldSettings { folder, publishers, strategies, .. } = &self.settings;
        let mut vintages = before.map_or_else(BTreeMap::new, |edition| edition.vintages.clone());
        let left: Vec<Strategy> =
            strategies.iter().filter(|strategy| !vintages.contains_key(&strategy.pool)).cloned().collect();
        let outcomes = renew(folder, publishers, &left, now_ms, used).await?;
        let mut failed = BTreeMap::new();
        for (pool, outcome) in outcomes {
            match outcome {
                Ok(vintage) => {
                    let Vintage { table, rows, added, revised, sha256, .. } = &vintage;
                    info!(table, rows, added, revised, %sha256, "table fetched");
                    vintages.insert(pool, vintage);
                }
                Err(fault) => {
                    warn!(pool, code = fault.code(), error = %fault, hint = fault.hint(), "the last edition counts");
                    failed.insert(pool.clone(), FailedSource { source: pool, code: fault.code().into() });
                }
            }
        }
        let (folder, models) = (folder.clone(), self.models.clone());
        let read = move || Outlook::new(models, Yields::read(&folder)?, Some(day.saturating_sub(1)));
        let broken = |error: tokio::task::JoinError| TableError::Damaged {
            table: SOURCE.into(),
            detail: format!("reading broke off: {error}"),
        };
        let outlook = tokio::task::spawn_blocking(read).await.map_err(broken)??;
        let edition = Arc::new(Edition { day, fetched_ms: now_ms, outlook, vintages, failed });
        *fetched = Some(edition.clone());
        Ok(edition)
    }
}

/// The day of a time.
pub fn day_of(now_ms: i64) -> Day {
    Day::try_from(now_ms.div_euclid(DAY_MS)).unwrap_or(Day::MAX)
}
