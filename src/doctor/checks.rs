//! The things that are looked at, in the order in which they depend on each other.

use std::collections::BTreeSet;

use tokio_util::sync::CancellationToken;

use super::{Seen, failed};
use crate::bundle::{Bundle, EZKL_VERSION};
use crate::chain::error::ChainError;
use crate::chain::read::Reader as ChainReader;
use crate::clock::Clock;
use crate::config::hedge::Hedge;
use crate::config::raw::ProverKind;
use crate::config::{Config, chain};
use crate::health::{Check, Level, checks, vault};
use crate::job::feeds::Feed;
use crate::job::tables::{SOURCE, TableService};
use crate::job::yields::day_of;
use crate::node::{assemble, feeds, replay, yields};
use crate::state::error::StateError;
use crate::state::reader::Reader;
use veriregime_core::types::contract::Contract;
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::time::{format_day, format_utc};
use veriregime_core::yields::Strategy;

/// Minutes of candles that a source is asked for.
const SAMPLE_MINUTES: i64 = 10;

/// All of it. What needs something that is not there is left out: its absence is in the list already.
/// `contracts` are those of all jobs.
pub(super) async fn at_everything(config: &Config, contracts: &[Contract], seen: &mut Seen<'_>) {
    seen.say("files");
    let opened = Bundle::open(&config.bundle);
    seen.add(checks::bundle(opened.as_ref()));
    if seen.is_first("database", "") {
        seen.add(database(config, contracts));
        seen.add(checks::disk(&config.state_path, checks::LOW_DISK_BYTES));
    }
    let stop = CancellationToken::new();
    let now_ms = match replay::clock(config, &stop).await {
        Ok(clock) => clock.now_ms(),
        Err(error) => {
            seen.add(failed("clock", &error));
            Clock::System.now_ms()
        }
    };
    stop.cancel();
    if let Ok(bundle) = &opened {
        seen.add(reference_string(config, bundle));
        // One start is enough for all jobs of a model.
        if seen.is_first("prover", &bundle.manifest_digest.to_string()) {
            seen.say("prover");
            seen.add(prover(config, bundle).await);
        }
        if let Some(hedge) = &config.hedge {
            seen.say("tables");
            let check = tables(config, hedge, bundle, now_ms).await;
            seen.add_of_source(SOURCE, check);
        } else if let Some(strategy) = &config.strategy {
            seen.say("tables");
            let check = strategy_tables(config, strategy, bundle, now_ms).await;
            seen.add_of_source(SOURCE, check);
        } else {
            seen.say("candle sources");
            sources(config, bundle, now_ms, seen).await;
        }
    }
    if seen.is_first("chain", &config.names.chain) {
        seen.say("RPCs");
        rpcs(config, now_ms, seen).await;
        let max_age_seconds = i64::try_from(config.chain.max_head_lag.as_secs()).unwrap_or(i64::MAX);
        seen.add(match assemble::reader(config) {
            Ok(reader) => checks::head(&reader, config.chain.chain_id, now_ms, max_age_seconds).await,
            Err(fault) => Check::fail("chain head", &fault),
        });
    }
    seen.say("contract");
    on_chain(config, opened.ok().as_ref(), now_ms, seen).await;
}

fn database(config: &Config, contracts: &[Contract]) -> Check {
    const NAME: &str = "database";
    if veriregime_files::size_bytes(&config.state_path).is_err() {
        return Check::ok(NAME, format!("{} is not there yet", config.state_path.display()));
    }
    let asked = Reader::open(&config.state_path).and_then(|reader| {
        let cycles = reader.check()?;
        reader.expect(contracts).map(|()| cycles)
    });
    match asked {
        // They hold up nothing of what the settings name.
        Err(orphans @ StateError::Orphans { .. }) => Check::warn(NAME, &orphans),
        asked => Check::of(NAME, asked, |cycles| format!("{cycles} cycles in {}", config.state_path.display())),
    }
}

fn reference_string(config: &Config, bundle: &Bundle) -> Check {
    Check::of("SRS", assemble::srs(config, bundle), |srs| {
        srs.as_ref().map_or_else(|| "none is needed: the chain computes the network".to_owned(), ToString::to_string)
    })
}

