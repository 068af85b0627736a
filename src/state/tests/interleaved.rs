//! Two jobs' steps in any order, with a wallet, a chain and crashes between them: each period of each job has one outcome, and no
//! nonce is two cycles'.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Something that happens. Jobs, periods and choices are taken modulo what there is.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// A job takes the next step of one of its cycles; in `Submitting`, a replacement.
    Step { job: usize, period: u64 },
    /// A job believes in a nonce that it read before: another one has taken it since, or not.
    SignWith { job: usize, period: u64, nonce: u64 },
    /// The chain mines one of the transactions with its next nonce, and whoever it is of looks.
    Mine { which: usize },
    /// Something else uses the wallet's next nonce.
    Foreign,
    /// A cycle ends without an update.
    End { job: usize, period: u64, by_other: bool },
    /// The process is killed and starts again.
    Kill,
}

fn event() -> impl Strategy<Value = Event> {
    let (job, period) = (0..2_usize, 0..3_u64);
    prop_oneof![
        8 => (job.clone(), period.clone()).prop_map(|(job, period)| Event::Step { job, period }),
        3 => (job.clone(), period.clone(), 0..4_u64)
            .prop_map(|(job, period, nonce)| Event::SignWith { job, period, nonce }),
        3 => (0..8_usize).prop_map(|which| Event::Mine { which }),
        1 => Just(Event::Foreign),
        1 => (job, period, any::<bool>()).prop_map(|(job, period, by_other)| Event::End { job, period, by_other }),
        1 => Just(Event::Kill),
    ]
}

/// What the world around the database knows.
struct Scene {
    path: std::path::PathBuf,
    store: Store,
    jobs: [JobKey; 2],
    /// The wallet's transactions on chain, by nonce: of a cycle, or of nobody here.
    mined: Vec<Option<(JobKey, PeriodId)>>,
    /// How each cycle ended.
    outcomes: BTreeMap<(JobKey, PeriodId), Stage>,
    /// How many transactions were signed: each offers twice what the one before did.
    signed: u8,
}

impl Scene {
    fn record(&self, job: JobKey, period: PeriodId) -> CycleRecord {
        self.store.begin(job, Grid::FOUR_HOURS, period, 1).unwrap()
    }

    fn sign(&mut self, job: JobKey, period: PeriodId, nonce: u64) {
        let record = self.record(job, period);
        if !matches!(record.stage, Stage::Proved | Stage::Submitting) {
            return;
        }
        self.signed += 1;
        let fee = 100_u128 << self.signed;
        let signed = Attempt {
            hash: [self.signed; 32].into(),
            max_fee_per_gas_wei: fee,
            priority_fee_wei: fee,
            ..attempt(nonce)
        };
        let holds =
            |one: &attempts::StoredAttempt| one.attempt.nonce == nonce && (one.job, one.period) != (job, period);
        let is_taken = self.store.open_attempts(1, WALLET).unwrap().iter().any(holds);
        let before = self.store.attempts(job, period).unwrap();
        match self.store.advance(job, period, &Step::Submitting(&signed), 2) {
            Ok(_) => assert!(!is_taken, "nonce {nonce} is another cycle's"),
            Err(fault) => {
                assert_eq!((fault.code(), is_taken), ("VR-STATE-011", true));
                assert_eq!(self.store.attempts(job, period).unwrap(), before, "a refusal stores nothing");
            }
        }
    }

    fn step(&mut self, job: JobKey, period: PeriodId) {
        let record = self.record(job, period);
        let (series, origin, forecast, proof) = ([Some(series())], origin(), forecast(), proof());
        let step = match record.stage {
            Stage::Planned => Step::Collected(&series, &origin),
            Stage::Collected => Step::Forecast(&forecast),
            Stage::Forecast => Step::Proved(&proof, 1, None),
            // The nonce that nobody has signed with, as the wallet gives it out.
            Stage::Proved => {
                let next = self.store.next_nonce(1, WALLET).unwrap().max(self.mined.len() as u64);
                return self.sign(job, period, next);
            }
            Stage::Submitting => {
                let last = self.store.attempts(job, period).unwrap().pop().unwrap().nonce;
                // What was used up by something else is signed anew.
                let is_used = (last as usize) < self.mined.len();
                let next = self.store.next_nonce(1, WALLET).unwrap().max(self.mined.len() as u64);
                return self.sign(job, period, if is_used { next } else { last });
            }
            _ => return,
        };
        self.store.advance(job, period, &step, 2).unwrap();
    }

