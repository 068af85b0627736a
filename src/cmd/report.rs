//! How results and errors are shown.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::EXIT_FAILED;
use super::layout::Table;
use crate::alerts::AlertError;
use crate::api::error::ApiError;
use crate::attestation::peers::PeerError;
use crate::bundle::registry::RegistryError;
use crate::chain::error::ChainError;
use crate::chain::signer::error::KeyError;
use crate::config::ConfigError;
use crate::deployment::error::DeploymentError;
use crate::evidence::EvidenceError;
use crate::job::error::StageError;
use crate::sources::candles::error::CandleError;
use crate::state::StateError;
use crate::verification::error::ProofError;
use veriregime_core::features::FeatureError;
use veriregime_core::model::ModelError;
use veriregime_core::types::candle::SeriesError;
use veriregime_core::types::cycle::CycleRecord;
use veriregime_core::types::diagnostic;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::gwei::Gwei;
use veriregime_core::types::origin::Origin;
use veriregime_core::types::time::{TimeError, format_utc};
use veriregime_files::FileError;
use veriregime_training::error::TrainingError;
use veriregime_training::evaluation::EvaluationError;

/// Prints an error with its code and what to do next.
pub fn failed(error: &anyhow::Error) -> ExitCode {
    let words = harmless(&words(error));
    match fault(error) {
        Some(fault) => eprintln!("error {}: {words}\n  next: {}", fault.code(), fault.hint()),
        None => eprintln!("error: {words}"),
    }
    ExitCode::from(EXIT_FAILED)
}

/// An error and its causes in one line.
pub fn words(error: &anyhow::Error) -> String {
    diagnostic::words(error.as_ref())
}

/// Words without what would steer a terminal: errors quote files and answers of strangers.
fn harmless(words: &str) -> String {
    words.chars().map(|letter| if letter.is_control() && letter != '\n' { '\u{fffd}' } else { letter }).collect()
}

/// The coded error inside a chain of contexts.
pub fn fault(error: &anyhow::Error) -> Option<&dyn Diagnostic> {
    fn of<'a, T: Diagnostic>(link: &'a (dyn std::error::Error + 'static)) -> Option<&'a dyn Diagnostic> {
        link.downcast_ref::<T>().map(|fault| fault as &dyn Diagnostic)
    }
    error.chain().find_map(|link| {
        of::<StageError>(link)
            .or_else(|| of::<ConfigError>(link))
            .or_else(|| of::<CandleError>(link))
            .or_else(|| of::<SeriesError>(link))
            .or_else(|| of::<FeatureError>(link))
            .or_else(|| of::<ModelError>(link))
            .or_else(|| of::<ProofError>(link))
            .or_else(|| of::<RegistryError>(link))
            .or_else(|| of::<ChainError>(link))
            .or_else(|| of::<KeyError>(link))
            .or_else(|| of::<PeerError>(link))
            .or_else(|| of::<DeploymentError>(link))
            .or_else(|| of::<StateError>(link))
            .or_else(|| of::<EvidenceError>(link))
            .or_else(|| of::<EvaluationError>(link))
            .or_else(|| of::<TrainingError>(link))
            .or_else(|| of::<ApiError>(link))
            .or_else(|| of::<AlertError>(link))
            .or_else(|| of::<FileError>(link))
            .or_else(|| of::<TimeError>(link))
    })
}

/// An empty table in the house's look.
pub fn table(header: &[&str]) -> Table {
    Table::new(header)
}

/// A cycle for machines.
pub fn cycle_json(record: &CycleRecord) -> Value {
    json!({
        "period": record.period,
        "start": format_utc(record.period.start_ms()),
        "outcome": record.stage,
        "candles": record.origin,
        "carried_minutes": record.origin.as_ref().map(Origin::carried_minutes),
        "longest_carried_run_minutes": record.origin.as_ref().map(Origin::longest_run_minutes),
        "prove_ms": record.prove_ms,
        "landed": record.landed,
        "evidence": record.evidence,
        "miss": record.miss,
        "retrying": record.retrying.as_ref().map(|retrying| json!({
            "code": retrying.code, "message": retrying.message, "since": format_utc(retrying.since_ms),
        })),
    })
}

/// Where a cycle's candles came from: the source, those that failed before it, and what it did not have.
pub fn origin(record: &CycleRecord) -> String {
    let Some(origin) = &record.origin else { return String::new() };
    let mut text = origin.source.clone();
    let failed: Vec<String> = origin.failed.iter().map(|one| format!("{} {}", one.source, one.code)).collect();
    if !failed.is_empty() {
        let _ = write!(text, " (not {})", failed.join(", "));
    }
    for lent in origin.gaps.iter().flat_map(|gaps| &gaps.lent) {
        let _ = write!(text, ", {} minutes of {}", lent.minutes, lent.source);
    }
    if origin.carried_minutes() > 0 {
        let (carried, longest) = (origin.carried_minutes(), origin.longest_run_minutes());
        let _ = write!(text, ", {carried} minutes carried forward, {longest} in a row");
    }
    text
}

/// `18000` bps as `180.00 %`.
pub fn percent(bps: u64) -> String {
    format!("{}.{:02} %", bps / 100, bps % 100)
}

/// `3000` pips as `30.00 bps`.
pub fn pips_as_bps(pips: u64) -> String {
    format!("{}.{:02} bps", pips / 100, pips % 100)
}

/// `1500000000` wei as `1.5 gwei`.
pub fn gwei(wei: u128) -> String {
    format!("{} gwei", Gwei(wei))
}

/// A standard deviation of one-minute returns in bps.
pub fn volatility_bps(volatility: f64) -> String {
    format!("{:.2} bps", volatility * 1e4)
}

/// The value below which `share` of the values lie, nearest rank.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn the_code_is_found_under_contexts() {
        let error = Err::<(), _>(SeriesError::Duplicate { open_time_ms: 0 }).context("outer").expect_err("fault");
        assert_eq!(fault(&error).map(Diagnostic::code), Some("VR-DATA-005"));
        assert!(fault(&anyhow::anyhow!("bare")).is_none());
    }

    #[test]
    fn quantiles_are_of_the_nearest_rank() {
        let values: Vec<f64> = (1..=20).rev().map(f64::from).collect();
        assert!((quantile(&values, 0.5) - 10.0).abs() < f64::EPSILON);
        assert!((quantile(&values, 0.95) - 19.0).abs() < f64::EPSILON);
        assert!(quantile(&[], 0.5).is_nan());
    }

    #[test]
    fn units_are_written_out() {
        assert_eq!(percent(15_005), "150.05 %");
        assert_eq!(pips_as_bps(3_001), "30.01 bps");
        assert_eq!((gwei(1_050_000_000), gwei(1)), ("1.05 gwei".into(), "0.000000001 gwei".into()));
        assert_eq!(volatility_bps(0.000_5), "5.00 bps");
    }
}
