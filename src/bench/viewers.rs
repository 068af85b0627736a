//! People who look at the dashboard: each with a stream of events, and asking for what the page shows again when something happened.

use std::fmt;
use std::net::SocketAddr;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::client::answer;

/// Changes that come together are answered by one request of each: `TOGETHER_MS` of the page.
const TOGETHER: Duration = Duration::from_millis(250);
/// What the pages of a node and of a market ask for when a period got on.
const REQUESTS: [&str; 3] = [
    "GET /v1/overview HTTP/1.1\r\nHost: bench\r\n\r\n",
    "GET /v1/series?market=BTC-USD HTTP/1.1\r\nHost: bench\r\n\r\n",
    "GET /v1/score?market=BTC-USD HTTP/1.1\r\nHost: bench\r\n\r\n",
];
const LISTEN: &str = "GET /v1/events HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n\r\n";
/// Longest wait for all of them to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// What they saw.
#[derive(Debug, Default, Clone, Copy, Serialize)]
pub(super) struct Seen {
    events: usize,
    requests: usize,
    not_answered: usize,
}

impl Seen {
    /// Adds what others saw.
    pub(super) fn add(&mut self, other: Self) {
        self.events += other.events;
        self.requests += other.requests;
        self.not_answered += other.not_answered;
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} events, {} requests, {} not answered with 200", self.events, self.requests, self.not_answered)
    }
}

/// Viewers, on a thread of their own as if on another machine, though on the same cores.
#[derive(Debug)]
pub(super) struct Viewers {
    stop: CancellationToken,
    thread: JoinHandle<anyhow::Result<Seen>>,
}

impl Viewers {
    /// Has so many of them look, and waits until all of them listen.
    ///
    /// # Errors
    /// Streams that do not open.
    pub(super) async fn start(address: SocketAddr, count: usize) -> anyhow::Result<Self> {
        let (stop, (listening, mut listen)) = (CancellationToken::new(), tokio::sync::mpsc::channel(count));
        let thread = std::thread::spawn({
            let stop = stop.clone();
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                runtime.block_on(async {
                    let view = || tokio::spawn(view(address, listening.clone(), stop.clone()));
                    let all: Vec<_> = (0..count).map(|_| view()).collect();
                    let mut sum = Seen::default();
                    for viewer in all {
                        sum.add(viewer.await??);
                    }
                    Ok(sum)
                })
            }
        });
        for _ in 0..count {
            let one = tokio::time::timeout(PATIENCE, listen.recv()).await;
            one.context("a viewer's stream does not open")?.context("a viewer broke off")?;
        }
        Ok(Self { stop, thread })
    }

    /// Ends them, and says what they saw.
    ///
    /// # Errors
    /// A stream that broke off before.
    pub(super) async fn end(self) -> anyhow::Result<Seen> {
        self.stop.cancel();
        let thread = self.thread;
        let seen = tokio::task::spawn_blocking(move || thread.join()).await?;
        seen.map_err(|_| anyhow::anyhow!("the viewers broke off"))?
    }
}

/// One of them: listens, and asks some time after the first of several events.
async fn view(
    address: SocketAddr,
    listening: tokio::sync::mpsc::Sender<()>,
    stop: CancellationToken,
) -> anyhow::Result<Seen> {
    let (mut events, mut asking) = (TcpStream::connect(address).await?, TcpStream::connect(address).await?);
    events.write_all(LISTEN.as_bytes()).await?;
    let (mut seen, mut buffer, mut chunk) = (Seen::default(), Vec::new(), [0_u8; 4_096]);
    let mut due: Option<Instant> = None;
    let mut listening = Some(listening);
    loop {
        let wait = due.map_or(PATIENCE, |due| due.saturating_duration_since(Instant::now()));
        tokio::select! {
            () = stop.cancelled() => return Ok(seen),
            read = events.read(&mut chunk) => {
                let length = read?;
                anyhow::ensure!(length > 0, "the stream of events ended");
                if let Some(listening) = listening.take() {
                    listening.send(()).await?;
                }
                let count = changes(&chunk[..length]);
                seen.events += count;
                if count > 0 {
                    due.get_or_insert_with(|| Instant::now() + TOGETHER);
                }
            }
            () = tokio::time::sleep(wait), if due.is_some() => {
                due = None;
                for request in REQUESTS {
                    asking.write_all(request.as_bytes()).await?;
                    seen.requests += 1;
                    seen.not_answered += usize::from(!answer(&mut asking, &mut buffer).await?);
                }
            }
        }
    }
}

/// How many changes a piece of a stream tells of.
fn changes(chunk: &[u8]) -> usize {
    let text = String::from_utf8_lossy(chunk);
    ["event: period\n", "event: checks\n", "event: alerts\n"].iter().map(|name| text.matches(name).count()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_what_the_page_asks_again_for() {
        let told = b"event: hello\ndata: {}\n\nevent: period\ndata: {}\n\nevent: tick\ndata: {}\n\nevent: period\ndata: {}\n\n";
        assert_eq!(changes(told), 2);
        assert_eq!(changes(b""), 0);
    }
}
