//! The command line: the only place that builds things.

// First: its macros are those of all the others.
#[macro_use]
pub mod print;

mod add_market;
pub mod admin;
pub mod audit;
pub mod backtest;
pub mod bench;
pub mod candles;
mod circuit;
pub mod config;
pub mod daemon;
pub mod demo;
pub mod deploy;
pub mod doctor;
pub mod evaluate;
pub mod evidence;
pub mod features;
pub mod hedge;
pub mod hedge_chain;
pub mod hedge_demo;
pub mod help;
pub mod key;
pub mod models;
pub mod once;
pub mod progress;
pub mod prove;
pub mod registry_args;
pub mod report;
pub mod selection;
mod shown;
pub mod signals;
pub mod status;
mod table_training;
pub mod tables;
pub mod train;
pub mod tx;
pub mod verify;
pub mod verify_bundle;
pub mod yield_args;
pub mod yield_chain;
pub mod yield_demo;
pub mod yield_portfolio;
pub mod yields;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{FromArgMatches, Parser, Subcommand};
use hedge::HedgeCommand;
use selection::Selection;
use yields::YieldCommand;

use crate::telemetry;
use crate::telemetry::LogFormat;

/// Environment variable that names the settings file.
const SETTINGS_VARIABLE: &str = "VERIREGIME_CONFIG";
/// Everything asked for was done.
pub const EXIT_DONE: u8 = 0;
/// An error; its code is on standard error.
pub const EXIT_FAILED: u8 = 1;
/// The model that was checked should be trained again.
pub const EXIT_RETRAIN: u8 = 3;
/// A deployment lacks steps that cannot be taken yet.
pub const EXIT_UNFINISHED: u8 = 3;
/// The cycle ran and ended as missed, or a proof did not verify.
pub const EXIT_MISSED: u8 = 3;

/// Threads for what blocks: disks, digests, names of hosts. Of a hundred jobs that start at once each would else have its own,
/// and memory that the allocator keeps for it.
const BLOCKING_THREADS: usize = 16;

/// What `--version` says: also what this build has of what a build may leave out.
const LONG_VERSION: &str = match (cfg!(feature = "training"), cfg!(feature = "halo2")) {
    (true, true) => concat!(env!("CARGO_PKG_VERSION"), "\nfeatures: +training +halo2"),
    (true, false) => concat!(env!("CARGO_PKG_VERSION"), "\nfeatures: +training -halo2"),
    (false, true) => concat!(env!("CARGO_PKG_VERSION"), "\nfeatures: -training +halo2"),
    (false, false) => concat!(env!("CARGO_PKG_VERSION"), "\nfeatures: -training -halo2"),
};

/// On-chain oracle agent: proven volatility forecasts set risk parameters.
#[derive(Debug, Parser)]
#[command(name = "veriregime-agent", version, long_version = LONG_VERSION, propagate_version = true, max_term_width = 110)]
pub struct Cli {
    /// Settings file; `veriregime-agent config show` prints every key.
    #[arg(long, global = true, env = SETTINGS_VARIABLE, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One JSON object as the last line of standard output instead of tables.
    #[arg(long, global = true)]
    json: bool,
    /// The job that the command is about, where the settings have several.
    #[arg(long, global = true, value_name = "NAME")]
    job: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a cycle at every tick of the schedule, until stopped.
    Daemon(daemon::DaemonArgs),
    /// Run one cycle for the running period.
    Once(once::OnceArgs),
    /// Show the last cycles, the parameters on chain and what comes next.
    Status(status::StatusArgs),
    /// Look at everything that a node needs; with --fork, run a cycle on a copy of the chain.
    Doctor(doctor::DoctorArgs),
    /// Show, raise and cancel the wallets' transactions.
    #[command(subcommand)]
    Tx(tx::TxCommand),
    /// Watch candles become proven parameters on a chain of your own.
    Demo(demo::DemoArgs),
    /// Put contracts and model on a chain.
    Deploy(deploy::DeployArgs),
    /// Use the rights of a contract's owner and guardian: attestors, guardian, veto, pause.
    Admin(admin::AdminArgs),
    /// Forecast one period from a candle file and prove it.
    Prove(prove::ProveArgs),
    /// Check a proof made by `prove`.
    Verify(verify::VerifyArgs),
    /// Recompute updates on chain from public candles and check their proofs.
    Audit(audit::AuditArgs),
    /// Compute one update again from its evidence and verify it, without a network.
    VerifyBundle(verify_bundle::VerifyBundleArgs),
    /// Show and delete the evidence that landed updates left behind.
    #[command(subcommand)]
    Evidence(evidence::EvidenceCommand),
    /// Measure speed, size and gas.
    Bench(bench::BenchArgs),
    /// Train a model and write its bundle.
    Train(train::TrainArgs),
    /// Measure a model on candles.
    Evaluate(evaluate::EvaluateArgs),
    /// Live through past candles with a pool whose fee follows the forecast, beside other policies.
    Backtest(backtest::BacktestArgs),
    /// Forecast a miner's electricity: ask, train and measure models.
    #[command(subcommand)]
    Hedge(hedge::HedgeCommand),
    /// Forecast what strategies on chain yield: train, measure and ask models.
    #[command(subcommand)]
    Yield(YieldCommand),
    /// List, compare and choose model versions.
    Models(models::ModelsArgs),
    /// Fetch, import, check and serve candles.
    #[command(subcommand)]
    Candles(candles::CandlesCommand),
    /// Fetch, check and serve tables of daily numbers: electricity, exchange rates, difficulty.
    #[command(subcommand)]
    Tables(tables::TablesCommand),
    /// Make, import and show keys.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Check and show settings.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Print the completion script for a shell.
    Completions {
        /// bash, zsh, fish, elvish or powershell.
        shell: clap_complete::Shell,
    },
    /// Write a manual page for every command.
    #[command(hide = true)]
    Man {
        /// Folder to write to.
        folder: PathBuf,
    },
}

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = Cli::from_arg_matches(&help::command().get_matches()).unwrap_or_else(|error| error.exit());
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).max_blocking_threads(BLOCKING_THREADS).enable_all();
    let runtime = match runtime.build() {
        Ok(runtime) => runtime,
        Err(error) => return report::failed(&error.into()),
    };
    match runtime.block_on(run(cli)).and_then(|code| Ok(print::check().map(|()| code)?)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => report::failed(&error),
    }
}

