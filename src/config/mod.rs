//! Settings: defaults < file < environment, then checked and turned into what the modules take.

pub mod alerts;
pub mod api;
pub mod attestation;
pub mod candles;
pub mod chain;
pub mod raw;
pub mod reload;
pub mod replica;
pub mod secret;
pub mod signer;

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use config::{Environment, File, FileFormat};
use cron::Schedule;
use thiserror::Error;
use url::Url;

use crate::fs;
use crate::types::chain_id::is_development;
use crate::types::fault::Fault;
use crate::types::manifest::{CURRENT_FILE, is_model_folder};
use crate::types::replica::Replica;
use alerts::Alerts;
use api::Api;
use attestation::Attestation;
use candles::Candles;
use chain::Chain;
use raw::{ClockKind, LogFormat, ProverKind, RawConfig};
use signer::Signer;

/// Every setting with its default and its comment.
pub const DEFAULTS: &str = include_str!("default.toml");

/// Longest name of a model.
const MAX_ID_BYTES: u64 = 256;

/// Checked settings.
#[derive(Debug, Clone)]
pub struct Config {
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
    pub delay_ms: i64,
    pub clock: ClockKind,
    pub recheck: Duration,
}

/// Why settings are refused.
#[derive(Debug, Error)]
pub enum ConfigFault {
    /// Not readable, not TOML, an unknown key or a value of the wrong kind.
    #[error("settings cannot be read: {0}")]
    Unreadable(#[from] config::ConfigError),
    /// A value that means nothing here.
    #[error("setting {key} = {value:?}: {reason}")]
    Value { key: &'static str, value: String, reason: String },
    /// Changes that cannot be made while the daemon runs.
    #[error("these settings cannot change while the daemon runs: {keys}")]
    NeedsRestart { keys: String },
    /// A key file that cannot be read.
    #[error("key file {} cannot be read: {reason}", path.display())]
    KeyUnreadable { path: PathBuf, reason: String },
    /// A key file that others can read.
    #[error("key file {} can be read by others (mode {mode:o})", path.display())]
    KeyExposed { path: PathBuf, mode: u32 },
    /// A key file that holds something else than a key.
    #[error("key file {} does not hold {wants}", path.display())]
    KeyMalformed { path: PathBuf, wants: &'static str },
}

impl Fault for ConfigFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "VR-CONFIG-001",
            Self::Value { .. } => "VR-CONFIG-002",
            Self::NeedsRestart { .. } => "VR-CONFIG-003",
            Self::KeyUnreadable { .. } => "VR-KEY-001",
            Self::KeyExposed { .. } => "VR-KEY-002",
            Self::KeyMalformed { .. } => "VR-KEY-003",
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => {
                "`veriregime-agent config show` prints every key with its default; fix the named one"
            }
            Self::Value { .. } => "correct the setting in the file or in VERIREGIME__SECTION__KEY",
            Self::NeedsRestart { .. } => "take them back, or restart the daemon; nothing has changed",
            Self::KeyUnreadable { .. } => {
                "set signer.file (attestor.file, passphrase_file) to a file that this user may read"
            }
            Self::KeyExposed { .. } => {
                "run `chmod 600` on the key file, and replace the key if others may have seen it"
            }
            Self::KeyMalformed { .. } => {
                "write what the message says into the file, and nothing else; 0x may precede a key"
            }
        }
    }
}

/// Reads defaults, `file` and the environment, and checks the result.
///
/// # Errors
/// [`ConfigFault`] that names the key.
pub fn load(file: Option<&Path>) -> Result<Config, ConfigFault> {
    check(read(file)?)
}

/// Reads defaults, `file` and the environment as they are written.
///
/// # Errors
/// [`ConfigFault::Unreadable`].
pub fn read(file: Option<&Path>) -> Result<RawConfig, ConfigFault> {
    load_raw(file, Environment::default())
}

fn load_raw(file: Option<&Path>, environment: Environment) -> Result<RawConfig, ConfigFault> {
    let mut builder = config::Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
    if let Some(path) = file {
        builder = builder.add_source(File::from(path).format(FileFormat::Toml));
    }
    let environment = environment.prefix("VERIREGIME").prefix_separator("__").separator("__").try_parsing(true);
    Ok(builder.add_source(environment).build()?.try_deserialize()?)
}

