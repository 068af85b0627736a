//! What the electricity model looks at, and what it forecasts. Pure, f64, in a fixed order: the same numbers on every machine.
//!
//! A decision is taken at the end of a day, with that day's price and all before it. What is forecast is
//! `ln(mean price of the next 30·h days / mean price of the last 30)`.

use std::f64::consts::TAU;

use super::panel::{Day, Panel, Prices};

/// Days of a month.
pub const MONTH_DAYS: usize = 30;
/// Lowest mean price inside a logarithm of a feature, EUR/MWh.
const FEATURE_FLOOR: f64 = 5.0;
/// Lowest mean price inside a logarithm of a target, EUR/MWh.
const TARGET_FLOOR: f64 = 1.0;
/// Lowest deviation inside a logarithm, EUR/MWh.
const DEVIATION_FLOOR: f64 = 1.0;
/// Mean length of a year in days.
const YEAR_DAYS: f64 = 365.25;

/// The features: name, unit.
pub const FEATURES: [(&str, &str); 13] = [
    ("mean_30_over_60", "ln"),
    ("mean_30_over_180", "ln"),
    ("mean_30_over_365", "ln"),
    ("mean_30_over_730", "ln"),
    ("mean_365_over_1095", "ln"),
    ("mean_7_over_30", "ln"),
    ("deviation_30_over_mean_30", "ln"),
    ("mean_30_over_europe", "ln"),
    ("europe_30_over_365", "ln"),
    ("sin_year", "1"),
    ("cos_year", "1"),
    ("sin_half_year", "1"),
    ("cos_half_year", "1"),
];

/// Features of a country at a day: `None` for what has too short a history, which counts as average.
pub type Row = [Option<f64>; FEATURES.len()];

/// What all countries share, for each position of a panel.
#[derive(Debug, Clone)]
pub struct Europe {
    /// Mean logarithm of the countries' means over 30 days.
    level: Vec<Option<f64>>,
    /// Mean logarithm of the means over 30 days against those over 365.
    trend: Vec<Option<f64>>,
}

impl Europe {
    /// Of a panel.
    pub fn new(panel: &Panel) -> Self {
        let mean = |of: &dyn Fn(&Prices) -> Option<f64>| {
            let (sum, count) = panel
                .countries()
                .filter_map(|(_, prices)| of(prices))
                .fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
            (count > 0).then(|| sum / f64::from(count))
        };
        let positions = 0..panel.days();
        Self {
            level: positions.clone().map(|at| mean(&|prices| trailing(prices, at, MONTH_DAYS))).collect(),
            trend: positions.map(|at| mean(&|prices| ratio(prices, at, MONTH_DAYS, 365))).collect(),
        }
    }
}

/// Features of a country at a position; nothing where its last 30 and 60 days are not known.
pub fn row(panel: &Panel, europe: &Europe, prices: &Prices, at: usize) -> Option<Row> {
    let month = trailing(prices, at, MONTH_DAYS)?;
    let two_months = ratio(prices, at, MONTH_DAYS, 60)?;
    let deviation = prices.deviation((at + 1).checked_sub(MONTH_DAYS)?, at + 1)?;
    let angle = year_angle(panel.day(at));
    Some([
        Some(two_months),
        ratio(prices, at, MONTH_DAYS, 180),
        ratio(prices, at, MONTH_DAYS, 365),
        ratio(prices, at, MONTH_DAYS, 730),
        ratio(prices, at, 365, 1095),
        ratio(prices, at, 7, MONTH_DAYS),
        Some(libm::log(deviation.max(DEVIATION_FLOOR)) - month),
        europe.level[at].map(|level| month - level),
        europe.trend[at],
        Some(libm::sin(angle)),
        Some(libm::cos(angle)),
        Some(libm::sin(2.0 * angle)),
        Some(libm::cos(2.0 * angle)),
    ])
}

/// What came: the logarithm of the mean price of the `months · 30` days after a position against the 30 before; nothing where
/// these are not all known.
pub fn target(prices: &Prices, at: usize, months: u32) -> Option<f64> {
    let ahead = MONTH_DAYS * months as usize;
    let came = prices.mean(at + 1, at + 1 + ahead)?;
    let was = prices.mean((at + 1).checked_sub(MONTH_DAYS)?, at + 1)?;
    Some(libm::log(came.max(TARGET_FLOOR)) - libm::log(was.max(TARGET_FLOOR)))
}

