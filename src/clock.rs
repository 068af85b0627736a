//! The only place that asks the system for the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where "now" comes from.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that stands until somebody sets it: replays on development chains and tests.
    Manual(Arc<Hands>),
}

/// Where a manual clock stands.
#[derive(Debug)]
pub struct Hands {
    unix_ms: AtomicI64,
    looks: AtomicU64,
}

impl Clock {
    /// A clock that stands at `unix_ms`.
    pub fn manual(unix_ms: i64) -> Self {
        Self::Manual(Arc::new(Hands { unix_ms: unix_ms.into(), looks: 0.into() }))
    }

    /// Milliseconds since 1970 UTC.
    pub fn now_ms(&self) -> i64 {
        match self {
            Self::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX)),
            Self::Manual(hands) => {
                hands.looks.fetch_add(1, Ordering::SeqCst);
                hands.unix_ms.load(Ordering::SeqCst)
            }
        }
    }

    /// Sets a manual clock; the system's cannot be set.
    pub fn set_ms(&self, unix_ms: i64) {
        if let Self::Manual(hands) = self {
            hands.unix_ms.store(unix_ms, Ordering::SeqCst);
        }
    }

    /// How often a manual clock was read: whoever waits by it has seen how it stands once this has grown.
    pub fn looks(&self) -> u64 {
        match self {
            Self::System => 0,
            Self::Manual(hands) => hands.looks.load(Ordering::SeqCst),
        }
    }
}
