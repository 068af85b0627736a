//! A chain, contracts and keys that live as long as a demo, a bench or a test.

pub mod bundles;
pub mod feed;
pub mod fleet;
pub mod rehearsal;
pub mod uniswap;
pub mod vault;

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use alloy::primitives::Address;
use alloy::providers::{Provider, RootProvider};
use anyhow::Context;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::bundle::Bundle;
use crate::chain::Chain;
use crate::chain::read_only_proxy;
use crate::chain::signer::Signer;
use crate::config::{self, Config, place};
use crate::deployment::complete::complete;
use crate::deployment::outbox::Outbox;
use crate::deployment::policy::MarketRules;
use crate::deployment::request::wanted;
use crate::deployment::{Constructor, Deployment};
use crate::node::assemble;
use crate::node::smoke::smoke_proof;
use bundles::provable_bundle;

/// First two accounts of the mnemonic that every development chain prints at its start. Worth nothing elsewhere.
pub const OWNER_KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
/// See [`OWNER_KEY`].
const NODE_KEY: &str = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";

/// Chain id that anvil takes by itself.
pub const CHAIN_ID: u64 = 31_337;
/// Where the time of a bare chain begins: 2026-01-05 00:00 UTC.
const BARE_CHAIN_SECONDS: i64 = 1_767_571_200;
/// Longest wait for anvil to listen.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// Lines that anvil may print before it says where it listens.
const MAX_START_LINES: usize = 200;

/// A running anvil, killed when dropped.
#[derive(Debug)]
pub struct Anvil {
    /// Where it answers.
    pub rpc_url: Url,
    provider: RootProvider,
    child: Child,
}

impl Anvil {
    /// Starts a chain whose time begins at `unix_seconds`, on `port` or, if that is 0, on any free one.
    ///
    /// # Errors
    /// A program that is absent or does not listen in time.
    pub async fn start(program: &Path, unix_seconds: i64, port: u16) -> anyhow::Result<Self> {
        Self::run(program, &["--port", &port.to_string(), "--timestamp", &unix_seconds.to_string()]).await
    }

    /// Starts a chain again on its port with what a dump of its state holds; time goes on at `unix_seconds`.
    ///
    /// # Errors
    /// As [`Anvil::start`].
    pub async fn restart(
        program: &Path,
        dump: &Path,
        chain_id: u64,
        unix_seconds: i64,
        port: u16,
    ) -> anyhow::Result<Self> {
        let [id, seconds, port] = [chain_id.to_string(), unix_seconds.to_string(), port.to_string()];
        let dump = dump.to_str().context("the dump's path is no text")?;
        Self::run(program, &["--port", &port, "--timestamp", &seconds, "--chain-id", &id, "--load-state", dump]).await
    }

    /// Starts a copy of the chain behind `upstream` as of `block`, or of its newest one, with an id of its own, so that what
    /// is signed for the copy is worth nothing elsewhere. `upstream` is seen by everybody on this machine.
    ///
    /// # Errors
    /// As [`Anvil::start`].
    pub async fn fork(program: &Path, upstream: &Url, block: Option<u64>) -> anyhow::Result<Self> {
        let (id, number) = (CHAIN_ID.to_string(), block.map(|block| block.to_string()));
        let mut arguments = vec!["--port", "0", "--fork-url", upstream.as_str(), "--chain-id", &id];
        if let Some(number) = &number {
            arguments.extend(["--fork-block-number", number]);
        }
        Self::run(program, &arguments).await
    }

    /// The settings with this chain for their only RPC.
    pub fn settings(&self, config: &Config) -> Config {
        let mut config = config.clone();
        config.chain.use_rpc(self.rpc_url.clone());
        config.chain.chain_id = CHAIN_ID;
        config
    }

    async fn run(program: &Path, arguments: &[&str]) -> anyhow::Result<Self> {
        let mut child = Command::new(program)
            .args(arguments)
            .arg("--disable-code-size-limit")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} does not start; `make setup` installs it", program.display()))?;
        let stdout = child.stdout.take().context("anvil has no standard output")?;
        let rpc_url =
            tokio::time::timeout(START_TIMEOUT, listening(stdout)).await.context("anvil does not listen")??;
        let provider = RootProvider::new_http(rpc_url.clone());
        Ok(Self { rpc_url, provider, child })
    }

    /// Ends it as kill -9 does; its state is lost.
    ///
    /// # Errors
    /// A process that cannot be ended.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Mines a block at `unix_seconds`; time goes on from there.
    ///
    /// # Errors
    /// A chain that does not answer, or whose time is later already.
    pub async fn set_time(&self, unix_seconds: i64) -> anyhow::Result<()> {
        self.request("evm_setNextBlockTimestamp", json!([unix_seconds])).await?;
        self.request("evm_mine", json!([])).await?;
        Ok(())
    }

    /// Any request of anvil's own.
    ///
    /// # Errors
    /// A chain that does not answer or refuses.
    pub async fn request(&self, method: &'static str, params: Value) -> anyhow::Result<Value> {
        Ok(self.provider.raw_request(method.into(), params).await?)
    }
}

/// Where anvil may read the configured chain from: a relay that only reads and that keeps the RPCs' addresses to itself, until
/// `stop` is cancelled.
///
/// # Errors
/// No free port, or an RPC that cannot be asked.
pub async fn relayed(config: &Config, stop: CancellationToken) -> anyhow::Result<Url> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no port for the relay")?;
    let upstream = Url::parse(&format!("http://{}", listener.local_addr()?))?;
    tokio::spawn(read_only_proxy::serve(assemble::reader(config)?, listener, stop));
    Ok(upstream)
}

