//! Log lines on standard error: compact on a terminal, JSON otherwise. Standard output is for results.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{EnvFilter, fmt};

use crate::config::raw::LogFormat;

/// Installs the subscriber. A filter that cannot be read falls back to `info`. Later calls change nothing.
pub fn init(format: LogFormat, level: &str) {
    let filter = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = fmt().with_env_filter(filter).with_writer(stderr).with_target(false);
    let compact = match format {
        LogFormat::Auto => stderr().is_terminal(),
        LogFormat::Compact => true,
        LogFormat::Json => false,
    };
    // An error means that a subscriber is installed already.
    let _installed = if compact {
        builder.compact().with_ansi(stderr().is_terminal()).try_init()
    } else {
        builder.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
    };
}
