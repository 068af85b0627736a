//! Tables with names: `[chains.NAME]`, `[wallets.NAME]`, `[attestors.NAME]` and `[[jobs]]`. What one of them leaves out is
//! taken, key by key, from the section that describes the only one where there is one.

use config::{Map, Value, ValueKind};

use super::ConfigError;
use super::strict::{ENVIRONMENT, Misfit};

/// The name of what a section without names describes.
pub const UNNAMED: &str = "default";
/// Longest name.
const MAX_NAME_BYTES: usize = 40;

/// Tables of one kind.
pub(super) struct Group {
    /// Where they are.
    pub(super) tables: &'static str,
    /// The section of their defaults.
    pub(super) section: &'static str,
    /// What tells one from another and is therefore never taken over: empty where a table does not say it.
    own: &'static [&'static str],
    /// The same, and each table must say it.
    needed: &'static [&'static str],
}

pub(super) const CHAINS: Group =
    Group { tables: "chains", section: "chain", own: &["oracle"], needed: &["rpc_url", "chain_id"] };
pub(super) const WALLETS: Group =
    Group { tables: "wallets", section: "signer", own: &["file", "key", "address"], needed: &[] };
pub(super) const ATTESTORS: Group =
    Group { tables: "attestors", section: "attestor", own: &["file", "key", "address"], needed: &[] };
/// Every kind.
pub(super) const GROUPS: [&Group; 3] = [&CHAINS, &WALLETS, &ATTESTORS];

/// The sections of which a job may have keys of its own.
const SECTIONS_OF_JOBS: [&str; 2] = ["schedule", "replica"];
/// The settings that a job takes over, by its own names for them.
const KEYS_OF_JOBS: [(&str, &str, &str); 2] = [("bundle", "model", "bundle"), ("verification", "prover", "kind")];

type Section = Map<String, Value>;

/// The layers' settings with every named table complete.
///
/// # Errors
/// [`Misfit`] for jobs that are no list.
pub(super) fn completed(mut root: Value) -> Result<Value, Misfit> {
    let ValueKind::Table(sections) = &mut root.kind else { return Ok(root) };
    for group in GROUPS {
        let defaults = section(sections, group.section);
        let Some(ValueKind::Table(tables)) = sections.get_mut(group.tables).map(|value| &mut value.kind) else {
            continue;
        };
        with_dashes(tables);
        for table in tables.values_mut() {
            if let ValueKind::Table(table) = &mut table.kind {
                group.complete(table, &defaults);
            }
        }
    }
    let shared: Vec<(&str, Section)> = SECTIONS_OF_JOBS.iter().map(|name| (*name, section(sections, name))).collect();
    let keys: Vec<(&str, Option<Value>)> =
        KEYS_OF_JOBS.iter().map(|(own, name, key)| (*own, section(sections, name).get(*key).cloned())).collect();
    let (hedge, yields) = (section(sections, "hedge"), section(sections, "yields"));
    match sections.get_mut("jobs").map(|value| &mut value.kind) {
        Some(ValueKind::Array(jobs)) => {
            for job in jobs {
                if let ValueKind::Table(job) = &mut job.kind {
                    complete_tables(job, &hedge, &yields);
                    complete_job(job, &shared, &keys);
                }
            }
            Ok(root)
        }
        Some(_) => Err(Misfit::of("wants tables [[jobs]], and only a file can hold them").at("jobs")),
        None => Ok(root),
    }
}

impl Group {
    fn complete(&self, table: &mut Section, defaults: &Section) {
        for (key, value) in defaults {
            if self.own.contains(&key.as_str()) {
                table.entry(key.clone()).or_insert_with(|| Value::new(None, ValueKind::String(String::new())));
            } else if !self.needed.contains(&key.as_str()) {
                table.entry(key.clone()).or_insert_with(|| own_kind(value));
            }
        }
    }

    /// Variables' keys of the tables that `root` has.
    pub(super) fn keys(&self, root: &Value) -> Vec<String> {
        let ValueKind::Table(sections) = &root.kind else { return Vec::new() };
        let (names, keys) = (section(sections, self.tables), section(sections, self.section));
        let key = |name: &String| keys.keys().map(|key| format!("{}.{name}.{key}", self.tables)).collect::<Vec<_>>();
        names.keys().flat_map(key).collect()
    }
}

/// Whatever has a table of its own is not the wallet's key.
fn own_kind(value: &Value) -> Value {
    match &value.kind {
        ValueKind::String(text) if text == "wallet" => Value::new(None, ValueKind::String("file".into())),
        _ => value.clone(),
    }
}

