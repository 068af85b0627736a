//! From settings to a working agent.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;

use crate::actions::Action;
use crate::actions::feed::contract::FeedAction;
use crate::actions::hedge_vault::contract::HedgeVaultAction;
use crate::actions::one_market::model::OneMarketModel;
use crate::actions::risk_oracle::action::RiskOracleAction;
use crate::actions::risk_oracle::spec::Expected;
use crate::bundle::registry::{Registry, RegistryError};
use crate::bundle::{Bundle, MAX_MANIFEST_BYTES};
use crate::chain::error::ChainError;
use crate::chain::fees::{Caps, Policy};
use crate::chain::read::Reader as ChainReader;
use crate::chain::signer::error::KeyError;
use crate::chain::signer::{Signer, aws_kms, gcp_kms, ledger};
use crate::chain::{Chain, Settings as ChainSettings};
use crate::config::jobs::NodeConfig;
use crate::config::raw::{ProverKind, RawConfig};
use crate::config::signer::Holder;
use crate::config::{self, Config, ConfigError, secret};
use crate::forecast::JobModel;
use crate::state::Store;
use crate::telemetry;
use crate::verification::direct::DirectProver;
use crate::verification::error::ProofError;
use crate::verification::ezkl::prover::EzklProver;
use crate::verification::ezkl::srs::Srs;
use crate::verification::ezkl::worker::Settings as WorkerSettings;
use crate::verification::halo2::Halo2Prover;
use crate::verification::mock::MockProver;
use crate::verification::{Prover, srs_of_keys};
use veriregime_core::features;
use veriregime_core::forecast::RegimeModel;
use veriregime_core::hedge::GRID;
use veriregime_core::model::{Layout, Model};
use veriregime_core::types::contract::Contract;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::ONNX_FILE;
use veriregime_core::types::manifest::inputs::Market;
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::yields::Strategy;
use veriregime_core::yields::forecast::kinds;

/// Largest network that is loaded.
const MAX_ONNX_BYTES: u64 = 4 << 20;

/// Reads the settings and starts logging by them.
///
/// # Errors
/// [`ConfigError`].
pub fn settings(file: Option<&Path>) -> Result<Config, ConfigError> {
    checked(config::read(file)?)
}

/// Checks settings that were read and starts logging by them.
///
/// # Errors
/// [`ConfigError`].
pub fn checked(raw: RawConfig) -> Result<Config, ConfigError> {
    let config = config::check(raw)?;
    telemetry::init(config.log_format, &config.log_level);
    Ok(config)
}

/// As [`checked`], of a node with any number of jobs.
///
/// # Errors
/// [`ConfigError`].
pub fn checked_node(raw: RawConfig) -> Result<NodeConfig, ConfigError> {
    let config = config::jobs::check(raw)?;
    telemetry::init(config.node().log_format, &config.node().log_level);
    Ok(config)
}

/// The contract's configured address.
///
/// # Errors
/// [`ConfigError::Value`] where there is none.
pub fn oracle(config: &Config) -> Result<alloy::primitives::Address, ConfigError> {
    config.chain.oracle.ok_or_else(|| ConfigError::Value {
        key: "chain.oracle".into(),
        value: String::new(),
        reason: "no contract is configured; `veriregime-agent deploy` prints the address of a new one".into(),
    })
}

/// The bundle whose manifest has that digest: the configured one, or one that lies beside it.
///
/// # Errors
/// A bundle that is not right, or a folder that cannot be read.
pub fn bundle_with(config: &Config, manifest: Digest) -> Result<Option<Bundle>, RegistryError> {
    if let Some(configured) = Bundle::open_with(&config.bundle, manifest)? {
        return Ok(Some(configured));
    }
    Bundle::open(&config.bundle)?;
    let folder = config.bundle.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Registry::new(folder).with_manifest(manifest)
}

/// The configured contract and its chain.
///
/// # Errors
/// As [`oracle`].
pub fn contract(config: &Config) -> Result<Contract, ConfigError> {
    Ok(Contract { chain_id: config.chain.chain_id, address: oracle(config)? })
}

