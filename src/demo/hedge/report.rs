//! What the demo of a vault tells in the end.

use serde::Serialize;

use super::rules::Outcome;
use crate::render::Render;
use crate::render::layout::{self, Table};
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::period::PeriodId;

const SATS: f64 = 1e8;

/// What a week brought.
#[derive(Debug, Clone, Serialize)]
pub struct WeekRow {
    pub period: PeriodId,
    pub start: String,
    /// Mean price of the 30 days before, EUR/MWh.
    pub last_month_eur_mwh: f64,
    /// Forecast mean price of the months that are covered.
    pub forecast_eur_mwh: f64,
    /// What that really was.
    pub real_eur_mwh: Option<f64>,
    /// Dollars that the uncovered days need by the forecast.
    pub need_usd: f64,
    pub sold_sats: u64,
    /// Dollars received.
    pub usdc: f64,
    /// The days that they are for.
    pub days: u32,
    /// What these days really cost, in dollars.
    pub real_usd: Option<f64>,
    pub prove_ms: u64,
    pub gas_used: u64,
    pub tx_hash: String,
    #[serde(skip)]
    pub cycle_ms: f64,
}

/// What the weeks brought, and what they would have brought by other rules.
#[derive(Debug, Serialize)]
pub struct HedgeReport {
    /// Where electricity and rates are from.
    pub source: String,
    /// What a bitcoin cost.
    pub bitcoin: String,
    pub verification: Way,
    pub model_id: String,
    pub country: String,
    pub watts: u32,
    pub months: u8,
    pub treasury_btc: f64,
    pub weeks: Vec<WeekRow>,
    pub rules: Vec<Outcome>,
    pub cycle_ms_p50: f64,
}

impl Render for HedgeReport {
    fn text(&self) -> String {
        let mut weeks = Table::new(&[
            "week from",
            "last month\nEUR/MWh",
            "forecast\nEUR/MWh",
            "really\nEUR/MWh",
            "need\nUSD",
            "sold\nWBTC",
            "received\nUSDC",
            "for\ndays",
            "these cost\nUSD",
            "prove\nms",
            "gas",
        ]);
        for row in &self.weeks {
            weeks.add_row([
                row.start.chars().take(10).collect::<String>(),
                format!("{:.2}", row.last_month_eur_mwh),
                format!("{:.2}", row.forecast_eur_mwh),
                row.real_eur_mwh.map_or_else(|| "?".into(), |price| format!("{price:.2}")),
                format!("{:.0}", row.need_usd),
                format!("{:.8}", row.sold_sats as f64 / SATS),
                format!("{:.2}", row.usdc),
                row.days.to_string(),
                row.real_usd.map_or_else(|| "?".into(), |usd| format!("{usd:.0}")),
                row.prove_ms.to_string(),
                row.gas_used.to_string(),
            ]);
        }
        let mut rules = Table::new(&[
            "rule",
            "sold\nBTC",
            "received\nUSD",
            "left after bills\nUSD",
            "weeks short",
            "worth in the end\nBTC",
        ]);
        for one in &self.rules {
            rules.add_row([
                one.rule.to_owned(),
                format!("{:.4}", one.sold_btc),
                format!("{:.0}", one.received_usd),
                format!("{:.0}", one.left_usd),
                one.short_weeks.to_string(),
                format!("{:.4}", one.worth_btc),
            ]);
        }
        let head = format!(
            "{}, {} W, {} months ahead, {:.4} WBTC in the vault at the start; half of the cycles took {:.0} ms or less.",
            self.country, self.watts, self.months, self.treasury_btc, self.cycle_ms_p50
        );
        let note = "Each week the vault sells for the days that it does not cover yet; the first week covers all of the horizon. Every \
                    rule pays the same bills at the same prices. What bitcoin did in these weeks decides between selling early and \
                    late, and no forecast of electricity knows that; between forecast and persistence it is the forecast.";
        format!("{weeks}\n{}\n\n{rules}\n{}", layout::text(&head), layout::text(note))
    }
}
