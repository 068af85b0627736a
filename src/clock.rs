//! The only place that asks the system for the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where "now" comes from.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that stands until somebody sets it: replays on development chains and tests.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `unix_ms`.
    pub fn manual(unix_ms: i64) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(unix_ms)))
    }

    /// Milliseconds since 1970 UTC.
    pub fn now_ms(&self) -> i64 {
        match self {
            Self::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX)),
            Self::Manual(at) => at.load(Ordering::SeqCst),
        }
    }

    /// Sets a manual clock; the system's cannot be set.
    pub fn set_ms(&self, unix_ms: i64) {
        if let Self::Manual(at) = self {
            at.store(unix_ms, Ordering::SeqCst);
        }
    }
}
