//! Binance's public archive: a month or day of klines as CSV, or a zip of that CSV.

use std::io::{Cursor, Read};
use std::path::Path;

use csv::StringRecord;
use zip::ZipArchive;

use super::error::CandleError;
use super::parquet::MAX_ROWS;
use crate::types::candle::Candle;

/// Largest CSV that is taken, unpacked. A month has 5 to 8 MB.
pub const MAX_CSV_BYTES: u64 = 512 << 20;
/// Fewest columns of a row: open time, open, high, low, close, volume. An archive has twelve.
const MIN_COLUMNS: usize = 6;
/// Open times from here on are microseconds: as milliseconds it would be the year 5138. Archives of spot markets switched in 2025.
const FIRST_MICROSECONDS: i64 = 100_000_000_000_000;

/// Reads the CSV inside a zip. `path` only names the file in errors.
///
/// # Errors
/// [`CandleError::NotCandles`] unless it holds exactly one CSV, [`CandleError::Damaged`] if it does not unpack or
/// unpacks to more than [`MAX_CSV_BYTES`], and as [`parse_csv`].
pub fn parse_zip(path: &Path, bytes: &[u8]) -> Result<Vec<Candle>, CandleError> {
    let damaged = |detail: String| CandleError::Damaged { path: path.to_owned(), detail };
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(error.to_string()))?;
    let is_csv =
        |name: &str| Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    let found: Vec<usize> =
        (0..archive.len()).filter(|&index| archive.name_for_index(index).is_some_and(is_csv)).collect();
    let [index] = found[..] else {
        let detail = format!("a zip with {} CSV files instead of one", found.len());
        return Err(CandleError::NotCandles { path: path.to_owned(), detail });
    };
    let entry = archive.by_index(index).map_err(|error| damaged(error.to_string()))?;
    let mut csv = Vec::new();
    entry.take(MAX_CSV_BYTES + 1).read_to_end(&mut csv).map_err(|error| damaged(error.to_string()))?;
    if csv.len() as u64 > MAX_CSV_BYTES {
        return Err(damaged(format!("it unpacks to more than {MAX_CSV_BYTES} bytes")));
    }
    parse_csv(path, &csv)
}

/// Reads klines as CSV: with or without a header row, open times in ms or µs (told apart by their size), any columns
/// after the volume ignored. Rows are returned in the file's order, unchecked. `path` only names the file in errors.
///
/// # Errors
/// [`CandleError::NotCandles`], with the line, for anything that is not such a row, or without any row;
/// [`CandleError::TooManyRows`].
pub fn parse_csv(path: &Path, bytes: &[u8]) -> Result<Vec<Candle>, CandleError> {
    let not_candles = |detail: String| CandleError::NotCandles { path: path.to_owned(), detail };
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
    let mut record = StringRecord::new();
    let mut candles = Vec::new();
    let mut line = 0_u64;
    while reader.read_record(&mut record).map_err(|error| not_candles(error.to_string()))? {
        line += 1;
        if line == 1 && is_header(&record) {
            continue;
        }
        if candles.len() == MAX_ROWS {
            return Err(CandleError::TooManyRows { path: path.to_owned(), limit_rows: MAX_ROWS });
        }
        candles.push(parse_row(&record).map_err(|detail| not_candles(format!("row {line}: {detail}")))?);
    }
    if candles.is_empty() {
        return Err(not_candles("it has no rows".into()));
    }
    Ok(candles)
}

/// A first row whose first cell has letters in it names columns.
fn is_header(record: &StringRecord) -> bool {
    record.get(0).is_some_and(|cell| cell.starts_with(|first: char| first.is_ascii_alphabetic()))
}

