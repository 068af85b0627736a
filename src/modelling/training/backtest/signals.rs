//! The volatilities that policies look at, from candles.

use std::ops::Range;

use anyhow::Context;

use super::tail::{TailRow, Tails, fall};
use crate::bundle::Bundle;
use veriregime_backtest::contract::Contract;
use veriregime_backtest::signal::{Guard, OwnPool, Signal};
use veriregime_backtest::study::Policy;
use veriregime_core::features::Batch;
use veriregime_core::features::har::{LEAST_BEFORE, regressors};
use veriregime_core::model::onnx::of_market;
use veriregime_core::model::{Layout, MAX_MODEL_BYTES};
use veriregime_core::policy::Policy as ContractPolicy;
use veriregime_core::types::candle::CandleSeries;
use veriregime_core::types::manifest::ONNX_FILE;
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::time::parse_utc_ms;
use veriregime_training::cholesky::solved;
use veriregime_training::evaluation::outcomes::{Forecaster, Outcomes};
use veriregime_training::evaluation::{Comparison, Subject};

/// Who knows what comes.
pub(super) const FORESIGHT: &str = "foresight";
/// The model, once a period and every quarter of an hour, in force as soon as it has landed.
pub(super) const OURS: &str = "ours";
pub(super) const OURS_QUICK: &str = "ours_15m";
/// The same behind the contract's rules.
pub(super) const ON_CHAIN: &str = "ours_on_chain";
pub(super) const ON_CHAIN_QUICK: &str = "ours_15m_on_chain";
/// The pool that looks at itself.
pub(super) const OWN_POOL: &str = "own_pool_15m";
/// The same between multiples of our forecast's fee: `RealizedVolatilityFeeHook`.
pub(super) const GUARDED_POOL: &str = "guarded_pool_15m";
/// Who looks at the forecast of the tail.
const TAIL: &str = "tail_99";
/// Minutes between the forecasts of a quick policy, and of the periods of a slow one.
pub(super) const QUICK_MINUTES: usize = 15;
pub(super) const PERIOD_MINUTES: usize = 240;
/// Minutes until a forecast is on chain.
const LANDING_MINUTES: usize = 1;
/// Half-life of a pool's own view of its price.
const OWN_POOL_MINUTES: f64 = 15.0;
/// Multiples of the forecast's fee between which the guarded pool stays: chosen on February to July 2024.
const GUARD_MULTIPLES: (f64, f64) = (0.8, 1.5);
/// What an attacker feigns: moves of 7 bps to and fro in each block of 12 seconds, inside the fee's band.
const FEIGNED_VOLATILITY: f64 = 1.6e-3;
const HOUR_MS: i64 = 3_600_000;
const WEEK_MS: i64 = 168 * HOUR_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// 1970 began on a Thursday.
const MONDAY_MS: i64 = 4 * DAY_MS;
/// Waves of the day and of the week that a clock is made of.
const DAY_WAVES: usize = 4;
const WEEK_WAVES: usize = 3;
const RIDGE: f64 = 1e-6;

