//! Many periods with faults thrown in at random while an honest path is always left: nothing is lost, nothing lands late
//! or twice, and memory does not grow.
//!
//! Short by default; `make chaos-long` sets `SOAK_PERIODS` for the long run and `SOAK_OUT` for its table and plots.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use ::veriregime_files;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use veriregime_agent::sources::candles::market::Market;
use veriregime_agent::state::Store;
use veriregime_core::types::cycle::Stage;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::venue::Venue;
use veriregime_training::plots::chart::{Chart, Colour, Line};

use crate::bad_exchange::{BadExchange, ExchangeFaultMode};
use crate::chaos::{daemon, kill_prover};
use crate::proxy::{Proxy, RpcFaultMode, SEND};
use crate::world::{FIRST, World, accepted, toml};

/// Longest time for one period, far beyond what any of the faults costs.
const PATIENCE: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_millis(10);
/// Faults last up to this long, from the period's start.
const LONGEST_FAULT_MS: u64 = 1_500;
/// Daemons are killed in this share of the first half's periods.
const KILLED: f64 = 0.1;
/// The chain drops the landed update in this share of the periods.
const REORGANISED: f64 = 0.05;
/// What the resident set may grow by between the first and the last quarter of the undisturbed half.
const GROWTH_KB: u64 = 16 << 10;

/// Medians of fewer samples are not compared.
const MIN_SAMPLES: usize = 20;

/// What a period was like.
struct Row {
    period: PeriodId,
    took: Duration,
    /// One sample for each look at the daemon.
    resident_kb: Vec<u64>,
    faults: String,
}

struct Soak {
    world: World,
    rpcs: [Proxy; 2],
    exchange: BadExchange,
    daemon: Child,
    settings: PathBuf,
    log: PathBuf,
    store: Store,
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_while_an_honest_path_is_left() {
    let number = |name: &str, default: u64| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (periods, seed) = (number("SOAK_PERIODS", 12), number("SOAK_SEED", 1));
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut soak = Soak::start().await;
    let mut rows = Vec::new();
    for index in 0..periods {
        let is_disturbed = index < periods / 2;
        rows.push(soak.live_through(PeriodId(FIRST.0 + index), is_disturbed, &mut random).await);
        if index % 50 == 49 {
            println!("soak: {} of {periods} periods", index + 1);
        }
    }
    if let Some(folder) = std::env::var_os("SOAK_OUT") {
        write_down(Path::new(&folder), &rows);
    }
    let lived: Vec<PeriodId> = rows.iter().map(|row| row.period).collect();
    assert_eq!(accepted(&soak.world.config).await, lived, "each period once, in order");
    // Looks at the times of all updates.
    soak.world.judge(PeriodId(FIRST.0 + periods - 1), 1).await;
    let calm = &rows[rows.len() / 2..];
    let quarter = (calm.len() / 4).max(1);
    let samples = |rows: &[Row]| rows.iter().flat_map(|row| row.resident_kb.clone()).collect::<Vec<_>>();
    let (early, late) = (samples(&calm[..quarter]), samples(&calm[calm.len() - quarter..]));
    let fewest = early.len().min(late.len());
    assert!(fewest >= MIN_SAMPLES, "{fewest} samples of the memory say nothing");
    let (early, late) = (median(&early), median(&late));
    println!(
        "soak: seed {seed}, {periods} periods landed once each, in their time; resident {early} kB, then {late} kB"
    );
    assert!(late <= early + GROWTH_KB, "memory grew from {early} to {late} kB");
}

impl Soak {
    async fn start() -> Self {
        let world = World::new().await;
        let anvil = &world.chain.anvil.rpc_url;
        let rpcs = [Proxy::start(anvil, RpcFaultMode::Fair).await, Proxy::start(anvil, RpcFaultMode::Fair).await];
        let exchange = BadExchange::start(Venue::Binance, Market::simulated("BTCUSDT", 13), world.clock.clone()).await;
        let mut settings = world.settings();
        let honest = settings["candles"]["base_url"].take();
        settings["candles"]["base_url"] = json!(exchange.url);
        settings["candles"]["fallbacks"] = json!(["honest"]);
        settings["candles"]["request_timeout_ms"] = json!(1_000);
        settings["chain"]["rpc_url"] = json!(rpcs.each_ref().map(|rpc| rpc.url.as_str()));
        settings["chain"]["request_timeout_ms"] = json!(1_000);
        let fallback = format!(
            "\n[candles.sources.honest]\nexchange = \"binance\"\nbase_url = {honest}\nsymbols = {{ \"BTC-USD\" = \"BTCUSDT\" }}\n"
        );
        let path = |name: &str| world.scratch.path().join(name);
        let (file, log) = (path("agent.toml"), path("log"));
        veriregime_files::write_atomic(&file, (toml(&settings) + &fallback).as_bytes()).unwrap();
        let store = Store::open(&path("agent.sqlite")).unwrap();
        world.enter(FIRST).await;
        let daemon = daemon(&file, &log);
        Self { world, rpcs, exchange, daemon, settings: file, log, store }
    }

