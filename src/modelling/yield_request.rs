//! What yield models are trained and judged on.

use std::path::Path;

use super::set_up::CircuitTools;
use veriregime_core::hedge::panel::Day;
use veriregime_core::yields::Kind;

/// What computes a forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum YieldForm {
    /// A ridge regression.
    Ridge,
    /// A layer of squares.
    Square,
}

/// What a training run of yield models is to do.
#[derive(Debug)]
pub struct YieldTrainRequest<'a> {
    /// Folder with the tables.
    pub data: &'a Path,
    /// Folder of the new bundles, whose name begins those of the models.
    pub out: &'a Path,
    /// Kinds of strategies.
    pub kinds: &'a [Kind],
    /// Whether one model is for all of them.
    pub is_one: bool,
    /// What computes.
    pub form: YieldForm,
    /// Passes over all rows at most.
    pub epochs: usize,
    /// Rows of a step.
    pub batch_size: usize,
    /// Seed of every random choice.
    pub seed: u64,
    /// First day that is left out; all are taken where absent.
    pub until: Option<Day>,
    /// How circuits are set up; none are where absent.
    pub circuit: Option<CircuitTools<'a>>,
}

/// What is judged, and on what.
#[derive(Debug)]
pub struct YieldEvaluateRequest<'a> {
    /// Folder of the bundles.
    pub model: &'a Path,
    /// Folder with the tables.
    pub data: &'a Path,
    /// First day of decisions.
    pub from: Day,
    /// Kinds of strategies; all that there are models for where empty.
    pub kinds: &'a [Kind],
    /// Epochs of the documented LSTM, which is trained on what was known by the first day; it is left out where absent.
    pub lstm_epochs: Option<usize>,
}
