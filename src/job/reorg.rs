//! After a cycle has ended: its update is looked up again until the chain will not drop it any more.

use alloy::eips::BlockId;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::Agent;
use crate::actions::error::ActionError;
use crate::job::error::StageError;
use crate::job::stages::stored;
use crate::state::error::StateError;
use crate::state::jobs::Scope;
use veriregime_core::types::cycle::{CycleRecord, Mined, Purpose, Stage};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::period::PeriodId;

/// Landed updates that are looked up again, newest first, until their blocks are final: two days of them.
const WATCHED_CYCLES: u32 = 12;

impl Agent {
    /// Drives what is still open of earlier periods and what others of the wallet have neglected, and looks up again what landed
    /// and is not final. What the chain dropped is made up for in its period, and closed after it; what the running
    /// period's update has left out is made good.
    ///
    /// # Errors
    /// Only when the database fails.
    pub async fn watch_over(&mut self, running: PeriodId, stop: &CancellationToken) -> Result<(), StateError> {
        self.drive_neglected().await?;
        self.drive_earlier(running).await?;
        let jobs = self.cared_for()?;
        for record in self.store.not_final(Scope::Jobs(&jobs), WATCHED_CYCLES)? {
            match self.recheck(&record).await {
                Ok(record) if record.stage.is_final() || record.period != running => {}
                Ok(record) if record.job == self.job() => {
                    self.run(running, stop).await?;
                }
                Ok(record) => self.settle_one(record).await?,
                Err(StageError::State(fault)) => return Err(fault),
                Err(fault) => {
                    warn!(code = fault.code(), error = %fault, "a landed update could not be looked up");
                    return Ok(());
                }
            }
        }
        self.make_good(running, stop).await?;
        self.leave_evidence().await?;
        self.note_parameters().await
    }

    /// Looks up again what landed, ours or another's. What is final need not be looked up any more. A dropped update of
    /// ours goes back to submitting, with the same bytes; for another's, the cycle goes on with what it has.
    ///
    /// # Errors
    /// [`StageError`].
    pub async fn recheck(&self, record: &CycleRecord) -> Result<CycleRecord, StageError> {
        match record.stage {
            Stage::Confirmed => self.recheck_own(record).await,
            Stage::AlreadyByOther => self.recheck_others(record).await,
            _ => Ok(record.clone()),
        }
    }

    async fn recheck_own(&self, record: &CycleRecord) -> Result<CycleRecord, StageError> {
        let attempts = self.store.attempts(record.job, record.period)?;
        // The last one says what the cycle holds, where one has made good what another had left out.
        for attempt in attempts.iter().rev().filter(|attempt| attempt.purpose == Purpose::Action) {
            if let Some(Mined::Landed(landed)) = self.chain.read.mined(attempt.hash).await? {
                let is_final = landed.block <= self.chain.read.final_block().await?;
                self.store.settle_at(record.job, record.period, landed, is_final)?;
                return Ok(self.stored_again(record)?);
            }
        }
        warn!(period = record.period.0, "the chain dropped the update");
        self.submitting(record, stored(attempts.last(), "transaction")?)
    }

    async fn recheck_others(&self, record: &CycleRecord) -> Result<CycleRecord, StageError> {
        let read = &self.chain.read;
        let asked = async {
            if record.job != self.job() {
                return Ok(false);
            }
            match self.action.model_id(read).await {
                Ok(_) => Ok(true),
                Err(ActionError::ForeignModel(_)) => Ok(false),
                Err(fault) => Err(fault),
            }
        };
        if !asked.await? {
            // Node or contract have gone over to another model: nothing can be made up for.
            self.store.settle_others(record.job, record.period)?;
            return Ok(record.clone());
        }
        let final_block = read.final_block().await?;
        let last = async |block| self.action.last_period(read, record.omitted_markets(), block).await;
        if last(final_block.into()).await? >= Some(record.period) {
            self.store.settle_others(record.job, record.period)?;
        } else if last(BlockId::latest()).await? < Some(record.period) {
            warn!(period = record.period.0, "the chain dropped the update of another, going on with ours");
            return Ok(self.store.reopen(record.job, record.period, self.clock.now_ms())?);
        }
        Ok(record.clone())
    }
}
