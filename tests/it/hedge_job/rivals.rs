//! Two nodes that serve one vault, each with a database, a wallet and tables of its own.

use veriregime_agent::config::Config;
use veriregime_agent::config::signer::Signer;
use veriregime_agent::job::Agent;
use veriregime_agent::node::parts;
use veriregime_agent::state::Store;
use veriregime_core::types::cycle::Stage;
use veriregime_core::types::period::PeriodId;

use super::{FIRST, Scene};
use crate::world::KEYS;

/// A node beside the scene's own, which attests with the same key and pays with another.
async fn rival(scene: &Scene) -> Agent {
    let key = scene.scratch.path().join("rival.key");
    veriregime_files::write_private(&key, KEYS[1].as_bytes()).unwrap();
    let mut config = Config {
        attestor: Some(scene.config.signer.clone()),
        signer: Signer::file(key),
        evidence_dir: scene.scratch.path().join("rival-evidence"),
        ..scene.config.clone()
    };
    config.hedge.as_mut().unwrap().dir = scene.scratch.path().join("rival-tables");
    let store = Store::open(&scene.scratch.path().join("rival.sqlite")).unwrap();
    parts::agent(&config, scene.clock.clone(), store).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_nodes_that_serve_one_vault_one_sells_and_the_other_notes_that_it_is_done() {
    let scene = Scene::new().await;
    let (mut one, mut other) = (scene.agent("agent.sqlite").await, rival(&scene).await);
    assert_ne!(one.chain.address(), other.chain.address());
    for week in 0..4 {
        let period = PeriodId(FIRST.0 + week);
        scene.enter(period).await;
        let (first, second) = tokio::join!(scene.run(&mut one, period), scene.run(&mut other, period));
        let stages = [first.stage, second.stage];
        assert!(stages.contains(&Stage::Confirmed) && stages.contains(&Stage::AlreadyByOther), "{stages:?}");
        let landed = [&first, &second].map(|record| record.landed.map(|landed| landed.hash));
        assert_eq!(landed.iter().flatten().count(), 1, "the sale is one node's: {landed:?}");
        assert_eq!(scene.sold().await.iter().filter(|(sold, _)| *sold == period).count(), 1);
    }

    // One dies with its proof in hand: the other sells, and the first finds it done when it is back.
    let fifth = PeriodId(FIRST.0 + 4);
    scene.enter(fifth).await;
    assert_eq!(one.run_until(Stage::Proved, fifth, &scene.stop).await.unwrap().stage, Stage::Proved);
    drop(one);
    assert_eq!(scene.run(&mut other, fifth).await.stage, Stage::Confirmed);
    let mut back = scene.agent("agent.sqlite").await;
    assert_eq!(scene.run(&mut back, fifth).await.stage, Stage::AlreadyByOther);

    let sales = scene.sales().await;
    assert_eq!(sales.len(), 5);
    assert!(sales.windows(2).all(|pair| pair[0].untilDay == pair[1].fromDay), "{sales:?}");
    for agent in [&back, &other] {
        assert!(agent.chain.is_idle().await.unwrap());
    }
}
