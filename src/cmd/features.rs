//! `candles features`: what a model is fed, for every minute of a candle file.

use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;

use crate::bundle::Bundle;
use crate::config::place;
use crate::sources::candles::file;
use veriregime_core::features::{Batch, FeatureError};
use veriregime_core::types::feature::{FeatureSpec, ScaledFeature};
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::time::{format_utc, parse_utc_ms};

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

/// What was computed.
#[derive(Debug, Serialize)]
struct Summary {
    rows: usize,
    /// First and last decision time, in ms UTC.
    range: Option<[i64; 2]>,
    columns: Vec<String>,
    /// log2 of the grid: a column's integers are multiples of 2^-input_scale standard deviations.
    input_scale: u32,
    /// Of the features alone, on all cores: neither reading candles nor writing rows counts.
    seconds: f64,
    features_rows_per_second: f64,
}

/// Computes the integers of all decision times that the candles reach back far enough for, writes them if asked to and
/// prints how many there are and how long they took.
///
/// # Errors
/// A model or a file that is not usable.
pub fn run(args: &FeaturesArgs, json: bool) -> anyhow::Result<()> {
    let bundle = Bundle::open(&place::data(&args.model)).context("the model bundle is not usable")?;
    let spec = &bundle.manifest.features;
    let series = file::read_series(&args.candles)?;
    let index = |time_ms: i64| usize::try_from((time_ms - series.start_ms()) / MINUTE_MS).unwrap_or(0);
    let given = series.candles().len();
    if given < spec.lookback_minutes {
        return Err(FeatureError::TooShort { given, needed: spec.lookback_minutes }.into());
    }
    let end = given + 1;
    let from = args.from.map_or(0, index).max(spec.lookback_minutes).min(end);
    let wanted = from..args.to.map_or(end, index).clamp(from, end);

    let started = Instant::now();
    let batch = Batch::new(spec, &series)?;
    let integers = batch.rows(wanted.clone());
    let seconds = started.elapsed().as_secs_f64();

    let usable = |(at, _): &(usize, &[i32])| batch.is_usable(*at);
    let rows: Vec<(i64, &[i32])> = wanted
        .zip(integers.chunks_exact(spec.count()))
        .filter(usable)
        .map(|(at, row)| (batch.time_ms(at), row))
        .collect();
    let summary = Summary {
        rows: rows.len(),
        range: rows.first().zip(rows.last()).map(|(first, last)| [first.0, last.0]),
        columns: columns(spec),
        input_scale: spec.input_scale,
        seconds,
        features_rows_per_second: rows.len() as f64 / seconds,
    };
    if let Some(out) = &args.out {
        veriregime_files::write_atomic_with(out, |file| {
            let mut csv = BufWriter::new(file);
            writeln!(csv, "time_ms,{}", summary.columns.join(","))?;
            for (time_ms, row) in &rows {
                write!(csv, "{time_ms}")?;
                for integer in *row {
                    write!(csv, ",{integer}")?;
                }
                writeln!(csv)?;
            }
            csv.flush()
        })?;
    }
    print(&summary, json)
}

fn columns(spec: &FeatureSpec) -> Vec<String> {
    spec.candle.iter().chain(&spec.calendar).map(|ScaledFeature { feature, .. }| feature.label()).collect()
}

fn print(summary: &Summary, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string(summary)?);
        return Ok(());
    }
    let span =
        summary.range.map_or_else(String::new, |[from, to]| format!(", {} to {}", format_utc(from), format_utc(to)));
    println!(
        "{} rows of {} features{span}; {:.2} s, {:.2} M rows/s",
        summary.rows,
        summary.columns.len(),
        summary.seconds,
        summary.features_rows_per_second / 1e6
    );
    Ok(())
}
