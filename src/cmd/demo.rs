//! `demo`: candles over HTTP, a chain of its own, real proofs and transactions, and a table of what happened.

mod market;
mod table;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::{layout, print};
use crate::actions::risk_oracle::abi::IRiskParameters::Params;
use crate::actions::risk_oracle::abi::RiskOracle::pendingReturn;
use crate::clock::Clock;
use crate::config::Config;
use crate::devnet::{Anvil, World};
use crate::job::Agent;
use crate::node::assemble;
use crate::state::Store;
use veriregime_core::types::cycle::{CycleRecord, Stage};
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::prediction::Regime;
use veriregime_core::types::time::{format_utc, parse_utc_ms};

/// From a period's start to its cycle.
const CYCLE_DELAY_SECONDS: i64 = 15;
/// Its first day turns from calm to turbulent and back.
const DEFAULT_SEED: u64 = 13;
/// Longest wait for one period.
const PATIENCE: Duration = Duration::from_mins(1);
/// More periods than this make no demo.
const MAX_PERIODS: u32 = 500;

/// Options of `demo`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent demo
  veriregime-agent demo --candles btc.parquet --from 2024-08-04 --periods 12
  veriregime-agent demo --source binance
  veriregime-agent demo --keep        leaves the chain running for `cast`, until Ctrl-C")]
pub struct DemoArgs {
    /// How many consecutive periods of four hours to run.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_PERIODS)))]
    periods: u32,
    /// Where candles come from.
    #[arg(long, value_enum, default_value_t = Source::Simulated, conflicts_with = "candles")]
    source: Source,
    /// Replay this candle file (parquet, CSV or zip).
    #[arg(long, value_name = "FILE")]
    candles: Option<PathBuf>,
    /// First period, UTC, e.g. 2024-08-04. The last periods of a file, and of the exchange, if absent.
    #[arg(long, value_parser = parse_utc_ms, value_name = "TIME")]
    from: Option<i64>,
    /// Seed of the simulated market.
    #[arg(long, default_value_t = DEFAULT_SEED)]
    seed: u64,
    /// Leave the chain running until Ctrl-C.
    #[arg(long)]
    keep: bool,
    /// anvil, instead of the one that `make setup` installs.
    #[arg(long, value_name = "PROGRAM")]
    anvil: Option<PathBuf>,
}

/// Where candles come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Source {
    /// A made-up market from a seed.
    Simulated,
    /// The live exchange.
    Binance,
}

/// What one period brought.
#[derive(Debug, Clone, Serialize)]
pub struct PeriodRow {
    pub period: PeriodId,
    pub start: String,
    #[serde(skip)]
    pub volatility_before: Option<f64>,
    pub prob_high_bps: u64,
    /// What was forecast.
    pub regime: Regime,
    /// What the parameters follow, behind dwell, margin and rate limits.
    pub applied_prob_bps: u64,
    pub vol_forecast: f64,
    /// What the update leads to: at once where it is tighter, else from `looser_from` on.
    pub collateral_ratio_bps: u64,
    /// What readers get right after the update.
    pub collateral_ratio_at_once_bps: u64,
    #[serde(skip)]
    pub collateral_ratio_before_bps: u64,
    /// As of the collateral ratio.
    pub amm_fee_pips: u64,
    pub amm_fee_at_once_pips: u64,
    /// When looser values begin to hold; `None` where none are to come.
    pub looser_from: Option<String>,
    #[serde(skip)]
    pub amm_fee_before_pips: u64,
    pub prove_ms: u64,
    pub gas_used: u64,
    pub tx_hash: String,
    pub realised_regime: Option<Regime>,
    #[serde(skip)]
    pub realised_volatility: Option<f64>,
    #[serde(skip)]
    pub cycle_ms: f64,
}

/// Everything that a demo run holds.
struct Demo {
    config: Config,
    agent: Agent,
    anvil: Anvil,
    clock: Clock,
    /// Dropped last: keys, database and, where needed, a development bundle.
    _scratch: tempfile::TempDir,
}

/// Runs the demo.
///
/// # Errors
/// The first period that does not land, or what keeps the demo from starting.
pub async fn run(args: DemoArgs, settings: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let config = crate::config::load(settings)?;
    let stop = CancellationToken::new();
    let scratch = tempfile::tempdir().context("no scratch folder")?;
    let said = |line: String| {
        if !json {
            println!("{line}");
        }
    };
    let (mut config, story, served) = market::serve(&args, config, &stop).await?;
    said(item("candles", &story));
    let mut demo = prepare(&args, &mut config, served.clock, served.first, scratch, &said).await?;
    said(String::new());

    let bar = ProgressBar::new(u64::from(args.periods));
    bar.set_style(ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} periods").context("progress bar")?);
    let mut rows = Vec::new();
    let mut period = served.first;
    for _ in 0..args.periods {
        if !print::is_read() {
            break;
        }
        bar.set_message(format_utc(period.start_ms()));
        rows.push(one_period(&mut demo, period, &stop).await?);
        bar.inc(1);
        period = period.next();
    }
    bar.finish_and_clear();
    for row in &mut rows {
        market::fill_realised(&demo.agent, &demo.clock, served.newest_ms, row).await?;
    }
    if json {
        println!("{}", table::json(&args, &demo.agent, &rows));
    } else {
        table::print(&demo.agent, &rows);
        table::how_to_read(&demo.config, &demo.agent, &demo.anvil.rpc_url, rows.last()).await?;
    }
    if args.keep {
        said("\nThe chain stays up; Ctrl-C ends it.".into());
        tokio::signal::ctrl_c().await?;
    }
    stop.cancel();
    demo.agent.prover.stop().await;
    Ok(())
}

