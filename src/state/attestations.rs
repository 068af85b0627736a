//! What was attested: one payload for each market and period, whatever happens in between.

use alloy::primitives::B256;
use rusqlite::{TransactionBehavior, params};

use super::{StateError, Store, columns, rows};
use veriregime_core::types::attestation::{Attestation, Promise};

impl Store {
    /// Promises to attest no other payloads for the period. Durable when this returns true; only then may anything be signed.
    /// False where another payload was promised before for one of the markets: then nothing is promised for the others.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn promise(&self, promise: &Promise) -> Result<bool, StateError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let period = rows::period(promise.period)?;
        let (oracle, model_id) = (promise.registry.to_string(), promise.model_id.to_string());
        for (market, payload) in &promise.payloads {
            let payload = payload.to_string();
            let key = params![promise.chain_id as i64, oracle, model_id, period, *market as i64, payload];
            transaction.execute(
                "INSERT OR IGNORE INTO promises (chain_id, oracle, model_id, period, market, payload, ends)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    promise.chain_id as i64,
                    oracle,
                    model_id,
                    period,
                    *market as i64,
                    payload,
                    promise.ends_seconds
                ],
            )?;
            let is_ours: bool = transaction.query_row(
                "SELECT payload = ?6 FROM promises
                 WHERE chain_id = ?1 AND oracle = ?2 AND model_id = ?3 AND period = ?4 AND market = ?5",
                key,
                |row| row.get(0),
            )?;
            if !is_ours {
                return Ok(false);
            }
        }
        transaction.commit()?;
        Ok(true)
    }

    /// Keeps an attestation of `digest`; one that is there already stays.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn keep_attestation(&self, digest: B256, attestation: &Attestation) -> Result<(), StateError> {
        self.lock().execute(
            "INSERT OR IGNORE INTO attestations (digest, signer, signature) VALUES (?1, ?2, ?3)",
            params![digest.to_string(), attestation.signer.to_string(), attestation.signature.to_vec()],
        )?;
        Ok(())
    }

    /// Every attestation of `digest`, by signer in ascending order.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn attestations(&self, digest: B256) -> Result<Vec<Attestation>, StateError> {
        let sql = "SELECT signer, signature FROM attestations WHERE digest = ?1";
        let mut attestations = columns::all(&self.lock(), sql, [digest.to_string()], |row| {
            Ok(Attestation { signer: columns::parsed(row, 0)?, signature: row.get::<_, Vec<u8>>(1)?.into() })
        })?;
        // Addresses as text are of mixed case, which has an order of its own.
        attestations.sort_unstable();
        Ok(attestations)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use alloy::primitives::Address;

    use super::*;
    use veriregime_core::types::period::PeriodId;

    fn promise(payload: u8) -> Promise {
        Promise {
            chain_id: 1,
            registry: Address::repeat_byte(2),
            model_id: B256::repeat_byte(3),
            period: PeriodId(4),
            ends_seconds: 5 * 14_400,
            payloads: vec![(0, B256::repeat_byte(payload))],
        }
    }

    fn of_two(first: Option<u8>, second: Option<u8>) -> Promise {
        let payloads = [first, second].into_iter().enumerate();
        let payloads = payloads.filter_map(|(index, payload)| Some((index, B256::repeat_byte(payload?)))).collect();
        Promise { payloads, ..promise(0) }
    }

    #[test]
    fn a_second_payload_is_refused_after_any_restart_and_the_same_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.sqlite");
        let open = || Store::open(&path).unwrap();
        for (payload, is_kept) in [(5, true), (5, true), (6, false), (5, true)] {
            assert_eq!(open().promise(&promise(payload)).unwrap(), is_kept);
        }
        for other in [
            Promise { chain_id: 2, ..promise(6) },
            Promise { registry: Address::ZERO, ..promise(6) },
            Promise { model_id: B256::ZERO, ..promise(6) },
            Promise { period: PeriodId(5), ..promise(6) },
        ] {
            assert!(open().promise(&other).unwrap());
        }
    }

    #[test]
    fn a_market_is_promised_with_others_or_without_and_a_refusal_promises_nothing() {
        let store = Store::open(Path::new(":memory:")).unwrap();
        for (first, second, is_kept) in [
            (Some(1), None, true),
            (Some(1), Some(2), true),
            (None, Some(2), true),
            (None, Some(3), false),
            (Some(4), Some(2), false),
            (Some(1), None, true),
        ] {
            assert_eq!(store.promise(&of_two(first, second)).unwrap(), is_kept, "{first:?} and {second:?}");
        }
        let store = Store::open(Path::new(":memory:")).unwrap();
        assert!(store.promise(&of_two(None, Some(2))).unwrap());
        assert!(!store.promise(&of_two(Some(1), Some(3))).unwrap());
        assert!(store.promise(&of_two(Some(5), None)).unwrap(), "the first market was not promised with the refusal");
    }

    #[test]
    fn of_two_connections_that_promise_at_once_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.sqlite");
        let stores: Vec<Store> = (0..8).map(|_| Store::open(&path).unwrap()).collect();
        let kept: usize = std::thread::scope(|scope| {
            let promises: Vec<_> = (0_u8..)
                .zip(&stores)
                .map(|(payload, store)| scope.spawn(move || store.promise(&promise(payload)).unwrap()))
                .collect();
            promises.into_iter().map(|promise| usize::from(promise.join().unwrap())).sum()
        });
        assert_eq!(kept, 1);
    }

    #[test]
    fn attestations_are_read_back_in_the_contract_s_order() {
        let store = Store::open(Path::new(":memory:")).unwrap();
        let attestation = |signer| Attestation { signer, signature: vec![7; 65].into() };
        // As checksummed text these sort the other way round.
        let mut signers: Vec<Address> =
            (0..20).map(|seed| Address::from_word(alloy::primitives::keccak256([seed]))).collect();
        for signer in &signers {
            store.keep_attestation(B256::ZERO, &attestation(*signer)).unwrap();
            store
                .keep_attestation(B256::ZERO, &Attestation { signature: vec![].into(), ..attestation(*signer) })
                .unwrap();
        }
        signers.sort_unstable();
        let wanted: Vec<_> = signers.into_iter().map(attestation).collect();
        assert_eq!(store.attestations(B256::ZERO).unwrap(), wanted);
        assert!(store.attestations(B256::repeat_byte(1)).unwrap().is_empty());
    }
}
