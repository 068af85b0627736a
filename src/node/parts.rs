//! What the jobs of a process share, and the jobs that are made of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use alloy::primitives::Address;
use anyhow::Context;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::feeds::{self, Sources};
use super::pool::Pool;
use super::{assemble, replay, yields};
use crate::attestation::peers::Peers;
use crate::bundle::Bundle;
use crate::chain::Chain;
use crate::chain::read::Reader;
use crate::chain::signer::Signer;
use crate::chain::signer::error::KeyError;
use crate::chain::wallet::Wallet;
use crate::clock::Clock;
use crate::config::jobs::NodeConfig;
use crate::config::raw::{ClockKind, ProverKind};
use crate::config::signer::Holder;
use crate::config::{self, Config, ConfigError};
use crate::evidence::EvidenceStore;
use crate::forecast::JobModel;
use crate::job::Agent;
use crate::job::candles::CandleService;
use crate::job::input::{CandleInput, Input};
use crate::job::tables::TableService;
use crate::job::wallet_guard::WalletGuard;
use crate::job::yields::YieldService;
use crate::state::Store;
use crate::verification::shared::SharedProver;
use veriregime_core::features::window_ms;
use veriregime_core::forecast::RegimeModel;
use veriregime_core::model::{Layout, Model};
use veriregime_core::types::digest::Digest;
use veriregime_core::types::job::JobKey;
use veriregime_core::types::manifest::{CIRCUIT_FILE, ONNX_FILE, PROVING_KEY_FILE, SETTINGS_FILE, VERIFYING_KEY_FILE};
use veriregime_core::types::period::MINUTE_MS;

/// What proves for one circuit: how, the files that a worker loads, and the grid of its inputs.
type CircuitKey = (ProverKind, [Option<Digest>; 6], u32);

/// Each part once, made when the first job wants it.
#[derive(Debug)]
pub struct Parts {
    /// The one database.
    pub store: Arc<Store>,
    /// The jobs that this process runs.
    running: Arc<[JobKey]>,
    /// By which all jobs go, whatever their settings say; `None` for the settings' clocks.
    clock: Option<Clock>,
    stop: CancellationToken,
    clocks: Pool<ClockKind, Clock>,
    bundles: Pool<PathBuf, Bundle>,
    models: Pool<(Digest, Layout), Arc<Model>>,
    provers: Pool<CircuitKey, SharedProver>,
    readers: Pool<String, Reader>,
    keys: Pool<config::signer::Signer, Signer>,
    /// By chain id and address, whatever the settings call either.
    wallets: Pool<(u64, Address), (Wallet, Arc<WalletGuard>)>,
    sources: Sources,
    candles: Arc<CandleService>,
    /// By folder and addresses.
    tables: Pool<(PathBuf, Url, Url), Arc<TableService>>,
    /// The node's strategies.
    yields: Pool<(), Arc<YieldService>>,
}

impl Parts {
    /// For the jobs of a node, with its database. Nothing is made yet. Replayed clocks are followed until `stop`.
    pub fn new(store: Arc<Store>, running: Arc<[JobKey]>, stop: CancellationToken) -> Self {
        Self {
            candles: Arc::new(CandleService::new(store.clone())),
            store,
            running,
            clock: None,
            stop,
            clocks: Pool::default(),
            bundles: Pool::default(),
            models: Pool::default(),
            provers: Pool::default(),
            readers: Pool::default(),
            keys: Pool::default(),
            wallets: Pool::default(),
            sources: Sources::default(),
            tables: Pool::default(),
            yields: Pool::default(),
        }
    }

    /// As [`Parts::new`], for jobs that all go by `clock`.
    pub fn by_clock(store: Arc<Store>, running: Arc<[JobKey]>, clock: Clock) -> Self {
        Self { clock: Some(clock), ..Self::new(store, running, CancellationToken::new()) }
    }

    /// Opens everything that a job's cycles need. Each part is checked before it is used; the chain is not asked yet.
    ///
    /// # Errors
    /// The first part that is not right.
    pub async fn job(&self, config: &Config) -> anyhow::Result<Agent> {
        let clock = self.clock(config).await?;
        let bundle = self.bundle(&config.bundle).await.context("the model bundle is not usable")?;
        let (model, input) = self.fed(config, &bundle).await?;
        let action = assemble::action(config, &bundle)?;
        assemble::keep_manifests(config, &bundle, &self.store)?;
        let (chain, wallet_guard) = self.chain(config).await?;
        let prover = self.prover(config, &bundle).await.context("the prover does not start")?;
        Ok(Agent {
            name: config.names.job.clone(),
            clock,
            input,
            model,
            prover,
            chain,
            store: self.store.clone(),
            action,
            running: self.running.clone(),
            bundle,
            poll_interval: config.chain.poll_interval,
            replace_after_ms: i64::try_from(config.chain.replace_after.as_millis()).unwrap_or(i64::MAX),
            confirmations: config.chain.confirmations,
            evidence: EvidenceStore::new(config.evidence_dir.clone()),
            evidence_keep_ms: config.evidence_keep_ms,
            replica: config.replica,
            wallet_guard,
            peers: Peers::new(&config.attestation.peers, config.attestation.timeout)?,
        })
    }

    /// The node's strategies, with the models that forecast them.
    ///
    /// # Errors
    /// Models that are not usable.
    pub async fn yields(&self, config: &Config) -> anyhow::Result<Arc<YieldService>> {
        let make = async { yields::service(config).await.context("the yield models are not usable").map(Arc::new) };
        self.yields.get((), make).await
    }

    /// The clock that a job goes by.
    ///
    /// # Errors
    /// A replay's clock that does not answer.
    pub async fn clock(&self, config: &Config) -> anyhow::Result<Clock> {
        match &self.clock {
            Some(clock) => Ok(clock.clone()),
            None => self.clocks.get(config.schedule.clock, replay::clock(config, &self.stop)).await,
        }
    }