/// Starts the prover with the bundle's keys and ends it again.
async fn prover(config: &Config, bundle: &Bundle) -> Check {
    match assemble::prover(config, bundle).await {
        Ok(mut prover) => {
            prover.stop().await;
            let way = config.prover.kind.way();
            let works = match config.prover.kind {
                ProverKind::Ezkl => format!("EZKL {EZKL_VERSION} starts and takes the keys"),
                ProverKind::Halo2 => "halo2 makes the manifest's keys from network and SRS".to_owned(),
                ProverKind::Direct => {
                    "there is none: the chain computes the network, and so does this program".to_owned()
                }
                ProverKind::Mock => "a mock, which proves nothing".to_owned(),
            };
            Check::ok("prover", format!("{works}; trusted: {}", way.trust()))
        }
        Err(error) => failed("prover", &error),
    }
}

/// That publishers give days of which the running day's forecast can be made.
async fn strategy_tables(config: &Config, strategy: &Strategy, bundle: &Bundle, now_ms: i64) -> Check {
    const NAME: &str = "tables";
    let asked = async {
        let scratch = tempfile::tempdir()?;
        let mut alone = config.clone();
        // What is only fetched goes elsewhere: the folder is the daemon's.
        if yields::publishers(config).of(strategy.kind).is_some() {
            alone.yields.dir = scratch.path().to_owned();
        }
        alone.yields.strategies = vec![strategy.clone()];
        let service = yields::service(&alone).await?;
        let (snapshot, _) = service.snapshot(&strategy.name, day_of(now_ms), now_ms, true, &BTreeSet::new()).await?;
        anyhow::Ok(bundle.strategy_model()?.known(&snapshot)?)
    };
    match asked.await {
        Ok(known) => Check::ok(
            NAME,
            format!(
                "{} is forecast to yield {:.2} % a year, by its days up to {}",
                strategy.name,
                known.forecast.apy_percent,
                format_day(known.day)
            ),
        ),
        Err(error) => failed(NAME, &error),
    }
}

/// That publishers give tables of which the running week's forecast can be made.
async fn tables(config: &Config, hedge: &Hedge, bundle: &Bundle, now_ms: i64) -> Check {
    const NAME: &str = "tables";
    let grid = config.grid();
    let asked = async {
        let scratch = tempfile::tempdir()?;
        let folder = scratch.path().to_owned();
        let service = TableService::new(folder, hedge.electricity.clone(), hedge.rates.clone());
        let start_ms = grid.start_ms(grid.period_at(now_ms));
        let snapshot = service.snapshot(&hedge.country, start_ms, now_ms).await?;
        anyhow::Ok(bundle.electricity_model()?.known(&snapshot)?)
    };
    match asked.await {
        Ok(known) => Check::ok(
            NAME,
            format!(
                "{} cost {:.2} EUR/MWh in the month up to {}",
                hedge.country,
                known.month_eur_mwh,
                format_day(known.day)
            ),
        ),
        Err(error) => failed(NAME, &error),
    }
}

async fn sources(config: &Config, bundle: &Bundle, now_ms: i64, seen: &mut Seen<'_>) {
    let feeds = match feeds::feeds(config, &bundle.manifest) {
        Ok(feeds) => feeds,
        Err(error) => return seen.add(failed("candle sources", &error)),
    };
    let compared = feeds.cross_check.iter().flat_map(|check| &check.with);
    for feed in feeds.order.iter().chain(compared) {
        if seen.is_first("source", &feed.name) {
            let clock = checks::clock(&feed.source, &feed.name, now_ms, feeds.max_clock_skew_ms).await;
            seen.add_of_source(&feed.name, clock);
        }
        for symbol in &feed.symbols {
            if seen.is_first("symbol", &format!("{} {symbol}", feed.name)) {
                seen.add_of_source(&feed.name, candles(feed, symbol, now_ms).await);
            }
        }
    }
}

