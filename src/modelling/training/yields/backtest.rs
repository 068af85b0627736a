//! Money over the days of a folder's tables, under several rules, net of gas and slippage.

use std::collections::BTreeMap;

use serde::Serialize;

use super::samples;
use crate::modelling::yield_request::YieldBacktestRequest;
use crate::render::layout::{self, Table};
use crate::render::{Render, lines};
use crate::sources::yields::error::YieldError;
use crate::sources::yields::folder::Yields;
use crate::sources::yields::table::Pool;
use veriregime_core::hedge::panel::Day;
use veriregime_core::types::time::format_day;
use veriregime_core::yields::Kind;
use veriregime_core::yields::risk::TRAILING_DAYS;
use veriregime_core::yields::scale::apy_percent;
use veriregime_portfolio::decide::Policy;
use veriregime_portfolio::error::PortfolioError;
use veriregime_portfolio::gate::Leg;
use veriregime_portfolio::history::Daily;
use veriregime_portfolio::live::{Life, Rule, Turn, foreseen, live};
use veriregime_portfolio::problem::{MAX_STRATEGIES, Objective};
use veriregime_training::device::{Backend, open};
use veriregime_training::yields::fit::FitSettings;
use veriregime_training::yields::samples::{Sample, Samples};
use veriregime_training::yields::walk::Walk;

/// Lives at most: one for each day of the week on which decisions may fall.
const MAX_STARTS: usize = 7;
/// How much older than the day a strategy's last rate may be.
const MAX_BEHIND_DAYS: Day = 3;
/// Share of days that do not count as the worst.
const CONFIDENCE: f64 = 0.95;
/// Largest share of a strategy where risk does not count.
const WHOLE: f64 = 1.0;

/// What rules came to.
#[derive(Debug, Serialize)]
pub struct Backtest {
    from: String,
    to: String,
    /// Days on which money could move, of the first of the starts.
    turns: usize,
    /// How many lives there were, each begun a day later than the one before: figures are their means.
    starts: usize,
    /// Most strategies that could be entered on one of them.
    strategies: usize,
    gate_days: f64,
    rows: Vec<Lived>,
}

/// A rule with so much money.
#[derive(Debug, Serialize)]
struct Lived {
    rule: String,
    capital_usd: f64,
    /// A year, after costs; a share.
    net_apy: f64,
    /// The lowest and the highest of the starts.
    net_apy_range: [f64; 2],
    moves: f64,
    refused: f64,
    cost_usd: f64,
}

impl Lived {
    /// Means of lives, with their days.
    fn new(rule: &str, capital_usd: f64, lives: &[(Life, usize)]) -> Self {
        let apys = || lives.iter().map(|(life, days)| life.net_apy(capital_usd, *days));
        let mean = |sum: f64| sum / lives.len().max(1) as f64;
        let of = |figure: &dyn Fn(&Life) -> f64| mean(lives.iter().map(|(life, _)| figure(life)).sum());
        Self {
            rule: rule.to_owned(),
            capital_usd,
            net_apy: mean(apys().sum()),
            net_apy_range: [apys().fold(f64::INFINITY, f64::min), apys().fold(f64::NEG_INFINITY, f64::max)],
            moves: of(&|life| life.made as f64),
            refused: of(&|life| life.refused as f64),
            cost_usd: of(&|life| life.cost_usd),
        }
    }
}

/// What is expected of strategies, by turn.
struct Given {
    /// Days that are lived through.
    days: usize,
    daily: Vec<Daily>,
    trailing: Vec<Turn>,
    forecast: Vec<Turn>,
}

/// What is expected of strategies.
#[derive(Debug, Clone, Copy)]
enum By {
    /// Their last 7 days again.
    Trailing,
    /// What models say.
    Forecast,
}

impl Given {
    fn turns(&self, by: By) -> &[Turn] {
        match by {
            By::Trailing => &self.trailing,
            By::Forecast => &self.forecast,
        }
    }
}

