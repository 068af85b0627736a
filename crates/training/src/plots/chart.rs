//! One look for all charts, as SVG text. The same numbers give the same bytes.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::prelude::{
    AreaSeries, ChartBuilder, Circle, Color, DashedLineSeries, DrawingArea, DrawingAreaErrorKind, IntoDrawingArea,
    IntoFont, LineSeries, PathElement, RGBColor, Rectangle, SVGBackend, Text, WHITE,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{ShapeStyle, TextStyle};

/// Width and height in pixels.
pub(super) const SIZE: (u32, u32) = (1120, 560);
/// Room right of the axes for the names of the lines, so that they never hide one: beside the longest of them, and for each
/// of its letters.
const LEGEND_PIXELS: i32 = 64;
const LETTER_PIXELS: i32 = 7;
/// Points of a line that are drawn, at most: more than one a pixel is not seen.
const MAX_POINTS: usize = 800;
pub(super) const FONT: &str = "sans-serif";
pub(super) const TITLE_PIXELS: u32 = 22;
pub(super) const TEXT_PIXELS: u32 = 15;
pub(super) const INK: RGBColor = RGBColor(40, 44, 52);
pub(super) const GRID: RGBColor = RGBColor(226, 229, 234);
const SHADE: RGBColor = RGBColor(255, 243, 214);
/// Length of a dash, and of the gap after it.
const DASH_PIXELS: i32 = 8;

/// What a line is drawn with. Told apart by the colour-blind too (Okabe and Ito 2008, the last two Tol 2012).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Colour {
    Blue,
    Vermilion,
    Green,
    Pink,
    Sky,
    Orange,
    Grey,
    Brown,
    Black,
    Olive,
    Wine,
}

impl Colour {
    pub(super) fn rgb(self) -> RGBColor {
        match self {
            Self::Blue => RGBColor(0, 114, 178),
            Self::Vermilion => RGBColor(213, 94, 0),
            Self::Green => RGBColor(0, 158, 115),
            Self::Pink => RGBColor(204, 121, 167),
            Self::Sky => RGBColor(86, 180, 233),
            Self::Orange => RGBColor(230, 159, 0),
            Self::Grey => RGBColor(110, 110, 110),
            Self::Brown => RGBColor(120, 80, 40),
            Self::Black => RGBColor(20, 20, 20),
            Self::Olive => RGBColor(153, 153, 51),
            Self::Wine => RGBColor(136, 34, 85),
        }
    }
}

pub(super) type Drawn<'a> =
    Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as plotters::prelude::DrawingBackend>::ErrorType>>;
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A named line.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// In the legend.
    pub name: String,
    /// The same for the same thing in every chart.
    pub colour: Colour,
    /// Whether it lies in dashes over the others, so that one that is the same can be seen below it.
    pub is_dashed: bool,
    /// From left to right.
    pub points: Vec<(f64, f64)>,
    /// Whether each point is marked.
    pub has_marks: bool,
}

/// Lines over two axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// Above it.
    pub title: String,
    /// Names of the axes, with units.
    pub labels: [String; 2],
    /// Their ends.
    pub axes: [Range<f64>; 2],
    /// How numbers along them are written.
    pub formats: [fn(f64) -> String; 2],
    /// What is drawn.
    pub lines: Vec<Line>,
    /// Stretches of the first axis with another background.
    pub shades: Vec<Range<f64>>,
    /// Whether the line of equal values is shown.
    pub has_diagonal: bool,
}

impl Chart {
    /// As SVG.
    pub fn to_svg(&self) -> String {
        svg(|area| self.draw(area))
    }

