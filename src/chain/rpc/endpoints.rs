//! How each RPC is, for whoever wants to look.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Endpoint, EndpointHealth, Rpcs};
use crate::http::Used;

/// How an RPC is.
#[derive(Debug, Clone)]
pub struct EndpointState {
    /// Scheme, host and port.
    pub name: String,
    /// `good`, `failing`, `lagging` or `foreign`.
    pub state: &'static str,
    pub usage: Used,
    /// Its newest block when it was last looked at.
    pub head: Option<u64>,
}

impl Rpcs {
    /// How each of them is, in the order of the settings.
    pub(crate) fn endpoints(&self) -> Vec<EndpointState> {
        let state = |endpoint: &Arc<Endpoint>| EndpointState {
            name: endpoint.url.to_string(),
            state: match *endpoint.standing() {
                EndpointHealth::Good => "good",
                EndpointHealth::Failing(_) => "failing",
                EndpointHealth::Lagging(_) => "lagging",
                EndpointHealth::Foreign(..) => "foreign",
            },
            usage: endpoint.usage.used(),
            head: Some(endpoint.head.load(Ordering::Relaxed)).filter(|head| *head > 0),
        };
        self.inner.endpoints.iter().map(state).collect()
    }
}
