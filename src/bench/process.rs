//! What a process takes, by proc(5).

use std::path::PathBuf;

use anyhow::Context;

/// Largest file of a process's status.
pub(super) const MAX_STATUS_BYTES: u64 = 1 << 16;

/// A line of a process's status, in MB.
///
/// # Errors
/// A process that is not there, or another system.
pub(super) fn memory_mb(process: u32, name: &str) -> anyhow::Result<f64> {
    let path = PathBuf::from(format!("/proc/{process}/status"));
    let status = veriregime_files::read_text(&path, MAX_STATUS_BYTES)?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes: f64 =
        line.and_then(|line| line.trim().strip_suffix("kB")).context("no such line")?.trim().parse()?;
    Ok(kilobytes * 1024.0 / 1e6)
}
