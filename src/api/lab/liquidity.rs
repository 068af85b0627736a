//! What a pool with a policy's fee would have earned on the candles that are kept.

use std::ops::Range;

use serde::Serialize;
use utoipa::ToSchema;

use super::replay::fees;
use crate::api::regime::kept_candles;
use crate::state::error::StateError;
use crate::state::reader::Reader;
use veriregime_backtest::closure::SHOWN;
use veriregime_backtest::cost::{break_even_usd, usd_per_year};
use veriregime_backtest::error::BacktestError;
use veriregime_backtest::given::{DAYS_OF_A_YEAR, Given, POOL_USD, Parts};
use veriregime_backtest::market::{DAY_MINUTES, Market};
use veriregime_core::policy::Policy;
use veriregime_core::policy::market::Update;
use veriregime_core::types::candle::Candle;
use veriregime_core::types::job::JobKey;
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::time::DAY_MS;

/// Days of candles that one answer is of, those before the judged ones included.
const MAX_DAYS: i64 = 120;
/// And before a given beginning.
const EARLIER_DAYS: i64 = 60;
/// Minutes without a candle after which a market is taken to begin anew.
const MAX_GAP_MINUTES: i64 = 360;
/// The newest transactions that the gas of an update is the mean of.
const TRANSACTIONS: u32 = 50;
const SECONDS_OF_A_DAY: f64 = 86_400.0;

/// What gas and an ether cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prices {
    pub gas_price_gwei: f64,
    pub eth_usd: f64,
}

/// What liquidity would have earned: an estimate that stands on an assumption about other traders, and on few days.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LiquidityView {
    /// The whole days that fees were judged on, Unix milliseconds, the end not included.
    judged_from_ms: i64,
    judged_to_ms: i64,
    /// The whole days that the static fee was fitted on.
    fitted_from_ms: i64,
    fitted_to_ms: i64,
    /// Whether these are the same days, for want of two weeks before: the static fee is then the best in hindsight.
    is_hindsight: bool,
    /// Judged days.
    days: usize,
    /// What liquidity of $100M would have earned a year with this policy's fee, over a rebalanced portfolio without a pool.
    usd_per_year_per_100m: f64,
    /// With the fitted static fee.
    static_usd_per_year_per_100m: f64,
    /// What is between them.
    more_usd_per_year_per_100m: f64,
    /// Standard error of that, from blocks of five days; null for less than 16 days.
    standard_error_usd: Option<f64>,
    /// Mean of this policy's fee, and the fitted static one, in hundredths of a bps.
    mean_fee_pips: f64,
    static_fee_pips: f64,
    /// The assumption: others' volume goes with the market's to the power of theta, and with the exponential of minus epsilon times
    /// the fee.
    theta: f64,
    epsilon: f64,
}

/// From what size of a pool on the policy pays the gas of its updates.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BreakEvenView {
    /// Value of the pool; null where it earns no more than the static fee, so that it never pays.
    tvl_usd: Option<f64>,
    /// Gas of a year.
    cost_usd_per_year: f64,
    /// Mean of this node's newest updates.
    gas_per_update: f64,
    updates_per_year: f64,
    gas_price_gwei: f64,
    eth_usd: f64,
}

impl LiquidityView {
    pub(super) fn break_even(&self, gas_per_update: f64, period_seconds: u32, prices: Prices) -> BreakEvenView {
        let Prices { gas_price_gwei, eth_usd } = prices;
        let updates_per_year = DAYS_OF_A_YEAR * SECONDS_OF_A_DAY / f64::from(period_seconds.max(1));
        let cost_usd_per_year = usd_per_year(gas_per_update, updates_per_year, gas_price_gwei, eth_usd);
        let tvl_usd = break_even_usd(self.more_usd_per_year_per_100m, POOL_USD, cost_usd_per_year);
        BreakEvenView { tvl_usd, cost_usd_per_year, gas_per_update, updates_per_year, gas_price_gwei, eth_usd }
    }
}

/// Mean gas of this node's newest updates; `None` before the first.
pub(super) fn gas_per_update(reader: &Reader, job: JobKey) -> Result<Option<f64>, StateError> {
    let signed = reader.signed(job, TRANSACTIONS)?;
    let gas: Vec<f64> = signed.iter().filter_map(|row| Some(row.landed?.gas_used as f64)).collect();
    Ok((!gas.is_empty()).then(|| gas.iter().sum::<f64>() / gas.len() as f64))
}

/// The candles that are kept of a market.
#[derive(Debug)]
pub(super) struct Stored {
    market: Market,
    /// Whether somebody said from when on to judge, and when.
    from_ms: Option<i64>,
}

