//! `GET /v1/events`: what happens, as it happens. Whoever causes an event waits for nobody: who does not read in time is cut
//! off, and comes again.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue};
use axum::response::sse::{self, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt, stream};
use serde::Serialize;
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, watch};
use tokio_util::sync::CancellationToken;

use super::Shared;
use crate::api::error::{ApiError, ErrorBody};
use crate::clock::Clock;
use crate::health::monitor::Latest;
use crate::job::overview::Overview;
use crate::state::changes::Change;

/// Events that a listener may be late by.
const LATE: usize = 256;
/// After so long a silence a listener is told the time, by which it knows that the node is there.
const SILENCE: Duration = Duration::from_secs(5);
/// After a stream that broke off, a browser comes again in so long.
const COME_AGAIN: Duration = Duration::from_secs(2);
/// Tells a proxy to pass each event on at once.
const UNBUFFERED: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));

/// What is told, written out once for all who listen.
#[derive(Debug)]
struct Told {
    name: &'static str,
    data: String,
}

/// What listeners are told, and how many of them there may be.
#[derive(Debug)]
pub struct Events {
    sender: broadcast::Sender<Arc<Told>>,
    places: Arc<Semaphore>,
    ended: CancellationToken,
    silence: Duration,
}

#[derive(Debug, Serialize)]
struct Hello {
    now_ms: i64,
    version: &'static str,
    started_ms: i64,
}

impl Events {
    /// For as many listeners, half of the connections that there may be: others are to get in, too.
    pub fn new(max_connections: usize) -> Self {
        let places = Arc::new(Semaphore::new((max_connections / 2).max(1)));
        Self { sender: broadcast::channel(LATE).0, places, ended: CancellationToken::new(), silence: SILENCE }
    }

    fn tell(&self, name: &'static str, data: &serde_json::Value) {
        // Nobody may listen.
        let _listeners = self.sender.send(Arc::new(Told { name, data: data.to_string() }));
    }

    /// Tells of every stage that is stored, of jobs by their names, until `stop`.
    pub async fn follow_stages(
        &self,
        mut changes: broadcast::Receiver<Change>,
        overview: Overview,
        stop: CancellationToken,
    ) {
        loop {
            let change = tokio::select! {
                () = stop.cancelled() => return,
                change = changes.recv() => change,
            };
            let Change { job, period, stage } = match change {
                Ok(change) => change,
                // The next stage of the same period makes up for those that were missed.
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return,
            };
            for name in overview.names_of(job) {
                self.tell("period", &json!({"job": name, "period": period.0, "stage": stage.name()}));
            }
        }
    }

    /// Tells of every round of a job's checks, until they end.
    pub async fn follow_checks(&self, job: String, mut health: Latest) {
        while health.changed().await.is_ok() {
            let ready = health.borrow_and_update().as_ref().map(|report| report.is_ready());
            self.tell("checks", &json!({"job": job, "ready": ready}));
        }
    }

    /// Tells whenever what does not hold is another than before, until nobody looks any more.
    pub async fn follow_alerts<T>(&self, mut held: watch::Receiver<T>) {
        while held.changed().await.is_ok() {
            self.tell("alerts", &json!({}));
        }
    }

    /// Ends every stream: the server stops.
    pub(super) fn end(&self) {
        self.ended.cancel();
    }

    fn listen(&self) -> Result<Listener, ApiError> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| ApiError::Listeners)?;
        Ok(Listener {
            receiver: self.sender.subscribe(),
            ended: self.ended.clone(),
            silence: self.silence,
            _place: place,
        })
    }
}

/// One who listens, with a place that is free again once this is dropped.
#[derive(Debug)]
struct Listener {
    receiver: broadcast::Receiver<Arc<Told>>,
    ended: CancellationToken,
    silence: Duration,
    _place: OwnedSemaphorePermit,
}

impl Listener {
    /// The next event; `None` at the server's end, and where too many were missed to go on as if nothing were.
    async fn next(mut self) -> Option<(sse::Event, Self)> {
        let told = tokio::select! {
            () = self.ended.cancelled() => return None,
            told = self.receiver.recv() => told.ok()?,
            () = tokio::time::sleep(self.silence) => Arc::new(tick()),
        };
        Some((sse::Event::default().event(told.name).data(&told.data), self))
    }
}

/// What is told where there is nothing to tell.
fn tick() -> Told {
    Told { name: "tick", data: json!({"now_ms": Clock::System.now_ms()}).to_string() }
}

