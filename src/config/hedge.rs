//! Jobs that sell a vault's WBTC: whose electricity, and where its tables are published.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use url::Url;

use super::{ConfigError, parse_url, value};

/// The section `[hedge]` as written.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RawHedge {
    pub bundle: String,
    pub cron: String,
    pub electricity_url: String,
    pub rates_url: String,
    pub dir: String,
}

/// What a job of a country's electricity has beside what every job has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hedge {
    /// The country by its ISO 3166 code.
    pub country: String,
    /// Ember's CSV.
    pub electricity: Url,
    /// The European Central Bank's CSV, zip or XML.
    pub rates: Url,
    /// Folder where they are kept.
    pub dir: PathBuf,
}

/// Checks the section for a country.
pub(super) fn check(raw: &RawHedge, country: &str) -> Result<Hedge, ConfigError> {
    if country.len() != 3 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(value("jobs.country", country, "wants an ISO 3166 code of three letters, such as DEU"));
    }
    if raw.dir.trim().is_empty() {
        return Err(value("hedge.dir", &raw.dir, "wants a folder"));
    }
    Ok(Hedge {
        country: country.to_owned(),
        electricity: parse_url("hedge.electricity_url", &raw.electricity_url)?,
        rates: parse_url("hedge.rates_url", &raw.rates_url)?,
        dir: raw.dir.trim().into(),
    })
}
