//! The evidence bundles that landed updates left behind: shown, and deleted by hand.

use std::path::PathBuf;

use serde::Serialize;

use crate::evidence::EvidenceStore;
use crate::render::Render;
use crate::render::layout::Table;
use crate::state::Store;
use crate::state::jobs::Scope;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::time::format_utc;

/// Bundles that are kept.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Kept(Vec<KeptBundle>);

/// A bundle that is kept.
#[derive(Debug, Serialize)]
struct KeptBundle {
    period: PeriodId,
    starts: String,
    sha256: Digest,
    /// `None` where the file is not there.
    bytes: Option<u64>,
    file: PathBuf,
}

impl Render for Kept {
    fn text(&self) -> String {
        let mut table = Table::new(&["period", "starts", "kB", "file"]);
        for one in &self.0 {
            let kilobytes = one.bytes.map_or_else(|| "missing".into(), |bytes| bytes.div_ceil(1000).to_string());
            table.add_row([one.period.to_string(), one.starts.clone(), kilobytes, one.file.display().to_string()]);
        }
        table.to_string()
    }
}

/// How many bundles were deleted.
#[derive(Debug, Serialize)]
pub struct Pruned {
    deleted: usize,
}

impl Render for Pruned {
    fn text(&self) -> String {
        format!("{} bundles deleted", self.deleted)
    }
}

/// All bundles that the database knows.
///
/// # Errors
/// A database that cannot be read.
pub fn list(store: &Store, folder: &EvidenceStore) -> anyhow::Result<Kept> {
    let kept = store.evidence_before(Scope::All, i64::MAX)?.into_iter().map(|kept| {
        let file = folder.file(kept.evidence);
        KeptBundle {
            period: kept.period,
            starts: format_utc(kept.start_ms),
            sha256: kept.evidence,
            bytes: veriregime_files::size_bytes(&file).ok(),
            file,
        }
    });
    Ok(Kept(kept.collect()))
}

/// Deletes the bundles of periods that start before that moment.
///
/// # Errors
/// A database or folder that cannot be written.
pub fn prune(store: &Store, folder: &EvidenceStore, before_ms: i64) -> anyhow::Result<Pruned> {
    let old = store.evidence_before(Scope::All, before_ms)?;
    for kept in &old {
        folder.remove(kept.evidence)?;
        store.prune_evidence(kept)?;
    }
    Ok(Pruned { deleted: old.len() })
}
