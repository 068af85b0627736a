//! A further market for a model that was trained on others.

use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;
use serde_json::{Value, json};

use super::measuring::compared;
use crate::bundle::add_market::{AddMarketError, check_past};
use crate::bundle::error::BundleError;
use crate::bundle::{Bundle, MAX_FILE_BYTES, MAX_MANIFEST_BYTES};
use crate::modelling::add_market_request::AddMarketRequest;
use crate::modelling::renewed::renewed;
use crate::render::{Render, lines, volatility_bps};
use crate::sources::candles::file;
use veriregime_core::features::sums::Sums;
use veriregime_core::model::MAX_MODEL_BYTES;
use veriregime_core::model::onnx::with_market;
use veriregime_core::types::candle::CandleSeries;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::feature::ScaledFeature;
use veriregime_core::types::manifest::card::CARD_FILE;
use veriregime_core::types::manifest::inputs::{Candles, Inputs};
use veriregime_core::types::manifest::network::ModelKind;
use veriregime_core::types::manifest::of_markets::OfMarkets;
use veriregime_core::types::manifest::regime::{RegimeLabel, RegimeSpec};
use veriregime_core::types::manifest::verification::{Verification, Way};
use veriregime_core::types::manifest::{MANIFEST_FILE, Manifest, ONNX_FILE, is_model_folder, is_name};
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::prediction::REGIME_OUTPUTS;
use veriregime_core::types::time::{format_utc, parse_utc_ms};
use veriregime_training::added::{FittedMarket, NewMarket};
use veriregime_training::evaluation::card::card;
use veriregime_training::evaluation::card_added::{ADDED_MARKETS, AddedMarket, Measured, added};
use veriregime_training::evaluation::outcomes::Forecaster;
use veriregime_training::evaluation::tallies::Metric;
use veriregime_training::reference::{TEACHER_FILE, TEACHER_WEIGHTS_FILE};
use veriregime_training::reproduction::{ORIGINAL_FILE, ORIGINAL_WEIGHTS_FILE};

/// Files of a bundle that are about its first markets and no circuit, and that commands read.
const KEPT_FILES: [&str; 4] = [TEACHER_FILE, TEACHER_WEIGHTS_FILE, ORIGINAL_FILE, ORIGINAL_WEIGHTS_FILE];
/// Share of the candles that statistics are of, where the model does not say when it was trained, or the file begins later.
const FITTED_SHARE: f64 = 0.85;
/// Least of the model's training time that a file must have for statistics of just that time, in ms: half a year.
const LEAST_OF_TRAINING_MS: i64 = 182 * 24 * 60 * MINUTE_MS;

/// A bundle with a market more.
#[derive(Debug, Serialize)]
pub(super) struct WithMarket {
    model_id: String,
    folder: PathBuf,
    manifest: Digest,
    markets: Vec<String>,
    #[serde(flatten)]
    added: AddedMarket,
    verify_gas: Vec<(Way, Option<u64>)>,
}

