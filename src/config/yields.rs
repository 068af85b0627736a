//! Strategies whose yields are forecast, and where their tables come from.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use url::Url;

use super::{ConfigError, named, parse_url, place, value};
use veriregime_core::yields::{Kind, Strategy};

/// Most strategies of a node.
pub const MAX_STRATEGIES: usize = 100;
/// Longest time for which data may count that nobody renews, days.
const MAX_AGE_DAYS: u32 = 30;
/// Longest id of a pool.
const MAX_POOL_BYTES: usize = 100;

/// The section `[yields]` as written.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RawYields {
    pub models: String,
    pub url: String,
    pub funding_url: String,
    pub dir: String,
    pub max_age_days: u32,
    pub cron: String,
    /// None by default, so that the defaults cannot hold any.
    #[serde(default)]
    pub strategies: Vec<RawStrategy>,
}

/// A table `[[yields.strategies]]` as written.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RawStrategy {
    pub name: String,
    pub kind: Kind,
    pub pool: String,
}

/// Strategies, and where their tables come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Yields {
    /// Folder with a bundle for each kind, or of one for all.
    pub models: PathBuf,
    /// Where charts of pools are; `None` where the folder's tables count as they are.
    pub pools: Option<Url>,
    /// Where payments of funding are; `None` as for pools.
    pub funding: Option<Url>,
    /// Folder where tables are kept.
    pub dir: PathBuf,
    /// How many days before the running one the last day of the data may lie.
    pub max_age_days: u32,
    /// The strategies, none by default.
    pub strategies: Vec<Strategy>,
}

/// Checks the section.
pub(super) fn check(raw: &RawYields) -> Result<Yields, ConfigError> {
    for (key, folder) in [("yields.dir", &raw.dir), ("yields.models", &raw.models)] {
        if folder.trim().is_empty() {
            return Err(value(key, folder, "wants a folder"));
        }
    }
    if !(1..=MAX_AGE_DAYS).contains(&raw.max_age_days) {
        return Err(value("yields.max_age_days", raw.max_age_days, format!("must be 1 to {MAX_AGE_DAYS}")));
    }
    if raw.strategies.len() > MAX_STRATEGIES {
        let found = format!("{} of them", raw.strategies.len());
        return Err(value("yields.strategies", found, format!("more than {MAX_STRATEGIES}")));
    }
    let (mut names, mut pools) = (BTreeSet::new(), BTreeSet::new());
    let strategies = raw.strategies.iter().map(|strategy| {
        let RawStrategy { name, kind, pool } = strategy;
        named::check_name("yields.strategies.name", name)?;
        let is_id = |byte: u8| byte.is_ascii_graphic() && !b",\"".contains(&byte);
        if !(1..=MAX_POOL_BYTES).contains(&pool.len()) || !pool.bytes().all(is_id) {
            return Err(value(format!("yields.strategies.{name}.pool"), pool, "is no id of a pool"));
        }
        if !names.insert(name) {
            return Err(value("yields.strategies.name", name, "two strategies have this name"));
        }
        if !pools.insert(pool) {
            return Err(value(format!("yields.strategies.{name}.pool"), pool, "two strategies are of this pool"));
        }
        Ok(Strategy { name: name.clone(), kind: *kind, pool: pool.clone() })
    });
    Ok(Yields {
        models: place::data(raw.models.trim().as_ref()),
        pools: address("yields.url", &raw.url)?,
        funding: address("yields.funding_url", &raw.funding_url)?,
        dir: raw.dir.trim().into(),
        max_age_days: raw.max_age_days,
        strategies: strategies.collect::<Result<_, _>>()?,
    })
}

/// The strategy of that name, as written at `key`.
pub(super) fn strategy(raw: &RawYields, key: &str, name: &str) -> Result<Strategy, ConfigError> {
    let found = raw.strategies.iter().find(|strategy| strategy.name == name);
    let RawStrategy { name, kind, pool } =
        found.ok_or_else(|| named::unknown(key, name, raw.strategies.iter().map(|strategy| strategy.name.as_str())))?;
    Ok(Strategy { name: name.clone(), kind: *kind, pool: pool.clone() })
}

