//! Before the first signature of a start: does anything else use this wallet?
//!
//! Two agents with one key sign with the same nonces, replace each other's transactions and, with different databases, may
//! attest two different payloads. Nothing but the chain can tell that there is a second one: the wallet has sent more than
//! this database knows of. That is also so where the database was lost or somebody sent by hand, so it is no reason to stop
//! for ever: the agent stays silent until the wallet has been quiet for a while.

use tokio::sync::Mutex;
use tracing::info;

use super::Agent;
use crate::job::error::{CycleError, StageError};

/// What has been seen of a wallet on a chain since the start. All jobs that share the wallet share it.
#[derive(Debug, Default)]
pub struct WalletGuard(Mutex<Sighting>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Sighting {
    /// Not looked at yet.
    #[default]
    Nothing,
    /// It has sent transactions of unknown origin, the last one at that time at the latest.
    Sent { count: u64, since_ms: i64 },
    /// Nothing else uses it.
    Alone,
}

/// What follows from a look: `sent` transactions of the wallet are mined or wait to be, `known` of them are in the database.
fn look(before: Sighting, sent: u64, known: u64, now_ms: i64, quiet_ms: i64) -> Sighting {
    match before {
        Sighting::Alone => Sighting::Alone,
        _ if sent <= known => Sighting::Alone,
        Sighting::Sent { count, since_ms } if count == sent => {
            if now_ms.saturating_sub(since_ms) >= quiet_ms {
                Sighting::Alone
            } else {
                before
            }
        }
        _ if quiet_ms == 0 => Sighting::Alone,
        _ => Sighting::Sent { count: sent, since_ms: now_ms },
    }
}

impl Agent {
    /// Looks whether something else uses the wallet. Once it does not, later looks cost nothing.
    ///
    /// # Errors
    /// [`CycleError::DuplicateSigner`] until the wallet has been quiet for long enough, else [`StageError`].
    pub async fn ensure_exclusive_wallet(&self) -> Result<(), StageError> {
        // One looks for all that share the wallet.
        let mut sighting = self.wallet_guard.0.lock().await;
        let before = *sighting;
        if before == Sighting::Alone {
            return Ok(());
        }
        let (sent, known) =
            (self.chain.sent().await?, self.store.next_nonce(self.chain.read.chain_id(), self.chain.address())?);
        let after = look(before, sent, known, self.clock.now_ms(), self.replica.quiet_ms);
        *sighting = after;
        if after != Sighting::Alone {
            return Err(CycleError::DuplicateSigner { sent, known }.into());
        }
        if before != Sighting::Nothing {
            info!(sent, known, "the wallet is quiet, going on");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const QUIET_MS: i64 = 60_000;

    #[test]
    fn a_wallet_that_the_database_explains_is_free_at_once() {
        for (sent, known) in [(0, 0), (7, 7), (7, 8)] {
            assert_eq!(look(Sighting::Nothing, sent, known, 5, QUIET_MS), Sighting::Alone, "{sent} of {known}");
        }
    }

    #[test]
    fn a_stranger_s_transaction_starts_the_wait_again() {
        let first = look(Sighting::Nothing, 8, 7, 1000, QUIET_MS);
        assert_eq!(first, Sighting::Sent { count: 8, since_ms: 1000 });
        assert_eq!(look(first, 8, 7, 60_999, QUIET_MS), first);
        let second = look(first, 9, 7, 60_999, QUIET_MS);
        assert_eq!(second, Sighting::Sent { count: 9, since_ms: 60_999 });
        assert_eq!(look(second, 9, 7, 120_998, QUIET_MS), second);
        assert_eq!(look(second, 9, 7, 120_999, QUIET_MS), Sighting::Alone);
        assert_eq!(look(Sighting::Alone, 99, 7, 0, QUIET_MS), Sighting::Alone, "it is a wait at the start only");
        assert_eq!(look(Sighting::Nothing, 8, 7, 1000, 0), Sighting::Alone, "no wait at all");
    }

    proptest! {
        #[test]
        fn nothing_is_signed_within_the_quiet_time_after_any_stranger(
            steps in proptest::collection::vec((0_i64..100_000, 0_u64..2), 1..20),
        ) {
            let (mut now_ms, mut sent, mut sighting) = (0, 5, Sighting::Nothing);
            let mut last_sent_ms = 0;
            for (pause_ms, more) in steps {
                now_ms += pause_ms;
                if more > 0 {
                    (sent, last_sent_ms) = (sent + more, now_ms);
                }
                sighting = look(sighting, sent, 0, now_ms, QUIET_MS);
                if sighting == Sighting::Alone {
                    prop_assert!(now_ms - last_sent_ms >= QUIET_MS);
                    break;
                }
            }
        }
    }
}
