//! kill -9 of a process that works a hedge job: each week sells once, for days that no other week has sold for, and nothing is lost.

use std::time::Instant;

use serde_json::json;
use veriregime_agent::node::assemble;
use veriregime_agent::state::Store;
use veriregime_core::hedge::GRID;
use veriregime_core::types::cycle::Stage;

use super::{AT_ONCE, FIRST, FUNDS_SATS, Scene};
use crate::fleet::Daemon;
use crate::killing::{Killing, OPEN, PATIENCE, POLL};

async fn killing(scene: &Scene) -> Killing<'_> {
    let agent = scene.agent("agent.sqlite").await;
    Killing {
        config: &scene.config,
        clock: &scene.clock,
        scratch: scene.scratch.path(),
        settings: scene.settings_file(""),
        store: Store::open(&scene.scratch.path().join("agent.sqlite")).unwrap(),
        job: agent.job(),
        first: FIRST,
    }
}

/// What holds whatever was killed.
async fn judge(scene: &Scene, killing: &Killing<'_>, weeks: u64) {
    let sold: Vec<u64> = scene.sold().await.into_iter().map(|(period, _)| period.0).collect();
    assert_eq!(sold, (FIRST.0..FIRST.0 + weeks).collect::<Vec<_>>(), "each week once");
    let sales = scene.sales().await;
    for (week, pair) in sales.windows(2).enumerate() {
        assert_eq!(pair[0].untilDay, pair[1].fromDay, "no day twice, and none left out: {week}");
    }
    let chain = assemble::chain(&scene.config).await.unwrap();
    let vault = chain.read.hedge_vault(scene.world.vault()).await.unwrap();
    let spent: u64 = sales.iter().map(|sale| sale.sats).sum();
    assert_eq!(vault.balance_sats.saturating_to::<u64>(), FUNDS_SATS - spent, "nothing else has left the vault");
    let dollars = scene.world.uniswap.dollars(scene.world.owner.address()).await.unwrap();
    assert_eq!(u128::from(dollars), sales.iter().map(|sale| sale.usdc.to::<u128>()).sum::<u128>());
    for (evidence, sale) in killing.judge(weeks).await.into_iter().zip(&sales) {
        let left = evidence.sale.unwrap();
        assert_eq!((left.figures.from_day, left.figures.sats), (sale.fromDay, sale.sats));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_after_any_stage_sells_each_week_once() {
    let scene = Scene::new().await;
    let killing = killing(&scene).await;
    let revise = |_| scene.publisher.revise(|price| price + 40.0);
    let weeks = killing.after_each_stage(async |period| scene.enter(period).await, revise).await;
    judge(&scene, &killing, weeks).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_at_any_moment_sells_each_week_once() {
    let scene = Scene::new().await;
    let killing = killing(&scene).await;
    let weeks = killing.at_any_moment(async |period| scene.enter(period).await).await;
    judge(&scene, &killing, weeks).await;
}

/// The program itself, which goes by the machine's clock: one week, and a kill at whatever stage it is seen in.
#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_killed_again_and_again_sells_the_running_week_once() {
    let scene = Scene::now().await;
    let period = GRID.period_at(scene.clock.now_ms());
    let settings = scene.settings_file(AT_ONCE);
    let agent = scene.agent("agent.sqlite").await;
    let (job, store) = (agent.job(), Store::open(&scene.scratch.path().join("agent.sqlite")).unwrap());
    let record = || store.cycle(job, period).unwrap();
    let mut daemon = Daemon::start(settings, scene.scratch.path().join("log"));
    let (mut killed, begun) = (Vec::new(), Instant::now());
    for stage in OPEN {
        while record().is_none_or(|record| record.stage < stage) {
            daemon.revive();
            assert!(begun.elapsed() < PATIENCE, "{stage:?} is not reached\n{}", daemon.last_words(50));
            tokio::time::sleep(POLL).await;
        }
        daemon.kill();
        killed.push(record().unwrap().stage);
    }
    while record().is_none_or(|record| record.evidence.is_none()) {
        daemon.revive();
        assert!(begun.elapsed() < PATIENCE, "{:?}\n{}", record(), daemon.last_words(50));
        tokio::time::sleep(POLL).await;
    }
    println!("killed at {killed:?}");
    let ended = record().unwrap();
    assert_eq!(ended.stage, Stage::Confirmed);
    assert_eq!(scene.sold().await.iter().map(|(period, _)| *period).collect::<Vec<_>>(), [period]);
    let pool = scene.world.anvil.request("txpool_status", json!([])).await.unwrap();
    assert!(["pending", "queued"].iter().all(|list| pool[list] == "0x0"), "{pool}");
}
