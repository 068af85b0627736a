//! The tables that a cycle was computed from, so that a later revision by their publishers cannot change a proven input.

use std::collections::BTreeSet;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use rusqlite::{Connection, OptionalExtension, params};

use super::columns::{all, from_json};
use super::rows::{self, Key};
use super::{StateError, Store};
use veriregime_core::hedge::snapshot::MAX_SNAPSHOT_BYTES;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::job::JobKey;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::vintage::TablesOrigin;

pub(super) fn write(connection: &Connection, key: Key, bytes: &[u8]) -> Result<(), StateError> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    let packed = encoder.write_all(bytes).and_then(|()| encoder.finish());
    let packed = packed.map_err(|error| StateError::Corrupt(error.to_string()))?;
    let sql = "INSERT OR REPLACE INTO snapshots (job, period, bytes) VALUES (?1, ?2, ?3)";
    connection.execute(sql, params![key.job, key.period, packed])?;
    Ok(())
}

impl Store {
    /// Digests of the tables' editions that the cycles here were computed from.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn editions(&self) -> Result<BTreeSet<Digest>, StateError> {
        let sql = "SELECT tables FROM cycles WHERE tables IS NOT NULL";
        let origins: Vec<Option<TablesOrigin>> = all(&self.lock(), sql, [], |row| from_json(row, 0))?;
        Ok(origins.into_iter().flatten().flat_map(|origin| origin.vintages).map(|vintage| vintage.sha256).collect())
    }

    /// The snapshot of a cycle's tables; `None` where there is none, or none any more.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn snapshot(&self, job: JobKey, period: PeriodId) -> Result<Option<Vec<u8>>, StateError> {
        let connection = self.lock();
        let key = rows::key(&connection, job, period)?;
        let sql = "SELECT bytes FROM snapshots WHERE job = ?1 AND period = ?2";
        let packed: Option<Vec<u8>> =
            connection.query_row(sql, params![key.job, key.period], |row| row.get(0)).optional()?;
        let Some(packed) = packed else { return Ok(None) };
        let mut bytes = Vec::new();
        let read = DeflateDecoder::new(packed.as_slice()).take(MAX_SNAPSHOT_BYTES as u64).read_to_end(&mut bytes);
        read.map_err(|error| StateError::Corrupt(format!("a snapshot of tables: {error}")))?;
        Ok(Some(bytes))
    }
}
