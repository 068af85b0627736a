//! Many periods of three jobs on two chains with faults thrown in at random while an honest path is always left: nothing is
//! lost, nothing lands late or twice, and neither memory nor open files nor the database grow as they should not.
//!
//! Short by default; `make chaos-long` sets `SOAK_PERIODS` for the long run and `SOAK_OUT` for its table and plots.

mod faults;
mod measure;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use veriregime_agent::node::assemble;
use veriregime_agent::sources::candles::market::Market;
use veriregime_agent::state::Store;
use veriregime_core::types::cycle::Stage;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::venue::Venue;

use crate::bad_exchange::{BadExchange, ExchangeFaultMode};
use crate::fleet::{Daemon, Fleet, FleetJob};
use crate::proxy::{Proxy, RpcFaultMode};
use crate::world::{DELAY_SECONDS, FIRST, accepted};
use faults::{ChainFaults, Faults};
use measure::{Row, Usage};

/// Longest time for one period, far beyond what any of the faults costs.
const PATIENCE: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_millis(10);
/// Lines of the node's log that a failure shows.
const LAST_WORDS: usize = 400;

struct Soak {
    fleet: Fleet,
    /// Two for each chain.
    rpcs: Vec<[Proxy; 2]>,
    exchange: BadExchange,
    daemon: Daemon,
    store: Store,
    database: PathBuf,
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_while_an_honest_path_is_left() {
    let number = |name: &str, default: u64| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (periods, seed) = (number("SOAK_PERIODS", 12), number("SOAK_SEED", 1));
    println!("soak: seed {seed}");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut soak = Soak::start().await;
    let mut rows = Vec::new();
    for index in 0..periods {
        let is_disturbed = index < periods / 2;
        let faults = Faults::draw(soak.rpcs.len(), is_disturbed, &mut random);
        rows.push(soak.live_through(PeriodId(FIRST.0 + index), faults).await);
        if index % 50 == 49 {
            println!("soak: {} of {periods} periods", index + 1);
        }
    }
    if let Some(folder) = std::env::var_os("SOAK_OUT") {
        measure::write_down(Path::new(&folder), &rows);
    }
    soak.judge(&rows).await;
    println!("soak: seed {seed}, {periods} periods of {} jobs landed once each, in their time", soak.fleet.jobs.len());
    measure::judge(&rows, soak.fleet.jobs.len());
}

impl Soak {
    async fn start() -> Self {
        let fleet = Fleet::three().await;
        let mut rpcs = Vec::new();
        for chain in 0..fleet.chains() {
            let anvil = &fleet.anvil(chain).rpc_url;
            rpcs.push([Proxy::start(anvil, RpcFaultMode::Fair).await, Proxy::start(anvil, RpcFaultMode::Fair).await]);
        }
        let clock = fleet.world.clock.clone();
        let exchange = BadExchange::start(Venue::Binance, Market::simulated("BTCUSDT", 13), clock).await;
        let mut settings = fleet.settings();
        let honest = settings["candles"]["base_url"].take();
        settings["candles"]["base_url"] = json!(exchange.url);
        settings["candles"]["fallbacks"] = json!(["honest"]);
        settings["candles"]["request_timeout_ms"] = json!(1_000);
        settings["candles.sources.honest"] = json!({"exchange": "binance", "base_url": honest});
        settings["candles.sources.honest.symbols"] = json!({"BTC-USD": "BTCUSDT"});
        for (section, rpcs) in ["chain", "chains.other"].into_iter().zip(&rpcs) {
            settings[section]["rpc_url"] = json!(rpcs.each_ref().map(|rpc| rpc.url.as_str()));
            settings[section]["request_timeout_ms"] = json!(1_000);
        }
        let path = |name: &str| fleet.world.scratch.path().join(name);
        let database = path("agent.sqlite");
        let store = Store::open(&database).unwrap();
        let daemon = Daemon::start(fleet.write(&settings), path("log"));
        Self { fleet, rpcs, exchange, daemon, store, database }
    }

