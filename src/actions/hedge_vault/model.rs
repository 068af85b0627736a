//! An electricity model on chain: the bundle's network for one country.

use crate::actions::one_market::model::OneMarketModel;
use veriregime_core::hedge::forecast::is_electricity;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::Manifest;
use veriregime_core::types::manifest::inputs::Inputs;
use veriregime_core::types::manifest::verification::Way;

/// What the outputs mean: logarithms of ratios for 2, 3, 4 and 5 months, then their half-widths. `HedgeVault` takes no other.
pub const PURPOSE: &str = "electricity-price/1";

impl OneMarketModel {
    /// Of a manifest with this digest; `None` for one that is no electricity model's, or cannot be verified that way.
    pub fn of_country(manifest: &Manifest, digest: Digest, country: &str, way: Way) -> Option<Self> {
        let Inputs::Table(table) = &manifest.inputs else { return None };
        let is_its = is_electricity(manifest, table);
        is_its.then(|| Self::for_market((manifest, digest), (PURPOSE, country), way)).flatten()
    }
}