/// As [`super::add_market`].
pub(super) async fn add_market(request: &AddMarketRequest<'_>, show: &dyn Fn(&str)) -> anyhow::Result<WithMarket> {
    let bundle = Bundle::open(request.model)?;
    let model_id = checked(request, &bundle)?;
    show("candles");
    let series = file::read_series(request.candles)?;
    let spec = bundle.manifest.regime()?;
    let times = times(request, &bundle.manifest, &series);
    let unseen = unseen(&bundle.manifest, &times, &series)?;
    show("statistics");
    let lookback_ms = i64::try_from(spec.candles.features.lookback_minutes).unwrap_or(i64::MAX) * MINUTE_MS;
    let past_ms = [times.start.saturating_sub(lookback_ms), times.end];
    check_past(&series, past_ms, spec.candles.features.max_missing_minutes)?;
    let sums = Sums::new(series.candles(), series.carried());
    let first = spec.market(0).context("the model has no market")?;
    let new = NewMarket {
        features: &spec.candles.features,
        horizon_minutes: spec.horizon_minutes(),
        grid: bundle.manifest.grid,
        share_high: first.baselines.training_share_high.clamp(0.01, 0.99),
        sums: &sums,
        start_ms: series.start_ms(),
    };
    let fitted = new.fit(&times)?;
    if !(fitted.threshold > 0.0 && fitted.threshold < 1.0) {
        return Err(AddMarketError::Threshold { threshold: fitted.threshold.to_string() }.into());
    }

    let parent = request.out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    veriregime_files::create_folder(parent)?;
    let scratch = tempfile::Builder::new().prefix(".add-market-").tempdir_in(parent)?;
    let folder = scratch.path().join("bundle");
    veriregime_files::create_folder(&folder)?;
    let onnx = write_network(&folder, &bundle, &spec, fitted.threshold / first.label.threshold)?;
    let mut manifest = manifest(request, &bundle, &spec, &fitted, &model_id)?;
    let described = described(request, &bundle, &series, &sums, &times, &fitted);
    show("what came after");
    let index = spec.candles.markets.len();
    let report = compared((&manifest, &onnx, index), &series, &unseen, 0)?.report();
    let added_market = described(Measured::of(&report, [format_utc(unseen.start), format_utc(unseen.end)]));
    note(&mut manifest.training.provenance, &bundle.manifest, &added_market)?;

    let ways: Vec<Way> = bundle.manifest.offers().map(|offer| offer.way).collect();
    let mut sealed = renewed(&folder, manifest, &ways, request.tools, show).await?;
    if sealed.manifest.verification.ezkl.is_some() {
        veriregime_files::write_atomic(&folder.join(CARD_FILE), card(&sealed.manifest)?.as_bytes())?;
        sealed.manifest.files.insert(CARD_FILE.to_owned(), Digest::default());
        sealed = Bundle::seal(&folder, sealed.manifest)?;
    }
    veriregime_files::replace_folder(request.out, &folder, &scratch.path().join("replaced"))?;
    let Manifest { model_id, .. } = &sealed.manifest;
    Ok(WithMarket {
        model_id: model_id.clone(),
        folder: request.out.to_owned(),
        manifest: sealed.manifest_digest,
        markets: sealed.manifest.markets()?.iter().map(|market| market.name.clone()).collect(),
        verify_gas: sealed.manifest.offers().map(|offer| (offer.way, offer.verify_gas)).collect(),
        added: added_market,
    })
}

/// Refuses what cannot be added before anything is read; the new model's name.
fn checked(request: &AddMarketRequest<'_>, bundle: &Bundle) -> anyhow::Result<String> {
    let (market, known) = (&request.market, bundle.manifest.markets()?);
    if let Some(name) = [&market.name, &market.symbol].into_iter().find(|name| !is_name(name)) {
        return Err(AddMarketError::Name { name: name.clone() }.into());
    }
    if known.iter().any(|one| one.name == market.name || one.symbol == market.symbol) {
        let (model, market) = (bundle.manifest.model_id.clone(), market.clone());
        return Err(AddMarketError::Known { model, market: market.name, symbol: market.symbol }.into());
    }
    if veriregime_files::size_bytes(&request.out.join(MANIFEST_FILE)).is_ok() {
        return Err(BundleError::Occupied { folder: request.out.to_owned() }.into());
    }
    let model_id = request.out.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let refused = || BundleError::Manifest {
        path: request.out.to_owned(),
        reason: format!("model_id {model_id:?} cannot be a folder"),
    };
    if is_model_folder(&model_id) { Ok(model_id) } else { Err(refused().into()) }
}

/// Where a manifest says that a part of its training began or ended.
fn edge(manifest: &Manifest, part: &str, edge: &str) -> Option<i64> {
    parse_utc_ms(manifest.training.provenance.pointer(&format!("/split/{part}/{edge}"))?.as_str()?).ok()
}

