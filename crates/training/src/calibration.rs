//! Probabilities that mean what they say: one temperature, fitted on validation (Guo and others 2017).

/// Range of temperatures that are looked at.
const RANGE: [f64; 2] = [0.25, 4.0];
/// Halvings of the range; the golden section shrinks it to less than a millionth.
const STEPS: usize = 40;

/// The temperature that margins are divided by to make `high` most likely; each row is a margin in logits and whether
/// High followed. 1 where the rows say nothing.
pub fn temperature(rows: &[(f64, bool)]) -> f64 {
    if rows.is_empty() {
        return 1.0;
    }
    let cost = |log_temperature: f64| {
        let scale = libm::exp(-log_temperature);
        rows.iter().map(|(margin, high)| cross_entropy(margin * scale, *high)).sum::<f64>()
    };
    // The cost is convex in the scale, hence has one minimum in its logarithm too.
    let golden = (5.0_f64.sqrt() - 1.0) / 2.0;
    let [mut low, mut high] = RANGE.map(libm::log);
    let (mut left, mut right) = (high - golden * (high - low), low + golden * (high - low));
    let (mut left_cost, mut right_cost) = (cost(left), cost(right));
    for _ in 0..STEPS {
        if left_cost < right_cost {
            (high, right, right_cost) = (right, left, left_cost);
            left = high - golden * (high - low);
            left_cost = cost(left);
        } else {
            (low, left, left_cost) = (left, right, right_cost);
            right = low + golden * (high - low);
            right_cost = cost(right);
        }
    }
    libm::exp(f64::midpoint(low, high))
}

/// What a forecast logarithm of a volatility has to be lifted by, so that the square of the volatility is the variance to be expected; each
/// gap is what followed less what was forecast. Exact, and best by QLIKE, where gaps are normal: a few crashes of the training part do not
/// decide. 0 where there are none.
pub fn lift(gaps: &[f64]) -> f64 {
    let count = gaps.len().max(1) as f64;
    let mean = gaps.iter().sum::<f64>() / count;
    mean + gaps.iter().map(|gap| (gap - mean) * (gap - mean)).sum::<f64>() / count
}

/// Negative log-likelihood of what followed under a margin.
fn cross_entropy(margin: f64, high: bool) -> f64 {
    let miss = if high { -margin } else { margin };
    libm::log1p(libm::exp(-miss.abs())) + miss.max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lift_is_where_qlike_is_least_for_normal_gaps() {
        // A normal law of deviation 0.3 around 0.05, a hundred thousand rows.
        let density = |gap: f64| libm::exp(-gap * gap / (2.0 * 0.09));
        let grid: Vec<f64> = (-200..=200).map(|step| f64::from(step) / 100.0).collect();
        let total: f64 = grid.iter().map(|gap| density(*gap)).sum();
        let gaps: Vec<f64> = grid
            .iter()
            .flat_map(|gap| vec![gap + 0.05; (density(*gap) / total * 100_000.0).round() as usize])
            .collect();
        let best = lift(&gaps);
        assert!((best - 0.14).abs() < 1e-3, "0.05 and 0.3²: {best}");
        let loss =
            |lift: f64| gaps.iter().map(|gap| libm::exp(2.0 * (gap - lift)) - 2.0 * (gap - lift) - 1.0).sum::<f64>();
        assert!(loss(best) < loss(best - 0.01) && loss(best) < loss(best + 0.01));
        assert!(lift(&[]).abs() < f64::EPSILON);
    }

    #[test]
    fn the_temperature_that_spoilt_the_margins_is_found() {
        for truth in [0.5, 1.0, 2.5] {
            // At each margin, exactly the promised share of a thousand rows is High.
            let rows: Vec<(f64, bool)> = (-40..=40)
                .flat_map(|step| {
                    let margin = f64::from(step) / 10.0;
                    let promised = 1000.0 / (1.0 + libm::exp(-margin));
                    (0..1000).map(move |row| (margin * truth, f64::from(row) + 0.5 < promised))
                })
                .collect();
            let found = temperature(&rows);
            assert!((found / truth - 1.0).abs() < 0.01, "{found}, not {truth}");
        }
        assert!((temperature(&[]) - 1.0).abs() < f64::EPSILON);
    }
}
