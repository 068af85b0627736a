//! Attestations as the contract takes them, and what a node says that cannot make one.

use alloy::network::Ethereum;
use alloy::primitives::{B256, U256, keccak256};
use alloy::providers::RootProvider;
use tokio_util::sync::CancellationToken;
use veriregime_agent::actions::risk_oracle::abi::oracle::RiskOracle;
use veriregime_agent::actions::risk_oracle::abi::registry::ModelRegistry;
use veriregime_agent::attestation::statement::Statement;
use veriregime_agent::config::signer::Signer;
use veriregime_core::types::cycle::{CycleRecord, Stage};
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::period::PeriodId;

use crate::world::{FIRST, KEYS, World};

/// Funded, but no attestor.
const STRANGER_KEY: &str = KEYS[1];

impl World {
    async fn run(&self, database: &str) -> CycleRecord {
        let mut agent = self.agent(database).await;
        let nonce = agent.chain.nonce().await.unwrap();
        let record = agent.run(FIRST, &CancellationToken::new()).await.unwrap();
        assert_eq!(agent.chain.nonce().await.unwrap() > nonce, record.stage == Stage::Confirmed, "{:?}", record.miss);
        record
    }
}

fn missed_with(record: &CycleRecord, code: &str, words: &str) {
    let miss = record.miss.as_ref().unwrap();
    assert_eq!((record.stage, miss.code.as_str()), (Stage::Missed, code));
    assert!(miss.message.contains(words), "{}", miss.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_digest_is_the_contract_s() {
    let world = World::new().await;
    let oracle = world.config.chain.oracle.unwrap();
    let provider = RootProvider::<Ethereum>::new_http(world.config.chain.rpc_url().clone());
    let registry = RiskOracle::new(oracle, provider.clone()).registry().call().await.unwrap();
    let contract = ModelRegistry::new(registry, provider);
    let version = contract.attestorSet().call().await.unwrap().version;
    let words = |words: &[U256]| keccak256(words.iter().flat_map(U256::to_be_bytes::<32>).collect::<Vec<u8>>());
    let instances = [U256::from(1), U256::MAX];
    for omitted in [0, 1 << 31] {
        let statement = Statement {
            chain_id: world.config.chain.chain_id,
            oracle,
            registry,
            model_id: B256::repeat_byte(7),
            period: PeriodId(u64::MAX),
            attestor_set_version: version,
            omitted_markets: OmittedMarkets::from_bits(omitted),
            instances: instances.to_vec(),
            prices: None,
        };
        let (mask, instances_hash) = (U256::from(omitted), words(&instances));
        let call = contract.attestationDigest(statement.model_id, u64::MAX, mask, instances_hash);
        assert_eq!(statement.digest(), call.call().await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_wallet_may_relay_what_an_attestor_signed() {
    let mut world = World::new().await;
    world.enter(FIRST).await;
    let relayer = Signer::file(world.key_file("relayer.key", STRANGER_KEY));
    world.config.attestor = Some(std::mem::replace(&mut world.config.signer, relayer));
    assert_eq!(world.run("relayed").await.stage, Stage::Confirmed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_no_attestor_is_told_so_and_spends_nothing() {
    let mut world = World::new().await;
    world.enter(FIRST).await;
    world.config.attestor = Some(Signer::file(world.key_file("stranger.key", STRANGER_KEY)));
    missed_with(&world.run("stranger").await, "VR-CHAIN-009", "is not an attestor");
    let output = world.program(&["daemon"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains("error VR-CHAIN-009: "), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_that_wants_several_attestations_is_named_and_nothing_is_spent() {
    let world = World::new().await;
    world.enter(FIRST).await;
    let mut attestors = vec![world.agent("asked").await.chain.attestor(), world.chain.owner.address()];
    attestors.sort_unstable();
    world.announce_and_call(&ModelRegistry::setAttestorsCall { attestors, threshold: 2 }).await;
    missed_with(&world.run("alone").await, "VR-CHAIN-012", "2 attestations");
}
