//! HTTP GET as exchanges want it: a budget of request weight, pauses where they ask for one, bounded everywhere.

use std::num::NonZeroU32;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use url::Url;

use super::error::CandleError;
use crate::types::fault::{Fault, Retry};

/// Pause after a 429 that does not name one.
const DEFAULT_PAUSE: Duration = Duration::from_secs(10);
/// Pause after a 418 that does not name one: the exchange's shortest ban.
const DEFAULT_BAN: Duration = Duration::from_mins(2);
/// Longest message of an exchange that is passed on, in characters.
const MAX_MESSAGE_CHARS: usize = 200;
const FIRST_RETRY_DELAY: Duration = Duration::from_millis(250);
const LAST_RETRY_DELAY: Duration = Duration::from_secs(10);

/// Limits of [`HttpClient`].
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Time to connect.
    pub connect_timeout: Duration,
    /// Time for one attempt, from connecting to the last byte.
    pub total_timeout: Duration,
    /// Request weight to spend a minute, after a first burst.
    pub weight_per_minute: NonZeroU32,
    /// Largest body, unpacked.
    pub max_body_bytes: usize,
    /// Attempts in all, the first included.
    pub max_attempts: usize,
    /// Longest pause that is waited out when the exchange asks for one; a longer one is an error.
    pub max_pause: Duration,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            total_timeout: Duration::from_secs(15),
            weight_per_minute: NonZeroU32::new(2400).expect("not zero"),
            max_body_bytes: 4 << 20,
            max_attempts: 5,
            max_pause: Duration::from_mins(2),
        }
    }
}

/// A client for one host.
#[derive(Debug)]
pub struct HttpClient {
    client: Client,
    budget: DefaultDirectRateLimiter,
    settings: HttpSettings,
}

impl HttpClient {
    /// A client for `base_url` that spends at most `burst_weight` at once. Certificates are only looked for where it is
    /// `https`, so that a plain local server needs none.
    ///
    /// # Errors
    /// [`CandleError::Settings`] where the system has no certificates.
    pub fn new(base_url: &Url, settings: HttpSettings, burst_weight: NonZeroU32) -> Result<Self, CandleError> {
        let mut builder = Client::builder()
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.total_timeout);
        if base_url.scheme() == "http" {
            builder = builder.tls_certs_only([]);
        }
        let client = builder
            .build()
            .map_err(|error| CandleError::Settings { base_url: base_url.to_string(), detail: error.to_string() })?;
        let budget = RateLimiter::direct(Quota::per_minute(settings.weight_per_minute).allow_burst(burst_weight));
        Ok(Self { client, budget, settings })
    }

    /// Gets `url`, which costs `weight`, and parses the body. Passing failures, an answer that does not parse among
    /// them, are tried again up to the settings' attempts, not before the exchange allows it.
    ///
    /// # Errors
    /// The last attempt's.
    pub async fn get<T>(
        &self,
        url: &Url,
        weight: NonZeroU32,
        parse: impl Fn(&[u8]) -> Result<T, CandleError>,
    ) -> Result<T, CandleError> {
        let attempt = || async { parse(&self.attempt(url, weight).await?) };
        let delays = ExponentialBuilder::default()
            .with_min_delay(FIRST_RETRY_DELAY)
            .with_max_delay(LAST_RETRY_DELAY)
            .with_max_times(self.settings.max_attempts.saturating_sub(1))
            .with_jitter();
        attempt
            .retry(delays)
            .when(|error| pause(error).map_or(error.retry() != Retry::Never, |asked| asked <= self.settings.max_pause))
            .adjust(|error, planned| planned.map(|delay| delay.max(pause(error).unwrap_or_default())))
            .notify(|error, delay| tracing::warn!(code = error.code(), %error, ?delay, "asking the exchange again"))
            .await
    }

    async fn attempt(&self, url: &Url, weight: NonZeroU32) -> Result<Vec<u8>, CandleError> {
        self.budget.until_n_ready(weight).await.map_err(|_| CandleError::Settings {
            base_url: address(url),
            detail: format!("a request weighs {weight}, more than is allowed in a minute"),
        })?;
        let broken = |error: reqwest::Error| {
            if error.is_timeout() {
                CandleError::Timeout { url: address(url) }
            } else {
                CandleError::Unreachable { url: address(url), source: error.without_url().into() }
            }
        };
        let mut response = self.client.get(url.clone()).send().await.map_err(broken)?;
        let status = response.status();
        let asked = retry_after(&response);
        match status.as_u16() {
            429 => return Err(CandleError::RateLimited { retry_after: asked.unwrap_or(DEFAULT_PAUSE) }),
            418 => return Err(CandleError::Banned { retry_after: asked.unwrap_or(DEFAULT_BAN) }),
            _ => {}
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            if body.len() + chunk.len() > self.settings.max_body_bytes {
                return Err(CandleError::BodyTooLarge { limit_bytes: self.settings.max_body_bytes });
            }
            body.extend_from_slice(&chunk);
        }
        if status.is_success() {
            Ok(body)
        } else {
            Err(CandleError::Status { status: status.as_u16(), message: printable(&String::from_utf8_lossy(&body)) })
        }
    }
}

/// The pause that the exchange asked for by a 429 or 418.
fn pause(error: &CandleError) -> Option<Duration> {
    match error {
        CandleError::RateLimited { retry_after } | CandleError::Banned { retry_after } => Some(*retry_after),
        _ => None,
    }
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse::<u32>().ok()?;
    Some(Duration::from_secs(u64::from(seconds)))
}

/// The URL without its query.
fn address(url: &Url) -> String {
    let mut bare = url.clone();
    bare.set_query(None);
    bare.to_string()
}

/// The start of what an exchange said, without control characters.
pub fn printable(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(MAX_MESSAGE_CHARS).collect()
}
