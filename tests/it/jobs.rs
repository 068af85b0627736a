//! Several jobs in one process: two contracts on one chain and one on another, with one wallet and one circuit.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ::veriregime_files;
use alloy::primitives::Address;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use url::Url;
use veriregime_agent::config::Config;
use veriregime_agent::deployment::complete::complete;
use veriregime_agent::deployment::outbox::Outbox;
use veriregime_agent::deployment::{Constructor, Deployment, Wanted};
use veriregime_agent::devnet::World as Chain;
use veriregime_agent::node::parts::{Parts, key};
use veriregime_agent::node::smoke::smoke_proof;
use veriregime_agent::sources::candles::market::Market;
use veriregime_agent::sources::candles::serve;
use veriregime_agent::state::Store;
use veriregime_core::types::cycle::Stage;
use veriregime_core::types::manifest::ONNX_FILE;
use veriregime_core::types::venue::Venue;

use crate::doctor::copy_of_the_bundle;
use crate::node::Node;
use crate::world::{DELAY_SECONDS, FIRST, World, accepted, toml};

/// The id of the second chain.
pub const OTHER_CHAIN_ID: u64 = 1337;

/// Three contracts that take the same model's updates.
pub struct Contracts {
    pub world: World,
    /// A second contract on the world's chain.
    pub second: Config,
    /// Settings and chain of the third.
    pub third: Config,
    pub other: Chain,
    pub scratch: TempDir,
}

impl Contracts {
    pub async fn new() -> Self {
        let world = World::new().await;
        let (scratch, mut third) = (TempDir::new().unwrap(), world.config.clone());
        let starting = Box::pin(Chain::start(&mut third, scratch.path(), None, FIRST.start_seconds()));
        let other = starting.await.unwrap();
        other.anvil.request("anvil_setChainId", json!([OTHER_CHAIN_ID])).await.unwrap();
        third.chain.chain_id = OTHER_CHAIN_ID;

        let before = &world.chain.deployment.wanted;
        let constructor = Constructor { guardian: Address::repeat_byte(9), ..before.constructor.clone() };
        let deployment =
            Deployment::new(Wanted { constructor, ..before.clone() }, world.config.chain.chain_id).unwrap();
        let smoke = smoke_proof(&world.config, &world.chain.bundle).await.unwrap();
        let outbox = Outbox::of(&world.chain.owner);
        let left = complete(&deployment, &outbox, Some(&smoke), || Ok(()), &mut |_| {}).await.unwrap();
        assert!(left.is_empty(), "{left:?}");
        let mut second = world.config.clone();
        second.chain.oracle = Some(deployment.contracts.oracle.address);

        world.enter(FIRST).await;
        other.anvil.set_time(FIRST.start_seconds() + DELAY_SECONDS).await.unwrap();
        Self { world, second, third, other, scratch }
    }

    /// Three jobs, the second one with a bundle of its own.
    pub fn jobs(&self, bundle_of_second: &std::path::Path) -> String {
        let (first, second, third) = (&self.world.config, &self.second, &self.third);
        format!(
            "\n[chains.other]\nrpc_url = {}\nchain_id = {OTHER_CHAIN_ID}\n\
             [[jobs]]\nname = \"first\"\n\
             [[jobs]]\nname = \"second\"\ncontract = {}\nbundle = {}\n\
             [[jobs]]\nname = \"third\"\nchain = \"other\"\ncontract = {}\nbundle = {}\n",
            json!(third.chain.rpc_url().as_str()),
            json!(second.chain.oracle.unwrap()),
            json!(bundle_of_second),
            json!(third.chain.oracle.unwrap()),
            json!(first.bundle),
        )
    }

