//! Why a table is not taken.

use std::io;
use std::net::SocketAddr;

use thiserror::Error;

use crate::sources::candles::error::CandleError;
use veriregime_core::hedge::snapshot::NoForecast;
use veriregime_core::types::diagnostic::{Diagnostic, Retry};
use veriregime_core::types::time::format_day;
use veriregime_files::FileError;

/// Code of an address that does not give its table.
pub const FETCH_CODE: &str = "VR-TABLE-008";

/// Why a table is not taken. `table` names the file or address that it came from.
#[derive(Debug, Error)]
pub enum TableError {
    /// Bytes of something else.
    #[error("{table} is no table of {wanted}: {detail}")]
    NotTable { table: String, wanted: &'static str, detail: String },
    /// A table that is cut short or damaged.
    #[error("{table} is damaged: {detail}")]
    Damaged { table: String, detail: String },
    /// A number that cannot be what its column says.
    #[error("{column} of {table} is {value} on {}, outside of {lowest} to {highest}", format_day(*day))]
    Bounds { table: String, column: &'static str, day: i32, value: f64, lowest: f64, highest: f64 },
    /// Numbers that look like another unit.
    #[error("{column} of {table} seems to be in {seen}, not in {wanted}")]
    Units { table: String, column: &'static str, seen: &'static str, wanted: &'static str },
    /// Two different numbers for one day.
    #[error("{column} of {table} is both {first} and {second} on {}", format_day(*day))]
    Contradiction { table: String, column: &'static str, day: i32, first: f64, second: f64 },
    /// More rows than any such table has.
    #[error("{table} has more than {limit_rows} rows")]
    TooManyRows { table: String, limit_rows: usize },
    /// A folder without one of the tables.
    #[error("{folder} has no {name} ({kinds})")]
    Absent { folder: String, name: &'static str, kinds: &'static str },
    /// An address that does not answer as it should.
    #[error("{url} does not give {wanted}: {detail}")]
    Fetch { url: String, wanted: &'static str, detail: String },
    /// The server cannot listen or ends by itself.
    #[error("cannot serve on {address}")]
    Serve { address: SocketAddr, source: io::Error },
    /// A country that nothing can be said of.
    #[error(transparent)]
    NoForecast(#[from] NoForecast),
    /// Candles, or a zip, that are not usable.
    #[error(transparent)]
    Candles(#[from] CandleError),
    /// A file fault.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Diagnostic for TableError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotTable { .. } => "VR-TABLE-001",
            Self::Damaged { .. } => "VR-TABLE-002",
            Self::Bounds { .. } => "VR-TABLE-003",
            Self::Units { .. } => "VR-TABLE-004",
            Self::Contradiction { .. } => "VR-TABLE-005",
            Self::TooManyRows { .. } => "VR-TABLE-006",
            Self::Absent { .. } => "VR-TABLE-007",
            Self::Fetch { .. } => FETCH_CODE,
            Self::Serve { .. } => "VR-TABLE-009",
            Self::NoForecast(_) => "VR-TABLE-010",
            Self::Candles(error) => error.code(),
            Self::File(error) => error.code(),
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::NotTable { .. } => "docs/OPERATOR.md lists the forms that are read, with their columns",
            Self::Damaged { .. } => "get the file again",
            Self::Bounds { .. } => "compare the day with the publisher's page; correct or drop the row",
            Self::Units { .. } => "convert the column; its unit stands in its name",
            Self::Contradiction { .. } => "drop one of the two rows",
            Self::TooManyRows { .. } => "give the table of one publisher, a row a day",
            Self::Absent { .. } => "put the file there, or get it with `tables fetch`",
            Self::Fetch { .. } => "look at the address in a browser; another one can be given by its option",
            Self::Serve { .. } => "choose another --port",
            Self::NoForecast(_) => "`tables check` shows what the tables have; `tables fetch` gets newer ones",
            Self::Candles(error) => error.hint(),
            Self::File(error) => error.hint(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Candles(error) => error.retry(),
            Self::File(error) => error.retry(),
            _ => Retry::Never,
        }
    }
}
