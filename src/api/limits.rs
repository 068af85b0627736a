//! How much one client may ask for, and how long an answer may take.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::{Shared, page};
use crate::api::error::ApiError;
use crate::telemetry::metrics;

/// Client addresses that are remembered. Where there are more, those that have been quiet are forgotten first, and new ones
/// are refused if that is not enough.
const MAX_CLIENTS: usize = 10_000;

/// Limits of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitSettings {
    /// Requests a second that one address may make for ever.
    pub requests_per_second: NonZeroU32,
    /// Requests that one address may make at once.
    pub burst: NonZeroU32,
    /// Largest body.
    pub max_body_bytes: usize,
    /// Longest time for a request's head, and for its answer.
    pub request_timeout: Duration,
    /// Connections at a time, of all clients together.
    pub max_connections: usize,
}

/// The limits in force.
#[derive(Debug)]
pub struct Limits {
    settings: LimitSettings,
    clients: RwLock<Arc<DefaultKeyedRateLimiter<IpAddr>>>,
    clock: DefaultClock,
}

/// Who asks. The address of the connection: a header could say anything.
#[derive(Debug, Clone, Copy)]
pub struct Client(pub IpAddr);

impl Limits {
    /// Limits that nobody has used up anything of.
    pub fn new(settings: LimitSettings) -> Self {
        let clients = RwLock::new(Arc::new(keyed(settings.requests_per_second, settings.burst)));
        Self { settings, clients, clock: DefaultClock::default() }
    }

    /// Changes how often one address may ask; everybody starts anew.
    pub fn set_rate(&self, requests_per_second: NonZeroU32, burst: NonZeroU32) {
        *self.clients.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keyed(requests_per_second, burst));
    }

    /// The settings that it started with.
    pub(super) fn settings(&self) -> LimitSettings {
        self.settings
    }

    pub(super) fn max_body_bytes(&self) -> usize {
        self.settings.max_body_bytes
    }

    fn admit(&self, client: IpAddr) -> Result<(), ApiError> {
        let clients = self.clients.read().unwrap_or_else(PoisonError::into_inner).clone();
        if clients.len() >= MAX_CLIENTS {
            clients.retain_recent();
            if clients.len() >= MAX_CLIENTS {
                return Err(ApiError::TooMany { wait: Duration::from_secs(1) });
            }
        }
        let wait = |not_until: governor::NotUntil<_>| not_until.wait_time_from(self.clock.now());
        clients.check_key(&network(client)).map_err(|not_until| ApiError::TooMany { wait: wait(not_until) })
    }
}

fn keyed(requests_per_second: NonZeroU32, burst: NonZeroU32) -> DefaultKeyedRateLimiter<IpAddr> {
    RateLimiter::keyed(Quota::per_second(requests_per_second).allow_burst(burst))
}

/// One customer has a whole /64 of IPv6 addresses.
fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

/// Lets a request through, or says why not.
pub(super) async fn enforce(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let mut response = answer(&shared, request, next).await;
    page::guard(response.headers_mut());
    metrics::answered(response.status().as_u16());
    response
}

async fn answer(shared: &Shared, request: Request, next: Next) -> Response {
    let limits = &shared.limits;
    let client = request.extensions().get::<Client>().map_or(IpAddr::from([0, 0, 0, 0]), |client| client.0);
    if !shared.page.has(request.uri().path())
        && let Err(fault) = limits.admit(client)
    {
        return fault.into_response();
    }
    // Chunked bodies are measured where they are read.
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|bytes| bytes > limits.settings.max_body_bytes as u64) {
        return ApiError::Body.into_response();
    }
    match tokio::time::timeout(limits.settings.request_timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::Slow.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(requests_per_second: u32, burst: u32) -> Limits {
        Limits::new(LimitSettings {
            requests_per_second: NonZeroU32::new(requests_per_second).unwrap(),
            burst: NonZeroU32::new(burst).unwrap(),
            max_body_bytes: 1,
            request_timeout: Duration::from_secs(1),
            max_connections: 1,
        })
    }

    #[test]
    fn one_client_uses_up_its_own_budget_only() {
        let limits = limits(1, 2);
        let [one, same_network, other]: [IpAddr; 3] =
            ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"].map(|text| text.parse().unwrap());
        assert!(limits.admit(one).is_ok() && limits.admit(same_network).is_ok());
        assert!(matches!(limits.admit(one), Err(ApiError::TooMany { wait }) if wait <= Duration::from_secs(1)));
        assert!(limits.admit(other).is_ok());
        limits.set_rate(NonZeroU32::new(1).unwrap(), NonZeroU32::new(1).unwrap());
        assert!(limits.admit(one).is_ok() && limits.admit(one).is_err());
    }

    #[test]
    fn no_number_of_clients_fills_the_memory() {
        let limits = limits(1, 1);
        let admitted = (0..u32::try_from(MAX_CLIENTS).unwrap() + 50)
            .filter(|number| limits.admit(std::net::Ipv4Addr::from_bits(*number).into()).is_ok());
        assert_eq!(admitted.count(), MAX_CLIENTS);
    }
}
