use serde_json::{Value, json};

use super::market::{Market, Status, Update};
use super::*;
use crate::risk::Knot;

/// What the contract's libraries are held to as well, in `contracts/test/PolicyVectors.t.sol`.
const VECTORS: &str = include_str!("../../../../contracts/test/vectors/policy.json");
/// Set to write the vectors anew where the rules are to change.
const WRITE: &str = "VERIREGIME_WRITE_VECTORS";
const CASES: u64 = 12;
const UPDATES: u64 = 40;
const START_SECONDS: u64 = 1_722_816_000;

/// Numbers that look random and are the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From `low` to `high`, both included; the ends more often than others.
    fn within(&mut self, low: u64, high: u64) -> u64 {
        match self.next() % 8 {
            0 => low,
            1 => high,
            _ => low + self.next() % (high - low + 1),
        }
    }

    fn small<T: TryFrom<u64>>(&mut self, low: u64, high: u64) -> T {
        T::try_from(self.within(low, high)).unwrap_or_else(|_| unreachable!("it fits"))
    }

    fn policy(&mut self) -> Policy {
        let (mut volatility, mut vector) = (self.within(1, 1_000_000), Bounds::WIDEST.loosest());
        let count = 2 + self.next() % 3;
        let knots = (0..count).map(|_| {
            vector.liquidation_collateral_ratio_bps =
                self.small(vector.liquidation_collateral_ratio_bps.into(), 14_000);
            let least = vector.borrow_collateral_ratio_bps.max(vector.liquidation_collateral_ratio_bps);
            vector.borrow_collateral_ratio_bps = self.small(least.into(), 30_000);
            vector.amm_fee_pips = self.small(vector.amm_fee_pips.into(), 20_000);
            vector.borrow_cap_factor_bps =
                self.small(1_000.min(vector.borrow_cap_factor_bps).into(), vector.borrow_cap_factor_bps.into());
            volatility += self.within(10_000, 1_500_000);
            Knot { volatility_e9: u32::try_from(volatility).unwrap(), vector }
        });
        let knots = knots.collect();
        let grace_after_bps = self.small(10_000, 20_000);
        Policy {
            rules: Rules {
                knots,
                margin_bps: self.small(0, 2_000),
                dwell_periods: self.small(1, 4),
                max_rise_bps_per_period: self.small(1, 10_000),
                max_fall_bps_per_period: self.small(1, 10_000),
                loosen_delay_seconds: self.small(0, 20_000),
            },
            liquidation_rise_bps_per_day: self.small(1, 200),
            grace_after_bps,
            stale_after_bps: self.small(grace_after_bps.into(), 60_000),
        }
    }
}

fn numbers(vector: &Vector) -> [u64; 4] {
    [
        vector.borrow_collateral_ratio_bps.into(),
        vector.liquidation_collateral_ratio_bps.into(),
        vector.amm_fee_pips.into(),
        vector.borrow_cap_factor_bps.into(),
    ]
}

fn written(policy: &Policy) -> Value {
    let knots: Vec<u64> = policy
        .rules
        .knots
        .iter()
        .flat_map(|knot| [&[u64::from(knot.volatility_e9)][..], &numbers(&knot.vector)].concat())
        .collect();
    let rules = &policy.rules;
    json!({
        "knots": knots,
        "limits": [
            u32::from(rules.margin_bps),
            u32::from(rules.dwell_periods),
            u32::from(rules.max_rise_bps_per_period),
            u32::from(rules.max_fall_bps_per_period),
            rules.loosen_delay_seconds,
            u32::from(policy.liquidation_rise_bps_per_day),
            u32::from(policy.grace_after_bps),
            u32::from(policy.stale_after_bps),
        ],
    })
}

