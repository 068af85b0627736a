//! `hedge`: how much BTC pays a miner's electricity.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::hedge_chain::{HedgeDeployArgs, SellArgs, SwapArgs};
use super::hedge_demo::HedgeDemoArgs;
use super::print;
use super::table_training::TableTrainingArgs;
use crate::config::place;
use crate::modelling::hedge_request::{HedgeBacktestRequest, HedgeEvaluateRequest, HedgeTrainRequest, NamedMachine};
use crate::modelling::training;
use crate::operator::forecast::ForecastRequest;
use crate::operator::{forecast, hedge};
use veriregime_core::hedge::Question;
use veriregime_core::types::time::parse_day;

/// Subcommands of `hedge`.
#[derive(Debug, Subcommand)]
pub enum HedgeCommand {
    /// Ask a miner's model about numbers that are given here.
    #[command(after_help = "Examples:
  veriregime-agent models import-xgboost xgb_1.json xgb_2.json --to models/miner
  veriregime-agent hedge predict --model models/miner --btc-price 74600 …

The flags may be written with underscores, as those of the command line that these models had first.")]
    Predict(PredictArgs),
    /// Forecast a country's electricity and the BTC that pay it, by an electricity model.
    #[command(after_help = "Examples:
  veriregime-agent hedge forecast --data tables --country AUT --watts 3050")]
    Forecast(ForecastArgs),
    /// Train an electricity model on daily prices of many countries, and write its bundle.
    #[command(after_help = "Examples:
  veriregime-agent hedge train --data tables --out models/eu-electricity-v1

It takes `electricity_daily_eur_mwh`. The model is walked forward through all of the data; its card has the figures.")]
    Train(TableTrainingArgs),
    /// Measure an electricity model, or a miner's trees, on the tables of a folder.
    #[command(after_help = "Examples:
  veriregime-agent hedge evaluate --data tables --from 2024-05-01
  veriregime-agent hedge evaluate --data tables --from 2019-01-01 --walk-forward

Skill is 1 − MSE / MSE of persistence; MAPE is of the mean price.")]
    Evaluate(HedgeEvaluateArgs),
    /// Live through past years with miners' treasuries, under several rules of when to sell BTC.
    #[command(after_help = "Examples:
  veriregime-agent hedge backtest --data tables --country DEU --country SWE
  veriregime-agent hedge backtest --data tables --miners asics.csv

Forecasts are those of a walk forward. A CSV of miners has the columns model, hashrate_ths and power_w.")]
    Backtest(HedgeBacktestArgs),
    /// Put registry, verifier, a country's model and a vault with its terms on the configured chain.
    Deploy(HedgeDeployArgs),
    /// Let a vault sell what the running week's forecast asks for.
    Sell(SellArgs),
    /// Watch a vault sell for half a year's electricity on a chain of its own, with Uniswap's real pool.
    Demo(HedgeDemoArgs),
    /// Sell the wallet's own WBTC for the electricity of some days, without a vault.
    Swap(SwapArgs),
}

/// Arguments of `hedge backtest`.
#[derive(Debug, Args)]
pub struct HedgeBacktestArgs {
    /// Folder with all four tables.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Countries by their ISO 3166 codes.
    #[arg(long = "country", value_name = "CODE", default_values = ["DEU", "FRA", "SWE"])]
    countries: Vec<String>,
    /// CSV of machines; an Antminer S19j Pro where absent.
    #[arg(long, value_name = "FILE")]
    miners: Option<PathBuf>,
    /// First day.
    #[arg(long, value_parser = parse_day, value_name = "DATE", default_value = "2019-05-01")]
    from: i32,
    /// Months that a reserve is for.
    #[arg(long, value_name = "MONTHS", default_value_t = 2, value_parser = clap::value_parser!(u32).range(2..=5))]
    months: u32,
}

/// Arguments of `hedge forecast`.
#[derive(Debug, Args)]
pub struct ForecastArgs {
    /// Bundle of the model.
    #[arg(long, value_name = "DIR", default_value = "models/eu-electricity-v1")]
    model: PathBuf,
    /// Folder with the tables.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The country by its ISO 3166 code, e.g. AUT.
    #[arg(long, value_name = "CODE")]
    country: String,
    /// The last day whose price is known; the last one of the data where absent.
    #[arg(long, value_parser = parse_day, value_name = "DATE")]
    at: Option<i32>,
    /// What the machines draw, in W.
    #[arg(long, value_name = "W")]
    watts: Option<f64>,
}

