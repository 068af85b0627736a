//! A miner's trees on the same decisions as an electricity model: what they imply for the mean price of the next months.

use std::path::Path;

use crate::bundle::Bundle;
use crate::sources::tables::folder::{MarketSeries, Tables};
use veriregime_core::hedge::features::MONTH_DAYS;
use veriregime_core::hedge::need::dollars_a_day;
use veriregime_core::hedge::panel::{Day, Panel, Prices};
use veriregime_core::hedge::treasury::block_reward;
use veriregime_core::hedge::{COLUMNS, HORIZON_MONTHS};
use veriregime_core::model::table::TableModel;
use veriregime_core::types::manifest::inputs::Table;
use veriregime_training::hedge::samples::HORIZONS;
use veriregime_training::hedge::score::weekday_mean;

/// The machine that is asked about: an Antminer S19j Pro. What it draws cancels out of the implied price, nearly.
const HASH_RATE_THS: f64 = 100.0;
const POWER_W: f64 = 3050.0;
/// What the models' difficulty is divided by.
const DIFFICULTY_UNIT: f64 = 1e13;
/// How old a rate and a difficulty may be, in days.
const RATE_DAYS: Day = 7;
const DIFFICULTY_DAYS: Day = 40;

/// A miner's model with everything that its questions need.
pub struct Trees {
    model: TableModel,
    table: Table,
    scale: u32,
    market: MarketSeries,
}

impl Trees {
    /// The model of a bundle, and the folder's tables beside electricity.
    ///
    /// # Errors
    /// A bundle that is none of a miner's model, or a table that is not there.
    pub fn new(bundle: &Bundle, tables: &Tables, folder: &Path) -> anyhow::Result<Self> {
        let table = bundle.table()?.clone();
        let scale = bundle.manifest.outputs.first().map_or(0, |output| output.scale);
        anyhow::ensure!(
            table.columns.len() == COLUMNS.len() && bundle.manifest.outputs.len() == HORIZONS,
            "{} is neither an electricity model nor a miner's",
            bundle.manifest.model_id
        );
        Ok(Self { model: bundle.table_model()?, table, scale, market: tables.market(folder)? })
    }

    /// The logarithm of the mean price of the next months against the last one that the model's BTC imply, at today's rates.
    pub fn log_ratios(&self, panel: &Panel, country: usize, at: usize) -> Option<[f64; HORIZONS]> {
        let prices = panel.countries().nth(country)?.1;
        let day = panel.day(at);
        let rate = self.market.rates.carried(day, RATE_DAYS)?;
        let btc_price = self.market.bitcoin.carried(day, 0)?;
        let month = prices.mean((at + 1).checked_sub(MONTH_DAYS)?, at + 1)?;
        let question = self.question(panel, prices, country, at, rate, btc_price)?;
        let answer = self.model.forecast(&self.table, &question).ok()?;
        let unit = libm::exp2(-f64::from(self.scale));
        Some(std::array::from_fn(|horizon| {
            let dollars = answer.outputs[horizon] as f64 * unit * btc_price;
            let days = f64::from(HORIZON_MONTHS[horizon]) * MONTH_DAYS as f64;
            let implied = dollars / (dollars_a_day(POWER_W, 1.0, rate) * days);
            libm::log(implied.max(1.0)) - libm::log(month.max(1.0))
        }))
    }

    /// The columns in the units that the model was trained in.
    fn question(
        &self,
        panel: &Panel,
        prices: &Prices,
        country: usize,
        at: usize,
        rate: f64,
        btc_price: f64,
    ) -> Option<[f64; COLUMNS.len()]> {
        let day = panel.day(at);
        let mut question = [
            dollars_a_day(POWER_W, prices.at(at)?, rate).abs(),
            btc_price,
            self.market.difficulty.carried(day, DIFFICULTY_DAYS)? / DIFFICULTY_UNIT,
            HASH_RATE_THS,
            POWER_W,
            block_reward(day),
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
        ];
        for (months, cost) in (2_usize..).zip(&mut question[6..]) {
            let weekdays = MONTH_DAYS * months;
            *cost = dollars_a_day(POWER_W, weekday_mean(panel, country, at, weekdays)?, rate) * weekdays as f64;
        }
        Some(question)
    }
}
