//! The policy over sources in whole cycles: fallbacks, a second exchange's word, the live window, revised candles.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::ops::Range;
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::Url;
use veriregime_agent::config::Config;
use veriregime_agent::config::candles::{CrossCheck, Source};
use veriregime_agent::diagnosis;
use veriregime_agent::job::Agent;
use veriregime_agent::render::cycle;
use veriregime_agent::sources::candles::exchange_api;
use veriregime_agent::sources::candles::market::Market;
use veriregime_agent::sources::candles::simulated::SimulatedMarket;
use veriregime_core::features;
use veriregime_core::types::candle::Candle;
use veriregime_core::types::cycle::{CycleRecord, Stage};
use veriregime_core::types::origin::{Gaps, Lent};
use veriregime_core::types::period::{MINUTE_MS, PeriodId};
use veriregime_core::types::venue::Venue;

use crate::bad_exchange::{BadExchange, ExchangeFaultMode, slow_loris};
use crate::world::{FIRST, World};

/// Seed of the market that every source of a world shows.
const SEED: u64 = 13;

fn go() -> CancellationToken {
    CancellationToken::new()
}

async fn exchange(world: &World, venue: Venue) -> BadExchange {
    let market = Market::simulated(exchange_api::of(venue).bitcoin(), SEED);
    BadExchange::start(venue, market, world.clock.clone()).await
}

fn source(venue: Venue, base_url: &Url) -> Source {
    let symbols = BTreeMap::from([("BTC-USD".to_owned(), exchange_api::of(venue).bitcoin().to_owned())]);
    let weight_per_minute = NonZeroU32::new(1_000_000);
    Source { venue, base_url: Some(base_url.clone()), weight_per_minute, symbols: Some(symbols) }
}

/// Adds a source under its exchange's name.
fn add(config: &mut Config, venue: Venue, base_url: &Url) {
    config.candles.sources.insert(venue.name().to_owned(), source(venue, base_url));
}

fn cross_check(with: &[&str], required: bool) -> CrossCheck {
    CrossCheck {
        with: with.iter().map(|name| (*name).to_owned()).collect(),
        required,
        minutes: 1440,
        band_bps: 50,
        max_minutes_beyond: 15,
        max_basis_bps: 300,
        max_volatility_percent: 25,
    }
}

fn code(record: &CycleRecord) -> Option<&str> {
    record.miss.as_ref().map(|miss| miss.code.as_str())
}

