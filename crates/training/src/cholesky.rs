//! Systems of linear equations whose matrix is positive definite.

/// The solution of a positive definite system of which the lower half is given, by Cholesky's decomposition.
pub fn solved(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
    let count = right.len();
    for row in 0..count {
        for column in 0..=row {
            let sum: f64 = (0..column).map(|index| matrix[row][index] * matrix[column][index]).sum();
            let rest = matrix[row][column] - sum;
            matrix[row][column] = if row == column { rest.sqrt() } else { rest / matrix[column][column] };
        }
        let sum: f64 = (0..row).map(|index| matrix[row][index] * right[index]).sum();
        right[row] = (right[row] - sum) / matrix[row][row];
    }
    for row in (0..count).rev() {
        let sum: f64 = (row + 1..count).map(|index| matrix[index][row] * right[index]).sum();
        right[row] = (right[row] - sum) / matrix[row][row];
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_solved() {
        // [[4, 2], [2, 3]] · [1, −2] = [0, −4]; the upper half is not looked at.
        let solution = solved(vec![vec![4.0, f64::NAN], vec![2.0, 3.0]], vec![0.0, -4.0]);
        assert!((solution[0] - 1.0).abs() < 1e-12 && (solution[1] + 2.0).abs() < 1e-12, "{solution:?}");
    }
}
