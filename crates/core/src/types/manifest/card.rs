//! The cards of a bundle: what its model is, and by what ways a chain can be convinced that it was run.

use std::fmt::Write as _;

use super::Manifest;
use super::verification::Offer;

/// Name of the model's card inside a bundle.
pub const CARD_FILE: &str = "MODEL_CARD.md";
/// Name of the card of the ways of verification. It is a file of its own: they come and go after a model was published, and
/// its card stays.
pub const VERIFICATION_CARD_FILE: &str = "VERIFICATION.md";

/// What each way of verification costs and whom one has to trust.
pub fn verification_card(manifest: &Manifest) -> String {
    let mut text =
        format!("# How {} is verified\n\nGenerated from `manifest.json`; do not edit.\n\n", manifest.model_id);
    if manifest.offers().next().is_none() {
        text.push_str("By no way yet: `models set-up` adds one.\n");
        return text;
    }
    text.push_str(
        "| way | gas of a transaction that only verifies | public numbers | proof | keys | trusted |\n|---|---|---|---|---|---|\n",
    );
    for offer in manifest.offers() {
        let Offer { way, instances, proof_bytes, verify_gas, srs, .. } = offer;
        let gas = verify_gas.map_or_else(|| "not measured".to_owned(), |gas| gas.to_string());
        let proof = if way.has_proof() { format!("{proof_bytes} bytes") } else { "none".to_owned() };
        let keys = srs.map_or_else(
            || "none".to_owned(),
            |srs| {
                let from = if srs.is_ceremony { "the public ceremony" } else { "a local SRS, for development only" };
                format!("of 2^{} rows, from {from}", srs.logrows)
            },
        );
        // Writing into a String cannot fail.
        let _ = writeln!(text, "| {way} | {gas} | {instances} | {proof} | {keys} | {} |", way.trust());
    }
    text
}
