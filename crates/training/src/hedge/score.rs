//! How good forecasts of the mean price of the next months were.

use std::collections::BTreeMap;

use serde::Serialize;

use super::samples::{HORIZONS, Samples};
use veriregime_core::hedge::HORIZON_MONTHS;
use veriregime_core::hedge::features::MONTH_DAYS;
use veriregime_core::hedge::forecast::{MAX_LOG_RATIO, NOMINAL_COVERAGE, PriceForecast};
use veriregime_core::hedge::panel::{Day, Panel};
use veriregime_core::types::time::format_day;

/// Days of a week on which the original counted no costs.
const WEEKEND: [i32; 2] = [5, 6];

/// A decision with its forecast and what came.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The country's place in the panel.
    pub country: usize,
    /// The day, as a position of the panel.
    pub at: usize,
    /// What was said of each horizon; a half-width that is no number is none.
    pub forecasts: [PriceForecast; HORIZONS],
    /// What came, for each horizon that has passed.
    pub came: [Option<f64>; HORIZONS],
}

/// Figures of forecasts of one horizon.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Score {
    /// Months ahead.
    pub months: u32,
    /// Decisions whose outcome is known.
    pub rows: usize,
    /// Mean of |forecast / outcome − 1| of the mean price.
    pub mape: f64,
    /// The same of persistence: the next months cost what the last one did.
    pub mape_persistence: f64,
    /// 1 − mean squared error of the logarithm / that of persistence.
    pub skill: f64,
    /// Share of outcomes inside the interval; absent where none was given.
    pub coverage: Option<f64>,
    /// Share that was promised.
    pub nominal: f64,
}

/// Figures of a year, or of a country.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cell {
    /// The year of the decisions, or the country.
    pub of: String,
    /// The figures.
    #[serde(flatten)]
    pub score: Score,
}

/// Figures of another way to forecast, on the same rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rival {
    /// Its name.
    pub name: String,
    /// One for each horizon.
    pub horizons: Vec<Score>,
}

/// All figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// One for each horizon.
    pub horizons: Vec<Score>,
    /// First and last day of the decisions.
    pub decisions: Option<[String; 2]>,
    /// Year by year.
    pub by_year: Vec<Cell>,
    /// Cells of a year and a horizon, and how many of them have a positive skill.
    pub cells: [usize; 2],
    /// Country by country.
    pub by_country: Vec<Cell>,
    /// Others on the same rows.
    pub rivals: Vec<Rival>,
}

/// Sums behind a [`Score`].
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    rows: usize,
    squares: f64,
    squares_persistence: f64,
    relative: f64,
    relative_persistence: f64,
    with_width: usize,
    inside: usize,
}

impl Tally {
    fn add(&mut self, forecast: f64, half_width: f64, came: f64) {
        self.rows += 1;
        self.squares += (came - forecast) * (came - forecast);
        self.squares_persistence += came * came;
        self.relative += (libm::exp(forecast - came) - 1.0).abs();
        self.relative_persistence += (libm::exp(-came) - 1.0).abs();
        if half_width.is_finite() {
            self.with_width += 1;
            self.inside += usize::from((came - forecast).abs() <= half_width);
        }
    }

    fn score(&self, months: u32) -> Option<Score> {
        let rows = self.rows as f64;
        (self.rows > 0 && self.squares_persistence > 0.0).then(|| Score {
            months,
            rows: self.rows,
            mape: self.relative / rows,
            mape_persistence: self.relative_persistence / rows,
            skill: 1.0 - self.squares / self.squares_persistence,
            coverage: (self.with_width > 0).then(|| self.inside as f64 / self.with_width as f64),
            nominal: NOMINAL_COVERAGE,
        })
    }
}

/// Figures of the decisions from the position `from` up to `to`.
pub fn report(samples: &Samples, judged: &[Judged], from: usize, to: usize) -> Report {
    let within = || judged.iter().filter(|one| (from..to).contains(&one.at));
    let tally = |key: &dyn Fn(&Judged) -> String| {
        let mut tallies: BTreeMap<(String, usize), Tally> = BTreeMap::new();
        for one in within() {
            for (horizon, (forecast, came)) in one.forecasts.iter().zip(one.came).enumerate() {
                let Some(came) = came else { continue };
                let tally = tallies.entry((key(one), horizon)).or_default();
                tally.add(forecast.log_ratio, forecast.half_width, came);
            }
        }
        let cell = |((of, horizon), tally): ((String, usize), Tally)| {
            Some(Cell { of, score: tally.score(HORIZON_MONTHS[horizon])? })
        };
        tallies.into_iter().filter_map(cell).collect::<Vec<_>>()
    };
    let year = |one: &Judged| format_day(samples.day(one.at)).chars().take(4).collect();
    let by_year = tally(&year);
    let positive = by_year.iter().filter(|cell| cell.score.skill > 0.0).count();
    let days = within().filter(|one| one.came.iter().any(Option::is_some)).map(|one| samples.day(one.at));
    Report {
        horizons: tally(&|_| String::new()).into_iter().map(|cell| cell.score).collect(),
        decisions: days.clone().min().zip(days.max()).map(|(first, last)| [first, last].map(format_day)),
        cells: [positive, by_year.len()],
        by_year,
        by_country: tally(&|one| samples.countries[one.country].clone()),
        rivals: Vec::new(),
    }
}

