use proptest::prelude::*;

use super::*;
use crate::chain::fees;
use crate::chain::floor::Floor;

const UPDATE_CAP_WEI: u128 = 1_000;
const CANCEL_CAP_WEI: u128 = 2_000;
const PRIORITY_WEI: u128 = 10;
const WALLET: Address = Address::repeat_byte(1);
const PERIOD_MS: i64 = 600_000;

/// What the world may do between two looks.
#[derive(Debug, Clone)]
enum Event {
    Pass(i64),
    BaseFee(u128),
    /// One of ours is mined, counted from the newest, and may run into something unforeseen.
    Mine(usize, bool),
    /// Another transaction of this wallet is mined.
    Foreign,
    /// Another's update is mined.
    Done,
    Blocks(u64),
    /// The last of ours is dropped again with its block.
    Reorg,
    /// The receipts are not there yet.
    Blind,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (1_i64..90_000).prop_map(Event::Pass),
        2 => (1_u128..1_500).prop_map(Event::BaseFee),
        2 => (0_usize..4, prop::bool::weighted(0.2)).prop_map(|(back, fails)| Event::Mine(back, fails)),
        1 => Just(Event::Foreign),
        1 => Just(Event::Done),
        2 => (1_u64..4).prop_map(Event::Blocks),
        1 => Just(Event::Reorg),
        1 => Just(Event::Blind),
    ]
}

