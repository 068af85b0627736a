//! What every watcher does, whatever it follows: it looks again and again, and says what it has seen.

use std::collections::VecDeque;
use std::time::Duration;

use alloy::primitives::B256;
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::one::Report;
use super::reports::{PublicationReport, SaleReport};
use crate::alerts::AlertError;
use crate::alerts::conditions::of_period;
use crate::alerts::state::Message;
use crate::alerts::webhook::Webhook;
use crate::audit::compare::Verdict;
use crate::audit::error::AuditError;
use crate::config::Config;
use crate::diagnosis;
use crate::node::assemble;
use veriregime_core::types::alert::{Severity, Subject};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::period::PeriodId;

/// Longest pause between two looks.
const PAUSE: Duration = Duration::from_secs(30);
/// Blocks that are looked at again: the chain may have exchanged them, or another RPC may not have had them yet.
const LOOK_BACK_BLOCKS: u64 = 64;
/// Messages that wait for a webhook that does not take them: two weeks of lies.
const MAX_WAITING: usize = 100;

/// What a watcher has to say.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Notice<'a> {
    /// An update was audited.
    Audited(&'a Report),
    /// A vault's sale was audited.
    Sale(&'a SaleReport),
    /// A feed's forecast was audited.
    Publication(&'a PublicationReport),
    /// A period has ended without an update.
    NoUpdate {
        #[serde(flatten)]
        job: Subject,
        period: PeriodId,
        #[serde(skip)]
        start_ms: i64,
    },
    /// A model that no bundle belongs to.
    UnknownModel {
        #[serde(flatten)]
        job: Subject,
        verdict: Verdict,
        code: &'static str,
        model_id: B256,
        manifest_sha256: Digest,
        active: bool,
        #[serde(skip)]
        text: String,
    },
}

/// Takes what a watcher has to say; whether anybody still listens.
pub type Listener<'a> = dyn FnMut(&Notice<'_>) -> bool + Send + 'a;

/// What is looked at.
pub(super) trait Watched {
    /// Takes in what the contract has said since the last look, and audits what is open.
    fn look(&mut self) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// The first period of which nothing has been said yet.
    fn period(&self) -> PeriodId;

    /// Who says what was seen.
    fn has_listener(&self) -> bool;

    /// Tells the webhook what waits.
    fn tell(&mut self) -> impl Future<Output = ()> + Send;
}

/// Looks until `stop` is cancelled, or nobody listens and there is no webhook. What fails is asked again.
pub(super) async fn watch(watched: &mut impl Watched, config: &Config, stop: &CancellationToken) {
    let pause = PAUSE.min(config.schedule.recheck);
    // Without a reader and a webhook nobody would be told.
    while !stop.is_cancelled() && watched.has_listener() {
        if let Err(error) = watched.look().await {
            complain(watched.period(), &error);
        }
        let rest = async {
            watched.tell().await;
            tokio::time::sleep(pause).await;
        };
        tokio::select! {
            () = rest => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Logs why something is not audited yet.
pub(super) fn complain(period: PeriodId, error: &anyhow::Error) {
    warn!(
        period = period.0,
        code = diagnosis::code(error),
        error = diagnosis::words(error),
        "not audited yet, trying again"
    );
}

/// The first block of a look after one that ended before `next_block`.
pub(super) fn again_from(next_block: u64) -> u64 {
    next_block.saturating_sub(LOOK_BACK_BLOCKS)
}

/// A model that no bundle belongs to.
pub(super) struct Unknown {
    pub(super) model_id: B256,
    pub(super) manifest: Digest,
    /// Where it was met.
    pub(super) what: &'static str,
    pub(super) is_active: bool,
}

/// Says what was seen, to whoever listens and to the webhook.
pub(super) struct Voice<'a, 'b> {
    /// What is said of the contract is said of this job.
    job: Subject,
    listener: &'a mut Listener<'b>,
    /// Whether anybody listened when something was said last.
    is_heard: bool,
    webhook: Option<Webhook>,
    waiting: VecDeque<Message>,
    /// The worst verdict so far.
    pub(super) worst: Verdict,
}

impl<'a, 'b> Voice<'a, 'b> {
    pub(super) fn new(config: &Config, job: Subject, listener: &'a mut Listener<'b>) -> anyhow::Result<Self> {
        let oracle = assemble::oracle(config)?;
        let name = config.alerts.node_name.clone().unwrap_or_else(|| format!("audit of {oracle}"));
        let webhook = config.alerts.webhook_file.as_deref().map(|path| Webhook::from_file(path, name));
        let (webhook, waiting) = (webhook.transpose()?, VecDeque::new());
        Ok(Self { job, listener, is_heard: true, webhook, waiting, worst: Verdict::Match })
    }

    /// Whether there is anybody to tell.
    pub(super) fn is_heard(&self) -> bool {
        self.is_heard || self.webhook.is_some()
    }

    fn say(&mut self, notice: &Notice<'_>) {
        self.is_heard = (self.listener)(notice);
    }

    /// Says what an audit has found of a job's update.
    pub(super) fn audited(
        &mut self,
        notice: &Notice<'_>,
        job: Subject,
        (period, transaction): (PeriodId, B256),
        verdict: Verdict,
    ) {
        self.say(notice);
        self.worst = self.worst.max(verdict);
        // That nobody knows its model is told by itself.
        if !matches!(verdict, Verdict::Match | Verdict::UnknownModel) {
            let fault = AlertError::Audit { verdict: verdict.words(), transaction: transaction.to_string() };
            self.note(job, period, Severity::Critical, &fault);
        }
    }

    /// Says that a period has ended without an update.
    pub(super) fn no_update(&mut self, period: PeriodId, start_ms: i64) {
        let notice = Notice::NoUpdate { job: self.job.clone(), period, start_ms };
        self.say(&notice);
    }

    /// Says that a model cannot be audited.
    pub(super) fn unknown(&mut self, period: PeriodId, unknown: &Unknown) {
        let Unknown { model_id, manifest, what, is_active } = *unknown;
        let (fault, job) = (AuditError::UnknownModel { model_id, manifest, what }, self.job.clone());
        warn!(code = fault.code(), error = %fault, hint = fault.hint(), "a model that cannot be audited");
        self.say(&Notice::UnknownModel {
            verdict: Verdict::UnknownModel,
            code: fault.code(),
            model_id,
            manifest_sha256: manifest,
            active: is_active,
            text: format!("{job}, {}: {fault}; {}", fault.code(), fault.hint()),
            job,
        });
        let severity = if is_active { Severity::Critical } else { Severity::Warning };
        self.worst = self.worst.max(if is_active { Verdict::UnknownModel } else { Verdict::Match });
        self.note(self.job.clone(), period, severity, &fault);
    }

    fn note(&mut self, job: Subject, period: PeriodId, severity: Severity, fault: &dyn Diagnostic) {
        if self.webhook.is_none() {
            return;
        }
        self.waiting.push_back(Message::Holds(of_period(job, "audit", period, severity, fault)));
        if self.waiting.len() > MAX_WAITING {
            self.waiting.pop_front();
        }
    }

    /// Tells the webhook what waits, oldest first, until it refuses.
    pub(super) async fn tell(&mut self) {
        let Some(webhook) = &self.webhook else { return };
        while let Some(message) = self.waiting.front() {
            if let Err(fault) = webhook.send(message).await {
                warn!(code = fault.code(), error = %fault, hint = fault.hint(), "alert not delivered");
                return;
            }
            info!("alert delivered");
            self.waiting.pop_front();
        }
    }
}
