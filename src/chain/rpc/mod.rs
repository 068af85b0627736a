//! One transport over several RPCs. Reads go to the first one in good standing and on to the next where it fails;
//! signed transactions go to all of them, the same bytes.

pub mod endpoints;
pub mod error_class;
pub mod transport;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use alloy::primitives::U64;
use alloy::rpc::json_rpc::{Id, Request, RequestPacket, ResponsePacket};
use alloy::transports::{TransportError, TransportErrorKind, TransportFut};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tracing::{info, warn};

use super::Settings;
use super::answers::{self, Block};
use crate::chain::error::ChainError;
use crate::http::Usage;
use crate::telemetry::metrics;
use error_class::{ErrorClass, meaning};
use transport::Transport;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::diagnostic::quoted;
use veriregime_core::types::rpc_url::RpcUrl;

/// An RPC that failed is asked again after this time at the earliest, as long as another one works.
const COOL_DOWN: Duration = Duration::from_secs(30);
/// Chain id and newest block of every RPC are looked at this often, while anything is asked at all.
const VET_EVERY: Duration = Duration::from_secs(15);
/// Longest wait for that look.
const VET_TIMEOUT: Duration = Duration::from_secs(3);
/// Once one RPC has taken a transaction, the others get this much time more.
const SEND_GRACE: Duration = Duration::from_secs(1);
const SEND_METHOD: &str = "eth_sendRawTransaction";
/// The block that is still made, and the newest one, in the parameters of a request.
const PENDING: &str = "pending";
const LATEST: &str = "latest";

/// The RPCs.
#[derive(Debug, Clone)]
pub(crate) struct Rpcs {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    endpoints: Vec<Arc<Endpoint>>,
    chain_id: u64,
    max_head_lag: Duration,
    request_timeout: Duration,
    vetted: tokio::sync::Mutex<Option<Instant>>,
}

#[derive(Debug)]
struct Endpoint {
    /// Its place in the settings.
    index: usize,
    chain_id: u64,
    link: Transport,
    url: RpcUrl,
    standing: Mutex<EndpointHealth>,
    /// It knows nothing of the block that is still made, and is asked about the newest one instead.
    has_no_pending: AtomicBool,
    usage: Usage,
    /// Its newest block when it was last looked at; 0 before.
    head: AtomicU64,
}

/// What is thought of an RPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EndpointHealth {
    Good,
    /// It failed: asked before its time only where no other one works.
    Failing(Instant),
    /// It lags behind: not asked.
    Lagging(Instant),
    /// It is on that chain: neither asked nor sent anything.
    Foreign(Instant, u64),
}

/// What an RPC answers when it is vetted: chain id and Unix time of its newest block.
type Vetted = (u64, u64);

impl Rpcs {
    /// Prepares the ways; nothing is sent yet.
    ///
    /// # Errors
    /// [`ChainError::Unreachable`] for a system that cannot make connections.
    pub(crate) fn new(settings: &Settings) -> Result<Self, ChainError> {
        let endpoints = settings.rpc_urls.iter().enumerate().map(|(index, url)| {
            let standing = Mutex::new(EndpointHealth::Good);
            let (link, has_no_pending) = (Transport::new(url.clone())?, AtomicBool::new(false));
            Ok(Arc::new(Endpoint {
                index,
                chain_id: settings.chain_id,
                link,
                url: url.clone(),
                standing,
                has_no_pending,
                usage: Usage::default(),
                head: AtomicU64::new(0),
            }))
        });
        let inner = Inner {
            endpoints: endpoints.collect::<Result<_, ChainError>>()?,
            chain_id: settings.chain_id,
            max_head_lag: settings.max_head_lag,
            request_timeout: settings.request_timeout,
            vetted: tokio::sync::Mutex::new(None),
        };
        Ok(Self { inner: Arc::new(inner) })
    }
}

