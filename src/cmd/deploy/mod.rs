//! `deploy`: contracts, markets with their policies and the model on the configured chain.

pub mod policy;
pub mod record;
mod shown;

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use alloy::primitives::{Address, Bytes};
use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};

use super::{EXIT_DONE, EXIT_UNFINISHED, setup};
use crate::chain::Chain;
use crate::chain::abi::IRegimeRiskOracle::SmokeProof;
use crate::chain::deploy::{
    ANVIL_CHAIN_ID, Constructor, Deployment, MIN_TIMELOCK_SECONDS, Progress, Step, Wanted, WantedMarket,
};
use crate::config::Config;
use crate::features;
use crate::fs;
use crate::proof::bundle::Bundle;
use crate::types::feature::FeatureVector;
use crate::types::manifest::VERIFIER_BYTECODE_FILE;
use crate::types::period::PeriodId;
use crate::types::prediction::Outputs;
use policy::MarketRules;
use record::Record;

/// Largest creation code.
const MAX_BYTECODE_BYTES: u64 = 1 << 20;
/// A day: enough for every node to change over.
const OVERLAP_PERIODS: u16 = 6;
/// Two days: time for a guardian to wake up.
const TIMELOCK_SECONDS: u64 = 2 * MIN_TIMELOCK_SECONDS;

/// Options of `deploy`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent --config agent.toml deploy --dry-run
  veriregime-agent --config agent.toml deploy --guardian 0x70997970C51812dc3A010C7d01b50e0d17dc79C8
  veriregime-agent --config agent.toml deploy --policy policy.toml     changes the policy of existing markets, too

Every step is skipped if the chain shows it already: run the same command again after a crash, when the timelock has
passed, or with another model to rotate to it. Addresses follow from code and arguments, on every chain alike.

Exit status: 0 everything is as wanted, 1 error, 3 steps are missing: the timelock has not passed, or another account must
send them; it says which. With --dry-run: 3 if any step is missing.")]
pub struct DeployArgs {
    /// Say what would be sent and which parameters differ; send nothing.
    #[arg(long)]
    dry_run: bool,
    /// Owner of the contract and of its markets; the wallet if absent. What another owner must send is printed.
    #[arg(long, value_name = "ADDRESS")]
    owner: Option<Address>,
    /// May veto, pause and disable, nothing else; the owner if absent.
    #[arg(long, value_name = "ADDRESS")]
    guardian: Option<Address>,
    /// Whose signatures updates need; once for each. This node's attestor if absent.
    #[arg(long = "attestor", value_name = "ADDRESS")]
    attestors: Vec<Address>,
    /// How many of these signatures an update needs.
    #[arg(long, value_name = "N")]
    threshold: Option<u8>,
    /// Seconds between announcing and doing; two days if absent, none on anvil. At least a day elsewhere.
    #[arg(long, value_name = "SECONDS")]
    timelock: Option<u64>,
    /// Chainlink's sequencer uptime feed, on an L2.
    #[arg(long, value_name = "ADDRESS")]
    sequencer_feed: Option<Address>,
    /// Policy of the markets, instead of deploy/policy.toml; given, it also replaces that of existing markets.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Periods for which the model that is replaced stays accepted.
    #[arg(long, value_name = "N", default_value_t = OVERLAP_PERIODS)]
    overlap_periods: u16,
    /// Folder of the records, <chain-id>.json: addresses, code hashes and arguments, which later runs take from it.
    #[arg(long, value_name = "DIR", default_value = "deploy")]
    record: PathBuf,
}

/// Deploys what is missing and says what that was.
///
/// # Errors
/// What keeps it from deploying; what was done stays done.
pub async fn run(args: DeployArgs, settings: Option<&Path>, json: bool) -> anyhow::Result<u8> {
    let config = setup::settings(settings)?;
    let bundle = Bundle::open(&config.bundle)?;
    let chain = setup::deployer(&config).await?;
    let path = Record::path(&args.record, config.chain.chain_id);
    let recorded = Record::read(&path)?;
    let deployment = planned(&args, &config, &bundle, &chain, recorded.as_ref())?;
    if let Some(recorded) = &recorded {
        recorded.check(&path, &deployment)?;
    }
    chain.read.check_chain_id().await?;
    let rows = deployment.parameters(&chain.read).await?;
    if args.dry_run {
        let missing = deployment.missing(&chain.read, chain.address()).await?;
        if json {
            println!("{}", shown::json(&deployment, &rows, &[], &missing));
        } else {
            shown::addresses(&deployment);
            shown::parameters(&rows);
            println!("{}", if missing.is_empty() { "Nothing would be sent." } else { "Would be sent:" });
            shown::steps(&missing);
        }
        return Ok(code(&missing));
    }
    let write = async || {
        let code_hashes = deployment.code_hashes(&chain.read).await?;
        Record::of(&deployment, config.chain.chain_id, &code_hashes).write(&path)
    };
    // Before anything is sent, so that whoever goes on from here needs no argument.
    write().await?;
    let sent = Mutex::new(Vec::new());
    let said = |progress: &Progress| {
        if let (Progress::Sent { name, hash, gas_used }, Ok(mut sent)) = (progress, sent.lock()) {
            sent.push(json!({"name": name, "hash": hash, "gas_used": gas_used}));
        }
        if !json {
            shown::progress(progress);
        }
    };
    let missing = complete(&deployment, &chain, &config, &bundle, &said).await?;
    write().await?;
    if json {
        let sent: Vec<Value> = sent.into_inner().unwrap_or_default();
        println!("{}", shown::json(&deployment, &rows, &sent, &missing));
        return Ok(code(&missing));
    }
    shown::addresses(&deployment);
    println!("The code of each is what was compiled; {} has the details.", path.display());
    if !missing.is_empty() {
        println!("\nNot finished:");
        shown::steps(&missing);
        if let Some(moment) = shown::again(&missing) {
            println!("Run the same command again after {moment}.");
        }
        return Ok(EXIT_UNFINISHED);
    }
    println!("\nPut this into the settings:\n[chain]\noracle = \"{}\"", deployment.contracts.oracle.address);
    Ok(EXIT_DONE)
}

