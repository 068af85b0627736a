//! The coded error inside an `anyhow` error, for whoever reports one: logs, `doctor`, `status`, the command line.

#[cfg_attr(not(feature = "training"), path = "diagnosis/training_absent.rs")]
pub mod training;

use crate::actions::error::ActionError;
use crate::alerts::AlertError;
use crate::api::error::ApiError;
use crate::attestation::error::AttestationError;
use crate::attestation::peers::PeerError;
use crate::bundle::add_market::AddMarketError;
use crate::bundle::error::BundleError;
use crate::bundle::registry::RegistryError;
use crate::chain::error::ChainError;
use crate::chain::signer::error::KeyError;
use crate::config::ConfigError;
use crate::deployment::error::DeploymentError;
use crate::evidence::EvidenceError;
use crate::job::error::StageError;
use crate::sources::candles::error::CandleError;
use crate::sources::tables::error::TableError;
use crate::sources::yields::error::YieldError;
use crate::state::error::StateError;
use crate::verification::error::ProofError;
use veriregime_core::features::FeatureError;
use veriregime_core::forecast::ForecastError;
use veriregime_core::hedge::electricity::ElectricityError;
use veriregime_core::model::ModelError;
use veriregime_core::trees::error::TreesError;
use veriregime_core::types::candle::SeriesError;
use veriregime_core::types::diagnostic;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::manifest::error::ManifestError;
use veriregime_core::types::time::TimeError;
use veriregime_core::yields::model::StrategyError;
use veriregime_files::FileError;
use veriregime_portfolio::error::PortfolioError;

/// An error and its causes in one line.
pub fn words(error: &anyhow::Error) -> String {
    diagnostic::words(error.as_ref())
}

/// The coded error inside a chain of contexts.
pub fn coded(error: &anyhow::Error) -> Option<&dyn Diagnostic> {
    fn of<'a, T: Diagnostic>(link: &'a (dyn std::error::Error + 'static)) -> Option<&'a dyn Diagnostic> {
        link.downcast_ref::<T>().map(|fault| fault as &dyn Diagnostic)
    }
    error.chain().find_map(|link| {
        of::<StageError>(link)
            .or_else(|| of::<ConfigError>(link))
            .or_else(|| of::<CandleError>(link))
            .or_else(|| of::<YieldError>(link))
            .or_else(|| of::<PortfolioError>(link))
            .or_else(|| of::<TableError>(link))
            .or_else(|| of::<ForecastError>(link))
            .or_else(|| of::<ElectricityError>(link))
            .or_else(|| of::<StrategyError>(link))
            .or_else(|| of::<SeriesError>(link))
            .or_else(|| of::<FeatureError>(link))
            .or_else(|| of::<ModelError>(link))
            .or_else(|| of::<TreesError>(link))
            .or_else(|| of::<ManifestError>(link))
            .or_else(|| of::<BundleError>(link))
            .or_else(|| of::<ProofError>(link))
            .or_else(|| of::<RegistryError>(link))
            .or_else(|| of::<AddMarketError>(link))
            .or_else(|| of::<ActionError>(link))
            .or_else(|| of::<ChainError>(link))
            .or_else(|| of::<KeyError>(link))
            .or_else(|| of::<AttestationError>(link))
            .or_else(|| of::<PeerError>(link))
            .or_else(|| of::<DeploymentError>(link))
            .or_else(|| of::<StateError>(link))
            .or_else(|| of::<EvidenceError>(link))
            .or_else(|| training::coded(link))
            .or_else(|| of::<ApiError>(link))
            .or_else(|| of::<AlertError>(link))
            .or_else(|| of::<FileError>(link))
            .or_else(|| of::<TimeError>(link))
    })
}

/// The stable code inside an error; nothing where there is none.
pub fn code(error: &anyhow::Error) -> &'static str {
    coded(error).map_or("", Diagnostic::code)
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn the_code_is_found_under_contexts() {
        let error = Err::<(), _>(SeriesError::Duplicate { open_time_ms: 0 }).context("outer").expect_err("fault");
        assert_eq!(coded(&error).map(Diagnostic::code), Some("VR-DATA-005"));
        assert!(coded(&anyhow::anyhow!("bare")).is_none());
    }
}
