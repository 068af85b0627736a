//! `hedge deploy`, `hedge sell` and `hedge swap`: electricity paid on the configured chain.

use std::path::PathBuf;

use alloy::primitives::{Address, B256};
use clap::Args;

use super::registry_args::RegistryArgs;
use super::selection::Selection;
use super::{EXIT_DONE, EXIT_UNFINISHED, print};
use crate::actions::one_market::model::OneMarketModel;
use crate::bundle::Bundle;
use crate::bundle::error::BundleError;
use crate::config::place;
use crate::deployment::complete::{Plan, Sent, complete};
use crate::deployment::error::DeploymentError;
use crate::deployment::hedge::HedgeDeployment;
use crate::deployment::hedge::file::VaultFile;
use crate::deployment::hedge::render::HedgeReport;
use crate::deployment::outbox::Outbox;
use crate::deployment::request::verifier_code;
use crate::deployment::trials;
use crate::devnet::rehearsal;
use crate::node::assemble;
use crate::node::smoke::smoke_proof;
use crate::operator::hedge_sale::{Outlook, SaleRequest, outlook};
use crate::operator::hedge_swap::{SwapPlan, SwapRequest, plan};
use crate::render::Render;
use veriregime_core::types::address;

/// Arguments of `hedge deploy`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent --config agent.toml hedge deploy --vault-file hedge.toml --dry-run
  veriregime-agent --config agent.toml hedge deploy --vault-file hedge.toml --owner 0xA… --guardian 0xB… --attestor 0xC…

Registry, verifier, the country's model, the vault and its terms: what the chain has already is skipped, so run the same
command again after a crash, when the timelock has passed, or with other terms. Addresses follow from code and arguments.

Exit status: 0 everything is as wanted, 1 error, 3 steps are missing. With --dry-run: 3 if any step is missing.")]
pub struct HedgeDeployArgs {
    /// The vault and what its owner allows; start from deploy/hedge.toml.
    #[arg(long, value_name = "FILE")]
    vault_file: PathBuf,
    /// Bundle of the electricity model.
    #[arg(long, value_name = "DIR", default_value = "models/eu-electricity-v1")]
    model: PathBuf,
    /// Say what would be sent and what it costs; send nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    registry: RegistryArgs,
}

/// Arguments of `hedge sell`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent --config agent.toml hedge sell --vault 0xA… --data tables --country DEU --dry-run

