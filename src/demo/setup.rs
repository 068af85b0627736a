//! What the demo makes before its first period: chains with contracts, a model over several markets, and a node's settings.

use std::path::{Path, PathBuf, absolute};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::{Value, json};

use super::scenario::{MAX_JOBS, Scenario, Told};
use crate::bundle::Bundle;
use crate::config::text::toml;
use crate::config::{self, Config};
use crate::devnet::{self, Anvil, CHAIN_ID, World, fleet};
use crate::node::job_keys;
use crate::node::smoke::smoke_proof;
use crate::verification::ezkl::srs::{MIN_LOGROWS, Srs};
use veriregime_core::types::job::JobKey;
use veriregime_core::types::manifest::inputs::Market;
use veriregime_core::types::manifest::verification::{SrsOffer, Way};
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::time::format_utc;

/// Chains and their ids. Contracts without a timelock can only be put on a chain with anvil's own id; the second chain takes the
/// other development id afterwards.
const CHAINS: [(&str, u64); 2] = [("one", CHAIN_ID), ("two", 1337)];
/// Jobs and their chains.
const JOBS: [(&str, usize); MAX_JOBS] = [("btc-one", 0), ("btc-two", 1), ("altcoins", 1)];
/// The model of the last job, which is over several markets, and their names and symbols.
const ALTCOINS_MODEL: &str = "altcoins-regime-4h";
const ALTCOINS: [(&str, &str); 3] = [("ETH-USD", "ETHUSDT"), ("SOL-USD", "SOLUSDT"), ("BNB-USD", "BNBUSDT")];
/// From a chain's first block to the first period, where more is put on chains than there is time for before the first cycle.
const SETUP_SECONDS: i64 = 3_600;
/// Between two looks for a mined transaction: the chain is this machine's, and mines at once.
const POLL: Duration = Duration::from_millis(20);
/// The largest SRS that a model of so few markets needs.
const LARGEST_LOGROWS: u32 = 12;
const MAX_SRS_BYTES: u64 = 1 << 20;

/// The markets that so many jobs need beside those of the shipped model.
pub(super) fn beside(jobs: usize) -> Vec<Market> {
    if jobs < MAX_JOBS {
        return Vec::new();
    }
    ALTCOINS.map(|(name, symbol)| Market { name: name.into(), symbol: symbol.into() }).to_vec()
}

/// Everything that the jobs need.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) chains: Vec<Anvil>,
    /// Settings of each job.
    pub(super) jobs: Vec<Config>,
    pub(super) keys: Arc<[JobKey]>,
    /// The same settings as the file that other commands take.
    pub(super) settings: PathBuf,
}

/// Makes everything in `scratch`, for cycles from `first` on, and tells what there is.
///
/// # Errors
/// What keeps it from being made.
pub(super) async fn set_up(
    scenario: &Scenario,
    mut config: Config,
    first: PeriodId,
    scratch: &Path,
    told: &Told<'_>,
) -> anyhow::Result<Setup> {
    let (started, jobs) = (Instant::now(), &JOBS[..scenario.jobs]);
    let configured_srs = config.prover.srs_dir.clone();
    let is_alone = jobs.len() == 1;
    let begins_seconds = first.start_seconds() - if is_alone { 0 } else { SETUP_SECONDS };
    let mut worlds: Vec<World> = Vec::new();
    for (name, _) in &CHAINS[..jobs.len().min(CHAINS.len())] {
        (told.step)(&format!("starting chain {name} and deploying the contracts"));
        let starting = World::start(&mut config, scratch, scenario.anvil.as_deref(), begins_seconds);
        worlds.push(Box::pin(starting).await?);
    }
    let world = &worlds[0];
    let way = config.prover.kind.way();
    told.item("model", &format!("{}: {}", world.bundle.manifest.model_id, circuit(&world.bundle, way)?));
    told.item("verified", &format!("by {way}; trusted is {}", way.trust()));
    told.item("keys", &keys(world, &configured_srs, way)?);
    let mut bundles = vec![&world.bundle; jobs.len()];
    let altcoins = match worlds.as_slice() {
        [.., world] if jobs.len() == MAX_JOBS => Some(altcoins(&mut config, world, scratch, told).await?),
        _ => None,
    };
    if let (Some(last), Some(altcoins)) = (bundles.last_mut(), &altcoins) {
        *last = altcoins;
    }
    for (world, (name, chain_id)) in worlds.iter().zip(CHAINS) {
        world.anvil.request("anvil_setChainId", json!([chain_id])).await?;
        let (contracts, rpc_url) = (&world.deployment.contracts, world.anvil.rpc_url.as_str().trim_end_matches('/'));
        let head = if is_alone { "chain".to_owned() } else { format!("chain {name}") };
        let begins = format_utc(begins_seconds * 1000);
        told.item(&head, &format!("anvil at {rpc_url} (chain {chain_id}), its time starting at {begins}"));
        told.item("contracts", &format!("RiskOracle {}", contracts.oracle.address));
        told.item("", &format!("verifier {}", contracts.verifier.address));
    }
    let text = toml(&written(&config, jobs, &worlds, &bundles, scratch)?);
    let settings = scratch.join("agent.toml");
    veriregime_files::write_atomic(&settings, text.as_bytes())?;
    let node = config::parse(&text)?;
    for (index, (job, bundle)) in node.jobs().iter().zip(&bundles).enumerate().filter(|_| !is_alone) {
        let words = format!("{} runs {} on chain {}", job.names.job, bundle.manifest.model_id, job.names.chain);
        told.item(if index == 0 { "jobs" } else { "" }, &words);
    }
    told.item("", &format!("ready after {} ms", started.elapsed().as_millis()));
    // How candles are asked for and proofs are made is what this machine's settings say.
    let of_machine = |job: &Config| {
        let mut job = Config { candles: config.candles.clone(), prover: config.prover.clone(), ..job.clone() };
        job.chain.poll_interval = POLL;
        job
    };
    Ok(Setup {
        jobs: node.jobs().iter().map(of_machine).collect(),
        keys: job_keys(node.jobs())?.into_iter().flatten().collect(),
        chains: worlds.into_iter().map(|world| world.anvil).collect(),
        settings,
    })
}

