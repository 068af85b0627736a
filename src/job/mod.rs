//! One cycle from candles to a confirmed update. The only place that knows the order of the stages.

mod aftermath;
pub mod attesting;
pub mod candles;
pub mod collect;
mod cross_check;
pub mod decide;
pub mod error;
mod evidence;
pub mod feeds;
mod fetch;
pub mod input;
mod late;
mod lend;
mod nonces;
pub mod overview;
pub mod reorg;
pub mod stages;
mod submission;
pub mod tables;
pub mod timer;
pub mod wallet_guard;
pub mod yields;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info, info_span, warn};

use crate::actions::Action;
use crate::actions::error::PAUSED_CODE;
use crate::attestation::peers::Peers;
use crate::bundle::Bundle;
use crate::chain::Chain;
use crate::clock::Clock;
use crate::evidence::EvidenceStore;
use crate::forecast::JobModel;
use crate::state::error::StateError;
use crate::state::jobs::Scope;
use crate::state::{Step, Store};
use crate::telemetry::metrics;
use crate::verification::shared::SharedProver;
use error::{CycleError, StageError};
use input::Input;
use veriregime_core::schedule::absent;
use veriregime_core::types::contract::Contract;
use veriregime_core::types::cycle::{CycleRecord, Retrying, Stage};
use veriregime_core::types::diagnostic::{Diagnostic, Retry};
use veriregime_core::types::digest::Digest;
use veriregime_core::types::job::JobKey;
use veriregime_core::types::period::{Grid, PeriodId};
use veriregime_core::types::replica::Replica;
use wallet_guard::WalletGuard;

/// Pause before a transaction that cannot be replaced is looked at again.
const HOPELESS_PAUSE: Duration = Duration::from_secs(10);
/// Shortest pause between two tries.
const SHORTEST_PAUSE: Duration = Duration::from_millis(250);

/// Everything that a cycle works with.
#[derive(Debug)]
pub struct Agent {
    /// Name in the settings.
    pub name: String,
    pub clock: Clock,
    pub bundle: Bundle,
    pub model: JobModel,
    /// What it is fed.
    pub input: Input,
    pub prover: SharedProver,
    pub chain: Chain,
    pub store: Arc<Store>,
    /// What is done with a forecast.
    pub action: Action,
    /// The jobs that this process runs, this one among them.
    pub running: Arc<[JobKey]>,
    pub poll_interval: Duration,
    /// A transaction that is not mined by then is replaced.
    pub replace_after_ms: i64,
    /// Blocks that a landed update must be deep, its own included.
    pub confirmations: u64,
    /// Where evidence is left.
    pub evidence: EvidenceStore,
    /// For how long it is kept.
    pub evidence_keep_ms: i64,
    /// This node among others that serve the contract.
    pub replica: Replica,
    /// Whether anything else uses the wallet.
    pub wallet_guard: Arc<WalletGuard>,
    /// Other operators, who attest what they find to be true.
    pub peers: Peers,
}

impl Agent {
    /// The model, by its bundle's manifest.
    pub fn manifest(&self) -> Digest {
        self.bundle.manifest_digest
    }

    /// The grid of its periods, which is the model's.
    pub fn grid(&self) -> Grid {
        self.bundle.manifest.grid
    }

    /// The running period.
    pub fn running_period(&self) -> PeriodId {
        self.grid().period_at(self.clock.now_ms())
    }

    /// What all of its cycles are of.
    pub fn job(&self) -> JobKey {
        let contract = Contract { chain_id: self.chain.read.chain_id(), address: self.action.contract() };
        JobKey::new(contract, self.manifest())
    }

    /// The jobs whose cycles this one closes: itself, and those that do not run any more and are nobody else's to close.
    fn cared_for(&self) -> Result<Vec<JobKey>, StateError> {
        self.store.cared_for(self.job(), &self.running)
    }

