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
pub(super) struct Live(Result<BTreeMap<String, ActivityView>, String>);

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
        let Some(address) = listen else { return Self(Err("api.listen is not set".into())) };
        let address = SocketAddr::new(reachable(address.ip()), address.port());
        let asked = async {
            let url = Url::parse(&format!("http://{address}/v1/jobs")).map_err(|error| error.to_string())?;
            http::json::<Answer>(&url, PATIENCE, MAX_ANSWER_BYTES).await
        };
        let jobs = asked.await.map_err(|why| format!("no daemon answers at {address}: {why}"));
        Self(jobs.map(|answer| answer.jobs.into_iter().map(|job| (job.name, job.activity)).collect()))
    }

    fn of(&self, job: &str) -> Result<&ActivityView, String> {
        let jobs = self.0.as_ref().map_err(Clone::clone)?;
        jobs.get(job).ok_or_else(|| "the daemon has no job of this name".into())
    }

    pub(super) fn line(&self, job: &str) -> String {
        match self.of(job) {
            Ok(activity) => format!("now {activity}"),
            Err(why) => format!("now not known: {why}"),
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
