//! Binance's public archive: a month or day of klines as CSV, or a zip of that CSV.

use std::io::{Cursor, Read};
use std::path::Path;

use csv::{StringRecord, Trim};
use zip::{CompressionMethod, ZipArchive};

use super::columns::{Columns, NAMES};
use super::error::CandleError;
use super::minutes::{Units, most_common};
use super::parquet::MAX_ROWS;
use veriregime_core::types::candle::Candle;
use veriregime_core::types::period::MINUTE_MS;

/// How a zip begins.
pub const ZIP_MAGIC: &[u8] = b"PK\x03\x04";
/// Largest CSV that is taken, unpacked. A month has 5 to 8 MB.
pub const MAX_CSV_BYTES: u64 = 512 << 20;
/// Fewest columns of a row without a header: open time, open, high, low, close, volume.
const MIN_COLUMNS: usize = 6;
/// Columns of an archive's row, whose seventh is the close time.
const ARCHIVE_COLUMNS: usize = 12;
/// What an archive's candle may last: its close time is the last millisecond of the minute, or the next one's first.
const LENGTH_MS: std::ops::RangeInclusive<i64> = MINUTE_MS - 1000..=MINUTE_MS;

/// Reads the CSV inside a zip. `path` only names the file in errors.
///
/// # Errors
/// As [`csv_in_zip`] and [`parse_csv`].
pub fn parse_zip(path: &Path, bytes: &[u8]) -> Result<Vec<Candle>, CandleError> {
    parse_csv(path, &csv_in_zip(path, bytes)?)
}

/// The one CSV inside a zip. What macOS puts beside it is passed over. `path` only names the file in errors.
///
/// # Errors
/// [`CandleError::NotCandles`] unless it holds exactly one CSV, [`CandleError::Unsupported`] if that is encrypted or packed
/// by a method that is not known here, [`CandleError::Damaged`] if it does not unpack or unpacks to more than
/// [`MAX_CSV_BYTES`].
pub fn csv_in_zip(path: &Path, bytes: &[u8]) -> Result<Vec<u8>, CandleError> {
    let damaged = |detail: String| CandleError::Damaged { path: path.to_owned(), detail };
    let unsupported = |what: String| CandleError::Unsupported { path: path.to_owned(), what };
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(error.to_string()))?;
    let found: Vec<usize> =
        (0..archive.len()).filter(|&index| archive.name_for_index(index).is_some_and(is_csv)).collect();
    let [index] = found[..] else {
        let detail = format!("a zip with {} CSV files instead of one", found.len());
        return Err(CandleError::NotCandles { path: path.to_owned(), detail });
    };
    let packed = archive.by_index_raw(index).map_err(|error| damaged(error.to_string()))?;
    let (is_encrypted, packing) = (packed.encrypted(), packed.compression());
    drop(packed);
    if is_encrypted {
        return Err(unsupported("its CSV is encrypted".into()));
    }
    if ![CompressionMethod::Stored, CompressionMethod::Deflated].contains(&packing) {
        return Err(unsupported(format!("its CSV is packed by {packing}, and only deflate is known")));
    }
    let entry = archive.by_index(index).map_err(|error| damaged(error.to_string()))?;
    let mut csv = Vec::new();
    entry.take(MAX_CSV_BYTES + 1).read_to_end(&mut csv).map_err(|error| damaged(error.to_string()))?;
    if csv.len() as u64 > MAX_CSV_BYTES {
        return Err(damaged(format!("it unpacks to more than {MAX_CSV_BYTES} bytes")));
    }
    Ok(csv)
}

/// Whether a name in a zip is a CSV's, and not that of a folder or of what macOS notes about a file.
fn is_csv(name: &str) -> bool {
    let path = Path::new(name);
    let is_note = name.split('/').any(|part| part == "__MACOSX" || part.starts_with("._"));
    !name.ends_with('/') && !is_note && path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"))
}

