//! How results and errors are shown.

use std::process::ExitCode;

use super::EXIT_FAILED;
use crate::diagnosis;
use crate::render::layout::Table;

/// Prints an error with its code and what to do next.
pub fn failed(error: &anyhow::Error) -> ExitCode {
    let words = harmless(&words(error));
    match diagnosis::coded(error) {
        Some(fault) => eprintln!("error {}: {words}\n  next: {}", fault.code(), fault.hint()),
        None => eprintln!("error: {words}"),
    }
    ExitCode::from(EXIT_FAILED)
}

/// An error and its causes in one line.
pub fn words(error: &anyhow::Error) -> String {
    diagnosis::words(error)
}

/// Words without what would steer a terminal: errors quote files and answers of strangers.
fn harmless(words: &str) -> String {
    words.chars().map(|letter| if letter.is_control() && letter != '\n' { '\u{fffd}' } else { letter }).collect()
}

/// An empty table in the house's look.
pub fn table(header: &[&str]) -> Table {
    Table::new(header)
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
    use super::*;

    #[test]
    fn quantiles_are_of_the_nearest_rank() {
        let values: Vec<f64> = (1..=20).rev().map(f64::from).collect();
        assert!((quantile(&values, 0.5) - 10.0).abs() < f64::EPSILON);
        assert!((quantile(&values, 0.95) - 19.0).abs() < f64::EPSILON);
        assert!(quantile(&[], 0.5).is_nan());
    }
}
