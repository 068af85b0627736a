//! From candles and settings to a complete model bundle.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;
use serde_json::json;

use super::{bundle, files, settings};
use crate::bundle::Bundle;
use crate::modelling::{Device, Progress, TrainRequest, Unfinished, circuit};
use crate::render::Render;
use crate::sources::candles::file;
use crate::verification::ezkl::build::{Build, Built, CircuitConfig, build};
use crate::verification::ezkl::search::{SEARCH_FILE, Search, SearchRequest};
use crate::verification::ezkl::supervisor::Ezkl;
use crate::verification::ezkl::worker::Settings as WorkerSettings;
use veriregime_core::types::candle::CandleSeries;
use veriregime_core::types::manifest::ONNX_FILE;
use veriregime_core::types::manifest::card::CARD_FILE;
use veriregime_core::types::manifest::inputs::Market;
use veriregime_training::device::{Backend, open};
use veriregime_training::evaluation::outcomes::Forecaster;
use veriregime_training::evaluation::tallies::Metric;
use veriregime_training::settings::{MarketSettings, Settings};
use veriregime_training::trainer::Event;
use veriregime_training::{Run, Stage, Trained, checkpoint};

/// Longest time for one step of the circuit's set-up.
const SETUP_DEADLINE: Duration = Duration::from_mins(5);
/// What trained it.
const PROGRAM: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));

/// A new bundle.
#[derive(Debug, Serialize)]
pub struct NewBundle {
    model_id: String,
    bundle: PathBuf,
    /// Scores on the test split.
    test: serde_json::Value,
    circuit_search: Option<Search>,
    #[serde(skip)]
    accuracy: Option<f64>,
}

impl Render for NewBundle {
    fn text(&self) -> String {
        let search =
            self.circuit_search.iter().map(|search| format!("circuits that were tried:\n{}", circuit::table(search)));
        let accuracy = self.accuracy.map(|accuracy| {
            format!("{}: {:.2} % right on the test split, see {CARD_FILE}", self.bundle.display(), accuracy * 100.0)
        });
        crate::render::lines(search.chain(accuracy))
    }
}

/// As [`super::train`].
pub async fn train(
    request: &TrainRequest<'_>,
    config: Option<&Path>,
    mut show: impl FnMut(Progress<'_>),
) -> anyhow::Result<NewBundle> {
    settings::refuse_as_config(config)?;
    let mut settings = settings::read(request.settings)?;
    if request.threshold.is_some() {
        settings.label.threshold = request.threshold;
    }
    settings.check()?;
    let out = request.out.map_or_else(|| Path::new("models").join(&settings.model_id), Path::to_owned);
    let parent = match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let markets: Vec<Market> = settings.markets().iter().map(MarketSettings::market).collect();
    let paths = files::of_each(request.candles, &markets)?;
    let series = paths.into_iter().map(file::read_series).collect::<Result<Vec<_>, _>>()?;
    let computer = open(match request.device {
        Device::Cpu => Backend::Cpu,
        Device::Wgpu => Backend::Wgpu,
    })?;
    let candles = match &series[..] {
        [one] => json!(one.digest()),
        several => json!(several.iter().map(CandleSeries::digest).collect::<Vec<_>>()),
    };
    let identity = json!({ "settings": settings, "candles": candles, "program": PROGRAM, "backend": computer.name });
    let unfinished = match request.unfinished {
        Unfinished::Refuse => checkpoint::Unfinished::Refuse,
        Unfinished::Resume => checkpoint::Unfinished::Resume,
        Unfinished::Discard => checkpoint::Unfinished::Discard,
    };
    let run_folder =
        checkpoint::RunFolder::open(&parent.join(format!(".run-{}", settings.model_id)), &identity, unfinished)?;
    let run = Run { settings: &settings, series: &series, device: &computer.device, folder: &run_folder };
    let mut trained = veriregime_training::train(&run, |stage, event| show(progress(stage, event)))?;
    show(Progress::Done);

    veriregime_files::create_folder(parent)?;
    let scratch = tempfile::Builder::new().prefix(".bundle-").tempdir_in(parent)?;
    let folder = scratch.path().join("bundle");
    veriregime_files::create_folder(&folder)?;
    let mut names = bundle::write_extras(&folder, &trained)?;
    let (circuit, search) =
        set_up(request, &settings, &mut trained, &series, &folder).await.context("the circuit cannot be set up")?;
    let result = bundle::measure(&settings, &trained, &circuit, &series, &folder, &mut names)?;
    let origin = bundle::Origin { program: PROGRAM, backend: &computer.name, series: &series };
    let manifest = bundle::write_manifest(&folder, &names, &settings, trained, circuit, &result, &origin)?;
    Bundle::open(&folder).context("the new bundle does not hold together")?;
    veriregime_files::replace_folder(&out, &folder, &scratch.path().join("replaced"))?;
    run_folder.remove()?;
    Ok(NewBundle {
        model_id: manifest.model_id,
        bundle: out,
        test: manifest.training.metrics,
        circuit_search: search,
        accuracy: result.report.figure(Forecaster::StudentCircuit, Metric::Accuracy).map(|accuracy| accuracy.value),
    })
}

fn progress(stage: &Stage, event: Event) -> Progress<'_> {
    match event {
        Event::Step { epoch, step, steps, loss } => {
            Progress::Step { network: &stage.name, epoch, epochs: stage.epochs, step, steps, loss }
        }
        Event::Epoch(epoch) => Progress::Epoch(format!(
            "{:14} epoch {:>2} of {}  loss {:.4}  validation: loss {:.4}, {:.2} % right, F1 {:.4}",
            stage.name,
            epoch.epoch,
            stage.epochs,
            epoch.training_loss,
            epoch.validation_loss,
            epoch.validation_accuracy * 100.0,
            epoch.validation_f1,
        )),
    }
}

