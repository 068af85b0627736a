//! Minutes that a source does not have, has twice or changes.

use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::CancellationToken;
use veriregime_agent::render::cycle;
use veriregime_agent::sources::candles::simulated::SimulatedMarket;
use veriregime_core::types::candle::Candle;
use veriregime_core::types::cycle::Stage;
use veriregime_core::types::origin::{Gaps, Lent};
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::venue::Venue;

use super::{SEED, add, cross_check, exchange, go, window};
use crate::bad_exchange::ExchangeFaultMode;
use crate::world::{FIRST, World};

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
