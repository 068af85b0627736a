//! The stages from a proof to a confirmed call: sign, store, send, watch, and free the nonce where it cannot land.

use std::time::Duration;

use alloy::eips::BlockId;
use tracing::{debug, info, warn};

use super::Agent;
use crate::actions::error::{ActionError, PAUSED_CODE};
use crate::actions::last_period_of;
use crate::actions::refusal::{Meaning, Refusal};
use crate::chain::call::Call;
use crate::chain::envelope::calldata;
use crate::chain::error::ChainError;
use crate::chain::floor::Floor;
use crate::job::decide::{CANCEL_LEAD_MS, Decision, Holder, Loss, Situation, next};
use crate::job::error::{CycleError, StageError};
use crate::job::stages::stored;
use crate::state::Step;
use crate::state::error::StateError;
use crate::telemetry::metrics::{self, Wallet};
use veriregime_core::types::cycle::{Attempt, CycleRecord, Miss, Purpose, Stage};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::replica::Turn;

/// Looks at the chain in one round. In each round the bytes are sent once, in case the nodes forgot them.
const LOOKS_A_ROUND: usize = 20;

impl Agent {
    /// Waits for this replica's turn with the proof in hand, and signs if nobody was faster. Everything up to the proof costs
    /// next to nothing, so it is ready beforehand; only transactions cost money and get into one another's way.
    pub(super) async fn take_turn(&self, record: &CycleRecord) -> Result<CycleRecord, StageError> {
        let is_done = self.look_on_chain(record).await?.is_some();
        match self.replica.turn(record.period, record.updated_ms, self.clock.now_ms(), is_done) {
            Turn::Taken => Ok(self.advance(record, &Step::AlreadyByOther)?),
            Turn::Act => self.sign(record).await,
            Turn::Wait(left_ms) => {
                tokio::time::sleep(self.poll_interval.min(Duration::from_millis(left_ms as u64))).await;
                Ok(record.clone())
            }
        }
    }

    /// Signs the call, simulated against the newest state, and stores it, in the wallet's turn, also beside one that has landed and
    /// has passed by some of its markets. Nothing is sent, and nothing is signed while a transaction of one of the job's earlier
    /// periods waits to be mined.
    pub(super) async fn sign(&self, record: &CycleRecord) -> Result<CycleRecord, StageError> {
        if self.left_ms(record.end_ms) <= CANCEL_LEAD_MS {
            return Err(CycleError::Deadline.into());
        }
        self.end_earlier(record.period).await?;
        self.ensure_exclusive_wallet().await?;
        let call = self.prepared(record).await?;
        let turn = self.chain.wallet.turn().await;
        let nonce = self.free_nonce().await?;
        let (chain_id, now_ms) = (record.job.contract.chain_id, self.clock.now_ms());
        let replaced = self.store.attempt_with_nonce(chain_id, self.chain.address(), nonce, now_ms)?;
        let outcome = match self.signed(call, nonce, replaced.as_ref().map(Floor::above)).await {
            Ok(attempt) if record.stage == Stage::Confirmed => {
                Ok(self.advance_unless_ended(record, &Step::SubmittingAgain(&attempt))?)
            }
            Ok(attempt) => self.submitting(record, &attempt),
            Err(fault) => Err(fault),
        };
        drop(turn);
        match outcome {
            Err(StageError::Action(ActionError::Refused(Refusal { meaning: Meaning::AlreadyDone, .. }))) => {
                let landed = self.look_on_chain(record).await?;
                // Else it is another's that waits to be mined, and may never be.
                let step = landed.ok_or_else(|| ChainError::Refused("another update is about to be mined".into()))?;
                Ok(self.advance_unless_ended(record, &step)?)
            }
            outcome => outcome,
        }
    }

    /// The cycle's call, attested as the contract wants it.
    async fn prepared(&self, record: &CycleRecord) -> Result<Call, StageError> {
        let forecast = stored(record.forecast.as_ref(), "forecast")?;
        let proof = stored(record.proof.as_ref(), "proof")?;
        self.chain.read.check_chain_id().await?;
        let model_id = self.action.model_id(&self.chain.read).await?;
        let attestations = self.attestations(model_id, record.period, forecast).await?;
        let of_prices = self.price_attestations(model_id, record.period, forecast).await?;
        Ok(self.action.call(model_id, record.period, forecast, proof, [&attestations, &of_prices]))
    }