/// A chain, and a period of which one transaction is signed.
struct World {
    attempts: Vec<Attempt>,
    mined: Vec<Option<Mined>>,
    nonce: u64,
    head: u64,
    base_fee_wei: u128,
    by_other: bool,
    left_ms: i64,
    age_ms: i64,
    looks: u32,
    stage: Stage,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            attempts: vec![],
            mined: vec![],
            nonce: 5,
            head: 100,
            base_fee_wei: 50,
            by_other: false,
            left_ms: PERIOD_MS,
            age_ms: 0,
            looks: 0,
            stage: Stage::Submitting,
        };
        world.sign(Purpose::Action, 5);
        world
    }

    fn sign(&mut self, purpose: Purpose, nonce: u64) {
        let cap_wei = if purpose == Purpose::Cancel { CANCEL_CAP_WEI } else { UPDATE_CAP_WEI };
        let replaced = self.attempts.last().filter(|attempt| attempt.nonce == nonce);
        let floor = replaced.map(Floor::above).unwrap_or_default();
        let Ok(offer) = fees::offer(self.base_fee_wei, PRIORITY_WEI, cap_wei, floor) else { return };
        let number = self.attempts.len() as u8;
        self.attempts.push(Attempt {
            purpose,
            wallet: WALLET,
            nonce,
            hash: [number; 32].into(),
            raw: vec![].into(),
            max_fee_per_gas_wei: offer.max_fee_per_gas_wei,
            priority_fee_wei: offer.priority_fee_wei,
        });
        self.mined.push(None);
        (self.age_ms, self.looks) = (0, 0);
    }

    fn is_landed(&self, index: usize) -> bool {
        self.attempts[index].purpose == Purpose::Action && matches!(self.mined[index], Some(Mined::Landed(_)))
    }

    fn is_done(&self) -> bool {
        self.by_other || (0..self.attempts.len()).any(|index| self.is_landed(index))
    }

    fn suffer(&mut self, event: &Event) {
        match *event {
            Event::Pass(ms) => (self.left_ms, self.age_ms) = (self.left_ms - ms, self.age_ms + ms),
            Event::BaseFee(wei) => self.base_fee_wei = wei,
            Event::Mine(back, fails) => {
                let Some(index) = self.attempts.len().checked_sub(1 + back) else { return };
                let attempt = &self.attempts[index];
                if attempt.nonce != self.nonce || attempt.max_fee_per_gas_wei < self.base_fee_wei {
                    return;
                }
                self.head += 1;
                let refused = attempt.purpose == Purpose::Action && (fails || self.is_done() || self.left_ms <= 0);
                let landed = Landed { hash: attempt.hash, block: self.head, gas_used: 1 };
                self.mined[index] =
                    Some(if refused { Mined::Reverted { block: self.head } } else { Mined::Landed(landed) });
                self.nonce += 1;
            }
            Event::Foreign => (self.nonce, self.head) = (self.nonce + 1, self.head + 1),
            Event::Done if self.left_ms > 0 && !self.is_done() => self.by_other = true,
            Event::Reorg => {
                let last = self
                    .mined
                    .iter()
                    .rposition(|mined| matches!(mined, Some(Mined::Landed(landed)) if landed.block == self.head));
                if let Some(index) = last {
                    (self.mined[index], self.nonce) = (None, self.nonce - 1);
                }
            }
            Event::Blocks(blocks) => self.head += blocks,
            Event::Done | Event::Blind => {}
        }
    }

    fn situation<'a>(&'a self, mined: &'a [Option<Mined>]) -> Situation<'a> {
        Situation {
            stage: self.stage,
            attempts: &self.attempts,
            mined,
            wallet: WALLET,
            nonce: self.nonce,
            holder: Holder::Somebody,
            head: self.head,
            is_over: self.left_ms <= 0,
            is_done: self.is_done(),
            left_ms: self.left_ms,
            is_due: self.age_ms >= 60_000,
            looks: self.looks,
            confirmations: 2,
        }
    }

    /// Looks, checks what is to be done about it, and does it.
    fn act(&mut self, blind: bool) -> Result<(), TestCaseError> {
        let nothing = vec![None; self.mined.len()];
        let seen = if blind { &nothing } else { &self.mined };
        let decision = next(&self.situation(seen));
        let newest = self.attempts.last().cloned().expect("one is signed");
        let is_cancelled = self.attempts.iter().any(|attempt| attempt.purpose == Purpose::Cancel);
        self.looks = if decision == Decision::Look { self.looks + 1 } else { 0 };
        let used_up = newest.nonce < self.nonce;
        match decision {
            Decision::Rest => prop_assert!(self.stage.is_final()),
            Decision::Look | Decision::Wait => {}
            Decision::Fill => prop_assert!(false, "a wallet of its own has no gaps"),
            Decision::Send => prop_assert!(!used_up, "sent although its nonce is used up"),
            Decision::Replace(purpose) => {
                prop_assert!(!used_up, "a nonce that is used up");
                prop_assert!(!is_cancelled || purpose == Purpose::Cancel, "what is cancelled stays cancelled");
                self.sign(purpose, newest.nonce);
            }
            Decision::SignAnew => {
                prop_assert!(used_up && !is_cancelled, "a second nonce while one is open");
                self.sign(Purpose::Action, self.nonce);
            }
            Decision::Confirm(landed) => {
                prop_assert!(
                    (0..self.attempts.len())
                        .any(|index| self.is_landed(index) && self.attempts[index].hash == landed.hash)
                );
                self.stage = Stage::Confirmed;
            }
            Decision::ByOther | Decision::Miss(_) => {
                prop_assert!(used_up, "ended with a nonce that is stuck");
                let lost = blind || !(0..self.attempts.len()).any(|index| self.is_landed(index));
                prop_assert!(lost, "ended although its update is there");
                self.stage = if decision == Decision::ByOther { Stage::AlreadyByOther } else { Stage::Missed };
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_happens_there_is_one_nonce_at_a_time_at_a_rising_price(events in prop::collection::vec(event(), 1..60)) {
        let mut world = World::new();
        for event in events {
            let before = world.stage;
            world.suffer(&event);
            world.act(matches!(event, Event::Blind))?;
            prop_assert!(!before.is_final() || world.stage == before, "an end is an end");
            for pair in world.attempts.windows(2) {
                prop_assert!(pair[1].nonce >= pair[0].nonce);
                if pair[1].nonce == pair[0].nonce {
                    prop_assert!(pair[1].max_fee_per_gas_wei * 10 >= pair[0].max_fee_per_gas_wei * 11);
                    prop_assert!(pair[1].priority_fee_wei * 10 >= pair[0].priority_fee_wei * 11);
                }
            }
            for attempt in &world.attempts {
                let cap_wei = if attempt.purpose == Purpose::Cancel { CANCEL_CAP_WEI } else { UPDATE_CAP_WEI };
                prop_assert!(attempt.max_fee_per_gas_wei <= cap_wei);
            }
        }
    }

    #[test]
    fn a_chain_that_mines_again_frees_the_nonce(events in prop::collection::vec(event(), 1..30)) {
        let mut world = World::new();
        for event in events {
            world.suffer(&event);
            world.act(matches!(event, Event::Blind))?;
        }
        // From now on whatever is dearest is mined, and time goes on.
        world.suffer(&Event::BaseFee(1));
        for _ in 0..60 {
            world.suffer(&Event::Pass(20_000));
            (0..world.attempts.len()).for_each(|back| world.suffer(&Event::Mine(back, false)));
            world.suffer(&Event::Blocks(1));
            world.act(false)?;
        }
        prop_assert!(world.stage.is_final());
    }
}

#[test]
fn what_follows_one_that_has_landed_is_waited_for_while_markets_wait() {
    let mut world = World::new();
    let landed = Landed { hash: world.attempts[0].hash, block: 100, gas_used: 1 };
    let first = Some(Mined::Landed(landed));
    world.head = 120;
    world.nonce = 6;
    world.sign(Purpose::Action, 6);
    let next_of = |world: &World, mined: [Option<Mined>; 2], is_done: bool| {
        next(&Situation { is_done, ..world.situation(&mined) })
    };
    assert_eq!(next_of(&world, [first, None], false), Decision::Send);
    assert_eq!(next_of(&world, [first, None], true), Decision::Confirm(landed), "another has served them");
    world.left_ms = CANCEL_LEAD_MS;
    assert_eq!(next_of(&world, [first, None], false), Decision::Replace(Purpose::Cancel), "in time or not at all");
    world.sign(Purpose::Cancel, 6);
    world.nonce = 7;
    let mined = [first, None, Some(Mined::Landed(Landed { hash: world.attempts[2].hash, ..landed }))];
    let ended = next(&Situation { is_done: false, ..world.situation(&mined) });
    assert_eq!(ended, Decision::Confirm(landed), "what has landed stays landed");
}

#[test]
fn what_another_wallet_signed_is_neither_outbid_nor_cancelled() {
    let mut world = World::new();
    let new = |world: &World, is_over: bool, mined: Option<Mined>, looks: u32| {
        let mined = [mined];
        let wallet = Address::repeat_byte(2);
        // The new wallet's nonce says nothing about the old one's.
        next(&Situation { wallet, nonce: 9, is_over, looks, ..world.situation(&mined) })
    };
    let reverted = Some(Mined::Reverted { block: 100 });
    assert_eq!(new(&world, false, None, 0), Decision::Send);
    assert_eq!(new(&world, false, reverted, 0), Decision::SignAnew);
    world.age_ms = 60_000;
    assert_eq!(new(&world, false, None, 0), Decision::SignAnew, "a wallet that can outbid takes over");
    world.left_ms = 0;
    assert_eq!(new(&world, false, None, 0), Decision::Send, "the chain may still take it");
    assert_eq!(new(&world, true, None, 0), Decision::Miss(Loss::Deadline));
    world.by_other = true;
    assert_eq!(new(&world, true, None, RECEIPT_LOOKS - 1), Decision::Look, "it may have been this one");
    assert_eq!(new(&world, true, None, RECEIPT_LOOKS), Decision::ByOther);
    let landed = Landed { hash: world.attempts[0].hash, block: 100, gas_used: 1 };
    assert_eq!(new(&world, true, Some(Mined::Landed(landed)), 0), Decision::Confirm(landed));
    (world.by_other, world.attempts[0].purpose) = (false, Purpose::Cancel);
    assert_eq!(new(&world, true, None, 0), Decision::Miss(Loss::Cancelled));
}
