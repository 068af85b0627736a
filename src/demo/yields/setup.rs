//! What the demo of strategies makes before its first day.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use super::portfolio::Portfolio;
use super::predict;
use super::{YieldDemo, YieldScenario};
use crate::bundle::Bundle;
use crate::clock::Clock;
use crate::config::raw::{JobKind, ProverKind, RawConfig, RawJob};
use crate::config::yields::RawStrategy;
use crate::config::{self, Config, place};
use crate::demo::dashboard::Dashboard;
use crate::demo::scenario::Told;
use crate::devnet::feed::FeedWorld;
use crate::node::assemble;
use crate::node::parts::{self, Parts};
use crate::sources::tables::serve;
use crate::sources::yields::folder::Yields;
use crate::state::Store;
use veriregime_core::hedge::panel::Day;
use veriregime_core::types::time::{DAY_MS, format_day, format_utc};
use veriregime_core::yields::{GRID, HORIZON_DAYS};

/// Most strategies that are shown.
const MAX_SHOWN: usize = 3;
/// Longest name that is made of a pool's id.
const NAME_LETTERS: usize = 8;

pub(super) async fn set_up(
    scenario: YieldScenario,
    raw: RawConfig,
    stop: &CancellationToken,
    told: &Told<'_>,
) -> anyhow::Result<YieldDemo> {
    let scratch = tempfile::tempdir().context("no scratch folder")?;
    let data = place::data(&scenario.data);
    let yields = Yields::read(&data)?;
    // All strategies go on to the first one's end.
    let last = yields.pools.values().map(|pool| pool.series.last_day()).min().context("there are no strategies")?;
    let first_day = last + 2 - HORIZON_DAYS as Day - Day::try_from(scenario.days)?;
    let first = GRID.period_at(i64::from(first_day) * DAY_MS);
    let source = format!("{}, up to {}", data.display(), format_day(last));
    let listener = serve::listen(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let content = serve::Content { tables: None, yields: Some(yields.clone()) };
    tokio::spawn(serve::serve(content, listener, stop.clone()));
    told.item("rates", &format!("{source}, served at {url} as by DefiLlama and Binance"));

    let mut jobs = settings(&scenario, raw, &yields, &url, scratch.path())?;
    let way = scenario.way;
    for job in &jobs {
        assemble::srs(job, &Bundle::open(&job.bundle)?)?;
    }
    (told.step)("starting a chain, and deploying registry, verifiers, models and feeds");
    let begins = GRID.start_ms(first) / 1000;
    let starting = FeedWorld::start(&mut jobs, scratch.path(), scenario.anvil.as_deref(), begins);
    let world = Box::pin(starting).await?;
    let clock = Clock::manual(GRID.start_ms(first));
    let store = Store::open(&jobs.first().context("there are no jobs")?.state_path)?;
    let running = jobs.iter().filter_map(|job| parts::key(job).ok().flatten()).collect();
    let parts = Parts::by_clock(Arc::new(store), running, clock.clone());
    let mut agents = Vec::with_capacity(jobs.len());
    for job in &jobs {
        let agent = parts.job(job).await?;
        let (model, name) = (&agent.bundle.manifest.model_id, &agent.name);
        told.item("strategy", &format!("{name}: {model}, verified by {way}, published at {}", agent.action.contract()));
        agents.push(agent);
    }
    let (rpc_url, begins) = (&world.anvil.rpc_url, format_utc(GRID.start_ms(first)));
    told.item("chain", &format!("anvil at {rpc_url}, its time starting at {begins}; trusted is {}", way.trust()));
    let service = parts.yields(jobs.first().context("there are no jobs")?).await?;
    let strategies = Some((service.clone(), clock.clone()));
    let served: Vec<_> = agents.iter().collect();
    let dashboard = Dashboard::start(&jobs, &served, GRID.start_ms(first), strategies, stop).await?;
    told.item("API", &format!("POST {}", predict::url(&dashboard)?));
    Ok(YieldDemo {
        agents,
        dashboard,
        world,
        clock,
        way,
        yields,
        source,
        next: first,
        service,
        portfolio: Portfolio::new(),
        rows: Vec::new(),
        _scratch: scratch,
    })
}

/// The settings with a job for each strategy: the tables' first ones.
fn settings(
    scenario: &YieldScenario,
    mut raw: RawConfig,
    yields: &Yields,
    url: &str,
    scratch: &Path,
) -> anyhow::Result<Vec<Config>> {
    let path = |name: &str| scratch.join(name).display().to_string();
    (raw.state.path, raw.evidence.dir, raw.yields.dir) = (path("agent.sqlite"), path("evidence"), path("tables"));
    (raw.yields.url, raw.yields.funding_url) = (url.to_owned(), url.to_owned());
    let strategies = yields.pools.values().take(MAX_SHOWN).map(|pool| {
        let letters = pool.id.to_ascii_lowercase().replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
        let name = format!("{}-{}", pool.kind.name(), letters.chars().take(NAME_LETTERS).collect::<String>());
        RawStrategy { name, kind: pool.kind, pool: pool.id.clone() }
    });
    raw.yields.strategies = strategies.collect();
    let mut schedule = raw.schedule.clone();
    schedule.cron.clone_from(&raw.yields.cron);
    let job = |strategy: &RawStrategy| RawJob {
        name: strategy.name.clone(),
        kind: JobKind::Yield,
        country: String::new(),
        strategy: strategy.name.clone(),
        bundle: format!("{}/{}", raw.yields.models, strategy.kind.name()),
        verification: ProverKind::from(scenario.way),
        action: None,
        contract: String::new(),
        chain: "default".into(),
        wallet: "default".into(),
        attestor: "default".into(),
        schedule: schedule.clone(),
        replica: raw.replica.clone(),
    };
    raw.jobs = raw.yields.strategies.iter().map(job).collect();
    (raw.chains, raw.wallets, raw.attestors) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    raw.chain.poll_interval_ms = 20;
    // The wallet is new, and nobody else's.
    raw.replica.quiet_seconds = 0;
    for job in &mut raw.jobs {
        job.replica.quiet_seconds = 0;
    }
    Ok(config::jobs::check(raw)?.jobs().to_vec())
}