    fn draw<'a>(&self, area: &Area<'a>) -> Drawn<'a> {
        let [x, y] = self.axes.clone();
        let mut chart = ChartBuilder::on(area)
            .caption(&self.title, (FONT, TITLE_PIXELS, &INK))
            .margin(14)
            .margin_right(self.legend_pixels())
            .x_label_area_size(48)
            .y_label_area_size(68)
            .build_cartesian_2d(x.clone(), y.clone())?;
        for shade in &self.shades {
            let ends = [(shade.start, y.end), (shade.end, y.end)];
            chart.draw_series(AreaSeries::new(ends, y.start, SHADE))?;
        }
        chart
            .configure_mesh()
            .light_line_style(WHITE.mix(0.0))
            .bold_line_style(GRID)
            .axis_style(INK)
            .x_labels(9)
            .y_labels(9)
            .x_label_formatter(&|value| self.formats[0](*value))
            .y_label_formatter(&|value| self.formats[1](*value))
            .x_desc(&self.labels[0])
            .y_desc(&self.labels[1])
            .label_style((FONT, TEXT_PIXELS, &INK))
            .axis_desc_style((FONT, TEXT_PIXELS + 1, &INK))
            .draw()?;
        if self.has_diagonal {
            let (from, to) = (x.start.max(y.start), x.end.min(y.end));
            chart.draw_series(LineSeries::new([(from, from), (to, to)], INK.mix(0.35)))?;
        }
        for line in
            self.lines.iter().filter(|line| !line.is_dashed).chain(self.lines.iter().filter(|line| line.is_dashed))
        {
            let points = thinned(&line.points);
            let style = line.style();
            if line.is_dashed {
                chart.draw_series(DashedLineSeries::new(points.clone(), DASH_PIXELS, DASH_PIXELS, style))?;
            } else {
                chart.draw_series(LineSeries::new(points.clone(), style))?;
            }
            if line.has_marks {
                chart.draw_series(points.into_iter().map(|point| Circle::new(point, 4, style)))?;
            }
        }
        for (line, index) in self.lines.iter().zip(0..) {
            let (left, middle) = (SIZE.0 as i32 - self.legend_pixels() + 20, 70 + 24 * index);
            let sample = if line.is_dashed { &[(0, DASH_PIXELS), (14, 14 + DASH_PIXELS)][..] } else { &[(0, 22)] };
            for (from, to) in sample {
                area.draw(&PathElement::new([(left + from, middle), (left + to, middle)], line.style()))?;
            }
            let name = text_style(TEXT_PIXELS, INK, HPos::Left);
            area.draw(&Text::new(line.name.clone(), (left + 30, middle), name))?;
        }
        Ok(())
    }

    fn legend_pixels(&self) -> i32 {
        let letters = self.lines.iter().map(|line| line.name.chars().count()).max().unwrap_or(0);
        LEGEND_PIXELS + LETTER_PIXELS * letters as i32
    }
}

impl Line {
    fn style(&self) -> ShapeStyle {
        ShapeStyle { color: self.colour.rgb().to_rgba(), filled: true, stroke_width: 2 }
    }
}

/// A square of counts: rows are what occurred, columns what was called.
pub fn squares(title: &str, names: [&str; 2], counts: [[usize; 2]; 2]) -> String {
    svg(|area| {
        area.draw(&Text::new(title, (560, 30), centred(TITLE_PIXELS, INK)))?;
        let (left, top, width, height) = (190, 90, 450, 190);
        for (row, counts) in counts.iter().enumerate() {
            let all = counts.iter().sum::<usize>().max(1) as f64;
            let middle = top + height * row as i32 + height / 2;
            area.draw(&Text::new(format!("{} followed", names[row]), (100, middle), centred(TEXT_PIXELS + 2, INK)))?;
            for (column, count) in counts.iter().enumerate() {
                let from = (left + width * column as i32, top + height * row as i32);
                let share = *count as f64 / all;
                let fill = Colour::Blue.rgb().mix(0.08 + 0.87 * share).filled();
                area.draw(&Rectangle::new([from, (from.0 + width - 4, from.1 + height - 4)], fill))?;
                let ink = if share > 0.5 { WHITE } else { INK };
                let centre = (from.0 + width / 2, from.1 + height / 2);
                let text = format!("{:.1} %", share * 100.0);
                area.draw(&Text::new(text, (centre.0, centre.1 - 14), centred(TITLE_PIXELS + 4, ink)))?;
                area.draw(&Text::new(format!("{count} rows"), (centre.0, centre.1 + 18), centred(TEXT_PIXELS, ink)))?;
            }
        }
        for (column, name) in names.iter().enumerate() {
            let at = (left + width * column as i32 + width / 2, top - 20);
            area.draw(&Text::new(format!("{name} called"), at, centred(TEXT_PIXELS + 2, INK)))?;
        }
        area.draw(&Text::new(
            "shares of the decision times that the same regime followed",
            (left + width, 500),
            centred(TEXT_PIXELS, INK),
        ))
    })
}

pub(super) fn centred(pixels: u32, colour: RGBColor) -> TextStyle<'static> {
    text_style(pixels, colour, HPos::Center)
}

pub(super) fn text_style(pixels: u32, colour: RGBColor, horizontal: HPos) -> TextStyle<'static> {
    let mut style = TextStyle::from((FONT, pixels).into_font()).pos(Pos::new(horizontal, VPos::Center));
    style.color = colour.to_backend_color();
    style
}

pub(super) fn svg(draw: impl for<'a> Fn(&Area<'a>) -> Drawn<'a>) -> String {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        area.fill(&WHITE)
            .and_then(|()| draw(&area))
            .and_then(|()| area.present())
            .expect("writing into a string does not fail");
    }
    text
}

/// At most [`MAX_POINTS`] of the points, evenly, the last one always.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let step = points.len().div_ceil(MAX_POINTS).max(1);
    let mut kept: Vec<_> = points.iter().step_by(step).copied().collect();
    kept.extend(points.last().filter(|_| step > 1));
    kept
}