/// Lives through the days. Forecasts are those of models that were fitted, every four weeks, on what was known by then.
///
/// # Errors
/// Tables that are not usable, too few by the first day, or no price of gas.
pub fn backtest(request: &YieldBacktestRequest<'_>) -> anyhow::Result<Backtest> {
    let YieldBacktestRequest { kinds, from, gate_days, cap, .. } = *request;
    if !(1..=MAX_STRATEGIES).contains(&request.largest) {
        return Err(PortfolioError::Count { count: request.largest, limit: MAX_STRATEGIES }.into());
    }
    if !request.capitals_usd.iter().all(|usd| *usd > 0.0 && usd.is_finite()) {
        return Err(PortfolioError::Number { what: "a capital", reason: "it is above 0, in USD".into() }.into());
    }
    let yields = Yields::read(request.data)?;
    let absent = || YieldError::Absent { folder: request.data.display().to_string() };
    let lasts: Option<Vec<Day>> = kinds.iter().map(|kind| yields.last_day(*kind)).collect();
    let last = lasts.and_then(|days| days.into_iter().min()).ok_or_else(absent)?;
    let to = request.until.map_or(last, |until| until.min(last));
    let samples = samples(&yields, kinds);
    let walk = Walk::new(&samples, kinds, from..=to, &FitSettings::default(), &open(Backend::Cpu)?.device)?;
    let starts = request.turn_days.clamp(1, MAX_STARTS);
    let given: Vec<Given> = (0..starts)
        .map(|later| given(request, &yields, &samples, &walk, from + later as Day, to))
        .collect::<anyhow::Result<_>>()?;
    let policy = |objective: Objective, is_open: bool| Policy {
        objective,
        min_position: 0.0,
        cash: Some(0.0),
        gate_days,
        is_open,
    };
    let highest = Objective::MeanVariance { risk_aversion: 0.0 };
    let averse = Objective::MeanVariance { risk_aversion: 1.0 };
    let least = Objective::MinDrawdown { confidence: CONFIDENCE };
    let rules = [
        ("trailing 7 days, always", By::Trailing, policy(highest, true), WHOLE),
        ("trailing 7 days, gate", By::Trailing, policy(highest, false), WHOLE),
        ("forecast, always", By::Forecast, policy(highest, true), WHOLE),
        ("forecast, gate", By::Forecast, policy(highest, false), WHOLE),
        ("forecast, gate, mean-variance", By::Forecast, policy(averse, false), cap),
        ("forecast, gate, max-Sharpe", By::Forecast, policy(Objective::MaxSharpe, false), cap),
        ("forecast, gate, min-drawdown", By::Forecast, policy(least, false), cap),
    ];
    let mut rows = Vec::new();
    for capital_usd in request.capitals_usd.iter().copied() {
        let mut add = |rule: &str, live: &dyn Fn(&Given) -> Result<Life, PortfolioError>| {
            let lives = given.iter().map(|given| Ok((live(given)?, given.days)));
            rows.push(Lived::new(rule, capital_usd, &lives.collect::<Result<Vec<_>, PortfolioError>>()?));
            Ok::<(), PortfolioError>(())
        };
        add("equal weight", &|given| live(capital_usd, &given.trailing, &given.daily, Rule::EqualHeld))?;
        for (name, by, policy, cap) in &rules {
            let rule = Rule::Follow { policy, cap: *cap, past_days: TRAILING_DAYS };
            add(name, &|given| live(capital_usd, given.turns(*by), &given.daily, rule))?;
        }
        add("foresight", &|given| {
            Ok(Life { end_usd: foreseen(capital_usd, &given.trailing, &given.daily), ..Life::default() })
        })?;
    }
    let first = &given[0].trailing;
    Ok(Backtest {
        from: format_day(from),
        to: format_day(to),
        turns: first.len(),
        starts,
        strategies: first.iter().map(|turn| turn.expected.iter().flatten().count()).max().unwrap_or(0),
        gate_days,
        rows,
    })
}

