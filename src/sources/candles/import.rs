//! Candle files of any kind, in any order and overlapping, made into one.

use std::path::{Path, PathBuf};

use super::minutes::Snapped;
use super::written::Written;
use super::{file, minutes, parquet};
use veriregime_core::types::candle::check_all;

/// Reads `files` and writes `out`. Rows that do not start on a whole minute are moved to the nearest one with `snap`, and refused
/// without it. `progress` hears of every file that was read.
///
/// # Errors
/// A file that is none of candles, or candles that contradict each other.
pub fn import(files: &[PathBuf], out: &Path, snap: bool, mut progress: impl FnMut()) -> anyhow::Result<Written> {
    let (mut candles, mut snapped) = (Vec::new(), Snapped::default());
    for file in files {
        let mut rows = file::read_rows(file)?;
        if snap {
            let moved = minutes::snap(&mut rows);
            snapped.rows += moved.rows;
            snapped.farthest_ms = snapped.farthest_ms.max(moved.farthest_ms);
        } else {
            file::check_grid(file, &rows)?;
        }
        candles.extend(rows);
        progress();
    }
    candles.sort_by_key(|candle| candle.open_time_ms);
    // Archives may overlap; only a minute that differs between them is a fault.
    candles.dedup();
    check_all(&candles)?;
    parquet::write(out, &candles)?;
    Ok(Written::imported(out, &candles, snap.then_some(snapped)))
}
