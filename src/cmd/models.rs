//! `models`: the versions at hand side by side, and which one is current.

mod compare;

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Value, json};

use super::evaluate::{EvalResult, judge, print_drift};
use super::{EXIT_DONE, EXIT_RETRAIN, circuit, report};
use crate::bundle::Bundle;
use crate::bundle::registry::figures;
use crate::bundle::registry::figures::{Score, TestRows};
use crate::bundle::registry::{Change, Registry};
use crate::clock::Clock;
use crate::cmd::reference_models::Compared;
use crate::config::place;
use crate::verification::ezkl::search::{Outcome, SEARCH_FILE, Search};
use veriregime_core::types::manifest::MANIFEST_FILE;
use veriregime_core::types::time::parse_utc_ms;
use veriregime_files::FileError;
use veriregime_training::evaluation::drift;
use veriregime_training::evaluation::drift::Action;
use veriregime_training::evaluation::outcomes::Forecaster;

/// Largest file with a circuit search.
const MAX_SEARCH_BYTES: u64 = 1 << 20;

/// Arguments of `models`.
#[derive(Debug, Args)]
pub struct ModelsArgs {
    /// Folder with the model bundles.
    #[arg(long, value_name = "DIR", default_value = "models", global = true)]
    models: PathBuf,
    #[command(subcommand)]
    command: ModelsCommand,
}

/// Subcommands of `models`.
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// All versions with what they score and cost.
    #[command(
        after_help = "Examples:\n  veriregime-agent models list\n  veriregime-agent models list --models /srv/models --json"
    )]
    List,
    /// Everything about one version, the circuits that were tried included.
    #[command(after_help = "Examples:\n  veriregime-agent models show btc-regime-4h-v1")]
    Show {
        /// Its folder's name.
        id: String,
    },
    /// Two versions side by side: what the second has better and worse on the same rows.
    #[command(
        after_help = "Examples:\n  veriregime-agent models compare btc-regime-4h-v1 btc-regime-4h-v2\n  veriregime-agent models compare btc-regime-4h-v1 btc-regime-4h-v2 --candles new.parquet\n\nWithout candles the figures are those of the versions' own test splits, which must be the same one."
    )]
    Compare {
        /// The version that is compared with.
        first: String,
        /// The version that is judged.
        second: String,
        /// Candles to judge both by, at the decision times from which on neither was trained.
        #[arg(long, value_name = "FILE")]
        candles: Option<PathBuf>,
    },
    /// Make a version the current one: what `model.bundle` names where it is `models/current`.
    #[command(
        after_help = "Examples:\n  veriregime-agent models promote btc-regime-4h-v2\n  veriregime-agent models promote btc-regime-4h-v2 --candles new.parquet\n  veriregime-agent models promote btc-regime-4h-v2 --force\n\nA running daemon keeps its model until it is started again."
    )]
    Promote {
        /// Its folder's name.
        id: String,
        /// Candles to judge both by, as `compare` does.
        #[arg(long, value_name = "FILE", conflicts_with = "force")]
        candles: Option<PathBuf>,
        /// Although its figures are worse than the current one's, or about something else.
        #[arg(long)]
        force: bool,
    },
    /// Go back to the version that was current before.
    #[command(after_help = "Examples:\n  veriregime-agent models rollback")]
    Rollback,
    /// Check every byte of one version, or of all; with candles, say whether it is time to train again.
    #[command(
        after_help = "Examples:\n  veriregime-agent models check\n  veriregime-agent models check btc-regime-4h-v1 --candles new.parquet --from 2025-01-01\n\nExit status 3 where it should be trained again."
    )]
    Check {
        /// Its folder's name; all where absent.
        id: Option<String>,
        /// Candles since it was trained, to compare its features and its promises with.
        #[arg(long, value_name = "FILE", requires = "id")]
        candles: Option<PathBuf>,
        /// First decision time, UTC; from the start of the candles where absent.
        #[arg(long, value_name = "DATE", requires = "candles")]
        from: Option<String>,
    },
}

/// A version in short.
#[derive(Debug, Serialize)]
struct Summary {
    id: String,
    current: bool,
    trained_from: Option<String>,
    trained_to: Option<String>,
    tested_on: Option<TestRows>,
    scores: Vec<Score>,
    parameters: Option<u64>,
    rows: usize,
    logrows: u32,
    instances: usize,
    proof_bytes: usize,
    verify_gas: Option<u64>,
    prove_ms: Option<f64>,
    size_bytes: u64,
}

