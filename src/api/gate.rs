//! Reads of the database on behalf of requests: few at a time, so that they take few threads, and so many that wait for their turn.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::api::error::ApiError;
use crate::state::error::StateError;
use crate::state::reader::Reader;

/// Threads that may read at a time. The connection is one: more would wait for it.
const READING: usize = 2;
/// Requests that may wait: as many as may look at the page by default.
const WAITING: usize = 128;

/// Who may read.
#[derive(Debug)]
pub(super) struct Gate {
    waiting: Semaphore,
    reading: Semaphore,
}

impl Gate {
    /// One that nobody waits at.
    pub(super) fn new() -> Self {
        Self { waiting: Semaphore::new(WAITING), reading: Semaphore::new(READING) }
    }

    /// Reads on a thread that may wait.
    ///
    /// # Errors
    /// [`ApiError::Slow`] where too many wait already, [`ApiError::State`].
    pub(super) async fn read<T: Send + 'static>(
        &self,
        reader: &Arc<Reader>,
        read: impl FnOnce(&Reader) -> Result<T, StateError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let _place = self.waiting.try_acquire().map_err(|_| ApiError::Slow)?;
        // It is never closed.
        let _turn = self.reading.acquire().await.map_err(|_| ApiError::Slow)?;
        let reader = reader.clone();
        let outcome = tokio::task::spawn_blocking(move || read(&reader)).await;
        // A read that was broken off by the runtime's end has nobody to tell.
        Ok(outcome.map_err(|error| StateError::Corrupt(error.to_string()))??)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::state::Store;

    #[tokio::test(flavor = "multi_thread")]
    async fn few_read_at_a_time_the_others_wait_and_too_many_are_sent_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.sqlite");
        let _store = Store::open(&path).unwrap();
        let reader = Arc::new(Reader::open(&path).unwrap());
        let (gate, now, most) = (Arc::new(Gate::new()), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let read = || {
            let (gate, reader, now, most) = (gate.clone(), reader.clone(), now.clone(), most.clone());
            tokio::spawn(async move {
                let work = move |_: &Reader| {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(5));
                    now.fetch_sub(1, Ordering::SeqCst);
                    Ok(())
                };
                gate.read(&reader, work).await
            })
        };
        let asked: Vec<_> = (0..WAITING + 40).map(|_| read()).collect();
        let (mut read, mut sent_away) = (0, 0);
        for one in asked {
            match one.await.unwrap() {
                Ok(()) => read += 1,
                Err(ApiError::Slow) => sent_away += 1,
                Err(other) => unreachable!("{other}"),
            }
        }
        assert!(read >= WAITING && read + sent_away == WAITING + 40, "{read} {sent_away}");
        assert!((1..=READING).contains(&most.load(Ordering::SeqCst)));
    }
}
