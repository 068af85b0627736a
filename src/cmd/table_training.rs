//! What training on tables is told, whatever is forecast.

use std::path::PathBuf;

use clap::Args;

use super::circuit::CircuitArgs;
use crate::modelling::set_up::CircuitTools;
use veriregime_core::types::time::parse_day;

/// Arguments of every training on tables.
#[derive(Debug, Args)]
pub struct TableTrainingArgs {
    /// Folder with the tables.
    #[arg(long, value_name = "DIR")]
    pub(super) data: PathBuf,
    /// Folder of the new bundle, or of several, one for each kind. A bundle that is there is replaced at the very end.
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
    /// First day that is left out; all are taken where absent.
    #[arg(long, value_parser = parse_day, value_name = "DATE")]
    pub(super) until: Option<i32>,
    /// Leave circuits out: `models set-up` makes them later.
    #[arg(long)]
    no_circuit: bool,
    #[command(flatten)]
    circuit: CircuitArgs,
}

impl TableTrainingArgs {
    /// How circuits are set up; none are where absent.
    pub(super) fn circuit(&self) -> Option<CircuitTools<'_>> {
        (!self.no_circuit).then(|| self.circuit.tools())
    }
}
