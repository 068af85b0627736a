//! Named columns of parquet and CSV files, whatever their order.

use std::fs::File;
use std::panic::catch_unwind;
use std::path::Path;

use ::parquet::file::reader::{FileReader, RowGroupReader};
use ::parquet::file::serialized_reader::SerializedFileReader;
use ::parquet::schema::types::ColumnDescriptor;

use super::error::TableError;
use super::series::MAX_ROWS;
use crate::sources::candles::archive::{ZIP_MAGIC, csv_in_zip};
use crate::sources::candles::parquet::PARQUET_MAGIC;
use crate::sources::candles::parquet::values::{self, ColumnError};
use veriregime_files::{FileError, read_bounded, read_prefix};

/// Largest file.
pub const MAX_BYTES: u64 = 64 << 20;

/// What a file is, by its first bytes.
#[derive(Debug)]
pub enum Content {
    /// Parquet, to be read by its path.
    Parquet,
    /// Text: as it is, or unpacked from a zip with one CSV.
    Text(Vec<u8>),
}

/// The content of a file.
///
/// # Errors
/// A file fault, or a zip that is none of one CSV.
pub fn content(path: &Path) -> Result<Content, TableError> {
    let start = read_prefix(path, 4)?;
    Ok(match start {
        start if start == PARQUET_MAGIC => Content::Parquet,
        start if start == ZIP_MAGIC => Content::Text(csv_in_zip(path, &read_bounded(path, MAX_BYTES)?)?),
        _ => Content::Text(read_bounded(path, MAX_BYTES)?),
    })
}

/// Columns of texts and of numbers, row by row.
#[derive(Debug, Default)]
pub struct Columns<const T: usize, const N: usize> {
    /// Texts of a row.
    pub texts: Vec<[String; T]>,
    /// Numbers of the same row.
    pub numbers: Vec<[f64; N]>,
}

/// Reads these columns of a parquet file.
///
/// # Errors
/// [`TableError::NotTable`] for an absent column or one of another type, [`TableError::Damaged`], or [`TableError::TooManyRows`].
pub fn parquet<const T: usize, const N: usize>(
    path: &Path,
    wanted: &'static str,
    texts: [&str; T],
    numbers: [&str; N],
) -> Result<Columns<T, N>, TableError> {
    guarded(path, wanted, texts, numbers, values::numbers)
}

/// The same with no number where a row has none.
///
/// # Errors
/// As [`parquet()`].
pub fn parquet_with_gaps<const T: usize, const N: usize>(
    path: &Path,
    wanted: &'static str,
    texts: [&str; T],
    numbers: [&str; N],
) -> Result<Columns<T, N>, TableError> {
    guarded(path, wanted, texts, numbers, values::numbers_with_gaps)
}

/// How numbers of a group's column are read.
type ReadNumbers = fn(&dyn RowGroupReader, usize, &ColumnDescriptor) -> Result<Vec<f64>, ColumnError>;

fn guarded<const T: usize, const N: usize>(
    path: &Path,
    wanted: &'static str,
    texts: [&str; T],
    numbers: [&str; N],
    read: ReadNumbers,
) -> Result<Columns<T, N>, TableError> {
    let table = path.display().to_string();
    // The parquet crate panics on some damaged files instead of returning an error.
    catch_unwind(|| unguarded(path, wanted, texts, numbers, read))
        .unwrap_or_else(|_| Err(TableError::Damaged { table, detail: "its parts do not fit together".into() }))
}

fn unguarded<const T: usize, const N: usize>(
    path: &Path,
    wanted: &'static str,
    texts: [&str; T],
    numbers: [&str; N],
    read: ReadNumbers,
) -> Result<Columns<T, N>, TableError> {
    let table = || path.display().to_string();
    let not_table = |detail: String| TableError::NotTable { table: table(), wanted, detail };
    let damaged = |detail: String| TableError::Damaged { table: table(), detail };
    let file = File::open(path).map_err(|source| FileError::Read { path: path.to_owned(), source })?;
    let reader = SerializedFileReader::new(file).map_err(|error| damaged(error.to_string()))?;
    let schema = reader.metadata().file_metadata().schema_descr();
    let find = |name: &str| {
        let place = schema.columns().iter().position(|column| column.path().string() == name);
        place.ok_or_else(|| not_table(format!("it has no column {name}")))
    };
    let text_places = texts.map(find).into_iter().collect::<Result<Vec<_>, _>>()?;
    let number_places = numbers.map(find).into_iter().collect::<Result<Vec<_>, _>>()?;
    let fault = |name: &str, error: ColumnError| match error {
        ColumnError::Parquet(error) => damaged(error.to_string()),
        ColumnError::Unsupported(what) => not_table(what),
        ColumnError::NoValue(row) => not_table(format!("row {} has no {name}", row + 1)),
    };
    let mut columns = Columns { texts: Vec::new(), numbers: Vec::new() };
    for index in 0..reader.num_row_groups() {
        let group = reader.get_row_group(index).map_err(|error| damaged(error.to_string()))?;
        let rows = usize::try_from(group.metadata().num_rows()).unwrap_or(usize::MAX);
        if rows > MAX_ROWS - columns.texts.len() {
            return Err(TableError::TooManyRows { table: table(), limit_rows: MAX_ROWS });
        }
        let mut read_texts = Vec::with_capacity(T);
        for (place, name) in text_places.iter().zip(texts) {
            let values = values::texts(group.as_ref(), *place, &schema.column(*place));
            read_texts.push(values.map_err(|error| fault(name, error))?);
        }
        let mut read_numbers = Vec::with_capacity(N);
        for (place, name) in number_places.iter().zip(numbers) {
            let values = read(group.as_ref(), *place, &schema.column(*place));
            read_numbers.push(values.map_err(|error| fault(name, error))?);
        }
        for row in 0..rows {
            columns.texts.push(std::array::from_fn(|column| std::mem::take(&mut read_texts[column][row])));
            columns.numbers.push(std::array::from_fn(|column| read_numbers[column][row]));
        }
    }
    Ok(columns)
}

/// The places of these columns in a CSV's header; of each the first name that is there.
///
/// # Errors
/// The names of a column that is not there.
pub fn places<const N: usize>(header: &csv::StringRecord, names: [&[&str]; N]) -> Result<[usize; N], String> {
    let mut places = [0; N];
    for (place, names) in places.iter_mut().zip(names) {
        let is =
            |cell: &str| names.iter().any(|name| name.eq_ignore_ascii_case(cell.trim().trim_start_matches('\u{feff}')));
        *place = header.iter().position(is).ok_or_else(|| format!("it has no column {}", names.join(" or ")))?;
    }
    Ok(places)
}
