//! HTTP GET as exchanges want it: a budget of request weight, pauses where they ask for one, bounded everywhere.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use backon::{ExponentialBuilder, Retryable};
use chrono::NaiveDateTime;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, StatusCode};
use url::Url;

use super::error::CandleError;
use crate::clock::Clock;
use crate::http::{self, BodyError, Usage, Used};
use veriregime_core::types::diagnostic::{Diagnostic, Retry, quoted};

/// Pause after a 429 that does not name one.
const DEFAULT_PAUSE: Duration = Duration::from_secs(10);
/// Pause after a 418 that does not name one: the exchange's shortest ban.
const DEFAULT_BAN: Duration = Duration::from_mins(2);
/// Longest pause that an exchange is believed to want: a header costs an hour at most, never a period.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// Pause before an exchange is asked again whether it really does not know a symbol.
const PROOF_PAUSE: Duration = Duration::from_secs(1);
/// The three ways to write a date in HTTP.
const HTTP_DATES: [&str; 3] = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
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
    usage: Usage,
}

impl HttpClient {
    /// A client for `base_url` that spends at most `burst_weight` at once.
    ///
    /// # Errors
    /// [`CandleError::Settings`] where the system has no certificates.
    pub fn new(base_url: &Url, settings: HttpSettings, burst_weight: NonZeroU32) -> Result<Self, CandleError> {
        let client = http::client(base_url)
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.total_timeout)
            .build()
            .map_err(|error| CandleError::Settings { base_url: base_url.to_string(), detail: error.to_string() })?;
        let budget = RateLimiter::direct(Quota::per_minute(settings.weight_per_minute).allow_burst(burst_weight));
        Ok(Self { client, budget, settings, usage: Usage::default() })
    }

    /// How asking has gone so far.
    pub fn used(&self) -> Used {
        self.usage.used()
    }

    /// Gets `url`, which costs `weight`, and reads the body by `parse`; of an error status, `refusal` says what it means where
    /// that is more than its number. Whatever fails is tried again up to the settings' attempts, not before the exchange
    /// allows it. That a symbol is unknown is believed when it is said twice.
    ///
    /// # Errors
    /// The last attempt's.
    pub async fn get<T>(
        &self,
        url: &Url,
        weight: NonZeroU32,
        parse: impl Fn(&[u8]) -> Result<T, CandleError>,
        refusal: impl Fn(u16, &[u8]) -> Option<CandleError>,
    ) -> Result<T, CandleError> {
        let attempts = || self.attempts(url, weight, &parse, &refusal);
        match attempts().await {
            Err(CandleError::UnknownSymbol { .. }) => {
                tokio::time::sleep(PROOF_PAUSE).await;
                attempts().await
            }
            outcome => outcome,
        }
    }

    async fn attempts<T>(
        &self,
        url: &Url,
        weight: NonZeroU32,
        parse: &impl Fn(&[u8]) -> Result<T, CandleError>,
        refusal: &impl Fn(u16, &[u8]) -> Option<CandleError>,
    ) -> Result<T, CandleError> {
        let attempt = || async { parse(&self.counted(url, weight, refusal).await?) };
        let delays = ExponentialBuilder::default()
            .with_min_delay(FIRST_RETRY_DELAY)
            .with_max_delay(LAST_RETRY_DELAY)
            .with_max_times(self.settings.max_attempts.saturating_sub(1))
            .with_jitter();
        attempt
            .retry(delays)
            .when(|error| {
                error.retry() != Retry::Never && pause(error).is_none_or(|asked| asked <= self.settings.max_pause)
            })
            .adjust(|error, planned| planned.map(|delay| delay.max(pause(error).unwrap_or_default())))
            .notify(|error, delay| tracing::warn!(code = error.code(), %error, ?delay, "asking the exchange again"))
            .await
    }

    async fn counted(
        &self,
        url: &Url,
        weight: NonZeroU32,
        refusal: &impl Fn(u16, &[u8]) -> Option<CandleError>,
    ) -> Result<Vec<u8>, CandleError> {
        self.budget.until_n_ready(weight).await.map_err(|_| CandleError::Settings {
            base_url: address(url),
            detail: format!("a request weighs {weight}, more than is allowed in a minute"),
        })?;
        let begun = Instant::now();
        let outcome = self.attempt(url, refusal).await;
        self.usage.count(begun.elapsed(), outcome.is_ok());
        outcome
    }

    async fn attempt(
        &self,
        url: &Url,
        refusal: &impl Fn(u16, &[u8]) -> Option<CandleError>,
    ) -> Result<Vec<u8>, CandleError> {
        let broken = |error: reqwest::Error| {
            if error.is_timeout() {
                CandleError::Timeout { url: address(url) }
            } else {
                CandleError::Unreachable { url: address(url), source: error.without_url().into() }
            }
        };
        let response = self.client.get(url.clone()).send().await.map_err(broken)?;
        let status = response.status();
        let retry_after = retry_after(response.headers(), Clock::System.now_ms());
        match status {
            StatusCode::TOO_MANY_REQUESTS => {
                return Err(CandleError::RateLimited { retry_after: retry_after.unwrap_or(DEFAULT_PAUSE) });
            }
            StatusCode::IM_A_TEAPOT => {
                return Err(CandleError::Banned { retry_after: retry_after.unwrap_or(DEFAULT_BAN) });
            }
            _ => {}
        }
        let body = http::body(response, self.settings.max_body_bytes).await.map_err(|error| match error {
            BodyError::TooLong { limit_bytes } => CandleError::BodyTooLarge { limit_bytes },
            BodyError::Broken(error) => broken(error),
        })?;
        if status.is_success() {
            return Ok(body);
        }
        let status = status.as_u16();
        let message = || quoted(&String::from_utf8_lossy(&body));
        Err(refusal(status, &body).unwrap_or_else(|| CandleError::Status { status, message: message(), retry_after }))
    }
}

