use super::*;
use crate::drawdown::measured;
use proptest::prelude::*;
use veriregime_core::types::diagnostic::Diagnostic;

struct Given {
    rates: Vec<f64>,
    covariance: Vec<Vec<f64>>,
    paths: Vec<Vec<f64>>,
    limits: Limits,
}

impl Given {
    fn new(rates: &[f64], deviations: &[f64], cap: f64) -> Self {
        let count = rates.len();
        let entry = |row: usize, column: usize| if row == column { deviations[row] * deviations[row] } else { 0.0 };
        Self {
            rates: rates.to_vec(),
            covariance: (0..count).map(|row| (0..count).map(|column| entry(row, column)).collect()).collect(),
            paths: Vec::new(),
            limits: Limits { caps: vec![cap; count], min_position: 0.0, cash: None },
        }
    }

    fn best(&self, objective: Objective) -> Result<Vec<f64>, PortfolioError> {
        let Self { rates, covariance, paths, limits } = self;
        allocate(&Problem { rates, covariance, paths, limits }, objective)
    }
}

fn close(found: &[f64], expected: &[f64]) {
    let is_close =
        found.len() == expected.len() && found.iter().zip(expected).all(|(one, other)| (one - other).abs() < 1e-4);
    assert!(is_close, "{found:?} is not {expected:?}");
}

const SHARPE: Objective = Objective::MaxSharpe;

fn averse(risk_aversion: f64) -> Objective {
    Objective::MeanVariance { risk_aversion }
}

/// `w₁ = (r₁ − r₂ + a(v₂ − c)) / (a(v₁ + v₂ − 2c))`.
#[test]
fn two_strategies_by_mean_and_variance_are_those_of_the_formula() {
    let mut given = Given::new(&[0.07, 0.05], &[0.2, 0.1], 1.0);
    for covariance in [0.0, 0.01, -0.01] {
        given.covariance[0][1] = covariance;
        given.covariance[1][0] = covariance;
        for aversion in [1.0, 2.0, 5.0] {
            let first = (0.02 + aversion * (0.01 - covariance)) / (aversion * (0.05 - 2.0 * covariance));
            close(&given.best(averse(aversion)).unwrap(), &[first, 1.0 - first]);
        }
    }
}

/// Without risk aversion everything goes to the highest rate, cap after cap.
#[test]
fn without_aversion_the_highest_rates_are_filled_to_their_caps() {
    let given = Given::new(&[0.01, 0.07, 0.03, 0.05], &[0.1; 4], 0.4);
    close(&given.best(averse(0.0)).unwrap(), &[0.0, 0.4, 0.2, 0.4]);
    let given = Given::new(&[0.01, 0.07, 0.03, 0.05], &[0.1; 4], 0.25);
    close(&given.best(averse(3.0)).unwrap(), &[0.25; 4]);
}

/// Uncorrelated: weights of the tangency portfolio are as `excess / variance`.
#[test]
fn the_highest_sharpe_ratio_is_that_of_the_tangency_portfolio() {
    let mut given = Given::new(&[0.08, 0.05, 0.03], &[0.2, 0.1, 0.05], 1.0);
    let parts = [0.08 / 0.04, 0.05 / 0.01, 0.03 / 0.0025];
    let sum: f64 = parts.iter().sum();
    close(&given.best(SHARPE).unwrap(), &parts.map(|part| part / sum));
    // Beside cash that earns 2 %, whose ratio any part has: all is invested.
    given.limits.cash = Some(0.02);
    let parts = [0.06 / 0.04, 0.03 / 0.01, 0.01 / 0.0025];
    let sum: f64 = parts.iter().sum();
    close(&given.best(SHARPE).unwrap(), &parts.map(|part| part / sum));
    // A cap that binds scales everything down, the rest is cash.
    given.limits.caps = vec![0.2; 3];
    let highest = parts[2];
    close(&given.best(SHARPE).unwrap(), &parts.map(|part| 0.2 * part / highest));
    given.limits.cash = Some(0.09);
    close(&given.best(SHARPE).unwrap(), &[0.0; 3]);
}

