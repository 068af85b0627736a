//! Several jobs that share one wallet.

use proptest::prelude::*;

use super::*;
use crate::chain::fees;
use crate::chain::floor::Floor;

const CAP_WEI: u128 = 1_000;
const CANCEL_CAP_WEI: u128 = 2_000;
const PRIORITY_WEI: u128 = 10;
const WALLET: Address = Address::repeat_byte(1);
const PERIOD_MS: i64 = 600_000;
const JOBS: usize = 3;

/// What the world may do between two looks.
#[derive(Debug, Clone)]
enum Event {
    Pass(i64),
    BaseFee(u128),
    /// One of those that can be mined is, and may run into something unforeseen.
    Mine(usize, bool),
    /// Another transaction of this wallet is mined.
    Foreign,
    /// What a job would do, another has done.
    Done(usize),
    Blocks(u64),
    /// The last transaction is dropped again with its block.
    Reorg,
    /// Nothing but that a job looks without seeing receipts.
    Blind(usize),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (1_i64..90_000).prop_map(Event::Pass),
        2 => (1_u128..1_500).prop_map(Event::BaseFee),
        4 => (0_usize..8, prop::bool::weighted(0.2)).prop_map(|(which, fails)| Event::Mine(which, fails)),
        1 => Just(Event::Foreign),
        1 => (0..JOBS).prop_map(Event::Done),
        2 => (1_u64..4).prop_map(Event::Blocks),
        2 => Just(Event::Reorg),
        1 => (0..JOBS).prop_map(Event::Blind),
    ]
}

/// A job's cycle of the period; without a stage before its first signature.
#[derive(Default)]
struct Cycle {
    attempts: Vec<Attempt>,
    mined: Vec<Option<Mined>>,
    stage: Option<Stage>,
    by_other: bool,
    age_ms: i64,
    looks: u32,
}

impl Cycle {
    fn is_open(&self) -> bool {
        self.stage == Some(Stage::Submitting)
    }

    fn landed(&self) -> Option<usize> {
        let is_landed = |index: &usize| {
            self.attempts[*index].purpose == Purpose::Action && matches!(self.mined[*index], Some(Mined::Landed(_)))
        };
        (0..self.attempts.len()).find(is_landed)
    }

    fn is_done(&self) -> bool {
        self.by_other || self.landed().is_some()
    }
}

struct World {
    cycles: Vec<Cycle>,
    /// Nonce and fee cap of those that fill gaps.
    fillers: Vec<(u64, u128)>,
    /// Whose transaction used up each nonce so far, with its block: a cycle's, or nobody's.
    used: Vec<(Option<(usize, usize)>, u64)>,
    first_nonce: u64,
    head: u64,
    base_fee_wei: u128,
    left_ms: i64,
    signed: u8,
}

impl World {
    fn new() -> Self {
        Self {
            cycles: (0..JOBS).map(|_| Cycle::default()).collect(),
            fillers: Vec::new(),
            used: Vec::new(),
            first_nonce: 5,
            head: 100,
            base_fee_wei: 50,
            left_ms: PERIOD_MS,
            signed: 0,
        }
    }

    fn nonce(&self) -> u64 {
        self.first_nonce + self.used.len() as u64
    }

    /// As the database says it.
    fn held(&self, by: usize) -> BTreeSet<u64> {
        let mut held = BTreeSet::new();
        for (index, cycle) in self.cycles.iter().enumerate() {
            if cycle.is_open() {
                held.extend(cycle.attempts.iter().map(|attempt| attempt.nonce));
            } else if cycle.stage == Some(Stage::Confirmed) && index != by {
                held.extend(cycle.landed().map(|landed| cycle.attempts[landed].nonce));
            }
        }
        held
    }

    fn sign(&mut self, job: usize, purpose: Purpose, nonce: u64) {
        let cap_wei = if purpose == Purpose::Cancel { CANCEL_CAP_WEI } else { CAP_WEI };
        let with_nonce = self.cycles.iter().flat_map(|cycle| &cycle.attempts).filter(|one| one.nonce == nonce);
        let floor = with_nonce.map(Floor::above).fold(Floor::default(), Floor::and);
        let Ok(offer) = fees::offer(self.base_fee_wei, PRIORITY_WEI, cap_wei, floor) else { return };
        self.signed = self.signed.wrapping_add(1);
        let cycle = &mut self.cycles[job];
        cycle.attempts.push(Attempt {
            purpose,
            wallet: WALLET,
            nonce,
            hash: [self.signed; 32].into(),
            raw: vec![].into(),
            max_fee_per_gas_wei: offer.max_fee_per_gas_wei,
            priority_fee_wei: offer.priority_fee_wei,
        });
        cycle.mined.push(None);
        (cycle.stage, cycle.age_ms, cycle.looks) = (Some(Stage::Submitting), 0, 0);
    }

