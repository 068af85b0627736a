//! `yield`: what strategies on chain yield next week.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::print;
use super::progress::TrainingProgress;
use super::table_training::TableTrainingArgs;
use super::yield_args::{KindArg, YieldPredictArgs};
use super::yield_chain::YieldDeployArgs;
use super::yield_demo::YieldDemoArgs;
use super::yield_portfolio::{YieldAllocateArgs, YieldBacktestArgs};
use crate::config::place;
use crate::modelling::training;
use crate::modelling::yield_request::{YieldEvaluateRequest, YieldForm, YieldTrainRequest};
use crate::operator::yields::predict;
use veriregime_core::types::time::parse_day;
use veriregime_core::yields::Kind;

/// Subcommands of `yield`.
#[derive(Debug, Subcommand)]
pub enum YieldCommand {
    /// Train yield models on daily rates of many strategies, and write their bundles.
    #[command(after_help = "Examples:
  veriregime-agent yield train --data tables --out models/yields-v2
  veriregime-agent yield train --data tables --out models/yields-v2 --form square --epochs 100 --batch-size 32
  veriregime-agent yield train --data tables --out models/lstm --kind lending --form lstm --units 16-8-8 --srs-dir srs

It takes `yields_…`, and `btc_daily_usd` and `eth_gas_daily` where they are there. Each card has figures of a model that was fitted in the same way up to an earlier day. A fifth of the liquidity pools is held out.")]
    Train(YieldTrainArgs),
    /// Measure yield models on the tables of a folder.
    #[command(after_help = "Examples:
  veriregime-agent yield evaluate --model models/yields-v1 --data tables --from 2025-08-31
  veriregime-agent yield evaluate --model models/yields-v1 --data tables --from 2025-08-31 --plots plots --json
  veriregime-agent yield evaluate --data tables --kind delta --from 2023-10-10 --lstm 100 --lstm-run state/lstm

Skill is 1 − MSE / MSE of the other forecast, of z = sign · ln(1 + |APY in percent|); MAE is in percentage points.")]
    Evaluate(YieldEvaluateArgs),
    /// Forecast APY and volatility of strategies for the next 7 days, with intervals.
    #[command(after_help = "Examples:
  veriregime-agent yield predict --data tables
  veriregime-agent yield predict --data tables --strategy aave=aave-v2:USDC --strategy delta=delta:BTC-perp-funding --json

JSON has shares, not percent.")]
    Predict(YieldPredictArgs),
    /// Lay money out over strategies by their forecasts: weights, and the moves that pay for their gas and slippage.
    #[command(after_help = "Examples:
  veriregime-agent yield allocate --data tables --strategy aave=aave-v2:USDC --strategy compound=compound-v2:USDC --capital 100000 --current aave=1 --gas-usd 8
  veriregime-agent yield allocate --data tables --strategy a=POOL --strategy b=POOL --capital 25000 --objective max-sharpe --cap 0.6 --cash --json

What no --current names is cash. A move is made where its gain over --gate-days exceeds gas and slippage; the gate counts money, not risk: what only lowers the risk is refused. JSON has shares, not percent.")]
    Allocate(YieldAllocateArgs),
    /// Live through past days with money, under several rules, after gas and slippage.
    #[command(after_help = "Examples:
  veriregime-agent yield backtest --data tables --kind lending --kind delta --from 2021-02-01
  veriregime-agent yield backtest --data tables --kind lp --from 2025-07-20 --gas-usd 0.5 --largest 50 --json

Models are fitted every four weeks on what was known by then.")]
    Backtest(YieldBacktestArgs),
    /// Put the settings' strategies on the configured chain: registry, verifiers, models, feeds.
    Deploy(YieldDeployArgs),
    /// Watch three strategies' forecasts become proven and published, day by day, on a chain of one's own.
    Demo(YieldDemoArgs),
}

/// Most units of a layer.
const MAX_UNITS: usize = 512;

/// `16-8-8`.
pub(super) fn units(text: &str) -> Result<[usize; 3], String> {
    let parts: Vec<usize> = text.split('-').filter_map(|part| part.parse().ok()).collect();
    match <[usize; 3]>::try_from(parts) {
        Ok(units) if text.split('-').count() == 3 && units.iter().all(|units| (1..=MAX_UNITS).contains(units)) => {
            Ok(units)
        }
        _ => Err(format!("write three numbers from 1 to {MAX_UNITS}, as 16-8-8")),
    }
}

