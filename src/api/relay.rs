//! `POST /v1/call`: asks a job's contract, its registry or its verifier something at the chain, for a page that must not know an
//! RPC. It costs the RPC: few at a time, and the same question once in some seconds.

use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::{Address, B256, Bytes};
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use super::Shared;
use super::cached::Cached;
use crate::actions::{Action, verifier};
use crate::api::error::{ApiError, ErrorBody};
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use veriregime_core::types::diagnostic::Diagnostic;

/// Longest data of a call, and longest answer.
const MAX_CALL_BYTES: usize = 64 << 10;
/// Gas that a call may use: a verification takes a tenth of it.
const CALL_GAS: u64 = 15_000_000;
/// Calls at a time, of all clients together.
const CALLS: usize = 4;
/// An answer is good for this long.
const FRESH: Duration = Duration::from_secs(3);
/// And so many are kept.
const ANSWERS: usize = 16;
/// Longest wait for the chain.
const CHAIN_LIMIT: Duration = Duration::from_secs(4);
/// The verifier of a model, and what a mined transaction cost, do not change.
const LASTING: Duration = Duration::from_mins(10);
/// Prices of transactions that are kept.
const PRICES: usize = 64;

/// What of a job's chain may be asked on behalf of a client.
#[derive(Debug)]
pub struct Relay {
    read: Reader,
    action: Action,
    places: Cached<(), Places>,
    prices: Cached<B256, u128>,
    answers: Cached<(Address, Bytes), Result<Bytes, String>>,
    turn: Semaphore,
}

/// What belongs to a job's contract.
#[derive(Debug, Clone, Copy)]
struct Places {
    registry: Address,
    verifier: Address,
}

impl Relay {
    /// Of a job's action on its chain.
    pub fn new(read: Reader, action: Action) -> Self {
        Self {
            read,
            action,
            places: Cached::new(1, LASTING),
            prices: Cached::new(PRICES, LASTING),
            answers: Cached::new(ANSWERS, FRESH),
            turn: Semaphore::new(CALLS),
        }
    }

    /// The verifier of the job's model.
    pub(super) async fn verifier(&self) -> Result<Address, ApiError> {
        Ok(self.places().await?.verifier)
    }

    /// What a unit of gas of a mined transaction cost, in wei; `None` where the chain does not say it.
    pub(super) async fn gas_price_wei(&self, transaction: B256) -> Option<u128> {
        let ask = async {
            let receipt = within(self.read.receipt(transaction)).await?;
            receipt.and_then(|receipt| receipt.effective_gas_price).map(u128::from).ok_or_else(silent)
        };
        self.prices.get(transaction, ask).await.ok().map(|price| *price)
    }

    async fn places(&self) -> Result<Arc<Places>, ApiError> {
        let ask = async {
            let contract = self.action.contract();
            let model_id =
                async { self.action.model_id(&self.read).await.map_err(|fault| ApiError::Chain(fault.code())) };
            let model_id = tokio::time::timeout(CHAIN_LIMIT, model_id).await.map_err(|_| silent())??;
            let (registry, of_model) =
                tokio::join!(within(self.read.registry_of(contract)), within(verifier(&self.read, contract, model_id)));
            Ok(Places { registry: registry?, verifier: of_model?.0 })
        };
        self.places.get((), ask).await
    }

    async fn call(&self, to: Address, data: Bytes) -> Result<Bytes, ApiError> {
        if data.len() > MAX_CALL_BYTES {
            return Err(ApiError::Body);
        }
        if to != self.action.contract() {
            let places = self.places().await?;
            if to != places.registry && to != places.verifier {
                return Err(ApiError::NotCallable);
            }
        }
        let key = (to, data.clone());
        if let Some(known) = self.answers.find(&key).await {
            return told(&known);
        }
        let _one_of_few = self.turn.try_acquire().map_err(|_| ApiError::Slow)?;
        let asked = tokio::time::timeout(CHAIN_LIMIT, self.read.call(to, data, CALL_GAS)).await;
        let answer = match asked.map_err(|_| silent())? {
            Ok(answer) if answer.len() > MAX_CALL_BYTES => {
                return Err(ApiError::Chain(ChainError::Garbage(String::new()).code()));
            }
            Ok(answer) => Ok(answer),
            Err(ChainError::Rejected(revert)) => Err(revert.to_string()),
            Err(fault) => return Err(ApiError::Chain(fault.code())),
        };
        let kept = self.answers.put(key, answer).await;
        told(&kept)
    }
}

/// An answer of the chain, if it comes in time.
async fn within<T>(asked: impl Future<Output = Result<T, ChainError>>) -> Result<T, ApiError> {
    match tokio::time::timeout(CHAIN_LIMIT, asked).await {
        Ok(answer) => answer.map_err(|fault| ApiError::Chain(fault.code())),
        Err(_) => Err(silent()),
    }
}

fn silent() -> ApiError {
    ApiError::Chain(ChainError::Unreachable(String::new()).code())
}

fn told(answer: &Result<Bytes, String>) -> Result<Bytes, ApiError> {
    answer.clone().map_err(ApiError::Reverted)
}

/// A call without a transaction.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CallBody {
    /// Name of a job of `/v1/jobs`; the first one if absent.
    job: Option<String>,
    /// The job's contract, its registry or its verifier, 0x-hex.
    #[schema(value_type = String)]
    to: Address,
    /// What it is asked, 0x-hex; 64 kB at most.
    #[schema(value_type = String)]
    data: Bytes,
}

/// What the contract answers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CallAnswer {
    /// The bytes that it gives back, 0x-hex.
    #[schema(value_type = String)]
    result: Bytes,
}

/// Asks a contract of the job at the newest block, as `eth_call` does: nothing is sent. The same question is passed on once in
/// three seconds, and few are passed on at a time.
#[utoipa::path(post, path = "/v1/call", request_body = CallBody, responses(
    (status = 200, description = "its answer", body = CallAnswer),
    (status = 400, description = "a body that makes no sense", body = ErrorBody),
    (status = 404, description = "no job of this node", body = ErrorBody),
    (status = 413, description = "the body, or what is asked, is too large", body = ErrorBody),
    (status = 422, description = "not a contract of the job, or it refuses the call", body = ErrorBody),
    (status = 429, description = "too many requests", body = ErrorBody),
    (status = 503, description = "the chain does not answer, too many calls wait, or the job does not run yet", body = ErrorBody),
))]
pub(super) async fn call(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<CallBody>, JsonRejection>,
) -> Result<Json<CallAnswer>, ApiError> {
    let Json(CallBody { job, to, data }) = body?;
    let result = shared.jobs.of(job.as_deref())?.relay.call(to, data).await?;
    Ok(Json(CallAnswer { result }))
}
