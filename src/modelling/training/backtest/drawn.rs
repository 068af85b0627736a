//! A backtest as pictures.

use std::path::Path;

use anyhow::Context;

use super::signals::{FORESIGHT, OURS, OURS_QUICK};
use super::stress;
use super::{Backtest, DAY_MINUTES, is_shown};
use veriregime_backtest::closure::SHOWN;
use veriregime_backtest::fee::FeeMap;
use veriregime_backtest::market::Market;
use veriregime_backtest::study::{Comparison, Policy, Study};
use veriregime_training::plots;

/// Who is drawn over time.
const DRAWN: [&str; 5] = [FORESIGHT, OURS_QUICK, OURS, "har_clock", "persistence"];
/// Points of the map.
const MAP_POINTS: usize = 120;
/// How far the map is drawn, in knees.
const MAP_KNEES: f64 = 4.0;
const BPS: f64 = 1e4;
const THOUSAND: f64 = 1e3;
const HOUR_MINUTES: f64 = 60.0;

/// Writes `plot-gain.svg`, `plot-map.svg` and `plot-stress.svg`.
///
/// # Errors
/// A folder that cannot be written to.
pub(super) fn write(
    folder: &Path,
    backtest: &Backtest,
    study: &Study<'_>,
    policies: &[Policy],
    market: &Market,
) -> anyhow::Result<()> {
    veriregime_files::create_folder(folder)?;
    let judged = study.judged();
    let Some(terms) = backtest.terms.iter().find(|terms| terms.closure == SHOWN) else { return Ok(()) };
    let gains: Vec<_> = DRAWN
        .iter()
        .filter_map(|name| {
            let row = backtest
                .amm
                .iter()
                .find(|row| is_shown(row) && row.policy == *name && row.comparison == Comparison::Own)?;
            let mut sum = 0.0;
            let points = row.daily_usd.iter().enumerate().map(|(day, usd)| {
                sum += usd / THOUSAND;
                (market.time_ms(judged.start + (day + 1) * DAY_MINUTES) as f64, sum)
            });
            Some((*name, points.collect::<Vec<_>>()))
        })
        .collect();
    let title = "What liquidity of $100M earned more than with the static fee";
    let gain = plots::over_time(title, "thousand $ since the first day", &gains);
    let all_maps = std::iter::once(("shared map", terms.map))
        .chain(std::iter::once(("static", FeeMap::flat(terms.static_fee))))
        .chain(policies.iter().filter_map(|policy| Some((policy.name.as_str(), policy.map?))));
    let most = MAP_KNEES * terms.map.knee().context("no map was fitted")?;
    let curve = |map: FeeMap| {
        let at = |point: usize| most * point as f64 / MAP_POINTS as f64;
        (0..=MAP_POINTS).map(|point| (at(point) * BPS, map.fee(at(point)) * BPS)).collect::<Vec<_>>()
    };
    let maps: Vec<_> = all_maps.map(|(name, map)| (name, curve(map))).collect();
    let map = plots::over_number("Fee over volatility", ["forecast volatility, bps a minute", "fee, bps"], &maps);
    let day = wildest_day(market, &judged);
    let fee = |name: &str| {
        let policy = policies.iter().find(|policy| policy.name == name)?;
        let fees = study.fees(terms, policy);
        let points = day
            .clone()
            .filter_map(|at| Some(((at - day.start) as f64 / HOUR_MINUTES, fees.get(at - judged.start)? * BPS)));
        Some(points.collect::<Vec<_>>())
    };
    let stress: Vec<_> = DRAWN.iter().filter_map(|name| Some((*name, fee(name)?))).collect();
    let title = format!(
        "Fees on the wildest day, {}",
        &veriregime_core::types::time::format_utc(market.time_ms(day.start))[..10]
    );
    let stress = plots::over_number(&title, ["hour, UTC", "fee, bps"], &stress);
    for (name, svg) in [("gain", gain), ("map", map), ("stress", stress)] {
        veriregime_files::write_atomic(&folder.join(format!("plot-{name}.svg")), svg.as_bytes())?;
    }
    Ok(())
}

/// The minutes of the judged day on which the price moved most.
fn wildest_day(market: &Market, judged: &std::ops::Range<usize>) -> std::ops::Range<usize> {
    let squares = |day: &std::ops::Range<usize>| -> f64 {
        market.closes[day.clone()].windows(2).map(|pair| libm::log(pair[1] / pair[0]).powi(2)).sum()
    };
    let days = stress::whole_days(market, judged);
    days.max_by(|left, right| squares(left).total_cmp(&squares(right))).unwrap_or_else(|| judged.clone())
}
