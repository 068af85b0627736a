//! Candles as parquet. Written: `timestamp` (int64, open time in ms UTC), `open`, `high`, `low`, `close`, `volume` (float64). Read: by the
//! names of columns, whatever types others give them.

pub mod values;

use std::fs::File;
use std::io;
use std::ops::Range;
use std::panic::catch_unwind;
use std::path::Path;
use std::sync::Arc;

use ::parquet::basic::{Compression, Encoding, ZstdLevel};
use ::parquet::data_type::{DataType, DoubleType, Int64Type};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::reader::FileReader;
use ::parquet::file::serialized_reader::SerializedFileReader;
use ::parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use ::parquet::schema::parser::parse_message_type;
use ::parquet::schema::types::ColumnPath;

use super::columns::{Columns, NAMES};
use super::error::CandleError;
use super::minutes::{Unit, Units};
use values::ColumnError;
use veriregime_core::types::candle::Candle;
use veriregime_files::{FileError, write_atomic_with};

/// How a parquet file begins.
pub const PARQUET_MAGIC: &[u8] = b"PAR1";
/// Most candles that one file may hold: 38 years.
pub const MAX_ROWS: usize = 20_000_000;
/// Rows of one group when writing: 91 days, so that a range is read without the rest.
const GROUP_ROWS: usize = 131_072;
const SCHEMA: &str = "message candles { required int64 timestamp; required double open; required double high; \
                      required double low; required double close; required double volume; }";

/// Reads all rows in the file's order, unchecked: see [`veriregime_core::types::candle::check_all`] and
/// [`super::quality::report`].
///
/// # Errors
/// [`CandleError::NotCandles`], [`CandleError::Unsupported`], [`CandleError::NoValue`], [`CandleError::Damaged`],
/// [`CandleError::TooManyRows`] or a file fault.
pub fn read(path: &Path) -> Result<Vec<Candle>, CandleError> {
    read_range(path, i64::MIN..i64::MAX)
}

/// Reads the rows whose open time lies in `range_ms`. Of row groups that lie outside, only the times are read.
///
/// # Errors
/// As [`read`].
pub fn read_range(path: &Path, range_ms: Range<i64>) -> Result<Vec<Candle>, CandleError> {
    // The parquet crate panics on some damaged files instead of returning an error.
    catch_unwind(|| read_unguarded(path, &range_ms)).unwrap_or_else(|_| {
        Err(CandleError::Damaged { path: path.to_owned(), detail: "its parts do not fit together".into() })
    })
}

fn read_unguarded(path: &Path, range_ms: &Range<i64>) -> Result<Vec<Candle>, CandleError> {
    let unreadable = |source| FileError::Read { path: path.to_owned(), source };
    let damaged = |error: ParquetError| CandleError::Damaged { path: path.to_owned(), detail: error.to_string() };
    let not_candles = |detail: String| CandleError::NotCandles { path: path.to_owned(), detail };
    let file = File::open(path).map_err(unreadable)?;
    let reader = SerializedFileReader::new(file).map_err(damaged)?;
    let schema = reader.metadata().file_metadata().schema_descr();
    let names: Vec<String> = schema.columns().iter().map(|column| column.path().string()).collect();
    let columns = Columns::find(names.iter().map(String::as_str)).map_err(not_candles)?.candle;
    let mut lengths = reader.metadata().row_groups().iter().map(|group| usize::try_from(group.num_rows()).ok());
    let rows = lengths.try_fold(0_usize, |sum, rows| sum.checked_add(rows?));
    if rows.is_none_or(|rows| rows > MAX_ROWS) {
        return Err(CandleError::TooManyRows { path: path.to_owned(), limit_rows: MAX_ROWS });
    }
    let fault = |column: usize, first_row: usize, fault| match fault {
        ColumnError::Parquet(error) => damaged(error),
        ColumnError::Unsupported(what) => CandleError::Unsupported { path: path.to_owned(), what },
        ColumnError::NoValue(row) => {
            CandleError::NoValue { path: path.to_owned(), row: first_row + row + 1, column: names[column].clone() }
        }
    };
    let [timestamp, prices @ ..] = columns;
    let groups = (0..reader.num_row_groups()).map(|group| reader.get_row_group(group));
    let groups = groups.collect::<Result<Vec<_>, _>>().map_err(damaged)?;
    let descriptor = schema.column(timestamp);
    let unit = values::unit(&descriptor).map_err(|error| fault(timestamp, 0, error))?;
    let mut times = Vec::new();
    for group in &groups {
        let more = values::times(group.as_ref(), timestamp, &descriptor);
        times.extend(more.map_err(|error| fault(timestamp, times.len(), error))?);
    }
    let times = in_ms(unit, times)
        .map_err(|row| not_candles(format!("row {}: the open time is not a whole millisecond", row + 1)))?;
    let mut candles = Vec::new();
    let mut first_row = 0;
    for group in &groups {
        let rows = first_row..first_row + usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        if times[rows.clone()].iter().any(|time| range_ms.contains(time)) {
            let mut numbers: [Vec<f64>; 5] = Default::default();
            for (numbers, column) in numbers.iter_mut().zip(prices) {
                *numbers = values::numbers(group.as_ref(), column, &schema.column(column))
                    .map_err(|error| fault(column, first_row, error))?;
            }
            let [open, high, low, close, volume] = numbers;
            candles.extend(rows.clone().filter(|row| range_ms.contains(&times[*row])).map(|row| {
                let [open, high, low, close, volume] =
                    [&open, &high, &low, &close, &volume].map(|values| values[row - first_row]);
                Candle { open_time_ms: times[row], open, high, low, close, volume }
            }));
        }
        first_row = rows.end;
    }
    candles.shrink_to_fit();
    Ok(candles)
}

