//! An audit for people.

use std::fmt::Write as _;

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
    let mut text =
        format!("{head}: {}, transaction {} in block {}", report.verdict.words(), report.transaction, report.block);
    for difference in report.differences.iter().take(DIFFERENCES_SHOWN) {
        let _ = write!(
            text,
            "\n  market {}, feature {} ({}): published {}, recomputed {}",
            difference.market, difference.index, difference.feature, difference.published, difference.recomputed
        );
    }
    if report.differences.len() > DIFFERENCES_SHOWN {
        let _ = write!(text, "\n  and {} features more", report.differences.len() - DIFFERENCES_SHOWN);
    }
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
    for finding in &report.findings {
        let _ = write!(text, "\n  {finding}");
    }
    text
}
