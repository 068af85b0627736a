//! Manifests of the models that cycles are of.

use rusqlite::{OptionalExtension, params};

use super::{StateError, Store, columns};
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::Manifest;

impl Store {
    /// Keeps a manifest, as its file has it.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn keep_manifest(&self, json: &[u8]) -> Result<(), StateError> {
        let digest = Digest::of(json).to_string();
        self.lock().execute("INSERT OR IGNORE INTO manifests (sha256, json) VALUES (?1, ?2)", params![digest, json])?;
        Ok(())
    }

    /// The manifest with that digest, if it was kept; one of schema 1 in today's form.
    ///
    /// # Errors
    /// [`StateError::Corrupt`] for what is no manifest or has another digest, else [`StateError`].
    pub fn manifest(&self, digest: Digest) -> Result<Option<Manifest>, StateError> {
        let sql = "SELECT json FROM manifests WHERE sha256 = ?1";
        let kept: Option<Vec<u8>> =
            self.lock().query_row(sql, params![digest.to_string()], |row| row.get(0)).optional()?;
        let Some(json) = kept else { return Ok(None) };
        if Digest::of(&json) != digest {
            return Err(StateError::Corrupt(format!("the manifest {digest} has another digest")));
        }
        Manifest::parse_kept(&json).map(Some).map_err(|error| StateError::Corrupt(error.to_string()))
    }

    /// Digests of the models that have cycles here and no manifest.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn without_manifest(&self) -> Result<Vec<Digest>, StateError> {
        let sql = "SELECT DISTINCT manifest FROM jobs WHERE manifest NOT IN (SELECT sha256 FROM manifests)";
        columns::all(&self.lock(), sql, [], |row| columns::parsed(row, 0))
    }
}