impl Inner {
    async fn dispatch(&self, packet: RequestPacket) -> Result<ResponsePacket, ChainError> {
        self.probe().await;
        if packet.method_names().any(|method| method == SEND_METHOD) {
            self.send(packet).await
        } else {
            self.read(packet).await
        }
    }

    /// Asks one RPC after another until one gives what is asked for. That the chain refuses is an answer where no RPC in
    /// good standing says otherwise; that a node refuses is none.
    async fn read(&self, packet: RequestPacket) -> Result<ResponsePacket, ChainError> {
        let mut best: Option<(ErrorClass, ResponsePacket)> = None;
        let mut silence = None;
        for endpoint in self.in_order()? {
            let is_answered = best.as_ref().is_some_and(|(meaning, _)| *meaning <= ErrorClass::Answer);
            if is_answered && !endpoint.is_good() {
                break;
            }
            match endpoint.ask(&packet, self.request_timeout).await {
                Ok(answer) => match answer.as_error().map(meaning) {
                    None => {
                        endpoint.works();
                        if is_answered {
                            warn!(rpc = %endpoint.url, "the RPC does what another one refuses, it is believed");
                        }
                        return Ok(answer);
                    }
                    Some(meaning) => {
                        if meaning == ErrorClass::Busy {
                            endpoint.fails(&ChainError::Refused("too many requests".into()));
                        }
                        // The words of a node say more than silence, and the chain's more than a node's.
                        if best.as_ref().is_none_or(|(best, _)| meaning < *best) {
                            best = Some((meaning, answer));
                        }
                    }
                },
                Err(fault) => {
                    endpoint.fails(&fault);
                    silence.get_or_insert(fault);
                }
            }
        }
        match best {
            Some((_, answer)) => Ok(answer),
            None => Err(silence.unwrap_or_else(|| ChainError::Unreachable("every RPC is set aside".into()))),
        }
    }

    /// Sends to all RPCs at once. It worked if one of them took it; otherwise the answer that says most is given.
    async fn send(&self, packet: RequestPacket) -> Result<ResponsePacket, ChainError> {
        let mut asked = JoinSet::new();
        for endpoint in self.endpoints.iter().filter(|endpoint| !endpoint.is_foreign()) {
            let (endpoint, packet, timeout) = (endpoint.clone(), packet.clone(), self.request_timeout);
            asked.spawn(async move {
                let answer = endpoint.counted(packet, timeout).await;
                if let Err(fault) = &answer {
                    endpoint.fails(fault);
                }
                answer
            });
        }
        let mut best: Option<(ErrorClass, ResponsePacket)> = None;
        let mut silence = ChainError::Unreachable("every RPC is set aside".into());
        while let Some(answer) = asked.join_next().await {
            match answer {
                Ok(Ok(answer)) => match answer.as_error().map(meaning) {
                    None => {
                        let others = async { while asked.join_next().await.is_some() {} };
                        let _ = tokio::time::timeout(SEND_GRACE, others).await;
                        return Ok(answer);
                    }
                    Some(meaning) if best.as_ref().is_none_or(|(best, _)| meaning < *best) => {
                        best = Some((meaning, answer));
                    }
                    Some(_) => {}
                },
                Ok(Err(fault)) => silence = fault,
                Err(error) => silence = ChainError::Unreachable(error.to_string()),
            }
        }
        best.map_or(Err(silence), |(_, answer)| Ok(answer))
    }

    /// Those in good standing, then those that failed.
    fn in_order(&self) -> Result<Vec<&Endpoint>, ChainError> {
        let (mut good, mut failing, mut foreign) = (Vec::new(), Vec::new(), None);
        for endpoint in &self.endpoints {
            match *endpoint.standing() {
                EndpointHealth::Good => good.push(&**endpoint),
                EndpointHealth::Failing(_) => failing.push(&**endpoint),
                EndpointHealth::Lagging(_) => {}
                EndpointHealth::Foreign(_, actual) => foreign = Some(actual),
            }
        }
        good.append(&mut failing);
        match foreign {
            Some(actual) if good.is_empty() => Err(ChainError::WrongChain { expected: self.chain_id, actual }),
            _ => Ok(good),
        }
    }