    /// Runs the cycle of `period` from wherever it was left until it has ended, at the latest soon after the period does.
    /// Breaks off when `stop` is cancelled, to be taken up again from what is stored. A cycle whose transaction waits to be
    /// mined even then stays unfinished; [`Agent::settle`] closes it later, and no later cycle of the job signs before.
    ///
    /// # Errors
    /// Only when the database fails: then nothing can be done safely.
    pub async fn run(&mut self, period: PeriodId, stop: &CancellationToken) -> Result<CycleRecord, StateError> {
        let record = self.run_until(Stage::Missed, period, stop).await?;
        self.leave_evidence().await?;
        self.note_parameters().await?;
        self.note_what_followed(&record).await?;
        Ok(record)
    }

    /// As [`Agent::run`], but no further than the stage `last`.
    ///
    /// # Errors
    /// As [`Agent::run`].
    pub async fn run_until(
        &mut self,
        last: Stage,
        period: PeriodId,
        stop: &CancellationToken,
    ) -> Result<CycleRecord, StateError> {
        let span = info_span!("cycle", job = self.name, period = period.0, model = %self.bundle.manifest.model_id);
        self.steps_until(last, period, stop).instrument(span).await
    }

    async fn steps_until(
        &mut self,
        last: Stage,
        period: PeriodId,
        stop: &CancellationToken,
    ) -> Result<CycleRecord, StateError> {
        let mut record = self.store.begin(self.job(), self.grid(), period, self.clock.now_ms())?;
        let mut last_fault = None;
        let mut overtime = false;
        let mut reached = Instant::now();
        while !record.stage.is_final() && record.stage < last && !stop.is_cancelled() {
            if self.clock.now_ms() >= record.end_ms {
                if record.stage != Stage::Submitting {
                    return self.close(record, last_fault.unwrap_or(CycleError::Deadline.into())).await;
                }
                // One round more: what was sent is to be cancelled.
                if std::mem::replace(&mut overtime, true) {
                    warn!(period = period.0, "left open: a transaction is neither mined nor cancelled yet");
                    return Ok(record);
                }
            }
            let outcome = tokio::select! {
                outcome = self.step(&record) => outcome,
                () = stop.cancelled() => break,
            };
            match outcome {
                Ok(mut next) => {
                    if next.stage != record.stage {
                        info!(stage = next.stage.name(), "stage reached");
                        metrics::stage_left(record.stage, reached.elapsed());
                        reached = Instant::now();
                        if next.stage == Stage::Proved {
                            // Nobody is to wait for the transaction to see what followed the last forecast.
                            self.note_what_followed(&next).await?;
                        }
                    } else if next.retrying.is_some() {
                        self.note_retrying(&mut next, None);
                    }
                    record = next;
                }
                Err(StageError::State(fault)) => return Err(fault),
                Err(fault) => match fault.retry() {
                    // With a transaction on its way, the period's end decides.
                    Retry::Never if record.stage == Stage::Submitting => {
                        self.pause(&mut record, fault, HOPELESS_PAUSE, &mut last_fault, stop).await;
                    }
                    Retry::Never => return self.close(record, fault).await,
                    Retry::Now => self.pause(&mut record, fault, Duration::ZERO, &mut last_fault, stop).await,
                    Retry::Later(pause) => self.pause(&mut record, fault, pause, &mut last_fault, stop).await,
                },
            }
        }
        Ok(record)
    }

