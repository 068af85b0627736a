//! The HTTP API's settings, checked.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use super::raw::RawApi;
use super::{ConfigError, positive_ms, value};

/// More than this would make the limit none.
const MAX_BODY_BYTES: usize = 16 << 20;
/// More connections than a process may have files.
const MAX_CONNECTIONS: usize = 10_000;

/// The HTTP API's settings.
#[derive(Debug, Clone)]
pub struct Api {
    /// `None` for no API.
    pub listen: Option<SocketAddr>,
    /// Whether `/` is a page.
    pub dashboard: bool,
    /// Of one client address.
    pub requests_per_second: NonZeroU32,
    /// Of one client address, at once.
    pub burst: NonZeroU32,
    pub max_body_bytes: usize,
    pub request_timeout: Duration,
    pub max_connections: usize,
    /// How often the node looks at itself.
    pub check_every: Duration,
}

/// Checks the section.
pub(super) fn check(raw: &RawApi) -> Result<Api, ConfigError> {
    let listen = match raw.listen.trim() {
        "" => None,
        text => Some(SocketAddr::from_str(text).map_err(|error| value("api.listen", text, error))?),
    };
    Ok(Api {
        listen,
        dashboard: raw.dashboard,
        requests_per_second: positive("api.requests_per_second", raw.requests_per_second)?,
        burst: positive("api.burst", raw.burst)?,
        max_body_bytes: within("api.max_body_bytes", raw.max_body_bytes, MAX_BODY_BYTES)?,
        request_timeout: positive_ms("api.request_timeout_ms", raw.request_timeout_ms)?,
        check_every: positive_ms("api.check_seconds", raw.check_seconds.saturating_mul(1000))?,
        max_connections: within("api.max_connections", raw.max_connections, MAX_CONNECTIONS)?,
    })
}

fn positive(key: &'static str, number: u32) -> Result<NonZeroU32, ConfigError> {
    NonZeroU32::new(number).ok_or_else(|| value(key, number, "must be positive"))
}

fn within(key: &'static str, number: usize, most: usize) -> Result<usize, ConfigError> {
    if (1..=most).contains(&number) {
        return Ok(number);
    }
    Err(value(key, number, format!("must be from 1 to {most}")))
}
