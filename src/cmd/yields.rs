//! `yield`: what strategies on chain yield next week.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::print;
use super::progress::TrainingProgress;
use super::table_training::TableTrainingArgs;
use super::yield_chain::YieldDeployArgs;
use super::yield_demo::YieldDemoArgs;
use crate::clock::Clock;
use crate::config::place;
use crate::modelling::training;
use crate::modelling::yield_request::{YieldEvaluateRequest, YieldForm, YieldTrainRequest};
use crate::operator::yields::{PredictRequest, predict};
use veriregime_core::types::time::{DAY_MS, parse_day};
use veriregime_core::yields::Kind;

/// Subcommands of `yield`.
#[derive(Debug, Subcommand)]
pub enum YieldCommand {
    /// Train yield models on daily rates of many strategies, and write their bundles.
    #[command(after_help = "Examples:
  veriregime-agent yield train --data tables --out models/yields-v2
  veriregime-agent yield train --data tables --out models/yields-v2 --form square --epochs 100 --batch-size 32

It takes `yields_…`, and `btc_daily_usd` and `eth_gas_daily` where they are there. Each card has figures of a model that was fitted in the same way up to an earlier day. A fifth of the liquidity pools is held out.")]
    Train(YieldTrainArgs),
    /// Measure yield models on the tables of a folder.
    #[command(after_help = "Examples:
  veriregime-agent yield evaluate --model models/yields-v1 --data tables --from 2025-08-31
  veriregime-agent yield evaluate --model models/yields-v1 --data tables --from 2025-08-31 --json

Skill is 1 − MSE / MSE of the other forecast, of z = sign · ln(1 + |APY in percent|); MAE is in percentage points.")]
    Evaluate(YieldEvaluateArgs),
    /// Forecast APY and volatility of strategies for the next 7 days, with intervals.
    #[command(after_help = "Examples:
  veriregime-agent yield predict --data tables
  veriregime-agent yield predict --data tables --strategy aave=aave-v2:USDC --strategy delta=delta:BTC-perp-funding --json

JSON has shares, not percent.")]
    Predict(YieldPredictArgs),
    /// Put the settings' strategies on the configured chain: registry, verifiers, models, feeds.
    Deploy(YieldDeployArgs),
    /// Watch three strategies' forecasts become proven and published, day by day, on a chain of one's own.
    Demo(YieldDemoArgs),
}

/// What computes a forecast.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormArg {
    /// A ridge regression
    Ridge,
    /// A layer of ten squares
    Square,
}

/// A kind of strategies.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum KindArg {
    /// Liquidity pools
    Lp,
    /// Lending
    Lending,
    /// Long a token, short its perpetual future
    Delta,
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
}

/// Arguments of `yield predict`.
#[derive(Debug, Args)]
pub struct YieldPredictArgs {
    /// Folder with a bundle for each kind, or of one for all.
    #[arg(long, value_name = "DIR", default_value = "models/yields-v1")]
    model: PathBuf,
    /// Folder with the tables.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// A pool by its id, or a name of your own for it; all pools where absent.
    #[arg(long = "strategy", value_parser = strategy, value_name = "[NAME=]POOL")]
    strategies: Vec<(String, String)>,
    /// Days ahead.
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    horizon_days: u32,
    /// The last day that is known; the data's last where absent.
    #[arg(long, value_parser = parse_day, value_name = "DATE")]
    at: Option<i32>,
    /// Refuse data that are older.
    #[arg(long, value_name = "DAYS")]
    max_age_days: Option<u32>,
}

/// `aave=aave-v2:USDC`, or the pool alone.
fn strategy(text: &str) -> Result<(String, String), String> {
    let (name, pool) = text.split_once('=').unwrap_or((text, text));
    if name.is_empty() || pool.is_empty() {
        return Err("write a pool's id, or NAME=POOL".into());
    }
    Ok((name.to_owned(), pool.to_owned()))
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
            };
            let progress = TrainingProgress::start();
            print::output(json, &training::evaluate_yields(&request, |step| progress.show(step))?);
        }
        // They have settings, and exit statuses, of their own.
        YieldCommand::Deploy(_) | YieldCommand::Demo(_) => {}
        YieldCommand::Predict(args) => {
            let request = PredictRequest {
                model: &place::data(&args.model),
                data: &args.data,
                strategies: args.strategies,
                horizon_days: args.horizon_days,
                at: args.at,
                today: i32::try_from(Clock::System.now_ms().div_euclid(DAY_MS)).unwrap_or(i32::MAX),
                max_age_days: args.max_age_days,
            };
            print::output(json, &predict(&request)?);
        }
    }
    Ok(())
}

impl KindArg {
    fn kind(self) -> Kind {
        match self {
            Self::Lp => Kind::Lp,
            Self::Lending => Kind::Lending,
            Self::Delta => Kind::Delta,
        }
    }
}
