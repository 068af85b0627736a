//! Convex programs in the solver's terms.

use clarabel::algebra::CscMatrix;
use clarabel::solver::SupportedConeT::{NonnegativeConeT, ZeroConeT};
use clarabel::solver::{DefaultSettingsBuilder, DefaultSolver, IPSolver, SolverStatus};

use crate::error::PortfolioError;

/// Steps of the solver at most.
const MAX_STEPS: u32 = 200;

/// Factors of variables, by their places.
pub(crate) type Row = Vec<(usize, f64)>;

/// `min ½ x′Px + q′x` where some rows equal their bounds, and others are at most theirs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Program {
    /// Entries of `P` on and above its diagonal.
    pub quadratic: Vec<(usize, usize, f64)>,
    /// `q`, one for each variable.
    pub linear: Vec<f64>,
    /// Rows that equal.
    pub equal: Vec<(Row, f64)>,
    /// Rows that are at most.
    pub at_most: Vec<(Row, f64)>,
}

impl Program {
    /// Without any terms.
    pub fn new(variables: usize) -> Self {
        Self { linear: vec![0.0; variables], ..Self::default() }
    }

    /// Keeps a variable between two bounds.
    pub fn between(&mut self, variable: usize, lowest: f64, highest: f64) {
        self.at_most.push((vec![(variable, 1.0)], highest));
        self.at_most.push((vec![(variable, -1.0)], -lowest));
    }

    /// The best point; nothing where none keeps to the rows.
    ///
    /// # Errors
    /// [`PortfolioError::Unsolved`].
    pub fn solve(&self) -> Result<Option<Vec<f64>>, PortfolioError> {
        let variables = self.linear.len();
        let matrix = |rows: usize, entries: Vec<(usize, usize, f64)>| {
            let (mut at, mut columns, mut values) = (Vec::new(), Vec::new(), Vec::new());
            for (row, column, value) in entries {
                at.push(row);
                columns.push(column);
                values.push(value);
            }
            CscMatrix::new_from_triplets(rows, variables, at, columns, values)
        };
        let rows = || self.equal.iter().chain(&self.at_most);
        let entries =
            rows().enumerate().flat_map(|(at, (row, _))| row.iter().map(move |(place, value)| (at, *place, *value)));
        let bounds: Vec<f64> = rows().map(|(_, bound)| *bound).collect();
        let cones = [ZeroConeT(self.equal.len()), NonnegativeConeT(self.at_most.len())];
        let unsolved = |status: String| PortfolioError::Unsolved { status };
        let settings = DefaultSettingsBuilder::default().verbose(false).max_iter(MAX_STEPS).max_threads(1).build();
        let mut solver = DefaultSolver::new(
            &matrix(variables, self.quadratic.clone()),
            &self.linear,
            &matrix(bounds.len(), entries.collect()),
            &bounds,
            &cones,
            settings.map_err(|error| unsolved(error.to_string()))?,
        );
        solver.solve();
        match solver.solution.status {
            SolverStatus::Solved | SolverStatus::AlmostSolved => Ok(Some(solver.solution.x)),
            SolverStatus::PrimalInfeasible | SolverStatus::AlmostPrimalInfeasible => Ok(None),
            status => Err(unsolved(status.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_solved_or_has_no_point() {
        let mut program = Program::new(2);
        // (x − 1)² + (y − 2)² on x + y = 1: the nearest point is (0, 1).
        program.quadratic = vec![(0, 0, 2.0), (1, 1, 2.0)];
        program.linear = vec![-2.0, -4.0];
        program.equal.push((vec![(0, 1.0), (1, 1.0)], 1.0));
        let found = program.solve().unwrap().unwrap();
        assert!(found[0].abs() < 1e-6 && (found[1] - 1.0).abs() < 1e-6, "{found:?}");
        program.between(1, 2.0, 3.0);
        program.between(0, 0.0, 1.0);
        assert_eq!(program.solve().unwrap(), None);
    }
}
