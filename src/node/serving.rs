//! What runs beside a job's cycles, from settings and the job: API, checks, attestations for others.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::assemble::{electricity, model, strategy};
use crate::api::Shared;
use crate::api::cached::Cached;
use crate::api::details::{Card, Details, Parts as DetailsParts};
use crate::api::events::Events;
use crate::api::evidence::EvidenceCache;
use crate::api::history::History;
use crate::api::jobs::{Jobs, ServedJob};
use crate::api::limits::{LimitSettings, Limits};
use crate::api::page::Page;
use crate::api::params::Parameters;
use crate::api::regime::RegimeJob;
use crate::api::relay::Relay;
use crate::api::series::{charts, scores};
use crate::api::view::ModelView;
use crate::api::yields::Strategies;
use crate::attestation::service::{AttestationContext, AttestationService};
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::evidence::EvidenceStore;
use crate::forecast::JobModel;
use crate::health::monitor::{Latest, Probe};
use crate::job::Agent;
use crate::job::attesting::OwnCycles;
use crate::job::input::Regime;
use crate::state::Store;
use crate::state::beside::Beside;
use crate::telemetry::metrics::Exposition;
use veriregime_core::forecast::RegimeModel;
use veriregime_core::hedge::snapshot::HISTORY_DAYS;
use veriregime_core::model::dense::DenseNetwork;
use veriregime_core::types::alert::HeldAlert;
use veriregime_core::types::feature::FeatureSpec;
use veriregime_core::types::manifest::card::{CARD_FILE, VERIFICATION_CARD_FILE};
use veriregime_core::types::manifest::inputs::Market;
use veriregime_core::yields::{Strategy, snapshot};

/// Largest text of a bundle that is told.
const MAX_CARD_BYTES: u64 = 256 << 10;
/// The newest forecasts of a market are read as often as its cycles.
const RECENT_FRESH: Duration = Duration::from_secs(1);

/// What the HTTP API needs to answer for these jobs, none of which is opened yet.
pub fn api(
    config: &Config,
    jobs: Jobs,
    strategies: Option<Strategies>,
    metrics: Exposition,
    alerts: watch::Receiver<Arc<[HeldAlert]>>,
) -> Shared {
    Shared {
        jobs,
        check_every: config.api.check_every,
        evidence: EvidenceCache::new(EvidenceStore::new(config.evidence_dir.clone())),
        metrics,
        limits: Limits::new(limit_settings(&config.api)),
        strategies,
        page: Page::embedded(config.api.dashboard),
        events: Events::new(config.api.max_connections),
        charts: charts(),
        scores: scores(),
        alerts,
        started_ms: Clock::System.now_ms(),
    }
}

/// What it needs to answer for one of them.
///
/// # Errors
/// A database that cannot be read.
pub fn served_job(config: &Config, agent: &Agent, health: Latest, beside: &Beside) -> anyhow::Result<ServedJob> {
    let bundle = &agent.bundle;
    let way = config.prover.kind.way();
    let (manifest, digest) = (&bundle.manifest, bundle.manifest_digest);
    let model = match &agent.model {
        JobModel::Regime(_) => ModelView::new(manifest, digest, way)?,
        JobModel::Electricity { country, .. } => ModelView::of_table(manifest, digest, way, country, HISTORY_DAYS)?,
        JobModel::Strategy { strategy: Strategy { name, .. }, .. } => {
            let days = i32::try_from(snapshot::HISTORY_DAYS).unwrap_or(i32::MAX);
            ModelView::of_table(manifest, digest, way, name, days)?
        }
    };
    let kind = match &agent.model {
        JobModel::Regime(_) => "regime",
        JobModel::Electricity { .. } => "hedge",
        JobModel::Strategy { .. } => "yield",
    };
    Ok(ServedJob {
        name: agent.name.clone(),
        kind,
        grid: agent.grid(),
        clock: agent.clock.clone(),
        regime: agent.regime().map(regime_job),
        recent: Cached::new(model.markets.len().max(1), RECENT_FRESH),
        relay: Relay::new(agent.chain.read.clone(), agent.action.clone()),
        contract: agent.job().contract,
        parameters: Parameters::new(agent.chain.read.clone(), agent.action.contract(), agent.grid(), markets(agent)),
        history: History::new(beside.reader.clone(), agent.job(), model.clone()),
        model,
        health,
        details: details(agent, beside),
        notary: if config.attestation.answer { Some(notary(agent, &beside.store)?) } else { None },
    })
}

