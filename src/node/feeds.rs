//! From the policy over candles to sources that can be asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::config::candles::{self, Candles};
use crate::config::{Config, ConfigError};
use crate::job::feeds::{CrossCheck, Feed, Feeds};
use crate::sources::candles::cross_check::Band;
use crate::sources::candles::error::CandleError;
use crate::sources::candles::http::HttpSettings;
use crate::sources::candles::source::{Source, SourceSettings};
use veriregime_core::types::manifest::{Manifest, TRAINED_ON};

/// Pips of a basis point and of a percent.
const PIPS_PER_BPS: u64 = 100;
const PIPS_PER_PERCENT: u64 = 10_000;

/// An exchange that asks for a longer pause is passed over where there is another.
const PAUSE_BEFORE_FALLBACK: Duration = Duration::from_secs(5);

/// Sources by their names, so that all who ask one keep to one budget.
#[derive(Debug, Default)]
pub struct Sources(Mutex<BTreeMap<String, Arc<Source>>>);

impl Sources {
    fn get(&self, policy: &Candles, name: &str) -> Result<Arc<Source>, CandleError> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(source) = known.get(name) {
            return Ok(source.clone());
        }
        let made = Arc::new(source(policy, &policy.sources[name])?);
        Ok(known.entry(name.to_owned()).or_insert(made).clone())
    }
}

/// Everything that the policy names, checked against the model. Nothing is asked yet.
///
/// # Errors
/// [`CandleError::ForeignVolumes`]; [`ConfigError`] for a market without a symbol; sources that cannot work.
pub fn feeds(config: &Config, manifest: &Manifest) -> anyhow::Result<Feeds> {
    shared(config, manifest, &Sources::default())
}

/// As [`feeds`], with sources that others ask, too.
///
/// # Errors
/// As [`feeds`].
pub fn shared(config: &Config, manifest: &Manifest, sources: &Sources) -> anyhow::Result<Feeds> {
    let (policy, features) = (&config.candles, manifest.features()?);
    let mut known: BTreeMap<&str, Arc<Feed>> = BTreeMap::new();
    for name in policy.order.iter().chain(policy.cross_check.iter().flat_map(|check| &check.with)) {
        if !known.contains_key(name.as_str()) {
            known.insert(name, Arc::new(feed(policy, name, manifest, sources)?));
        }
    }
    let named = |names: &[String]| names.iter().map(|name| Arc::clone(&known[name.as_str()])).collect::<Vec<_>>();
    let order = named(&policy.order);
    let foreign = order.iter().find(|feed| feed.source.venue() != TRAINED_ON);
    if let Some(feed) = foreign.filter(|_| features.uses_volume() && !policy.foreign_volumes) {
        let fault = CandleError::ForeignVolumes {
            source_name: feed.name.clone(),
            venue: feed.source.venue(),
            trained_on: TRAINED_ON,
        };
        return Err(fault.into());
    }
    let cross_check = policy.cross_check.as_ref().map(|check| CrossCheck {
        with: named(&check.with),
        required: check.required,
        minutes: i64::from(check.minutes),
        band: Band {
            return_pips: u64::from(check.band_bps) * PIPS_PER_BPS,
            max_minutes_beyond: check.max_minutes_beyond as usize,
            basis_pips: u64::from(check.max_basis_bps) * PIPS_PER_BPS,
            volatility_pips: u64::from(check.max_volatility_percent) * PIPS_PER_PERCENT,
        },
    });
    Ok(Feeds {
        order,
        cross_check,
        max_clock_skew_ms: policy.max_clock_skew_ms,
        max_consecutive_missing_minutes: policy.max_consecutive_missing_minutes as usize,
        keep_ms: policy.keep_ms,
        lends_volumes: policy.foreign_volumes || !features.uses_volume(),
    })
}

/// The source that comes first, for who wants its clock.
///
/// # Errors
/// A source that cannot work.
pub fn primary(config: &Config) -> Result<Source, CandleError> {
    let policy = &config.candles;
    source(policy, &policy.sources[&policy.order[0]])
}

fn feed(policy: &Candles, name: &str, manifest: &Manifest, sources: &Sources) -> anyhow::Result<Feed> {
    let settings = &policy.sources[name];
    let source = sources.get(policy, name)?;
    let markets = manifest.markets()?;
    let mut symbols = Vec::with_capacity(markets.len());
    for market in markets {
        let symbol = match &settings.symbols {
            None => &market.symbol,
            Some(symbols) => symbols.get(&market.name).ok_or_else(|| ConfigError::Value {
                key: "candles.sources.symbols".into(),
                value: name.to_owned(),
                reason: format!("has no symbol for the model's market {}", market.name),
            })?,
        };
        source.check_symbol(symbol)?;
        symbols.push(symbol.clone());
    }
    Ok(Feed { name: name.to_owned(), source, symbols })
}

fn source(policy: &Candles, settings: &candles::Source) -> Result<Source, CandleError> {
    let public = SourceSettings::of(settings.venue);
    Source::new(SourceSettings {
        venue: settings.venue,
        base_url: settings.base_url.clone().unwrap_or(public.base_url),
        http: HttpSettings {
            connect_timeout: policy.connect_timeout,
            total_timeout: policy.request_timeout,
            weight_per_minute: settings.weight_per_minute.unwrap_or(public.http.weight_per_minute),
            max_pause: if policy.order.len() > 1 { PAUSE_BEFORE_FALLBACK } else { public.http.max_pause },
            ..public.http
        },
    })
}
