//! Where a job's candles come from: its sources, and which of them is asked for what.

use std::sync::Arc;

use crate::sources::candles::cross_check::Band;
use crate::sources::candles::source::Source;

/// A source and what it calls the model's markets.
#[derive(Debug)]
pub struct Feed {
    /// Name in the settings.
    pub name: String,
    /// Shared with every other job that asks it.
    pub source: Arc<Source>,
    /// Its symbol of each market, in the model's order.
    pub symbols: Vec<String>,
}

/// How a second source is asked.
#[derive(Debug)]
pub struct CrossCheck {
    /// The first that answers and is not in use itself.
    pub with: Vec<Arc<Feed>>,
    /// Whether nothing goes on without one.
    pub required: bool,
    /// The newest minutes that are compared.
    pub minutes: i64,
    pub band: Band,
}

/// Where candles come from, by policy.
#[derive(Debug)]
pub struct Feeds {
    /// Whose candles the model is fed, and behind it those that are asked when it fails.
    pub order: Vec<Arc<Feed>>,
    /// Those to compare with.
    pub cross_check: Option<CrossCheck>,
    pub max_clock_skew_ms: i64,
    /// Longest stretch of minutes that is carried forward.
    pub max_consecutive_missing_minutes: usize,
    /// Closed candles are kept for so long, if no model needs them for longer.
    pub keep_ms: i64,
    /// Whether the model may be fed volumes of another exchange.
    pub lends_volumes: bool,
}

impl Feeds {
    /// The source that comes first.
    pub fn primary(&self) -> &Feed {
        &self.order[0]
    }
}
