//! Looks at what is stored and what was checked, and tells the webhook. Beside the cycle, never in its way.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::conditions;
use super::webhook::Webhook;
use crate::alerts::state::{AlertState, Message};
use crate::clock::Clock;
use crate::health::monitor::{Latest, Report};
use crate::state::Store;
use crate::state::error::StateError;
use crate::state::jobs::Scope;
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

/// Who looks.
#[derive(Debug)]
pub struct Watcher {
    pub clock: Clock,
    /// A connection that is not the cycles'.
    pub store: Arc<Store>,
    /// Whose cycles it looks at.
    pub job: JobKey,
    /// The jobs that this process runs, this one among them.
    pub running: Arc<[JobKey]>,
    pub health: Latest,
    pub settings: watch::Receiver<Settings>,
}

impl Watcher {
    /// Looks after every round of checks, until `stop` is cancelled. What is wrong with it is said in the log: it must not end
    /// anything else.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut ledger = match self.stored(Store::told).await {
            Ok(told) => AlertState::new(told),
            Err(fault) => {
                warn!(code = fault.code(), error = %fault, "what was told before is not known");
                AlertState::default()
            }
        };
        loop {
            tokio::select! {
                changed = self.health.changed() => if changed.is_err() { return },
                () = stop.cancelled() => return,
            }
            let Some(report) = self.health.borrow_and_update().clone() else { continue };
            tokio::select! {
                looked = self.look(&mut ledger, &report) => if let Err(fault) = looked {
                    warn!(code = fault.code(), error = %fault, "alerts are not looked at");
                },
                () = stop.cancelled() => return,
            }
        }
    }

    async fn look(&self, ledger: &mut AlertState, report: &Report) -> Result<(), StateError> {
        let settings = self.settings.borrow().clone();
        let running = self.running.clone();
        let untold: Vec<CycleRecord> = self
            .stored(move |store, job| store.untold(Scope::Jobs(&store.cared_for(job, &running)?), UNTOLD_CYCLES))
            .await?;
        let Some(webhook) = settings.webhook else {
            // Nobody is to be told, and nobody who is named later is to be told of this.
            return self.stored(move |store, _| store.have_told(&untold)).await;
        };
        let records: Vec<CycleRecord> = self.stored(|store, job| store.recent(job, CYCLES)).await?;
        let now_ms = self.clock.now_ms();
        let active_alerts = conditions::active_alerts(now_ms, &records, &untold, report, settings.stuck_after);
        for message in ledger.due(now_ms, &active_alerts, settings.resend_after) {
            let key = match &message {
                Message::Holds(alert) => alert.key.clone(),
                Message::Resolved(told) => told.key.clone(),
            };
            let unsaid = ledger.about_to_say(now_ms, &message);
            let is_new = unsaid.is_some();
            if let Some(told) = unsaid {
                self.stored(move |store, job| store.upsert_alert(job, &told)).await?;
            }
            if let Err(fault) = webhook.send(&message).await {
                warn!(code = fault.code(), error = %fault, hint = fault.hint(), "alert not delivered");
                if is_new {
                    self.stored(move |store, job| store.remove_alert(job, &key)).await?;
                }
                // The others would wait as long; all of them are due again at the next look.
                return Ok(());
            }
            let said = key.clone();
            match ledger.said(now_ms, &message) {
                Some(told) => self.stored(move |store, job| store.upsert_alert(job, &told)).await?,
                None => self.stored(move |store, job| store.remove_alert(job, &key)).await?,
            }
            info!(key = said, "alert delivered");
        }
        self.stored(move |store, _| store.have_told(&untold)).await
    }

    async fn stored<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store, JobKey) -> Result<T, StateError> + Send + 'static,
    ) -> Result<T, StateError> {
        let (store, job) = (self.store.clone(), self.job);
        let done = tokio::task::spawn_blocking(move || work(&store, job)).await;
        done.map_err(|error| StateError::Corrupt(error.to_string()))?
    }
}
