//! `bench --api`: what the API's clients wait for while cycles run, and what they cost the cycles.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::cycle::{FIRST_PERIOD, SEED};
use crate::api::jobs::Jobs;
use crate::api::server;
use crate::clock::Clock;
use crate::config::Config;
use crate::devnet::World;
use crate::job::Agent;
use crate::job::overview::Overview;
use crate::node::{begun, parts, serving};
use crate::render::Render;
use crate::render::layout::Table;
use crate::sources::candles::market::Market;
use crate::sources::candles::serve;
use crate::state::Store;
use crate::state::beside::Beside;
use crate::telemetry::metrics;
use veriregime_core::quantile::quantile;
use veriregime_core::types::cycle::Stage;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::venue::Venue;

/// Requests a second.
const RATE: u32 = 2_000;
/// Connections that they come over, each with its own beat.
const CONNECTIONS: u32 = 32;
/// Seconds from a period's start to its cycle.
const DELAY_SECONDS: i64 = 15;
/// Between two looks for the mined transaction: short, so that what is measured is work and not waiting.
const POLL: Duration = Duration::from_millis(20);
/// Largest head or body of an answer.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// What came out.
#[derive(Debug, Serialize)]
pub struct Figures {
    requests: usize,
    requests_per_second: f64,
    refused_or_failed: usize,
    request_ms_p50: f64,
    request_ms_p99: f64,
    request_ms_max: f64,
    cycle_ms_p50_alone: f64,
    cycle_ms_p50_under_load: f64,
    prove_ms_p50_alone: f64,
    prove_ms_p50_under_load: f64,
    load_average: String,
}

impl Render for Figures {
    fn text(&self) -> String {
        let mut table = Table::new(&["figure", "value"]);
        let both = |alone: f64, loaded: f64| format!("{alone:.1} / {loaded:.1} ms ({:.2} times)", loaded / alone);
        table.add_row(["requests".into(), format!("{}, {:.0} a second", self.requests, self.requests_per_second)]);
        table.add_row(["not answered with 200".into(), self.refused_or_failed.to_string()]);
        let waits = [self.request_ms_p50, self.request_ms_p99, self.request_ms_max].map(|ms| format!("{ms:.1}"));
        table.add_row(["request, p50 / p99 / max".into(), format!("{} ms", waits.join(" / "))]);
        table.add_row([
            "cycle alone / under load, p50".into(),
            both(self.cycle_ms_p50_alone, self.cycle_ms_p50_under_load),
        ]);
        table.add_row([
            "proof alone / under load, p50".into(),
            both(self.prove_ms_p50_alone, self.prove_ms_p50_under_load),
        ]);
        table.add_row(["load average of the machine".into(), self.load_average.clone()]);
        table.to_string()
    }
}

/// Measures `runs` cycles alone and as many under load.
///
/// # Errors
/// Whatever a cycle can run into.
pub async fn measure(mut config: Config, anvil: Option<&Path>, runs: u32) -> anyhow::Result<Figures> {
    let (scratch, stop) = (tempfile::tempdir().context("no scratch folder")?, CancellationToken::new());
    let clock = Clock::manual(FIRST_PERIOD.start_ms());
    let listener = serve::listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    config.candles.only_from(format!("http://{}", listener.local_addr()?).parse()?);
    let market = Market::simulated("BTCUSDT", SEED);
    tokio::spawn(serve::serve(Venue::Binance, market, clock.clone(), listener, stop.clone()));
    let world = World::start(&mut config, scratch.path(), anvil, FIRST_PERIOD.start_seconds()).await?;
    config.state_path = scratch.path().join("agent.sqlite");
    config.chain.poll_interval = POLL;
    config.api.requests_per_second = RATE.saturating_mul(2).try_into()?;
    config.api.burst = config.api.requests_per_second;
    let mut agent = parts::agent(&config, clock, Store::open(&config.state_path)?).await?;

    let (reports, health) = watch::channel(None);
    let name = agent.bundle.manifest.model_id.clone();
    let shared = Arc::new(serving::api(
        &config,
        Jobs::new(Overview::new(vec![begun(&config, None)]).0),
        metrics::install(stop.clone())?,
    ));
    shared.jobs.open(&name, serving::served_job(&config, &agent, health, &Beside::open(&config.state_path)?)?);
    let listener = server::listen((Ipv4Addr::LOCALHOST, 0).into()).await?;
    let address = listener.local_addr()?;
    let served = tokio::task::spawn_blocking({
        let stop = stop.clone();
        move || server::serve_apart(listener, shared, stop)
    });
    tokio::spawn(serving::probe(&config, &agent).run(config.api.check_every, reports, stop.clone()));

    // The first cycle fetches four weeks of candles, the others what is new.
    let mut period = FIRST_PERIOD;
    cycles(&world, &mut agent, &mut period, 1).await?;
    let alone = cycles(&world, &mut agent, &mut period, runs).await?;
    let loading = CancellationToken::new();
    let load = std::thread::spawn({
        let loading = loading.clone();
        move || clients(address, &loading)
    });
    let under_load = cycles(&world, &mut agent, &mut period, runs).await;
    loading.cancel();
    let load = tokio::task::spawn_blocking(move || load.join()).await?;
    let (answers, took) = load.map_err(|_| anyhow::anyhow!("the clients broke off"))??;
    let under_load = under_load?;
    stop.cancel();
    agent.prover.stop().await;
    served.await?;
    let waited: Vec<f64> = answers.iter().map(|answer| answer.waited_ms).collect();
    let p50 = |cycles: &[Cycle], of: fn(&Cycle) -> f64| quantile(&cycles.iter().map(of).collect::<Vec<_>>(), 0.5);
    Ok(Figures {
        requests: answers.len(),
        requests_per_second: answers.len() as f64 / took.as_secs_f64(),
        refused_or_failed: answers.iter().filter(|answer| !answer.is_good).count(),
        request_ms_p50: quantile(&waited, 0.5),
        request_ms_p99: quantile(&waited, 0.99),
        request_ms_max: quantile(&waited, 1.0),
        cycle_ms_p50_alone: p50(&alone, |cycle| cycle.whole_ms),
        cycle_ms_p50_under_load: p50(&under_load, |cycle| cycle.whole_ms),
        prove_ms_p50_alone: p50(&alone, |cycle| cycle.prove_ms),
        prove_ms_p50_under_load: p50(&under_load, |cycle| cycle.prove_ms),
        load_average: veriregime_files::read_text(Path::new("/proc/loadavg"), 256)
            .unwrap_or_default()
            .trim()
            .to_owned(),
    })
}

