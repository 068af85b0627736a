//! Candle files of any kind that is known here, told apart by their first bytes.

use std::path::Path;

use super::archive::ZIP_MAGIC;
use super::error::CandleError;
use super::parquet::PARQUET_MAGIC;
use super::{archive, minutes, parquet};
use veriregime_core::types::candle::{Candle, CandleSeries};
use veriregime_files::{read_bounded, read_prefix};

/// Largest zip that is read.
const MAX_ZIP_BYTES: u64 = 128 << 20;
/// How files begin that might hold candles and are not read.
const OTHERS: [(&[u8], &str); 9] = [
    (b"\x1f\x8b", "it is packed by gzip: unpack it first"),
    (b"BZh", "it is packed by bzip2: unpack it first"),
    (b"\xfd7zXZ", "it is packed by xz: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "it is packed by zstd: unpack it first"),
    (b"7z\xbc\xaf", "it is a 7z archive: unpack it first"),
    (b"PARE", "it is encrypted parquet"),
    (b"ARROW1", "it is an Arrow or Feather file"),
    (b"\x89HDF", "it is an HDF5 file"),
    (b"SQLite", "it is an SQLite database"),
];
const MAX_MAGIC_BYTES: u64 = 6;

/// Reads one-minute candles from parquet, an archive's CSV or a zip of it. Rows come in the file's order, unchecked but for
/// whole minutes: see [`veriregime_core::types::candle::check_all`].
///
/// # Errors
/// [`CandleError::OffGrid`], and as [`read_rows`].
pub fn read_any(path: &Path) -> Result<Vec<Candle>, CandleError> {
    let candles = read_rows(path)?;
    check_grid(path, &candles)?;
    Ok(candles)
}

/// All candles of a file as one series. Gaps are forward-filled here: decision times that look back over too many of them
/// are left out later, and so is every forecast window with one.
///
/// # Errors
/// As [`read_any`], and the first rule of series that the candles break.
pub fn read_series(path: &Path) -> Result<CandleSeries, CandleError> {
    let candles = read_any(path)?;
    let [from_ms, to_ms] = [candles[0].open_time_ms, candles[candles.len() - 1].close_time_ms()];
    Ok(CandleSeries::new(&candles, from_ms, to_ms, usize::MAX)?)
}

/// As [`read_any`], with rows that may be off the whole minutes: see [`super::quality::report`].
///
/// # Errors
/// [`CandleError::NotCandles`], [`CandleError::Interval`], [`CandleError::Unsupported`], [`CandleError::NoValue`],
/// [`CandleError::Damaged`], [`CandleError::TooManyRows`] or a file fault.
pub fn read_rows(path: &Path) -> Result<Vec<Candle>, CandleError> {
    let start = read_prefix(path, MAX_MAGIC_BYTES)?;
    let candles = match OTHERS.iter().find(|(magic, _)| start.starts_with(magic)) {
        Some((_, what)) => return Err(CandleError::Unsupported { path: path.to_owned(), what: (*what).into() }),
        None if start.starts_with(PARQUET_MAGIC) => parquet::read(path)?,
        None if start.starts_with(ZIP_MAGIC) => archive::parse_zip(path, &read_bounded(path, MAX_ZIP_BYTES)?)?,
        None => archive::parse_csv(path, &read_bounded(path, archive::MAX_CSV_BYTES)?)?,
    };
    if candles.is_empty() {
        return Err(CandleError::NotCandles { path: path.to_owned(), detail: "it has no rows".into() });
    }
    match minutes::other_step_ms(&candles) {
        Some(length_ms) => Err(CandleError::Interval { path: path.to_owned(), length_ms }),
        None => Ok(candles),
    }
}

/// Refuses candles that do not start on whole minutes.
///
/// # Errors
/// [`CandleError::OffGrid`].
pub fn check_grid(path: &Path, candles: &[Candle]) -> Result<(), CandleError> {
    match minutes::off_grid(candles) {
        Some((off_grid, Candle { open_time_ms: first_ms, .. })) => {
            Err(CandleError::OffGrid { path: path.to_owned(), off_grid, rows: candles.len(), first_ms })
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use veriregime_core::types::diagnostic::Diagnostic;

    #[test]
    fn the_content_decides_and_not_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("candles.zip");
        let candle = Candle { open_time_ms: 60_000, open: 2.0, high: 3.0, low: 1.0, close: 2.5, volume: 4.0 };
        parquet::write(&path, &[candle]).unwrap();
        assert_eq!(read_any(&path).unwrap(), [candle]);
        std::fs::write(&path, "60000,2,3,1,2.5,4\n").unwrap();
        assert_eq!(read_any(&path).unwrap(), [candle]);
    }

    #[test]
    fn wrong_and_absent_files_have_their_codes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        assert_eq!(read_any(&path).expect_err("absent").code(), "VR-FILE-001");
        for (bytes, code) in [
            (&b""[..], "VR-CANDLE-011"),
            (b"PAR1", "VR-CANDLE-012"),
            (b"PK\x03\x04", "VR-CANDLE-012"),
            (b"\x7fELF\0", "VR-CANDLE-011"),
            (b"\x1f\x8b\x08", "VR-CANDLE-027"),
            (b"PARE", "VR-CANDLE-027"),
            (b"\xff\xfet\0", "VR-CANDLE-027"),
        ] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(read_any(&path).expect_err(code).code(), code);
        }
    }

    /// What each fixture that is read holds.
    fn expected() -> Vec<Candle> {
        (0..12_i32)
            .map(|minute| {
                let (open_time_ms, open) =
                    (1_704_067_200_000 + i64::from(minute) * 60_000, 42_000.25 + f64::from(minute));
                let volume = 3.0 + f64::from(minute);
                Candle { open_time_ms, open, high: open + 2.5, low: open - 1.75, close: open + 0.5, volume }
            })
            .collect()
    }

    #[test]
    fn parquet_of_pandas_polars_and_duckdb_is_read_to_the_last_bit() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/candles");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
        let mut count = 0;
        for path in files {
            let candles = read_any(&path).map_err(|error| error.to_string());
            assert_eq!(candles, Ok(expected()), "{}", path.display());
            count += 1;
        }
        assert_eq!(count, 33);
    }

    #[test]
    fn parquet_that_is_not_read_is_named_with_what_is_wrong() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/candles/refused");
        let cases = [
            ("date_time", "VR-CANDLE-027", "column \"timestamp\" holds days, not times or whole numbers"),
            ("text_time", "VR-CANDLE-027", "column \"timestamp\" holds text, not times or whole numbers"),
            ("float_time", "VR-CANDLE-027", "column \"timestamp\" holds float64, not times or whole numbers"),
            ("text_open", "VR-CANDLE-027", "column \"open\" holds text, not numbers"),
            ("float16_volume", "VR-CANDLE-027", "column \"volume\" holds float16, not numbers"),
            ("list_low", "VR-CANDLE-011", "no column \"low\""),
            ("no_volume", "VR-CANDLE-011", "no column \"volume\""),
            ("two_volumes", "VR-CANDLE-011", "columns \"volume\" and \"vol\" both say volume"),
            ("null_close", "VR-CANDLE-029", "row 7 of"),
            ("null_close", "VR-CANDLE-029", "has no close"),
            ("null_time", "VR-CANDLE-029", "row 4 of"),
            ("empty", "VR-CANDLE-011", "it has no rows"),
            ("interval_5m", "VR-CANDLE-028", "holds candles of 5m, not of one minute"),
        ];
        for (name, code, named) in cases {
            let error = read_any(&folder.join(format!("{name}.parquet"))).expect_err(name);
            assert_eq!(error.code(), code, "{name}: {error}");
            assert!(error.to_string().contains(named), "{name}: {error}");
        }
    }

    #[test]
    fn a_csv_of_five_minutes_without_close_times_is_told_by_its_steps() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("candles.csv");
        let write = |step: i64| {
            let rows = (0..5).map(|row| format!("{},2,3,1,2.5,4", 1_704_067_200_000 + row * step));
            std::fs::write(&path, rows.collect::<Vec<_>>().join("\n")).unwrap();
        };
        write(300_000);
        assert_eq!(read_any(&path).expect_err("five minutes").code(), "VR-CANDLE-028");
        write(60_000);
        assert_eq!(read_any(&path).unwrap().len(), 5);
    }
}
