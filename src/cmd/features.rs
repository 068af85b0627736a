//! `candles features`: what a model is fed, for every minute of a candle file.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::print;
use crate::bundle::Bundle;
use crate::config::place;
use crate::modelling::feature_rows;
use veriregime_core::types::time::parse_utc_ms;

/// Arguments of `candles features`.
#[derive(Debug, Args)]
pub struct FeaturesArgs {
    /// Folder of the model bundle.
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// Candle file: parquet, CSV or zip.
    #[arg(long, value_name = "FILE")]
    candles: PathBuf,
    /// First decision time, UTC [default: the first with enough candles before it]
    #[arg(long, value_parser = parse_utc_ms, value_name = "DATE")]
    from: Option<i64>,
    /// Decision times end before this one, UTC [default: after the last candle]
    #[arg(long, value_parser = parse_utc_ms, value_name = "DATE")]
    to: Option<i64>,
    /// CSV file to write; without it they are only computed, and timed
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Computes, writes where asked to, and prints how many rows there are and how long they took.
///
/// # Errors
/// As [`feature_rows::compute`].
pub fn run(args: &FeaturesArgs, json: bool) -> anyhow::Result<()> {
    let bundle = Bundle::open(&place::data(&args.model)).context("the model bundle is not usable")?;
    let spec = bundle.manifest.features()?;
    print::output(json, &feature_rows::compute(spec, &args.candles, args.from, args.to, args.out.as_deref())?);
    Ok(())
}