/// The pause that the exchange asked for.
fn pause(error: &CandleError) -> Option<Duration> {
    match error {
        CandleError::RateLimited { retry_after } | CandleError::Banned { retry_after } => Some(*retry_after),
        CandleError::Status { retry_after, .. } => *retry_after,
        _ => None,
    }
}

/// What the header `Retry-After` asks for, [`LONGEST_PAUSE`] at most: seconds, also with a fraction, or a date, which counts
/// from the server's own clock where it tells the time and else from ours, `now_ms`.
fn retry_after(headers: &HeaderMap, now_ms: i64) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let asked = match text.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() && seconds >= 0.0 => {
            Duration::from_secs_f64(seconds.min(LONGEST_PAUSE.as_secs_f64()))
        }
        Ok(_) => return None,
        Err(_) => {
            let theirs_ms = headers.get(DATE).and_then(|date| http_date_ms(date.to_str().ok()?));
            let left_ms = http_date_ms(text)?.saturating_sub(theirs_ms.unwrap_or(now_ms));
            Duration::from_millis(u64::try_from(left_ms).unwrap_or(0))
        }
    };
    Some(asked.min(LONGEST_PAUSE))
}

/// Unix milliseconds of a date as HTTP writes it.
fn http_date_ms(text: &str) -> Option<i64> {
    let parsed = HTTP_DATES.iter().find_map(|form| NaiveDateTime::parse_from_str(text.trim(), form).ok());
    parsed.map(|moment| moment.and_utc().timestamp_millis())
}

/// The URL without its query.
fn address(url: &Url) -> String {
    let mut bare = url.clone();
    bare.set_query(None);
    bare.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "Mon, 05 Aug 2024 00:00:00 GMT";

    fn asked(retry_after_text: &str, date: Option<&str>) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, retry_after_text.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        retry_after(&headers, http_date_ms(NOW).unwrap())
    }

    #[test]
    fn a_retry_after_with_a_fraction_or_a_date_is_kept() {
        let seconds = |seconds: f64| Some(Duration::from_secs_f64(seconds));
        assert_eq!(http_date_ms(NOW), Some(1_722_816_000_000));
        for (text, expected) in [("7", 7.0), (" 1.5 ", 1.5), ("0", 0.0), ("0.25", 0.25), ("1e9", 3600.0)] {
            assert_eq!(asked(text, None), seconds(expected), "{text}");
        }
        for text in ["Mon, 05 Aug 2024 00:00:30 GMT", "Monday, 05-Aug-24 00:00:30 GMT", "Mon Aug  5 00:00:30 2024"] {
            assert_eq!(asked(text, None), seconds(30.0), "{text}");
            // By the server's own clock, whatever ours says; a date that has passed asks for nothing.
            assert_eq!(asked(text, Some("Mon, 05 Aug 2024 00:00:20 GMT")), seconds(10.0), "{text}");
            assert_eq!(asked(text, Some("Mon, 05 Aug 2024 00:01:00 GMT")), seconds(0.0), "{text}");
        }
        assert_eq!(asked("Fri, 31 Dec 9999 23:59:59 GMT", None), seconds(3600.0));
        for nonsense in ["", "soon", "-1", "nan", "inf", "Mon, 05 Aug"] {
            assert_eq!(asked(nonsense, None), None, "{nonsense}");
        }
    }
}
