//! The models at hand: which versions there are, which one is current, and how that came about.
//!
//! `current` holds the current model's id and is what counts. `history.jsonl` is written first: a last line that
//! `current` does not confirm is a change that never happened, so a crash between the two leaves the old model.

pub mod figures;

use std::path::{Path, PathBuf};

use crate::bundle::Bundle;
use crate::bundle::error::BundleError;
use figures::{Score, same_rows, scores, worse};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::error::ManifestError;
use veriregime_core::types::manifest::{CURRENT_FILE, MANIFEST_FILE, is_model_folder};
use veriregime_core::types::time::format_utc;
use veriregime_files::FileError;

/// What was promoted when, one JSON object a line, oldest first.
pub const HISTORY_FILE: &str = "history.jsonl";
/// Largest history: some thousands of changes.
const MAX_HISTORY_BYTES: u64 = 1 << 20;
/// Longest content of `current`.
const MAX_ID_BYTES: u64 = 256;

/// Why the models cannot be listed or changed.
#[derive(Debug, Error)]
pub enum RegistryError {
    /// No such bundle.
    #[error("there is no model {id:?} in {}; there are: {known}", folder.display())]
    Unknown { id: String, folder: PathBuf, known: String },
    /// Nothing was ever promoted.
    #[error("no model in {} is current", folder.display())]
    NoCurrent { folder: PathBuf },
    /// The new model is worse than the current one by more than chance explains.
    #[error("{id} is worse than {current}: {reasons}")]
    Worse { id: String, current: String, reasons: String },
    /// Two models that forecast different things.
    #[error("{first} and {second} forecast different things: {difference}")]
    OtherLabel { first: String, second: String, difference: String },
    /// Two models whose figures come from different rows.
    #[error("{first} and {second} were tested on different rows: {difference}")]
    OtherRows { first: String, second: String, difference: String },
    /// There is nothing to go back to.
    #[error("{current} was the first model in {}", folder.display())]
    NoPrevious { current: String, folder: PathBuf },
    /// It is current already.
    #[error("{id} is current already")]
    AlreadyCurrent { id: String },
    /// The bundle is not the one that was promoted under this name.
    #[error("{id} has manifest {found}, the one that was promoted had {expected}")]
    Changed { id: String, found: Digest, expected: Digest },
    /// A file of the registry that makes no sense.
    #[error("{} makes no sense: {reason}", path.display())]
    Damaged { path: PathBuf, reason: String },
    /// A model of another kind.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A bundle that does not open.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Diagnostic for RegistryError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "VR-MODELS-001",
            Self::NoCurrent { .. } => "VR-MODELS-002",
            Self::Worse { .. } => "VR-MODELS-003",
            Self::OtherLabel { .. } => "VR-MODELS-004",
            Self::NoPrevious { .. } => "VR-MODELS-005",
            Self::AlreadyCurrent { .. } => "VR-MODELS-006",
            Self::Changed { .. } => "VR-MODELS-007",
            Self::Damaged { .. } => "VR-MODELS-008",
            Self::OtherRows { .. } => "VR-MODELS-009",
            Self::Manifest(error) => error.code(),
            Self::Bundle(fault) => fault.code(),
            Self::File(fault) => fault.code(),
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "see `models list`; --models names the folder",
            Self::NoCurrent { .. } => "choose one with `models promote ID`",
            Self::Worse { .. } => "see `models compare`; --force promotes it all the same",
            Self::OtherLabel { .. } => {
                "figures of different labels say nothing about each other; --force promotes anyway"
            }
            Self::OtherRows { .. } => {
                "give both the same rows, which neither was trained on: `models compare` and `models promote` take --candles FILE"
            }
            Self::NoPrevious { .. } | Self::AlreadyCurrent { .. } => "see `models list`; nothing was changed",
            Self::Changed { .. } => "restore the bundle, or choose the new one with `models promote ID`",
            Self::Damaged { .. } => "move the file away; `models promote ID` begins a new one",
            Self::Manifest(error) => error.hint(),
            Self::Bundle(fault) => fault.hint(),
            Self::File(fault) => fault.hint(),
        }
    }
}

/// A change of the current model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// When, UTC.
    pub time: String,
    /// Which way.
    pub action: Action,
    /// The model before, if there was one.
    pub from: Option<String>,
    /// The model after.
    pub to: String,
    /// SHA-256 of its manifest.
    pub manifest: Digest,
}

/// How a model became current.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It was chosen.
    Promote,
    /// It had been current before the one that was current.
    Rollback,
}

/// A folder of bundles.
#[derive(Debug, Clone)]
pub struct Registry {
    folder: PathBuf,
}

