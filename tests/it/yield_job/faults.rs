//! What a publisher does wrong.

use std::collections::BTreeSet;

use veriregime_agent::job::yields::YieldService;
use veriregime_agent::node::yields;
use veriregime_core::types::cycle::Stage;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::period::PeriodId;
use veriregime_core::yields::GRID;

use super::{FIRST, Scene};

/// The service of the scene's strategies, in a folder of its own.
async fn service(scene: &Scene) -> YieldService {
    let mut config = scene.jobs[0].clone();
    config.yields.dir = scene.scratch.path().join("elsewhere");
    yields::service(&config).await.unwrap()
}

/// A time of a day.
fn at(period: u64, hour: i64) -> i64 {
    GRID.start_ms(PeriodId(period)) + hour * 3_600_000
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_that_is_down_for_three_days_gives_no_invented_value() {
    let scene = Scene::new().await;
    let mut agent = scene.agent(0, "agent.sqlite").await;
    assert_eq!(scene.run(&mut agent, FIRST).await.stage, Stage::Confirmed);
    let known = agent.chain.read.feed(agent.action.contract()).await.unwrap().dataDay;
    scene.publisher.change(|answers| answers.is_down = true);
    // An hour is waited for; then its last edition counts, with the day that its data are of.
    let service = service(&scene).await;
    scene.publisher.change(|answers| answers.is_down = false);
    service.refresh(at(FIRST.0, 1)).await.unwrap();
    scene.publisher.change(|answers| answers.is_down = true);
    let none = BTreeSet::new();
    for days in 1..=2 {
        let day = FIRST.0 + days;
        let early = service.snapshot("aave", day as i32, at(day, 0), false, &none).await.unwrap_err();
        assert_eq!(early.code(), "VR-YIELD-015", "{early}");
        let (snapshot, origin) = service.snapshot("aave", day as i32, at(day, 1), true, &none).await.unwrap();
        assert_eq!((snapshot.day, origin.vintages.len(), origin.failed.len()), (known as i32, 0, 1));
    }
    // On the third day nothing is said any more, and the last that was said has its age.
    let day = FIRST.0 + 3;
    let stale = service.snapshot("aave", day as i32, at(day, 1), true, &none).await.unwrap_err();
    assert_eq!(stale.code(), "VR-YIELD-011", "{stale}");
    let said = service.refresh(at(day, 2)).await.unwrap();
    assert_eq!(said.of("aave", day as i32).unwrap_err().code(), "VR-YIELD-011");
    let last = said.strategies["aave"].prediction.as_ref().unwrap();
    assert_eq!((last.day, last.age_days), (known as i32, 4));
    // The job waits, signs nothing, and goes on when days come again.
    scene.enter(PeriodId(day), 2).await;
    assert_eq!(scene.kept_by(&mut agent, PeriodId(day)).await, "VR-YIELD-011");
    assert_eq!(scene.published(&agent).await.len(), 1);
    scene.publisher.change(|answers| (answers.is_down, answers.last_day) = (false, day as i32 - 1));
    let mut agent = scene.agent(0, "agent.sqlite").await;
    assert_eq!(scene.run(&mut agent, PeriodId(day)).await.stage, Stage::Confirmed);
    assert_eq!(agent.chain.read.feed(agent.action.contract()).await.unwrap().dataDay, day as u32 - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_publisher_has_of_one_strategy_is_no_other_s_trouble() {
    let scene = Scene::new().await;
    let (service, none) = (service(&scene).await, BTreeSet::new());
    let day = FIRST.0 as i32;
    // A pool that vanished.
    scene.publisher.change(|answers| answers.gone = vec!["steth"]);
    let said = service.refresh(at(FIRST.0, 1)).await.unwrap();
    assert_eq!(said.strategies["lido"].prediction.as_ref().unwrap_err().code(), "VR-YIELD-006");
    assert!(said.strategies["lido"].failed.is_some() && said.strategies["aave"].failed.is_none());
    assert!(said.of("aave", day).unwrap().is_ok());
    assert_eq!(said.of("compound", day).unwrap_err().code(), "VR-YIELD-006");
    assert!(service.snapshot("aave", day, at(FIRST.0, 1), false, &none).await.is_ok());
    // It comes back, and then its rates are shares of one: what was known stays, and is not mixed with them.
    scene.publisher.change(|answers| answers.gone.clear());
    service.refresh(at(FIRST.0, 2)).await.unwrap();
    let next = FIRST.0 + 1;
    scene.publisher.change(|answers| (answers.unit, answers.last_day) = (0.01, day));
    let early = service.snapshot("lido", day + 1, at(next, 0), false, &none).await.unwrap_err();
    assert!(early.code() == "VR-YIELD-015" && early.to_string().contains("VR-YIELD-001"), "{early}");
    let (snapshot, origin) = service.snapshot("lido", day + 1, at(next, 1), true, &none).await.unwrap();
    assert_eq!((snapshot.day, origin.failed[0].code.as_str()), (day - 1, "VR-YIELD-001"));
    assert!(snapshot.rates.iter().flatten().all(|rate| rate.0 > 1.0), "{snapshot:?}");
}

/// What is not over is not known: neither today's last word nor tomorrow's.
#[tokio::test(flavor = "multi_thread")]
async fn days_that_have_not_ended_are_not_looked_at() {
    let scene = Scene::new().await;
    let (service, none) = (service(&scene).await, BTreeSet::new());
    let day = FIRST.0 as i32;
    let (before, _) = service.snapshot("aave", day, at(FIRST.0, 1), false, &none).await.unwrap();
    scene.publisher.change(|answers| (answers.last_day, answers.revised) = (day + 20, Some((day, 40.0))));
    service.forget().await;
    let (after, origin) = service.snapshot("aave", day, at(FIRST.0, 3), false, &none).await.unwrap();
    assert_eq!(before.to_bytes(), after.to_bytes());
    assert_eq!((origin.vintages[0].added, origin.vintages[0].revised), (0, 0));
}
