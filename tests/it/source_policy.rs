//! The policy over sources in whole cycles: fallbacks, a second exchange's word, the live window, revised candles.

mod minutes;
mod second_source;

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
use veriregime_agent::job::Agent;
use veriregime_agent::render::cycle;
use veriregime_agent::sources::candles::exchange_api;
use veriregime_agent::sources::candles::market::Market;
use veriregime_agent::sources::candles::simulated::SimulatedMarket;
use veriregime_core::features;
use veriregime_core::types::cycle::{CycleRecord, Stage};
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

/// A policy that compares a day with these sources.
pub fn cross_check(with: &[&str], required: bool) -> CrossCheck {
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
    let (from_ms, to_ms) = features::window_ms(world.chain.bundle.manifest.features().unwrap(), period.start_ms());
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
