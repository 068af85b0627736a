//! What a request can be told, with a stable code.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::{BytesRejection, JsonRejection, PathRejection, QueryRejection};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use thiserror::Error;
use tracing::error;
use utoipa::ToSchema;

use crate::attestation::error::AttestationError;
use crate::job::yields::answer::Refusal;
use crate::state::error::StateError;
use veriregime_core::types::diagnostic::{Diagnostic, Retry};

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum ApiError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
    /// No such path.
    #[error("there is nothing at this path")]
    NoRoute,
    /// The path takes other methods.
    #[error("this path does not take this method")]
    Method,
    /// The node knows nothing of the period.
    #[error("this node has no cycle of this period")]
    NoPeriod,
    /// A market that the model does not serve.
    #[error("this is not one of the model's markets")]
    NoMarket,
    /// A digest that no kept bundle has.
    #[error("this node has no evidence with this digest")]
    NoEvidence,
    /// A parameter that means nothing.
    #[error("the request makes no sense: {0}")]
    Parameter(String),
    /// The client asks too often.
    #[error("too many requests from this address")]
    TooMany { wait: Duration },
    /// The answer took too long.
    #[error("the answer took too long")]
    Slow,
    /// The body is larger than is taken.
    #[error("the body is too large")]
    Body,
    /// The chain does not answer; with the code that the node's log has.
    #[error("the chain does not answer: {0}")]
    Chain(&'static str),
    /// A job that the node does not have.
    #[error("this node has no such job")]
    NoJob,
    /// A job that does not run yet.
    #[error("the job does not run yet")]
    NotOpened,
    /// A node without strategies.
    #[error("this node forecasts no strategies")]
    NoStrategies,
    /// Strategies that were not forecast yet.
    #[error("nothing is said of this node's strategies yet")]
    NotForecast,
    /// Strategies, or a portfolio of them, of which nothing can be said.
    #[error("{}", .0.message)]
    Refused(Refusal),
    /// A page that this program was built without.
    #[error("the dashboard was not built into this program")]
    NoPage,
    /// More listeners than there may be.
    #[error("as many listen to this node's events as may")]
    Listeners,
    /// A policy that the contract would refuse, for that field.
    #[error("the contract would refuse this policy for its {0}")]
    Policy(&'static str),
    /// A market without a policy.
    #[error("this market has no policy")]
    NoPolicy,
    /// Another policy is tried just now.
    #[error("another policy is tried just now")]
    Trying,
    /// A job of another kind than is asked about.
    #[error("this job does not forecast volatility regimes")]
    NotRegime,
    /// A contract that calls are not passed on to.
    #[error("calls are passed on to the job's contract, its registry and its verifier alone")]
    NotCallable,
    /// A call that the contract refuses.
    #[error("the contract refuses the call: {0}")]
    Reverted(String),
    /// The database does not answer.
    #[error("the node cannot read its database")]
    State(#[from] StateError),
    /// What was asked for is not attested.
    #[error(transparent)]
    Attest(AttestationError),
}

/// The body of every answer that is none.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    /// Stable code.
    #[schema(example = "VR-API-003")]
    pub code: &'static str,
    /// What is wrong, in words.
    pub message: String,
    /// What to do about it.
    pub hint: &'static str,
}

impl Diagnostic for ApiError {
    fn code(&self) -> &'static str {
        match self {
            Self::Listen { .. } => "VR-API-001",
            Self::NoRoute => "VR-API-002",
            Self::Method => "VR-API-003",
            Self::NoPeriod => "VR-API-004",
            Self::Parameter(_) => "VR-API-005",
            Self::TooMany { .. } => "VR-API-006",
            Self::Slow => "VR-API-007",
            Self::Body => "VR-API-008",
            Self::State(_) => "VR-API-009",
            Self::NoMarket => "VR-API-010",
            Self::Chain(_) => "VR-API-011",
            Self::NoEvidence => "VR-API-012",
            Self::NoJob => "VR-API-013",
            Self::NotOpened => "VR-API-014",
            Self::NoStrategies => "VR-API-015",
            Self::NotForecast => "VR-API-016",
            Self::NoPage => "VR-API-017",
            Self::Listeners => "VR-API-018",
            Self::Policy(_) => "VR-API-019",
            Self::NoPolicy => "VR-API-020",
            Self::Trying => "VR-API-024",
            Self::NotRegime => "VR-API-021",
            Self::NotCallable => "VR-API-022",
            Self::Reverted(_) => "VR-API-023",
            Self::Refused(refusal) => refusal.code,
            Self::Attest(fault) => fault.code(),
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Listen { .. } => "set api.listen to an address of this machine and a port that is free",
            Self::NoRoute | Self::Method => "/openapi.json names every path and what it takes",
            Self::NoPeriod => "/v1/periods lists those that there are",
            Self::Parameter(_) => "correct the named parameter; /openapi.json has its bounds",
            Self::TooMany { .. } => "wait for the seconds of Retry-After",
            Self::Slow => "ask again; if it goes on, look at the node's load",
            Self::Body => "send less",
            Self::State(_) => "look at the node's log",
            Self::NoMarket => "/v1/model names the markets",
            Self::NoEvidence => "/v1/periods/{period} names the bundle of each update; old ones are deleted",
            Self::NoJob => "/v1/jobs names those that there are",
            Self::NotOpened => "ask again; if it goes on, look at the node's log for what keeps the job from opening",
            Self::NoStrategies => "name strategies as [[yields.strategies]] in the settings",
            Self::NotForecast => "ask again; if it goes on, look at the node's log for what keeps rates from coming",
            Self::NoPage => "build it by `make build` or `make node`, which build the page in web/ first",
            Self::Listeners => {
                "ask again later, or for /v1/jobs now and then; api.max_connections bounds listeners, too"
            }
            Self::Policy(_) => {
                "correct that field: knots rise and tighten, and all lies within the bounds of /v1/policy"
            }
            Self::NoPolicy => "`veriregime-agent deploy` gives it one",
            Self::Trying => "ask again when it is done",
            Self::NotRegime => "ask of a job whose kind is `regime` in /v1/overview",
            Self::NotCallable => {
                "call one of these at the chain that the job is on; any other contract at an RPC of your own"
            }
            Self::Reverted(_) => "read the contract's error; of a verifier it means no",
            Self::Refused(refusal) => refusal.hint,
            Self::Attest(fault) => fault.hint(),
            Self::Chain(_) => "ask again in some seconds; /readyz says what is wrong with the chain",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::TooMany { wait } => Retry::Later(*wait),
            Self::Attest(fault) => fault.retry(),
            Self::Listeners => Retry::Later(Duration::from_secs(10)),
            Self::Slow | Self::Trying | Self::State(_) | Self::Chain(_) | Self::NotOpened | Self::NotForecast => {
                Retry::Later(Duration::from_secs(1))
            }
            _ => Retry::Never,
        }
    }
}

