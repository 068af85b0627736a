//! Settings: defaults < file < environment, then checked and turned into what the modules take.

pub mod alerts;
pub mod api;
pub mod attestation;
pub mod candles;
pub mod chain;
mod environment;
pub mod hedge;
pub mod jobs;
mod named;
pub mod place;
pub mod raw;
pub mod reload;
pub mod replica;
mod schedule;
pub mod secret;
pub mod signer;
pub mod strict;
pub mod text;
pub mod written;
pub mod yields;

use std::path::{Path, PathBuf};
use std::time::Duration;

use config::builder::DefaultState;
use config::{ConfigBuilder, Map, Value};
use cron::Schedule;
use serde::Deserialize;
use thiserror::Error;
use url::Url;

use crate::clock::Clock;
use crate::telemetry::LogFormat;
use alerts::Alerts;
use api::Api;
use attestation::Attestation;
use candles::Candles;
use chain::Chain;
use hedge::Hedge;
use jobs::{Names, NodeConfig};
use raw::{ClockKind, JobKind, ProverKind, RawConfig};
use signer::Signer;
use strict::{Misfit, Written};
use veriregime_core::types::chain_id::is_development;
use veriregime_core::types::diagnostic::{Diagnostic, words};
use veriregime_core::types::manifest::{CURRENT_FILE, is_model_folder};
use veriregime_core::types::period::Grid;
use veriregime_core::types::replica::Replica;
use veriregime_core::types::rpc_url;
use veriregime_core::types::time::DAY_MS;
use veriregime_core::yields::Strategy;
use yields::Yields;

/// Every setting with its default and its comment.
pub const DEFAULTS: &str = include_str!("default.toml");

/// Longest settings file.
const MAX_SETTINGS_BYTES: u64 = 1 << 20;
/// Longest name of a model.
const MAX_ID_BYTES: u64 = 256;

/// Checked settings of one job, with those of the node that runs it.
#[derive(Debug, Clone)]
pub struct Config {
    /// What the job and its parts are called.
    pub names: Names,
    /// What it forecasts.
    pub kind: JobKind,
    /// Whose electricity, and where its tables are; of a hedge job alone.
    pub hedge: Option<Hedge>,
    /// The strategy; of a yield job alone.
    pub strategy: Option<Strategy>,
    /// Strategies, and where their tables are.
    pub yields: Yields,
    /// Folder of the model bundle.
    pub bundle: PathBuf,
    /// The exchanges.
    pub candles: Candles,
    /// The prover.
    pub prover: Prover,
    /// The chain.
    pub chain: Chain,
    /// Who holds the wallet's key.
    pub signer: Signer,
    /// Who holds the attestor's key; `None` if the wallet attests.
    pub attestor: Option<Signer>,
    /// When cycles run.
    pub schedule: CycleSchedule,
    /// This node among others that serve the same contract.
    pub replica: Replica,
    /// Other operators.
    pub attestation: Attestation,
    /// Database file.
    pub state_path: PathBuf,
    /// Folder of the evidence bundles.
    pub evidence_dir: PathBuf,
    /// For how long they are kept.
    pub evidence_keep_ms: i64,
    /// The HTTP API.
    pub api: Api,
    /// When somebody is to be told.
    pub alerts: Alerts,
    /// How log lines are written.
    pub log_format: LogFormat,
    /// Tracing filter.
    pub log_level: String,
}

/// The prover's settings.
#[derive(Debug, Clone)]
pub struct Prover {
    pub kind: ProverKind,
    pub python: PathBuf,
    pub srs_dir: PathBuf,
    pub timeout: Duration,
    pub memory_limit_mb: u64,
}

/// When cycles run.
#[derive(Debug, Clone)]
pub struct CycleSchedule {
    pub cron: Schedule,
    /// When the job's periods are.
    pub grid: Grid,
    pub delay_ms: i64,
    pub clock: ClockKind,
    pub recheck: Duration,
}

/// Why settings are refused.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// A file that cannot be read.
    #[error("the settings file {} cannot be read: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: String },
    /// Text that is no TOML, an unknown key, or a value of the wrong kind.
    #[error(transparent)]
    Kind(#[from] Misfit),
    /// A value that means nothing here.
    #[error("setting {key} = {value:?}: {reason}")]
    Value { key: String, value: String, reason: String },
    /// A name that nothing has.
    #[error("setting {key} = {name:?}: there is none of that name; known are: {known}")]
    UnknownName { key: String, name: String, known: String },
    /// Jobs that would do the same thing twice.
    #[error("the jobs {one} and {other} {what}")]
    SameJob { one: String, other: String, what: String },
    /// An RPC that cannot be what the settings say.
    #[error("the RPC {rpc} cannot be on two chains: {one}, {other}")]
    TwoChains { rpc: String, one: String, other: String },
    /// Several jobs where one is wanted.
    #[error("the settings have several jobs: {known}")]
    WhichJob { known: String },
    /// A variable that looks like a setting and is none.
    #[error("the environment has {found}, which is no setting; {meant} is one")]
    Misspelled { found: String, meant: String },
    /// Changes that cannot be made while the daemon runs.
    #[error("these settings cannot change while the daemon runs: {keys}")]
    NeedsRestart { keys: String },
    /// A key file that cannot be read.
    #[error("key file {} cannot be read: {reason}", path.display())]
    KeyUnreadable { path: PathBuf, reason: String },
    /// A key file that others can read.
    #[error("key file {} can be read by others (mode {mode:o}, group {group})", path.display())]
    KeyExposed { path: PathBuf, mode: u32, group: u32 },
    /// A key file that holds something else than a key.
    #[error("key file {} does not hold {wants}: {found}", path.display())]
    KeyMalformed { path: PathBuf, wants: &'static str, found: &'static str },
}

