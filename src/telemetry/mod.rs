//! Log lines on standard error: compact on a terminal, JSON otherwise; the newest in memory, too. Standard output is for results.

pub mod metrics;
pub mod ring;

use std::io::{IsTerminal, stderr};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

use ring::{LINES, RingLayer};

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Compact on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Compact,
    /// For machines.
    Json,
}

/// How the installed subscriber takes another filter.
static SET_FILTER: OnceLock<Box<dyn Fn(EnvFilter) + Send + Sync>> = OnceLock::new();

/// Installs the subscriber. A filter that cannot be read falls back to `info`. Later calls change nothing.
pub fn init(format: LogFormat, level: &str) {
    let filter = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info"));
    // A line that nobody reads any more is no reason to end, nor to complain of to the same nobody.
    let builder = fmt().with_env_filter(filter).with_writer(stderr).log_internal_errors(false).with_target(false);
    let compact = match format {
        LogFormat::Auto => stderr().is_terminal(),
        LogFormat::Compact => true,
        LogFormat::Json => false,
    };
    // An error, of a reload too, means that a subscriber is installed already.
    if compact {
        let builder = builder.compact().with_ansi(stderr().is_terminal()).with_filter_reloading();
        let handle = builder.reload_handle();
        if builder.finish().with(RingLayer(&LINES)).try_init().is_ok() {
            let _first = SET_FILTER.set(Box::new(move |filter| drop(handle.reload(filter))));
        }
    } else {
        let builder = builder.json().flatten_event(true).with_current_span(true).with_span_list(false);
        let builder = builder.with_filter_reloading();
        let handle = builder.reload_handle();
        if builder.finish().with(RingLayer(&LINES)).try_init().is_ok() {
            let _first = SET_FILTER.set(Box::new(move |filter| drop(handle.reload(filter))));
        }
    }
}

/// Changes what is logged from now on.
///
/// # Errors
/// A filter that cannot be read.
pub fn set_level(level: &str) -> Result<(), ParseError> {
    let filter = EnvFilter::try_new(level)?;
    if let Some(set) = SET_FILTER.get() {
        set(filter);
    }
    Ok(())
}
