//! A build without the feature `training`: the same functions, which refuse.

use std::path::Path;

use serde::Serialize;

use super::add_market_request::AddMarketRequest;
use super::backtest_request::BacktestRequest;
use super::candle_file::CandleFile;
use super::hedge_request::{HedgeBacktestRequest, HedgeEvaluateRequest, HedgeTrainRequest};
use super::measured::{Measured, Version};
use super::yield_request::{YieldBacktestRequest, YieldEvaluateRequest, YieldTrainRequest};
use super::{EvaluateRequest, Progress, TrainRequest};
use crate::bundle::Bundle;
use crate::diagnosis::training::NotInThisBuild;
use crate::render::Render;
use veriregime_core::hedge::panel::Day;

/// A result that there is none of.
#[derive(Debug, Serialize)]
pub enum Never {}

impl Render for Never {
    fn text(&self) -> String {
        match *self {}
    }
}

/// Refuses.
#[expect(clippy::unused_async, reason = "the build with the feature waits here")]
pub async fn train(
    _request: &TrainRequest<'_>,
    _config: Option<&Path>,
    _show: impl FnMut(Progress<'_>),
) -> anyhow::Result<Never> {
    Err(NotInThisBuild.into())
}

/// Refuses.
#[expect(clippy::unused_async, reason = "the build with the feature waits here")]
pub async fn add_market(_request: &AddMarketRequest<'_>, _show: &dyn Fn(&str)) -> anyhow::Result<Never> {
    Err(NotInThisBuild.into())
}

/// Refuses.
pub fn backtest(_request: &BacktestRequest<'_>, _show: &dyn Fn(&str)) -> anyhow::Result<Never> {
    Err(NotInThisBuild.into())
}

/// Refuses.
pub fn evaluate(_request: &EvaluateRequest<'_>) -> anyhow::Result<Never> {
    Err(NotInThisBuild.into())
}

/// Refuses.
pub fn on_candles(_versions: [Version<'_>; 2], _candles: &[CandleFile]) -> anyhow::Result<Measured> {
    Err(NotInThisBuild.into())
}

/// Refuses.
pub fn drift(_id: &str, _bundle: &Bundle, _candles: &[CandleFile], _from_ms: i64) -> anyhow::Result<(Never, bool)> {
    Err(NotInThisBuild.into())
}

/// Refuses.
#[expect(clippy::unused_async, reason = "the build with the feature waits here")]
pub async fn train_hedge(_request: &HedgeTrainRequest<'_>) -> anyhow::Result<Never> {
    Err(NotInThisBuild.into())
}

/// Refuses.
pub fn evaluate_hedge(_request: &HedgeEvaluateRequest<'_>) -> anyhow::Result<Never> {
    Err(NotInThisBuild.into())
}

/// Refuses.
pub fn backtest_hedge(_request: &HedgeBacktestRequest<'_>) -> anyhow::Result<Never> {
    Err(NotInThisBuild.into())
}

/// Refuses.
#[expect(clippy::unused_async, reason = "the build with the feature waits here")]
pub async fn train_yields(_request: &YieldTrainRequest<'_>, _show: impl FnMut(Progress<'_>)) -> anyhow::Result<Never> {
    Err(NotInThisBuild.into())
}

/// Refuses.
pub fn evaluate_yields(_request: &YieldEvaluateRequest<'_>, _show: impl FnMut(Progress<'_>)) -> anyhow::Result<Never> {
    Err(NotInThisBuild.into())
}

/// Refuses.
pub fn compare_yields(_versions: [(&str, &Path); 2], _data: &Path, _from: Option<Day>) -> anyhow::Result<Never> {
    Err(NotInThisBuild.into())
}

/// Refuses.
pub fn backtest_yields(_request: &YieldBacktestRequest<'_>) -> anyhow::Result<Never> {
    Err(NotInThisBuild.into())
}

/// Refuses.
pub fn speed(_settings: &Path, _config: Option<&Path>) -> anyhow::Result<Never> {
    Err(NotInThisBuild.into())
}

/// Refuses.
pub fn can_draw() -> anyhow::Result<()> {
    Err(NotInThisBuild.into())
}

/// Refuses.
pub fn draw_over(_title: &str, _labels: [&str; 2], _curves: &[(&str, Vec<(f64, f64)>)]) -> anyhow::Result<String> {
    Err(NotInThisBuild.into())
}

/// Refuses.
pub fn draw(_title: &str, _over: &str, _curves: &[(&str, Vec<(f64, f64)>)]) -> anyhow::Result<String> {
    Err(NotInThisBuild.into())
}