/// Expectations and costs of each turn, and the rates that came, from so many days before the first turn on as count as the past.
fn given(
    request: &YieldBacktestRequest<'_>,
    yields: &Yields,
    samples: &Samples,
    walk: &Walk,
    from: Day,
    to: Day,
) -> anyhow::Result<Given> {
    let first = from - TRAILING_DAYS as Day;
    let pools: Vec<&Pool> = samples.pools.iter().filter_map(|id| yields.pools.get(id)).collect();
    let daily = pools.iter().map(|pool| {
        let rate = |day: Day| Some(pool.series.apy(pool.series.position(day)?)? / 100.0);
        (first..=to).map(rate).collect()
    });
    let mut decisions: BTreeMap<(usize, Day), &Sample> = BTreeMap::new();
    decisions.extend(samples.all.iter().map(|sample| ((sample.pool, sample.day), sample)));
    let (mut trailing, mut forecast) = (Vec::new(), Vec::new());
    for day in (from..to).step_by(request.turn_days.max(1)) {
        let turn = |expected: Vec<Option<(f64, f64)>>| -> Result<Turn, YieldError> {
            let legs = pools.iter().map(|pool| request.costs.leg(pool.kind, yields, day));
            Ok(Turn { day: (day - first) as usize, expected, legs: legs.collect::<Result<Vec<Leg>, _>>()? })
        };
        let largest = largest(&pools, day, request.largest);
        let known = |place: usize| {
            let from = (place, day - MAX_BEHIND_DAYS);
            let (_, sample) = decisions.range(from..=(place, day)).next_back().filter(|_| largest[place])?;
            // What a model cannot be asked about is not entered by the other rules either.
            Some((*sample, walk.say(sample, day)?))
        };
        let known: Vec<_> = (0..pools.len()).map(known).collect();
        trailing.push(turn(
            known
                .iter()
                .map(|one| {
                    let (sample, _) = (*one)?;
                    let rate = apy_percent(sample.window.level) / 100.0;
                    Some((rate, sample.window.deviation * (0.01 + rate.abs())))
                })
                .collect(),
        )?);
        forecast.push(turn(
            known
                .iter()
                .map(|one| {
                    let (sample, said) = (*one)?;
                    let forecast = said.forecast(&sample.window, 0.0);
                    Some((forecast.apy_percent / 100.0, forecast.volatility_pp / 100.0))
                })
                .collect(),
        )?);
    }
    Ok(Given { days: usize::try_from(to - from).unwrap_or(0), daily: daily.collect(), trailing, forecast })
}

/// Whether each pool is among those of its kind in which most lies on a day; where that is not told, it is.
fn largest(pools: &[&Pool], day: Day, count: usize) -> Vec<bool> {
    let mut is_largest = vec![false; pools.len()];
    for kind in Kind::ALL {
        let size = |pool: &Pool| {
            let at = pool.series.position(day)?.min(pool.series.days() - 1);
            let recent = (at + 1).saturating_sub(MAX_BEHIND_DAYS as usize)..=at;
            let is_there = recent.clone().any(|at| pool.series.apy(at).is_some());
            let told = || recent.rev().find_map(|at| pool.series.tvl(at)).unwrap_or(f64::INFINITY);
            (is_there && pool.series.last_day() + MAX_BEHIND_DAYS >= day).then(told)
        };
        let own = pools.iter().enumerate().filter(|(_, pool)| pool.kind == kind);
        let mut sizes: Vec<(usize, f64)> = own.filter_map(|(place, pool)| Some((place, size(pool)?))).collect();
        sizes.sort_by(|one, other| other.1.total_cmp(&one.1));
        for (place, _) in sizes.into_iter().take(count) {
            is_largest[place] = true;
        }
    }
    is_largest
}

impl Render for Backtest {
    fn text(&self) -> String {
        let mut table = Table::new(&["capital USD", "rule", "net APY", "from", "to", "moves", "refused", "costs USD"]);
        let percent = |share: f64| format!("{:.2} %", share * 100.0);
        for one in &self.rows {
            table.add_row([
                format!("{:.0}", one.capital_usd),
                one.rule.clone(),
                percent(one.net_apy),
                percent(one.net_apy_range[0]),
                percent(one.net_apy_range[1]),
                format!("{:.1}", one.moves),
                format!("{:.1}", one.refused),
                format!("{:.0}", one.cost_usd),
            ]);
        }
        let head = format!(
            "{} to {}, {} decisions, at most {} strategies to choose from; means of {} starts, each a day after the one before",
            self.from, self.to, self.turns, self.strategies, self.starts
        );
        let note = format!(
            "After gas and slippage. A gate lets a move pass that pays for itself in {} days. Models were fitted every four weeks on what was \
             known by then. Foresight knows every rate that came. Rates of liquidity pools leave out impermanent loss.",
            self.gate_days
        );
        lines([head, table.to_string(), layout::text(&note)])
    }
}