#[test]
fn equals_are_held_equally() {
    let mut given = Given::new(&[0.05; 5], &[0.1; 5], 1.0);
    close(&given.best(averse(1.0)).unwrap(), &[0.2; 5]);
    close(&given.best(SHARPE).unwrap(), &[0.2; 5]);
    given.limits.caps = vec![0.2; 5];
    given.limits.min_position = 0.2;
    close(&given.best(SHARPE).unwrap(), &[0.2; 5]);
}

/// Two that fall by turns by as much: half of each never falls. Of the portfolios that never fell, the one that pays most is taken.
#[test]
fn drawdowns_that_cancel_are_held_in_equal_parts() {
    let mut given = Given::new(&[0.05, 0.05], &[0.1; 2], 1.0);
    given.paths = (0..40).map(|day| if day % 2 == 0 { vec![0.01, -0.01] } else { vec![-0.01, 0.01] }).collect();
    let objective = Objective::MinDrawdown { confidence: 0.9 };
    close(&given.best(objective).unwrap(), &[0.5, 0.5]);
    let mut given = Given::new(&[0.09, 0.02, 0.06], &[0.1; 3], 1.0);
    given.paths = (0..40)
        .map(|day| vec![if day == 20 { 0.0 } else { 0.02 }, 0.001 * f64::from(day), 0.002 * f64::from(day)])
        .collect();
    // The first falls by ten times of what the last rises by in a day: a part of 1 in 11 of it makes no fall.
    close(&given.best(objective).unwrap(), &[1.0 / 11.0, 0.0, 10.0 / 11.0]);
}

/// The program's drawdown is that of its weights, and no portfolio of a grid falls less.
#[test]
fn the_least_drawdown_is_below_that_of_every_other_portfolio() {
    let mut given = Given::new(&[0.05, 0.04, 0.03], &[0.1; 3], 0.8);
    let wave = |day: f64, speed: f64| 0.02 * (day * speed).sin() + 0.0004 * day;
    given.paths = (0..60).map(|day| [0.3, 0.5, 0.9].map(|speed| wave(f64::from(day), speed)).to_vec()).collect();
    for confidence in [0.0, 0.8, 0.95] {
        let found = given.best(Objective::MinDrawdown { confidence }).unwrap();
        let least = measured(&given.paths, &found, confidence);
        for one in 0..=16 {
            for two in 0..=(20 - one).min(16) {
                let weights = [f64::from(one) / 20.0, f64::from(two) / 20.0, f64::from(20 - one - two) / 20.0];
                let other = measured(&given.paths, &weights, confidence);
                assert!(
                    weights[2] > 0.8 || least <= other * 1.001 + 1e-6,
                    "{weights:?} at {confidence}: {other} < {least}"
                );
            }
        }
    }
}

#[test]
fn positions_below_the_smallest_are_closed_or_raised() {
    let mut given = Given::new(&[0.08, 0.05, 0.03], &[0.2, 0.1, 0.05], 1.0);
    given.limits.min_position = 0.3;
    // 0.105, 0.263 and 0.632 without the limit: the smallest goes, then 0.294 of the others' two is too small as well.
    close(&given.best(SHARPE).unwrap(), &[0.0, 0.0, 1.0]);
    given.limits.min_position = 0.2;
    close(&given.best(SHARPE).unwrap(), &[0.0, 5.0 / 17.0, 12.0 / 17.0]);
    // Three caps of 0.35: none can go, so the smallest is raised.
    let mut given = Given::new(&[0.08, 0.07, 0.01], &[0.1; 3], 0.35);
    given.limits.min_position = 0.32;
    let found = given.best(averse(0.0)).unwrap();
    close(&found, &[0.35, 0.33, 0.32]);
    given.limits.min_position = 0.34;
    assert_eq!(given.best(averse(0.0)).unwrap_err().code(), "VR-FOLIO-003");
}

