//! Several quantities over one, each in a panel of its own with logarithmic axes: what is proportional is a straight line.

use std::ops::Range;

use plotters::prelude::{ChartBuilder, Circle, Color, LineSeries, Text, WHITE};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{ShapeStyle, TextStyle};

use super::chart::{Area, Colour, Drawn, FONT, GRID, INK, SIZE, TEXT_PIXELS, TITLE_PIXELS, centred, svg, text_style};

/// Height of the title above the panels.
const HEADER_PIXELS: i32 = 48;
/// From a mark to its value.
const VALUE_PIXELS: i32 = 12;
/// What is nothing is drawn as this.
const LEAST: f64 = 1e-3;
/// Panels in a row.
const COLUMNS: usize = 2;

/// Draws named curves over the same quantity, two in a row.
pub fn panels(title: &str, over: &str, curves: &[(&str, Vec<(f64, f64)>)]) -> String {
    svg(|area| {
        area.draw(&Text::new(title, (SIZE.0 as i32 / 2, HEADER_PIXELS / 2), centred(TITLE_PIXELS, INK)))?;
        let (_, below) = area.split_vertically(HEADER_PIXELS);
        let places = below.split_evenly((curves.len().div_ceil(COLUMNS).max(1), COLUMNS));
        for (place, (name, points)) in places.iter().zip(curves) {
            panel(place, name, over, points)?;
        }
        Ok(())
    })
}

fn panel<'a>(area: &Area<'a>, name: &str, over: &str, points: &[(f64, f64)]) -> Drawn<'a> {
    let logarithm = |value: f64| libm::log10(value.max(LEAST));
    let drawn: Vec<(f64, f64)> = points.iter().map(|(x, y)| (logarithm(*x), logarithm(*y))).collect();
    let x = decades(drawn.iter().map(|(x, _)| *x));
    let y = decades(drawn.iter().map(|(_, y)| *y));
    let room = (x.end - x.start) * 0.08;
    let mut chart = ChartBuilder::on(area)
        .caption(name, (FONT, TEXT_PIXELS + 1, &INK))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(x.start - room..x.end + room, y.clone())?;
    chart
        .configure_mesh()
        .light_line_style(WHITE.mix(0.0))
        .bold_line_style(GRID)
        .axis_style(INK)
        .x_labels(5)
        .y_labels(5)
        .x_label_formatter(&|value| power(*value))
        .y_label_formatter(&|value| power(*value))
        .x_desc(over)
        .label_style((FONT, TEXT_PIXELS - 1, &INK))
        .axis_desc_style((FONT, TEXT_PIXELS, &INK))
        .draw()?;
    let style = ShapeStyle { color: Colour::Blue.rgb().to_rgba(), filled: true, stroke_width: 2 };
    chart.draw_series(LineSeries::new(drawn.clone(), style))?;
    chart.draw_series(drawn.iter().map(|point| Circle::new(*point, 4, style)))?;
    let middle = f64::midpoint(y.start, y.end);
    for (point, (_, value)) in drawn.iter().zip(points) {
        // Towards the middle, where there is room.
        let (vertical, offset) =
            if point.1 > middle { (VPos::Top, VALUE_PIXELS) } else { (VPos::Bottom, -VALUE_PIXELS) };
        let at = chart.backend_coord(point);
        let (left, top) = area.get_base_pixel();
        let style: TextStyle = text_style(TEXT_PIXELS, INK, HPos::Center).pos(Pos::new(HPos::Center, vertical));
        area.draw(&Text::new(short(*value), (at.0 - left, at.1 - top + offset), style))?;
    }
    Ok(())
}

/// Whole powers of ten around all values.
fn decades(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (least, most) =
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| (least.min(value), most.max(value)));
    if !least.is_finite() {
        return 0.0..1.0;
    }
    least.floor()..most.ceil().max(least.floor() + 1.0)
}

/// A whole power of ten; nothing between them.
fn power(exponent: f64) -> String {
    if (exponent - exponent.round()).abs() < 1e-6 { libm::exp10(exponent.round()).to_string() } else { String::new() }
}

/// Three figures at least.
fn short(value: f64) -> String {
    if value < 100.0 { format!("{value:.1}").trim_end_matches(".0").to_owned() } else { format!("{value:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_curve_has_a_panel_with_its_values() {
        let curves = [("seconds", vec![(1.0, 17.0), (10.0, 18.4), (100.0, 61.27)]), ("nothing", vec![(1.0, 0.0)])];
        let svg = panels("title", "jobs", &curves);
        for text in ["title", "seconds", "nothing", "17", "18.4", "61.3"] {
            assert!(svg.lines().any(|line| line.trim() == text), "{text}");
        }
        assert_eq!(svg.matches("<circle").count(), 4);
        assert_eq!(panels("title", "jobs", &[]).matches("<circle").count(), 0);
    }
}
