//! kill -9 of a daemon with two yield jobs between their stages: the running day is published once by each.

use std::time::Instant;

use serde_json::json;
use veriregime_agent::state::Store;
use veriregime_core::types::cycle::{CycleRecord, Stage};
use veriregime_core::types::job::JobKey;
use veriregime_core::types::period::PeriodId;
use veriregime_core::yields::GRID;

use super::Scene;
use crate::fleet::Daemon;
use crate::killing::{OPEN, PATIENCE, POLL};

/// Lines of the daemon's log that a failure shows.
const LAST_WORDS: usize = 60;

struct Story<'a> {
    scene: &'a Scene,
    daemon: Daemon,
    store: Store,
    jobs: Vec<JobKey>,
    period: PeriodId,
}

impl Story<'_> {
    fn records(&self) -> Vec<Option<CycleRecord>> {
        self.jobs.iter().map(|job| self.store.cycle(*job, self.period).unwrap()).collect()
    }

    fn stages(&self) -> Vec<Option<Stage>> {
        self.records().into_iter().map(|record| record.map(|record| record.stage)).collect()
    }

    /// Waits for what is asked of the jobs' stages; a daemon that has ended by itself is started again.
    async fn until(&mut self, what: &str, is: impl Fn(&[Option<Stage>]) -> bool) {
        let begun = Instant::now();
        while !is(&self.stages()) {
            assert!(begun.elapsed() < PATIENCE, "{what}: {:?}\n{}", self.records(), self.daemon.last_words(LAST_WORDS));
            self.daemon.revive();
            tokio::time::sleep(POLL).await;
        }
    }

    /// kill -9, and a new daemon.
    fn restart(&mut self) {
        let killed = self.daemon.id();
        assert!(self.daemon.kill(), "it ran\n{}", self.daemon.last_words(LAST_WORDS));
        while self.daemon.id() == killed {
            self.daemon.revive();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_killed_between_stages_publishes_each_strategy_s_day_once() {
    let now_ms = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    let period = GRID.period_at(now_ms);
    // At whatever hour this runs, the day's time has come.
    let at_once = |text: String| text.replace("[yields]\n", "[yields]\ncron = \"0 0 0 * * *\"\n");
    let scene = Scene::with(period, now_ms / 1000, at_once).await;
    let agents = [scene.agent(0, "zero.sqlite").await, scene.agent(1, "one.sqlite").await];
    let settings = scene.settings_file("");

    // The publisher is away: the daemon waits before anything is known of the day, and is killed there.
    scene.publisher.change(|answers| answers.is_down = true);
    let store = Store::open(&scene.scratch.path().join("agent.sqlite")).unwrap();
    let daemon = Daemon::start(settings, scene.scratch.path().join("log"));
    let jobs = agents.iter().map(veriregime_agent::job::Agent::job).collect();
    let mut story = Story { scene: &scene, daemon, store, jobs, period };
    story.until("both wait", |stages| stages.iter().all(|stage| *stage == Some(Stage::Planned))).await;
    story.restart();

    // It is back, and the chain takes transactions without mining them: killed as soon as one has got beyond each stage, then while
    // both are sent.
    scene.publisher.change(|answers| answers.is_down = false);
    scene.world.anvil.request("evm_setAutomine", json!([false])).await.unwrap();
    let mut seen = Vec::new();
    for from in OPEN.into_iter().skip(1) {
        let has_come = |stages: &[Option<Stage>]| stages.iter().flatten().any(|stage| *stage >= from);
        story.until(&format!("one has come to {from:?}"), has_come).await;
        story.restart();
        seen.extend(story.stages().into_iter().flatten());
    }
    let is_sent = |stages: &[Option<Stage>]| stages.iter().all(|stage| *stage == Some(Stage::Submitting));
    story.until("both are sent", is_sent).await;
    story.restart();
    println!("killed at {seen:?}, then at Submitting");
    for agent in &agents {
        assert!(scene.published(agent).await.is_empty(), "nothing is mined yet");
    }

    // What was sent lands; killed once more after that, a new daemon sends nothing again.
    scene.world.anvil.request("evm_setAutomine", json!([true])).await.unwrap();
    scene.world.anvil.request("evm_mine", json!([])).await.unwrap();
    let is_over = |stages: &[Option<Stage>]| stages.iter().all(|stage| *stage == Some(Stage::Confirmed));
    story.until("both land", is_over).await;
    let landed: Vec<_> = story.records().into_iter().map(|record| record.unwrap().landed.unwrap().hash).collect();
    story.restart();
    story.until("evidence of both", |_| evidence(&scene) == agents.len()).await;
    for (agent, hash) in agents.iter().zip(&landed) {
        let published = scene.published(agent).await;
        let starts: Vec<u64> = published.iter().map(|one| one.periodStart.to::<u64>()).collect();
        assert_eq!(starts, [period.0 * 86_400], "once");
        assert_eq!(story.store.cycle(agent.job(), period).unwrap().unwrap().landed.unwrap().hash, *hash);
    }
    let chain = veriregime_agent::node::assemble::chain(&story.scene.jobs[0]).await.unwrap();
    assert!(chain.is_idle().await.unwrap(), "nothing of the wallet waits");
}

/// Files of evidence that were left.
fn evidence(scene: &Scene) -> usize {
    std::fs::read_dir(scene.scratch.path().join("evidence")).map_or(0, Iterator::count)
}