/// Keeps the manifest of the present model for when it is replaced; and of those before it that the database has none of, where
/// their bundles lie beside the present one.
pub(super) fn keep_manifests(config: &Config, bundle: &Bundle, store: &Store) -> anyhow::Result<()> {
    let keep = |bundle: &Bundle| -> anyhow::Result<()> {
        Ok(store.keep_manifest(&veriregime_files::read_bounded(&bundle.manifest_path, MAX_MANIFEST_BYTES)?)?)
    };
    keep(bundle)?;
    for missing in store.without_manifest()? {
        // A bundle that is not whole is as good as none here.
        if let Ok(Some(bundle)) = bundle_with(config, missing) {
            keep(&bundle)?;
        }
    }
    Ok(())
}

/// The bundle's model, loaded.
///
/// # Errors
/// What makes it unusable.
pub fn model(bundle: &Bundle) -> anyhow::Result<RegimeModel> {
    Ok(RegimeModel::of(&bundle.manifest, Arc::new(network(bundle)?))?)
}

/// The bundle's model, loaded, as a job of that country has it.
///
/// # Errors
/// What makes it unusable.
pub fn electricity(bundle: &Bundle, country: &str) -> anyhow::Result<JobModel> {
    let model = Box::new(bundle.electricity_model()?);
    Ok(JobModel::Electricity { model, country: country.to_owned() })
}

/// The bundle's model, loaded, as a job of that strategy has it.
///
/// # Errors
/// What makes it unusable, and a strategy of a kind that it is not for.
pub fn strategy(bundle: &Bundle, strategy: &Strategy) -> anyhow::Result<JobModel> {
    let model = Box::new(bundle.strategy_model()?);
    let (id, kind) = (&bundle.manifest.model_id, strategy.kind);
    anyhow::ensure!(
        kinds(&bundle.manifest).contains(&kind),
        "the model {id} is for no strategies of kind {}",
        kind.name()
    );
    Ok(JobModel::Strategy { model, strategy: strategy.clone() })
}

/// Both forms of the bundle's network.
///
/// # Errors
/// What makes it unusable.
pub fn network(bundle: &Bundle) -> anyhow::Result<Model> {
    let onnx = veriregime_files::read_bounded(&bundle.path(ONNX_FILE), MAX_ONNX_BYTES)?;
    Ok(Model::load(&onnx, Layout::of(&bundle.manifest.regime()?))?)
}

/// What is done on the configured chain with the bundle's forecasts.
///
/// # Errors
/// A contract that is not configured, or a feature spec that is not usable.
pub fn action(config: &Config, bundle: &Bundle) -> anyhow::Result<Action> {
    if let Some(hedge) = &config.hedge {
        let (manifest, way) = (&bundle.manifest, config.prover.kind.way());
        let model = OneMarketModel::of_country(manifest, bundle.manifest_digest, &hedge.country, way);
        let model =
            model.with_context(|| format!("the bundle is no electricity model that can be verified by {way}"))?;
        anyhow::ensure!(manifest.grid.period_seconds == GRID.period_seconds, "the bundle's periods are no weeks");
        return Ok(Action::HedgeVault(HedgeVaultAction::new(oracle(config)?, model, manifest.grid)));
    }
    if let Some(strategy) = &config.strategy {
        let (manifest, way) = (&bundle.manifest, config.prover.kind.way());
        manifest.permit(way)?;
        let model = OneMarketModel::of_strategy(manifest, bundle.manifest_digest, &strategy.name, way);
        let model = model.with_context(|| format!("the bundle is no yield model that can be verified by {way}"))?;
        return Ok(Action::Feed(FeedAction::new(oracle(config)?, model, manifest.grid)));
    }
    config.expect_grid(bundle.manifest.grid)?;
    let expected = expected(bundle, config.prover.kind.way())?;
    Ok(Action::RiskOracle(RiskOracleAction { contract: oracle(config)?, expected }))
}

/// What the contract must say about the bundle, verified that way.
///
/// # Errors
/// A way that the bundle does not offer, or a feature spec that is not usable.
pub fn expected(bundle: &Bundle, way: Way) -> anyhow::Result<Expected> {
    let manifest = &bundle.manifest;
    let (model, offer) = (manifest.regime()?, manifest.offer(way)?);
    let features = &model.candles.features;
    let onnx = manifest.files.get(ONNX_FILE).copied();
    Ok(Expected {
        markets: model.candles.markets.iter().map(Market::id).collect(),
        way,
        manifest: bundle.manifest_digest,
        verifying_key: offer.verifying_key_sha256.unwrap_or_default(),
        onnx: onnx.context("the manifest names no network")?,
        settings: offer.settings_sha256.unwrap_or_default(),
        feature_spec: model.candles.features_digest(),
        verifier_code_hash: offer.verifier_code_hash,
        candle_features: features.candle.len(),
        input_scale: features.input_scale,
        output_scale: model.output_scale,
        feature_bound: features.bound().unsigned_abs(),
        proof_bytes: offer.proof_bytes,
        calendar_table: features::calendar_table(features, manifest.grid)?,
        grid: manifest.grid,
    })
}

