//! `deploy`: contracts, markets with their policies and the model on the configured chain.

pub mod render;

use std::path::{Path, PathBuf};

use alloy::primitives::{Address, B256, Bytes};
use anyhow::Context;
use clap::Args;
use serde_json::json;

use super::rehearsal::Outlook;
use super::{EXIT_DONE, EXIT_UNFINISHED};
use crate::actions::risk_oracle::abi::IRegimeRiskOracle::SmokeProof;
use crate::bundle::Bundle;
use crate::chain::Chain;
use crate::config::Config;
use crate::deployment::error::DeploymentError;
use crate::deployment::outbox::Outbox;
use crate::deployment::policy::MarketRules;
use crate::deployment::record::Record;
use crate::deployment::{
    ANVIL_CHAIN_ID, Constructor, Deployment, MIN_TIMELOCK_SECONDS, Step, Wanted, WantedMarket, trials,
};
use crate::node::assemble;
use veriregime_core::forecast::compute;
use veriregime_core::types::address;
use veriregime_core::types::manifest::VERIFIER_BYTECODE_FILE;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::public_inputs;

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
    #[arg(long, value_name = "ADDRESS", value_parser = address::parse)]
    owner: Option<Address>,
    /// May veto, pause and disable, nothing else; the owner if absent.
    #[arg(long, value_name = "ADDRESS", value_parser = address::parse)]
    guardian: Option<Address>,
    /// Whose signatures updates need; once for each. This node's attestor if absent.
    #[arg(long = "attestor", value_name = "ADDRESS", value_parser = address::parse)]
    attestors: Vec<Address>,
    /// How many of these signatures an update needs.
    #[arg(long, value_name = "N")]
    threshold: Option<u8>,
    /// Seconds between announcing and doing; two days if absent, none on anvil. At least a day elsewhere.
    #[arg(long, value_name = "SECONDS")]
    timelock: Option<u64>,
    /// Chainlink's sequencer uptime feed, on an L2.
    #[arg(long, value_name = "ADDRESS", value_parser = address::parse)]
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
    let config = assemble::settings(settings)?;
    let bundle = Bundle::open(&config.bundle)?;
    let chain = assemble::deployer(&config).await?;
    let path = Record::path(&args.record, config.chain.chain_id);
    let deployment = deployment(&args, &config, &bundle, &chain, &path).await?;
    chain.read.check_chain_id().await.map_err(DeploymentError::from)?;
    let rows = deployment.parameters(&chain.read).await?;
    let missing = deployment.missing(&chain.read, chain.address()).await?;
    let wants_proof = missing.iter().any(|step| step.needs_proof);
    let smoke = if wants_proof { Some(smoke_proof(&config, &bundle).await?) } else { None };
    let trials = trials(&missing, |step| deployment.calldata(step, smoke.as_ref()));
    let outlook = Outlook::of(&config, &chain.read, chain.address(), &trials).await?;
    if args.dry_run {
        if json {
            println!("{}", render::json(&deployment, &rows, &[], &missing, &outlook));
        } else {
            render::plan(&deployment, &rows, &missing, &outlook);
        }
        return Ok(code(&missing));
    }
    if let Some(lines) = outlook.lines().filter(|_| !json) {
        println!("{lines}");
    }
    if missing.iter().any(|step| step.blocked.is_none()) {
        outlook.check_funds()?;
    }
    let record = |code_hashes: &[_]| Record::of(&deployment, config.chain.chain_id, code_hashes);
    let before = record(&deployment.code_hashes(&chain.read).await?);
    // So that whoever goes on from here needs no argument.
    let begin = || before.write(&path);
    let mut sent = Vec::new();
    let mut said = |one: Sent| {
        if !json {
            println!("  {}: {}, {} gas", one.name, one.hash, one.gas_used);
        }
        sent.push(json!({"name": one.name, "hash": one.hash, "gas_used": one.gas_used}));
    };
    let outbox = Outbox::of_node(&chain, &config);
    let missing = complete(&deployment, &outbox, smoke.as_ref(), begin, &mut said).await?;
    let after = record(&deployment.code_hashes(&chain.read).await?);
    if after.has_oracle() || !sent.is_empty() {
        after.write(&path)?;
    }
    if json {
        println!("{}", render::json(&deployment, &rows, &sent, &missing, &outlook));
        return Ok(code(&missing));
    }
    render::outcome(&deployment, &missing, &outlook, &path);
    Ok(code(&missing))
}

fn code(missing: &[Step]) -> u8 {
    if missing.is_empty() { EXIT_DONE } else { EXIT_UNFINISHED }
}

/// The deployment that is asked for, which is the recorded one wherever the chain has that already.
async fn deployment(
    args: &DeployArgs,
    config: &Config,
    bundle: &Bundle,
    chain: &Chain,
    path: &Path,
) -> anyhow::Result<Deployment> {
    let recorded = Record::read(path)?;
    let is_binding = match &recorded {
        Some(record) => {
            chain.read.check_chain_id().await.map_err(DeploymentError::from)?;
            record.binds(path, &chain.read).await?
        }
        None => false,
    };
    // Arguments of an oracle that never came to be are worth keeping only as a whole.
    let recorded = recorded.filter(|_| is_binding || !args.names_arguments());
    let rules = match &args.policy {
        Some(path) => MarketRules::read(path)?,
        None => MarketRules::starting()?,
    };
    let constructor = args.constructor(config, chain, recorded.as_ref().map(|record| &record.constructor));
    let mut wanted = wanted(bundle, constructor, rules)?;
    wanted.change_policy = args.policy.is_some();
    wanted.overlap_periods = args.overlap_periods;
    let deployment = Deployment::new(wanted, config.chain.chain_id)?;
    if let Some(record) = recorded.filter(|_| is_binding) {
        record.check(path, &deployment)?;
    }
    Ok(deployment)
}

