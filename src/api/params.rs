//! `GET /v1/params/{market}`: what the contract says of a market, asked at most once in a few seconds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy::primitives::Address;
use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use tokio::sync::Mutex;

use super::view::{MarketView, ParamsView};
use super::{OfJob, Shared};
use crate::api::error::{ApiError, ErrorBody};
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::manifest::inputs::Market;
use veriregime_core::types::period::Grid;

/// What the chain said is good for this long; that it said nothing, too.
const FRESH: Duration = Duration::from_secs(5);
/// Longest wait for the chain.
const CHAIN_LIMIT: Duration = Duration::from_secs(4);

/// The markets' parameters as they were last read.
#[derive(Debug)]
pub struct Parameters {
    reader: Reader,
    oracle: Address,
    grid: Grid,
    /// By name. A lock for each: one request asks the chain, the others wait for what it gets.
    markets: BTreeMap<String, (Market, Mutex<Option<Answer>>)>,
}

#[derive(Debug)]
struct Answer {
    at: Instant,
    outcome: Result<ParamsView, &'static str>,
}

impl Parameters {
    /// Of these markets of a contract, whose forecasts are on that grid.
    pub fn new(reader: Reader, oracle: Address, grid: Grid, markets: &[Market]) -> Self {
        let markets = markets.iter().map(|market| (market.name.clone(), (market.clone(), Mutex::default()))).collect();
        Self { reader, oracle, grid, markets }
    }

    /// What the contract says of the market of that name.
    pub(super) async fn of(&self, name: &str) -> Result<ParamsView, ApiError> {
        let (market, answer) = self.markets.get(name).ok_or(ApiError::NoMarket)?;
        let mut answer = answer.lock().await;
        if let Some(known) = answer.as_ref().filter(|answer| answer.at.elapsed() < FRESH) {
            return known.outcome.clone().map_err(ApiError::Chain);
        }
        let asked = tokio::time::timeout(CHAIN_LIMIT, self.ask(market)).await;
        let outcome = match asked {
            Ok(outcome) => outcome.map_err(|fault| fault.code()),
            Err(_) => Err(ChainError::Unreachable(String::new()).code()),
        };
        *answer = Some(Answer { at: Instant::now(), outcome: outcome.clone() });
        outcome.map_err(ApiError::Chain)
    }

    async fn ask(&self, market: &Market) -> Result<ParamsView, ChainError> {
        let (now, next) =
            tokio::join!(self.reader.params(self.oracle, market.id()), self.reader.pending(self.oracle, market.id()));
        Ok(ParamsView::new(MarketView::of(market), self.grid, &now?, &next?))
    }
}

/// What the contract says of a market now, and what its last update leads to. At most five seconds old.
#[utoipa::path(get, path = "/v1/params/{market}",
    params(("market" = String, Path, description = "name of one of the model's markets", example = "BTC-USD"), OfJob),
    responses(
        (status = 200, description = "the parameters", body = ParamsView),
        (status = 404, description = "not one of the model's markets, or no such job", body = ErrorBody),
        (status = 429, description = "too many requests", body = ErrorBody),
        (status = 503, description = "the chain does not answer", body = ErrorBody),
    ))]
pub(super) async fn params(
    State(shared): State<Arc<Shared>>,
    market: Result<Path<String>, PathRejection>,
    query: Result<Query<OfJob>, QueryRejection>,
) -> Result<Json<ParamsView>, ApiError> {
    Ok(Json(shared.job(query)?.parameters.of(&market?.0).await?))
}