/// Figures of another forecast of the same decisions: its logarithms by horizon, nothing where it has none.
pub fn rival(
    name: &str,
    judged: &[Judged],
    from: usize,
    to: usize,
    forecast: impl Fn(&Judged) -> [Option<f64>; HORIZONS],
) -> Rival {
    let mut tallies = [Tally::default(); HORIZONS];
    for one in judged.iter().filter(|one| (from..to).contains(&one.at)) {
        for ((tally, forecast), came) in tallies.iter_mut().zip(forecast(one)).zip(one.came) {
            if let Some((forecast, came)) = forecast.zip(came) {
                tally.add(forecast, f64::NAN, came);
            }
        }
    }
    let scores = tallies.iter().zip(HORIZON_MONTHS);
    Rival { name: name.to_owned(), horizons: scores.filter_map(|(tally, months)| tally.score(months)).collect() }
}

/// A model's forecasts without being shrunk.
pub fn unshrunk(one: &Judged, share: f64) -> [Option<f64>; HORIZONS] {
    one.forecasts.map(|forecast| Some((forecast.log_ratio / share).clamp(-MAX_LOG_RATIO, MAX_LOG_RATIO)))
}

/// The label of the original models: the next months cost what as many rows of weekdays did until now.
pub fn trailing_sum(panel: &Panel, one: &Judged) -> [Option<f64>; HORIZONS] {
    HORIZON_MONTHS.map(|months| {
        let mean = weekday_mean(panel, one.country, one.at, MONTH_DAYS * months as usize)?;
        let prices = panel.countries().nth(one.country)?.1;
        let month = prices.mean((one.at + 1).checked_sub(MONTH_DAYS)?, one.at + 1)?;
        Some(libm::log(mean.max(1.0)) - libm::log(month.max(1.0)))
    })
}

/// Mean price of the last so many weekdays.
pub fn weekday_mean(panel: &Panel, country: usize, at: usize, weekdays: usize) -> Option<f64> {
    let prices = panel.countries().nth(country)?.1;
    let days = (0..=at).rev().filter(|at| is_weekday(panel.day(*at)));
    let (mut sum, mut count) = (0.0, 0_usize);
    for price in days.filter_map(|at| prices.at(at)).take(weekdays) {
        (sum, count) = (sum + price, count + 1);
    }
    (count == weekdays).then(|| sum / count as f64)
}

/// Monday is 0; the first of January 1970 was a Thursday.
fn is_weekday(day: Day) -> bool {
    !WEEKEND.contains(&(day + 3).rem_euclid(7))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forecast(log_ratio: f64, half_width: f64) -> PriceForecast {
        PriceForecast { months: 2, log_ratio, half_width }
    }

    fn panel() -> Panel {
        let rows: Vec<(&str, Day, f64)> = (0..900).map(|day| ("AUT", day, 40.0 + f64::from(day % 7))).collect();
        Panel::new(rows.into_iter()).unwrap()
    }

    #[test]
    fn figures_are_those_of_their_definitions() {
        let samples = Samples::new(&panel());
        let one = |at, log_ratio, came| Judged {
            country: 0,
            at,
            forecasts: [forecast(log_ratio, 0.1); HORIZONS],
            came: [Some(came), None, None, None],
        };
        // In 1971 half of the change is foreseen, in 1972 the opposite of it.
        let judged = [one(400, 0.1, 0.2), one(800, 0.1, -0.1)];
        let report = report(&samples, &judged, 0, 900);
        let [score] = report.horizons[..] else { panic!("one horizon has outcomes") };
        assert_eq!((score.months, score.rows, score.coverage), (2, 2, Some(0.5)));
        assert!((score.skill - (1.0 - 0.05 / 0.05)).abs() < 1e-12);
        let mape = (libm::exp(-0.1) - 1.0).abs() + libm::exp(0.2) - 1.0;
        assert!((score.mape - mape / 2.0).abs() < 1e-12);
        assert_eq!(report.cells, [1, 2]);
        assert_eq!(report.by_year.iter().map(|cell| cell.of.as_str()).collect::<Vec<_>>(), ["1971", "1972"]);
        assert_eq!(super::report(&samples, &judged, 500, 900).horizons[0].rows, 1);
        let twice = rival("ridge", &judged, 0, 900, |one| unshrunk(one, 0.5));
        assert!((twice.horizons[0].skill - (1.0 - 0.09 / 0.05)).abs() < 1e-12);
    }

    #[test]
    fn weekdays_alone_count_in_the_original_s_sum() {
        let panel = panel();
        // 40 on Thursdays, a euro more each day after it: weekends are 42 and 43.
        assert!((weekday_mean(&panel, 0, 699, 5).unwrap() - (40.0 + 41.0 + 44.0 + 45.0 + 46.0) / 5.0).abs() < 1e-12);
        assert_eq!(weekday_mean(&panel, 0, 20, 30), None);
    }
}
