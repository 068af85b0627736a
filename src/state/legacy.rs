//! What the rows of earlier versions do not say, read from the transactions that they hold.

use alloy::primitives::Address;
use rusqlite::{Connection, OptionalExtension, params};

use super::columns::parsed;
use super::rows::Key;
use super::{StateError, candle_cache, windows};
use veriregime_core::types::candle::{CANDLE_BYTES, Candle};
use veriregime_core::types::contract::Contract;
use veriregime_core::types::cycle::Purpose;
use veriregime_core::types::signed;

/// Stands for the contract of cycles of which nothing says what it is: on no chain, so that nobody sends anything for them.
pub(super) const UNKNOWN: Contract = Contract { chain_id: 0, address: Address::ZERO };

/// Notes the wallets of transactions that were stored before wallets were noted.
pub(super) fn recover_wallets(connection: &Connection) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("SELECT rowid, raw FROM attempts")?;
    let stored = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
    for (row, raw) in stored.collect::<rusqlite::Result<Vec<_>>>()? {
        if let Some(signed) = signed::read(&raw) {
            let sql = "UPDATE attempts SET wallet = ?2 WHERE rowid = ?1";
            connection.execute(sql, params![row, signed.wallet.to_string()])?;
        }
    }
    Ok(())
}

/// Notes the contract of a database that was made before databases noted it: that of the last update that was signed, else
/// of the last payload that was promised.
pub(super) fn recover_contract(connection: &Connection) -> rusqlite::Result<()> {
    let contract = if let Some(update) = updates(connection)?.pop() {
        Some(update.contract)
    } else {
        let sql = "SELECT chain_id, oracle FROM promises ORDER BY rowid DESC LIMIT 1";
        connection.query_row(sql, [], |row| contract(row, 0)).optional()?
    };
    let Some(Contract { chain_id, address }) = contract else { return Ok(()) };
    let sql = "INSERT INTO contract (id, chain_id, address) VALUES (1, ?1, ?2)";
    connection.execute(sql, params![chain_id as i64, address.to_string()])?;
    Ok(())
}

/// Makes a table of each cycle's contract, for the migration that needs it: what its own last update was sent to, else what the
/// database is of, else [`UNKNOWN`].
pub(super) fn find_contracts(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE TEMP TABLE cycle_contract (manifest TEXT, period INTEGER, chain_id INTEGER, address TEXT,
         PRIMARY KEY (manifest, period));",
    )?;
    let noted = connection.query_row("SELECT chain_id, address FROM contract", [], |row| contract(row, 0));
    let Contract { chain_id, address } = noted.optional()?.unwrap_or(UNKNOWN);
    connection.execute(
        "INSERT INTO temp.cycle_contract SELECT manifest, period, ?1, ?2 FROM
         (SELECT manifest, period FROM cycles UNION SELECT manifest, period FROM attempts)",
        params![chain_id as i64, address.to_string()],
    )?;
    for Update { manifest, period, contract } in updates(connection)? {
        let sql = "UPDATE temp.cycle_contract SET chain_id = ?3, address = ?4 WHERE manifest = ?1 AND period = ?2";
        connection.execute(sql, params![manifest, period, contract.chain_id as i64, contract.address.to_string()])?;
    }
    Ok(())
}

/// Moves candles into blocks. Rows that are cut off are left behind: no cycle could go on with them.
pub(super) fn pack_candles(connection: &Connection) -> Result<(), StateError> {
    let mut windows = connection.prepare("SELECT job, period, market, rows FROM candles ORDER BY period")?;
    let mut rows = windows.query([])?;
    while let Some(row) = rows.next()? {
        let key = Key { job: row.get(0)?, period: row.get(1)? };
        if let Some(candles) = candles_of(row.get_ref(3)?.as_blob().unwrap_or_default()) {
            windows::write_market(connection, key, row.get(2)?, &candles)?;
        }
    }
    let mut symbols = connection.prepare("SELECT DISTINCT source, symbol FROM live_candles")?;
    let symbols = symbols.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for (source, symbol) in symbols.collect::<rusqlite::Result<Vec<(String, String)>>>()? {
        let sql = "SELECT candle FROM live_candles WHERE source = ?1 AND symbol = ?2 ORDER BY open_time_ms";
        let mut live = connection.prepare(sql)?;
        let live = live.query_map([&source, &symbol], |row| row.get::<_, Vec<u8>>(0))?;
        let bytes = live.collect::<rusqlite::Result<Vec<_>>>()?.concat();
        let mut candles = candles_of(&bytes).unwrap_or_default();
        candles.retain(|candle| candle.check().is_ok());
        candle_cache::keep(connection, &source, &symbol, &candles)?;
    }
    Ok(connection.execute_batch("DROP TABLE candles; DROP TABLE live_candles;")?)
}

fn candles_of(bytes: &[u8]) -> Option<Vec<Candle>> {
    let (rows, rest) = bytes.as_chunks::<CANDLE_BYTES>();
    rest.is_empty().then(|| rows.iter().map(Candle::from_le_bytes).collect())
}

/// An update that was signed, and what it was sent to.
struct Update {
    manifest: String,
    period: i64,
    contract: Contract,
}

/// Every update that was signed, oldest first; those whose bytes do not say what they are sent to are left out.
fn updates(connection: &Connection) -> rusqlite::Result<Vec<Update>> {
    let mut statement =
        connection.prepare("SELECT manifest, period, raw FROM attempts WHERE purpose = ?1 ORDER BY rowid")?;
    let read = statement.query_map([Purpose::Action.name()], |row| {
        let signed = signed::read(&row.get::<_, Vec<u8>>(2)?);
        let sent_to = signed.and_then(|signed| Some(Contract { chain_id: signed.chain_id?, address: signed.to? }));
        let (manifest, period) = (row.get(0)?, row.get(1)?);
        Ok(sent_to.map(|contract| Update { manifest, period, contract }))
    })?;
    Ok(read.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().flatten().collect())
}

fn contract(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Contract> {
    Ok(Contract { chain_id: row.get::<_, i64>(column)? as u64, address: parsed(row, column + 1)? })
}
