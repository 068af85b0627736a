//! A build with the feature `training`.

mod add_market;
mod backtest;
mod bundle;
mod compare;
mod evaluate;
mod files;
mod hedge;
mod measuring;
mod reference_models;
mod settings;
mod speed;
mod train;
mod yields;

use std::path::Path;

use super::add_market_request::AddMarketRequest;
use super::backtest_request::BacktestRequest;
use super::candle_file::CandleFile;
use super::hedge_request::{HedgeBacktestRequest, HedgeEvaluateRequest, HedgeTrainRequest};
use super::measured::{Measured, Version};
use super::yield_request::{YieldBacktestRequest, YieldEvaluateRequest, YieldTrainRequest};
use super::{EvaluateRequest, Progress, TrainRequest};
use crate::bundle::Bundle;
use crate::render::Render;
use veriregime_core::hedge::panel::Day;
use veriregime_training::plots::over;
use veriregime_training::plots::panels::panels;

/// Trains, sets the circuit up, measures on the test split and writes the bundle. `config` is where the agent's settings
/// are, if anywhere.
///
/// # Errors
/// The first step that fails; an existing bundle is untouched then.
pub async fn train(
    request: &TrainRequest<'_>,
    config: Option<&Path>,
    show: impl FnMut(Progress<'_>),
) -> anyhow::Result<impl Render> {
    train::train(request, config, show).await
}

/// Adds a market to a model without training, in a bundle of its own; `show` is told what is being done.
///
/// # Errors
/// [`crate::bundle::add_market::AddMarketError`], candles that are not usable or too few, or what the set-up of the circuits runs into;
/// nothing is left of it then.
pub async fn add_market(request: &AddMarketRequest<'_>, show: &dyn Fn(&str)) -> anyhow::Result<impl Render + use<>> {
    add_market::add_market(request, show).await
}

/// Evaluates a model on candles.
///
/// # Errors
/// A model, a file or dates that are not usable.
pub fn evaluate(request: &EvaluateRequest<'_>) -> anyhow::Result<impl Render + use<>> {
    evaluate::evaluate(request)
}

/// Judges two versions by candles, at the decision times that both can forecast and that neither was trained on or
/// chosen by.
///
/// # Errors
/// Candles that are not usable or hold no such decision time, or a version that does not say when it was trained.
pub fn on_candles(versions: [Version<'_>; 2], candles: &[CandleFile]) -> anyhow::Result<Measured> {
    compare::on_candles(versions, candles)
}

/// Compares what a version sees and promises on candles from `from_ms` on with what it was trained on; also whether it
/// should be trained again.
///
/// # Errors
/// Candles that are not usable, or a bundle that does not say what it was trained on.
pub fn drift(
    id: &str,
    bundle: &Bundle,
    candles: &[CandleFile],
    from_ms: i64,
) -> anyhow::Result<(impl Render + use<>, bool)> {
    evaluate::drift_of(id, bundle, candles, from_ms)
}

/// Trains an electricity model, walks it forward, and writes its bundle.
///
/// # Errors
/// Tables that are not usable or too few, or what the set-up of the circuit runs into.
pub async fn train_hedge(request: &HedgeTrainRequest<'_>) -> anyhow::Result<impl Render + use<>> {
    hedge::train::train(request).await
}

/// Judges an electricity model, or a miner's, on tables.
///
/// # Errors
/// A model or tables that are not usable.
pub fn evaluate_hedge(request: &HedgeEvaluateRequest<'_>) -> anyhow::Result<impl Render + use<>> {
    hedge::evaluate::evaluate(request)
}

/// Lives through the days of tables with the treasuries of miners, under several rules.
///
/// # Errors
/// Tables that are not usable, or a country that is not in them.
pub fn backtest_hedge(request: &HedgeBacktestRequest<'_>) -> anyhow::Result<impl Render + use<>> {
    hedge::backtest::backtest(request)
}

/// Lives through the candles of a file with a pool whose fee follows forecasts of several kinds; `show` is told what is being done.
///
/// # Errors
/// A model, candles, dates or knots that are not usable.
pub fn backtest(request: &BacktestRequest<'_>, show: &dyn Fn(&str)) -> anyhow::Result<impl Render + use<>> {
    backtest::backtest(request, show)
}

/// Trains yield models, tests the way of training, and writes their bundles.
///
/// # Errors
/// Tables that are not usable or too few.
pub async fn train_yields(
    request: &YieldTrainRequest<'_>,
    show: impl FnMut(Progress<'_>),
) -> anyhow::Result<impl Render> {
    yields::train::train(request, show).await
}

/// Judges yield models on tables.
///
/// # Errors
/// Models or tables that are not usable.
pub fn evaluate_yields(
    request: &YieldEvaluateRequest<'_>,
    show: impl FnMut(Progress<'_>),
) -> anyhow::Result<impl Render> {
    yields::evaluate::evaluate(request, show)
}

/// Judges two folders of yield models on the same decisions of tables, from a day on, that neither was fitted on.
///
/// # Errors
/// Models or tables that are not usable, or without a common decision.
pub fn compare_yields(
    versions: [(&str, &Path); 2],
    data: &Path,
    from: Option<Day>,
) -> anyhow::Result<impl Render + use<>> {
    yields::compare::compare(versions, data, from)
}

/// Lives through the days of tables with money, under several rules.
///
/// # Errors
/// Tables that are not usable, or too few by the first day.
pub fn backtest_yields(request: &YieldBacktestRequest<'_>) -> anyhow::Result<impl Render + use<>> {
    yields::backtest::backtest(request)
}

/// Measures how fast the networks of training settings learn. `config` is where the agent's settings are, if anywhere.
///
/// # Errors
/// Settings that no network can follow.
pub fn speed(settings: &Path, config: Option<&Path>) -> anyhow::Result<impl Render + use<>> {
    settings::refuse_as_config(config)?;
    let settings = settings::read(settings)?;
    settings.check()?;
    speed::measure(&settings)
}

/// Whether this build draws; it does.
///
/// # Errors
/// None.
pub fn can_draw() -> anyhow::Result<()> {
    Ok(())
}

/// Named curves over each other, as SVG.
///
/// # Errors
/// None.
pub fn draw_over(title: &str, labels: [&str; 2], curves: &[(&str, Vec<(f64, f64)>)]) -> anyhow::Result<String> {
    Ok(over(title, labels, curves))
}

/// Named curves over one quantity, each in a panel of its own, as SVG.
///
/// # Errors
/// None.
pub fn draw(title: &str, over: &str, curves: &[(&str, Vec<(f64, f64)>)]) -> anyhow::Result<String> {
    Ok(panels(title, over, curves))
}