    /// Runs the program with these jobs until it ends. Its exit status and the last line of its output.
    pub fn once(&self, jobs: &str, arguments: &[&str]) -> (Option<i32>, String) {
        let path = self.world.scratch.path().join("jobs.toml");
        veriregime_files::write_atomic(&path, (toml(&self.world.settings()) + jobs).as_bytes()).unwrap();
        let mut program = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
        program.arg("--config").arg(path).args(["--json", "once"]).args(arguments);
        let output = program.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null()).output().unwrap();
        let text = [output.stdout.as_slice(), &output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&text).into_owned())
    }

    /// Whether the chains mine what they are sent.
    pub async fn mine(&self, automatically: bool) {
        for anvil in [&self.world.chain.anvil, &self.other.anvil] {
            anvil.request("evm_setAutomine", json!([automatically])).await.unwrap();
        }
    }

    async fn all_landed(&self) -> bool {
        for config in [&self.world.config, &self.second, &self.third] {
            if accepted(config).await != [FIRST] {
                return false;
            }
        }
        true
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_one_wallet_land_on_two_chains_with_one_proof() {
    let contracts = Contracts::new().await;
    let jobs = contracts.jobs(&contracts.world.config.bundle);
    let (status, said) = contracts.once(&jobs, &[]);
    assert_eq!(status, Some(0), "{said}");
    let cycles: Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    let cycles = cycles["jobs"].as_array().unwrap();
    let names: Vec<&str> = cycles.iter().map(|cycle| cycle["job"].as_str().unwrap()).collect();
    assert_eq!(names, ["first", "second", "third"]);
    assert!(cycles.iter().all(|cycle| cycle["outcome"] == "confirmed"), "{said}");
    assert!(contracts.all_landed().await);
    assert_eq!(said.matches("proof made and verified").count(), 1, "one circuit, one period, one proof: {said}");
    // Whoever runs the period again, for one job or all, finds it done.
    let (status, said) = contracts.once(&jobs, &["--job", "third"]);
    assert!(status == Some(0) && said.contains("\"outcome\":\"confirmed\""), "{said}");
    let (status, said) = contracts.once(&jobs, &["--job", "thrid"]);
    assert!(status == Some(1) && said.contains("VR-CONFIG-004") && said.contains("is third meant?"), "{said}");
    let twice = jobs.replace("[[jobs]]\nname = \"second\"\ncontract", "[[jobs]]\nname = \"second\"\n#contract");
    let (status, said) = contracts.once(&twice, &[]);
    assert!(status == Some(1) && said.contains("VR-CONFIG-005"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_job_is_told_of_and_tried_again_while_the_others_land() {
    let contracts = Contracts::new().await;
    let world = &contracts.world;
    let folder = world.scratch.path().join("broken");
    copy_of_the_bundle(world, &folder);
    let network = veriregime_files::read_bounded(&folder.join(ONNX_FILE), 1 << 22).unwrap();
    veriregime_files::write_atomic(&folder.join(ONNX_FILE), b"no network").unwrap();
    let mut node = Node::start_with(world, json!({}), &contracts.jobs(&folder)).await;
    let landed = async |config: &Config| accepted(config).await == [FIRST];
    world.until("the good jobs", async || landed(&world.config).await && landed(&contracts.third).await).await;
    let told = node.said("the job does not work, the others go on").unwrap();
    assert_eq!((&told["span"]["job"], told["code"].as_str()), (&json!("second"), Some("VR-PROVE-003")), "{told}");
    assert!(accepted(&contracts.second).await.is_empty());
    veriregime_files::write_atomic(&folder.join(ONNX_FILE), &network).unwrap();
    world.until("the mended job", async || contracts.all_landed().await).await;
    node.signal("TERM");
    assert!(node.process.wait().unwrap().success(), "stopped cleanly");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_market_s_candles_are_fetched_once_for_all_jobs() {
    let contracts = Contracts::new().await;
    let world = &contracts.world;
    let (requests, stop) = (Arc::new(AtomicU64::new(0)), CancellationToken::new());
    let listener = serve::listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let market = Market::simulated("BTCUSDT", 13);
    tokio::spawn(serve::serve_counted(
        Venue::Binance,
        market,
        world.clock.clone(),
        listener,
        requests.clone(),
        stop.clone(),
    ));
    let asked = || requests.load(Ordering::Relaxed);
    let store = Arc::new(Store::open(&world.scratch.path().join("shared.sqlite")).unwrap());
    let mut configs = [world.config.clone(), contracts.second.clone(), contracts.third.clone()];
    for (config, name) in configs.iter_mut().zip(["first", "second", "third"]) {
        config.candles.only_from(url.clone());
        (config.names.job, config.names.chain) = (name.into(), name.into());
    }
    let keys = configs.iter().map(|config| key(config).unwrap().unwrap());
    let parts = Parts::by_clock(store, keys.collect(), world.clock.clone());
    let mut first = parts.job(&configs[0]).await.unwrap();
    assert_eq!(first.run_until(Stage::Collected, FIRST, &stop).await.unwrap().stage, Stage::Collected);
    let of_one = asked();
    assert!(of_one > 40, "four weeks are {of_one} requests");
    for config in &configs[1..] {
        let mut other = parts.job(config).await.unwrap();
        let record = other.run_until(Stage::Collected, FIRST, &stop).await.unwrap();
        let same = first.store.cycle(first.job(), FIRST).unwrap().unwrap();
        assert_eq!((record.stage, &record.candles), (Stage::Collected, &same.candles));
    }
    assert_eq!(asked(), of_one, "nobody asked for the others");
    stop.cancel();
}