async fn set_up(
    request: &TrainRequest<'_>,
    settings: &Settings,
    trained: &mut Trained,
    series: &[CandleSeries],
    folder: &Path,
) -> anyhow::Result<(Built, Option<Search>)> {
    let mut ezkl = Ezkl::new(WorkerSettings {
        python: request.python.to_owned(),
        deadline: SETUP_DEADLINE,
        memory_limit_mb: request.memory_limit_mb,
    });
    let made = search_and_build(&mut ezkl, request, settings, trained, series, folder).await;
    ezkl.stop().await;
    made
}

/// Writes network, circuit and keys. The search may put features and weights on coarser grids.
async fn search_and_build(
    ezkl: &mut Ezkl,
    request: &TrainRequest<'_>,
    settings: &Settings,
    trained: &mut Trained,
    series: &[CandleSeries],
    folder: &Path,
) -> anyhow::Result<(Built, Option<Search>)> {
    let features = trained.markets.first().context("no market")?.features.clone();
    let mut form = CircuitConfig::plain(features.input_scale, settings.student.param_scale);
    let mut search = None;
    if request.searches {
        let mut rows = Vec::new();
        for (market, series) in trained.markets.iter().zip(series) {
            rows.extend(circuit::sample(&market.features, series, &trained.split.validation)?);
        }
        let request = SearchRequest {
            float_onnx: &trained.network.to_onnx(1),
            on_grid: &|param_scale| trained.network.clone().on_grid(param_scale).to_onnx(1),
            rows: &rows,
            input_scale: form.input_scale,
            feature_bound: features.bound(),
            param_scale: form.param_scale,
            srs_folder: request.srs_folder,
            compiler: &request.compiler,
        };
        let found = circuit::choose(ezkl, &request).await?;
        veriregime_files::write_atomic(
            &folder.join(SEARCH_FILE),
            (serde_json::to_string_pretty(&found)? + "\n").as_bytes(),
        )?;
        // Forms are tried for one market; of several the circuit is the larger.
        let logrows = found.form().logrows.filter(|_| trained.markets.len() == 1);
        form = CircuitConfig { logrows, ..*found.form() };
        search = Some(found);
    }
    for market in &mut trained.markets {
        market.features.input_scale = form.input_scale;
    }
    let markets = trained.markets.len();
    let network = trained.of_markets().on_grid(form.param_scale);
    trained.network = trained.network.clone().on_grid(form.param_scale);
    veriregime_files::write_atomic(&folder.join(ONNX_FILE), &network.to_onnx(markets))?;
    let (features, outputs, compiler) = (features.count(), network.outputs(), &request.compiler);
    let request = Build { folder, srs_folder: request.srs_folder, markets, features, outputs, form, compiler };
    Ok((build(ezkl, &request).await?, search))
}