/// Logarithm of the mean over the last `days` days.
fn trailing(prices: &Prices, at: usize, days: usize) -> Option<f64> {
    let mean = prices.mean((at + 1).checked_sub(days)?, at + 1)?;
    Some(libm::log(mean.max(FEATURE_FLOOR)))
}

fn ratio(prices: &Prices, at: usize, days: usize, longer: usize) -> Option<f64> {
    Some(trailing(prices, at, days)? - trailing(prices, at, longer)?)
}

/// How much of the year has passed before a day, as an angle.
fn year_angle(day: Day) -> f64 {
    TAU * f64::from(day_of_year(day)) / YEAR_DAYS
}

/// Days since the first of January.
fn day_of_year(day: Day) -> i32 {
    // Years that begin in March have their leap day last.
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let since_march = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    if since_march >= 306 {
        return since_march - 306;
    }
    let year = year_of_era + era * 400;
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    since_march + 59 + i32::from(is_leap)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_the_year_are_the_calendar_s() {
        for (date, expected) in [
            ("1970-01-01", 0),
            ("2023-12-31", 364),
            ("2024-02-28", 58),
            ("2024-02-29", 59),
            ("2024-03-01", 60),
            ("2023-03-01", 59),
            ("2024-12-31", 365),
            ("2000-03-01", 60),
        ] {
            let day = crate::types::time::parse_utc_ms(date).unwrap() / 86_400_000;
            assert_eq!(day_of_year(i32::try_from(day).unwrap()), expected, "{date}");
        }
    }

    fn panel(price: impl Fn(i32) -> f64) -> Panel {
        let rows: Vec<(&str, Day, f64)> =
            (0..1300).flat_map(|day| [("AUT", day, price(day)), ("DEU", day, 50.0)]).collect();
        Panel::new(rows.into_iter()).unwrap()
    }

    #[test]
    fn a_flat_price_has_no_ratios_and_nothing_to_come() {
        let panel = panel(|_| 50.0);
        let prices = panel.prices("AUT").unwrap();
        let row = row(&panel, &Europe::new(&panel), prices, 1200).unwrap();
        for (value, (name, _)) in row.iter().zip(FEATURES).take(9) {
            let expected = if name == "deviation_30_over_mean_30" { -libm::log(50.0) } else { 0.0 };
            assert!((value.unwrap() - expected).abs() < 1e-9, "{name}: {value:?}");
        }
        assert!(target(prices, 1000, 2).unwrap().abs() < 1e-9);
    }

    #[test]
    fn a_doubled_price_is_a_logarithm_of_two() {
        let panel = panel(|day| if day > 1000 { 100.0 } else { 50.0 });
        let prices = panel.prices("AUT").unwrap();
        assert!((target(prices, 1000, 5).unwrap() - std::f64::consts::LN_2).abs() < 1e-9);
        let row = row(&panel, &Europe::new(&panel), prices, 1030).unwrap();
        assert!((row[0].unwrap() - libm::log(100.0 / 75.0)).abs() < 1e-9);
        assert!((row[7].unwrap() - 0.5 * std::f64::consts::LN_2).abs() < 1e-9, "half of it above the mean of two");
    }

    /// Nothing after the day of a decision may move its features.
    #[test]
    fn the_future_does_not_leak() {
        let [flat, later] = [panel(|_| 50.0), panel(|day| if day > 1200 { 500.0 } else { 50.0 })];
        let of = |panel: &Panel| row(panel, &Europe::new(panel), panel.prices("AUT").unwrap(), 1200).unwrap();
        assert_eq!(of(&flat), of(&later));
    }

    #[test]
    fn what_has_too_short_a_history_is_not_there() {
        let panel = panel(|_| 50.0);
        let (europe, prices) = (Europe::new(&panel), panel.prices("AUT").unwrap());
        assert_eq!(row(&panel, &europe, prices, 40), None);
        let young = row(&panel, &europe, prices, 100).unwrap();
        assert_eq!(young.map(|value| value.is_some())[..6], [true, false, false, false, false, true]);
        assert_eq!(target(prices, 1200, 5), None, "its days have not come");
    }
}
