//! What goes wrong in a period: at one RPC of each chain, at the exchange, and on the chains themselves.

use std::fmt;
use std::time::Duration;

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use crate::bad_exchange::ExchangeFaultMode;
use crate::proxy::{RpcFaultMode, SEND};

/// Faults last up to this long, from the period's start.
const LONGEST_FAULT_MS: u64 = 1_500;
/// The daemon or its prover is killed in this share of the disturbed periods.
const KILLED: f64 = 0.1;
/// A chain drops the landed updates in this share of the periods.
const REORGANISED: f64 = 0.05;

/// What goes wrong with a chain. The other RPC is honest.
#[derive(Debug)]
pub(super) struct ChainFaults {
    /// Which of the two RPCs is bad.
    pub(super) bad_rpc: usize,
    pub(super) mood: RpcFaultMode,
    /// The only method that the bad RPC is bad at.
    pub(super) only: Option<&'static str>,
    pub(super) mines_nothing: bool,
    pub(super) is_dear: bool,
    pub(super) reorganises: bool,
}

/// What goes wrong in a period.
#[derive(Debug)]
pub(super) struct Faults {
    pub(super) chains: Vec<ChainFaults>,
    pub(super) exchange: ExchangeFaultMode,
    pub(super) kill: Option<Kill>,
    /// When RPCs, exchange and mining are well again.
    pub(super) heal_at_ms: u64,
}

#[derive(Debug)]
pub(super) struct Kill {
    pub(super) at_ms: u64,
    pub(super) is_prover: bool,
}

impl ChainFaults {
    fn draw(random: &mut ChaCha8Rng) -> Self {
        let mines_nothing = random.random_bool(0.1);
        Self {
            bad_rpc: random.random_range(0..2),
            mood: mood(random),
            only: random.random_bool(0.3).then_some(SEND),
            mines_nothing,
            is_dear: !mines_nothing && random.random_bool(0.1),
            reorganises: random.random_bool(REORGANISED),
        }
    }
}

impl Faults {
    pub(super) fn draw(chains: usize, may_kill: bool, random: &mut ChaCha8Rng) -> Self {
        Self {
            chains: (0..chains).map(|_| ChainFaults::draw(random)).collect(),
            exchange: mischief(random),
            kill: (may_kill && random.random_bool(KILLED))
                .then(|| Kill { at_ms: random.random_range(0..900), is_prover: random.random_bool(0.5) }),
            heal_at_ms: random.random_range(0..LONGEST_FAULT_MS),
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}", self.exchange)?;
        for (index, chain) in self.chains.iter().enumerate() {
            write!(out, "; chain {index}: {:?}", chain.mood)?;
            for (is_so, words) in [
                (chain.mines_nothing, "no mining"),
                (chain.is_dear, "base fee 50 gwei"),
                (chain.reorganises, "reorganised"),
            ] {
                if is_so {
                    write!(out, ", {words}")?;
                }
            }
        }
        match &self.kill {
            Some(Kill { is_prover: true, .. }) => write!(out, "; prover killed"),
            Some(_) => write!(out, "; daemon killed"),
            None => Ok(()),
        }
    }
}

fn mood(random: &mut ChaCha8Rng) -> RpcFaultMode {
    let moods = [
        RpcFaultMode::Fair,
        RpcFaultMode::Drop,
        RpcFaultMode::LoseAnswer,
        RpcFaultMode::Delay(Duration::from_millis(300)),
        RpcFaultMode::Delay(Duration::from_millis(1_500)),
        RpcFaultMode::Duplicate,
        RpcFaultMode::Status(503),
        RpcFaultMode::Status(429),
        RpcFaultMode::Garbage,
        RpcFaultMode::Truncate,
        RpcFaultMode::Huge,
        RpcFaultMode::Stale(1),
        RpcFaultMode::Chain(1),
    ];
    *moods.choose(random).unwrap()
}

fn mischief(random: &mut ChaCha8Rng) -> ExchangeFaultMode {
    let mischiefs = [
        ExchangeFaultMode::None,
        ExchangeFaultMode::None,
        ExchangeFaultMode::Status { status: 429, retry_after_seconds: Some(1), times: 1 },
        ExchangeFaultMode::Status { status: 429, retry_after_seconds: Some(3), times: 1_000 },
        ExchangeFaultMode::Status { status: 500, retry_after_seconds: None, times: 2 },
        ExchangeFaultMode::Truncated { times: 2 },
        ExchangeFaultMode::Dies { after_pages: 0 },
        ExchangeFaultMode::Duplicated,
        ExchangeFaultMode::Reversed,
        ExchangeFaultMode::OtherMinutes,
        ExchangeFaultMode::Garbage,
        ExchangeFaultMode::Negative,
        ExchangeFaultMode::Html,
        ExchangeFaultMode::Large,
    ];
    mischiefs.choose(random).unwrap().clone()
}
