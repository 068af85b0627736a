//! Rows of signed transactions, and the rules that keep jobs and processes from signing against each other.
//!
//! A wallet's nonces on a chain are one row of numbers for all jobs. A nonce is a cycle's from the moment at which its first
//! transaction with it is stored until the cycle has ended: till then only the cycle itself signs with it again, for a higher
//! fee. Whoever finds it taken asks for another one. What an ended cycle left behind is mined, used up, or may be outbid. Where
//! the chain drops a landed update whose nonce another cycle has taken since, both have it and go on with it as if they were
//! alone, so that neither waits for the other: only one of them can be mined, and the other one signs anew.

use std::collections::BTreeSet;

use alloy::primitives::Address;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::columns::{all, parsed, unreadable};
use super::jobs::Scope;
use super::rows::{Key, key};
use super::{StateError, Store, jobs};
use veriregime_core::types::cycle::{Attempt, Purpose, Stage};
use veriregime_core::types::job::JobKey;
use veriregime_core::types::period::PeriodId;

const COLUMNS: &str = "nonce, hash, raw, max_fee_per_gas_wei, priority_fee_wei, purpose, wallet";
/// Transactions with their cycles, in the columns of [`read_stored`].
const STORED: &str = "SELECT nonce, hash, raw, max_fee_per_gas_wei, priority_fee_wei, purpose, wallet, jobs.chain_id, jobs.contract, \
     jobs.manifest, attempts.period, stage, signed_ms FROM attempts \
     JOIN jobs ON jobs.id = attempts.job \
     JOIN cycles ON cycles.job = attempts.job AND cycles.period = attempts.period";
/// Of a cycle that has not ended: its transactions hold their nonces.
const IS_OPEN: &str = "stage NOT IN ('confirmed', 'already_by_other', 'missed')";
/// Transactions of periods that ended so long ago say nothing about a nonce any more: a week.
const NONCE_SECONDS: i64 = 7 * 86_400;
/// A transaction replaces another one with its nonce only if both of its fees are higher, by a tenth at least.
const LEAST_RAISE_PERCENT: u128 = 110;

/// A transaction with the cycle that it belongs to.
#[derive(Debug, Clone)]
pub struct StoredAttempt {
    pub job: JobKey,
    pub period: PeriodId,
    /// How far the cycle got.
    pub stage: Stage,
    /// When it was signed, in Unix milliseconds; 0 for one of a version that did not note it.
    pub signed_ms: i64,
    pub attempt: Attempt,
}

/// Every transaction of a cycle, oldest first.
pub(super) fn of_cycle(connection: &Connection, key: Key) -> Result<Vec<Attempt>, StateError> {
    let sql = format!("SELECT {COLUMNS} FROM attempts WHERE job = ?1 AND period = ?2 ORDER BY id");
    all(connection, &sql, params![key.job, key.period], read)
}

