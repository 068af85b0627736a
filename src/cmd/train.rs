//! `train`: from candles and settings to a complete model bundle.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::bundle;
use super::circuit;
use super::evaluate::whole_series;
use super::progress::TrainingProgress;
use crate::bundle::Bundle;
use crate::config::{place, written};
use crate::sources::candles::file;
use crate::verification::ezkl::build::{Build, CircuitConfig, Compiler, build};
use crate::verification::ezkl::search::{SEARCH_FILE, Search, SearchRequest};
use crate::verification::ezkl::supervisor::Ezkl;
use crate::verification::ezkl::worker::Settings as WorkerSettings;
use veriregime_core::types::candle::CandleSeries;
use veriregime_core::types::manifest::{Circuit, ONNX_FILE};
use veriregime_training::checkpoint::{RunFolder, Unfinished};
use veriregime_training::device::{Backend, open};
use veriregime_training::error::TrainingError;
use veriregime_training::evaluation::card::CARD_FILE;
use veriregime_training::evaluation::outcomes::Forecaster;
use veriregime_training::evaluation::tallies::Metric;
use veriregime_training::settings::Settings;
use veriregime_training::{Run, Trained, train};

/// Largest settings file.
const MAX_SETTINGS_BYTES: u64 = 1 << 20;
/// Longest time for one step of the circuit's set-up.
const SETUP_DEADLINE: Duration = Duration::from_mins(5);
/// What trained it.
const PROGRAM: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));
/// Settings where none are named.
pub const DEFAULT_SETTINGS: &str = "models/train.toml";

/// Arguments of `train`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    veriregime-agent train --settings models/train.toml --candles btc.parquet --srs-dir srs\n  \
    veriregime-agent train --candles btc.parquet --resume          go on after a crash\n  \
    veriregime-agent train --candles btc.parquet --threshold 0.0006 --out /tmp/model --json\n\n\
    --config names the agent's settings, here as everywhere; the training settings are --settings.")]
pub struct TrainArgs {
    /// Training settings.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_SETTINGS)]
    settings: PathBuf,
    /// Candle file: parquet, CSV or zip.
    #[arg(long, value_name = "FILE")]
    candles: PathBuf,
    /// Folder of the new bundle; `models/MODEL_ID` where absent. A bundle that is there is replaced at the very end.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Standard deviation of one-minute returns above which a window is High, instead of the settings' one.
    #[arg(long, value_name = "DEVIATION")]
    threshold: Option<f64>,
    /// What computes.
    #[arg(long, value_enum, default_value_t = DeviceName::Cpu)]
    device: DeviceName,
    /// Go on where an unfinished run stopped.
    #[arg(long, conflicts_with = "discard")]
    resume: bool,
    /// Throw an unfinished run away.
    #[arg(long)]
    discard: bool,
    /// Folder with the ceremony's SRS files, kzg<k>.srs.
    #[arg(long, value_name = "DIR", default_value = "srs")]
    srs_dir: PathBuf,
    /// Python with the pinned EZKL.
    #[arg(long, value_name = "FILE", default_value = ".venv/bin/python")]
    python: PathBuf,
    /// Node, for the compiler of the verifier.
    #[arg(long, value_name = "FILE", default_value = "node")]
    node: PathBuf,
    /// The compiler of the verifier.
    #[arg(long, value_name = "FILE", default_value = "contracts/verifier.mjs")]
    compiler: PathBuf,
    /// Take the settings' own scales in the smallest circuit that holds them, without trying others.
    #[arg(long)]
    no_search: bool,
    /// Address space that EZKL may take, in MiB.
    #[arg(long, value_name = "MIB", default_value_t = 4096)]
    memory_limit_mb: u64,
}

/// What computes during training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DeviceName {
    /// The processor: the same weights to the bit each time.
    Cpu,
    /// A graphics processor.
    Wgpu,
}