    fn mine(&mut self, which: usize) {
        let next = self.mined.len() as u64;
        let mut waiting = self.store.open_attempts(1, WALLET).unwrap();
        waiting.retain(|one| one.attempt.nonce == next);
        if waiting.is_empty() {
            return;
        }
        let one = waiting.swap_remove(which % waiting.len());
        self.mined.push(Some((one.job, one.period)));
        let landed = Landed { hash: one.attempt.hash, block: next, gas_used: 5 };
        self.store.advance(one.job, one.period, &Step::Confirmed(landed), 3).unwrap();
    }

    fn end(&mut self, job: JobKey, period: PeriodId, by_other: bool) {
        let record = self.record(job, period);
        let miss = Miss { stage: record.stage, code: "VR-CYCLE-001".into(), message: "late".into() };
        let step = if by_other { Step::AlreadyByOther } else { Step::Missed(&miss) };
        let outcome = self.store.advance(job, period, &step, 4);
        assert_eq!(outcome.is_ok(), !record.stage.is_final(), "an end is an end");
    }

    /// What holds after every event.
    fn judge(&mut self) {
        let mut holders: BTreeMap<u64, (JobKey, PeriodId)> = BTreeMap::new();
        for one in self.store.open_attempts(1, WALLET).unwrap() {
            let holder = holders.entry(one.attempt.nonce).or_insert((one.job, one.period));
            assert_eq!(*holder, (one.job, one.period), "two open cycles have nonce {}", one.attempt.nonce);
        }
        for record in self.store.recent(Scope::All, 99).unwrap() {
            if record.stage.is_final() {
                let outcome = *self.outcomes.entry((record.job, record.period)).or_insert(record.stage);
                assert_eq!(record.stage, outcome, "an outcome has changed");
                let mined = self.mined.iter().filter(|one| **one == Some((record.job, record.period))).count();
                assert_eq!(mined, usize::from(record.stage == Stage::Confirmed), "landed once or not at all");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_order_of_two_jobs_steps_leaves_one_outcome_each_and_no_nonce_to_two(
        events in proptest::collection::vec(event(), 1..80),
        on_one_contract in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.sqlite");
        let manifest = Digest([1; 32]);
        let address = if on_one_contract { CONTRACT.address } else { Address::repeat_byte(1) };
        let other = JobKey::new(Contract { address, ..CONTRACT }, manifest);
        let store = Store::open(&path).unwrap();
        // A power cut is not the subject here: a kill loses nothing that was written.
        store.lock().pragma_update(None, "synchronous", "OFF").unwrap();
        let mut scene =
            Scene { path, store, jobs: [JOB, other], mined: vec![], outcomes: BTreeMap::new(), signed: 0 };
        for event in events {
            let at = |period: u64| PeriodId(PERIOD.0 + period);
            match event {
                Event::Step { job, period } => scene.step(scene.jobs[job], at(period)),
                Event::SignWith { job, period, nonce } => scene.sign(scene.jobs[job], at(period), nonce),
                Event::Mine { which } => scene.mine(which),
                Event::Foreign => {
                    scene.mined.push(None);
                }
                Event::End { job, period, by_other } => scene.end(scene.jobs[job], at(period), by_other),
                Event::Kill => {
                    scene.store = Store::open(&scene.path).unwrap();
                    scene.store.lock().pragma_update(None, "synchronous", "OFF").unwrap();
                }
            }
            scene.judge();
        }
    }
}
