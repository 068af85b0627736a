//! The jobs of a node. A job's settings are those of a node that has this job alone.

use std::collections::{BTreeMap, BTreeSet};

use super::named::{self, ATTESTORS, CHAINS, UNNAMED, WALLETS};
use super::raw::{ActionKind, ClockKind, JobKind, RawChain, RawConfig, RawJob, unnamed};
use super::signer::RawSigner;
use super::{Config, ConfigError, chain, value};

/// More jobs than one process is measured with.
const MAX_JOBS: usize = 1000;
/// More chains, wallets or attestors than jobs could use.
const MAX_NAMED: usize = MAX_JOBS;

/// What a job and its parts are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    pub job: String,
    pub chain: String,
    pub wallet: String,
    pub attestor: String,
}

/// A node's settings: those of its jobs, which agree in all that is the node's.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    jobs: Vec<Config>,
}

impl NodeConfig {
    /// The jobs, at least one, in the file's order.
    pub fn jobs(&self) -> &[Config] {
        &self.jobs
    }

    /// What is the node's and no job's: state, evidence, API, alerts, log, candles, prover.
    pub fn node(&self) -> &Config {
        &self.jobs[0]
    }

    /// The job of that name; all of them where no name is given.
    ///
    /// # Errors
    /// [`ConfigError::UnknownName`].
    pub fn chosen(&self, name: Option<&str>) -> Result<&[Config], ConfigError> {
        match name {
            Some(_) => self.job(name).map(std::slice::from_ref),
            None => Ok(&self.jobs),
        }
    }

    /// The job of that name; the only one where no name is given.
    ///
    /// # Errors
    /// [`ConfigError::UnknownName`], or [`ConfigError::WhichJob`] where there are several.
    pub fn job(&self, name: Option<&str>) -> Result<&Config, ConfigError> {
        let names = || self.jobs.iter().map(|job| job.names.job.as_str());
        match name {
            None if self.jobs.len() == 1 => Ok(&self.jobs[0]),
            None => Err(ConfigError::WhichJob { known: names().collect::<Vec<_>>().join(", ") }),
            Some(name) => {
                let found = self.jobs.iter().find(|job| job.names.job == name);
                found.ok_or_else(|| unknown_job(name, names()))
            }
        }
    }
}

/// The error for a job that is named on the command line and is none.
pub fn unknown_job<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> ConfigError {
    named::unknown("--job", name, known)
}

/// Settings of jobs that are right by themselves, and everything that is wrong.
#[derive(Debug, Default)]
pub struct Findings {
    pub jobs: Vec<Config>,
    pub faults: Vec<ConfigError>,
}

impl Findings {
    /// Notes what is wrong, once: jobs share sections.
    fn note(&mut self, fault: ConfigError) {
        let words = fault.to_string();
        if !self.faults.iter().any(|known| known.to_string() == words) {
            self.faults.push(fault);
        }
    }

    fn check(&mut self, checked: Result<(), ConfigError>) {
        if let Err(fault) = checked {
            self.note(fault);
        }
    }
}

/// Checks settings one by one and together.
///
/// # Errors
/// [`ConfigError`] that names the key.
pub fn check(raw: RawConfig) -> Result<NodeConfig, ConfigError> {
    let Findings { jobs, faults } = find(raw);
    match faults.into_iter().next() {
        Some(fault) => Err(fault),
        None => Ok(NodeConfig { jobs }),
    }
}

/// As [`check`], of whatever is wrong with any job.
pub fn find(raw: RawConfig) -> Findings {
    let mut found = Findings::default();
    found.check(check_tables("chains", &raw.chains));
    found.check(check_tables("wallets", &raw.wallets));
    found.check(check_tables("attestors", &raw.attestors));
    check_chains(&raw, &mut found);
    if raw.jobs.is_empty() {
        match unnamed_job(raw) {
            Ok(job) => found.jobs.push(job),
            Err(fault) => found.note(fault),
        }
        return found;
    }
    if raw.jobs.len() > MAX_JOBS {
        found.note(value("jobs", format!("{} of them", raw.jobs.len()), format!("more than {MAX_JOBS}")));
        return found;
    }
    for job in &raw.jobs {
        if let Some(config) = named_job(&raw, job, &mut found) {
            found.jobs.push(config);
        }
    }
    check_together(&mut found);
    found
}