impl Stored {
    /// Those of `times_ms` and of some weeks before, as far as they are kept; of minutes without one the close before.
    pub(super) fn read(
        reader: &Reader,
        name: &str,
        sources: &[(String, String)],
        times_ms: &Range<i64>,
        is_fixed: bool,
    ) -> Result<Self, StateError> {
        let before_ms = if is_fixed { times_ms.start - EARLIER_DAYS * DAY_MS } else { times_ms.start };
        let range_ms = before_ms.max(times_ms.end - MAX_DAYS * DAY_MS)..times_ms.end;
        let candles = kept_candles(reader, sources, &range_ms)?;
        let market = market(name, unbroken(&candles));
        Ok(Self { market, from_ms: is_fixed.then_some(times_ms.start) })
    }

    /// What a pool with the policy's fee would have earned.
    ///
    /// # Errors
    /// [`BacktestError`]: too few candles, or a market that stood still.
    pub(super) fn judge(
        &self,
        policy: &Policy,
        period_seconds: u32,
        updates: &[Update],
    ) -> Result<LiquidityView, BacktestError> {
        let market = &self.market;
        let first_minute = u64::try_from(market.start_ms / MINUTE_MS).unwrap_or(0);
        let fees = fees(policy, period_seconds, updates, first_minute..first_minute + market.len() as u64);
        let first_with_fee = fees.iter().position(|fee| fee.is_finite()).unwrap_or(market.len());
        let from = self.from_ms.map_or(0, |from_ms| market.minutes(&(from_ms..i64::MAX)).start);
        let parts = Parts::new(&(first_with_fee.max(from)..market.len()), self.from_ms.is_some())?;
        let given = Given::new(market, fees, &parts, SHOWN)?;
        Ok(LiquidityView {
            judged_from_ms: market.time_ms(parts.judged.start),
            judged_to_ms: market.time_ms(parts.judged.end),
            fitted_from_ms: market.time_ms(parts.fitted.start),
            fitted_to_ms: market.time_ms(parts.fitted.end),
            is_hindsight: parts.is_hindsight(),
            days: parts.judged.len() / DAY_MINUTES,
            usd_per_year_per_100m: given.usd_per_year,
            static_usd_per_year_per_100m: given.static_usd_per_year,
            more_usd_per_year_per_100m: given.more_usd_per_year,
            standard_error_usd: given.standard_error,
            mean_fee_pips: given.mean_fee * 1e6,
            static_fee_pips: given.static_fee * 1e6,
            theta: SHOWN.theta,
            epsilon: SHOWN.epsilon,
        })
    }
}

/// The newest candles behind which no long stretch is missing.
fn unbroken(candles: &[Candle]) -> &[Candle] {
    let is_broken = |pair: &[Candle]| pair[1].open_time_ms - pair[0].open_time_ms > MAX_GAP_MINUTES * MINUTE_MS;
    candles.windows(2).rposition(is_broken).map_or(candles, |at| &candles[at + 1..])
}

/// Every minute from the first candle to the last.
fn market(name: &str, candles: &[Candle]) -> Market {
    let mut market = Market { name: name.to_owned(), start_ms: 0, closes: Vec::new(), volumes: Vec::new() };
    let Some(first) = candles.first() else { return market };
    market.start_ms = first.open_time_ms;
    for candle in candles {
        let at = usize::try_from((candle.open_time_ms - first.open_time_ms) / MINUTE_MS).unwrap_or(usize::MAX);
        let before = market.closes.last().copied().unwrap_or(candle.close);
        market.closes.resize(at, before);
        market.volumes.resize(at, 0.0);
        market.closes.push(candle.close);
        market.volumes.push(candle.volume * candle.close);
    }
    market
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candle(minute: i64, close: f64) -> Candle {
        Candle { open_time_ms: minute * MINUTE_MS, open: close, high: close, low: close, close, volume: 2.0 }
    }

    #[test]
    fn absent_minutes_are_carried_and_a_long_silence_begins_a_market_anew() {
        let candles = [candle(10, 1.0), candle(500, 2.0), candle(501, 3.0), candle(504, 4.0)];
        let made = market("m", unbroken(&candles));
        assert_eq!(made.start_ms, 500 * MINUTE_MS);
        assert_eq!(made.closes, [2.0, 3.0, 3.0, 3.0, 4.0]);
        assert_eq!(made.volumes, [4.0, 6.0, 0.0, 0.0, 8.0]);
        assert!(market("m", unbroken(&[])).is_empty());
    }
}
