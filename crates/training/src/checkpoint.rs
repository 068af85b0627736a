//! What a run leaves behind after every epoch, so that nothing but the running epoch is lost when it is killed.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::TrainingError;
use super::optimiser::OptimiserState;
use super::trainer::Progress;
use veriregime_core::types::digest::Digest;

/// Name of the file that says which run a folder belongs to.
const RUN_FILE: &str = "run.json";
/// Largest such file.
const MAX_RUN_BYTES: u64 = 1 << 20;
/// Largest checkpoint: four copies of the largest network that settings allow.
const MAX_CHECKPOINT_BYTES: u64 = 1 << 30;
/// Length of the digest at the end.
const DIGEST_BYTES: usize = 32;
/// Length of the header's length at the beginning.
const LENGTH_BYTES: usize = 8;

/// What to do with an unfinished run that is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfinished {
    /// Refuse to touch it.
    Refuse,
    /// Go on where it stopped.
    Resume,
    /// Throw it away.
    Discard,
}

/// The folder of a run.
#[derive(Debug, Clone)]
pub struct RunFolder {
    folder: PathBuf,
    identity: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header<E> {
    curve: Vec<E>,
    steps: i32,
    best_epoch: usize,
    lengths: [usize; 4],
}

impl RunFolder {
    /// Looks at `folder` for the run that `identity` describes: its settings, candles and backend, as JSON. The folder
    /// is made with the first checkpoint.
    ///
    /// # Errors
    /// [`TrainingError::Unfinished`] where another run lies there and must not be touched,
    /// [`TrainingError::OtherRun`] where it cannot be resumed because it is not the same, or a file fault.
    pub fn open(folder: &Path, identity: &serde_json::Value, unfinished: Unfinished) -> Result<Self, TrainingError> {
        let run = Self { folder: folder.to_owned(), identity: format!("{identity:#}\n") };
        let path = folder.join(RUN_FILE);
        let is_there = path.exists();
        match unfinished {
            Unfinished::Refuse if is_there => return Err(TrainingError::Unfinished { folder: folder.to_owned() }),
            Unfinished::Resume if is_there => {
                let found: serde_json::Value =
                    serde_json::from_str(&veriregime_files::read_text(&path, MAX_RUN_BYTES)?).unwrap_or_default();
                if found != *identity {
                    return Err(TrainingError::OtherRun { folder: folder.to_owned() });
                }
            }
            Unfinished::Discard if is_there => run.remove()?,
            _ => {}
        }
        Ok(run)
    }

    /// Removes the folder of a finished run.
    ///
    /// # Errors
    /// A file fault.
    pub fn remove(&self) -> Result<(), TrainingError> {
        Ok(veriregime_files::remove_folder(&self.folder)?)
    }

    /// What the stage left, or nothing.
    ///
    /// # Errors
    /// [`TrainingError::Checkpoint`] for a damaged file, or a file fault.
    pub fn load<E: DeserializeOwned>(&self, stage: &str) -> Result<Progress<E>, TrainingError> {
        let path = self.path(stage);
        if !path.exists() {
            return Ok(Progress::default());
        }
        let bytes = veriregime_files::read_bounded(&path, MAX_CHECKPOINT_BYTES)?;
        decode(&bytes).ok_or_else(|| TrainingError::Checkpoint { reason: format!("{} is damaged", path.display()) })
    }

    /// Keeps the stage's state, in place of the last one and at once.
    ///
    /// # Errors
    /// A file fault; the last state is still there then.
    pub fn save<E: Serialize + Clone>(&self, stage: &str, progress: &Progress<E>) -> Result<(), TrainingError> {
        self.begin()?;
        Ok(veriregime_files::write_atomic(&self.path(stage), &encode(progress))?)
    }

    /// Puts a file beside what stages leave.
    ///
    /// # Errors
    /// A file fault.
    pub fn put(&self, name: &str, bytes: &[u8]) -> Result<(), TrainingError> {
        self.begin()?;
        Ok(veriregime_files::write_atomic(&self.folder.join(name), bytes)?)
    }

    fn begin(&self) -> Result<(), TrainingError> {
        let run = self.folder.join(RUN_FILE);
        if !run.exists() {
            veriregime_files::create_folder(&self.folder)?;
            veriregime_files::write_atomic(&run, self.identity.as_bytes())?;
        }
        Ok(())
    }

