//! The demo: candles over HTTP, a chain of its own, real proofs and transactions, and what happened in each period.

mod market;
mod row;
pub mod table;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use crate::actions::risk_oracle::abi::IRiskParameters::Params;
use crate::actions::risk_oracle::abi::RiskOracle::pendingReturn;
use crate::config::Config;
use crate::devnet::{Anvil, World};
use crate::job::Agent;
use crate::node::parts;
use crate::render::layout;
use crate::state::Store;
use market::Served;
use row::{PeriodRow, row};
use table::Report;
use veriregime_core::quantile::quantile;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::time::format_utc;

/// From a period's start to its cycle.
const CYCLE_DELAY_SECONDS: i64 = 15;
/// Longest wait for one period.
const PATIENCE: Duration = Duration::from_mins(1);

/// What is shown.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Consecutive periods.
    pub periods: u32,
    pub source: Source,
    /// A moment of the first period; the last periods of a file, and of the exchange, if absent.
    pub from_ms: Option<i64>,
    /// anvil, instead of the one of [`crate::devnet::foundry`].
    pub anvil: Option<PathBuf>,
}

/// Where candles come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A made-up market.
    Simulated { seed: u64 },
    /// A candle file.
    Recorded(PathBuf),
    /// The live exchange.
    Binance,
}

impl Source {
    /// The source in a word.
    fn name(&self) -> String {
        match self {
            Self::Simulated { seed } => format!("simulated:{seed}"),
            Self::Recorded(path) => path.display().to_string(),
            Self::Binance => "binance".into(),
        }
    }
}

/// A demo that runs: its world, and the periods so far.
#[derive(Debug)]
pub struct Demo {
    config: Config,
    agent: Agent,
    anvil: Anvil,
    source: Source,
    served: Served,
    rows: Vec<PeriodRow>,
    /// Dropped last: keys, database and, where needed, a development bundle.
    _scratch: tempfile::TempDir,
}

impl Demo {
    /// Serves the candles, starts the chain and deploys everything to it; `say` hears what there is.
    ///
    /// # Errors
    /// What keeps the demo from starting.
    pub async fn start(
        scenario: &Scenario,
        config: Config,
        stop: &CancellationToken,
        say: &impl Fn(String),
    ) -> anyhow::Result<Self> {
        let scratch = tempfile::tempdir().context("no scratch folder")?;
        let (mut config, story, served) = market::serve(scenario, config, stop).await?;
        say(item("candles", &story));
        let started = Instant::now();
        let configured_srs = config.prover.srs_dir.clone();
        let first = served.first;
        let world = World::start(&mut config, scratch.path(), scenario.anvil.as_deref(), first.start_seconds()).await?;
        for line in inventory(&world, &config, &configured_srs, first)? {
            say(line);
        }
        say(item("", &format!("ready after {} ms", started.elapsed().as_millis())));
        let store = Store::open(&scratch.path().join("agent.sqlite"))?;
        let agent = parts::agent(&config, served.clock.clone(), store).await?;
        let (source, rows) = (scenario.source.clone(), Vec::new());
        Ok(Self { config, agent, anvil: world.anvil, source, served, rows, _scratch: scratch })
    }

    /// The next period's start.
    pub fn next_start_ms(&self) -> i64 {
        self.next_period().start_ms()
    }

    fn next_period(&self) -> PeriodId {
        self.rows.last().map_or(self.served.first, |row| row.period.next())
    }

    /// Moves chain and clock to the next period and runs its cycle.
    ///
    /// # Errors
    /// A cycle that does not land.
    pub async fn run_next(&mut self, stop: &CancellationToken) -> anyhow::Result<()> {
        let period = self.next_period();
        let now_seconds = period.start_seconds() + CYCLE_DELAY_SECONDS;
        self.anvil.set_time(now_seconds).await?;
        self.served.clock.set_ms(now_seconds * 1000);
        let before = read(&self.agent).await?;
        let started = Instant::now();
        // The demo's clock stands still, so the period's own end would never come.
        let cycle = tokio::time::timeout(PATIENCE, self.agent.run(period, stop)).await;
        let record = cycle.with_context(|| {
            let seconds = PATIENCE.as_secs();
            format!("period {period} did not land within {seconds} seconds; the warnings above say why")
        })??;
        let cycle_ms = started.elapsed().as_secs_f64() * 1e3;
        let (after, next) = (read(&self.agent).await?, next(&self.agent).await?);
        self.rows.push(row(&self.agent, &record, &before, &after, &next, cycle_ms)?);
        Ok(())
    }

    /// What happened, with what the market really did in those periods that are over.
    ///
    /// # Errors
    /// A market that does not answer.
    pub async fn report(&mut self) -> anyhow::Result<Report> {
        for row in &mut self.rows {
            market::fill_realised(&self.agent, &self.served, row).await?;
        }
        let rows = self.rows.iter().map(|row| row.cycle_ms).collect::<Vec<_>>();
        let manifest = &self.agent.bundle.manifest;
        Ok(Report {
            source: self.source.name(),
            model_id: manifest.model_id.clone(),
            periods: self.rows.clone(),
            cycle_ms_p50: quantile(&rows, 0.5),
            threshold: self.agent.model.label.threshold,
        })
    }

    /// How the parameters are read with `cast`, and what it answers.
    ///
    /// # Errors
    /// A model without a market.
    pub async fn how_to_read(&self) -> anyhow::Result<String> {
        table::how_to_read(&self.config, &self.agent, &self.anvil.rpc_url, self.rows.last()).await
    }

    /// Ends the prover.
    pub async fn stop(&mut self) {
        self.agent.prover.stop().await;
    }
}

/// What the demo has, behind its name.
fn item(name: &str, words: &str) -> String {
    layout::item(&format!("{name:10}"), words)
}

/// What was made for the demo.
fn inventory(world: &World, config: &Config, configured_srs: &Path, first: PeriodId) -> anyhow::Result<Vec<String>> {
    let manifest = &world.bundle.manifest;
    let circuit = manifest.ezkl()?;
    let (instances, rows, bytes) = (circuit.instances, circuit.rows, circuit.proof_bytes);
    let keys = if world.ceremony {
        format!("the bundle's, from the public ceremony's SRS kzg{}.srs", circuit.logrows)
    } else {
        format!(
            "no ceremony SRS in {} and none can be downloaded, so the demo made an insecure development SRS and keys of its own. \
                 They are good for this chain only; any other chain is refused.",
            configured_srs.display()
        )
    };
    let (contracts, rpc_url) = (&world.deployment.contracts, world.anvil.rpc_url.as_str().trim_end_matches('/'));
    let begins = format_utc(first.start_ms());
    Ok(vec![
        item("model", &format!("{}: {instances} public inputs, {rows} rows, {bytes} byte proofs", manifest.model_id)),
        item("keys", &keys),
        item("chain", &format!("anvil at {rpc_url} (chain {}), its time starting at {begins}", config.chain.chain_id)),
        item("contracts", &format!("RiskOracle {}", contracts.oracle.address)),
        item("", &format!("verifier {}", contracts.verifier.address)),
    ])
}

async fn read(agent: &Agent) -> anyhow::Result<Params> {
    let market = agent.model.candles.markets.first().context("the model has no market")?.id();
    Ok(agent.chain.read.params(agent.action.contract(), market).await?.current)
}

async fn next(agent: &Agent) -> anyhow::Result<pendingReturn> {
    let market = agent.model.candles.markets.first().context("the model has no market")?.id();
    Ok(agent.chain.read.pending(agent.action.contract(), market).await?)
}
