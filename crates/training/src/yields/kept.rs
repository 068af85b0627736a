//! A training run that is kept epoch by epoch, and goes on where it stopped.

use super::fit::{Epoch, Progress, Watch};
use crate::checkpoint::RunFolder;
use crate::error::TrainingError;

/// Keeps a run, and tells of its epochs.
#[derive(Debug)]
pub struct Kept<'a, F> {
    /// Where.
    pub run: &'a RunFolder,
    /// Which network of the run.
    pub stage: &'a str,
    /// Who is told.
    pub tell: F,
}

impl<F: FnMut(Epoch)> Watch for Kept<'_, F> {
    fn begun(&mut self) -> Result<Progress, TrainingError> {
        self.run.load(self.stage)
    }

    fn done(&mut self, progress: &Progress) -> Result<(), TrainingError> {
        self.run.save(self.stage, progress)?;
        self.tell.done(progress)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use serde_json::json;

    use super::*;
    use crate::checkpoint::Unfinished;
    use crate::weights::flatten;
    use crate::yields::fit::{FitSettings, Lesson, fit};
    use crate::yields::lstm::{DOCUMENTED_UNITS, Lstm};
    use veriregime_core::types::diagnostic::Diagnostic;

    /// Keeps so many epochs and breaks off.
    struct Killed<'a> {
        kept: Kept<'a, fn(Epoch)>,
        after: usize,
    }

    impl Watch for Killed<'_> {
        fn begun(&mut self) -> Result<Progress, TrainingError> {
            self.kept.begun()
        }

        fn done(&mut self, progress: &Progress) -> Result<(), TrainingError> {
            self.kept.done(progress)?;
            let is_killed = progress.curve.len() == self.after;
            if is_killed { Err(TrainingError::Diverged) } else { Ok(()) }
        }
    }

    /// A run that is killed and goes on ends with the weights, to the bit, of one that never was.
    #[test]
    fn a_run_goes_on_where_it_was_killed() {
        let device = Device::flex();
        let lesson = |from: usize, count: usize| {
            let row = |at: usize| (0..14).map(move |place| ((at * 14 + place) as f32 * 0.7).sin());
            Lesson {
                columns: 14,
                rows: (from..from + count).flat_map(row).collect(),
                targets: (from..from + count).map(|at| [(at as f32 * 0.3).cos(), (at as f32 * 0.1).sin()]).collect(),
            }
        };
        let (training, validation) = (lesson(0, 48), lesson(48, 16));
        let settings = FitSettings { epochs: 4, batch_size: 16, ..FitSettings::default() };
        let start = || Lstm::new(7, 2, DOCUMENTED_UNITS, &mut ChaCha8Rng::seed_from_u64(3), &device.clone().autodiff());
        let parent = tempfile::tempdir().unwrap();
        let open =
            |name: &str| RunFolder::open(&parent.path().join(name), &json!({ "seed": 3 }), Unfinished::Resume).unwrap();
        let ran = |run: &RunFolder, after: usize| {
            let kept = Kept { run, stage: "lstm", tell: (|_| ()) as fn(Epoch) };
            fit(start(), &training, Some(&validation), &settings, &device, &mut Killed { kept, after })
        };
        let whole = ran(&open("whole"), 99).unwrap();
        for after in [1, 3] {
            let run = open(&format!("killed-{after}"));
            assert!(ran(&run, after).is_err());
            assert_eq!(run.load::<Epoch>("lstm").unwrap().curve.len(), after);
            let resumed = ran(&run, 99).unwrap();
            assert_eq!((resumed.1, flatten(&resumed.0)), (whole.1, flatten(&whole.0)), "after {after}");
            // A finished one trains no more.
            assert_eq!(flatten(&ran(&run, 4).unwrap().0), flatten(&whole.0));
        }
        let run = open("whole");
        let kept = Kept { run: &run, stage: "lstm", tell: |_: Epoch| () };
        let other = Lstm::new(7, 1, DOCUMENTED_UNITS, &mut ChaCha8Rng::seed_from_u64(3), &device.clone().autodiff());
        let mut narrow = training.clone();
        narrow.columns = 7;
        let refused = fit(other, &narrow, None, &settings, &device, &mut { kept });
        assert_eq!(refused.unwrap_err().code(), "VR-TRAIN-007");
    }
}
