//! The stages from a proof to a confirmed update: sign, store, send, watch.

use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::Agent;
use super::fault::CycleFault;
use super::steps::stored;
use crate::chain::Update;
use crate::chain::fault::{ChainFault, Rejection};
use crate::state::Step;
use crate::types::cycle::{Attempt, CycleRecord, Stage};
use crate::types::fault::Fault;

/// The same bytes are sent again this often while they are not mined, in case the node forgot them.
const REBROADCAST_EVERY: Duration = Duration::from_secs(20);
/// A transaction that was not mined by then is replaced by a dearer one with the same nonce.
const REPLACE_AFTER: Duration = Duration::from_mins(1);
/// Looks for our receipts once the period is taken, before the update counts as another's.
const RECEIPT_LOOKS: usize = 10;

impl Agent {
    /// Signs the update, simulated against the newest state, and stores it. Nothing is sent.
    pub(super) async fn sign(&self, record: &CycleRecord) -> Result<CycleRecord, CycleFault> {
        let nonce = self.chain.nonce().await?;
        let replaced = self.store.attempt_with_nonce(nonce)?;
        match self.signed(record, nonce, replaced.as_ref()).await {
            Ok(attempt) => Ok(self.advance(record, &Step::Submitting(&attempt))?),
            Err(CycleFault::Chain(ChainFault::Rejected(Rejection::AlreadySubmitted))) => {
                let landed = self.look_on_chain(record).await?;
                // Else it is another's that waits to be mined, and may never be.
                let step = landed.ok_or_else(|| ChainFault::Refused("another update is about to be mined".into()))?;
                Ok(self.advance(record, &step)?)
            }
            Err(fault) => Err(fault),
        }
    }

    async fn signed(
        &self,
        record: &CycleRecord,
        nonce: u64,
        replaced: Option<&Attempt>,
    ) -> Result<Attempt, CycleFault> {
        let forecast = stored(record.forecast.as_ref(), "forecast")?;
        let proof = stored(record.proof.as_ref(), "proof")?;
        self.chain.read.check_chain_id().await?;
        let model_id = self.chain.read.model_id(self.oracle, &self.expected).await?;
        let update = Update {
            model_id,
            period: record.period,
            features: &forecast.features,
            outputs: &forecast.outputs,
            proof: &proof.bytes,
        };
        Ok(self.chain.sign_update(self.oracle, &update, nonce, replaced).await?)
    }

    /// Sends the stored bytes and watches until one of the cycle's transactions is mined or the period has another's
    /// update. A transaction that nobody mines is replaced.
    pub(super) async fn land(&self, record: &CycleRecord) -> Result<CycleRecord, CycleFault> {
        if let Some(step) = self.look_on_chain(record).await? {
            return Ok(self.advance(record, &step)?);
        }
        let attempts = self.store.attempts(self.manifest(), record.period)?;
        let newest = stored(attempts.last(), "transaction")?;
        if self.chain.nonce().await? > newest.nonce {
            // Mined without success, or pushed out by another transaction of this wallet: a new nonce is needed.
            return self.sign(record).await;
        }
        let started = Instant::now();
        while started.elapsed() < REPLACE_AFTER && self.clock.now_ms() < record.period.end_ms() {
            self.chain.broadcast(newest).await?;
            info!(hash = %newest.hash, nonce = newest.nonce, "transaction sent");
            let sent = Instant::now();
            while sent.elapsed() < REBROADCAST_EVERY && self.clock.now_ms() < record.period.end_ms() {
                if let Some(step) = self.look_on_chain(record).await? {
                    return Ok(self.advance(record, &step)?);
                }
                tokio::time::sleep(self.poll_interval).await;
            }
        }
        self.replace(record, newest).await
    }

    async fn replace(&self, record: &CycleRecord, stuck: &Attempt) -> Result<CycleRecord, CycleFault> {
        if self.clock.now_ms() >= record.period.end_ms() {
            return Ok(record.clone());
        }
        match self.signed(record, stuck.nonce, Some(stuck)).await {
            Ok(attempt) => {
                warn!(old = %stuck.hash, new = %attempt.hash, "replacing a transaction that is not mined");
                Ok(self.advance(record, &Step::Submitting(&attempt))?)
            }
            Err(CycleFault::Chain(fault @ ChainFault::FeeAboveCap { .. })) => {
                warn!(code = fault.code(), error = %fault, "the fee cap allows no replacement, waiting on");
                Ok(record.clone())
            }
            Err(fault) => Err(fault),
        }
    }

    /// What the chain says of the cycle: one of its transactions landed, another's update is there, or nothing yet.
    pub(super) async fn look_on_chain(&self, record: &CycleRecord) -> Result<Option<Step<'static>>, CycleFault> {
        let model_id = self.chain.read.model_id(self.oracle, &self.expected).await?;
        let taken = self.chain.read.latest_period(self.oracle, model_id).await? == record.period;
        let attempts = self.store.attempts(self.manifest(), record.period)?;
        // A node may know the new state before it has the receipt: not everything taken is somebody else's.
        let looks = if taken && !attempts.is_empty() { RECEIPT_LOOKS } else { 1 };
        for look in 0..looks {
            if look > 0 {
                tokio::time::sleep(self.poll_interval).await;
            }
            for attempt in attempts.iter().rev() {
                match self.chain.read.landed(attempt.hash).await {
                    Ok(Some(landed)) => return Ok(Some(Step::Confirmed(landed))),
                    Ok(None) => {}
                    Err(ChainFault::Reverted(hash)) => warn!(%hash, "a transaction of this cycle reverted"),
                    Err(fault) => return Err(fault.into()),
                }
            }
        }
        Ok(taken.then_some(Step::AlreadyByOther))
    }

    /// Looks a confirmed update of the running period up again. One that the chain has dropped goes back to submitting,
    /// with the same bytes.
    ///
    /// # Errors
    /// [`CycleFault`].
    pub async fn recheck(&self, record: &CycleRecord) -> Result<CycleRecord, CycleFault> {
        if record.stage != Stage::Confirmed || self.look_on_chain(record).await?.is_some() {
            return Ok(record.clone());
        }
        warn!(period = record.period.0, "the chain dropped the update, sending it again");
        let attempts = self.store.attempts(self.manifest(), record.period)?;
        Ok(self.advance(record, &Step::Submitting(stored(attempts.last(), "transaction")?))?)
    }
}
