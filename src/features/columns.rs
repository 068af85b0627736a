//! Many consecutive decision times at once, on all cores: the same integers as one at a time, sooner.
//!
//! A logarithm of a window's sum is first estimated in wide vectors. Where the estimate lies so near to the edge between
//! two integers that its error could matter, the exact measure decides; nowhere else can they differ.

use std::f64::consts::{LN_2, SQRT_2};
use std::thread;

use super::quantity::Quantity;
use super::sums::{Running, Sums, grid};
use super::volatility::{MAGNITUDE_FLOOR, SQUARE_FLOOR};
use super::volume::VOLUME_FLOOR;
use super::{calendar, measure, scale};
use crate::types::feature::{DAY_MINUTES, Feature, FeatureSpec, ScaledFeature, WEEK_MINUTES};
use crate::types::period::MINUTE_MS;

/// Decision times that are worked on together.
const BLOCK: usize = 2048;
/// An estimated value is off by far less than this.
const ESTIMATE_ERROR: f64 = 1e-9;

/// `weight * ln(mean over the windows / divisor + floor)`.
struct Term {
    quantity: Quantity,
    /// How many windows, how many minutes before the decision the first begins, how many further each next.
    windows: [usize; 3],
    minutes: usize,
    divisor: f64,
    floor: f64,
    weight: f64,
}

/// The integers of consecutive decision times from `first` on, row after row into `rows`.
pub(super) fn fill(spec: &FeatureSpec, sums: &Sums, start_ms: i64, first: usize, rows: &mut [i32]) {
    let terms: Vec<Vec<Term>> = spec.candle.iter().map(|scaled| terms(&scaled.feature)).collect();
    thread::scope(|scope| {
        for term in terms.iter().flatten() {
            scope.spawn(|| sums.running(term.quantity));
        }
    });
    let week = week(spec);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let count = spec.count();
    let share = (rows.len() / count).div_ceil(cores).next_multiple_of(BLOCK);
    thread::scope(|scope| {
        for (part, rows) in rows.chunks_mut(share * count).enumerate() {
            let (terms, week) = (&terms, &week);
            scope.spawn(move || {
                for (block, rows) in rows.chunks_mut(BLOCK * count).enumerate() {
                    let at = first + part * share + block * BLOCK;
                    for (column, scaled) in spec.candle.iter().enumerate() {
                        candle_column(spec, sums, scaled, &terms[column], at, &mut rows[column..]);
                    }
                    let minute = start_ms / MINUTE_MS + i64::try_from(at).expect("an index fits");
                    let width = spec.calendar.len();
                    for (index, row) in rows.chunks_exact_mut(count).enumerate() {
                        let of_week = (minute as usize + index) % WEEK_MINUTES;
                        row[count - width..].copy_from_slice(&week[of_week * width..(of_week + 1) * width]);
                    }
                }
            });
        }
    });
}

/// The calendar features of each minute of the week since Thursday 00:00 UTC.
fn week(spec: &FeatureSpec) -> Vec<i32> {
    let mut table = Vec::with_capacity(WEEK_MINUTES * spec.calendar.len());
    for minute in 0..WEEK_MINUTES as i64 {
        calendar::append(spec, minute * MINUTE_MS, &mut table);
    }
    table
}

/// One column of a block: every `spec.count()`-th entry of `rows`.
fn candle_column(spec: &FeatureSpec, sums: &Sums, scaled: &ScaledFeature, terms: &[Term], at: usize, rows: &mut [i32]) {
    let exact = |at: usize| scale::integer(scaled, spec, measure::value(&scaled.feature, sums, at));
    let cells = rows.iter_mut().step_by(spec.count());
    let length = cells.len();
    let mut value = [0.0; BLOCK];
    if terms.is_empty() || !terms.iter().all(|term| add(term, sums, at, &mut value[..length])) {
        for (at, cell) in (at..).zip(cells) {
            *cell = exact(at);
        }
        return;
    }
    let unit = grid(spec.input_scale) / scaled.standard_deviation;
    let (offset, bound, margin) = (scaled.mean * unit, spec.clip * grid(spec.input_scale), ESTIMATE_ERROR * unit);
    let mut rounded = Rounded { integers: [0; BLOCK], doubtful: [false; BLOCK] };
    let values = &value[..length];
    pulp::Arch::new().dispatch(Round { values, unit, offset, bound, margin, rounded: &mut rounded });
    for (index, cell) in cells.enumerate() {
        *cell = if rounded.doubtful[index] { exact(at + index) } else { rounded.integers[index] };
    }
}

/// Adds a term of the decision times from `at` on; says no where sums are too large for the fast way.
fn add(term: &Term, sums: &Sums, at: usize, values: &mut [f64]) -> bool {
    let Running::Narrow(running) = sums.running(term.quantity) else { return false };
    pulp::Arch::new().dispatch(Add { term, running, at, values });
    true
}

/// Integers, and whether an estimate was too near to an edge to tell.
struct Rounded {
    integers: [i32; BLOCK],
    doubtful: [bool; BLOCK],
}

/// Rounds `clamp(value * unit - offset)` half away from zero.
struct Round<'a> {
    values: &'a [f64],
    unit: f64,
    offset: f64,
    bound: f64,
    margin: f64,
    rounded: &'a mut Rounded,
}