/// The candles that a cycle of `period` needs, the close before them included.
fn window(world: &World, period: PeriodId) -> Range<i64> {
    let (from_ms, to_ms) = features::window_ms(world.chain.bundle.manifest.features().unwrap(), period);
    from_ms - MINUTE_MS..to_ms
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_lands_by_the_fallback_whatever_the_primary_does() {
    let mut world = World::new().await;
    world.enter(FIRST).await;
    let fallback = exchange(&world, Venue::Bybit).await;
    add(&mut world.config, Venue::Bybit, &fallback.url);
    world.config.candles.order.push("bybit".into());
    world.config.candles.foreign_volumes = true;
    world.config.candles.request_timeout = Duration::from_secs(3);
    let always = usize::MAX;
    let window = window(&world, FIRST);
    let too_many = world.chain.bundle.manifest.features().unwrap().max_missing_minutes as i64 + 1;
    let hole = (1000..1000 + too_many).map(|minute| window.start + minute * MINUTE_MS).collect();
    let cases = [
        (ExchangeFaultMode::Status { status: 429, retry_after_seconds: Some(3600), times: always }, "VR-CANDLE-003"),
        // A pause that would be waited out without a fallback: it would take minutes.
        (ExchangeFaultMode::Status { status: 429, retry_after_seconds: Some(60), times: always }, "VR-CANDLE-003"),
        (ExchangeFaultMode::Status { status: 451, retry_after_seconds: None, times: always }, "VR-CANDLE-005"),
        (ExchangeFaultMode::Dies { after_pages: 20 }, "VR-CANDLE-005"),
        (ExchangeFaultMode::Truncated { times: always }, "VR-CANDLE-006"),
        (ExchangeFaultMode::Large, "VR-CANDLE-007"),
        (ExchangeFaultMode::SkewedClock { ahead_ms: 60_000 }, "VR-CANDLE-008"),
        (ExchangeFaultMode::OtherMinutes, "VR-CANDLE-009"),
        (ExchangeFaultMode::Missing(hole), "VR-DATA-007"),
        (ExchangeFaultMode::Contradicts, "VR-DATA-005"),
    ];
    let mut agents = JoinSet::new();
    for (index, (mischief, expected)) in cases.into_iter().enumerate() {
        let bad = exchange(&world, Venue::Binance).await;
        bad.set(mischief.clone());
        world.config.candles.sources.get_mut("binance").unwrap().base_url = Some(bad.url.clone());
        let mut agent = world.agent(&format!("fallback {index}")).await;
        agents.spawn(async move {
            let record = agent.run_until(Stage::Collected, FIRST, &go()).await.unwrap();
            assert_eq!(record.stage, Stage::Collected, "{mischief:?}: {:?}", record.miss);
            let origin = record.origin.as_ref().unwrap();
            assert_eq!((origin.source.as_str(), origin.venue), ("bybit", Venue::Bybit), "{mischief:?}");
            assert_eq!(origin.failed[0].code, expected, "{mischief:?}");
            assert_eq!(cycle::origin(&record), format!("bybit (not binance {expected})"));
            drop(bad);
        });
    }
    while let Some(outcome) = agents.join_next().await {
        outcome.unwrap();
    }
    world.config.candles.sources.get_mut("binance").unwrap().base_url = Some(slow_loris().await);
    world.config.candles.request_timeout = Duration::from_millis(1500);
    let mut agent = world.agent("agent.sqlite").await;
    let record = agent.run(FIRST, &go()).await.unwrap();
    assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);
    assert_eq!(record.origin.unwrap().failed[0].code, "VR-CANDLE-002");
    let status = world.program(&["--json", "status"]);
    let said: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(said["cycles"][0]["candles"]["source"], "bybit", "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_fallback_the_period_is_missed_with_the_primary_s_code() {
    let mut world = World::new().await;
    world.enter(FIRST).await;
    let bad = exchange(&world, Venue::Binance).await;
    bad.set(ExchangeFaultMode::Contradicts);
    world.config.candles.only_from(bad.url.clone());
    let mut agent = world.agent("alone").await;
    // More pages than one try asks for.
    let record = missed_at_the_end(&world, &mut agent, &bad, 11).await;
    assert_eq!(code(&record), Some("VR-DATA-005"));
}

/// A cycle that is tried again until the exchange was asked for so many pages; then its period ends.
async fn missed_at_the_end(world: &World, agent: &mut Agent, bad: &BadExchange, pages: usize) -> CycleRecord {
    // So short before the end, pauses are short.
    world.clock.set_ms(FIRST.end_ms() - 300);
    let ends = async {
        world.until("the exchange is asked again and again", async || bad.pages() >= pages).await;
        world.clock.set_ms(FIRST.end_ms());
    };
    let go = go();
    let (record, ()) = tokio::join!(agent.run(FIRST, &go), ends);
    let record = record.unwrap();
    assert_eq!(record.stage, Stage::Missed);
    record
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_an_exchange_says_for_a_while_ends_a_period() {
    let mut world = World::new().await;
    world.enter(FIRST).await;
    world.clock.set_ms(FIRST.end_ms() - 300);
    let unknown = ExchangeFaultMode::Says { status: 400, body: r#"{"code":-1121,"msg":"Invalid symbol."}"# };
    // One try asks five times for a page. A symbol is unknown only when that is said twice.
    let moods = [
        (ExchangeFaultMode::Status { status: 403, retry_after_seconds: None, times: 7 }, 0),
        (ExchangeFaultMode::Status { status: 404, retry_after_seconds: None, times: 7 }, 0),
        (ExchangeFaultMode::Status { status: 408, retry_after_seconds: None, times: 7 }, 0),
        (ExchangeFaultMode::Says { status: 400, body: r#"{"code":-1001,"msg":"Internal error"}"# }.times(7), 0),
        (
            ExchangeFaultMode::Says { status: 200, body: r#"{"code":"50004","msg":"API endpoint request timeout"}"# }
                .times(7),
            0,
        ),
        (ExchangeFaultMode::Large.times(7), 0),
        (ExchangeFaultMode::Negative.times(7), 0),
        (ExchangeFaultMode::Contradicts.times(7), 0),
        (ExchangeFaultMode::Empty.times(7), 0),
        (unknown.times(1), 0),
        (ExchangeFaultMode::Empty.times(1), 20),
    ];
    let expected = SimulatedMarket::new(SEED).candles(window(&world, FIRST).start + MINUTE_MS..FIRST.start_ms());
    let mut agents = JoinSet::new();
    for (index, (mood, after_pages)) in moods.into_iter().enumerate() {
        let bad = exchange(&world, Venue::Binance).await;
        bad.set(match mood.clone() {
            ExchangeFaultMode::Times { times, mischief, .. } => {
                ExchangeFaultMode::Times { after_pages, times, mischief }
            }
            mood => mood,
        });
        world.config.candles.only_from(bad.url.clone());
        let mut agent = world.agent(&format!("mood {index}")).await;
        let expected = expected.clone();
        agents.spawn(async move {
            let record = agent.run_until(Stage::Collected, FIRST, &go()).await.unwrap();
            assert_eq!(record.stage, Stage::Collected, "{mood:?}: {:?}", record.miss);
            assert!(agent.store.candles(agent.job(), FIRST).unwrap() == [expected], "{mood:?}");
            assert_eq!(record.origin.unwrap().gaps, [], "{mood:?}");
            drop(bad);
        });
    }
    while let Some(outcome) = agents.join_next().await {
        outcome.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_symbol_said_twice_ends_the_period_at_once() {
    let mut world = World::new().await;
    world.enter(FIRST).await;
    let bad = exchange(&world, Venue::Binance).await;
    bad.set(ExchangeFaultMode::Says { status: 400, body: r#"{"code":-1121,"msg":"Invalid symbol."}"# });
    world.config.candles.only_from(bad.url.clone());
    let record = world.agent("unknown").await.run(FIRST, &go()).await.unwrap();
    assert_eq!((record.stage, code(&record), bad.pages()), (Stage::Missed, Some("VR-CANDLE-010"), 2));
    assert!(record.miss.unwrap().message.contains("Invalid symbol."), "in its own words");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_empty_page_invents_no_minute() {
    let mut world = World::new().await;
    world.enter(FIRST).await;
    let coinbase = exchange(&world, Venue::Coinbase).await;
    add(&mut world.config, Venue::Coinbase, &coinbase.url);
    world.config.candles.order = vec!["coinbase".into()];
    world.config.candles.foreign_volumes = true;
    coinbase.set(ExchangeFaultMode::Times { after_pages: 49, times: 1, mischief: Box::new(ExchangeFaultMode::Empty) });
    let mut agent = world.agent("empty").await;
    let record = agent.run_until(Stage::Forecast, FIRST, &go()).await.unwrap();
    let expected = SimulatedMarket::new(SEED).candles(window(&world, FIRST).start + MINUTE_MS..FIRST.start_ms());
    assert!(agent.store.candles(agent.job(), FIRST).unwrap() == [expected]);
    assert_eq!((record.forecast.unwrap().carried_minutes, record.origin.unwrap().gaps), (vec![0], vec![]));
}

/// Fifty minutes in a row of a week ago.
fn fifty() -> Vec<i64> {
    (0..50).map(|minute| FIRST.start_ms() - (10_000 - minute) * MINUTE_MS).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn minutes_that_stay_away_come_from_a_second_source() {
    let mut world = World::new().await;
    world.enter(FIRST).await;
    let binance = exchange(&world, Venue::Binance).await;
    binance.set(ExchangeFaultMode::Missing(fifty()));
    world.config.candles.only_from(binance.url.clone());
    let other = exchange(&world, Venue::Bybit).await;
    add(&mut world.config, Venue::Bybit, &other.url);
    let full = SimulatedMarket::new(SEED).candles(window(&world, FIRST).start + MINUTE_MS..FIRST.start_ms());
    let collected = async |world: &World, name: &str| {
        let mut agent = world.agent(name).await;
        let record = agent.run_until(Stage::Forecast, FIRST, &go()).await.unwrap();
        assert_eq!(record.stage, Stage::Forecast, "{:?}", record.miss);
        assert_eq!(record.forecast.as_ref().unwrap().carried_minutes, [0], "{name}");
        (agent.store.candles(agent.job(), FIRST).unwrap().remove(0), record)
    };

    // One that is only compared with lends its prices; its volumes are not what the model knows.
    world.config.candles.cross_check = Some(cross_check(&["bybit"], true));
    let (candles, record) = collected(&world, "compared").await;
    let lent = Lent {
        source: "bybit".into(),
        symbol: "BTCUSDT".into(),
        minutes: 50,
        first_ms: fifty()[0],
        with_volumes: false,
    };
    let origin = record.origin.as_ref().unwrap();
    assert_eq!((origin.source.as_str(), origin.carried_minutes()), ("binance", 0));
    assert_eq!(origin.gaps[0].lent, std::slice::from_ref(&lent));
    assert_eq!(cycle::origin(&record), "binance, 50 minutes of bybit");
    let quiet = |candle: &Candle| {
        let volume = if fifty().contains(&candle.open_time_ms) { 0.0 } else { candle.volume };
        Candle { volume, ..*candle }
    };
    assert!(candles == full.iter().map(quiet).collect::<Vec<_>>());

    // A fallback whose volumes the policy takes lends all of it.
    world.config.candles.cross_check = None;
    world.config.candles.order.push("bybit".into());
    world.config.candles.foreign_volumes = true;
    let (candles, record) = collected(&world, "fallback").await;
    assert_eq!(record.origin.unwrap().gaps[0].lent, [Lent { with_volumes: true, ..lent }]);
    assert!(candles == full);

    // An outage that every source knows of is carried forward.
    world.config.candles.order.pop();
    world.config.candles.cross_check = Some(cross_check(&["bybit"], false));
    other.set(ExchangeFaultMode::Missing(fifty()));
    let mut agent = world.agent("outage").await;
    let record = agent.run_until(Stage::Forecast, FIRST, &go()).await.unwrap();
    assert_eq!(record.forecast.unwrap().carried_minutes, [50]);
    assert_eq!(record.origin.unwrap().gaps[0].lent, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn carried_minutes_are_counted_and_told_everywhere() {
    let mut world = World::new().await;
    world.enter(FIRST).await;
    let binance = exchange(&world, Venue::Binance).await;
    let lone = FIRST.start_ms() - 3_000 * MINUTE_MS;
    binance.set(ExchangeFaultMode::Missing([fifty(), vec![lone]].concat()));
    world.config.candles.only_from(binance.url.clone());
    let mut agent = world.agent("agent.sqlite").await;
    let record = agent.run(FIRST, &go()).await.unwrap();
    assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);
    let gaps = Gaps {
        market: "BTC-USD".into(),
        carried_minutes: 51,
        first_carried_ms: Some(fifty()[0]),
        longest_run_minutes: 50,
        lent: vec![],
    };
    let record = agent.store.cycle(agent.job(), FIRST).unwrap().unwrap();
    let (_, evidence) = veriregime_agent::evidence::read(&agent.evidence.file(record.evidence.unwrap())).unwrap();
    assert_eq!((evidence.origin.unwrap().gaps, evidence.markets[0].carried_minutes), (vec![gaps], 51));
    drop(agent);
    let said: Value = serde_json::from_slice(&world.program(&["--json", "status"]).stdout).unwrap();
    let cycle = &said["cycles"][0];
    assert_eq!((&cycle["carried_minutes"], &cycle["longest_carried_run_minutes"]), (&51.into(), &50.into()));
    assert_eq!(cycle["candles"]["gaps"][0]["first_carried_ms"], fifty()[0], "{said}");
    assert_eq!(cycle::origin(&record), "binance, 51 minutes carried forward, 50 in a row");
}

#[tokio::test(flavor = "multi_thread")]
async fn sources_that_disagree_for_a_moment_cost_a_moment() {
    let mut world = World::new().await;
    world.enter(FIRST).await;
    world.clock.set_ms(FIRST.end_ms() - 300);
    let coinbase = exchange(&world, Venue::Coinbase).await;
    add(&mut world.config, Venue::Coinbase, &coinbase.url);
    world.config.candles.cross_check = Some(cross_check(&["coinbase"], true));
    let spikes = (0..20).map(|step| FIRST.start_ms() - (200 + 2 * step) * MINUTE_MS).collect();
    coinbase.set(ExchangeFaultMode::Spiked(spikes));
    let mut agent = world.agent("moment").await;
    let mends = async {
        // Five pages hold what is compared: by the eighth, a second try is under way.
        world.until("both are asked again", async || coinbase.pages() >= 8).await;
        coinbase.set(ExchangeFaultMode::None);
    };
    let go = go();
    let (record, ()) = tokio::join!(agent.run_until(Stage::Collected, FIRST, &go), mends);
    let record = record.unwrap();
    assert_eq!(record.stage, Stage::Collected, "{:?}", record.miss);
    assert_eq!(record.origin.unwrap().witnesses[0].minutes_beyond, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn volumes_of_another_exchange_are_refused_unless_the_policy_accepts_them() {
    let mut world = World::new().await;
    let nowhere = Url::parse("http://127.0.0.1:1").unwrap();
    add(&mut world.config, Venue::Coinbase, &nowhere);
    let refused = async |world: &World| {
        let store = veriregime_agent::state::Store::open(std::path::Path::new(":memory:")).unwrap();
        let error = veriregime_agent::node::assemble::agent(&world.config, world.clock.clone(), store)
            .await
            .expect_err("refused");
        diagnosis::coded(&error).unwrap().code()
    };
    assert!(world.chain.bundle.manifest.features().unwrap().uses_volume(), "the shipped model looks at volumes");
    for order in [&["binance", "coinbase"][..], &["coinbase"]] {
        world.config.candles.order = order.iter().map(|name| (*name).to_owned()).collect();
        world.config.candles.foreign_volumes = false;
        assert_eq!(refused(&world).await, "VR-CANDLE-021");
        world.config.candles.foreign_volumes = true;
        world.agent("accepted").await;
    }
    // Another source of the exchange that it was trained on, and one that is only compared with, are no such thing.
    world.config.candles.foreign_volumes = false;
    world.config.candles.sources.insert("mirror".into(), source(Venue::Binance, &nowhere));
    world.config.candles.order = vec!["binance".into(), "mirror".into()];
    world.config.candles.cross_check = Some(cross_check(&["coinbase"], false));
    world.agent("accepted too").await;
    let coinbase = world.config.candles.sources.get_mut("coinbase").unwrap();
    coinbase.symbols = Some(BTreeMap::from([("ETH-USD".to_owned(), "ETH-USD".to_owned())]));
    assert_eq!(refused(&world).await, "VR-CONFIG-002");
    let coinbase = world.config.candles.sources.get_mut("coinbase").unwrap();
    coinbase.symbols = Some(BTreeMap::from([("BTC-USD".to_owned(), "BTC/USD".to_owned())]));
    assert_eq!(refused(&world).await, "VR-CANDLE-010");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_exchange_agrees_or_the_period_is_skipped() {
    let mut world = World::new().await;
    world.enter(FIRST).await;
    let coinbase = exchange(&world, Venue::Coinbase).await;
    add(&mut world.config, Venue::Coinbase, &coinbase.url);
    world.config.candles.cross_check = Some(cross_check(&["binance", "coinbase"], true));
    let record = world.agent("agree").await.run_until(Stage::Collected, FIRST, &go()).await.unwrap();
    let origin = record.origin.unwrap();
    assert_eq!((origin.source.as_str(), origin.witnesses.len()), ("binance", 1));
    let witness = &origin.witnesses[0];
    assert_eq!((witness.source.as_str(), witness.common_minutes, witness.basis_pips), ("coinbase", 1441, 0));
    assert_eq!((witness.minutes_beyond, witness.worst_pips, witness.volatility_pips), (0, 0, 0));

    // Another market altogether.
    let market = Market::simulated("BTC-USD", SEED + 1);
    let other = BadExchange::start(Venue::Coinbase, market, world.clock.clone()).await;
    add(&mut world.config, Venue::Coinbase, &other.url);
    let mut agent = world.agent("disagree").await;
    let record = missed_at_the_end(&world, &mut agent, &other, 8).await;
    assert_eq!(code(&record), Some("VR-CANDLE-019"));
    let message = record.miss.unwrap().message;
    for part in ["binance and coinbase disagree on BTC-USD", "basis ", "worst ", " against "] {
        assert!(message.contains(part), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn minutes_that_one_exchange_made_up_are_found() {
    let mut world = World::new().await;
    world.enter(FIRST).await;
    let to_ms = FIRST.start_ms();
    let mut candles = SimulatedMarket::new(SEED).candles(to_ms - 1500 * MINUTE_MS..to_ms);
    for index in (1000..1040).step_by(5) {
        let spike = candles[index].close * 1.01;
        candles[index] = Candle { close: spike, high: candles[index].high.max(spike), ..candles[index] };
    }
    let first = veriregime_core::types::time::format_utc(candles[1000].open_time_ms);
    let market = Market::recorded("BTC-USDT", candles).unwrap();
    let okx = BadExchange::start(Venue::Okx, market, world.clock.clone()).await;
    add(&mut world.config, Venue::Okx, &okx.url);
    world.config.candles.cross_check = Some(cross_check(&["okx"], false));
    let mut agent = world.agent("made up").await;
    let record = missed_at_the_end(&world, &mut agent, &okx, 20).await;
    assert_eq!(code(&record), Some("VR-CANDLE-019"));
    let message = record.miss.unwrap().message;
    assert!(message.contains("16 of 1441 minutes") && message.contains(&format!("first {first}")), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_source_that_is_not_there_is_waited_for_only_where_it_is_required() {
    let mut world = World::new().await;
    world.enter(FIRST).await;
    let coinbase = exchange(&world, Venue::Coinbase).await;
    coinbase.set(ExchangeFaultMode::Status { status: 451, retry_after_seconds: None, times: usize::MAX });
    add(&mut world.config, Venue::Coinbase, &coinbase.url);
    world.config.candles.cross_check = Some(cross_check(&["coinbase"], false));
    let record = world.agent("without").await.run_until(Stage::Collected, FIRST, &go()).await.unwrap();
    assert_eq!((record.stage, record.origin.unwrap().witnesses.len()), (Stage::Collected, 0));

    world.config.candles.cross_check = Some(cross_check(&["coinbase"], true));
    let mut agent = world.agent("required").await;
    coinbase.take_pages();
    let end = async {
        world.until("it is asked again and again", async || coinbase.pages() >= 3).await;
        world.clock.set_ms(FIRST.end_ms());
    };
    let stop = go();
    let (record, ()) = tokio::join!(agent.run(FIRST, &stop), end);
    let record = record.unwrap();
    assert_eq!((record.stage, code(&record)), (Stage::Missed, Some("VR-CANDLE-020")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_asks_for_nothing_but_what_is_missing() {
    let mut world = World::new().await;
    world.enter(FIRST).await;
    let binance = exchange(&world, Venue::Binance).await;
    world.config.candles.only_from(binance.url.clone());
    // A process that dies in the middle of its first window.
    binance.set(ExchangeFaultMode::Dies { after_pages: 25 });
    let stop = CancellationToken::new();
    let mut agent = world.agent("restart").await;
    let kill = async {
        while binance.pages() < 26 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        stop.cancel();
    };
    let (record, ()) = tokio::join!(agent.run_until(Stage::Collected, FIRST, &stop), kill);
    assert_eq!(record.unwrap().stage, Stage::Planned);
    let job = agent.job();
    drop(agent);
    binance.set(ExchangeFaultMode::None);
    binance.take_pages();
    let mut agent = world.agent("restart").await;
    agent.run_until(Stage::Collected, FIRST, &go()).await.unwrap();
    let pages = binance.take_pages().len();
    assert!((15..=20).contains(&pages), "41 pages less the 24 that were stored: {pages}");
    let expected = SimulatedMarket::new(SEED).candles(window(&world, FIRST).start + MINUTE_MS..FIRST.start_ms());
    assert_eq!(agent.store.candles(job, FIRST).unwrap(), [expected]);
    drop(agent);

    // Four hours later, another process: a period's minutes with the overlap, and the part whose turn it is.
    world.enter(FIRST.next()).await;
    let mut agent = world.agent("restart").await;
    let record = agent.run_until(Stage::Collected, FIRST.next(), &go()).await.unwrap();
    let start_ms = FIRST.start_ms() - 60 * MINUTE_MS;
    let pages = binance.take_pages();
    assert!(pages.len() <= 2, "{pages:?}");
    assert!(pages.iter().any(|page| page.contains(&format!("startTime={start_ms}&"))), "{pages:?}");
    assert_eq!(record.origin.unwrap().revised_minutes, 0);
    let expected =
        SimulatedMarket::new(SEED).candles(window(&world, FIRST.next()).start + MINUTE_MS..FIRST.next().start_ms());
    assert_eq!(agent.store.candles(job, FIRST.next()).unwrap(), [expected]);
    let held = agent.store.live_candles("binance", "BTCUSDT", &(0..i64::MAX)).unwrap();
    let (first_ms, start_ms) = (held.first().unwrap().open_time_ms, window(&world, FIRST.next()).start);
    let day_ms = 24 * 60 * MINUTE_MS;
    assert!(
        (start_ms.div_euclid(day_ms) * day_ms..=start_ms).contains(&first_ms),
        "days that no window needs are dropped"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn revised_candles_are_noticed_and_change_no_cycle_that_has_them() {
    let mut world = World::new().await;
    world.enter(FIRST).await;
    let binance = exchange(&world, Venue::Binance).await;
    world.config.candles.only_from(binance.url.clone());
    let mut agent = world.agent("revised").await;
    agent.run_until(Stage::Collected, FIRST, &go()).await.unwrap();
    let job = agent.job();
    let before = agent.store.candles(job, FIRST).unwrap();
    binance.take_pages();

    // One minute that is looked at again, and one of a week ago that this gives away.
    let (recent_ms, old_ms) = (FIRST.start_ms() - 7 * MINUTE_MS, FIRST.start_ms() - 10_000 * MINUTE_MS);
    binance.set(ExchangeFaultMode::Revised(vec![recent_ms, old_ms]));
    world.enter(FIRST.next()).await;
    let record = agent.run_until(Stage::Collected, FIRST.next(), &go()).await.unwrap();
    assert_eq!(record.origin.unwrap().revised_minutes, 2);
    assert!(binance.take_pages().len() > 40, "the whole window is asked for again");
    assert_eq!(agent.store.candles(job, FIRST).unwrap(), before, "what a cycle has stays");
    let after = &agent.store.candles(job, FIRST.next()).unwrap()[0];
    for open_time_ms in [recent_ms, old_ms] {
        let candle = after.iter().find(|candle| candle.open_time_ms == open_time_ms).unwrap();
        assert!((candle.volume - 123.5).abs() < f64::EPSILON, "later periods use the new values");
    }

    // The same values again are no revision, and a last minute that was finished late costs no whole window.
    binance.set(ExchangeFaultMode::Revised(vec![recent_ms, old_ms, FIRST.next().start_ms() - MINUTE_MS]));
    world.enter(FIRST.next().next()).await;
    let record = agent.run_until(Stage::Collected, FIRST.next().next(), &go()).await.unwrap();
    assert_eq!(record.origin.unwrap().revised_minutes, 1);
    assert!(binance.take_pages().len() <= 2);
}