    async fn live_through(&mut self, period: PeriodId, faults: Faults) -> Row {
        self.exchange.set(faults.exchange.clone());
        let mut snapshots = Vec::new();
        for (chain, faults) in faults.chains.iter().enumerate() {
            snapshots.push(self.disturb(chain, faults).await);
        }
        let (mut kill, mut heals) = (faults.kill.as_ref(), true);
        for chain in 0..self.fleet.chains() {
            self.enter(chain, period).await;
        }
        let mut usage = Vec::new();
        let begun = Instant::now();
        let is_time = |at_ms: u64| begun.elapsed() >= Duration::from_millis(at_ms);
        loop {
            if let Some(kill) = kill.take_if(|kill| is_time(kill.at_ms)) {
                if kill.is_prover {
                    self.daemon.kill_prover()
                } else {
                    self.daemon.kill()
                };
            }
            if heals && is_time(faults.heal_at_ms) {
                heals = false;
                self.heal().await;
            }
            self.daemon.revive();
            if kill.is_none() && !heals && self.have_all_landed(period).await {
                let Some((chain, snapshot)) =
                    snapshots.iter_mut().enumerate().find_map(|(chain, one)| Some((chain, one.take()?)))
                else {
                    break;
                };
                self.request(chain, "evm_revert", json!([snapshot])).await;
                self.enter(chain, period).await;
            }
            self.assert_not_lost(period, begun, &faults);
            usage.extend(Usage::of(self.daemon.id()));
            tokio::time::sleep(POLL).await;
        }
        let database_bytes = measure::database_bytes(&self.database);
        Row { period, took: begun.elapsed(), usage, database_bytes, faults: faults.to_string() }
    }

    /// Spoils a chain and one of its RPCs, until it heals. A chain that will drop blocks gives the snapshot to go back to.
    async fn disturb(&self, chain: usize, faults: &ChainFaults) -> Option<Value> {
        let rpcs = &self.rpcs[chain];
        rpcs[faults.bad_rpc].set(faults.mood, faults.only);
        rpcs[1 - faults.bad_rpc].set(RpcFaultMode::Fair, None);
        if faults.mines_nothing {
            self.request(chain, "evm_setAutomine", json!([false])).await;
        }
        if faults.is_dear {
            self.request(chain, "anvil_setNextBlockBaseFeePerGas", json!(["0xba43b7400"])).await;
        }
        if faults.reorganises { Some(self.request(chain, "evm_snapshot", json!([])).await) } else { None }
    }

    async fn heal(&self) {
        self.exchange.set(ExchangeFaultMode::None);
        for (chain, rpcs) in self.rpcs.iter().enumerate() {
            for rpc in rpcs {
                rpc.set(RpcFaultMode::Fair, None);
            }
            self.request(chain, "evm_setAutomine", json!([true])).await;
            self.request(chain, "evm_mine", json!([])).await;
        }
    }

    async fn enter(&self, chain: usize, period: PeriodId) {
        let seconds = period.start_seconds() + DELAY_SECONDS;
        self.fleet.move_chain(chain, seconds).await;
        self.fleet.world.clock.set_ms(seconds * 1000);
    }

    async fn request(&self, chain: usize, method: &'static str, params: Value) -> Value {
        self.fleet.anvil(chain).request(method, params).await.unwrap()
    }

    async fn have_all_landed(&self, period: PeriodId) -> bool {
        for job in &self.fleet.jobs {
            if self.stage(job, period) != Some(Stage::Confirmed)
                || accepted(&job.config).await.iter().filter(|one| **one == period).count() != 1
            {
                return false;
            }
        }
        true
    }

    fn stage(&self, job: &FleetJob, period: PeriodId) -> Option<Stage> {
        self.store.cycle(job.key, period).unwrap().map(|record| record.stage)
    }

    fn assert_not_lost(&self, period: PeriodId, begun: Instant, faults: &Faults) {
        let stages: Vec<_> = self.fleet.jobs.iter().map(|job| (job.name, self.stage(job, period))).collect();
        assert!(
            begun.elapsed() < PATIENCE && stages.iter().all(|(_, stage)| *stage != Some(Stage::Missed)),
            "{period} is lost ({faults}): {stages:?}\n{}",
            self.daemon.last_words(LAST_WORDS)
        );
    }

    /// Every job landed each period once, in its time, and nothing of a wallet waits to be mined.
    async fn judge(&self, rows: &[Row]) {
        let lived: Vec<_> = rows.iter().map(|row| (row.period, row.period)).collect();
        for job in &self.fleet.jobs {
            let updates = job.updates().await;
            let landed: Vec<_> = updates.iter().map(|update| (update.period, update.landed_in)).collect();
            assert_eq!(landed, lived, "{}: each period once, in order, in its own time", job.name);
        }
        for wallet in self.fleet.wallets() {
            let chain = assemble::chain(&wallet.config).await.unwrap();
            assert!(chain.is_idle().await.unwrap(), "a nonce of {} is stuck", chain.address());
        }
    }
}
