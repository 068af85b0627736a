//! Where the demo's candles come from, and what really happened in its periods.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::row::PeriodRow;
use super::scenario::{Scenario, Source};
use crate::bundle::Bundle;
use crate::clock::Clock;
use crate::config::Config;
use crate::job::Agent;
use crate::node::feeds;
use crate::sources::candles::market::{Market, Markets};
use crate::sources::candles::{file, serve};
use veriregime_core::features;
use veriregime_core::features::label;
use veriregime_core::features::sums::Sums;
use veriregime_core::types::candle::{Candle, CandleSeries};
use veriregime_core::types::manifest::TRAINED_ON;
use veriregime_core::types::manifest::inputs::Market as ModelMarket;
use veriregime_core::types::period::{MINUTE_MS, PeriodId};
use veriregime_core::types::prediction::Regime;
use veriregime_core::types::time::format_utc;

/// Where the simulated market's demo begins when nothing is asked for: a Monday.
const SIMULATED_START_MS: i64 = 1_767_571_200_000;

/// A market that answers over HTTP.
#[derive(Debug)]
pub(super) struct Served {
    /// The demo's clock, which the server follows.
    pub(super) clock: Clock,
    /// First period.
    pub(super) first: PeriodId,
    /// First millisecond of which no candle can be had.
    pub(super) newest_ms: i64,
}

/// Serves the asked-for market, and `beside` it others, or points at the exchange, and tells in words what it is.
pub(super) async fn serve(
    scenario: &Scenario,
    mut config: Config,
    beside: &[ModelMarket],
    stop: &CancellationToken,
) -> anyhow::Result<(Config, String, Served)> {
    let bundle = Bundle::open(&config.bundle)?;
    let market = bundle.manifest.markets()?.first().context("the model has no market")?;
    let minutes = bundle.manifest.features()?.lookback_minutes;
    let periods = u64::from(scenario.periods);
    let others = symbols(beside);
    let symbols = symbols([market].into_iter().chain(beside));
    let (market, story, first, newest_ms) = match &scenario.source {
        Source::Binance => {
            let now_ms = Clock::System.now_ms();
            let first = scenario.from_ms.map_or(PeriodId(PeriodId::at_ms(now_ms).0 + 1 - periods), PeriodId::at_ms);
            // The demo replays past periods by a clock of its own, so the exchange's is another on purpose.
            config.candles.max_clock_skew_ms = i64::MAX;
            let source = feeds::primary(&config)?;
            source.server_time_ms().await.context("the live exchange does not answer")?;
            let story = format!("live from {}, {symbols}", source.base_url());
            let clock = Clock::manual(first.start_ms());
            return Ok((config, story, Served { clock, first, newest_ms: now_ms }));
        }
        Source::Recorded(path) => {
            let candles = file::read_any(path)?;
            let newest_ms = candles.last().map_or(0, Candle::close_time_ms);
            let last = PeriodId(PeriodId::at_ms(newest_ms).0.saturating_sub(periods));
            let first = scenario.from_ms.map_or(last, PeriodId::at_ms);
            check_covered(path, &candles, &bundle, first, periods)?;
            let mut story = format!("{} from {}, served over HTTP", market.symbol, path.display());
            if !beside.is_empty() {
                story = format!("{story}; beside it {others}, SIMULATED and not real prices");
            }
            let recorded = Market::recorded(&market.symbol, candles)?;
            (recorded, story, first, newest_ms)
        }
        Source::Simulated { seed } => {
            let first = PeriodId::at_ms(scenario.from_ms.unwrap_or(SIMULATED_START_MS));
            let (what, real) = if beside.is_empty() {
                ("a SIMULATED market (seed", "--candles FILE or --source binance")
            } else {
                ("SIMULATED markets (first seed", "--source binance")
            };
            let story = format!("{what} {seed}), not real prices, served over HTTP as {symbols}; real ones: {real}");
            (Market::simulated(&market.symbol, *seed), story, first, i64::MAX)
        }
    };
    anyhow::ensure!(
        first.start_ms() > minutes as i64 * MINUTE_MS,
        "the first period lies before there is any candle for it"
    );
    let clock = Clock::manual(first.start_ms());
    let listener = serve::listen(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    config.candles.only_from(Url::parse(&format!("http://{}", listener.local_addr()?))?);
    let seeds = std::iter::successors(scenario.source.seed_beside(), |seed| Some(seed.wrapping_add(1)));
    let simulated = beside.iter().zip(seeds).map(|(market, seed)| Market::simulated(&market.symbol, seed));
    let markets: Markets = simulated.chain([market]).collect();
    tokio::spawn(serve::serve(TRAINED_ON, markets, clock.clone(), listener, stop.clone()));
    Ok((config, story, Served { clock, first, newest_ms }))
}

fn symbols<'a>(markets: impl IntoIterator<Item = &'a ModelMarket>) -> String {
    markets.into_iter().map(|market| market.symbol.as_str()).collect::<Vec<_>>().join(", ")
}

fn check_covered(
    path: &Path,
    candles: &[Candle],
    bundle: &Bundle,
    first: PeriodId,
    periods: u64,
) -> anyhow::Result<()> {
    let (from_ms, _) = features::window_ms(bundle.manifest.features()?, first.start_ms());
    let last_start_ms = PeriodId(first.0 + periods - 1).start_ms();
    let (oldest_ms, newest_ms) = match (candles.first(), candles.last()) {
        (Some(oldest), Some(newest)) => (oldest.open_time_ms, newest.close_time_ms()),
        _ => anyhow::bail!("{} holds no candles", path.display()),
    };
    anyhow::ensure!(
        oldest_ms <= from_ms && newest_ms >= last_start_ms,
        "{} holds {} to {}; {periods} periods from {} need {} to {}",
        path.display(),
        format_utc(oldest_ms),
        format_utc(newest_ms),
        format_utc(first.start_ms()),
        format_utc(from_ms),
        format_utc(last_start_ms),
    );
    Ok(())
}

/// Asks the exchange for the period and the one before it and fills in what really happened, where it is known.
pub(super) async fn fill_realised(agent: &Agent, served: &Served, row: &mut PeriodRow) -> anyhow::Result<()> {
    let period = row.period;
    served.clock.set_ms(period.end_ms());
    // One more minute before: the first return needs the close before it.
    let from_ms = period.start_ms() - (PeriodId::MINUTES as i64 + 1) * MINUTE_MS;
    let to_ms = period.end_ms().min(served.newest_ms.div_euclid(MINUTE_MS) * MINUTE_MS);
    let regime = agent.regime().context("it is a job of regimes")?;
    let feed = regime.feeds.primary();
    for ((symbol, market), label) in feed.symbols.iter().zip(&mut row.markets).zip(&regime.model.labels) {
        let candles = feed.source.candles(symbol, from_ms, to_ms, period.end_ms()).await?;
        let series = CandleSeries::new(&candles, from_ms, to_ms, 2 * PeriodId::MINUTES)?;
        let sums = Sums::new(series.candles(), series.carried());
        market.volatility_before = label::volatility(&sums, 1, PeriodId::MINUTES);
        market.realised_volatility = label::volatility(&sums, 1 + PeriodId::MINUTES, PeriodId::MINUTES);
        market.realised_regime = market
            .realised_volatility
            .map(|volatility| if volatility > label.threshold { Regime::High } else { Regime::Low });
    }
    Ok(())
}
