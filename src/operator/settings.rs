//! Settings, keys, bundle, SRS and candle policy, checked without starting anything.

use std::path::PathBuf;

use alloy::primitives::Address;
use serde::{Serialize, Serializer};
use serde_json::json;

use crate::bundle::Bundle;
use crate::config::Config;
use crate::node::{assemble, feeds};
use crate::render::Render;
use crate::verification::error::ProofError;
use crate::verification::ezkl::srs::Srs;
use veriregime_core::types::chain_id::is_development;

/// Settings that are in order.
#[derive(Debug)]
pub struct Checked {
    model_id: String,
    chain_id: u64,
    oracle: Option<Address>,
    /// Names of the candle sources in their order.
    sources: Vec<String>,
    /// `None` on a development chain, where it may be made later.
    srs: Option<Srs>,
    srs_dir: PathBuf,
}

/// Opens everything that the settings name.
///
/// # Errors
/// The first thing that is not right.
pub async fn check(config: &Config) -> anyhow::Result<Checked> {
    assemble::signer(&config.signer).await?;
    if let Some(attestor) = &config.attestor {
        assemble::signer(attestor).await?;
    }
    let bundle = Bundle::open(&config.bundle)?;
    let sources = feeds::feeds(config, &bundle.manifest)?;
    let srs = match assemble::srs(config, &bundle) {
        Err(ProofError::SrsMissing { .. }) if is_development(config.chain.chain_id) => None,
        found => Some(found?),
    };
    Ok(Checked {
        model_id: bundle.manifest.model_id,
        chain_id: config.chain.chain_id,
        oracle: config.chain.oracle,
        sources: sources.order.iter().map(|feed| feed.name.clone()).collect(),
        srs,
        srs_dir: config.prover.srs_dir.clone(),
    })
}

impl Serialize for Checked {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (model_id, chain_id, sources) = (&self.model_id, self.chain_id, &self.sources);
        let srs = self.srs.as_ref().map(|srs| &srs.path);
        json!({"ok": true, "model_id": model_id, "chain_id": chain_id, "sources": sources, "srs": srs})
            .serialize(serializer)
    }
}

impl Render for Checked {
    fn text(&self) -> String {
        let oracle = self.oracle.map_or("not set".into(), |one| one.to_string());
        let srs = match &self.srs {
            Some(srs) => format!("SRS {srs}"),
            None => format!("NO SRS in {}: nothing can be proven", self.srs_dir.display()),
        };
        format!(
            "settings, keys and model bundle {} are in order\ncandles from {}\nchain {}, contract {oracle}\n{srs}",
            self.model_id,
            self.sources.join(", then "),
            self.chain_id,
        )
    }
}
