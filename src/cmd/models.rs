//! `models`: the versions at hand side by side, and which one is current.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{EXIT_DONE, EXIT_RETRAIN, add_market, circuit, print};
use crate::bundle::import;
use crate::bundle::registry::Registry;
use crate::bundle::set_grid::set_grid;
use crate::bundle::upgrade::upgrade;
use crate::clock::Clock;
use crate::config::place;
use crate::modelling::candle_file::CandleFile;
use crate::modelling::{comparison, training, versions};
use veriregime_core::types::time::{parse_day, parse_utc_ms};

/// Arguments of `models`.
#[derive(Debug, Args)]
pub struct ModelsArgs {
    /// Folder with the model bundles.
    #[arg(long, value_name = "DIR", default_value = "models", global = true)]
    models: PathBuf,
    #[command(subcommand)]
    command: ModelsCommand,
}

/// Subcommands of `models`.
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// All versions with what they score and cost.
    #[command(
        after_help = "Examples:\n  veriregime-agent models list\n  veriregime-agent models list --models /srv/models --json"
    )]
    List,
    /// Everything about one version, the circuits that were tried included.
    #[command(after_help = "Examples:\n  veriregime-agent models show btc-regime-4h-v1")]
    Show {
        /// Its folder's name.
        id: String,
    },
    /// Two versions side by side: what the second has better and worse on the same rows.
    #[command(
        after_help = "Examples:\n  veriregime-agent models compare btc-regime-4h-v1 btc-regime-4h-v2\n  veriregime-agent models compare btc-regime-4h-v1 btc-regime-4h-v2 --candles new.parquet\n  veriregime-agent models compare yields-v1 yields-v2 --data tables\n\nWithout candles the figures are those of the versions' own test splits, which must be the same one."
    )]
    Compare {
        /// The version that is compared with.
        first: String,
        /// The version that is judged.
        second: String,
        /// Candles to judge both by, at the decision times from which on neither was trained; a file for each of several markets.
        #[arg(long, value_name = "[NAME=]FILE")]
        candles: Vec<CandleFile>,
        /// Folder with tables of yields to judge yield models by, on the decisions from which on neither was fitted.
        #[arg(long, value_name = "DIR", conflicts_with = "candles")]
        data: Option<PathBuf>,
        /// First day of these decisions, where a later one is meant.
        #[arg(long, value_parser = parse_day, value_name = "DATE", requires = "data")]
        from: Option<i32>,
    },
    /// Make a version the current one: what `model.bundle` names where it is `models/current`.
    #[command(
        after_help = "Examples:\n  veriregime-agent models promote btc-regime-4h-v2\n  veriregime-agent models promote btc-regime-4h-v2 --candles new.parquet\n  veriregime-agent models promote btc-regime-4h-v2 --force\n\nA running daemon keeps its model until it is started again."
    )]
    Promote {
        /// Its folder's name.
        id: String,
        /// Candles to judge both by, as `compare` does.
        #[arg(long, value_name = "[NAME=]FILE", conflicts_with = "force")]
        candles: Vec<CandleFile>,
        /// Although its figures are worse than the current one's, or about something else.
        #[arg(long)]
        force: bool,
    },
    /// Go back to the version that was current before.
    #[command(after_help = "Examples:\n  veriregime-agent models rollback")]
    Rollback,
    /// Convert a bundle of schema 1 to the present one; weights, keys and verifier stay as they are.
    #[command(
        after_help = "Examples:\n  veriregime-agent models upgrade models/btc-regime-4h-v1\n  veriregime-agent models upgrade old --to models/btc-regime-4h-v1\n\nThe manifest's digest changes, and a contract knows a model by it: one that runs the old digest must be told of the new one, by `deploy`. The old manifest stays beside the new one as manifest.1.json, so that updates that were made under it can be audited."
    )]
    Upgrade {
        /// The bundle's folder.
        folder: PathBuf,
        /// Where to put the converted bundle; in its place where absent.
        #[arg(long, value_name = "DIR")]
        to: Option<PathBuf>,
    },
    /// Make a bundle that forecasts more or less often, of a regime model that is there; network, keys and verifier stay as they are.
    #[command(
        after_help = "Examples:\n  veriregime-agent models set-grid btc-regime-4h-v1 --period-minutes 15 --to models/btc-regime-15m-v1\n\nA job that runs it has period_seconds = 900 and a cron of that pace in its schedule. The card's figures for every minute hold for it; those for the starts of periods are the old model's."
    )]
    SetGrid {
        /// Its folder's name.
        id: String,
        /// Minutes between two forecasts: a number that divides a week, at most a day.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1440))]
        period_minutes: u64,
        /// The new bundle's folder, whose name is the model's.
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// Add a market to a regime model that was trained on others, in a bundle of its own: statistics, threshold and keys, no training.
    AddMarket(add_market::AddMarketArgs),
    /// Make a bundle of trees that XGBoost 2 saved as JSON: one file an output, all with the same columns.
    #[command(
        after_help = "Examples:\n  veriregime-agent models import-xgboost xgb_1.json xgb_2.json xgb_3.json xgb_4.json --to models/miner\n\nColumns are named by the files; files without names and with 11 columns are asked what miners' models are asked: see `hedge predict --help`."
    )]
    ImportXgboost {
        /// The files, in the order of the outputs.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// The bundle's folder, which is made.
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// Give a model a way of verification: a verifier, with circuit and keys where it needs them.
    SetUp(circuit::SetUpArgs),
    /// Prove what a model of a table says of one row.
    Prove(circuit::ProveArgs),
    /// Check a proof made by `models prove`.
    Verify(circuit::VerifyArgs),
    /// Check every byte of one version, or of all; with candles, say whether it is time to train again.
    #[command(
        after_help = "Examples:\n  veriregime-agent models check\n  veriregime-agent models check btc-regime-4h-v1 --candles new.parquet --from 2025-01-01\n\nExit status 3 where it should be trained again."
    )]
    Check {
        /// Its folder's name; all where absent.
        id: Option<String>,
        /// Candles since it was trained, to compare its features and its promises with.
        #[arg(long, value_name = "[NAME=]FILE", requires = "id")]
        candles: Vec<CandleFile>,
        /// First decision time, UTC; from the start of the candles where absent.
        #[arg(long, value_name = "DATE", requires = "candles")]
        from: Option<String>,
    },
}

