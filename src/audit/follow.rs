//! `audit --follow`: a watcher of a contract that audits each update as it lands, of whatever model, and tells the webhook of
//! what does not match, and of models that it knows nothing of.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use alloy::primitives::B256;
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::models::Models;
use super::one::Report;
use super::sale::SaleReport;
use crate::actions::risk_oracle::events::Event;
use crate::alerts::AlertError;
use crate::alerts::conditions::of_period;
use crate::alerts::state::Message;
use crate::alerts::webhook::Webhook;
use crate::audit::compare::Verdict;
use crate::audit::error::AuditError;
use crate::clock::Clock;
use crate::config::Config;
use crate::diagnosis;
use crate::node::assemble;
use veriregime_core::types::alert::{Severity, Subject};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::update::PublishedUpdate;

/// Longest pause between two looks.
pub(super) const PAUSE: Duration = Duration::from_secs(30);
/// Blocks that are looked at again: the chain may have exchanged them, or another RPC may not have had them yet.
pub(super) const LOOK_BACK_BLOCKS: u64 = 64;
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

/// Audits each update once it is there, until `stop` is cancelled, or nobody listens and there is no webhook. A source or chain
/// that fails is asked again.
///
/// # Errors
/// A webhook's file or a bundle that is not usable.
pub async fn run(
    models: &mut Models,
    clock: &Clock,
    say: &mut Listener<'_>,
    stop: &CancellationToken,
) -> anyhow::Result<Verdict> {
    let pause = PAUSE.min(models.config().schedule.recheck);
    let mut watch = Watch::new(models, models.config().grid().period_at(clock.now_ms()), say)?;
    // Without a reader and a webhook nobody would be told.
    while !stop.is_cancelled() && (watch.is_heard || watch.told.is_heard()) {
        if let Err(error) = watch.look().await {
            complain(watch.period, &error);
        }
        let rest = async {
            watch.told.tell().await;
            tokio::time::sleep(pause).await;
        };
        tokio::select! {
            () = rest => {}
            () = stop.cancelled() => {}
        }
    }
    Ok(watch.worst)
}

pub(super) fn complain(period: PeriodId, error: &anyhow::Error) {
    warn!(
        period = period.0,
        code = diagnosis::code(error),
        error = diagnosis::words(error),
        "not audited yet, trying again"
    );
}

/// What has been seen of a contract.
struct Watch<'a, 'b> {
    models: &'a mut Models,
    markets: Vec<B256>,
    say: &'a mut Listener<'b>,
    /// Whether anybody listened when something was said last.
    is_heard: bool,
    /// The first period of which nothing has been said yet.
    period: PeriodId,
    /// The first block that has not been looked at, once one has.
    next_block: Option<u64>,
    /// Updates that are known: period, model, transaction and proof. One transaction may bring several.
    seen: BTreeSet<(u64, B256, B256, B256)>,
    /// Those of them that are still to be audited.
    open: Vec<PublishedUpdate>,
    /// Models of which it was said that nobody knows them, and whether they were active then.
    unknown: BTreeSet<(B256, bool)>,
    told: Telling,
    worst: Verdict,
}

impl<'a, 'b> Watch<'a, 'b> {
    fn new(models: &'a mut Models, period: PeriodId, say: &'a mut Listener<'b>) -> anyhow::Result<Self> {
        Ok(Self {
            markets: models.check_configured()?,
            told: Telling::new(models.config())?,
            models,
            say,
            is_heard: true,
            period,
            next_block: None,
            seen: BTreeSet::new(),
            open: Vec::new(),
            unknown: BTreeSet::new(),
            worst: Verdict::Match,
        })
    }

    /// Takes in what the contract has said since the last look, and audits what is open.
    async fn look(&mut self) -> anyhow::Result<()> {
        let (oracle, head) = (self.models.oracle, self.models.reader.head().await?);
        for model_id in self.models.reader.active_models(oracle, &self.markets).await? {
            self.meet(model_id, true, "serves the markets").await?;
        }
        let first = match self.next_block {
            Some(next) => next.saturating_sub(LOOK_BACK_BLOCKS),
            None => self.models.reader.blocks_of(self.models.config().grid(), self.period).await?.start,
        };
        for event in self.models.reader.events(oracle, first..head.number.saturating_add(1)).await? {
            match event {
                Event::Updated(update) => {
                    if self.seen.insert((update.period.0, update.model_id, update.transaction, update.proof_hash)) {
                        self.open.push(*update);
                    }
                }
                Event::Model { model_id, is_active } => {
                    let what = if is_active { "was activated" } else { "was proposed" };
                    self.meet(model_id, is_active, what).await?;
                }
            }
        }
        self.next_block = Some(head.number.saturating_add(1));
        self.audit_open().await?;
        self.end_periods(head.timestamp_seconds);
        Ok(())
    }

