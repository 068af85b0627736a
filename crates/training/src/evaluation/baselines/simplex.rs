//! The smallest value of a function of a few numbers, without its derivatives: the simplex of Nelder and Mead (1965).

/// Steps after which the best point so far is taken.
const MAX_STEPS: usize = 500;
/// The values at the corners differ by less, and the corners themselves by less along each axis: done.
const TOLERANCE: f64 = 1e-10;
const NEARNESS: f64 = 1e-6;
/// First distance of the corners from the start.
const REACH: f64 = 0.5;

/// Where `loss` is smallest near `start`, or as close as it gets in a bounded number of steps.
pub fn minimise<const N: usize>(start: [f64; N], loss: impl Fn(&[f64; N]) -> f64) -> [f64; N] {
    let corner = |index: usize| {
        let mut point = start;
        if let Some(axis) = index.checked_sub(1) {
            point[axis] += REACH;
        }
        (loss(&point), point)
    };
    let mut corners: Vec<(f64, [f64; N])> = (0..=N).map(corner).collect();
    for _ in 0..MAX_STEPS {
        corners.sort_by(|left, right| left.0.total_cmp(&right.0));
        let best = corners[0].1;
        let near =
            |(_, point): &(f64, [f64; N])| point.iter().zip(best).all(|(own, best)| (own - best).abs() < NEARNESS);
        // Corners on both sides of the bottom can have the same value.
        if corners[N].0 - corners[0].0 < TOLERANCE && corners.iter().all(near) {
            break;
        }
        let centre: [f64; N] =
            std::array::from_fn(|axis| corners[..N].iter().map(|(_, point)| point[axis]).sum::<f64>() / N as f64);
        let worst = corners[N];
        // The worst corner is mirrored at the others' centre (-1), sent further (-2), or drawn half-way in.
        let moved = |factor: f64| {
            let point: [f64; N] = std::array::from_fn(|axis| centre[axis] + factor * (worst.1[axis] - centre[axis]));
            (loss(&point), point)
        };
        let mirrored = moved(-1.0);
        let next = if mirrored.0 < corners[0].0 {
            let further = moved(-2.0);
            if further.0 < mirrored.0 { further } else { mirrored }
        } else if mirrored.0 < corners[N - 1].0 {
            mirrored
        } else {
            moved(if mirrored.0 < worst.0 { -0.5 } else { 0.5 })
        };
        if next.0 < worst.0 {
            corners[N] = next;
            continue;
        }
        for (value, point) in &mut corners[1..] {
            *point = std::array::from_fn(|axis| f64::midpoint(best[axis], point[axis]));
            *value = loss(point);
        }
    }
    corners.into_iter().min_by(|left, right| left.0.total_cmp(&right.0)).expect("a simplex has corners").1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bottom_of_a_curved_valley_is_found() {
        let valley = |[x, y]: &[f64; 2]| (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2);
        let [x, y] = minimise([-1.2, 1.0], valley);
        assert!((x - 1.0).abs() < 1e-3 && (y - 1.0).abs() < 1e-3, "{x} {y}");
    }

    #[test]
    fn values_that_are_not_numbers_are_walked_around() {
        let [x] = minimise([3.0], |[x]| if *x < 0.0 { f64::NAN } else { (x - 0.25).powi(2) });
        assert!((x - 0.25).abs() < 1e-3, "{x}");
    }
}
