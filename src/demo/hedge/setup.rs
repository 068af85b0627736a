//! What the demo of a vault makes before its first week.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use alloy::primitives::Address;
use anyhow::Context;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{HedgeDemo, HedgeScenario, WEEK_DAYS};
use crate::bundle::Bundle;
use crate::clock::Clock;
use crate::config::raw::{JobKind, ProverKind, RawConfig, RawJob};
use crate::config::{self, Config, place};
use crate::demo::scenario::Told;
use crate::devnet::uniswap::PoolShape;
use crate::devnet::vault::VaultWorld;
use crate::node::{assemble, parts};
use crate::sources::candles::simulated::SimulatedMarket;
use crate::sources::tables::folder::Tables;
use crate::sources::tables::series::{Bounds, DailySeries};
use crate::sources::tables::serve;
use crate::state::Store;
use crate::verification::error::ProofError;
use veriregime_core::hedge::GRID;
use veriregime_core::hedge::features::MONTH_DAYS;
use veriregime_core::hedge::need::dollars_a_day;
use veriregime_core::hedge::panel::Day;
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::time::{DAY_MS, format_day, format_utc};

const JOB: &str = "miner";
const BITCOIN: Bounds = Bounds { column: "close_usd", lowest: 0.01, highest: 1e8 };
/// Bitcoin on one side of the pool: a sale hardly moves it.
const POOL_WBTC: u64 = 5_000;
/// The price may go to a fifth, or to the fivefold.
const POOL_TICKS: i32 = 16_080;
/// The treasury over what all days would cost at the last month's price.
const SPARE: f64 = 1.5;
const SATS: f64 = 1e8;

