//! `audit --follow` of a vault: each sale is audited once it is there, and the webhook told of what does not match.

use std::collections::BTreeSet;

use alloy::primitives::B256;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::follow::{LOOK_BACK_BLOCKS, Listener, Notice, PAUSE, Telling, complain};
use super::vault::VaultAuditor;
use crate::actions::hedge_vault::published::PublishedSale;
use crate::alerts::AlertError;
use crate::audit::compare::Verdict;
use crate::audit::error::AuditError;
use crate::clock::Clock;
use veriregime_core::hedge::GRID;
use veriregime_core::types::alert::Severity;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::period::PeriodId;

/// Weeks for which it is remembered what was audited.
const REMEMBERED_PERIODS: u64 = 8;

/// As [`super::follow::run`], of a vault.
///
/// # Errors
/// A webhook's file that is not usable.
pub async fn run(
    auditor: &VaultAuditor,
    clock: &Clock,
    say: &mut Listener<'_>,
    stop: &CancellationToken,
) -> anyhow::Result<Verdict> {
    let pause = PAUSE.min(auditor.config().schedule.recheck);
    let mut watch = Watch {
        auditor,
        clock,
        told: Telling::new(auditor.config())?,
        say,
        is_heard: true,
        period: GRID.period_at(clock.now_ms()),
        next_block: None,
        seen: BTreeSet::new(),
        open: Vec::new(),
        unknown: None,
        worst: Verdict::Match,
    };
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

/// What has been seen of a vault.
struct Watch<'a, 'b> {
    auditor: &'a VaultAuditor,
    clock: &'a Clock,
    told: Telling,
    say: &'a mut Listener<'b>,
    /// Whether anybody listened when something was said last.
    is_heard: bool,
    /// The first week of which nothing has been said yet.
    period: PeriodId,
    /// The first block that has not been looked at, once one has.
    next_block: Option<u64>,
    /// Sales that are known: week and transaction.
    seen: BTreeSet<(u64, B256)>,
    /// Those of them that are still to be audited.
    open: Vec<PublishedSale>,
    /// The terms' model, where it was said that nobody here knows it.
    unknown: Option<B256>,
    worst: Verdict,
}

impl Watch<'_, '_> {
    /// Takes in what the vault has sold since the last look, and audits what is open.
    async fn look(&mut self) -> anyhow::Result<()> {
        let (reader, vault) = (&self.auditor.reader, self.auditor.vault);
        let head = reader.head().await?;
        self.meet(reader.hedge_vault(vault).await?.terms.modelId).await?;
        let first = match self.next_block {
            Some(next) => next.saturating_sub(LOOK_BACK_BLOCKS),
            None => reader.first_block_at(GRID.start_ms(self.period) / 1000, head.number).await?,
        };
        let end = head.number.saturating_add(1);
        for sale in reader.sales_in(vault, None, first..end).await? {
            if self.seen.insert((sale.update.period.0, sale.update.transaction)) {
                self.open.push(sale);
            }
        }
        self.next_block = Some(end);
        self.audit_open().await;
        self.end_periods(head.timestamp_seconds);
        Ok(())
    }

    /// One that cannot be audited now keeps no other from being.
    async fn audit_open(&mut self) {
        for sale in std::mem::take(&mut self.open) {
            match self.auditor.audit(&sale, self.clock.now_ms()).await {
                Ok(report) => {
                    self.say(&Notice::Sale(&report));
                    let verdict = report.found.verdict;
                    self.worst = self.worst.max(verdict);
                    // That nobody knows its model is told by itself.
                    if !matches!(verdict, Verdict::Match | Verdict::UnknownModel) {
                        let (verdict, transaction) = (verdict.words(), report.transaction.to_string());
                        let fault = AlertError::Audit { verdict, transaction };
                        self.told.note(self.auditor.job(), report.period, Severity::Critical, &fault);
                    }
                }
                Err(error) => {
                    complain(sale.update.period, &error);
                    self.open.push(sale);
                }
            }
        }
    }

    /// Tells once of a model that the vault's terms name and no bundle belongs to.
    async fn meet(&mut self, model_id: B256) -> anyhow::Result<()> {
        if model_id.is_zero() || self.unknown == Some(model_id) {
            return Ok(());
        }
        let Err(manifest) = self.auditor.known(model_id).await? else {
            self.unknown = None;
            return Ok(());
        };
        self.unknown = Some(model_id);
        let (fault, job) =
            (AuditError::UnknownModel { model_id, manifest, what: "is that of the vault's terms" }, self.auditor.job());
        warn!(code = fault.code(), error = %fault, hint = fault.hint(), "a model that cannot be audited");
        self.say(&Notice::UnknownModel {
            verdict: Verdict::UnknownModel,
            code: fault.code(),
            model_id,
            manifest_sha256: manifest,
            active: true,
            text: format!("{job}, {}: {fault}; {}", fault.code(), fault.hint()),
            job,
        });
        self.worst = self.worst.max(Verdict::UnknownModel);
        self.told.note(self.auditor.job(), self.period, Severity::Critical, &fault);
        Ok(())
    }

    fn say(&mut self, notice: &Notice<'_>) {
        self.is_heard = (self.say)(notice);
    }

    /// Goes on to the week that the chain is in.
    fn end_periods(&mut self, head_seconds: i64) {
        while head_seconds >= GRID.end_ms(self.period) / 1000 {
            if !self.seen.iter().any(|(period, _)| *period == self.period.0) {
                let start_ms = GRID.start_ms(self.period);
                self.say(&Notice::NoUpdate { job: self.auditor.job(), period: self.period, start_ms });
            }
            self.period = self.period.next();
        }
        let oldest = self.period.0.saturating_sub(REMEMBERED_PERIODS);
        self.seen.retain(|(period, _)| *period >= oldest);
    }
}
