//! Attesting for other operators, and asking them.

use std::time::Duration;

use url::Url;

use super::raw::{OneOrMany, RawAttestation};
use super::{ConfigError, parse_url, positive_ms, value};

/// More operators than any contract's attestor set should have.
const MAX_PEERS: usize = 32;

/// The checked section.
#[derive(Debug, Clone)]
pub struct Attestation {
    /// APIs of the other operators' nodes.
    pub peers: Vec<Url>,
    /// Longest wait for one of them.
    pub timeout: Duration,
    /// Whether this node attests for them.
    pub answer: bool,
}

/// Checks the section. `has_api` says whether this node can be asked at all.
pub(super) fn check(raw: &RawAttestation, has_api: bool) -> Result<Attestation, ConfigError> {
    const PEERS: &str = "attestation.peers";
    let texts: Vec<&str> = match &raw.peers {
        OneOrMany::One(text) => text.split(',').map(str::trim).filter(|text| !text.is_empty()).collect(),
        OneOrMany::Many(texts) => texts.iter().map(|text| text.trim()).collect(),
    };
    if texts.len() > MAX_PEERS {
        return Err(value(PEERS, format!("{} of them", texts.len()), format!("wants {MAX_PEERS} at most")));
    }
    let mut peers: Vec<Url> = Vec::with_capacity(texts.len());
    for text in texts {
        let url = parse_url(PEERS, text)?;
        if peers.contains(&url) {
            return Err(value(PEERS, text, "is there twice"));
        }
        peers.push(url);
    }
    if raw.answer && !has_api {
        return Err(value("attestation.answer", true, "nobody can ask a node without an API; set api.listen"));
    }
    Ok(Attestation { peers, timeout: positive_ms("attestation.timeout_ms", raw.timeout_ms)?, answer: raw.answer })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(peers: &[&str], answer: bool) -> RawAttestation {
        let peers = OneOrMany::Many(peers.iter().map(|peer| (*peer).to_owned()).collect());
        RawAttestation { peers, timeout_ms: 5000, answer }
    }

    #[test]
    fn operators_are_a_list_or_go_with_commas() {
        assert_eq!(check(&raw(&["https://a.example", "http://b.example:1"], false), false).unwrap().peers.len(), 2);
        let text = |text: &str| RawAttestation { peers: OneOrMany::One(text.into()), ..raw(&[], false) };
        assert_eq!(check(&text("https://a.example, https://b.example"), false).unwrap().peers.len(), 2);
        assert!(check(&text(""), false).unwrap().peers.is_empty());
        for peers in [&["ftp://a"][..], &["nowhere"], &["https://a", "https://a/"], &["https://a"; 33]] {
            let message = check(&raw(peers, false), false).expect_err("refused").to_string();
            assert!(message.contains("attestation.peers"), "{message}");
        }
    }

    #[test]
    fn who_attests_for_others_must_be_reachable() {
        assert!(check(&raw(&[], true), true).unwrap().answer);
        assert!(check(&raw(&[], true), false).expect_err("no API").to_string().contains("api.listen"));
    }
}
