//! What all parts of a card are written with.

use std::fmt::Write;

use serde_json::Value;

use super::report::Report;
use super::tallies::Metric;

/// All figures of all forecasters.
pub(super) fn table(text: &mut String, report: &Report, on_grid: bool) -> std::fmt::Result {
    writeln!(text, "| | {} |", Metric::ALL.map(Metric::title).join(" | "))?;
    writeln!(text, "|{}", "---|".repeat(Metric::COUNT + 1))?;
    for (by, cells) in report.cells(on_grid) {
        writeln!(text, "| {} | {} |", by.title(), cells.join(" | "))?;
    }
    Ok(())
}

/// A JSON value as a cell shows it.
pub(super) fn plain(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => "–".to_owned(),
    }
}

/// A share that is a JSON value as a cell shows it.
pub(super) fn percent(share: Option<&Value>) -> String {
    share.and_then(Value::as_f64).map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", share * 100.0))
}
