//! Forecasters that need no network. Fitted once, on the training part; their numbers are frozen in the manifest.

pub mod garch;
pub mod har;
mod simplex;

use super::outcomes::{Forecast, Forecaster, Outcomes};
use veriregime_core::features::har::{LEAST_BEFORE, SIZE, linear, regressors};
use veriregime_core::features::sums::Sums;
use veriregime_core::features::{label, measure};
use veriregime_core::score;
use veriregime_core::types::baselines::{Baselines, Garch, HarVolatility, Residual};
use veriregime_core::types::feature::Feature;
use veriregime_core::types::manifest::frozen;
use veriregime_core::types::manifest::regime::Label;

/// Lengths of the returns that GARCH is tried on, in minutes.
const GARCH_MINUTES: [usize; 2] = [1, 60];
/// A residual of nothing would make probabilities of 0 and 1.
const LEAST_DEVIATION: f64 = 1e-6;

/// Fits all baselines. Decisions are candle indices with the volatility that followed; those of `validation` only choose
/// the length of GARCH's returns. `None` where too few training decisions have a week of candles before them.
pub fn fit(sums: &Sums, train: &[(usize, f64)], validation: &[(usize, f64)], label: &Label) -> Option<Baselines> {
    let after_a_week = |decisions: &[(usize, f64)]| {
        decisions.iter().filter(|(at, _)| *at >= LEAST_BEFORE).copied().collect::<Vec<_>>()
    };
    let (train, validation) = (after_a_week(train), after_a_week(validation));
    let high = |volatility: f64| volatility > label.threshold;
    let known: Vec<[f64; SIZE]> = train.iter().map(|(at, _)| regressors(sums, *at)).collect();
    let truths: Vec<f64> = train.iter().map(|(_, volatility)| label::log_volatility(*volatility)).collect();
    let (first, last) = (train.first()?.0, train.last()?.0);
    let highs = train.iter().filter(|(_, volatility)| high(*volatility)).count();

    let labelled: Vec<_> = known.iter().zip(&train).map(|(values, (_, known))| (*values, high(*known))).collect();
    let measured: Vec<_> = known.iter().copied().zip(truths.iter().copied()).collect();
    let coefficients = har::fit_linear(&measured).map(frozen);
    let forecasts: Vec<f64> = known.iter().map(|values| linear(&coefficients, values)).collect();

    let training = Part { decisions: &train, first, last };
    let garch = GARCH_MINUTES
        .into_iter()
        .filter_map(|minutes| fit_garch(sums, &training, minutes, label.horizon_minutes))
        .map(|garch| (loss(&garch, sums, if validation.is_empty() { &train } else { &validation }, label), garch))
        .min_by(|left, right| left.0.total_cmp(&right.0));
    Some(Baselines {
        training_share_high: frozen(highs as f64 / train.len() as f64),
        har_logistic: har::fit_logistic(&labelled).map(frozen),
        har_volatility: HarVolatility { coefficients, residual: residual(&truths, &forecasts) },
        garch: garch?.1,
    })
}

/// Decisions, and the candles between the first and the last of them.
struct Part<'a> {
    decisions: &'a [(usize, f64)],
    first: usize,
    last: usize,
}

fn fit_garch(sums: &Sums, train: &Part<'_>, minutes: usize, horizon_minutes: usize) -> Option<Garch> {
    let garch::Weights { omega, news, memory } = garch::fit(&garch::returns(sums, train.first, train.last, minutes))?;
    let [omega, news, memory] = [omega, news, memory].map(frozen);
    let weights = garch::Weights { omega, news, memory };
    let variances = garch::variances(&weights, minutes, sums);
    let own = |at: usize| garch::log_volatility(&weights, minutes, variances[at], horizon_minutes);
    let truths: Vec<f64> = train.decisions.iter().map(|(_, volatility)| label::log_volatility(*volatility)).collect();
    let mut forecasts: Vec<f64> = train.decisions.iter().map(|(at, _)| own(*at)).collect();
    let gap = truths.iter().zip(&forecasts).map(|(truth, forecast)| truth - forecast).sum::<f64>();
    let log_shift = frozen(gap / truths.len() as f64);
    for forecast in &mut forecasts {
        *forecast += log_shift;
    }
    let residual = residual(&truths, &forecasts);
    (weights.long_run() > 0.0).then_some(Garch { return_minutes: minutes, omega, news, memory, log_shift, residual })
}

