//! The demo's jobs as a daemon would serve them: the API and the page, for as long as the demo lasts.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::Config;
use crate::job::Agent;
use crate::job::overview::{Activity, Overview, Progress};
use crate::job::yields::YieldService;
use crate::node::begun;
use crate::node::services::Services;
use veriregime_core::types::cycle::Stage;
use veriregime_core::types::period::PeriodId;

/// What serves, and what the jobs tell of themselves by.
#[derive(Debug)]
pub(super) struct Dashboard {
    services: Services,
    progress: Vec<Progress>,
}

impl Dashboard {
    /// Serves these jobs on a free port of this machine, until `stop` is cancelled; and strategies, by their clock, where there are
    /// any.
    ///
    /// # Errors
    /// What keeps the API from starting.
    pub(super) async fn start(
        configs: &[Config],
        agents: &[&Agent],
        until_ms: i64,
        strategies: Option<(Arc<YieldService>, Clock)>,
        stop: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let states = configs.iter().zip(agents).map(|(config, agent)| begun(config, Some(agent.job())));
        let (overview, progress) = Overview::new(states.collect());
        let mut node = configs.first().context("there is a job")?.clone();
        node.api.listen = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let services = Services::start(&node, overview, "demo".into(), strategies, stop).await?;
        services.follow(&agents.first().context("there is a job")?.store);
        for ((config, agent), progress) in configs.iter().zip(agents).zip(&progress) {
            services.attach(config, agent)?;
            progress.tell(|job| job.model = Some(agent.bundle.manifest.model_id.clone()));
        }
        let dashboard = Self { services, progress };
        dashboard.waits(until_ms);
        Ok(dashboard)
    }

    /// Where a browser finds it.
    pub(super) fn url(&self) -> String {
        self.services.address.map_or_else(String::new, |address| format!("http://{address}/"))
    }

    /// The jobs run their cycles.
    pub(super) fn runs(&self) {
        self.tell(&Activity::Running);
    }

    /// The jobs wait for the period that begins then.
    pub(super) fn waits(&self, until_ms: i64) {
        self.tell(&Activity::Waiting { until_ms });
    }

    /// The jobs' cycles of a period ended like this.
    pub(super) fn ended(&self, period: PeriodId, stage: Stage) {
        for progress in &self.progress {
            progress.tell(|job| job.last_cycle = Some((period, stage)));
        }
    }

    fn tell(&self, activity: &Activity) {
        for progress in &self.progress {
            progress.tell(|job| job.activity = activity.clone());
        }
    }

    /// Waits until all of it has ended.
    pub(super) async fn stopped(&self) {
        self.services.ended().await;
    }
}