    /// The chains' prices that may change while the process runs.
    pub fn set_fees(&self, config: &NodeConfig) {
        for job in config.jobs() {
            if let Some(reader) = self.readers.known(&job.names.chain) {
                reader.fees().set(assemble::fee_caps(job));
            }
        }
    }

    /// Ends every prover's process.
    pub async fn stop_provers(&self) {
        for prover in self.provers.made() {
            prover.stop().await;
        }
    }

    async fn bundle(&self, folder: &Path) -> anyhow::Result<Bundle> {
        let path = folder.to_owned();
        let open = async {
            // Megabytes are hashed, of each of a hundred jobs.
            let opened = tokio::task::spawn_blocking(move || Bundle::open(&path)).await;
            opened.context("the bundle's check broke off")?.map_err(anyhow::Error::from)
        };
        self.bundles.get(veriregime_files::real_path(folder), open).await
    }

    /// The job's model, and what it is fed.
    async fn fed(&self, config: &Config, bundle: &Bundle) -> anyhow::Result<(JobModel, Input)> {
        if let Some(strategy) = &config.strategy {
            return Ok((assemble::strategy(bundle, strategy)?, Input::Strategies(self.yields(config).await?)));
        }
        let Some(hedge) = &config.hedge else {
            let model = self.model(bundle).await?;
            let feeds = feeds::shared(config, &bundle.manifest, &self.sources)?;
            let (from_ms, to_ms) = window_ms(bundle.manifest.features()?, 0);
            for symbol in &feeds.primary().symbols {
                // One minute more, whose close may be carried in.
                self.candles.expect(&feeds.primary().name, symbol, to_ms - from_ms + MINUTE_MS);
            }
            return Ok((
                JobModel::Regime(Box::new(model)),
                Input::Candles(CandleInput { feeds, candles: self.candles.clone() }),
            ));
        };
        let key = (hedge.dir.clone(), hedge.electricity.clone(), hedge.rates.clone());
        let make =
            async { Ok::<_, anyhow::Error>(Arc::new(TableService::new(key.0.clone(), key.1.clone(), key.2.clone()))) };
        let tables = self.tables.get(key.clone(), make).await?;
        Ok((assemble::electricity(bundle, &hedge.country)?, Input::Tables(tables)))
    }

    async fn model(&self, bundle: &Bundle) -> anyhow::Result<RegimeModel> {
        let file = digest(bundle, ONNX_FILE).context("the manifest names no network")?;
        let layout = Layout::of(&bundle.manifest.regime()?);
        let network = self.models.get((file, layout), async { assemble::network(bundle).map(Arc::new) }).await?;
        Ok(RegimeModel::of(&bundle.manifest, network)?)
    }

    /// A prover of the bundle's circuit. Whether the job's chain permits the SRS is asked for each.
    async fn prover(&self, config: &Config, bundle: &Bundle) -> anyhow::Result<SharedProver> {
        let offer = bundle.manifest.offer(config.prover.kind.way())?;
        if config.prover.kind != ProverKind::Mock {
            assemble::srs(config, bundle)?;
        }
        let files =
            [CIRCUIT_FILE, PROVING_KEY_FILE, VERIFYING_KEY_FILE, SETTINGS_FILE].map(|name| digest(bundle, name));
        let [circuit, proving_key, verifying_key, settings] = files;
        let srs = offer.srs.map(|srs| srs.sha256);
        let files = [circuit, proving_key, verifying_key, settings, digest(bundle, ONNX_FILE), srs];
        let key = (config.prover.kind, files, bundle.manifest.input_scale());
        self.provers.get(key, async { assemble::prover(config, bundle).await.map(SharedProver::new) }).await
    }

    /// The job's chain with its wallet and attestor, and what watches over the wallet.
    async fn chain(&self, config: &Config) -> anyhow::Result<(Chain, Arc<WalletGuard>)> {
        if let Holder::Ledger(_) = config.signer.holder {
            return Err(KeyError::DeployOnly.into());
        }
        let reader = self.readers.get(config.names.chain.clone(), async { assemble::reader(config) }).await?;
        let mut chain = Chain::over(reader, self.key(&config.signer).await?);
        let key = (chain.read.chain_id(), chain.address());
        let (wallet, guard) =
            self.wallets.get(key, async { anyhow::Ok((chain.wallet.clone(), Arc::default())) }).await?;
        chain.wallet = wallet;
        let chain = match &config.attestor {
            Some(attestor) => chain.with_attestor(self.key(attestor).await?),
            None => chain,
        };
        Ok((chain, guard))
    }

    async fn key(&self, settings: &config::signer::Signer) -> anyhow::Result<Signer> {
        self.keys.get(settings.clone(), assemble::signer(settings)).await
    }
}

fn digest(bundle: &Bundle, name: &str) -> Option<Digest> {
    bundle.manifest.files.get(name).copied()
}

/// As [`Parts::job`], of the only job of a process.
///
/// # Errors
/// The first part that is not right.
pub async fn agent(config: &Config, clock: Clock, store: Store) -> anyhow::Result<Agent> {
    let running = key(config).ok().flatten().into_iter().collect();
    Parts::by_clock(Arc::new(store), running, clock).job(config).await
}

/// What a job's cycles are stored by; `None` where its bundle's manifest cannot be read.
///
/// # Errors
/// A contract that is not configured.
pub fn key(config: &Config) -> Result<Option<JobKey>, ConfigError> {
    let contract = assemble::contract(config)?;
    Ok(Bundle::manifest_digest_of(&config.bundle).ok().map(|manifest| JobKey::new(contract, manifest)))
}