/// Mean QLIKE on `decisions`.
fn loss(garch: &Garch, sums: &Sums, decisions: &[(usize, f64)], label: &Label) -> f64 {
    let forecasts = garch_forecasts(garch, sums, decisions.iter().map(|(at, _)| *at), label.horizon_minutes);
    let losses = decisions.iter().zip(forecasts).map(|((_, volatility), forecast)| {
        score::qlike(label::log_volatility(*volatility), forecast, garch.residual.variance_ratio)
    });
    losses.sum::<f64>() / decisions.len() as f64
}

fn garch_forecasts(garch: &Garch, sums: &Sums, at: impl Iterator<Item = usize>, horizon_minutes: usize) -> Vec<f64> {
    let weights = garch::Weights::of(garch);
    let variances = garch::variances(&weights, garch.return_minutes, sums);
    let own = |at: usize| garch::log_volatility(&weights, garch.return_minutes, variances[at], horizon_minutes);
    at.map(|at| own(at) + garch.log_shift).collect()
}

fn residual(truths: &[f64], forecasts: &[f64]) -> Residual {
    let count = truths.len() as f64;
    let errors = || truths.iter().zip(forecasts).map(|(truth, forecast)| truth - forecast);
    let variance = errors().map(|error| error * error).sum::<f64>() / count;
    let ratio = errors().map(|error| libm::exp(2.0 * error)).sum::<f64>() / count;
    Residual { deviation: frozen(variance.sqrt().max(LEAST_DEVIATION)), variance_ratio: frozen(ratio) }
}

/// What the baselines say about the rows of `outcomes`.
pub fn forecasts(baselines: &Baselines, sums: &Sums, outcomes: &Outcomes, label: &Label) -> Vec<Forecast> {
    let log_threshold = libm::log(label.threshold);
    let rows = outcomes.len();
    let past = Feature::LogRmsReturn { minutes: label.horizon_minutes };
    let past: Vec<f64> = outcomes.at.iter().map(|at| measure::value(&past, sums, *at)).collect();
    let known: Vec<[f64; SIZE]> = outcomes.at.iter().map(|at| regressors(sums, *at)).collect();
    let logistic = known.iter().map(|values| har::probability(&baselines.har_logistic, values)).collect();
    let HarVolatility { coefficients, residual: har_residual } = &baselines.har_volatility;
    let har: Vec<f64> = known.iter().map(|values| linear(coefficients, values)).collect();
    let garch = garch_forecasts(&baselines.garch, sums, outcomes.at.iter().copied(), label.horizon_minutes);
    let of_volatility = |by: Forecaster, forecasts: Vec<f64>, residual: &Residual| {
        let chance = |forecast: &f64| score::chance_above(log_threshold, *forecast, residual);
        let probabilities = forecasts.iter().map(chance).collect();
        Forecast::of_probabilities(by, probabilities).with_log_volatility(forecasts, residual.variance_ratio)
    };
    vec![
        Forecast::of_probabilities(Forecaster::Majority, vec![baselines.training_share_high; rows]),
        Forecast {
            by: Forecaster::Persistence,
            rating: past.clone(),
            is_probability: false,
            called_high: past.iter().map(|past| *past > log_threshold).collect(),
            log_volatility: Some(past),
            variance_ratio: vec![1.0; rows],
        },
        Forecast::of_probabilities(Forecaster::HarLogistic, logistic),
        of_volatility(Forecaster::HarVolatility, har, har_residual),
        of_volatility(Forecaster::Garch, garch, &baselines.garch.residual),
    ]
}
