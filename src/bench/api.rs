//! `bench --api`: what the API's clients wait for while cycles run, and what they cost the cycles.

use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::Serialize;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::client::answer;
use super::cycle::{FIRST_PERIOD, SEED};
use super::process::memory_mb;
use super::viewers::{Seen, Viewers};
use crate::api::jobs::Jobs;
use crate::api::server;
use crate::api::yields::Strategies;
use crate::clock::Clock;
use crate::config::Config;
use crate::devnet::World;
use crate::job::Agent;
use crate::job::overview::Overview;
use crate::job::yields::day_of;
use crate::node::{begun, parts, serving, yields};
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
use veriregime_core::types::time::format_day;
use veriregime_core::types::venue::Venue;
use veriregime_core::yields::{Kind, Strategy};

/// Requests a second.
const RATE: u32 = 2_000;
/// Forecasts of yields that are asked for a second, in a round of their own.
const PREDICT_RATE: u32 = 200;
/// Connections that requests come over, each with its own beat.
const CONNECTIONS: u32 = 32;
/// Seconds from a period's start to its cycle.
const DELAY_SECONDS: i64 = 15;
/// Between two looks for the mined transaction: short, so that what is measured is work and not waiting.
const POLL: Duration = Duration::from_millis(20);
/// Days of the strategies' tables.
const HISTORY_DAYS: i32 = 120;
/// People who look at the dashboard, in a round of their own.
const VIEWERS: usize = 50;
/// Rounds of cycles without and with them, in turn, so that what else the machine does falls on both.
const ROUNDS: u32 = 2;

/// What came out.
#[derive(Debug, Serialize)]
pub struct Figures {
    #[serde(flatten)]
    all: Waits,
    cycle_ms_p50_alone: f64,
    cycle_ms_p50_under_load: f64,
    prove_ms_p50_alone: f64,
    prove_ms_p50_under_load: f64,
    predict: Waits,
    viewers: WithViewers,
    load_average: String,
}

/// What people who look at the dashboard cost.
#[derive(Debug, Serialize)]
struct WithViewers {
    viewers: usize,
    #[serde(flatten)]
    seen: Seen,
    cycle_ms_p50_without: f64,
    cycle_ms_p50_with: f64,
    /// Of the whole process, the viewers themselves included.
    memory_mb_without: f64,
    memory_mb_with: f64,
}

/// What clients waited for.
#[derive(Debug, Serialize)]
struct Waits {
    requests: usize,
    requests_per_second: f64,
    refused_or_failed: usize,
    request_ms_p50: f64,
    request_ms_p99: f64,
    request_ms_max: f64,
}

impl Waits {
    fn new((answers, took): &(Vec<Answer>, Duration)) -> Self {
        let waited: Vec<f64> = answers.iter().map(|answer| answer.waited_ms).collect();
        Self {
            requests: answers.len(),
            requests_per_second: answers.len() as f64 / took.as_secs_f64(),
            refused_or_failed: answers.iter().filter(|answer| !answer.is_good).count(),
            request_ms_p50: quantile(&waited, 0.5),
            request_ms_p99: quantile(&waited, 0.99),
            request_ms_max: quantile(&waited, 1.0),
        }
    }

    /// As rows of a table, of requests of that name.
    fn rows(&self, name: &str, table: &mut Table) {
        table.add_row([name.into(), format!("{}, {:.0} a second", self.requests, self.requests_per_second)]);
        table.add_row(["not answered with 200".into(), self.refused_or_failed.to_string()]);
        let waits = [self.request_ms_p50, self.request_ms_p99, self.request_ms_max].map(|ms| format!("{ms:.1}"));
        table.add_row(["request, p50 / p99 / max".into(), format!("{} ms", waits.join(" / "))]);
    }
}

