//! What a cycle costs, measured here and now.

use std::path::Path;
use std::time::Instant;

use anyhow::Context;

use super::figures::{BaselineFigures, Figures};
use crate::actions::risk_oracle::update::Update;
use crate::attestation::statement::Statement;
use crate::bundle::Bundle;
use crate::chain::Chain;
use crate::config::Config;
use crate::devnet;
use crate::devnet::World;
use crate::node::assemble;
use crate::sources::candles::simulated::SimulatedMarket;
use crate::verification::Prover;
use crate::verification::ezkl::baseline::measure as measure_baseline;
use veriregime_core::features;
use veriregime_core::features::Batch;
use veriregime_core::forecast::{ForecastError, RegimeModel, window};
use veriregime_core::quantile::quantile;
use veriregime_core::types::candle::CandleSeries;
use veriregime_core::types::cycle::{Forecast, Purpose};
use veriregime_core::types::manifest::PROVING_KEY_FILE;
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::period::{MINUTE_MS, PeriodId};
use veriregime_core::types::proof::Proof;

/// The simulated market that is measured on.
pub(super) const SEED: u64 = 7;
/// Its first measured period, 2026-01-05 00:00 UTC.
pub(super) const FIRST_PERIOD: PeriodId = PeriodId(122_748);
/// Decision times whose features are timed.
const FEATURE_ROWS: usize = 200_000;
/// Times that the network is run for one figure.
const INFERENCE_RUNS: usize = 2_000;

/// One forecast, ready to be proven.
pub(super) struct Case {
    period: PeriodId,
    windows: Vec<Option<CandleSeries>>,
}

/// Another network to compare with: its ONNX file, and its input as EZKL takes it.
pub type Baseline<'a> = (&'a Path, &'a Path);

/// Measures `runs` proofs and cycles of the configured model.
///
/// # Errors
/// Whatever a cycle can run into.
pub async fn measure(
    mut config: Config,
    anvil: Option<&Path>,
    runs: u32,
    baseline: Option<Baseline<'_>>,
) -> anyhow::Result<Figures> {
    // Contract and prover, whatever the settings choose: the other ways are measured beside it by `ways`.
    config.prover.kind = Way::Ezkl.into();
    let scratch = tempfile::tempdir().context("no scratch folder")?;
    let start_seconds = FIRST_PERIOD.start_seconds();
    let world = World::start(&mut config, scratch.path(), anvil, start_seconds).await?;
    let (bundle, chain) = (&world.bundle, assemble::chain(&config).await?);
    let model = assemble::model(bundle)?;
    let mut prover = assemble::prover(&config, bundle).await?;

    let cases = cases(bundle, runs)?;
    let bench = Bench { world: &world, model: &model, chain: &chain };
    let measured = bench.cycles(&mut prover, &cases).await?;
    let prover_peak_rss_mb = match &mut prover {
        Prover::Ezkl(prover) => prover.peak_rss_bytes().await? as f64 / 1e6,
        _ => 0.0,
    };
    let verify_gas = chain.verification_gas(world.deployment.contracts.verifier.address, &measured.last_proof).await?;
    prover.stop().await;
    let circuit = bundle.manifest.ezkl()?;
    Ok(Figures {
        model_id: bundle.manifest.model_id.clone(),
        logrows: circuit.logrows,
        rows: circuit.rows,
        instances: circuit.instances,
        pk_bytes: veriregime_files::size_bytes(&bundle.path(PROVING_KEY_FILE))?,
        proof_bytes: circuit.proof_bytes,
        witness_ms_p50: quantile(&measured.witness_ms, 0.5),
        prove_ms_p50: quantile(&measured.prove_ms, 0.5),
        prove_ms_p95: quantile(&measured.prove_ms, 0.95),
        verify_ms_p50: quantile(&measured.verify_ms, 0.5),
        prover_peak_rss_mb,
        verify_gas,
        submit_gas: measured.submit_gas,
        inference_us_p50: inference_us(&model, &bench.forecast(&cases[0])?.inputs())?,
        features_rows_per_s: feature_rows_per_second(bundle)?,
        cycle_ms_p50: quantile(&measured.cycle_ms, 0.5),
        baseline: baseline_figures(baseline, &config, &chain).await?,
    })
}

