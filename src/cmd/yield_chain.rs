//! `yield deploy`: the settings' strategies on the configured chain.

use std::collections::BTreeMap;

use clap::Args;

use super::registry_args::RegistryArgs;
use super::selection::Selection;
use super::{EXIT_DONE, EXIT_UNFINISHED, print};
use crate::actions::one_market::model::OneMarketModel;
use crate::bundle::error::BundleError;
use crate::bundle::yields::YieldModels;
use crate::config::Config;
use crate::deployment::complete::{Plan, Sent, complete};
use crate::deployment::error::DeploymentError;
use crate::deployment::feed::FeedDeployment;
use crate::deployment::feed::render::FeedReport;
use crate::deployment::outbox::Outbox;
use crate::deployment::request::verifier_code;
use crate::deployment::trials;
use crate::devnet::rehearsal;
use crate::node::assemble;
use crate::node::smoke::smoke_proof;
use crate::render::Render;
use crate::sources::yields::error::YieldError;
use veriregime_core::yields::Strategy;

/// Arguments of `yield deploy`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent --config agent.toml yield deploy --dry-run
  veriregime-agent --config agent.toml yield deploy --owner 0xA… --guardian 0xB… --attestor 0xC…

Registry, a verifier for each kind, and of each of the settings' strategies its model and its feed: what the chain has already is
skipped, so run the same command again after a crash, when the timelock has passed, or with more strategies. Addresses follow from
code and arguments.

Exit status: 0 everything is as wanted, 1 error, 3 steps are missing. With --dry-run: 3 if any step is missing.")]
pub struct YieldDeployArgs {
    /// Strategies by their names; all of the settings where absent.
    #[arg(long = "strategy", value_name = "NAME")]
    strategies: Vec<String>,
    /// Say what would be sent and what it costs; send nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    registry: RegistryArgs,
}

/// Runs `yield deploy`.
///
/// # Errors
/// What keeps it from deploying; what was done stays done.
pub async fn run_deploy(args: YieldDeployArgs, settings: Selection<'_>, json: bool) -> anyhow::Result<u8> {
    let config = settings.one()?;
    let chosen = chosen(&config, &args.strategies)?;
    let models = YieldModels::open(&config.yields.models)?;
    let chain = assemble::deployer(&config).await?;
    let wallet = chain.address();
    chain.read.check_chain_id().await.map_err(DeploymentError::from)?;
    let dry_run = args.dry_run;
    let arguments = args.registry.request().registry_arguments(&chain)?;
    let strategies = on_chain(&config, &models, &chosen)?;
    let mut deployment = FeedDeployment::new(strategies, arguments, chain.read.chain_id())?;
    let missing = deployment.missing(&chain.read, wallet).await?;
    if missing.iter().any(|step| step.needs_proof) {
        let mut smokes = BTreeMap::new();
        for strategy in &chosen {
            let Some(model) = models.of(strategy.kind).filter(|_| !smokes.contains_key(&strategy.kind)) else {
                continue;
            };
            smokes.insert(strategy.kind, smoke_proof(&config, &model.bundle).await?);
        }
        deployment.smokes = smokes;
    }
    let trials = trials(&missing, |step| deployment.calldata(step, None));
    let outlook = rehearsal::outlook(&config, &chain.read, wallet, &trials).await?;
    let mut report = FeedReport { deployment, sent: Vec::new(), missing, outlook, dry_run };
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
        report.missing = complete(&report.deployment, &outbox, None, || Ok(()), &mut said).await?;
    }
    print::output(json, &report);
    Ok(if report.missing.is_empty() { EXIT_DONE } else { EXIT_UNFINISHED })
}

/// The strategies of these names; all of them where none is named.
fn chosen(config: &Config, names: &[String]) -> Result<Vec<Strategy>, YieldError> {
    let all = &config.yields.strategies;
    let unknown = |name: &String| YieldError::Unknown { name: name.clone(), similar: None };
    let chosen: Vec<Strategy> = if names.is_empty() {
        all.clone()
    } else {
        let find = |name: &String| all.iter().find(|one| one.name == *name).cloned().ok_or_else(|| unknown(name));
        names.iter().map(find).collect::<Result<_, _>>()?
    };
    if chosen.is_empty() {
        return Err(YieldError::Count { count: 0, limit: crate::config::yields::MAX_STRATEGIES });
    }
    Ok(chosen)
}

/// Strategies with their models as the registry knows them, and the code of their verifiers.
fn on_chain(
    config: &Config,
    models: &YieldModels,
    strategies: &[Strategy],
) -> anyhow::Result<Vec<(Strategy, OneMarketModel, alloy::primitives::Bytes)>> {
    let way = config.prover.kind.way();
    let one = |strategy: &Strategy| {
        let model = models.of(strategy.kind).ok_or(YieldError::NoModel { kind: strategy.kind.name() })?;
        let bundle = &model.bundle;
        bundle.manifest.permit(way)?;
        let found = OneMarketModel::of_strategy(&bundle.manifest, bundle.manifest_digest, &strategy.name, way);
        let found = found.ok_or_else(|| BundleError::Manifest {
            path: bundle.manifest_path.clone(),
            reason: format!("it is no yield model that can be verified by {way}"),
        })?;
        anyhow::Ok((strategy.clone(), found, verifier_code(bundle, way)?))
    };
    strategies.iter().map(one).collect()
}
