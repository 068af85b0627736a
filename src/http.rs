//! Answers over HTTP from whoever they come: nobody is followed elsewhere, and no body is read beyond its bound.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response};
use serde::de::DeserializeOwned;
use url::Url;

use veriregime_core::types::diagnostic;

/// Why a body was not read to its end.
#[derive(Debug)]
pub enum BodyError {
    /// It is longer than its bound.
    TooLong { limit_bytes: usize },
    /// The connection broke, or took too long.
    Broken(reqwest::Error),
}

/// Where clients for `url` begin: no redirects, and certificates are only looked for where it is `https`, so that a plain server
/// on a machine without any can be asked.
pub fn client(url: &Url) -> ClientBuilder {
    let builder = Client::builder().redirect(Policy::none());
    if url.scheme() == "http" { builder.tls_certs_only([]) } else { builder }
}

/// What is read at `url` in so much time, or why it is not.
///
/// # Errors
/// Words for people.
pub async fn json<T: DeserializeOwned>(url: &Url, within: Duration, limit_bytes: usize) -> Result<T, String> {
    serde_json::from_slice(&bytes(url, within, limit_bytes).await?).map_err(|error| error.to_string())
}

/// The bytes at `url` in so much time, or why there are none.
///
/// # Errors
/// Words for people.
pub async fn bytes(url: &Url, within: Duration, limit_bytes: usize) -> Result<Vec<u8>, String> {
    let words = |error: reqwest::Error| diagnostic::words(&error.without_url());
    let client = client(url).timeout(within).build().map_err(words)?;
    let answer = client.get(url.clone()).send().await.map_err(words)?;
    let status = answer.status();
    if !status.is_success() {
        return Err(format!("it answers {status}"));
    }
    body(answer, limit_bytes).await.map_err(|error| match error {
        BodyError::TooLong { limit_bytes } => format!("its answer is longer than {limit_bytes} bytes"),
        BodyError::Broken(error) => words(error),
    })
}

/// The whole body of an answer, if it is no longer than `limit_bytes`, unpacked.
///
/// # Errors
/// [`BodyError`].
pub async fn body(mut answer: Response, limit_bytes: usize) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(BodyError::Broken)? {
        if body.len() + chunk.len() > limit_bytes {
            return Err(BodyError::TooLong { limit_bytes });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The beginning of an answer's body, as far as it comes: `limit_bytes` at most.
pub async fn beginning(mut answer: Response, limit_bytes: usize) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        body.extend_from_slice(&chunk[..chunk.len().min(limit_bytes - body.len())]);
        if body.len() >= limit_bytes {
            break;
        }
    }
    body
}

/// How asking has gone so far, since the start of the process.
#[derive(Debug, Default)]
pub struct Usage {
    requests: AtomicU64,
    errors: AtomicU64,
    /// Of the last answer, in milliseconds and one more; 0 before the first.
    latency: AtomicU64,
}

/// How asking had gone at some moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    pub requests: u64,
    pub errors: u64,
    /// Of the last answer; `None` before the first.
    pub latency_ms: Option<u64>,
}

impl Usage {
    /// Counts a request that took so long, whatever came of it.
    pub fn count(&self, took: Duration, is_answered: bool) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if is_answered {
            let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            self.latency.store(ms.saturating_add(1), Ordering::Relaxed);
        } else {
            self.errors.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How it has gone.
    pub fn used(&self) -> Used {
        Used {
            requests: self.requests.load(Ordering::Relaxed),
            errors: self.errors.load(Ordering::Relaxed),
            latency_ms: self.latency.load(Ordering::Relaxed).checked_sub(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use wiremock::matchers::method;
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;

    async fn server(answer: ResponseTemplate) -> (MockServer, Url) {
        let server = MockServer::start().await;
        Mock::given(method("GET")).respond_with(answer).mount(&server).await;
        let url = Url::parse(&server.uri()).unwrap();
        (server, url)
    }

    async fn asked(url: &Url) -> Response {
        client(url).build().unwrap().get(url.clone()).send().await.unwrap()
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_bound_and_no_further() {
        let (_server, url) = server(ResponseTemplate::new(200).set_body_bytes(vec![7; 1000])).await;
        assert_eq!(body(asked(&url).await, 1000).await.unwrap().len(), 1000);
        let fault = body(asked(&url).await, 999).await.expect_err("too long");
        assert!(matches!(fault, BodyError::TooLong { limit_bytes: 999 }), "{fault:?}");
        for (limit_bytes, read) in [(1, 1), (999, 999), (2000, 1000)] {
            assert_eq!(beginning(asked(&url).await, limit_bytes).await.len(), read);
        }
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_is_not_followed() {
        let elsewhere = MockServer::start().await;
        let (_server, url) = server(ResponseTemplate::new(302).insert_header("location", elsewhere.uri())).await;
        assert_eq!(asked(&url).await.status(), 302);
        assert!(elsewhere.received_requests().await.unwrap().is_empty());
    }
}
