//! `once`: the running period's cycle and nothing else.

use std::fmt::Write as _;
use std::path::Path;

use clap::Args;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::signals::stop_on_signal;
use super::{EXIT_DONE, EXIT_MISSED};
use crate::job::Agent;
use crate::node::{assemble, replay};
use crate::render::{cycle, volatility_bps};
use crate::state::Store;
use crate::state::lock::CycleLock;
use veriregime_core::types::cycle::{CycleRecord, Stage};
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::time::format_utc;

/// Options of `once`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent --config agent.toml once            for a system timer or a rescue by hand
  veriregime-agent --config agent.toml once --dry-run  everything up to the proof, nothing signed or sent

It also closes what earlier periods left open. Beside a running daemon it is refused (VR-STATE-010), since the daemon runs the
cycle already; --dry-run is not.
Exit status: 0 landed (or was there already), 1 error, 3 missed.")]
pub struct OnceArgs {
    /// Stop after the proof; sign, send and store nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Runs one cycle.
///
/// # Errors
/// What keeps it from starting, or a database that fails.
pub async fn run(args: OnceArgs, settings: Option<&Path>, json: bool) -> anyhow::Result<u8> {
    let config = assemble::settings(settings)?;
    let stop = CancellationToken::new();
    // A dry run keeps nothing, so that nobody is in its way.
    let lock = if args.dry_run { None } else { Some(CycleLock::take(&config.state_path)?) };
    let path = if args.dry_run { Path::new(":memory:") } else { &config.state_path };
    let clock = replay::clock(&config, &stop).await?;
    let mut agent = assemble::agent(&config, clock, Store::open(path)?).await?;
    let _signals = stop_on_signal(stop.clone())?;
    let period = PeriodId::at_ms(agent.clock.now_ms());
    let record = if args.dry_run {
        agent.run_until(Stage::Proved, period, &stop).await?
    } else {
        agent.settle(&config.schedule.cron).await?;
        agent.run(period, &stop).await?
    };
    stop.cancel();
    agent.prover.stop().await;
    drop(lock);
    if json {
        println!("{}", cycle_json(&agent, &record));
    } else {
        println!("{}", cycle_line(&agent, &record));
    }
    let good = if args.dry_run { Stage::Proved } else { Stage::Confirmed };
    Ok(if record.stage == good || record.stage == Stage::AlreadyByOther { EXIT_DONE } else { EXIT_MISSED })
}

fn cycle_json(agent: &Agent, record: &CycleRecord) -> Value {
    let scale = agent.bundle.manifest.circuit.output_scale;
    let outputs = record.forecast.iter().flat_map(|forecast| &forecast.outputs);
    let mut json = cycle::json(record);
    json["forecasts"] = outputs.map(|outputs| json!(outputs.decode(scale))).collect();
    json
}

fn cycle_line(agent: &Agent, record: &CycleRecord) -> String {
    let scale = agent.bundle.manifest.circuit.output_scale;
    let mut line =
        format!("period {} ({}): {}", record.period, format_utc(record.period.start_ms()), record.stage.name());
    for (market, outputs) in
        agent.bundle.manifest.markets.iter().zip(record.forecast.iter().flat_map(|forecast| &forecast.outputs))
    {
        let prediction = outputs.decode(scale);
        let _ = write!(
            line,
            "\n  {}: {} with probability {:.1} %, volatility {} a minute",
            market.name,
            prediction.regime,
            prediction.probability_high * 100.0,
            volatility_bps(prediction.volatility)
        );
    }
    if record.origin.is_some() {
        let _ = write!(line, "\n  candles from {}", cycle::origin(record));
    }
    if let Some(landed) = &record.landed {
        let _ = write!(line, "\n  transaction {} in block {}, {} gas", landed.hash, landed.block, landed.gas_used);
    }
    if let Some(miss) = &record.miss {
        let _ = write!(line, "\n  {} after stage {}: {}", miss.code, miss.stage.name(), miss.message);
    }
    line
}
