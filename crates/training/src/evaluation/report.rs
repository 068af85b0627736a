//! The table of forecasters: every figure with its standard error, every minute and on the grid of periods.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bootstrap::Draws;
use super::figure::Figure;
use super::metrics;
use super::outcomes::{Forecast, Forecaster, Outcomes};
use super::tallies::{Confusion, Metric, Tally};
use veriregime_core::bootstrap::standard_error;

/// The whole evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Decision times.
    pub rows: usize,
    /// How many of them are at the start of a period.
    pub on_grid_rows: usize,
    /// Share of rows that High followed.
    pub share_high: f64,
    /// Share of rows on which the student's float and circuit call the same regime; none where one is absent.
    pub agreement: Option<f64>,
    /// The forecasters.
    pub forecasters: BTreeMap<Forecaster, Row>,
}

/// One forecaster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// On all rows; neighbours share nearly all of their label's window.
    pub every_minute: View,
    /// On the starts of periods alone; absent where the range holds none.
    pub on_grid: Option<View>,
}

impl Row {
    /// What the circuit is ahead by on all rows, `unit` times, with its error; a dash where that is not known.
    pub fn lead(&self, metric: Metric, unit: f64, digits: usize) -> String {
        match self.every_minute.circuit_ahead.get(&metric) {
            Some(Figure { value, standard_error: Some(error) }) => {
                format!("{:+.digits$} ± {:.digits$}", value * unit, error * unit)
            }
            Some(Figure { value, standard_error: None }) => format!("{:+.digits$}", value * unit),
            None => "–".to_owned(),
        }
    }
}

/// One forecaster on some rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Regimes called and seen.
    pub confusion: Confusion,
    /// What it scores; absent where it does not forecast that.
    pub figures: BTreeMap<Metric, Figure>,
    /// The student circuit's figures less these. The error is that of the difference on the same days.
    pub circuit_ahead: BTreeMap<Metric, Figure>,
}

impl Report {
    /// Scores all forecasters on the same rows.
    pub fn new(outcomes: &Outcomes, forecasts: &[Forecast]) -> Self {
        let every = Draws::new(outcomes, |_| true);
        let grid = Draws::new(outcomes, |row| outcomes.on_grid[row]);
        let mut every_minute = views(outcomes, forecasts, &every, |_| true);
        let mut on_grid = BTreeMap::new();
        if grid.rows() > 0 {
            on_grid = views(outcomes, forecasts, &grid, |row| outcomes.on_grid[row]);
        }
        let row = |forecast: &Forecast| {
            let every_minute = every_minute.remove(&forecast.by)?;
            Some((forecast.by, Row { every_minute, on_grid: on_grid.remove(&forecast.by) }))
        };
        Self {
            rows: outcomes.len(),
            on_grid_rows: grid.rows(),
            share_high: outcomes.share_high(),
            agreement: agreement(forecasts),
            forecasters: forecasts.iter().filter_map(row).collect(),
        }
    }

    /// A figure on all rows.
    pub fn figure(&self, by: Forecaster, metric: Metric) -> Option<Figure> {
        self.forecasters.get(&by)?.every_minute.figures.get(&metric).copied()
    }

    /// The same figures of every row as lines of a table: name, then one cell for each of [`Metric::ALL`].
    pub fn cells(&self, on_grid: bool) -> Vec<(Forecaster, [String; Metric::COUNT])> {
        let view = |row: &'_ Row| if on_grid { row.on_grid.clone() } else { Some(row.every_minute.clone()) };
        let rows = self.forecasters.iter().filter_map(|(by, row)| Some((*by, view(row)?)));
        rows.map(|(by, view)| (by, Metric::ALL.map(|metric| cell(view.figures.get(&metric))))).collect()
    }
}

/// `0.8302 ± 0.0061`, or a dash.
pub(super) fn cell(figure: Option<&Figure>) -> String {
    match figure {
        Some(Figure { value, standard_error: Some(error) }) => format!("{value:.4} ± {error:.4}"),
        Some(Figure { value, standard_error: None }) => format!("{value:.4}"),
        None => "–".to_owned(),
    }
}

fn agreement(forecasts: &[Forecast]) -> Option<f64> {
    let called = |by: Forecaster| forecasts.iter().find(|forecast| forecast.by == by).map(|found| &found.called_high);
    let (float, circuit) = (called(Forecaster::StudentFloat)?, called(Forecaster::StudentCircuit)?);
    let same = float.iter().zip(circuit).filter(|(float, circuit)| float == circuit).count();
    Some(same as f64 / float.len() as f64)
}

/// A forecaster's figures with those of every draw.
struct Scored {
    by: Forecaster,
    confusion: Confusion,
    figures: [f64; Metric::COUNT],
    resampled: Vec<[f64; Metric::COUNT]>,
}

fn views(
    outcomes: &Outcomes,
    forecasts: &[Forecast],
    draws: &Draws,
    wanted: impl Fn(usize) -> bool,
) -> BTreeMap<Forecaster, View> {
    let score = |forecast: &Forecast| {
        let tally = Tally::new(outcomes, forecast);
        let (total, resampled) = draws.tally(&tally);
        let mut figures = tally.figures(&total);
        let kept = (0..outcomes.len()).filter(|row| wanted(*row));
        // Drawn areas know ratings by their class only; the figure itself is exact.
        figures[Metric::Auc as usize] = metrics::auc(kept.map(|row| (forecast.rating[row], outcomes.was_high[row])));
        Scored { by: forecast.by, confusion: Confusion::of(&total), figures, resampled }
    };
    let all: Vec<Scored> = forecasts.iter().map(score).collect();
    let circuit = all.iter().find(|scored| scored.by == Forecaster::StudentCircuit);
    let view = |own: &Scored| {
        let ahead = circuit.filter(|circuit| circuit.by != own.by).map(|circuit| {
            figures(|metric| {
                let value = circuit.figures[metric] - own.figures[metric];
                let pairs = circuit.resampled.iter().zip(&own.resampled);
                let error = standard_error(pairs.map(|(circuit, own)| circuit[metric] - own[metric]));
                (value, error)
            })
        });
        let figures =
            figures(|metric| (own.figures[metric], standard_error(own.resampled.iter().map(|draw| draw[metric]))));
        let view = View { confusion: own.confusion, figures, circuit_ahead: ahead.unwrap_or_default() };
        (own.by, view)
    };
    all.iter().map(view).collect()
}

fn figures(figure: impl Fn(usize) -> (f64, Option<f64>)) -> BTreeMap<Metric, Figure> {
    let all = Metric::ALL.into_iter().map(|metric| (metric, figure(metric as usize)));
    all.filter(|(_, (value, _))| value.is_finite())
        .map(|(metric, (value, standard_error))| (metric, Figure { value, standard_error }))
        .collect()
}