/// The decision times of statistics: as asked, else those of the model's training, as far as the file has them, else most of the
/// file.
fn times(request: &AddMarketRequest<'_>, manifest: &Manifest, series: &CandleSeries) -> Range<i64> {
    let all = series.start_ms()..series.end_ms();
    let minutes = (all.end - all.start) / MINUTE_MS;
    let most = all.start + (minutes as f64 * FITTED_SHARE) as i64 * MINUTE_MS;
    let trained = edge(manifest, "train", "from").zip(edge(manifest, "train", "to"));
    let trained = trained.map(|(from, to)| from.max(all.start)..to.min(all.end));
    let trained = trained.filter(|range| range.end - range.start >= LEAST_OF_TRAINING_MS);
    let default = trained.unwrap_or(all.start..most);
    let from = request.from_ms.unwrap_or(default.start.min(request.to_ms.unwrap_or(i64::MAX)));
    from..request.to_ms.unwrap_or(default.end)
}

/// The decision times that neither the network's training nor the statistics have seen.
fn unseen(manifest: &Manifest, times: &Range<i64>, series: &CandleSeries) -> anyhow::Result<Range<i64>> {
    let from_ms = times.end.max(edge(manifest, "test", "from").unwrap_or(i64::MIN));
    let horizon_ms = i64::try_from(manifest.regime()?.horizon_minutes()).unwrap_or(i64::MAX) * MINUTE_MS;
    let last_ms = series.end_ms() - horizon_ms;
    if from_ms >= last_ms {
        let end = format_utc(series.end_ms());
        return Err(AddMarketError::Unmeasured { from: format_utc(from_ms), end }.into());
    }
    Ok(from_ms..last_ms)
}

/// Writes the network with a market more, what it adds to the log-volatility on the weights' grid, and what else the bundle keeps.
fn write_network(folder: &Path, bundle: &Bundle, spec: &RegimeSpec<'_>, ratio: f64) -> anyhow::Result<Vec<u8>> {
    let grid = libm::exp2(f64::from(spec.layers.param_scale));
    let more = REGIME_OUTPUTS.map(|(name, _)| match name {
        "log_volatility" => (libm::round(libm::log(ratio) * grid) / grid) as f32,
        _ => 0.0,
    });
    let onnx = veriregime_files::read_bounded(&bundle.path(ONNX_FILE), MAX_MODEL_BYTES)?;
    let onnx = with_market(&onnx, spec.candles.markets.len(), &more)?;
    veriregime_files::write_atomic(&folder.join(ONNX_FILE), &onnx)?;
    let kept = bundle.manifest.files.keys().filter(|name| KEPT_FILES.contains(&name.as_str()));
    for name in kept {
        let bytes = veriregime_files::read_bounded(&bundle.path(name), MAX_FILE_BYTES)?;
        veriregime_files::write_atomic(&folder.join(name), &bytes)?;
    }
    // What was measured in training is written again as it was, letter by letter.
    let before = veriregime_files::read_bounded(&bundle.manifest_path, MAX_MANIFEST_BYTES)?;
    veriregime_files::write_atomic(&folder.join(MANIFEST_FILE), &before)?;
    Ok(onnx)
}

/// The manifest with a market more; ways of verification are not in it yet.
fn manifest(
    request: &AddMarketRequest<'_>,
    bundle: &Bundle,
    spec: &RegimeSpec<'_>,
    fitted: &FittedMarket,
    model_id: &str,
) -> anyhow::Result<Manifest> {
    let Candles { mut markets, features, mut further_scalers } = spec.candles.clone();
    let common = features.candle.iter().map(ScaledFeature::scaler).collect();
    further_scalers.resize(markets.len() - 1, common);
    further_scalers.push(fitted.scalers.clone());
    markets.push(request.market.clone());
    let thresholds: Vec<f64> = spec.labels.iter().map(|label| label.threshold).chain([fitted.threshold]).collect();
    let baselines = spec.baselines.iter().copied().chain([&fitted.baselines]).cloned().collect();
    let mut manifest = bundle.manifest.clone();
    model_id.clone_into(&mut manifest.model_id);
    manifest.inputs = Inputs::Candles(Candles { markets, features, further_scalers });
    manifest.regime = Some(RegimeLabel { threshold: OfMarkets::of(thresholds).context("the model has no market")? });
    manifest.training.baselines = OfMarkets::of(baselines);
    manifest.files.retain(|name, _| KEPT_FILES.contains(&name.as_str()));
    let ModelKind::Layers(_) = &manifest.model else { anyhow::bail!("the model is not made of layers") };
    // What a circuit was made with stays until it is made anew.
    manifest.verification = Verification { ezkl: bundle.manifest.verification.ezkl.clone(), ..Verification::default() };
    Ok(manifest)
}

