//! A whole small world: candles over HTTP, a chain with the contracts, a prover, all driven by one clock.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use alloy::network::Ethereum;
use alloy::providers::{Provider, RootProvider};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use url::Url;
use veriregime_agent::candles::market::Market;
use veriregime_agent::candles::serve;
use veriregime_agent::chain::abi::RiskOracle;
use veriregime_agent::clock::Clock;
use veriregime_agent::cmd::development::World as Chain;
use veriregime_agent::cmd::setup;
use veriregime_agent::config::{self, Config};
use veriregime_agent::cycle::Agent;
use veriregime_agent::fs;
use veriregime_agent::state::Store;
use veriregime_agent::types::period::PeriodId;
use veriregime_agent::types::venue::Venue;

/// 2026-01-05 00:00 UTC.
pub const FIRST: PeriodId = PeriodId(122_748);
/// Pause between two looks at a condition.
const PAUSE: Duration = Duration::from_millis(10);
/// Longest wait for a condition.
const PATIENCE: Duration = Duration::from_mins(1);
/// Seconds from a period's start to its cycle.
pub const DELAY_SECONDS: i64 = 15;

/// Everything outside of the agent.
pub struct World {
    pub config: Config,
    pub clock: Clock,
    pub chain: Chain,
    pub scratch: TempDir,
    stop: CancellationToken,
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The settings of tests: the ceremony's strings where they are at hand, else the world makes one for development.
pub fn config() -> Config {
    let mut config = config::load(None).unwrap();
    let shared = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/srs");
    if shared.exists() {
        config.prover.srs_dir = shared;
    }
    if let Ok(python) = std::env::var("VERIREGIME_PYTHON") {
        config.prover.python = python.into();
    }
    config
}

impl World {
    pub async fn new() -> Self {
        let (scratch, stop) = (TempDir::new().unwrap(), CancellationToken::new());
        let mut config = config();
        let clock = Clock::manual(FIRST.start_ms());
        let listener = serve::listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        config.candles.only_from(Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap());
        tokio::spawn(serve::serve(
            Venue::Binance,
            Market::simulated("BTCUSDT", 13),
            clock.clone(),
            listener,
            stop.clone(),
        ));
        let starting = Box::pin(Chain::start(&mut config, scratch.path(), None, FIRST.start_seconds()));
        let chain = starting.await.unwrap();
        Self { config, clock, chain, scratch, stop }
    }

    /// Moves chain and clock into `period`.
    pub async fn enter(&self, period: PeriodId) {
        let seconds = period.start_seconds() + DELAY_SECONDS;
        self.chain.anvil.set_time(seconds).await.unwrap();
        self.clock.set_ms(seconds * 1000);
    }

    /// An agent with a database of that name; the same name is the same database.
    pub async fn agent(&self, database: &str) -> Agent {
        let store = Store::open(&self.scratch.path().join(database)).unwrap();
        setup::agent(&self.config, self.clock.clone(), store).await.unwrap()
    }

    /// Runs the program with the world's settings until it ends.
    pub fn program(&self, arguments: &[&str]) -> Output {
        self.program_with(&self.settings(), arguments)
    }

    /// Runs the program with these settings until it ends.
    pub fn program_with(&self, settings: &Value, arguments: &[&str]) -> Output {
        let path = self.scratch.path().join("agent.toml");
        fs::write_atomic(&path, toml(settings).as_bytes()).unwrap();
        let mut program = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
        program.arg("--config").arg(path).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
        program.stdin(Stdio::null()).output().unwrap()
    }

    /// Settings that lead the program into this world.
    pub fn settings(&self) -> Value {
        let (config, chain) = (&self.config, &self.config.chain);
        json!({
            "model": {"bundle": config.bundle},
            "candles": {"base_url": config.candles.sources["binance"].base_url.as_ref().unwrap().as_str(), "weight_per_minute": 1_000_000},
            "prover": {"python": config.prover.python, "srs_dir": config.prover.srs_dir},
            "chain": {
                "rpc_url": chain.rpc_urls.iter().map(|url| url.expose().as_str()).collect::<Vec<_>>(),
                "oracle": chain.oracle.unwrap(),
                "key_file": chain.key_file,
                "poll_interval_ms": 20,
            },
            "attestor": {"key_file": config.attestor_key_file.clone().unwrap_or_default()},
            "schedule": {"clock": "exchange", "delay_seconds": 5, "recheck_seconds": 1},
            "state": {"path": self.scratch.path().join("agent.sqlite")},
        })
    }

    /// Waits until the condition holds; a test that waits for ever fails.
    pub async fn until(&self, what: &str, condition: impl AsyncFn() -> bool) {
        let waited = async {
            while !condition().await {
                tokio::time::sleep(PAUSE).await;
            }
        };
        let came = tokio::time::timeout(PATIENCE, waited).await.is_ok();
        assert!(came, "{what}: not in {PATIENCE:?}");
    }

    /// What holds at the end of every period, whatever happened in it: so many updates of it landed, at most one, and in
    /// their own period; and nothing of the wallet waits to be mined.
    pub async fn judge(&self, period: PeriodId, updates: usize) {
        let provider = RootProvider::<Ethereum>::new_http(self.chain.anvil.rpc_url.clone());
        let contract = RiskOracle::new(self.config.chain.oracle.unwrap(), &provider);
        let events = contract.UpdateAccepted_filter().from_block(0_u64).query().await.unwrap();
        let of_period = events.iter().filter(|(event, _)| event.period == period.0);
        assert_eq!(of_period.count(), updates, "updates of {period}");
        for (event, log) in &events {
            let block = provider.get_block_by_number(log.block_number.unwrap().into()).await.unwrap().unwrap();
            let seconds = i64::try_from(block.header.timestamp).unwrap();
            assert_eq!(PeriodId::at_ms(seconds * 1000).0, event.period, "landed late");
        }
        assert!(setup::chain(&self.config).unwrap().is_idle().await.unwrap(), "a nonce is stuck");
    }

    /// How many updates of the model the chain holds for `period`.
    pub async fn updates(&self, period: PeriodId) -> usize {
        accepted(&self.config).await.into_iter().filter(|one| *one == period).count()
    }
}

/// The periods of all updates that the contract has accepted, oldest first.
pub async fn accepted(config: &Config) -> Vec<PeriodId> {
    let provider = RootProvider::<Ethereum>::new_http(config.chain.rpc_url().clone());
    let contract = RiskOracle::new(config.chain.oracle.unwrap(), provider);
    let events = contract.UpdateAccepted_filter().from_block(0_u64).query().await.unwrap();
    events.into_iter().map(|(event, _)| PeriodId(event.period)).collect()
}

/// Sections of plain values: their JSON is TOML too.
pub fn toml(settings: &Value) -> String {
    let mut lines = Vec::new();
    for (section, values) in settings.as_object().unwrap() {
        lines.push(format!("[{section}]"));
        lines.extend(values.as_object().unwrap().iter().map(|(key, value)| format!("{key} = {value}")));
    }
    lines.join("\n")
}
