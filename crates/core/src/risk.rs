//! A market's risk parameters, the policy that they follow, and why an update moved them as it did.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// Basis points of a whole.
const BPS: u64 = 10_000;
/// Hundredths of a basis point in one.
const PIPS_OF_BPS: f64 = 100.0;
/// Volatilities are integers of this many a unit.
const E9: f64 = 1e9;

/// A market's parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    /// Collateral for new borrowing, in bps of the debt.
    pub borrow_collateral_ratio_bps: u16,
    /// Collateral below which a position may be liquidated, in bps of the debt.
    pub liquidation_collateral_ratio_bps: u16,
    /// Swap fee, in hundredths of a bps.
    pub amm_fee_pips: u32,
    /// Part of the borrow cap that is open, in bps.
    pub borrow_cap_factor_bps: u16,
}

/// The parameters at a volatility.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Knot {
    /// Standard deviation of one-minute returns, times 1e9.
    pub volatility_e9: u32,
    /// The parameters there.
    #[serde(flatten)]
    pub vector: Vector,
}

/// What of a market's policy decides how an update moves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// Rising in volatility; at least two.
    pub knots: Vec<Knot>,
    /// How far a forecast must lie below what is applied to count as looser, in bps of the knots' span.
    pub margin_bps: u16,
    /// Updates in a row that must ask for looser values.
    pub dwell_periods: u8,
    /// Largest rise of what is applied in a period's time, in bps of the span.
    pub max_rise_bps_per_period: u16,
    /// Largest fall in a period's time, in bps of the span.
    pub max_fall_bps_per_period: u16,
    /// Time from landing until looser values hold, seconds.
    pub loosen_delay_seconds: u32,
}

/// What an update did to a market. Volatilities are standard deviations of one-minute returns, times 1e9.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// What was forecast.
    pub forecast_e9: u32,
    /// What the limits on rises and falls were asked for.
    pub requested_e9: u32,
    /// What the parameters follow.
    pub applied_e9: u32,
    /// What the update leads to.
    pub after: Vector,
}

/// What held before an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Before {
    /// The volatility that the parameters followed, times 1e9.
    pub applied_e9: u32,
    /// The parameters that readers saw.
    pub vector: Vector,
}

/// What an update did to one market, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Index of the market in the model.
    pub market: usize,
    /// Forecast probability of a High period, in bps.
    pub probability_high_bps: u16,
    /// Where it led to.
    pub moved: Move,
    /// From when looser values hold alone, Unix seconds.
    pub effective_at_seconds: u64,
    /// What held before; `None` where the chain had no state of then.
    pub before: Option<Before>,
    /// The rules of then; `None` likewise.
    pub rules: Option<Rules>,
}

impl Applied {
    /// Why the market moved as it did.
    pub fn reason(&self) -> Reason {
        reason(&self.moved, self.before.as_ref(), self.rules.as_ref())
    }
}

/// A rule that kept the parameters from going where the forecast alone would have led them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Too few updates in a row have asked for looser values.
    Dwell,
    /// The forecast is lower, but by no more than the margin.
    Margin,
    /// It rises by as much as it may.
    MaxRise,
    /// It falls by as much as it may.
    MaxFall,
    /// The forecast is below the first knot, and counts as that.
    FirstKnot,
    /// The forecast is above the last knot, and counts as that.
    LastKnot,
    /// Looser values wait for their delay.
    LoosenDelay,
}

impl Bound {
    /// The name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dwell => "dwell",
            Self::Margin => "margin",
            Self::MaxRise => "max_rise",
            Self::MaxFall => "max_fall",
            Self::FirstKnot => "first_knot",
            Self::LastKnot => "last_knot",
            Self::LoosenDelay => "loosen_delay",
        }
    }
}

/// Why a market moved as it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The rules that bound; none where the forecast alone decided.
    pub bound: Vec<Bound>,
    /// The same in one sentence.
    pub because: String,
}

/// Whether a vector is looser than another in any of its values.
pub fn is_looser(one: &Vector, than: &Vector) -> bool {
    one.borrow_collateral_ratio_bps < than.borrow_collateral_ratio_bps
        || one.amm_fee_pips < than.amm_fee_pips
        || one.borrow_cap_factor_bps > than.borrow_cap_factor_bps
}