fn check_tables<T>(key: &str, tables: &BTreeMap<String, T>) -> Result<(), ConfigError> {
    if tables.len() > MAX_NAMED {
        return Err(value(key, format!("{} of them", tables.len()), format!("more than {MAX_NAMED}")));
    }
    for name in tables.keys() {
        named::check_name(key, name)?;
        if name == UNNAMED {
            return Err(value(key, name, "is what the section without a name describes; take another name"));
        }
    }
    Ok(())
}

/// The one job that the sections describe, called as the folder of its model.
fn unnamed_job(raw: RawConfig) -> Result<Config, ConfigError> {
    let names = Names { job: String::new(), chain: unnamed(), wallet: unnamed(), attestor: unnamed() };
    let mut config = super::check_job(raw, names, JobKind::Regime)?;
    let folder = config.bundle.file_name().and_then(|name| name.to_str()).filter(|name| named::is_name(name));
    config.names.job = folder.unwrap_or(UNNAMED).to_owned();
    Ok(config)
}

/// Lays what a job says, and what it names, over the sections, and checks that as if there were nothing else.
fn named_job(raw: &RawConfig, job: &RawJob, found: &mut Findings) -> Option<Config> {
    found.check(named::check_name("jobs.name", &job.name));
    let key = |key: &str| format!("jobs.{}.{key}", job.name);
    let chain = chosen(&key("chain"), &job.chain, &raw.chain, &raw.chains, found);
    let wallet = chosen(&key("wallet"), &job.wallet, &raw.signer, &raw.wallets, found);
    let attestor = chosen(&key("attestor"), &job.attestor, &raw.attestor, &raw.attestors, found);
    let checked = with_parts(raw, job, chain?, wallet?, attestor?);
    checked.map_err(|fault| found.note(fault)).ok()
}

fn with_parts(
    raw: &RawConfig,
    job: &RawJob,
    chain: &RawChain,
    wallet: &RawSigner,
    attestor: &RawSigner,
) -> Result<Config, ConfigError> {
    let mut alone = RawConfig {
        chain: RawChain { oracle: contract(job, chain)?, ..chain.clone() },
        signer: wallet.clone(),
        attestor: attestor.clone(),
        schedule: job.schedule.clone(),
        replica: job.replica.clone(),
        jobs: Vec::new(),
        chains: BTreeMap::new(),
        wallets: BTreeMap::new(),
        attestors: BTreeMap::new(),
        ..raw.clone()
    };
    alone.model.bundle.clone_from(&job.bundle);
    alone.prover.kind = job.verification;
    let names = Names {
        job: job.name.clone(),
        chain: job.chain.clone(),
        wallet: job.wallet.clone(),
        attestor: job.attestor.clone(),
    };
    let own = |key: &str| format!("jobs.{}.{key}", job.name);
    let (country, strategy) = (job.country.trim(), job.strategy.trim());
    if job.kind != JobKind::Hedge && !country.is_empty() {
        return Err(value(own("country"), country, "only a job of kind \"hedge\" has a country"));
    }
    if job.kind != JobKind::Yield && !strategy.is_empty() {
        return Err(value(own("strategy"), strategy, "only a job of kind \"yield\" has a strategy"));
    }
    let hedge = match job.kind {
        JobKind::Hedge => Some(super::hedge::check(&raw.hedge, country).map_err(|fault| of_job(fault, job))?),
        JobKind::Regime | JobKind::Yield => None,
    };
    let strategy = match job.kind {
        JobKind::Yield => Some(super::yields::strategy(&raw.yields, &own("strategy"), strategy)?),
        JobKind::Regime | JobKind::Hedge => None,
    };
    if job.action.is_some_and(|action| action != job.kind.action()) {
        return Err(value(own("action"), written(job.action), "a job of this kind does something else on chain"));
    }
    let config = super::check_job(alone, names, job.kind).map_err(|fault| of_job(fault, job))?;
    if job.kind != JobKind::Regime && config.schedule.clock == ClockKind::Exchange {
        return Err(value(
            "schedule.clock",
            "exchange",
            "a job of this kind has no exchange whose clock it could go by",
        ));
    }
    Ok(Config { hedge, strategy, ..config })
}