impl Store {
    /// Every transaction that was signed for the job's cycle of the period, oldest first.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn attempts(&self, job: JobKey, period: PeriodId) -> Result<Vec<Attempt>, StateError> {
        let connection = self.lock();
        of_cycle(&connection, key(&connection, job, period)?)
    }

    /// Every transaction of the wallet on the chain whose cycle has not ended, of all jobs, by nonce and then in the order of
    /// signing.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn open_attempts(&self, chain_id: u64, wallet: Address) -> Result<Vec<StoredAttempt>, StateError> {
        let sql =
            format!("{STORED} WHERE attempts.chain_id = ?1 AND wallet = ?2 AND {IS_OPEN} ORDER BY nonce, attempts.id");
        all(&self.lock(), &sql, params![chain_id as i64, wallet.to_string()], read_stored)
    }

    /// The last transaction that `wallet` signed with `nonce` on the chain for a period that was not over a week before
    /// `now_ms`, of whatever job.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn attempt_with_nonce(
        &self,
        chain_id: u64,
        wallet: Address,
        nonce: u64,
        now_ms: i64,
    ) -> Result<Option<Attempt>, StateError> {
        let since = now_ms.div_euclid(1000).saturating_sub(NONCE_SECONDS);
        let sql = format!(
            "SELECT {COLUMNS} FROM attempts WHERE chain_id = ?1 AND wallet = ?2 AND nonce = ?3 AND EXISTS (
             SELECT 1 FROM cycles WHERE cycles.job = attempts.job AND cycles.period = attempts.period AND ends > ?4)
             ORDER BY id DESC LIMIT 1"
        );
        let connection = self.lock();
        let mut statement = connection.prepare_cached(&sql)?;
        let found = statement.query_row(params![chain_id as i64, wallet.to_string(), nonce as i64, since], read);
        Ok(found.optional()?)
    }

    /// The last action that was signed for a cycle of the job and whose bytes are still kept.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn last_action(&self, job: JobKey) -> Result<Option<Attempt>, StateError> {
        let connection = self.lock();
        let Some(job) = jobs::row(&connection, job)? else { return Ok(None) };
        let sql = format!(
            "SELECT {COLUMNS} FROM attempts WHERE job = ?1 AND purpose = 'update' AND raw != x'' ORDER BY period DESC, id DESC LIMIT 1"
        );
        Ok(connection.query_row(&sql, [job], read).optional()?)
    }

    /// The nonce after the highest one that this database knows the wallet to have signed with on the chain, for whatever job
    /// or none: how many of its transactions it knows of.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn next_nonce(&self, chain_id: u64, wallet: Address) -> Result<u64, StateError> {
        let sql = "SELECT max(
                   (SELECT coalesce(max(nonce) + 1, 0) FROM attempts WHERE chain_id = ?1 AND wallet = ?2),
                   (SELECT coalesce(max(next_nonce), 0) FROM other_transactions WHERE chain_id = ?1 AND wallet = ?2))";
        let connection = self.lock();
        let mut statement = connection.prepare_cached(sql)?;
        let next: i64 = statement.query_row(params![chain_id as i64, wallet.to_string()], |row| row.get(0))?;
        Ok(next as u64)
    }

    /// The nonces of the wallet on the chain, from `from` on, that `job` must leave alone: those of all cycles that have not
    /// ended, and those of other jobs' cycles whose call has landed in a block that the chain may still drop.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn held_nonces(
        &self,
        chain_id: u64,
        wallet: Address,
        from: u64,
        job: JobKey,
    ) -> Result<BTreeSet<u64>, StateError> {
        let connection = self.lock();
        let job = jobs::row(&connection, job)?;
        let sql = format!(
            "SELECT DISTINCT nonce FROM attempts JOIN cycles ON cycles.job = attempts.job AND cycles.period = attempts.period
             WHERE chain_id = ?1 AND wallet = ?2 AND nonce >= ?3
             AND ({IS_OPEN} OR (stage = 'confirmed' AND NOT is_final AND attempts.job IS NOT ?4 AND json_extract(landed, '$.hash') = hash))"
        );
        let wanted = params![chain_id as i64, wallet.to_string(), from as i64, job];
        Ok(all(&connection, &sql, wanted, |row| Ok(row.get::<_, i64>(0)? as u64))?.into_iter().collect())
    }

    /// Below which nonce the wallet's transactions are known though they belong to no cycle: see [`Store::know_nonces`].
    ///
    /// # Errors
    /// [`StateError`].
    pub fn nonces_of_no_cycle(&self, chain_id: u64, wallet: Address) -> Result<u64, StateError> {
        let sql = "SELECT coalesce(max(next_nonce), 0) FROM other_transactions WHERE chain_id = ?1 AND wallet = ?2";
        let next: i64 = self.lock().query_row(sql, params![chain_id as i64, wallet.to_string()], |row| row.get(0))?;
        Ok(next as u64)
    }

    /// Notes that a wallet's transactions below `next_nonce` are known, though they belong to no cycle.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn know_nonces(&self, chain_id: u64, wallet: Address, next_nonce: u64) -> Result<(), StateError> {
        let sql = "INSERT INTO other_transactions (chain_id, wallet, next_nonce) VALUES (?1, ?2, ?3)
                   ON CONFLICT DO UPDATE SET next_nonce = max(next_nonce, excluded.next_nonce)";
        self.lock().execute(sql, params![chain_id as i64, wallet.to_string(), next_nonce as i64])?;
        Ok(())
    }

    /// The newest `limit` transactions of these jobs' cycles, of whatever wallet, newest first.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn recent_attempts(&self, scope: Scope<'_>, limit: u32) -> Result<Vec<StoredAttempt>, StateError> {
        let sql = format!(
            "{STORED} WHERE (?1 IS NULL OR attempts.job IN (SELECT value FROM json_each(?1))) ORDER BY attempts.id DESC LIMIT ?2"
        );
        let connection = self.lock();
        all(&connection, &sql, params![scope.rows(&connection)?, limit], read_stored)
    }
}