impl ConfigError {
    /// The same of a table that has the keys of `section` in another place.
    fn in_section(self, section: &str, place: &str) -> Self {
        match self {
            Self::Value { key, value, reason } => {
                let key = match key.strip_prefix(section).and_then(|key| key.strip_prefix('.')) {
                    Some(key) => format!("{place}.{key}"),
                    None => key,
                };
                Self::Value { key, value, reason }
            }
            fault => fault,
        }
    }
}

impl Diagnostic for ConfigError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } | Self::Kind(_) => "VR-CONFIG-001",
            Self::Value { .. } => "VR-CONFIG-002",
            Self::NeedsRestart { .. } => "VR-CONFIG-003",
            Self::UnknownName { .. } => "VR-CONFIG-004",
            Self::SameJob { .. } => "VR-CONFIG-005",
            Self::TwoChains { .. } => "VR-CONFIG-006",
            Self::WhichJob { .. } => "VR-CONFIG-007",
            Self::Misspelled { .. } => "VR-CONFIG-010",
            Self::KeyUnreadable { .. } => "VR-KEY-001",
            Self::KeyExposed { .. } => "VR-KEY-002",
            Self::KeyMalformed { .. } => "VR-KEY-003",
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "correct the file; `veriregime-agent config show` prints one to start from",
            Self::Kind(_) => "`veriregime-agent config show` prints every key with its default; fix the named one",
            Self::Value { .. } => "correct the setting in the file or in VERIREGIME__SECTION__KEY",
            Self::Misspelled { .. } => {
                "write two underscores before the section and before the key, or unset the variable"
            }
            Self::UnknownName { .. } => "correct the name, or add what it names",
            Self::SameJob { .. } => "take one of them out, or give it another name, contract or model",
            Self::TwoChains { .. } => "correct the chain_id or the rpc_url of one of them",
            Self::WhichJob { .. } => "say which one with --job NAME",
            Self::NeedsRestart { .. } => "take them back, or restart the daemon; nothing has changed",
            Self::KeyUnreadable { .. } => {
                "set signer.file (attestor.file, passphrase_file) to a file that this user may read"
            }
            Self::KeyExposed { .. } => {
                "run `chmod 600` on the key file (440 where it is for a group of this process alone), and replace the key if others may have seen it"
            }
            Self::KeyMalformed { .. } => {
                "write what the message says into the file, and nothing else; 0x may precede a key"
            }
        }
    }
}

/// Reads defaults, `file` and the environment, and checks the result: the settings of the only job.
///
/// # Errors
/// [`ConfigError`] that names the key.
pub fn load(file: Option<&Path>) -> Result<Config, ConfigError> {
    check(read(file)?)
}

/// Reads defaults, `file` and the environment as they are written.
///
/// # Errors
/// [`ConfigError::Unreadable`], [`ConfigError::Misspelled`] or [`ConfigError::Kind`].
pub fn read(file: Option<&Path>) -> Result<RawConfig, ConfigError> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    environment::check(names, &written::built(file_layers(file)?)?)?;
    read_with(file, None)
}

/// Reads the defaults and the text of a file, and checks the result. The environment is not asked.
///
/// # Errors
/// [`ConfigError`] that names the key.
pub fn parse(text: &str) -> Result<NodeConfig, ConfigError> {
    jobs::check(read_text(text)?)
}

/// As [`parse`], unchecked.
fn read_text(text: &str) -> Result<RawConfig, ConfigError> {
    resolved(written::built(written::toml_layer(defaults(), text, None))?)
}

fn defaults() -> ConfigBuilder<DefaultState> {
    written::toml_layer(config::Config::builder(), DEFAULTS, None)
}

fn file_layers(file: Option<&Path>) -> Result<ConfigBuilder<DefaultState>, ConfigError> {
    let Some(path) = file else { return Ok(defaults()) };
    let text = veriregime_files::read_text(path, MAX_SETTINGS_BYTES)
        .map_err(|fault| ConfigError::Unreadable { path: path.to_owned(), reason: words(&fault) })?;
    Ok(written::toml_layer(defaults(), &text, Some(path)))
}

