//! What yield models are trained and judged on.

use std::path::Path;

use super::set_up::CircuitTools;
use crate::sources::yields::costs::Costs;
use veriregime_core::hedge::panel::Day;
use veriregime_core::yields::Kind;

/// What computes a forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum YieldForm {
    /// A ridge regression.
    Ridge,
    /// A layer of squares.
    Square,
    /// Two LSTM layers and a dense one, of so many units.
    Lstm([usize; 3]),
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
    /// Folder in which its training is kept, and goes on.
    pub lstm_run: Option<&'a Path>,
    /// Folder for the plots, as SVG.
    pub plots: Option<&'a Path>,
}

/// What is lived through, and with what.
#[derive(Debug)]
pub struct YieldBacktestRequest<'a> {
    /// Folder with the tables.
    pub data: &'a Path,
    /// Kinds of strategies.
    pub kinds: &'a [Kind],
    /// Day of the first decision.
    pub from: Day,
    /// The last day; the last that all kinds have where absent.
    pub until: Option<Day>,
    /// Money to begin with, USD.
    pub capitals_usd: &'a [f64],
    /// Days between two decisions.
    pub turn_days: usize,
    /// Days in which a move must pay for itself.
    pub gate_days: f64,
    /// Largest share of a strategy, where risk counts.
    pub cap: f64,
    /// Strategies of a kind that can be entered on a day: those in which most lies.
    pub largest: usize,
    /// What moves cost.
    pub costs: Costs,
}