    async fn pause(
        &self,
        record: &mut CycleRecord,
        fault: StageError,
        pause: Duration,
        last_fault: &mut Option<StageError>,
        stop: &CancellationToken,
    ) {
        let (stage, code, hint) = (record.stage.name(), fault.code(), fault.hint());
        if code == PAUSED_CODE {
            info!(stage, code, hint, "{fault}");
        } else {
            warn!(stage, code, error = %fault, hint, "trying again");
        }
        metrics::tried_again(record.stage, fault.code());
        if record.retrying.as_ref().is_none_or(|noted| noted.code != fault.code()) {
            self.note_retrying(record, Some(&fault));
        }
        *last_fault = Some(fault);
        let left_ms = (record.end_ms - self.clock.now_ms()).max(0) as u64;
        let pause = pause.max(SHORTEST_PAUSE).min(Duration::from_millis(left_ms).max(SHORTEST_PAUSE));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => {}
        }
    }

    /// Notes for `status` why a cycle does not get on, or that it does again. That this fails is no reason not to go on.
    fn note_retrying(&self, record: &mut CycleRecord, fault: Option<&StageError>) {
        let now_ms = self.clock.now_ms();
        record.retrying =
            fault.map(|fault| Retrying { code: fault.code().to_owned(), message: fault.to_string(), since_ms: now_ms });
        if let Err(fault) = self.store.note_retrying(record) {
            warn!(code = fault.code(), error = %fault, "it is not noted why the stage is tried again");
        }
    }

    /// Ends a cycle that has sent nothing and cannot go on.
    async fn close(&self, record: CycleRecord, fault: StageError) -> Result<CycleRecord, StateError> {
        match self.look_on_chain(&record).await {
            Ok(Some(step)) => self.advance(&record, &step),
            Err(StageError::State(fault)) => Err(fault),
            Ok(None) | Err(_) => self.missed(&record, &fault),
        }
    }

    /// Closes the cycles of periods that are over, by what the chain says of them, whichever model they were of, and notes
    /// those that nobody ran.
    ///
    /// # Errors
    /// Only when the database fails.
    pub async fn settle(&self, schedule: &cron::Schedule) -> Result<(), StateError> {
        let now_ms = self.clock.now_ms();
        let mut jobs = self.cared_for()?;
        for record in self.store.unfinished_by(Scope::Jobs(&jobs), now_ms)? {
            let span = info_span!("settle", job = self.name, period = record.period.0);
            self.settle_one(record).instrument(span).await?;
        }
        // What another contract had says nothing of this one's periods.
        jobs.retain(|job| job.contract == self.job().contract);
        let newest =
            self.store.recent(Scope::Jobs(&jobs), 1)?.first().map(|record| self.grid().period_at(record.start_ms));
        for period in newest.map_or_else(Vec::new, |newest| absent(schedule, self.grid(), newest, now_ms)) {
            let record = self.store.begin(self.job(), self.grid(), period, now_ms)?;
            let span = info_span!("settle", job = self.name, period = period.0);
            self.close(record, CycleError::Absent.into()).instrument(span).await?;
        }
        Ok(())
    }

    pub(super) async fn settle_one(&self, record: CycleRecord) -> Result<(), StateError> {
        if record.stage != Stage::Submitting {
            return self.close(record, CycleError::Deadline.into()).await.map(|_| ());
        }
        match self.land(&record).await {
            Ok(record) if record.stage.is_final() => Ok(()),
            Ok(_) => {
                warn!("left open: a transaction is neither mined nor cancelled yet");
                Ok(())
            }
            Err(StageError::State(fault)) => Err(fault),
            Err(fault) => {
                warn!(code = fault.code(), error = %fault, "left open: the chain does not say yet what landed");
                Ok(())
            }
        }
    }

    fn advance(&self, record: &CycleRecord, step: &Step<'_>) -> Result<CycleRecord, StateError> {
        // What was to be made good and was not takes nothing from what has landed before.
        let kept = record.landed.filter(|_| record.stage < Stage::Submitting).map(Step::Kept);
        let step = match (&kept, step) {
            (Some(kept), Step::Missed(_) | Step::AlreadyByOther) => kept,
            _ => step,
        };
        let next = self.store.advance(record.job, record.period, step, self.clock.now_ms())?;
        match step {
            Step::Collected(_, origin) | Step::Recollected(_, origin) => {
                metrics::collected(origin, self.model.names().iter().map(String::as_str));
            }
            Step::Tables(_, origin) => metrics::tables_collected(tables::SOURCE, origin),
            Step::Submitting(attempt) | Step::SubmittingAgain(attempt) => metrics::signed(attempt.purpose),
            _ if next.stage.is_final() => metrics::cycle_ended(next.stage),
            _ => {}
        }
        Ok(next)
    }
}
