//! What looks at the database beside the cycles.

use std::path::Path;
use std::sync::Arc;

use super::Store;
use super::error::StateError;
use super::reader::Reader;

/// Two connections beside the one of the cycles, however many jobs there are: each keeps up to 2 MB of pages in memory.
#[derive(Debug, Clone)]
pub struct Beside {
    /// For whoever answers requests.
    pub reader: Arc<Reader>,
    /// For whoever notes what was told and attested.
    pub store: Arc<Store>,
}

impl Beside {
    /// Opens them.
    ///
    /// # Errors
    /// A database that does not open.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        let store = Arc::new(Store::open(path)?);
        Ok(Self { reader: Arc::new(Reader::open(path)?), store })
    }
}
