//! A key that pays for transactions on a chain. All jobs that share it take turns for its nonces.

use std::fmt;
use std::sync::Arc;

use alloy::network::EthereumWallet;
use alloy::primitives::Address;
use tokio::sync::{Mutex, MutexGuard, TryLockError};

use super::signer::Signer;

/// A key on a chain. Its copies share its turns; who wants them shared must copy it.
#[derive(Clone)]
pub struct Wallet {
    address: Address,
    key: EthereumWallet,
    turns: Arc<Turns>,
}

#[derive(Default)]
struct Turns {
    nonce: Mutex<()>,
    care: Mutex<()>,
}

impl Wallet {
    /// Of a signer.
    pub fn new(signer: &Signer) -> Self {
        Self { address: signer.address(), key: signer.wallet(), turns: Arc::default() }
    }

    /// The key's address.
    pub fn address(&self) -> Address {
        self.address
    }

    /// Waits until nobody else of this process chooses a nonce. To be held until what is signed with the nonce is stored: then
    /// the next one sees it, and a nonce that was chosen and not used is chosen again.
    pub async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turns.nonce.lock().await
    }

    /// To be held by the one that looks after what others of the wallet have neglected.
    ///
    /// # Errors
    /// [`TryLockError`] where somebody does.
    pub fn care(&self) -> Result<MutexGuard<'_, ()>, TryLockError> {
        self.turns.care.try_lock()
    }

    pub(super) fn key(&self) -> &EthereumWallet {
        &self.key
    }
}

/// The address, and nothing of the key.
impl fmt::Debug for Wallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Wallet").field(&self.address).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use secrecy::SecretString;
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn copies_of_a_wallet_take_turns() {
        let key = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
        let one = Wallet::new(&Signer::from_key(&SecretString::from(key)).unwrap());
        let other = one.clone();
        let (turn, care) = (one.turn().await, one.care().unwrap());
        assert!(timeout(Duration::from_millis(20), other.turn()).await.is_err(), "it is the first one's turn");
        assert!(other.care().is_err(), "the first one does");
        drop((turn, care));
        let _turn = timeout(Duration::from_secs(5), other.turn()).await.expect("the turn is over");
        assert!(other.care().is_ok());
    }
}
