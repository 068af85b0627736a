//! What every error of an edge module can answer: its stable code, what to do about it, and whether to try again.

use std::time::Duration;

/// Longest text from outside that is passed on.
const MAX_QUOTED_CHARS: usize = 300;

/// When an operation that failed may be tried again; the sooner, the smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Retry {
    /// At once.
    Now,
    /// Not before this much time has passed.
    Later(Duration),
    /// Not without somebody changing something.
    Never,
}

/// An error with a stable code that the operator handbook explains.
pub trait Diagnostic: std::error::Error + Send + Sync + 'static {
    /// The stable code, such as `VR-CANDLE-003`. Never reused for another meaning.
    fn code(&self) -> &'static str;

    /// What the operator should do next, as one imperative sentence.
    fn hint(&self) -> &'static str;

    /// When the failed operation may be tried again.
    fn retry(&self) -> Retry {
        Retry::Never
    }
}

/// An error and its causes in one line, each once: many an error says its cause in its own words already.
pub fn words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !words.contains(&said) {
            words.push_str(": ");
            words.push_str(&said);
        }
        cause = error.source();
    }
    words
}

/// The cause behind all others, in its own words.
pub fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost.to_string()
}

/// What somebody outside says, fit for logs, the database and a terminal: without control characters, cut to a length.
pub fn quoted(text: &str) -> String {
    let mut letters = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    let mut kept: String = letters.by_ref().take(MAX_QUOTED_CHARS).collect();
    if letters.next().is_some() {
        kept.push('…');
    }
    kept
}

#[cfg(test)]
mod tests {
    use std::io;

    use thiserror::Error;

    use super::*;

    #[derive(Debug, Error)]
    enum Outer {
        #[error("cannot be read: {0}")]
        Says(#[from] io::Error),
        #[error("cannot be written")]
        Keeps { source: io::Error },
    }

    #[test]
    fn a_cause_is_said_once() {
        assert_eq!(words(&Outer::Says(io::Error::other("no such file"))), "cannot be read: no such file");
        assert_eq!(words(&Outer::Keeps { source: io::Error::other("disk full") }), "cannot be written: disk full");
    }

    #[test]
    fn what_others_say_is_cut_and_steers_no_terminal() {
        assert_eq!(quoted("a\u{1b}[31m\nb"), "a [31m b");
        let fits = "ö".repeat(MAX_QUOTED_CHARS);
        assert_eq!((quoted(&fits), quoted(&format!("{fits}x"))), (fits.clone(), format!("{fits}…")));
    }
}