/// A case, and how often the market moved in it.
fn case(random: &mut Random) -> (Value, usize) {
    let policy = random.policy();
    policy.check(&Bounds::WIDEST).unwrap();
    let period_seconds = u32::try_from([3_600, 14_400, 86_400][(random.next() % 3) as usize]).unwrap();
    let (lowest, highest) = policy.span();
    let mut market = Market::begin(&policy);
    let (mut updates, mut expected, mut start) = (Vec::new(), Vec::new(), START_SECONDS / 86_400 * 86_400);
    let mut applied = Vec::new();
    for _ in 0..UPDATES {
        // Now and then periods are left out, for longer than unused allowance adds up.
        start += u64::from(period_seconds) * if random.next().is_multiple_of(6) { random.within(2, 9) } else { 1 };
        let landed_seconds = start + random.within(0, u64::from(period_seconds) - 1);
        let volatility = random.within((lowest / 2).into(), u64::from(highest) * 5 / 4);
        let update = Update { start_seconds: start, landed_seconds, volatility_e9: u32::try_from(volatility).unwrap() };
        let moved = market.apply(&policy, period_seconds, update);
        let looked_at = landed_seconds + random.within(0, u64::from(period_seconds) * 2);
        let (seen, status) = market.seen(&policy, looked_at);
        updates.extend([start, landed_seconds, volatility, looked_at]);
        expected.extend([u64::from(moved.requested_e9), moved.applied_e9.into(), moved.looser_count.into()]);
        expected.extend(numbers(&moved.next));
        expected.extend(numbers(&seen));
        expected.push(status as u64);
        applied.push(moved.applied_e9);
    }
    applied.dedup();
    let mut case = written(&policy);
    case["period_seconds"] = period_seconds.into();
    case["updates"] = updates.into();
    case["expected"] = expected.into();
    (case, applied.len())
}

/// Policies that are not right in one way each, with the field that the contract names.
fn refused(random: &mut Random) -> Vec<Value> {
    let mut found = Vec::new();
    let changes: [fn(&mut Policy); 14] = [
        |policy| policy.rules.knots.truncate(1),
        |policy| policy.rules.knots = vec![policy.rules.knots[0]; 5],
        |policy| policy.rules.knots[1].volatility_e9 = policy.rules.knots[0].volatility_e9,
        |policy| policy.rules.knots[1].vector.amm_fee_pips = policy.rules.knots[0].vector.amm_fee_pips.wrapping_sub(1),
        |policy| policy.rules.knots[0].vector.borrow_cap_factor_bps = 10_001,
        |policy| policy.rules.knots[0].vector.liquidation_collateral_ratio_bps = 10_499,
        |policy| policy.rules.knots[0].vector.borrow_collateral_ratio_bps = 10_499,
        |policy| policy.rules.margin_bps = 10_001,
        |policy| policy.rules.dwell_periods = 0,
        |policy| policy.rules.max_rise_bps_per_period = 0,
        |policy| policy.rules.max_fall_bps_per_period = 10_001,
        |policy| policy.rules.loosen_delay_seconds = 86_401,
        |policy| policy.grace_after_bps = 9_999,
        |policy| policy.stale_after_bps = policy.grace_after_bps - 1,
    ];
    for change in changes {
        let mut policy = random.policy();
        policy.rules.knots[0].vector.amm_fee_pips = policy.rules.knots[0].vector.amm_fee_pips.max(1);
        for at in 1..policy.rules.knots.len() {
            let least = policy.rules.knots[at - 1].vector.amm_fee_pips;
            let fee = &mut policy.rules.knots[at].vector.amm_fee_pips;
            *fee = (*fee).max(least);
        }
        policy.check(&Bounds::WIDEST).unwrap();
        change(&mut policy);
        let refusal = policy.check(&Bounds::WIDEST).unwrap_err();
        let mut case = written(&policy);
        case["field"] = refusal.field.into();
        found.push(case);
    }
    let mut policy = random.policy();
    let last = policy.rules.knots.len() - 1;
    policy.liquidation_rise_bps_per_day = 0;
    policy.rules.knots[last].vector.liquidation_collateral_ratio_bps += 1;
    policy.rules.knots[last].vector.borrow_collateral_ratio_bps += 1;
    let mut case = written(&policy);
    case["field"] = policy.check(&Bounds::WIDEST).unwrap_err().field.into();
    assert_eq!(case["field"], "liquidationRiseBpsPerDay");
    found.push(case);
    found
}

