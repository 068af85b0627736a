//! What a model is fed, for every minute of a candle file.

use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::Instant;

use serde::Serialize;

use crate::render::Render;
use crate::sources::candles::file;
use veriregime_core::features::{Batch, FeatureError};
use veriregime_core::types::feature::{FeatureSpec, ScaledFeature};
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::time::format_utc;

/// What was computed.
#[derive(Debug, Serialize)]
pub struct FeatureRows {
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

/// Computes the integers of all decision times that the candles reach back far enough for, from `from_ms` to before `to_ms`
/// where given, and writes them as CSV to `out` if asked to.
///
/// # Errors
/// Candles that are not usable, or a file that cannot be written.
pub fn compute(
    spec: &FeatureSpec,
    candles: &Path,
    from_ms: Option<i64>,
    to_ms: Option<i64>,
    out: Option<&Path>,
) -> anyhow::Result<FeatureRows> {
    let series = file::read_series(candles)?;
    let index = |time_ms: i64| usize::try_from((time_ms - series.start_ms()) / MINUTE_MS).unwrap_or(0);
    let given = series.candles().len();
    if given < spec.lookback_minutes {
        return Err(FeatureError::TooShort { given, needed: spec.lookback_minutes }.into());
    }
    let end = given + 1;
    let from = from_ms.map_or(0, index).max(spec.lookback_minutes).min(end);
    let wanted = from..to_ms.map_or(end, index).clamp(from, end);

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
    let summary = FeatureRows {
        rows: rows.len(),
        range: rows.first().zip(rows.last()).map(|(first, last)| [first.0, last.0]),
        columns: columns(spec),
        input_scale: spec.input_scale,
        seconds,
        features_rows_per_second: rows.len() as f64 / seconds,
    };
    if let Some(out) = out {
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
    Ok(summary)
}

fn columns(spec: &FeatureSpec) -> Vec<String> {
    spec.candle.iter().chain(&spec.calendar).map(|ScaledFeature { feature, .. }| feature.label()).collect()
}

impl Render for FeatureRows {
    fn text(&self) -> String {
        let span =
            self.range.map_or_else(String::new, |[from, to]| format!(", {} to {}", format_utc(from), format_utc(to)));
        format!(
            "{} rows of {} features{span}; {:.2} s, {:.2} M rows/s",
            self.rows,
            self.columns.len(),
            self.seconds,
            self.features_rows_per_second / 1e6
        )
    }
}
