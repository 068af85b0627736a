//! What may change while the daemon runs.

use std::collections::BTreeSet;

use serde_json::Value;

use super::ConfigError;
use super::raw::RawConfig;

/// Nothing that was decided, opened or promised depends on these.
const SAFE: [&str; 11] = [
    "alerts.low_balance_updates",
    "alerts.node_name",
    "alerts.resend_minutes",
    "alerts.stuck_minutes",
    "alerts.webhook_file",
    "api.burst",
    "api.requests_per_second",
    "chain.max_cancel_fee_per_gas_gwei",
    "chain.max_fee_per_gas_gwei",
    "chain.priority_fee_gwei",
    "log.level",
];

/// The keys whose values differ, all of them safe to change.
///
/// # Errors
/// [`ConfigError::NeedsRestart`] that names the others.
pub fn safe_changes(old: &RawConfig, new: &RawConfig) -> Result<Vec<String>, ConfigError> {
    let (mut changed, mut others) = (Vec::new(), Vec::new());
    for key in differences(old, new) {
        if SAFE.contains(&key.as_str()) { changed.push(key) } else { others.push(key) }
    }
    if others.is_empty() { Ok(changed) } else { Err(ConfigError::NeedsRestart { keys: others.join(", ") }) }
}

fn differences(old: &RawConfig, new: &RawConfig) -> BTreeSet<String> {
    let [old, new] = [old, new].map(|raw| serde_json::to_value(raw).unwrap_or_default());
    let section = |raw: &Value, name: &str| raw[name].as_object().cloned().unwrap_or_default();
    let mut found = BTreeSet::new();
    for name in old.as_object().into_iter().chain(new.as_object()).flat_map(|sections| sections.keys()) {
        let (before, after) = (section(&old, name), section(&new, name));
        let keys = before.keys().chain(after.keys());
        found.extend(keys.filter(|key| before.get(*key) != after.get(*key)).map(|key| format!("{name}.{key}")));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::read;

    #[test]
    fn only_what_is_safe_changes_and_every_safe_key_is_a_setting() {
        let old = read(None).unwrap();
        assert!(safe_changes(&old, &old).unwrap().is_empty());
        let mut new = old.clone();
        new.log.level = "debug".into();
        new.chain.max_fee_per_gas_gwei.0 += 1;
        assert_eq!(safe_changes(&old, &new).unwrap(), ["chain.max_fee_per_gas_gwei", "log.level"]);
        new.chain.oracle = "0x1".into();
        new.state.path = "elsewhere".into();
        let fault = safe_changes(&old, &new).expect_err("not safe").to_string();
        assert!(fault.contains("chain.oracle, state.path") && !fault.contains("log.level"), "{fault}");
        let all = serde_json::to_value(&old).unwrap();
        for key in SAFE {
            let (section, name) = key.split_once('.').unwrap();
            assert!(!all[section][name].is_null(), "{key}");
        }
    }
}
