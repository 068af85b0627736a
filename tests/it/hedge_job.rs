//! A hedge job on a chain with a real pool: from the publishers' tables to the owner's dollars, whatever happens in between.

mod crash;
mod demo;
mod faults;
mod following;
mod outage;
mod paused;
mod program;
mod publisher;
mod rivals;

use std::path::Path;
use std::sync::Arc;

use alloy::network::Ethereum;
use alloy::primitives::U256;
use alloy::providers::RootProvider;
use alloy::sol_types::SolCall;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use veriregime_agent::actions::hedge_vault::abi::vault::{HedgeVault, IHedgeVault};
use veriregime_agent::attestation::statement::Statement;
use veriregime_agent::audit::compare::Verdict;
use veriregime_agent::audit::market::MarketAuditor;
use veriregime_agent::audit::offline;
use veriregime_agent::audit::vault::VaultAuditor;
use veriregime_agent::chain::call::Call;
use veriregime_agent::clock::Clock;
use veriregime_agent::config::{self, Config};
use veriregime_agent::devnet::uniswap::PoolShape;
use veriregime_agent::devnet::vault::VaultWorld;
use veriregime_agent::evidence;
use veriregime_agent::job::Agent;
use veriregime_agent::node::{parts, serving};
use veriregime_agent::state::Store;
use veriregime_core::hedge::GRID;
use veriregime_core::hedge::prices::Prices;
use veriregime_core::types::cycle::{CycleRecord, Stage};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::stated::Stated;

use crate::cycles;
use publisher::Publisher;

/// The week that begins on Thursday, the 31st of August 2023.
const FIRST: PeriodId = PeriodId(2800);
/// From a week's start to its cycle.
const DELAY_SECONDS: i64 = 6 * 3600;
const WATTS: u64 = 300_000;
/// Ten bitcoin.
const FUNDS_SATS: u64 = 1_000_000_000;
const TERMS: &str = "watts = 300_000\nmonths = 2\nshare_bps = 10_000\nslippage_bps = 100\ntwap_seconds = 300\n\
                     min_observations = 10\ndeadline = \"2099-12-31\"\nmax_per_period_sats = 1_000_000_000\n\
                     max_in_all_sats = 5_000_000_000\nfloor_usd_per_btc = 10_000\noperator_seconds = 0\n";
const SHAPE: PoolShape = PoolShape { btc_usd: 27_000.0, range_ticks: 12_000, wbtc: 2_000 };

/// Of a job whose cycle begins with the week.
const AT_ONCE: &str = "schedule = { cron = \"0 0 0 * * Thu\", delay_seconds = 0, recheck_seconds = 1 }\n";

/// A chain, publishers, and settings of one hedge job.
struct Scene {
    scratch: TempDir,
    world: VaultWorld,
    publisher: Publisher,
    config: Config,
    clock: Clock,
    stop: CancellationToken,
}

impl Scene {
    /// In the first week, with [`FUNDS_SATS`] in the vault.
    async fn new() -> Self {
        let scene = Self::of(Publisher::start().await, FIRST, GRID.start_ms(FIRST) / 1000).await;
        scene.enter(FIRST).await;
        scene
    }

    /// In a week, with that time on the chain.
    async fn of(publisher: Publisher, period: PeriodId, now_seconds: i64) -> Self {
        let scratch = TempDir::new().unwrap();
        let text = settings(scratch.path(), &publisher, "");
        let mut config = config::parse(&text).unwrap().job(None).unwrap().clone();
        let world = VaultWorld::start(&mut config, scratch.path(), None, now_seconds, SHAPE, TERMS).await.unwrap();
        world.uniswap.fund(world.vault(), FUNDS_SATS).await.unwrap();
        let clock = Clock::manual(GRID.start_ms(period));
        Self { scratch, world, publisher, config, clock, stop: CancellationToken::new() }
    }

    /// The settings as a file's text, with more of the job.
    fn settings(&self, of_job: &str) -> String {
        settings(self.scratch.path(), &self.publisher, of_job)
    }