/// Jobs of tables take their model and their rhythm from a section of their kind.
fn complete_tables(job: &mut Section, hedge: &Section, yields: &Section) {
    let (section, bundle) = match text(job, "kind") {
        Some("hedge") => (hedge, hedge.get("bundle").cloned()),
        Some("yield") => (yields, bundle_of_strategy(job, yields)),
        _ => return,
    };
    if let Some(bundle) = bundle {
        job.entry("bundle".to_owned()).or_insert(bundle);
    }
    let schedule = job.entry("schedule".to_owned()).or_insert_with(|| Value::new(None, ValueKind::Table(Map::new())));
    if let (ValueKind::Table(schedule), Some(cron)) = (&mut schedule.kind, section.get("cron")) {
        schedule.entry("cron".to_owned()).or_insert_with(|| cron.clone());
    }
}

/// The bundle for the kind of a job's strategy, where there is such a strategy; one that is none is refused later.
fn bundle_of_strategy(job: &Section, yields: &Section) -> Option<Value> {
    let (models, name) = (text(yields, "models")?, text(job, "strategy")?);
    let ValueKind::Array(strategies) = &yields.get("strategies")?.kind else { return None };
    let kind = strategies.iter().find_map(|strategy| match &strategy.kind {
        ValueKind::Table(strategy) if text(strategy, "name") == Some(name) => text(strategy, "kind"),
        _ => None,
    })?;
    Some(Value::new(None, ValueKind::String(format!("{models}/{kind}"))))
}

/// What a section says at a key, where that is a text.
fn text<'a>(section: &'a Section, key: &str) -> Option<&'a str> {
    match section.get(key).map(|value| &value.kind) {
        Some(ValueKind::String(text)) => Some(text),
        _ => None,
    }
}

fn complete_job(job: &mut Section, shared: &[(&str, Section)], keys: &[(&str, Option<Value>)]) {
    for (name, defaults) in shared {
        let own = job.entry((*name).to_owned()).or_insert_with(|| Value::new(None, ValueKind::Table(Map::new())));
        // Anything else is refused where it is read.
        if let ValueKind::Table(own) = &mut own.kind {
            for (key, value) in defaults {
                own.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
    }
    for (own, default) in keys {
        if let Some(default) = default {
            job.entry((*own).to_owned()).or_insert_with(|| default.clone());
        }
    }
}

fn section(sections: &Section, name: &str) -> Section {
    match sections.get(name).map(|value| &value.kind) {
        Some(ValueKind::Table(section)) => section.clone(),
        _ => Section::new(),
    }
}

/// Variables can have no dash: one underscore of theirs stands for it.
fn with_dashes(tables: &mut Section) {
    let is_variables = |table: &Value| match &table.kind {
        ValueKind::Table(section) => section.values().all(|value| value.origin() == Some(ENVIRONMENT)),
        _ => false,
    };
    let named: Vec<String> = tables
        .iter()
        .filter(|(name, table)| name.contains('_') && is_variables(table))
        .map(|(name, _)| name.clone())
        .collect();
    for name in named {
        let Some(Value { kind: ValueKind::Table(variables), .. }) = tables.remove(&name) else { continue };
        let meant =
            tables.entry(name.replace('_', "-")).or_insert_with(|| Value::new(None, ValueKind::Table(Map::new())));
        if let ValueKind::Table(section) = &mut meant.kind {
            section.extend(variables);
        }
    }
}

/// Whether this can be a name.
pub(super) fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=MAX_NAME_BYTES).contains(&text.len()) && text.bytes().all(is_plain)
}

/// Refuses what can be no name of the thing at `key`.
///
/// # Errors
/// [`ConfigError::Value`].
pub(super) fn check_name(key: &str, name: &str) -> Result<(), ConfigError> {
    if is_name(name) {
        return Ok(());
    }
    let reason = format!("a name is made of a-z, 0-9 and dashes, {MAX_NAME_BYTES} of them at most");
    Err(ConfigError::Value { key: key.into(), value: name.into(), reason })
}

/// The error for a name that nothing has, with those that there are and the nearest of them.
pub(super) fn unknown<'a>(key: &str, name: &str, known: impl Iterator<Item = &'a str>) -> ConfigError {
    let mut known: Vec<&str> = known.collect();
    known.sort_unstable();
    let nearest = known
        .iter()
        .map(|one| (strsim::jaro_winkler(one, name), *one))
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    let meant = match nearest {
        Some((likeness, one)) if likeness > 0.75 => format!("; is {one} meant?"),
        _ => String::new(),
    };
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    ConfigError::UnknownName { key: key.into(), name: name.into(), known: format!("{known}{meant}") }
}
