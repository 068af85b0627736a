//! Covariance and value paths of daily rates.

/// Days of a year.
pub const DAYS_A_YEAR: f64 = 365.0;
/// Share of the correlations that is not believed: so many days do not tell them well.
const SHRUNK: f64 = 0.1;
/// Smallest deviation of a rate: none is without risk.
const LEAST_DEVIATION: f64 = 1e-4;

/// Rates of a strategy on days that are the same for all, shares a year; nothing for a day without one.
pub type Daily = Vec<Option<f64>>;

/// Covariance with these standard deviations, and the correlations of the past. A day without a rate counts as average, so that the
/// matrix stays one of a covariance.
pub fn covariance(daily: &[Daily], deviations: &[f64]) -> Vec<Vec<f64>> {
    let scaled: Vec<Vec<f64>> = daily.iter().map(|rates| standardised(rates)).collect();
    let entry = |row: usize, column: usize| {
        let days = scaled[row].len().max(1) as f64;
        let product = scaled[row].iter().zip(&scaled[column]).map(|(one, other)| one * other).sum::<f64>() / days;
        let correlation = if row == column { 1.0 } else { (1.0 - SHRUNK) * product };
        correlation * deviations[row].max(LEAST_DEVIATION) * deviations[column].max(LEAST_DEVIATION)
    };
    (0..daily.len()).map(|row| (0..daily.len()).map(|column| entry(row, column)).collect()).collect()
}

/// What 1 in each strategy had earned at the end of each day, without interest on interest; a day without a rate earns nothing.
pub fn paths(daily: &[Daily]) -> Vec<Vec<f64>> {
    let days = daily.iter().map(Vec::len).min().unwrap_or(0);
    let mut earned = vec![0.0; daily.len()];
    (0..days)
        .map(|day| {
            for (sum, rates) in earned.iter_mut().zip(daily) {
                *sum += rates[day].unwrap_or(0.0) / DAYS_A_YEAR;
            }
            earned.clone()
        })
        .collect()
}

/// In standard deviations from the mean.
fn standardised(rates: &[Option<f64>]) -> Vec<f64> {
    let known = || rates.iter().flatten();
    let count = known().count().max(1) as f64;
    let mean = known().sum::<f64>() / count;
    let deviation = (known().map(|rate| (rate - mean) * (rate - mean)).sum::<f64>() / count).sqrt();
    let one = |rate: &Option<f64>| match rate {
        Some(rate) if deviation > 0.0 => (rate - mean) / deviation,
        _ => 0.0,
    };
    rates.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covariances_have_the_deviations_that_are_given_and_the_correlations_of_the_past() {
        let up: Daily = (0..10).map(|day| Some(f64::from(day % 2))).collect();
        let down: Daily = up.iter().map(|rate| rate.map(|rate| 1.0 - rate)).collect();
        let flat: Daily = vec![Some(0.1); 10];
        let found = covariance(&[up, down, flat], &[0.2, 0.1, 0.0]);
        assert!((found[0][0] - 0.04).abs() < 1e-12 && (found[0][1] + 0.9 * 0.02).abs() < 1e-12);
        assert!(found[0][2].abs() < 1e-12 && found[2][2] > 0.0);
        assert!((found[1][0] - found[0][1]).abs() < 1e-15);
    }

    #[test]
    fn paths_are_sums_of_daily_earnings() {
        let found = paths(&[vec![Some(3.65), None, Some(-3.65)], vec![Some(0.365); 3]]);
        let expected = [[0.01, 0.001], [0.01, 0.002], [0.0, 0.003]];
        for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
            assert!((found - expected).abs() < 1e-12);
        }
        assert!(paths(&[]).is_empty());
    }
}
