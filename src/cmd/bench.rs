//! `bench`: what a cycle costs, measured here and now.

mod api;
mod training;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use clap::Args;
use serde::Serialize;

use super::{report, train};
use crate::attestation::statement::Statement;
use crate::bundle::Bundle;
use crate::chain::{Chain, Update};
use crate::config::Config;
use crate::devnet;
use crate::devnet::World;
use crate::node::assemble;
use crate::sources::candles::simulated::SimulatedMarket;
use crate::verification::ezkl::baseline;
use crate::verification::ezkl::prover::EzklProver;
use veriregime_core::features;
use veriregime_core::features::Batch;
use veriregime_core::forecast::{ForecastError, compute, window};
use veriregime_core::model::Model;
use veriregime_core::types::candle::CandleSeries;
use veriregime_core::types::cycle::Forecast;
use veriregime_core::types::manifest::PROVING_KEY_FILE;
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::period::{MINUTE_MS, PeriodId};
use veriregime_core::types::proof::Proof;

/// The simulated market that is measured on.
const SEED: u64 = 7;
/// Its first measured period, 2026-01-05 00:00 UTC.
const FIRST_PERIOD: PeriodId = PeriodId(122_748);
/// Decision times whose features are timed.
const FEATURE_ROWS: usize = 200_000;
/// Times that the network is run for one figure.
const INFERENCE_RUNS: usize = 2_000;

/// Options of `bench`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent bench
  veriregime-agent bench --json --baseline student.onnx --baseline-input input.json
  veriregime-agent bench --training --settings models/train.toml

The baseline is another network, built with EZKL's defaults and proven in the same run: it may take minutes.")]
pub struct BenchArgs {
    /// Proofs and cycles to measure.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(3..=10_000))]
    runs: u32,
    /// ONNX file of a network to compare with.
    #[arg(long, value_name = "ONNX", requires = "baseline_input")]
    baseline: Option<PathBuf>,
    /// Its input, as EZKL takes it: `{"input_data": [[...]]}`.
    #[arg(long, value_name = "JSON", requires = "baseline")]
    baseline_input: Option<PathBuf>,
    /// anvil, instead of the one that `make setup` installs.
    #[arg(long, value_name = "PROGRAM")]
    anvil: Option<PathBuf>,
    /// Training settings, for --training.
    #[arg(long, value_name = "FILE", default_value = train::DEFAULT_SETTINGS)]
    settings: PathBuf,
    /// Measure only how fast the networks of the training settings learn.
    #[arg(long, conflicts_with_all = ["baseline", "anvil"])]
    training: bool,
    /// Measure only the HTTP API: 2000 requests a second while cycles run.
    #[arg(long, conflicts_with_all = ["baseline", "training"])]
    api: bool,
}

/// What `bench` measured. Times are of this machine in this run.
#[derive(Debug, Serialize)]
struct Figures {
    model_id: String,
    logrows: u32,
    rows: usize,
    instances: usize,
    pk_bytes: u64,
    proof_bytes: usize,
    witness_ms_p50: f64,
    prove_ms_p50: f64,
    prove_ms_p95: f64,
    verify_ms_p50: f64,
    prover_peak_rss_mb: f64,
    verify_gas: u64,
    submit_gas: u64,
    inference_us_p50: f64,
    features_rows_per_s: f64,
    cycle_ms_p50: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<BaselineFigures>,
}

#[derive(Debug, Serialize)]
struct BaselineFigures {
    prove_ms: f64,
    verify_gas: u64,
    pk_bytes: u64,
}

/// One forecast, ready to be proven.
struct Case {
    period: PeriodId,
    windows: Vec<Option<CandleSeries>>,
}

