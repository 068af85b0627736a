//! What a country's electricity will cost a miner, by an electricity model and a folder's tables.

use std::path::Path;

use anyhow::Context;
use serde::Serialize;

use crate::bundle::Bundle;
use crate::render::Render;
use crate::render::layout::{self, Table};
use crate::sources::tables::error::TableError;
use crate::sources::tables::folder::Tables;
use veriregime_core::hedge::electricity::Known;
use veriregime_core::hedge::need::{Market, btc_for};
use veriregime_core::hedge::panel::Day;
use veriregime_core::hedge::snapshot::NoForecast;
use veriregime_core::types::time::format_day;

/// What is asked.
#[derive(Debug)]
pub struct ForecastRequest<'a> {
    /// Folder of the bundle.
    pub model: &'a Path,
    /// Folder with the tables.
    pub data: &'a Path,
    /// The country by its ISO 3166 code.
    pub country: &'a str,
    /// The last day whose price is known; the last one of the data where absent.
    pub at: Option<Day>,
    /// What the miner's machines draw, in W.
    pub watts: Option<f64>,
}

/// A forecast of all horizons.
#[derive(Debug, Serialize)]
pub struct HedgeForecast {
    model_id: String,
    country: String,
    /// The last day whose price was known.
    day: String,
    /// Columns on the circuit's grid.
    inputs: Vec<i32>,
    /// Outputs on theirs, as decimal strings.
    outputs: Vec<String>,
    /// Mean price of the last 30 days.
    last_month_eur_mwh: f64,
    usd_per_eur: Option<f64>,
    btc_usd: Option<f64>,
    horizons: Vec<Horizon>,
}

/// A forecast of one horizon.
#[derive(Debug, Serialize)]
struct Horizon {
    months: u32,
    eur_mwh: f64,
    /// Ends of the interval that is made to cover four of five outcomes, and covers fewer in a crisis.
    eur_mwh_low: f64,
    eur_mwh_high: f64,
    /// BTC that pay the machines' electricity of these months, at the day's rates.
    btc: Option<f64>,
}

/// Forecasts.
///
/// # Errors
/// Tables that are not usable, [`TableError::NoForecast`], or a bundle of another kind.
pub fn forecast(request: &ForecastRequest<'_>) -> anyhow::Result<HedgeForecast> {
    let bundle = Bundle::open(request.model)?;
    let known = known(&bundle, request)?;
    let market = known.usd_per_eur.zip(known.btc_usd).map(|(usd_per_eur, btc_usd)| Market { usd_per_eur, btc_usd });
    let horizons = known.forecasts.iter().map(|one| {
        let price = |shift: f64| known.month_eur_mwh * libm::exp(one.log_ratio + shift);
        let need = market.zip(request.watts);
        Horizon {
            months: one.months,
            eur_mwh: price(0.0),
            eur_mwh_low: price(-one.half_width),
            eur_mwh_high: price(one.half_width),
            btc: need.map(|(market, watts)| btc_for(watts, one.months, price(0.0), &market)),
        }
    });
    Ok(HedgeForecast {
        country: request.country.to_owned(),
        day: format_day(known.day),
        outputs: known.answer.outputs.iter().map(ToString::to_string).collect(),
        last_month_eur_mwh: known.month_eur_mwh,
        usd_per_eur: known.usd_per_eur,
        btc_usd: known.btc_usd,
        horizons: horizons.collect(),
        inputs: known.answer.inputs,
        model_id: bundle.manifest.model_id,
    })
}

/// The forecast with all that it is made of.
///
/// # Errors
/// As [`forecast`].
pub(super) fn known(bundle: &Bundle, request: &ForecastRequest<'_>) -> anyhow::Result<Known> {
    let model = bundle.electricity_model()?;
    let tables = Tables::read(request.data)?;
    let days = tables.electricity.days().context("a table has days")?;
    let wanted = request.at.unwrap_or(*days.end());
    if !days.contains(&wanted) {
        let reason = format!("the table has {} to {}", format_day(*days.start()), format_day(*days.end()));
        return Err(TableError::from(NoForecast { country: request.country.to_owned(), reason }).into());
    }
    Ok(model.known(&tables.snapshot(request.country, wanted))?)
}

impl Render for HedgeForecast {
    fn text(&self) -> String {
        let mut table = Table::new(&["months", "EUR/MWh", "from", "to", "BTC"]);
        for one in &self.horizons {
            table.add_row([
                one.months.to_string(),
                format!("{:.2}", one.eur_mwh),
                format!("{:.2}", one.eur_mwh_low),
                format!("{:.2}", one.eur_mwh_high),
                one.btc.map_or_else(|| "–".to_owned(), |btc| format!("{btc:.8}")),
            ]);
        }
        let head = format!(
            "{} after {}, by {}: the last 30 days cost {:.2} EUR/MWh",
            self.country, self.day, self.model_id, self.last_month_eur_mwh
        );
        let note = "The interval is made to cover four of five outcomes; in a crisis it covers half. BTC are at the day's rates.";
        format!("{head}\n{table}\n{}", layout::text(note))
    }
}
