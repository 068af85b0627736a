//! Several markets judged together.

use super::Comparison;
use super::outcomes::{Forecast, Outcomes};

/// The rows of several markets in order of time, with the forecasters that all of them have. Volatilities are those over each market's
/// threshold, whose logarithm stands beside it: else knowing which market is the wilder one would pass for skill. Days are drawn for all
/// markets at once, so that standard errors know what markets have in common.
pub fn pooled(markets: &[(&Comparison, f64)]) -> Comparison {
    if let [(only, _)] = markets {
        return (*only).clone();
    }
    let mut order: Vec<(i64, usize, usize)> = Vec::new();
    for (market, (comparison, _)) in markets.iter().enumerate() {
        order.extend(comparison.outcomes.time_ms.iter().enumerate().map(|(row, time_ms)| (*time_ms, market, row)));
    }
    order.sort_unstable();
    let of = |market: usize| &markets[market].0.outcomes;
    let outcomes = Outcomes {
        at: order.iter().map(|(_, market, row)| of(*market).at[*row]).collect(),
        time_ms: order.iter().map(|(time_ms, _, _)| *time_ms).collect(),
        was_high: order.iter().map(|(_, market, row)| of(*market).was_high[*row]).collect(),
        log_volatility: order
            .iter()
            .map(|(_, market, row)| of(*market).log_volatility[*row] - markets[*market].1)
            .collect(),
        on_grid: order.iter().map(|(_, market, row)| of(*market).on_grid[*row]).collect(),
    };
    let all = markets.first().map_or(&[][..], |(first, _)| &first.forecasts);
    let forecasts = all.iter().filter_map(|forecast| {
        let by = |(comparison, _): &(&'_ Comparison, f64)| {
            comparison.forecasts.iter().find(|other| other.by == forecast.by).cloned()
        };
        let own: Vec<Forecast> = markets.iter().map(by).collect::<Option<_>>()?;
        let pick = |values: &dyn Fn(usize, usize) -> f64| -> Vec<f64> {
            order.iter().map(|(_, market, row)| values(*market, *row)).collect()
        };
        let volatilities: Option<Vec<&Vec<f64>>> = own.iter().map(|own| own.log_volatility.as_ref()).collect();
        Some(Forecast {
            by: forecast.by,
            // What is no probability is a logarithm of a volatility.
            rating: pick(&|market, row| {
                own[market].rating[row] - if forecast.is_probability { 0.0 } else { markets[market].1 }
            }),
            is_probability: forecast.is_probability,
            called_high: order.iter().map(|(_, market, row)| own[*market].called_high[*row]).collect(),
            log_volatility: volatilities
                .map(|volatilities| pick(&|market, row| volatilities[market][row] - markets[market].1)),
            variance_ratio: pick(&|market, row| own[market].variance_ratio[row]),
        })
    });
    Comparison { forecasts: forecasts.collect(), outcomes }
}

#[cfg(test)]
mod tests {
    use super::super::outcomes::Forecaster;
    use super::super::tallies::Metric;
    use super::*;

    fn market(first_ms: i64, log_threshold: f64, rows: usize, error: f64) -> Comparison {
        let log_volatility: Vec<f64> =
            (0..rows).map(|row| log_threshold + if row % 3 == 0 { 0.5 } else { -0.4 }).collect();
        let was_high: Vec<bool> = log_volatility.iter().map(|value| *value > log_threshold).collect();
        let ratings = was_high.iter().map(|high| if *high { 0.8 } else { 0.3 }).collect();
        let said =
            log_volatility.iter().enumerate().map(|(row, value)| value + if row % 2 == 0 { error } else { -error });
        let forecast = Forecast::of_probabilities(Forecaster::StudentCircuit, ratings)
            .with_log_volatility(said.collect(), 1.0 + error);
        let outcomes = Outcomes {
            at: (0..rows).collect(),
            time_ms: (0..rows as i64).map(|row| first_ms + row * 3_600_000).collect(),
            was_high,
            log_volatility,
            on_grid: (0..rows).map(|row| row % 4 == 0).collect(),
        };
        Comparison { outcomes, forecasts: vec![forecast] }
    }

    #[test]
    fn figures_of_all_are_those_of_their_rows_and_no_level_passes_for_skill() {
        let [calm, wild] = [market(0, -7.5, 960, 0.1), market(1_800_000, -5.0, 480, 0.3)];
        let pooled = pooled(&[(&calm, -7.5), (&wild, -5.0)]);
        assert!(pooled.outcomes.time_ms.is_sorted() && pooled.outcomes.len() == 1440);
        let [all, one, other] = [&pooled, &calm, &wild].map(Comparison::report);
        let figure = |report: &super::super::report::Report, metric| {
            report.figure(Forecaster::StudentCircuit, metric).unwrap().value
        };
        for metric in [Metric::Accuracy, Metric::Brier, Metric::Qlike] {
            let mean = (2.0 * figure(&one, metric) + figure(&other, metric)) / 3.0;
            assert!((figure(&all, metric) - mean).abs() < 1e-9, "{metric:?}");
        }
        // Errors of 0.1 and 0.3 around values whose deviation within a market is 0.42.
        let r2 = figure(&all, Metric::LogVolatilityR2);
        let expected = 1.0 - (2.0 * 0.01 + 0.09) / 3.0 / (0.81 * 2.0 / 9.0);
        assert!((r2 - expected).abs() < 1e-6, "{r2}, not {expected}");
    }
}