    /// Goes to the hour of a week's cycle.
    async fn enter(&self, period: PeriodId) {
        let now_seconds = GRID.start_ms(period) / 1000 + DELAY_SECONDS;
        self.world.anvil.set_time(now_seconds).await.unwrap();
        self.clock.set_ms(now_seconds * 1000);
    }

    /// The job, with a database of that name.
    async fn agent(&self, database: &str) -> Agent {
        let store = Store::open(&self.scratch.path().join(database)).unwrap();
        parts::agent(&self.config, self.clock.clone(), store).await.unwrap()
    }

    async fn run(&self, agent: &mut Agent, period: PeriodId) -> CycleRecord {
        cycles::run(agent, period, &self.stop).await
    }

    async fn kept_by(&self, agent: &mut Agent, period: PeriodId) -> String {
        cycles::kept_by(agent, period, &self.stop).await
    }

    /// Sales by their periods, as the chain tells them.
    async fn sold(&self) -> Vec<(PeriodId, u64)> {
        self.events().await.into_iter().map(|event| (PeriodId(event.period), event.sale.sats)).collect()
    }

    /// What each of them came to.
    async fn sales(&self) -> Vec<IHedgeVault::Sale> {
        self.events().await.into_iter().map(|event| event.sale).collect()
    }

    async fn events(&self) -> Vec<HedgeVault::Sold> {
        let provider = RootProvider::<Ethereum>::new_http(self.config.chain.rpc_url().clone());
        let vault = HedgeVault::new(self.world.vault(), provider);
        let events = vault.Sold_filter().from_block(0_u64).query().await.unwrap();
        events.into_iter().map(|(event, _)| event).collect()
    }

