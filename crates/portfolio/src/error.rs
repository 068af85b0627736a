//! Why there is no portfolio.

use thiserror::Error;

use veriregime_core::types::diagnostic::Diagnostic;

/// Why there is no portfolio.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PortfolioError {
    /// No strategies, or too many.
    #[error("{count} strategies are none, or more than a portfolio here has: {limit}")]
    Count { count: usize, limit: usize },
    /// A number that is none, or lies outside of its bounds.
    #[error("{what} cannot be: {reason}")]
    Number { what: &'static str, reason: String },
    /// No weights that keep to all limits.
    #[error("no portfolio keeps to the limits: {reason}")]
    Infeasible { reason: &'static str },
    /// The solver found no end.
    #[error("the solver ended without a portfolio: {status}")]
    Unsolved { status: String },
}

impl Diagnostic for PortfolioError {
    fn code(&self) -> &'static str {
        match self {
            Self::Count { .. } => "VR-FOLIO-001",
            Self::Number { .. } => "VR-FOLIO-002",
            Self::Infeasible { .. } => "VR-FOLIO-003",
            Self::Unsolved { .. } => "VR-FOLIO-004",
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Count { .. } => "name the strategies that may be held, 200 at most",
            Self::Number { .. } => "correct the number that is named",
            Self::Infeasible { .. } => "raise the caps, lower the smallest position, or allow cash",
            Self::Unsolved { .. } => {
                "leave out strategies whose rates or volatility are thousands of times those of the others"
            }
        }
    }
}
