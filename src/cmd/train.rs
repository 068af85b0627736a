//! `train`: from candles and settings to a complete model bundle.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueEnum};
use config::{Config, File, FileFormat};
use serde::Serialize;
use serde_json::json;

use super::circuit;
use super::compared::Compared;
use super::evaluate::whole_series;
use super::progress::TrainingProgress;
use crate::candles::file;
use crate::evaluation::card::{CARD_FILE, card};
use crate::evaluation::drift;
use crate::evaluation::outcomes::{Forecaster, Outcomes};
use crate::evaluation::report::Report;
use crate::evaluation::tallies::Metric;
use crate::evaluation::{Panel, Subject};
use crate::features::Batch;
use crate::fs;
use crate::inference::Layout;
use crate::proof::build::{Build, Compiler, Form, build};
use crate::proof::bundle::{Bundle, REQUIRED_FILES, SCHEMA};
use crate::proof::search::{SEARCH_FILE, Search, SearchRequest};
use crate::proof::supervisor::Ezkl;
use crate::proof::worker::Settings as WorkerSettings;
use crate::training::checkpoint::{RunFolder, Unfinished};
use crate::training::device::{Backend, open};
use crate::training::error::TrainingError;
use crate::training::reference::{TEACHER_FILE, TEACHER_WEIGHTS_FILE};
use crate::training::reproduction::{ORIGINAL_FILE, ORIGINAL_WEIGHTS_FILE};
use crate::training::settings::Settings;
use crate::training::{Run, Trained, train};
use crate::types::candle::CandleSeries;
use crate::types::manifest::{Circuit, MANIFEST_FILE, Manifest, ONNX_FILE, Training};
use crate::types::time::format_utc;

/// Largest settings file.
const MAX_SETTINGS_BYTES: u64 = 1 << 20;
/// Largest file of a bundle.
const MAX_FILE_BYTES: u64 = 64 << 20;
/// Longest time for one step of the circuit's set-up.
const SETUP_DEADLINE: Duration = Duration::from_mins(5);
/// What trained it.
const PROGRAM: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));
/// Every epoch of every network, inside the bundle.
const CURVES_FILE: &str = "curves.csv";
/// Settings where none are named.
pub const DEFAULT_SETTINGS: &str = "models/train.toml";

/// Arguments of `train`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    veriregime-agent train --config models/train.toml --candles btc.parquet --srs-dir srs\n  \
    veriregime-agent train --candles btc.parquet --resume          go on after a crash\n  \
    veriregime-agent train --candles btc.parquet --threshold 0.0006 --out /tmp/model --json\n\n\
    The training settings are the file that --config names, models/train.toml where it names none.")]
