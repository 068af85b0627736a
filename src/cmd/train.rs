//! `train`: from candles and settings to a complete model bundle.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::print;
use super::progress::TrainingProgress;
use crate::config::place;
use crate::modelling::candle_file::CandleFile;
use crate::modelling::{Device, TrainRequest, Unfinished, training};
use crate::verification::compiler::Compiler;

/// Settings where none are named.
pub const DEFAULT_SETTINGS: &str = "models/train.toml";

/// Arguments of `train`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    veriregime-agent train --settings models/train.toml --candles btc.parquet --srs-dir srs\n  \
    veriregime-agent train --candles btc.parquet --resume          go on after a crash\n  \
    veriregime-agent train --candles btc.parquet --threshold 0.0006 --out /tmp/model --json\n  \
    veriregime-agent train --settings models/majors.toml --candles BTC-USD=btc.parquet --candles ETH-USD=eth.parquet \
    --candles SUI-USD=sui.parquet\n\n\
    --config names the agent's settings, here as everywhere; the training settings are --settings.")]
pub struct TrainArgs {
    /// Training settings.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_SETTINGS)]
    settings: PathBuf,
    /// Candle file: parquet, CSV or zip. Of several markets one for each, with its name.
    #[arg(long, value_name = "[NAME=]FILE", required = true)]
    candles: Vec<CandleFile>,
    /// Folder of the new bundle; `models/MODEL_ID` where absent. A bundle that is there is replaced at the very end.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Standard deviation of one-minute returns above which a window is High, instead of the settings' one; of one market alone.
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
    /// Folder with the ceremony's SRS files, `kzg<k>.srs`.
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

/// Trains and writes a bundle. `config` is where the agent's settings are, if anywhere.
///
/// # Errors
/// As [`training::train`].
pub async fn run(args: TrainArgs, config: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let request = TrainRequest {
        settings: &args.settings,
        candles: &args.candles,
        out: args.out.as_deref(),
        threshold: args.threshold,
        device: match args.device {
            DeviceName::Cpu => Device::Cpu,
            DeviceName::Wgpu => Device::Wgpu,
        },
        unfinished: match (args.resume, args.discard) {
            (true, _) => Unfinished::Resume,
            (_, true) => Unfinished::Discard,
            _ => Unfinished::Refuse,
        },
        srs_folder: &args.srs_dir,
        python: &place::tool(&args.python),
        compiler: Compiler { node: args.node.clone(), script: place::tool(&args.compiler) },
        searches: !args.no_search,
        memory_limit_mb: args.memory_limit_mb,
    };
    let progress = TrainingProgress::start();
    print::output(json, &training::train(&request, config, |step| progress.show(step)).await?);
    Ok(())
}