/// Runs the subcommand.
///
/// # Errors
/// [`crate::bundle::registry::RegistryError`], or a bundle that does not open.
pub async fn run(args: ModelsArgs, json: bool) -> anyhow::Result<u8> {
    let registry = Registry::new(&place::data(&args.models));
    match args.command {
        ModelsCommand::List => print::output(json, &versions::list(&registry)?),
        ModelsCommand::Show { id } => print::output(json, &versions::show(&registry, &id)?),
        ModelsCommand::Compare { first, second, data: Some(data), from, .. } => {
            let folders = [&first, &second].map(|id| place::data(&args.models).join(id));
            let versions = [(first.as_str(), folders[0].as_path()), (second.as_str(), folders[1].as_path())];
            print::output(json, &training::compare_yields(versions, &data, from)?);
        }
        ModelsCommand::Compare { first, second, candles, .. } => {
            print::output(json, &comparison::compare(&registry, [&first, &second], &candles)?);
        }
        ModelsCommand::Promote { id, candles, force } => {
            let now_ms = Clock::System.now_ms();
            let change = if candles.is_empty() {
                registry.promote(&id, force, now_ms)?
            } else {
                registry.promote_if(&id, now_ms, |(before, old), (after, new)| {
                    anyhow::Ok(Some(training::on_candles([(before, old), (after, new)], &candles)?.scores))
                })?
            };
            print::output(json, &versions::Current(change));
        }
        ModelsCommand::SetGrid { id, period_minutes, to } => {
            let from = place::data(&args.models).join(id);
            print::output(json, &versions::Regridded(set_grid(&from, period_minutes * 60, &place::data(&to))?));
        }
        ModelsCommand::AddMarket(args) => add_market::run(&args, json).await?,
        ModelsCommand::Upgrade { folder, to } => {
            let to = to.map(|to| place::data(&to));
            print::output(json, &versions::Converted(upgrade(&place::data(&folder), to.as_deref())?));
        }
        ModelsCommand::ImportXgboost { files, to } => {
            print::output(json, &versions::Imported(import::xgboost(&files, &place::data(&to))?));
        }
        ModelsCommand::SetUp(args) => return circuit::run_set_up(&args, &registry, json).await,
        ModelsCommand::Prove(args) => return circuit::run_prove(&args, &registry, json).await,
        ModelsCommand::Verify(args) => return circuit::run_verify(&args, &registry, json).await,
        ModelsCommand::Rollback => {
            print::output(json, &versions::Current(registry.rollback(Clock::System.now_ms())?));
        }
        ModelsCommand::Check { id: Some(id), candles, from } if !candles.is_empty() => {
            let from_ms = from.as_deref().map_or(Ok(i64::MIN), parse_utc_ms)?;
            let (drift, is_due) = training::drift(&id, &registry.open(&id)?, &candles, from_ms)?;
            print::output(json, &drift);
            return Ok(if is_due { EXIT_RETRAIN } else { EXIT_DONE });
        }
        ModelsCommand::Check { id, .. } => print::output(json, &versions::check(&registry, id)?),
    }
    Ok(EXIT_DONE)
}
