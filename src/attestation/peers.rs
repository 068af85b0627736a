//! Other operators' nodes: each asked with its own bounds, and none believed.

use std::time::Duration;

use alloy::primitives::Address;
use reqwest::Client;
use serde::Deserialize;
use thiserror::Error;
use tokio::task::JoinSet;
use url::Url;

use crate::attestation::statement::Statement;
use crate::http::{self, BodyError};
use veriregime_core::types::attestation::Attestation;
use veriregime_core::types::diagnostic::{Diagnostic, Retry, innermost, quoted};

/// Where a node is asked.
const PATH: &str = "v1/attest";
/// Largest answer.
const MAX_ANSWER_BYTES: usize = 16 << 10;

/// Why another operator's answer is worth nothing.
#[derive(Debug, Error)]
pub enum PeerError {
    /// It does not answer.
    #[error("it does not answer: {0}")]
    Unreachable(String),
    /// It answers something else than an attestation or an error.
    #[error("its answer makes no sense: {0}")]
    Garbage(String),
    /// It says why it does not attest.
    #[error("it refuses with {code}: {message}")]
    Refused { code: String, message: String },
    /// A signature that is not its signer's, or of something else.
    #[error("the signature is not one of {0} over this update")]
    NotSigned(Address),
    /// A signer whom the contract does not know.
    #[error("{0} is not in the contract's attestor set")]
    NoAttestor(Address),
}

impl Diagnostic for PeerError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "VR-PEER-001",
            Self::Garbage(_) => "VR-PEER-002",
            Self::Refused { .. } => "VR-PEER-003",
            Self::NotSigned(_) => "VR-PEER-004",
            Self::NoAttestor(_) => "VR-PEER-005",
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "check the address in attestation.peers; ask its operator",
            Self::Garbage(_) => {
                "check that the address in attestation.peers is a node's API and no proxy answers for it"
            }
            Self::Refused { .. } => "look its code up in the operator handbook; ask its operator",
            Self::NotSigned(_) => {
                "ask its operator for chain, contract and version; a node that lies can do no more than this"
            }
            Self::NoAttestor(_) => {
                "ask the contract's owner to take it into the set, or take it out of attestation.peers"
            }
        }
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }
}

/// The operators to ask.
#[derive(Debug, Clone)]
pub struct Peers(Vec<Peer>);

#[derive(Debug, Clone)]
struct Peer {
    /// Host and port: there may be secrets in the rest.
    name: String,
    url: Url,
    client: Client,
}

impl Peers {
    /// Prepares to ask the nodes whose APIs have these addresses, each for `timeout` at most.
    ///
    /// # Errors
    /// [`PeerError::Unreachable`] for a system that cannot make connections.
    pub fn new(urls: &[Url], timeout: Duration) -> Result<Self, PeerError> {
        let peer = |url: &Url| {
            let client = http::client(url)
                .timeout(timeout)
                .build()
                .map_err(|error| PeerError::Unreachable(error.to_string()))?;
            let mut whole = url.clone();
            whole.set_path(&format!("{}/{PATH}", url.path().trim_end_matches('/')));
            Ok(Peer { name: name(url), url: whole, client })
        };
        Ok(Self(urls.iter().map(peer).collect::<Result<_, _>>()?))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Asks all of them at once. Answers come as they are given, with the name of who gives them; who drops the set asks no
    /// further.
    pub fn ask(&self, statement: &Statement) -> JoinSet<(String, Result<Attestation, PeerError>)> {
        let mut asked = JoinSet::new();
        for peer in self.0.iter().cloned() {
            let statement = statement.clone();
            asked.spawn(async move {
                let answer = peer.ask(&statement).await;
                (peer.name, answer)
            });
        }
        asked
    }
}

impl Peer {
    async fn ask(&self, statement: &Statement) -> Result<Attestation, PeerError> {
        #[derive(Deserialize)]
        struct Refusal {
            code: String,
            message: String,
        }
        let answer = self.client.post(self.url.clone()).json(statement).send().await.map_err(unreachable)?;
        let status = answer.status();
        let body = http::body(answer, MAX_ANSWER_BYTES).await.map_err(|error| match error {
            BodyError::TooLong { limit_bytes } => PeerError::Garbage(format!("more than {limit_bytes} bytes")),
            BodyError::Broken(error) => unreachable(error),
        })?;
        let garbage = |error: serde_json::Error| PeerError::Garbage(quoted(&format!("status {status}, {error}")));
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(garbage);
        }
        let refusal: Refusal = serde_json::from_slice(&body).map_err(garbage)?;
        Err(PeerError::Refused { code: quoted(&refusal.code), message: quoted(&refusal.message) })
    }
}

/// The innermost reason, without the address.
fn unreachable(error: reqwest::Error) -> PeerError {
    let error = error.without_url();
    PeerError::Unreachable(quoted(&innermost(&error)))
}

fn name(url: &Url) -> String {
    let host = url.host_str().unwrap_or("?");
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
