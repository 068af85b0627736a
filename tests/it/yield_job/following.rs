//! Who follows a feed audits each forecast as it lands, and is told of what does not match.

use veriregime_agent::audit::compare::Verdict;
use veriregime_agent::audit::publication::FeedAuditor;
use veriregime_core::types::cycle::Stage;
use veriregime_core::types::period::PeriodId;

use super::{FIRST, Scene};
use crate::cycles::{Follower, until, with_webhook};

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_follows_a_feed_and_tells_its_webhook_of_a_forecast_that_does_not_match() {
    let scene = Scene::new().await;
    let (webhook, config) = with_webhook(&scene.jobs[0], scene.scratch.path()).await;
    let follower = Follower::start(FeedAuditor::new(config).await.unwrap(), webhook, &scene.clock);

    let mut agent = scene.agent(0, "agent.sqlite").await;
    assert_eq!(scene.run(&mut agent, FIRST).await.stage, Stage::Confirmed);
    until("the first forecast is seen", async || follower.verdicts() == ["match"]).await;
    assert!(follower.told().await.is_empty());

    // What the second day's forecast was made from is not what the publisher says when it lands.
    let second = FIRST.next();
    scene.enter(second, 1).await;
    scene.publisher.change(|answers| answers.last_day = second.0 as i32 - 1);
    agent.run_until(Stage::Proved, second, &scene.stop).await.unwrap();
    scene.publisher.change(|answers| answers.revised = Some((answers.last_day, 0.5)));
    assert_eq!(scene.run(&mut agent, second).await.stage, Stage::Confirmed);
    until("the second is told", async || follower.told().await.len() == 1).await;
    assert_eq!(follower.verdicts(), ["match", "data_differ"]);
    let message = follower.told().await.remove(0);
    assert_eq!((&message["code"], message["period"].as_u64()), (&"VR-ALERT-005".into(), Some(second.0)), "{message}");

    // A day without a forecast is said; the next one is audited as any other, and nothing twice.
    let fourth = PeriodId(FIRST.0 + 3);
    scene.publisher.change(|answers| (answers.revised, answers.last_day) = (None, fourth.0 as i32 - 1));
    scene.enter(fourth, 1).await;
    let mut agent = scene.agent(0, "other.sqlite").await;
    assert_eq!(scene.run(&mut agent, fourth).await.stage, Stage::Confirmed);
    until("the fourth is seen", async || follower.verdicts() == ["match", "data_differ", "match"]).await;
    let empty = follower.lines("no update on chain");
    assert!(empty.len() == 1 && empty[0].contains("20302 (2025-08-02"), "{empty:?}");
    assert_eq!(follower.told().await.len(), 1);
    assert_eq!(follower.end().await, Verdict::DataDiffer, "the worst verdict");
}

/// A feed whose strategy has an active model that nobody here has a bundle of.
#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_without_the_model_s_bundle_says_so_once() {
    let scene = Scene::new().await;
    let (webhook, mut config) = with_webhook(&scene.jobs[0], scene.scratch.path()).await;
    // The electricity model lies among others, none of which is of lending.
    config.bundle = "models/eu-electricity-v1".into();
    let follower = Follower::start(FeedAuditor::new(config).await.unwrap(), webhook, &scene.clock);
    until("it is told", async || follower.told().await.len() == 1).await;
    let mut agent = scene.agent(0, "agent.sqlite").await;
    assert_eq!(scene.run(&mut agent, FIRST).await.stage, Stage::Confirmed);
    until("the forecast is seen", async || follower.verdicts().len() == 2).await;
    assert_eq!(follower.verdicts(), ["unknown_model"; 2], "the model, and its forecast");
    let told = follower.told().await;
    assert_eq!((told.len(), &told[0]["code"]), (1, &"VR-AUDIT-001".into()), "{told:?}");
    assert_eq!(follower.end().await, Verdict::UnknownModel);
}
