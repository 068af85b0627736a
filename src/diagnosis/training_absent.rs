//! A build without the feature `training`.

use std::error::Error;

use thiserror::Error as ThisError;

use veriregime_core::types::diagnostic::Diagnostic;

/// The program was built without the feature `training`.
#[derive(Debug, ThisError)]
#[error("this build has no training, and neither evaluates models on candles")]
pub struct NotInThisBuild;

impl Diagnostic for NotInThisBuild {
    fn code(&self) -> &'static str {
        "VR-TRAIN-012"
    }

    fn hint(&self) -> &'static str {
        "build with it: `make build`, or `cargo build --release --locked --features training`"
    }
}

/// The coded error of training or evaluation, where `link` is one.
pub fn coded<'a>(link: &'a (dyn Error + 'static)) -> Option<&'a dyn Diagnostic> {
    link.downcast_ref::<NotInThisBuild>().map(|error| error as &dyn Diagnostic)
}