struct Cycle {
    whole_ms: f64,
    prove_ms: f64,
}

async fn cycles(world: &World, agent: &mut Agent, period: &mut PeriodId, count: u32) -> anyhow::Result<Vec<Cycle>> {
    let mut done = Vec::new();
    for _ in 0..count {
        let seconds = period.start_seconds() + DELAY_SECONDS;
        world.anvil.set_time(seconds).await?;
        agent.clock.set_ms(seconds * 1000);
        let started = Instant::now();
        let record = agent.run(*period, &CancellationToken::new()).await?;
        let whole_ms = started.elapsed().as_secs_f64() * 1e3;
        anyhow::ensure!(record.stage == Stage::Confirmed, "period {period} ended as {:?}", record.miss);
        done.push(Cycle { whole_ms, prove_ms: record.prove_ms.unwrap_or_default() as f64 });
        *period = period.next();
    }
    Ok(done)
}

struct Answer {
    /// From the moment at which the request was due, whether it could be sent then or not.
    waited_ms: f64,
    is_good: bool,
}

/// All clients, on a thread of their own as if on another machine, though on the same cores.
fn clients(address: SocketAddr, stop: &CancellationToken) -> anyhow::Result<(Vec<Answer>, Duration)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (started, beat) = (Instant::now(), Duration::from_secs(1) * CONNECTIONS / RATE);
        let offset = |number: u32| beat * number / CONNECTIONS;
        let all =
            (0..CONNECTIONS).map(|number| tokio::spawn(client(address, started + offset(number), beat, stop.clone())));
        let all: Vec<_> = all.collect();
        let mut answers = Vec::new();
        for client in all {
            answers.extend(client.await??);
        }
        Ok((answers, started.elapsed()))
    })
}

/// Asks at every beat; late requests are sent as soon as the answer before is there, and count from their beat on.
async fn client(
    address: SocketAddr,
    first: Instant,
    beat: Duration,
    stop: CancellationToken,
) -> anyhow::Result<Vec<Answer>> {
    let paths = ["/v1/periods", "/v1/model", "/readyz", "/v1/params/BTC-USD", "/livez", "/metrics"];
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut answers, mut due, mut buffer) = (Vec::new(), first, Vec::new());
    for path in paths.iter().cycle() {
        tokio::time::sleep_until(due.into()).await;
        if stop.is_cancelled() {
            break;
        }
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n").as_bytes()).await?;
        let is_good = answer(&mut stream, &mut buffer).await?;
        answers.push(Answer { waited_ms: due.elapsed().as_secs_f64() * 1e3, is_good });
        due += beat;
    }
    Ok(answers)
}

/// Reads one answer with a length; whether its status is 200.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<bool> {
    buffer.clear();
    loop {
        anyhow::ensure!(stream.read_buf(buffer).await? > 0 && buffer.len() <= MAX_ANSWER_BYTES, "no whole answer");
        let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&buffer[..end])?.to_ascii_lowercase();
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length:")).context("an answer without length")?;
        if buffer.len() >= end + 4 + length.trim().parse::<usize>()? {
            return Ok(head.starts_with("http/1.1 200"));
        }
    }
}
