//! What an evaluation of yield models looks like, as SVG text.

use super::chart::{Colour, Line};
use super::{chart, ends, fine, padded, plain};
use crate::yields::score::{Judged, Score, by_month, instead};
use crate::yields::score::{ewma, last_day, last_week};
use veriregime_core::yields::conformal::NOMINAL_COVERAGE;

/// Classes of forecasts, each with as many decisions.
const CLASSES: usize = 20;
/// Months before a month's number counts.
const MONTHS: f64 = 12.0;

/// All plots of a kind, by name.
pub fn plots(kind: &str, judged: &[Judged<'_>]) -> Vec<(String, String)> {
    vec![
        (format!("{kind}-errors"), errors(kind, judged)),
        (format!("{kind}-intervals"), intervals(kind, judged)),
        (format!("{kind}-changes"), changes(kind, judged)),
    ]
}

/// Mean absolute errors of the model and of simple forecasts, month by month.
pub fn errors(kind: &str, judged: &[Judged<'_>]) -> String {
    let simple = [
        ("last day", Colour::Grey, instead(judged, last_day)),
        ("7-day mean", Colour::Orange, instead(judged, last_week)),
        ("weighted mean", Colour::Green, instead(judged, ewma)),
    ];
    let of = |rows: &[Judged<'_>]| months(rows, |score| score.mae_pp);
    let mut lines: Vec<Line> = simple.map(|(name, colour, rows)| plain(name, colour, of(&rows), true)).into();
    lines.push(plain("model", Colour::Blue, of(judged), true));
    let title = format!("Errors of forecasts of the next week's mean APY, {kind}");
    by_months(&title, "mean absolute error, percentage points", lines, None)
}

/// Share of outcomes inside of their 90 % intervals, month by month.
pub fn intervals(kind: &str, judged: &[Judged<'_>]) -> String {
    let points = months(judged, |score| score.coverage90);
    let nominal = points.iter().map(|(month, _)| (*month, NOMINAL_COVERAGE)).collect();
    let lines = vec![plain("promised", Colour::Grey, nominal, false), plain("inside", Colour::Blue, points, true)];
    by_months(&format!("Outcomes inside of their 90 % intervals, {kind}"), "share of the decisions", lines, Some(1.0))
}

/// What followed forecasts of a change, in classes of as many decisions each.
pub fn changes(kind: &str, judged: &[Judged<'_>]) -> String {
    let mut rows: Vec<(f64, f64)> = judged.iter().map(|one| (one.said.change, one.target.change)).collect();
    rows.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mean = |class: &[(f64, f64)]| {
        let sum = class.iter().fold((0.0, 0.0), |sum, row| (sum.0 + row.0, sum.1 + row.1));
        (sum.0 / class.len() as f64, sum.1 / class.len() as f64)
    };
    let points: Vec<(f64, f64)> = rows.chunks(rows.len().div_ceil(CLASSES).max(1)).map(mean).collect();
    let both = || points.iter().flat_map(|(said, came)| [*said, *came]);
    let axes = [padded(both()), padded(both())];
    let labels = ["forecast change of z, mean of a twentieth of the decisions", "change that followed, mean"];
    let line = plain("model", Colour::Blue, points, true);
    let mut chart = chart(&format!("Changes forecast and seen, {kind}"), labels, axes, [fine, fine], vec![line]);
    chart.has_diagonal = true;
    chart.to_svg()
}

/// A figure of each month that has it; months are counted from year 0.
fn months(judged: &[Judged<'_>], figure: impl Fn(&Score) -> Option<f64>) -> Vec<(f64, f64)> {
    let number = |name: &str| {
        let (year, month) = name.split_once('-')?;
        Some(year.parse::<f64>().ok()? * MONTHS + month.parse::<f64>().ok()? - 1.0)
    };
    by_month(judged).iter().filter_map(|(name, score)| Some((number(name)?, figure(score)?))).collect()
}

fn by_months(title: &str, value: &str, lines: Vec<Line>, highest: Option<f64>) -> String {
    let points = || lines.iter().flat_map(|line| &line.points);
    let values = padded(points().map(|(_, value)| *value).chain([0.0]));
    let axes = [ends(points().map(|(month, _)| *month)), 0.0..highest.unwrap_or(values.end)];
    chart(title, ["month", value], axes, [month, fine], lines).to_svg()
}

fn month(value: f64) -> String {
    if (value - value.round()).abs() > 1e-6 {
        return String::new();
    }
    format!("{:.0}-{:02.0}", (value / MONTHS).floor(), value.rem_euclid(MONTHS) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yields::samples::tests::{given, samples};
    use crate::yields::score::judge;
    use veriregime_core::yields::forecast::Said;

    #[test]
    fn every_plot_shows_what_its_title_says() {
        let samples = samples(&given(4, 200));
        let rows: Vec<_> = samples.all.iter().map(|sample| (sample, true, Said::new(0.01, -1.0, 0.2))).collect();
        let judged = judge(&rows, 0);
        let drawn = plots("lp", &judged);
        assert_eq!(
            drawn.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            ["lp-errors", "lp-intervals", "lp-changes"]
        );
        for (name, svg) in &drawn {
            assert!(svg.starts_with("<svg") && svg.contains("#0072B2"), "{name}");
        }
        assert!(drawn[0].1.contains("1970-03") && drawn[0].1.contains("weighted mean"));
        assert_eq!(months(&judged, |score| score.mae_pp).len(), 7);
        assert_eq!((month(24_300.0), month(24_299.0), month(0.5)), ("2025-01".into(), "2024-12".into(), String::new()));
        assert!(plots("lp", &[]).iter().all(|(_, svg)| svg.starts_with("<svg")));
    }
}