    async fn request(&self, method: &'static str, params: Value) {
        self.world.chain.anvil.request(method, params).await.unwrap();
    }

    async fn live_through(&mut self, period: PeriodId, is_disturbed: bool, random: &mut ChaCha8Rng) -> Row {
        let mut faults = String::new();
        let mut note = |fault: &dyn std::fmt::Debug| write!(faults, "{fault:?}; ").unwrap();
        let bad = random.random_range(0..2);
        let mood = moods(random);
        let only = if random.random_bool(0.3) { Some(SEND) } else { None };
        self.rpcs[bad].set(mood, only);
        self.rpcs[1 - bad].set(RpcFaultMode::Fair, None);
        note(&mood);
        let mischief = mischiefs(random);
        note(&mischief);
        self.exchange.set(mischief);
        let mines_nothing = random.random_bool(0.1);
        if mines_nothing {
            note(&"no mining");
            self.request("evm_setAutomine", json!([false])).await;
        } else if random.random_bool(0.1) {
            note(&"base fee 50 gwei");
            self.request("anvil_setNextBlockBaseFeePerGas", json!(["0xba43b7400"])).await;
        }
        let mut snapshot = None;
        if random.random_bool(REORGANISED) {
            snapshot = Some(self.world.chain.anvil.request("evm_snapshot", json!([])).await.unwrap());
        }
        let mut kill_at = (is_disturbed && random.random_bool(KILLED)).then(|| random.random_range(0..900));
        let mut heal_at = Some(random.random_range(0..LONGEST_FAULT_MS));
        self.world.enter(period).await;
        let mut resident = Vec::new();
        let begun = Instant::now();
        let is_over = |at: &mut Option<u64>| at.take_if(|ms| begun.elapsed() >= Duration::from_millis(*ms)).is_some();
        loop {
            if is_over(&mut kill_at) {
                note(&"killed");
                if random.random_bool(0.5) {
                    kill_prover(self.daemon.id())
                } else {
                    self.daemon.kill().is_ok()
                };
            }
            if is_over(&mut heal_at) {
                self.exchange.set(ExchangeFaultMode::None);
                self.rpcs[bad].set(RpcFaultMode::Fair, None);
                self.request("evm_setAutomine", json!([true])).await;
                self.request("evm_mine", json!([])).await;
            }
            if self.daemon.try_wait().unwrap().is_some() {
                self.daemon = daemon(&self.settings, &self.log);
            }
            if kill_at.is_none() && heal_at.is_none() && self.has_landed(period).await {
                let Some(snapshot) = snapshot.take() else { break };
                note(&"reorganised");
                self.request("evm_revert", json!([snapshot])).await;
                self.world.enter(period).await;
            }
            let stored = self.store.cycle(self.world.job(), period).unwrap();
            assert!(
                begun.elapsed() < PATIENCE && stored.as_ref().is_none_or(|record| record.stage != Stage::Missed),
                "{period} is lost ({faults}): {stored:?}\n{}",
                std::fs::read_to_string(&self.log).unwrap()
            );
            resident.extend(resident_kb(self.daemon.id()));
            tokio::time::sleep(POLL).await;
        }
        Row { period, took: begun.elapsed(), resident_kb: resident, faults }
    }

