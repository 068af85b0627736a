//! `backtest`: what a model's forecasts would have been worth.

use std::path::PathBuf;

use clap::Args;

use super::{print, progress};
use crate::actions::risk_oracle::rules::of_contract;
use crate::config::place;
use crate::deployment::policy::MarketRules;
use crate::modelling::backtest_request::BacktestRequest;
use crate::modelling::candle_file::CandleFile;
use crate::modelling::training;
use veriregime_core::types::time::parse_utc_ms;

const PIPS: f64 = 1e6;
const E9: f64 = 1e9;

/// Arguments of `backtest`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    veriregime-agent backtest --candles BTCUSDT-1m.parquet\n  \
    veriregime-agent backtest --candles eth.parquet --policy deploy/policy.toml --from 2024-03-01 --plots plots\n  \
    veriregime-agent backtest --candles btc.parquet --block-seconds 2 --json\n\n\
    A constant product pool is traded by arbitrageurs at every block, and by others who mind its fee. Fee and static\n\
    fee are fitted on the year before the judged dates. All policies share one map from a volatility to a fee.\n\
    In the rows that end in _attacked somebody trades to and fro in the pool, so that it looks turbulent to itself.\n\
    In those that end in _on_chain fees follow as the contract lets them, by the limits of --policy or of the default one.")]
pub struct BacktestArgs {
    /// Candle file: parquet, CSV or zip; of a model of several markets with the name of one.
    #[arg(long, value_name = "[NAME=]FILE")]
    candles: CandleFile,
    /// Folder of the model bundle.
    #[arg(long, value_name = "DIR", default_value = "models/btc-regime-4h-v1")]
    model: PathBuf,
    /// A market's policy as `deploy` takes it: two more rows, with its own fees; its limits hold in all rows on chain.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// CSV of borrowers when the judged minutes begin, with the columns `collateral_usd` and `debt_usd`; ten thousand that
    /// are drawn where absent.
    #[arg(long, value_name = "FILE")]
    positions: Option<PathBuf>,
    /// First judged minute, UTC; the start of the model's test part where absent.
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// First minute after the judged ones, UTC; the end of the candles where absent.
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// Seconds between blocks: a divisor of 60.
    #[arg(long, value_name = "SECONDS", default_value_t = 12)]
    block_seconds: u32,
    /// Seed of the prices within a minute.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Dollars of an ether, for the cost of gas.
    #[arg(long, value_name = "USD", default_value_t = 3_000.0)]
    eth_usd: f64,
    /// Folder for the plots, as SVG.
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
    /// File for every row, as CSV.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
}

/// Measures and prints.
///
/// # Errors
/// As [`training::backtest`].
pub fn run(args: &BacktestArgs, json: bool) -> anyhow::Result<()> {
    let given = args.policy.as_deref().map(MarketRules::read).transpose()?;
    let starting = MarketRules::starting()?;
    let knots: Vec<(f64, f64)> = given
        .iter()
        .flat_map(|rules| &rules.policy.knots)
        .map(|knot| (f64::from(knot.volatilityE9) / E9, f64::from(knot.vector.ammFeePips.to::<u32>()) / PIPS))
        .collect();
    let request = BacktestRequest {
        candles: &args.candles,
        model: &place::data(&args.model),
        from_ms: args.from.as_deref().map(parse_utc_ms).transpose()?,
        to_ms: args.to.as_deref().map_or(Ok(i64::MAX), parse_utc_ms)?,
        knots: &knots,
        policy: &of_contract(&given.as_ref().unwrap_or(&starting).policy),
        positions: args.positions.as_deref(),
        block_seconds: args.block_seconds,
        seed: args.seed,
        eth_usd: args.eth_usd,
        plots: args.plots.as_deref(),
        csv: args.csv.as_deref(),
    };
    let backtest = {
        let stage = progress::StageProgress::start();
        training::backtest(&request, &|what| stage.show(what))?
    };
    print::output(json, &backtest);
    Ok(())
}