/// The chain with the configured wallet and attestor.
///
/// # Errors
/// A key that is not usable, or not without a person.
pub async fn chain(config: &Config) -> anyhow::Result<Chain> {
    if let Holder::Ledger(_) = config.signer.holder {
        return Err(KeyError::DeployOnly.into());
    }
    deployer(config).await
}

/// As [`chain`], but a person may have to confirm each signature.
///
/// # Errors
/// A key that is not usable.
pub async fn deployer(config: &Config) -> anyhow::Result<Chain> {
    let chain = Chain::new(chain_settings(config), signer(&config.signer).await?)?;
    Ok(match &config.attestor {
        Some(attestor) => chain.with_attestor(signer(attestor).await?),
        None => chain,
    })
}

/// Opens a key. This may take seconds: a passphrase is made expensive to try, and others are asked over a network.
///
/// # Errors
/// A key that is not usable, or not the one that the settings say.
pub async fn signer(settings: &config::signer::Signer) -> anyhow::Result<Signer> {
    let signer = match &settings.holder {
        Holder::File(path) => Signer::from_key(&secret::read_key(path)?)?,
        Holder::Keystore { file, passphrase_file } => {
            secret::check_private(file)?;
            Signer::from_keystore(file, &secret::read_passphrase(passphrase_file)?).await?
        }
        // Key services come with much state, which need not be part of every command's.
        Holder::AwsKms(key) => Box::pin(aws_kms::open(key)).await?,
        Holder::GcpKms(key) => Box::pin(gcp_kms::open(key)).await?,
        Holder::Ledger(path) => ledger::open(path).await?,
    };
    Ok(signer.expect(settings.address)?)
}

/// The chain without a wallet.
///
/// # Errors
/// A system that cannot make connections.
pub fn reader(config: &Config) -> Result<ChainReader, ChainError> {
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
        replace_after: config.chain.replace_after,
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

/// How the prover's worker is run.
pub fn worker_settings(config: &Config) -> WorkerSettings {
    WorkerSettings {
        python: config.prover.python.clone(),
        deadline: config.prover.timeout,
        memory_limit_mb: config.prover.memory_limit_mb,
    }
}

/// The SRS that the configured bundle is proven with; `None` where nothing is proven.
///
/// # Errors
/// One that is absent, another than the keys were made from, or not permitted on the configured chain.
pub fn srs(config: &Config, bundle: &Bundle) -> Result<Option<Srs>, ProofError> {
    let offer = bundle.manifest.offer(config.prover.kind.way())?;
    let wanted = offer.way.has_proof();
    wanted.then(|| srs_of_keys(&offer, &config.prover.srs_dir, config.chain.chain_id)).transpose()
}

/// The configured prover, started.
///
/// # Errors
/// What keeps it from starting.
pub async fn prover(config: &Config, bundle: &Bundle) -> anyhow::Result<Prover> {
    let (srs_dir, chain_id) = (&config.prover.srs_dir, config.chain.chain_id);
    Ok(match config.prover.kind {
        ProverKind::Mock => Prover::Mock(MockProver::new(chain_id)?),
        ProverKind::Ezkl => {
            Prover::Ezkl(Box::new(EzklProver::start(worker_settings(config), bundle, srs_dir, chain_id).await?))
        }
        ProverKind::Halo2 => Prover::Halo2(Halo2Prover::start(bundle, srs_dir, chain_id).await?),
        ProverKind::Direct => Prover::Direct(DirectProver::new(bundle)?),
    })
}

/// As [`prover`], for updates that were verified that way, whatever the settings choose for new ones.
///
/// # Errors
/// As [`prover`].
pub async fn prover_of(config: &Config, bundle: &Bundle, way: Way) -> anyhow::Result<Prover> {
    let mut config = config.clone();
    if config.prover.kind.way() != way {
        config.prover.kind = way.into();
    }
    prover(&config, bundle).await
}