/// Arguments of `hedge evaluate`.
#[derive(Debug, Args)]
pub struct HedgeEvaluateArgs {
    /// Bundle of the model.
    #[arg(long, value_name = "DIR", default_value = "models/eu-electricity-v1")]
    model: PathBuf,
    /// Folder with the tables: `electricity_daily_eur_mwh`, for trees also the others.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// First day of decisions.
    #[arg(long, value_parser = parse_day, value_name = "DATE")]
    from: i32,
    /// First day after them; to the end of the data where absent.
    #[arg(long, value_parser = parse_day, value_name = "DATE")]
    to: Option<i32>,
    /// Fit the model anew each quarter, on what was known by then, instead of taking it as it is.
    #[arg(long)]
    walk_forward: bool,
    /// Bundle of a miner's trees, to compare with.
    #[arg(long, value_name = "DIR")]
    trees: Option<PathBuf>,
}

/// Numbers of `hedge predict`.
#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub struct PredictArgs {
    /// Bundle of a miner's model, as `models import-xgboost` makes it.
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// Electricity of one machine, USD a day.
    #[arg(long, alias = "electricity_day_price", value_name = "USD")]
    electricity_day_price: f64,
    /// Price of a bitcoin, USD.
    #[arg(long, alias = "btc_price", value_name = "USD")]
    btc_price: f64,
    /// Mining difficulty divided by 10^13.
    #[arg(long, value_name = "NUMBER")]
    difficulty: f64,
    /// The machine's speed, TH/s.
    #[arg(long, alias = "hash_rate", value_name = "TH/S")]
    hash_rate: f64,
    /// What the machine draws, W.
    #[arg(long, value_name = "W")]
    power: f64,
    /// What a block pays, BTC.
    #[arg(long, alias = "block_reward", value_name = "BTC")]
    block_reward: f64,
    /// What the last 2 months of electricity cost, USD.
    #[arg(long, alias = "cost_2_months", value_name = "USD")]
    cost_2_months: f64,
    /// What the last 3 months cost, USD.
    #[arg(long, alias = "cost_3_months", value_name = "USD")]
    cost_3_months: f64,
    /// What the last 4 months cost, USD.
    #[arg(long, alias = "cost_4_months", value_name = "USD")]
    cost_4_months: f64,
    /// What the last 5 months cost, USD.
    #[arg(long, alias = "cost_5_months", value_name = "USD")]
    cost_5_months: f64,
    /// What the last 6 months cost, USD.
    #[arg(long, alias = "cost_6_months", value_name = "USD")]
    cost_6_months: f64,
}

/// Runs the subcommand.
///
/// # Errors
/// A bundle or tables that are not usable, or numbers that are none.
pub async fn run(command: HedgeCommand, json: bool) -> anyhow::Result<()> {
    match command {
        HedgeCommand::Predict(args) => {
            print::output(json, &hedge::predict(&place::data(&args.model), &args.question())?);
        }
        HedgeCommand::Forecast(args) => {
            let request = ForecastRequest {
                model: &place::data(&args.model),
                data: &args.data,
                country: &args.country,
                at: args.at,
                watts: args.watts,
            };
            print::output(json, &forecast::forecast(&request)?);
        }
        HedgeCommand::Train(args) => {
            let TableTrainingArgs { data, out, until, .. } = &args;
            let request = HedgeTrainRequest { data, out, until: *until, circuit: args.circuit() };
            print::output(json, &training::train_hedge(&request).await?);
        }
        HedgeCommand::Backtest(args) => {
            let machines =
                args.miners.as_deref().map_or_else(|| Ok(vec![NamedMachine::common()]), NamedMachine::read)?;
            let request = HedgeBacktestRequest {
                data: &args.data,
                countries: &args.countries,
                machines: &machines,
                from: args.from,
                months: args.months,
            };
            print::output(json, &training::backtest_hedge(&request)?);
        }
        HedgeCommand::Evaluate(args) => {
            let request = HedgeEvaluateRequest {
                model: &place::data(&args.model),
                data: &args.data,
                from: args.from,
                to: args.to,
                walks: args.walk_forward,
                trees: args.trees.as_deref(),
            };
            print::output(json, &training::evaluate_hedge(&request)?);
        }
        HedgeCommand::Deploy(_) | HedgeCommand::Sell(_) | HedgeCommand::Swap(_) | HedgeCommand::Demo(_) => {
            unreachable!("handled with settings")
        }
    }
    Ok(())
}

impl PredictArgs {
    fn question(&self) -> Question {
        Question([
            self.electricity_day_price,
            self.btc_price,
            self.difficulty,
            self.hash_rate,
            self.power,
            self.block_reward,
            self.cost_2_months,
            self.cost_3_months,
            self.cost_4_months,
            self.cost_5_months,
            self.cost_6_months,
        ])
    }
}
