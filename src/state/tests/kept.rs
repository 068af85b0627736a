//! What is kept, and that it does not grow for ever.

use std::collections::BTreeMap;

use super::*;
use crate::state::outcomes::Outcome;
use veriregime_core::risk::{Applied, Before, Bound, Knot, Move, Rules, Vector};

/// Minutes of a window: three days of them.
const WINDOW_MINUTES: i64 = 3 * 24 * 60;

fn market(from_ms: i64, to_ms: i64) -> CandleSeries {
    let candle = |minute: i64| {
        let price = 100.0 + f64::from(u32::try_from(minute * 2_654_435_761 % 10_007).unwrap()) / 100.0;
        Candle {
            open_time_ms: minute * MINUTE_MS,
            open: price,
            high: price + 1.5,
            low: price - 1.5,
            close: price + 0.25,
            volume: price / 7.0,
        }
    };
    let candles: Vec<Candle> = (from_ms / MINUTE_MS..to_ms / MINUTE_MS).map(candle).collect();
    CandleSeries::new(&candles, from_ms, to_ms, 0).unwrap()
}

/// Everything that a node stores for a period of a job, up to an update that is final and has left evidence.
fn run(store: &Store, job: JobKey, period: PeriodId, nonce: u64) {
    let series = market(period.start_ms() - WINDOW_MINUTES * MINUTE_MS, period.start_ms());
    store.keep_live_candles("binance", "BTCUSDT", series.candles()).unwrap();
    store.drop_live_candles(series.start_ms()).unwrap();
    store.begin(job, Grid::FOUR_HOURS, period, 1).unwrap();
    let proof = Proof { bytes: vec![9; 2200].into(), ..proof() };
    let mut hash = [job.manifest.0[0]; 32];
    hash[..8].copy_from_slice(&nonce.to_le_bytes());
    let attempt = Attempt { hash: hash.into(), raw: vec![1; 3000].into(), ..attempt(nonce) };
    let landed = Landed { hash: attempt.hash, block: 4, gas_used: 5 };
    for step in [
        Step::Collected(&[Some(series)], &origin()),
        Step::Forecast(&forecast()),
        Step::Proved(&proof, 61, None),
        Step::Submitting(&attempt),
        Step::Confirmed(landed),
    ] {
        store.advance(job, period, &step, 2).unwrap();
    }
    let record = store.cycle(job, period).unwrap().unwrap();
    store.set_evidence(&record, Digest([3; 32])).unwrap();
    store.settle_at(job, period, landed, true).unwrap();
}

fn count(store: &Store, sql: &str) -> i64 {
    store.lock().query_row(sql, [], |row| row.get(0)).unwrap()
}

fn used_bytes(store: &Store) -> i64 {
    let of = |name: &str| store.lock().pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
    (of("page_count") - of("freelist_count")) * of("page_size")
}

#[test]
fn jobs_of_one_market_share_its_candles_and_periods_all_but_the_newest_day() {
    let store = Store::open(Path::new(":memory:")).unwrap();
    let other = JobKey { manifest: Digest([1; 32]), ..JOB };
    run(&store, JOB, PERIOD, 0);
    // The window's days and its two ends, which the live cache has as well.
    let blocks = || count(&store, "SELECT count(*) FROM candle_blocks");
    let first = blocks();
    assert!(first <= WINDOW_MINUTES / (24 * 60) + 1, "{first}");
    run(&store, other, PERIOD, 1);
    assert_eq!(blocks(), first, "another job's are the same");
    let newest = |job| store.candles(job, PERIOD).unwrap()[0].len();
    assert_eq!((newest(JOB), newest(other)), (WINDOW_MINUTES as usize, WINDOW_MINUTES as usize));
    run(&store, JOB, PERIOD.next(), 2);
    assert!(blocks() <= first + 3, "{} after {first}", blocks());
}