/// The events for one listener.
fn stream(hello: &Hello, listener: Listener) -> impl Stream<Item = Result<sse::Event, axum::Error>> + use<> {
    let hello = sse::Event::default().event("hello").retry(COME_AGAIN).json_data(hello);
    stream::iter([hello]).chain(stream::unfold(listener, Listener::next).map(Ok))
}

/// What happens, as server-sent events: `hello` (`now_ms`, `version`, `started_ms`) at once, `period` (`job`, `period`, `stage`)
/// for each stage that is stored, `checks` (`job`, `ready`) after each round of checks, `alerts` when others hold than before;
/// `tick` (`now_ms`) after five seconds of silence. Times are the machine's.
#[utoipa::path(get, path = "/v1/events", responses(
    (status = 200, description = "events until the node stops", body = String, content_type = "text/event-stream"),
    (status = 429, description = "too many requests", body = ErrorBody),
    (status = 503, description = "as many listen already as may", body = ErrorBody),
))]
pub(super) async fn events(State(shared): State<Arc<Shared>>) -> Result<Response, ApiError> {
    let listener = shared.events.listen()?;
    let hello =
        Hello { now_ms: Clock::System.now_ms(), version: env!("CARGO_PKG_VERSION"), started_ms: shared.started_ms };
    let answer = Sse::new(stream(&hello, listener));
    Ok(([UNBUFFERED], answer).into_response())
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use axum::body::Body;
    use veriregime_core::types::cycle::Stage;
    use veriregime_core::types::period::PeriodId;

    const HELLO: Hello = Hello { now_ms: 1, version: "v", started_ms: 0 };

    fn text(body: &[u8]) -> String {
        String::from_utf8(body.to_vec()).unwrap()
    }

    fn body(events: &Events) -> axum::body::BodyDataStream {
        let listener = events.listen().unwrap();
        Body::new(Sse::new(stream(&HELLO, listener)).into_response().into_body()).into_data_stream()
    }

    #[tokio::test]
    async fn a_listener_is_greeted_and_told_in_order_until_the_end() {
        let events = Events::new(10);
        let mut one = body(&events);
        events.tell("period", &json!({"job": "a\nevent: forged", "period": 7, "stage": Stage::Forecast.name()}));
        events.tell("checks", &json!({"job": "a", "ready": true}));
        let hello = text(&one.next().await.unwrap().unwrap());
        assert!(hello.starts_with("event: hello\nretry: 2000\ndata: {\"now_ms\":1,"), "{hello}");
        let period = text(&one.next().await.unwrap().unwrap());
        assert_eq!(period.matches("event:").count(), 2, "{period}");
        assert_eq!(period.lines().filter(|line| line.starts_with("event:")).count(), 1, "a name of a job is no event");
        assert!(text(&one.next().await.unwrap().unwrap()).starts_with("event: checks\n"));
        events.end();
        assert!(one.next().await.is_none());
    }

    #[tokio::test]
    async fn silence_is_broken_by_the_time_and_news_come_before_it() {
        let events = Events { silence: Duration::from_millis(300), ..Events::new(10) };
        let mut one = body(&events);
        assert!(text(&one.next().await.unwrap().unwrap()).starts_with("event: hello\n"));
        let begun = Instant::now();
        let tick = text(&one.next().await.unwrap().unwrap());
        assert!(tick.starts_with("event: tick\ndata: {\"now_ms\":"), "{tick}");
        assert!(begun.elapsed() >= events.silence);
        events.tell("checks", &json!({}));
        assert!(text(&one.next().await.unwrap().unwrap()).starts_with("event: checks\n"));
    }

    #[tokio::test]
    async fn there_are_so_many_listeners_and_a_place_is_free_again() {
        let events = Events::new(4);
        let (one, _other) = (body(&events), body(&events));
        assert!(matches!(events.listen(), Err(ApiError::Listeners)));
        drop(one);
        assert!(events.listen().is_ok());
    }

    #[tokio::test]
    async fn nobody_who_does_not_read_holds_anybody_up() {
        let events = Events::new(4);
        let mut late = body(&events);
        let begun = Instant::now();
        for period in 0..100_000 {
            events.tell("period", &json!({"period": PeriodId(period).0}));
        }
        assert!(begun.elapsed() < Duration::from_secs(10));
        assert!(late.next().await.is_some(), "the greeting");
        assert!(late.next().await.is_none(), "too much was missed");
        let mut again = body(&events);
        assert!(again.next().await.is_some());
    }
}