impl DeployArgs {
    /// Whether the command line names any of the arguments with which an oracle is created.
    fn names_arguments(&self) -> bool {
        let addresses = [self.owner, self.guardian, self.sequencer_feed, self.attestors.first().copied()];
        addresses.iter().any(Option::is_some) || self.threshold.is_some() || self.timelock.is_some()
    }

    /// From the command line, else from the record, else the usual ones.
    fn constructor(&self, config: &Config, chain: &Chain, recorded: Option<&Constructor>) -> Constructor {
        let owner = self.owner.or(recorded.map(|arguments| arguments.owner)).unwrap_or(chain.address());
        let mut attestors = self.attestors.clone();
        if attestors.is_empty() {
            attestors = recorded.map_or_else(|| vec![chain.attestor()], |arguments| arguments.attestors.clone());
        }
        attestors.sort_unstable();
        let usual_timelock = if config.chain.chain_id == ANVIL_CHAIN_ID { 0 } else { TIMELOCK_SECONDS };
        let recorded_timelock = recorded.map(|arguments| arguments.timelock_seconds);
        let recorded_feed = recorded.map(|arguments| arguments.sequencer_feed);
        Constructor {
            owner,
            guardian: self.guardian.or(recorded.map(|arguments| arguments.guardian)).unwrap_or(owner),
            timelock_seconds: self.timelock.or(recorded_timelock).unwrap_or(usual_timelock),
            attestors,
            threshold: self.threshold.or(recorded.map(|arguments| arguments.threshold)).unwrap_or(1),
            sequencer_feed: self.sequencer_feed.or(recorded_feed).unwrap_or(Address::ZERO),
        }
    }
}

/// Everything that an update with `bundle` needs, owned by `constructor.owner`.
///
/// # Errors
/// A bundle that is not right.
pub fn wanted(bundle: &Bundle, constructor: Constructor, rules: MarketRules) -> anyhow::Result<Wanted> {
    let code = veriregime_files::read_text(&bundle.path(VERIFIER_BYTECODE_FILE), MAX_BYTECODE_BYTES)?;
    let verifier_code: Bytes = code.trim().parse().context("the verifier's bytecode is not hex")?;
    let markets = bundle.manifest.markets.iter();
    Ok(Wanted {
        expected: assemble::expected(bundle)?,
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

/// A step that was taken.
#[derive(Debug)]
pub struct Sent {
    pub name: String,
    pub hash: B256,
    pub gas_used: u64,
}

/// Takes every step that can be taken, and returns those that cannot be taken yet. `smoke` is the proof for the step that
/// needs one; `begin` is done before the first transaction.
///
/// # Errors
/// What stops it; what was done stays done.
pub async fn complete(
    deployment: &Deployment,
    outbox: &Outbox<'_>,
    smoke: Option<&SmokeProof>,
    begin: impl Fn() -> anyhow::Result<()>,
    said: &mut (dyn FnMut(Sent) + Send),
) -> anyhow::Result<Vec<Step>> {
    let (read, wallet) = (&outbox.chain.read, outbox.chain.address());
    let mut mined = 0;
    loop {
        let next = async {
            let mut steps = deployment.missing(read, wallet).await?;
            let Some(at) = steps.iter().position(|step| step.blocked.is_none()) else { return Ok((steps, None)) };
            if mined == 0 {
                begin()?;
            }
            let step = steps.swap_remove(at);
            let receipt = outbox.send(step.to, deployment.calldata(&step, smoke)).await?;
            deployment.expect_effect(read, wallet, &step).await?;
            let (hash, gas_used) = (receipt.transaction_hash, receipt.gas_used);
            anyhow::Ok((Vec::new(), Some(Sent { name: step.name, hash, gas_used })))
        };
        match next.await {
            Ok((steps, None)) => return Ok(steps),
            Ok((_, Some(sent))) => {
                said(sent);
                mined += 1;
            }
            Err(error) if mined > 0 => {
                return Err(error.context(format!("{mined} transactions of this run are mined and stay")));
            }
            Err(error) => return Err(error),
        }
    }
}

/// A real proof of what the model says when every candle feature is at its mean. Any period will do.
pub async fn smoke_proof(config: &Config, bundle: &Bundle) -> anyhow::Result<SmokeProof> {
    let (manifest, period) = (&bundle.manifest, PeriodId(0));
    let windows = vec![None; manifest.markets.len()];
    let forecast = compute(&manifest.features, &assemble::model(bundle)?, &windows, period)?;
    let outputs = forecast.output_integers();
    let mut prover = assemble::prover(config, bundle).await?;
    let proved = prover.prove(&forecast.inputs(), &outputs).await?;
    prover.stop().await;
    Ok(SmokeProof {
        period: period.0,
        candleFeatures: public_inputs::candle_features(&forecast.features),
        outputs,
        proof: proved.proof.bytes,
    })
}
