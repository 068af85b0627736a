//! How updates move a market: what `RiskState` and `Words` do, second by second.

use super::{BPS, Policy};
use crate::risk::Vector;

/// Periods for which unused allowance adds up.
const MAX_RECHARGE_PERIODS: u64 = 6;
/// The ramp counts in bps-seconds a day.
const RAMP_UNIT: u64 = 86_400;

/// What a proof says about a market, and when it lands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Update {
    /// When the period begins, Unix seconds.
    pub start_seconds: u64,
    /// Unix time of the block, within the period.
    pub landed_seconds: u64,
    /// Forecast standard deviation of one-minute returns, times 1e9.
    pub volatility_e9: u32,
}

/// What an update did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// The applied volatility, had there been no rate limit.
    pub requested_e9: u32,
    /// What the parameters follow.
    pub applied_e9: u32,
    /// Updates in a row that asked for looser values.
    pub looser_count: u8,
    /// What holds once looser values do.
    pub next: Vector,
}

/// Whether what readers see is of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// No update has landed.
    Unset,
    /// Young.
    Fresh,
    /// An update is late.
    Grace,
    /// Too old: the values are tightened.
    Stale,
}

/// What of a vector holds at once where it is tighter, and after a delay where it is looser.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sides {
    borrow_collateral_ratio_bps: u16,
    amm_fee_pips: u32,
    borrow_cap_factor_bps: u16,
}

/// The liquidation ratio on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ramp {
    /// Where it was, in [`RAMP_UNIT`]s of a bps, and when.
    from: u64,
    since_seconds: u64,
    target_bps: u16,
    bps_per_day: u16,
}

/// Everything that the contract stores of a market but its pause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Market {
    /// Zero before the first update.
    start_seconds: u64,
    landed_seconds: u64,
    looser_count: u8,
    previous: Sides,
    next: Sides,
    applied_e9: u32,
    loosen_delay_seconds: u64,
    grace_after_seconds: u64,
    stale_after_seconds: u64,
    ramp: Ramp,
}

impl Market {
    /// One that has its first policy and no update: at the tightest vector.
    pub fn begin(policy: &Policy) -> Self {
        let tightest = policy.tightest();
        let target_bps = tightest.liquidation_collateral_ratio_bps;
        Self {
            start_seconds: 0,
            landed_seconds: 0,
            looser_count: 0,
            previous: Sides::default(),
            next: Sides::of(&tightest),
            applied_e9: policy.span().1,
            loosen_delay_seconds: 0,
            grace_after_seconds: 0,
            stale_after_seconds: 0,
            ramp: Ramp {
                from: u64::from(target_bps) * RAMP_UNIT,
                since_seconds: 0,
                target_bps,
                bps_per_day: policy.liquidation_rise_bps_per_day,
            },
        }
    }

    /// Moves it by an update of periods of that length.
    pub fn apply(&mut self, policy: &Policy, period_seconds: u32, update: Update) -> Applied {
        let in_force = self.seen(policy, update.landed_seconds).0;
        let (requested_e9, applied_e9, looser_count) = self.step(policy, period_seconds, update);
        let next = policy.vector_at(applied_e9);
        let part = |bps: u16| u64::from(period_seconds) * u64::from(bps) / u64::from(BPS);
        self.previous = Sides::of(&in_force);
        self.next = Sides::of(&next);
        (self.start_seconds, self.landed_seconds) = (update.start_seconds, update.landed_seconds);
        self.loosen_delay_seconds = policy.rules.loosen_delay_seconds.into();
        self.grace_after_seconds = part(policy.grace_after_bps);
        self.stale_after_seconds = part(policy.stale_after_bps);
        (self.applied_e9, self.looser_count) = (applied_e9, looser_count);
        if next.liquidation_collateral_ratio_bps != self.ramp.target_bps {
            self.ramp.turn(
                next.liquidation_collateral_ratio_bps,
                policy.liquidation_rise_bps_per_day,
                update.landed_seconds,
            );
        }
        Applied { requested_e9, applied_e9, looser_count, next }
    }

