//! Whoever a week's data come from is silent: nothing is made up, the week waits, and sells once they are back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use tokio::net::TcpListener;
use url::Url;
use veriregime_core::hedge::GRID;
use veriregime_core::types::cycle::Stage;
use veriregime_core::types::period::PeriodId;

use super::publisher::Answers;
use super::{FIRST, Scene};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_whose_candles_are_out_keeps_no_week_from_selling_since_nobody_asks_it() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let down = Router::new().fallback(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        async { StatusCode::SERVICE_UNAVAILABLE }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let exchange = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move { axum::serve(listener, down).await.unwrap() });
    assert_eq!(reqwest::get(exchange.clone()).await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);

    let mut scene = Scene::new().await;
    scene.config.candles.only_from(exchange);
    let mut agent = scene.agent("agent.sqlite").await;
    let sold = scene.run(&mut agent, FIRST).await;
    assert_eq!((sold.stage, sold.origin), (Stage::Confirmed, None), "{:?}", sold.miss);
    // What a bitcoin costs, the pool has said.
    let price = scene.sales().await[0].twapWad.to::<u128>() as f64 / 1e16;
    assert!((price / super::SHAPE.btc_usd - 1.0).abs() < 0.01, "{price}");
    assert_eq!(asked.load(Ordering::SeqCst), 1, "the test's own question");
}

#[tokio::test(flavor = "multi_thread")]
async fn publishers_that_are_silent_for_days_keep_a_week_waiting_and_it_sells_once_they_are_back() {
    let scene = Scene::new().await;
    let silence = Answers { electricity: None, rates: None };
    let later = scene.publisher.answers.lock().unwrap().clone();
    scene.publisher.rows(|cells| (cells[2].as_str() <= "2023-08-29").then(|| cells.to_vec()));
    let good = scene.publisher.answers.lock().unwrap().clone();
    let say = |answers: &Answers| scene.publisher.answers.lock().unwrap().clone_from(answers);
    say(&silence);
    let start_ms = GRID.start_ms(FIRST);
    let mut agent = scene.agent("agent.sqlite").await;
    for (after_ms, code) in [
        // There is no edition yet that could count instead.
        (6 * HOUR_MS, "VR-TABLE-008"),
        (8 * HOUR_MS, "VR-TABLE-007"),
        (6 * DAY_MS, "VR-TABLE-007"),
    ] {
        scene.clock.set_ms(start_ms + after_ms);
        assert_eq!(scene.kept_by(&mut agent, FIRST).await, code, "{after_ms}");
        let waits = agent.store.cycle(agent.job(), FIRST).unwrap().unwrap();
        assert_eq!((waits.stage, waits.tables, waits.forecast), (Stage::Planned, None, None), "nothing is made up");
        assert!(agent.store.snapshot(agent.job(), FIRST).unwrap().is_none());
    }
    say(&good);
    scene.world.anvil.set_time((start_ms + 6 * DAY_MS) / 1000 + 60).await.unwrap();
    let sold = scene.run(&mut agent, FIRST).await;
    assert_eq!((sold.stage, sold.miss), (Stage::Confirmed, None));
    assert_eq!(scene.sold().await.len(), 1);

    // Silent for two weeks more: the last edition is too old for them. They end with the reason, and sell nothing.
    say(&silence);
    for week in 1..=2 {
        let period = PeriodId(FIRST.0 + week);
        scene.enter(period).await;
        assert_eq!(scene.kept_by(&mut agent, period).await, "VR-TABLE-008");
        scene.clock.set_ms(GRID.end_ms(period) - 50);
        let (store, job) = (agent.store.clone(), agent.job());
        let ends = async {
            let noted = || store.cycle(job, period).unwrap().and_then(|record| record.retrying);
            while noted().is_none_or(|retrying| retrying.code != "VR-TABLE-010") {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            scene.clock.set_ms(GRID.end_ms(period));
        };
        let (ended, ()) = tokio::join!(scene.run(&mut agent, period), ends);
        assert_eq!((ended.stage, ended.miss.unwrap().code.as_str()), (Stage::Missed, "VR-TABLE-010"));
    }
    say(&later);
    let fourth = PeriodId(FIRST.0 + 3);
    scene.enter(fourth).await;
    assert_eq!(scene.run(&mut agent, fourth).await.stage, Stage::Confirmed);
    let sales = scene.sales().await;
    assert_eq!(sales.len(), 2);
    assert_eq!((sales[1].fromDay, sales[1].untilDay - sales[1].fromDay), (sales[0].untilDay, 21));
}
