//! What the world may do to a running cycle: each ends with its code, and nothing is lost.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use url::Url;
use veriregime_agent::actions::risk_oracle::update::Update;
use veriregime_agent::clock::Clock;
use veriregime_agent::job::feeds::{Feed, Feeds};
use veriregime_agent::job::input::Input;
use veriregime_agent::sources::candles::http::HttpSettings;
use veriregime_agent::sources::candles::market::Market;
use veriregime_agent::sources::candles::serve;
use veriregime_agent::sources::candles::simulated::SimulatedMarket;
use veriregime_agent::sources::candles::source::{Source, SourceSettings};
use veriregime_agent::state::Store;
use veriregime_core::features;
use veriregime_core::types::candle::Candle;
use veriregime_core::types::contract::Contract;
use veriregime_core::types::cycle::{Purpose, Stage};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::job::JobKey;
use veriregime_core::types::period::{Grid, MINUTE_MS};
use veriregime_core::types::venue::Venue;

use crate::given;
use crate::world::{FIRST, World};

/// An exchange that has `candles` and nothing else, at the given time.
async fn exchange(candles: Vec<Candle>, clock: &Clock, stop: &CancellationToken) -> Feeds {
    let market = Market::recorded("BTCUSDT", candles).unwrap();
    let listener = serve::listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let base_url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(serve::serve(Venue::Binance, market, clock.clone(), listener, stop.clone()));
    let source =
        Source::new(SourceSettings { venue: Venue::Binance, base_url, http: HttpSettings::default() }).unwrap();
    let feed = Feed { name: "binance".into(), source: Arc::new(source), symbols: vec!["BTCUSDT".into()] };
    Feeds {
        order: vec![Arc::new(feed)],
        cross_check: None,
        max_clock_skew_ms: 5_000,
        max_consecutive_missing_minutes: 90,
        keep_ms: 0,
        lends_volumes: false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_candles_are_carried_up_to_both_limits_and_more_of_them_skip_the_period() {
    let world = World::new().await;
    world.enter(FIRST).await;
    let stop = CancellationToken::new();
    let spec = world.chain.bundle.manifest.features().unwrap().clone();
    let (from_ms, to_ms) = features::window_ms(&spec, FIRST.start_ms());
    let candles = SimulatedMarket::new(13).candles(from_ms - MINUTE_MS..to_ms);
    let longest = world.config.candles.max_consecutive_missing_minutes as usize;
    // Stretches of the longest length that is allowed with a minute between them, and what is left.
    let scattered =
        |missing: usize| -> Vec<usize> { (0..missing).map(|index| 1_000 + index + index / longest).collect() };
    let many = spec.max_missing_minutes;
    for (holes, code) in [
        (scattered(many), None),
        (scattered(many + 1), Some("VR-DATA-007")),
        (scattered(longest), None),
        ((1_000..=1_000 + longest).collect(), Some("VR-DATA-008")),
    ] {
        world.clock.set_ms(FIRST.start_ms() + 15_000);
        let missing = holes.len();
        let present = candles.iter().enumerate().filter(|(index, _)| !holes.contains(index)).map(|(_, candle)| *candle);
        let mut agent = world.agent(&format!("missing {missing} {code:?}")).await;
        let Input::Candles(input) = &mut agent.input else { unreachable!() };
        input.feeds = exchange(present.collect(), &world.clock, &stop).await;
        let Some(code) = code else {
            let record = agent.run_until(Stage::Proved, FIRST, &stop).await.unwrap();
            assert_eq!(record.stage, Stage::Proved, "{missing}: {:?}", record.miss);
            assert_eq!(record.forecast.unwrap().carried_minutes, [missing]);
            continue;
        };
        // It is asked for again until the period ends: what is missing may still come.
        world.clock.set_ms(FIRST.end_ms() - 1);
        let first = agent.run_until(Stage::Collected, FIRST, &stop);
        let end = world.clock.clone();
        let missed = tokio::join!(first, async move { end.set_ms(FIRST.end_ms()) }).0.unwrap();
        assert_eq!((missed.stage, missed.miss.unwrap().code.as_str()), (Stage::Missed, code), "{missing}");
    }
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_not_the_exchange_s_takes_no_candles() {
    let world = World::new().await;
    world.enter(FIRST).await;
    let limit_ms = world.config.candles.max_clock_skew_ms;
    let agent = world.agent("skewed").await;
    for skew_ms in [limit_ms + 1, -limit_ms - 1] {
        let fault = agent
            .regime()
            .unwrap()
            .feeds
            .primary()
            .source
            .check_clock(world.clock.now_ms() + skew_ms, limit_ms)
            .await
            .expect_err("skewed");
        assert_eq!(fault.code(), "VR-CANDLE-008");
    }
    agent.regime().unwrap().feeds.primary().source.check_clock(world.clock.now_ms(), limit_ms).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_ahead_of_the_chain_waits_for_it_and_sends_nothing() {
    let world = World::new().await;
    world.enter(FIRST).await;
    let stop = CancellationToken::new();
    let mut agent = world.agent("ahead").await;
    // Our clock and the exchange's are in the next period, the chain is not.
    let next = FIRST.next();
    world.clock.set_ms(next.start_ms() + 15_000);
    let proved = agent.run_until(Stage::Proved, next, &stop).await.unwrap();
    let forecast = proved.forecast.unwrap();
    let model_id = agent.action.model_id(&agent.chain.read).await.unwrap();
    let update = Update {
        model_id,
        period: next,
        omitted: forecast.omitted,
        features: &forecast.features,
        outputs: &forecast.outputs,
        proof: &proved.proof.unwrap().bytes,
        attestations: &agent.attestations(model_id, next, &forecast).await.unwrap(),
    };
    let fault =
        agent.chain.sign(Purpose::Action, update.call(agent.action.contract()), 0, None).await.expect_err("too early");
    let fault = agent.action.explained(&agent.chain.read, fault).await;
    assert_eq!(fault.code(), "VR-CHAIN-008");
    assert_eq!(agent.chain.nonce().await.unwrap(), 0);
    world.enter(next).await;
    assert_eq!(agent.run(next, &stop).await.unwrap().stage, Stage::Confirmed);
}

#[test]
fn a_full_disk_stops_the_database_and_loses_nothing() {
    let Some(folder) = given::small_disk(256) else { return };
    let job = JobKey::new(Contract { chain_id: 1, address: alloy::primitives::Address::ZERO }, Digest([1; 32]));
    let store = Store::open(&folder.path().join("agent.sqlite")).unwrap();
    store.begin(job, Grid::FOUR_HOURS, FIRST, 1).unwrap();
    let filler = folder.path().join("filler");
    std::fs::write(&filler, vec![0; 1 << 20]).expect_err("the disk is small");
    let fault = (1..100).find_map(|index| {
        store.begin(job, Grid::FOUR_HOURS, veriregime_core::types::period::PeriodId(FIRST.0 + index), 1).err()
    });
    assert_eq!(fault.expect("the disk is full").code(), "VR-STATE-002");
    std::fs::remove_file(&filler).unwrap();
    store.begin(job, Grid::FOUR_HOURS, FIRST.next(), 1).unwrap();
    assert_eq!(store.cycle(job, FIRST).unwrap().unwrap().stage, Stage::Planned);
    // Before the disk is taken away.
    drop(store);
}
