//! The schema, and how databases of earlier ones come to it.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::{StateError, legacy};

/// Ordered schema changes; `user_version` counts those applied.
pub(super) const MIGRATIONS: [&str; 14] = [
    include_str!("migrations/001_init.sql"),
    include_str!("migrations/002_sources.sql"),
    include_str!("migrations/003_transactions.sql"),
    include_str!("migrations/004_evidence.sql"),
    include_str!("migrations/005_attestations.sql"),
    include_str!("migrations/006_alerts.sql"),
    include_str!("migrations/007_contract.sql"),
    include_str!("migrations/008_omissions.sql"),
    include_str!("migrations/009_jobs.sql"),
    include_str!("migrations/010_retention.sql"),
    include_str!("migrations/011_alerts.sql"),
    include_str!("migrations/012_grids.sql"),
    include_str!("migrations/013_tables.sql"),
    include_str!("migrations/014_dashboard.sql"),
];
/// The schema that this program writes.
pub(super) const NEWEST: usize = MIGRATIONS.len();
/// The first schema that notes wallets of transactions, and a contract.
const NOTES_CONTRACT: usize = 7;
/// The first schema that has cycles by job.
pub(super) const BY_JOB: usize = 9;
/// The first schema that has candles in blocks.
const IN_BLOCKS: usize = 10;

/// Refuses a database that a later version has changed, before anything in it is.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<(), StateError> {
    match applied(connection)? {
        found if found > NEWEST => Err(StateError::Newer { path: path.to_owned(), found, newest: NEWEST }),
        _ => Ok(()),
    }
}

/// How many of the migrations a database has seen.
pub(super) fn applied(connection: &Connection) -> rusqlite::Result<usize> {
    connection.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0).map(|version| version as usize))
}

/// Brings a database to the newest schema, as a whole or not at all.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StateError> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for (migration, schema) in MIGRATIONS.iter().zip(1..).skip(applied(&transaction)?) {
        if schema == BY_JOB {
            legacy::find_contracts(&transaction)?;
        }
        transaction.execute_batch(migration)?;
        if schema == NOTES_CONTRACT {
            legacy::recover_wallets(&transaction)?;
            legacy::recover_contract(&transaction)?;
        }
        if schema == IN_BLOCKS {
            legacy::pack_candles(&transaction)?;
        }
    }
    transaction.pragma_update(None, "user_version", NEWEST as u32)?;
    Ok(transaction.commit()?)
}
