//! One node's jobs with their chains: one job alone, or three on two chains with two wallets.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use alloy::network::Ethereum;
use alloy::primitives::{Address, B256};
use alloy::providers::{Provider, RootProvider};
use serde_json::{Value, json};
use veriregime_agent::actions::risk_oracle::abi::oracle::RiskOracle;
use veriregime_agent::config::Config;
use veriregime_agent::config::signer::Signer;
use veriregime_agent::devnet::{Anvil, World as Chain};
use veriregime_agent::evidence::{self, EvidenceStore};
use veriregime_agent::node::parts::key;
use veriregime_core::types::contract::Contract;
use veriregime_core::types::cycle::CycleRecord;
use veriregime_core::types::evidence::Evidence;
use veriregime_core::types::job::JobKey;
use veriregime_core::types::period::PeriodId;

use crate::jobs::{Contracts, OTHER_CHAIN_ID};
use crate::world::{FIRST, KEYS, World, signer, toml};

/// A job and where it acts.
pub struct FleetJob {
    pub name: &'static str,
    /// Place of its chain in the fleet.
    pub chain: usize,
    /// Settings of a node that has this job alone, past any proxy.
    pub config: Config,
    pub key: JobKey,
}

impl FleetJob {
    fn new(name: &'static str, chain: usize, config: Config) -> Self {
        let key = key(&config).unwrap().expect("a contract");
        Self { name, chain, config, key }
    }

    /// The updates of this job's contract, oldest first.
    pub async fn updates(&self) -> Vec<Update> {
        let provider = RootProvider::<Ethereum>::new_http(self.config.chain.rpc_url().clone());
        let contract = RiskOracle::new(self.config.chain.oracle.unwrap(), &provider);
        let mut updates = Vec::new();
        for (event, log) in contract.UpdateAccepted_filter().from_block(0_u64).query().await.unwrap() {
            let block = provider.get_block_by_number(log.block_number.unwrap().into()).await.unwrap().unwrap();
            let landed_in = PeriodId::at_ms(i64::try_from(block.header.timestamp).unwrap() * 1000);
            let transaction = log.transaction_hash.unwrap();
            updates.push(Update { period: PeriodId(event.period), landed_in, transaction });
        }
        updates
    }

    /// Whether the landed update's bundle is there, holds what its name says, and tells of that very transaction.
    pub fn has_evidence(&self, record: &CycleRecord) -> bool {
        let (Some(digest), Some(landed)) = (record.evidence, record.landed) else { return false };
        let file = EvidenceStore::new(self.config.evidence_dir.clone()).file(digest);
        let Ok((_, Evidence { chain_id, oracle, manifest_sha256, update, .. })) = evidence::read(&file) else {
            return false;
        };
        JobKey::new(Contract { chain_id, address: oracle }, manifest_sha256) == self.key
            && (update.period, update.transaction, update.block) == (record.period, landed.hash, landed.block)
    }
}

/// An update as its contract's events tell it.
#[derive(Debug, Clone, Copy)]
pub struct Update {
    pub period: PeriodId,
    /// The period of its block's time.
    pub landed_in: PeriodId,
    pub transaction: B256,
}

/// The jobs, their chains, and where the node keeps its things.
pub struct Fleet {
    pub world: World,
    other: Option<(Chain, tempfile::TempDir)>,
    pub jobs: Vec<FleetJob>,
}

impl Fleet {
    /// One job, as the sections without `[[jobs]]` describe it.
    pub async fn alone() -> Self {
        let world = World::new().await;
        let jobs = vec![FleetJob::new("alone", 0, world.config.clone())];
        Self { world, other: None, jobs }
    }

    /// Two contracts on one chain, whose jobs share a wallet, and a third on another chain with a wallet of its own.
    pub async fn three() -> Self {
        let Contracts { world, second, mut third, other, scratch } = Contracts::new().await;
        third.attestor = Some(third.signer.clone());
        third.evidence_dir.clone_from(&world.config.evidence_dir);
        third.signer = Signer::file(world.key_file("own.key", KEYS[1]));
        world.clock.set_ms(FIRST.start_ms());
        let jobs = vec![
            FleetJob::new("first", 0, world.config.clone()),
            FleetJob::new("second", 0, second),
            FleetJob::new("third", 1, third),
        ];
        Self { world, other: Some((other, scratch)), jobs }
    }

    pub fn chains(&self) -> usize {
        1 + usize::from(self.other.is_some())
    }

