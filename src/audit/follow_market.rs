//! `audit --follow` of a vault or a feed: each forecast is audited once it is there, and the webhook told of what does not match.

use std::collections::BTreeSet;

use alloy::primitives::B256;
use tokio_util::sync::CancellationToken;

use super::market::MarketAuditor;
use super::watch::{Listener, Unknown, Voice, Watched, again_from, complain, watch};
use crate::actions::one_market::published::Published;
use crate::audit::compare::Verdict;
use crate::clock::Clock;
use veriregime_core::types::period::PeriodId;

/// Periods for which it is remembered what was audited.
const REMEMBERED_PERIODS: u64 = 8;

/// As [`super::follow::run`], of a contract that takes one market's forecast once a period.
///
/// # Errors
/// A webhook's file that is not usable.
pub async fn run<A: MarketAuditor>(
    auditor: &A,
    clock: &Clock,
    say: &mut Listener<'_>,
    stop: &CancellationToken,
) -> anyhow::Result<Verdict> {
    let place = auditor.place();
    let mut watched = Watch {
        auditor,
        clock,
        voice: Voice::new(&place.config, place.job(), say)?,
        period: A::GRID.period_at(clock.now_ms()),
        next_block: None,
        seen: BTreeSet::new(),
        open: Vec::new(),
        unknown: None,
    };
    watch(&mut watched, &place.config, stop).await;
    Ok(watched.voice.worst)
}

/// What has been seen of a contract.
struct Watch<'a, 'b, A: MarketAuditor> {
    auditor: &'a A,
    clock: &'a Clock,
    voice: Voice<'a, 'b>,
    /// The first period of which nothing has been said yet.
    period: PeriodId,
    /// The first block that has not been looked at, once one has.
    next_block: Option<u64>,
    /// Forecasts that are known: period and transaction.
    seen: BTreeSet<(u64, B256)>,
    /// Those of them that are still to be audited.
    open: Vec<Published<A::Contract>>,
    /// The served model, where it was said that nobody here knows it.
    unknown: Option<B256>,
}

impl<A: MarketAuditor> Watched for Watch<'_, '_, A> {
    async fn look(&mut self) -> anyhow::Result<()> {
        let place = self.auditor.place();
        let head = place.reader.head().await?;
        self.meet(self.auditor.served().await?).await?;
        let first = match self.next_block {
            Some(next) => again_from(next),
            None => place.reader.first_block_at(A::GRID.start_ms(self.period) / 1000, head.number).await?,
        };
        let end = head.number.saturating_add(1);
        for published in place.reader.published_within(place.contract, None, first..end).await? {
            if self.seen.insert((published.update.period.0, published.update.transaction)) {
                self.open.push(published);
            }
        }
        self.next_block = Some(end);
        self.audit_open().await;
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

impl<A: MarketAuditor> Watch<'_, '_, A> {
    /// One that cannot be audited now keeps no other from being.
    async fn audit_open(&mut self) {
        for published in std::mem::take(&mut self.open) {
            let update = &published.update;
            match self.auditor.audit(&published, self.clock.now_ms()).await {
                Ok(report) => {
                    let (when, job) = ((update.period, update.transaction), self.auditor.place().job());
                    self.voice.audited(&A::notice(&report), job, when, A::findings(&report).verdict);
                }
                Err(error) => {
                    complain(update.period, &error);
                    self.open.push(published);
                }
            }
        }
    }

    /// Tells once of a model that the contract serves and no bundle belongs to.
    async fn meet(&mut self, model_id: B256) -> anyhow::Result<()> {
        if model_id.is_zero() || self.unknown == Some(model_id) {
            return Ok(());
        }
        let Err(manifest) = self.auditor.known(model_id).await? else {
            self.unknown = None;
            return Ok(());
        };
        self.unknown = Some(model_id);
        self.voice.unknown(self.period, &Unknown { model_id, manifest, what: A::SERVED, is_active: true });
        Ok(())
    }

    /// Goes on to the period that the chain is in.
    fn end_periods(&mut self, head_seconds: i64) {
        while head_seconds >= A::GRID.end_ms(self.period) / 1000 {
            if !self.seen.iter().any(|(period, _)| *period == self.period.0) {
                self.voice.no_update(self.period, A::GRID.start_ms(self.period));
            }
            self.period = self.period.next();
        }
        let oldest = self.period.0.saturating_sub(REMEMBERED_PERIODS);
        self.seen.retain(|(period, _)| *period >= oldest);
    }
}