/// What computes a forecast.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormArg {
    /// A ridge regression
    Ridge,
    /// A layer of ten squares
    Square,
    /// The original's LSTM, with --units; only EZKL can prove it
    Lstm,
}

/// Arguments of `yield train`.
#[derive(Debug, Args)]
pub struct YieldTrainArgs {
    #[command(flatten)]
    common: TableTrainingArgs,
    /// Kinds of strategies; all that the tables have where absent.
    #[arg(long = "kind", value_enum)]
    kinds: Vec<KindArg>,
    /// Make one model for all kinds instead of one for each.
    #[arg(long)]
    together: bool,
    /// What computes.
    #[arg(long, value_enum, default_value = "ridge")]
    form: FormArg,
    /// Units of an LSTM's two LSTM layers and of its dense one; 128-64-32 as documented.
    #[arg(long, value_name = "A-B-C", default_value = "16-8-8", value_parser = units)]
    units: [usize; 3],
    /// Passes over all rows at most; a regression takes none.
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    epochs: usize,
    /// Rows of a step.
    #[arg(long, value_name = "ROWS", default_value_t = 256)]
    batch_size: usize,
    /// Seed of every random choice.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
}

/// Arguments of `yield evaluate`.
#[derive(Debug, Args)]
pub struct YieldEvaluateArgs {
    /// Folder with a bundle for each kind, or of one for all.
    #[arg(long, value_name = "DIR", default_value = "models/yields-v1")]
    model: PathBuf,
    /// Folder with the tables.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// First day of decisions.
    #[arg(long, value_parser = parse_day, value_name = "DATE")]
    from: i32,
    /// Kinds of strategies; all that there are models for where absent.
    #[arg(long = "kind", value_enum)]
    kinds: Vec<KindArg>,
    /// Also train the LSTM of the original's document, on what was known by the first day, for so many epochs at most: minutes.
    #[arg(long, value_name = "EPOCHS")]
    lstm: Option<usize>,
    /// Keep the LSTM's training in this folder after each epoch, and go on where it stopped.
    #[arg(long, value_name = "DIR", requires = "lstm")]
    lstm_run: Option<PathBuf>,
    /// Folder for the plots, as SVG: errors and intervals by month, changes forecast and seen.
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
}

/// Runs the subcommand.
///
/// # Errors
/// Bundles or tables that are not usable.
pub async fn run(command: YieldCommand, json: bool) -> anyhow::Result<()> {
    match command {
        YieldCommand::Train(args) => {
            let kinds: Vec<Kind> = args.kinds.iter().map(|kind| kind.kind()).collect();
            let request = YieldTrainRequest {
                data: &args.common.data,
                out: &args.common.out,
                kinds: if kinds.is_empty() { &Kind::ALL } else { &kinds },
                is_one: args.together,
                form: match args.form {
                    FormArg::Ridge => YieldForm::Ridge,
                    FormArg::Square => YieldForm::Square,
                    FormArg::Lstm => YieldForm::Lstm(args.units),
                },
                epochs: args.epochs,
                batch_size: args.batch_size,
                seed: args.seed,
                until: args.common.until,
                circuit: args.common.circuit(),
            };
            let progress = TrainingProgress::start();
            let trained = training::train_yields(&request, |step| progress.show(step)).await?;
            print::output(json, &trained);
        }
        YieldCommand::Evaluate(args) => {
            let model = place::data(&args.model);
            let kinds: Vec<Kind> = args.kinds.iter().map(|kind| kind.kind()).collect();
            let request = YieldEvaluateRequest {
                model: &model,
                data: &args.data,
                from: args.from,
                kinds: &kinds,
                lstm_epochs: args.lstm,
                lstm_run: args.lstm_run.as_deref(),
                plots: args.plots.as_deref(),
            };
            let progress = TrainingProgress::start();
            print::output(json, &training::evaluate_yields(&request, |step| progress.show(step))?);
        }
        // They have settings, and exit statuses, of their own.
        YieldCommand::Deploy(_) | YieldCommand::Demo(_) => {}
        YieldCommand::Predict(args) => {
            print::output(json, &predict(&args.request(&args.model()))?);
        }
        YieldCommand::Allocate(args) => print::output(json, &args.allocation()?),
        YieldCommand::Backtest(args) => args.run(json)?,
    }
    Ok(())
}