impl ApiError {
    fn status(&self) -> StatusCode {
        match self {
            Self::NoRoute
            | Self::NoPeriod
            | Self::NoMarket
            | Self::NoEvidence
            | Self::NoJob
            | Self::NoStrategies
            | Self::NoPage
            | Self::NoPolicy => StatusCode::NOT_FOUND,
            Self::Refused(_) | Self::NotRegime | Self::NotCallable | Self::Reverted(_) | Self::Policy(_) => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Parameter(_) => StatusCode::BAD_REQUEST,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Attest(fault) if fault.retry() == Retry::Never => StatusCode::CONFLICT,
            Self::Body => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Listen { .. }
            | Self::Slow
            | Self::Listeners
            | Self::Trying
            | Self::NotOpened
            | Self::NotForecast
            | Self::State(_)
            | Self::Chain(_)
            | Self::Attest(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let Self::State(fault) = &self {
            error!(code = fault.code(), error = %fault, "the API cannot read the database");
        }
        let body = ErrorBody { code: self.code(), message: self.to_string(), hint: self.hint() };
        let mut response = (self.status(), Json(body)).into_response();
        if let Retry::Later(wait) = self.retry() {
            // Whole seconds, and never none.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            response.headers_mut().insert(RETRY_AFTER, seconds.max(1).into());
        }
        response
    }
}

/// What is wrong with database or chain is for the node's log, and not for whoever asks.
impl From<AttestationError> for ApiError {
    fn from(fault: AttestationError) -> Self {
        match fault {
            AttestationError::State(fault) => Self::State(fault),
            AttestationError::Chain(fault) => Self::Chain(fault.code()),
            fault => Self::Attest(fault),
        }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<BytesRejection> for ApiError {
    fn from(rejection: BytesRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::Body,
            _ => Self::Parameter(rejection.body_text()),
        }
    }
}

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> Self {
        Self::Parameter(rejection.body_text())
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::Parameter(rejection.body_text())
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::Body,
            _ => Self::Parameter(rejection.body_text()),
        }
    }
}
