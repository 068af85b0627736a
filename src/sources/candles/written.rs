//! What a candle file that was written holds, for people and for programs.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};
use serde_json::json;

use super::download::Downloaded;
use super::holes;
use super::minutes::Snapped;
use crate::render::Render;
use veriregime_core::types::candle::Candle;
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::time::format_utc;

/// A candle file that was written.
#[derive(Debug)]
pub struct Written {
    file: PathBuf,
    rows: usize,
    /// From the first candle's opening to the last one's close, in Unix milliseconds.
    range_ms: Option<[i64; 2]>,
    source: Origin,
}

#[derive(Debug)]
enum Origin {
    /// From files, with what was moved to whole minutes where that was asked for.
    Files(Option<Snapped>),
    /// From an exchange, with the stretches that it does not have.
    Exchange(Vec<Range<i64>>),
}

impl Written {
    /// From files; `snapped` where rows were moved on request.
    pub fn imported(file: &Path, candles: &[Candle], snapped: Option<Snapped>) -> Self {
        Self::of(file, candles, Origin::Files(snapped))
    }

    /// From an exchange.
    pub fn downloaded(file: &Path, downloaded: Downloaded) -> Self {
        Self::of(file, &downloaded.candles, Origin::Exchange(downloaded.absent_ms))
    }

    fn of(file: &Path, candles: &[Candle], source: Origin) -> Self {
        let range_ms =
            candles.first().zip(candles.last()).map(|(first, last)| [first.open_time_ms, last.close_time_ms()]);
        Self { file: file.to_owned(), rows: candles.len(), range_ms, source }
    }
}

fn length_minutes(hole: &Range<i64>) -> i64 {
    (hole.end - hole.start) / MINUTE_MS
}

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut said = json!({"file": self.file, "rows": self.rows, "range": self.range_ms});
        match &self.source {
            Origin::Files(None) => {}
            Origin::Files(Some(Snapped { rows, farthest_ms })) => {
                said["moved"] = json!({"rows": rows, "farthest_ms": farthest_ms});
            }
            Origin::Exchange(absent_ms) => {
                said["absent_minutes"] = holes::minutes(absent_ms).into();
                said["longest_absence_minutes"] = absent_ms.iter().map(length_minutes).max().unwrap_or(0).into();
            }
        }
        said.serialize(serializer)
    }
}

impl Render for Written {
    fn text(&self) -> String {
        let span = |[from, to]: [i64; 2]| format!(", {} to {}", format_utc(from), format_utc(to));
        let span = self.range_ms.map_or_else(String::new, span);
        let head = format!("{}: {} candles{span}", self.file.display(), self.rows);
        match &self.source {
            Origin::Files(None) => head,
            Origin::Files(Some(Snapped { rows, farthest_ms })) => {
                let seconds = *farthest_ms as f64 / 1000.0;
                format!("{head}, {rows} of them moved to the nearest minute by {seconds} s at most")
            }
            Origin::Exchange(absent_ms) => match absent_ms.iter().rev().max_by_key(|hole| length_minutes(hole)) {
                None => head,
                Some(longest) => format!(
                    "{head}\n  {} of the minutes asked for the exchange itself does not have (each was asked for twice); \
                     the longest stretch is {} minutes from {}",
                    holes::minutes(absent_ms),
                    length_minutes(longest),
                    format_utc(longest.start)
                ),
            },
        }
    }
}