impl Registry {
    /// The models in `folder`. Nothing is read yet.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Ids of all bundles in alphabetical order: the folders that have a manifest.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn ids(&self) -> Result<Vec<String>, RegistryError> {
        let mut ids = veriregime_files::listing::folders_in(&self.folder)?;
        ids.retain(|id| {
            is_model_folder(id) && veriregime_files::size_bytes(&self.folder.join(id).join(MANIFEST_FILE)).is_ok()
        });
        ids.sort();
        Ok(ids)
    }

    /// Opens a bundle, every digest checked.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`], or what is wrong with the bundle.
    pub fn open(&self, id: &str) -> Result<Bundle, RegistryError> {
        let known = self.ids()?;
        if !known.iter().any(|known| known == id) {
            let (id, folder) = (id.to_owned(), self.folder.clone());
            return Err(RegistryError::Unknown { id, folder, known: known.join(", ") });
        }
        Ok(Bundle::open(&self.folder.join(id))?)
    }

    /// The bundle whose manifest has that digest, every other digest checked; `None` where there is none.
    ///
    /// # Errors
    /// A folder that cannot be read, or what is wrong with the bundle.
    pub fn with_manifest(&self, wanted: Digest) -> Result<Option<Bundle>, RegistryError> {
        for id in self.ids()? {
            if let Some(bundle) = Bundle::open_with(&self.folder.join(id), wanted)? {
                return Ok(Some(bundle));
            }
        }
        Ok(None)
    }

    /// The current model's id, if one was promoted.
    ///
    /// # Errors
    /// [`RegistryError::Damaged`] or a file fault.
    pub fn current(&self) -> Result<Option<String>, RegistryError> {
        let path = self.folder.join(CURRENT_FILE);
        let Some(text) = absent_is_none(veriregime_files::read_text(&path, MAX_ID_BYTES))? else { return Ok(None) };
        let id = text.trim_end();
        if is_model_folder(id) {
            return Ok(Some(id.to_owned()));
        }
        Err(RegistryError::Damaged { path, reason: format!("{id:?} is no name of a model") })
    }

    /// Changes of the current model, oldest first; one that was begun and did not happen is left out.
    ///
    /// # Errors
    /// [`RegistryError::Damaged`] or a file fault.
    pub fn history(&self) -> Result<Vec<Change>, RegistryError> {
        let path = self.folder.join(HISTORY_FILE);
        let text = absent_is_none(veriregime_files::read_text(&path, MAX_HISTORY_BYTES))?.unwrap_or_default();
        let lines = text.lines().map(serde_json::from_str::<Change>).collect::<Result<Vec<_>, _>>();
        let mut history = lines.map_err(|error| RegistryError::Damaged { path, reason: error.to_string() })?;
        let current = self.current()?;
        if history.last().is_some_and(|last| Some(&last.to) != current.as_ref()) {
            history.pop();
        }
        Ok(history)
    }

    /// Makes `id` the current model. Without `force` it must open, forecast what the current one does and score no worse
    /// on the same test split than chance explains; with it, it must still open.
    ///
    /// # Errors
    /// [`RegistryError::AlreadyCurrent`], [`RegistryError::Worse`], [`RegistryError::OtherLabel`],
    /// [`RegistryError::OtherRows`], or as [`Registry::open`].
    pub fn promote(&self, id: &str, force: bool, now_ms: i64) -> Result<Change, RegistryError> {
        self.promote_if(id, now_ms, |before, after| {
            if force {
                return Ok(None);
            }
            same_rows((&before.0, &before.1.manifest), (&after.0, &after.1.manifest))?;
            Ok(Some([scores(&before.1.manifest), scores(&after.1.manifest)]))
        })
    }

    /// As [`Registry::promote`], judged by what `measure` says of the current model and the new one; no scores at all are no
    /// judgement.
    ///
    /// # Errors
    /// As [`Registry::promote`], and whatever `measure` fails with.
    pub fn promote_if<E: From<RegistryError>>(
        &self,
        id: &str,
        now_ms: i64,
        measure: impl FnOnce(&(String, Bundle), &(String, Bundle)) -> Result<Option<[Vec<Score>; 2]>, E>,
    ) -> Result<Change, E> {
        let after = (id.to_owned(), self.open(id)?);
        let from = self.current()?;
        if from.as_deref() == Some(id) {
            return Err(RegistryError::AlreadyCurrent { id: id.to_owned() }.into());
        }
        let known = self.ids()?;
        if let Some(current) = from.clone().filter(|current| known.contains(current)) {
            let bundle = self.open(&current)?;
            let before = (current, bundle);
            if let Some([old, new]) = measure(&before, &after)? {
                let worse = worse(&old, &new);
                if !worse.is_empty() {
                    let (id, current) = (id.to_owned(), before.0);
                    return Err(RegistryError::Worse { id, current, reasons: worse.join(", ") }.into());
                }
            }
        }
        Ok(self.change(Action::Promote, from, id, after.1.manifest_digest, now_ms)?)
    }

    /// Goes back to the model that was current before.
    ///
    /// # Errors
    /// [`RegistryError::NoCurrent`], [`RegistryError::NoPrevious`], [`RegistryError::Changed`], or as
    /// [`Registry::open`].
    pub fn rollback(&self, now_ms: i64) -> Result<Change, RegistryError> {
        let folder = self.folder.clone();
        let Some(current) = self.current()? else { return Err(RegistryError::NoCurrent { folder }) };
        let mut stack: Vec<(String, Digest)> = Vec::new();
        for change in self.history()? {
            match change.action {
                Action::Promote => stack.push((change.to, change.manifest)),
                Action::Rollback => drop(stack.pop()),
            }
        }
        stack.pop();
        let Some((id, expected)) = stack.pop() else { return Err(RegistryError::NoPrevious { current, folder }) };
        let found = self.open(&id)?.manifest_digest;
        if found != expected {
            return Err(RegistryError::Changed { id, found, expected });
        }
        self.change(Action::Rollback, Some(current), &id, found, now_ms)
    }

    fn change(
        &self,
        action: Action,
        from: Option<String>,
        to: &str,
        manifest: Digest,
        now_ms: i64,
    ) -> Result<Change, RegistryError> {
        let change = Change { time: format_utc(now_ms), action, from, to: to.to_owned(), manifest };
        let mut history = self.history()?;
        history.push(change.clone());
        let line = |change: &Change| serde_json::to_string(change).expect("plain data") + "\n";
        let text: String = history.iter().map(line).collect();
        veriregime_files::write_atomic(&self.folder.join(HISTORY_FILE), text.as_bytes())?;
        veriregime_files::write_atomic(&self.folder.join(CURRENT_FILE), format!("{to}\n").as_bytes())?;
        Ok(change)
    }
}

fn absent_is_none(read: Result<String, FileError>) -> Result<Option<String>, FileError> {
    match read {
        Err(FileError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}
