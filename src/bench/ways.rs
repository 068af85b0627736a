//! The ways of verification beside each other: the same model, the same periods, one run.

use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use serde::Serialize;

use super::break_even::{self, Size};
use super::cycle::{Bench, FIRST_PERIOD, cases};
use crate::bundle::Bundle;
use crate::config::Config;
use crate::devnet::World;
use crate::node::assemble;
use crate::render::layout::Table;
use crate::render::{Render, lines};
use crate::verification::Prover;
use veriregime_core::quantile::quantile;
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::manifest::{PROVING_KEY_FILE, VERIFYING_KEY_FILE};

/// Longest `/proc/self/status`.
const MAX_STATUS_BYTES: u64 = 1 << 16;

/// What one way costs.
#[derive(Debug, Serialize)]
pub struct WayFigures {
    pub way: Way,
    /// Until the prover is ready: its process started, its keys read or made.
    pub set_up_ms: f64,
    pub prove_ms_p50: f64,
    pub prove_ms_p95: f64,
    /// Of a transaction that only asks the verifier.
    pub verify_gas: u64,
    pub submit_gas: u64,
    pub keys_bytes: u64,
    pub code_bytes: usize,
    /// The peak of EZKL's process, or what this process grew by; nothing where the system does not say.
    pub peak_rss_mb: Option<f64>,
    /// From candles to a signed transaction.
    pub cycle_ms_p50: f64,
}

/// All ways.
#[derive(Debug, Serialize)]
pub struct WaysReport {
    pub ways: Vec<WayFigures>,
    /// Where it was asked for: computing networks of other sizes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sizes: Vec<Size>,
}

impl WaysReport {
    /// Gas over weights, of computing and of the ways that prove.
    pub fn lines(&self) -> Vec<(&'static str, Vec<(f64, f64)>)> {
        let proofs = self.ways.iter().filter(|one| one.way.has_proof());
        break_even::lines(&self.sizes, &proofs.map(|one| (one.way.name(), one.verify_gas)).collect::<Vec<_>>())
    }
}

/// Measures `runs` cycles by each way that the configured model offers, each on a chain of its own; `show` is told which.
///
/// # Errors
/// Whatever a cycle can run into.
pub async fn measure(
    config: &Config,
    anvil: Option<&Path>,
    runs: u32,
    show: impl Fn(Way),
) -> anyhow::Result<WaysReport> {
    let mut ways = Vec::with_capacity(Way::ALL.len());
    for way in Bundle::open(&config.bundle)?.manifest.offers().map(|offer| offer.way) {
        show(way);
        let mut config = config.clone();
        config.prover.kind = way.into();
        ways.push(measured(config, anvil, runs, way).await?);
    }
    Ok(WaysReport { ways, sizes: Vec::new() })
}

/// Measures `runs` cycles of the configured model by one way, on a chain of its own.
pub(super) async fn measured(
    mut config: Config,
    anvil: Option<&Path>,
    runs: u32,
    way: Way,
) -> anyhow::Result<WayFigures> {
    let scratch = tempfile::tempdir().context("no scratch folder")?;
    let world = World::start(&mut config, scratch.path(), anvil, FIRST_PERIOD.start_seconds()).await?;
    let (bundle, chain) = (&world.bundle, assemble::chain(&config).await?);
    let model = assemble::model(bundle)?;
    let cases = cases(bundle, runs)?;
    let bench = Bench { world: &world, model: &model, chain: &chain };

    let before = resident_kb();
    let started = Instant::now();
    let mut prover = assemble::prover(&config, bundle).await?;
    let set_up_ms = started.elapsed().as_secs_f64() * 1e3;
    let measured = bench.cycles(&mut prover, &cases).await?;
    let (keys_bytes, peak_rss_mb) = match &mut prover {
        Prover::Ezkl(prover) => {
            let size = |name: &str| veriregime_files::size_bytes(&bundle.path(name));
            (size(PROVING_KEY_FILE)? + size(VERIFYING_KEY_FILE)?, Some(prover.peak_rss_bytes().await? as f64 / 1e6))
        }
        Prover::Halo2(prover) => (prover.key_bytes() as u64, grown_mb(before)),
        Prover::Direct(_) | Prover::Mock(_) => (0, grown_mb(before)),
    };
    prover.stop().await;
    let verifier = world.deployment.contracts.verifier.address;
    let verify_gas = chain.verification_gas(verifier, &measured.last_proof).await?;
    Ok(WayFigures {
        way,
        set_up_ms,
        prove_ms_p50: quantile(&measured.prove_ms, 0.5),
        prove_ms_p95: quantile(&measured.prove_ms, 0.95),
        verify_gas,
        submit_gas: measured.submit_gas,
        keys_bytes,
        code_bytes: chain.read.code(verifier).await?.len(),
        peak_rss_mb,
        cycle_ms_p50: quantile(&measured.cycle_ms, 0.5),
    })
}

/// Resident memory of this process in kB, as Linux tells it.
fn resident_kb() -> Option<u64> {
    let status = veriregime_files::read_text(Path::new("/proc/self/status"), MAX_STATUS_BYTES).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// What this process has grown by since it had `before`, in MB.
fn grown_mb(before: Option<u64>) -> Option<f64> {
    Some(resident_kb()?.saturating_sub(before?) as f64 * 1024.0 / 1e6)
}

impl Render for WaysReport {
    fn text(&self) -> String {
        let names: Vec<&str> = std::iter::once("").chain(self.ways.iter().map(|one| one.way.name())).collect();
        let mut table = Table::new(&names);
        let mut row = |name: &str, cell: &dyn Fn(&WayFigures) -> String| {
            table.add_row(std::iter::once(name.to_owned()).chain(self.ways.iter().map(cell)).collect::<Vec<_>>());
        };
        row("prover ready after", &|one| format!("{:.0} ms", one.set_up_ms));
        row("prove, p50 / p95", &|one| {
            let proven = format!("{:.1} / {:.1} ms", one.prove_ms_p50, one.prove_ms_p95);
            if one.way.has_proof() { proven } else { "nothing".to_owned() }
        });
        row("verifying transaction", &|one| format!("{} gas", one.verify_gas));
        row("submit, the dearest", &|one| format!("{} gas", one.submit_gas));
        row("keys", &|one| format!("{} bytes", one.keys_bytes));
        row("verifier's code", &|one| format!("{} bytes", one.code_bytes));
        row("prover's peak memory", &|one| one.peak_rss_mb.map_or_else(|| "?".to_owned(), |mb| format!("{mb:.1} MB")));
        row("candles to signed transaction, p50", &|one| format!("{:.1} ms", one.cycle_ms_p50));
        let sizes = self.sizes.iter().map(|size| {
            let Size { weights, verify_gas, code_bytes } = size;
            format!("{weights} weights computed by a contract of {code_bytes} bytes: {verify_gas} gas a transaction")
        });
        lines(std::iter::once(table.to_string()).chain(sizes))
    }
}