    async fn signed(&self, call: Call, nonce: u64, replaces: Option<Floor>) -> Result<Attempt, StageError> {
        match self.chain.sign(Purpose::Action, call, nonce, replaces).await {
            Ok(attempt) => Ok(attempt),
            Err(fault) => Err(self.action.explained(&self.chain.read, fault).await.into()),
        }
    }

    /// Stores a signed transaction. Where somebody else was faster, its transaction stands and ours is forgotten; where
    /// another cycle has the nonce, ours waits for one of its own.
    pub(super) fn submitting(&self, record: &CycleRecord, attempt: &Attempt) -> Result<CycleRecord, StageError> {
        match self.advance_unless_ended(record, &Step::Submitting(attempt)) {
            Err(StateError::Conflict(period)) => {
                info!(period = period.0, "somebody else has signed a transaction, going on with that one");
                Ok(self.stored_again(record)?)
            }
            Err(StateError::NonceTaken { nonce, period, .. }) => Err(CycleError::NonceHeld { period, nonce }.into()),
            outcome => Ok(outcome?),
        }
    }

    /// Sends what is stored, watches it and replaces it in time, for one round or until the cycle gets further. What nobody else
    /// drives and may stand before it comes first.
    pub(super) async fn land(&self, record: &CycleRecord) -> Result<CycleRecord, StageError> {
        self.drive_neglected().await?;
        self.land_for(record, LOOKS_A_ROUND).await
    }

    /// As [`Agent::land`], for the cycle alone and so many looks.
    pub(super) async fn land_for(&self, record: &CycleRecord, rounds: usize) -> Result<CycleRecord, StageError> {
        let (mut looks, mut is_sent, mut is_capped, mut pauses) = (0, false, false, false);
        let mut is_filled = false;
        for _ in 0..rounds {
            if std::mem::replace(&mut pauses, true) {
                tokio::time::sleep(self.poll_interval).await;
            }
            // Another process may have signed, or ended the cycle.
            let record = &self.stored_again(record)?;
            let attempts = self.store.attempts(record.job, record.period)?;
            let decision = self.look(record, &attempts, looks).await?;
            looks = if decision == Decision::Look { looks + 1 } else { 0 };
            match decision {
                Decision::Rest => return Ok(record.clone()),
                Decision::Look | Decision::Wait => {}
                Decision::Send | Decision::Replace(_) if is_sent => {}
                Decision::Replace(purpose) if !is_capped => {
                    match self.replace(record, &attempts, purpose, Floor::default()).await? {
                        Some(_) => pauses = false,
                        None => is_capped = true,
                    }
                }
                Decision::Send | Decision::Replace(_) => is_sent = self.send(record, &attempts).await?,
                Decision::Fill if is_filled => {}
                Decision::Fill => {
                    is_filled = true;
                    self.fill_gap().await?;
                }
                // What becomes of a running job's cycle is its own to say.
                Decision::SignAnew | Decision::ByOther | Decision::Miss(_) if self.is_of_another(record) => {
                    return Ok(record.clone());
                }
                // A model that was replaced signs nothing new: the present one has a cycle of its own.
                Decision::SignAnew if record.job != self.job() => {
                    return Ok(self.missed(record, &CycleError::Superseded.into())?);
                }
                Decision::SignAnew => return self.sign(record).await,
                Decision::Confirm(landed) => {
                    self.count_fees(&attempts).await;
                    return Ok(self.advance_unless_ended(record, &Step::Confirmed(landed))?);
                }
                Decision::ByOther => {
                    self.count_fees(&attempts).await;
                    return Ok(self.advance_unless_ended(record, &Step::AlreadyByOther)?);
                }
                Decision::Miss(loss) => {
                    self.count_fees(&attempts).await;
                    return Ok(self.missed(record, &loss.into())?);
                }
            }
        }
        Ok(self.stored_again(record)?)
    }

