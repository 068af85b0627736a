//! `models add-market`: a further market for a model that was trained on others.

use std::path::PathBuf;

use clap::Args;

use super::circuit::CircuitArgs;
use super::{print, progress};
use crate::config::place;
use crate::modelling::add_market_request::AddMarketRequest;
use crate::modelling::training;
use veriregime_core::types::manifest::inputs::Market;
use veriregime_core::types::time::parse_utc_ms;

/// Arguments of `models add-market`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent models add-market --model models/btc-regime-4h-v1 --market ETH-USD --symbol ETHUSDT --candles eth.parquet --out models/btc-eth-4h-v1
  veriregime-agent models add-market --model models/btc-eth-4h-v1 --market SUI-USD --symbol SUIUSDT --candles sui.parquet --from 2023-06-10 --to 2024-07-01 --out models/btc-eth-sui-4h-v1

The network stays as it is: the market's candle features are normalised by its own past, and a row of constants puts the forecast
volatility where the market's is. Its threshold of High is the volatility that as many of its horizons exceed as exceeded the first
market's in training: its median, for a model that was trained at medians. Forecasts of the other markets do not change by a digit.
The card says that it was not trained on, and what was measured on candles that neither network nor statistics had seen.")]
pub struct AddMarketArgs {
    /// Folder of the model bundle, which stays as it is.
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// The market's name; its keccak-256 is the id on chain.
    #[arg(long, value_name = "NAME")]
    market: String,
    /// Its symbol at Binance.
    #[arg(long, value_name = "SYMBOL")]
    symbol: String,
    /// Its candles: parquet, CSV or zip.
    #[arg(long, value_name = "FILE")]
    candles: PathBuf,
    /// The new bundle's folder, whose name is the model's.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// First decision time of statistics and threshold, UTC; that of the model's training where absent, if the file reaches back to it.
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// End of these decision times, UTC; what comes after, and after the model's own training, is measured.
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    #[command(flatten)]
    circuit: CircuitArgs,
}

/// Adds and prints.
///
/// # Errors
/// As [`training::add_market`].
pub async fn run(args: &AddMarketArgs, json: bool) -> anyhow::Result<()> {
    let tools = args.circuit.tools();
    let (model, out) = (place::data(&args.model), place::data(&args.out));
    let request = AddMarketRequest {
        model: &model,
        market: Market { name: args.market.clone(), symbol: args.symbol.clone() },
        candles: &args.candles,
        out: &out,
        from_ms: args.from.as_deref().map(parse_utc_ms).transpose()?,
        to_ms: args.to.as_deref().map(parse_utc_ms).transpose()?,
        tools: &tools,
    };
    let added = {
        let stage = progress::StageProgress::start();
        training::add_market(&request, &|what| stage.show(what)).await?
    };
    print::output(json, &added);
    Ok(())
}
