//! How an error is shown.

use std::process::ExitCode;

use super::EXIT_FAILED;
use crate::diagnosis;

/// Prints an error with its code and what to do next.
pub fn failed(error: &anyhow::Error) -> ExitCode {
    say(error, &[]);
    ExitCode::from(EXIT_FAILED)
}

/// Prints an error, with the jobs that it is about.
pub fn say(error: &anyhow::Error, jobs: &[String]) {
    let jobs = if jobs.is_empty() { String::new() } else { format!("job {}: ", jobs.join(", ")) };
    let words = harmless(&format!("{jobs}{}", diagnosis::words(error)));
    match diagnosis::coded(error) {
        Some(fault) => eprintln!("error {}: {words}\n  next: {}", fault.code(), fault.hint()),
        None => eprintln!("error: {words}"),
    }
}

/// Words without what would steer a terminal: errors quote files and answers of strangers.
fn harmless(words: &str) -> String {
    words.chars().map(|letter| if letter.is_control() && letter != '\n' { '\u{fffd}' } else { letter }).collect()
}