/// An action as it is written.
fn written(action: Option<ActionKind>) -> &'static str {
    match action {
        Some(ActionKind::RiskOracle) => "risk-oracle",
        Some(ActionKind::HedgeVault) => "hedge-vault",
        Some(ActionKind::Feed) => "feed",
        None => "",
    }
}

/// The table of that name.
fn chosen<'a, T>(
    key: &str,
    name: &str,
    unnamed: &'a T,
    tables: &'a BTreeMap<String, T>,
    found: &mut Findings,
) -> Option<&'a T> {
    let table = if name == UNNAMED { Some(unnamed) } else { tables.get(name) };
    if table.is_none() {
        found.note(named::unknown(key, name, tables.keys().map(String::as_str).chain([UNNAMED])));
    }
    table
}

/// A job's contract. That of the section `[chain]` is on that chain and on no other.
fn contract(job: &RawJob, chain: &RawChain) -> Result<String, ConfigError> {
    if job.chain != UNNAMED && !chain.oracle.trim().is_empty() {
        let key = format!("chains.{}.oracle", job.chain);
        return Err(value(key, &chain.oracle, "contracts are jobs'; write `contract` in [[jobs]]"));
    }
    let own = job.contract.trim();
    Ok(if own.is_empty() { chain.oracle.clone() } else { own.to_owned() })
}

/// An error of a job's settings, by the keys that they have where there are several.
fn of_job(fault: ConfigError, job: &RawJob) -> ConfigError {
    let own = |section: &str| format!("jobs.{}.{section}", job.name);
    let mut fault = match fault {
        ConfigError::Value { key, value, reason } => {
            let key = match key.as_str() {
                "chain.oracle" => own("contract"),
                "model.bundle" => own("bundle"),
                "prover.kind" => own("verification"),
                "jobs.country" => own("country"),
                _ => key,
            };
            ConfigError::Value { key, value, reason }
        }
        fault => return fault,
    };
    let tables = [(&CHAINS, &job.chain), (&WALLETS, &job.wallet), (&ATTESTORS, &job.attestor)];
    for (group, name) in tables.into_iter().filter(|(_, name)| *name != UNNAMED) {
        fault = fault.in_section(group.section, &format!("{}.{name}", group.tables));
    }
    ["schedule", "replica"].into_iter().fold(fault, |fault, section| fault.in_section(section, &own(section)))
}

/// What each job may do alone and not beside the others.
fn check_together(found: &mut Findings) {
    let (mut names, mut served) = (BTreeSet::new(), BTreeMap::new());
    let mut same = Vec::new();
    for job in &found.jobs {
        let name = &job.names.job;
        if !names.insert(name) {
            same.push(ConfigError::SameJob { one: name.clone(), other: name.clone(), what: "have one name".into() });
            continue;
        }
        let bundle = veriregime_files::real_path(&job.bundle);
        if let Some(contract) = job.chain.oracle
            && let Some(other) = served.insert((job.chain.chain_id, contract, bundle), name)
        {
            let what = format!("run one model at {contract} on chain {}", job.chain.chain_id);
            same.push(ConfigError::SameJob { one: other.clone(), other: name.clone(), what });
        }
    }
    for fault in same {
        found.note(fault);
    }
}

/// Checks every chain that has a name or is used, and that none answers for two.
fn check_chains(raw: &RawConfig, found: &mut Findings) {
    let is_used = raw.jobs.is_empty() || raw.jobs.iter().any(|job| job.chain == UNNAMED);
    let unnamed = is_used.then(|| ("chain".to_owned(), &raw.chain));
    let named = raw.chains.iter().map(|(name, chain)| (format!("chains.{name}"), chain));
    let mut known: BTreeMap<String, (String, u64)> = BTreeMap::new();
    for (section, raw) in unnamed.into_iter().chain(named) {
        let chain = match chain::check(raw.clone()) {
            Ok(chain) => chain,
            Err(fault) => {
                found.note(fault.in_section("chain", &section));
                continue;
            }
        };
        for url in &chain.rpc_urls {
            let (first, chain_id) =
                known.entry(url.expose().to_string()).or_insert_with(|| (section.clone(), chain.chain_id));
            if *chain_id != chain.chain_id {
                found.note(ConfigError::TwoChains {
                    rpc: url.to_string(),
                    one: format!("{first} says {chain_id}"),
                    other: format!("{section} says {}", chain.chain_id),
                });
            }
        }
    }
}
