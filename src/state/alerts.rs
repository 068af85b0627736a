//! Alerts that were delivered, or are being delivered, and are not over.

use rusqlite::params;

use super::{StateError, Store, columns, jobs};
use veriregime_core::types::alert::FiredAlert;
use veriregime_core::types::job::JobKey;

impl Store {
    /// All of a job's.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn told(&self, job: JobKey) -> Result<Vec<FiredAlert>, StateError> {
        let connection = self.lock();
        let Some(job) = jobs::row(&connection, job)? else { return Ok(Vec::new()) };
        let sql = "SELECT key, occurrence, code, text, since_ms, told_ms FROM alerts WHERE job = ?1 ORDER BY key";
        columns::all(&connection, sql, [job], |row| {
            Ok(FiredAlert {
                key: row.get(0)?,
                occurrence: row.get(1)?,
                code: row.get(2)?,
                text: row.get(3)?,
                since_ms: row.get(4)?,
                told_ms: row.get(5)?,
            })
        })
    }

    /// Keeps one, in place of what was kept under its job and key.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn upsert_alert(&self, job: JobKey, told: &FiredAlert) -> Result<(), StateError> {
        let connection = self.lock();
        connection.execute(
            "INSERT OR REPLACE INTO alerts (job, key, occurrence, code, text, since_ms, told_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                jobs::ensure_row(&connection, job)?,
                told.key,
                told.occurrence,
                told.code,
                told.text,
                told.since_ms,
                told.told_ms
            ],
        )?;
        Ok(())
    }

    /// Forgets one that is over.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn remove_alert(&self, job: JobKey, key: &str) -> Result<(), StateError> {
        let connection = self.lock();
        let Some(job) = jobs::row(&connection, job)? else { return Ok(()) };
        connection.execute("DELETE FROM alerts WHERE job = ?1 AND key = ?2", params![job, key])?;
        Ok(())
    }
}