/// Every policy's eyes on one market.
pub(super) struct Signals {
    pub ours: Signal,
    pub har_clock: Signal,
    /// The forecast of the tail, at the mean level of the regression with a clock: what a lender might rather look at.
    tail: Signal,
    /// How forecasts of the tail did on the decisions of the judged minutes, once a period.
    pub tails: Vec<TailRow>,
    others: Vec<(&'static str, Signal)>,
}

impl Signals {
    /// Forecasts of the bundle's market of that index from `earlier.start` until the end of `judged`. What is fitted here, is fitted on `earlier`.
    pub fn new(
        (bundle, index): (&Bundle, usize),
        series: &CandleSeries,
        earlier: &Range<usize>,
        judged: &Range<usize>,
    ) -> anyhow::Result<Self> {
        let manifest = &bundle.manifest;
        let model = manifest.regime()?;
        let onnx = veriregime_files::read_bounded(&bundle.path(ONNX_FILE), MAX_MODEL_BYTES)?;
        let market = model.market(index).context("the model has no such market")?;
        let onnx = of_market(&onnx, index)?;
        let subject = Subject {
            onnx: &onnx,
            layout: Layout::of(&model),
            features: &market.features,
            label: &market.label,
            grid: manifest.grid,
            baselines: market.baselines,
        };
        let start_ms = series.candles().first().context("no candles")?.open_time_ms;
        let time_ms = |at: usize| start_ms + at as i64 * MINUTE_MS;
        // The first decision is a period before the first minute, so that there is a forecast when it begins.
        let times = time_ms(earlier.start.saturating_sub(2 * PERIOD_MINUTES))..time_ms(judged.end);
        let comparison = Comparison::on(&subject, series, &times, 0, |time_ms| {
            time_ms.rem_euclid(QUICK_MINUTES as i64 * MINUTE_MS) == 0
        })?;
        let outcomes = &comparison.outcomes;
        let batch = Batch::new(&market.features, series)?;
        let minutes = series.candles().len();
        let first_minute = start_ms / MINUTE_MS;
        let held = |log_volatility: &[f64], every| {
            let volatility: Vec<f64> = log_volatility.iter().map(|value| libm::exp(*value)).collect();
            Signal::held(minutes, first_minute, every, LANDING_MINUTES, &outcomes.at, &volatility)
        };
        let by = |forecaster| {
            let forecast = comparison.forecasts.iter().find(|forecast| forecast.by == forecaster);
            forecast.and_then(|forecast| forecast.log_volatility.as_deref()).context("a baseline is missing")
        };
        let known: Vec<usize> =
            (0..outcomes.len()).filter(|row| outcomes.at[*row] + market.label.horizon_minutes <= earlier.end).collect();
        let regressors = |row: usize| regressors(batch.sums(), outcomes.at[row]);
        let waves = |row: usize| clock(outcomes.time_ms[row]);
        let clock = fitted(outcomes, &known, waves);
        let har_clock = fitted(outcomes, &known, |row| [&regressors(row)[1..], &waves(row)].concat());
        let ours = by(Forecaster::StudentCircuit)?;
        let closes: Vec<f64> = series.candles().iter().map(|candle| candle.close).collect();
        let horizon = market.label.horizon_minutes;
        let falls: Vec<f64> = outcomes.at.iter().map(|at| fall(&closes, *at, horizon)).collect();
        let inputs: Vec<Vec<f64>> = (0..outcomes.len())
            .map(|row| [&[1.0, ours[row]][..], &regressors(row)[1..], &waves(row)].concat())
            .collect();
        let tails = Tails::new(ours, &inputs, &falls, &known);
        let is_judged = |row: &usize| judged.contains(&outcomes.at[*row]) && outcomes.on_grid[*row];
        let judged_rows: Vec<usize> = (0..outcomes.len()).filter(is_judged).collect();
        // At the mean level of the volatilities that maps are made for.
        let log_tail: Vec<f64> = tails.head.iter().map(|fall| fall.ln()).collect();
        let mean = |values: &[f64]| known.iter().map(|row| values[*row]).sum::<f64>() / known.len() as f64;
        let shift = mean(&har_clock) - mean(&log_tail);
        let scaled: Vec<f64> = log_tail.iter().map(|value| value + shift).collect();
        let ours_held = held(ours, PERIOD_MINUTES);
        let guard = ours_held.known().map(|forecast| Guard { forecast: forecast.to_vec(), multiples: GUARD_MULTIPLES });
        let guarded = OwnPool { guard, ..OwnPool::alone(OWN_POOL_MINUTES) };
        let attacked = |pool: OwnPool| OwnPool { feigned_volatility: FEIGNED_VOLATILITY, ..pool };
        let others = vec![
            ("clock", held(&clock, PERIOD_MINUTES)),
            ("persistence", held(by(Forecaster::Persistence)?, PERIOD_MINUTES)),
            ("garch", held(by(Forecaster::Garch)?, PERIOD_MINUTES)),
            ("har", held(by(Forecaster::HarVolatility)?, PERIOD_MINUTES)),
            ("har_clock_15m", held(&har_clock, QUICK_MINUTES)),
            (OURS_QUICK, held(ours, QUICK_MINUTES)),
            (OWN_POOL, Signal::OwnPool(OwnPool::alone(OWN_POOL_MINUTES))),
            (GUARDED_POOL, Signal::OwnPool(guarded.clone())),
            ("own_pool_15m_attacked", Signal::OwnPool(attacked(OwnPool::alone(OWN_POOL_MINUTES)))),
            ("guarded_pool_15m_attacked", Signal::OwnPool(attacked(guarded))),
            (FORESIGHT, held(&outcomes.log_volatility, PERIOD_MINUTES)),
        ];
        Ok(Self {
            ours: ours_held,
            har_clock: held(&har_clock, PERIOD_MINUTES),
            tail: held(&scaled, PERIOD_MINUTES),
            tails: tails.rows(&falls, &judged_rows),
            others,
        })
    }

