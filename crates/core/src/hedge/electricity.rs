//! A country's forecast from a snapshot: written once for whoever forecasts, attests or audits. Pure.

use super::HORIZON_MONTHS;
use super::features::{Europe, MONTH_DAYS, row};
use super::forecast::{PriceForecast, numbers, read};
use super::panel::{Day, Panel};
use super::prices::Prices;
use super::snapshot::{MAX_AGE_DAYS, NoForecast, Snapshot};
use crate::model::one_market::{Refusal, SnapshotError, name, stored};
use crate::model::table::{TableForecast, TableModel};
use crate::types::cycle::Forecast;
use crate::types::manifest::Output;
use crate::types::manifest::inputs::Table;
use crate::types::time::format_day;

/// Why a snapshot gives no forecast.
pub type ElectricityError = SnapshotError<NoForecast>;

impl Refusal for NoForecast {
    const CODE: &'static str = "VR-TABLE-010";
    const HINT: &'static str = "`tables check` shows what the tables have; `tables fetch` gets newer ones";
}

impl From<NoForecast> for ElectricityError {
    fn from(refusal: NoForecast) -> Self {
        Self::Refused(refusal)
    }
}

/// An electricity model, ready to be asked.
#[derive(Debug)]
pub struct ElectricityModel {
    /// Its columns.
    pub table: Table,
    /// Its outputs.
    pub outputs: Vec<Output>,
    /// The network.
    pub network: TableModel,
}

/// What a snapshot and the model say of a country.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// The last day whose price was known.
    pub day: Day,
    /// Columns and outputs on the circuit's grid.
    pub answer: TableForecast,
    /// What the outputs stand for.
    pub forecasts: [PriceForecast; HORIZON_MONTHS.len()],
    /// Mean price of the last 30 days.
    pub month_eur_mwh: f64,
    /// Dollars for a euro.
    pub usd_per_eur: Option<f64>,
    /// Dollars for a bitcoin.
    pub btc_usd: Option<f64>,
}

impl ElectricityModel {
    /// What is known of the snapshot's country.
    ///
    /// # Errors
    /// [`ElectricityError`].
    pub fn known(&self, snapshot: &Snapshot) -> Result<Known, ElectricityError> {
        let panel = snapshot.panel().ok_or_else(|| snapshot.refused("the tables have no prices, or too many"))?;
        let prices = panel.prices(&snapshot.country).ok_or_else(|| {
            snapshot.refused(format!("it has no price in the days up to {}", format_day(snapshot.day)))
        })?;
        let at = position(&panel, snapshot)?;
        let day = panel.day(at);
        let row = row(&panel, &Europe::new(&panel), prices, at).ok_or_else(|| {
            snapshot.refused(format!("too many of the 60 days up to {} have no price", format_day(day)))
        })?;
        let answer = self.network.forecast(&self.table, &numbers(&row, &self.table))?;
        let forecasts =
            self.read(&answer.outputs).ok_or_else(|| snapshot.refused("the model has another number of outputs"))?;
        let month = prices.mean(at + 1 - MONTH_DAYS, at + 1);
        let month_eur_mwh = month.ok_or_else(|| snapshot.refused("its last month is not known"))?;
        let usd_per_eur = snapshot.usd_per_eur.map(|rate| rate.value.0);
        let btc_usd = snapshot.btc_usd.map(|price| price.value.0);
        Ok(Known { day, answer, forecasts, month_eur_mwh, usd_per_eur, btc_usd })
    }

    /// The forecast as a cycle stores it, with the prices that attestors state.
    ///
    /// # Errors
    /// [`ElectricityError`], also where no rate is known or there is nothing to pay.
    pub fn compute(&self, snapshot: &Snapshot) -> Result<Forecast, ElectricityError> {
        let known = self.known(snapshot)?;
        let rate = known.usd_per_eur.ok_or_else(|| snapshot.refused(NO_RATE))?;
        let prices = Prices::of(known.month_eur_mwh, rate).ok_or_else(|| snapshot.refused(NOTHING_TO_PAY))?;
        Ok(stored(known.answer, &self.outputs, prices.into()))
    }

    /// What outputs stand for; nothing for another number of them.
    pub fn read(&self, outputs: &[i128]) -> Option<[PriceForecast; HORIZON_MONTHS.len()]> {
        read(outputs, self.outputs.first().map_or(0, |output| output.scale))
    }

    /// What the public input at `index` is, in words.
    pub fn name(&self, index: usize) -> String {
        name(&self.table, &self.outputs, index)
    }
}

/// Why prices cannot be stated.
pub const NO_RATE: &str = "no rate of the euro is known in the week before";
/// See [`NO_RATE`].
pub const NOTHING_TO_PAY: &str = "its last month's mean price is not positive: there is nothing to pay";

/// Where the decision lies: at the country's last day, which may be a week before the others'.
fn position(panel: &Panel, snapshot: &Snapshot) -> Result<usize, NoForecast> {
    let prices = panel.prices(&snapshot.country);
    let end = panel.position(snapshot.day.min(panel.last_day()));
    let reach = usize::try_from(MAX_AGE_DAYS - (snapshot.day - panel.day(end))).ok();
    let last = prices
        .zip(reach)
        .and_then(|(prices, reach)| (end.saturating_sub(reach)..=end).rev().find(|at| prices.at(*at).is_some()));
    last.ok_or_else(|| snapshot.refused(format!("it has no price in the week up to {}", format_day(snapshot.day))))
}