/// Makes the model over several markets, puts it on the world's contract, and gives back its bundle. Its SRS may be one for
/// development, which is made in `scratch` and for which `config` is pointed there.
async fn altcoins(config: &mut Config, world: &World, scratch: &Path, told: &Told<'_>) -> anyhow::Result<Bundle> {
    let (started, from) = (Instant::now(), &world.bundle.manifest.model_id);
    (told.step)(&format!("model {ALTCOINS_MODEL}: making its circuit, keys and verifier"));
    let (srs_dir, folder) = (scratch.join("srs"), scratch.join(ALTCOINS_MODEL));
    if config.prover.srs_dir != srs_dir {
        copy_srs(&config.prover.srs_dir, &srs_dir)?;
        config.prover.srs_dir.clone_from(&srs_dir);
    }
    let markets = beside(MAX_JOBS);
    let names = markets.iter().map(|market| market.name.as_str()).collect::<Vec<_>>().join(", ");
    let bundle = Box::pin(devnet::bundles::bundle_for(config, &world.bundle, markets, &srs_dir, &folder)).await?;
    (told.step)(&format!("model {ALTCOINS_MODEL}: proving once, and deploying it"));
    fleet::deploy(world, &bundle, &smoke_proof(config, &bundle).await?).await?;
    let offer = bundle.manifest.offer(config.prover.kind.way())?;
    let origin = match offer.srs {
        Some(srs) if srs.is_ceremony => ", from the public ceremony's SRS",
        Some(_) => ", from an insecure development SRS",
        None => "",
    };
    told.item("model", &format!("{ALTCOINS_MODEL}: {}", circuit(&bundle, offer.way)?));
    told.item(
        "",
        &format!("the network of {from} for {names}, to show several markets in one proof: it was not trained on them"),
    );
    told.item("verifier", &format!("made for this demo in {} s{origin}", started.elapsed().as_secs()));
    Ok(bundle)
}

/// Copies the SRS files that there are: what is missing is then made beside the copies.
fn copy_srs(from: &Path, to: &Path) -> anyhow::Result<()> {
    veriregime_files::create_folder(to)?;
    for logrows in MIN_LOGROWS..=LARGEST_LOGROWS {
        if let Ok(srs) = Srs::open(from, logrows) {
            let name = srs.path.file_name().context("a file has a name")?;
            veriregime_files::write_atomic(&to.join(name), &veriregime_files::read_bounded(&srs.path, MAX_SRS_BYTES)?)?;
        }
    }
    Ok(())
}

fn circuit(bundle: &Bundle, way: Way) -> anyhow::Result<String> {
    let offer = bundle.manifest.offer(way)?;
    let instances = format!("{} public inputs", offer.instances);
    Ok(match (way, &bundle.manifest.verification.ezkl) {
        (Way::Ezkl, Some(circuit)) => format!("{instances}, {} rows, {} byte proofs", circuit.rows, offer.proof_bytes),
        (Way::Direct, _) => format!("{instances}, computed by a contract, no proof"),
        _ => format!("{instances}, {} byte proofs", offer.proof_bytes),
    })
}

fn keys(world: &World, configured_srs: &Path, way: Way) -> anyhow::Result<String> {
    let Some(SrsOffer { logrows, .. }) = world.bundle.manifest.offer(way)?.srs else {
        return Ok("none: the chain computes the network itself".to_owned());
    };
    if world.ceremony {
        let whose = if way == Way::Halo2 { "made from the network" } else { "the bundle's" };
        return Ok(format!("{whose}, from the public ceremony's SRS kzg{logrows}.srs"));
    }
    Ok(format!(
        "no ceremony SRS in {} and none can be downloaded, so the demo made an insecure development SRS and keys of its own. \
         They are good for this chain only; any other chain is refused.",
        configured_srs.display()
    ))
}

/// The settings of a node with these jobs, which share a wallet.
fn written(
    config: &Config,
    jobs: &[(&str, usize)],
    worlds: &[World],
    bundles: &[&Bundle],
    scratch: &Path,
) -> anyhow::Result<Value> {
    let mut said = json!({
        "prover": {"kind": config.prover.kind, "python": absolute(&config.prover.python)?, "srs_dir": absolute(&config.prover.srs_dir)?},
        "wallets.demo": {"file": scratch.join("node.key")},
        "schedule": {"clock": "exchange"},
        "state": {"path": scratch.join("agent.sqlite")},
        "evidence": {"dir": config.evidence_dir},
    });
    if let Some(base_url) = &config.candles.sources[&config.candles.order[0]].base_url {
        said["candles"] = json!({"base_url": base_url.as_str()});
    }
    for (world, (name, chain_id)) in worlds.iter().zip(CHAINS) {
        said[format!("chains.{name}")] = json!({"rpc_url": world.anvil.rpc_url.as_str(), "chain_id": chain_id});
    }
    let mut written = Vec::new();
    for ((name, chain), bundle) in jobs.iter().zip(bundles) {
        written.push(json!({
            "name": name,
            "bundle": absolute(&bundle.folder)?,
            "chain": CHAINS[*chain].0,
            "contract": worlds[*chain].deployment.contracts.oracle.address.to_string(),
            "wallet": "demo",
        }));
    }
    said["jobs"] = written.into();
    Ok(said)
}