/// Why an update moved a market as it did, by the contract's rules. Without what held before, or without the rules, only what
/// the update itself says is told.
pub fn reason(moved: &Move, before: Option<&Before>, rules: Option<&Rules>) -> Reason {
    let mut bound = Vec::new();
    let ends = rules.and_then(|rules| Some((rules.knots.first()?.volatility_e9, rules.knots.last()?.volatility_e9)));
    if let Some((lowest, highest)) = ends {
        let previous = before.map(|before| before.applied_e9.clamp(lowest, highest));
        let forecast = moved.forecast_e9.clamp(lowest, highest);
        if let Some(previous) = previous.filter(|previous| forecast < *previous && moved.requested_e9 == *previous) {
            let span = u64::from(highest.saturating_sub(lowest));
            let margin = span * u64::from(rules.map_or(0, |rules| rules.margin_bps)) / BPS;
            let is_beyond = u64::from(forecast) + margin < u64::from(previous);
            bound.push(if is_beyond { Bound::Dwell } else { Bound::Margin });
        } else if moved.forecast_e9 < lowest {
            bound.push(Bound::FirstKnot);
        }
        if moved.forecast_e9 > highest {
            bound.push(Bound::LastKnot);
        }
    }
    match moved.applied_e9.cmp(&moved.requested_e9) {
        std::cmp::Ordering::Less => bound.push(Bound::MaxRise),
        std::cmp::Ordering::Greater => bound.push(Bound::MaxFall),
        std::cmp::Ordering::Equal => {}
    }
    let waits = rules.is_none_or(|rules| rules.loosen_delay_seconds > 0);
    if waits && before.is_some_and(|before| is_looser(&moved.after, &before.vector)) {
        bound.push(Bound::LoosenDelay);
    }
    Reason { because: sentence(moved, before, rules, &bound), bound }
}

