//! What one minute contributes to a running sum, rounded to an integer once.

use crate::types::candle::Candle;

/// log2 of the grid of returns, log ranges and shares.
pub const RETURN_SCALE: u32 = 30;
/// log2 of the grid of volumes.
pub const VOLUME_SCALE: u32 = 20;
/// Fourth powers give up the bits that a long sum would have no room for.
const QUARTIC_SHIFT: u32 = 32;

/// A quantity of one candle and the closes before it. Returns and log ranges are clamped to ±1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Return.
    Return,
    /// Magnitude of the return.
    AbsoluteReturn,
    /// Square of the return.
    SquaredReturn,
    /// Square of the return where it is negative.
    SquaredFall,
    /// Square of the return where it is positive.
    SquaredRise,
    /// Fourth power of the return.
    QuarticReturn,
    /// Product of the magnitudes of this return and the one before.
    AdjacentProduct,
    /// Square of the median of the magnitudes of this return and the two before.
    SquaredMedian,
    /// 1 where the return is zero on the grid.
    ZeroReturn,
    /// `ln(high / low)²`.
    SquaredLogRange,
    /// `ln(close / open)²`.
    SquaredLogBody,
    /// `ln(high / close) ln(high / open) + ln(low / close) ln(low / open)`.
    ShadowProduct,
    /// From the lower of low and previous close to the higher of high and previous close, over the latter.
    TrueRange,
    /// Share of the range between open and close.
    Body,
    /// Share of the range above both.
    UpperShadow,
    /// Share of the range below both.
    LowerShadow,
    /// Volume, in base units.
    Volume,
    /// Volume with the sign of the return.
    SignedVolume,
}

/// `2^scale`, exactly.
pub fn grid(scale: u32) -> f64 {
    (1_u128 << scale) as f64
}

impl Quantity {
    /// How many there are.
    pub const COUNT: usize = Self::SignedVolume as usize + 1;

    /// log2 of its grid.
    pub fn scale(self) -> u32 {
        match self {
            Self::ZeroReturn => 0,
            Self::Return
            | Self::AbsoluteReturn
            | Self::TrueRange
            | Self::Body
            | Self::UpperShadow
            | Self::LowerShadow => RETURN_SCALE,
            Self::SquaredReturn
            | Self::SquaredFall
            | Self::SquaredRise
            | Self::AdjacentProduct
            | Self::SquaredMedian
            | Self::SquaredLogRange
            | Self::SquaredLogBody
            | Self::ShadowProduct => 2 * RETURN_SCALE,
            Self::QuarticReturn => 4 * RETURN_SCALE - QUARTIC_SHIFT,
            Self::Volume | Self::SignedVolume => VOLUME_SCALE,
        }
    }

    /// The integer of candle `at`; closes before the first candle count as equal to it.
    pub fn of(self, candles: &[Candle], at: usize) -> i128 {
        let candle = &candles[at];
        let Candle { open, high, low, close, .. } = *candle;
        let share = |part: f64| if high > low { quantise(part / (high - low)) } else { 0 };
        match self {
            Self::Return => change(candles, at, 0),
            Self::AbsoluteReturn => change(candles, at, 0).abs(),
            Self::SquaredReturn => square(change(candles, at, 0)),
            Self::SquaredFall => square(change(candles, at, 0).min(0)),
            Self::SquaredRise => square(change(candles, at, 0).max(0)),
            Self::QuarticReturn => square(square(change(candles, at, 0))) >> QUARTIC_SHIFT,
            Self::AdjacentProduct => (change(candles, at, 0) * change(candles, at, 1)).abs(),
            Self::SquaredMedian => {
                let [a, b, c] = [0, 1, 2].map(|ago| change(candles, at, ago).abs());
                square(a.min(b).max(a.max(b).min(c)))
            }
            Self::ZeroReturn => i128::from(change(candles, at, 0) == 0),
            Self::SquaredLogRange => square(quantise(libm::log(high / low))),
            Self::SquaredLogBody => square(quantise(libm::log(close / open))),
            Self::ShadowProduct => {
                let log = |ratio: f64| quantise(libm::log(ratio));
                log(high / close) * log(high / open) + log(low / close) * log(low / open)
            }
            Self::TrueRange => {
                let previous = previous_close(candles, at);
                quantise((high.max(previous) - low.min(previous)) / previous)
            }
            Self::Body => share((close - open).abs()),
            Self::UpperShadow => share(high - open.max(close)),
            Self::LowerShadow => share(open.min(close) - low),
            Self::Volume => volume(candle),
            Self::SignedVolume => match close.total_cmp(&previous_close(candles, at)) {
                std::cmp::Ordering::Less => -volume(candle),
                std::cmp::Ordering::Equal => 0,
                std::cmp::Ordering::Greater => volume(candle),
            },
        }
    }
}

fn previous_close(candles: &[Candle], at: usize) -> f64 {
    candles[at.saturating_sub(1)].close
}

/// Return of the candle `ago` before `at`; 0 where that would be the first of all or lie before it.
fn change(candles: &[Candle], at: usize, ago: usize) -> i128 {
    match at.checked_sub(ago) {
        Some(at) if at > 0 => quantise(candles[at].close / candles[at - 1].close - 1.0),
        _ => 0,
    }
}

fn volume(candle: &Candle) -> i128 {
    i128::from(round_half_away(candle.volume * grid(VOLUME_SCALE)))
}

/// Clamped to ±1 and rounded to the grid: a minute that doubles the price counts as +100 %.
fn quantise(value: f64) -> i128 {
    i128::from(round_half_away(value.clamp(-1.0, 1.0) * grid(RETURN_SCALE)))
}

/// As `libm::round`, for magnitudes below 2^63 and in line.
fn round_half_away(value: f64) -> i64 {
    let whole = value as i64;
    let rest = value - whole as f64;
    whole + i64::from(rest >= 0.5) - i64::from(rest <= -0.5)
}

fn square(value: i128) -> i128 {
    value * value
}
