//! Long histories from the exchange into one parquet file, in pieces that survive a crash.
//!
//! Each piece (a week of the grid) rests in `<file>.parts/` as soon as it is complete; at the end they and what the
//! file already held become the new file in one step. Whoever is interrupted, however rudely, loses at most the piece at hand.

use std::ffi::OsString;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::error::CandleError;
use super::parquet;
use super::source::Source;
use crate::fs::{create_folder, remove_folder};
use crate::types::candle::{Candle, check_all};
use crate::types::period::MINUTE_MS;

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
    /// The parquet file. One that exists is continued at both ends; gaps inside it are the exchange's and stay.
    pub file: &'a Path,
}

impl Download<'_> {
    /// Downloads what is missing and returns all that the file now holds. `progress` hears how many minutes of how
    /// many are there.
    ///
    /// # Errors
    /// [`CandleError::Differs`] where the file's first or last candle is not the exchange's (another symbol, or a
    /// corrected history), [`CandleError::Range`] where nothing of the range is closed yet, and as
    /// [`Source::candles`] and [`parquet::read`]. What is complete stays for the next run.
    pub async fn run(&self, mut progress: impl FnMut(u64, u64)) -> Result<Vec<Candle>, CandleError> {
        let now_ms = self.now_ms.min(self.source.server_time_ms().await?);
        let to_ms = self.to_ms.min(now_ms.div_euclid(MINUTE_MS) * MINUTE_MS);
        if self.from_ms >= to_ms {
            return Err(CandleError::Range { from_ms: self.from_ms, to_ms });
        }
        let held = if self.file.exists() { parquet::read(self.file)? } else { Vec::new() };
        check_all(&held)?;
        let [head, tail] = missing(&held, self.from_ms..to_ms);
        let total = minutes(&head) + minutes(&tail);
        progress(0, total);
        if total > 0 {
            self.compare(held.first()).await?;
            self.compare(held.last()).await?;
            create_folder(&self.parts())?;
        }
        let mut done = 0;
        let mut candles = Vec::new();
        for (range_ms, held_after) in [(head, held), (tail, Vec::new())] {
            for piece in pieces(range_ms) {
                candles.extend(self.piece(&piece).await?);
                done += minutes(&piece);
                progress(done, total);
            }
            candles.extend(held_after);
        }
        if total > 0 {
            check_all(&candles)?;
            parquet::write(self.file, &candles)?;
        }
        remove_folder(&self.parts())?;
        Ok(candles)
    }

    /// The piece from its file, or from the exchange and then into its file.
    async fn piece(&self, range_ms: &Range<i64>) -> Result<Vec<Candle>, CandleError> {
        let name = format!("{}-{}-{}.parquet", self.symbol, range_ms.start, range_ms.end);
        let file = self.parts().join(name);
        if file.exists() {
            return parquet::read(&file);
        }
        let candles = self.source.candles(self.symbol, range_ms.start, range_ms.end, self.now_ms).await?;
        parquet::write(&file, &candles)?;
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

/// The ranges before and after what is held that are wanted; the second is the whole where nothing is held.
fn missing(held: &[Candle], wanted_ms: Range<i64>) -> [Range<i64>; 2] {
    match held {
        [] => [wanted_ms.start..wanted_ms.start, wanted_ms],
        [first, .., last] | [first @ last] => {
            [wanted_ms.start..first.open_time_ms, last.close_time_ms()..wanted_ms.end]
        }
    }
}

fn minutes(range_ms: &Range<i64>) -> u64 {
    u64::try_from((range_ms.end - range_ms.start) / MINUTE_MS).unwrap_or(0)
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
            prop_assert_eq!(pieces.iter().map(minutes).sum::<u64>(), minutes(&range));
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