/// Checks settings one by one and together.
///
/// # Errors
/// [`ConfigFault`] that names the key.
pub fn check(raw: RawConfig) -> Result<Config, ConfigFault> {
    let development = is_development(raw.chain.chain_id);
    let cron = parse_schedule(&raw.schedule.cron)?;
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
    if i64::try_from(raw.schedule.delay_seconds)
        .map_or(true, |delay| delay >= crate::types::period::PeriodId::SECONDS / 2)
    {
        return Err(value(
            "schedule.delay_seconds",
            raw.schedule.delay_seconds,
            "must be well inside a period of 14400 seconds",
        ));
    }
    Ok(Config {
        bundle: bundle(&raw.model.bundle)?,
        candles: candles::check(&raw.candles)?,
        prover: Prover {
            kind: raw.prover.kind,
            python: raw.prover.python.into(),
            srs_dir: raw.prover.srs_dir.into(),
            timeout: positive_ms("prover.timeout_seconds", raw.prover.timeout_seconds.saturating_mul(1000))?,
            memory_limit_mb: raw.prover.memory_limit_mb,
        },
        chain: chain::check(raw.chain)?,
        signer: signer::check_wallet(&raw.signer)?,
        attestor: signer::check_attestor(&raw.attestor)?,
        schedule: CycleSchedule {
            cron,
            delay_ms: i64::try_from(raw.schedule.delay_seconds).unwrap_or(0) * 1000,
            clock: raw.schedule.clock,
            recheck: positive_ms("schedule.recheck_seconds", raw.schedule.recheck_seconds.saturating_mul(1000))?,
        },
        replica: replica::check(&raw.replica)?,
        attestation: attestation::check(&raw.attestation, !raw.api.listen.trim().is_empty())?,
        state_path: raw.state.path.into(),
        api: api::check(&raw.api)?,
        alerts: alerts::check(&raw.alerts)?,
        log_format: raw.log.format,
        log_level: raw.log.level,
    })
}

/// Six or seven fields, seconds first. Days of the week go by name, because numbers mean different days to different
/// programs.
fn parse_schedule(text: &str) -> Result<Schedule, ConfigFault> {
    const KEY: &str = "schedule.cron";
    let fields: Vec<&str> = text.split_whitespace().collect();
    if !(6..=7).contains(&fields.len()) {
        return Err(value(KEY, text, "wants six fields: second minute hour day month weekday"));
    }
    if fields[5].bytes().any(|byte| byte.is_ascii_digit()) {
        return Err(value(KEY, text, "name the days of the week (Mon, Tue, ...)"));
    }
    Schedule::from_str(text).map_err(|error| value(KEY, text, error))
}

/// The bundle's folder. `current` beside bundles is no folder but names one: what `models promote` wrote.
fn bundle(text: &str) -> Result<PathBuf, ConfigFault> {
    const KEY: &str = "model.bundle";
    let path = PathBuf::from(text);
    if !path.ends_with(CURRENT_FILE) {
        return Ok(path);
    }
    let id = fs::read_text(&path, MAX_ID_BYTES)
        .map_err(|fault| value(KEY, text, format!("{fault}; `veriregime-agent models promote ID` chooses a model")))?;
    let id = id.trim_end();
    if !is_model_folder(id) {
        return Err(value(KEY, text, format!("it names {id:?}, which is no model")));
    }
    Ok(path.with_file_name(id))
}

fn parse_url(key: &'static str, text: &str) -> Result<Url, ConfigFault> {
    let url = Url::parse(text).map_err(|error| value(key, text, error))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        scheme => Err(value(key, text, format!("scheme {scheme} is not http or https"))),
    }
}

fn positive_ms(key: &'static str, ms: u64) -> Result<Duration, ConfigFault> {
    if ms == 0 {
        return Err(value(key, ms, "must be positive"));
    }
    Ok(Duration::from_millis(ms))
}

