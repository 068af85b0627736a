//! What followed forecasts, and what forecasters without a network had said: measured once, and kept.

use std::collections::BTreeMap;

use rusqlite::{TransactionBehavior, params};

use super::{StateError, Store, columns, jobs, rows};
use veriregime_core::types::job::JobKey;
use veriregime_core::types::period::PeriodId;

/// Of one market in one period: standard deviations of one-minute returns, `None` where they are not known (yet).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Outcome {
    /// What persistence had said.
    pub persistence: Option<f64>,
    /// What the regression on earlier volatilities had said.
    pub har: Option<f64>,
    /// What followed.
    pub realised: Option<f64>,
}

impl Outcome {
    /// Whether there is nothing more to be known.
    pub fn is_complete(&self) -> bool {
        self.persistence.is_some() && self.har.is_some() && self.realised.is_some()
    }
}

impl Store {
    /// The outcomes of a job's cycles from `from` on up to `last`, by period and index of the market; of a cycle of which
    /// nothing was measured there is none.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn outcomes(
        &self,
        job: JobKey,
        from: PeriodId,
        last: PeriodId,
    ) -> Result<BTreeMap<(PeriodId, usize), Outcome>, StateError> {
        let connection = self.lock();
        let Some(job) = jobs::row(&connection, job)? else { return Ok(BTreeMap::new()) };
        let sql = "SELECT period, market, persistence, har, realised FROM outcomes
                   WHERE job = ?1 AND period BETWEEN ?2 AND ?3";
        let wanted = params![job, rows::period(from)?, rows::period(last)?];
        let found = columns::all(&connection, sql, wanted, |row| {
            let outcome = Outcome { persistence: row.get(2)?, har: row.get(3)?, realised: row.get(4)? };
            Ok(((PeriodId(row.get::<_, i64>(0)? as u64), row.get::<_, i64>(1)? as usize), outcome))
        })?;
        Ok(found.into_iter().collect())
    }

    /// The periods from `from` on up to `last` of which the job has a cycle, oldest first.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn periods_between(&self, job: JobKey, from: PeriodId, last: PeriodId) -> Result<Vec<PeriodId>, StateError> {
        let connection = self.lock();
        let Some(job) = jobs::row(&connection, job)? else { return Ok(Vec::new()) };
        let sql = "SELECT period FROM cycles WHERE job = ?1 AND period BETWEEN ?2 AND ?3 ORDER BY period";
        let wanted = params![job, rows::period(from)?, rows::period(last)?];
        columns::all(&connection, sql, wanted, |row| Ok(PeriodId(row.get::<_, i64>(0)? as u64)))
    }

    /// Keeps outcomes. What is known already stays as it is: what an exchange says later changes nothing of it.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn keep_outcomes(&self, job: JobKey, found: &BTreeMap<(PeriodId, usize), Outcome>) -> Result<(), StateError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let sql =
            "INSERT INTO outcomes (job, period, market, persistence, har, realised) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                   ON CONFLICT DO UPDATE SET persistence = coalesce(persistence, excluded.persistence),
                   har = coalesce(har, excluded.har), realised = coalesce(realised, excluded.realised)";
        for ((period, market), Outcome { persistence, har, realised }) in found {
            let key = rows::key(&transaction, job, *period)?;
            let values = params![key.job, key.period, *market as i64, persistence, har, realised];
            transaction.prepare_cached(sql)?.execute(values)?;
        }
        Ok(transaction.commit()?)
    }
}