/// An address, or none.
fn address(key: &str, text: &str) -> Result<Option<Url>, ConfigError> {
    if text.trim().is_empty() { Ok(None) } else { parse_url(key, text).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use veriregime_core::types::diagnostic::Diagnostic;

    fn strategy(name: &str, kind: &str, pool: &str) -> String {
        format!("[[yields.strategies]]\nname = \"{name}\"\nkind = \"{kind}\"\npool = \"{pool}\"\n")
    }

    #[test]
    fn strategies_are_read_in_order_and_no_address_fetches_nothing() {
        let text = format!("[yields]\nurl = \"\"\n{}{}", strategy("b", "delta", "BTCUSDT"), strategy("a", "lp", "x:1"));
        let yields = parse(&text).unwrap().node().yields.clone();
        assert_eq!((yields.pools, yields.funding.is_some(), yields.max_age_days), (None, true, 3));
        let found: Vec<(&str, Kind, &str)> =
            yields.strategies.iter().map(|one| (one.name.as_str(), one.kind, one.pool.as_str())).collect();
        assert_eq!(found, [("b", Kind::Delta, "BTCUSDT"), ("a", Kind::Lp, "x:1")]);
    }

    #[test]
    fn what_can_be_no_strategy_is_refused_by_name() {
        let one = strategy("a", "lp", "x");
        let many: String =
            (0..=MAX_STRATEGIES).map(|index| strategy(&format!("s{index}"), "lp", &index.to_string())).collect();
        for (text, code, named) in [
            (strategy("A b", "lp", "x"), "VR-CONFIG-002", "yields.strategies.name"),
            (strategy("a", "staking", "x"), "VR-CONFIG-001", "yields.strategies.0.kind"),
            (strategy("a", "lp", "a,b"), "VR-CONFIG-002", "yields.strategies.a.pool"),
            (strategy("a", "lp", ""), "VR-CONFIG-002", "yields.strategies.a.pool"),
            (format!("{one}{}", strategy("a", "lp", "y")), "VR-CONFIG-002", "two strategies have this name"),
            (format!("{one}{}", strategy("b", "lp", "x")), "VR-CONFIG-002", "two strategies are of this pool"),
            (format!("{one}apy = 3\n"), "VR-CONFIG-001", "yields.strategies.0.apy"),
            (many, "VR-CONFIG-002", "more than 100"),
            ("[yields]\nmax_age_days = 0\n".into(), "VR-CONFIG-002", "yields.max_age_days"),
            ("[yields]\nurl = \"ftp://x\"\n".into(), "VR-CONFIG-002", "yields.url"),
            ("[yields]\ndir = \" \"\n".into(), "VR-CONFIG-002", "yields.dir"),
        ] {
            let fault = parse(&text).expect_err(named);
            assert!(fault.code() == code && fault.to_string().contains(named), "{} {fault}", fault.code());
        }
    }

    #[test]
    fn a_job_takes_model_and_rhythm_from_the_section_and_its_strategy_s_kind() {
        let job = |text: &str| format!("{}[[jobs]]\nname = \"j\"\n{text}", strategy("a", "lp", "x"));
        let config = parse(&job("kind = \"yield\"\nstrategy = \"a\"\n")).unwrap().job(None).unwrap().clone();
        assert!(config.bundle.ends_with("models/yields-v1/lp"), "{:?}", config.bundle);
        assert_eq!(config.schedule.cron.to_string(), "0 0 1 * * *");
        assert_eq!(config.strategy.unwrap().pool, "x");
        for (text, code, named) in [
            ("kind = \"yield\"\n", "VR-CONFIG-004", "jobs.j.strategy"),
            ("kind = \"yield\"\nstrategy = \"b\"\n", "VR-CONFIG-004", "jobs.j.strategy"),
            ("kind = \"yield\"\nstrategy = \"a\"\ncountry = \"DEU\"\n", "VR-CONFIG-002", "jobs.j.country"),
            ("strategy = \"a\"\n", "VR-CONFIG-002", "jobs.j.strategy"),
            ("kind = \"yield\"\nstrategy = \"a\"\naction = \"hedge-vault\"\n", "VR-CONFIG-002", "jobs.j.action"),
        ] {
            let fault = parse(&job(text)).expect_err(named);
            assert!(fault.code() == code && fault.to_string().contains(named), "{} {fault}", fault.code());
        }
    }
}