fn value(key: &'static str, value: impl std::fmt::Display, reason: impl std::fmt::Display) -> ConfigFault {
    ConfigFault::Value { key, value: value.to_string(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Result<Config, ConfigFault> {
        let pairs: HashMap<String, String> =
            pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        check(load_raw(None, Environment::default().source(Some(pairs)))?)
    }

    #[test]
    fn the_defaults_are_valid_and_the_environment_overrides_them() {
        let config = with(&[("VERIREGIME__CHAIN__RPC_URL", "http://node:1")]).unwrap();
        assert_eq!(config.chain.rpc_url().as_str(), "http://node:1/");
        assert_eq!(config.schedule.delay_ms, 15_000);
    }

    #[test]
    fn what_means_nothing_is_refused_by_name() {
        let cases = [
            (("VERIREGIME__CHAIN__RPC_ULR", "http://x"), "rpc_ulr"),
            (("VERIREGIME__CHAIN__RPC_URL", "ftp://x"), "chain.rpc_url"),
            (("VERIREGIME__CHAIN__RPC_URL", "http://x,http://x"), "chain.rpc_url"),
            (("VERIREGIME__CHAIN__ORACLE", "0x12"), "chain.oracle"),
            (("VERIREGIME__CHAIN__CONFIRMATIONS", "0"), "chain.confirmations"),
            (("VERIREGIME__CHAIN__MAX_CANCEL_FEE_PER_GAS_GWEI", "1"), "chain.max_cancel_fee_per_gas_gwei"),
            (("VERIREGIME__SCHEDULE__CRON", "0 */4 * * *"), "schedule.cron"),
            (("VERIREGIME__SCHEDULE__CRON", "0 0 0 * * 1"), "schedule.cron"),
            (("VERIREGIME__SCHEDULE__DELAY_SECONDS", "14400"), "schedule.delay_seconds"),
            (("VERIREGIME__PROVER__TIMEOUT_SECONDS", "0"), "prover.timeout_seconds"),
        ];
        for (pair, named) in cases {
            let message = with(&[pair]).expect_err(named).to_string();
            assert!(message.contains(named), "{message}");
        }
    }

    fn with_file(text: &str) -> Result<Config, ConfigFault> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.toml");
        fs::write_atomic(&path, text.as_bytes()).unwrap();
        check(load_raw(Some(&path), Environment::default().source(Some(HashMap::new())))?)
    }

    const COINBASE: &str =
        "[candles.sources.coinbase]\nexchange = \"coinbase\"\nsymbols = { \"BTC-USD\" = \"BTC-USD\" }\n";

    #[test]
    fn without_a_policy_there_is_one_source() {
        let candles = with(&[("VERIREGIME__CANDLES__BASE_URL", "http://mirror:1")]).unwrap().candles;
        assert_eq!(candles.order, ["binance"]);
        assert_eq!(candles.sources["binance"].base_url.as_ref().unwrap().as_str(), "http://mirror:1/");
        assert!(candles.cross_check.is_none() && candles.sources["binance"].symbols.is_none());
    }

    #[test]
    fn a_policy_names_its_sources_and_their_symbols() {
        let policy = "[candles]\nprimary = \"binance\"\nfallbacks = [\"coinbase\"]\nforeign_volumes = true\n\
                      [candles.cross_check]\nwith = [\"coinbase\"]\nrequired = true\nband_bps = 40\n";
        let candles = with_file(&format!("{policy}{COINBASE}")).unwrap().candles;
        assert_eq!(candles.order, ["binance", "coinbase"]);
        let coinbase = &candles.sources["coinbase"];
        assert_eq!((coinbase.venue, &coinbase.base_url), (crate::types::venue::Venue::Coinbase, &None));
        assert_eq!(coinbase.symbols.as_ref().unwrap()["BTC-USD"], "BTC-USD");
        let cross_check = candles.cross_check.unwrap();
        assert_eq!((cross_check.band_bps, cross_check.minutes, cross_check.required), (40, 1440, true));
    }

    #[test]
    fn a_policy_that_means_nothing_is_refused_by_name() {
        let cases = [
            ("[candles]\nprimary = \"kraken\"\n", "candles.primary"),
            ("[candles]\nfallbacks = [\"coinbase\", \"coinbase\"]\n", "candles.fallbacks"),
            ("[candles]\nfallbacks = [\"binance\"]\n", "candles.fallbacks"),
            ("[candles.cross_check]\nwith = [\"okx\"]\n", "candles.cross_check.with"),
            ("[candles.cross_check]\nrequired = true\n", "candles.cross_check.required"),
            ("[candles.cross_check]\nwith = [\"coinbase\"]\nminutes = 1\n", "candles.cross_check.minutes"),
            ("[candles.cross_check]\nband = 1\n", "band"),
            ("[candles]\nweight_per_minute = 0\n", "candles.weight_per_minute"),
            ("[candles.sources.binance]\nexchange = \"binance\"\nsymbols = {}\n", "candles.sources"),
            ("[candles.sources.\"a b\"]\nexchange = \"okx\"\nsymbols = {}\n", "candles.sources"),
            ("[candles.sources.kraken]\nexchange = \"kraken\"\nsymbols = {}\n", "kraken"),
            ("[candles.sources.bybit]\nexchange = \"bybit\"\n", "symbols"),
        ];
        for (text, named) in cases {
            let message = with_file(&format!("{text}{COINBASE}")).expect_err(text).to_string();
            assert!(message.contains(named), "{message}");
        }
    }

    #[test]
    fn several_rpcs_are_a_list_in_a_file_and_go_with_commas_in_the_environment() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.toml");
        fs::write_atomic(&path, b"[chain]\nrpc_url = [\"https://a/key\", \"wss://b\"]").unwrap();
        let empty = Environment::default().source(Some(HashMap::new()));
        let config = check(load_raw(Some(&path), empty).unwrap()).unwrap();
        assert_eq!(format!("{:?}", config.chain.rpc_urls), "[https://a, wss://b]");
        let config = with(&[("VERIREGIME__CHAIN__RPC_URL", "https://a/key, wss://b")]).unwrap();
        assert_eq!(format!("{:?}", config.chain.rpc_urls), "[https://a, wss://b]");
    }

    #[test]
    fn shortcuts_are_refused_on_a_real_chain() {
        for pair in [("VERIREGIME__PROVER__KIND", "mock"), ("VERIREGIME__SCHEDULE__CLOCK", "exchange")] {
            assert!(with(&[pair]).is_ok());
            let fault = with(&[pair, ("VERIREGIME__CHAIN__CHAIN_ID", "1")]).expect_err("real chain");
            assert_eq!(fault.code(), "VR-CONFIG-002");
        }
    }
}