    /// Counts what the mined ones of a cycle's transactions have cost.
    async fn count_fees(&self, attempts: &[Attempt]) {
        for attempt in attempts {
            match self.chain.read.fee_wei(attempt.hash).await {
                Ok(Some(fee_wei)) => {
                    let wallet = Wallet { chain_id: self.chain.read.chain_id(), address: &attempt.wallet };
                    metrics::fee_paid(wallet, fee_wei);
                }
                Ok(None) => {}
                Err(fault) => debug!(code = fault.code(), hash = %attempt.hash, "a fee was not counted"),
            }
        }
    }

    /// What to do about the cycle's transactions by what the chain says of them now.
    async fn look(&self, record: &CycleRecord, attempts: &[Attempt], looks: u32) -> Result<Decision, StageError> {
        // First the nonce: what used it up has a receipt by the time that is asked for.
        let nonce = self.chain.nonce().await?;
        let mut mined = Vec::with_capacity(attempts.len());
        let wallet = self.chain.address();
        for attempt in attempts {
            let is_used = attempt.nonce < nonce || attempt.wallet != wallet;
            mined.push(if is_used { self.chain.read.mined(attempt.hash).await? } else { None });
        }
        let head = self.chain.read.head().await?;
        let waits_for_others = attempts.last().is_some_and(|newest| newest.wallet == wallet && newest.nonce > nonce);
        let holder = if waits_for_others { self.holder(nonce).await? } else { Holder::Somebody };
        Ok(next(&Situation {
            stage: record.stage,
            attempts,
            mined: &mined,
            wallet,
            nonce,
            holder,
            head: head.number,
            is_over: head.timestamp_seconds.saturating_mul(1000) >= record.end_ms,
            is_done: self.is_done(record).await?,
            left_ms: self.left_ms(record.end_ms),
            is_due: self.clock.now_ms() - record.updated_ms >= self.replace_after_ms,
            looks,
            confirmations: self.confirmations,
        }))
    }