    /// Those whose ratios for new loans are tried, the static one first.
    pub fn lenders(&self) -> Vec<Policy> {
        let foresight = self.others.iter().find(|(name, _)| *name == FORESIGHT).map(|(name, signal)| (*name, signal));
        let lenders =
            [("static", &Signal::None), ("har_clock", &self.har_clock), (OURS, &self.ours), (TAIL, &self.tail)];
        lenders.into_iter().chain(foresight).map(|(name, signal)| named(name, signal)).collect()
    }

    /// All of them, the static fee first.
    pub fn policies(&self) -> Vec<Policy> {
        let mut policies = vec![named("static", &Signal::None)];
        policies.extend(self.others.iter().map(|(name, signal)| named(name, signal)));
        let place = policies.iter().position(|policy| policy.name == "har_clock_15m").unwrap_or(policies.len());
        policies.splice(place..place, [named("har_clock", &self.har_clock), named(OURS, &self.ours)]);
        policies
    }

    /// The model as a contract with the limits of `policy` lets fees follow it, once a period and every quarter of an hour.
    pub fn on_chain(&self, policy: &ContractPolicy) -> Vec<Policy> {
        let quick = self.others.iter().find(|(name, _)| *name == OURS_QUICK).map(|(_, signal)| signal);
        let slow = (ON_CHAIN, Some(&self.ours), PERIOD_MINUTES);
        [slow, (ON_CHAIN_QUICK, quick, QUICK_MINUTES)]
            .into_iter()
            .filter_map(|(name, signal, period_minutes)| {
                Some(Policy { contract: Some(contract(policy, period_minutes)), ..named(name, signal?) })
            })
            .collect()
    }
}

/// The rules between a forecast and a fee.
pub(super) fn contract(policy: &ContractPolicy, period_minutes: usize) -> Contract {
    Contract { policy: policy.clone(), period_minutes, landing_minutes: LANDING_MINUTES }
}

fn named(name: &str, signal: &Signal) -> Policy {
    Policy { name: name.to_owned(), signal: signal.clone(), map: None, contract: None }
}

/// The first minute that a forecast can be in force in: a model and the regressions look back.
pub(super) fn first_usable(bundle: &Bundle) -> anyhow::Result<usize> {
    let before = bundle.manifest.features()?.lookback_minutes.max(LEAST_BEFORE);
    Ok(before + 2 * PERIOD_MINUTES)
}

/// When the part of the data begins that the model was not fitted on, ms UTC.
pub(super) fn test_begins(bundle: &Bundle) -> Option<i64> {
    let text = bundle.manifest.training.provenance.pointer("/split/test/from")?.as_str()?;
    parse_utc_ms(text).ok()
}

/// A policy that shares the map of all.
/// Waves of the day and of the week at a decision.
fn clock(time_ms: i64) -> Vec<f64> {
    let waves = |period_ms: i64, count: usize| {
        let phase = (time_ms - MONDAY_MS).rem_euclid(period_ms) as f64 / period_ms as f64 * std::f64::consts::TAU;
        (1..=count).flat_map(move |wave| [libm::sin(wave as f64 * phase), libm::cos(wave as f64 * phase)])
    };
    waves(DAY_MS, DAY_WAVES).chain(waves(WEEK_MS, WEEK_WAVES)).collect()
}

/// What a linear regression on `values`, fitted on the rows in `known`, says about all rows.
fn fitted(outcomes: &Outcomes, known: &[usize], values: impl Fn(usize) -> Vec<f64>) -> Vec<f64> {
    let rows: Vec<Vec<f64>> = (0..outcomes.len()).map(|row| [vec![1.0], values(row)].concat()).collect();
    let size = rows.first().map_or(0, Vec::len);
    let mut matrix = vec![vec![0.0; size]; size];
    let mut right = vec![0.0; size];
    for row in known {
        for (line, value) in rows[*row].iter().enumerate() {
            right[line] += value * outcomes.log_volatility[*row];
            for column in 0..=line {
                matrix[line][column] += value * rows[*row][column];
            }
        }
    }
    for (line, entries) in matrix.iter_mut().enumerate() {
        entries[line] += RIDGE * known.len() as f64;
    }
    let weights = solved(matrix, right);
    rows.iter().map(|row| row.iter().zip(&weights).map(|(value, weight)| value * weight).sum()).collect()
}
