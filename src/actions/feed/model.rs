//! A yield model on chain: the bundle's network for one strategy.

use crate::actions::one_market::model::OneMarketModel;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::Manifest;
use veriregime_core::types::manifest::inputs::Inputs;
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::yields::forecast::is_yield;

/// What the outputs mean: a change, a logarithm of a deviation, a width. `Feed` takes no other.
pub const PURPOSE: &str = "strategy-yield/1";

impl OneMarketModel {
    /// Of a manifest with this digest; `None` for one that is no yield model's, or cannot be verified that way.
    pub fn of_strategy(manifest: &Manifest, digest: Digest, strategy: &str, way: Way) -> Option<Self> {
        let Inputs::Table(table) = &manifest.inputs else { return None };
        let is_its = is_yield(manifest, table);
        is_its.then(|| Self::for_market((manifest, digest), (PURPOSE, strategy), way)).flatten()
    }
}
