//! A column of a parquet file as times or numbers, whatever type those who write such files gave it.

use ::parquet::basic::{Compression, ConvertedType, LogicalType, TimeUnit, Type};
use ::parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use ::parquet::data_type::{ByteArray, DataType};
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::RowGroupReader;
use ::parquet::schema::types::ColumnDescriptor;

use crate::sources::candles::minutes::Unit;

/// Nanoseconds: those of [`Type::INT96`].
const INT96_UNIT: Unit = Unit::Nanoseconds;
/// Largest whole number of which a double has all below, and the largest power of ten that it has.
const MAX_EXACT: u128 = 1 << 53;
const MAX_EXACT_POWER: i32 = 22;

/// Why a column has no values.
#[derive(Debug)]
pub enum ColumnError {
    /// The library cannot read it.
    Parquet(ParquetError),
    /// Its type, or how it is packed, is known and not read here.
    Unsupported(String),
    /// A row without value, counted from 0 within its group.
    NoValue(usize),
}

impl From<ParquetError> for ColumnError {
    fn from(error: ParquetError) -> Self {
        Self::Parquet(error)
    }
}

/// What the times of a column are counted in, where its type says so.
///
/// # Errors
/// [`ColumnError::Unsupported`] for a column of something else than times and whole numbers.
pub fn unit(column: &ColumnDescriptor) -> Result<Option<Unit>, ColumnError> {
    if column.physical_type() == Type::INT96 {
        return Ok(Some(INT96_UNIT));
    }
    match (column.logical_type_ref(), column.converted_type()) {
        (Some(LogicalType::Timestamp(timestamp)), _) => Ok(Some(match timestamp.unit {
            TimeUnit::MILLIS => Unit::Milliseconds,
            TimeUnit::MICROS => Unit::Microseconds,
            TimeUnit::NANOS => Unit::Nanoseconds,
        })),
        (None, ConvertedType::TIMESTAMP_MILLIS) => Ok(Some(Unit::Milliseconds)),
        (None, ConvertedType::TIMESTAMP_MICROS) => Ok(Some(Unit::Microseconds)),
        _ if is_whole(column) => Ok(None),
        _ => Err(unsupported(column, "times or whole numbers")),
    }
}

/// The times of a group, as they are.
///
/// # Errors
/// As [`numbers`].
pub fn times(group: &dyn RowGroupReader, index: usize, column: &ColumnDescriptor) -> Result<Vec<i64>, ColumnError> {
    check_packing(group, index, column)?;
    let rows = rows(group);
    let levels = column.max_def_level();
    Ok(match group.get_column_reader(index)? {
        ColumnReader::Int96ColumnReader(values) => {
            read(values, rows, levels)?.iter().map(::parquet::data_type::Int96::to_nanos).collect()
        }
        ColumnReader::Int64ColumnReader(values) => read(values, rows, levels)?,
        // What is unsigned has its bits in an `i32`.
        ColumnReader::Int32ColumnReader(values) if is_unsigned(column) => {
            read(values, rows, levels)?.into_iter().map(|value| i64::from(value as u32)).collect()
        }
        ColumnReader::Int32ColumnReader(values) => read(values, rows, levels)?.into_iter().map(i64::from).collect(),
        _ => return Err(unsupported(column, "times or whole numbers")),
    })
}

/// The numbers of a group.
///
/// # Errors
/// [`ColumnError`].
pub fn numbers(group: &dyn RowGroupReader, index: usize, column: &ColumnDescriptor) -> Result<Vec<f64>, ColumnError> {
    check_packing(group, index, column)?;
    let rows = rows(group);
    let levels = column.max_def_level();
    let scale = decimal_scale(column);
    if scale.is_none() && !is_whole(column) && !matches!(column.physical_type(), Type::FLOAT | Type::DOUBLE) {
        return Err(unsupported(column, "numbers"));
    }
    let scale = scale.unwrap_or(0);
    Ok(match group.get_column_reader(index)? {
        ColumnReader::DoubleColumnReader(values) => read(values, rows, levels)?,
        ColumnReader::FloatColumnReader(values) => read(values, rows, levels)?.into_iter().map(f64::from).collect(),
        ColumnReader::Int64ColumnReader(values) if is_unsigned(column) => {
            read(values, rows, levels)?.into_iter().map(|value| decimal(i128::from(value as u64), scale)).collect()
        }
        ColumnReader::Int64ColumnReader(values) => {
            read(values, rows, levels)?.into_iter().map(|value| decimal(value.into(), scale)).collect()
        }
        ColumnReader::Int32ColumnReader(values) if is_unsigned(column) => {
            read(values, rows, levels)?.into_iter().map(|value| f64::from(value as u32)).collect()
        }
        ColumnReader::Int32ColumnReader(values) => {
            read(values, rows, levels)?.into_iter().map(|value| decimal(value.into(), scale)).collect()
        }
        ColumnReader::FixedLenByteArrayColumnReader(values) => {
            let values = read(values, rows, levels)?;
            values.iter().map(|value| wide(value, scale)).collect::<Option<_>>().ok_or_else(|| too_wide(column))?
        }
        ColumnReader::ByteArrayColumnReader(values) => {
            let values = read(values, rows, levels)?;
            values.iter().map(|value| wide(value, scale)).collect::<Option<_>>().ok_or_else(|| too_wide(column))?
        }
        _ => return Err(unsupported(column, "numbers")),
    })
}

