//! Things that are made once, when somebody first wants them, and then shared.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

/// Things by their keys. What could not be made is tried again by the next who wants it.
#[derive(Debug)]
pub(super) struct Pool<K, V>(Mutex<HashMap<K, Arc<OnceCell<V>>>>);

impl<K, V> Default for Pool<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V: Clone> Pool<K, V> {
    /// The thing of that key. Whoever wants it while it is made waits; whoever wants another does not.
    pub(super) async fn get<E>(&self, key: K, make: impl Future<Output = Result<V, E>>) -> Result<V, E> {
        let cell = self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone();
        cell.get_or_try_init(|| make).await.cloned()
    }

    /// Everything that was made.
    pub(super) fn made(&self) -> Vec<V> {
        let cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cells.values().filter_map(|cell| cell.get().cloned()).collect()
    }

    /// The thing of that key, if it was made.
    pub(super) fn known(&self, key: &K) -> Option<V> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).and_then(|cell| cell.get().cloned())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn each_thing_is_made_once_and_a_failure_is_tried_again() {
        let (pool, made) = (Pool::<&str, u32>::default(), AtomicU32::new(0));
        let make = async |good: bool| {
            let number = made.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            if good { Ok(number) } else { Err(number) }
        };
        assert_eq!(pool.get("a", make(false)).await, Err(0));
        assert_eq!(pool.known(&"a"), None);
        let (one, other, apart) =
            tokio::join!(pool.get("a", make(true)), pool.get("a", make(true)), pool.get("b", make(true)));
        assert_eq!((one, apart), (other, Ok(2)));
        assert_eq!((pool.known(&"a"), pool.made().len()), (one.ok(), 2));
    }
}
