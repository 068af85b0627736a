//! Several nodes for one contract, without a coordinator: whose turn it is follows from the period, and the chain decides.

use super::period::PeriodId;

/// This node among those that serve the same contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replica {
    /// Its number, from 0 on; below `count`.
    pub index: u64,
    /// How many there are; 1 for a node on its own.
    pub count: u64,
    /// How long each one gives those before it.
    pub delay_ms: i64,
    /// How long a wallet that something else has used must have been quiet before this node signs with it.
    pub quiet_ms: i64,
}

/// What a node whose update is ready does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Nothing: another one's update is there.
    Taken,
    /// Look again; milliseconds until it is this node's turn.
    Wait(i64),
    /// Sign and send.
    Act,
}

impl Replica {
    /// A node on its own.
    pub const ALONE: Self = Self { index: 0, count: 1, delay_ms: 0, quiet_ms: 0 };

    /// How many others come before this one in `period`: 0 for the one that leads.
    pub fn rank(&self, period: PeriodId) -> u64 {
        let leader = period.0 % self.count;
        (self.index + self.count - leader) % self.count
    }

    /// What to do in `period` at `now_ms`, where the node's update was ready at `ready_ms`. The time runs from there and not
    /// from the period's start, so that a node that starts late also looks first what the others are doing.
    pub fn turn(&self, period: PeriodId, ready_ms: i64, now_ms: i64, is_taken: bool) -> Turn {
        if is_taken {
            return Turn::Taken;
        }
        let rank = self.rank(period);
        let delay_ms = i64::try_from(rank).unwrap_or(i64::MAX).saturating_mul(self.delay_ms);
        match ready_ms.saturating_add(delay_ms) - now_ms {
            // Who leads waits for nobody, not even for a clock that was set back.
            left_ms if left_ms > 0 && rank > 0 => Turn::Wait(left_ms),
            _ => Turn::Act,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_period_has_one_leader_and_the_others_follow_one_by_one(
            count in 1_u64..20, period in 0_u64..1_000_000, delay_ms in 1_i64..600_000, ready_ms in 0_i64..1 << 40,
        ) {
            let replicas: Vec<_> = (0..count).map(|index| Replica { index, count, delay_ms, quiet_ms: 0 }).collect();
            let mut turns: Vec<i64> = replicas.iter().map(|replica| {
                match replica.turn(PeriodId(period), ready_ms, ready_ms, false) {
                    Turn::Act => 0,
                    Turn::Wait(left_ms) => left_ms,
                    Turn::Taken => -1,
                }
            }).collect();
            turns.sort_unstable();
            let wanted: Vec<i64> = (0..count as i64).map(|rank| rank * delay_ms).collect();
            prop_assert_eq!(turns, wanted);
            let leads = |replica: &Replica| (period..period + count).filter(|p| replica.rank(PeriodId(*p)) == 0).count();
            prop_assert!(replicas.iter().all(|replica| leads(replica) == 1), "each leads as often as any other");
        }

        #[test]
        fn a_turn_comes_and_stays_and_what_is_taken_is_left_alone(
            index in 0_u64..5, period in 0_u64..1000, waited_ms in 0_i64..1_000_000,
        ) {
            let replica = Replica { index, count: 5, delay_ms: 60_000, quiet_ms: 0 };
            let turn = |waited_ms, is_taken| replica.turn(PeriodId(period), 7, 7 + waited_ms, is_taken);
            prop_assert_eq!(turn(waited_ms, true), Turn::Taken);
            prop_assert_eq!(turn(replica.rank(PeriodId(period)) as i64 * 60_000 + waited_ms, false), Turn::Act);
            if let Turn::Wait(left_ms) = turn(waited_ms, false) {
                prop_assert_eq!(turn(waited_ms + left_ms, false), Turn::Act);
                prop_assert_eq!(turn(waited_ms + left_ms - 1, false), Turn::Wait(1));
            }
        }
    }

    #[test]
    fn a_node_on_its_own_never_waits() {
        assert_eq!(Replica::ALONE.turn(PeriodId(7), 100, 100, false), Turn::Act);
        assert_eq!(Replica::ALONE.turn(PeriodId(7), 100, 50, false), Turn::Act, "a clock that was set back");
    }
}