async fn candles(feed: &Feed, symbol: &str, now_ms: i64) -> Check {
    let to_ms = now_ms.div_euclid(MINUTE_MS) * MINUTE_MS;
    let asked = feed.source.candles(symbol, to_ms - SAMPLE_MINUTES * MINUTE_MS, to_ms, now_ms).await;
    Check::of("candle source", asked, |candles| {
        let newest = candles.last().map_or_else(|| "none".into(), |candle| format_utc(candle.open_time_ms));
        format!("{} {symbol}: {} of the last {SAMPLE_MINUTES} minutes, newest {newest}", feed.name, candles.len())
    })
}

/// Every RPC by itself, and how far each lags behind the first of them.
async fn rpcs(config: &Config, now_ms: i64, seen: &mut Seen<'_>) {
    let mut heads = Vec::new();
    for url in &config.chain.rpc_urls {
        let alone =
            Config { chain: chain::Chain { rpc_urls: vec![url.clone()], ..config.chain.clone() }, ..config.clone() };
        let asked = async {
            let reader: ChainReader = assemble::reader(&alone)?;
            reader.check_chain_id().await?;
            reader.head().await
        };
        heads.push((url, asked.await));
    }
    let newest = heads.iter().filter_map(|(_, head)| head.as_ref().ok()).map(|head| head.timestamp_seconds).max();
    for (url, head) in heads {
        let head = head.and_then(|head| {
            let behind_seconds = (newest.unwrap_or_default() - head.timestamp_seconds).unsigned_abs();
            if behind_seconds > config.chain.max_head_lag.as_secs() {
                return Err(ChainError::Lagging { behind_seconds });
            }
            Ok(head)
        });
        let told = |figure: String| format!("{url}: {figure}");
        let check = Check::of("RPC", head, |head| {
            let age_seconds = now_ms / 1000 - head.timestamp_seconds;
            format!("chain {}, block {}, {age_seconds} s old", config.chain.chain_id, head.number)
        });
        seen.add(Check { figure: told(check.figure.clone()), ..check });
    }
}

async fn on_chain(config: &Config, bundle: Option<&Bundle>, now_ms: i64, seen: &mut Seen<'_>) {
    let oracle = match assemble::oracle(config) {
        Ok(oracle) => oracle,
        Err(fault) => return seen.add(Check::fail("contract", &fault)),
    };
    match assemble::reader(config) {
        Ok(reader) => match bundle.map(|bundle| (assemble::action(config, bundle), bundle.manifest.grid)) {
            Some((Ok(action), grid)) => {
                let contract = checks::contract(&reader, &action).await;
                let runs_the_model = contract.level != Level::Fail;
                seen.add(contract);
                if runs_the_model {
                    let last = checks::last_update(&reader, &action, (&config.schedule.cron, grid), now_ms).await;
                    let found = match &config.hedge {
                        Some(_) => vault::sales(&reader, oracle, last).await.0,
                        None => vec![last],
                    };
                    for check in found {
                        seen.add(check);
                    }
                }
            }
            Some((Err(error), _)) => seen.add(failed("contract", &error)),
            None => {}
        },
        Err(fault) => seen.add(Check::fail("contract", &fault)),
    }
    match assemble::chain(config).await {
        Ok(chain) => {
            let wallet = chain.address();
            let attestor = config.attestor.as_ref().map(|_| chain.attestor());
            if seen.is_first("keys", &format!("{} {wallet} {attestor:?}", config.chain.chain_id)) {
                seen.add_of_wallet(wallet, Check::ok("keys", keys(attestor.is_some(), &wallet.to_string())));
            }
            seen.add(checks::attestor(&chain, oracle).await);
            if seen.is_first("wallet", &format!("{} {wallet}", config.chain.chain_id)) {
                seen.add_of_wallet(wallet, checks::balance(&chain, config.alerts.low_balance_updates).await);
            }
        }
        Err(error) => seen.add(failed("keys", &error)),
    }
}

fn keys(has_attestor: bool, wallet: &str) -> String {
    let attests = if has_attestor { "another key attests" } else { "it attests, too" };
    format!("wallet {wallet}; {attests}")
}