/// What is told of the market, once it was measured.
fn described<'a>(
    request: &'a AddMarketRequest<'_>,
    bundle: &'a Bundle,
    series: &'a CandleSeries,
    sums: &'a Sums<'_>,
    times: &'a Range<i64>,
    fitted: &'a FittedMarket,
) -> impl FnOnce(Measured) -> AddedMarket + use<'a> {
    let closes = series.candles().windows(2);
    let moves = closes.filter(|pair| pair[0].close.to_bits() != pair[1].close.to_bits()).count();
    let unmoved_share = 1.0 - moves as f64 / sums.len().saturating_sub(1).max(1) as f64;
    move |measured| AddedMarket {
        market: request.market.name.clone(),
        symbol: request.market.symbol.clone(),
        to_model: bundle.manifest.model_id.clone(),
        from: format_utc(times.start),
        to: format_utc(times.end),
        decisions: fitted.decisions,
        periods: fitted.periods,
        threshold: fitted.threshold,
        unmoved_share,
        candles_sha256: series.digest().to_string(),
        measured,
    }
}

/// Notes a market in a manifest's provenance, behind those that were added before.
fn note(provenance: &mut Value, before: &Manifest, market: &AddedMarket) -> anyhow::Result<()> {
    let mut all = added(before);
    all.push(market.clone());
    let fields = provenance.as_object_mut().context("the manifest says nothing of its training")?;
    fields.insert(ADDED_MARKETS.to_owned(), serde_json::to_value(all)?);
    fields.entry("parameters").and_modify(|parameters| {
        if let Some(count) = parameters.as_u64() {
            *parameters = json!(count + REGIME_OUTPUTS.len() as u64);
        }
    });
    Ok(())
}

impl Render for WithMarket {
    fn text(&self) -> String {
        let AddedMarket { market, symbol, to_model, from, to, decisions, periods, threshold, measured, .. } =
            &self.added;
        let figure =
            |by, metric| measured.figure(by, metric).map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"));
        let line = |by: Forecaster| {
            let [accuracy, auc, qlike] =
                [Metric::Accuracy, Metric::Auc, Metric::Qlike].map(|metric| figure(by, metric));
            format!("  {}: accuracy {accuracy}, AUC {auc}, QLIKE {qlike}", by.title())
        };
        let gas = self.verify_gas.iter().map(|(way, gas)| {
            let gas = gas.map_or_else(|| "gas that was not measured".to_owned(), |gas| format!("{gas} gas"));
            format!("verified by {way} with {gas}")
        });
        let said = [
            format!(
                "{market} ({symbol}) was added to {to_model}: {} is of {}",
                self.folder.display(),
                self.markets.join(", ")
            ),
            format!(
                "High above {} a minute, from {periods} periods; statistics of {decisions} decision times, {from} to {to}",
                volatility_bps(*threshold)
            ),
            format!(
                "the network was not trained on it; {} later minutes from {} on, {:.1} % High:",
                measured.rows,
                measured.from,
                measured.share_high * 100.0
            ),
            line(Forecaster::StudentCircuit),
            line(Forecaster::HarVolatility),
            format!("manifest {}", self.manifest),
        ];
        lines(said.into_iter().chain(gas))
    }
}