/// Times in milliseconds, of the unit that is named or of the one that they prove; otherwise the row of the first one that
/// is not a whole millisecond.
fn in_ms(unit: Option<Unit>, times: Vec<i64>) -> Result<Vec<i64>, usize> {
    let units = Units::of_all(times.iter().copied());
    let ms = |(row, time): (usize, i64)| unit.unwrap_or_else(|| units.of(time)).to_ms(time).ok_or(row);
    times.into_iter().enumerate().map(ms).collect()
}

/// Writes `candles` in their order, compressed with zstd, durably and all or nothing.
///
/// # Errors
/// A file fault; [`FileError::Full`] leaves the old file as it was.
pub fn write(path: &Path, candles: &[Candle]) -> Result<(), CandleError> {
    Ok(write_atomic_with(path, |file| write_into(file, candles).map_err(into_io))?)
}

fn write_into(file: &mut File, candles: &[Candle]) -> Result<(), ParquetError> {
    let timestamp = ColumnPath::from(NAMES[0]);
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_column_dictionary_enabled(timestamp.clone(), false)
        .set_column_encoding(timestamp, Encoding::DELTA_BINARY_PACKED)
        .build();
    let schema = Arc::new(parse_message_type(SCHEMA)?);
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties))?;
    for rows in candles.chunks(GROUP_ROWS) {
        let mut group = writer.next_row_group()?;
        write_column::<Int64Type>(&mut group, rows.iter().map(|candle| candle.open_time_ms))?;
        write_column::<DoubleType>(&mut group, rows.iter().map(|candle| candle.open))?;
        write_column::<DoubleType>(&mut group, rows.iter().map(|candle| candle.high))?;
        write_column::<DoubleType>(&mut group, rows.iter().map(|candle| candle.low))?;
        write_column::<DoubleType>(&mut group, rows.iter().map(|candle| candle.close))?;
        write_column::<DoubleType>(&mut group, rows.iter().map(|candle| candle.volume))?;
        group.close()?;
    }
    writer.close()?;
    Ok(())
}

fn write_column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, &mut File>,
    values: impl Iterator<Item = T::T>,
) -> Result<(), ParquetError> {
    let mut column = group.next_column()?.expect("the schema has as many columns as are written");
    column.typed::<T>().write_batch(&values.collect::<Vec<_>>(), None, None)?;
    column.close()
}