fn read_with(file: Option<&Path>, variables: Option<Map<String, String>>) -> Result<RawConfig, ConfigError> {
    resolved(written::built(written::environment_layer(file_layers(file)?, variables))?)
}

fn resolved(layers: Value) -> Result<RawConfig, ConfigError> {
    Ok(RawConfig::deserialize(Written(named::completed(layers)?))?)
}

/// Checks the settings of a node that runs one job, or none with a name.
///
/// # Errors
/// [`ConfigError`] that names the key.
pub fn check(raw: RawConfig) -> Result<Config, ConfigError> {
    jobs::check(raw)?.job(None).cloned()
}

/// Checks the settings of one job, which the sections describe.
fn check_job(raw: RawConfig, names: Names, kind: JobKind) -> Result<Config, ConfigError> {
    let development = is_development(raw.chain.chain_id);
    if raw.schedule.clock == ClockKind::Exchange && !development {
        return Err(value(
            "schedule.clock",
            "exchange",
            "only a development chain may take its time from the candle server",
        ));
    }
    if raw.prover.kind == ProverKind::Mock && !development {
        return Err(value("prover.kind", "mock", "only a development chain may go without real proofs"));
    }
    let grid = kind.grid(raw.schedule.period_seconds);
    if kind == JobKind::Regime && !grid.suits_risk_parameters() {
        let reason = "must be whole minutes, at most a day, that divide a week";
        return Err(value("schedule.period_seconds", raw.schedule.period_seconds, reason));
    }
    if raw.schedule.delay_seconds >= grid.period_seconds / 2 {
        return Err(value("schedule.delay_seconds", raw.schedule.delay_seconds, replica::inside_a_period(grid)));
    }
    let delay_ms = i64::try_from(raw.schedule.delay_seconds).unwrap_or(0) * 1000;
    // A replay may be of any time.
    let from_ms = if raw.schedule.clock == ClockKind::Exchange { 0 } else { Clock::System.now_ms() };
    let cron = schedule::parse(&raw.schedule.cron, grid, from_ms, delay_ms)?;
    Ok(Config {
        names,
        kind,
        hedge: None,
        strategy: None,
        yields: yields::check(&raw.yields)?,
        bundle: bundle(&raw.model.bundle)?,
        candles: candles::check(&raw.candles)?,
        prover: Prover {
            kind: raw.prover.kind,
            python: place::tool(raw.prover.python.as_ref()),
            srs_dir: raw.prover.srs_dir.into(),
            timeout: positive_ms("prover.timeout_seconds", raw.prover.timeout_seconds.saturating_mul(1000))?,
            memory_limit_mb: raw.prover.memory_limit_mb,
        },
        chain: chain::check(raw.chain)?,
        signer: signer::check_wallet(&raw.signer)?,
        attestor: signer::check_attestor(&raw.attestor)?,
        schedule: CycleSchedule {
            cron,
            grid,
            delay_ms,
            clock: raw.schedule.clock,
            recheck: positive_ms("schedule.recheck_seconds", raw.schedule.recheck_seconds.saturating_mul(1000))?,
        },
        replica: replica::check(&raw.replica, grid)?,
        attestation: attestation::check(&raw.attestation, !raw.api.listen.trim().is_empty())?,
        state_path: raw.state.path.into(),
        evidence_dir: raw.evidence.dir.into(),
        evidence_keep_ms: i64::try_from(raw.evidence.keep_days).unwrap_or(i64::MAX).saturating_mul(DAY_MS),
        api: api::check(&raw.api)?,
        alerts: alerts::check(&raw.alerts)?,
        log_format: raw.log.format,
        log_level: raw.log.level,
    })
}

/// The bundle's folder. `current` beside bundles is no folder but names one: what `models promote` wrote.
fn bundle(text: &str) -> Result<PathBuf, ConfigError> {
    const KEY: &str = "model.bundle";
    let path = place::data(text.as_ref());
    if !path.ends_with(CURRENT_FILE) {
        return Ok(path);
    }
    let id = veriregime_files::read_text(&path, MAX_ID_BYTES)
        .map_err(|fault| value(KEY, text, format!("{fault}; `veriregime-agent models promote ID` chooses a model")))?;
    let id = id.trim_end();
    if !is_model_folder(id) {
        return Err(value(KEY, text, format!("it names {id:?}, which is no model")));
    }
    Ok(path.with_file_name(id))
}

fn parse_url(key: &str, text: &str) -> Result<Url, ConfigError> {
    let url = rpc_url::parse(text).map_err(|reason| value(key, text, reason))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        scheme => Err(value(key, text, format!("scheme {scheme} is not http or https"))),
    }
}

fn positive_ms(key: &str, ms: u64) -> Result<Duration, ConfigError> {
    if ms == 0 {
        return Err(value(key, ms, "must be positive"));
    }
    Ok(Duration::from_millis(ms))
}

fn value(key: impl Into<String>, value: impl std::fmt::Display, reason: impl std::fmt::Display) -> ConfigError {
    ConfigError::Value { key: key.into(), value: value.to_string(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests;
