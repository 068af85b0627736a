//! An exchange that misbehaves: a proxy before a good one, for every dialect, that bends what passes through.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;
use veriregime_agent::clock::Clock;
use veriregime_agent::sources::candles::market::Market;
use veriregime_agent::sources::candles::serve;
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::venue::Venue;

/// What happens to answers about candles (and one about the time).
#[derive(Debug, Clone, PartialEq)]
pub enum ExchangeFaultMode {
    None,
    /// A status instead of an answer, so many times.
    Status {
        status: u16,
        retry_after_seconds: Option<u32>,
        times: usize,
    },
    /// Half of the body, so many times.
    Truncated {
        times: usize,
    },
    /// Everything before this many pages, then status 500.
    Dies {
        after_pages: usize,
    },
    /// Other words than an answer.
    Says {
        status: u16,
        body: &'static str,
    },
    /// So many pages as they should be, then this, so many times.
    Times {
        after_pages: usize,
        times: usize,
        mischief: Box<ExchangeFaultMode>,
    },
    /// A page without rows.
    Empty,
    /// The first row twice.
    Duplicated,
    /// Rows in the other order.
    Reversed,
    /// The first row twice, with two volumes.
    Contradicts,
    /// The minutes of the next day.
    OtherMinutes,
    /// A close that is a word.
    Garbage,
    /// A close below zero.
    Negative,
    /// A page of another kind.
    Html,
    /// Ten megabytes.
    Large,
    /// The minutes of these open times are not there.
    Missing(Vec<i64>),
    /// Other volumes at these open times.
    Revised(Vec<i64>),
    /// Prices a hundredth higher at these open times.
    Spiked(Vec<i64>),
    /// A clock that is ahead by this much.
    SkewedClock {
        ahead_ms: i64,
    },
}

impl ExchangeFaultMode {
    /// This for so many pages, and then no more.
    pub fn times(self, times: usize) -> Self {
        Self::Times { after_pages: 0, times, mischief: Box::new(self) }
    }
}

/// The proxy and the exchange behind it, until it is dropped.
pub struct BadExchange {
    pub url: Url,
    state: Arc<Bent>,
    _stop: DropGuard,
}

struct Bent {
    venue: Venue,
    behind: String,
    client: reqwest::Client,
    mischief: Mutex<(ExchangeFaultMode, usize)>,
    pages: Mutex<Vec<String>>,
}

impl BadExchange {
    /// An exchange that is good so far.
    pub async fn start(venue: Venue, market: Market, clock: Clock) -> Self {
        let stop = CancellationToken::new();
        let listener = serve::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let behind = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(serve::serve(venue, market, clock, listener, stop.clone()));
        let state = Arc::new(Bent {
            venue,
            behind,
            client: reqwest::Client::new(),
            mischief: Mutex::new((ExchangeFaultMode::None, 0)),
            pages: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&state));
        let shutdown = stop.clone().cancelled_owned();
        tokio::spawn(async move { axum::serve(listener, router).with_graceful_shutdown(shutdown).await });
        Self { url, state, _stop: stop.drop_guard() }
    }

    /// Misbehaves like this from now on.
    pub fn set(&self, mischief: ExchangeFaultMode) {
        *self.state.mischief.lock().unwrap() = (mischief, 0);
    }

    /// How many pages were asked for since they were taken last.
    pub fn pages(&self) -> usize {
        self.state.pages.lock().unwrap().len()
    }

    /// The queries of the pages that were asked for since they were taken last.
    pub fn take_pages(&self) -> Vec<String> {
        std::mem::take(&mut self.state.pages.lock().unwrap())
    }
}

async fn answer(State(bent): State<Arc<Bent>>, request: Request) -> Response {
    let target = request.uri().path_and_query().unwrap().to_string();
    let is_page = target.contains("candles") || target.contains("kline");
    let (mischief, before) = {
        let mut state = bent.mischief.lock().unwrap();
        let before = state.1;
        state.1 += usize::from(is_page);
        let mischief = match &state.0 {
            ExchangeFaultMode::Times { after_pages, times, mischief } => {
                let holds = (*after_pages..after_pages + times).contains(&before);
                if holds { (**mischief).clone() } else { ExchangeFaultMode::None }
            }
            mischief => mischief.clone(),
        };
        (mischief, before)
    };
    if is_page {
        bent.pages.lock().unwrap().push(target.clone());
    }
    let json_body = |body: String| ([(header::CONTENT_TYPE, "application/json")], body).into_response();
    let status = |status: u16| StatusCode::from_u16(status).unwrap();
    match &mischief {
        ExchangeFaultMode::Status { status: code, retry_after_seconds, times } if is_page && before < *times => {
            let headers: Vec<_> =
                retry_after_seconds.iter().map(|wait| (header::RETRY_AFTER, wait.to_string())).collect();
            return (status(*code), axum::response::AppendHeaders(headers), "{}").into_response();
        }
        ExchangeFaultMode::Dies { after_pages } if is_page && before >= *after_pages => {
            return status(500).into_response();
        }
        ExchangeFaultMode::Says { status: code, body } if is_page => {
            return (status(*code), json_body((*body).into())).into_response();
        }
        ExchangeFaultMode::Html if is_page => return json_body("<html>please log in</html>".into()),
        ExchangeFaultMode::Large if is_page => return json_body(" ".repeat(10 << 20)),
        _ => {}
    }
    let passed_on = bent.client.get(format!("{}{target}", bent.behind)).send().await.unwrap();
    let code = status(passed_on.status().as_u16());
    let body = passed_on.text().await.unwrap();
    let body = match &mischief {
        ExchangeFaultMode::SkewedClock { ahead_ms } if !is_page => skewed(bent.venue, &body, *ahead_ms),
        ExchangeFaultMode::Truncated { times } if is_page && before < *times => body[..body.len() / 2].to_owned(),
        _ if is_page => bend_rows(bent.venue, &mischief, body),
        _ => body,
    };
    (code, json_body(body)).into_response()
}

