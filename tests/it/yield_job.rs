//! Yield jobs on a chain of their own: from a publisher's chart to a feed, whatever happens in between.

mod crash;
mod daemon;
mod faults;
mod following;
mod lstm;
mod program;
mod proof;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use alloy::primitives::{B256, keccak256};
use alloy::providers::RootProvider;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use veriregime_agent::actions::feed::abi::Feed;
use veriregime_agent::actions::feed::abi::IFeed::Forecast;
use veriregime_agent::attestation::statement::{Statement, of_level};
use veriregime_agent::audit::compare::Verdict;
use veriregime_agent::audit::market::MarketAuditor;
use veriregime_agent::audit::offline;
use veriregime_agent::audit::publication::FeedAuditor;
use veriregime_agent::clock::Clock;
use veriregime_agent::config::{self, Config};
use veriregime_agent::devnet::feed::FeedWorld;
use veriregime_agent::job::Agent;
use veriregime_agent::node::{parts, serving};
use veriregime_agent::state::Store;
use veriregime_core::hedge::prices::Prices;
use veriregime_core::types::cycle::{CycleRecord, Stage};
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::stated::Stated;
use veriregime_core::types::time::format_day;
use veriregime_core::yields::GRID;
use veriregime_core::yields::level::Level;
use wiremock::matchers::path_regex;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::cycles;

/// The day that begins on 2025-07-31; charts go back a year.
const FIRST: PeriodId = PeriodId(20_300);
const HISTORY_DAYS: i32 = 365;

/// What the publisher does.
#[derive(Debug, Clone, Default)]
struct Answers {
    /// The last day of its charts.
    last_day: i32,
    /// Whether it fails.
    is_down: bool,
    /// Pools that it does not know any more.
    gone: Vec<&'static str>,
    /// What rates are multiplied with.
    unit: f64,
    /// What is added to the rate of a day.
    revised: Option<(i32, f64)>,
}

/// A publisher of charts that swing.
struct Publisher {
    server: MockServer,
    answers: Arc<Mutex<Answers>>,
}

impl Publisher {
    async fn start() -> Self {
        let answers = Answers { last_day: FIRST.0 as i32 - 1, unit: 1.0, ..Answers::default() };
        let answers = Arc::new(Mutex::new(answers));
        let server = MockServer::start().await;
        let state = answers.clone();
        let respond = move |request: &Request| state.lock().unwrap().chart(request.url.path());
        Mock::given(path_regex("^/chart/")).respond_with(respond).mount(&server).await;
        Self { server, answers }
    }

    fn change(&self, change: impl FnOnce(&mut Answers)) {
        change(&mut self.answers.lock().unwrap());
    }
}

impl Answers {
    fn chart(&self, path: &str) -> ResponseTemplate {
        let pool = path.trim_start_matches("/chart/");
        if self.is_down {
            return ResponseTemplate::new(503);
        }
        if self.gone.contains(&pool) {
            return ResponseTemplate::new(404);
        }
        let point = |day: i32| {
            let swing = f64::from(day) * if pool == "usdc" { 0.21 } else { 0.34 };
            let revised = self.revised.map_or(0.0, |(at, by)| if at == day { by } else { 0.0 });
            let apy = self.unit * (4.0 + swing.sin() + f64::from(day * 7 % 5) * 0.2 + revised);
            json!({"timestamp": format!("{}T23:01:00.000Z", format_day(day)), "tvlUsd": 1e6, "apy": apy})
        };
        let days: Vec<Value> = (self.last_day - HISTORY_DAYS..=self.last_day).map(point).collect();
        ResponseTemplate::new(200).set_body_json(json!({"status": "success", "data": days}))
    }
}

/// A chain, a publisher, and settings of two lending strategies with a job each.
struct Scene {
    scratch: TempDir,
    world: FeedWorld,
    publisher: Publisher,
    jobs: Vec<Config>,
    /// The settings of the jobs, before there is a chain.
    text: String,
    clock: Clock,
    stop: CancellationToken,
}

impl Scene {
    async fn new() -> Self {
        let scene = Self::of(FIRST, GRID.start_ms(FIRST) / 1000).await;
        scene.enter(FIRST, 1).await;
        scene
    }

    /// In a day, with that time on the chain.
    async fn of(period: PeriodId, now_seconds: i64) -> Self {
        Self::with(period, now_seconds, |text| text).await
    }

    /// The same with other settings.
    async fn with(period: PeriodId, now_seconds: i64, change: impl FnOnce(String) -> String) -> Self {
        let (scratch, publisher) = (TempDir::new().unwrap(), Publisher::start().await);
        publisher.change(|answers| answers.last_day = period.0 as i32 - 1);
        let text = change(settings(scratch.path(), &publisher.server.uri()));
        let mut jobs = config::parse(&text).unwrap().jobs().to_vec();
        let world = FeedWorld::start(&mut jobs, scratch.path(), None, now_seconds).await.unwrap();
        let clock = Clock::manual(GRID.start_ms(period));
        Self { scratch, world, publisher, jobs, text, clock, stop: CancellationToken::new() }
    }

