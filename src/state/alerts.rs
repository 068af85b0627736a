//! Alerts that were delivered, or are being delivered, and are not over.

use rusqlite::params;

use super::{StateError, Store, columns};
use veriregime_core::types::alert::{FiredAlert, Subject};

impl Store {
    /// All of them.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn told(&self) -> Result<Vec<FiredAlert>, StateError> {
        let sql = "SELECT subject, key, occurrence, code, text, since_ms, told_ms FROM alerts ORDER BY subject, key";
        columns::all(&self.lock(), sql, [], |row| {
            Ok(FiredAlert {
                subject: columns::from_json(row, 0)?.unwrap_or(Subject::Node {}),
                key: row.get(1)?,
                occurrence: row.get(2)?,
                code: row.get(3)?,
                text: row.get(4)?,
                since_ms: row.get(5)?,
                told_ms: row.get(6)?,
            })
        })
    }

    /// Keeps one, in place of what was kept under its subject and key.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn upsert_alert(&self, told: &FiredAlert) -> Result<(), StateError> {
        self.lock().execute(
            "INSERT OR REPLACE INTO alerts (subject, key, occurrence, code, text, since_ms, told_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                columns::json(&told.subject)?,
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
    pub fn remove_alert(&self, subject: &Subject, key: &str) -> Result<(), StateError> {
        let sql = "DELETE FROM alerts WHERE subject = ?1 AND key = ?2";
        self.lock().execute(sql, params![columns::json(subject)?, key])?;
        Ok(())
    }
}
