//! Models as this program makes, measures, compares and lists them: what lies between candles, the training crate,
//! circuits and bundles. A build without the feature `training` lists, promotes and checks, and refuses the rest.

pub mod add_market_request;
pub mod backtest_request;
pub mod candle_file;
pub mod circuit;
pub mod comparison;
pub mod feature_rows;
pub mod hedge_request;
mod measured;
#[cfg_attr(not(feature = "training"), expect(dead_code, reason = "markets are added by the build with training"))]
mod renewed;
pub mod set_up;
#[cfg_attr(not(feature = "training"), path = "training_absent.rs")]
pub mod training;
mod trial;
pub mod versions;
pub mod yield_request;

use std::ops::Range;
use std::path::Path;

use crate::verification::compiler::Compiler;
use candle_file::CandleFile;

/// What a training run is to do.
#[derive(Debug)]
pub struct TrainRequest<'a> {
    /// File with the training settings.
    pub settings: &'a Path,
    /// The candle file of each market.
    pub candles: &'a [CandleFile],
    /// Folder of the new bundle; `models/MODEL_ID` where absent.
    pub out: Option<&'a Path>,
    /// Threshold of the label, instead of the settings' one.
    pub threshold: Option<f64>,
    /// What computes.
    pub device: Device,
    /// What to do with a run that was not finished.
    pub unfinished: Unfinished,
    /// Folder with the SRS files.
    pub srs_folder: &'a Path,
    /// Python with the pinned EZKL.
    pub python: &'a Path,
    /// Compiler of the verifier.
    pub compiler: Compiler,
    /// Whether other circuits than the settings' own are tried.
    pub searches: bool,
    /// Address space that EZKL may take, in MiB.
    pub memory_limit_mb: u64,
}

/// What computes during training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// The processor: the same weights to the bit each time.
    Cpu,
    /// A graphics processor.
    Wgpu,
}

/// What to do with a run that was not finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfinished {
    /// Stop and say so.
    Refuse,
    /// Go on where it stopped.
    Resume,
    /// Throw it away.
    Discard,
}

/// How far a training run is.
#[derive(Debug)]
pub enum Progress<'a> {
    /// A step of the running epoch.
    Step {
        /// The network.
        network: &'a str,
        /// From 1.
        epoch: usize,
        /// Epochs at most.
        epochs: usize,
        /// From 1.
        step: usize,
        /// Steps of an epoch.
        steps: usize,
        /// Loss of this step.
        loss: f64,
    },
    /// A finished epoch, in words.
    Epoch(String),
    /// All networks are trained.
    Done,
}

/// What a model is evaluated on.
#[derive(Debug)]
pub struct EvaluateRequest<'a> {
    /// Folder of the model bundle.
    pub bundle: &'a Path,
    /// The candle file of each market.
    pub candles: &'a [CandleFile],
    /// Decision times.
    pub times: DecisionTimes,
    /// Whether the teacher and the original network are evaluated too.
    pub with_networks: bool,
    /// Folder for the plots, as SVG.
    pub plots: Option<&'a Path>,
}

/// Which decision times count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecisionTimes {
    /// Those of a part of the model's own split, by its name in the manifest.
    Part(&'static str),
    /// Those in a range, ms UTC.
    Range(Range<i64>),
}
