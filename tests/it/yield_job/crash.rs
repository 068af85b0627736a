//! kill -9 of a process that works a yield job: every day is published once, by what was stored of it.

use veriregime_agent::state::Store;
use veriregime_core::types::period::PeriodId;

use super::{FIRST, Scene};
use crate::killing::Killing;

async fn killing(scene: &Scene) -> Killing<'_> {
    let agent = scene.agent(0, "agent.sqlite").await;
    Killing {
        config: &scene.jobs[0],
        clock: &scene.clock,
        scratch: scene.scratch.path(),
        settings: scene.settings_file(""),
        store: Store::open(&scene.scratch.path().join("agent.sqlite")).unwrap(),
        job: agent.job(),
        first: FIRST,
    }
}

/// Goes to a day whose yesterday is published.
async fn enter(scene: &Scene, period: PeriodId) {
    scene.publisher.change(|answers| (answers.revised, answers.last_day) = (None, period.0 as i32 - 1));
    scene.enter(period, 1).await;
}

/// What holds whatever was killed.
async fn judge(scene: &Scene, killing: &Killing<'_>, days: u64) {
    let agent = scene.agent(0, "judge.sqlite").await;
    let published = scene.published(&agent).await;
    let each_once: Vec<u64> = (FIRST.0..FIRST.0 + days).map(|day| day * 86_400).collect();
    assert_eq!(published.iter().map(|one| one.periodStart.to::<u64>()).collect::<Vec<_>>(), each_once, "each day once");
    for (evidence, told) in killing.judge(days).await.into_iter().zip(&published) {
        let left = evidence.publication.unwrap();
        assert_eq!((left.level.day, left.figures.apy_e8), (told.dataDay, told.apyE8));
        assert_eq!(left.snapshot.day, told.dataDay as i32);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_after_any_stage_publishes_each_day_once() {
    let scene = Scene::new().await;
    let killing = killing(&scene).await;
    let revise = |period: PeriodId| {
        scene.publisher.change(|answers| answers.revised = Some((period.0 as i32 - 1, 0.5)));
    };
    let days = killing.after_each_stage(async |period| enter(&scene, period).await, revise).await;
    judge(&scene, &killing, days).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_at_any_moment_publishes_each_day_once() {
    let scene = Scene::new().await;
    let killing = killing(&scene).await;
    let days = killing.at_any_moment(async |period| enter(&scene, period).await).await;
    judge(&scene, &killing, days).await;
}
