//! `audit --follow`: a watcher of a contract that audits each update as it lands, of whatever model, and tells the webhook of
//! what does not match, and of models that it knows nothing of.

use std::collections::BTreeSet;

use alloy::primitives::B256;
use tokio_util::sync::CancellationToken;

use super::models::Models;
use super::watch::{Listener, Notice, Unknown, Voice, Watched, again_from, complain, watch};
use crate::actions::risk_oracle::events::Event;
use crate::audit::compare::Verdict;
use crate::clock::Clock;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::update::PublishedUpdate;

/// Audits each update once it is there, until `stop` is cancelled, or nobody listens and there is no webhook. A source or chain
/// that fails is asked again. The worst verdict.
///
/// # Errors
/// A webhook's file or a bundle that is not usable.
pub async fn run(
    models: &mut Models,
    clock: &Clock,
    say: &mut Listener<'_>,
    stop: &CancellationToken,
) -> anyhow::Result<Verdict> {
    let config = models.config().clone();
    let mut watched = Watch {
        markets: models.check_configured()?,
        voice: Voice::new(&config, models.job(), say)?,
        models,
        period: config.grid().period_at(clock.now_ms()),
        next_block: None,
        seen: BTreeSet::new(),
        open: Vec::new(),
        unknown: BTreeSet::new(),
    };
    watch(&mut watched, &config, stop).await;
    Ok(watched.voice.worst)
}

/// What has been seen of a contract.
struct Watch<'a, 'b> {
    models: &'a mut Models,
    markets: Vec<B256>,
    voice: Voice<'a, 'b>,
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
}

impl Watched for Watch<'_, '_> {
    async fn look(&mut self) -> anyhow::Result<()> {
        let (oracle, head) = (self.models.oracle, self.models.reader.head().await?);
        for model_id in self.models.reader.active_models(oracle, &self.markets).await? {
            self.meet(model_id, true, "serves the markets").await?;
        }
        let first = match self.next_block {
            Some(next) => again_from(next),
            None => self.models.reader.blocks_of(self.models.config().grid(), self.period).await?.start,
        };
        for event in self.models.reader.events(oracle, first..head.number.saturating_add(1)).await? {
            match event {
                Event::Updated(update) => {
                    let is_ours = self.models.has(update.model_id).await?;
                    if is_ours
                        && self.seen.insert((update.period.0, update.model_id, update.transaction, update.proof_hash))
                    {
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

    fn period(&self) -> PeriodId {
        self.period
    }

    fn has_listener(&self) -> bool {
        self.voice.is_heard()
    }

    async fn tell(&mut self) {
        self.voice.tell().await;
    }
}

impl Watch<'_, '_> {
    /// One that cannot be audited now keeps no other from being.
    async fn audit_open(&mut self) -> anyhow::Result<()> {
        for update in std::mem::take(&mut self.open) {
            match self.models.audit(update.clone()).await {
                Ok(report) => {
                    let (when, verdict) = ((report.period, report.transaction), report.found.verdict);
                    self.voice.audited(&Notice::Audited(&report), report.job.clone(), when, verdict);
                    if verdict == Verdict::UnknownModel {
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
        if told || !self.models.has(model_id).await? {
            return Ok(());
        }
        let Some(manifest) = self.models.unknown(model_id).await? else { return Ok(()) };
        self.unknown.insert((model_id, is_active));
        self.voice.unknown(self.period, &Unknown { model_id, manifest, what, is_active });
        Ok(())
    }

    /// Goes on to the period that the chain is in.
    fn end_periods(&mut self, head_seconds: i64) {
        let grid = self.models.config().grid();
        while head_seconds >= grid.start_seconds(self.period.next()) {
            if !self.seen.iter().any(|(period, ..)| *period == self.period.0) {
                self.voice.no_update(self.period, grid.start_ms(self.period));
            }
            self.period = self.period.next();
        }
        let oldest = self.period.0.saturating_sub(grid.periods_per_week());
        self.seen.retain(|(period, ..)| *period >= oldest);
    }
}
