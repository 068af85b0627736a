//! Long histories from the exchange into one parquet file, in pieces that survive a crash.
//!
//! Each piece (a week of the grid) rests in `<file>.parts/` as soon as it is complete; at the end they and what the
//! file already held become the new file in one step. Whoever is interrupted, however rudely, loses at most the piece at hand.

use std::ffi::OsString;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::error::CandleError;
use super::holes::{holes, merged, minutes};
use super::parquet;
use super::source::Source;
use veriregime_core::types::candle::{Candle, check_all};
use veriregime_core::types::period::MINUTE_MS;
use veriregime_files::{create_folder, remove_folder};

/// Length of one piece: eleven pages of the exchange.
const PIECE_MS: i64 = 7 * 1440 * MINUTE_MS;

/// What to download and where to.
#[derive(Debug, Clone, Copy)]
pub struct Download<'a> {
    /// The exchange.
    pub source: &'a Source,
    /// The exchange's symbol.
    pub symbol: &'a str,
    /// First minute, in Unix milliseconds.
    pub from_ms: i64,
    /// End, not included; minutes that are not closed are left out.
    pub to_ms: i64,
    /// Our time.
    pub now_ms: i64,
    /// The parquet file. One that exists is continued at both ends, and its holes are asked for again.
    pub file: &'a Path,
}

/// What a download has come to.
#[derive(Debug)]
pub struct Downloaded {
    /// All that the file now holds.
    pub candles: Vec<Candle>,
    /// The stretches between the file's ends for which the exchange has no candles: each was asked for at least twice.
    pub absent_ms: Vec<Range<i64>>,
}

impl Download<'_> {
    /// Downloads what is missing. `progress` hears how many minutes of how many have been asked for.
    ///
    /// # Errors
    /// [`CandleError::Differs`] where the file's first or last candle is not the exchange's (another symbol, or a
    /// corrected history), [`CandleError::Range`] where nothing of the range is closed yet, [`CandleError::NothingThere`]
    /// where nobody has a candle of it, and as [`Source::candles`] and [`parquet::read`]. What is complete stays for the
    /// next run.
    pub async fn run(&self, mut progress: impl FnMut(u64, u64)) -> Result<Downloaded, CandleError> {
        let now_ms = self.now_ms.min(self.source.server_time_ms().await?);
        let to_ms = self.to_ms.min(now_ms.div_euclid(MINUTE_MS) * MINUTE_MS);
        if self.from_ms >= to_ms {
            return Err(CandleError::Range { from_ms: self.from_ms, to_ms });
        }
        let held = if self.file.exists() { parquet::read(self.file)? } else { Vec::new() };
        check_all(&held)?;
        let span_ms = span(&held, self.from_ms..to_ms);
        let missing = holes(&held, &span_ms);
        let total = minutes(&missing) as u64;
        progress(0, total);
        if total > 0 {
            self.compare(held.first()).await?;
            self.compare(held.last()).await?;
            create_folder(&self.parts())?;
        }
        let mut done = 0;
        let mut found = Vec::new();
        for piece in missing.into_iter().flat_map(pieces) {
            found.extend(self.piece(&piece).await?);
            done += minutes(&[piece]) as u64;
            progress(done, total);
        }
        let grows = !found.is_empty();
        let candles = merged(held, &found);
        check_all(&candles)?;
        if candles.is_empty() {
            let symbol = self.symbol.to_owned();
            return Err(CandleError::NothingThere { symbol, from_ms: self.from_ms, to_ms });
        }
        if grows {
            parquet::write(self.file, &candles)?;
        }
        remove_folder(&self.parts())?;
        Ok(Downloaded { absent_ms: holes(&candles, &span_ms), candles })
    }

    /// The piece from its file, or from the exchange and then into its file.
    async fn piece(&self, range_ms: &Range<i64>) -> Result<Vec<Candle>, CandleError> {
        let name = format!("{}-{}-{}.parquet", self.symbol, range_ms.start, range_ms.end);
        let file = self.parts().join(name);
        if file.exists() {
            return parquet::read(&file);
        }
        let candles = self.source.candles(self.symbol, range_ms.start, range_ms.end, self.now_ms).await?;
        if !candles.is_empty() {
            parquet::write(&file, &candles)?;
        }
        Ok(candles)
    }

    /// Makes sure that the file's candle is the exchange's.
    async fn compare(&self, held: Option<&Candle>) -> Result<(), CandleError> {
        let Some(held) = held else { return Ok(()) };
        let open_time_ms = held.open_time_ms;
        let found = self.source.candles(self.symbol, open_time_ms, held.close_time_ms(), self.now_ms).await?;
        if found == [*held] { Ok(()) } else { Err(CandleError::Differs { open_time_ms }) }
    }

    fn parts(&self) -> PathBuf {
        let mut name = OsString::from(self.file);
        name.push(".parts");
        PathBuf::from(name)
    }
}

/// The wanted range and all that is held, with what lies between them.
fn span(held: &[Candle], wanted_ms: Range<i64>) -> Range<i64> {
    match held {
        [] => wanted_ms,
        [first, .., last] | [first @ last] => {
            wanted_ms.start.min(first.open_time_ms)..wanted_ms.end.max(last.close_time_ms())
        }
    }
}

/// Cuts a range at the grid of pieces, so that another run finds the same pieces.
fn pieces(range_ms: Range<i64>) -> impl Iterator<Item = Range<i64>> {
    let first = range_ms.start.div_euclid(PIECE_MS);
    let end = (range_ms.end - 1).div_euclid(PIECE_MS) + 1;
    (first..end)
        .map(move |index| range_ms.start.max(index * PIECE_MS)..range_ms.end.min((index + 1) * PIECE_MS))
        .filter(|piece| !piece.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pieces_cover_a_range_once_and_cut_at_the_grid_only(start in 0_i64..100_000, length in -10_i64..100_000) {
            let range = start * MINUTE_MS..(start + length) * MINUTE_MS;
            let pieces: Vec<Range<i64>> = pieces(range.clone()).collect();
            prop_assert_eq!(minutes(&pieces), minutes(std::slice::from_ref(&range)));
            for pair in pieces.windows(2) {
                prop_assert_eq!(pair[0].end, pair[1].start);
                prop_assert_eq!(pair[0].end % PIECE_MS, 0);
            }
            if length > 0 {
                prop_assert_eq!(pieces[0].start, range.start);
            }
        }
    }
}
