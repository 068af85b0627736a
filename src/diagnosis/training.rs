//! A build with the feature `training`.

use std::error::Error;

use veriregime_backtest::error::BacktestError;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_training::error::TrainingError;
use veriregime_training::evaluation::EvaluationError;

/// The coded error of training, evaluation or backtest, where `link` is one.
pub fn coded<'a>(link: &'a (dyn Error + 'static)) -> Option<&'a dyn Diagnostic> {
    let training = || link.downcast_ref::<TrainingError>().map(|error| error as &dyn Diagnostic);
    let evaluation = || link.downcast_ref::<EvaluationError>().map(|error| error as &dyn Diagnostic);
    let backtest = || link.downcast_ref::<BacktestError>().map(|error| error as &dyn Diagnostic);
    training().or_else(evaluation).or_else(backtest)
}
