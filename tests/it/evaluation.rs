//! Evaluation: standard errors are right where they are known, and baselines learn from the training part alone.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use veriregime_agent::evaluation::baselines;
use veriregime_agent::evaluation::outcomes::{Forecast, Forecaster, Outcomes};
use veriregime_agent::evaluation::report::{Figure, Report};
use veriregime_agent::evaluation::tallies::Metric;
use veriregime_agent::features::sums::Sums;
use veriregime_agent::training::dataset::Wanted;
use veriregime_agent::types::candle::{Candle, CandleSeries};
use veriregime_agent::types::manifest::Label;
use veriregime_agent::types::time::parse_utc_ms;

use crate::market::candles;

const HOUR_MS: i64 = 3_600_000;
const DAYS: usize = 800;

/// Hourly outcomes over many days, every sixth on the grid of periods' starts.
fn outcomes(was_high: Vec<bool>) -> Outcomes {
    let rows = was_high.len();
    Outcomes {
        at: (0..rows).map(|row| row * 60).collect(),
        time_ms: (0..rows).map(|row| row as i64 * HOUR_MS).collect(),
        log_volatility: was_high.iter().map(|high| if *high { -7.0 } else { -8.0 }).collect(),
        on_grid: (0..rows).map(|row| row % 4 == 0).collect(),
        was_high,
    }
}

fn coins(seed: u64, share: f64) -> Vec<bool> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..DAYS * 24).map(|_| random.random_bool(share)).collect()
}

/// A forecaster that is right where `right` says so.
fn forecaster(by: Forecaster, outcomes: &Outcomes, right: &[bool]) -> Forecast {
    let rating = |(high, right): (&bool, &bool)| if high == right { 0.7 } else { 0.3 };
    Forecast::of_probabilities(by, outcomes.was_high.iter().zip(right).map(rating).collect())
}

fn accuracy(report: &Report, by: Forecaster) -> Figure {
    report.figure(by, Metric::Accuracy).expect("everybody has an accuracy")
}

fn near(found: f64, expected: f64, share: f64) {
    assert!((found / expected - 1.0).abs() < share, "{found}, not {expected}");
}

#[test]
fn the_error_of_independent_rows_is_the_textbooks() {
    let outcomes = outcomes(coins(1, 0.5));
    let forecasts = [forecaster(Forecaster::HarLogistic, &outcomes, &coins(2, 0.7))];
    let report = Report::new(&outcomes, &forecasts);
    let rows = (DAYS * 24) as f64;
    let Figure { value, standard_error } = accuracy(&report, Forecaster::HarLogistic);
    near(value, 0.7, 0.02);
    near(standard_error.unwrap(), (0.7 * 0.3 / rows).sqrt(), 0.15);
    let grid = report.forecasters[&Forecaster::HarLogistic].on_grid.as_ref().unwrap();
    near(grid.figures[&Metric::Accuracy].standard_error.unwrap(), (0.7 * 0.3 / (rows / 4.0)).sqrt(), 0.15);
    // Rated 0.7 or 0.3 and right in 7 of 10: the probabilities keep their promise.
    near(report.figure(Forecaster::HarLogistic, Metric::Brier).unwrap().value, 0.21, 0.02);
    assert!(report.figure(Forecaster::HarLogistic, Metric::Ece).unwrap().value < 0.01);
}

/// Being right is a chain that stays as it is with nine chances in ten: its correlation falls by 0.8 with every row, and
/// the variance of a mean is `(1 + 0.8) / (1 - 0.8)` times that of independent rows.
#[test]
fn the_error_of_rows_in_spells_grows_as_theory_says() {
    let outcomes = outcomes(coins(3, 0.5));
    let mut state = true;
    let right: Vec<bool> = coins(4, 0.9)
        .into_iter()
        .map(|stays| {
            state = state == stays;
            state
        })
        .collect();
    let report = Report::new(&outcomes, &[forecaster(Forecaster::HarLogistic, &outcomes, &right)]);
    let found = accuracy(&report, Forecaster::HarLogistic).standard_error.unwrap();
    near(found, (0.25 * 9.0 / (DAYS * 24) as f64).sqrt(), 0.2);
}

#[test]
fn a_lead_is_known_better_than_what_it_is_the_difference_of() {
    let outcomes = outcomes(coins(5, 0.5));
    let right = coins(6, 0.7);
    let mut worse = right.clone();
    worse.iter_mut().step_by(50).for_each(|right| *right = false);
    let same = forecaster(Forecaster::StudentFloat, &outcomes, &right);
    let circuit = Forecast { by: Forecaster::StudentCircuit, ..same.clone() };
    let report = Report::new(&outcomes, &[forecaster(Forecaster::HarLogistic, &outcomes, &worse), same, circuit]);
    assert_eq!(report.agreement, Some(1.0));
    let ahead = |by: Forecaster| report.forecasters[&by].every_minute.circuit_ahead[&Metric::Accuracy];
    assert_eq!(ahead(Forecaster::StudentFloat), Figure { value: 0.0, standard_error: Some(0.0) });
    let lead = ahead(Forecaster::HarLogistic);
    near(lead.value, 0.7 / 50.0, 0.15);
    assert!(lead.standard_error.unwrap() < 0.3 * accuracy(&report, Forecaster::StudentCircuit).standard_error.unwrap());
    assert!(report.forecasters[&Forecaster::StudentCircuit].every_minute.circuit_ahead.is_empty());
}

#[test]
fn a_few_days_have_figures_and_no_errors() {
    let few = outcomes(coins(7, 0.5)[..24 * 10].to_vec());
    let report = Report::new(&few, &[forecaster(Forecaster::Majority, &few, &coins(8, 0.7)[..24 * 10])]);
    let Figure { value, standard_error } = accuracy(&report, Forecaster::Majority);
    assert!(value > 0.5 && standard_error.is_none());
}

const LABEL: Label = Label { horizon_minutes: 240, threshold: 0.0006 };
const MARKET_DAYS: usize = 70;
const TEST_DAY: usize = 60;

fn fit(candles: &[Candle]) -> veriregime_agent::types::baselines::Baselines {
    let (first, last) = (candles[0].open_time_ms, candles[candles.len() - 1].close_time_ms());
    let series = CandleSeries::new(candles, first, last, 0).expect("no minute is absent");
    let sums = Sums::new(series.candles(), series.carried());
    let wanted = Wanted { lookback_minutes: 1440, max_missing_minutes: 0, horizon_minutes: LABEL.horizon_minutes };
    let day = |day: i64| first + day * 24 * HOUR_MS;
    let part = |from: i64, to: i64| wanted.decisions(&sums, first, &(day(from)..day(to) - 4 * HOUR_MS), 7);
    baselines::fit(&sums, &part(1, 50), &part(50, TEST_DAY as i64), &LABEL).expect("weeks of candles")
}

#[test]
fn baselines_do_not_move_when_the_test_part_changes() {
    let own = candles(21, parse_utc_ms("2024-01-01").unwrap(), MARKET_DAYS * 1440);
    let other = candles(22, parse_utc_ms("2024-01-01").unwrap(), MARKET_DAYS * 1440);
    let mut spliced = own.clone();
    spliced[TEST_DAY * 1440..].clone_from_slice(&other[TEST_DAY * 1440..]);
    assert_ne!(own, spliced);
    let fitted = fit(&own);
    assert_eq!(fitted, fit(&spliced));
    assert_ne!(fitted, fit(&other), "they do depend on the training part");
    let text = serde_json::to_string(&fitted).unwrap();
    assert_eq!(fitted, serde_json::from_str(&text).unwrap(), "the manifest gives back every bit");
}
