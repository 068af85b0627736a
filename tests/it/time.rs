//! Clocks that step, stand still and jump: corrected by NTP, suspended with the machine, put back by a leap second.

use std::str::FromStr;

use cron::Schedule;
use tokio_util::sync::CancellationToken;
use veriregime_agent::job::timer::{ScheduleConfig, run};
use veriregime_agent::state::Store;
use veriregime_core::types::cycle::{CycleRecord, Stage};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::period::PeriodId;

use crate::world::{DELAY_SECONDS, FIRST, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_steps_and_jumps_lands_each_period_once_and_notes_those_it_slept_through() {
    let world = World::new().await;
    let store = Store::open(&world.scratch.path().join("clock")).unwrap();
    let mut agent = world.agent("clock").await;
    let job = agent.job();
    let rhythm = ScheduleConfig {
        schedule: world.config.schedule.cron.clone(),
        delay_ms: DELAY_SECONDS * 1000,
        recheck: world.config.schedule.recheck,
    };
    let record = |period: PeriodId| store.cycle(job, period).unwrap();
    let has_landed = async |period: PeriodId| record(period).is_some_and(|one| one.stage == Stage::Confirmed);
    let code = |record: CycleRecord| record.miss.map(|miss| miss.code);

    // Just before the first cycle is due, and put back by NTP while the daemon waits.
    let due_ms = FIRST.start_ms() + DELAY_SECONDS * 1000;
    world.enter(FIRST).await;
    world.clock.set_ms(due_ms - 500);
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let daemon = tokio::spawn(async move { run(&mut agent, &rhythm, None, &stopped).await });
    world.clock.set_ms(due_ms - 2_000);
    world.looked_at().await;
    assert!(record(FIRST).is_none(), "it goes by the clock, not by the time that it waited");
    world.clock.set_ms(due_ms);
    world.until("the first period", async || has_landed(FIRST).await).await;

    // A leap second at the period's end, or a correction over it: back into a period that is done.
    world.clock.set_ms(FIRST.end_ms() + 200);
    world.clock.set_ms(FIRST.end_ms() - 800);
    world.looked_at().await;
    let second = FIRST.next();
    assert!(record(second).is_none());
    world.enter(second).await;
    world.until("the second period", async || has_landed(second).await).await;

    // The lid was closed for two periods.
    let slept: Vec<PeriodId> = (1..=2).map(|ahead| PeriodId(second.0 + ahead)).collect();
    let awake = PeriodId(second.0 + 3);
    world.enter(awake).await;
    world.until("the period after", async || has_landed(awake).await).await;
    for period in slept {
        assert_eq!(record(period).and_then(code).as_deref(), Some("VR-CYCLE-003"), "{period}");
        assert_eq!(world.updates(period).await, 0);
    }
    for period in [FIRST, second, awake] {
        world.judge(period, 1).await;
    }
    stop.cancel();
    daemon.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_that_ends_is_an_error_and_no_success() {
    let world = World::new().await;
    world.enter(FIRST).await;
    let mut agent = world.agent("ends").await;
    let rhythm = ScheduleConfig {
        schedule: Schedule::from_str("0 0 0 5 1 * 2026").unwrap(),
        delay_ms: DELAY_SECONDS * 1000,
        recheck: world.config.schedule.recheck,
    };
    let fault = run(&mut agent, &rhythm, None, &CancellationToken::new()).await.expect_err("its only tick is over");
    assert_eq!(fault.code(), "VR-CYCLE-008");
    world.judge(FIRST, 1).await;
}