#[test]
fn what_no_portfolio_can_be_made_of_is_refused_by_code() {
    let code = |given: &Given, objective| given.best(objective).unwrap_err().code();
    assert_eq!(code(&Given::new(&[], &[], 1.0), SHARPE), "VR-FOLIO-001");
    assert_eq!(code(&Given::new(&[0.1; 201], &[0.1; 201], 1.0), SHARPE), "VR-FOLIO-001");
    for rate in [f64::NAN, f64::INFINITY] {
        assert_eq!(code(&Given::new(&[0.1, rate], &[0.1; 2], 1.0), SHARPE), "VR-FOLIO-002");
    }
    assert_eq!(code(&Given::new(&[0.1; 2], &[0.1; 2], 1.5), SHARPE), "VR-FOLIO-002");
    let given = Given::new(&[0.1; 2], &[0.1; 2], 1.0);
    for objective in [
        averse(-1.0),
        averse(f64::NAN),
        Objective::MinDrawdown { confidence: 1.0 },
        Objective::MinDrawdown { confidence: 0.9 },
    ] {
        assert_eq!(code(&given, objective), "VR-FOLIO-002", "{objective:?}");
    }
    // Caps of less than everything; rates below nothing; cash mends both.
    let mut given = Given::new(&[0.1; 2], &[0.1; 2], 0.4);
    assert_eq!(code(&given, SHARPE), "VR-FOLIO-003");
    assert_eq!(code(&given, averse(1.0)), "VR-FOLIO-003");
    given.limits.cash = Some(0.0);
    close(&given.best(SHARPE).unwrap(), &[0.4; 2]);
    let mut given = Given::new(&[-0.1; 2], &[0.1; 2], 1.0);
    assert_eq!(code(&given, SHARPE), "VR-FOLIO-003");
    given.limits.cash = Some(0.0);
    close(&given.best(SHARPE).unwrap(), &[0.0; 2]);
    close(&given.best(averse(1.0)).unwrap(), &[0.0; 2]);
}

#[test]
fn two_hundred_strategies_are_solved() {
    let rates: Vec<f64> = (0..200).map(|at| 0.02 + 0.0005 * f64::from(at)).collect();
    let given = Given::new(&rates, &[0.1; 200], 0.1);
    for objective in [SHARPE, averse(1.0)] {
        let weights = given.best(objective).unwrap();
        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-6);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the numbers: weights keep to every limit, or the refusal has a code.
    #[test]
    fn weights_keep_to_their_limits(
        rates in proptest::collection::vec(-0.5..5.0_f64, 1..8),
        deviation in 1e-4..2.0_f64,
        cap in 0.05..1.0_f64,
        min_position in 0.0..0.3_f64,
        has_cash in any::<bool>(),
        which in 0..3_usize,
    ) {
        let deviations: Vec<f64> = (1..=rates.len()).map(|at| deviation * at as f64).collect();
        let mut given = Given::new(&rates, &deviations, cap);
        given.paths = (0..30).map(|day| rates.iter().map(|rate| rate * (f64::from(day) * (1.0 + rate)).sin() / 100.0).collect()).collect();
        given.limits.min_position = min_position;
        given.limits.cash = has_cash.then_some(0.0);
        let objective = [averse(1.0), SHARPE, Objective::MinDrawdown { confidence: 0.9 }][which];
        match given.best(objective) {
            Ok(weights) => {
                let sum: f64 = weights.iter().sum();
                prop_assert!(sum <= 1.0 + 1e-6 && (has_cash || sum >= 1.0 - 1e-4), "{weights:?}");
                for weight in weights {
                    prop_assert!(weight == 0.0 || weight >= min_position - 1e-4 && weight <= cap + 1e-9, "{weight}");
                }
            }
            Err(error) => prop_assert_eq!(error.code(), "VR-FOLIO-003", "{}", error),
        }
    }
}
