//! `deploy`: contracts, markets with their policies and the model on the configured chain.

use std::path::PathBuf;

use alloy::primitives::Address;
use clap::Args;

use super::selection::Selection;
use super::{EXIT_DONE, EXIT_UNFINISHED, print};
use crate::bundle::Bundle;
use crate::deployment::complete::{Sent, complete};
use crate::deployment::error::DeploymentError;
use crate::deployment::outbox::Outbox;
use crate::deployment::record::Record;
use crate::deployment::render::Report;
use crate::deployment::request::{OVERLAP_PERIODS, Request};
use crate::deployment::trials;
use crate::devnet::rehearsal;
use crate::node::assemble;
use crate::node::smoke::smoke_proof;
use crate::render::Render;
use veriregime_core::types::address;
use veriregime_core::types::chain_id::is_development;

/// Options of `deploy`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent --config agent.toml deploy --dry-run
  veriregime-agent --config agent.toml deploy --owner 0xA… --market-owner 0xB… --guardian 0xC… --attestor 0xD…
  veriregime-agent --config agent.toml deploy --policy policy.toml     changes the policy of existing markets, too

Every step is skipped if the chain shows it already: run the same command again after a crash, when the timelock has
passed, or with another model to rotate to it. Addresses follow from code and arguments, on every chain alike.

Exit status: 0 everything is as wanted, 1 error, 3 steps are missing: the timelock has not passed, or another account must
send them; it says which. With --dry-run: 3 if any step is missing.")]
pub struct DeployArgs {
    /// Say what would be sent and which parameters differ; send nothing.
    #[arg(long)]
    dry_run: bool,
    /// Owner of registry and oracle. What another owner than the wallet must send is printed.
    #[arg(long, value_name = "ADDRESS", value_parser = address::parse)]
    owner: Option<Address>,
    /// Owner of the markets: sets their policies. The owner if absent on a development chain.
    #[arg(long, value_name = "ADDRESS", value_parser = address::parse)]
    market_owner: Option<Address>,
    /// May refuse what is announced, end models and pause markets, nothing else. The owner if absent on a development chain.
    #[arg(long, value_name = "ADDRESS", value_parser = address::parse)]
    guardian: Option<Address>,
    /// Whose signatures updates need; once for each. This node's attestor if absent on a development chain.
    #[arg(long = "attestor", value_name = "ADDRESS", value_parser = address::parse)]
    attestors: Vec<Address>,
    /// How many of these signatures an update needs.
    #[arg(long, value_name = "N")]
    threshold: Option<u8>,
    /// Give the wallet, and this node's attestor, every role that is not named, on whatever chain.
    #[arg(long)]
    i_know_one_key_rules_all: bool,
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
    /// Folder of the records, `<chain-id>.json`: addresses, code hashes and arguments, which later runs take from it.
    #[arg(long, value_name = "DIR", default_value = "deploy")]
    record: PathBuf,
}

/// Deploys what is missing and says what that was.
///
/// # Errors
/// What keeps it from deploying; what was done stays done.
pub async fn run(args: DeployArgs, settings: Selection<'_>, json: bool) -> anyhow::Result<u8> {
    let config = settings.one()?;
    let bundle = Bundle::open(&config.bundle)?;
    let chain = assemble::deployer(&config).await?;
    let path = Record::path(&args.record, config.chain.chain_id);
    let dry_run = args.dry_run;
    let expected = assemble::expected(&bundle, config.prover.kind.way())?;
    let deployment = args.request().deployment(&bundle, expected, &chain, &path).await?;
    chain.read.check_chain_id().await.map_err(DeploymentError::from)?;
    let rows = deployment.parameters(&chain.read).await?;
    let missing = deployment.missing(&chain.read, chain.address()).await?;
    let wants_proof = missing.iter().any(|step| step.needs_proof);
    let smoke = if wants_proof { Some(smoke_proof(&config, &bundle).await?) } else { None };
    let trials = trials(&missing, |step| deployment.calldata(step, smoke.as_ref()));
    let outlook = rehearsal::outlook(&config, &chain.read, chain.address(), &trials).await?;
    let is_development = is_development(config.chain.chain_id);
    let roles = deployment.role_holders(&chain.read).await?;
    let mut report =
        Report { deployment, is_development, roles, rows, sent: Vec::new(), missing, outlook, record: None };
    if !dry_run {
        if let Some(warning) = report.warning().filter(|_| !json) {
            println!("{warning}");
        }
        if let Some(lines) = report.outlook.lines().filter(|_| !json) {
            println!("{lines}");
        }
        if report.missing.iter().any(|step| step.blocked.is_none()) {
            report.outlook.check_funds()?;
        }
        let deployment = &report.deployment;
        let record = async || {
            let (hashes, roles) =
                (deployment.code_hashes(&chain.read).await?, deployment.role_holders(&chain.read).await?);
            Ok::<_, DeploymentError>(Record::of(deployment, config.chain.chain_id, &hashes, roles))
        };
        let before = record().await?;
        // So that whoever goes on from here needs no argument.
        let begin = || before.write(&path);
        let mut said = |one: Sent| {
            if !json {
                println!("{}", one.text());
            }
            report.sent.push(one);
        };
        report.missing =
            complete(deployment, &Outbox::of_node(&chain, &config), smoke.as_ref(), begin, &mut said).await?;
        let after = record().await?;
        if after.has_oracle() || !report.sent.is_empty() {
            after.write(&path)?;
        }
        report.record = Some(path);
    }
    print::output(json, &report);
    Ok(if report.missing.is_empty() { EXIT_DONE } else { EXIT_UNFINISHED })
}

impl DeployArgs {
    fn request(self) -> Request {
        Request {
            owner: self.owner,
            market_owner: self.market_owner,
            guardian: self.guardian,
            attestors: self.attestors,
            threshold: self.threshold,
            timelock_seconds: self.timelock,
            sequencer_feed: self.sequencer_feed,
            policy: self.policy,
            overlap_periods: self.overlap_periods,
            one_key: self.i_know_one_key_rules_all,
        }
    }
}
