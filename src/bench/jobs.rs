//! What nodes with many jobs need: each a daemon of its own, on a chain and an exchange of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::Serialize;
use serde_json::json;
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::process::{MAX_STATUS_BYTES, memory_mb};
use crate::clock::Clock;
use crate::config::Config;
use crate::config::text::toml;
use crate::devnet::World;
use crate::devnet::fleet::{self, FleetMarket};
use crate::render::Render;
use crate::render::layout::Table;
use crate::sources::candles::market::{Market, Markets};
use crate::sources::candles::serve;
use crate::state::reader::Reader;
use veriregime_core::types::manifest::TRAINED_ON;
use veriregime_core::types::period::PeriodId;

/// The first period, 2026-01-05 00:00 UTC: every candle of it is fetched for the first time.
const FIRST_PERIOD: PeriodId = PeriodId(122_748);
/// From the chain's first block to that period: deploying takes a second of the chain's time for each block.
const SETUP_SECONDS: i64 = 7_200;
/// Periods after it that are measured: each fetches what is new.
const MEASURED_PERIODS: u64 = 3;
/// Seconds from a period's start to its cycles, as by default.
const DELAY_SECONDS: i64 = 15;
/// Between two blocks of the chain, in seconds.
const BLOCK_SECONDS: u64 = 2;
/// Longest wait for all updates of a period.
const PATIENCE: Duration = Duration::from_mins(10);
/// Between two looks at the chain.
const POLL: Duration = Duration::from_millis(200);
/// After the last update, until the daemon's memory is that of one that waits.
const SETTLE: Duration = Duration::from_secs(3);
const PERIODS_PER_YEAR: f64 = PeriodId::PER_DAY as f64 * 365.25;

/// What a node with so many jobs needed. Each job has a market and a model of its own; all share circuit, wallet, contract
/// and exchange.
#[derive(Debug, Clone, Serialize)]
pub struct JobsFigures {
    /// Jobs of the node.
    pub jobs: usize,
    /// Updates that landed in the worst of the measured periods.
    pub landed: usize,
    /// From a period's start until its last update was mined, in seconds: the worst of the measured periods.
    pub last_landed_s: f64,
    /// The same for the first period, with four weeks of candles to fetch for each market.
    pub cold_last_landed_s: f64,
    /// Resident memory of the waiting daemon, in MB; without the prover's process.
    pub rss_mb: f64,
    /// Its largest so far.
    pub peak_rss_mb: f64,
    /// What the database keeps of a year of cycles at the pace of the measured periods, in MB; proofs and candles are not kept.
    pub database_mb_per_year: f64,
    /// Requests for candles to the one exchange in a measured period.
    pub requests: u64,
    /// Processor time of the daemon in a measured period, in seconds; without the prover's.
    pub processor_s: f64,
    /// Time that it took to put the models on the contract, in seconds.
    pub deploy_s: f64,
}

/// How far a measurement is.
#[derive(Debug, Clone, Copy)]
pub enum Progress {
    /// So many models are on the contract.
    Deployed { done: usize, jobs: usize },
    /// So many updates of a period have landed.
    Landed { done: usize, jobs: usize, period: u64, periods: u64 },
}

/// What nodes of several sizes needed.
#[derive(Debug, Default, Serialize)]
pub struct JobsReport {
    pub jobs: Vec<JobsFigures>,
}

impl Render for JobsReport {
    fn text(&self) -> String {
        let mut table = Table::new(&[
            "jobs",
            "landed",
            "last landed",
            "first period",
            "memory",
            "at most",
            "database\na year",
            "requests\na period",
            "processor\na period",
            "deployed in",
        ]);
        for one in &self.jobs {
            table.add_row([
                one.jobs.to_string(),
                one.landed.to_string(),
                format!("{:.1} s", one.last_landed_s),
                format!("{:.1} s", one.cold_last_landed_s),
                format!("{:.0} MB", one.rss_mb),
                format!("{:.0} MB", one.peak_rss_mb),
                format!("{:.0} MB", one.database_mb_per_year),
                one.requests.to_string(),
                format!("{:.1} s", one.processor_s),
                format!("{:.0} s", one.deploy_s),
            ]);
        }
        table.to_string()
    }
}