    pub fn anvil(&self, chain: usize) -> &Anvil {
        match &self.other {
            Some((other, _)) if chain == 1 => &other.anvil,
            _ => &self.world.chain.anvil,
        }
    }

    pub fn anvil_mut(&mut self, chain: usize) -> &mut Anvil {
        match &mut self.other {
            Some((other, _)) if chain == 1 => &mut other.anvil,
            _ => &mut self.world.chain.anvil,
        }
    }

    /// Moves a chain to that time, or on by a second where it is past it.
    pub async fn move_chain(&self, chain: usize, unix_seconds: i64) {
        let anvil = self.anvil(chain);
        let newest = anvil.request("eth_getBlockByNumber", json!(["latest", false])).await.unwrap();
        let newest_seconds = newest["timestamp"].as_str().unwrap().trim_start_matches("0x");
        let newest_seconds = i64::from_str_radix(newest_seconds, 16).unwrap();
        anvil.set_time(unix_seconds.max(newest_seconds + 1)).await.unwrap();
    }

    pub fn chain_id(&self, chain: usize) -> u64 {
        self.jobs.iter().find(|job| job.chain == chain).unwrap().config.chain.chain_id
    }

    /// Each wallet on each chain, by a job that uses it.
    pub fn wallets(&self) -> Vec<&FleetJob> {
        let mut wallets: Vec<&FleetJob> = Vec::new();
        for job in &self.jobs {
            let is_known = |one: &&FleetJob| one.chain == job.chain && one.config.signer == job.config.signer;
            if !wallets.iter().any(is_known) {
                wallets.push(job);
            }
        }
        wallets
    }

    /// Settings with a section for each part; those of RPCs are in `chain` and `chains.other`.
    pub fn settings(&self) -> Value {
        let mut settings = self.world.settings();
        for job in self.jobs.iter().filter(|job| job.chain == 1) {
            let url = json!([job.config.chain.rpc_url().as_str()]);
            settings["chains.other"] = json!({"rpc_url": url, "chain_id": OTHER_CHAIN_ID});
            settings["wallets.own"] = signer(Some(&job.config.signer));
            settings["attestors.node"] = signer(job.config.attestor.as_ref());
        }
        settings
    }

    /// Writes the settings and the jobs into a file of the node's.
    pub fn write(&self, settings: &Value) -> PathBuf {
        let mut text = toml(settings);
        for job in self.jobs.iter().filter(|_| self.jobs.len() > 1) {
            let contract: Address = job.config.chain.oracle.unwrap();
            write!(text, "\n[[jobs]]\nname = \"{}\"\ncontract = \"{contract}\"\n", job.name).unwrap();
            if job.chain == 1 {
                text += "chain = \"other\"\nwallet = \"own\"\nattestor = \"node\"\n";
            }
        }
        let path = self.world.scratch.path().join("agent.toml");
        veriregime_files::write_atomic(&path, text.as_bytes()).unwrap();
        path
    }
}

/// The program's `daemon` under a supervisor that starts it again; killed when dropped.
pub struct Daemon {
    process: Child,
    settings: PathBuf,
    log: PathBuf,
}

impl Daemon {
    /// Starts it; what it logs is added to `log`.
    pub fn start(settings: PathBuf, log: PathBuf) -> Self {
        Self { process: daemon(&settings, &log), settings, log }
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// kill -9; false where it has ended by itself.
    pub fn kill(&mut self) -> bool {
        let runs = self.process.try_wait().unwrap().is_none();
        self.process.kill().unwrap();
        runs
    }

    /// kill -9 of the process that proves; false where there is none.
    pub fn kill_prover(&self) -> bool {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.id())).into_iter().flatten().flatten();
        let children = threads.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
        let all: String = children.collect();
        let Some(prover) = all.split_whitespace().next() else { return false };
        Command::new("kill").args(["-9", prover]).status().unwrap().success()
    }

    /// Starts it again if it has ended.
    pub fn revive(&mut self) {
        if self.process.try_wait().unwrap().is_some() {
            self.process = daemon(&self.settings, &self.log);
        }
    }

    /// The last lines of what it has logged.
    pub fn last_words(&self, lines: usize) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _dead = self.process.kill();
        let _waited = self.process.wait();
    }
}

/// Starts the daemon; what it logs is added to `log`.
pub fn daemon(settings: &Path, log: &Path) -> Child {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
    Command::new(env!("CARGO_BIN_EXE_veriregime-agent"))
        .args(["--config".as_ref(), settings.as_os_str(), "daemon".as_ref()])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap()
}
