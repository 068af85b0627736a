//! A wallet's nonces among the jobs that share it.
//!
//! Each cycle drives its own transactions, and several of a wallet wait at once, in the order of their nonces. Nobody waits with
//! signing for another job: its transaction gets the first nonce that is nobody's. Whatever keeps an earlier one from being mined
//! holds it up no longer than it takes to replace that one: by its own cycle or, where no job runs that the cycle is of or the
//! job has not done it in time, by any job of the wallet.

use std::collections::{BTreeMap, BTreeSet};

use tracing::warn;

use super::Agent;
use crate::chain::floor::Floor;
use crate::job::decide::{Holder, first_free};
use crate::job::error::{CycleError, StageError};
use crate::job::stages::stored;
use crate::state::error::StateError;
use crate::state::jobs::Scope;
use veriregime_core::types::cycle::{Attempt, CycleRecord, Stage};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::period::PeriodId;

/// Looks at what others have neglected, for each round of a cycle's own: one to replace, one to send.
const OTHERS_LOOKS: usize = 2;
/// A running job that has not replaced its transaction by so many times the time after which it should is broken.
const NEGLECT: i64 = 2;

impl Agent {
    /// The first nonce that is nobody's. To be asked in turn.
    pub(super) async fn free_nonce(&self) -> Result<u64, StageError> {
        let nonce = self.after_commands().await?;
        Ok(first_free(nonce, &self.held_nonces(nonce)?))
    }

    /// Whose the wallet's `next` nonce is.
    pub(super) async fn holder(&self, next: u64) -> Result<Holder, StageError> {
        let is_held = self.held_nonces(next)?.contains(&next) || self.after_commands().await? > next;
        Ok(if is_held { Holder::Somebody } else { Holder::Nobody })
    }

    /// Uses up the wallet's next nonce, if it is still nobody's.
    pub(super) async fn fill_gap(&self) -> Result<(), StageError> {
        let _turn = self.chain.wallet.turn().await;
        let (chain_id, wallet, nonce) = (self.chain.read.chain_id(), self.chain.address(), self.chain.nonce().await?);
        if self.holder(nonce).await? == Holder::Somebody {
            return Ok(());
        }
        let replaced = self.store.attempt_with_nonce(chain_id, wallet, nonce, self.clock.now_ms())?;
        // Nobody raises it later, so it offers all that may be paid. It costs no more than another would.
        let cap_wei = self.chain.read.fees().caps().max_cancel_fee_per_gas_wei;
        let most = Floor { max_fee_per_gas_wei: cap_wei, ..Floor::default() };
        let floor = replaced.as_ref().map_or(most, |replaced| Floor::above(replaced).and(most));
        let filler = self.chain.sign_cancel(nonce, Some(floor)).await?;
        self.store.know_nonces(chain_id, wallet, nonce.saturating_add(1))?;
        warn!(nonce, hash = %filler.hash, "a nonce that nobody uses is used up, since transactions wait for it");
        Ok(self.chain.broadcast(&filler).await?)
    }

    /// The wallet's next nonce by the newest block, or the one after what `deploy` and `admin` have sent with it and waits.
    async fn after_commands(&self) -> Result<u64, StageError> {
        let nonce = self.chain.nonce().await?;
        let known = self.store.nonces_of_no_cycle(self.chain.read.chain_id(), self.chain.address())?;
        if known <= nonce {
            return Ok(nonce);
        }
        // One that was never sent, or that nodes have forgotten, holds nothing.
        Ok(nonce.max(known.min(self.chain.sent().await?)))
    }

    fn held_nonces(&self, from: u64) -> Result<BTreeSet<u64>, StateError> {
        self.store.held_nonces(self.chain.read.chain_id(), self.chain.address(), from, self.job())
    }

    /// Closes the books on the job's earlier periods as far as the chain allows: it signs for one period at a time. What another
    /// wallet has signed is no reason to wait.
    pub(super) async fn end_earlier(&self, before: PeriodId) -> Result<(), StageError> {
        for record in self.store.unfinished_by(Scope::Job(self.job()), self.grid().start_ms(before))? {
            if record.stage != Stage::Submitting {
                continue;
            }
            let attempts = self.store.attempts(record.job, record.period)?;
            let Attempt { wallet, nonce, .. } = *stored(attempts.last(), "transaction")?;
            if wallet == self.chain.address() && !Box::pin(self.land(&record)).await?.stage.is_final() {
                return Err(CycleError::NonceHeld { period: record.period, nonce }.into());
            }
        }
        Ok(())
    }

    /// Drives the wallet's transactions that hold up this job's and that nobody else drives: those of jobs that do not run, and of
    /// those that run and have broken down.
    ///
    /// # Errors
    /// Only when the database fails.
    pub(super) async fn drive_neglected(&self) -> Result<(), StateError> {
        // One job of the wallet is enough.
        let Ok(_care) = self.chain.wallet.care() else { return Ok(()) };
        let open = self.store.open_attempts(self.chain.read.chain_id(), self.chain.address())?;
        // Of several of a cycle the newest one counts.
        let cycles: BTreeMap<_, _> = open.into_iter().map(|one| ((one.job, one.period), one.signed_ms)).collect();
        let neglected_since_ms = self.clock.now_ms().saturating_sub(self.replace_after_ms.saturating_mul(NEGLECT));
        for ((job, period), signed_ms) in cycles {
            let is_neglected = !self.running.contains(&job) || signed_ms <= neglected_since_ms;
            if job != self.job()
                && is_neglected
                && let Some(record) = self.store.cycle(job, period)?
            {
                self.drive(&record).await?;
            }
        }
        Ok(())
    }

    /// Whether another job runs that the cycle is of.
    pub(super) fn is_of_another(&self, record: &CycleRecord) -> bool {
        record.job != self.job() && self.running.contains(&record.job)
    }

    /// Drives the job's transactions of earlier periods, which other jobs' may wait for.
    ///
    /// # Errors
    /// Only when the database fails.
    pub(super) async fn drive_earlier(&self, before: PeriodId) -> Result<(), StateError> {
        for record in self.store.unfinished_by(Scope::Job(self.job()), self.grid().start_ms(before))? {
            if record.stage == Stage::Submitting {
                self.drive(&record).await?;
            }
        }
        Ok(())
    }

    async fn drive(&self, record: &CycleRecord) -> Result<(), StateError> {
        match Box::pin(self.land_for(record, OTHERS_LOOKS)).await {
            Err(StageError::State(fault)) => Err(fault),
            Err(fault) => {
                warn!(period = record.period.0, code = fault.code(), error = %fault, "an open transaction cannot be driven");
                Ok(())
            }
            Ok(_) => Ok(()),
        }
    }
}
