//! Many consecutive decision times at once, on all cores: the same integers as one at a time, sooner.
//!
//! A logarithm of a window's sum is first estimated in wide vectors. Where the estimate lies so near to the edge between
//! two integers that its error could matter, the exact measure decides; nowhere else can they differ.

use std::f64::consts::{LN_2, SQRT_2};
use std::thread;

use super::estimate::{Estimate, Term, estimate, minutes_alike};
use super::quantity::{Quantity, grid};
use super::sums::{Running, Sums};
use super::{calendar, measure, scale};
use crate::types::feature::{FeatureSpec, ScaledFeature, WEEK_MINUTES};
use crate::types::period::MINUTE_MS;

/// Decision times that are worked on together.
const BLOCK: usize = 512;
/// An estimated value is off by far less than this.
const ESTIMATE_ERROR: f64 = 1e-9;
/// Running sums that are turned into floats together, where a term's windows lie that near to each other.
const SPAN: usize = 4 * BLOCK;
/// Integers below this are floats without rounding.
const EXACT: i64 = 1 << f64::MANTISSA_DIGITS;

/// The integers of consecutive decision times from `first` on, row after row into `rows`.
pub(super) fn fill(spec: &FeatureSpec, sums: &Sums, start_ms: i64, first: usize, rows: &mut [i32]) {
    let first_minute = start_ms / MINUTE_MS + i64::try_from(first).expect("an index fits");
    let estimates = spec.candle.iter().map(|scaled| estimate(&scaled.feature, first_minute));
    let mut quantities: Vec<Quantity> = estimates.flat_map(|estimate| estimate.quantities()).collect();
    quantities.sort_unstable_by_key(|quantity| *quantity as usize);
    quantities.dedup();
    thread::scope(|scope| {
        for quantity in quantities {
            scope.spawn(move || sums.running(quantity));
        }
    });
    let week = week(spec);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let count = spec.count();
    let share = (rows.len() / count).div_ceil(cores).next_multiple_of(BLOCK);
    thread::scope(|scope| {
        for (part, rows) in rows.chunks_mut(share * count).enumerate() {
            let week = &week;
            scope.spawn(move || {
                for (block, rows) in rows.chunks_mut(BLOCK * count).enumerate() {
                    let at = first + part * share + block * BLOCK;
                    let minute = start_ms / MINUTE_MS + i64::try_from(at).expect("an index fits");
                    for (column, scaled) in spec.candle.iter().enumerate() {
                        candle_column(spec, sums, scaled, at, minute, &mut rows[column..]);
                    }
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

/// One column of a block that begins at candle `at` in that `minute`: every `spec.count()`-th entry of `rows`.
fn candle_column(spec: &FeatureSpec, sums: &Sums, scaled: &ScaledFeature, at: usize, minute: i64, rows: &mut [i32]) {
    let exact = |at: usize| scale::integer(scaled, spec, measure::value(&scaled.feature, sums, at));
    let cells = rows.iter_mut().step_by(spec.count());
    let length = cells.len();
    let mut value = [0.0; BLOCK];
    let mut done = 0;
    while done < length {
        let now = minute + i64::try_from(done).expect("an index fits");
        let end = length.min(done.saturating_add(minutes_alike(&scaled.feature, now)));
        if !add(&estimate(&scaled.feature, now), sums, at + done, &mut value[done..end]) {
            for (at, cell) in (at..).zip(cells) {
                *cell = exact(at);
            }
            return;
        }
        done = end;
    }
    let unit = grid(spec.input_scale) / scaled.standard_deviation;
    let (offset, bound, margin) = (scaled.mean * unit, spec.clip * grid(spec.input_scale), ESTIMATE_ERROR * unit);
    let mut rounded = Rounded { integers: [0; BLOCK], doubtful: [false; BLOCK] };
    let values = &value[..length];
    in_wide_vectors(Round { values, unit, offset, bound, margin, rounded: &mut rounded });
    for (index, cell) in cells.enumerate() {
        *cell = if rounded.doubtful[index] { exact(at + index) } else { rounded.integers[index] };
    }
}

/// Adds an estimate for the decision times from `at` on; says no where there is none or sums are too large for it.
fn add(estimate: &Estimate, sums: &Sums, at: usize, values: &mut [f64]) -> bool {
    let narrow = |quantity| match sums.running(quantity) {
        Running::Narrow(running) => Some(running.as_slice()),
        Running::Wide(_) => None,
    };
    match estimate {
        Estimate::Logs(terms) => terms.iter().all(|term| {
            let running = narrow(term.quantity);
            running.inspect(|running| in_wide_vectors(AddLog { term, running, at, values })).is_some()
        }),
        Estimate::Efficiency { minutes } => {
            let running = narrow(Quantity::Return).zip(narrow(Quantity::AbsoluteReturn));
            let way = |(returns, magnitudes)| {
                in_wide_vectors(AddEfficiency { returns, magnitudes, from: at - minutes, minutes: *minutes, values });
            };
            running.map(way).is_some()
        }
        Estimate::None => false,
    }
}

/// Runs what was compiled for the widest vectors that this machine has. `pulp::Arch` alone knows of none without crate
/// features that would reach the crates that multiply matrices, too.
fn in_wide_vectors<W: pulp::WithSimd>(work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = pulp::x86::V3::try_new() {
        return pulp::Simd::vectorize(simd, work);
    }
    pulp::Arch::new().dispatch(work)
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
struct AddLog<'a> {
    term: &'a Term,
    running: &'a [i64],
    at: usize,
    values: &'a mut [f64],
}

impl pulp::WithSimd for AddLog<'_> {
    type Output = ();

    #[expect(clippy::inline_always, reason = "else it is not compiled for the wide vectors of its caller")]
    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Self { term, running, at, values } = self;
        let unit = 1.0 / (term.minutes as f64 * grid(term.quantity.scale()) * term.divisor);
        let mut span = [0.0; SPAN];
        let near = near(term, running, at, values.len(), &mut span);
        let (mut products, mut means) = ([1.0; BLOCK], [0.0; BLOCK]);
        let (products, means) = (&mut products[..values.len()], &mut means[..values.len()]);
        for factor in &term.factors {
            means.fill(term.floor);
            for window in factor {
                let (from, weight) = (at - window.ago, window.weight * unit);
                if let Some(first) = near {
                    let starts = &span[from - first..];
                    for ((mean, start), end) in means.iter_mut().zip(starts).zip(&starts[term.minutes..]) {
                        *mean += (end - start) * weight;
                    }
                } else {
                    for (mean, total) in means.iter_mut().zip(totals(running, from, term.minutes)) {
                        *mean += total * weight;
                    }
                }
            }
            for (product, mean) in products.iter_mut().zip(&*means) {
                *product *= mean;
            }
        }
        for (value, product) in values.iter_mut().zip(products) {
            *value += term.weight * estimated_ln(*product);
        }
    }
}

/// Turns the running sums of all windows of a term, less the first of them, into floats, and says which one that is;
/// none where they are too many or too large. Each is turned once instead of for every window that it bounds.
#[expect(clippy::inline_always, reason = "else it is not compiled for the wide vectors of its caller")]
#[inline(always)]
fn near(term: &Term, running: &[i64], at: usize, count: usize, span: &mut [f64; SPAN]) -> Option<usize> {
    let mut starts = term.factors.iter().flatten().map(|window| at - window.ago);
    let first = starts.clone().min()?;
    let running = &running[first..starts.by_ref().max()? + count + term.minutes];
    // A running sum of what is never negative: none lies beyond the last.
    let fits = running.len() <= SPAN && running[running.len() - 1].wrapping_sub(running[0]) < EXACT;
    if term.factors.len() == 1 && term.factors[0].len() == 1 || !fits {
        return None;
    }
    for (float, sum) in span.iter_mut().zip(running) {
        *float = sum.wrapping_sub(running[0]) as f64;
    }
    Some(first)
}

/// Adds the efficiency of the windows that begin at candle `from` and after.
struct AddEfficiency<'a> {
    returns: &'a [i64],
    magnitudes: &'a [i64],
    from: usize,
    minutes: usize,
    values: &'a mut [f64],
}

impl pulp::WithSimd for AddEfficiency<'_> {
    type Output = ();

    #[expect(clippy::inline_always, reason = "else it is not compiled for the wide vectors of its caller")]
    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Self { returns, magnitudes, from, minutes, values } = self;
        let ways = totals(magnitudes, from, minutes);
        for ((value, distance), way) in values.iter_mut().zip(totals(returns, from, minutes)).zip(ways) {
            *value += if way > 0.0 { distance.abs() / way } else { 0.0 };
        }
    }
}

/// Sums of the windows of `minutes` that begin at candle `from` and after.
#[expect(clippy::inline_always, reason = "else it is not compiled for the wide vectors of its caller")]
#[inline(always)]
fn totals(running: &[i64], from: usize, minutes: usize) -> impl Iterator<Item = f64> {
    // Running sums fit, and so does their difference; a checked one would not run in wide vectors.
    running[from..].iter().zip(&running[from + minutes..]).map(|(start, end)| end.wrapping_sub(*start) as f64)
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
