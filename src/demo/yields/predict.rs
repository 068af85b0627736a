//! What the demo's API answers of strategies, asked over HTTP as anybody would.

use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};
use url::Url;

use crate::demo::dashboard::Dashboard;
use crate::http;
use veriregime_core::yields::HORIZON_DAYS;

/// Longest wait for its answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Largest answer.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// Where forecasts are asked for.
pub(super) fn url(dashboard: &Dashboard) -> anyhow::Result<Url> {
    Ok(Url::parse(&dashboard.url())?.join("predict")?)
}

/// What it answers of strategies.
pub(super) async fn ask(url: &Url, names: &[&String]) -> anyhow::Result<Value> {
    let client = http::client(url).timeout(PATIENCE).build()?;
    let asked = client.post(url.clone()).header("content-type", "application/json").body(request(names).to_string());
    let answer = asked.send().await.context("the demo's own API does not answer")?;
    let status = answer.status();
    let body = http::body(answer, MAX_ANSWER_BYTES).await;
    let body = body.map_err(|_| anyhow::anyhow!("the demo's own API breaks its answer off"))?;
    anyhow::ensure!(status.is_success(), "the demo's own API says {status}: {}", String::from_utf8_lossy(&body));
    Ok(serde_json::from_slice(&body)?)
}

/// The body that asks for the next week of strategies.
pub(super) fn request(names: &[&String]) -> Value {
    json!({"strategies": names, "horizon_days": HORIZON_DAYS})
}