/// What the demo has, behind its name.
fn item(name: &str, words: &str) -> String {
    layout::item(&format!("{name:10}"), words)
}

async fn prepare(
    args: &DemoArgs,
    config: &mut Config,
    clock: Clock,
    first: PeriodId,
    scratch: tempfile::TempDir,
    said: &impl Fn(String),
) -> anyhow::Result<Demo> {
    let started = Instant::now();
    let configured_srs = config.prover.srs_dir.clone();
    let world = World::start(config, scratch.path(), args.anvil.as_deref(), first.start_seconds()).await?;
    let circuit = &world.bundle.manifest.circuit;
    let manifest = &world.bundle.manifest;
    let (instances, rows, bytes) = (circuit.instances, circuit.rows, circuit.proof_bytes);
    said(item("model", &format!("{}: {instances} public inputs, {rows} rows, {bytes} byte proofs", manifest.model_id)));
    said(item(
        "keys",
        &if world.ceremony {
            format!("the bundle's, from the public ceremony's SRS kzg{}.srs", circuit.logrows)
        } else {
            format!(
                "no ceremony SRS in {} and none can be downloaded, so the demo made an insecure development SRS and keys of its own. \
                 They are good for this chain only; any other chain is refused.",
                configured_srs.display(),
            )
        },
    ));
    let (contracts, rpc_url) = (&world.deployment.contracts, world.anvil.rpc_url.as_str().trim_end_matches('/'));
    let begins = format_utc(first.start_ms());
    said(item(
        "chain",
        &format!("anvil at {rpc_url} (chain {}), its time starting at {begins}", config.chain.chain_id),
    ));
    said(item("contracts", &format!("RiskOracle {}", contracts.oracle.address)));
    said(item("", &format!("verifier {}", contracts.verifier.address)));
    said(item("", &format!("ready after {} ms", started.elapsed().as_millis())));
    let store = Store::open(&scratch.path().join("agent.sqlite"))?;
    let agent = assemble::agent(config, clock.clone(), store).await?;
    Ok(Demo { config: config.clone(), agent, anvil: world.anvil, clock, _scratch: scratch })
}

/// Moves chain and clock to the period and runs its cycle.
async fn one_period(demo: &mut Demo, period: PeriodId, stop: &CancellationToken) -> anyhow::Result<PeriodRow> {
    let now_seconds = period.start_seconds() + CYCLE_DELAY_SECONDS;
    demo.anvil.set_time(now_seconds).await?;
    demo.clock.set_ms(now_seconds * 1000);
    let before = read(&demo.agent).await?;
    let started = Instant::now();
    // The demo's clock stands still, so the period's own end would never come.
    let cycle = tokio::time::timeout(PATIENCE, demo.agent.run(period, stop)).await;
    let record = cycle.with_context(|| {
        let seconds = PATIENCE.as_secs();
        format!("period {period} did not land within {seconds} seconds; the warnings above say why")
    })??;
    let cycle_ms = started.elapsed().as_secs_f64() * 1e3;
    let (after, next) = (read(&demo.agent).await?, next(&demo.agent).await?);
    row(&demo.agent, &record, &before, &after, &next, cycle_ms)
}

async fn read(agent: &Agent) -> anyhow::Result<Params> {
    let market = *agent.expected.markets.first().context("the model has no market")?;
    Ok(agent.chain.read.params(agent.oracle, market).await?.current)
}

async fn next(agent: &Agent) -> anyhow::Result<pendingReturn> {
    let market = *agent.expected.markets.first().context("the model has no market")?;
    Ok(agent.chain.read.pending(agent.oracle, market).await?)
}

fn row(
    agent: &Agent,
    record: &CycleRecord,
    before: &Params,
    after: &Params,
    next: &pendingReturn,
    cycle_ms: f64,
) -> anyhow::Result<PeriodRow> {
    if let Some(miss) = &record.miss {
        anyhow::bail!("period {} was missed: {} {}", record.period, miss.code, miss.message);
    }
    anyhow::ensure!(record.stage == Stage::Confirmed, "period {} ended as {}", record.period, record.stage.name());
    let landed = record.landed.context("a confirmed cycle has a transaction")?;
    let forecast = record.forecast.as_ref().context("a confirmed cycle has a forecast")?;
    let outputs = forecast.outputs.first().context("the model has no market")?;
    let prediction = outputs.decode(agent.bundle.manifest.circuit.output_scale);
    let effective_ms = next.effectiveAt.saturating_to::<i64>().saturating_mul(1000);
    let next = &next.next;
    let is_delayed =
        next.borrowCollateralRatioBps < after.borrowCollateralRatioBps || next.ammFeePips < after.ammFeePips;
    Ok(PeriodRow {
        period: record.period,
        start: format_utc(record.period.start_ms()),
        volatility_before: None,
        prob_high_bps: u64::from(after.probabilityHighBps),
        regime: prediction.regime,
        applied_prob_bps: u64::from(after.appliedProbabilityBps),
        vol_forecast: prediction.volatility,
        collateral_ratio_bps: next.borrowCollateralRatioBps.into(),
        collateral_ratio_at_once_bps: after.borrowCollateralRatioBps.into(),
        collateral_ratio_before_bps: before.borrowCollateralRatioBps.into(),
        amm_fee_pips: next.ammFeePips.to(),
        amm_fee_at_once_pips: after.ammFeePips.to(),
        looser_from: is_delayed.then(|| format_utc(effective_ms)),
        amm_fee_before_pips: before.ammFeePips.to(),
        prove_ms: record.prove_ms.unwrap_or(0),
        gas_used: landed.gas_used,
        tx_hash: landed.hash.to_string(),
        realised_regime: None,
        realised_volatility: None,
        cycle_ms,
    })
}