/// Measures and prints.
///
/// # Errors
/// Whatever a cycle can run into.
pub async fn run(args: BenchArgs, settings: Option<&Path>, json: bool) -> anyhow::Result<()> {
    if args.training {
        train::refuse_as_config(settings)?;
        let settings = train::read_settings(&args.settings)?;
        settings.check()?;
        let figures = training::measure(&settings)?;
        if json {
            println!("{}", serde_json::to_string(&figures)?);
        } else {
            training::print(&figures);
        }
        return Ok(());
    }
    let mut config = crate::config::load(settings)?;
    if args.api {
        let figures = Box::pin(api::measure(config, args.anvil.as_deref(), args.runs)).await?;
        if json {
            println!("{}", serde_json::to_string(&figures)?);
        } else {
            api::print(&figures);
        }
        return Ok(());
    }
    let scratch = tempfile::tempdir().context("no scratch folder")?;
    let start_seconds = FIRST_PERIOD.start_seconds();
    let world = World::start(&mut config, scratch.path(), args.anvil.as_deref(), start_seconds).await?;
    let (bundle, chain) = (&world.bundle, assemble::chain(&config).await?);
    let model = assemble::model(bundle)?;
    let mut prover =
        EzklProver::start(assemble::worker_settings(&config), bundle, &config.prover.srs_dir, config.chain.chain_id)
            .await?;

    let cases = cases(bundle, args.runs)?;
    let mut bench = Bench { world: &world, model: &model, chain: &chain };
    let measured = bench.cycles(&mut prover, &cases).await?;
    let prover_peak_rss_mb = prover.peak_rss_bytes().await? as f64 / 1e6;
    let verify_gas = chain.verification_gas(world.deployment.contracts.verifier.address, &measured.last_proof).await?;
    prover.stop().await;
    let circuit = &bundle.manifest.circuit;
    let figures = Figures {
        model_id: bundle.manifest.model_id.clone(),
        logrows: circuit.logrows,
        rows: circuit.rows,
        instances: circuit.instances,
        pk_bytes: veriregime_files::size_bytes(&bundle.path(PROVING_KEY_FILE))?,
        proof_bytes: circuit.proof_bytes,
        witness_ms_p50: report::quantile(&measured.witness_ms, 0.5),
        prove_ms_p50: report::quantile(&measured.prove_ms, 0.5),
        prove_ms_p95: report::quantile(&measured.prove_ms, 0.95),
        verify_ms_p50: report::quantile(&measured.verify_ms, 0.5),
        prover_peak_rss_mb,
        verify_gas,
        submit_gas: measured.submit_gas,
        inference_us_p50: inference_us(&model, &bench.forecast(&cases[0])?.inputs())?,
        features_rows_per_s: feature_rows_per_second(bundle)?,
        cycle_ms_p50: report::quantile(&measured.cycle_ms, 0.5),
        baseline: baseline_figures(&args, &config, &chain).await?,
    };
    if json {
        println!("{}", serde_json::to_string(&figures)?);
    } else {
        print(&figures);
    }
    Ok(())
}

struct Bench<'a> {
    world: &'a World,
    model: &'a Model,
    chain: &'a Chain,
}

struct Measured {
    witness_ms: Vec<f64>,
    prove_ms: Vec<f64>,
    verify_ms: Vec<f64>,
    cycle_ms: Vec<f64>,
    submit_gas: u64,
    last_proof: Proof,
}

impl Bench<'_> {
    /// The same market in the place of all.
    fn forecast(&self, case: &Case) -> Result<Forecast, ForecastError> {
        compute(&self.world.bundle.manifest.features, self.model, &case.windows, case.period)
    }

    /// From candles in memory to a signed transaction, again and again; the last one is sent.
    async fn cycles(&mut self, prover: &mut EzklProver, cases: &[Case]) -> anyhow::Result<Measured> {
        let mut measured = Measured {
            witness_ms: Vec::new(),
            prove_ms: Vec::new(),
            verify_ms: Vec::new(),
            cycle_ms: Vec::new(),
            submit_gas: 0,
            last_proof: Proof { bytes: Vec::new().into(), instances: Vec::new() },
        };
        for case in cases {
            self.world.anvil.set_time(case.period.start_seconds() + 15).await?;
            let started = Instant::now();
            let forecast = self.forecast(case)?;
            let proved = prover.prove(&forecast.inputs(), &forecast.output_integers()).await?;
            let (oracle, model_id) = (self.world.deployment.contracts.oracle.address, self.world.deployment.model_id);
            let statement = Statement {
                model_id,
                period: case.period,
                omitted: OmittedMarkets::NONE,
                instances: &proved.proof.instances,
                closes_e8: &[],
                attestor_set_version: self.chain.read.attestor_set(oracle).await?.version,
            };
            let attestations = [self.chain.attest(statement.digest(self.chain.read.chain_id(), oracle)).await?];
            let update = Update {
                model_id,
                period: case.period,
                omitted: OmittedMarkets::NONE,
                features: &forecast.features,
                outputs: &forecast.outputs,
                proof: &proved.proof.bytes,
                attestations: &attestations,
            };
            let nonce = self.chain.nonce().await?;
            let attempt = self.chain.sign_update(oracle, &update, nonce, None).await?;
            measured.cycle_ms.push(started.elapsed().as_secs_f64() * 1e3);
            measured.witness_ms.push(proved.witness_ms);
            measured.prove_ms.push(proved.prove_ms);
            measured.verify_ms.push(proved.verify_ms);
            measured.last_proof = proved.proof;
            self.chain.broadcast(&attempt).await?;
            measured.submit_gas = measured.submit_gas.max(self.chain.receipt(attempt).await?.gas_used);
        }
        Ok(measured)
    }
}