/// Runs the subcommand.
///
/// # Errors
/// [`crate::bundle::registry::RegistryError`], or a bundle that does not open.
pub fn run(args: ModelsArgs, json: bool) -> anyhow::Result<u8> {
    let registry = Registry::new(&place::data(&args.models));
    match args.command {
        ModelsCommand::List => list(&registry, json)?,
        ModelsCommand::Show { id } => show(&registry, &id, json)?,
        ModelsCommand::Compare { first, second, candles } => {
            compare::run(&registry, [&first, &second], candles.as_deref(), json)?;
        }
        ModelsCommand::Promote { id, candles, force } => {
            let now_ms = Clock::System.now_ms();
            let change = match candles {
                Some(candles) => registry.promote_if(&id, now_ms, |(before, old), (after, new)| {
                    anyhow::Ok(Some(compare::on_candles([(before, old), (after, new)], &candles)?.scores))
                })?,
                None => registry.promote(&id, force, now_ms)?,
            };
            told(&change, json)?;
        }
        ModelsCommand::Rollback => told(&registry.rollback(Clock::System.now_ms())?, json)?,
        ModelsCommand::Check { id: Some(id), candles: Some(candles), from } => {
            return check_drift(&registry, &id, &candles, from.as_deref(), json);
        }
        ModelsCommand::Check { id, .. } => check(&registry, id, json)?,
    }
    Ok(EXIT_DONE)
}

fn list(registry: &Registry, json: bool) -> anyhow::Result<()> {
    let current = registry.current()?;
    let mut summaries = Vec::new();
    let mut broken = Vec::new();
    for id in registry.ids()? {
        match registry.open(&id) {
            Ok(bundle) => summaries.push(summary(&id, &bundle, current.as_deref())?),
            Err(fault) => broken.push((id, fault)),
        }
    }
    if json {
        let broken: Vec<Value> =
            broken.iter().map(|(id, fault)| json!({"id": id, "fault": fault.to_string()})).collect();
        println!("{}", json!({"current": current, "models": summaries, "broken": broken}));
        return Ok(());
    }
    let mut table = report::table(&[
        "",
        "model",
        "trained on",
        "tested on",
        "accuracy",
        "AUC",
        "ECE",
        "weights",
        "rows",
        "gas",
        "prove",
        "size",
    ]);
    for one in &summaries {
        let score = |name: &str| one.scores.iter().find(|score| score.name == name).map_or_else(dash, figure);
        table.add_row([
            if one.current { "→".to_owned() } else { String::new() },
            one.id.clone(),
            trained_on(one),
            tested_on(one),
            score("accuracy"),
            score("AUC"),
            score("ECE"),
            one.parameters.map_or_else(dash, |parameters| parameters.to_string()),
            format!("{} of 2^{}", one.rows, one.logrows),
            one.verify_gas.map_or_else(dash, |gas| gas.to_string()),
            one.prove_ms.map_or_else(dash, |ms| format!("{ms:.0} ms")),
            format!("{} kB", one.size_bytes / 1000),
        ]);
    }
    println!("{table}");
    for (id, fault) in broken {
        println!("{id} is not usable: {fault}");
    }
    Ok(())
}

fn show(registry: &Registry, id: &str, json: bool) -> anyhow::Result<()> {
    let bundle = registry.open(id)?;
    let summary = summary(id, &bundle, registry.current()?.as_deref())?;
    let search = search_of(&bundle)?;
    if json {
        println!("{}", json!({"summary": summary, "circuit_search": search, "manifest": bundle.manifest}));
        return Ok(());
    }
    let manifest = &bundle.manifest;
    let mut table = report::table(&["", id]);
    let mut line = |name: &str, value: String| {
        table.add_row([name.to_owned(), value]);
    };
    let markets: Vec<_> =
        manifest.markets.iter().map(|market| format!("{} ({})", market.name, market.symbol)).collect();
    line("current", if summary.current { "yes".to_owned() } else { "no".to_owned() });
    line("manifest", bundle.manifest_digest.to_string());
    line("markets", markets.join(", "));
    let label = &manifest.label;
    line("High above", format!("{} over {} minutes", label.threshold, label.horizon_minutes));
    line("trained on", trained_on(&summary));
    line("tested on", tested_on(&summary));
    line("inputs", format!("{} from {} minutes", manifest.features.count(), manifest.features.lookback_minutes));
    line("weights", summary.parameters.map_or_else(dash, |parameters| parameters.to_string()));
    for score in &summary.scores {
        line(&format!("{} on its test split", score.name), figure(score));
    }
    let circuit = &manifest.circuit;
    line("circuit", format!("{} of 2^{} rows, {} public inputs", circuit.rows, circuit.logrows, circuit.instances));
    line("scales", format!("2^-{} inputs, 2^-{} weights", manifest.features.input_scale, circuit.param_scale));
    line("proof", format!("{} bytes, EZKL {}", circuit.proof_bytes, circuit.ezkl_version));
    line("keys", if circuit.srs_is_ceremony { "from the public ceremony" } else { "for development only" }.to_owned());
    line("verifyProof", summary.verify_gas.map_or_else(dash, |gas| format!("{gas} gas")));
    line("prove", summary.prove_ms.map_or_else(dash, |ms| format!("{ms:.0} ms where it was trained")));
    line("size", format!("{} bytes", summary.size_bytes));
    println!("{table}");
    if let Some(search) = search {
        println!("\ncircuits that were tried:\n{}", circuit::table(&search));
    }
    Ok(())
}