impl Render for Figures {
    fn text(&self) -> String {
        let mut table = Table::new(&["figure", "value"]);
        let both = |alone: f64, loaded: f64| format!("{alone:.1} / {loaded:.1} ms ({:.2} times)", loaded / alone);
        self.all.rows("requests", &mut table);
        self.predict.rows("forecasts of yields", &mut table);
        table.add_row([
            "cycle alone / under load, p50".into(),
            both(self.cycle_ms_p50_alone, self.cycle_ms_p50_under_load),
        ]);
        table.add_row([
            "proof alone / under load, p50".into(),
            both(self.prove_ms_p50_alone, self.prove_ms_p50_under_load),
        ]);
        let WithViewers { viewers, cycle_ms_p50_without, cycle_ms_p50_with, memory_mb_without, memory_mb_with, seen } =
            &self.viewers;
        table.add_row([
            format!("cycle without / with {viewers} viewers, p50"),
            both(*cycle_ms_p50_without, *cycle_ms_p50_with),
        ]);
        let more = memory_mb_with - memory_mb_without;
        table.add_row([
            "memory without / with them, theirs included".into(),
            format!("{memory_mb_without:.1} / {memory_mb_with:.1} MB ({more:+.1})"),
        ]);
        table.add_row(["they saw and asked".into(), seen.to_string()]);
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
    let strategies = strategies(&mut config, scratch.path(), &clock).await?;
    let mut agent = parts::agent(&config, clock, Store::open(&config.state_path)?).await?;

    let (reports, health) = watch::channel(None);
    let (overview, _progress) = Overview::new(vec![begun(&config, Some(agent.job()))]);
    let name = agent.bundle.manifest.model_id.clone();
    let shared = Arc::new(serving::api(
        &config,
        Jobs::new(overview.clone()),
        Some(strategies),
        metrics::install(stop.clone())?,
        watch::channel(Arc::default()).1,
    ));
    shared.jobs.open(&name, serving::served_job(&config, &agent, health, &Beside::open(&config.state_path)?)?);
    tokio::spawn({
        let (shared, changes, stop) = (shared.clone(), agent.store.follow(), stop.clone());
        async move { shared.events.follow_stages(changes, overview, stop).await }
    });
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
    let (under_load, load) = loaded(&world, &mut agent, &mut period, runs, address, ALL).await?;
    let (_, predicting) = loaded(&world, &mut agent, &mut period, runs, address, PREDICT).await?;
    let viewers = viewed(&world, &mut agent, &mut period, runs, address).await?;
    stop.cancel();
    agent.prover.stop().await;
    served.await?;
    Ok(Figures {
        all: Waits::new(&load),
        cycle_ms_p50_alone: p50(&alone, |cycle| cycle.whole_ms),
        cycle_ms_p50_under_load: p50(&under_load, |cycle| cycle.whole_ms),
        prove_ms_p50_alone: p50(&alone, |cycle| cycle.prove_ms),
        prove_ms_p50_under_load: p50(&under_load, |cycle| cycle.prove_ms),
        predict: Waits::new(&predicting),
        viewers,
        load_average: veriregime_files::read_text(Path::new("/proc/loadavg"), 256)
            .unwrap_or_default()
            .trim()
            .to_owned(),
    })
}

/// The three strategies of the document's request, forecast on the day of the first period from tables that are made up.
async fn strategies(config: &mut Config, scratch: &Path, clock: &Clock) -> anyhow::Result<Strategies> {
    let folder = scratch.join("yields");
    veriregime_files::create_folder(&folder)?;
    let today = day_of(clock.now_ms());
    for (kind, pools) in [(Kind::Lending, &["aave", "lido"][..]), (Kind::Delta, &["delta"])] {
        let mut text = String::from("date,pool,apy\n");
        for (place, pool) in pools.iter().enumerate() {
            for day in today - HISTORY_DAYS..today {
                let apy = 4.0 + place as f64 + f64::from(day % 7) * 0.1;
                let _written = writeln!(text, "{},{pool},{apy}", format_day(day));
            }
            let strategy = Strategy { name: (*pool).to_owned(), kind, pool: (*pool).to_owned() };
            config.yields.strategies.push(strategy);
        }
        veriregime_files::write_atomic(&folder.join(format!("yields_{}.csv", kind.name())), text.as_bytes())?;
    }
    (config.yields.dir, config.yields.pools, config.yields.funding) = (folder, None, None);
    let service = Arc::new(yields::service(config).await?);
    service.refresh(clock.now_ms()).await?;
    // Cycles go on for weeks; the tables end on the first day.
    Ok(Strategies::new(service, Clock::manual(clock.now_ms())))
}

/// What clients ask for, and how often a second.
#[derive(Debug, Clone, Copy)]
struct Load {
    rate: u32,
    requests: &'static [&'static str],
}

