//! Candles in blocks of a day, each stored once by its content: what cycles of one job, jobs of one market and the live cache
//! have in common takes no more room than one of them. Whoever keeps candles keeps the numbers of blocks; a block that nobody
//! keeps any more is dropped by [`super::retention`].

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use rusqlite::{Connection, OptionalExtension, params};

use super::StateError;
use veriregime_core::types::candle::{CANDLE_BYTES, Candle};
use veriregime_core::types::digest::Digest;
use veriregime_core::types::period::MINUTE_MS;

/// Minutes of a block.
const BLOCK_MINUTES: i64 = 24 * 60;
/// And milliseconds.
pub(super) const BLOCK_MS: i64 = BLOCK_MINUTES * MINUTE_MS;
/// Most bytes of a block's candles.
const MAX_BLOCK_BYTES: u64 = BLOCK_MINUTES as u64 * CANDLE_BYTES as u64;
/// Bytes of one of a candle's numbers.
const WORD: usize = 8;

/// When the block of a minute begins.
pub(super) fn start_ms(open_time_ms: i64) -> i64 {
    open_time_ms.div_euclid(BLOCK_MS) * BLOCK_MS
}

/// Candles in ascending order, block by block.
pub(super) fn split(candles: &[Candle]) -> impl Iterator<Item = &[Candle]> {
    candles.chunk_by(|one, next| start_ms(one.open_time_ms) == start_ms(next.open_time_ms))
}

/// The number of the block that holds exactly these candles, stored now if there is none yet.
pub(super) fn put(connection: &Connection, candles: &[Candle]) -> Result<i64, StateError> {
    let bytes = to_columns(candles);
    let sha256 = Digest::of(&bytes).0;
    let mut find = connection.prepare_cached("SELECT id FROM candle_blocks WHERE sha256 = ?1")?;
    if let Some(block) = find.query_row([sha256], |row| row.get(0)).optional()? {
        return Ok(block);
    }
    let packed = deflate(&bytes).map_err(|error| StateError::Corrupt(error.to_string()))?;
    let mut insert = connection.prepare_cached("INSERT INTO candle_blocks (sha256, candles) VALUES (?1, ?2)")?;
    insert.execute(params![sha256, packed])?;
    Ok(connection.last_insert_rowid())
}

/// The candles of a block.
///
/// # Errors
/// [`StateError::Corrupt`] for one that is not there or is not what was stored.
pub(super) fn get(connection: &Connection, block: i64) -> Result<Vec<Candle>, StateError> {
    let mut find = connection.prepare_cached("SELECT sha256, candles FROM candle_blocks WHERE id = ?1")?;
    let found: Option<([u8; 32], Vec<u8>)> =
        find.query_row([block], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let broken = |why: &str| StateError::Corrupt(format!("block {block} of candles {why}"));
    let (sha256, packed) = found.ok_or_else(|| broken("is not there"))?;
    let bytes = inflate(&packed).map_err(|error| broken(&error.to_string()))?;
    if Digest::of(&bytes).0 != sha256 {
        return Err(broken("has another digest"));
    }
    Ok(from_columns(&bytes))
}

/// First all times, then all opens and so on: neighbours that are alike.
fn to_columns(candles: &[Candle]) -> Vec<u8> {
    let rows: Vec<[u8; CANDLE_BYTES]> = candles.iter().map(Candle::to_le_bytes).collect();
    let words = |column: usize| rows.iter().flat_map(move |row| &row[column * WORD..(column + 1) * WORD]);
    (0..CANDLE_BYTES / WORD).flat_map(words).copied().collect()
}

fn from_columns(bytes: &[u8]) -> Vec<Candle> {
    let count = bytes.len() / CANDLE_BYTES;
    let candle = |index: usize| {
        let mut row = [0; CANDLE_BYTES];
        for (column, word) in row.chunks_exact_mut(WORD).enumerate() {
            let at = (column * count + index) * WORD;
            word.copy_from_slice(&bytes[at..at + WORD]);
        }
        Candle::from_le_bytes(&row)
    };
    (0..count).map(candle).collect()
}

fn deflate(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn inflate(packed: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    DeflateDecoder::new(packed).take(MAX_BLOCK_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}
