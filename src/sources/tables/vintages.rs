//! The record of what publishers gave: one line for each edition of a table, the newest last.

use std::collections::BTreeSet;
use std::path::Path;

use super::error::TableError;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::vintage::Vintage;
use veriregime_files::{FileError, read_bounded, write_atomic};

/// Its file, in the tables' folder.
pub const VINTAGES_FILE: &str = "vintages.jsonl";
/// Older editions roll off where it becomes larger than this: thousands of them.
pub const MAX_KEPT_BYTES: usize = 1 << 20;
/// What is taken of a file that was written otherwise.
const MAX_READ_BYTES: u64 = 64 << 20;

/// Notes an edition, unless it changed nothing and is noted already. Those whose digests are `used` never roll off: evidence
/// names them.
///
/// # Errors
/// A file fault.
pub fn note(folder: &Path, vintage: &Vintage, used: &BTreeSet<Digest>) -> Result<(), TableError> {
    let path = folder.join(VINTAGES_FILE);
    let file = if path.is_file() { read_bounded(&path, MAX_READ_BYTES)? } else { Vec::new() };
    let text = String::from_utf8_lossy(&file);
    let is_it = |one: Vintage| one.table == vintage.table && one.sha256 == vintage.sha256;
    let is_noted = |line: &str| read(line).is_some_and(is_it);
    if (vintage.added, vintage.revised) == (0, 0) && text.lines().any(is_noted) {
        return Ok(());
    }
    let line = serde_json::to_string(vintage).map_err(|error| FileError::writing(&path, error.into()))?;
    let mut excess = (file.len() + line.len() + 1).saturating_sub(MAX_KEPT_BYTES);
    let mut kept = String::with_capacity(MAX_KEPT_BYTES);
    for earlier in text.lines() {
        if excess > 0 && !read(earlier).is_some_and(|one| used.contains(&one.sha256)) {
            excess = excess.saturating_sub(earlier.len() + 1);
            continue;
        }
        kept.push_str(earlier);
        kept.push('\n');
    }
    kept.push_str(&line);
    kept.push('\n');
    Ok(write_atomic(&path, kept.as_bytes())?)
}

fn read(line: &str) -> Option<Vintage> {
    serde_json::from_str(line).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vintage(number: usize, added: usize) -> Vintage {
        Vintage {
            time: "2026-11-29T00:00:00Z".into(),
            table: "eurusd_daily".into(),
            url: "https://example.org/rates.zip".into(),
            sha256: Digest::of(&number.to_le_bytes()),
            rows: 1000,
            added,
            revised: 0,
        }
    }

    fn noted(folder: &Path) -> Vec<Vintage> {
        let text = std::fs::read_to_string(folder.join(VINTAGES_FILE)).unwrap();
        text.lines().map(|line| read(line).unwrap()).collect()
    }

    #[test]
    fn the_record_of_editions_stays_bounded_and_keeps_those_that_evidence_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(VINTAGES_FILE);
        let first = vintage(0, 3);
        note(folder.path(), &first, &BTreeSet::new()).unwrap();
        let line_bytes = std::fs::metadata(&path).unwrap().len() as usize;
        // A file as an agent left it that let nothing roll off.
        let mut earlier = std::fs::read(&path).unwrap();
        for number in 1..2 * MAX_KEPT_BYTES / line_bytes {
            earlier.extend(serde_json::to_vec(&vintage(number, 1)).unwrap());
            earlier.push(b'\n');
        }
        std::fs::write(&path, earlier).unwrap();
        let used = BTreeSet::from([first.sha256, vintage(9, 0).sha256]);
        let newest = vintage(1_000_000, 0);
        note(folder.path(), &newest, &used).unwrap();
        assert!(std::fs::metadata(&path).unwrap().len() as usize <= MAX_KEPT_BYTES);
        let kept = noted(folder.path());
        assert!(kept.len() > MAX_KEPT_BYTES / line_bytes - 10, "{}", kept.len());
        assert_eq!((&kept[0], &kept[1], kept.last().unwrap()), (&first, &vintage(9, 1), &newest));
        // The oldest of the others have gone.
        let oldest = 2 * MAX_KEPT_BYTES / line_bytes - (kept.len() - 3);
        assert_eq!(kept[2], vintage(oldest, 1));
    }

    #[test]
    fn an_edition_that_changes_nothing_is_noted_once() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..3 {
            note(folder.path(), &vintage(1, 0), &BTreeSet::new()).unwrap();
        }
        assert_eq!(noted(folder.path()).len(), 1);
        let modified = || std::fs::metadata(folder.path().join(VINTAGES_FILE)).unwrap().modified().unwrap();
        let before = modified();
        note(folder.path(), &vintage(1, 0), &BTreeSet::new()).unwrap();
        assert_eq!(modified(), before, "nothing is written");
        // Another edition, and one that comes back and brings rows.
        note(folder.path(), &vintage(2, 0), &BTreeSet::new()).unwrap();
        note(folder.path(), &vintage(1, 5), &BTreeSet::new()).unwrap();
        assert_eq!(noted(folder.path()).len(), 3);
    }
}
