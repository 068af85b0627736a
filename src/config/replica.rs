//! This node among others that serve the same contract.

use serde::{Deserialize, Serialize};

use super::{ConfigError, value};
use veriregime_core::types::period::Grid;
use veriregime_core::types::replica::Replica;

/// More replicas than anybody has a reason for.
const MAX_REPLICAS: u64 = 16;

/// The section as written.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RawReplica {
    pub index: u64,
    pub count: u64,
    pub delay_seconds: u64,
    pub quiet_seconds: u64,
}

/// What a time must be that leaves most of a period to what comes after it.
pub(super) fn inside_a_period(grid: Grid) -> String {
    format!("must be well inside a period of {} seconds", grid.period_seconds)
}

/// Checks the section.
pub(super) fn check(raw: &RawReplica, grid: Grid) -> Result<Replica, ConfigError> {
    if !(1..=MAX_REPLICAS).contains(&raw.count) {
        return Err(value("replica.count", raw.count, format!("must be from 1 to {MAX_REPLICAS}")));
    }
    if raw.index >= raw.count {
        return Err(value("replica.index", raw.index, "replicas are numbered from 0 to replica.count - 1"));
    }
    if raw.count > 1 && raw.delay_seconds == 0 {
        return Err(value("replica.delay_seconds", 0, "replicas that do not wait for one another race"));
    }
    let last_turn_seconds = raw.delay_seconds.saturating_mul(raw.count - 1);
    if last_turn_seconds > grid.period_seconds / 2 {
        let reason = format!(
            "the last replica's turn would come in the second half of a period of {} seconds",
            grid.period_seconds
        );
        return Err(value("replica.delay_seconds", raw.delay_seconds, reason));
    }
    if raw.quiet_seconds > grid.period_seconds / 2 {
        return Err(value("replica.quiet_seconds", raw.quiet_seconds, inside_a_period(grid)));
    }
    let ms = |seconds: u64| i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX);
    Ok(Replica { index: raw.index, count: raw.count, delay_ms: ms(raw.delay_seconds), quiet_ms: ms(raw.quiet_seconds) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_take_turns_is_refused_by_name() {
        let raw =
            |index, count, delay_seconds, quiet_seconds| RawReplica { index, count, delay_seconds, quiet_seconds };
        let third = Replica { index: 2, count: 3, delay_ms: 60_000, quiet_ms: 90_000 };
        assert_eq!(check(&raw(2, 3, 60, 90), Grid::FOUR_HOURS).unwrap(), third);
        assert!(check(&raw(0, 1, 0, 0), Grid::FOUR_HOURS).is_ok(), "a node on its own waits for nobody");
        assert!(check(&raw(0, 1, u64::MAX, 0), Grid::FOUR_HOURS).is_ok(), "and no delay means anything to it");
        let cases = [
            (raw(0, 0, 60, 60), "replica.count"),
            (raw(0, 17, 60, 60), "replica.count"),
            (raw(3, 3, 60, 60), "replica.index"),
            (raw(0, 2, 0, 60), "replica.delay_seconds"),
            (raw(0, 4, 2401, 60), "replica.delay_seconds"),
            (raw(0, 2, u64::MAX, 60), "replica.delay_seconds"),
            (raw(0, 1, 0, u64::MAX), "replica.quiet_seconds"),
        ];
        for (raw, named) in cases {
            assert!(check(&raw, Grid::FOUR_HOURS).expect_err(named).to_string().contains(named));
        }
    }
}
