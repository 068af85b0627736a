//! Answers that are good for a little while: however many ask, one of them is made.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::api::error::ApiError;

/// The newest answers.
#[derive(Debug)]
pub struct Cached<K, V> {
    fresh: Duration,
    most: usize,
    /// Oldest first.
    held: Mutex<Vec<(K, Instant, Arc<V>)>>,
}

impl<K: PartialEq, V> Cached<K, V> {
    /// At most so many answers, each good for so long.
    pub fn new(most: usize, fresh: Duration) -> Self {
        Self { fresh, most, held: Mutex::default() }
    }

    /// The answer for a key, made now if there is none that is fresh. One is made at a time; the others wait for it.
    ///
    /// # Errors
    /// What `make` does; that is not kept.
    pub async fn get(&self, key: K, make: impl Future<Output = Result<V, ApiError>>) -> Result<Arc<V>, ApiError> {
        let mut held = self.held.lock().await;
        if let Some(found) = self.fresh(&mut held, &key) {
            return Ok(found);
        }
        let made = Arc::new(make.await?);
        self.keep(&mut held, key, made.clone());
        Ok(made)
    }

    /// The answer for a key, if there is one that is fresh.
    pub async fn find(&self, key: &K) -> Option<Arc<V>> {
        let mut held = self.held.lock().await;
        self.fresh(&mut held, key)
    }

    /// Keeps an answer.
    pub async fn put(&self, key: K, made: V) -> Arc<V> {
        let made = Arc::new(made);
        let mut held = self.held.lock().await;
        self.keep(&mut held, key, made.clone());
        made
    }

    fn fresh(&self, held: &mut Vec<(K, Instant, Arc<V>)>, key: &K) -> Option<Arc<V>> {
        held.retain(|(_, at, _)| at.elapsed() < self.fresh);
        held.iter().find(|(known, _, _)| known == key).map(|(_, _, made)| made.clone())
    }

    fn keep(&self, held: &mut Vec<(K, Instant, Arc<V>)>, key: K, made: Arc<V>) {
        held.retain(|(known, _, _)| *known != key);
        if held.len() >= self.most {
            held.remove(0);
        }
        held.push((key, Instant::now(), made));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_is_made_once_and_the_oldest_goes_first() {
        let cached = Cached::new(2, Duration::from_hours(1));
        let made = std::sync::atomic::AtomicU32::new(0);
        let get = async |key: u32| {
            let make = async { Ok(made.fetch_add(1, std::sync::atomic::Ordering::SeqCst)) };
            *cached.get(key, make).await.unwrap()
        };
        assert_eq!((get(7).await, get(7).await, get(8).await), (0, 0, 1));
        assert_eq!((get(9).await, get(7).await), (2, 3), "three are too many");
        assert_eq!(cached.find(&8).await, None);
        assert!(cached.get(1, async { Err(ApiError::Slow) }).await.is_err());
        assert_eq!(get(1).await, 4, "a fault is not kept");
        let stale = Cached::new(2, Duration::ZERO);
        stale.put(1, 1).await;
        assert_eq!(stale.find(&1).await, None);
    }
}
