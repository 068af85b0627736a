//! What the demo of strategies tells in the end.

use std::collections::BTreeMap;

use alloy::primitives::Address;
use serde::Serialize;
use serde_json::Value;

use super::portfolio::{GAS_USD, MoneyRow, START_USD};
use super::predict::request;
use crate::render::Render;
use crate::render::layout::{self, Table};
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::period::PeriodId;
use veriregime_core::yields::Kind;

/// What a day brought.
#[derive(Debug, Clone, Serialize)]
pub struct DayRow {
    pub period: PeriodId,
    pub day: String,
    /// Of each strategy, in the settings' order.
    pub forecasts: Vec<ForecastRow>,
    /// What was done by them with money.
    pub money: MoneyRow,
}

/// A strategy's forecast of a day, and what came.
#[derive(Debug, Clone, Serialize)]
pub struct ForecastRow {
    pub strategy: String,
    pub kind: Kind,
    /// Mean rate of the 7 days before.
    pub last_week_percent: f64,
    /// As the feed has it.
    pub apy_percent: f64,
    pub low_percent: f64,
    pub high_percent: f64,
    pub volatility_pp: f64,
    /// Mean rate of the 7 days that were forecast.
    pub came_percent: Option<f64>,
    pub is_inside: Option<bool>,
    pub prove_ms: u64,
    pub gas_used: u64,
    pub tx_hash: String,
    #[serde(skip)]
    pub cycle_ms: f64,
}

/// What the days brought.
#[derive(Debug, Serialize)]
pub struct YieldReport {
    /// Where the rates are from.
    pub source: String,
    pub verification: Way,
    /// Strategies and their feeds.
    pub feeds: BTreeMap<String, Address>,
    pub days: Vec<DayRow>,
    /// Where `POST /predict` was asked.
    pub url: String,
    /// What it answered on the last day.
    pub answer: Value,
    pub cycle_ms_p50: f64,
}

impl YieldReport {
    /// All forecasts of a strategy.
    fn of<'a>(&'a self, strategy: &'a str) -> impl Iterator<Item = &'a ForecastRow> + Clone {
        self.days.iter().flat_map(|day| &day.forecasts).filter(move |one| one.strategy == strategy)
    }

    /// The mean distance of what came from a number.
    fn error(&self, strategy: &str, said: impl Fn(&ForecastRow) -> f64) -> Option<f64> {
        let errors: Vec<f64> =
            self.of(strategy).filter_map(|one| Some((one.came_percent? - said(one)).abs())).collect();
        (!errors.is_empty()).then(|| errors.iter().sum::<f64>() / errors.len() as f64)
    }
}

impl Render for YieldReport {
    fn text(&self) -> String {
        let mut days = Table::new(&["day", "strategy", "forecast\n%", "from – to\n%", "came\n%", "prove\nms", "gas"]);
        for day in &self.days {
            for one in &day.forecasts {
                let mark = one.is_inside.map_or("?", |is_inside| if is_inside { "✓" } else { "✗" });
                days.add_row([
                    of_year(&day.day).to_owned(),
                    one.strategy.clone(),
                    format!("{:.2}", one.apy_percent),
                    format!("{:.2} – {:.2}", one.low_percent, one.high_percent),
                    one.came_percent.map_or_else(|| mark.to_owned(), |came| format!("{came:.2} {mark}")),
                    one.prove_ms.to_string(),
                    one.gas_used.to_string(),
                ]);
            }
        }
        let mut sums =
            Table::new(&["strategy", "feed", "forecasts", "inside", "mean error\npoints", "of last week's\npoints"]);
        let points = |error: Option<f64>| error.map_or_else(|| "?".into(), |error| format!("{error:.2}"));
        for (strategy, feed) in &self.feeds {
            let inside = self.of(strategy).filter(|one| one.is_inside == Some(true)).count();
            sums.add_row([
                strategy.clone(),
                feed.to_string(),
                self.of(strategy).count().to_string(),
                inside.to_string(),
                points(self.error(strategy, |one| one.apy_percent)),
                points(self.error(strategy, |one| one.last_week_percent)),
            ]);
        }
        let head = format!("Half of the cycles took {:.0} ms or less. Numbers are those on chain.", self.cycle_ms_p50);
        let note = "Forecasts are of the mean APY of the next 7 days, with 90 % intervals; ✓ is inside. The shipped models were fitted on these days, \
                    too: this shows how it works; docs/YIELD.md has how good it is. Rates of liquidity pools leave out impermanent loss.";
        format!(
            "{days}\n{}\n\n{sums}\n{}\n\n{}\n\n{}",
            layout::text(&head),
            layout::text(note),
            self.money(),
            self.request()
        )
    }
}

/// Month and day of a date.
fn of_year(day: &str) -> &str {
    day.get(5..).unwrap_or(day)
}

impl YieldReport {
    /// Weights, moves and what they brought.
    fn money(&self) -> String {
        let names: Vec<&str> = self.feeds.keys().map(String::as_str).collect();
        let mut heads = vec!["day"];
        heads.extend(&names);
        heads.extend(["moves\nmade", "cost\nUSD", "worth\nUSD"]);
        let mut table = Table::new(&heads);
        for DayRow { day, money, .. } in &self.days {
            let weight = |name: &&str| money.weights.get(*name).copied().unwrap_or(0.0);
            let mut cells = vec![of_year(day).to_owned()];
            cells.extend(names.iter().map(|name| format!("{:.1} %", weight(name) * 100.0)));
            let MoneyRow { made, refused, cost_usd, worth_usd, .. } = money;
            cells.extend([
                format!("{made} of {}", made + refused),
                format!("{cost_usd:.2}"),
                format!("{worth_usd:.0}"),
            ]);
            table.add_row(cells);
        }
        let sum = |of: fn(&MoneyRow) -> f64| self.days.iter().map(|day| of(&day.money)).sum::<f64>();
        let worth = self.days.last().map_or(START_USD, |day| day.money.worth_usd);
        let head = format!(
            "{START_USD:.0} USD came to {worth:.2}, net of {:.2} for gas ({GAS_USD} USD a transaction) and slippage: a gain of {:.2}. \
             {:.0} moves were made; {:.0} would not have paid for themselves within the days that are forecast.",
            sum(|money| money.cost_usd),
            worth - START_USD,
            sum(|money| money.made as f64),
            sum(|money| money.refused as f64)
        );
        format!("{table}\n{}", layout::text(&head))
    }

    /// What the demo's API was asked, and what it answered.
    fn request(&self) -> String {
        let body = request(&self.feeds.keys().collect::<Vec<_>>());
        let head = "On the last day the API of these jobs was asked, and answered; `proof` is the update on chain that says the same:";
        format!("{}\n\n  curl -X POST {} -d '{body}'\n\n{:#}", layout::text(head), self.url, self.answer)
    }
}
