//! Candle files of any kind that is known here, told apart by their first bytes.

use std::path::Path;

use super::error::CandleError;
use super::{archive, parquet};
use crate::fs::{read_bounded, read_prefix};
use crate::types::candle::Candle;

/// Largest zip that is read.
const MAX_ZIP_BYTES: u64 = 128 << 20;
const PARQUET_MAGIC: &[u8] = b"PAR1";
const ZIP_MAGIC: &[u8] = b"PK\x03\x04";

/// Reads parquet, an archive's CSV or a zip of it. Rows come in the file's order, unchecked: see
/// [`crate::types::candle::check_all`] and [`super::quality::report`].
///
/// # Errors
/// [`CandleError::NotCandles`], [`CandleError::Damaged`], [`CandleError::TooManyRows`] or a file fault.
pub fn read_any(path: &Path) -> Result<Vec<Candle>, CandleError> {
    match read_prefix(path, 4)?.as_slice() {
        PARQUET_MAGIC => parquet::read(path),
        ZIP_MAGIC => archive::parse_zip(path, &read_bounded(path, MAX_ZIP_BYTES)?),
        _ => archive::parse_csv(path, &read_bounded(path, archive::MAX_CSV_BYTES)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::fault::Fault;

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
        ] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(read_any(&path).expect_err(code).code(), code);
        }
    }
}