    /// One that cannot be audited now keeps no other from being.
    async fn audit_open(&mut self) -> anyhow::Result<()> {
        for update in std::mem::take(&mut self.open) {
            match self.models.audit(update.clone()).await {
                Ok(report) => {
                    self.report(&report);
                    if report.found.verdict == Verdict::UnknownModel {
                        self.meet(update.model_id, true, "has landed an update").await?;
                    }
                }
                Err(error) => {
                    complain(update.period, &error);
                    self.open.push(update);
                }
            }
        }
        Ok(())
    }

    /// Tells of a model that no bundle belongs to: once, and once more when it becomes an active one.
    async fn meet(&mut self, model_id: B256, is_active: bool, what: &'static str) -> anyhow::Result<()> {
        let told = self.unknown.contains(&(model_id, true)) || self.unknown.contains(&(model_id, is_active));
        if told {
            return Ok(());
        }
        let Some(manifest) = self.models.unknown(model_id).await? else { return Ok(()) };
        self.unknown.insert((model_id, is_active));
        let fault = AuditError::UnknownModel { model_id, manifest, what };
        warn!(code = fault.code(), error = %fault, hint = fault.hint(), "a model that cannot be audited");
        self.say(&Notice::UnknownModel {
            job: self.models.job(),
            verdict: Verdict::UnknownModel,
            code: fault.code(),
            model_id,
            manifest_sha256: manifest,
            active: is_active,
            text: format!("{}, {}: {fault}; {}", self.models.job(), fault.code(), fault.hint()),
        });
        let severity = if is_active { Severity::Critical } else { Severity::Warning };
        self.worst = self.worst.max(if is_active { Verdict::UnknownModel } else { Verdict::Match });
        self.told.note(self.models.job(), self.period, severity, &fault);
        Ok(())
    }

    fn say(&mut self, notice: &Notice<'_>) {
        self.is_heard = (self.say)(notice);
    }

    fn report(&mut self, report: &Report) {
        self.say(&Notice::Audited(report));
        self.worst = self.worst.max(report.found.verdict);
        // That nobody knows its model is told by itself.
        if !matches!(report.found.verdict, Verdict::Match | Verdict::UnknownModel) {
            let (verdict, transaction) = (report.found.verdict.words(), report.transaction.to_string());
            self.told.note(
                report.job.clone(),
                report.period,
                Severity::Critical,
                &AlertError::Audit { verdict, transaction },
            );
        }
    }

    /// Goes on to the period that the chain is in.
    fn end_periods(&mut self, head_seconds: i64) {
        let grid = self.models.config().grid();
        while head_seconds >= grid.start_seconds(self.period.next()) {
            let has_update = self.seen.iter().any(|(period, ..)| *period == self.period.0);
            if !has_update {
                let start_ms = grid.start_ms(self.period);
                self.say(&Notice::NoUpdate { job: self.models.job(), period: self.period, start_ms });
            }
            self.period = self.period.next();
        }
        let oldest = self.period.0.saturating_sub(grid.periods_per_week());
        self.seen.retain(|(period, ..)| *period >= oldest);
    }
}

/// What the webhook has to be told.
pub(super) struct Telling {
    webhook: Option<Webhook>,
    waiting: VecDeque<Message>,
}

impl Telling {
    pub(super) fn new(config: &Config) -> anyhow::Result<Self> {
        let oracle = assemble::oracle(config)?;
        let name = config.alerts.node_name.clone().unwrap_or_else(|| format!("audit of {oracle}"));
        let webhook = config.alerts.webhook_file.as_deref().map(|path| Webhook::from_file(path, name));
        Ok(Self { webhook: webhook.transpose()?, waiting: VecDeque::new() })
    }

    /// Whether there is anybody to tell.
    pub(super) fn is_heard(&self) -> bool {
        self.webhook.is_some()
    }

    pub(super) fn note(&mut self, job: Subject, period: PeriodId, severity: Severity, fault: &dyn Diagnostic) {
        if self.webhook.is_none() {
            return;
        }
        self.waiting.push_back(Message::Holds(of_period(job, "audit", period, severity, fault)));
        if self.waiting.len() > MAX_WAITING {
            self.waiting.pop_front();
        }
    }

    /// Tells what waits, oldest first, until the webhook refuses.
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