/// Consecutive periods of the simulated market.
fn cases(bundle: &Bundle, runs: u32) -> anyhow::Result<Vec<Case>> {
    let spec = &bundle.manifest.features;
    let last = PeriodId(FIRST_PERIOD.0 + u64::from(runs));
    let (from_ms, _) = features::window_ms(spec, FIRST_PERIOD);
    let candles = SimulatedMarket::new(SEED).candles(from_ms..last.start_ms());
    (FIRST_PERIOD.0..last.0)
        .map(PeriodId)
        .map(|period| {
            let windows = vec![Some(window(spec, &candles, period)?); bundle.manifest.markets.len()];
            Ok(Case { period, windows })
        })
        .collect()
}

/// Both forms of the network and their comparison.
fn inference_us(model: &Model, inputs: &[i32]) -> anyhow::Result<f64> {
    let mut times = Vec::with_capacity(INFERENCE_RUNS);
    for _ in 0..INFERENCE_RUNS {
        let started = Instant::now();
        std::hint::black_box(model.predict(std::hint::black_box(inputs))?);
        times.push(started.elapsed().as_secs_f64() * 1e6);
    }
    Ok(report::quantile(&times, 0.5))
}

/// Rows of a whole series at once, on all cores, preparation included.
fn feature_rows_per_second(bundle: &Bundle) -> anyhow::Result<f64> {
    let spec = &bundle.manifest.features;
    let start_ms = FIRST_PERIOD.start_ms();
    let to_ms = start_ms + (FEATURE_ROWS + spec.lookback_minutes) as i64 * MINUTE_MS;
    let candles = SimulatedMarket::new(SEED).candles(start_ms..to_ms);
    let series = CandleSeries::new(&candles, start_ms, to_ms, 0)?;
    let started = Instant::now();
    let batch = Batch::new(spec, &series)?;
    std::hint::black_box(batch.rows(spec.lookback_minutes..spec.lookback_minutes + FEATURE_ROWS));
    Ok(FEATURE_ROWS as f64 / started.elapsed().as_secs_f64())
}

async fn baseline_figures(args: &BenchArgs, config: &Config, chain: &Chain) -> anyhow::Result<Option<BaselineFigures>> {
    let (Some(onnx), Some(input)) = (&args.baseline, &args.baseline_input) else {
        return Ok(None);
    };
    let baseline = baseline::measure(config.prover.python.clone(), &devnet::compiler(), onnx, input).await?;
    let verifier = chain.create(baseline.verifier.bytecode.clone()).await?;
    let verify_gas = chain.verification_gas(verifier, &baseline.proof).await?;
    Ok(Some(BaselineFigures { prove_ms: baseline.prove_ms, verify_gas, pk_bytes: baseline.pk_bytes }))
}

fn print(figures: &Figures) {
    let mut table = report::table(&["figure", "value"]);
    let ms = |value: f64| format!("{value:.1} ms");
    table.add_row([
        "circuit".into(),
        format!("2^{} rows, {} used, {} public inputs", figures.logrows, figures.rows, figures.instances),
    ]);
    table.add_row(["proving key".into(), format!("{} bytes", figures.pk_bytes)]);
    table.add_row(["proof".into(), format!("{} bytes", figures.proof_bytes)]);
    table.add_row(["witness, p50".into(), ms(figures.witness_ms_p50)]);
    table.add_row(["prove, p50 / p95".into(), format!("{} / {}", ms(figures.prove_ms_p50), ms(figures.prove_ms_p95))]);
    table.add_row(["verify locally, p50".into(), ms(figures.verify_ms_p50)]);
    table.add_row(["prover's peak memory".into(), format!("{:.0} MB", figures.prover_peak_rss_mb)]);
    table.add_row(["verifyProof".into(), format!("{} gas", figures.verify_gas)]);
    table.add_row(["submit".into(), format!("{} gas", figures.submit_gas)]);
    table.add_row(["inference, float and integer, p50".into(), format!("{:.0} µs", figures.inference_us_p50)]);
    table.add_row(["features".into(), format!("{:.2} M rows/s", figures.features_rows_per_s / 1e6)]);
    table.add_row(["candles to signed transaction, p50".into(), ms(figures.cycle_ms_p50)]);
    if let Some(baseline) = &figures.baseline {
        table.add_row(["baseline: prove".into(), ms(baseline.prove_ms)]);
        table.add_row(["baseline: verifyProof".into(), format!("{} gas", baseline.verify_gas)]);
        table.add_row(["baseline: proving key".into(), format!("{} bytes", baseline.pk_bytes)]);
        let ratio = baseline.prove_ms / figures.prove_ms_p50;
        table.add_row(["proving is faster by".into(), format!("{ratio:.0} times")]);
    }
    println!("{table}");
}