fn bend_rows(venue: Venue, mischief: &ExchangeFaultMode, body: String) -> String {
    let mut answer: Value = serde_json::from_str(&body).unwrap();
    let rows = match venue {
        Venue::Binance | Venue::Coinbase => answer.as_array_mut(),
        Venue::Bybit => answer["result"]["list"].as_array_mut(),
        Venue::Okx => answer["data"].as_array_mut(),
    };
    let Some(rows) = rows.filter(|rows| !rows.is_empty()) else { return body };
    let unit = if venue == Venue::Coinbase { 1000 } else { 1 };
    let time_ms = |row: &Value| row[0].as_i64().unwrap_or_else(|| row[0].as_str().unwrap().parse().unwrap()) * unit;
    // In every dialect the fifth field is the close and the sixth the volume.
    match mischief {
        ExchangeFaultMode::Empty => rows.clear(),
        ExchangeFaultMode::Contradicts => {
            let mut other = rows[0].clone();
            other[5] = if other[5].is_string() { json!("123.5") } else { json!(123.5) };
            rows.insert(0, other);
        }
        ExchangeFaultMode::Duplicated => rows.insert(0, rows[0].clone()),
        ExchangeFaultMode::Reversed => rows.reverse(),
        ExchangeFaultMode::OtherMinutes => {
            for row in rows.iter_mut() {
                let later_ms = time_ms(row) + 1440 * MINUTE_MS;
                row[0] = if row[0].is_i64() { json!(later_ms / unit) } else { json!(later_ms.to_string()) };
                if venue == Venue::Binance {
                    row[6] = json!(later_ms + MINUTE_MS - 1);
                }
            }
        }
        ExchangeFaultMode::Garbage => rows[0][4] = json!("cheap"),
        ExchangeFaultMode::Negative => rows[0][4] = if rows[0][4].is_string() { json!("-1") } else { json!(-1) },
        ExchangeFaultMode::Missing(minutes) => rows.retain(|row| !minutes.contains(&time_ms(row))),
        ExchangeFaultMode::Revised(minutes) => {
            for row in rows.iter_mut().filter(|row| minutes.contains(&time_ms(row))) {
                row[5] = if row[5].is_string() { json!("123.5") } else { json!(123.5) };
            }
        }
        ExchangeFaultMode::Spiked(minutes) => {
            for row in rows.iter_mut().filter(|row| minutes.contains(&time_ms(row))) {
                for price in 1..5 {
                    let is_text = row[price].is_string();
                    let number: f64 = row[price].to_string().trim_matches('"').parse().unwrap();
                    row[price] = if is_text { json!((number * 1.01).to_string()) } else { json!(number * 1.01) };
                }
            }
        }
        _ => return body,
    }
    answer.to_string()
}

fn skewed(venue: Venue, body: &str, ahead_ms: i64) -> String {
    let mut answer: Value = serde_json::from_str(body).unwrap();
    let later = |value: &Value| json!(value.as_i64().unwrap() + ahead_ms);
    match venue {
        Venue::Binance => answer["serverTime"] = later(&answer["serverTime"]),
        Venue::Coinbase => answer["epoch"] = json!(answer["epoch"].as_f64().unwrap() + ahead_ms as f64 / 1000.0),
        Venue::Bybit => answer["time"] = later(&answer["time"]),
        Venue::Okx => {
            let time_ms: i64 = answer["data"][0]["ts"].as_str().unwrap().parse().unwrap();
            answer["data"][0]["ts"] = json!((time_ms + ahead_ms).to_string());
        }
    }
    answer.to_string()
}

/// A server that sends good headers and then a byte now and then, for ever.
pub async fn slow_loris() -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n[";
                let mut sent = stream.write_all(head.as_bytes()).await;
                while sent.is_ok() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    sent = stream.write_all(b" ").await;
                }
            });
        }
    });
    url
}
