//! What is no longer kept, and why the database stops growing.
//!
//! | what | until |
//! |---|---|
//! | a cycle's candles, or tables | its period is over, and it was missed, or its update is final and has left evidence; a week at most |
//! | its proof, and the bytes of its transactions | a week later, if it has ended and its update is final: evidence has them |
//! | the cycle, its transactions' hashes, what was promised for its period | a year later |
//! | when its stages were reached, what its update did to markets, what followed | as long as the cycle |
//! | attestations | so many were made since |
//! | live candles | every job's window has left their day |

use rusqlite::{Transaction, params};

use super::StateError;
use super::rows::Key;

/// Candles and proofs of ended cycles are kept for so long after their periods' end: a week, less the period itself.
pub(super) const DETAIL_SECONDS: i64 = 7 * 86_400 - 14_400;
/// Cycles are kept for so long: a year.
pub(super) const CYCLE_SECONDS: i64 = 366 * 86_400 - 14_400;
/// The newest attestations are kept.
const ATTESTATIONS: i64 = 100_000;

/// Of a cycle that nothing will change any more.
const IS_SETTLED: &str = "(stage = 'missed' OR stage = 'already_by_other' AND is_final
     OR stage = 'confirmed' AND is_final AND evidence IS NOT NULL)";

/// Drops what need not be kept once the cycle of this key has its data. Done with the first of those that begin then.
pub(super) fn sweep(transaction: &Transaction<'_>, key: Key) -> Result<(), StateError> {
    let starts = "SELECT starts FROM cycles WHERE job = ?1 AND period = ?2";
    let now: i64 = transaction.query_row(starts, params![key.job, key.period], |row| row.get(0))?;
    let sql = "SELECT EXISTS (SELECT 1 FROM windows JOIN cycles USING (job, period) WHERE starts >= ?1
               UNION ALL SELECT 1 FROM snapshots JOIN cycles USING (job, period) WHERE starts >= ?1)";
    if transaction.query_row(sql, [now], |row| row.get(0))? {
        return Ok(());
    }
    let (detail, cycles) = (now.saturating_sub(DETAIL_SECONDS), now.saturating_sub(CYCLE_SECONDS));
    let execute = |sql: &str, params: &[i64]| transaction.execute(sql, rusqlite::params_from_iter(params));
    for inputs in ["windows", "snapshots"] {
        let sql = format!(
            "DELETE FROM {inputs} WHERE NOT EXISTS (SELECT 1 FROM cycles
             WHERE cycles.job = {inputs}.job AND cycles.period = {inputs}.period
             AND ends >= ?2 AND NOT (ends <= ?1 AND {IS_SETTLED}))"
        );
        execute(&sql, &[now, detail])?;
    }
    execute(
        "DELETE FROM candle_blocks WHERE id NOT IN
         (SELECT block FROM live_blocks UNION ALL SELECT value FROM windows, json_each(windows.blocks))",
        &[],
    )?;
    let of_settled = format!(
        "raw != x'' AND EXISTS (SELECT 1 FROM cycles WHERE cycles.job = attempts.job
         AND cycles.period = attempts.period AND ends < ?1 AND {IS_SETTLED})"
    );
    slim(transaction, "attempts", "raw = x''", &of_settled, detail)?;
    slim(transaction, "cycles", "proof = NULL", &format!("ends < ?1 AND proof IS NOT NULL AND {IS_SETTLED}"), detail)?;
    drop_old_cycles(transaction, cycles)?;
    execute("DELETE FROM attestations WHERE rowid <= (SELECT max(rowid) FROM attestations) - ?1", &[ATTESTATIONS])?;
    Ok(())
}

/// Takes a large value out of rows, of periods that ended before `before`. They are written anew: SQLite leaves a row that shrinks alone on
/// its page.
fn slim(transaction: &Transaction<'_>, table: &str, value: &str, which: &str, before: i64) -> Result<(), StateError> {
    transaction.execute(
        &format!("CREATE TEMP TABLE slimmed AS SELECT rowid AS row, * FROM {table} WHERE {which}"),
        params![before],
    )?;
    transaction.execute_batch(&format!(
        "UPDATE slimmed SET {value};
         DELETE FROM {table} WHERE rowid IN (SELECT row FROM slimmed);
         ALTER TABLE slimmed DROP COLUMN row;
         INSERT INTO {table} SELECT * FROM slimmed;
         DROP TABLE slimmed;"
    ))?;
    Ok(())
}

/// Drops ended cycles of periods that ended before `before`. How far their wallets' nonces went stays known.
fn drop_old_cycles(transaction: &Transaction<'_>, before: i64) -> Result<(), StateError> {
    let of_old = "EXISTS (SELECT 1 FROM cycles WHERE cycles.job = attempts.job AND cycles.period = attempts.period
                  AND cycles.ends < ?1 AND stage IN ('confirmed', 'already_by_other', 'missed'))";
    transaction.execute(
        &format!(
            "INSERT INTO other_transactions (chain_id, wallet, next_nonce)
             SELECT chain_id, wallet, max(nonce) + 1 FROM attempts WHERE {of_old} GROUP BY chain_id, wallet
             ON CONFLICT DO UPDATE SET next_nonce = max(next_nonce, excluded.next_nonce)"
        ),
        params![before],
    )?;
    transaction.execute(&format!("DELETE FROM attempts WHERE {of_old}"), params![before])?;
    transaction.execute(
        "DELETE FROM cycles WHERE ends < ?1 AND stage IN ('confirmed', 'already_by_other', 'missed')",
        params![before],
    )?;
    transaction.execute("DELETE FROM promises WHERE ends < ?1", params![before])?;
    for beside in ["stage_times", "parameters", "outcomes"] {
        let sql = format!(
            "DELETE FROM {beside} WHERE NOT EXISTS (SELECT 1 FROM cycles
             WHERE cycles.job = {beside}.job AND cycles.period = {beside}.period)"
        );
        transaction.execute(&sql, [])?;
    }
    let unused = "DELETE FROM policies WHERE id NOT IN (SELECT policy FROM parameters WHERE policy IS NOT NULL)";
    transaction.execute(unused, [])?;
    Ok(())
}
