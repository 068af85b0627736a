//! One RPC: the way to it, by HTTP or WebSocket, with a bound on what it may answer.

use std::time::Duration;

use alloy::providers::{WebSocketConfig, WsConnect};
use alloy::pubsub::{PubSubConnect, PubSubFrontend};
use alloy::rpc::json_rpc::{ErrorPayload, Id, RequestPacket, Response, ResponsePacket, ResponsePayload};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use tokio::sync::Mutex;

use crate::chain::error::ChainError;
use crate::http::{self, BodyError};
use veriregime_core::types::diagnostic::{innermost, quoted};
use veriregime_core::types::rpc_url::RpcUrl;

/// Longest answer that is read. The longest that the agent asks for, a block with its transaction hashes, stays far below.
const MAX_ANSWER_BYTES: usize = 4 << 20;

/// The way to an RPC.
#[derive(Debug)]
pub(crate) enum Transport {
    Http { client: reqwest::Client, url: RpcUrl },
    WebSocket { connection: Mutex<Option<PubSubFrontend>>, url: RpcUrl },
}

impl Transport {
    /// Prepares the way; nothing is sent yet.
    ///
    /// # Errors
    /// [`ChainError::Unreachable`] for a system that cannot make connections.
    pub(crate) fn new(url: RpcUrl) -> Result<Self, ChainError> {
        if url.is_websocket() {
            return Ok(Self::WebSocket { connection: Mutex::new(None), url });
        }
        let client = http::client(url.expose()).build().map_err(|error| ChainError::Unreachable(error.to_string()))?;
        Ok(Self::Http { client, url })
    }

    /// Asks, and waits no longer than `timeout`.
    ///
    /// # Errors
    /// [`ChainError::Unreachable`], [`ChainError::Refused`] for an HTTP error, [`ChainError::Garbage`].
    pub(crate) async fn ask(&self, packet: RequestPacket, timeout: Duration) -> Result<ResponsePacket, ChainError> {
        let answered = tokio::time::timeout(timeout, async {
            match self {
                Self::Http { client, url } => post(client, url, &packet).await,
                Self::WebSocket { connection, url } => converse(connection, url, packet.clone()).await,
            }
        });
        let outcome = answered.await.unwrap_or_else(|_| Err(ChainError::Unreachable("no answer in time".into())));
        if let (Err(_), Self::WebSocket { connection, .. }) = (&outcome, self) {
            // The next request makes a new connection.
            *connection.lock().await = None;
        }
        let answer = outcome?;
        match (&packet, &answer) {
            (RequestPacket::Single(asked), ResponsePacket::Single(answer))
                if answer.payload.is_success() && answer.id != *asked.id() =>
            {
                Err(ChainError::Garbage("an answer to something else".into()))
            }
            _ => Ok(answer),
        }
    }
}

async fn post(client: &reqwest::Client, url: &RpcUrl, packet: &RequestPacket) -> Result<ResponsePacket, ChainError> {
    let unreachable = |error: reqwest::Error| ChainError::Unreachable(quoted(&innermost(&error.without_url())));
    let response = client.post(url.expose().clone()).json(packet).send().await.map_err(unreachable)?;
    let status = response.status();
    let body = http::body(response, MAX_ANSWER_BYTES).await.map_err(|error| match error {
        BodyError::TooLong { limit_bytes } => ChainError::Garbage(format!("more than {limit_bytes} bytes")),
        BodyError::Broken(error) => unreachable(error),
    })?;
    match serde_json::from_slice::<Envelope>(&body).and_then(Envelope::open) {
        // Some nodes send their JSON-RPC errors with an HTTP error.
        Ok(answer) if status.is_success() || answer.is_error() => Ok(answer),
        _ if !status.is_success() => Err(ChainError::Refused(format!("HTTP status {status}"))),
        Ok(_) => Err(ChainError::Garbage("an answer that is none".into())),
        Err(error) => Err(ChainError::Garbage(quoted(&error.to_string()))),
    }
}

/// An answer as nodes write it: `"error": null` beside a result is no error.
#[derive(Deserialize)]
struct Envelope {
    #[serde(default = "no_id")]
    id: Id,
    #[serde(default, deserialize_with = "even_null")]
    result: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<ErrorPayload>,
}

fn no_id() -> Id {
    Id::None
}

/// What is there; `null` is there, too.
fn even_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::deserialize(deserializer).map(Some)
}

impl Envelope {
    fn open(self) -> serde_json::Result<ResponsePacket> {
        let payload = match (self.error, self.result) {
            (Some(error), _) => ResponsePayload::Failure(error),
            (None, Some(result)) => ResponsePayload::Success(result),
            (None, None) => return Err(serde::de::Error::custom("neither a result nor an error")),
        };
        Ok(ResponsePacket::Single(Response { id: self.id, payload }))
    }
}

async fn converse(
    connection: &Mutex<Option<PubSubFrontend>>,
    url: &RpcUrl,
    packet: RequestPacket,
) -> Result<ResponsePacket, ChainError> {
    let unreachable = |error| ChainError::Unreachable(quoted(&innermost(&error)));
    let frontend = {
        let mut connection = connection.lock().await;
        if let Some(frontend) = &*connection {
            frontend.clone()
        } else {
            let bounds = WebSocketConfig::default()
                .max_message_size(Some(MAX_ANSWER_BYTES))
                .max_frame_size(Some(MAX_ANSWER_BYTES));
            // It is connected again by the next request, not behind our back.
            let connect = WsConnect::new(url.expose().as_str()).with_config(bounds).with_max_retries(0);
            connection.insert(connect.into_service().await.map_err(unreachable)?).clone()
        }
    };
    frontend.send_packet(packet).await.map_err(unreachable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_that_is_null_is_none() {
        let opened = |text: &str| serde_json::from_str::<Envelope>(text).and_then(Envelope::open);
        let answer = opened(r#"{"jsonrpc": "2.0", "id": 1, "result": "0x1", "error": null}"#).unwrap();
        assert!(answer.is_success());
        let nothing = opened(r#"{"id": 1, "error": null, "result": null}"#).unwrap();
        assert_eq!(nothing.as_single().unwrap().payload.as_success().unwrap().get(), "null");
        let error = opened(r#"{"id": null, "result": null, "error": {"code": -32000, "message": "no"}}"#).unwrap();
        assert_eq!(error.first_error_message(), Some("no"));
        for text in ["{}", "[]", "null", r#"{"id": 1, "error": null}"#, r#"{"id": 1, "result": 5, "error": "no"}"#] {
            assert!(opened(text).is_err(), "{text}");
        }
    }
}
