//! `candles fetch|import|check|features|serve`.

use std::io::IsTerminal;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use super::features::{self, FeaturesArgs};
use super::print;
use super::signals::stop_on_signal;
use crate::clock::Clock;
use crate::render::Render;
use crate::sources::candles::download::Download;
use crate::sources::candles::exchange_api;
use crate::sources::candles::http::HttpSettings;
use crate::sources::candles::market::Market;
use crate::sources::candles::serve::run_clock;
use crate::sources::candles::source::{Source, SourceSettings};
use crate::sources::candles::written::Written;
use crate::sources::candles::{file, import, quality, serve};
use veriregime_core::types::candle::check_all;
use veriregime_core::types::time::{format_utc, parse_utc_ms};
use veriregime_core::types::venue::Venue;

/// Fastest clock: a day in 86 milliseconds.
const MAX_SPEED: f64 = 1e6;

/// Fetch, convert, check and serve one-minute candles.
#[derive(Debug, Subcommand)]
pub enum CandlesCommand {
    /// Download candles from an exchange into a parquet file; continues an existing file, fills its holes, and goes on with an interrupted download
    #[command(
        after_help = "Examples:\n  veriregime-agent candles fetch --symbol BTCUSDT --from 2023-01-01 --out btc.parquet\n  \
                            veriregime-agent candles fetch --from 2024-08-04 --to 2024-08-06T12:00Z --out crash.parquet\n  \
                            veriregime-agent candles fetch --source coinbase --from 2024-08-04 --out coinbase.parquet"
    )]
    Fetch(FetchArgs),
    /// Convert archives of Binance (CSV or zip, one or many) and parquet files to one parquet file
    #[command(
        after_help = "Examples:\n  veriregime-agent candles import BTCUSDT-1m-2024-*.zip --out btc-2024.parquet\n  \
                            veriregime-agent candles import BTCUSDT-1m-2018-02.zip --snap --out btc-2018-02.parquet"
    )]
    Import(ImportArgs),
    /// Report on the quality of a candle file; fails where a rule of candles is broken
    #[command(
        after_help = "Examples:\n  veriregime-agent candles check btc.parquet\n  veriregime-agent --json candles check BTCUSDT-1m-2024-08.zip"
    )]
    Check(CheckArgs),
    /// Compute the integers that a model is fed, for every minute of a candle file
    #[command(
        after_help = "Examples:\n  veriregime-agent candles features --model models/btc-regime-4h-v1 --candles btc.parquet\n  \
                            veriregime-agent candles features --model models/btc-regime-4h-v1 --candles btc.parquet \
                            --from 2024-08-05 --out august.csv"
    )]
    Features(FeaturesArgs),
    /// Serve candles as an exchange does (candles and clock only), from a file or a simulated market
    #[command(after_help = "Examples:\n  veriregime-agent candles serve --seed 7\n  \
                            veriregime-agent candles serve --dialect coinbase\n  \
                            veriregime-agent candles serve --candles btc.parquet --now 2024-08-05T00:00Z --speed 600")]
    Serve(ServeArgs),
}

/// Arguments of `candles fetch`.
#[derive(Debug, Args)]
pub struct FetchArgs {
    /// The exchange: binance, coinbase, bybit or okx
    #[arg(long, default_value = "binance", value_name = "EXCHANGE")]
    source: Venue,
    /// Symbol as the exchange writes it [default: bitcoin in dollars or tethers]
    #[arg(long)]
    symbol: Option<String>,
    /// First minute, UTC
    #[arg(long, value_parser = parse_utc_ms, value_name = "DATE")]
    from: i64,
    /// End, UTC, not included [default: the last closed minute]
    #[arg(long, value_parser = parse_utc_ms, value_name = "DATE")]
    to: Option<i64>,
    /// Parquet file to write, or to continue and fill up
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Root of the exchange's API [default: the public one]
    #[arg(long, value_name = "URL")]
    base_url: Option<Url>,
    /// Request weight to spend a minute [default: well below what the exchange allows]
    #[arg(long, value_name = "N")]
    weight_per_minute: Option<NonZeroU32>,
}

/// Arguments of `candles import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Files to read, in any order
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Parquet file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Move rows that do not start on a whole minute to the nearest one, and say how many; without it they are refused
    #[arg(long)]
    snap: bool,
}

/// Arguments of `candles check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Parquet, CSV or zip
    file: PathBuf,
}

/// Arguments of `candles serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// File to serve instead of the simulated market
    #[arg(long, value_name = "FILE", conflicts_with = "seed")]
    candles: Option<PathBuf>,
    /// Seed of the simulated market
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The exchange whose API is spoken: binance, coinbase, bybit or okx
    #[arg(long, default_value = "binance", value_name = "EXCHANGE")]
    dialect: Venue,
    /// Symbol to answer to [default: bitcoin in dollars or tethers, as the exchange writes it]
    #[arg(long)]
    symbol: Option<String>,
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    /// Port to listen on; 0 takes any free one
    #[arg(long, default_value_t = 8787)]
    port: u16,
    /// Time to start at, UTC [default: the machine's clock]
    #[arg(long, value_parser = parse_utc_ms, value_name = "DATE")]
    now: Option<i64>,
    /// Seconds that pass on the server in one real second; without it the clock stands
    #[arg(long, value_parser = parse_speed, requires = "now", value_name = "FACTOR")]
    speed: Option<f64>,
    /// Let anybody who can connect set the clock by `POST /clock {"now_ms": …}`; for development only
    #[arg(long, requires = "now")]
    settable: bool,
}