/// Keeps the kind of an I/O error, so that a full disk is told from another failure.
fn into_io(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(source) => io::Error::other(source),
        },
        error => io::Error::other(error),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use veriregime_core::types::diagnostic::Diagnostic;
    use veriregime_core::types::period::MINUTE_MS;

    fn rows() -> impl Strategy<Value = Vec<Candle>> {
        let value = any::<f64>().prop_filter("NaN equals nothing", |value| !value.is_nan());
        // Milliseconds by their size.
        let row = (100_000_000_000..100_000_000_000_000_i64, proptest::array::uniform5(value)).prop_map(
            |(open_time_ms, [open, high, low, close, volume])| Candle { open_time_ms, open, high, low, close, volume },
        );
        proptest::collection::vec(row, 0..200)
    }

    fn minutes(count: i64) -> Vec<Candle> {
        let candle = |minute: i64| {
            let price = 100.0 + (minute % 977) as f64 / 100.0;
            Candle { open_time_ms: minute * MINUTE_MS, open: price, high: price, low: price, close: price, volume: 1.5 }
        };
        (0..count).map(candle).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn what_is_written_is_read_back(candles in rows(), from in 0_i64..1 << 47, to in 0_i64..1 << 47) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("candles.parquet");
            write(&path, &candles).unwrap();
            prop_assert_eq!(&read(&path).unwrap(), &candles);
            let mut inside = candles;
            inside.retain(|candle| (from..to).contains(&candle.open_time_ms));
            prop_assert_eq!(read_range(&path, from..to).unwrap(), inside);
        }

        #[test]
        fn a_damaged_file_is_an_error_or_other_candles_but_never_a_crash(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("candles.parquet");
            write(&path, &minutes(500)).unwrap();
            let mut bytes = std::fs::read(&path).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            std::fs::write(&path, bytes).unwrap();
            if let Err(error) = read(&path) {
                prop_assert!(["VR-CANDLE-011", "VR-CANDLE-012", "VR-CANDLE-013", "VR-CANDLE-027", "VR-CANDLE-029"].contains(&error.code()), "{error}");
            }
        }
    }

    #[test]
    fn a_range_over_several_groups_is_exact() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("candles.parquet");
        let candles = minutes(300_000);
        write(&path, &candles).unwrap();
        let range = 131_070 * MINUTE_MS..262_150 * MINUTE_MS;
        assert_eq!(read_range(&path, range).unwrap(), candles[131_070..262_150]);
    }

    #[test]
    fn a_file_cut_short_is_damaged_wherever_it_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("candles.parquet");
        write(&path, &minutes(2000)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for length in (0..whole.len()).step_by(97) {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(read(&path).expect_err("cut").code(), "VR-CANDLE-012");
        }
    }

    #[test]
    fn a_null_or_an_absent_column_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.parquet");
        let schema = |name: &str| {
            let message = SCHEMA.replace("required", "optional").replace("volume", name);
            Arc::new(parse_message_type(&message).unwrap())
        };
        let write_with = |name: &str, levels: &[i16]| {
            let mut writer =
                SerializedFileWriter::new(File::create(&path).unwrap(), schema(name), Arc::default()).unwrap();
            let mut group = writer.next_row_group().unwrap();
            let mut timestamps = group.next_column().unwrap().unwrap();
            timestamps.typed::<Int64Type>().write_batch(&[0, MINUTE_MS], Some(&[1, 1]), None).unwrap();
            timestamps.close().unwrap();
            while let Some(mut column) = group.next_column().unwrap() {
                let values = vec![1.0; levels.iter().filter(|level| **level == 1).count()];
                column.typed::<DoubleType>().write_batch(&values, Some(levels), None).unwrap();
                column.close().unwrap();
            }
            group.close().unwrap();
            writer.close().unwrap();
        };
        write_with("volume", &[1, 1]);
        assert_eq!(read(&path).unwrap().len(), 2);
        write_with("volume", &[1, 0]);
        assert_eq!(read(&path).expect_err("a null").to_string(), format!("row 2 of {} has no open", path.display()));
        write_with("amount", &[1, 1]);
        assert_eq!(read(&path).expect_err("no volume").code(), "VR-CANDLE-011");
    }

    #[test]
    fn a_full_disk_keeps_its_kind() {
        let full = ParquetError::External(Box::new(io::Error::from(io::ErrorKind::StorageFull)));
        assert_eq!(into_io(full).kind(), io::ErrorKind::StorageFull);
    }
}
