//! What updates did to markets, kept so that nobody has to ask a chain for its past.

use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};

use super::columns::{all, from_json, json, unreadable};
use super::jobs::Scope;
use super::reader::Reader;
use super::rows::{self, CYCLES, IN_SCOPE, Key, read_cycle};
use super::{StateError, Store};
use veriregime_core::risk::{Applied, Move, Rules, Vector};
use veriregime_core::types::cycle::CycleRecord;
use veriregime_core::types::job::JobKey;
use veriregime_core::types::period::PeriodId;

/// The columns of [`read_move`].
pub(super) const MOVE: &str = "forecast_e9, requested_e9, applied_e9, borrow_collateral_ratio_bps, \
     liquidation_collateral_ratio_bps, amm_fee_pips, borrow_cap_factor_bps";

impl Store {
    /// The newest `limit` confirmed cycles of whose updates it was not read yet what they did, newest first.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn without_parameters<'a>(
        &self,
        scope: impl Into<Scope<'a>>,
        limit: u32,
    ) -> Result<Vec<CycleRecord>, StateError> {
        let connection = self.lock();
        let sql = format!(
            "{CYCLES} WHERE {IN_SCOPE} AND stage = 'confirmed' AND NOT has_parameters AND landed IS NOT NULL
             ORDER BY starts DESC LIMIT ?2"
        );
        let scope = scope.into().rows(&connection)?;
        all(&connection, &sql, params![scope, limit], read_cycle)
    }

    /// The newest `limit` cycles of periods that end after `after_seconds` and that others had an update for, of which it was not
    /// read yet what that did, newest first.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn others_without_parameters<'a>(
        &self,
        scope: impl Into<Scope<'a>>,
        after_seconds: i64,
        limit: u32,
    ) -> Result<Vec<CycleRecord>, StateError> {
        let connection = self.lock();
        let sql = format!(
            "{CYCLES} WHERE {IN_SCOPE} AND stage = 'already_by_other' AND NOT has_parameters AND ends > ?3
             ORDER BY starts DESC LIMIT ?2"
        );
        let scope = scope.into().rows(&connection)?;
        all(&connection, &sql, params![scope, limit, after_seconds], read_cycle)
    }

    /// Keeps what an update did, ours or another's, unless it has moved since `record` was read.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn set_parameters(&self, record: &CycleRecord, markets: &[Applied]) -> Result<(), StateError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let key = rows::key(&transaction, record.job, record.period)?;
        let is_still_there = transaction.execute(
            "UPDATE cycles SET has_parameters = 1 WHERE job = ?1 AND period = ?2 AND stage = ?4
             AND (stage = 'confirmed' AND landed = ?3 OR stage = 'already_by_other')",
            params![key.job, key.period, json(&record.landed)?, record.stage.name()],
        )?;
        if is_still_there == 0 {
            return Ok(());
        }
        transaction.execute("DELETE FROM parameters WHERE job = ?1 AND period = ?2", params![key.job, key.period])?;
        for market in markets {
            write(&transaction, key, market)?;
        }
        Ok(transaction.commit()?)
    }
}

impl Reader {
    /// What a cycle's update did, market by market; nothing of an update that was not read yet.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn parameters(&self, job: JobKey, period: PeriodId) -> Result<Vec<Applied>, StateError> {
        let connection = self.lock();
        let key = rows::key(&connection, job, period)?;
        let sql = format!(
            "SELECT {MOVE}, market, probability_high_bps, effective_at, before, rules FROM parameters
             LEFT JOIN policies ON policies.id = policy WHERE job = ?1 AND period = ?2 ORDER BY market"
        );
        all(&connection, &sql, params![key.job, key.period], |row| {
            Ok(Applied {
                moved: read_move(row, 0)?.ok_or_else(|| unreadable(0, "no parameters"))?,
                market: row.get::<_, i64>(7)? as usize,
                probability_high_bps: row.get(8)?,
                effective_at_seconds: row.get::<_, i64>(9)?.unsigned_abs(),
                before: from_json(row, 10)?,
                rules: from_json(row, 11)?,
            })
        })
    }
}

/// Reads the columns of [`MOVE`], the first of which is `column`; `None` where they are null.
pub(super) fn read_move(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Move>> {
    let Some(forecast_e9) = row.get(column)? else { return Ok(None) };
    Ok(Some(Move {
        forecast_e9,
        requested_e9: row.get(column + 1)?,
        applied_e9: row.get(column + 2)?,
        after: Vector {
            borrow_collateral_ratio_bps: row.get(column + 3)?,
            liquidation_collateral_ratio_bps: row.get(column + 4)?,
            amm_fee_pips: row.get(column + 5)?,
            borrow_cap_factor_bps: row.get(column + 6)?,
        },
    }))
}

fn write(connection: &Connection, key: Key, told: &Applied) -> Result<(), StateError> {
    let policy = told.rules.as_ref().map(|rules| policy(connection, rules)).transpose()?;
    let Move { forecast_e9, requested_e9, applied_e9, after } = told.moved;
    let sql = format!(
        "INSERT INTO parameters (job, period, market, probability_high_bps, {MOVE}, effective_at, before, policy)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
    );
    connection.prepare_cached(&sql)?.execute(params![
        key.job,
        key.period,
        told.market as i64,
        told.probability_high_bps,
        forecast_e9,
        requested_e9,
        applied_e9,
        after.borrow_collateral_ratio_bps,
        after.liquidation_collateral_ratio_bps,
        after.amm_fee_pips,
        after.borrow_cap_factor_bps,
        told.effective_at_seconds as i64,
        told.before.as_ref().map(json).transpose()?,
        policy,
    ])?;
    Ok(())
}

/// The row of these rules, made now if there is none yet.
fn policy(connection: &Connection, rules: &Rules) -> Result<i64, StateError> {
    let text = json(rules)?;
    let mut find = connection.prepare_cached("SELECT id FROM policies WHERE rules = ?1")?;
    if let Some(row) = find.query_row([&text], |row| row.get(0)).optional()? {
        return Ok(row);
    }
    connection.execute("INSERT INTO policies (rules) VALUES (?1)", [&text])?;
    Ok(connection.last_insert_rowid())
}
