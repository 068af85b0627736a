//! What tests of vaults' and feeds' jobs do alike: work cycles, see what keeps one, follow a contract.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use veriregime_agent::audit::compare::Verdict;
use veriregime_agent::audit::follow_market;
use veriregime_agent::audit::market::MarketAuditor;
use veriregime_agent::audit::watch::Notice;
use veriregime_agent::clock::Clock;
use veriregime_agent::config::Config;
use veriregime_agent::job::Agent;
use veriregime_agent::render::Render;
use veriregime_core::types::cycle::CycleRecord;
use veriregime_core::types::period::PeriodId;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

/// Longest wait for a condition.
const PATIENCE: Duration = Duration::from_mins(1);

/// Waits until something holds.
pub async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let waited = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waited).await.is_ok(), "{what}");
}

/// Works a period to its end.
pub async fn run(agent: &mut Agent, period: PeriodId, stop: &CancellationToken) -> CycleRecord {
    let record = tokio::time::timeout(PATIENCE, agent.run(period, stop)).await;
    record.expect("the cycle ends").unwrap()
}

/// Why a job does not get on, as it notes once it has tried.
pub async fn kept_by(agent: &mut Agent, period: PeriodId, stop: &CancellationToken) -> String {
    let (store, job) = (agent.store.clone(), agent.job());
    // What an earlier try has noted says nothing of this one.
    if let Some(earlier) = store.cycle(job, period).unwrap() {
        store.note_retrying(&CycleRecord { retrying: None, ..earlier }).unwrap();
    }
    let noted = async {
        loop {
            let record = store.cycle(job, period).unwrap();
            if let Some(retrying) = record.and_then(|record| record.retrying) {
                return retrying.code;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let tried = async {
        tokio::select! {
            ended = agent.run(period, stop) => unreachable!("{ended:?}"),
            code = noted => code,
        }
    };
    tokio::time::timeout(2 * PATIENCE, tried).await.expect("it tries")
}

/// A webhook that takes everything, and settings that name it.
pub async fn with_webhook(config: &Config, scratch: &Path) -> (MockServer, Config) {
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let hook = scratch.join("hook");
    veriregime_files::write_private(&hook, server.uri().as_bytes()).unwrap();
    let mut config = config.clone();
    config.alerts.webhook_file = Some(hook);
    config.schedule.recheck = Duration::from_millis(20);
    (server, config)
}

/// Who follows a contract.
pub struct Follower {
    /// What was told, for programs and for people.
    seen: Arc<Mutex<Vec<(Value, String)>>>,
    webhook: MockServer,
    watcher: JoinHandle<Verdict>,
    stop: CancellationToken,
}

impl Follower {
    /// From now on.
    pub fn start<A>(auditor: A, webhook: MockServer, clock: &Clock) -> Self
    where
        A: MarketAuditor + Send + 'static,
    {
        let (seen, stop): (Arc<Mutex<Vec<_>>>, _) = (Arc::default(), CancellationToken::new());
        let (heard, clock, stopped) = (seen.clone(), clock.clone(), stop.clone());
        let watcher = tokio::spawn(async move {
            let mut say = move |notice: &Notice<'_>| {
                heard.lock().unwrap().push((json!(notice), notice.text()));
                true
            };
            follow_market::run(&auditor, &clock, &mut say, &stopped).await.unwrap()
        });
        Self { seen, webhook, watcher, stop }
    }

    /// Verdicts of what was audited, oldest first.
    pub fn verdicts(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter_map(|(told, _)| told["verdict"].as_str().map(str::to_owned)).collect()
    }

    /// Lines that hold some words.
    pub fn lines(&self, words: &str) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.iter().map(|(_, line)| line.clone()).filter(|line| line.contains(words)).collect()
    }

    /// What the webhook was told.
    pub async fn told(&self) -> Vec<Value> {
        let requests = self.webhook.received_requests().await.unwrap();
        requests.iter().map(|request| request.body_json().unwrap()).collect()
    }

    /// Ends it: the worst verdict.
    pub async fn end(self) -> Verdict {
        self.stop.cancel();
        self.watcher.await.unwrap()
    }
}

/// Where a daemon's API listens, once its log says so.
pub fn api_address(log: &Path) -> Option<String> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.find(|line| line["message"] == "api listening").map(|line| line["address"].as_str().unwrap().to_owned())
}
