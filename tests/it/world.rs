//! A whole small world: candles over HTTP, a chain with the contracts, a prover, all driven by one clock.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use ::veriregime_files;
use alloy::network::{Ethereum, TransactionBuilder};
use alloy::primitives::Address;
use alloy::providers::{Provider, RootProvider};
use alloy::rpc::types::TransactionRequest;
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::SolCall;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use url::Url;
use veriregime_agent::actions::risk_oracle::abi::oracle::RiskOracle;
use veriregime_agent::bundle::Bundle;
use veriregime_agent::clock::Clock;
use veriregime_agent::config;
use veriregime_agent::config::Config;
use veriregime_agent::config::signer::{Holder, Signer};
pub use veriregime_agent::config::text::toml;
use veriregime_agent::deployment::complete::complete;
use veriregime_agent::deployment::outbox::Outbox;
use veriregime_agent::deployment::{Deployment, Wanted};
use veriregime_agent::devnet::World as Chain;
use veriregime_agent::job::Agent;
use veriregime_agent::node::smoke::smoke_proof;
use veriregime_agent::node::{assemble, parts};
use veriregime_agent::sources::candles::market::Market;
use veriregime_agent::sources::candles::serve;
use veriregime_agent::state::Store;
use veriregime_core::types::job::JobKey;
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::venue::Venue;

use crate::given;

/// 2026-01-05 00:00 UTC.
pub const FIRST: PeriodId = PeriodId(122_748);
/// Funded development accounts: the node's, and three that are no attestors until the owner makes them so.
pub const KEYS: [&str; 4] = [
    "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
    "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
];
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

/// The settings of tests: the ceremony's SRS files where they are at hand, else the world makes one for development.
pub fn config() -> Config {
    let mut config = config::load(None).unwrap();
    let srs = given::shared("srs");
    if srs.exists() {
        config.prover.srs_dir = srs;
    }
    if let Ok(python) = std::env::var("VERIREGIME_PYTHON") {
        config.prover.python = python.into();
    }
    config
}

impl World {
    pub async fn new() -> Self {
        Self::by(Way::Ezkl).await
    }

    /// A world whose contract and agents have the shipped model verified that way.
    pub async fn by(way: Way) -> Self {
        Self::with(way, |_, _| {}).await
    }

    /// The same, with settings as `change` leaves them; it may put files into the world's folder.
    pub async fn with(way: Way, change: impl FnOnce(&mut Config, &Path)) -> Self {
        let (scratch, stop) = (TempDir::new().unwrap(), CancellationToken::new());
        let mut config = config();
        config.prover.kind = way.into();
        change(&mut config, scratch.path());
        let clock = Clock::manual(FIRST.start_ms());
        config.candles.only_from(exchange(13, &clock, &stop).await);
        let mut world = Self::of(config, clock, scratch).await;
        world.stop = stop;
        world
    }

    /// A world with these settings, whose exchange is there already.
    pub async fn of(mut config: Config, clock: Clock, scratch: TempDir) -> Self {
        let starting = Box::pin(Chain::start(&mut config, scratch.path(), None, FIRST.start_seconds()));
        let chain = starting.await.unwrap();
        Self { config, clock, chain, scratch, stop: CancellationToken::new() }
    }

    /// Another exchange with the world's clock, and a market of its own.
    pub async fn other_exchange(&self) -> Url {
        exchange(14, &self.clock, &self.stop).await
    }

    /// Moves chain and clock into `period`.
    pub async fn enter(&self, period: PeriodId) {
        let seconds = period.start_seconds() + DELAY_SECONDS;
        self.chain.anvil.set_time(seconds).await.unwrap();
        self.clock.set_ms(seconds * 1000);
    }

    /// What the cycles of the world's agents are of.
    pub fn job(&self) -> JobKey {
        JobKey::new(assemble::contract(&self.config).unwrap(), self.chain.bundle.manifest_digest)
    }

    /// An agent with a database of that name; the same name is the same database.
    pub async fn agent(&self, database: &str) -> Agent {
        let store = Store::open(&self.scratch.path().join(database)).unwrap();
        parts::agent(&self.config, self.clock.clone(), store).await.unwrap()
    }

    /// Runs the program with the world's settings until it ends.
    pub fn program(&self, arguments: &[&str]) -> Output {
        self.program_with(&self.settings(), arguments)
    }

