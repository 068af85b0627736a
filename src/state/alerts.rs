//! Alerts that were delivered, or are being delivered, and are not over.

use rusqlite::params;

use super::{StateError, Store, rows};
use veriregime_core::types::alert::FiredAlert;

impl Store {
    /// All of them.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn told(&self) -> Result<Vec<FiredAlert>, StateError> {
        let sql = "SELECT key, occurrence, code, text, since_ms, told_ms FROM alerts ORDER BY key";
        rows::all(&self.lock(), sql, [], |row| {
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

    /// Keeps one, in place of what was kept under its key.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn upsert_alert(&self, told: &FiredAlert) -> Result<(), StateError> {
        self.lock().execute(
            "INSERT OR REPLACE INTO alerts (key, occurrence, code, text, since_ms, told_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![told.key, told.occurrence, told.code, told.text, told.since_ms, told.told_ms],
        )?;
        Ok(())
    }

    /// Forgets one that is over.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn remove_alert(&self, key: &str) -> Result<(), StateError> {
        self.lock().execute("DELETE FROM alerts WHERE key = ?1", params![key])?;
        Ok(())
    }
}