    async fn has_landed(&self, period: PeriodId) -> bool {
        let record = self.store.cycle(self.world.job(), period).unwrap();
        record.is_some_and(|record| record.stage == Stage::Confirmed) && self.world.updates(period).await == 1
    }
}

impl Drop for Soak {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

fn moods(random: &mut ChaCha8Rng) -> RpcFaultMode {
    let moods = [
        RpcFaultMode::Fair,
        RpcFaultMode::Drop,
        RpcFaultMode::LoseAnswer,
        RpcFaultMode::Delay(Duration::from_millis(300)),
        RpcFaultMode::Delay(Duration::from_millis(1_500)),
        RpcFaultMode::Duplicate,
        RpcFaultMode::Status(503),
        RpcFaultMode::Status(429),
        RpcFaultMode::Garbage,
        RpcFaultMode::Truncate,
        RpcFaultMode::Huge,
        RpcFaultMode::Stale(1),
        RpcFaultMode::Chain(1),
    ];
    *moods.choose(random).unwrap()
}

fn mischiefs(random: &mut ChaCha8Rng) -> ExchangeFaultMode {
    let mischiefs = [
        ExchangeFaultMode::None,
        ExchangeFaultMode::None,
        ExchangeFaultMode::Status { status: 429, retry_after_seconds: Some(1), times: 1 },
        ExchangeFaultMode::Status { status: 429, retry_after_seconds: Some(3), times: 1_000 },
        ExchangeFaultMode::Status { status: 500, retry_after_seconds: None, times: 2 },
        ExchangeFaultMode::Truncated { times: 2 },
        ExchangeFaultMode::Dies { after_pages: 0 },
        ExchangeFaultMode::Duplicated,
        ExchangeFaultMode::Reversed,
        ExchangeFaultMode::OtherMinutes,
        ExchangeFaultMode::Garbage,
        ExchangeFaultMode::Negative,
        ExchangeFaultMode::Html,
        ExchangeFaultMode::Large,
    ];
    mischiefs.choose(random).unwrap().clone()
}

/// Resident set of a process; `None` where it has just ended.
fn resident_kb(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn median(values: &[u64]) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or(0)
}

/// A table of all periods, and plots of memory and time.
fn write_down(folder: &Path, rows: &[Row]) {
    veriregime_files::create_folder(folder).unwrap();
    let mut table = String::from("period,milliseconds,resident_kb,faults\n");
    for row in rows {
        writeln!(table, "{},{},{},\"{}\"", row.period, row.took.as_millis(), median(&row.resident_kb), row.faults)
            .unwrap();
    }
    veriregime_files::write_atomic(&folder.join("soak.csv"), table.as_bytes()).unwrap();
    let memory = rows.iter().map(|row| median(&row.resident_kb) as f64 / 1024.0).collect::<Vec<_>>();
    let seconds = rows.iter().map(|row| row.took.as_secs_f64()).collect::<Vec<_>>();
    plot(&folder.join("memory.svg"), "resident set of the daemon, MiB, by period", &memory);
    plot(&folder.join("time.svg"), "seconds from a period's start to its settled update", &seconds);
}

fn plot(path: &Path, title: &str, values: &[f64]) {
    let points = values.iter().copied().enumerate().map(|(period, value)| (period as f64, value));
    let line = Line {
        name: String::new(),
        colour: Colour::Blue,
        is_dashed: false,
        points: points.collect(),
        has_marks: false,
    };
    let chart = Chart {
        title: title.into(),
        labels: ["period".into(), String::new()],
        axes: [0.0..values.len() as f64, 0.0..values.iter().copied().fold(0.0, f64::max) * 1.1],
        formats: [|value| format!("{value:.0}"), |value| format!("{value:.1}")],
        lines: vec![line],
        shades: Vec::new(),
        has_diagonal: false,
    };
    veriregime_files::write_atomic(path, chart.to_svg().as_bytes()).unwrap();
}
