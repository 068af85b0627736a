//! From settings to a working agent.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;

use super::feeds;
use crate::api::Shared;
use crate::api::history::History;
use crate::api::limits::{LimitSettings, Limits};
use crate::api::params::Parameters;
use crate::api::view::ModelView;
use crate::candles::error::CandleError;
use crate::chain::fault::ChainFault;
use crate::chain::fees::{Caps, Policy};
use crate::chain::model::Expected;
use crate::chain::read::Reader as ChainReader;
use crate::chain::{Chain, Settings as ChainSettings};
use crate::clock::Clock;
use crate::config::raw::ProverKind;
use crate::config::{self, Config, ConfigFault, secret};
use crate::cycle::Agent;
use crate::features;
use crate::fs;
use crate::health::watch::{Latest, Probe};
use crate::inference::{Layout, Model};
use crate::proof::Prover;
use crate::proof::bundle::Bundle;
use crate::proof::ezkl::EzklProver;
use crate::proof::mock::MockProver;
use crate::proof::worker::Settings as WorkerSettings;
use crate::state::reader::Reader;
use crate::state::{StateFault, Store};
use crate::telemetry;
use crate::telemetry::metrics::Exposition;
use crate::types::manifest::{Manifest, Market, ONNX_FILE, SETTINGS_FILE, VERIFYING_KEY_FILE};

/// Largest network that is loaded.
const MAX_ONNX_BYTES: u64 = 4 << 20;

/// Reads the settings and starts logging by them.
///
/// # Errors
/// [`ConfigFault`].
pub fn settings(file: Option<&Path>) -> Result<Config, ConfigFault> {
    let config = config::load(file)?;
    telemetry::init(config.log_format, &config.log_level);
    Ok(config)
}

/// Opens everything that a cycle needs. Each part is checked before it is used; the chain is not asked yet.
///
/// # Errors
/// The first part that is not right.
pub async fn agent(config: &Config, clock: Clock, store: Store) -> anyhow::Result<Agent> {
    let bundle = Bundle::open(&config.bundle).context("the model bundle is not usable")?;
    let model = model(&bundle)?;
    let expected = expected(&bundle)?;
    let chain = chain(config)?;
    let oracle = oracle(config)?;
    let prover = prover(config, &bundle).await.context("the prover does not start")?;
    Ok(Agent {
        clock,
        feeds: feeds::feeds(config, &bundle.manifest)?,
        model,
        prover,
        chain,
        store,
        oracle,
        expected,
        bundle,
        poll_interval: config.chain.poll_interval,
        replace_after_ms: i64::try_from(config.chain.replace_after.as_millis()).unwrap_or(i64::MAX),
        confirmations: config.chain.confirmations,
    })
}

/// The contract's configured address.
///
/// # Errors
/// [`ConfigFault::Value`] where there is none.
pub fn oracle(config: &Config) -> Result<alloy::primitives::Address, ConfigFault> {
    config.chain.oracle.ok_or_else(|| ConfigFault::Value {
        key: "chain.oracle",
        value: String::new(),
        reason: "no contract is configured; `veriregime-agent deploy` prints the address of a new one".into(),
    })
}

/// Both forms of the bundle's model.
///
/// # Errors
/// What makes it unusable.
pub fn model(bundle: &Bundle) -> anyhow::Result<Model> {
    let onnx = fs::read_bounded(&bundle.path(ONNX_FILE), MAX_ONNX_BYTES)?;
    Ok(Model::load(&onnx, Layout::of(&bundle.manifest))?)
}

/// What the contract must say about the bundle.
///
/// # Errors
/// A feature spec that is not usable.
pub fn expected(bundle: &Bundle) -> anyhow::Result<Expected> {
    let manifest: &Manifest = &bundle.manifest;
    let (features, circuit) = (&manifest.features, &manifest.circuit);
    let digest =
        |name: &str| manifest.files.get(name).copied().with_context(|| format!("the manifest names no {name}"));
    Ok(Expected {
        markets: manifest.markets.iter().map(Market::id).collect(),
        manifest: bundle.manifest_digest,
        verifying_key: digest(VERIFYING_KEY_FILE)?,
        onnx: digest(ONNX_FILE)?,
        settings: digest(SETTINGS_FILE)?,
        feature_spec: features.digest(),
        verifier_code_hash: circuit.verifier_code_hash,
        candle_features: features.candle.len(),
        input_scale: features.input_scale,
        output_scale: circuit.output_scale,
        feature_bound: features.bound().unsigned_abs(),
        proof_bytes: circuit.proof_bytes,
        calendar_table: features::calendar_table(features)?,
    })
}

