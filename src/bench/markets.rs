//! What a further market costs: the configured network for one market, two, three and so on, in one proof and one transaction.

use std::path::Path;

use anyhow::Context;
use serde::Serialize;

use super::ways::{WayFigures, measured};
use crate::bundle::Bundle;
use crate::config::Config;
use crate::devnet::bundles::bundle_for;
use crate::render::layout::Table;
use crate::render::{Render, lines};
use veriregime_core::model::MAX_MODEL_BYTES;
use veriregime_core::model::onnx::{of_market, with_market};
use veriregime_core::types::manifest::ONNX_FILE;
use veriregime_core::types::manifest::inputs::{Candles, Inputs, Market};
use veriregime_core::types::manifest::regime::RegimeLabel;
use veriregime_core::types::manifest::verification::Way;

/// What a market's log-volatility is above the one's before: any number would do, as long as each market has its own.
const APART: f32 = 0.25;
/// log2 of the rows of strings that circuits of up to a dozen markets need.
const STRINGS: std::ops::RangeInclusive<u32> = 8..=12;

/// What so many markets cost by one way.
#[derive(Debug, Serialize)]
pub struct MarketFigures {
    pub markets: usize,
    #[serde(flatten)]
    pub figures: WayFigures,
    /// Gas of `submit` for each market more than in the row before; nothing in a way's first row.
    pub further_submit_gas: Option<u64>,
    /// As much of it as is no verification.
    pub further_gas_over_verification: Option<u64>,
}

/// All of them.
#[derive(Debug, Serialize)]
pub struct MarketsReport {
    pub markets: Vec<MarketFigures>,
}

/// Measures `runs` cycles of the configured model's network for each number of markets, by each way that it offers; `show` is told which.
///
/// # Errors
/// Whatever a cycle can run into.
pub async fn measure(
    config: &Config,
    anvil: Option<&Path>,
    runs: u32,
    counts: &[u32],
    show: impl Fn(Way, usize),
) -> anyhow::Result<MarketsReport> {
    let bundle = Bundle::open(&config.bundle)?;
    let mut report = MarketsReport { markets: Vec::new() };
    for way in bundle.manifest.offers().map(|offer| offer.way) {
        let mut before: Option<(usize, u64, u64)> = None;
        for count in counts.iter().map(|count| *count as usize) {
            show(way, count);
            let scratch = tempfile::tempdir().context("no scratch folder")?;
            let mut config = config.clone();
            config.prover.kind = way.into();
            config.bundle = of_markets(&mut config, &bundle, count, scratch.path()).await?.folder;
            let figures = measured(config, anvil, runs, way).await?;
            let WayFigures { submit_gas, verify_gas, .. } = figures;
            let further = before.filter(|(fewer, ..)| *fewer < count).map(|(fewer, submit, verify)| {
                let each = |more: u64| more / (count - fewer) as u64;
                let (submit, verify) = (submit_gas.saturating_sub(submit), verify_gas.saturating_sub(verify));
                (each(submit), each(submit.saturating_sub(verify)))
            });
            before = Some((count, submit_gas, verify_gas));
            let (further_submit_gas, further_gas_over_verification) = further.unzip();
            report.markets.push(MarketFigures {
                markets: count,
                figures,
                further_submit_gas,
                further_gas_over_verification,
            });
        }
    }
    Ok(report)
}

/// A bundle of the network for so many markets, each with a constant of its own, with keys from the strings that there are.
async fn of_markets(config: &mut Config, from: &Bundle, count: usize, scratch: &Path) -> anyhow::Result<Bundle> {
    let (strings, network) = (scratch.join("srs"), scratch.join("network"));
    for folder in [&strings, &network] {
        veriregime_files::create_folder(folder)?;
    }
    for name in STRINGS.map(|logrows| format!("kzg{logrows}.srs")) {
        if let Ok(bytes) = veriregime_files::read_bounded(&config.prover.srs_dir.join(&name), MAX_MODEL_BYTES) {
            veriregime_files::write_atomic(&strings.join(name), &bytes)?;
        }
    }
    let mut onnx = of_market(&veriregime_files::read_bounded(&from.path(ONNX_FILE), MAX_MODEL_BYTES)?, 0)?;
    for market in 1..count {
        onnx = with_market(&onnx, market, &[0.0, 0.0, APART * market as f32])?;
    }
    veriregime_files::write_atomic(&network.join(ONNX_FILE), &onnx)?;
    let mut one = Bundle { folder: network, ..from.clone() };
    let first = one.manifest.regime()?.market(0).context("the model has no market")?;
    let (threshold, baselines) = (first.label.threshold, first.baselines.clone());
    let features = first.features;
    let market = from.manifest.markets()?[0].clone();
    one.manifest.regime = Some(RegimeLabel { threshold: threshold.into() });
    one.manifest.training.baselines = Some(baselines.into());
    one.manifest.inputs =
        Inputs::Candles(Candles { markets: vec![market.clone()], features, further_scalers: Vec::new() });
    let named = |index: usize| Market { name: format!("{}-{index}", market.name), symbol: market.symbol.clone() };
    config.prover.srs_dir.clone_from(&strings);
    bundle_for(config, &one, (0..count).map(named).collect(), &strings, &scratch.join("bundle")).await
}

impl Render for MarketsReport {
    fn text(&self) -> String {
        let gas = |gas: Option<u64>| gas.map_or_else(String::new, |gas| format!("{gas} gas"));
        let mut table = Table::new(&[
            "way",
            "markets",
            "prove, p50",
            "verify",
            "submit",
            "a further market",
            "over its verification",
        ]);
        for MarketFigures { markets, figures, further_submit_gas, further_gas_over_verification } in &self.markets {
            table.add_row([
                figures.way.to_string(),
                markets.to_string(),
                format!("{:.1} ms", figures.prove_ms_p50),
                format!("{} gas", figures.verify_gas),
                format!("{} gas", figures.submit_gas),
                gas(*further_submit_gas),
                gas(*further_gas_over_verification),
            ]);
        }
        lines([
            table.to_string(),
            "submit is the dearest of the run, the verification in it; each market has a constant of its own and the same candles".to_owned(),
        ])
    }
}