Forecasts by the tables as they were before the running week, proves, attests with this node's key, and lets the vault sell.
Exit status: 0 sold, or nothing to do in this week; 1 error; 3 with --dry-run if it would sell.")]
pub struct SellArgs {
    /// The vault.
    #[arg(long, value_name = "ADDRESS", value_parser = address::parse)]
    vault: Address,
    /// Folder with the tables.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The country of the vault's model by its ISO 3166 code.
    #[arg(long, value_name = "CODE")]
    country: String,
    /// Bundle of the electricity model.
    #[arg(long, value_name = "DIR", default_value = "models/eu-electricity-v1")]
    model: PathBuf,
    /// Say what would be sold and why; send nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Arguments of `hedge swap`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent --config agent.toml hedge swap --from-wallet --vault-file hedge.toml --router 0xE… --data tables --days 7

The way without a vault: an allowance for exactly what is sold, and a swap, with the file's budget for a period, slippage, mean
price and floor. Nothing remembers which days were paid: say for how many you want to sell.
Exit status: 0 sold; 1 error; 3 with --dry-run.")]
pub struct SwapArgs {
    /// Sell the wallet's own WBTC.
    #[arg(long, required = true)]
    from_wallet: bool,
    /// Tokens, factory and limits, as for a vault.
    #[arg(long, value_name = "FILE")]
    vault_file: PathBuf,
    /// Uniswap v3's router.
    #[arg(long, value_name = "ADDRESS", value_parser = address::parse)]
    router: Address,
    /// Folder with the tables.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Days whose electricity to pay; all of the file's months if absent.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=150))]
    days: Option<u32>,
    /// Bundle of the electricity model.
    #[arg(long, value_name = "DIR", default_value = "models/eu-electricity-v1")]
    model: PathBuf,
    /// Say what would be sold and why; send nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Runs `hedge deploy`.
///
/// # Errors
/// What keeps it from deploying; what was done stays done.
pub async fn run_deploy(args: HedgeDeployArgs, settings: Selection<'_>, json: bool) -> anyhow::Result<u8> {
    let config = settings.one()?;
    let bundle = Bundle::open(&place::data(&args.model))?;
    let (file, way) = (VaultFile::read(&args.vault_file)?, config.prover.kind.way());
    let model = OneMarketModel::of_country(&bundle.manifest, bundle.manifest_digest, &file.country, way);
    let model = model.ok_or_else(|| BundleError::Manifest {
        path: bundle.manifest_path.clone(),
        reason: format!("it is no electricity model that can be verified by {way}"),
    })?;
    let chain = assemble::deployer(&config).await?;
    let wallet = chain.address();
    chain.read.check_chain_id().await.map_err(DeploymentError::from)?;
    let dry_run = args.dry_run;
    let arguments = args.registry.request().registry_arguments(&chain)?;
    let code = verifier_code(&bundle, way)?;
    let deployment = HedgeDeployment::new(&file, model, &code, arguments, (&chain.read, wallet)).await?;
    let missing = deployment.missing(&chain.read, wallet).await?;
    let wants_proof = missing.iter().any(|step| step.needs_proof);
    let smoke = if wants_proof { Some(smoke_proof(&config, &bundle).await?) } else { None };
    let trials = trials(&missing, |step| deployment.calldata(step, smoke.as_ref()));
    let outlook = rehearsal::outlook(&config, &chain.read, wallet, &trials).await?;
    let mut report =
        HedgeReport { deployment, absent_attestors: Vec::new(), sent: Vec::new(), missing, outlook, dry_run };
    if !dry_run {
        if report.missing.iter().any(|step| step.blocked.is_none()) {
            report.outlook.check_funds()?;
        }
        let mut said = |one: Sent| {
            if !json {
                println!("{}", one.text());
            }
            report.sent.push(one);
        };
        let outbox = Outbox::of_node(&chain, &config);
        report.missing = complete(&report.deployment, &outbox, smoke.as_ref(), || Ok(()), &mut said).await?;
    }
    report.absent_attestors = report.deployment.absent_attestors(&chain.read).await?;
    print::output(json, &report);
    Ok(if report.missing.is_empty() { EXIT_DONE } else { EXIT_UNFINISHED })
}

/// Runs `hedge sell`.
///
/// # Errors
/// What keeps the vault from selling.
pub async fn run_sell(args: SellArgs, settings: Selection<'_>, json: bool) -> anyhow::Result<u8> {
    let config = settings.one()?;
    let chain = assemble::deployer(&config).await?;
    chain.read.check_chain_id().await?;
    let request = SaleRequest {
        config: &config,
        chain: &chain,
        vault: args.vault,
        model: &place::data(&args.model),
        data: &args.data,
        country: &args.country,
    };
    let (call, mut report) = match outlook(&request).await? {
        Outlook::Done(done) => {
            print::output(json, &done);
            return Ok(EXIT_DONE);
        }
        Outlook::Sale { call, report } => (call, report),
    };
    if args.dry_run {
        print::output(json, &*report);
        return Ok(EXIT_UNFINISHED);
    }
    let receipt = Outbox::of_node(&chain, &config).send(call.to, call.data).await?;
    (report.transaction, report.gas_used) = (Some(receipt.transaction_hash), Some(receipt.gas_used));
    print::output(json, &*report);
    Ok(EXIT_DONE)
}

/// Runs `hedge swap`.
///
/// # Errors
/// What keeps the wallet from selling; an allowance that was given stays.
pub async fn run_swap(args: SwapArgs, settings: Selection<'_>, json: bool) -> anyhow::Result<u8> {
    let config = settings.one()?;
    let file = VaultFile::read(&args.vault_file)?;
    let chain = assemble::deployer(&config).await?;
    chain.read.check_chain_id().await?;
    let request = SwapRequest {
        chain: &chain,
        model: &place::data(&args.model),
        data: &args.data,
        country: &file.country,
        terms: &file.terms(B256::ZERO),
        factory: file.factory,
        router: args.router,
        wbtc: file.wbtc,
        usdc: file.usdc,
        fee_pips: file.pool_fee(&chain.read).await?,
        days: args.days,
    };
    let SwapPlan { calls, mut report } = plan(&request).await?;
    if args.dry_run {
        print::output(json, &report);
        return Ok(EXIT_UNFINISHED);
    }
    let outbox = Outbox::of_node(&chain, &config);
    for call in calls {
        report.transactions.push(outbox.send(call.to, call.data).await?.transaction_hash);
    }
    print::output(json, &report);
    Ok(EXIT_DONE)
}
