//! What an evaluation and a training run look like, as SVG text. Volatilities are in bps a minute.

pub mod chart;
pub mod panels;
pub mod yields;

use std::ops::Range;

use crate::evaluation::Comparison;
use crate::evaluation::metrics::{ECE_BINS, auc};
use crate::evaluation::outcomes::{Forecast, Forecaster, Outcomes};
use crate::evaluation::tallies::Confusion;
use chart::{Chart, Colour, Line, squares};
use veriregime_core::types::time::format_utc;

/// Points of a ROC curve.
const ROC_POINTS: usize = 200;
/// Periods of a timeline: two months of them can still be told apart.
const TIMELINE_PERIODS: usize = 360;
/// Classes of a distribution.
const DISTRIBUTION_BINS: usize = 60;
/// Length of what a share is taken over.
const SHARE_MS: i64 = 14 * 86_400_000;
const BPS: f64 = 1e4;

/// A forecaster's line, which looks the same in every chart.
pub fn line(by: Forecaster, name: String, points: Vec<(f64, f64)>, has_marks: bool) -> Line {
    let colour = match by {
        Forecaster::Majority | Forecaster::Persistence => Colour::Grey,
        Forecaster::HarLogistic => Colour::Orange,
        Forecaster::HarVolatility => Colour::Pink,
        Forecaster::Garch => Colour::Green,
        Forecaster::OriginalCnn => Colour::Brown,
        Forecaster::Teacher => Colour::Sky,
        Forecaster::StudentFloat => Colour::Vermilion,
        Forecaster::StudentCircuit => Colour::Blue,
    };
    // The circuit forecasts nearly the same, and would be hidden.
    Line { name, colour, is_dashed: by == Forecaster::StudentFloat, points, has_marks }
}

/// A line of what is no forecaster.
fn plain(name: &str, colour: Colour, points: Vec<(f64, f64)>, has_marks: bool) -> Line {
    Line { name: name.to_owned(), colour, is_dashed: false, points, has_marks }
}

/// Colours of the parts of the data: none of them is a forecaster's.
const PARTS: [Colour; 3] = [Colour::Black, Colour::Olive, Colour::Wine];

/// How fast losses or scores of named runs change with their epochs.
pub fn curves(title: &str, value: &str, lines: Vec<Line>) -> String {
    let points = || lines.iter().flat_map(|line| &line.points);
    let axes = [ends(points().map(|(epoch, _)| *epoch)), padded(points().map(|(_, value)| *value))];
    chart(title, ["epoch", value], axes, [whole, fine], lines).to_svg()
}

/// A name and its points.
type Curve<'a> = (&'a str, Vec<(f64, f64)>);

