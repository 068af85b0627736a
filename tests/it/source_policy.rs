//! The policy over sources in whole cycles: fallbacks, a second exchange's word, the live window, revised candles.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::ops::Range;
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::Url;
use veriregime_agent::candles::dialect;
use veriregime_agent::candles::market::Market;
use veriregime_agent::candles::simulated::SimulatedMarket;
use veriregime_agent::cmd::report;
use veriregime_agent::config::Config;
use veriregime_agent::config::candles::{CrossCheck, Source};
use veriregime_agent::features;
use veriregime_agent::types::candle::Candle;
use veriregime_agent::types::cycle::{CycleRecord, Stage};
use veriregime_agent::types::period::{MINUTE_MS, PeriodId};
use veriregime_agent::types::venue::Venue;

use crate::bad_exchange::{BadExchange, Mischief, slow_loris};
use crate::world::{FIRST, World};

/// Seed of the market that every source of a world shows.
const SEED: u64 = 13;

fn go() -> CancellationToken {
    CancellationToken::new()
}

async fn exchange(world: &World, venue: Venue) -> BadExchange {
    let market = Market::simulated(dialect::of(venue).bitcoin(), SEED);
    BadExchange::start(venue, market, world.clock.clone()).await
}

fn source(venue: Venue, base_url: &Url) -> Source {
    let symbols = BTreeMap::from([("BTC-USD".to_owned(), dialect::of(venue).bitcoin().to_owned())]);
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
    let (from_ms, to_ms) = features::window_ms(&world.chain.bundle.manifest.features, period);
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
    let too_many = world.chain.bundle.manifest.features.max_missing_minutes as i64 + 1;
    let hole = (1000..1000 + too_many).map(|minute| window.start + minute * MINUTE_MS).collect();
    let cases = [
        (Mischief::Status { status: 429, retry_after_seconds: Some(3600), times: always }, "VR-CANDLE-003"),
        // A pause that would be waited out without a fallback: it would take minutes.
        (Mischief::Status { status: 429, retry_after_seconds: Some(60), times: always }, "VR-CANDLE-003"),
        (Mischief::Status { status: 451, retry_after_seconds: None, times: always }, "VR-CANDLE-005"),
        (Mischief::Dies { after_pages: 20 }, "VR-CANDLE-005"),
        (Mischief::Truncated { times: always }, "VR-CANDLE-006"),
        (Mischief::Large, "VR-CANDLE-007"),
        (Mischief::SkewedClock { ahead_ms: 60_000 }, "VR-CANDLE-008"),
        (Mischief::OtherMinutes, "VR-CANDLE-009"),
        (Mischief::Missing(hole), "VR-DATA-007"),
        (Mischief::Reversed, "VR-DATA-006"),
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
            assert_eq!(report::origin(&record), format!("bybit (not binance {expected})"));
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
    bad.set(Mischief::Reversed);
    world.config.candles.only_from(bad.url.clone());
    let record = world.agent("alone").await.run(FIRST, &go()).await.unwrap();
    assert_eq!((record.stage, code(&record)), (Stage::Missed, Some("VR-DATA-006")));
}

#[tokio::test(flavor = "multi_thread")]
async fn volumes_of_another_exchange_are_refused_unless_the_policy_accepts_them() {
    let mut world = World::new().await;
    let nowhere = Url::parse("http://127.0.0.1:1").unwrap();
    add(&mut world.config, Venue::Coinbase, &nowhere);
    let refused = async |world: &World| {
        let store = veriregime_agent::state::Store::open(std::path::Path::new(":memory:")).unwrap();
        let error =
            veriregime_agent::cmd::setup::agent(&world.config, world.clock.clone(), store).await.expect_err("refused");
        report::fault(&error).unwrap().code()
    };
    assert!(world.chain.bundle.manifest.features.uses_volume(), "the shipped model looks at volumes");
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
    let record = world.agent("disagree").await.run(FIRST, &go()).await.unwrap();
    assert_eq!((record.stage, code(&record)), (Stage::Missed, Some("VR-CANDLE-019")));
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
    let first = veriregime_agent::types::time::format_utc(candles[1000].open_time_ms);
    let market = Market::recorded("BTC-USDT", candles).unwrap();
    let okx = BadExchange::start(Venue::Okx, market, world.clock.clone()).await;
    add(&mut world.config, Venue::Okx, &okx.url);
    world.config.candles.cross_check = Some(cross_check(&["okx"], false));
    let record = world.agent("made up").await.run(FIRST, &go()).await.unwrap();
    assert_eq!(code(&record), Some("VR-CANDLE-019"));
    let message = record.miss.unwrap().message;
    assert!(message.contains("16 of 1441 minutes") && message.contains(&format!("first {first}")), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_source_that_is_not_there_is_waited_for_only_where_it_is_required() {
    let mut world = World::new().await;
    world.enter(FIRST).await;
    let coinbase = exchange(&world, Venue::Coinbase).await;
    coinbase.set(Mischief::Status { status: 451, retry_after_seconds: None, times: usize::MAX });
    add(&mut world.config, Venue::Coinbase, &coinbase.url);
    world.config.candles.cross_check = Some(cross_check(&["coinbase"], false));
    let record = world.agent("without").await.run_until(Stage::Collected, FIRST, &go()).await.unwrap();
    assert_eq!((record.stage, record.origin.unwrap().witnesses.len()), (Stage::Collected, 0));

    world.config.candles.cross_check = Some(cross_check(&["coinbase"], true));
    let mut agent = world.agent("required").await;
    let clock = world.clock.clone();
    let end = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(3)).await;
        clock.set_ms(FIRST.end_ms());
    });
    let record = agent.run(FIRST, &go()).await.unwrap();
    end.await.unwrap();
    assert_eq!((record.stage, code(&record)), (Stage::Missed, Some("VR-CANDLE-020")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_asks_for_nothing_but_what_is_missing() {
    let mut world = World::new().await;
    world.enter(FIRST).await;
    let binance = exchange(&world, Venue::Binance).await;
    world.config.candles.only_from(binance.url.clone());
    // A process that dies in the middle of its first window.
    binance.set(Mischief::Dies { after_pages: 25 });
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
    let manifest = agent.manifest();
    drop(agent);
    binance.set(Mischief::None);
    binance.take_pages();
    let mut agent = world.agent("restart").await;
    agent.run_until(Stage::Collected, FIRST, &go()).await.unwrap();
    let pages = binance.take_pages().len();
    assert!((15..=20).contains(&pages), "41 pages less the 24 that were stored: {pages}");
    let expected = SimulatedMarket::new(SEED).candles(window(&world, FIRST).start + MINUTE_MS..FIRST.start_ms());
    assert_eq!(agent.store.candles(manifest, FIRST).unwrap(), [expected]);
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
    assert_eq!(agent.store.candles(manifest, FIRST.next()).unwrap(), [expected]);
    let held = agent.store.live_candles("binance", "BTCUSDT", &(0..i64::MAX)).unwrap();
    assert_eq!(
        held.first().unwrap().open_time_ms,
        window(&world, FIRST.next()).start,
        "what no window needs is dropped"
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
    let manifest = agent.manifest();
    let before = agent.store.candles(manifest, FIRST).unwrap();
    binance.take_pages();

    // One minute that is looked at again, and one of a week ago that this gives away.
    let (recent_ms, old_ms) = (FIRST.start_ms() - 7 * MINUTE_MS, FIRST.start_ms() - 10_000 * MINUTE_MS);
    binance.set(Mischief::Revised(vec![recent_ms, old_ms]));
    world.enter(FIRST.next()).await;
    let record = agent.run_until(Stage::Collected, FIRST.next(), &go()).await.unwrap();
    assert_eq!(record.origin.unwrap().revised_minutes, 2);
    assert!(binance.take_pages().len() > 40, "the whole window is asked for again");
    assert_eq!(agent.store.candles(manifest, FIRST).unwrap(), before, "what a cycle has stays");
    let after = &agent.store.candles(manifest, FIRST.next()).unwrap()[0];
    for open_time_ms in [recent_ms, old_ms] {
        let candle = after.iter().find(|candle| candle.open_time_ms == open_time_ms).unwrap();
        assert!((candle.volume - 123.5).abs() < f64::EPSILON, "later periods use the new values");
    }

    // The same values again are no revision, and a last minute that was finished late costs no whole window.
    binance.set(Mischief::Revised(vec![recent_ms, old_ms, FIRST.next().start_ms() - MINUTE_MS]));
    world.enter(FIRST.next().next()).await;
    let record = agent.run_until(Stage::Collected, FIRST.next().next(), &go()).await.unwrap();
    assert_eq!(record.origin.unwrap().revised_minutes, 1);
    assert!(binance.take_pages().len() <= 2);
}
