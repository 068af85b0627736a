use super::*;
use crate::yields::series::Observation;

/// Days 100, 101, …, of which those that are no number have no rate.
fn series(rates: &[f64]) -> Series {
    let row = |(index, apy_percent): (usize, &f64)| {
        let tvl_usd = Some(1000.0 * (index + 1) as f64);
        Observation { day: 100 + index as i32, apy_percent: *apy_percent, tvl_usd }
    };
    Series::new(&rates.iter().enumerate().map(row).collect::<Vec<_>>()).unwrap().0.unwrap()
}

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-12, "{found} instead of {expected}");
}

fn feature(row: &Row, name: &str) -> f64 {
    row[FEATURES.iter().position(|(known, _)| *known == name).unwrap()].unwrap()
}

/// Each number written out by hand: rates whose `z` are 0, 1 and 2 in turn.
#[test]
fn a_window_is_what_the_hand_computes() {
    let e = std::f64::consts::E;
    let [zero, one, two] = [0.0, e - 1.0, e * e - 1.0];
    let series = series(&[one, zero, one, two, zero, one, two, zero, one]);
    let row = row(Kind::Lp, &series, &View::default(), 8).unwrap();
    // The last seven are 1, 2, 0, 1, 2, 0, 1.
    let level = libm::log1p((3.0 * one + 2.0 * two) / 7.0);
    close(feature(&row, "level"), level);
    for (name, z) in [("rate_6_days_ago", 1.0), ("rate_5_days_ago", 2.0), ("rate_1_day_ago", 0.0), ("rate_today", 1.0)]
    {
        close(feature(&row, name), z - level);
    }
    // Mean 1, four of seven one away from it.
    close(feature(&row, "deviation_7"), 0.5 * libm::log(4.0 / 7.0));
    // All nine: mean 8/9, squares 12/9.
    close(feature(&row, "mean_14"), 8.0 / 9.0 - level);
    close(feature(&row, "deviation_30"), 0.5 * libm::log(12.0 / 9.0 - 64.0 / 81.0) - 0.5 * libm::log(4.0 / 7.0));
    // Changes of 1, 2, 1, 1, 2, 1.
    close(feature(&row, "step"), libm::log(8.0 / 6.0) - 0.5 * libm::log(4.0 / 7.0));
    close(feature(&row, "zeros"), 2.0 / 7.0);
    close(feature(&row, "age"), 8.0 / 60.0);
    let logarithms: f64 = (3..=9).map(|tvl| libm::log(1000.0 * f64::from(tvl))).sum();
    close(feature(&row, "tvl"), libm::log(9000.0) - logarithms / 7.0);
    let weights: Vec<f64> = (0..9).map(|ago| 0.3 * 0.7_f64.powi(ago)).collect();
    let rates = [one, zero, two, one, zero, two, one, zero, one];
    let mean = weights.iter().zip(rates).map(|(weight, rate)| weight * rate).sum::<f64>() / weights.iter().sum::<f64>();
    close(feature(&row, "ewma"), libm::log1p(mean) - level);
    assert_eq!((row[18], row[21], row[22]), (None, Some(0.0), Some(0.0)));
}

#[test]
fn a_target_is_what_the_hand_computes() {
    let mut rates = vec![3.0; 7];
    rates.extend([1.0, 1.0, 1.0, f64::NAN, 7.0, 7.0, 7.0]);
    let series = series(&rates);
    let window = Window::new(&series, 6).unwrap();
    let target = target(&series, 6, &window).unwrap();
    close(target.apy_percent, 4.0);
    close(target.change, libm::log(5.0) - libm::log(4.0));
    // z is ln 2 three times and ln 8 three times.
    close(target.log_deviation, libm::log(libm::log(2.0)));
    assert_eq!(super::target(&series, 7, &Window::new(&series, 7).unwrap()), None, "its days have not come");
}

#[test]
fn gaps_are_carried_two_days_and_no_further() {
    let nan = f64::NAN;
    let with = |rates: &[f64], at: usize| Window::new(&series(rates), at).map(|window| window.apy);
    assert_eq!(with(&[1.0, nan, nan, 2.0, 3.0, 4.0, 5.0], 6), Some([1.0, 1.0, 1.0, 2.0, 3.0, 4.0, 5.0]));
    assert_eq!(with(&[1.0, nan, nan, nan, 3.0, 4.0, 5.0], 6), None);
    assert_eq!(with(&[9.0, nan, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 7), Some([9.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    assert_eq!(with(&[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, nan, 2.0], 6), None, "a decision needs its day");
    assert_eq!(with(&[1.0; 6], 5), None, "too young");
    // A target has six of its seven days, or there is none.
    let mut rates = vec![3.0; 9];
    rates.extend([nan, nan, 1.0, 1.0, 1.0, 1.0, 1.0]);
    let series = series(&rates);
    assert_eq!(target(&series, 8, &Window::new(&series, 8).unwrap()), None);
}

/// A day's closing values are known at its end: a decision sees them, and nothing later.
#[test]
fn the_future_does_not_leak() {
    let of = |later: f64, from: usize| {
        let rates: Vec<f64> = (0..60).map(|day| if day >= from { later } else { f64::from(day as u8 % 9) }).collect();
        row(Kind::Lp, &series(&rates), &View::default(), 40).unwrap()
    };
    assert_eq!(of(0.0, 41), of(900.0, 41));
    assert_ne!(of(0.0, 40), of(900.0, 40), "its own day counts");
}

/// What a publisher revises later moves only decisions that see the day.
#[test]
fn a_revised_day_moves_no_earlier_decision() {
    let rates: Vec<f64> = (0..60).map(|day| f64::from(day % 5)).collect();
    let mut revised = rates.clone();
    revised[30] = 77.0;
    let [as_it_was, as_it_is] = [series(&rates), series(&revised)];
    let of = |series: &Series, at: usize| row(Kind::Delta, series, &View::default(), at);
    assert!((6..30).all(|at| of(&as_it_was, at) == of(&as_it_is, at)));
    assert!((30..37).all(|at| of(&as_it_was, at) != of(&as_it_is, at)));
}

#[test]
fn each_kind_has_its_columns_and_a_model_of_several_is_told_which() {
    let names = |kinds: &[Kind]| columns(kinds).into_iter().map(|place| FEATURES[place].0).collect::<Vec<_>>();
    assert_eq!(names(&[Kind::Lending]), COMMON);
    assert_eq!(names(&[Kind::Lp]).len(), COMMON.len() + OF_LP.len());
    assert!(names(&[Kind::Delta]).contains(&"market_return") && !names(&[Kind::Lp]).contains(&"gas"));
    assert_eq!(names(&Kind::ALL).len(), COUNT);
    let known = |names: &[&str]| names.iter().all(|name| FEATURES.iter().any(|(known, _)| known == name));
    assert!(known(&COMMON) && known(&OF_LP) && known(&OF_DELTA));
}
