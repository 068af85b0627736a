//! What electricity models are trained and judged on.

use std::path::Path;

use serde::Deserialize;

use super::set_up::CircuitTools;
use crate::sources::tables::error::TableError;
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
    pub circuit: Option<CircuitTools<'a>>,
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

/// Which treasuries are lived through.
#[derive(Debug)]
pub struct HedgeBacktestRequest<'a> {
    /// Folder with the tables.
    pub data: &'a Path,
    /// Countries by their ISO 3166 codes.
    pub countries: &'a [String],
    /// Machines.
    pub machines: &'a [NamedMachine],
    /// First day.
    pub from: Day,
    /// Months that a reserve is for.
    pub months: u32,
}

/// A machine with its name, a row of a CSV of miners.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct NamedMachine {
    /// Its name.
    #[serde(rename = "model")]
    pub name: String,
    /// Its speed, TH/s.
    #[serde(rename = "hashrate_ths")]
    pub hash_rate_ths: f64,
    /// What it draws, W.
    pub power_w: f64,
}

/// Most machines of a CSV.
const MAX_MACHINES: usize = 100;
/// Largest CSV of machines.
const MAX_CSV_BYTES: u64 = 1 << 20;

impl NamedMachine {
    /// A machine of 2021 that many miners have.
    pub fn common() -> Self {
        Self { name: "Antminer S19j Pro 100T".into(), hash_rate_ths: 100.0, power_w: 3050.0 }
    }

    /// The machines of a CSV with the columns `model`, `hashrate_ths` and `power_w`.
    ///
    /// # Errors
    /// A file that cannot be read, [`TableError::NotTable`] or [`TableError::TooManyRows`].
    pub fn read(path: &Path) -> Result<Vec<Self>, TableError> {
        let table = path.display().to_string();
        let not_table = |detail: String| TableError::NotTable { table: table.clone(), wanted: "machines", detail };
        let bytes = veriregime_files::read_bounded(path, MAX_CSV_BYTES)?;
        let rows = csv::Reader::from_reader(bytes.as_slice()).into_deserialize::<Self>();
        let machines: Vec<Self> =
            rows.collect::<Result<_, _>>().map_err(|error: csv::Error| not_table(error.to_string()))?;
        if machines.len() > MAX_MACHINES {
            return Err(TableError::TooManyRows { table, limit_rows: MAX_MACHINES });
        }
        let is_sane =
            |one: &Self| one.hash_rate_ths > 0.0 && one.power_w > 0.0 && (one.hash_rate_ths * one.power_w).is_finite();
        match machines.iter().find(|one| !is_sane(one)) {
            Some(one) => Err(not_table(format!("{} has no speed or no power", one.name))),
            None if machines.is_empty() => Err(not_table("it has no rows".into())),
            None => Ok(machines),
        }
    }
}