#[test]
fn candles_stay_until_their_period_is_over_and_its_end_is_settled() {
    let store = Store::open(Path::new(":memory:")).unwrap();
    let others: Vec<JobKey> = (1..6).map(|model| JobKey { manifest: Digest([model; 32]), ..JOB }).collect();
    let [open, missed, by_other, not_final, unproven] = *others.as_slice() else { unreachable!() };
    let landed = Landed { hash: [3; 32].into(), block: 4, gas_used: 5 };
    for (job, nonce) in [(JOB, 0), (not_final, 1), (unproven, 2)] {
        run(&store, job, PERIOD, nonce);
        assert_eq!(store.candles(job, PERIOD).unwrap().len(), 1, "the period runs");
    }
    store.settle_at(not_final, PERIOD, landed, false).unwrap();
    // Its block is another one now: its evidence has to be written anew.
    store.settle_at(unproven, PERIOD, landed, true).unwrap();
    assert_eq!(store.without_evidence(unproven, 9).unwrap().len(), 1);
    let miss = Miss { stage: Stage::Collected, code: "VR-DATA-007".into(), message: "gap".into() };
    for job in [open, missed, by_other] {
        store.begin(job, Grid::FOUR_HOURS, PERIOD, 1).unwrap();
        store.advance(job, PERIOD, &Step::Collected(&[Some(series())], &origin()), 1).unwrap();
    }
    store.advance(missed, PERIOD, &Step::Missed(&miss), 2).unwrap();
    store.advance(by_other, PERIOD, &Step::AlreadyByOther, 2).unwrap();
    let kept = |job| !store.candles(job, PERIOD).unwrap().is_empty();
    let all = |job: &[JobKey]| job.iter().map(|job| kept(*job)).collect::<Vec<_>>();
    let jobs = [JOB, open, missed, by_other, not_final, unproven];
    assert_eq!(all(&jobs), [true; 6]);
    run(&store, JOB, PERIOD.next(), 3);
    assert_eq!(all(&jobs), [false, true, false, true, true, true]);
    store.settle_others(by_other, PERIOD).unwrap();
    run(&store, JOB, PERIOD.next().next(), 4);
    assert_eq!(all(&jobs), [false, true, false, false, true, true]);
    run(&store, JOB, PeriodId(PERIOD.0 + PeriodId::PER_WEEK + 1), 5);
    assert_eq!(all(&jobs), [false; 6], "a week at most");
    assert!(store.cycle(unproven, PERIOD).unwrap().unwrap().proof.is_some(), "nobody else has it");
    assert!(store.cycle(JOB, PERIOD).unwrap().unwrap().proof.is_none(), "evidence has it");
    assert!(!store.attempts(unproven, PERIOD).unwrap()[0].raw.is_empty());
    assert!(store.attempts(JOB, PERIOD).unwrap()[0].raw.is_empty());
    assert!(!store.last_action(JOB).unwrap().unwrap().raw.is_empty());
}

#[test]
fn after_a_year_a_job_leaves_nothing_but_how_far_its_wallet_went() {
    let store = Store::open(Path::new(":memory:")).unwrap();
    run(&store, JOB, PERIOD, 7);
    let open = JobKey { manifest: Digest([1; 32]), ..JOB };
    store.begin(open, Grid::FOUR_HOURS, PERIOD, 1).unwrap();
    run(&store, JOB, PeriodId(PERIOD.0 + (366 * PeriodId::PER_DAY)), 8);
    assert!(store.cycle(JOB, PERIOD).unwrap().is_some());
    store.lock().execute("DELETE FROM attempts WHERE nonce = 8", []).unwrap();
    let last = PeriodId(PERIOD.0 + (366 * PeriodId::PER_DAY) + 1);
    store.begin(JOB, Grid::FOUR_HOURS, last, 1).unwrap();
    store.advance(JOB, last, &Step::Collected(&[Some(series())], &origin()), 1).unwrap();
    assert!(store.cycle(JOB, PERIOD).unwrap().is_none());
    assert!(store.cycle(open, PERIOD).unwrap().is_some(), "an open one has not ended");
    assert_eq!(store.next_nonce(1, WALLET).unwrap(), 8);
}

#[test]
fn a_database_in_use_does_not_grow_by_its_candles() {
    let store = Store::open(Path::new(":memory:")).unwrap();
    let jobs: Vec<JobKey> = (1..4).map(|model| JobKey { manifest: Digest([model; 32]), ..JOB }).collect();
    let mut after = Vec::new();
    let mut nonce = 0;
    for period in 0..3 * PeriodId::PER_WEEK {
        for job in &jobs {
            run(&store, *job, PeriodId(PERIOD.0 + period), nonce);
            nonce += 1;
        }
        if (period + 1) % PeriodId::PER_WEEK == 0 {
            after.push(used_bytes(&store));
        }
    }
    let cycles = (PeriodId::PER_WEEK * jobs.len() as u64) as i64;
    let a_cycle = (after[2] - after[1]) / cycles;
    assert!(a_cycle < 2_500, "{a_cycle} a cycle: {after:?}");
    // A window would be 200 kB.
    assert!(after[0] < 2_000_000, "{after:?}");
}

