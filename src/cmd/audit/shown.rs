//! An audit for people.

use std::fmt::Write as _;

use super::checks::Findings;
use super::one::Report;
use crate::types::candle::Candle;
use crate::types::period::PeriodId;
use crate::types::time::format_utc;

/// Differences that are shown; `--json` has all.
const DIFFERENCES_SHOWN: usize = 5;

/// A line for the verdict and one for each finding.
pub fn lines(period: PeriodId, report: Option<&Report>) -> String {
    let head = format!("period {period} ({})", format_utc(period.start_ms()));
    let Some(report) = report else { return format!("{head}: no update on chain") };
    let head = format!(
        "{head}: {}, transaction {} in block {}",
        report.found.verdict.words(),
        report.transaction,
        report.block
    );
    let mut text = head + &differences(&report.found);
    for difference in &report.candles {
        let close = |candle: Option<Candle>| candle.map_or_else(|| "none".into(), |candle| candle.close.to_string());
        let _ = write!(
            text,
            "\n  first candle that differs: {}, close used {}, now {}",
            format_utc(difference.open_time_ms),
            close(difference.operators),
            close(difference.auditors)
        );
    }
    text + &findings(&report.found)
}

/// A line for each feature that differs, the first few of them.
pub fn differences(found: &Findings) -> String {
    let mut text = String::new();
    for difference in found.differences.iter().take(DIFFERENCES_SHOWN) {
        let _ = write!(
            text,
            "\n  market {}, feature {} ({}): published {}, recomputed {}",
            difference.market, difference.index, difference.feature, difference.published, difference.recomputed
        );
    }
    if found.differences.len() > DIFFERENCES_SHOWN {
        let _ = write!(text, "\n  and {} features more", found.differences.len() - DIFFERENCES_SHOWN);
    }
    text
}

/// A line for whatever else was found.
pub fn findings(found: &Findings) -> String {
    found.findings.iter().fold(String::new(), |text, finding| text + "\n  " + finding)
}
