//! Whose cycles a database holds: those of one contract on one chain.

use alloy::primitives::Address;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::{StateError, Store, attempts, rows};
use veriregime_core::types::contract::Contract;
use veriregime_core::types::cycle::Purpose;

impl Store {
    /// Makes the database that of `contract`. Once there is a cycle in it, it stays so.
    ///
    /// # Errors
    /// [`StateError::Mismatch`] for a database with cycles of another contract, else [`StateError`].
    pub fn claim(&self, contract: Contract) -> Result<(), StateError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if let Some(held) = read(&transaction)?.filter(|held| *held != contract) {
            let has_cycles: bool =
                transaction.query_row("SELECT EXISTS (SELECT 1 FROM cycles)", [], |row| row.get(0))?;
            if has_cycles {
                return Err(StateError::Mismatch { held, wanted: contract });
            }
        }
        write(&transaction, contract)?;
        Ok(transaction.commit()?)
    }
}

/// The contract of the database, if there is one yet.
pub(super) fn read(connection: &Connection) -> Result<Option<Contract>, StateError> {
    let sql = "SELECT chain_id, address FROM contract";
    let read = connection.query_row(sql, [], |row| {
        Ok(Contract { chain_id: row.get::<_, i64>(0)? as u64, address: rows::parsed(row, 1)? })
    });
    Ok(read.optional()?)
}

fn write(connection: &Connection, contract: Contract) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT OR REPLACE INTO contract (id, chain_id, address) VALUES (1, ?1, ?2)",
        params![contract.chain_id as i64, contract.address.to_string()],
    )?;
    Ok(())
}

/// Reads the contract of a database that was made before databases noted it: from the last update that was signed, else
/// from the last payload that was promised.
pub(super) fn recover(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let signed = attempts::signers(transaction)?.into_iter().rev().find(|(purpose, _)| *purpose == Purpose::Update);
    let of_update = signed.and_then(|(_, signed)| Some(Contract { chain_id: signed.chain_id?, address: signed.to? }));
    let contract = if of_update.is_some() {
        of_update
    } else {
        let sql = "SELECT chain_id, oracle FROM promises ORDER BY rowid DESC LIMIT 1";
        let promised =
            transaction.query_row(sql, [], |row| Ok((row.get::<_, i64>(0)? as u64, rows::parsed::<Address>(row, 1)?)));
        promised.optional()?.map(|(chain_id, address)| Contract { chain_id, address })
    };
    contract.map_or(Ok(()), |contract| write(transaction, contract))
}
