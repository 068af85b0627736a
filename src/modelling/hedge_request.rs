//! What electricity models are trained and judged on.

use std::path::Path;

use crate::verification::ezkl::build::Compiler;
use veriregime_core::hedge::panel::Day;

/// What a training run of an electricity model is to do.
#[derive(Debug)]
pub struct HedgeTrainRequest<'a> {
    /// Folder with the tables.
    pub data: &'a Path,
    /// Folder of the new bundle, whose name is the model's.
    pub out: &'a Path,
    /// First day that is left out; all are taken where absent.
    pub until: Option<Day>,
    /// How the circuit is set up; none is where absent.
    pub circuit: Option<HedgeCircuit<'a>>,
}

/// What a circuit needs.
#[derive(Debug)]
pub struct HedgeCircuit<'a> {
    /// Folder with the SRS files.
    pub srs_folder: &'a Path,
    /// Python with the pinned EZKL.
    pub python: &'a Path,
    /// Compiler of the verifier.
    pub compiler: Compiler,
    /// Memory that EZKL may take, in MiB.
    pub memory_limit_mb: u64,
}

/// What is judged, and on what.
#[derive(Debug)]
pub struct HedgeEvaluateRequest<'a> {
    /// Folder of the bundle; with `walks` it gives nothing but its settings' names.
    pub model: &'a Path,
    /// Folder with the tables.
    pub data: &'a Path,
    /// First day of decisions.
    pub from: Day,
    /// First day after them; to the end of the data where absent.
    pub to: Option<Day>,
    /// Whether models are fitted anew each quarter instead of the bundle's.
    pub walks: bool,
    /// Bundle of a miner's trees, to compare with.
    pub trees: Option<&'a Path>,
}