#[test]
fn what_lasts_is_neither_candles_nor_proofs_nor_transactions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sqlite");
    let store = Store::open(&path).unwrap();
    let lasting = || reader::Reader::open(&path).unwrap().lasting_bytes().unwrap();
    let empty = lasting();
    run(&store, JOB, PERIOD, 0);
    let one = lasting() - empty;
    // The proof has 2200 bytes, the transaction 3000, a window some hundred thousand.
    assert!((500..2200).contains(&one), "{one}");
    run(&store, JOB, PERIOD.next(), 1);
    let two = lasting() - empty;
    assert!((two as f64 / one as f64 - 2.0).abs() < 0.2, "{two} for two, {one} for one");
}

/// A regression: periods were compared by their numbers, of which a weekly job's are small.
#[test]
fn a_weekly_job_keeps_its_cycles_beside_one_of_four_hours() {
    let store = Store::open(Path::new(":memory:")).unwrap();
    let weekly = JobKey { manifest: Digest([1; 32]), ..JOB };
    let grid = Grid { period_seconds: 7 * 86_400, horizon_seconds: 1, offset_seconds: 0 };
    let week = grid.period_at(PeriodId(122_748).start_ms());
    let record = store.begin(weekly, grid, week, 1).unwrap();
    assert_eq!((record.start_ms, record.end_ms), (grid.start_ms(week), grid.end_ms(week)));
    store.advance(weekly, week, &Step::Collected(&[Some(series())], &origin()), 1).unwrap();
    let miss = Miss { stage: Stage::Collected, code: "VR-DATA-007".into(), message: "gap".into() };
    store.advance(weekly, week, &Step::Missed(&miss), 2).unwrap();
    let first = PeriodId::at_ms(record.start_ms);
    let ended = |period: PeriodId| store.unfinished_by(Scope::All, period.start_ms()).unwrap().len();
    run(&store, JOB, first.next(), 0);
    assert!(!store.candles(weekly, week).unwrap().is_empty(), "its period runs");
    run(&store, JOB, PeriodId::at_ms(record.end_ms), 1);
    assert!(store.candles(weekly, week).unwrap().is_empty(), "it is over, and was missed");
    let next = store.begin(weekly, grid, week.next(), 3).unwrap();
    assert_eq!((ended(PeriodId::at_ms(next.end_ms - 1)), ended(PeriodId::at_ms(next.end_ms))), (0, 1));
    let order: Vec<_> = store.recent(Scope::All, 9).unwrap().iter().map(|one| one.start_ms).collect();
    assert!(order.is_sorted_by(|one, other| one >= other), "{order:?}");
    assert!(store.cycle(weekly, week).unwrap().is_some(), "a year has not passed");
}

fn applied(market: usize, applied_e9: u32) -> Applied {
    let after = Vector {
        borrow_collateral_ratio_bps: 13_000,
        liquidation_collateral_ratio_bps: 11_000,
        amm_fee_pips: 3_000,
        borrow_cap_factor_bps: 9_000,
    };
    let knot = |volatility_e9| Knot { volatility_e9, vector: after };
    Applied {
        market,
        probability_high_bps: 9_000,
        moved: Move { forecast_e9: 900_000, requested_e9: 800_000, applied_e9, after },
        effective_at_seconds: 1_440_600,
        before: Some(Before { applied_e9: 400_000, vector: after }),
        rules: Some(Rules {
            knots: vec![knot(400_000), knot(1_400_000)],
            margin_bps: 500,
            dwell_periods: 2,
            max_rise_bps_per_period: 10_000,
            max_fall_bps_per_period: 2_500,
            loosen_delay_seconds: 600,
        }),
    }
}