impl JobsReport {
    /// What is drawn of it: names of the figures, and each over the number of jobs.
    pub fn curves(&self) -> Vec<(&'static str, Vec<(f64, f64)>)> {
        let curve = |of: fn(&JobsFigures) -> f64| self.jobs.iter().map(|one| (one.jobs as f64, of(one))).collect();
        vec![
            ("last update landed, seconds after the period's start", curve(|one| one.last_landed_s)),
            ("memory of the waiting daemon, MB", curve(|one| one.rss_mb)),
            ("growth of the database, MB a year", curve(|one| one.database_mb_per_year)),
            ("requests for candles to the exchange in a period", curve(|one| one.requests as f64)),
        ]
    }
}

/// Measures a node of each size, one after another, and tells how far it is. Whatever it starts ends with it, also where it is
/// dropped before its end.
///
/// # Errors
/// What keeps chain or daemon from starting, or an update from landing.
pub async fn measure(
    config: &Config,
    anvil: Option<&Path>,
    sizes: &[u32],
    show: impl Fn(Progress),
) -> anyhow::Result<JobsReport> {
    let mut report = JobsReport::default();
    for &jobs in sizes {
        report.jobs.push(measure_one(config.clone(), anvil, jobs as usize, &show).await?);
    }
    Ok(report)
}

async fn measure_one(
    mut config: Config,
    anvil: Option<&Path>,
    jobs: usize,
    show: &impl Fn(Progress),
) -> anyhow::Result<JobsFigures> {
    let (scratch, stop) = (tempfile::tempdir().context("no scratch folder")?, CancellationToken::new());
    let _stop = stop.clone().drop_guard();
    let clock = Clock::manual(FIRST_PERIOD.start_ms());
    let listener = serve::listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    let exchange_url = format!("http://{}", listener.local_addr()?);
    let world = World::start(&mut config, scratch.path(), anvil, FIRST_PERIOD.start_seconds() - SETUP_SECONDS).await?;
    let deploying = Instant::now();
    show(Progress::Deployed { done: 0, jobs });
    let deployed = |done| show(Progress::Deployed { done, jobs });
    let fleet = fleet::markets(&world, &config, &scratch.path().join("models"), jobs, deployed).await?;
    let deploy_s = deploying.elapsed().as_secs_f64();
    let requests = Arc::new(AtomicU64::new(0));
    let markets: Markets =
        fleet.iter().zip(0..).map(|(market, seed)| Market::simulated(&market.symbol, seed)).collect();
    tokio::spawn(serve::serve_counted(TRAINED_ON, markets, clock.clone(), listener, requests.clone(), stop.clone()));
    // The delay of the schedule is waited for in real time, as on a real chain.
    let _ticking = AbortOnDropHandle::new(tokio::spawn(serve::run_clock(clock.clone(), 1.0)));
    let mut node = Node {
        settings: scratch.path().join("agent.toml"),
        database: scratch.path().join("agent.sqlite"),
        log: scratch.path().join("log"),
        daemon: None,
    };
    let text = settings(&config, &fleet, &exchange_url, &node.database, scratch.path());
    veriregime_files::write_atomic(&node.settings, text.as_bytes())?;
    world.anvil.request("evm_setAutomine", json!([false])).await?;
    world.anvil.request("evm_setIntervalMining", json!([BLOCK_SECONDS])).await?;
    node.start()?;

    let run = Run { world: &world, clock: &clock, jobs, show };
    let (cold_last_landed_s, _) = run.period(FIRST_PERIOD, &mut node).await?;
    tokio::time::sleep(SETTLE).await;
    let (before_bytes, before_requests) =
        (Reader::open(&node.database)?.lasting_bytes()?, requests.load(Ordering::Relaxed));
    let before_processor_s = node.processor_s()?;
    let (mut last_landed_s, mut landed) = (0_f64, jobs);
    for index in 1..=MEASURED_PERIODS {
        let (seconds, count) = run.period(PeriodId(FIRST_PERIOD.0 + index), &mut node).await?;
        (last_landed_s, landed) = (last_landed_s.max(seconds), landed.min(count));
    }
    tokio::time::sleep(SETTLE).await;
    let grown_bytes = Reader::open(&node.database)?.lasting_bytes()?.saturating_sub(before_bytes) as f64;
    let periods = MEASURED_PERIODS as f64;
    let figures = JobsFigures {
        jobs,
        landed,
        last_landed_s,
        cold_last_landed_s,
        rss_mb: node.memory_mb("VmRSS:")?,
        peak_rss_mb: node.memory_mb("VmHWM:")?,
        database_mb_per_year: grown_bytes / periods * PERIODS_PER_YEAR / 1e6,
        requests: (requests.load(Ordering::Relaxed) - before_requests) / MEASURED_PERIODS,
        processor_s: (node.processor_s()? - before_processor_s) / periods,
        deploy_s,
    };
    node.stop().await;
    Ok(figures)
}