const ALL: Load = Load {
    rate: RATE,
    requests: &[
        "GET /v1/periods HTTP/1.1\r\nHost: bench\r\n\r\n",
        "GET /v1/model HTTP/1.1\r\nHost: bench\r\n\r\n",
        "GET /readyz HTTP/1.1\r\nHost: bench\r\n\r\n",
        "GET /v1/params/BTC-USD HTTP/1.1\r\nHost: bench\r\n\r\n",
        "GET /livez HTTP/1.1\r\nHost: bench\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost: bench\r\n\r\n",
    ],
};
const PREDICT: Load = Load {
    rate: PREDICT_RATE,
    requests: &[
        "POST /predict HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: 55\r\n\r\n\
        {\"strategies\":[\"aave\",\"lido\",\"delta\"],\"horizon_days\":7}",
    ],
};

/// Cycles while clients ask, and what these waited for.
async fn loaded(
    world: &World,
    agent: &mut Agent,
    period: &mut PeriodId,
    runs: u32,
    address: SocketAddr,
    load: Load,
) -> anyhow::Result<(Vec<Cycle>, (Vec<Answer>, Duration))> {
    let loading = CancellationToken::new();
    let asking = std::thread::spawn({
        let loading = loading.clone();
        move || clients(address, load, &loading)
    });
    let cycles = cycles(world, agent, period, runs).await;
    loading.cancel();
    let asked = tokio::task::spawn_blocking(move || asking.join()).await?;
    Ok((cycles?, asked.map_err(|_| anyhow::anyhow!("the clients broke off"))??))
}

/// Cycles without viewers and with them, in turn.
async fn viewed(
    world: &World,
    agent: &mut Agent,
    period: &mut PeriodId,
    runs: u32,
    address: SocketAddr,
) -> anyhow::Result<WithViewers> {
    let (mut without, mut with, mut seen) = (Vec::new(), Vec::new(), Seen::default());
    let memory = || memory_mb(std::process::id(), "VmRSS:");
    let (mut memory_mb_without, mut memory_mb_with) = (None, 0.0_f64);
    for _ in 0..ROUNDS {
        without.extend(cycles(world, agent, period, runs.div_ceil(ROUNDS)).await?);
        // Before the first of them came: what was taken once is not given back at once.
        let alone = memory()?;
        memory_mb_without.get_or_insert(alone);
        let viewers = Viewers::start(address, VIEWERS).await?;
        with.extend(cycles(world, agent, period, runs.div_ceil(ROUNDS)).await?);
        memory_mb_with = memory()?.max(memory_mb_with);
        seen.add(viewers.end().await?);
    }
    Ok(WithViewers {
        viewers: VIEWERS,
        seen,
        cycle_ms_p50_without: p50(&without, |cycle| cycle.whole_ms),
        cycle_ms_p50_with: p50(&with, |cycle| cycle.whole_ms),
        memory_mb_without: memory_mb_without.unwrap_or_default(),
        memory_mb_with,
    })
}

fn p50(cycles: &[Cycle], of: fn(&Cycle) -> f64) -> f64 {
    quantile(&cycles.iter().map(of).collect::<Vec<_>>(), 0.5)
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
fn clients(address: SocketAddr, load: Load, stop: &CancellationToken) -> anyhow::Result<(Vec<Answer>, Duration)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (started, beat) = (Instant::now(), Duration::from_secs(1) * CONNECTIONS / load.rate);
        let offset = |number: u32| beat * number / CONNECTIONS;
        let one = |number: u32| client(address, load.requests, started + offset(number), beat, stop.clone());
        let all: Vec<_> = (0..CONNECTIONS).map(|number| tokio::spawn(one(number))).collect();
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
    requests: &[&str],
    first: Instant,
    beat: Duration,
    stop: CancellationToken,
) -> anyhow::Result<Vec<Answer>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut answers, mut due, mut buffer) = (Vec::new(), first, Vec::new());
    for request in requests.iter().cycle() {
        tokio::time::sleep_until(due.into()).await;
        if stop.is_cancelled() {
            break;
        }
        stream.write_all(request.as_bytes()).await?;
        let is_good = answer(&mut stream, &mut buffer).await?;
        answers.push(Answer { waited_ms: due.elapsed().as_secs_f64() * 1e3, is_good });
        due += beat;
    }
    Ok(answers)
}