    /// Looks at chain id and newest block of every RPC whose time has come.
    async fn probe(&self) {
        let mut vetted = self.vetted.lock().await;
        if vetted.is_some_and(|at| at.elapsed() < VET_EVERY) {
            return;
        }
        let mut asked = JoinSet::new();
        for (index, endpoint) in self.endpoints.iter().enumerate().filter(|(_, endpoint)| endpoint.is_due()) {
            let (endpoint, timeout) = (endpoint.clone(), self.request_timeout.min(VET_TIMEOUT));
            asked.spawn(async move { (index, endpoint.vetted(timeout).await) });
        }
        let answers: Vec<(usize, Result<Vetted, ChainError>)> = asked.join_all().await;
        let of_this_chain = answers.iter().filter_map(|(_, answer)| answer.as_ref().ok());
        let newest = of_this_chain.filter(|(chain_id, _)| *chain_id == self.chain_id).map(|(_, head)| *head).max();
        for (index, answer) in answers {
            let endpoint = &self.endpoints[index];
            match answer {
                Ok((actual, _)) if actual != self.chain_id => {
                    let fault = ChainError::WrongChain { expected: self.chain_id, actual };
                    endpoint.set_aside(EndpointHealth::Foreign(Instant::now(), actual), &fault);
                }
                Ok((_, head)) => {
                    let behind_seconds = newest.unwrap_or(head).saturating_sub(head);
                    if behind_seconds > self.max_head_lag.as_secs() {
                        let fault = ChainError::Lagging { behind_seconds };
                        endpoint.set_aside(EndpointHealth::Lagging(Instant::now()), &fault);
                    } else {
                        endpoint.works();
                    }
                }
                Err(fault) => endpoint.fails(&fault),
            }
        }
        *vetted = Some(Instant::now());
    }
}