/// Adds a transaction to a cycle that was at stage `from`, unless it is there already.
///
/// # Errors
/// [`StateError::Conflict`] where somebody else has driven the cycle since the caller looked: it has ended, the last transaction
/// has the same nonce and is not outbid by this one, or the action was cancelled. [`StateError::NonceTaken`] where another cycle
/// that has not ended has the nonce.
pub(super) fn add(
    connection: &Connection,
    (job, at): (JobKey, PeriodId),
    from: Stage,
    attempt: &Attempt,
    now_ms: i64,
) -> Result<(), StateError> {
    let key = key(connection, job, at)?;
    let earlier = of_cycle(connection, key)?;
    if earlier.iter().any(|one| one.hash == attempt.hash) {
        return Ok(());
    }
    let is_fee_bump_of = |one: &Attempt| {
        let raised =
            |old: u128, new: u128| new > old && new.saturating_mul(100) >= old.saturating_mul(LEAST_RAISE_PERCENT);
        raised(one.max_fee_per_gas_wei, attempt.max_fee_per_gas_wei)
            && raised(one.priority_fee_wei, attempt.priority_fee_wei)
    };
    let cancelled = earlier.iter().any(|one| one.purpose == Purpose::Cancel);
    let is_rival = |one: &&Attempt| one.wallet == attempt.wallet && one.nonce == attempt.nonce;
    let has_nonce = earlier.iter().any(|one| is_rival(&one));
    let is_outbid = !earlier.iter().filter(is_rival).all(is_fee_bump_of);
    if from.is_final() || is_outbid || (cancelled && attempt.purpose == Purpose::Action) {
        return Err(StateError::Conflict(at));
    }
    let holder = holder(connection, key, job.contract.chain_id, attempt)?;
    if let Some(holder) = holder.filter(|holder| !has_nonce || holder.attempt.hash == attempt.hash) {
        return Err(StateError::NonceTaken { nonce: attempt.nonce, job: holder.job, period: holder.period });
    }
    connection.execute(
        "INSERT INTO attempts
         (chain_id, wallet, nonce, hash, job, period, raw, max_fee_per_gas_wei, priority_fee_wei, purpose, signed_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            job.contract.chain_id as i64,
            attempt.wallet.to_string(),
            attempt.nonce as i64,
            attempt.hash.to_string(),
            key.job,
            key.period,
            attempt.raw.to_vec(),
            attempt.max_fee_per_gas_wei.to_string(),
            attempt.priority_fee_wei.to_string(),
            attempt.purpose.name(),
            now_ms,
        ],
    )?;
    Ok(())
}

/// The transaction of another cycle that keeps this one's nonce from being used: of an open one, or the same bytes.
fn holder(
    connection: &Connection,
    key: Key,
    chain_id: u64,
    attempt: &Attempt,
) -> Result<Option<StoredAttempt>, StateError> {
    let sql = format!(
        "{STORED} WHERE attempts.chain_id = ?1 AND wallet = ?2 AND nonce = ?3
         AND NOT (attempts.job = ?4 AND attempts.period = ?5) AND ({IS_OPEN} OR hash = ?6) ORDER BY hash = ?6 DESC LIMIT 1"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let (wallet, hash) = (attempt.wallet.to_string(), attempt.hash.to_string());
    let wanted = params![chain_id as i64, wallet, attempt.nonce as i64, key.job, key.period, hash];
    Ok(statement.query_row(wanted, read_stored).optional()?)
}

fn read_stored(row: &Row<'_>) -> rusqlite::Result<StoredAttempt> {
    Ok(StoredAttempt {
        attempt: read(row)?,
        job: jobs::read(row, 7)?,
        period: PeriodId(row.get::<_, i64>(10)? as u64),
        stage: Stage::from_name(&row.get::<_, String>(11)?).ok_or_else(|| unreadable(11, "not a stage"))?,
        signed_ms: row.get(12)?,
    })
}

fn read(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    Ok(Attempt {
        nonce: row.get::<_, i64>(0)? as u64,
        hash: parsed(row, 1)?,
        raw: row.get::<_, Vec<u8>>(2)?.into(),
        max_fee_per_gas_wei: parsed(row, 3)?,
        priority_fee_wei: parsed(row, 4)?,
        purpose: Purpose::from_name(&row.get::<_, String>(5)?).ok_or_else(|| unreadable(5, "not a purpose"))?,
        wallet: parsed(row, 6)?,
    })
}