impl pulp::WithSimd for Round<'_> {
    type Output = ();

    #[expect(clippy::inline_always, reason = "else it is not compiled for the wide vectors of its caller")]
    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Rounded { integers, doubtful } = self.rounded;
        for ((value, integer), doubtful) in self.values.iter().zip(integers).zip(doubtful) {
            let scaled = (value * self.unit - self.offset).clamp(-self.bound, self.bound);
            let magnitude = scaled.abs();
            let whole = (magnitude + 0.5) as i32;
            *doubtful = (magnitude - f64::from(whole)).abs() > 0.5 - self.margin;
            *integer = if scaled < 0.0 { whole.wrapping_neg() } else { whole };
        }
    }
}

/// Adds a term to the values of the decision times from `at` on.
struct Add<'a> {
    term: &'a Term,
    running: &'a [i64],
    at: usize,
    values: &'a mut [f64],
}

impl pulp::WithSimd for Add<'_> {
    type Output = ();

    #[expect(clippy::inline_always, reason = "else it is not compiled for the wide vectors of its caller")]
    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Self { term, running, at, values } = self;
        let [count, ago, every] = term.windows;
        let unit = 1.0 / ((count * term.minutes) as f64 * grid(term.quantity.scale()) * term.divisor);
        let mut totals = [0.0; BLOCK];
        let totals = &mut totals[..values.len()];
        for window in 0..count {
            let from = at - ago - window * every;
            let starts = &running[from..from + totals.len()];
            let ends = &running[from + term.minutes..from + term.minutes + totals.len()];
            for ((total, start), end) in totals.iter_mut().zip(starts).zip(ends) {
                // Running sums fit, and so does their difference; a checked one would not run in wide vectors.
                *total += end.wrapping_sub(*start) as f64;
            }
        }
        for (value, total) in values.iter_mut().zip(totals) {
            *value += term.weight * estimated_ln(*total * unit + term.floor);
        }
    }
}

/// Natural logarithm of a positive, normal number, to some 1e-12: `x = m 2^k` with m between 1/√2 and √2, and the series
/// of 2 artanh((m - 1) / (m + 1)).
#[inline(always)]
fn estimated_ln(x: f64) -> f64 {
    const ROUND: u64 = 0x3ff0_0000_0000_0000 - (SQRT_2 / 2.0).to_bits();
    const MANTISSA: u64 = 0x000f_ffff_ffff_ffff;
    // 2^52 as bits: an exponent in its low bits becomes 2^52 + exponent.
    const SHIFTED: u64 = 0x4330_0000_0000_0000;
    let bits = x.to_bits().wrapping_add(ROUND);
    let exponent = f64::from_bits(SHIFTED | (bits >> 52)) - (4_503_599_627_370_496.0 + 1023.0);
    let mantissa = f64::from_bits((bits & MANTISSA).wrapping_add((SQRT_2 / 2.0).to_bits()));
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let z = s * s;
    let series = [17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0];
    let tail = series.iter().fold(0.0, |tail, odd| tail * z + 1.0 / odd);
    exponent * LN_2 + 2.0 * s * tail
}

/// The terms of a feature that is a sum of logarithms; none where it is something else.
fn terms(feature: &Feature) -> Vec<Term> {
    let term = |quantity, windows, minutes: usize, divisor: f64| Term {
        quantity,
        windows,
        minutes,
        divisor,
        floor: if quantity == Quantity::AbsoluteReturn { MAGNITUDE_FLOOR } else { SQUARE_FLOOR },
        weight: if quantity == Quantity::AbsoluteReturn { 1.0 } else { 0.5 },
    };
    let rms = |windows, minutes| term(Quantity::SquaredReturn, windows, minutes, 1.0);
    let magnitude = |windows, minutes| term(Quantity::AbsoluteReturn, windows, minutes, 1.0);
    match *feature {
        Feature::LogRmsReturn { minutes } => vec![rms([1, minutes, 0], minutes)],
        Feature::LogRmsReturnFrom { minutes_ago, minutes } => vec![rms([1, minutes_ago, 0], minutes)],
        Feature::LogRmsReturnSameWindow { days, minutes } => vec![rms([days, DAY_MINUTES, DAY_MINUTES], minutes)],
        Feature::LogRmsReturnSameWeekday { weeks, minutes } => vec![rms([weeks, WEEK_MINUTES, WEEK_MINUTES], minutes)],
        Feature::LogRmsRatio { minutes, relative_to_minutes } => {
            let before = rms([1, minutes + relative_to_minutes, 0], relative_to_minutes);
            vec![rms([1, minutes, 0], minutes), Term { weight: -0.5, ..before }]
        }
        Feature::LogMeanAbsoluteReturn { minutes } => vec![magnitude([1, minutes, 0], minutes)],
        Feature::LogMeanAbsoluteReturnFrom { minutes_ago, minutes } => vec![magnitude([1, minutes_ago, 0], minutes)],
        Feature::LogMeanAbsoluteReturnSameWindow { days, minutes } => {
            vec![magnitude([days, DAY_MINUTES, DAY_MINUTES], minutes)]
        }
        Feature::LogDownsideRms { minutes } => vec![term(Quantity::SquaredFall, [1, minutes, 0], minutes, 1.0)],
        Feature::LogParkinson { minutes } => {
            vec![term(Quantity::SquaredLogRange, [1, minutes, 0], minutes, 4.0 * LN_2)]
        }
        Feature::LogRelativeVolume { minutes, relative_to_minutes } => {
            let volume = |minutes, weight| {
                let term = term(Quantity::Volume, [1, minutes, 0], minutes, 1.0);
                Term { floor: VOLUME_FLOOR, weight, ..term }
            };
            vec![volume(minutes, 1.0), volume(relative_to_minutes, -1.0)]
        }
        _ => Vec::new(),
    }
}