/// Trains, sets the circuit up, measures on the test split and writes the bundle. `config` is where the agent's settings
/// are, if anywhere.
///
/// # Errors
/// The first step that fails; an existing bundle is untouched then.
pub async fn run(args: TrainArgs, config: Option<&Path>, json: bool) -> anyhow::Result<()> {
    refuse_as_config(config)?;
    let mut settings = read_settings(&args.settings)?;
    if let Some(threshold) = args.threshold {
        settings.label.threshold = threshold;
    }
    settings.check()?;
    let out = args.out.clone().unwrap_or_else(|| Path::new("models").join(&settings.model_id));
    let parent = match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let series = whole_series(&file::read_any(&args.candles)?)?;
    let computer = open(match args.device {
        DeviceName::Cpu => Backend::Cpu,
        DeviceName::Wgpu => Backend::Wgpu,
    })?;
    let identity =
        json!({ "settings": settings, "candles": series.digest(), "program": PROGRAM, "backend": computer.name });
    let unfinished = match (args.resume, args.discard) {
        (true, _) => Unfinished::Resume,
        (_, true) => Unfinished::Discard,
        _ => Unfinished::Refuse,
    };
    let run_folder = RunFolder::open(&parent.join(format!(".run-{}", settings.model_id)), &identity, unfinished)?;
    let progress = TrainingProgress::start();
    let run = Run { settings: &settings, series: &series, device: &computer.device, folder: &run_folder };
    let mut trained = train(&run, |stage, event| progress.show(stage, event))?;
    progress.finish();

    veriregime_files::create_folder(parent)?;
    let scratch = tempfile::Builder::new().prefix(".bundle-").tempdir_in(parent)?;
    let folder = scratch.path().join("bundle");
    veriregime_files::create_folder(&folder)?;
    let mut names = bundle::write_extras(&folder, &trained)?;
    let (circuit, search) =
        set_up(&args, &settings, &mut trained, &series, &folder).await.context("the circuit cannot be set up")?;
    let report = bundle::measure(&settings, &trained, &circuit, &series, &folder, &mut names)?;
    let origin = bundle::Origin { program: PROGRAM, backend: &computer.name, series: &series };
    let manifest = bundle::write_manifest(&folder, &names, &settings, trained, circuit, &report, &origin)?;
    Bundle::open(&folder).context("the new bundle does not hold together")?;
    veriregime_files::replace_folder(&out, &folder, &scratch.path().join("replaced"))?;
    run_folder.remove()?;

    if json {
        let metrics = &manifest.training.metrics;
        println!(
            "{}",
            json!({ "model_id": manifest.model_id, "bundle": out, "test": metrics, "circuit_search": search })
        );
        return Ok(());
    }
    if let Some(search) = search {
        println!("circuits that were tried:\n{}", circuit::table(&search));
    }
    if let Some(accuracy) = report.figure(Forecaster::StudentCircuit, Metric::Accuracy) {
        println!("{}: {:.2} % right on the test split, see {}", out.display(), accuracy.value * 100.0, CARD_FILE);
    }
    Ok(())
}

/// Refuses training settings in the place of the agent's.
///
/// # Errors
/// [`TrainingError::Misplaced`].
pub fn refuse_as_config(config: Option<&Path>) -> Result<(), TrainingError> {
    match config {
        Some(path) if read_settings(path).is_ok() => Err(TrainingError::Misplaced { path: path.to_owned() }),
        _ => Ok(()),
    }
}

/// Reads training settings, which may still contradict themselves.
///
/// # Errors
/// A file that cannot be read, or [`TrainingError::Settings`].
pub fn read_settings(path: &Path) -> anyhow::Result<Settings> {
    let text = veriregime_files::read_text(&place::data(path), MAX_SETTINGS_BYTES)?;
    written::from_toml(&text).map_err(|misfit| TrainingError::Settings { reason: misfit.to_string() }.into())
}

async fn set_up(
    args: &TrainArgs,
    settings: &Settings,
    trained: &mut Trained,
    series: &CandleSeries,
    folder: &Path,
) -> anyhow::Result<(Circuit, Option<Search>)> {
    let mut ezkl = Ezkl::new(WorkerSettings {
        python: place::tool(&args.python),
        deadline: SETUP_DEADLINE,
        memory_limit_mb: args.memory_limit_mb,
    });
    let made = search_and_build(&mut ezkl, args, settings, trained, series, folder).await;
    ezkl.stop().await;
    made
}

/// Writes network, circuit and keys. The search may put features and weights on coarser grids.
async fn search_and_build(
    ezkl: &mut Ezkl,
    args: &TrainArgs,
    settings: &Settings,
    trained: &mut Trained,
    series: &CandleSeries,
    folder: &Path,
) -> anyhow::Result<(Circuit, Option<Search>)> {
    let compiler = Compiler { node: args.node.clone(), script: place::tool(&args.compiler) };
    let mut form = CircuitConfig::plain(trained.features.input_scale, settings.student.param_scale);
    let mut search = None;
    if !args.no_search {
        let request = SearchRequest {
            float_onnx: &trained.network.to_onnx(1),
            on_grid: &|param_scale| trained.network.clone().on_grid(param_scale).to_onnx(1),
            rows: &circuit::sample(&trained.features, series, &trained.split.validation)?,
            input_scale: form.input_scale,
            feature_bound: trained.features.bound(),
            param_scale: form.param_scale,
            srs_folder: &args.srs_dir,
            compiler: &compiler,
        };
        let found = circuit::choose(ezkl, &request).await?;
        veriregime_files::write_atomic(
            &folder.join(SEARCH_FILE),
            (serde_json::to_string_pretty(&found)? + "\n").as_bytes(),
        )?;
        form = *found.form();
        search = Some(found);
    }
    trained.features.input_scale = form.input_scale;
    trained.network = trained.network.clone().on_grid(form.param_scale);
    veriregime_files::write_atomic(&folder.join(ONNX_FILE), &trained.network.to_onnx(1))?;
    let features = trained.features.count();
    let request = Build { folder, srs_folder: &args.srs_dir, markets: 1, features, form, compiler: &compiler };
    Ok((build(ezkl, &request).await?, search))
}
