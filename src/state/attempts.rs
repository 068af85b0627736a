//! Rows of signed transactions, and the rules that keep two processes from signing against each other.

use alloy::primitives::Address;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::rows::{all, parsed, period, unreadable};
use super::{StateError, Store};
use veriregime_core::types::cycle::{Attempt, Purpose, Stage};
use veriregime_core::types::digest::Digest;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::signed;
use veriregime_core::types::signed::Signed;

const COLUMNS: &str = "nonce, hash, raw, max_fee_per_gas_wei, priority_fee_wei, purpose, wallet";
/// Transactions of periods further back say nothing about a nonce any more.
const NONCE_PERIODS: u64 = PeriodId::PER_WEEK;
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
pub(super) fn of_period(connection: &Connection, manifest: Digest, at: PeriodId) -> Result<Vec<Attempt>, StateError> {
    let sql = format!("SELECT {COLUMNS} FROM attempts WHERE manifest = ?1 AND period = ?2 ORDER BY rowid");
    all(connection, &sql, params![manifest.to_string(), period(at)?], read)
}

impl Store {
    /// Every transaction that was signed for the period, oldest first.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn attempts(&self, manifest: Digest, period: PeriodId) -> Result<Vec<Attempt>, StateError> {
        of_period(&self.lock(), manifest, period)
    }

    /// The last transaction that `wallet` signed with `nonce` for a period up to a week before `at`.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn attempt_with_nonce(&self, wallet: Address, nonce: u64, at: PeriodId) -> Result<Option<Attempt>, StateError> {
        let since = period(PeriodId(at.0.saturating_sub(NONCE_PERIODS)))?;
        let sql = format!(
            "SELECT {COLUMNS} FROM attempts WHERE wallet = ?1 AND nonce = ?2 AND period >= ?3 ORDER BY rowid DESC LIMIT 1"
        );
        Ok(self.lock().query_row(&sql, params![wallet.to_string(), nonce as i64, since], read).optional()?)
    }

    /// The last update that was signed for a cycle of the model.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn last_update(&self, manifest: Digest) -> Result<Option<Attempt>, StateError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM attempts WHERE manifest = ?1 AND purpose = 'update' ORDER BY rowid DESC LIMIT 1"
        );
        Ok(self.lock().query_row(&sql, params![manifest.to_string()], read).optional()?)
    }

    /// The nonce after the highest one that this database knows the wallet to have signed with: how many of its transactions
    /// it knows of.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn next_nonce(&self, chain_id: u64, wallet: Address) -> Result<u64, StateError> {
        let sql = "SELECT max((SELECT coalesce(max(nonce) + 1, 0) FROM attempts WHERE wallet = ?2),
                   (SELECT coalesce(max(next_nonce), 0) FROM other_transactions WHERE chain_id = ?1 AND wallet = ?2))";
        let next =
            self.lock().query_row(sql, params![chain_id as i64, wallet.to_string()], |row| row.get::<_, i64>(0))?;
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

    /// The newest `limit` transactions of all models' cycles, of all wallets or of one, newest first.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn recent_attempts(&self, wallet: Option<Address>, limit: u32) -> Result<Vec<StoredAttempt>, StateError> {
        let sql = format!(
            "SELECT {COLUMNS}, attempts.manifest, attempts.period, stage, signed_ms FROM attempts
             JOIN cycles ON cycles.manifest = attempts.manifest AND cycles.period = attempts.period
             WHERE coalesce(wallet = ?1, true) ORDER BY attempts.rowid DESC LIMIT ?2"
        );
        let wallet = wallet.map(|wallet| wallet.to_string());
        all(&self.lock(), &sql, params![wallet, limit], |row| {
            Ok(StoredAttempt {
                attempt: read(row)?,
                manifest: parsed(row, 7)?,
                period: PeriodId(row.get::<_, i64>(8)? as u64),
                stage: Stage::from_name(&row.get::<_, String>(9)?).ok_or_else(|| unreadable(9, "not a stage"))?,
                signed_ms: row.get(10)?,
            })
        })
    }
}

/// What each stored transaction is for and says of itself, oldest first; those whose bytes hold none are left out.
pub(super) fn signers(connection: &Connection) -> rusqlite::Result<Vec<(Purpose, Signed)>> {
    let mut statement = connection.prepare("SELECT raw, purpose FROM attempts ORDER BY rowid")?;
    let rows = statement.query_map([], |row| {
        let purpose = Purpose::from_name(&row.get::<_, String>(1)?);
        Ok(purpose.zip(signed::read(&row.get::<_, Vec<u8>>(0)?)))
    })?;
    Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().flatten().collect())
}

/// Notes the wallets of transactions that were stored before wallets were noted.
pub(super) fn recover_wallets(connection: &Connection) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("SELECT rowid, raw FROM attempts")?;
    let stored = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
    for (row, raw) in stored.collect::<rusqlite::Result<Vec<_>>>()? {
        if let Some(signed) = signed::read(&raw) {
            let sql = "UPDATE attempts SET wallet = ?2 WHERE rowid = ?1";
            connection.execute(sql, params![row, signed.wallet.to_string()])?;
        }
    }
    Ok(())
}

/// Adds a transaction, unless it is there already.
///
/// # Errors
/// [`StateError::Conflict`] where another process has signed since the caller looked: the last transaction has the
/// same nonce and is not outbid by this one, or the update was cancelled.
pub(super) fn add(
    connection: &Connection,
    manifest: Digest,
    at: PeriodId,
    attempt: &Attempt,
    now_ms: i64,
) -> Result<(), StateError> {
    let earlier = of_period(connection, manifest, at)?;
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
    let same_nonce = earlier.iter().filter(is_rival).all(is_fee_bump_of);
    if !same_nonce || (cancelled && attempt.purpose == Purpose::Update) {
        return Err(StateError::Conflict(at));
    }
    connection.execute(
        "INSERT INTO attempts
         (manifest, period, nonce, hash, raw, max_fee_per_gas_wei, priority_fee_wei, purpose, signed_ms, wallet)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
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
            attempt.wallet.to_string(),
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
        wallet: parsed(row, 6)?,
    })
}