    /// Up as soon as a forecast is higher; down only after so many updates in a row that lie below by more than the margin; both
    /// by no more than the allowance of the time since the last update.
    fn step(&self, policy: &Policy, period_seconds: u32, update: Update) -> (u32, u32, u8) {
        let (rules, (lowest, highest)) = (&policy.rules, policy.span());
        let previous = self.applied_e9.clamp(lowest, highest);
        let forecast = update.volatility_e9.clamp(lowest, highest);
        let (span, bps) = (u128::from(highest - lowest), u128::from(BPS));
        let margin = span * u128::from(rules.margin_bps) / bps;
        let (mut requested, mut looser_count) = (previous, 0);
        if forecast >= previous {
            requested = forecast;
        } else if u128::from(forecast) + margin < u128::from(previous) {
            looser_count = self.looser_count.saturating_add(1).min(rules.dwell_periods);
            if looser_count >= rules.dwell_periods {
                requested = forecast;
            }
        }
        let period_seconds = u64::from(period_seconds);
        let elapsed =
            update.landed_seconds.saturating_sub(self.landed_seconds).min(MAX_RECHARGE_PERIODS * period_seconds);
        let allowance = |limit: u16| {
            let part = span * u128::from(elapsed) * u128::from(limit) / (bps * u128::from(period_seconds).max(1));
            if limit == BPS { highest } else { u32::try_from(part).unwrap_or(u32::MAX) }
        };
        let floor = previous.saturating_sub(allowance(rules.max_fall_bps_per_period));
        let ceiling = previous.saturating_add(allowance(rules.max_rise_bps_per_period));
        (requested, requested.clamp(floor, ceiling), looser_count)
    }

    /// What readers see at a time, and its status.
    pub fn seen(&self, policy: &Policy, now_seconds: u64) -> (Vector, Status) {
        let liquidation_bps = self.ramp.at(now_seconds) / RAMP_UNIT;
        let liquidation_bps = u16::try_from(liquidation_bps).unwrap_or(u16::MAX);
        let mut vector = Vector {
            borrow_collateral_ratio_bps: self.next.borrow_collateral_ratio_bps.max(liquidation_bps),
            liquidation_collateral_ratio_bps: liquidation_bps,
            amm_fee_pips: self.next.amm_fee_pips,
            borrow_cap_factor_bps: self.next.borrow_cap_factor_bps,
        };
        if now_seconds < self.landed_seconds + self.loosen_delay_seconds {
            tighten(&mut vector, self.previous);
        }
        let status = self.status(now_seconds);
        if status >= Status::Stale {
            tighten(&mut vector, Sides::of(&policy.tightest()));
        }
        (vector, status)
    }

    fn status(&self, now_seconds: u64) -> Status {
        let age_seconds = now_seconds.saturating_sub(self.start_seconds);
        match self.start_seconds {
            0 => Status::Unset,
            _ if age_seconds < self.grace_after_seconds => Status::Fresh,
            _ if age_seconds < self.stale_after_seconds => Status::Grace,
            _ => Status::Stale,
        }
    }
}

impl Sides {
    fn of(vector: &Vector) -> Self {
        Self {
            borrow_collateral_ratio_bps: vector.borrow_collateral_ratio_bps,
            amm_fee_pips: vector.amm_fee_pips,
            borrow_cap_factor_bps: vector.borrow_cap_factor_bps,
        }
    }
}

impl Ramp {
    fn at(&self, now_seconds: u64) -> u64 {
        let risen = u64::from(self.bps_per_day) * now_seconds.saturating_sub(self.since_seconds);
        (self.from + risen).min(u64::from(self.target_bps) * RAMP_UNIT)
    }

    fn turn(&mut self, target_bps: u16, bps_per_day: u16, now_seconds: u64) {
        let from = self.at(now_seconds).min(u64::from(target_bps) * RAMP_UNIT);
        *self = Self { from, since_seconds: now_seconds, target_bps, bps_per_day };
    }
}

fn tighten(vector: &mut Vector, to: Sides) {
    vector.borrow_collateral_ratio_bps = vector.borrow_collateral_ratio_bps.max(to.borrow_collateral_ratio_bps);
    vector.amm_fee_pips = vector.amm_fee_pips.max(to.amm_fee_pips);
    vector.borrow_cap_factor_bps = vector.borrow_cap_factor_bps.min(to.borrow_cap_factor_bps);
}
