//! How results and errors are shown.

use std::process::ExitCode;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{ContentArrangement, Table};

use super::EXIT_FAILED;
use crate::candles::error::CandleError;
use crate::chain::fault::ChainFault;
use crate::config::ConfigFault;
use crate::cycle::fault::CycleFault;
use crate::evaluation::EvaluationError;
use crate::features::FeatureError;
use crate::fs::FileFault;
use crate::inference::ModelError;
use crate::proof::error::ProofError;
use crate::state::StateFault;
use crate::training::TrainingError;

use crate::types::candle::CandleFault;
use crate::types::fault::Fault;
use crate::types::time::TimeFault;

/// Prints an error with its code and what to do next.
pub fn failed(error: &anyhow::Error) -> ExitCode {
    match fault(error) {
        Some(fault) => eprintln!("error {}: {error:#}\n  next: {}", fault.code(), fault.advice()),
        None => eprintln!("error: {error:#}"),
    }
    ExitCode::from(EXIT_FAILED)
}

/// The coded error inside a chain of contexts.
pub fn fault(error: &anyhow::Error) -> Option<&dyn Fault> {
    fn of<'a, T: Fault>(link: &'a (dyn std::error::Error + 'static)) -> Option<&'a dyn Fault> {
        link.downcast_ref::<T>().map(|fault| fault as &dyn Fault)
    }
    error.chain().find_map(|link| {
        of::<CycleFault>(link)
            .or_else(|| of::<ConfigFault>(link))
            .or_else(|| of::<CandleError>(link))
            .or_else(|| of::<CandleFault>(link))
            .or_else(|| of::<FeatureError>(link))
            .or_else(|| of::<ModelError>(link))
            .or_else(|| of::<ProofError>(link))
            .or_else(|| of::<ChainFault>(link))
            .or_else(|| of::<StateFault>(link))
            .or_else(|| of::<EvaluationError>(link))
            .or_else(|| of::<TrainingError>(link))
            //E            .or_else(|| of::<TrainingError>(link))
            .or_else(|| of::<FileFault>(link))
            .or_else(|| of::<TimeFault>(link))
    })
}

/// An empty table in the house's look.
pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
    table
}

/// `18000` bps as `180.00 %`.
pub fn percent(bps: u64) -> String {
    format!("{}.{:02} %", bps / 100, bps % 100)
}

/// `3000` pips as `30.00 bps`.
pub fn pips_as_bps(pips: u64) -> String {
    format!("{}.{:02} bps", pips / 100, pips % 100)
}

/// A standard deviation of one-minute returns in bps.
pub fn volatility_bps(volatility: f64) -> String {
    format!("{:.2} bps", volatility * 1e4)
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn the_code_is_found_under_contexts() {
        let error = Err::<(), _>(CandleFault::Duplicate { open_time_ms: 0 }).context("outer").expect_err("fault");
        assert_eq!(fault(&error).map(Fault::code), Some("VR-DATA-005"));
        assert!(fault(&anyhow::anyhow!("bare")).is_none());
    }

    #[test]
    fn units_are_written_out() {
        assert_eq!(percent(15_005), "150.05 %");
        assert_eq!(pips_as_bps(3_001), "30.01 bps");
        assert_eq!(volatility_bps(0.000_5), "5.00 bps");
    }
}
