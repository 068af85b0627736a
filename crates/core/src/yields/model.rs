//! A strategy's forecast from a snapshot: written once for whoever forecasts, attests or audits. Pure.

use super::features::{Row, Window, row};
use super::forecast::{Forecast as YieldForecast, Said, numbers};
use super::level::Level;
use super::risk::Risk;
use super::series::Series;
use super::snapshot::{NoYield, Snapshot};
use crate::hedge::panel::Day;
use crate::model::ModelError;
use crate::model::one_market::{Refusal, SnapshotError, name, stored};
use crate::model::table::{TableForecast, TableModel};
use crate::types::cycle::Forecast;
use crate::types::manifest::Output;
use crate::types::manifest::inputs::Table;
use crate::types::prediction::Outputs;
use crate::types::stated::Stated;

/// Why a snapshot gives no forecast.
pub type StrategyError = SnapshotError<NoYield>;

impl Refusal for NoYield {
    const CODE: &'static str = "VR-YIELD-014";
    const HINT: &'static str = "`yield predict` shows what the tables say of it";
}

impl From<NoYield> for StrategyError {
    fn from(refusal: NoYield) -> Self {
        Self::Refused(refusal)
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

    /// The forecast as a cycle stores it, with what attestors state beside it.
    ///
    /// # Errors
    /// [`StrategyError`].
    pub fn compute(&self, snapshot: &Snapshot) -> Result<Forecast, StrategyError> {
        let known = self.known(snapshot)?;
        let level = Level::of(known.day, known.window.level, snapshot.factor.0);
        let level = level.ok_or_else(|| snapshot.refused("its level or its interval is out of all bounds"))?;
        Ok(stored(known.answer, &self.outputs, level.into()))
    }

    /// What the public input at `index` is, in words.
    pub fn name(&self, index: usize) -> String {
        name(&self.table, &self.outputs, index)
    }

    /// What a stored forecast says, in percent a year; nothing for one of something else.
    pub fn told(&self, forecast: &Forecast) -> Option<YieldForecast> {
        told(forecast, self.scale())
    }
}

/// What a stored forecast of outputs of a scale says, in percent a year; nothing for one of something else.
pub fn told(forecast: &Forecast, scale: u32) -> Option<YieldForecast> {
    let outputs: Vec<i128> = forecast.outputs.iter().flat_map(Outputs::values).collect();
    let said = Said::read(&outputs, scale)?;
    let level = forecast.stated.and_then(Stated::level)?;
    Some(said.at_level(level.level(), level.factor()))
}
