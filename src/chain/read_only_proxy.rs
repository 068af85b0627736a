//! Our RPCs for a program beside us that only reads: it learns no address with a customer's key in it, and nothing that it
//! asks can send anything.

use std::borrow::Cow;

use alloy::providers::Provider;
use alloy::transports::RpcError;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::read::Reader;
use crate::chain::error::ChainError;
use veriregime_core::types::diagnostic::quoted;

/// Requests that may come in one packet.
const MAX_PACKET: usize = 100;
/// JSON-RPC's codes for what we do not take and for what failed.
const UNKNOWN_METHOD: i64 = -32_601;
const FAILED: i64 = -32_000;

/// Answers reading requests on `listener` until `stop` is cancelled.
///
/// # Errors
/// [`ChainError::Unreachable`] where the listener fails.
pub async fn serve(reader: Reader, listener: TcpListener, stop: CancellationToken) -> Result<(), ChainError> {
    let router = Router::new().route("/", post(answer)).with_state(reader);
    let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
    served.map_err(|error| ChainError::Unreachable(error.to_string()))
}

async fn answer(State(reader): State<Reader>, Json(packet): Json<Value>) -> Json<Value> {
    let Value::Array(requests) = packet else { return Json(one(&reader, packet).await) };
    let mut answers = Vec::new();
    for request in requests.into_iter().take(MAX_PACKET) {
        answers.push(one(&reader, request).await);
    }
    Json(Value::Array(answers))
}

async fn one(reader: &Reader, mut request: Value) -> Value {
    let (id, params) = (request["id"].take(), request["params"].take());
    let method = request["method"].as_str().unwrap_or_default();
    if !reads(method) {
        return json!({"jsonrpc": "2.0", "id": id, "error": {"code": UNKNOWN_METHOD, "message": "it only reads"}});
    }
    let params = if params.is_null() { json!([]) } else { params };
    match reader.provider.raw_request::<Value, Value>(Cow::Owned(method.to_owned()), params).await {
        Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        Err(RpcError::ErrorResp(payload)) => json!({"jsonrpc": "2.0", "id": id, "error": payload}),
        Err(error) => {
            let message = quoted(&ChainError::from(error).to_string());
            json!({"jsonrpc": "2.0", "id": id, "error": {"code": FAILED, "message": message}})
        }
    }
}

/// Whether a method only reads.
fn reads(method: &str) -> bool {
    let names =
        ["eth_call", "eth_chainId", "eth_blockNumber", "eth_gasPrice", "eth_maxPriorityFeePerGas", "eth_feeHistory"];
    names.contains(&method) || method.starts_with("eth_get") || matches!(method, "net_version" | "web3_clientVersion")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_sends_or_signs_passes() {
        for method in
            ["eth_sendRawTransaction", "eth_sendTransaction", "eth_sign", "personal_sign", "anvil_setBalance", ""]
        {
            assert!(!reads(method), "{method}");
        }
        assert!(reads("eth_call") && reads("eth_getStorageAt"));
    }
}
