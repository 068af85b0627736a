//! What a model's card says of the ways of verification that its bundle offers.

use std::fmt::Write as _;

use super::Manifest;
use super::verification::Offer;

/// Name of the card inside a bundle.
pub const CARD_FILE: &str = "MODEL_CARD.md";
const TITLE: &str = "## Verification\n";

/// The card with its last section for this manifest: what each way costs and whom one has to trust.
pub fn with_verification(card: &str, manifest: &Manifest) -> String {
    let at = card.find(&format!("\n{TITLE}")).map_or(card.len(), |before| before + 1);
    let before = card[..at].trim_end();
    let mut text = format!("{before}\n\n{TITLE}\n");
    if manifest.offers().next().is_none() {
        text.push_str("The bundle offers no way of verification: `models set-up` gives it one.\n");
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
