//! What befalls the node and its chains in one period, drawn before it begins.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

/// Latest kill after a period has begun: by then an undisturbed cycle is over.
const LATEST_KILL_MS: u64 = 900;
/// Most kills in a period.
const MOST_KILLS: usize = 3;
/// Longest time without a chain that comes back in the period.
const LONGEST_REST_MS: u64 = 400;

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Victim {
    Daemon,
    Prover,
    Chain(usize),
}

/// What a chain knows when it comes back.
#[derive(Debug, Clone, Copy)]
pub(super) enum Memory {
    /// All that it had in blocks when it was killed.
    Everything,
    /// What it had at the period's beginning: all blocks since are dropped.
    PeriodStart,
}

/// A kill at a moment of the period.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kill {
    pub(super) at_ms: u64,
    pub(super) victim: Victim,
    pub(super) memory: Memory,
    /// Until a chain comes back; `None` for not in this period.
    pub(super) rest_ms: Option<u64>,
}

impl Kill {
    fn draw(chains: usize, random: &mut ChaCha8Rng) -> Self {
        let mut victims = vec![Victim::Daemon, Victim::Prover];
        victims.extend((0..chains).map(Victim::Chain));
        Self {
            at_ms: random.random_range(0..LATEST_KILL_MS),
            victim: *victims.choose(random).unwrap(),
            memory: if random.random_bool(0.5) { Memory::Everything } else { Memory::PeriodStart },
            rest_ms: Some(random.random_range(0..LONGEST_REST_MS)),
        }
    }

    /// The kills of a period, in the order of their moments.
    pub(super) fn draw_some(chains: usize, random: &mut ChaCha8Rng) -> Vec<Self> {
        let count = random.random_range(1..=MOST_KILLS);
        sorted((0..count).map(|_| Self::draw(chains, random)).collect())
    }

    /// As [`Kill::draw_some`], among them one of a chain that does not come back before the period ends.
    pub(super) fn draw_outage(chains: usize, random: &mut ChaCha8Rng) -> Vec<Self> {
        let mut kills = Self::draw_some(chains, random);
        let away = Victim::Chain(random.random_range(0..chains));
        kills.retain(|kill| kill.victim != away);
        kills.push(Self { victim: away, rest_ms: None, ..Self::draw(chains, random) });
        sorted(kills)
    }
}

fn sorted(mut kills: Vec<Kill>) -> Vec<Kill> {
    kills.sort_by_key(|kill| kill.at_ms);
    kills
}