/// The numbers of a group of floating point; no number where a row has none.
///
/// # Errors
/// [`ColumnError`].
pub fn numbers_with_gaps(
    group: &dyn RowGroupReader,
    index: usize,
    column: &ColumnDescriptor,
) -> Result<Vec<f64>, ColumnError> {
    check_packing(group, index, column)?;
    let ColumnReader::DoubleColumnReader(values) = group.get_column_reader(index)? else {
        return Err(unsupported(column, "numbers"));
    };
    let there = column.max_def_level();
    let (values, levels) = packed(values, rows(group))?;
    if there == 0 {
        return Ok(values);
    }
    let mut values = values.into_iter();
    Ok(levels.iter().map(|level| if *level < there { f64::NAN } else { values.next().unwrap_or(f64::NAN) }).collect())
}

/// The texts of a group.
///
/// # Errors
/// [`ColumnError`].
pub fn texts(group: &dyn RowGroupReader, index: usize, column: &ColumnDescriptor) -> Result<Vec<String>, ColumnError> {
    check_packing(group, index, column)?;
    let ColumnReader::ByteArrayColumnReader(values) = group.get_column_reader(index)? else {
        return Err(unsupported(column, "text"));
    };
    let values = read(values, rows(group), column.max_def_level())?;
    let text = |value: &ByteArray| value.as_utf8().map(str::to_owned).map_err(|_| unsupported(column, "text"));
    values.iter().map(text).collect()
}

/// All values of a column: exactly `rows`, none of them missing. A value is there where its level is `there`.
fn read<T: DataType>(column: ColumnReaderImpl<T>, rows: usize, there: i16) -> Result<Vec<T::T>, ColumnError> {
    let (values, levels) = packed(column, rows)?;
    if let Some(row) = levels.iter().position(|level| *level < there) {
        return Err(ColumnError::NoValue(row));
    }
    if values.len() != rows {
        return Err(ParquetError::General(format!("a column has {} values for {rows} rows", values.len())).into());
    }
    Ok(values)
}

/// The values of a column that are there, and the level of each row, where it has any.
fn packed<T: DataType>(mut column: ColumnReaderImpl<T>, rows: usize) -> Result<(Vec<T::T>, Vec<i16>), ColumnError> {
    let mut values = Vec::with_capacity(rows);
    let mut levels = Vec::new();
    let mut missing = rows;
    while missing > 0 {
        let (records, _, _) = column.read_records(missing, Some(&mut levels), None, &mut values)?;
        if records == 0 {
            break;
        }
        missing -= records.min(missing);
    }
    if !levels.is_empty() && levels.len() != rows {
        return Err(ParquetError::General(format!("a column has {} of {rows} rows", levels.len())).into());
    }
    Ok((values, levels))
}

fn rows(group: &dyn RowGroupReader) -> usize {
    usize::try_from(group.metadata().num_rows()).unwrap_or(0)
}

fn check_packing(group: &dyn RowGroupReader, index: usize, column: &ColumnDescriptor) -> Result<(), ColumnError> {
    match group.metadata().column(index).compression() {
        Compression::LZO => Err(ColumnError::Unsupported(format!("column \"{}\" is packed by LZO", column.name()))),
        _ => Ok(()),
    }
}

/// Whether a column holds whole numbers that mean nothing else.
fn is_whole(column: &ColumnDescriptor) -> bool {
    let is_integer = matches!(column.physical_type(), Type::INT32 | Type::INT64);
    let is_plain = match (column.logical_type_ref(), column.converted_type()) {
        (Some(LogicalType::Integer(_)), _) | (None, ConvertedType::NONE) => true,
        (None, converted) => is_integer_type(converted),
        _ => false,
    };
    is_integer && is_plain && column.max_rep_level() == 0
}

