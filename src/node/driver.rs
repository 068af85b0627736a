//! One job from the start of the process to its end: opened, run, and opened again after it broke down.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{Instrument, error, info, info_span, warn};

use super::error::{NodeError, failure};
use super::parts::Parts;
use super::services::Services;
use crate::actions::error::ActionError;
use crate::chain::error::ChainError;
use crate::clock::Clock;
use crate::config::Config;
use crate::health::WORKS;
use crate::job::Agent;
use crate::job::error::{CycleError, StageError};
use crate::job::overview::{Activity, Progress};
use crate::job::timer;
use crate::job::timer::ScheduleConfig;
use crate::state::error::StateError;
use crate::telemetry::metrics;
use veriregime_core::types::diagnostic::Diagnostic;

/// Pause before a job that does not work is opened again; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest such pause: what is mended costs a minute, and no period.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// What keeps one job going.
#[derive(Debug, Clone)]
pub(super) struct Driver {
    pub(super) config: Arc<Config>,
    /// Whether the process has no other job.
    pub(super) is_alone: bool,
    pub(super) parts: Arc<Parts>,
    /// What serves, checks and watches the job once it is opened.
    pub(super) services: Arc<Services>,
    pub(super) progress: Progress,
    pub(super) stop: CancellationToken,
}

impl Driver {
    /// Runs the job, `opened` already or not, until `stop` is cancelled. What goes wrong with it is told, and it is tried
    /// again.
    ///
    /// # Errors
    /// A database that fails: then no job can do anything safely. And a schedule that has ended, where there is no other job.
    pub(super) async fn run(self, opened: Option<Agent>) -> anyhow::Result<()> {
        let span = info_span!("job", job = self.config.names.job);
        self.run_on(opened).instrument(span).await
    }

    async fn run_on(self, mut opened: Option<Agent>) -> anyhow::Result<()> {
        let (mut pause, mut failing) = (FIRST_PAUSE, None);
        self.count(false);
        while !self.stop.is_cancelled() {
            let began = Instant::now();
            let attempt = self.clone().attempt(opened.take()).in_current_span();
            let error = match AbortOnDropHandle::new(tokio::spawn(attempt)).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) if is_of_database(&error) => return Err(error),
                Ok(Err(error)) if self.is_alone && has_no_tick(&error) => return Err(error),
                Ok(Err(error)) => error,
                Err(broken) => NodeError::Panicked(panic_words(broken)).into(),
            };
            if began.elapsed() > LONGEST_PAUSE {
                (pause, failing) = (FIRST_PAUSE, None);
            }
            let (since_ms, tries) = failing.map_or((Clock::System.now_ms(), 1), |(since, tries)| (since, tries + 1));
            failing = Some((since_ms, tries));
            let failure = failure(&error, since_ms, tries);
            let (code, hint, message) = (failure.code, failure.hint, failure.message.clone());
            error!(code, error = message, hint, retry_s = pause.as_secs(), "the job does not work, the others go on");
            self.progress.tell(|job| job.activity = Activity::Failed(failure));
            self.count(false);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.stop.cancelled() => {}
            }
            pause = LONGEST_PAUSE.min(pause * 2);
        }
        Ok(())
    }

    fn count(&self, works: bool) {
        metrics::begin_job(&self.config.names.job, || metrics::checked(WORKS, works));
    }

    /// Opens the job and runs it until `stop` is cancelled.
    async fn attempt(self, opened: Option<Agent>) -> anyhow::Result<()> {
        let mut agent = match opened {
            Some(agent) => agent,
            None => open(&self.parts, &self.config).await?,
        };
        self.services.attach(&self.config, &agent)?;
        self.progress.tell(|job| {
            job.key = Some(agent.job());
            job.model = Some(agent.bundle.manifest.model_id.clone());
        });
        self.count(true);
        let schedule = schedule(&self.config);
        let run = timer::run(&mut agent, &schedule, Some(&self.progress), &self.stop);
        Ok(metrics::of_job(self.config.names.job.clone(), run).await?)
    }
}

/// When a job's cycles run.
pub(super) fn schedule(config: &Config) -> ScheduleConfig {
    ScheduleConfig {
        schedule: config.schedule.cron.clone(),
        delay_ms: config.schedule.delay_ms,
        recheck: config.schedule.recheck,
    }
}

/// A job that may run: on the right chain, with the right contract and keys that it knows.
///
/// # Errors
/// What keeps it from running.
pub(super) async fn open(parts: &Parts, config: &Config) -> anyhow::Result<Agent> {
    let agent = parts.job(config).await?;
    check_chain(&agent).await?;
    info!(
        job = agent.name,
        model = agent.bundle.manifest.model_id,
        manifest = %agent.manifest(),
        wallet = %agent.chain.address(),
        attestor = %agent.chain.attestor(),
        oracle = %agent.action.contract(),
        replica = agent.replica.index,
        replicas = agent.replica.count,
        "agent started"
    );
    Ok(agent)
}

/// Refuses the wrong chain or contract, or a key that is no attestor's. A chain that does not answer may come up later.
async fn check_chain(agent: &Agent) -> Result<(), StageError> {
    let checked = async {
        agent.chain.read.check_chain_id().await?;
        agent.action.model_id(&agent.chain.read).await?;
        agent.attestor_set().await?;
        Ok::<_, StageError>(())
    };
    match checked.await {
        Ok(()) => {}
        Err(StageError::Action(ActionError::Chain(
            fault @ (ChainError::Unreachable(_) | ChainError::Refused(_) | ChainError::Garbage(_)),
        ))) => {
            warn!(code = fault.code(), error = %fault, hint = fault.hint(), "starting without the chain");
            return Ok(());
        }
        Err(fault) => return Err(fault),
    }
    if let Err(fault) = agent.ensure_exclusive_wallet().await {
        // No reason not to start: the time until the first signature counts as silence.
        warn!(code = fault.code(), error = %fault, hint = fault.hint(), "looking out for a twin");
    }
    Ok(())
}

fn is_of_database(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|link| link.is::<StateError>() || matches!(link.downcast_ref::<StageError>(), Some(StageError::State(_))))
}

fn has_no_tick(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref::<StageError>(), Some(StageError::CycleError(CycleError::NoTick)))
}

fn panic_words(broken: tokio::task::JoinError) -> String {
    match broken.try_into_panic() {
        Ok(payload) => {
            let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
            text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without words".into())
        }
        Err(broken) => broken.to_string(),
    }
}
