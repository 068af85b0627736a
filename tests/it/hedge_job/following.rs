//! Who follows a vault audits each sale as it lands, and is told of what does not match.

use veriregime_agent::audit::compare::Verdict;
use veriregime_agent::audit::vault::VaultAuditor;
use veriregime_core::types::cycle::Stage;
use veriregime_core::types::period::PeriodId;

use super::{FIRST, Scene};
use crate::cycles::{Follower, until, with_webhook};

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_follows_a_vault_and_tells_its_webhook_of_a_sale_that_does_not_match() {
    let scene = Scene::new().await;
    let (webhook, config) = with_webhook(&scene.config, scene.scratch.path()).await;
    let follower = Follower::start(VaultAuditor::new(config).await.unwrap(), webhook, &scene.clock);

    let mut agent = scene.agent("agent.sqlite").await;
    assert_eq!(scene.run(&mut agent, FIRST).await.stage, Stage::Confirmed);
    until("the first sale is seen", async || follower.verdicts() == ["match"]).await;
    assert!(follower.told().await.is_empty());

    // What the second week's forecast was made from is not what publishers say when it lands.
    let second = FIRST.next();
    scene.enter(second).await;
    agent.run_until(Stage::Proved, second, &scene.stop).await.unwrap();
    let published = scene.publisher.answers.lock().unwrap().clone();
    scene.publisher.revise(|price| price * 1.5);
    assert_eq!(scene.run(&mut agent, second).await.stage, Stage::Confirmed);
    until("the second is told", async || follower.told().await.len() == 1).await;
    assert_eq!(follower.verdicts(), ["match", "data_differ"]);
    let message = follower.told().await.remove(0);
    assert_eq!((&message["code"], message["period"].as_u64()), (&"VR-ALERT-005".into(), Some(second.0)), "{message}");
    scene.publisher.answers.lock().unwrap().clone_from(&published);

    // A week without a sale is said; the next one is audited as any other, and nothing twice.
    let fourth = PeriodId(FIRST.0 + 3);
    scene.enter(fourth).await;
    let mut agent = scene.agent("other.sqlite").await;
    assert_eq!(scene.run(&mut agent, fourth).await.stage, Stage::Confirmed);
    until("the fourth is seen", async || follower.verdicts() == ["match", "data_differ", "match"]).await;
    let empty = follower.lines("no update on chain");
    assert!(empty.len() == 1 && empty[0].contains("2802 (2023-09-14"), "{empty:?}");
    assert_eq!(follower.told().await.len(), 1);
    assert_eq!(follower.end().await, Verdict::DataDiffer, "the worst verdict");
}
