//! What models of a table for one market share: why a snapshot gives no forecast, and the forecast as a cycle stores it. Pure.

use thiserror::Error;

use super::ModelError;
use super::table::TableForecast;
use crate::types::cycle::Forecast;
use crate::types::diagnostic::{Diagnostic, Retry};
use crate::types::feature::FeatureVector;
use crate::types::manifest::Output;
use crate::types::manifest::inputs::Table;
use crate::types::omission::OmittedMarkets;
use crate::types::prediction::Outputs;
use crate::types::stated::Stated;

/// Why what was known does not do, for one kind of models.
pub trait Refusal: std::error::Error + Send + Sync + 'static {
    /// Stable code.
    const CODE: &'static str;
    /// What to do about it.
    const HINT: &'static str;
}

/// Why a snapshot gives no forecast.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SnapshotError<R: Refusal> {
    /// What was known does not do.
    #[error(transparent)]
    Refused(R),
    /// The network does not answer.
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl<R: Refusal> Diagnostic for SnapshotError<R> {
    fn code(&self) -> &'static str {
        match self {
            Self::Refused(_) => R::CODE,
            Self::Model(error) => error.code(),
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Refused(_) => R::HINT,
            Self::Model(error) => error.hint(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Refused(_) => Retry::Never,
            Self::Model(error) => error.retry(),
        }
    }
}

/// A network's answer as a cycle stores it, with what attestors state beside it.
pub fn stored(answer: TableForecast, outputs: &[Output], stated: Stated) -> Forecast {
    let names = outputs.iter().map(|output| output.name.as_str());
    Forecast {
        features: vec![FeatureVector { candle: answer.inputs, calendar: Vec::new() }],
        outputs: vec![Outputs::new(names, answer.outputs)],
        carried_minutes: vec![0],
        omitted: OmittedMarkets::NONE,
        stated: Some(stated),
    }
}

/// What the public input at `index` is, in words.
pub fn name(table: &Table, outputs: &[Output], index: usize) -> String {
    let columns = table.columns.len();
    match table.columns.get(index) {
        Some(column) => format!("column {}", column.name),
        None => outputs.get(index - columns).map_or_else(|| "?".into(), |output| format!("output {}", output.name)),
    }
}
