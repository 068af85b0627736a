//! kill -9 of daemon, prover and chains at random moments: each period of each job ends exactly once.
//!
//! Short by default; `make chaos` sets `CHAOS_ROUNDS` for the long run. `CHAOS_SEED` repeats the draws of a run, which each
//! one prints; the moments are those of the clock, so that no two runs are quite the same.

mod round;
mod story;
mod verdict;

use story::Story;

use crate::fleet::Fleet;

/// A number from the environment.
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// A chain that comes back in the same period each time loses nothing.
#[tokio::test(flavor = "multi_thread")]
async fn every_period_lands_once_whatever_is_killed() {
    let mut story = Story::begin(Fleet::alone().await, number("CHAOS_SEED", 1));
    for _ in 0..number("CHAOS_ROUNDS", 8) {
        story.live_through_kills().await;
    }
    story.end().await;
    story.judge().await;
}

/// Two chains, three jobs, two wallets, one of them shared; now and then a chain stays away beyond the period.
#[tokio::test(flavor = "multi_thread")]
async fn each_period_of_each_job_ends_once_whatever_is_killed_on_two_chains() {
    let mut story = Story::begin(Fleet::three().await, number("CHAOS_SEED", 1));
    for round in 0..number("CHAOS_ROUNDS", 5) {
        if round % 4 == 1 {
            story.live_through_an_outage().await;
        } else {
            story.live_through_kills().await;
        }
    }
    story.end().await;
    story.judge().await;
}