fn is_integer_type(converted: ConvertedType) -> bool {
    is_unsigned_type(converted)
        || matches!(
            converted,
            ConvertedType::INT_8 | ConvertedType::INT_16 | ConvertedType::INT_32 | ConvertedType::INT_64
        )
}

fn is_unsigned_type(converted: ConvertedType) -> bool {
    matches!(
        converted,
        ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64
    )
}

fn is_unsigned(column: &ColumnDescriptor) -> bool {
    match column.logical_type_ref() {
        Some(LogicalType::Integer(integer)) => !integer.is_signed,
        _ => is_unsigned_type(column.converted_type()),
    }
}

/// Digits after the point, where a column holds decimals.
fn decimal_scale(column: &ColumnDescriptor) -> Option<i32> {
    match (column.logical_type_ref(), column.converted_type()) {
        (Some(LogicalType::Decimal(decimal)), _) => Some(decimal.scale),
        (None, ConvertedType::DECIMAL) => Some(column.type_scale()),
        _ => None,
    }
}

/// The double next to `unscaled / 10^scale`.
fn decimal(unscaled: i128, scale: i32) -> f64 {
    if unscaled.unsigned_abs() <= MAX_EXACT && (0..=MAX_EXACT_POWER).contains(&scale) {
        return unscaled as f64 / 10_f64.powi(scale);
    }
    format!("{unscaled}e{}", -i64::from(scale)).parse().unwrap_or(f64::NAN)
}

/// A decimal in big-endian bytes; `None` where it has more than an `i128`.
fn wide(bytes: &ByteArray, scale: i32) -> Option<f64> {
    let bytes = bytes.data();
    let mut wide = [if bytes.first().is_some_and(|first| first & 0x80 != 0) { 0xff } else { 0 }; 16];
    wide.get_mut(16_usize.checked_sub(bytes.len())?..)?.copy_from_slice(bytes);
    Some(decimal(i128::from_be_bytes(wide), scale))
}

fn too_wide(column: &ColumnDescriptor) -> ColumnError {
    ColumnError::Unsupported(format!("column \"{}\" holds decimals of more than 16 bytes", column.name()))
}

fn unsupported(column: &ColumnDescriptor, wanted: &str) -> ColumnError {
    ColumnError::Unsupported(format!("column \"{}\" holds {}, not {wanted}", column.name(), type_name(column)))
}

/// A column's type in the words of those who write it.
fn type_name(column: &ColumnDescriptor) -> String {
    if column.max_rep_level() > 0 {
        return "lists".into();
    }
    match (column.logical_type_ref(), column.converted_type(), column.physical_type()) {
        (Some(LogicalType::String), ..) | (None, ConvertedType::UTF8, _) => "text".into(),
        (Some(LogicalType::Date), ..) | (None, ConvertedType::DATE, _) => "days".into(),
        (Some(LogicalType::Timestamp(_)), ..) => "timestamps".into(),
        (Some(LogicalType::Float16), ..) => "float16".into(),
        (None, ConvertedType::NONE, Type::BOOLEAN) => "booleans".into(),
        (None, ConvertedType::NONE, Type::FLOAT) => "float32".into(),
        (None, ConvertedType::NONE, Type::DOUBLE) => "float64".into(),
        (None, ConvertedType::NONE, Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY) => "bytes".into(),
        (Some(logical), ..) => format!("{logical:?}"),
        (None, converted, physical) => format!("{physical} {converted}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_the_double_next_to_it() {
        for (unscaled, scale, value) in [
            (4_200_025, 2, 42_000.25),
            (-1, 3, -0.001),
            (7, 0, 7.0),
            (4_200_025_000_000_000_000_000, 18, 4200.025),
            (i128::from(u64::MAX), 0, 18_446_744_073_709_551_615.0),
            (12, -3, 12_000.0),
        ] {
            assert_eq!(decimal(unscaled, scale).to_bits(), f64::to_bits(value), "{unscaled}e-{scale}");
        }
        let bytes = |bytes: &[u8]| wide(&ByteArray::from(bytes.to_vec()), 2);
        assert_eq!((bytes(&[1, 0]), bytes(&[0xff, 0x9c]), bytes(&[])), (Some(2.56), Some(-1.0), Some(0.0)));
        assert_eq!(bytes(&[0; 17]), None);
    }
}