    /// Signs with a nonce of the job's own, which nobody else that is open may have.
    fn sign_anew(&mut self, job: usize) -> Result<(), TestCaseError> {
        let nonce = first_free(self.nonce(), &self.held(job));
        let is_taken =
            self.cycles.iter().any(|other| other.is_open() && other.attempts.iter().any(|one| one.nonce == nonce));
        prop_assert!(!is_taken, "a nonce that another one has");
        prop_assert!(nonce <= self.nonce() + JOBS as u64 * 4, "nonces are given out one after another");
        self.sign(job, Purpose::Action, nonce);
        Ok(())
    }

    /// The transactions that the next block can hold; a filler has no owner.
    fn minable(&self) -> Vec<Option<(usize, usize)>> {
        let nonce = self.nonce();
        let mut minable = Vec::new();
        for (job, cycle) in self.cycles.iter().enumerate() {
            for (index, attempt) in cycle.attempts.iter().enumerate() {
                if attempt.nonce == nonce && attempt.max_fee_per_gas_wei >= self.base_fee_wei {
                    minable.push(Some((job, index)));
                }
            }
        }
        let fills = |(at, fee_wei): &(u64, u128)| *at == nonce && *fee_wei >= self.base_fee_wei;
        minable.extend(self.fillers.iter().any(fills).then_some(None));
        minable
    }

    fn mine(&mut self, which: usize, fails: bool) {
        let minable = self.minable();
        let Some(mined) = minable.get(which % minable.len().max(1)).copied() else { return };
        self.head += 1;
        self.used.push((mined, self.head));
        let Some((job, index)) = mined else { return };
        let cycle = &mut self.cycles[job];
        let attempt = &cycle.attempts[index];
        let refused = attempt.purpose == Purpose::Action && (fails || cycle.is_done() || self.left_ms <= 0);
        let landed = Landed { hash: attempt.hash, block: self.head, gas_used: 1 };
        cycle.mined[index] = Some(if refused { Mined::Reverted { block: self.head } } else { Mined::Landed(landed) });
    }

    fn suffer(&mut self, event: &Event) {
        match *event {
            Event::Pass(ms) => {
                self.left_ms -= ms;
                self.cycles.iter_mut().for_each(|cycle| cycle.age_ms += ms);
            }
            Event::BaseFee(wei) => self.base_fee_wei = wei,
            Event::Mine(which, fails) => self.mine(which, fails),
            Event::Foreign => {
                self.head += 1;
                self.used.push((None, self.head));
            }
            Event::Done(job) if self.left_ms > 0 && !self.cycles[job].is_done() => self.cycles[job].by_other = true,
            Event::Reorg => {
                if let Some((mined, _)) = self.used.pop_if(|(_, block)| *block == self.head)
                    && let Some((job, index)) = mined
                {
                    self.cycles[job].mined[index] = None;
                }
            }
            Event::Blocks(blocks) => self.head += blocks,
            Event::Done(_) | Event::Blind(_) => {}
        }
    }

