//! What charts and explanations need of a job of regimes, beside its cycles.

use std::collections::BTreeMap;
use std::ops::Range;

use super::history::History;
use crate::api::error::ApiError;
use crate::state::error::StateError;
use crate::state::reader::Reader;
use crate::state::series::SeriesRow;
use veriregime_core::model::dense::DenseNetwork;
use veriregime_core::types::baselines::Baselines;
use veriregime_core::types::candle::Candle;
use veriregime_core::types::feature::FeatureSpec;
use veriregime_core::types::manifest::Output;
use veriregime_core::types::manifest::regime::Label;
use veriregime_core::types::period::{Grid, PeriodId};
use veriregime_core::types::time::END_MS;

/// Periods of one answer.
pub const MAX_PERIODS: u32 = 10_000;

/// A job of regimes.
#[derive(Debug)]
pub struct RegimeJob {
    /// Names of the markets, in the model's order.
    pub markets: Vec<String>,
    /// What the model looks at in each market.
    pub features: Vec<FeatureSpec>,
    /// What it forecasts of each.
    pub labels: Vec<Label>,
    /// What a market's outputs are.
    pub outputs: Vec<Output>,
    /// What it is compared with in each market.
    pub baselines: Vec<Baselines>,
    /// The network of each market, where it is made of layers.
    pub networks: Option<Vec<DenseNetwork>>,
    /// Where its candles come from, first choice first: names, and symbols in the order of the markets.
    pub sources: Vec<(String, Vec<String>)>,
}

impl RegimeJob {
    /// Index of a market.
    pub(super) fn market(&self, name: &str) -> Result<usize, ApiError> {
        self.markets.iter().position(|market| market == name).ok_or(ApiError::NoMarket)
    }

    /// Names of the sources of a market's candles, first choice first, each with what it calls the market.
    pub(super) fn sources_of(&self, market: usize) -> Vec<(String, String)> {
        let symbol = |(source, symbols): &(String, Vec<String>)| Some((source.clone(), symbols.get(market)?.clone()));
        self.sources.iter().filter_map(symbol).collect()
    }

    /// log2 of the outputs' grid.
    pub(super) fn output_scale(&self) -> u32 {
        self.outputs.first().map_or(0, |output| output.scale)
    }
}

/// The newest cycles of a market within periods, oldest first.
pub(super) async fn rows(
    history: &History,
    market: usize,
    periods: Range<PeriodId>,
    limit: u32,
) -> Result<Vec<SeriesRow>, ApiError> {
    let job = history.job();
    history.read(move |reader| reader.series(job, market, &periods, limit)).await
}

/// The candles of `range_ms` that are kept, in order: of each minute those of the source that comes first and has it.
pub(super) fn kept_candles(
    reader: &Reader,
    sources: &[(String, String)],
    range_ms: &Range<i64>,
) -> Result<Vec<Candle>, StateError> {
    let mut found: BTreeMap<i64, Candle> = BTreeMap::new();
    for (source, symbol) in sources {
        for candle in reader.live_candles(source, symbol, range_ms)? {
            found.entry(candle.open_time_ms).or_insert(candle);
        }
    }
    Ok(found.into_values().collect())
}

/// Times as a client gives them, checked: from the first on, before the last.
pub(super) fn times(from_ms: Option<i64>, to_ms: Option<i64>, now_ms: i64) -> Result<Range<i64>, ApiError> {
    let (from_ms, to_ms) = (from_ms.unwrap_or(0), to_ms.unwrap_or(now_ms.clamp(0, END_MS)));
    let is_time = |time_ms: i64| (0..=END_MS).contains(&time_ms);
    if !is_time(from_ms) || !is_time(to_ms) || from_ms > to_ms {
        let what = format!("from_ms and to_ms are from 0 to {END_MS}, and from_ms is not after to_ms");
        return Err(ApiError::Parameter(what));
    }
    Ok(from_ms..to_ms)
}

/// The periods that begin within times.
pub(super) fn periods(grid: Grid, times_ms: &Range<i64>) -> Range<PeriodId> {
    let from = |time_ms: i64| {
        let period = grid.period_at(time_ms);
        if grid.start_ms(period) < time_ms { period.next() } else { period }
    };
    from(times_ms.start)..from(times_ms.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_begin_within_the_times_and_times_are_bounded() {
        let hours = |from: i64, to: i64| periods(Grid::FOUR_HOURS, &(from * 3_600_000..to * 3_600_000));
        assert_eq!(hours(0, 8), PeriodId(0)..PeriodId(2));
        assert_eq!(hours(1, 9), PeriodId(1)..PeriodId(3));
        assert!(times(Some(5), Some(4), 9).is_err() && times(Some(-1), None, 9).is_err());
        assert!(times(None, Some(END_MS + 1), 9).is_err());
        assert_eq!(times(Some(5), None, 9).unwrap(), 5..9);
    }
}