impl Endpoint {
    fn standing(&self) -> MutexGuard<'_, EndpointHealth> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_good(&self) -> bool {
        *self.standing() == EndpointHealth::Good
    }

    fn is_foreign(&self) -> bool {
        matches!(*self.standing(), EndpointHealth::Foreign(..))
    }

    /// Whether it is to be vetted now.
    fn is_due(&self) -> bool {
        match *self.standing() {
            EndpointHealth::Good => true,
            EndpointHealth::Failing(at) | EndpointHealth::Lagging(at) | EndpointHealth::Foreign(at, _) => {
                at.elapsed() >= COOL_DOWN
            }
        }
    }

    fn works(&self) {
        let before = std::mem::replace(&mut *self.standing(), EndpointHealth::Good);
        if before != EndpointHealth::Good {
            info!(rpc = %self.url, "the RPC works again");
        }
    }

    fn fails(&self, fault: &ChainError) {
        self.set_aside(EndpointHealth::Failing(Instant::now()), fault);
    }

    /// Says so once, not at every failure.
    fn set_aside(&self, standing: EndpointHealth, fault: &ChainError) {
        metrics::rpc_failed(self.chain_id, self.index, fault.code());
        let before = std::mem::replace(&mut *self.standing(), standing);
        if std::mem::discriminant(&before) != std::mem::discriminant(&standing) {
            warn!(rpc = %self.url, code = fault.code(), error = %fault, hint = fault.hint(), "RPC set aside");
        }
    }

    async fn counted(&self, packet: RequestPacket, timeout: Duration) -> Result<ResponsePacket, ChainError> {
        let begun = Instant::now();
        let answer = self.link.ask(packet, timeout).await;
        self.usage.count(begun.elapsed(), answer.is_ok());
        answer
    }

    /// Asks, and looks whether the answer can be used.
    async fn ask(&self, packet: &RequestPacket, timeout: Duration) -> Result<ResponsePacket, ChainError> {
        let answer = self.ask_of_latest_if_need_be(packet, timeout).await?;
        let success = answer.single_payload().and_then(|payload| payload.as_success());
        if let (RequestPacket::Single(request), Some(result)) = (packet, success) {
            answers::check(request.method(), result)?;
        }
        Ok(answer)
    }

    /// Some nodes have no state of the block that is still made, and refuse whoever asks about it. They are asked about the
    /// newest one, from then on at once.
    async fn ask_of_latest_if_need_be(
        &self,
        packet: &RequestPacket,
        timeout: Duration,
    ) -> Result<ResponsePacket, ChainError> {
        let Some(of_latest) = of_latest(packet) else { return self.counted(packet.clone(), timeout).await };
        if self.has_no_pending.load(Ordering::Relaxed) {
            return self.counted(of_latest, timeout).await;
        }
        let is_refused = |answer: &ResponsePacket| answer.as_error().map(meaning) == Some(ErrorClass::Other);
        let answer = self.counted(packet.clone(), timeout).await?;
        if !is_refused(&answer) {
            return Ok(answer);
        }
        let second = self.counted(of_latest, timeout).await?;
        if is_refused(&second) {
            return Ok(answer);
        }
        self.has_no_pending.store(true, Ordering::Relaxed);
        let words = quoted(answer.first_error_message().unwrap_or(""));
        info!(rpc = %self.url, words, "the RPC has no pending block, it is asked about the newest one");
        Ok(second)
    }

    async fn vetted(&self, timeout: Duration) -> Result<Vetted, ChainError> {
        let chain_id = self.value("eth_chainId", json!([]), timeout).await?;
        let chain_id = serde_json::from_value::<U64>(chain_id);
        let block = self.value("eth_getBlockByNumber", json!(["latest", false]), timeout).await?;
        let block = serde_json::from_value::<Block>(block);
        match (chain_id, block) {
            (Ok(chain_id), Ok(block)) => {
                self.head.store(block.number.unwrap_or(0), Ordering::Relaxed);
                Ok((chain_id.to(), block.timestamp))
            }
            (Err(error), _) | (_, Err(error)) => Err(ChainError::Garbage(quoted(&error.to_string()))),
        }
    }

    async fn value(&self, method: &'static str, params: Value, timeout: Duration) -> Result<Value, ChainError> {
        let garbage = |error: serde_json::Error| ChainError::Garbage(error.to_string());
        let request = Request::new(method, Id::String("probe".into()), params).serialize().map_err(garbage)?;
        let answer = self.counted(RequestPacket::Single(request), timeout).await?;
        match answer.single_payload().and_then(|payload| payload.as_success()) {
            Some(value) => serde_json::from_str(value.get()).map_err(garbage),
            None => Err(ChainError::Refused(quoted(answer.first_error_message().unwrap_or("")))),
        }
    }
}

/// A request about the block that is still made, made one about the newest block; `None` for every other.
fn of_latest(packet: &RequestPacket) -> Option<RequestPacket> {
    let request = packet.as_single().filter(|request| request.serialized().get().contains(PENDING))?;
    let mut params: Value = serde_json::from_str(request.params()?.get()).ok()?;
    let block = params.as_array_mut()?.iter_mut().find(|param| *param == PENDING)?;
    *block = LATEST.into();
    let asked = Request::new(request.method().to_owned(), request.id().clone(), params).serialize().ok()?;
    Some(RequestPacket::Single(asked))
}

impl tower_service::Service<RequestPacket> for Rpcs {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, packet: RequestPacket) -> TransportFut<'static> {
        let inner = self.inner.clone();
        Box::pin(async move { inner.dispatch(packet).await.map_err(TransportErrorKind::custom) })
    }
}