#[test]
fn the_rules_are_those_of_the_vectors_that_the_contract_is_held_to() {
    let mut random = Random(20);
    let (cases, moves): (Vec<Value>, Vec<usize>) = (0..CASES).map(|_| case(&mut random)).unzip();
    assert!(moves.iter().sum::<usize>() as u64 > CASES * UPDATES / 4, "markets move: {moves:?}");
    let text = json!({ "cases": cases, "refused": refused(&mut random) }).to_string() + "\n";
    if std::env::var_os(WRITE).is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../contracts/test/vectors/policy.json");
        std::fs::write(path, &text).unwrap();
        return;
    }
    assert_eq!(text, VECTORS, "set {WRITE} and run it again where this is what was wanted");
}

#[test]
fn a_market_waits_tightens_at_once_and_goes_stale() {
    let knot = |volatility_e9, ratio, fee| Knot {
        volatility_e9,
        vector: Vector {
            borrow_collateral_ratio_bps: ratio,
            liquidation_collateral_ratio_bps: 13_000,
            amm_fee_pips: fee,
            borrow_cap_factor_bps: 10_000,
        },
    };
    let policy = Policy {
        rules: Rules {
            knots: vec![knot(500_000, 15_000, 500), knot(2_500_000, 20_000, 10_500)],
            margin_bps: 500,
            dwell_periods: 2,
            max_rise_bps_per_period: 10_000,
            max_fall_bps_per_period: 10_000,
            loosen_delay_seconds: 600,
        },
        liquidation_rise_bps_per_day: 0,
        grace_after_bps: 15_000,
        stale_after_bps: 30_000,
    };
    let mut market = Market::begin(&policy);
    assert_eq!(market.seen(&policy, START_SECONDS), (policy.tightest(), Status::Unset));
    let update = |at: u64, volatility_e9| Update {
        start_seconds: START_SECONDS + at * 14_400,
        landed_seconds: START_SECONDS + at * 14_400 + 15,
        volatility_e9,
    };
    let first = market.apply(&policy, 14_400, update(0, 1_500_000));
    assert_eq!((first.applied_e9, first.looser_count), (2_500_000, 1), "one is not enough");
    let second = market.apply(&policy, 14_400, update(1, 1_500_000));
    assert_eq!((second.applied_e9, second.next.amm_fee_pips), (1_500_000, 5_500));
    let at = START_SECONDS + 14_400 + 15;
    assert_eq!(market.seen(&policy, at + 599).0.amm_fee_pips, 10_500, "looser values wait");
    assert_eq!(market.seen(&policy, at + 600).0.amm_fee_pips, 5_500);
    let third = market.apply(&policy, 14_400, update(2, 1_700_000));
    assert_eq!(
        (third.applied_e9, market.seen(&policy, at + 14_400).0.amm_fee_pips),
        (1_700_000, 6_500),
        "tighter at once"
    );
    let (vector, status) = market.seen(&policy, at + 14_400 * 4);
    assert_eq!((vector, status), (policy.tightest(), Status::Stale));
}

#[test]
fn the_parameters_at_a_volatility_lie_between_those_of_the_knots() {
    let mut random = Random(7);
    for _ in 0..200 {
        let policy = random.policy();
        let (lowest, highest) = policy.span();
        let mut last = policy.vector_at(0);
        for step in 0..=40_u64 {
            let volatility = u64::from(lowest) - 1 + (u64::from(highest - lowest) + 2) * step / 40;
            let vector = policy.vector_at(u32::try_from(volatility).unwrap());
            assert!(is_tighter(&last, &vector).is_ok(), "{last:?} {vector:?}");
            last = vector;
        }
        assert_eq!((policy.vector_at(lowest), last), (policy.rules.knots[0].vector, policy.tightest()));
    }
}
