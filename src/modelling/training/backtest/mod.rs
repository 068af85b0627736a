//! What a model's forecasts would have been worth on candles of the past.

mod cost;
mod drawn;
mod positions;
mod shown;
mod signals;
mod stress;
mod tail;

use anyhow::Context;
use serde::Serialize;

use super::files;
use crate::bundle::Bundle;
use crate::modelling::backtest_request::BacktestRequest;
use crate::sources::candles::file;
use cost::BreakEven;
use signals::Signals;
use stress::StressDay;
use tail::TailRow;
use veriregime_backtest::closure::{Closure, SHOWN};
use veriregime_backtest::error::BacktestError;
use veriregime_backtest::loans::{self, LoanRow};
use veriregime_backtest::market::Market;
use veriregime_backtest::study::{Comparison, Policy, Row, Study, Terms};
use veriregime_core::types::candle::CandleSeries;
use veriregime_core::types::time::format_utc;

/// Days before the judged ones that terms are fitted on, at most.
const EARLIER_DAYS: usize = 365;
const DAY_MINUTES: usize = veriregime_backtest::market::DAY_MINUTES;
/// Dollars that an ether may cost.
const MIN_ETH_USD: f64 = 0.0;
const MAX_ETH_USD: f64 = 1e6;

/// Everything that was found.
#[derive(Debug, Serialize)]
pub struct Backtest {
    market: String,
    model_id: String,
    /// First minute that terms were fitted on, first that was judged, and first after, UTC.
    fitted_from: String,
    judged_from: String,
    judged_to: String,
    /// Until when the model was fitted and chosen, UTC, where that is among the judged days: they flatter it.
    fitted_until: Option<String>,
    block_seconds: u32,
    terms: Vec<Terms>,
    amm: Vec<Row>,
    lending: Vec<LoanRow>,
    tail: Vec<TailRow>,
    stress_days: Vec<StressDay>,
    break_even_tvl_usd: Vec<BreakEven>,
}

/// As [`super::backtest`].
pub(super) fn backtest(request: &BacktestRequest<'_>, show: &dyn Fn(&str)) -> anyhow::Result<Backtest> {
    if !(MIN_ETH_USD..=MAX_ETH_USD).contains(&request.eth_usd) {
        let (least, most) = (MIN_ETH_USD, MAX_ETH_USD);
        return Err(BacktestError::Range { name: "the price of an ether", value: request.eth_usd, least, most }.into());
    }
    let bundle = Bundle::open(request.model).context("the model bundle is not usable")?;
    let index = market_of(request, &bundle)?;
    // Before minutes of work: a folder that is not there.
    if let Some(path) = request.csv {
        veriregime_files::write_atomic(path, b"")?;
    }
    let borrowers = positions::read(request.positions)?;
    show("reading candles");
    let series = file::read_series(&request.candles.path)?;
    let market = market(request, &series);
    let all = market.start_ms..market.time_ms(market.len());
    let test_ms = signals::test_begins(&bundle);
    let judged = market.minutes(&request.judged(test_ms, &all));
    show("forecasting");
    let horizon = bundle.manifest.regime()?.horizon_minutes();
    let first = signals::first_usable(&bundle)?.max(judged.start.saturating_sub(EARLIER_DAYS * DAY_MINUTES));
    // Nothing that is fitted reaches into what is judged.
    let earlier = first..judged.start.saturating_sub(horizon).max(first);
    let signals = Signals::new((&bundle, index), &series, &earlier, &judged)?;
    let study = Study::new(&market, earlier.clone(), judged.clone(), request.block_seconds, request.seed)?;
    let policies = policies(&signals, request)?;
    let mut amm = Vec::new();
    let mut terms = Vec::new();
    for closure in Closure::all() {
        show(&format!("traders: θ {}, ε {}", closure.theta, closure.epsilon));
        let fitted = study.terms(closure, &signals.har_clock)?;
        amm.extend(study.rows(&fitted, &policies, signals::FORESIGHT)?);
        terms.push(fitted);
    }
    show("lending");
    let lenders = signals.lenders();
    let knee = terms.iter().find_map(|terms| terms.map.knee()).context("no map was fitted")?;
    let lending =
        loans::rows(&market, &study.judged(), &lenders.iter().collect::<Vec<_>>(), knee, &borrowers, request.seed)?;
    let backtest = Backtest {
        market: market.name.clone(),
        model_id: bundle.manifest.model_id.clone(),
        fitted_from: format_utc(market.time_ms(earlier.start)),
        judged_from: format_utc(market.time_ms(judged.start)),
        judged_to: format_utc(market.time_ms(judged.end)),
        fitted_until: test_ms.filter(|test_ms| *test_ms > market.time_ms(judged.start)).map(format_utc),
        block_seconds: request.block_seconds,
        terms,
        break_even_tvl_usd: cost::break_even(&amm, SHOWN, request.eth_usd),
        amm,
        lending,
        stress_days: signals.ours.known().map_or_else(Vec::new, |ours| stress::days(&market, &study.judged(), ours)),
        tail: signals.tails,
    };
    if let Some(path) = request.csv {
        veriregime_files::write_atomic(path, shown::csv(&backtest.amm)?.as_bytes())?;
    }
    if let Some(folder) = request.plots {
        drawn::write(folder, &backtest, &study, &policies, &market)?;
    }
    Ok(backtest)
}

/// Which of the model's markets the candles are of.
fn market_of(request: &BacktestRequest<'_>, bundle: &Bundle) -> anyhow::Result<usize> {
    let files = std::slice::from_ref(request.candles);
    let found = files::of_markets(files, &bundle.manifest.candles()?.markets)?;
    found.iter().position(Option::is_some).context("no market")
}

fn market(request: &BacktestRequest<'_>, series: &CandleSeries) -> Market {
    let name = request.candles.path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let candles = series.candles();
    Market {
        name: name.split('-').next().unwrap_or_default().to_owned(),
        start_ms: candles.first().map_or(0, |candle| candle.open_time_ms),
        closes: candles.iter().map(|candle| candle.close).collect(),
        volumes: candles.iter().map(|candle| candle.volume * candle.close).collect(),
    }
}

fn policies(signals: &Signals, request: &BacktestRequest<'_>) -> anyhow::Result<Vec<Policy>> {
    let mut policies = signals.policies();
    policies.extend(signals.on_chain(request.policy));
    if !request.knots.is_empty() {
        let map = Some(veriregime_backtest::fee::FeeMap::knots(request.knots)?);
        let contract = Some(signals::contract(request.policy, signals::PERIOD_MINUTES));
        for (name, contract) in [("policy_file", None), ("policy_file_on_chain", contract)] {
            policies.push(Policy { name: name.to_owned(), signal: signals.ours.clone(), map, contract });
        }
    }
    Ok(policies)
}

impl Backtest {
    /// The row of a policy under the assumption that is shown.
    fn row(&self, policy: &str, comparison: Comparison) -> Option<&Row> {
        self.amm.iter().find(|row| is_shown(row) && row.policy == policy && row.comparison == comparison)
    }
}

fn is_shown(row: &Row) -> bool {
    assumed(row) == SHOWN
}

fn assumed(row: &Row) -> Closure {
    Closure { theta: row.theta, epsilon: row.epsilon }
}
