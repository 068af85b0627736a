//! The sources of candles and the policy over them.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::time::Duration;

use url::Url;

use super::raw::{RawCandles, RawCrossCheck, RawSource};
use super::{ConfigError, parse_url, positive_ms, value};
use veriregime_core::types::time::DAY_MS;
use veriregime_core::types::venue::Venue;

/// The name of the source that the section's own keys describe.
pub const OWN_SOURCE: &str = "binance";
/// More sources than anybody has a reason for.
const MAX_SOURCES: usize = 16;
/// Most minutes that two sources are compared over: a week.
const MAX_COMPARED_MINUTES: u32 = 10_080;

/// Most days that candles are kept for.
const MAX_KEEP_DAYS: u32 = 366;

/// Where candles come from.
#[derive(Debug, Clone)]
pub struct Candles {
    /// Every source by its name.
    pub sources: BTreeMap<String, Source>,
    /// The names of the sources to use: one after another, the next when one fails.
    pub order: Vec<String>,
    /// Whether a model with volume features may be fed another exchange's volumes.
    pub foreign_volumes: bool,
    /// What to compare with; `None` for nothing.
    pub cross_check: Option<CrossCheck>,
    pub connect_timeout: Duration,
    pub request_timeout: Duration,
    pub max_clock_skew_ms: i64,
    /// Longest stretch of minutes that is carried forward.
    pub max_consecutive_missing_minutes: u32,
    /// Closed candles are kept for so long, if no model needs them for longer.
    pub keep_ms: i64,
}

impl Candles {
    /// Replaces the policy by one Binance server without limits, such as our own.
    pub fn only_from(&mut self, base_url: Url) {
        let source = Source {
            venue: Venue::Binance,
            base_url: Some(base_url),
            weight_per_minute: NonZeroU32::new(1_000_000),
            symbols: None,
        };
        self.sources = BTreeMap::from([(OWN_SOURCE.to_owned(), source)]);
        self.order = vec![OWN_SOURCE.to_owned()];
        self.cross_check = None;
    }
}

/// One source.
#[derive(Debug, Clone)]
pub struct Source {
    pub venue: Venue,
    /// `None` for the exchange's public address.
    pub base_url: Option<Url>,
    /// `None` for a budget that the exchange allows.
    pub weight_per_minute: Option<NonZeroU32>,
    /// What the exchange calls each market of the model; `None` for what the model's manifest says.
    pub symbols: Option<BTreeMap<String, String>>,
}

/// How two sources are compared.
#[derive(Debug, Clone)]
pub struct CrossCheck {
    /// Names of the sources to compare with, in order.
    pub with: Vec<String>,
    /// Whether nothing is forecast without a second source.
    pub required: bool,
    /// The newest minutes that are compared.
    pub minutes: u32,
    pub band_bps: u32,
    pub max_minutes_beyond: u32,
    pub max_basis_bps: u32,
    pub max_volatility_percent: u32,
}

/// Checks the section.
///
/// # Errors
/// [`ConfigError::Value`] that names the key.
pub fn check(raw: &RawCandles) -> Result<Candles, ConfigError> {
    let own = Source {
        venue: Venue::Binance,
        base_url: Some(parse_url("candles.base_url", &raw.base_url)?),
        weight_per_minute: Some(weight("candles.weight_per_minute", raw.weight_per_minute)?),
        symbols: None,
    };
    let mut sources = BTreeMap::from([(OWN_SOURCE.to_owned(), own)]);
    for (name, source) in &raw.sources {
        const KEY: &str = "candles.sources";
        if sources.len() == MAX_SOURCES {
            return Err(value(KEY, name, format!("more than {MAX_SOURCES} sources")));
        }
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        if name.is_empty() || name.len() > 40 || !name.bytes().all(is_plain) {
            return Err(value(KEY, name, "a name is made of a-z, 0-9, dashes and underscores"));
        }
        if sources.insert(name.clone(), check_source(source)?).is_some() {
            return Err(value(KEY, name, "is the source that candles.base_url describes; take another name"));
        }
    }
    let order: Vec<String> = std::iter::once(&raw.primary).chain(&raw.fallbacks).cloned().collect();
    check_names("candles.primary", &order[..1], &sources)?;
    check_names("candles.fallbacks", &order, &sources)?;
    Ok(Candles {
        cross_check: check_cross_check(&raw.cross_check, &sources)?,
        sources,
        order,
        foreign_volumes: raw.foreign_volumes,
        connect_timeout: positive_ms("candles.connect_timeout_ms", raw.connect_timeout_ms)?,
        request_timeout: positive_ms("candles.request_timeout_ms", raw.request_timeout_ms)?,
        max_clock_skew_ms: raw.max_clock_skew_ms.into(),
        max_consecutive_missing_minutes: raw.max_consecutive_missing_minutes,
        keep_ms: match raw.keep_days {
            days @ 0..=MAX_KEEP_DAYS => i64::from(days) * DAY_MS,
            days => return Err(value("candles.keep_days", days, format!("it is at most {MAX_KEEP_DAYS}"))),
        },
    })
}

fn check_source(raw: &RawSource) -> Result<Source, ConfigError> {
    Ok(Source {
        venue: raw.exchange,
        base_url: raw.base_url.as_deref().map(|url| parse_url("candles.sources.base_url", url)).transpose()?,
        weight_per_minute: raw
            .weight_per_minute
            .map(|per_minute| weight("candles.sources.weight_per_minute", per_minute))
            .transpose()?,
        symbols: Some(raw.symbols.clone()),
    })
}

fn check_cross_check(
    raw: &RawCrossCheck,
    sources: &BTreeMap<String, Source>,
) -> Result<Option<CrossCheck>, ConfigError> {
    check_names("candles.cross_check.with", &raw.with, sources)?;
    if raw.with.is_empty() {
        if raw.required {
            return Err(value("candles.cross_check.required", true, "candles.cross_check.with names no source"));
        }
        return Ok(None);
    }
    if !(2..=MAX_COMPARED_MINUTES).contains(&raw.minutes) {
        let reason = format!("must be 2 to {MAX_COMPARED_MINUTES}");
        return Err(value("candles.cross_check.minutes", raw.minutes, reason));
    }
    Ok(Some(CrossCheck {
        with: raw.with.clone(),
        required: raw.required,
        minutes: raw.minutes,
        band_bps: raw.band_bps,
        max_minutes_beyond: raw.max_minutes_beyond,
        max_basis_bps: raw.max_basis_bps,
        max_volatility_percent: raw.max_volatility_percent,
    }))
}

fn check_names(key: &'static str, names: &[String], sources: &BTreeMap<String, Source>) -> Result<(), ConfigError> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !sources.contains_key(name) {
            return Err(value(
                key,
                name,
                "no source has this name; others than binance need a section [candles.sources.NAME]",
            ));
        }
        if !seen.insert(name) {
            return Err(value(key, name, "is named twice"));
        }
    }
    Ok(())
}

fn weight(key: &'static str, per_minute: u32) -> Result<NonZeroU32, ConfigError> {
    NonZeroU32::new(per_minute).ok_or_else(|| value(key, per_minute, "must be positive"))
}