    fn path(&self, stage: &str) -> PathBuf {
        self.folder.join(format!("{stage}.checkpoint"))
    }
}

/// Length of the header, header, weights and moments as little-endian floats, SHA-256 of all that.
fn encode<E: Serialize + Clone>(progress: &Progress<E>) -> Vec<u8> {
    let OptimiserState { steps, moments: [first, second] } = &progress.optimiser;
    let arrays = [&progress.weights, first, second, &progress.best_weights];
    let header = Header {
        curve: progress.curve.clone(),
        steps: *steps,
        best_epoch: progress.best_epoch,
        lengths: arrays.map(Vec::len),
    };
    let header = serde_json::to_vec(&header).expect("numbers become JSON");
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header);
    for array in arrays {
        bytes.extend(array.iter().flat_map(|number| number.to_le_bytes()));
    }
    let digest = Digest::of(&bytes);
    bytes.extend(digest.0);
    bytes
}

fn decode<E: DeserializeOwned>(bytes: &[u8]) -> Option<Progress<E>> {
    let (body, digest) = bytes.split_last_chunk::<DIGEST_BYTES>()?;
    if Digest::of(body).0 != *digest {
        return None;
    }
    let (length, rest) = body.split_first_chunk::<LENGTH_BYTES>()?;
    let (header, mut rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    let header: Header<E> = serde_json::from_slice(header).ok()?;
    let mut array = |length: usize| -> Option<Vec<f32>> {
        let (own, others) = rest.split_at_checked(length.checked_mul(size_of::<f32>())?)?;
        rest = others;
        Some(super::weights::from_bytes(own))
    };
    let [weights, first, second, best] = header.lengths.map(&mut array);
    Some(Progress {
        curve: header.curve,
        weights: weights?,
        optimiser: OptimiserState { steps: header.steps, moments: [first?, second?] },
        best_epoch: header.best_epoch,
        best_weights: best?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::trainer::Epoch;
    use veriregime_core::types::diagnostic::Diagnostic;

    fn progress() -> Progress {
        let epoch = Epoch {
            epoch: 1,
            training_loss: 0.1,
            validation_loss: 0.123_456_789,
            validation_accuracy: 0.8,
            validation_f1: 0.799_999_999,
        };
        Progress {
            curve: vec![epoch],
            weights: vec![1.5, -0.0, f32::MIN_POSITIVE],
            optimiser: OptimiserState { steps: 7, moments: [vec![0.25], vec![4.0]] },
            best_epoch: 1,
            best_weights: vec![1.0],
        }
    }

    #[test]
    fn a_checkpoint_comes_back_to_the_bit_and_no_damaged_one_does() {
        let bytes = encode(&progress());
        assert_eq!(decode(&bytes), Some(progress()));
        for at in 0..bytes.len() {
            let mut wrong = bytes.clone();
            wrong[at] ^= 1;
            assert_eq!(decode::<Epoch>(&wrong), None, "byte {at}");
            assert_eq!(decode::<Epoch>(&bytes[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn an_unfinished_run_is_neither_lost_nor_mixed_up() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("run");
        let run = RunFolder::open(&folder, &json!({ "seed": 1 }), Unfinished::Refuse).unwrap();
        assert_eq!(run.load::<Epoch>("teacher-1").unwrap(), Progress::default());
        run.save("teacher-1", &progress()).unwrap();

        let code = |unfinished, identity| RunFolder::open(&folder, &identity, unfinished).unwrap_err().code();
        assert_eq!(code(Unfinished::Refuse, json!({ "seed": 1 })), "VR-TRAIN-005");
        assert_eq!(code(Unfinished::Resume, json!({ "seed": 2 })), "VR-TRAIN-006");
        let run = RunFolder::open(&folder, &json!({ "seed": 1 }), Unfinished::Resume).unwrap();
        assert_eq!(run.load("teacher-1").unwrap(), progress());

        veriregime_files::write_atomic(&folder.join("teacher-1.checkpoint"), b"half").unwrap();
        assert_eq!(run.load::<Epoch>("teacher-1").unwrap_err().code(), "VR-TRAIN-007");
        let run = RunFolder::open(&folder, &json!({ "seed": 2 }), Unfinished::Discard).unwrap();
        assert_eq!(run.load::<Epoch>("teacher-1").unwrap(), Progress::default());
    }
}
