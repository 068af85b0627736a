//! What was measured of a cycle.

use serde::Serialize;

use crate::render::Render;
use crate::render::layout::Table;

/// What `bench` measured. Times are of this machine in this run.
#[derive(Debug, Serialize)]
pub struct Figures {
    pub model_id: String,
    pub logrows: u32,
    pub rows: usize,
    pub instances: usize,
    pub pk_bytes: u64,
    pub proof_bytes: usize,
    pub witness_ms_p50: f64,
    pub prove_ms_p50: f64,
    pub prove_ms_p95: f64,
    pub verify_ms_p50: f64,
    pub prover_peak_rss_mb: f64,
    pub verify_gas: u64,
    pub submit_gas: u64,
    pub inference_us_p50: f64,
    pub features_rows_per_s: f64,
    pub cycle_ms_p50: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineFigures>,
}

/// The same of the network that is compared with.
#[derive(Debug, Serialize)]
pub struct BaselineFigures {
    pub prove_ms: f64,
    pub verify_gas: u64,
    pub pk_bytes: u64,
}

impl Render for Figures {
    fn text(&self) -> String {
        let mut table = Table::new(&["figure", "value"]);
        let ms = |value: f64| format!("{value:.1} ms");
        table.add_row([
            "circuit".into(),
            format!("2^{} rows, {} used, {} public inputs", self.logrows, self.rows, self.instances),
        ]);
        table.add_row(["proving key".into(), format!("{} bytes", self.pk_bytes)]);
        table.add_row(["proof".into(), format!("{} bytes", self.proof_bytes)]);
        table.add_row(["witness, p50".into(), ms(self.witness_ms_p50)]);
        table.add_row(["prove, p50 / p95".into(), format!("{} / {}", ms(self.prove_ms_p50), ms(self.prove_ms_p95))]);
        table.add_row(["verify locally, p50".into(), ms(self.verify_ms_p50)]);
        table.add_row(["prover's peak memory".into(), format!("{:.0} MB", self.prover_peak_rss_mb)]);
        table.add_row(["verifyProof".into(), format!("{} gas", self.verify_gas)]);
        table.add_row(["submit".into(), format!("{} gas", self.submit_gas)]);
        table.add_row(["inference, float and integer, p50".into(), format!("{:.0} µs", self.inference_us_p50)]);
        table.add_row(["features".into(), format!("{:.2} M rows/s", self.features_rows_per_s / 1e6)]);
        table.add_row(["candles to signed transaction, p50".into(), ms(self.cycle_ms_p50)]);
        if let Some(baseline) = &self.baseline {
            table.add_row(["baseline: prove".into(), ms(baseline.prove_ms)]);
            table.add_row(["baseline: verifyProof".into(), format!("{} gas", baseline.verify_gas)]);
            table.add_row(["baseline: proving key".into(), format!("{} bytes", baseline.pk_bytes)]);
            let ratio = baseline.prove_ms / self.prove_ms_p50;
            table.add_row(["proving is faster by".into(), format!("{ratio:.0} times")]);
        }
        table.to_string()
    }
}
