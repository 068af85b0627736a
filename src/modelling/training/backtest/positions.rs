//! Borrowers of a CSV.

use std::path::Path;

use anyhow::Context;

use veriregime_backtest::error::BacktestError;
use veriregime_backtest::position::{MAX_POSITIONS, Position};

/// Largest CSV of positions.
const MAX_CSV_BYTES: u64 = 16 << 20;

/// The positions of a CSV with the columns `collateral_usd` and `debt_usd`; none without a file.
///
/// # Errors
/// A file that cannot be read, [`BacktestError::Position`].
pub(super) fn read(path: Option<&Path>) -> anyhow::Result<Vec<Position>> {
    let Some(path) = path else { return Ok(Vec::new()) };
    let bytes = veriregime_files::read_bounded(path, MAX_CSV_BYTES)?;
    let mut positions = Vec::new();
    for (index, row) in
        csv::Reader::from_reader(bytes.as_slice()).into_deserialize().take(MAX_POSITIONS + 1).enumerate()
    {
        let refused = BacktestError::Position { row: index + 1, reason: "it does not have the two numbers" };
        positions.push(row.map_err(|error: csv::Error| anyhow::Error::from(refused).context(error.to_string()))?);
    }
    Position::check(&positions).with_context(|| format!("{} is not usable", path.display()))?;
    Ok(positions)
}