    /// A file with the scene's settings, and more sections.
    fn settings_file(&self, more: &str) -> PathBuf {
        let mut text = self.text.clone();
        for job in &self.jobs {
            let (name, feed) = (&job.names.job, job.chain.oracle.unwrap());
            let strategy = format!("strategy = \"{name}\"\n");
            text = text.replace(&strategy, &format!("{strategy}contract = \"{feed}\"\n"));
        }
        let key = self.scratch.path().join("node.key").display().to_string();
        let url = self.jobs[0].chain.rpc_url().clone();
        let own = format!("[signer]\nfile = {key:?}\n[chain]\nrpc_url = [\"{url}\"]\n");
        let path = self.scratch.path().join("agent.toml");
        std::fs::write(&path, text.replacen("[chain]\n", &own, 1) + more).unwrap();
        path
    }

    /// Goes to an hour of a day.
    async fn enter(&self, period: PeriodId, hour: i64) {
        let now_seconds = GRID.start_ms(period) / 1000 + hour * 3600;
        self.world.anvil.set_time(now_seconds).await.unwrap();
        self.clock.set_ms(now_seconds * 1000);
    }

    /// A job by its place, with a database of that name.
    async fn agent(&self, job: usize, database: &str) -> Agent {
        let store = Store::open(&self.scratch.path().join(database)).unwrap();
        parts::agent(&self.jobs[job], self.clock.clone(), store).await.unwrap()
    }

    async fn run(&self, agent: &mut Agent, period: PeriodId) -> CycleRecord {
        cycles::run(agent, period, &self.stop).await
    }

    async fn kept_by(&self, agent: &mut Agent, period: PeriodId) -> String {
        cycles::kept_by(agent, period, &self.stop).await
    }

    fn provider(&self) -> RootProvider {
        RootProvider::new_http(self.jobs[0].chain.rpc_url().clone())
    }

    /// What a job's feed has published, as its events tell it.
    async fn published(&self, agent: &Agent) -> Vec<Forecast> {
        let feed = Feed::new(agent.action.contract(), self.provider());
        let events = feed.Published_filter().from_block(0_u64).query().await.unwrap();
        events.into_iter().map(|(event, _)| event.forecast).collect()
    }
}

