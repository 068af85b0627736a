//! Another exchange's word.

use std::collections::BTreeMap;

use url::Url;
use veriregime_agent::diagnosis;
use veriregime_agent::sources::candles::market::Market;
use veriregime_agent::sources::candles::simulated::SimulatedMarket;
use veriregime_core::types::candle::Candle;
use veriregime_core::types::cycle::Stage;
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::venue::Venue;

use super::{SEED, add, code, cross_check, exchange, go, missed_at_the_end, source};
use crate::bad_exchange::{BadExchange, ExchangeFaultMode};
use crate::world::{FIRST, World};

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
        let error =
            veriregime_agent::node::parts::agent(&world.config, world.clock.clone(), store).await.expect_err("refused");
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