    async fn owner_calls(&self, call: &impl SolCall) {
        let owner = &self.world.owner;
        let nonce = owner.nonce().await.unwrap();
        let call = Call::new(self.world.vault(), call.abi_encode());
        let signed = owner.sign(veriregime_core::types::cycle::Purpose::Action, call, nonce, None).await.unwrap();
        owner.broadcast(&signed).await.unwrap();
        while owner.nonce().await.unwrap() <= nonce {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

fn settings(scratch: &Path, publisher: &Publisher, of_job: &str) -> String {
    let [state, left, tables] =
        ["agent.sqlite", "evidence", "tables"].map(|name| scratch.join(name).display().to_string());
    let url = &publisher.url;
    format!(
        "[chain]\npoll_interval_ms = 20\n[state]\npath = {state:?}\n[evidence]\ndir = {left:?}\n\
         [replica]\nquiet_seconds = 0\n\
         [hedge]\nelectricity_url = \"{url}prices\"\nrates_url = \"{url}rates\"\ndir = {tables:?}\n\
         [[jobs]]\nname = \"miner\"\nkind = \"hedge\"\ncountry = \"DEU\"\nverification = \"direct\"\n{of_job}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn each_week_sells_for_the_days_that_it_adds_and_leaves_evidence() {
    let scene = Scene::new().await;
    let owner = scene.world.owner.address();
    let mut agent = scene.agent("agent.sqlite").await;
    let record = scene.run(&mut agent, FIRST).await;
    assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);
    let tables = record.tables.clone().unwrap();
    assert_eq!(
        tables.vintages.iter().map(|one| one.table.as_str()).collect::<Vec<_>>(),
        ["electricity_daily_eur_mwh", "eurusd_daily"]
    );
    let prices = record.forecast.as_ref().unwrap().stated.unwrap();

    // What reached the owner is what sixty days cost by the forecast.
    let sold = scene.sold().await;
    assert_eq!(sold.len(), 1);
    let file = agent.evidence.file(agent.store.cycle(agent.job(), FIRST).unwrap().unwrap().evidence.unwrap());
    let (_, left) = evidence::read(&file).unwrap();
    let told = left.sale.unwrap();
    assert_eq!((Stated::from(told.prices), told.figures.sats, &told.tables), (prices, sold[0].1, &tables));
    assert_eq!(told.figures.until_day - told.figures.from_day, 60);
    assert_eq!(i64::from(told.figures.from_day) * 86_400_000, GRID.start_ms(FIRST));
    let outputs: Vec<i128> = left.update.outputs.clone();
    let ratio = (outputs[0] as f64 / f64::from(1 << 29)).clamp(-0.7, 0.7).exp();
    let prices = prices.prices().unwrap();
    let need = 60.0 * 24.0 * WATTS as f64 / 1e6 * prices.eur_per_mwh() * ratio * prices.usd_per_eur();
    let dollars = scene.world.uniswap.dollars(owner).await.unwrap();
    assert_eq!(dollars, told.figures.usdc);
    assert!((dollars as f64 / 1e6 / need - 1.0).abs() < 0.01, "{dollars} of {need}");
    assert!(told.snapshot.prices.len() > 25 && told.snapshot.day == told.figures.from_day as i32 - 1);

    // Whoever has the file computes the same; whoever has the publishers' tables does as long as nothing is revised.
    let verified = offline::verify_file(&scene.config, &file).await.unwrap().found;
    assert_eq!((verified.verdict, verified.attestors.len()), (Verdict::Match, 2), "{verified:?}");
    let week = FIRST.0..FIRST.0 + 1;
    let audit = async || {
        let auditor = VaultAuditor::new(scene.config.clone()).await.unwrap();
        auditor.audit_periods(week.clone(), scene.clock.now_ms()).await.unwrap()
    };
    let audited = audit().await;
    assert_eq!((audited.len(), audited[0].found.verdict, audited[0].sold_sats), (1, Verdict::Match, sold[0].1));
    scene.publisher.rows(|cells| {
        let mut cells = cells.to_vec();
        if cells[1] == "DEU" && cells[2] == "2023-08-30" {
            cells[3] = "200".into();
        }
        Some(cells)
    });
    let revised = audit().await;
    assert_eq!(revised[0].found.verdict, Verdict::DataDiffer, "{:?}", revised[0].found);
    let mut altered = evidence::read(&file).unwrap().1;
    altered.sale.as_mut().unwrap().prices.usd_per_eur_e6 += 1;
    let copy = scene.scratch.path().join("altered.json");
    std::fs::write(&copy, serde_json::to_vec(&altered).unwrap()).unwrap();
    let found = offline::verify_file(&scene.config, &copy).await.unwrap().found;
    assert!(found.verdict > Verdict::DataDiffer, "the attestors signed something else: {found:?}");

    // The same once more is nothing, and the next week sells for seven days.
    assert_eq!(scene.run(&mut agent, FIRST).await.stage, Stage::Confirmed);
    scene.enter(FIRST.next()).await;
    assert_eq!(scene.run(&mut agent, FIRST.next()).await.stage, Stage::Confirmed);
    let weeks = scene.sold().await;
    assert_eq!(weeks.iter().map(|(period, _)| *period).collect::<Vec<_>>(), [FIRST, FIRST.next()]);
    assert!(weeks[1].1 * 5 < weeks[0].1, "{weeks:?}");

    // Who comes later, with a database of their own, finds it done.
    let mut other = scene.agent("other.sqlite").await;
    assert_eq!(scene.run(&mut other, FIRST.next()).await.stage, Stage::AlreadyByOther);
    assert_eq!(scene.sold().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_refuses_for_now_is_asked_again_and_one_without_an_open_day_is_left_alone() {
    let scene = Scene::new().await;
    let mut agent = scene.agent("agent.sqlite").await;
    assert_eq!(scene.run(&mut agent, FIRST).await.stage, Stage::Confirmed);

    // Nothing is left in it.
    scene.enter(FIRST.next()).await;
    let held = FUNDS_SATS - scene.sold().await[0].1;
    let token = scene.world.uniswap.wbtc;
    scene.owner_calls(&HedgeVault::withdrawCall { token, amount: U256::from(held) }).await;
    assert_eq!(scene.kept_by(&mut agent, FIRST.next()).await, "VR-VAULT-002");
    scene.world.uniswap.fund(scene.world.vault(), held).await.unwrap();
    assert_eq!(scene.run(&mut agent, FIRST.next()).await.stage, Stage::Confirmed);

    // Somebody moves the price before the sale.
    let third = PeriodId(FIRST.0 + 2);
    scene.enter(third).await;
    scene.world.uniswap.trade_to(SHAPE.btc_usd * 0.9, false).await.unwrap();
    assert_eq!(scene.kept_by(&mut agent, third).await, "VR-VAULT-002");
    scene.world.anvil.set_time(scene.clock.now_ms() / 1000 + 3600).await.unwrap();
    assert_eq!(scene.run(&mut agent, third).await.stage, Stage::Confirmed);

    // With terms of fewer months all days are covered.
    let last = PeriodId(FIRST.0 + 3);
    scene.enter(last).await;
    let mut next = scene.world.deployment.terms.clone();
    next.deadline = alloy::primitives::aliases::U40::from(GRID.start_ms(last) / 1000);
    scene.owner_calls(&HedgeVault::setTermsCall { next }).await;
    let missed = scene.run(&mut agent, last).await;
    assert_eq!(
        (missed.stage, missed.miss.unwrap().code.as_str()),
        (Stage::Missed, "VR-CHAIN-009"),
        "the deadline is over"
    );
    assert_eq!(scene.sold().await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_are_stated_once_a_period_and_for_others_only_as_this_node_knows_them() {
    let scene = Scene::new().await;
    let mut agent = scene.agent("agent.sqlite").await;
    let record = agent.run_until(Stage::Proved, FIRST, &scene.stop).await.unwrap();
    let forecast = record.forecast.clone().unwrap();
    let model_id = agent.action.model_id(&agent.chain.read).await.unwrap();
    let ours = agent.price_attestations(model_id, FIRST, &forecast).await.unwrap();
    assert_eq!(agent.price_attestations(model_id, FIRST, &forecast).await.unwrap(), ours, "the same is signed again");
    let prices = forecast.stated.unwrap().prices().unwrap();
    let other = Prices { eur_per_mwh_e6: prices.eur_per_mwh_e6 + 1, ..prices };
    let mut altered = forecast.clone();
    altered.stated = Some(other.into());
    let fault = agent.price_attestations(model_id, FIRST, &altered).await.expect_err("another statement");
    assert_eq!(fault.code(), "VR-ATTEST-005");

    let store = Arc::new(Store::open(&scene.scratch.path().join("agent.sqlite")).unwrap());
    let notary = serving::notary(&agent, &store).unwrap();
    let read = &agent.chain.read;
    let vault = scene.world.vault();
    let statement = Statement {
        chain_id: read.chain_id(),
        oracle: vault,
        registry: read.registry_of(vault).await.unwrap(),
        model_id,
        period: FIRST,
        attestor_set_version: read.attestor_set(vault).await.unwrap().version,
        omitted_markets: OmittedMarkets::NONE,
        instances: Vec::new(),
        prices: Some(prices.into()),
    };
    assert_eq!(notary.attest(&statement).await.unwrap(), ours[0]);
    let of_forecast = Statement { prices: None, instances: forecast.instances(), ..statement.clone() };
    notary.attest(&of_forecast).await.unwrap();
    for (asked, code) in [
        (Statement { prices: Some(other.into()), ..statement.clone() }, "VR-ATTEST-004"),
        (Statement { instances: forecast.instances(), ..statement.clone() }, "VR-ATTEST-001"),
        (Statement { period: FIRST.next(), ..statement.clone() }, "VR-ATTEST-002"),
        (Statement { prices: None, ..statement.clone() }, "VR-ATTEST-004"),
    ] {
        assert_eq!(notary.attest(&asked).await.expect_err(code).code(), code);
    }
}
