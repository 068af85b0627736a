//! `GET /v1/operations`: how a job works: transactions, RPCs, sources, wallet, and how its periods went.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::{OfJob, Shared};
use crate::api::error::{ApiError, ErrorBody};
use crate::chain::rpc::endpoints::EndpointState;
use crate::http::Used;
use crate::job::feeds::Feed;
use crate::state::operations::{CycleRow, SignedRow};
use crate::state::reader::Reader;
use veriregime_core::types::cycle::Purpose;
use veriregime_core::types::origin::Origin;

/// Transactions and periods that are told.
const TRANSACTIONS: u32 = 200;
const PERIODS: u32 = 2_000;
const PIPS_OF_BPS: f64 = 100.0;

/// A transaction that was signed for a period.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SentTransactionView {
    period: u64,
    start_ms: i64,
    nonce: u64,
    /// 0x-hex.
    hash: String,
    wallet: String,
    /// `action`, or `cancel` for one that only uses up a nonce.
    purpose: &'static str,
    /// Unix milliseconds; 0 where it was not noted.
    signed_ms: i64,
    /// Wei, decimal.
    max_fee_per_gas_wei: String,
    priority_fee_wei: String,
    /// Where it is on chain.
    landed: Option<PlaceView>,
    /// Whether another one was signed with its nonce.
    is_replaced: bool,
}

/// A transaction's place on chain.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PlaceView {
    block: u64,
    gas_used: u64,
}

/// An RPC.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EndpointView {
    /// Scheme, host and port.
    name: String,
    /// `read`: every RPC is read from in its turn, and sent to.
    kind: &'static str,
    /// `good`, `failing`, `lagging` or `foreign`.
    state: &'static str,
    /// Of its last answer.
    latency_ms: Option<u64>,
    /// Its newest block when it was last looked at.
    head: Option<u64>,
    requests: u64,
    /// Requests without an answer since the start of the node.
    errors: u64,
}

/// An exchange.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SourceView {
    name: String,
    /// `used` for the newest period, `failed` for it, or `idle`.
    state: &'static str,
    requests: u64,
    errors: u64,
    latency_ms: Option<u64>,
    /// Largest difference of a minute's return from the one that is used, where it was compared for the newest period.
    disagreement_bps: Option<f64>,
}

/// The wallet that pays.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WalletView {
    address: String,
    /// Wei, decimal.
    balance_wei: String,
    /// Updates that it pays for at the fee of now.
    updates_left: Option<u64>,
}

/// How a period went.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HeatView {
    period: u64,
    start_ms: i64,
    stage: &'static str,
    /// From the period's start to its last stage; null while it is not over.
    seconds_after_start: Option<i64>,
    /// Code of what it was missed for, or what keeps it.
    code: Option<String>,
}

/// How a job works.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OperationsView {
    /// The newest 200, newest first.
    transactions: Vec<SentTransactionView>,
    endpoints: Vec<EndpointView>,
    sources: Vec<SourceView>,
    /// Null where the chain does not answer.
    wallet: Option<WalletView>,
    /// The newest 2,000 periods, oldest first.
    heat: Vec<HeatView>,
}

impl From<SignedRow> for SentTransactionView {
    fn from(row: SignedRow) -> Self {
        let SignedRow { period, start_ms, signed_ms, attempt, landed, is_replaced } = row;
        Self {
            period: period.0,
            start_ms,
            nonce: attempt.nonce,
            hash: attempt.hash.to_string(),
            wallet: attempt.wallet.to_string(),
            purpose: match attempt.purpose {
                Purpose::Action => "action",
                Purpose::Cancel => "cancel",
            },
            signed_ms,
            max_fee_per_gas_wei: attempt.max_fee_per_gas_wei.to_string(),
            priority_fee_wei: attempt.priority_fee_wei.to_string(),
            landed: landed.map(|landed| PlaceView { block: landed.block, gas_used: landed.gas_used }),
            is_replaced,
        }
    }
}

impl From<EndpointState> for EndpointView {
    fn from(endpoint: EndpointState) -> Self {
        let EndpointState { name, state, usage: Used { requests, errors, latency_ms }, head } = endpoint;
        Self { name, kind: "read", state, latency_ms, head, requests, errors }
    }
}

impl From<CycleRow> for HeatView {
    fn from(row: CycleRow) -> Self {
        let seconds = (row.updated_ms - row.start_ms).max(0) / 1000;
        Self {
            period: row.period.0,
            start_ms: row.start_ms,
            stage: row.stage.name(),
            seconds_after_start: row.stage.is_final().then_some(seconds),
            code: row.code,
        }
    }
}

impl SourceView {
    fn new(name: &str, used: Used, origin: Option<&Origin>) -> Self {
        let is_used = origin.is_some_and(|origin| origin.source == name);
        let has_failed = origin.is_some_and(|origin| origin.failed.iter().any(|failed| failed.source == name));
        let compared = origin.into_iter().flat_map(|origin| &origin.witnesses).filter(|witness| witness.source == name);
        let worst = compared.map(|witness| witness.worst_pips).max();
        Self {
            name: name.to_owned(),
            state: match (is_used, has_failed) {
                (true, _) => "used",
                (false, true) => "failed",
                (false, false) => "idle",
            },
            requests: used.requests,
            errors: used.errors,
            latency_ms: used.latency_ms,
            disagreement_bps: worst.map(|pips| pips as f64 / PIPS_OF_BPS),
        }
    }
}

/// How a job works: its transactions, RPCs and sources, the wallet that pays, and how its periods went.
#[utoipa::path(get, path = "/v1/operations", params(OfJob), responses(
    (status = 200, description = "how the job works", body = OperationsView),
    (status = 404, description = "no job of this node", body = ErrorBody),
    (status = 429, description = "too many requests", body = ErrorBody),
    (status = 503, description = "the job does not run yet, or the database does not answer", body = ErrorBody),
))]
pub(super) async fn operations(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<OfJob>, QueryRejection>,
) -> Result<Json<OperationsView>, ApiError> {
    let job = shared.job(query)?;
    let (details, key) = (&job.details, job.details.parts.job);
    let read = move |reader: &Reader| Ok((reader.signed(key, TRANSACTIONS)?, reader.outcomes_of_cycles(key, PERIODS)?));
    let (signed, cycles) = details.read(read).await?;
    let newest = job.history.newest().await?;
    let origin = newest.iter().find_map(|known| known.record.origin.as_ref());
    let source = |feed: &Arc<Feed>| SourceView::new(&feed.name, feed.source.used(), origin);
    let wallet = details.funds().await.map(|funds| WalletView {
        address: details.parts.wallet.to_string(),
        balance_wei: funds.balance_wei.to_string(),
        updates_left: Some(funds.updates),
    });
    Ok(Json(OperationsView {
        transactions: signed.into_iter().map(SentTransactionView::from).collect(),
        endpoints: details.parts.chain.endpoints().into_iter().map(EndpointView::from).collect(),
        sources: details.parts.sources.iter().map(source).collect(),
        wallet,
        heat: cycles.into_iter().map(HeatView::from).collect(),
    }))
}
