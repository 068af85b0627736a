//! `tables`: daily numbers that are no candles.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::print;
use super::signals::stop_on_signal;
use crate::clock::Clock;
use crate::render::{Render, lines};
use crate::sources::tables::fetch::{Addresses, DIFFICULTY_URL, ELECTRICITY_URL, RATES_URL, fetch};
use crate::sources::tables::folder::{ELECTRICITY, Tables, file};
use crate::sources::tables::{quality, serve};
use crate::sources::yields::error::YieldError;
use crate::sources::yields::fetch as yields;
use crate::sources::yields::folder::Yields;
use crate::sources::yields::funding::FUNDING_PATH;

/// Subcommands of `tables`.
#[derive(Debug, Subcommand)]
pub enum TablesCommand {
    /// Report on the tables of a folder: missing days by country and year, gaps, prices below zero
    #[command(
        after_help = "Examples:\n  veriregime-agent tables check --data tables\n  veriregime-agent tables check --data tables --json"
    )]
    Check(FolderArgs),
    /// Get electricity prices, exchange rates and difficulty from their publishers, and say what they revised
    #[command(
        after_help = "Examples:\n  veriregime-agent tables fetch --data tables\n\nDays that a publisher does not have any more stay. Each edition is noted in vintages.jsonl."
    )]
    Fetch(Box<FetchArgs>),
    /// Get days of pools from DefiLlama, and say what it revised
    #[command(
        name = "fetch-yields",
        after_help = "Examples:\n  veriregime-agent tables fetch-yields --data tables --pool aa70268e-4b52-42bf-a116-608b370f9501\n\nDays that the publisher does not have any more stay."
    )]
    FetchYields(FetchYieldsArgs),
    /// Serve the tables of a folder as their publishers do
    #[command(after_help = "Examples:\n  veriregime-agent tables serve --data tables --port 8788")]
    Serve(ServeArgs),
}

/// A folder with tables.
#[derive(Debug, Args)]
pub struct FolderArgs {
    /// Folder with `electricity_daily_eur_mwh`, `eurusd_daily`, `btc_difficulty_daily` and `btc_daily_usd`
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

/// Arguments of `tables fetch`.
#[derive(Debug, Args)]
pub struct FetchArgs {
    #[command(flatten)]
    folder: FolderArgs,
    /// Daily prices as Ember's CSV [default: Ember's own]
    #[arg(long, value_name = "URL", default_value = ELECTRICITY_URL, hide_default_value = true)]
    electricity: Url,
    /// Reference rates as CSV, zip or XML [default: the European Central Bank's own]
    #[arg(long, value_name = "URL", default_value = RATES_URL, hide_default_value = true)]
    rates: Url,
    /// Mining difficulty as JSON of mempool.space or blockchain.com [default: mempool.space's own]
    #[arg(long, value_name = "URL", default_value = DIFFICULTY_URL, hide_default_value = true)]
    difficulty: Url,
}

/// Arguments of `tables fetch-yields`.
#[derive(Debug, Args)]
pub struct FetchYieldsArgs {
    /// Folder with the tables `yields_…`
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Pools by their ids
    #[arg(long = "pool", value_name = "ID", required = true)]
    pools: Vec<String>,
    /// Where DefiLlama answers [default: DefiLlama's own]
    #[arg(long, value_name = "URL", default_value = yields::URL, hide_default_value = true)]
    url: Url,
}

/// Arguments of `tables serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    folder: FolderArgs,
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    /// Port to listen on; 0 takes any free one
    #[arg(long, default_value_t = 8788)]
    port: u16,
}

/// What is served, and where.
#[derive(Debug, Serialize)]
struct Served {
    url: String,
    paths: [&'static str; 8],
}

impl Render for Served {
    fn text(&self) -> String {
        lines(self.paths.iter().map(|path| format!("{}{path}", self.url)))
    }
}

/// Runs one of the commands.
///
/// # Errors
/// Coded errors of [`crate::sources::tables::error::TableError`], or of the signal handler.
pub async fn run(command: TablesCommand, json: bool) -> anyhow::Result<()> {
    match command {
        TablesCommand::Check(args) => print::output(json, &quality::report(&Tables::read(&args.data)?)),
        TablesCommand::Fetch(args) => {
            let FetchArgs { folder, electricity, rates, difficulty } = *args;
            let addresses = Addresses { electricity, rates, difficulty };
            print::output(json, &fetch(&folder.data, &addresses, Clock::System.now_ms()).await?);
        }
        TablesCommand::FetchYields(args) => {
            print::output(json, &yields::fetch(&args.data, &args.url, &args.pools).await?);
        }
        TablesCommand::Serve(args) => {
            let content = content(&args.folder.data)?;
            let listener = serve::listen(SocketAddr::new(args.host, args.port)).await?;
            let url = format!("http://{}", listener.local_addr().context("a socket that listens has an address")?);
            let paths = [
                serve::ELECTRICITY_PATH,
                serve::RATES_ZIP_PATH,
                serve::RATES_XML_PATH,
                serve::MEMPOOL_PATH,
                serve::BLOCKCHAIN_PATH,
                serve::POOLS_PATH,
                serve::CHART_PATH,
                FUNDING_PATH,
            ];
            print::output(json, &Served { url, paths });
            let shutdown = CancellationToken::new();
            let _stopper = stop_on_signal(shutdown.clone())?;
            serve::serve(content, listener, shutdown).await?;
        }
    }
    Ok(())
}

/// What a folder has to serve. Without rates of strategies there must be electricity.
fn content(folder: &Path) -> anyhow::Result<serve::Content> {
    let yields = match Yields::read(folder) {
        Ok(yields) => Some(yields),
        Err(YieldError::Absent { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let is_there = yields.is_none() || file(folder, ELECTRICITY).is_some();
    Ok(serve::Content { tables: is_there.then(|| Tables::read(folder)).transpose()?, yields })
}