/// Reads what anvil prints until it says where it listens, and goes on reading so that it never blocks.
async fn listening(stdout: tokio::process::ChildStdout) -> anyhow::Result<Url> {
    let mut lines = BufReader::new(stdout).lines();
    for _ in 0..MAX_START_LINES {
        let line = lines.next_line().await?.context("anvil ended before it listened")?;
        if let Some(address) = line.trim().strip_prefix("Listening on ") {
            let url = Url::parse(&format!("http://{address}"))?;
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok(url);
        }
    }
    anyhow::bail!("anvil does not say where it listens")
}

/// A foundry program: from the project's own packages where they are installed, else from the path.
pub fn foundry(name: &str) -> PathBuf {
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let system = if cfg!(target_os = "macos") { "darwin" } else { "linux" };
    let local = place::tool(format!("node_modules/@foundry-rs/{name}-{system}-{arch}/bin/{name}").as_ref());
    if local.exists() { local } else { PathBuf::from(name) }
}

/// A chain with nothing on it, and a wallet with money there.
///
/// # Errors
/// What keeps it from starting.
pub async fn bare_chain() -> anyhow::Result<(Anvil, Chain)> {
    let mut config = config::load(None)?;
    let anvil = Anvil::start(&foundry("anvil"), BARE_CHAIN_SECONDS, 0).await?;
    config.chain.use_rpc(anvil.rpc_url.clone());
    config.chain.chain_id = CHAIN_ID;
    let chain = Chain::new(assemble::chain_settings(&config), Signer::from_key(&SecretString::from(OWNER_KEY))?)?;
    Ok((anvil, chain))
}

/// What a deployment may take of a chain's time, where each block takes a second at least and each transaction a block.
const SETUP_SECONDS: i64 = 3_600;

/// A chain before anything is deployed on it.
struct Ground {
    anvil: Anvil,
    /// The wallet that will own what is deployed.
    owner: Chain,
    /// Owned by it, attested by the node's key, without a timelock.
    constructor: Constructor,
}

impl Ground {
    /// Starts anvil, with time left to deploy before it is `unix_seconds` there, and points `config` at it; the node's key lies in
    /// `scratch`.
    async fn start(
        config: &mut Config,
        scratch: &Path,
        anvil: Option<&Path>,
        unix_seconds: i64,
    ) -> anyhow::Result<Self> {
        let anvil = Anvil::start(anvil.unwrap_or(&foundry("anvil")), unix_seconds - SETUP_SECONDS, 0).await?;
        config.chain.use_rpc(anvil.rpc_url.clone());
        config.chain.chain_id = CHAIN_ID;
        let key_file = scratch.join("node.key");
        veriregime_files::write_private(&key_file, NODE_KEY.as_bytes())?;
        config.signer = config::signer::Signer::file(key_file);
        let owner = Chain::new(assemble::chain_settings(config), Signer::from_key(&SecretString::from(OWNER_KEY))?)?;
        let constructor = Constructor {
            owner: owner.address(),
            guardian: owner.address(),
            timelock_seconds: 0,
            attestors: vec![assemble::chain(config).await?.address()],
            threshold: 1,
            sequencer_feed: Address::ZERO,
        };
        Ok(Self { anvil, owner, constructor })
    }
}

/// A chain with everything deployed on it.
#[derive(Debug)]
pub struct World {
    /// The chain.
    pub anvil: Anvil,
    /// The bundle that runs on it.
    pub bundle: Bundle,
    /// Whether the bundle's keys are from the public ceremony's SRS.
    pub ceremony: bool,
    /// The contracts.
    pub deployment: Deployment,
    /// The wallet that owns them.
    pub owner: Chain,
}

impl World {
    /// Starts anvil and deploys the configured bundle, owned by one development account with another as attestor, and
    /// without a timelock; then it is `unix_seconds` on the chain. Points `config` at all of it; what has to be made lies
    /// in `scratch`.
    ///
    /// # Errors
    /// What keeps it from being made.
    pub async fn start(
        config: &mut Config,
        scratch: &Path,
        anvil: Option<&Path>,
        unix_seconds: i64,
    ) -> anyhow::Result<Self> {
        let (bundle, ceremony) = provable_bundle(config, scratch).await?;
        config.evidence_dir = scratch.join("evidence");
        let Ground { anvil, owner, constructor } = Ground::start(config, scratch, anvil, unix_seconds).await?;
        let wanted = wanted(
            &bundle,
            assemble::expected(&bundle, config.prover.kind.way())?,
            constructor,
            MarketRules::starting()?,
        )?;
        let deployment = Deployment::new(wanted, CHAIN_ID)?;
        let smoke = smoke_proof(config, &bundle).await?;
        let outbox = Outbox::of(&owner);
        let waiting = complete(&deployment, &outbox, Some(&smoke), || Ok(()), &mut |_| {}).await?;
        anyhow::ensure!(waiting.is_empty(), "the deployment waits: {waiting:?}");
        config.chain.oracle = Some(deployment.contracts.oracle.address);
        anvil.set_time(unix_seconds).await?;
        Ok(Self { anvil, bundle, ceremony, deployment, owner })
    }
}