/// Reads klines as CSV: by the names of its header row, or in an archive's order where there is none. Open times are in
/// seconds, ms, µs or ns. Rows are returned in the file's order, unchecked. `path` only names the file in errors.
///
/// # Errors
/// [`CandleError::NotCandles`], with the line, for anything that is not such a row, or without any row;
/// [`CandleError::Interval`] where close times say that a candle is not a minute; [`CandleError::Unsupported`] for
/// UTF-16; [`CandleError::TooManyRows`].
pub fn parse_csv(path: &Path, bytes: &[u8]) -> Result<Vec<Candle>, CandleError> {
    const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
    let not_candles = |detail: String| CandleError::NotCandles { path: path.to_owned(), detail };
    if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] = bytes {
        return Err(CandleError::Unsupported { path: path.to_owned(), what: "it is UTF-16 text".into() });
    }
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).trim(Trim::All).from_reader(bytes);
    let mut record = StringRecord::new();
    let (mut columns, mut rows, mut close_times) = (None, Vec::new(), Vec::new());
    let mut line = 0_u64;
    while reader.read_record(&mut record).map_err(|error| not_candles(error.to_string()))? {
        line += 1;
        if line == 1 && is_header(&record) {
            columns = Some(Columns::find(record.iter()).map_err(not_candles)?);
            continue;
        }
        if rows.len() == MAX_ROWS {
            return Err(CandleError::TooManyRows { path: path.to_owned(), limit_rows: MAX_ROWS });
        }
        let at_row = |detail: String| not_candles(format!("row {line}: {detail}"));
        let columns = columns.map_or_else(|| by_place(&record).map_err(at_row), Ok)?;
        rows.push((line, parse_row(&record, columns).map_err(at_row)?));
        if let Some(close_time) = columns.close_time {
            close_times.push(whole(&record, close_time, "close time").map_err(at_row)?);
        }
    }
    if rows.is_empty() {
        return Err(not_candles("it has no rows".into()));
    }
    in_ms(path, rows, &close_times)
}

/// Candles with their open times in milliseconds. Those of `rows` are in the file's unit, and so are `close_times`, of
/// which there are none or one for each.
fn in_ms(path: &Path, rows: Vec<(u64, Candle)>, close_times: &[i64]) -> Result<Vec<Candle>, CandleError> {
    let units = Units::of_all(rows.iter().map(|(_, candle)| candle.open_time_ms));
    let lengths: Vec<i64> = (rows.iter().zip(close_times))
        .map(|((_, Candle { open_time_ms: time, .. }), close)| units.of(*time).length_ms(close.saturating_sub(*time)))
        .collect();
    // An outage may cut a candle short, but nothing makes one longer.
    let usual = most_common(lengths.iter().copied()).filter(|length| !LENGTH_MS.contains(length));
    if let Some(length_ms) = usual.or_else(|| lengths.iter().copied().find(|length| length > LENGTH_MS.end())) {
        return Err(CandleError::Interval { path: path.to_owned(), length_ms });
    }
    let candle = |(line, candle): (u64, Candle)| {
        let open_time_ms = units.of(candle.open_time_ms).to_ms(candle.open_time_ms).ok_or_else(|| {
            let detail = format!("row {line}: the open time is not a whole millisecond");
            CandleError::NotCandles { path: path.to_owned(), detail }
        })?;
        Ok(Candle { open_time_ms, ..candle })
    };
    rows.into_iter().map(candle).collect()
}

/// A first row names columns if its first cell is no number and one of its cells begins with a letter.
fn is_header(record: &StringRecord) -> bool {
    record.get(0).is_some_and(|cell| cell.parse::<f64>().is_err())
        && record.iter().any(|cell| cell.starts_with(|first: char| first.is_ascii_alphabetic()))
}

/// The columns of a row without a header: an archive's.
fn by_place(record: &StringRecord) -> Result<Columns, String> {
    match record.len() {
        ..MIN_COLUMNS => Err(format!("{} columns, at least {MIN_COLUMNS} expected", record.len())),
        columns => {
            Ok(Columns { candle: [0, 1, 2, 3, 4, 5], close_time: (columns == ARCHIVE_COLUMNS).then_some(MIN_COLUMNS) })
        }
    }
}

/// A row's candle, with its open time as it is.
fn parse_row(record: &StringRecord, columns: Columns) -> Result<Candle, String> {
    let [time, values @ ..] = columns.candle;
    let mut numbers = [0.0; 5];
    for ((number, column), name) in numbers.iter_mut().zip(values).zip(&NAMES[1..]) {
        *number = match record[column].parse() {
            Ok(number) => number,
            Err(_) if record[column].is_empty() => return Err(format!("it has no {name}")),
            Err(_) => return Err(format!("column {} ({name}) is not a number", column + 1)),
        };
    }
    let [open, high, low, close, volume] = numbers;
    Ok(Candle { open_time_ms: whole(record, time, "open time")?, open, high, low, close, volume })
}

