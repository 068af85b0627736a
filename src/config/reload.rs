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
/// Tables with names that have the keys of a section.
const NAMED: (&str, &str) = ("chains.", "chain");

/// The keys whose values differ, all of them safe to change.
///
/// # Errors
/// [`ConfigError::NeedsRestart`] that names the others.
pub fn safe_changes(old: &RawConfig, new: &RawConfig) -> Result<Vec<String>, ConfigError> {
    let (mut changed, mut others) = (Vec::new(), Vec::new());
    for key in differences(old, new) {
        if is_safe(&key) { changed.push(key) } else { others.push(key) }
    }
    if others.is_empty() { Ok(changed) } else { Err(ConfigError::NeedsRestart { keys: others.join(", ") }) }
}

fn is_safe(key: &str) -> bool {
    let of_section = key.strip_prefix(NAMED.0).and_then(|key| key.split_once('.'));
    let key = of_section.map_or_else(|| key.to_owned(), |(_, key)| format!("{}.{key}", NAMED.1));
    SAFE.contains(&key.as_str())
}

fn differences(old: &RawConfig, new: &RawConfig) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let [old, new] = [old, new].map(|raw| serde_json::to_value(raw).unwrap_or_default());
    compare("", &old, &new, &mut found);
    found
}

/// Goes down as far as both are sections.
fn compare(key: &str, old: &Value, new: &Value, found: &mut BTreeSet<String>) {
    let (Some(before), Some(after)) = (old.as_object(), new.as_object()) else {
        if old != new {
            found.insert(key.to_owned());
        }
        return;
    };
    for name in before.keys().chain(after.keys()) {
        let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
        compare(&key, &old[name], &new[name], found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::read;

    #[test]
    fn fees_of_every_chain_may_change_and_chains_and_jobs_may_not() {
        let read = |text: &str| {
            let text = format!("[chains.base]\nrpc_url = \"http://base\"\nchain_id = 8453\n{text}");
            crate::config::read_text(&text).unwrap()
        };
        let old = read("");
        assert_eq!(safe_changes(&old, &read("priority_fee_gwei = 3\n")).unwrap(), ["chains.base.priority_fee_gwei"]);
        let both = safe_changes(&old, &read("[chain]\npriority_fee_gwei = 3\n")).unwrap();
        assert_eq!(both, ["chain.priority_fee_gwei", "chains.base.priority_fee_gwei"]);
        for (text, named) in [
            ("confirmations = 3\n", "chains.base.confirmations"),
            ("[chains.op]\nrpc_url = \"http://op\"\nchain_id = 10\n", "chains.op"),
            ("[[jobs]]\nname = \"a\"\n", "jobs"),
        ] {
            let fault = safe_changes(&old, &read(text)).expect_err(text).to_string();
            assert!(fault.ends_with(named), "{fault}");
        }
    }

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