/// Runs one of the commands; `json` asks for one JSON object a result on standard output instead of text.
///
/// # Errors
/// Coded errors of [`crate::sources::candles::error::CandleError`], or of the signal handler.
pub async fn run(command: CandlesCommand, json: bool) -> anyhow::Result<()> {
    match command {
        CandlesCommand::Fetch(args) => fetch(args, json).await,
        CandlesCommand::Import(args) => import(&args, json),
        CandlesCommand::Check(args) => check(&args, json),
        CandlesCommand::Features(args) => features::run(&args, json),
        CandlesCommand::Serve(args) => serve_until_stopped(args, json).await,
    }
}

async fn fetch(args: FetchArgs, json: bool) -> anyhow::Result<()> {
    let public = SourceSettings::of(args.source);
    let source = Source::new(SourceSettings {
        venue: args.source,
        base_url: args.base_url.unwrap_or(public.base_url),
        http: HttpSettings {
            weight_per_minute: args.weight_per_minute.unwrap_or(public.http.weight_per_minute),
            ..public.http
        },
    })?;
    let symbol = args.symbol.unwrap_or_else(|| exchange_api::of(args.source).bitcoin().to_owned());
    let now_ms = Clock::System.now_ms();
    let download = Download {
        source: &source,
        symbol: &symbol,
        from_ms: args.from,
        to_ms: args.to.unwrap_or(now_ms),
        now_ms,
        file: &args.out,
    };
    let bar = progress_bar("minutes");
    let downloaded = download
        .run(|done, total| {
            bar.set_length(total);
            bar.set_position(done);
        })
        .await?;
    bar.finish_and_clear();
    print::output(json, &Written::downloaded(&args.out, downloaded));
    Ok(())
}

fn import(args: &ImportArgs, json: bool) -> anyhow::Result<()> {
    let bar = progress_bar("files");
    bar.set_length(args.files.len() as u64);
    let written = import::import(&args.files, &args.out, args.snap, || bar.inc(1))?;
    bar.finish_and_clear();
    print::output(json, &written);
    Ok(())
}

fn check(args: &CheckArgs, json: bool) -> anyhow::Result<()> {
    let candles = file::read_rows(&args.file)?;
    print::output(json, &quality::report(&candles));
    file::check_grid(&args.file, &candles)?;
    Ok(check_all(&candles)?)
}

/// What is served, and where.
#[derive(Debug, Serialize)]
struct Served {
    url: String,
    dialect: Venue,
    symbol: String,
    source: String,
    now_ms: i64,
}

impl Render for Served {
    fn text(&self) -> String {
        let Self { url, dialect, symbol, source, now_ms } = self;
        format!("{symbol} at {url} as {} ({source}); its clock says {}", dialect.name(), format_utc(*now_ms))
    }
}

async fn serve_until_stopped(args: ServeArgs, json: bool) -> anyhow::Result<()> {
    let symbol = args.symbol.unwrap_or_else(|| exchange_api::of(args.dialect).bitcoin().to_owned());
    let (market, source) = match &args.candles {
        Some(path) => (Market::recorded(&symbol, file::read_any(path)?)?, path.display().to_string()),
        None => (Market::simulated(&symbol, args.seed), format!("simulated market, seed {}", args.seed)),
    };
    let clock = args.now.map_or(Clock::System, Clock::manual);
    let listener = serve::listen(SocketAddr::new(args.host, args.port)).await?;
    let url = format!("http://{}", listener.local_addr().context("a socket that listens has an address")?);
    print::output(json, &Served { url, dialect: args.dialect, symbol, source, now_ms: clock.now_ms() });
    let shutdown = CancellationToken::new();
    let _stopper = stop_on_signal(shutdown.clone())?;
    let _ticker = args.speed.map(|speed| AbortOnDropHandle::new(tokio::spawn(run_clock(clock.clone(), speed))));
    if args.settable {
        serve::serve_settable(args.dialect, market, clock, listener, shutdown).await?;
    } else {
        serve::serve(args.dialect, market, clock, listener, shutdown).await?;
    }
    Ok(())
}

fn parse_speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if speed > 0.0 && speed <= MAX_SPEED { Ok(speed) } else { Err(format!("must be above 0 and at most {MAX_SPEED}")) }
}

/// A bar on standard error where that is a terminal, otherwise nothing.
fn progress_bar(unit: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let template = format!("{{bar:40}} {{human_pos}} of {{human_len}} {unit}, {{eta}} left");
    ProgressBar::new(0).with_style(ProgressStyle::with_template(&template).expect("the template is fixed"))
}
