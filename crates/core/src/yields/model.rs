//! A strategy's forecast from a snapshot: written once for whoever forecasts, attests or audits. Pure.

use thiserror::Error;

use super::features::{Row, Window, row};
use super::forecast::{Forecast as YieldForecast, Said, numbers};
use super::risk::Risk;
use super::series::Series;
use super::snapshot::{NoYield, Snapshot};
use crate::hedge::panel::Day;
use crate::model::ModelError;
use crate::model::table::{TableForecast, TableModel};
use crate::types::diagnostic::{Diagnostic, Retry};
use crate::types::manifest::Output;
use crate::types::manifest::inputs::Table;

/// Why a snapshot gives no forecast.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StrategyError {
    /// What was known does not do.
    #[error(transparent)]
    Refused(#[from] NoYield),
    /// The network does not answer.
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl Diagnostic for StrategyError {
    fn code(&self) -> &'static str {
        match self {
            Self::Refused(_) => "VR-YIELD-014",
            Self::Model(error) => error.code(),
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Refused(_) => "`yield predict` shows what the tables say of it",
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

/// A yield model, ready to be asked.
#[derive(Debug)]
pub struct StrategyModel {
    /// Its columns.
    pub table: Table,
    /// Its outputs.
    pub outputs: Vec<Output>,
    /// The network.
    pub network: TableModel,
}

/// What a snapshot and the model say of a strategy.
#[derive(Debug, Clone)]
pub struct Known {
    /// The last day whose rate was known.
    pub day: Day,
    /// Columns and outputs on the circuit's grid.
    pub answer: TableForecast,
    /// What the outputs stand for.
    pub said: Said,
    /// The 7 days that it begins with.
    pub window: Window,
    /// In percent a year, with an interval.
    pub forecast: YieldForecast,
    /// From the past; absent of young strategies.
    pub risk: Option<Risk>,
}

impl StrategyModel {
    /// What it says of a row, with the integers that a circuit sees; nothing where columns or outputs are not a yield model's.
    ///
    /// # Errors
    /// [`ModelError`].
    pub fn say(&self, row: &Row) -> Result<Option<(Said, TableForecast)>, ModelError> {
        let Some(numbers) = numbers(row, &self.table) else { return Ok(None) };
        let answer = self.network.forecast(&self.table, &numbers)?;
        Ok(self.read(&answer.outputs).map(|said| (said, answer)))
    }

    /// What outputs stand for; nothing for another number of them.
    pub fn read(&self, outputs: &[i128]) -> Option<Said> {
        Said::read(outputs, self.scale())
    }

    /// Base-2 logarithm of the outputs' unit.
    pub fn scale(&self) -> u32 {
        self.outputs.first().map_or(0, |output| output.scale)
    }

    /// What is known of the snapshot's strategy.
    ///
    /// # Errors
    /// [`StrategyError`].
    pub fn known(&self, snapshot: &Snapshot) -> Result<Known, StrategyError> {
        let series: Series = snapshot.series()?;
        let at = series.days() - 1;
        let few = || snapshot.refused("too few of its last 7 days have a rate");
        let window = Window::new(&series, at).ok_or_else(few)?;
        let row = row(snapshot.kind, &series, &snapshot.market(), at).ok_or_else(few)?;
        let (said, answer) = self.say(&row)?.ok_or_else(|| snapshot.refused("the model is none of yields"))?;
        let forecast = said.forecast(&window, snapshot.factor.0);
        Ok(Known { day: snapshot.day, answer, said, window, forecast, risk: Risk::new(&series, at) })
    }
}
