//! Treasuries of miners under several rules, over the days of a folder's tables.

use std::collections::BTreeMap;

use anyhow::Context;
use serde::Serialize;

use super::evaluate::panel;
use crate::modelling::hedge_request::{HedgeBacktestRequest, NamedMachine};
use crate::render::layout::{self, Table};
use crate::render::{Render, lines};
use crate::sources::tables::error::TableError;
use crate::sources::tables::folder::{MarketSeries, Tables};
use veriregime_core::hedge::HORIZON_MONTHS;
use veriregime_core::hedge::features::MONTH_DAYS;
use veriregime_core::hedge::need::dollars_a_day;
use veriregime_core::hedge::panel::{Day, Prices};
use veriregime_core::hedge::snapshot::NoForecast;
use veriregime_core::hedge::treasury::{Machine, MarketDay, Outcome, Rule, lived, share_that_sold_better};
use veriregime_training::hedge::ridge::RidgeSettings;
use veriregime_training::hedge::samples::Samples;
use veriregime_training::hedge::walk::Walk;

/// How old rates and difficulty may be, and for how long an absent price of electricity is carried, in days.
const MAX_AGE_DAYS: Day = 40;
/// Months of the first month's bill that a treasury begins with.
const START_MONTHS: f64 = 12.0;

/// What rules came to.
#[derive(Debug, Serialize)]
pub struct Backtest {
    from: String,
    to: String,
    /// Months that a reserve is for.
    reserve_months: u32,
    treasuries: Vec<Treasury>,
    /// Share of days on which selling for the bills of so many months beat paying them as due, by months.
    sold_better: BTreeMap<u32, f64>,
}

/// One machine in one country.
#[derive(Debug, Serialize)]
struct Treasury {
    country: String,
    machine: String,
    start_btc: f64,
    rules: Vec<Lived>,
}

/// One rule.
#[derive(Debug, Serialize)]
struct Lived {
    rule: &'static str,
    #[serde(flatten)]
    outcome: Outcome,
}

/// Lives through the days for each country and machine. Forecasts are those of a walk forward: nobody knew more then.
///
/// # Errors
/// Tables that are not usable, or a country that is not in them.
pub fn backtest(request: &HedgeBacktestRequest<'_>) -> anyhow::Result<Backtest> {
    let tables = Tables::read(request.data)?;
    let panel = panel(&tables)?;
    let samples = Samples::new(&panel);
    let walk = Walk::new(&samples, &RidgeSettings::default())?;
    let horizon = HORIZON_MONTHS.iter().position(|months| *months == request.months);
    let horizon = horizon.context("a reserve is for 2, 3, 4 or 5 months")?;
    let market = tables.market(request.data)?;
    let from = panel.position(request.from);
    let mut treasuries = Vec::new();
    let mut sold_better = BTreeMap::new();
    for country in request.countries {
        let refused =
            |reason: &str| TableError::from(NoForecast { country: country.clone(), reason: reason.to_owned() });
        let prices = panel.prices(country).ok_or_else(|| refused("it is not in the table"))?;
        let place = samples.countries.iter().position(|name| name == country);
        let ratios: BTreeMap<usize, f64> = walk
            .judged
            .iter()
            .filter(|one| Some(one.country) == place)
            .map(|one| (one.at, one.forecasts[horizon].log_ratio))
            .collect();
        let days = days(&market, prices, (from..panel.days()).map(|at| (at, panel.day(at))));
        if days.len() <= MONTH_DAYS {
            return Err(refused("it has no month of days with all prices").into());
        }
        if sold_better.is_empty() {
            let shares = (1..=12).filter_map(|months| Some((months, share_that_sold_better(&days, months)?)));
            sold_better.extend(shares.filter(|(months, _)| HORIZON_MONTHS.contains(months)));
        }
        for machine in request.machines {
            treasuries.push(treasury(country, machine, prices, &days, from, &ratios, request.months));
        }
    }
    let last = panel.day(panel.days() - 1);
    Ok(Backtest {
        from: veriregime_core::types::time::format_day(panel.day(from)),
        to: veriregime_core::types::time::format_day(last),
        reserve_months: request.months,
        treasuries,
        sold_better,
    })
}

