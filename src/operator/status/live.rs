//! What the jobs are doing now, as the daemon that runs them says by its API.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::api::activity::ActivityView;
use crate::http;

/// Longest wait for a daemon on this machine.
const PATIENCE: Duration = Duration::from_secs(2);
/// Most of its answer: a kilobyte or two for each of a thousand jobs.
const MAX_ANSWER_BYTES: usize = 4 << 20;

/// What each job is doing by its name, or why that is not known.
#[derive(Debug)]
pub(super) enum Live {
    /// The settings have no API to ask.
    Unasked,
    Told(BTreeMap<String, ActivityView>),
    Silent(String),
}

#[derive(Deserialize)]
struct Answer {
    jobs: Vec<Job>,
}

#[derive(Deserialize)]
struct Job {
    name: String,
    activity: ActivityView,
}

impl Live {
    /// Asks the daemon whose API listens there.
    pub(super) async fn ask(listen: Option<SocketAddr>) -> Self {
        let Some(address) = listen else { return Self::Unasked };
        let address = SocketAddr::new(reachable(address.ip()), address.port());
        let asked = async {
            let url = Url::parse(&format!("http://{address}/v1/jobs")).map_err(|error| error.to_string())?;
            http::json::<Answer>(&url, PATIENCE, MAX_ANSWER_BYTES).await
        };
        match asked.await {
            Ok(answer) => Self::Told(answer.jobs.into_iter().map(|job| (job.name, job.activity)).collect()),
            Err(why) => Self::Silent(format!("no daemon answers at {address}: {why}")),
        }
    }

    fn of(&self, job: &str) -> Result<&ActivityView, &str> {
        match self {
            Self::Unasked => Err("api.listen is not set"),
            Self::Told(jobs) => jobs.get(job).ok_or("the daemon has no job of this name"),
            Self::Silent(why) => Err(why),
        }
    }

    /// A line for people, with its end; nothing where nobody could be asked.
    pub(super) fn line(&self, job: &str) -> String {
        match (self, self.of(job)) {
            (Self::Unasked, _) => String::new(),
            (_, Ok(activity)) => format!("now {activity}\n"),
            (_, Err(why)) => format!("now not known: {why}\n"),
        }
    }

    pub(super) fn json(&self, job: &str) -> Value {
        match self.of(job) {
            Ok(activity) => json!(activity),
            Err(why) => json!({"state": null, "reason": why}),
        }
    }
}

/// What listens everywhere listens here.
fn reachable(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        address => address,
    }
}