fn whole(record: &StringRecord, column: usize, name: &str) -> Result<i64, String> {
    record[column].parse().map_err(|_| format!("the {name} is not a whole number of seconds, ms, µs or ns"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;
    use veriregime_core::types::diagnostic::Diagnostic;

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
        let more = ["1735689600000001,1,1,1,1,1\n", "\n\n", "1,1,1,1,1,1\n2,2\n", "1704067200000,1,1,1,,1\n"];
        for csv in wrong.into_iter().chain(more) {
            assert_eq!(parse(csv).expect_err(csv).code(), "VR-CANDLE-011");
        }
        for files in [&[("notes.txt", "x")][..], &[("a.csv", ROWS_MS), ("b.csv", ROWS_MS)][..]] {
            assert_eq!(parse_zip(Path::new("z"), &zipped(files)).expect_err("zip").code(), "VR-CANDLE-011");
        }
    }

    #[test]
    fn columns_are_read_by_their_names_and_never_by_their_place() {
        let reordered =
            "open_time,close,high,low,open,volume\n1704067200000,42298.61,42298.62,42261.02,42283.58,35.92724\n";
        assert_eq!(parse(reordered).unwrap(), parse(ROWS_MS).unwrap()[..1]);
        let with_index = "\u{feff},Open time,Open,High,Low,Close,Volume\n0, 1704067200,42283.58,42298.62,42261.02,42298.61,35.92724\n";
        assert_eq!(parse(with_index).unwrap(), parse(ROWS_MS).unwrap()[..1]);
        for unknown in [
            "t,o,h,l,c,volume\n",
            "open_time,open,high,low,close,quote_volume\n",
            "open_time,open,open,low,close,volume\n",
        ] {
            let csv = format!("{unknown}1704067200000,1,1,1,1,1\n");
            assert_eq!(parse(&csv).expect_err(unknown).code(), "VR-CANDLE-011");
        }
    }

    #[test]
    fn candles_of_another_interval_are_told_by_their_close_times() {
        for (close_time, interval) in
            [("1704067499999", "5m"), ("1704070799999", "1h"), ("1704067500000", "5m"), ("1704067200999", "1s")]
        {
            let rows = ROWS_MS.lines().next().unwrap().replace("1704067259999", close_time);
            for csv in [rows.clone(), format!("{HEADER}{rows}")] {
                let error = parse(&csv).expect_err(interval);
                assert_eq!(error.code(), "VR-CANDLE-028");
                assert!(
                    error.to_string().ends_with(&format!("holds candles of {interval}, not of one minute")),
                    "{error}"
                );
            }
        }
        // One among many: longer is refused, while an outage may cut one short.
        let second = |close: &str| parse(&ROWS_MS.replace("1704067319999", close));
        assert_eq!(second("1704067559999").expect_err("longer").code(), "VR-CANDLE-028");
        let cut_short = format!("{ROWS_MS}1704067320000,1,1,1,1,1,1704067335703,1,1,1,1,0\n");
        assert_eq!(parse(&cut_short).unwrap().len(), 3);
    }

    #[test]
    fn what_macos_notes_beside_a_csv_is_passed_over() {
        let notes = "\0\u{5}\u{16}\u{7}Mac OS X";
        let bytes = zipped(&[
            ("2024/a.csv", ROWS_MS),
            ("__MACOSX/2024/._a.csv", notes),
            ("2024/._a.csv", notes),
            ("x.csv/", ""),
        ]);
        assert_eq!(parse_zip(Path::new("z"), &bytes).unwrap(), parse(ROWS_MS).unwrap());
    }

    #[test]
    fn a_zip_that_is_packed_otherwise_is_named() {
        // The method stands in the local header and in the central directory; flag bit 0 of both says that it is encrypted.
        for (flags, method, named) in
            [(0, 12, "Bzip2"), (0, 14, "Lzma"), (0, 93, "Zstd"), (0, 9, "Deflate64"), (1, 8, "encrypted")]
        {
            let mut bytes = zipped(&[("a.csv", ROWS_MS)]);
            let central = bytes.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
            for (flags_at, method_at) in [(6, 8), (central + 8, central + 10)] {
                bytes[flags_at] |= flags;
                bytes[method_at] = method;
            }
            let error = parse_zip(Path::new("z"), &bytes).expect_err(named);
            assert_eq!(error.code(), "VR-CANDLE-027");
            assert!(error.to_string().contains(named), "{error}");
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
                Err(error) => {
                    prop_assert!(error.code().starts_with("VR-CANDLE-01") || error.code() == "VR-CANDLE-027", "{}", error);
                }
            }
        }
    }
}