    /// Runs the program with these settings until it ends.
    pub fn program_with(&self, settings: &Value, arguments: &[&str]) -> Output {
        let path = self.scratch.path().join("agent.toml");
        veriregime_files::write_atomic(&path, toml(settings).as_bytes()).unwrap();
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
            "prover": {"kind": config.prover.kind, "python": config.prover.python, "srs_dir": config.prover.srs_dir},
            "chain": {
                "rpc_url": chain.rpc_urls.iter().map(|url| url.expose().as_str()).collect::<Vec<_>>(),
                "oracle": chain.oracle.unwrap(),
                "poll_interval_ms": 20,
            },
            "signer": signer(Some(&config.signer)),
            "attestor": signer(config.attestor.as_ref()),
            "schedule": {"clock": "exchange", "delay_seconds": 5, "recheck_seconds": 1},
            "state": {"path": self.scratch.path().join("agent.sqlite")},
            "evidence": {"dir": config.evidence_dir},
        })
    }

    /// A key file in the world's scratch folder.
    pub fn key_file(&self, name: &str, key: &str) -> PathBuf {
        let path = self.scratch.path().join(name);
        veriregime_files::write_private(&path, key.as_bytes()).unwrap();
        path
    }

    /// The owner's call, announced first; the world has no timelock.
    pub async fn announce_and_call(&self, call: &impl SolCall) {
        let announce = RiskOracle::scheduleCall { data: call.abi_encode().into() }.abi_encode();
        for data in [announce, call.abi_encode()] {
            let request = TransactionRequest::default()
                .with_to(self.chain.deployment.contracts.registry.address)
                .with_input(data);
            self.chain.owner.send(request).await.unwrap();
        }
    }

    /// Makes the model in `folder` the one that the contract runs.
    pub async fn rotate(&self, folder: &Path) {
        let bundle = Bundle::open(folder).unwrap();
        let wanted = Wanted {
            expected: assemble::expected(&bundle, self.config.prover.kind.way()).unwrap(),
            ..self.chain.deployment.wanted.clone()
        };
        let deployment = Deployment::new(wanted, self.config.chain.chain_id).unwrap();
        let smoke = smoke_proof(&self.config, &bundle).await.unwrap();
        let outbox = Outbox::of(&self.chain.owner);
        let left = complete(&deployment, &outbox, Some(&smoke), || Ok(()), &mut |_| {}).await.unwrap();
        assert!(left.is_empty(), "{left:?}");
    }

    /// The addresses of the first of [`KEYS`], as the contract wants them: ascending.
    pub fn attestors(count: usize) -> Vec<Address> {
        let address = |key: &&str| key.parse::<PrivateKeySigner>().unwrap().address();
        let mut attestors: Vec<Address> = KEYS.iter().take(count).map(address).collect();
        attestors.sort_unstable();
        attestors
    }

    /// Makes wallet and attestor of these settings that of one of [`KEYS`].
    pub fn sign_with(&self, settings: &mut Value, index: usize) {
        settings["signer"] = signer(Some(&Signer::file(self.key_file(&format!("key-{index}"), KEYS[index]))));
        settings["attestor"] = signer(None);
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

    /// Waits until the clock was read several times: whoever waits by it has then seen how it stands, and gone on waiting.
    pub async fn looked_at(&self) {
        let before = self.clock.looks();
        self.until("looks at the clock", async || self.clock.looks() >= before + 4).await;
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
        assert!(assemble::chain(&self.config).await.unwrap().is_idle().await.unwrap(), "a nonce is stuck");
    }

    /// How many updates of the model the chain holds for `period`.
    pub async fn updates(&self, period: PeriodId) -> usize {
        accepted(&self.config).await.into_iter().filter(|one| *one == period).count()
    }
}

/// An exchange with a simulated market.
async fn exchange(seed: u64, clock: &Clock, stop: &CancellationToken) -> Url {
    let listener = serve::listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let market = Market::simulated("BTCUSDT", seed);
    tokio::spawn(serve::serve(Venue::Binance, market, clock.clone(), listener, stop.clone()));
    url
}

/// The periods of all updates that the contract has accepted, oldest first.
pub async fn accepted(config: &Config) -> Vec<PeriodId> {
    let provider = RootProvider::<Ethereum>::new_http(config.chain.rpc_url().clone());
    let contract = RiskOracle::new(config.chain.oracle.unwrap(), provider);
    let events = contract.UpdateAccepted_filter().from_block(0_u64).query().await.unwrap();
    events.into_iter().map(|(event, _)| PeriodId(event.period)).collect()
}

/// The section of a key in a file; of the attestor's where the wallet attests.
pub fn signer(signer: Option<&Signer>) -> Value {
    match signer.map(|signer| &signer.holder) {
        None => json!({"kind": "wallet"}),
        Some(Holder::File(path)) => json!({"kind": "file", "file": path}),
        Some(Holder::Keystore { file, passphrase_file }) => {
            json!({"kind": "keystore", "file": file, "passphrase_file": passphrase_file})
        }
        Some(other) => unreachable!("{other:?} is nothing that a test has"),
    }
}