fn parse_row(record: &StringRecord) -> Result<Candle, String> {
    if record.len() < MIN_COLUMNS {
        return Err(format!("{} columns, at least {MIN_COLUMNS} expected", record.len()));
    }
    let time: i64 = record[0].parse().map_err(|_| "the open time is not a whole number".to_owned())?;
    let open_time_ms = match time {
        FIRST_MICROSECONDS.. if time % 1000 == 0 => time / 1000,
        FIRST_MICROSECONDS.. => return Err("the open time is not a whole millisecond".to_owned()),
        _ => time,
    };
    let number =
        |column: usize| record[column].parse::<f64>().map_err(|_| format!("column {} is not a number", column + 1));
    Ok(Candle {
        open_time_ms,
        open: number(1)?,
        high: number(2)?,
        low: number(3)?,
        close: number(4)?,
        volume: number(5)?,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;
    use crate::types::fault::Fault;

    const HEADER: &str = "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,\
                          taker_buy_quote_volume,ignore\n";
    const ROWS_MS: &str = "1704067200000,42283.58,42298.62,42261.02,42298.61,35.92724,1704067259999,1519032.1,1327,23.1,977041.1,0\n\
                           1704067260000,42298.62,42320.00,42298.61,42320.00,21.16779,1704067319999,895580.2,1348,12.8,544430.8,0\n";
    const ROWS_US: &str =
        "1735689600000000,93576.00,93610.93,93537.50,93610.93,8.21827,1735689659999999,768978.4,2631,3.9,371246.0,0\n";

    fn parse(csv: &str) -> Result<Vec<Candle>, CandleError> {
        parse_csv(Path::new("test.csv"), csv.as_bytes())
    }

    fn zipped(files: &[(&str, &str)]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in files {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(content.as_bytes()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn milliseconds_and_microseconds_with_and_without_a_header() {
        let plain = parse(ROWS_MS).unwrap();
        assert_eq!(plain.len(), 2);
        assert_eq!(
            plain[1],
            Candle {
                open_time_ms: 1_704_067_260_000,
                open: 42298.62,
                high: 42320.0,
                low: 42298.61,
                close: 42320.0,
                volume: 21.16779
            }
        );
        assert_eq!(parse(&format!("{HEADER}{ROWS_MS}")).unwrap(), plain);
        assert_eq!(parse(ROWS_US).unwrap()[0].open_time_ms, 1_735_689_600_000);
        assert_eq!(parse(&ROWS_MS.replace('\n', "\r\n")).unwrap(), plain);
    }

    #[test]
    fn a_zip_gives_what_its_csv_gives() {
        let bytes = zipped(&[("BTCUSDT-1m-2024-01.csv", ROWS_MS)]);
        assert_eq!(parse_zip(Path::new("z"), &bytes).unwrap(), parse(ROWS_MS).unwrap());
    }

    #[test]
    fn wrong_files_are_refused_with_their_code() {
        let wrong =
            ["", HEADER, "1,2,3\n", "x\n", "1704067200000,a,1,1,1,1\n", "1704067200000,1,1,1,1\n", "1.5,1,1,1,1,1\n"];
        for csv in wrong.into_iter().chain(["1735689600000001,1,1,1,1,1\n", "\n\n", "1,1,1,1,1,1\n2,2\n"]) {
            assert_eq!(parse(csv).expect_err(csv).code(), "VR-CANDLE-011");
        }
        for files in [&[("notes.txt", "x")][..], &[("a.csv", ROWS_MS), ("b.csv", ROWS_MS)][..]] {
            assert_eq!(parse_zip(Path::new("z"), &zipped(files)).expect_err("zip").code(), "VR-CANDLE-011");
        }
    }

    proptest! {
        #[test]
        fn a_zip_with_a_flipped_bit_or_cut_short_is_refused_or_unchanged(at in any::<prop::sample::Index>(), bit in 0_u8..8, cut: bool) {
            let mut bytes = zipped(&[("BTCUSDT-1m-2024-01.csv", ROWS_MS)]);
            let at = at.index(bytes.len());
            if cut { bytes.truncate(at) } else { bytes[at] ^= 1 << bit }
            match parse_zip(Path::new("z"), &bytes) {
                Ok(candles) => prop_assert_eq!(candles, parse(ROWS_MS).unwrap()),
                Err(error) => prop_assert!(error.code().starts_with("VR-CANDLE-01"), "{}", error),
            }
        }
    }
}