async fn run(cli: Cli) -> anyhow::Result<u8> {
    let settings = cli.config.as_deref();
    let json = cli.json;
    let selected = Selection { file: settings, job: cli.job.as_deref() };
    match cli.command {
        Command::Daemon(args) => return daemon::run(args, settings).await,
        Command::Once(args) => return once::run(args, selected, json).await,
        Command::Status(args) => status::run(args, selected, json).await?,
        Command::Doctor(args) => return doctor::run(args, selected, json).await,
        Command::Tx(command) => return tx::run(command, selected, json).await,
        Command::Deploy(args) => return deploy::run(args, selected, json).await,
        Command::Admin(args) => return admin::run(args, selected, json).await,
        Command::Hedge(HedgeCommand::Deploy(args)) => return hedge_chain::run_deploy(args, selected, json).await,
        Command::Hedge(HedgeCommand::Swap(args)) => return hedge_chain::run_swap(args, selected, json).await,
        Command::Hedge(HedgeCommand::Sell(args)) => return hedge_chain::run_sell(args, selected, json).await,
        Command::Hedge(HedgeCommand::Demo(args)) => hedge_demo::run(args, settings, json).await?,
        Command::Yield(YieldCommand::Deploy(args)) => return yield_chain::run_deploy(args, selected, json).await,
        Command::Yield(YieldCommand::Demo(args)) => yield_demo::run(args, settings, json).await?,
        Command::Prove(args) => prove::run(args, selected, json).await?,
        Command::Verify(args) => return verify::run(args, selected, json).await,
        Command::VerifyBundle(args) => return verify_bundle::run(args, selected, json).await,
        Command::Evidence(command) => evidence::run(command, selected, json)?,
        Command::Audit(args) => return audit::run(args, selected, json).await,
        command => {
            // These work without settings of their own and print what they do.
            telemetry::init(LogFormat::Auto, &std::env::var("RUST_LOG").unwrap_or_else(|_| "warn".into()));
            match command {
                Command::Demo(args) => demo::run(args, settings, json).await?,
                Command::Bench(args) => bench::run(args, settings, json).await?,
                Command::Train(args) => train::run(args, settings, json).await?,
                Command::Evaluate(args) => evaluate::run(&args, json)?,
                Command::Backtest(args) => backtest::run(&args, json)?,
                Command::Hedge(command) => hedge::run(command, json).await?,
                Command::Yield(command) => yields::run(command, json).await?,
                Command::Models(args) => return models::run(args, json).await,
                Command::Candles(command) => candles::run(command, json).await?,
                Command::Tables(command) => tables::run(command, json).await?,
                Command::Key(command) => key::run(command, selected, json).await?,
                Command::Config(command) => return config::run(command, selected, json).await,
                Command::Completions { shell } => print!("{}", help::completions(shell)),
                Command::Man { folder } => help::write_pages(&folder)?,
                _ => unreachable!("handled above"),
            }
        }
    }
    Ok(EXIT_DONE)
}