/// What more is told of a job.
fn details(agent: &Agent, beside: &Beside) -> Details {
    let (bundle, regime) = (&agent.bundle, agent.regime());
    let features = regime.map(|regime| &regime.model.candles.features);
    let text = |name: &str| veriregime_files::read_text(&bundle.path(name), MAX_CARD_BYTES).ok();
    let card = Card {
        card_markdown: text(CARD_FILE),
        verification_markdown: text(VERIFICATION_CARD_FILE),
        metrics: bundle.manifest.training.metrics.clone(),
        reliability: bundle.reliability().into_iter().map(|bin| (bin.forecast, bin.observed, bin.count)).collect(),
        input_scale: bundle.manifest.input_scale(),
        output_scale: bundle.manifest.outputs.first().map_or(0, |output| output.scale),
        feature_bound: features.map(FeatureSpec::bound),
    };
    Details::new(DetailsParts {
        reader: beside.reader.clone(),
        job: agent.job(),
        grid: agent.grid(),
        chain: agent.chain.read.clone(),
        wallet: agent.chain.address(),
        markets: markets(agent).to_vec(),
        sources: regime.map(|regime| regime.feeds.order.clone()).unwrap_or_default(),
        network: regime.and_then(|regime| DenseNetwork::new(regime.model.network().integer()).ok()),
        card,
    })
}

/// What is drawn of a job of regimes.
fn regime_job(regime: Regime<'_>) -> RegimeJob {
    let model = regime.model;
    RegimeJob {
        markets: model.candles.markets.iter().map(|market| market.name.clone()).collect(),
        features: model.candles.features_of_each(),
        labels: model.labels.clone(),
        outputs: model.outputs.clone(),
        baselines: model.baselines.clone(),
        networks: networks(model),
        sources: regime.feeds.order.iter().map(|feed| (feed.name.clone(), feed.symbols.clone())).collect(),
    }
}

/// The network of each market, where it is made of layers.
fn networks(model: &RegimeModel) -> Option<Vec<DenseNetwork>> {
    let network = DenseNetwork::new(model.network().integer()).ok()?;
    Some((0..model.candles.markets.len()).map(|market| network.of_market(market)).collect())
}

/// The markets of a job's model; of a country's or a strategy's there are none.
fn markets(agent: &Agent) -> &[Market] {
    agent.regime().map_or(&[], |regime| &regime.model.candles.markets)
}

/// What attests for other operators, with the keys of `agent` and a connection to the database that is not the cycles'.
///
/// # Errors
/// A model that is not usable.
pub fn notary(agent: &Agent, store: &Arc<Store>) -> anyhow::Result<AttestationService> {
    Ok(AttestationService::new(AttestationContext {
        clock: agent.clock.clone(),
        store: store.clone(),
        chain: agent.chain.clone(),
        contract: agent.action.contract(),
        grid: agent.grid(),
        own: Arc::new(OwnCycles {
            store: store.clone(),
            model: again(agent)?,
            bundle: agent.bundle.clone(),
            read: agent.chain.read.clone(),
            action: agent.action.clone(),
        }),
    }))
}

/// What a running node looks at to know whether it does its work.
pub fn probe(config: &Config, agent: &Agent) -> Probe {
    Probe {
        clock: agent.clock.clone(),
        source: agent
            .regime()
            .map(|regime| regime.feeds.primary())
            .map(|feed| (feed.name.clone(), feed.source.clone())),
        max_clock_skew_ms: config.candles.max_clock_skew_ms,
        chain: agent.chain.clone(),
        chain_id: config.chain.chain_id,
        action: agent.action.clone(),
        markets: markets(agent).to_vec(),
        vault: None,
        schedule: config.schedule.cron.clone(),
        grid: agent.grid(),
        enough_updates: Arc::new(config.alerts.low_balance_updates.into()),
        tells_of_wallet: true,
        max_head_age_seconds: i64::try_from(config.chain.max_head_lag.as_secs()).unwrap_or(i64::MAX),
        bundle: (config.bundle.clone(), agent.manifest()),
        state_path: config.state_path.clone(),
    }
}

/// How much the HTTP API does for one client.
pub fn limit_settings(api: &config::api::Api) -> LimitSettings {
    LimitSettings {
        requests_per_second: api.requests_per_second,
        burst: api.burst,
        max_body_bytes: api.max_body_bytes,
        request_timeout: api.request_timeout,
        max_connections: api.max_connections,
    }
}

/// A job's model once more, for who needs one of their own.
fn again(agent: &Agent) -> anyhow::Result<JobModel> {
    match &agent.model {
        JobModel::Regime(_) => Ok(JobModel::Regime(Box::new(model(&agent.bundle)?))),
        JobModel::Electricity { country, .. } => electricity(&agent.bundle, country),
        JobModel::Strategy { strategy: of, .. } => strategy(&agent.bundle, of),
    }
}