fn code(missing: &[Step]) -> u8 {
    if missing.is_empty() { EXIT_DONE } else { EXIT_UNFINISHED }
}

/// Arguments come from the command line, else from the record, else they are the usual ones.
fn planned(
    args: &DeployArgs,
    config: &Config,
    bundle: &Bundle,
    chain: &Chain,
    recorded: Option<&Record>,
) -> anyhow::Result<Deployment> {
    let recorded = recorded.map(|record| &record.constructor);
    let owner = args.owner.or(recorded.map(|arguments| arguments.owner)).unwrap_or(chain.address());
    let mut attestors = args.attestors.clone();
    if attestors.is_empty() {
        attestors = recorded.map_or_else(|| vec![chain.attestor()], |arguments| arguments.attestors.clone());
    }
    attestors.sort_unstable();
    let usual_timelock = if config.chain.chain_id == ANVIL_CHAIN_ID { 0 } else { TIMELOCK_SECONDS };
    let constructor = Constructor {
        owner,
        guardian: args.guardian.or(recorded.map(|arguments| arguments.guardian)).unwrap_or(owner),
        timelock_seconds: args
            .timelock
            .or(recorded.map(|arguments| arguments.timelock_seconds))
            .unwrap_or(usual_timelock),
        attestors,
        threshold: args.threshold.or(recorded.map(|arguments| arguments.threshold)).unwrap_or(1),
        sequencer_feed: args
            .sequencer_feed
            .or(recorded.map(|arguments| arguments.sequencer_feed))
            .unwrap_or(Address::ZERO),
    };
    let rules = match &args.policy {
        Some(path) => MarketRules::read(path)?,
        None => MarketRules::starting()?,
    };
    let mut wanted = wanted(bundle, constructor, rules)?;
    wanted.change_policy = args.policy.is_some();
    wanted.overlap_periods = args.overlap_periods;
    Ok(Deployment::new(wanted, config.chain.chain_id)?)
}

/// Everything that an update with `bundle` needs, owned by `constructor.owner`.
///
/// # Errors
/// A bundle that is not right.
pub fn wanted(bundle: &Bundle, constructor: Constructor, rules: MarketRules) -> anyhow::Result<Wanted> {
    let code = fs::read_text(&bundle.path(VERIFIER_BYTECODE_FILE), MAX_BYTECODE_BYTES)?;
    let verifier_code: Bytes = code.trim().parse().context("the verifier's bytecode is not hex")?;
    let markets = bundle.manifest.markets.iter();
    Ok(Wanted {
        expected: setup::expected(bundle)?,
        verifier_code,
        market_owner: constructor.owner,
        constructor,
        markets: markets.map(|market| WantedMarket { name: market.name.clone(), id: market.id() }).collect(),
        bounds: rules.bounds,
        policy: rules.policy,
        change_policy: false,
        overlap_periods: OVERLAP_PERIODS,
    })
}

/// Takes every step that can be taken, and returns those that cannot be taken yet.
///
/// # Errors
/// What stops it; what was done stays done.
pub async fn complete(
    deployment: &Deployment,
    chain: &Chain,
    config: &Config,
    bundle: &Bundle,
    said: &(dyn Fn(&Progress) + Send + Sync),
) -> anyhow::Result<Vec<Step>> {
    let mut smoke = None;
    loop {
        let progress = deployment.advance(chain, smoke.as_ref()).await?;
        said(&progress);
        match progress {
            Progress::Sent { .. } => {}
            Progress::WantsProof => smoke = Some(smoke_proof(config, bundle).await?),
            Progress::Waiting(steps) => return Ok(steps),
            Progress::Done => return Ok(Vec::new()),
        }
    }
}

/// A real proof of what the model says when every candle feature is at its mean. Any period will do.
async fn smoke_proof(config: &Config, bundle: &Bundle) -> anyhow::Result<SmokeProof> {
    let (manifest, period) = (&bundle.manifest, PeriodId(0));
    let candle = vec![0; manifest.features.candle.len()];
    let calendar = features::calendar_table(&manifest.features)?.swap_remove(period.slot_of_week());
    let vectors = vec![FeatureVector { candle, calendar }; manifest.markets.len()];
    let inputs = FeatureVector::concat(&vectors);
    let forecasts = setup::model(bundle)?.predict(&inputs)?;
    let outputs: Vec<Outputs> = forecasts.into_iter().map(|forecast| forecast.circuit).collect();
    let outputs = Outputs::concat(&outputs);
    let mut prover = setup::prover(config, bundle).await?;
    let proved = prover.prove(&inputs, &outputs).await?;
    prover.stop().await;
    Ok(SmokeProof {
        period: period.0,
        candleFeatures: vectors.into_iter().flat_map(|vector| vector.candle).collect(),
        outputs,
        proof: proved.proof.bytes,
    })
}