fn treasury(
    country: &str,
    named: &NamedMachine,
    prices: &Prices,
    days: &[MarketDay],
    from: usize,
    ratios: &BTreeMap<usize, f64>,
    months: u32,
) -> Treasury {
    let machine = Machine { hash_rate_ths: named.hash_rate_ths, power_w: named.power_w };
    let month_of = |days: &[MarketDay]| days.iter().map(|day| day.cost_usd(&machine)).sum::<f64>();
    let first = month_of(&days[..MONTH_DAYS]);
    let start_btc = START_MONTHS * first.max(0.0) / days[0].btc_usd;
    let span = MONTH_DAYS * months as usize;
    // Dollars of the coming months, if their mean price is the last month's times this.
    let at_ratio = |at: usize, log_ratio: f64| {
        let month = prices.mean((from + at + 1).checked_sub(MONTH_DAYS)?, from + at + 1)?;
        Some(dollars_a_day(machine.power_w, month * libm::exp(log_ratio), days[at].usd_per_eur) * span as f64)
    };
    let live = |rule: &'static str, kind: Rule, needed: &dyn Fn(usize) -> Option<f64>| Lived {
        rule,
        outcome: lived(days, &machine, start_btc, kind, needed),
    };
    let rules = vec![
        live("sell everything now", Rule::SellEverything, &|_| None),
        live("pay as due", Rule::PayAsDue, &|_| None),
        live("reserve by the last month", Rule::Reserve, &|at| at_ratio(at, 0.0)),
        live("reserve by the forecast", Rule::Reserve, &|at| at_ratio(at, *ratios.get(&(from + at))?)),
        live("reserve by foresight", Rule::Reserve, &|at| Some(month_of(days.get(at + 1..=at + span)?))),
    ];
    Treasury { country: country.to_owned(), machine: named.name.clone(), start_btc, rules }
}

/// Days with all that they need; an absent price of electricity is that of the day before.
fn days(market: &MarketSeries, prices: &Prices, positions: impl Iterator<Item = (usize, Day)>) -> Vec<MarketDay> {
    let MarketSeries { rates, difficulty, bitcoin } = market;
    let (mut days, mut last): (Vec<MarketDay>, Option<f64>) = (Vec::new(), None);
    for (at, day) in positions {
        last = prices.at(at).or(last);
        let found =
            (last, rates.carried(day, MAX_AGE_DAYS), bitcoin.carried(day, 1), difficulty.carried(day, MAX_AGE_DAYS));
        let (Some(eur_mwh), Some(usd_per_eur), Some(btc_usd), Some(difficulty)) = found else { break };
        days.push(MarketDay { day, eur_mwh, usd_per_eur, btc_usd, difficulty });
    }
    days
}

impl Render for Backtest {
    fn text(&self) -> String {
        let mut table = Table::new(&["country", "machine", "rule", "BTC left", "months short", "unpaid", "idle USD"]);
        for treasury in &self.treasuries {
            for Lived { rule, outcome } in &treasury.rules {
                table.add_row([
                    treasury.country.clone(),
                    treasury.machine.clone(),
                    (*rule).to_owned(),
                    format!("{:.5}", outcome.btc_left),
                    format!("{} of {}", outcome.months_short, outcome.months),
                    outcome.months_unpaid.to_string(),
                    format!("{:.0}", outcome.idle_usd),
                ]);
            }
        }
        let shares = self.sold_better.iter().map(|(months, share)| format!("{months} months: {:.0} %", share * 100.0));
        let note = format!(
            "Each begins with a year's bill at the first month's prices; a reserve is for {} months. Selling at once beat paying as due on \
             so many days, whatever electricity cost: {}. That is the price of bitcoin, which nobody forecasts here.",
            self.reserve_months,
            shares.collect::<Vec<_>>().join(", ")
        );
        lines([format!("{} to {}", self.from, self.to), table.to_string(), layout::text(&note)])
    }
}