pub struct TrainArgs {
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
    /// Folder with the ceremony's structured reference strings, kzg<k>.srs.
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

/// Trains, sets the circuit up, measures on the test split and writes the bundle. The training settings are those in
/// `settings`, or in [`DEFAULT_SETTINGS`].
///
/// # Errors
/// The first step that fails; an existing bundle is untouched then.
pub async fn run(args: TrainArgs, settings: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let mut settings = read_settings(settings.unwrap_or(Path::new(DEFAULT_SETTINGS)))?;
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

    fs::create_folder(parent)?;
    let scratch = tempfile::Builder::new().prefix(".bundle-").tempdir_in(parent)?;
    let folder = scratch.path().join("bundle");
    fs::create_folder(&folder)?;
    write_extras(&folder, &trained)?;
    let (circuit, search) =
        set_up(&args, &settings, &mut trained, &series, &folder).await.context("the circuit cannot be set up")?;
    let onnx = trained.network.to_onnx(1);
    let report = measure(&settings, &trained, &onnx, &circuit, &series)?;
    let manifest = write_manifest(&folder, &settings, trained, circuit, &report, &series, &computer.name)?;
    Bundle::open(&folder).context("the new bundle does not hold together")?;
    fs::replace_folder(&out, &folder, &scratch.path().join("replaced"))?;
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

/// Reads training settings, which may still contradict themselves.
///
/// # Errors
/// A file that cannot be read, or [`TrainingError::Settings`].
pub fn read_settings(path: &Path) -> anyhow::Result<Settings> {
    let text = fs::read_text(path, MAX_SETTINGS_BYTES)?;
    let source = File::from_str(&text, FileFormat::Toml);
    let settings: Result<Settings, _> = Config::builder().add_source(source).build().and_then(Config::try_deserialize);
    settings.map_err(|error| TrainingError::Settings { reason: error.to_string() }.into())
}

/// A line of [`CURVES_FILE`].
#[derive(Serialize)]
struct CurveRow<'a> {
    network: &'a str,
    epoch: usize,
    training_loss: f64,
    validation_loss: f64,
    validation_accuracy: f64,
    validation_f1: f64,
    kept: bool,
}

/// The teacher and the course of the training.
fn write_extras(folder: &Path, trained: &Trained) -> anyhow::Result<()> {
    if let Some(teacher) = &trained.teacher {
        let description = serde_json::to_string_pretty(&teacher.spec)? + "\n";
        fs::write_atomic(&folder.join(TEACHER_FILE), description.as_bytes())?;
        fs::write_atomic(&folder.join(TEACHER_WEIGHTS_FILE), &teacher.to_bytes())?;
    }
    if let Some(original) = &trained.original {
        let description = serde_json::to_string_pretty(&original.spec)? + "\n";
        fs::write_atomic(&folder.join(ORIGINAL_FILE), description.as_bytes())?;
        fs::write_atomic(&folder.join(ORIGINAL_WEIGHTS_FILE), &original.to_bytes())?;
    }
    let mut table = csv::Writer::from_writer(Vec::new());
    for curve in &trained.curves {
        for epoch in &curve.epochs {
            table.serialize(CurveRow {
                network: &curve.stage,
                epoch: epoch.epoch,
                training_loss: epoch.training_loss,
                validation_loss: epoch.validation_loss,
                validation_accuracy: epoch.validation_accuracy,
                validation_f1: epoch.validation_f1,
                kept: epoch.epoch == curve.best_epoch,
            })?;
        }
    }
    Ok(fs::write_atomic(&folder.join(CURVES_FILE), &table.into_inner()?)?)
}

async fn set_up(
    args: &TrainArgs,
    settings: &Settings,
    trained: &mut Trained,
    series: &CandleSeries,
    folder: &Path,
) -> anyhow::Result<(Circuit, Option<Search>)> {
    let mut ezkl = Ezkl::new(WorkerSettings {
        python: args.python.clone(),
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
    let compiler = Compiler { node: args.node.clone(), script: args.compiler.clone() };
    let mut form = Form::plain(trained.features.input_scale, settings.student.param_scale);
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
        fs::write_atomic(&folder.join(SEARCH_FILE), (serde_json::to_string_pretty(&found)? + "\n").as_bytes())?;
        form = *found.form();
        search = Some(found);
    }
    trained.features.input_scale = form.input_scale;
    trained.network = trained.network.clone().on_grid(form.param_scale);
    fs::write_atomic(&folder.join(ONNX_FILE), &trained.network.to_onnx(1))?;
    let features = trained.features.count();
    let request = Build { folder, srs_folder: &args.srs_dir, markets: 1, features, form, compiler: &compiler };
    Ok((build(ezkl, &request).await?, search))
}

fn measure(
    settings: &Settings,
    trained: &Trained,
    onnx: &[u8],
    circuit: &Circuit,
    series: &CandleSeries,
) -> anyhow::Result<Report> {
    let layout = Layout {
        markets: 1,
        features: trained.features.count(),
        feature_bound: trained.features.bound(),
        input_scale: trained.features.input_scale,
        param_scale: circuit.param_scale,
        output_scale: circuit.output_scale,
    };
    let subject =
        Subject { onnx, layout, features: &trained.features, label: &settings.label, baselines: &trained.baselines };
    let compared = Compared { teacher: trained.teacher.clone(), original: trained.original.clone() };
    let mut panel = Panel::new(&subject, series, &trained.split.test, compared.least_before())
        .context("the test split cannot be evaluated")?;
    compared.join(&mut panel, series)?;
    Ok(panel.report())
}

fn write_manifest(
    folder: &Path,
    settings: &Settings,
    trained: Trained,
    circuit: Circuit,
    report: &Report,
    series: &CandleSeries,
    backend: &str,
) -> anyhow::Result<Manifest> {
    let teacher = trained.teacher.is_some().then_some([TEACHER_FILE, TEACHER_WEIGHTS_FILE]);
    let original = trained.original.is_some().then_some([ORIGINAL_FILE, ORIGINAL_WEIGHTS_FILE]);
    let compared = teacher.iter().chain(&original).flatten();
    let names = REQUIRED_FILES.iter().chain([&CURVES_FILE]).chain(compared);
    let digests = names.map(|name| Ok(((*name).to_owned(), fs::digest(&folder.join(name), MAX_FILE_BYTES)?)));
    let files: BTreeMap<_, _> = digests.collect::<Result<_, fs::FileFault>>()?;
    let reference = {
        // The search for a circuit may have changed the grid: what counts are the integers of the final one.
        let batch = Batch::new(&trained.features, series)?;
        drift::reference(&batch, &Outcomes::new(&batch, &settings.label, &trained.split.train, 0)?.at)
    };
    let mut manifest = Manifest {
        schema: SCHEMA,
        model_id: settings.model_id.clone(),
        markets: vec![settings.market.clone()],
        label: settings.label.clone(),
        circuit,
        files,
        training: Training {
            provenance: json!({
                "settings": settings,
                "program": PROGRAM,
                "backend": backend,
                "candles": {
                    "from": format_utc(series.start_ms()),
                    "to": format_utc(series.end_ms()),
                    "rows": series.candles().len() - series.carried().len(),
                    "sha256": series.digest(),
                },
                "split": {
                    "train": times(&trained.split.train),
                    "validation": times(&trained.split.validation),
                    "test": times(&trained.split.test),
                    "weekly_profile": times(&trained.split.profile),
                },
                "samples": {
                    "train": trained.parts[0].samples,
                    "validation": trained.parts[1].samples,
                    "test": report.rows,
                },
                "share_high": {
                    "train": trained.parts[0].share_high,
                    "validation": trained.parts[1].share_high,
                    "test": report.share_high,
                },
                "student": trained.student,
                "temperature": trained.temperature,
                "parameters": trained.network.parameters(),
            }),
            baselines: trained.baselines,
            reference,
            metrics: serde_json::to_value(report)?,
        },
        features: trained.features,
    };
    let text = card(&manifest);
    fs::write_atomic(&folder.join(CARD_FILE), text.as_bytes())?;
    manifest.files.insert(CARD_FILE.to_owned(), fs::digest(&folder.join(CARD_FILE), MAX_FILE_BYTES)?);
    let text = serde_json::to_string_pretty(&manifest)? + "\n";
    fs::write_atomic(&folder.join(MANIFEST_FILE), text.as_bytes())?;
    Ok(manifest)
}

fn times(times: &Range<i64>) -> serde_json::Value {
    json!({ "from": format_utc(times.start), "to": format_utc(times.end) })
}
