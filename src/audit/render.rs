//! What an audit says, for people.

use std::fmt::Write as _;

use super::checks::Findings;
use super::one::Report;
use super::reports::{PublicationReport, SaleReport};
use super::watch::Notice;
use crate::render::Render;
use veriregime_core::hedge::GRID;
use veriregime_core::types::candle::Candle;
use veriregime_core::types::time::format_utc;
use veriregime_core::yields;

/// Differences that are shown; `--json` has all.
const DIFFERENCES_SHOWN: usize = 5;

impl Render for Report {
    fn text(&self) -> String {
        lines(self)
    }
}

impl Render for Notice<'_> {
    fn text(&self) -> String {
        match self {
            Self::Audited(report) => report.text(),
            Self::Sale(report) => report.text(),
            Self::Publication(report) => report.text(),
            Self::NoUpdate { job, period, start_ms } => {
                format!("{job}, period {period} ({}): no update on chain", format_utc(*start_ms))
            }
            Self::UnknownModel { text, .. } => text.clone(),
        }
    }
}

impl Render for PublicationReport {
    fn text(&self) -> String {
        format!(
            "{}, period {} ({}): {}; {:.2} % a year, transaction {}{}{}",
            self.job,
            self.period,
            format_utc(yields::GRID.start_ms(self.period)),
            self.found.verdict.words(),
            self.figures.apy_e8 as f64 / 1e6,
            self.transaction,
            differences(&self.found),
            findings(&self.found)
        )
    }
}

impl Render for SaleReport {
    fn text(&self) -> String {
        format!(
            "{}, period {} ({}): {}; {} units of WBTC for {} units of USDC, transaction {} in block {}{}{}",
            self.job,
            self.period,
            format_utc(GRID.start_ms(self.period)),
            self.found.verdict.words(),
            self.sold_sats,
            self.usdc,
            self.transaction,
            self.block,
            differences(&self.found),
            findings(&self.found)
        )
    }
}

/// A line for the verdict, one for each finding, and what the verdict rests on.
fn lines(report: &Report) -> String {
    let model = report.model.as_ref().map_or_else(|| report.model_id.to_string(), Clone::clone);
    let head = format!(
        "{}, period {} ({}): {}, model {model}, transaction {} in block {}",
        report.job,
        report.period,
        format_utc(report.start_ms),
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

/// A line for whatever else was found, and what was looked at and what was not.
pub fn findings(found: &Findings) -> String {
    let mut text = found.findings.iter().fold(String::new(), |text, finding| text + "\n  " + finding);
    for (name, things) in [("checked", &found.checked), ("not checked", &found.not_checked)] {
        for thing in things {
            let _ = write!(text, "\n  {name}: {thing}");
        }
    }
    text
}
