//! Rows of signed transactions, and the rules that keep two processes from signing against each other.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::StateFault;
use super::rows::{all, parsed, period, unreadable};
use crate::types::cycle::{Attempt, Purpose, Stage};
use crate::types::digest::Digest;
use crate::types::period::PeriodId;

const COLUMNS: &str = "nonce, hash, raw, max_fee_per_gas_wei, priority_fee_wei, purpose";
/// A transaction replaces another one with its nonce only if both of its fees are higher, by a tenth at least.
const LEAST_RAISE_PERCENT: u128 = 110;

/// A transaction with the cycle that it belongs to.
#[derive(Debug, Clone)]
pub struct StoredAttempt {
    pub manifest: Digest,
    pub period: PeriodId,
    /// How far the cycle got.
    pub stage: Stage,
    /// When it was signed, in Unix milliseconds; 0 for one of a version that did not note it.
    pub signed_ms: i64,
    pub attempt: Attempt,
}

/// Every transaction of a period, oldest first.
pub(super) fn of_period(connection: &Connection, manifest: Digest, at: PeriodId) -> Result<Vec<Attempt>, StateFault> {
    let sql = format!("SELECT {COLUMNS} FROM attempts WHERE manifest = ?1 AND period = ?2 ORDER BY rowid");
    all(connection, &sql, params![manifest.to_string(), period(at)?], read)
}

/// The last transaction with that nonce for `since` or a later period.
pub(super) fn with_nonce(connection: &Connection, nonce: u64, since: PeriodId) -> Result<Option<Attempt>, StateFault> {
    let sql = format!("SELECT {COLUMNS} FROM attempts WHERE nonce = ?1 AND period >= ?2 ORDER BY rowid DESC LIMIT 1");
    Ok(connection.query_row(&sql, params![nonce as i64, period(since)?], read).optional()?)
}

/// The nonce after the highest one.
pub(super) fn next_nonce(connection: &Connection) -> Result<u64, StateFault> {
    let highest: Option<i64> = connection.query_row("SELECT max(nonce) FROM attempts", [], |row| row.get(0))?;
    Ok(highest.map_or(0, |nonce| nonce as u64 + 1))
}

/// The newest `limit` transactions of all cycles, newest first.
pub(super) fn recent(connection: &Connection, limit: u32) -> Result<Vec<StoredAttempt>, StateFault> {
    let sql = format!(
        "SELECT {COLUMNS}, attempts.manifest, attempts.period, stage, signed_ms FROM attempts
         JOIN cycles ON cycles.manifest = attempts.manifest AND cycles.period = attempts.period
         ORDER BY attempts.rowid DESC LIMIT ?1"
    );
    all(connection, &sql, params![limit], |row| {
        Ok(StoredAttempt {
            attempt: read(row)?,
            manifest: parsed(row, 6)?,
            period: PeriodId(row.get::<_, i64>(7)? as u64),
            stage: Stage::from_name(&row.get::<_, String>(8)?).ok_or_else(|| unreadable(8, "not a stage"))?,
            signed_ms: row.get(9)?,
        })
    })
}

/// Adds a transaction, unless it is there already.
///
/// # Errors
/// [`StateFault::Overtaken`] where another process has signed since the caller looked: the last transaction has the
/// same nonce and is not outbid by this one, or the update was cancelled.
pub(super) fn add(
    connection: &Connection,
    manifest: Digest,
    at: PeriodId,
    attempt: &Attempt,
    now_ms: i64,
) -> Result<(), StateFault> {
    let earlier = of_period(connection, manifest, at)?;
    if earlier.iter().any(|one| one.hash == attempt.hash) {
        return Ok(());
    }
    let outbids = |one: &Attempt| {
        let raised =
            |old: u128, new: u128| new > old && new.saturating_mul(100) >= old.saturating_mul(LEAST_RAISE_PERCENT);
        raised(one.max_fee_per_gas_wei, attempt.max_fee_per_gas_wei)
            && raised(one.priority_fee_wei, attempt.priority_fee_wei)
    };
    let cancelled = earlier.iter().any(|one| one.purpose == Purpose::Cancel);
    let same_nonce = earlier.iter().filter(|one| one.nonce == attempt.nonce).all(outbids);
    if !same_nonce || (cancelled && attempt.purpose == Purpose::Update) {
        return Err(StateFault::Overtaken(at));
    }
    connection.execute(
        "INSERT INTO attempts
         (manifest, period, nonce, hash, raw, max_fee_per_gas_wei, priority_fee_wei, purpose, signed_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            manifest.to_string(),
            period(at)?,
            attempt.nonce as i64,
            attempt.hash.to_string(),
            attempt.raw.to_vec(),
            attempt.max_fee_per_gas_wei.to_string(),
            attempt.priority_fee_wei.to_string(),
            attempt.purpose.name(),
            now_ms,
        ],
    )?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    Ok(Attempt {
        nonce: row.get::<_, i64>(0)? as u64,
        hash: parsed(row, 1)?,
        raw: row.get::<_, Vec<u8>>(2)?.into(),
        max_fee_per_gas_wei: parsed(row, 3)?,
        priority_fee_wei: parsed(row, 4)?,
        purpose: Purpose::from_name(&row.get::<_, String>(5)?).ok_or_else(|| unreadable(5, "not a purpose"))?,
    })
}
