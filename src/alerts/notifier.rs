//! Looks at what is stored and what was checked of all jobs, and tells the webhook. Beside the cycles, never in their way.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::conditions::{self, Shares};
use super::webhook::Webhook;
use crate::alerts::state::{AlertState, Message};
use crate::clock::Clock;
use crate::health::monitor::{Latest, Report};
use crate::job::overview::Overview;
use crate::state::Store;
use crate::state::error::StateError;
use crate::state::jobs::Scope;
use veriregime_core::types::alert::{Alert, HeldAlert, Subject};
use veriregime_core::types::cycle::CycleRecord;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::job::JobKey;

/// Cycles that are looked at.
const CYCLES: u32 = 6;

/// Ends of cycles that are told of in one go: a month of them.
const UNTOLD_CYCLES: u32 = 180;

/// What may change while it runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `None` for nobody to tell.
    pub webhook: Option<Arc<Webhook>>,
    pub resend_after: Duration,
    pub stuck_after: Duration,
}

/// A job that was opened.
#[derive(Debug, Clone)]
pub struct WatchedJob {
    pub shares: Shares,
    pub key: JobKey,
    /// The jobs that this process runs, this one among them.
    pub running: Arc<[JobKey]>,
    pub clock: Clock,
    pub health: Latest,
}

/// Who looks.
#[derive(Debug)]
pub struct Watcher {
    /// A connection that is not the cycles'.
    pub store: Arc<Store>,
    /// What all jobs are doing.
    pub overview: Overview,
    /// Those that were opened.
    pub jobs: watch::Receiver<Vec<WatchedJob>>,
    /// Between two looks: the time between two rounds of checks.
    pub every: Duration,
    pub settings: watch::Receiver<Settings>,
    /// What was seen to hold, for whoever looks at the node.
    pub held: watch::Sender<Arc<[HeldAlert]>>,
}

/// What was seen in one look.
#[derive(Debug, Default)]
struct Sight {
    alerts: Vec<Alert>,
    /// What was looked at. What is wrong with anything else may still hold.
    subjects: Vec<Subject>,
    /// Whether some job was not looked at yet.
    is_partial: bool,
    /// Cycles whose end is told with this.
    untold: Vec<CycleRecord>,
}

impl Watcher {
    /// Looks again and again, until `stop` is cancelled. What is wrong with it is said in the log: it must not end anything
    /// else.
    pub async fn run(self, stop: CancellationToken) {
        let mut ledger = match self.stored(Store::told).await {
            Ok(told) => AlertState::new(told),
            Err(fault) => {
                warn!(code = fault.code(), error = %fault, "what was told before is not known");
                AlertState::default()
            }
        };
        while tokio::time::timeout(self.every, stop.cancelled()).await.is_err() {
            tokio::select! {
                looked = self.look(&mut ledger) => if let Err(fault) = looked {
                    warn!(code = fault.code(), error = %fault, "alerts are not looked at");
                },
                () = stop.cancelled() => return,
            }
        }
    }

    async fn look(&self, ledger: &mut AlertState) -> Result<(), StateError> {
        let settings = self.settings.borrow().clone();
        let sight = self.sight(settings.stuck_after).await?;
        self.show(&sight.alerts);
        if let Some(webhook) = settings.webhook {
            let now_ms = Clock::System.now_ms();
            let was_seen = |subject: &Subject| !sight.is_partial || sight.subjects.contains(subject);
            for message in ledger.due(now_ms, &sight.alerts, was_seen, settings.resend_after) {
                if !self.tell(&webhook, ledger, now_ms, &message).await? {
                    // The others would wait as long; all of them are due again at the next look.
                    return Ok(());
                }
            }
        }
        // Where nobody is to be told, nobody who is named later is to be told of this.
        let untold = sight.untold;
        self.stored(move |store| store.have_told(&untold)).await
    }

    /// Shows what holds, each since it was first seen to.
    fn show(&self, alerts: &[Alert]) {
        let now_ms = Clock::System.now_ms();
        self.held.send_modify(|held| {
            let since_ms = |alert: &Alert| {
                let is_it = |one: &&HeldAlert| (&one.alert.subject, &one.alert.key) == (&alert.subject, &alert.key);
                held.iter().find(is_it).map_or(now_ms, |one| one.since_ms)
            };
            *held = alerts.iter().map(|alert| HeldAlert { alert: alert.clone(), since_ms: since_ms(alert) }).collect();
        });
    }

    /// What holds now.
    async fn sight(&self, stuck_after: Duration) -> Result<Sight, StateError> {
        let mut sight = Sight::default();
        let opened = self.jobs.borrow().clone();
        for state in self.overview.jobs() {
            let subject = Subject::Job { job: state.name.clone(), chain_id: state.chain_id };
            if let Some(failure) = state.failure() {
                sight.alerts.push(conditions::failed(subject, failure));
            }
            let job = opened.iter().find(|job| job.shares.job == state.name);
            let reported = job.and_then(|job| Some((job, job.health.borrow().clone()?)));
            let Some((job, report)) = reported else {
                sight.is_partial = true;
                continue;
            };
            self.look_at(job, &report, stuck_after, &mut sight).await?;
        }
        Ok(sight)
    }

    async fn look_at(
        &self,
        job: &WatchedJob,
        report: &Report,
        stuck_after: Duration,
        sight: &mut Sight,
    ) -> Result<(), StateError> {
        let (key, running) = (job.key, job.running.clone());
        let stored = move |store: &Store| {
            let untold = store.untold(Scope::Jobs(&store.cared_for(key, &running)?), UNTOLD_CYCLES)?;
            Ok((store.recent(key, CYCLES)?, untold))
        };
        let (records, untold): (Vec<CycleRecord>, Vec<CycleRecord>) = self.stored(stored).await?;
        let now_ms = job.clock.now_ms();
        let found = conditions::active_alerts(now_ms, &job.shares, &records, &untold, report, stuck_after);
        conditions::add(&mut sight.alerts, found);
        sight.subjects.extend(job.shares.subjects());
        sight.untold.extend(untold);
        Ok(())
    }

    /// Tells one message; whether it was taken.
    async fn tell(
        &self,
        webhook: &Webhook,
        ledger: &mut AlertState,
        now_ms: i64,
        message: &Message,
    ) -> Result<bool, StateError> {
        let (subject, key) = match message {
            Message::Holds(alert) => (alert.subject.clone(), alert.key.clone()),
            Message::Resolved(told) => (told.subject.clone(), told.key.clone()),
        };
        let (about, said) = (subject.to_string(), key.clone());
        let forget = move |store: &Store| store.remove_alert(&subject, &key);
        let unsaid = ledger.about_to_say(now_ms, message);
        let is_new = unsaid.is_some();
        if let Some(told) = unsaid {
            self.stored(move |store| store.upsert_alert(&told)).await?;
        }
        if let Err(fault) = webhook.send(message).await {
            warn!(code = fault.code(), error = %fault, hint = fault.hint(), "alert not delivered");
            if is_new {
                self.stored(forget).await?;
            }
            return Ok(false);
        }
        match ledger.said(now_ms, message) {
            Some(told) => self.stored(move |store| store.upsert_alert(&told)).await?,
            None => self.stored(forget).await?,
        }
        info!(about, key = said, "alert delivered");
        Ok(true)
    }

    async fn stored<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, StateError> + Send + 'static,
    ) -> Result<T, StateError> {
        let store = self.store.clone();
        let done = tokio::task::spawn_blocking(move || work(&store)).await;
        done.map_err(|error| StateError::Corrupt(error.to_string()))?
    }
}