/// Named lines over each other, from zero on.
pub fn over(title: &str, labels: [&str; 2], curves: &[Curve<'_>]) -> String {
    let from_zero = |values: Range<f64>| 0.0..values.end * 1.06;
    let axes = [span(curves, |(x, _)| x), span(curves, |(_, y)| y)].map(from_zero);
    chart(title, labels, axes, [whole, whole], named(curves, true)).to_svg()
}

/// Named lines over time, ms UTC.
pub fn over_time(title: &str, value: &str, curves: &[Curve<'_>]) -> String {
    let axes = [span(curves, |(x, _)| x), padded(curves.iter().flat_map(|(_, points)| points).map(|(_, y)| *y))];
    chart(title, ["UTC", value], axes, [date, fine], named(curves, false)).to_svg()
}

/// Named lines over a number, both axes as wide as the lines.
pub fn over_number(title: &str, labels: [&str; 2], curves: &[Curve<'_>]) -> String {
    let axes = [span(curves, |(x, _)| x), padded(curves.iter().flat_map(|(_, points)| points).map(|(_, y)| *y))];
    chart(title, labels, axes, [fine, fine], named(curves, false)).to_svg()
}

fn span(curves: &[Curve<'_>], of: impl Fn((f64, f64)) -> f64) -> Range<f64> {
    ends(curves.iter().flat_map(|(_, points)| points).map(|point| of(*point)))
}

fn named(curves: &[Curve<'_>], has_marks: bool) -> Vec<Line> {
    const COLOURS: [Colour; 8] = [
        Colour::Blue,
        Colour::Vermilion,
        Colour::Green,
        Colour::Pink,
        Colour::Black,
        Colour::Orange,
        Colour::Sky,
        Colour::Grey,
    ];
    let drawn = curves.iter().zip(COLOURS.iter().cycle());
    drawn.map(|((name, points), colour)| plain(name, *colour, points.clone(), has_marks)).collect()
}

/// Hits over false alarms of everybody who rates.
pub fn roc(panel: &Comparison) -> String {
    let was_high = &panel.outcomes.was_high;
    let rating = panel.forecasts.iter().filter(|forecast| forecast.by != Forecaster::Majority);
    let lines = rating.map(|forecast| {
        let area = auc(forecast.rating.iter().copied().zip(was_high.iter().copied()));
        line(forecast.by, format!("{}, AUC {area:.3}", forecast.by.title()), roc_points(forecast, was_high), false)
    });
    let labels = ["false positive rate: Low followed, High called", "true positive rate: High followed, High called"];
    let mut chart = chart("ROC, every minute", labels, [0.0..1.0, 0.0..1.0], [fine, fine], lines.collect());
    chart.has_diagonal = true;
    chart.to_svg()
}

fn roc_points(forecast: &Forecast, was_high: &[bool]) -> Vec<(f64, f64)> {
    let mut rated: Vec<(f64, bool)> = forecast.rating.iter().copied().zip(was_high.iter().copied()).collect();
    rated.sort_unstable_by(|left, right| right.0.total_cmp(&left.0));
    let highs = was_high.iter().filter(|high| **high).count();
    let lows = rated.len() - highs;
    let step = rated.len().div_ceil(ROC_POINTS);
    let (mut hits, mut alarms, mut seen, mut drawn) = (0, 0, 0, 0);
    let mut points = vec![(0.0, 0.0)];
    for tied in rated.chunk_by(|left, right| left.0.total_cmp(&right.0).is_eq()) {
        let high = tied.iter().filter(|(_, high)| *high).count();
        hits += high;
        alarms += tied.len() - high;
        seen += tied.len();
        if seen - drawn >= step || seen == rated.len() {
            points.push((alarms as f64 / lows.max(1) as f64, hits as f64 / highs.max(1) as f64));
            drawn = seen;
        }
    }
    points
}

/// How often High followed where it was promised with some probability, and how many rows each promise had.
pub fn reliability(panel: &Comparison) -> String {
    let drawn = [Forecaster::HarLogistic, Forecaster::Teacher, Forecaster::StudentCircuit];
    let mut lines = Vec::new();
    for forecast in panel.forecasts.iter().filter(|forecast| drawn.contains(&forecast.by)) {
        let bins = promises(forecast, &panel.outcomes.was_high);
        let filled = bins.iter().filter(|[count, ..]| *count > 0.0);
        let points = filled.map(|[count, promised, occurred]| (promised / count, occurred / count)).collect();
        lines.push(line(forecast.by, forecast.by.title().into(), points, true));
        if forecast.by == Forecaster::StudentCircuit {
            let middle = |bin: usize| (bin as f64 + 0.5) / ECE_BINS as f64;
            let rows = panel.outcomes.len() as f64;
            let points = bins.iter().enumerate().map(|(bin, [count, ..])| (middle(bin), count / rows)).collect();
            lines.push(plain("share of the circuit's rows", Colour::Grey, points, false));
        }
    }
    let labels = ["forecast probability of High", "observed frequency of High; share of rows"];
    let mut chart = chart("Reliability, every minute", labels, [0.0..1.0, 0.0..1.0], [fine, fine], lines);
    chart.has_diagonal = true;
    chart.to_svg()
}

/// Rows, sum of the promises and Highs of each class of probabilities.
pub fn promises(forecast: &Forecast, was_high: &[bool]) -> [[f64; 3]; ECE_BINS] {
    let mut bins = [[0.0; 3]; ECE_BINS];
    for (rating, high) in forecast.rating.iter().zip(was_high) {
        let bin = &mut bins[((rating * ECE_BINS as f64) as usize).min(ECE_BINS - 1)];
        bin[0] += 1.0;
        bin[1] += rating;
        bin[2] += f64::from(u8::from(*high));
    }
    bins
}

/// Regimes called and seen.
pub fn confusion(title: &str, seen: &Confusion) -> String {
    squares(title, ["Low", "High"], [[seen.true_low, seen.false_high], [seen.false_low, seen.true_high]])
}

/// What the circuit forecast and what followed, over the last periods; those in which High followed are shaded.
pub fn timeline(panel: &Comparison) -> String {
    let Comparison { outcomes, forecasts } = panel;
    let grid: Vec<usize> = (0..outcomes.len()).filter(|row| outcomes.on_grid[*row]).collect();
    let grid = &grid[grid.len().saturating_sub(TIMELINE_PERIODS)..];
    let time = |row: usize| outcomes.time_ms[row] as f64;
    let points = |values: &[f64]| grid.iter().map(|row| (time(*row), libm::exp(values[*row]) * BPS)).collect();
    let mut lines = vec![plain("what followed", Colour::Black, points(&outcomes.log_volatility), false)];
    let circuit = forecasts.iter().find(|forecast| forecast.by == Forecaster::StudentCircuit);
    if let Some(forecast) = circuit.and_then(|forecast| forecast.log_volatility.as_ref()) {
        lines.push(line(Forecaster::StudentCircuit, "forecast of the circuit".into(), points(forecast), false));
    }
    let points = || lines.iter().flat_map(|line| &line.points);
    let axes = [ends(points().map(|(time, _)| *time)), 0.0..padded(points().map(|(_, value)| *value)).end];
    let period_ms = 4.0 * 3_600_000.0;
    let half = |row: usize| time(row) - period_ms / 2.0..time(row) + period_ms / 2.0;
    let within = |shade: Range<f64>| shade.start.max(axes[0].start)..shade.end.min(axes[0].end);
    let shades = grid.iter().filter(|row| outcomes.was_high[**row]).map(|row| within(half(*row))).collect();
    let labels = ["start of the period, UTC", "volatility, bps a minute"];
    let title = "Forecast and what followed, periods of four hours (shaded: High)";
    let mut chart = chart(title, labels, axes, [date, whole], lines);
    chart.shades = shades;
    chart.to_svg()
}

/// How often each volatility followed in each part of the data, and where High begins.
pub fn distribution(parts: &[(&str, &Outcomes)], threshold: f64) -> String {
    let all = parts.iter().flat_map(|(_, outcomes)| &outcomes.log_volatility);
    // Four decades at most: a dead market would else take all the width.
    let reach = ends(all.map(|value| libm::log10(libm::exp(*value) * BPS).max(-1.0)));
    let width = (reach.end - reach.start) / DISTRIBUTION_BINS as f64;
    let mut lines: Vec<Line> = Vec::new();
    for ((name, outcomes), colour) in parts.iter().zip(PARTS.into_iter().cycle()) {
        let mut counts = [0.0; DISTRIBUTION_BINS];
        for value in &outcomes.log_volatility {
            let bin = (libm::log10(libm::exp(*value) * BPS) - reach.start) / width;
            counts[(bin.max(0.0) as usize).min(DISTRIBUTION_BINS - 1)] += 1.0;
        }
        let share = |count: &f64| count / outcomes.len() as f64 * 100.0;
        let points = counts.iter().enumerate();
        let points = points.map(|(bin, count)| (reach.start + (bin as f64 + 0.5) * width, share(count))).collect();
        lines.push(plain(name, colour, points, false));
    }
    let top = padded(lines.iter().flat_map(|line| &line.points).map(|(_, share)| *share)).end;
    let edge = libm::log10(threshold * BPS);
    lines.push(plain("threshold of High", Colour::Grey, vec![(edge, 0.0), (edge, top)], false));
    let labels = ["volatility that followed, bps a minute (logarithmic)", "share of the decision times, %"];
    chart("Volatility that followed", labels, [reach, 0.0..top], [power, fine], lines).to_svg()
}

/// Share of High over time, part by part of the data.
pub fn shares(parts: &[(&str, &Outcomes)]) -> String {
    let line = |((name, outcomes), colour): (&(&str, &Outcomes), Colour)| {
        let rows: Vec<usize> = (0..outcomes.len()).collect();
        let stretch = |row: &usize| outcomes.time_ms[*row].div_euclid(SHARE_MS);
        let point = |rows: &[usize]| {
            let highs = rows.iter().filter(|row| outcomes.was_high[**row]).count();
            (outcomes.time_ms[rows[rows.len() / 2]] as f64, highs as f64 / rows.len() as f64 * 100.0)
        };
        let points = rows.chunk_by(|left, right| stretch(left) == stretch(right)).map(point).collect();
        plain(name, colour, points, true)
    };
    let lines: Vec<Line> = parts.iter().zip(PARTS.into_iter().cycle()).map(line).collect();
    let times = ends(lines.iter().flat_map(|line| &line.points).map(|(time, _)| *time));
    let labels = ["middle of two weeks, UTC", "share of the decision times that High followed, %"];
    chart("How often High followed", labels, [times, 0.0..100.0], [date, whole], lines).to_svg()
}

fn chart(
    title: &str,
    labels: [&str; 2],
    axes: [Range<f64>; 2],
    formats: [fn(f64) -> String; 2],
    lines: Vec<Line>,
) -> Chart {
    let labels = labels.map(str::to_owned);
    Chart { title: title.into(), labels, axes, formats, lines, shades: Vec::new(), has_diagonal: false }
}

/// From the smallest to the largest; never empty.
fn ends(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (least, most) =
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| (least.min(value), most.max(value)));
    if least < most {
        least..most
    } else if least.is_finite() {
        least - 0.5..least + 0.5
    } else {
        0.0..1.0
    }
}

/// With some room above and below.
fn padded(values: impl Iterator<Item = f64>) -> Range<f64> {
    let Range { start, end } = ends(values);
    let room = (end - start) * 0.06;
    start - room..end + room
}

/// Whole numbers; nothing between them.
fn whole(value: f64) -> String {
    if (value - value.round()).abs() < 1e-6 { format!("{value:.0}") } else { String::new() }
}

fn fine(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn power(value: f64) -> String {
    format!("{:.1}", libm::exp10(value))
}

fn date(value: f64) -> String {
    format_utc(value as i64).chars().take("2024-11-08".len()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_forecaster_has_one_colour_and_float_and_circuit_are_told_apart() {
        let drawn = [
            Forecaster::Persistence,
            Forecaster::HarLogistic,
            Forecaster::HarVolatility,
            Forecaster::Garch,
            Forecaster::OriginalCnn,
            Forecaster::Teacher,
            Forecaster::StudentFloat,
            Forecaster::StudentCircuit,
        ];
        let lines = drawn.map(|by| line(by, String::new(), Vec::new(), false));
        let colours: HashSet<Colour> = lines.iter().map(|line| line.colour).chain(PARTS).collect();
        assert_eq!(colours.len(), drawn.len() + PARTS.len());
        assert_eq!(lines.map(|line| line.is_dashed), drawn.map(|by| by == Forecaster::StudentFloat));
    }

    #[test]
    fn a_dashed_line_lies_over_the_line_that_it_would_hide() {
        let points = vec![(0.0, 0.0), (1.0, 1.0)];
        let float = line(Forecaster::StudentFloat, "float".into(), points.clone(), false);
        let circuit = line(Forecaster::StudentCircuit, "circuit".into(), points, false);
        let svg = curves("title", "value", vec![float, circuit]);
        let [float, circuit] = ["#D55E00", "#0072B2"].map(|colour| svg.matches(colour).count());
        assert!(float > 10 && circuit == 2, "{float} dashes and samples, {circuit} lines");
        assert!(svg.find("#0072B2") < svg.find("#D55E00"), "the dashes come last");
    }

    #[test]
    fn the_width_belongs_to_the_axes_where_names_are_short() {
        let right_edge = |name: &str| {
            let svg = curves("title", "value", vec![plain(name, Colour::Black, vec![(0.0, 0.0), (1.0, 1.0)], true)]);
            let centres = svg.split("cx=\"").skip(1).filter_map(|part| part.split('"').next()?.parse::<i32>().ok());
            centres.max().unwrap()
        };
        assert!(right_edge("train") > 1000 && right_edge("a name that is as long as this one is") < 850);
    }
}