/// The chain with the configured wallet and attestor.
///
/// # Errors
/// A key file that is not usable.
pub fn chain(config: &Config) -> anyhow::Result<Chain> {
    let chain = Chain::new(chain_settings(config), &secret::read_key(&config.chain.key_file)?)?;
    Ok(match &config.attestor_key_file {
        Some(path) => chain.with_attestor(&secret::read_key(path)?)?,
        None => chain,
    })
}

/// The chain without a wallet.
///
/// # Errors
/// A system that cannot make connections.
pub fn reader(config: &Config) -> Result<ChainReader, ChainFault> {
    ChainReader::new(chain_settings(config))
}

/// How to reach the configured chain.
pub fn chain_settings(config: &Config) -> ChainSettings {
    ChainSettings {
        rpc_urls: config.chain.rpc_urls.clone(),
        chain_id: config.chain.chain_id,
        fees: Policy::new(fee_caps(config)),
        max_head_lag: config.chain.max_head_lag,
        request_timeout: config.chain.request_timeout,
    }
}

/// What may be paid.
pub fn fee_caps(config: &Config) -> Caps {
    Caps {
        max_fee_per_gas_wei: config.chain.max_fee_per_gas_wei,
        max_cancel_fee_per_gas_wei: config.chain.max_cancel_fee_per_gas_wei,
        priority_fee_wei: config.chain.priority_fee_wei,
    }
}

/// What the HTTP API needs to answer for the configured model.
///
/// # Errors
/// A database that cannot be read.
pub fn api(config: &Config, agent: &Agent, metrics: Exposition, health: Latest) -> Result<Shared, StateFault> {
    let bundle = &agent.bundle;
    let model = ModelView::new(&bundle.manifest, bundle.manifest_digest);
    Ok(Shared {
        parameters: Parameters::new(agent.chain.read.clone(), agent.oracle, &bundle.manifest.markets),
        health,
        check_every: config.api.check_every,
        history: History::new(Reader::open(&config.state_path)?, bundle.manifest_digest, model.clone()),
        model,
        metrics,
        limits: Limits::new(limit_settings(&config.api)),
    })
}

/// What a running node looks at to know whether it does its work.
///
/// # Errors
/// A source that cannot work.
pub fn probe(config: &Config, agent: &Agent) -> Result<Probe, CandleError> {
    Ok(Probe {
        clock: agent.clock.clone(),
        source: (config.candles.order[0].clone(), feeds::primary(config)?),
        max_clock_skew_ms: config.candles.max_clock_skew_ms,
        chain: agent.chain.clone(),
        chain_id: config.chain.chain_id,
        oracle: agent.oracle,
        expected: agent.expected.clone(),
        enough_updates: Arc::new(config.alerts.low_balance_updates.into()),
        max_head_age_seconds: i64::try_from(config.chain.max_head_lag.as_secs()).unwrap_or(i64::MAX),
        bundle: (config.bundle.clone(), agent.manifest()),
        state_path: config.state_path.clone(),
    })
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

/// How the prover's worker is run.
pub fn worker_settings(config: &Config) -> WorkerSettings {
    WorkerSettings {
        python: config.prover.python.clone(),
        deadline: config.prover.timeout,
        memory_limit_mb: config.prover.memory_limit_mb,
    }
}

/// The configured prover, started.
///
/// # Errors
/// What keeps it from starting.
pub async fn prover(config: &Config, bundle: &Bundle) -> anyhow::Result<Prover> {
    Ok(match config.prover.kind {
        ProverKind::Mock => Prover::Mock(MockProver::new(config.chain.chain_id)?),
        ProverKind::Ezkl => Prover::Ezkl(Box::new(
            EzklProver::start(worker_settings(config), bundle, &config.prover.srs_dir, config.chain.chain_id).await?,
        )),
    })
}