struct Run<'a, S> {
    world: &'a World,
    clock: &'a Clock,
    jobs: usize,
    show: &'a S,
}

impl<S: Fn(Progress)> Run<'_, S> {
    /// Lets a period begin and the time pass, until its updates have landed. Seconds from its start, and how many landed.
    async fn period(&self, period: PeriodId, node: &mut Node) -> anyhow::Result<(f64, usize)> {
        self.world.anvil.set_time(period.start_seconds()).await?;
        self.clock.set_ms(period.start_ms());
        let (started, number) = (Instant::now(), period.0 - FIRST_PERIOD.0 + 1);
        loop {
            let landed = fleet::landed(self.world, period).await?;
            (self.show)(Progress::Landed {
                done: landed,
                jobs: self.jobs,
                period: number,
                periods: MEASURED_PERIODS + 1,
            });
            if landed >= self.jobs {
                return Ok((started.elapsed().as_secs_f64(), landed));
            }
            node.is_running()?;
            if started.elapsed() > PATIENCE {
                let log = node.end_of_log();
                anyhow::bail!("{landed} of {} updates of period {period} landed in {PATIENCE:?}\n{log}", self.jobs);
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

/// The daemon, and where it keeps what.
struct Node {
    settings: PathBuf,
    database: PathBuf,
    log: PathBuf,
    daemon: Option<Child>,
}

impl Node {
    fn start(&mut self) -> anyhow::Result<()> {
        let program = std::env::current_exe().context("the program does not know where it is")?;
        let log = veriregime_files::create(&self.log)?;
        let daemon = Command::new(program)
            .arg("--config")
            .arg(&self.settings)
            .arg("daemon")
            // What it leaves behind when it is killed goes with the rest.
            .env("TMPDIR", self.settings.parent().unwrap_or(Path::new(".")))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .context("the daemon does not start")?;
        self.daemon = Some(daemon);
        Ok(())
    }

    fn process(&self) -> anyhow::Result<u32> {
        self.daemon.as_ref().and_then(Child::id).with_context(|| format!("the daemon ended\n{}", self.end_of_log()))
    }

    fn is_running(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.daemon.as_mut().and_then(|daemon| daemon.try_wait().ok().flatten()) {
            anyhow::bail!("the daemon ended: {status}\n{}", self.end_of_log());
        }
        Ok(())
    }

    /// A line of the process's status, in MB.
    fn memory_mb(&self, name: &str) -> anyhow::Result<f64> {
        memory_mb(self.process()?, name)
    }

    /// Seconds that the process has spent on a processor.
    fn processor_s(&self) -> anyhow::Result<f64> {
        let path = PathBuf::from(format!("/proc/{}/stat", self.process()?));
        let text = veriregime_files::read_text(&path, MAX_STATUS_BYTES)?;
        // Behind the name, which may hold anything: fields 14 and 15 of proc(5), in hundredths of a second.
        let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |index: usize| -> anyhow::Result<f64> { Ok(fields.get(index).context("a short line")?.parse()?) };
        Ok((ticks(11)? + ticks(12)?) / 100.0)
    }

    fn end_of_log(&self) -> String {
        let text = veriregime_files::read_text(&self.log, 1 << 26).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(10)..].join("\n")
    }

    async fn stop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            // It is ended in any case; nothing is left to do about one that cannot be.
            let _ = daemon.kill().await;
        }
    }
}

/// The settings of a node with a job for each market.
fn settings(config: &Config, fleet: &[FleetMarket], exchange_url: &str, database: &Path, scratch: &Path) -> String {
    let job = |market: &FleetMarket| json!({"name": market.name.to_lowercase(), "bundle": market.bundle});
    toml(&json!({
        "candles": {"base_url": exchange_url, "weight_per_minute": 1_000_000},
        "prover": {"kind": config.prover.kind, "python": config.prover.python, "srs_dir": config.prover.srs_dir},
        "chain": {"rpc_url": config.chain.rpc_url().as_str(), "oracle": config.chain.oracle},
        "signer": {"kind": "file", "file": scratch.join("node.key")},
        "schedule": {"clock": "exchange", "delay_seconds": DELAY_SECONDS},
        "state": {"path": database},
        "evidence": {"dir": scratch.join("evidence")},
        "log": {"level": "warn"},
        "jobs": fleet.iter().map(job).collect::<Vec<_>>(),
    }))
}
