//! What to do next about a period's transactions: a pure function of what is known of them.

use std::collections::BTreeSet;

use alloy::primitives::{Address, B256};

use veriregime_core::types::cycle::{Attempt, Landed, Mined, Purpose, Stage};

/// From so long before the period's end on, a call that is not mined is cancelled: that takes a block or two.
pub(super) const CANCEL_LEAD_MS: i64 = 60_000;
/// Looks for a receipt once nonce or contract say that something is mined. Nodes may know that before the receipt.
pub(super) const RECEIPT_LOOKS: u32 = 10;
/// Calls that may be mined and revert in one period.
const MAX_REVERTS: usize = 3;

/// All that is known when the next action is chosen.
#[derive(Debug, Clone)]
pub(super) struct Situation<'a> {
    pub(super) stage: Stage,
    /// Every transaction of the period, oldest first.
    pub(super) attempts: &'a [Attempt],
    /// What became of each of them.
    pub(super) mined: &'a [Option<Mined>],
    /// The wallet that signs now.
    pub(super) wallet: Address,
    /// Its next nonce by the newest block, looked up before the receipts.
    pub(super) nonce: u64,
    /// Whose that nonce is.
    pub(super) holder: Holder,
    /// Height of the newest block.
    pub(super) head: u64,
    /// Whether the newest block is later than the period: then no block after it takes a call for the period.
    pub(super) is_over: bool,
    /// Whether what the job would do has been done for the period.
    pub(super) is_done: bool,
    /// Until the period ends; negative afterwards.
    pub(super) left_ms: i64,
    /// Whether the newest transaction has waited long enough to be replaced.
    pub(super) is_due: bool,
    /// How often in a row something was mined that no receipt explains.
    pub(super) looks: u32,
    /// Depth from which something mined counts.
    pub(super) confirmations: u64,
}

/// Whose a nonce is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    /// A transaction's of whoever shares the wallet.
    Somebody,
    /// Until somebody uses it up, all with later nonces wait for nothing.
    Nobody,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// Nothing, ever.
    Rest,
    /// Look again: something is mined and it is not clear yet what.
    Look,
    /// Wait for more blocks.
    Wait,
    /// Send what waits to be mined, the same bytes.
    Send,
    /// Sign a dearer transaction with the newest one's nonce.
    Replace(Purpose),
    /// Use up the wallet's next nonce, which nobody else will, with a transaction that does nothing.
    Fill,
    /// Sign the call with the next nonce: the last one is used up.
    SignAnew,
    /// Ours has landed.
    Confirm(Landed),
    /// Another has done it, and nothing of ours waits.
    ByOther,
    /// Nothing of ours will land, and nothing of ours waits.
    Miss(Loss),
}

/// Why nothing of ours will land.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// The period's end came first.
    Deadline,
    /// It was cancelled.
    Cancelled,
    /// It was mined and reverted too often.
    Reverted(B256),
}

/// What to do next.
pub(super) fn next(now: &Situation<'_>) -> Decision {
    let Some(newest) = now.attempts.last().filter(|_| !now.stage.is_final()) else { return Decision::Rest };
    let is_deep =
        |block: u64| now.left_ms <= 0 || now.head.saturating_add(1).saturating_sub(block) >= now.confirmations;
    let outcomes = || now.attempts.iter().zip(now.mined).filter_map(|(attempt, mined)| Some((attempt, (*mined)?)));
    for (attempt, mined) in outcomes().rev() {
        match mined {
            Mined::Landed(landed) if attempt.purpose == Purpose::Action && !is_followed(now, attempt, newest) => {
                return if is_deep(landed.block) { Decision::Confirm(landed) } else { Decision::Wait };
            }
            Mined::Landed(_) | Mined::Reverted { .. } => {}
        }
    }
    if newest.wallet != now.wallet {
        return of_another_wallet(now, newest);
    }
    let is_cancelled = is_cancelled(now);
    if newest.nonce >= now.nonce {
        if now.is_done && now.looks < RECEIPT_LOOKS {
            return Decision::Look;
        }
        let gives_up = now.is_done || is_cancelled || now.left_ms <= CANCEL_LEAD_MS;
        let purpose = if gives_up { Purpose::Cancel } else { Purpose::Action };
        if newest.purpose != purpose {
            return Decision::Replace(purpose);
        }
        // One that waits for others of the wallet does not wait because of its price.
        let waits_for_others = newest.nonce > now.nonce;
        return match (now.is_due, waits_for_others) {
            (true, false) => Decision::Replace(purpose),
            (true, true) if now.holder == Holder::Nobody => Decision::Fill,
            _ => Decision::Send,
        };
    }
    // The nonce is used up: by one of ours, or by another transaction of this wallet.
    let explained = outcomes().find(|(attempt, _)| is_rival(attempt, newest));
    match explained {
        None if now.looks < RECEIPT_LOOKS => return Decision::Look,
        Some((_, Mined::Landed(Landed { block, .. }) | Mined::Reverted { block })) if !is_deep(block) => {
            return Decision::Wait;
        }
        _ => {}
    }
    let reverts = outcomes().filter(|(_, mined)| matches!(mined, Mined::Reverted { .. })).count();
    if now.is_done {
        Decision::ByOther
    } else if is_cancelled {
        Decision::Miss(Loss::Cancelled)
    } else if now.left_ms <= CANCEL_LEAD_MS {
        Decision::Miss(Loss::Deadline)
    } else if reverts >= MAX_REVERTS {
        Decision::Miss(Loss::Reverted(newest.hash))
    } else {
        Decision::SignAnew
    }
}

/// What to do about what another wallet has signed, one that the settings named before: nobody here can outbid or cancel
/// it, and its nonce is nobody's business here.
fn of_another_wallet(now: &Situation<'_>, newest: &Attempt) -> Decision {
    let is_mined = now.attempts.iter().zip(now.mined).any(|(one, mined)| is_rival(one, newest) && mined.is_some());
    let is_cancelled = is_cancelled(now);
    if now.is_done {
        if now.looks < RECEIPT_LOOKS { Decision::Look } else { Decision::ByOther }
    } else if !is_cancelled && now.left_ms > CANCEL_LEAD_MS && (is_mined || now.is_due) {
        Decision::SignAnew
    } else if is_mined || now.is_over {
        Decision::Miss(if is_cancelled { Loss::Cancelled } else { Loss::Deadline })
    } else {
        Decision::Send
    }
}

fn is_cancelled(now: &Situation<'_>) -> bool {
    now.attempts.iter().any(|attempt| attempt.purpose == Purpose::Cancel)
}

/// The wallet's first nonce from `next` on that nobody holds. What was chosen and never stored, or was dropped with a cycle that
/// has ended, is chosen again: nothing later can be mined before.
pub(super) fn first_free(next: u64, held: &BTreeSet<u64>) -> u64 {
    held.range(next..).fold(next, |free, nonce| if *nonce == free { free + 1 } else { free })
}

/// Whether the newest transaction is on its way, for what one that has landed has passed by.
fn is_followed(now: &Situation<'_>, landed: &Attempt, newest: &Attempt) -> bool {
    !now.is_done && newest.wallet == now.wallet && newest.nonce >= now.nonce && !is_rival(landed, newest)
}

/// Whether only one of the two can be mined.
fn is_rival(one: &Attempt, other: &Attempt) -> bool {
    one.wallet == other.wallet && one.nonce == other.nonce
}

#[cfg(test)]
mod shared_tests;
#[cfg(test)]
mod tests;