    /// Sends the newest transaction of each nonce that is not used up. One that is priced too low is replaced: then there
    /// is something new to send, and this says false.
    async fn send(&self, record: &CycleRecord, attempts: &[Attempt]) -> Result<bool, StageError> {
        let (wallet, nonce) = (self.chain.address(), self.chain.nonce().await?);
        let is_newest = |index: usize| {
            let one = &attempts[index];
            attempts[index + 1..].iter().all(|later| later.nonce != one.nonce || later.wallet != one.wallet)
        };
        let is_open = |attempt: &Attempt| attempt.nonce >= nonce || attempt.wallet != wallet;
        let open = (0..attempts.len()).filter(|index| is_open(&attempts[*index]) && is_newest(*index));
        for attempt in open.map(|index| &attempts[index]) {
            let (hash, purpose) = (attempt.hash, attempt.purpose);
            match self.chain.broadcast(attempt).await {
                Ok(()) => info!(%hash, nonce = attempt.nonce, purpose = purpose.name(), "transaction sent"),
                // Nobody here can outbid it, and no RPC that refuses it says anything about ours.
                Err(fault) if attempt.wallet != wallet => {
                    warn!(code = fault.code(), error = %fault, %hash, "a transaction of another wallet is not taken");
                }
                Err(fault @ ChainError::Underpriced { minimum, .. }) => {
                    warn!(code = fault.code(), error = %fault, %hash, "a dearer one is needed");
                    return Ok(self.replace(record, attempts, purpose, minimum).await?.is_none());
                }
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(true)
    }

    /// Signs and stores a dearer transaction with the newest one's nonce, one that offers as much as nodes named at least;
    /// `None` where the cap allows none, or the contract would not take it any more: then the old one is waited for.
    async fn replace(
        &self,
        record: &CycleRecord,
        attempts: &[Attempt],
        purpose: Purpose,
        named: Floor,
    ) -> Result<Option<CycleRecord>, StageError> {
        let old = stored(attempts.last(), "transaction")?;
        let replaces = Some(Floor::above(old).and(named));
        let signed = match purpose {
            Purpose::Action if record.job == self.job() => {
                let call = self.prepared(record).await?;
                self.signed(call, old.nonce, replaces).await
            }
            Purpose::Action => self.chain.sign_fee_bump(old, named).await.map_err(StageError::from),
            Purpose::Cancel => self.chain.sign_cancel(old.nonce, replaces).await.map_err(StageError::from),
        };
        let new = match signed {
            Ok(new) => new,
            Err(StageError::Action(
                fault @ (ActionError::Chain(ChainError::FeeAboveCap { .. })
                | ActionError::Refused(Refusal { meaning: Meaning::AlreadyDone | Meaning::Over, .. })),
            )) => {
                warn!(code = fault.code(), error = %fault, hash = %old.hash, "no replacement, waiting on");
                return Ok(None);
            }
            Err(fault) => return Err(fault),
        };
        warn!(old = %old.hash, new = %new.hash, purpose = purpose.name(), "replacing a transaction that is not mined");
        Ok(Some(self.submitting(record, &new)?))
    }

    pub(super) fn stored_again(&self, record: &CycleRecord) -> Result<CycleRecord, StateError> {
        Ok(self.store.cycle(record.job, record.period)?.unwrap_or_else(|| record.clone()))
    }

    async fn is_done(&self, record: &CycleRecord) -> Result<bool, StageError> {
        match self.look_on_chain(record).await {
            Ok(step) => Ok(step.is_some()),
            // The contract may have gone over to another model since. Ours did nothing there, and receipts tell the rest.
            Err(StageError::Action(ActionError::ForeignModel(_))) => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// What the chain says of a cycle that has sent nothing: another has done it, or nobody yet.
    pub(super) async fn look_on_chain(&self, record: &CycleRecord) -> Result<Option<Step<'static>>, StageError> {
        let read = &self.chain.read;
        let last = if record.job == self.job() {
            self.action.model_id(read).await?;
            self.action.last_period(read, record.omitted_markets(), BlockId::latest()).await?
        } else if let Some(signed) = self.store.last_action(record.job)?
            && let Ok(call) = calldata(&signed)
        {
            // What the last call of another job would change tells which markets it serves.
            last_period_of(read, record.job.contract.address, &call).await?
        } else {
            None
        };
        Ok((last == Some(record.period)).then_some(Step::AlreadyByOther))
    }

    /// Ends a cycle without an update. That its time was over is no reason where its owner had it wait.
    pub(super) fn missed(&self, record: &CycleRecord, fault: &StageError) -> Result<CycleRecord, StateError> {
        let is_over = matches!(fault, StageError::CycleError(CycleError::Deadline));
        let paused = record.retrying.as_ref().filter(|noted| is_over && noted.code == PAUSED_CODE);
        let (code, message) = match paused {
            Some(noted) => (noted.code.clone(), noted.message.clone()),
            None => (fault.code().into(), fault.to_string()),
        };
        if code == PAUSED_CODE {
            info!(stage = record.stage.name(), code, "the period ends: {message}");
        } else {
            warn!(stage = record.stage.name(), code, error = message, hint = fault.hint(), "period missed");
        }
        let miss = Miss { stage: record.stage, code, message };
        self.advance_unless_ended(record, &Step::Missed(&miss))
    }

    /// Takes a step of a cycle that others of the wallet may drive at the same time: how it ended meanwhile, it stays.
    fn advance_unless_ended(&self, record: &CycleRecord, step: &Step<'_>) -> Result<CycleRecord, StateError> {
        match self.advance(record, step) {
            Err(fault @ StateError::Illegal { .. }) => {
                let stored = self.stored_again(record)?;
                if stored.stage.is_final() { Ok(stored) } else { Err(fault) }
            }
            outcome => outcome,
        }
    }

    /// Milliseconds until a period ends: from then on no block takes its call. Negative afterwards.
    pub(super) fn left_ms(&self, end_ms: i64) -> i64 {
        end_ms - self.clock.now_ms()
    }
}

impl From<Loss> for StageError {
    fn from(loss: Loss) -> Self {
        match loss {
            Loss::Deadline => CycleError::Deadline.into(),
            Loss::Cancelled => CycleError::Cancelled.into(),
            Loss::Reverted(hash) => ChainError::Reverted(hash).into(),
        }
    }
}