fn settings(scratch: &Path, url: &str) -> String {
    let [state, left, tables] =
        ["agent.sqlite", "evidence", "tables"].map(|name| scratch.join(name).display().to_string());
    let strategy = |name: &str, pool: &str| {
        format!(
            "[[yields.strategies]]\nname = \"{name}\"\nkind = \"lending\"\npool = \"{pool}\"\n\
             [[jobs]]\nname = \"{name}\"\nkind = \"yield\"\nstrategy = \"{name}\"\nverification = \"direct\"\n"
        )
    };
    format!(
        "[chain]\npoll_interval_ms = 20\n[state]\npath = {state:?}\n[evidence]\ndir = {left:?}\n\
         [replica]\nquiet_seconds = 0\n[yields]\nurl = \"{url}\"\nfunding_url = \"\"\ndir = {tables:?}\n{}{}",
        strategy("aave", "usdc"),
        strategy("lido", "steth")
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn each_day_publishes_what_was_forecast_and_leaves_evidence() {
    let scene = Scene::new().await;
    let mut agent = scene.agent(0, "agent.sqlite").await;
    let record = scene.run(&mut agent, FIRST).await;
    assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);
    let tables = record.tables.clone().unwrap();
    assert_eq!(tables.vintages.iter().map(|one| one.table.as_str()).collect::<Vec<_>>(), ["yields_lending/usdc"]);
    let forecast = record.forecast.clone().unwrap();
    let Some(Stated::Level(level)) = forecast.stated else { panic!("{forecast:?}") };
    assert_eq!(u64::from(level.day) + 1, FIRST.0, "a day's rates are known at its end");

    // The chain's arithmetic is the program's.
    let said = agent.strategy().unwrap().model.told(&forecast).unwrap();
    let feed = agent.chain.read.feed(agent.action.contract()).await.unwrap();
    for (told, percent) in [
        (feed.apyE8 as f64, said.apy_percent),
        (feed.volatilityE8 as f64, said.volatility_pp),
        (feed.lowE8 as f64, said.low_percent),
        (feed.highE8 as f64, said.high_percent),
    ] {
        assert!((told - percent * 1e6).abs() < 2.0, "{told} {percent}");
    }
    assert!(said.low_percent < said.apy_percent && said.apy_percent < said.high_percent, "{said:?}");
    assert_eq!(feed.dataDay, level.day);
    let contract = Feed::new(agent.action.contract(), scene.provider());
    let model_id = B256::repeat_byte(7);
    let told = contract.statementOf(model_id, 5, encoded(level)).call().await.unwrap();
    assert_eq!(told, of_level(level, model_id, PeriodId(5)), "both sign the same");
    assert_eq!(contract.strategy().call().await.unwrap(), keccak256("aave"));

    // Whoever has the file computes the same; whoever has the publisher's days does as long as nothing is revised.
    let file = agent.evidence.file(agent.store.cycle(agent.job(), FIRST).unwrap().unwrap().evidence.unwrap());
    let verified = offline::verify_file(&scene.jobs[0], &file).await.unwrap().found;
    assert_eq!((verified.verdict, verified.attestors.len()), (Verdict::Match, 2), "{verified:?}");
    let day = FIRST.0..FIRST.0 + 1;
    let audit = async || {
        let auditor = FeedAuditor::new(scene.jobs[0].clone()).await.unwrap();
        auditor.audit_periods(day.clone(), scene.clock.now_ms()).await.unwrap()
    };
    let reports = audit().await;
    assert_eq!(reports.iter().map(|report| report.found.verdict).collect::<Vec<_>>(), [Verdict::Match], "{reports:?}");
    scene.publisher.change(|answers| answers.revised = Some((level.day as i32, 0.3)));
    assert_eq!(audit().await[0].found.verdict, Verdict::DataDiffer, "the publisher says otherwise now");

    // Another strategy is another feed, and nobody publishes twice.
    let mut other = scene.agent(1, "other.sqlite").await;
    assert_eq!(scene.run(&mut other, FIRST).await.stage, Stage::Confirmed);
    assert_ne!(agent.action.contract(), other.action.contract());
    let mut again = scene.agent(0, "again.sqlite").await;
    assert_eq!(scene.run(&mut again, FIRST).await.stage, Stage::AlreadyByOther);
    let published = scene.published(&agent).await;
    assert_eq!(published.iter().map(|one| one.periodStart.to::<u64>()).collect::<Vec<_>>(), [FIRST.0 * 86_400]);
}

fn encoded(level: Level) -> veriregime_agent::actions::feed::abi::IFeed::Level {
    veriregime_agent::actions::feed::abi::IFeed::Level {
        day: level.day,
        levelE9: level.level_e9,
        factorE9: level.factor_e9,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_ends_anywhere_publishes_once() {
    let scene = Scene::new().await;
    for (number, last) in [Stage::Collected, Stage::Forecast, Stage::Proved, Stage::Submitting].into_iter().enumerate()
    {
        let period = PeriodId(FIRST.0 + number as u64);
        scene.publisher.change(|answers| answers.last_day = period.0 as i32 - 1);
        scene.enter(period, 1).await;
        let mut agent = scene.agent(0, "agent.sqlite").await;
        let left = agent.run_until(last, period, &scene.stop).await.unwrap();
        assert_eq!(left.stage, last);
        drop(agent);
        // What a publisher revises meanwhile changes nothing that is stored.
        scene.publisher.change(|answers| answers.revised = Some((period.0 as i32 - 1, 0.5)));
        let mut agent = scene.agent(0, "agent.sqlite").await;
        let record = scene.run(&mut agent, period).await;
        assert_eq!((record.stage, record.candles), (Stage::Confirmed, left.candles));
        scene.publisher.change(|answers| answers.revised = None);
        assert_eq!(scene.published(&agent).await.len(), number + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_operator_signs_only_the_level_that_its_own_tables_give() {
    let scene = Scene::new().await;
    let mut agent = scene.agent(0, "agent.sqlite").await;
    let record = agent.run_until(Stage::Proved, FIRST, &scene.stop).await.unwrap();
    let forecast = record.forecast.clone().unwrap();
    let model_id = agent.action.model_id(&agent.chain.read).await.unwrap();
    let ours = agent.price_attestations(model_id, FIRST, &forecast).await.unwrap();
    let Some(Stated::Level(level)) = forecast.stated else { panic!("{forecast:?}") };
    let store = Arc::new(Store::open(&scene.scratch.path().join("agent.sqlite")).unwrap());
    let notary = serving::notary(&agent, &store).unwrap();
    let (read, feed) = (&agent.chain.read, agent.action.contract());
    let statement = Statement {
        chain_id: read.chain_id(),
        oracle: feed,
        registry: read.registry_of(feed).await.unwrap(),
        model_id,
        period: FIRST,
        attestor_set_version: read.attestor_set(feed).await.unwrap().version,
        omitted_markets: OmittedMarkets::NONE,
        instances: Vec::new(),
        prices: Some(level.into()),
    };
    assert_eq!(notary.attest(&statement).await.unwrap(), ours[0]);
    let prices = Prices { eur_per_mwh_e6: 1, usd_per_eur_e6: 1 };
    for (stated, named) in [
        (Level { day: level.day - 1, ..level }.into(), "the last day of the data"),
        (Level { level_e9: level.level_e9 + 1, ..level }.into(), "the level of the last week"),
        (Level { factor_e9: level.factor_e9 + 1, ..level }.into(), "the interval's factor"),
        (Stated::from(prices), "kind of model"),
    ] {
        let fault = notary.attest(&Statement { prices: Some(stated), ..statement.clone() }).await.expect_err(named);
        assert!(fault.to_string().contains(named), "{fault}");
    }
}
