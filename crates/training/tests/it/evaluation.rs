//! Evaluation: standard errors are right where they are known, and baselines learn from the training part alone.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use veriregime_core::features::Batch;
use veriregime_core::features::sums::Sums;
use veriregime_core::types::candle::{Candle, CandleSeries};
use veriregime_core::types::feature::{Feature, FeatureSpec, ScaledFeature};
use veriregime_core::types::manifest::regime::Label;
use veriregime_core::types::period::Grid;
use veriregime_core::types::time::parse_utc_ms;
use veriregime_training::dataset::Wanted;
use veriregime_training::evaluation::figure::Figure;
use veriregime_training::evaluation::outcomes::{Forecast, Forecaster, Outcomes};
use veriregime_training::evaluation::report::Report;
use veriregime_training::evaluation::tallies::Metric;
use veriregime_training::evaluation::{Comparison, baselines, drift};
use veriregime_training::plots;

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

fn series(candles: &[Candle]) -> CandleSeries {
    let (first, last) = (candles[0].open_time_ms, candles[candles.len() - 1].close_time_ms());
    CandleSeries::new(candles, first, last, 0).expect("no minute is absent")
}

fn fit(candles: &[Candle]) -> veriregime_core::types::baselines::Baselines {
    let series = series(candles);
    let first = series.start_ms();
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

/// A model of simulated candles that is asked about other ones.
#[test]
fn features_of_the_same_market_are_stable_and_those_of_another_are_not() {
    let spec = FeatureSpec {
        candle: vec![ScaledFeature {
            feature: Feature::LogRmsReturn { minutes: 240 },
            mean: -7.4,
            standard_deviation: 0.5,
        }],
        calendar: vec![ScaledFeature { feature: Feature::DaySine { harmonic: 1 }, mean: 0.0, standard_deviation: 0.7 }],
        clip: 8.0,
        input_scale: 10,
        lookback_minutes: 241,
        max_missing_minutes: 0,
        weekly_profile: Vec::new(),
    };
    let own = series(&candles(31, parse_utc_ms("2024-01-01").unwrap(), MARKET_DAYS * 1440));
    let batch = Batch::new(&spec, &own).unwrap();
    let outcomes = Outcomes::new(&batch, &LABEL, Grid::FOUR_HOURS, &(i64::MIN..i64::MAX), 0).unwrap();
    let reference = drift::reference(&[(&batch, &outcomes.at)]);
    let promise = |share: f64| Forecast::of_probabilities(Forecaster::StudentCircuit, vec![share; outcomes.len()]);
    let share = outcomes.share_high();
    let found = drift::drift(&reference, &batch, &outcomes, &promise(share));
    assert!(found.features.iter().all(|feature| feature.psi < 1e-6), "{found:?}");
    assert!(found.promise.value.abs() < 1e-9 && found.promise.standard_error.unwrap() > 0.0, "{found:?}");
    let found = drift::drift(&reference, &batch, &outcomes, &promise(share + 0.1));
    near(found.promise.value, 0.1, 1e-6);

    // The same prices with every move doubled.
    let mut wild = own.candles().to_vec();
    for candle in &mut wild {
        let moved = |price: f64| 1000.0 * (price / 1000.0).powi(2);
        candle.open = moved(candle.open);
        candle.high = moved(candle.high);
        candle.low = moved(candle.low);
        candle.close = moved(candle.close);
    }
    let wild = series(&wild);
    let batch = Batch::new(&spec, &wild).unwrap();
    let found = drift::drift(&reference, &batch, &outcomes, &promise(share));
    assert!(found.features[0].psi > drift::DRIFTED_PSI, "{found:?}");
    assert!(found.features[1].psi < 1e-6, "the clock has not changed: {found:?}");
}

#[test]
fn plots_are_the_same_bytes_each_time_and_small() {
    let outcomes = outcomes(coins(9, 0.5));
    let circuit = forecaster(Forecaster::StudentCircuit, &outcomes, &coins(10, 0.85));
    let circuit = circuit.with_log_volatility(vec![-7.4; outcomes.len()], 1.0);
    let regression = forecaster(Forecaster::HarLogistic, &outcomes, &coins(11, 0.75));
    let panel = Comparison { outcomes, forecasts: vec![regression, circuit] };
    let seen = panel.report().forecasters[&Forecaster::StudentCircuit].every_minute.confusion;
    let draw = || {
        let parts = [("train", &panel.outcomes), ("test", &panel.outcomes)];
        [
            plots::roc(&panel),
            plots::reliability(&panel),
            plots::timeline(&panel),
            plots::distribution(&parts, 0.0005),
            plots::shares(&parts),
            plots::confusion("regimes", &seen),
        ]
    };
    let all = draw();
    assert_eq!(all, draw());
    for text in &all {
        assert!(text.starts_with("<svg") && text.trim_end().ends_with("</svg>"));
        assert!(text.len() < 200_000 && !text.contains("NaN"), "{} bytes", text.len());
    }
    assert!(all[0].contains("student, circuit, AUC 0.8") && all[0].contains("HAR logistic, AUC 0.7"));
    // The regression's orange and the circuit's blue, in each that has them.
    assert!(all[..2].iter().all(|text| text.contains("#E69F00") && text.contains("#0072B2")));
    assert!(all[3].contains("threshold") && all[5].contains(&format!("{} rows", seen.true_high)));
}