fn sentence(moved: &Move, before: Option<&Before>, rules: Option<&Rules>, bound: &[Bound]) -> String {
    let bps = |volatility_e9: u32| f64::from(volatility_e9) / E9 * BPS as f64;
    let percent = |bps: u16| f64::from(bps) / 100.0;
    let mut text = String::new();
    // Writing into text never fails.
    let _ = match before.map(|before| before.applied_e9.cmp(&moved.applied_e9)) {
        None => write!(text, "The parameters follow a volatility of {:.1} bps a minute", bps(moved.applied_e9)),
        Some(std::cmp::Ordering::Equal) => {
            write!(text, "Nothing moved: the parameters keep to {:.1} bps a minute", bps(moved.applied_e9))
        }
        Some(order) => {
            let (verb, from) =
                (if order.is_lt() { "rose" } else { "fell" }, before.map_or(0, |before| before.applied_e9));
            write!(
                text,
                "The volatility that the parameters follow {verb} from {:.1} to {:.1} bps a minute",
                bps(from),
                bps(moved.applied_e9)
            )
        }
    };
    let _ = write!(text, "; {:.1} were forecast", bps(moved.forecast_e9));
    for one in bound {
        let _ = match one {
            Bound::Dwell => write!(
                text,
                ", and looser values need {} such updates in a row",
                rules.map_or(0, |rules| rules.dwell_periods)
            ),
            Bound::Margin => write!(
                text,
                ", which is lower by no more than the margin of {} % of the policy's span",
                percent(rules.map_or(0, |rules| rules.margin_bps))
            ),
            Bound::MaxRise => {
                write!(text, ", and it may not rise faster ({:.1} were asked for)", bps(moved.requested_e9))
            }
            Bound::MaxFall => {
                write!(text, ", and it may not fall faster ({:.1} were asked for)", bps(moved.requested_e9))
            }
            Bound::FirstKnot => write!(text, ", below the policy's first knot, which is as loose as it gets"),
            Bound::LastKnot => write!(text, ", above the policy's last knot, which is as tight as it gets"),
            Bound::LoosenDelay => match rules {
                Some(rules) => write!(text, ", and looser values hold {} s after landing", rules.loosen_delay_seconds),
                None => write!(text, ", and looser values hold only after a delay"),
            },
        };
    }
    if let Some(before) = before.filter(|before| before.vector != moved.after) {
        let (was, is) = (&before.vector, &moved.after);
        let _ = write!(
            text,
            ". New loans need {} % of the debt (before {} %), swaps cost {} bps (before {} bps)",
            percent(is.borrow_collateral_ratio_bps),
            percent(was.borrow_collateral_ratio_bps),
            f64::from(is.amm_fee_pips) / PIPS_OF_BPS,
            f64::from(was.amm_fee_pips) / PIPS_OF_BPS,
        );
    }
    text + "."
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn vector(volatility_e9: u32) -> Vector {
        let step = u16::try_from(volatility_e9 / 1000).unwrap();
        Vector {
            borrow_collateral_ratio_bps: 12_000 + step,
            liquidation_collateral_ratio_bps: 11_000,
            amm_fee_pips: 500 + u32::from(step),
            borrow_cap_factor_bps: 10_000 - step,
        }
    }

    fn rules() -> Rules {
        let knot = |volatility_e9| Knot { volatility_e9, vector: vector(volatility_e9) };
        Rules {
            knots: vec![knot(400_000), knot(1_400_000)],
            margin_bps: 500,
            dwell_periods: 2,
            max_rise_bps_per_period: 10_000,
            max_fall_bps_per_period: 2_500,
            loosen_delay_seconds: 600,
        }
    }

    fn told(previous: u32, forecast: u32, requested: u32, applied: u32) -> Vec<Bound> {
        let moved =
            Move { forecast_e9: forecast, requested_e9: requested, applied_e9: applied, after: vector(applied) };
        let before = Before { applied_e9: previous, vector: vector(previous) };
        reason(&moved, Some(&before), Some(&rules())).bound
    }

    #[test]
    fn each_rule_is_told_where_it_bound_and_only_there() {
        assert_eq!(told(500_000, 900_000, 900_000, 900_000), [], "up at once");
        assert_eq!(told(900_000, 860_000, 900_000, 900_000), [Bound::Margin]);
        assert_eq!(told(900_000, 840_000, 900_000, 900_000), [Bound::Dwell]);
        assert_eq!(told(1_400_000, 500_000, 500_000, 1_150_000), [Bound::MaxFall, Bound::LoosenDelay]);
        assert_eq!(told(500_000, 1_300_000, 1_300_000, 700_000), [Bound::MaxRise]);
        assert_eq!(told(500_000, 300_000, 400_000, 400_000), [Bound::FirstKnot, Bound::LoosenDelay]);
        assert_eq!(told(1_400_000, 9_000_000, 1_400_000, 1_400_000), [Bound::LastKnot]);
        assert_eq!(told(500_000, 300_000, 500_000, 500_000), [Bound::Dwell], "what bound first");
    }

    #[test]
    fn without_the_state_of_then_only_the_update_speaks() {
        let moved = Move { forecast_e9: 300_000, requested_e9: 500_000, applied_e9: 700_000, after: vector(700_000) };
        assert_eq!(reason(&moved, None, None).bound, [Bound::MaxFall]);
        assert_eq!(
            reason(&moved, None, None).because,
            "The parameters follow a volatility of 7.0 bps a minute; 3.0 were forecast, and it may not fall faster (5.0 were asked for)."
        );
    }

    #[test]
    fn the_sentence_says_what_moved_and_why() {
        let moved = Move { forecast_e9: 840_000, requested_e9: 900_000, applied_e9: 900_000, after: vector(900_000) };
        let before = Before { applied_e9: 900_000, vector: vector(900_000) };
        assert_eq!(
            reason(&moved, Some(&before), Some(&rules())).because,
            "Nothing moved: the parameters keep to 9.0 bps a minute; 8.4 were forecast, and looser values need 2 such updates in a row."
        );
        let moved =
            Move { forecast_e9: 1_300_000, requested_e9: 1_300_000, applied_e9: 1_300_000, after: vector(1_300_000) };
        assert_eq!(
            reason(&moved, Some(&before), Some(&rules())).because,
            "The volatility that the parameters follow rose from 9.0 to 13.0 bps a minute; 13.0 were forecast. New loans need 133 % of the debt \
             (before 129 %), swaps cost 18 bps (before 14 bps)."
        );
    }

    /// The contract's rule, as `RiskState.step` has it, of one period's time between two updates.
    fn step(previous: u32, forecast: u32, is_dwelt: bool, rules: &Rules) -> (u32, u32) {
        let (lowest, highest) = (rules.knots[0].volatility_e9, rules.knots[1].volatility_e9);
        let (previous, forecast) = (previous.clamp(lowest, highest), forecast.clamp(lowest, highest));
        let part = |bps: u16| u32::try_from(u64::from(highest - lowest) * u64::from(bps) / BPS).unwrap();
        let is_lower = forecast + part(rules.margin_bps) < previous;
        let requested = if forecast >= previous || (is_lower && is_dwelt) { forecast } else { previous };
        let (rise, fall) = (part(rules.max_rise_bps_per_period), part(rules.max_fall_bps_per_period));
        (requested, requested.clamp(previous.saturating_sub(fall), previous + rise))
    }

    proptest! {
        #[test]
        fn where_nothing_bound_the_forecast_alone_decided(
            previous in 400_000_u32..=1_400_000, forecast in 1_u32..3_000_000, is_dwelt: bool,
            rise in 1_u16..=10_000, fall in 1_u16..=10_000, margin in 0_u16..=10_000,
        ) {
            let rules = Rules { max_rise_bps_per_period: rise, max_fall_bps_per_period: fall, margin_bps: margin, ..rules() };
            let (requested, applied) = step(previous, forecast, is_dwelt, &rules);
            let fine = |volatility_e9| Vector { amm_fee_pips: volatility_e9, ..vector(volatility_e9) };
            let moved = Move { forecast_e9: forecast, requested_e9: requested, applied_e9: applied, after: fine(applied) };
            let before = Before { applied_e9: previous, vector: fine(previous) };
            let Reason { bound, because } = reason(&moved, Some(&before), Some(&rules));
            let decides = bound.iter().all(|one| *one == Bound::LoosenDelay);
            prop_assert_eq!(decides, applied == forecast, "{:?}", bound);
            prop_assert_eq!(bound.contains(&Bound::LoosenDelay), applied < previous);
            prop_assert!(because.ends_with('.') && because.len() < 500);
        }
    }
}