fn check(registry: &Registry, id: Option<String>, json: bool) -> anyhow::Result<()> {
    let ids = id.map_or_else(|| registry.ids(), |id| Ok(vec![id]))?;
    let mut whole = Vec::new();
    for id in ids {
        let bundle = registry.open(&id)?;
        whole.push(json!({"id": id, "manifest": bundle.manifest_digest, "files": bundle.manifest.files.len() + 1}));
        if !json {
            println!("{id}: {} files in order, manifest {}", bundle.manifest.files.len() + 1, bundle.manifest_digest);
        }
    }
    if json {
        println!("{}", json!({"whole": whole}));
    }
    Ok(())
}

/// Compares what a version sees and promises with what it was trained on.
fn check_drift(registry: &Registry, id: &str, candles: &Path, from: Option<&str>, json: bool) -> anyhow::Result<u8> {
    let bundle = registry.open(id)?;
    let from_ms = from.map_or(Ok(i64::MIN), parse_utc_ms)?;
    let EvalResult { report, drift, .. } = judge(&bundle, &Compared::NONE, candles, &(from_ms..i64::MAX))?;
    let drift = drift.context("this bundle does not say what it was trained on; train it again")?;
    let baseline = &report.forecasters[&Forecaster::HarLogistic];
    let verdict = drift::verdict(&drift, baseline);
    if json {
        println!("{}", json!({"id": id, "rows": report.rows, "verdict": verdict, "drift": drift}));
    } else {
        println!("{id}: {} decision times", report.rows);
        print_drift(&drift, &report);
    }
    Ok(if verdict.action == Action::Retrain { EXIT_RETRAIN } else { EXIT_DONE })
}

fn told(change: &Change, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string(change)?);
    } else {
        let before = change.from.as_ref().map_or_else(|| "none".to_owned(), Clone::clone);
        println!(
            "{} is current; before: {before}. A running daemon keeps its model until it is started again.",
            change.to
        );
    }
    Ok(())
}

fn summary(id: &str, bundle: &Bundle, current: Option<&str>) -> anyhow::Result<Summary> {
    let manifest = &bundle.manifest;
    let provenance = |path: &str| manifest.training.provenance.pointer(path);
    let text = |path: &str| provenance(path).and_then(Value::as_str).map(str::to_owned);
    let search = search_of(bundle)?;
    let measured = search.as_ref().and_then(|search| match &search.tried.get(search.chosen)?.outcome {
        Outcome::Measured(measured) => Some(measured),
        Outcome::Skipped(_) => None,
    });
    let names = manifest.files.keys().map(String::as_str).chain([MANIFEST_FILE]);
    let sizes: Vec<u64> =
        names.map(|name| veriregime_files::size_bytes(&bundle.path(name))).collect::<Result<_, FileError>>()?;
    Ok(Summary {
        id: id.to_owned(),
        current: current == Some(id),
        trained_from: text("/split/train/from"),
        trained_to: text("/split/train/to"),
        tested_on: figures::test_rows(manifest),
        scores: figures::scores(manifest),
        parameters: provenance("/parameters").and_then(Value::as_u64),
        rows: manifest.circuit.rows,
        logrows: manifest.circuit.logrows,
        instances: manifest.circuit.instances,
        proof_bytes: manifest.circuit.proof_bytes,
        verify_gas: measured.and_then(|measured| measured.gas),
        prove_ms: measured.map(|measured| measured.prove_ms),
        size_bytes: sizes.iter().sum(),
    })
}

/// The search that led to the bundle's circuit, where it was kept.
fn search_of(bundle: &Bundle) -> anyhow::Result<Option<Search>> {
    let path: &Path = &bundle.path(SEARCH_FILE);
    if veriregime_files::size_bytes(path).is_err() {
        return Ok(None);
    }
    Ok(serde_json::from_slice(&veriregime_files::read_bounded(path, MAX_SEARCH_BYTES)?)?)
}

fn trained_on(summary: &Summary) -> String {
    days(summary.trained_from.as_deref(), summary.trained_to.as_deref())
}

fn tested_on(summary: &Summary) -> String {
    let rows = summary.tested_on.as_ref();
    days(rows.map(|rows| rows.from.as_str()), rows.map(|rows| rows.to.as_str()))
}

fn days(from: Option<&str>, to: Option<&str>) -> String {
    let [from, to] =
        [from, to].map(|text| text.map_or_else(dash, |text| text.chars().take("2024-11-08".len()).collect()));
    format!("{from} to {to}")
}

fn figure(score: &Score) -> String {
    match score.standard_error {
        Some(error) => format!("{:.4} ± {error:.4}", score.value),
        None => format!("{:.4}", score.value),
    }
}

fn dash() -> String {
    "–".to_owned()
}