pub(super) async fn set_up(
    scenario: HedgeScenario,
    raw: RawConfig,
    stop: &CancellationToken,
    told: &Told<'_>,
) -> anyhow::Result<HedgeDemo> {
    let scratch = tempfile::tempdir().context("no scratch folder")?;
    let data = place::data(&scenario.data);
    let tables = Tables::read(&data)?;
    let days = tables.electricity.days().context("the tables have no prices")?;
    let horizon = Day::from(scenario.months) * MONTH_DAYS as Day;
    let length = Day::try_from(scenario.weeks)? * WEEK_DAYS;
    let first = GRID.period_at(i64::from(*days.end() + 1 - length - horizon) * DAY_MS);
    let start = Day::try_from(GRID.start_ms(first) / DAY_MS)?;
    let country = tables.electricity.countries.get(&scenario.country);
    let electricity = country.with_context(|| format!("the tables have no {}", scenario.country))?.clone();
    let rates = tables.rates.clone().context("the tables have no rates of the euro")?;
    let (bitcoin, bitcoin_story) = match &tables.bitcoin {
        Some(series) => (series.clone(), format!("as in {}", data.display())),
        None => (simulated(scenario.seed, start, length)?, format!("SIMULATED (seed {}), not real", scenario.seed)),
    };
    let source = format!("{}, {} to {}", data.display(), format_day(*days.start()), format_day(*days.end()));
    let listener = serve::listen(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let content = serve::Content { tables: Some(tables), yields: None };
    tokio::spawn(serve::serve(content, listener, stop.clone()));
    told.item("tables", &format!("{source}, served at {url} as by Ember and the European Central Bank"));
    told.item("bitcoin", &format!("{bitcoin_story}, in Uniswap's pool"));

    let mut config = settings(&scenario, raw, &url, scratch.path())?;
    let way = way(&scenario, &mut config)?;
    let price = bitcoin.carried(start - 1, 1).context("a bitcoin has no price when the demo begins")?;
    (told.step)("starting a chain with a pool, and deploying registry, model and vault");
    let shape = PoolShape { btc_usd: price, range_ticks: POOL_TICKS, wbtc: POOL_WBTC };
    let terms = format!(
        "watts = {}\nmonths = {}\nshare_bps = 10_000\nslippage_bps = 50\ntwap_seconds = 1_800\nmin_observations = 10\n\
         deadline = \"2100-01-01\"\nmax_per_period_sats = 10_000_000_000\nmax_in_all_sats = 100_000_000_000\n\
         floor_usd_per_btc = 1_000\noperator_seconds = 0\n",
        scenario.watts, scenario.months
    );
    let begins = GRID.start_ms(first) / 1000;
    let starting = VaultWorld::start(&mut config, scratch.path(), scenario.anvil.as_deref(), begins, shape, &terms);
    let world = Box::pin(starting).await?;
    let treasury_sats = treasury(&scenario, &electricity, &rates, (start, length + horizon), price)?;
    world.uniswap.fund(world.vault(), treasury_sats).await?;
    let clock = Clock::manual(GRID.start_ms(first));
    let store = Store::open(&config.state_path)?;
    let agent = parts::agent(&config, clock.clone(), store).await?;
    let rpc_url = config.chain.rpc_url();
    told.item("model", &format!("{}, verified by {way}: trusted is {}", agent.bundle.manifest.model_id, way.trust()));
    told.item("chain", &format!("anvil at {rpc_url}, its time starting at {}", format_utc(GRID.start_ms(first))));
    told.item("contracts", &contracts(&world, agent.action.contract()));
    Ok(HedgeDemo {
        scenario,
        agent,
        config,
        dashboard: None,
        world,
        clock,
        way,
        electricity,
        rates,
        bitcoin,
        bitcoin_story,
        source,
        treasury_sats,
        next: first,
        price,
        rows: Vec::new(),
        starts: Vec::new(),
        _scratch: scratch,
    })
}

fn contracts(world: &VaultWorld, vault: Address) -> String {
    let deployment = &world.deployment;
    format!(
        "HedgeVault {vault}, registry {}, Uniswap v3's factory {}",
        deployment.registry.address, world.uniswap.factory
    )
}

/// The settings with this job alone.
fn settings(
    scenario: &HedgeScenario,
    mut raw: RawConfig,
    url: &str,
    scratch: &std::path::Path,
) -> anyhow::Result<Config> {
    let path = |name: &str| scratch.join(name).display().to_string();
    (raw.state.path, raw.evidence.dir, raw.hedge.dir) = (path("agent.sqlite"), path("evidence"), path("tables"));
    raw.hedge.electricity_url = format!("{url}{}", serve::ELECTRICITY_PATH);
    raw.hedge.rates_url = format!("{url}{}", serve::RATES_ZIP_PATH);
    let mut schedule = raw.schedule.clone();
    schedule.cron.clone_from(&raw.hedge.cron);
    raw.jobs = vec![RawJob {
        name: JOB.into(),
        kind: JobKind::Hedge,
        country: scenario.country.clone(),
        strategy: String::new(),
        bundle: raw.hedge.bundle.clone(),
        verification: scenario.way.map_or(raw.prover.kind, ProverKind::from),
        action: None,
        contract: String::new(),
        chain: "default".into(),
        wallet: "default".into(),
        attestor: "default".into(),
        schedule,
        replica: raw.replica.clone(),
    }];
    (raw.chains, raw.wallets, raw.attestors) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    raw.chain.poll_interval_ms = 20;
    // The wallet is new, and nobody else's.
    raw.replica.quiet_seconds = 0;
    Url::parse(url)?;
    Ok(config::jobs::check(raw)?.job(None)?.clone())
}

/// How the chain is convinced: as was asked for, else by a proof where the ceremony's file is here.
fn way(scenario: &HedgeScenario, config: &mut Config) -> anyhow::Result<Way> {
    let bundle = Bundle::open(&config.bundle)?;
    match assemble::srs(config, &bundle) {
        Err(ProofError::SrsMissing { .. }) if scenario.way.is_none() => config.prover.kind = ProverKind::Direct,
        found => {
            found?;
        }
    }
    Ok(config.prover.kind.way())
}

/// What a bitcoin costs at the end of each day, by the simulated market.
fn simulated(seed: u64, start: Day, length: Day) -> anyhow::Result<DailySeries> {
    let close = |day: Day| {
        let end_ms = i64::from(day + 1) * DAY_MS;
        let last = SimulatedMarket::new(seed).candles(end_ms - MINUTE_MS..end_ms);
        Some((day, last.last()?.close))
    };
    Ok(DailySeries::new("the simulated market", &BITCOIN, (start - 2..start + length).filter_map(close))?)
}

/// WBTC that pay all days at the last month's price, and half as much again.
fn treasury(
    scenario: &HedgeScenario,
    electricity: &DailySeries,
    rates: &DailySeries,
    (start, days): (Day, Day),
    btc_usd: f64,
) -> anyhow::Result<u64> {
    let month = (start - MONTH_DAYS as Day..start).map(|day| electricity.carried(day, 1)).sum::<Option<f64>>();
    let mean = month.context("the country's last month is not known")? / MONTH_DAYS as f64;
    let rate = rates.carried(start - 1, WEEK_DAYS).context("the euro's rate is not known")?;
    let usd = dollars_a_day(f64::from(scenario.watts), mean, rate) * f64::from(days);
    Ok((usd * SPARE / btc_usd * SATS).ceil() as u64)
}