    /// A job looks, and does what is to be done.
    fn act(&mut self, job: usize, blind: bool) -> Result<(), TestCaseError> {
        let nonce = self.nonce();
        let cycle = &mut self.cycles[job];
        if cycle.stage == Some(Stage::Confirmed) && cycle.landed().is_none() {
            cycle.stage = Some(Stage::Submitting);
        }
        let Some(stage) = cycle.stage else {
            if cycle.by_other {
                cycle.stage = Some(Stage::AlreadyByOther);
            } else if self.left_ms <= CANCEL_LEAD_MS {
                cycle.stage = Some(Stage::Missed);
            } else {
                self.sign_anew(job)?;
            }
            return Ok(());
        };
        if stage.is_final() && cycle.attempts.is_empty() {
            return Ok(());
        }
        let holder = if self.held(job).contains(&nonce) { Holder::Somebody } else { Holder::Nobody };
        let cycle = &self.cycles[job];
        let nothing = vec![None; cycle.mined.len()];
        let decision = next(&Situation {
            stage,
            attempts: &cycle.attempts,
            mined: if blind { &nothing } else { &cycle.mined },
            wallet: WALLET,
            nonce,
            holder,
            head: self.head,
            is_over: self.left_ms <= 0,
            is_done: cycle.is_done(),
            left_ms: self.left_ms,
            is_due: cycle.age_ms >= 60_000,
            looks: cycle.looks,
            confirmations: 2,
        });
        let newest = cycle.attempts.last().cloned().expect("one is signed");
        let (is_used_up, has_landed) = (newest.nonce < nonce, cycle.landed().is_some());
        let cycle = &mut self.cycles[job];
        cycle.looks = if decision == Decision::Look { cycle.looks + 1 } else { 0 };
        match decision {
            Decision::Rest => prop_assert!(stage.is_final()),
            Decision::Look | Decision::Wait => {}
            Decision::Send => prop_assert!(!is_used_up, "sent although its nonce is used up"),
            Decision::Replace(purpose) => {
                prop_assert!(!is_used_up, "a nonce that is used up");
                prop_assert!(
                    purpose != newest.purpose || newest.nonce == nonce,
                    "a higher price does not help one that waits for others"
                );
                self.sign(job, purpose, newest.nonce);
            }
            Decision::Fill => {
                prop_assert!(newest.nonce > nonce, "filled for nobody");
                self.fillers.push((nonce, CANCEL_CAP_WEI));
            }
            Decision::SignAnew => {
                prop_assert!(is_used_up, "a second nonce while one is open");
                self.sign_anew(job)?;
            }
            Decision::Confirm(_) => {
                prop_assert!(has_landed);
                cycle.stage = Some(Stage::Confirmed);
            }
            Decision::ByOther | Decision::Miss(_) => {
                prop_assert!(is_used_up, "ended with a nonce that is stuck");
                prop_assert!(blind || !has_landed, "ended although its call has landed");
                cycle.stage = Some(if decision == Decision::ByOther { Stage::AlreadyByOther } else { Stage::Missed });
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn jobs_that_share_a_wallet_never_collide_and_all_end_once_everything_is_mined(
        events in prop::collection::vec((event(), prop::sample::subsequence((0..JOBS).collect::<Vec<_>>(), 0..=JOBS)), 1..80),
    ) {
        let mut world = World::new();
        for (event, looking) in events {
            world.suffer(&event);
            if let Event::Blind(job) = event {
                world.act(job, true)?;
            }
            for job in looking {
                let before = world.cycles[job].stage;
                let is_dropped = before == Some(Stage::Confirmed) && world.cycles[job].landed().is_none();
                world.act(job, false)?;
                let ended = before.is_some_and(Stage::is_final) && !is_dropped;
                prop_assert!(!ended || world.cycles[job].stage == before, "an end is an end");
            }
            let open = world.cycles.iter().filter(|cycle| cycle.is_open());
            let newest: Vec<u64> = open.filter_map(|cycle| cycle.attempts.last()).map(|one| one.nonce).collect();
            let waiting: Vec<u64> = newest.into_iter().filter(|nonce| *nonce >= world.nonce()).collect();
            let distinct: BTreeSet<u64> = waiting.iter().copied().collect();
            prop_assert_eq!(distinct.len(), waiting.len(), "two believe that they have one nonce");
        }
        // From now on whatever can be mined is, and time goes on.
        world.suffer(&Event::BaseFee(1));
        for _ in 0..80 {
            world.suffer(&Event::Pass(20_000));
            while !world.minable().is_empty() {
                world.mine(0, false);
            }
            world.suffer(&Event::Blocks(1));
            (0..JOBS).try_for_each(|job| world.act(job, false))?;
        }
        prop_assert!(world.cycles.iter().all(|cycle| cycle.stage.is_some_and(Stage::is_final)), "somebody waits for ever");
    }
}

#[test]
fn the_first_free_nonce_fills_gaps() {
    let held = |nonces: &[u64]| nonces.iter().copied().collect::<BTreeSet<_>>();
    for (next, nonces, free) in
        [(5, &[][..], 5), (5, &[5, 6], 7), (5, &[6], 5), (5, &[5, 7], 6), (5, &[3, 4], 5), (0, &[0, 1, 2, 9], 3)]
    {
        assert_eq!(first_free(next, &held(nonces)), free, "{next} {nonces:?}");
    }
}
