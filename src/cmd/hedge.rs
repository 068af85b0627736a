//! `hedge`: how much BTC pays a miner's electricity.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::print;
use crate::config::place;
use crate::operator::hedge;
use veriregime_core::hedge::Question;

/// Subcommands of `hedge`.
#[derive(Debug, Subcommand)]
pub enum HedgeCommand {
    /// Ask a miner's model about numbers that are given here.
    #[command(after_help = "Examples:
  veriregime-agent models import-xgboost xgb_1.json xgb_2.json --to models/miner
  veriregime-agent hedge predict --model models/miner --btc-price 74600 …

The flags may be written with underscores, as those of the command line that these models had first.")]
    Predict(PredictArgs),
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
/// A bundle that is none of a miner's model, or numbers that are none.
pub fn run(command: HedgeCommand, json: bool) -> anyhow::Result<()> {
    let HedgeCommand::Predict(args) = command;
    let question = Question([
        args.electricity_day_price,
        args.btc_price,
        args.difficulty,
        args.hash_rate,
        args.power,
        args.block_reward,
        args.cost_2_months,
        args.cost_3_months,
        args.cost_4_months,
        args.cost_5_months,
        args.cost_6_months,
    ]);
    print::output(json, &hedge::predict(&place::data(&args.model), &question)?);
    Ok(())
}
