//! What every error of an edge module can answer: its stable code, what to do about it, and whether to try again.

use std::time::Duration;

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
pub trait Fault: std::error::Error + Send + Sync + 'static {
    /// The stable code, such as `VR-CANDLE-003`. Never reused for another meaning.
    fn code(&self) -> &'static str;

    /// What the operator should do next, as one imperative sentence.
    fn advice(&self) -> &'static str;

    /// When the failed operation may be tried again.
    fn retry(&self) -> Retry {
        Retry::Never
    }
}
