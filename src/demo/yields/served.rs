//! The API of the demo's jobs, served as a daemon serves it and asked over HTTP.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::api::jobs::Jobs;
use crate::api::server;
use crate::api::yields::Strategies;
use crate::clock::Clock;
use crate::config::Config;
use crate::http;
use crate::job::Agent;
use crate::job::overview::Overview;
use crate::job::yields::YieldService;
use crate::node::{begun, serving};
use crate::state::beside::Beside;
use crate::telemetry::metrics::Exposition;
use veriregime_core::yields::HORIZON_DAYS;

/// Longest wait for its answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Largest answer.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// The API, until the demo ends.
#[derive(Debug)]
pub(super) struct ServedApi {
    /// Where forecasts are asked for.
    pub(super) url: Url,
}

impl ServedApi {
    /// Serves these jobs and the strategies on a free port, until `stop` is cancelled.
    pub(super) async fn start(
        jobs: &[Config],
        agents: &[Agent],
        service: Arc<YieldService>,
        clock: Clock,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        let first = jobs.first().context("there are no jobs")?;
        let states = jobs.iter().map(|job| begun(job, None)).collect();
        let strategies = Strategies::new(service, clock);
        let overview = Jobs::new(Overview::new(states).0);
        let (_, no_alerts) = tokio::sync::watch::channel(Arc::default());
        let shared = Arc::new(serving::api(first, overview, Some(strategies), Exposition::apart(), no_alerts));
        let beside = Beside::open(&first.state_path)?;
        for (job, agent) in jobs.iter().zip(agents) {
            let (_, health) = tokio::sync::watch::channel(None);
            shared.jobs.open(&job.names.job, serving::served_job(job, agent, health, &beside)?);
        }
        let listener = server::listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let url = Url::parse(&format!("http://{}/predict", listener.local_addr()?))?;
        std::thread::spawn(move || server::serve_apart(listener, shared, stop));
        Ok(Self { url })
    }

    /// What it answers of strategies.
    pub(super) async fn predict(&self, names: &[&String]) -> anyhow::Result<Value> {
        let client = http::client(&self.url).timeout(PATIENCE).build()?;
        let asked = client.post(self.url.clone()).body(request(names).to_string());
        let answer = asked.send().await.context("the demo's own API does not answer")?;
        let status = answer.status();
        let body = http::body(answer, MAX_ANSWER_BYTES).await;
        let body = body.map_err(|_| anyhow::anyhow!("the demo's own API breaks its answer off"))?;
        anyhow::ensure!(status.is_success(), "the demo's own API says {status}: {}", String::from_utf8_lossy(&body));
        Ok(serde_json::from_slice(&body)?)
    }
}

/// The body that asks for the next week of strategies.
pub(super) fn request(names: &[&String]) -> Value {
    json!({"strategies": names, "horizon_days": HORIZON_DAYS})
}
