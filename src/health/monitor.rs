//! The checks of a running node, again and again, so that whoever asks for them causes none.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cron::Schedule;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::vault::VaultProbe;
use super::{Check, HealthError, Level, checks};
use crate::actions::Action;
use crate::chain::Chain;
use crate::clock::Clock;
use crate::sources::candles::source::Source;
use crate::telemetry::metrics;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::inputs::Market;
use veriregime_core::types::period::Grid;

/// Longest time for one check.
const CHECK_LIMIT: Duration = Duration::from_secs(10);

/// What was seen at some moment.
#[derive(Debug, Clone)]
pub struct Report {
    pub checked: Instant,
    pub checks: Vec<Check>,
}

impl Report {
    /// Whether nothing fails.
    pub fn is_ready(&self) -> bool {
        self.checks.iter().all(|check| check.level != Level::Fail)
    }
}

/// The newest report; `None` before the first.
pub type Latest = watch::Receiver<Option<Arc<Report>>>;

/// Everything that the checks look at.
#[derive(Debug)]
pub struct Probe {
    pub clock: Clock,
    /// The exchange that is asked first, with its name in the settings; `None` for a job of tables.
    pub source: Option<(String, Arc<Source>)>,
    pub max_clock_skew_ms: i64,
    /// Of a job that sells a vault's WBTC.
    pub vault: Option<VaultProbe>,
    pub chain: Chain,
    pub chain_id: u64,
    pub action: Action,
    /// Those of the model.
    pub markets: Vec<Market>,
    pub schedule: Schedule,
    /// Of the job's periods.
    pub grid: Grid,
    pub max_head_age_seconds: i64,
    /// Updates that the wallet should be able to pay for.
    pub enough_updates: Arc<AtomicU64>,
    /// Whether no other job says in the log what the wallet holds.
    pub tells_of_wallet: bool,
    /// Folder and manifest of the model that runs.
    pub bundle: (PathBuf, Digest),
    pub state_path: PathBuf,
}

impl Probe {
    /// Checks every so often until `stop` is cancelled, and says in the log what changes.
    pub async fn run(self, every: Duration, reports: watch::Sender<Option<Arc<Report>>>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let report = tokio::select! {
                checks = self.checks() => Report { checked: Instant::now(), checks },
                () = stop.cancelled() => return,
            };
            self.tell_changes(reports.borrow().as_deref(), &report);
            reports.send_replace(Some(Arc::new(report)));
            let _stopped = tokio::time::timeout(every, stop.cancelled()).await;
        }
    }

    fn tell_changes(&self, before: Option<&Report>, now: &Report) {
        for check in now.checks.iter().filter(|check| self.tells_of_wallet || check.name != checks::BALANCE) {
            let level_before = before.and_then(|report| report.checks.iter().find(|one| one.name == check.name));
            let level_before = level_before.map_or(Level::Ok, |check| check.level);
            if check.level == level_before {
                continue;
            }
            let (name, figure, code, hint) = (check.name, &check.figure, check.code, check.hint);
            match check.level {
                Level::Ok => info!(check = name, figure, "check passes again"),
                Level::Warn | Level::Fail => warn!(check = name, code, figure, hint, "check does not pass"),
            }
        }
    }

    /// All checks at once.
    pub async fn checks(&self) -> Vec<Check> {
        let now_ms = self.clock.now_ms();
        let reader = &self.chain.read;
        let on_chain = async {
            let contract = checks::contract(reader, &self.action).await;
            if contract.level == Level::Fail {
                return vec![contract];
            }
            let last = checks::last_update(reader, &self.action, (&self.schedule, self.grid), now_ms).await;
            let Some(vault) = &self.vault else { return vec![contract, last] };
            let mut found = vec![contract];
            found.extend(vault.checks(reader, self.action.contract(), last).await);
            found
        };
        let (folder, running) = self.bundle.clone();
        let state_path = self.state_path.clone();
        let on_disk = async {
            let looked =
                move || vec![checks::artefacts(&folder, running), checks::disk(&state_path, checks::LOW_DISK_BYTES)];
            tokio::task::spawn_blocking(looked).await.unwrap_or_else(|_| vec![no_result("model files")])
        };
        let clock = async {
            let (name, source) = self.source.as_ref()?;
            Some(within("clock", checks::clock(source, name, now_ms, self.max_clock_skew_ms)).await)
        };
        let counted = checks::count_markets(reader, self.action.contract(), &self.markets, now_ms);
        let (head, on_chain, attestor, balance, clock, on_disk, _counted) = tokio::join!(
            within("chain head", checks::head(reader, self.chain_id, now_ms, self.max_head_age_seconds)),
            tokio::time::timeout(CHECK_LIMIT, on_chain),
            within("attestor", checks::attestor(&self.chain, self.action.contract())),
            within(checks::BALANCE, checks::balance(&self.chain, self.enough_updates.load(Ordering::Relaxed))),
            clock,
            on_disk,
            tokio::time::timeout(CHECK_LIMIT, counted),
        );
        let on_chain = on_chain.unwrap_or_else(|_| vec![no_result("model on chain")]);
        let found: Vec<Check> =
            [head, attestor, balance].into_iter().chain(clock).chain(on_chain).chain(on_disk).collect();
        for check in &found {
            metrics::checked(check.name, check.level != Level::Fail);
        }
        found
    }
}

async fn within(name: &'static str, check: impl Future<Output = Check>) -> Check {
    tokio::time::timeout(CHECK_LIMIT, check).await.unwrap_or_else(|_| no_result(name))
}

fn no_result(name: &'static str) -> Check {
    Check::fail(name, &HealthError::NoResult { after: CHECK_LIMIT })
}
