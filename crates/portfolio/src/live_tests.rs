use super::*;
use crate::problem::Objective;
use proptest::prelude::*;

fn policy(is_open: bool, gate_days: f64) -> Policy {
    let objective = Objective::MeanVariance { risk_aversion: 0.0 };
    Policy { objective, min_position: 0.0, cash: Some(0.0), gate_days, is_open }
}

fn follow(policy: &Policy) -> Rule<'_> {
    Rule::Follow { policy, cap: 1.0, past_days: 30 }
}

/// Turns every seven days whose expectations are the next week's mean rates.
fn turns(daily: &[Daily], leg: Leg) -> Vec<Turn> {
    let days = daily[0].len();
    let mean = |rates: &Daily, day: usize| {
        let week: Vec<f64> = rates[day + 1..(day + 8).min(days)].iter().flatten().copied().collect();
        week.iter().sum::<f64>() / week.len().max(1) as f64
    };
    let turn = |day: usize| Turn {
        day,
        expected: daily.iter().map(|rates| Some((mean(rates, day), 0.01))).collect(),
        legs: vec![leg; daily.len()],
    };
    (0..days - 1).step_by(7).map(turn).collect()
}

#[test]
fn a_year_of_one_rate_is_compounded_and_entered_once() {
    let daily = vec![vec![Some(0.10); 366], vec![Some(0.05); 366]];
    let leg = Leg { gas_usd: 10.0, slippage: 0.001 };
    let turns = turns(&daily, leg);
    let grown = |rate: f64| (1.0 + rate / 365.0_f64).powi(365);
    let life = live(10_000.0, &turns, &daily, follow(&policy(false, 30.0))).unwrap();
    // 10 of gas and 10 of slippage.
    assert!((life.end_usd - 9_980.0 * grown(0.10)).abs() < 1e-3, "{life:?}");
    assert_eq!((life.made, life.refused), (1, 0));
    assert!((life.net_apy(10_000.0, 365) - (life.end_usd / 10_000.0 - 1.0)).abs() < 1e-12);
    let equal = live(10_000.0, &turns, &daily, Rule::EqualHeld).unwrap();
    assert!((equal.end_usd - 4_985.0 * (grown(0.10) + grown(0.05))).abs() < 1e-3, "{equal:?}");
    assert!((foreseen(10_000.0, &turns, &daily) - life.end_usd).abs() < 1e-3);
}

/// Two that swap places each week: who always follows pays more than he earns, who asks what it costs stays.
#[test]
fn the_gate_keeps_out_of_moves_that_do_not_pay() {
    let rates = |first: bool| {
        (0..366).map(|day| Some(if (day / 7 % 2 == 0) == first { 0.06 } else { 0.02 })).collect::<Daily>()
    };
    let daily = vec![rates(true), rates(false)];
    let turns = turns(&daily, Leg { gas_usd: 20.0, slippage: 0.0 });
    let always = live(10_000.0, &turns, &daily, follow(&policy(true, 30.0))).unwrap();
    let gated = live(10_000.0, &turns, &daily, follow(&policy(false, 30.0))).unwrap();
    assert!(always.made > 40 && always.end_usd < 10_000.0, "{always:?}");
    assert!(gated.made == 1 && gated.refused > 20 && gated.end_usd > 10_350.0, "{gated:?}");
    assert!(foreseen(10_000.0, &turns, &daily) >= gated.end_usd);
    // With so much that gas is nothing, following is better.
    let [always, gated] =
        [true, false].map(|is_open| live(1e7, &turns, &daily, follow(&policy(is_open, 30.0))).unwrap());
    assert!(always.end_usd > 1.05e7 && (gated.end_usd - always.end_usd).abs() < 1.0);
}

/// What can no longer be entered is left, and earns nothing until then.
#[test]
fn what_ends_is_left() {
    let ends: Daily = (0..60).map(|day| (day < 20).then_some(0.5)).collect();
    let daily = vec![ends, vec![Some(0.04); 60]];
    let mut turns = turns(&daily, Leg { gas_usd: 1.0, slippage: 0.0 });
    for turn in turns.iter_mut().filter(|turn| turn.day >= 20) {
        turn.expected[0] = None;
    }
    let life = live(10_000.0, &turns, &daily, follow(&policy(false, 30.0))).unwrap();
    // Entered on day 0, earns to day 19, left at the end of day 21, in the other until day 59.
    let expected = ((9_999.0 * (1.0 + 0.5 / 365.0_f64).powi(19)) - 2.0) * (1.0 + 0.04 / 365.0_f64).powi(38);
    assert!((life.end_usd - expected).abs() < 0.02, "{life:?} is not {expected}");
}

/// Nothing that came after a turn moves it: two futures that part after it have the same past.
#[test]
fn a_turn_does_not_see_what_comes() {
    let of = |later: f64| {
        let rates = |swing: f64| {
            (0..40).map(|day| Some(if day > 28 { later } else { 0.05 + swing * f64::from(day % 3) })).collect::<Daily>()
        };
        let daily = vec![rates(0.01), rates(0.02), rates(0.0)];
        let leg = Leg { gas_usd: 1.0, slippage: 0.0 };
        let turn = |day: usize| Turn {
            day,
            expected: vec![Some((0.05, 0.01)), Some((0.06, 0.02)), Some((0.055, 0.01))],
            legs: vec![leg; 3],
        };
        let turns: Vec<Turn> = [14, 21, 28].map(turn).to_vec();
        let sharpe = Policy { objective: Objective::MaxSharpe, ..policy(true, 30.0) };
        live(10_000.0, &turns, &daily, Rule::Follow { policy: &sharpe, cap: 0.6, past_days: 20 }).unwrap()
    };
    let (one, other) = (of(0.0), of(9.0));
    assert_eq!((one.made, one.cost_usd.to_bits()), (other.made, other.cost_usd.to_bits()));
    assert!(other.end_usd > one.end_usd);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Nobody who puts everything in one place does better than he who knew all, who at least keeps what he has.
    #[test]
    fn foresight_is_the_best_of_all(
        rates in proptest::collection::vec(proptest::collection::vec(-0.2..1.0_f64, 5), 1..4),
        gas_usd in 0.0..100.0_f64,
    ) {
        let daily: Vec<Daily> = rates.iter().map(|weeks| {
            std::iter::once(Some(0.0)).chain(weeks.iter().flat_map(|rate| [Some(*rate); 7])).collect()
        }).collect();
        let turns = turns(&daily, Leg { gas_usd, slippage: 0.001 });
        let best = foreseen(10_000.0, &turns, &daily);
        for (is_open, days) in [(true, 30.0), (false, 30.0), (false, 7.0)] {
            let life = live(10_000.0, &turns, &daily, follow(&policy(is_open, days))).unwrap();
            prop_assert!(life.end_usd <= best * (1.0 + 1e-6), "{} above {best}", life.end_usd);
        }
        prop_assert!(best >= 10_000.0);
    }
}