/// What cycles need.
pub(super) struct Bench<'a> {
    pub(super) world: &'a World,
    pub(super) model: &'a RegimeModel,
    pub(super) chain: &'a Chain,
}

/// What cycles took.
pub(super) struct Measured {
    pub(super) witness_ms: Vec<f64>,
    pub(super) prove_ms: Vec<f64>,
    pub(super) verify_ms: Vec<f64>,
    pub(super) cycle_ms: Vec<f64>,
    pub(super) submit_gas: u64,
    pub(super) last_proof: Proof,
}

impl Bench<'_> {
    /// The same market in the place of all.
    fn forecast(&self, case: &Case) -> Result<Forecast, ForecastError> {
        self.model.compute(&case.windows, case.period)
    }

    /// From candles in memory to a signed transaction, again and again; the last one is sent.
    pub(super) async fn cycles(&self, prover: &mut Prover, cases: &[Case]) -> anyhow::Result<Measured> {
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
                chain_id: self.chain.read.chain_id(),
                oracle,
                registry: self.world.deployment.contracts.registry.address,
                model_id,
                period: case.period,
                attestor_set_version: self.chain.read.attestor_set(oracle).await?.version,
                omitted_markets: OmittedMarkets::NONE,
                instances: proved.proof.instances.clone(),
                prices: None,
            };
            let attestations = [self.chain.attest(statement.digest()).await?];
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
            let attempt = self.chain.sign(Purpose::Action, update.call(oracle), nonce, None).await?;
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
pub(super) fn cases(bundle: &Bundle, runs: u32) -> anyhow::Result<Vec<Case>> {
    let spec = bundle.manifest.features()?;
    let last = PeriodId(FIRST_PERIOD.0 + u64::from(runs));
    let (from_ms, _) = features::window_ms(spec, FIRST_PERIOD.start_ms());
    let candles = SimulatedMarket::new(SEED).candles(from_ms..last.start_ms());
    (FIRST_PERIOD.0..last.0)
        .map(PeriodId)
        .map(|period| {
            let windows = vec![Some(window(spec, &candles, period.start_ms())?); bundle.manifest.rows()];
            Ok(Case { period, windows })
        })
        .collect()
}

/// Both forms of the network and their comparison.
fn inference_us(model: &RegimeModel, inputs: &[i32]) -> anyhow::Result<f64> {
    let mut times = Vec::with_capacity(INFERENCE_RUNS);
    for _ in 0..INFERENCE_RUNS {
        let started = Instant::now();
        std::hint::black_box(model.network().predict(std::hint::black_box(inputs))?);
        times.push(started.elapsed().as_secs_f64() * 1e6);
    }
    Ok(quantile(&times, 0.5))
}

/// Rows of a whole series at once, on all cores, preparation included.
fn feature_rows_per_second(bundle: &Bundle) -> anyhow::Result<f64> {
    let spec = bundle.manifest.features()?;
    let start_ms = FIRST_PERIOD.start_ms();
    let to_ms = start_ms + (FEATURE_ROWS + spec.lookback_minutes) as i64 * MINUTE_MS;
    let candles = SimulatedMarket::new(SEED).candles(start_ms..to_ms);
    let series = CandleSeries::new(&candles, start_ms, to_ms, 0)?;
    let started = Instant::now();
    let batch = Batch::new(spec, &series)?;
    std::hint::black_box(batch.rows(spec.lookback_minutes..spec.lookback_minutes + FEATURE_ROWS));
    Ok(FEATURE_ROWS as f64 / started.elapsed().as_secs_f64())
}

async fn baseline_figures(
    baseline: Option<Baseline<'_>>,
    config: &Config,
    chain: &Chain,
) -> anyhow::Result<Option<BaselineFigures>> {
    let Some((onnx, input)) = baseline else { return Ok(None) };
    let baseline = measure_baseline(config.prover.python.clone(), &devnet::bundles::compiler(), onnx, input).await?;
    let verifier = chain.create(baseline.verifier.bytecode.clone()).await?;
    let verify_gas = chain.verification_gas(verifier, &baseline.proof).await?;
    Ok(Some(BaselineFigures { prove_ms: baseline.prove_ms, verify_gas, pk_bytes: baseline.pk_bytes }))
}