#[test]
fn what_an_update_did_is_kept_as_long_as_its_cycle_and_read_again_once_it_has_moved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sqlite");
    let store = Store::open(&path).unwrap();
    let reader = reader::Reader::open(&path).unwrap();
    run(&store, JOB, PERIOD, 0);
    run(&store, JOB, PERIOD.next(), 1);
    let missing = |limit| store.without_parameters(JOB, limit).unwrap();
    assert_eq!(missing(1)[0].period, PERIOD.next(), "the newest first");
    for (record, applied_e9) in missing(9).iter().zip([700_000, 600_000]) {
        store.set_parameters(record, &[applied(0, applied_e9), applied(2, applied_e9)]).unwrap();
    }
    assert!(missing(9).is_empty());
    let kept = reader.parameters(JOB, PERIOD).unwrap();
    assert_eq!(kept, [applied(0, 600_000), applied(2, 600_000)]);
    assert_eq!(kept[0].reason().bound, [Bound::MaxRise]);
    assert_eq!(count(&store, "SELECT count(*) FROM policies"), 1, "rules that stay are kept once");

    let outcome = |realised| Outcome { persistence: Some(2e-4), har: None, realised };
    let known = |realised| BTreeMap::from([((PERIOD, 0), outcome(realised))]);
    store.keep_outcomes(JOB, &known(None)).unwrap();
    store.keep_outcomes(JOB, &known(Some(3e-4))).unwrap();
    store.keep_outcomes(JOB, &known(Some(9e-4))).unwrap();
    assert_eq!(store.outcomes(JOB, PERIOD, PERIOD).unwrap(), known(Some(3e-4)), "the first that was measured");
    assert_eq!(store.periods_between(JOB, PERIOD, PERIOD.next()).unwrap(), [PERIOD, PERIOD.next()]);

    let all = PeriodId(0)..PeriodId(u64::MAX);
    let rows = reader.series(JOB, 0, &all, 9).unwrap();
    assert_eq!(rows.iter().map(|row| row.period).collect::<Vec<_>>(), [PERIOD, PERIOD.next()]);
    assert_eq!((rows[0].moved, rows[0].outcome), (Some(applied(0, 600_000).moved), outcome(Some(3e-4))));
    assert_eq!((rows[1].outcome, rows[1].effective_at_seconds), (Outcome::default(), Some(1_440_600)));
    assert_eq!(reader.series(JOB, 0, &(PERIOD..PERIOD.next()), 9).unwrap(), rows[..1]);
    assert_eq!(reader.series(JOB, 0, &all, 1).unwrap(), rows[1..], "the newest, where there are too many");
    assert_eq!(reader.series(JOB, 1, &all, 9).unwrap()[0].moved, None, "a market that it left alone");

    let moved = Landed { hash: [9; 32].into(), block: 5, gas_used: 6 };
    let before = store.cycle(JOB, PERIOD).unwrap().unwrap();
    store.settle_at(JOB, PERIOD, moved, true).unwrap();
    store.set_parameters(&before, &[]).unwrap();
    assert_eq!(missing(9)[0].period, PERIOD, "what was read of the place before says nothing of the new one");
    assert_eq!(reader.parameters(JOB, PERIOD).unwrap().len(), 2, "better than nothing meanwhile");

    run(&store, JOB, PeriodId(PERIOD.0 + (366 * PeriodId::PER_DAY) + 2), 8);
    for table in ["stage_times", "parameters", "outcomes"] {
        assert_eq!(count(&store, &format!("SELECT count(*) FROM {table} WHERE period <= 101")), 0, "{table}");
    }
    assert_eq!(count(&store, "SELECT count(*) FROM policies"), 0);
}

#[test]
fn stages_have_their_times_in_the_order_in_which_they_were_reached() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sqlite");
    let store = Store::open(&path).unwrap();
    let reader = reader::Reader::open(&path).unwrap();
    run(&store, JOB, PERIOD, 0);
    store.begin(JOB, Grid::FOUR_HOURS, PERIOD, 9).unwrap();
    // The chain drops the update: the same bytes are sent again, and then others with a fee that is higher.
    let sent = store.attempts(JOB, PERIOD).unwrap().remove(0);
    let dearer = Attempt {
        hash: [6; 32].into(),
        max_fee_per_gas_wei: sent.max_fee_per_gas_wei * 2,
        priority_fee_wei: sent.priority_fee_wei * 2,
        ..sent.clone()
    };
    store.advance(JOB, PERIOD, &Step::Submitting(&sent), 10).unwrap();
    store.advance(JOB, PERIOD, &Step::Submitting(&dearer), 11).unwrap();
    let times = reader.stage_times(JOB, PERIOD, 99).unwrap();
    let expected = [
        (Stage::Planned, 1),
        (Stage::Collected, 2),
        (Stage::Forecast, 2),
        (Stage::Proved, 2),
        (Stage::Submitting, 2),
        (Stage::Confirmed, 2),
        (Stage::Submitting, 10),
    ];
    assert_eq!(times, expected, "a replacement is no stage");
    assert_eq!(reader.stage_times(JOB, PERIOD, 2).unwrap(), expected[5..]);
    assert!(reader.stage_times(JOB, PERIOD.next(), 9).unwrap().is_empty());
    assert!(!reader.is_pruned(JOB, PERIOD).unwrap() && !reader.is_pruned(JOB, PERIOD.next()).unwrap());
}
