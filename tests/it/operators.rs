//! Operators who attest for one another: real nodes over real HTTP, some of which lie, see other candles, are down or talk
//! nonsense.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::veriregime_files;
use alloy::primitives::Address;
use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use reqwest::StatusCode;
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::net::TcpSocket;
use tokio_util::sync::CancellationToken;
use veriregime_agent::actions::risk_oracle::abi::registry::ModelRegistry;
use veriregime_agent::attestation::peers::Peers;
use veriregime_agent::attestation::statement::Statement;
use veriregime_agent::job::Agent;
use veriregime_agent::node::{assemble, serving};
use veriregime_agent::state::Store;
use veriregime_core::types::attestation::Attestation;
use veriregime_core::types::cycle::{CycleRecord, Stage};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::period::PeriodId;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::replicas::{Node, SPEED, ended, logs};
use crate::world::{FIRST, KEYS, World};

const PATIENCE: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_millis(10);

fn go() -> CancellationToken {
    CancellationToken::new()
}

/// An address of this machine that nobody listens on.
fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

fn address(index: usize) -> Address {
    KEYS[index].parse::<PrivateKeySigner>().unwrap().address()
}

/// Somebody who answers every request to attest with `answer`.
async fn answering(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST")).and(path("/v1/attest")).respond_with(answer).mount(&server).await;
    server
}

/// Three nodes that ask one another, and whoever else is named.
struct Operators {
    world: World,
    nodes: Vec<Node>,
}

impl Operators {
    /// The candles of node `odd`, if any, are another exchange's.
    async fn new(threshold: u8, odd: Option<u64>, others: &[String]) -> Self {
        let world = World::new().await;
        world.announce_and_call(&ModelRegistry::setAttestorsCall { attestors: World::attestors(3), threshold }).await;
        let addresses: Vec<String> = (0..3).map(|_| free_address()).collect();
        let odd_exchange = world.other_exchange().await;
        let nodes = (0..3)
            .map(|index| {
                let mut peers: Vec<String> = addresses.iter().map(|address| format!("http://{address}")).collect();
                peers.remove(index as usize);
                peers.extend_from_slice(others);
                Node::new(&world, index, |settings| {
                    settings["api"] = json!({"listen": addresses[index as usize]});
                    settings["attestation"] = json!({"peers": peers, "answer": true, "timeout_ms": 2000});
                    settings["log"] = json!({"format": "json"});
                    if odd == Some(index) {
                        settings["candles"]["base_url"] = json!(odd_exchange.as_str());
                    }
                })
            })
            .collect();
        Self { world, nodes }
    }

    /// Lets the replay's clock run in `period` until `condition` holds.
    async fn run(&self, period: PeriodId, condition: impl AsyncFn(&Self) -> bool) {
        let (begun, from_ms) = (Instant::now(), self.world.clock.now_ms());
        while !condition(self).await {
            assert!(begun.elapsed() < PATIENCE, "{period}: {}", logs(&self.nodes));
            self.world.clock.set_ms(from_ms + begun.elapsed().as_millis() as i64 * SPEED);
            tokio::time::sleep(POLL).await;
        }
    }

    fn log(&self, index: usize) -> String {
        std::fs::read_to_string(&self.nodes[index].log).unwrap()
    }

    /// Who attested the update of `period`.
    async fn attestors(&self, period: PeriodId) -> Vec<Address> {
        let (config, deployment) = (&self.world.config, &self.world.chain.deployment);
        let reader = assemble::reader(config).unwrap();
        let update = reader
            .published(config.chain.oracle.unwrap(), deployment.model_id, config.grid(), period)
            .await
            .unwrap()
            .unwrap();
        let attestations = update.arguments.unwrap().attestations;
        let split = veriregime_agent::attestation::statement::split(&attestations).unwrap();
        split.into_iter().map(|attestation| attestation.signer).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_of_three_land_every_period_whoever_leads_and_whatever_the_others_say() {
    let garbage = answering(ResponseTemplate::new(200).set_body_string("<html>")).await;
    let liar = Attestation { signer: address(2), signature: vec![1; 65].into() };
    let liar = answering(ResponseTemplate::new(200).set_body_json(liar)).await;
    let endless = answering(ResponseTemplate::new(200).set_body_bytes(vec![b' '; 1 << 20])).await;
    // Bound and not listened on: nobody answers there, and nobody else comes to.
    let nobody = TcpSocket::new_v4().unwrap();
    nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let silent = format!("http://{}", nobody.local_addr().unwrap());
    let others = [garbage.uri(), liar.uri(), endless.uri(), silent];
    let mut operators = Operators::new(2, Some(2), &others).await;
    operators.nodes.iter_mut().for_each(Node::start);
    for period in (FIRST.0..FIRST.0 + 3).map(PeriodId) {
        operators.world.enter(period).await;
        operators.run(period, async |it| it.nodes.iter().all(|node| ended(node, &it.world, period))).await;
        assert_eq!(operators.world.updates(period).await, 1, "{period}: {}", logs(&operators.nodes));
        let mut honest = [address(0), address(1)];
        honest.sort_unstable();
        assert_eq!(operators.attestors(period).await, honest);
        // The one that sees other candles has another forecast, and can neither land it nor keep anybody from landing.
        let odd = operators.nodes[2].record(&operators.world, period).unwrap();
        let first = operators.nodes[0].record(&operators.world, period).unwrap();
        assert_eq!(odd.stage, Stage::AlreadyByOther);
        assert_ne!(odd.forecast, first.forecast);
    }
    let odd = operators.log(2);
    assert!(odd.contains("refuses with VR-ATTEST-004: feature ") && odd.contains("VR-CHAIN-012"), "{odd}");
    for code in ["VR-PEER-001", "VR-PEER-002", "VR-PEER-003", "VR-PEER-004"] {
        assert!(odd.contains(code), "{code}: {odd}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_waits_for_the_last_attestation_and_asks_nobody_twice() {
    let mut operators = Operators::new(3, None, &[]).await;
    operators.world.enter(FIRST).await;
    operators.nodes[0].start();
    operators.nodes[1].start();
    let held = async |it: &Operators| it.log(0).contains("\"held\":2") || it.log(0).contains("there are 2, and 2");
    operators.run(FIRST, async |it| it.nodes[0].log.exists() && held(it).await).await;
    assert_eq!(operators.world.updates(FIRST).await, 0);
    // The second operator goes away: it has signed, and what it signed is kept through a crash of the first.
    operators.nodes[1].kill();
    operators.nodes[0].kill();
    operators.nodes[0].start();
    operators.nodes[2].start();
    operators.run(FIRST, async |it| it.world.updates(FIRST).await == 1).await;
    assert_eq!(operators.attestors(FIRST).await, World::attestors(3));
}

/// What an operator with this cycle asks the others to sign.
async fn request(world: &World, record: &CycleRecord) -> Statement {
    let forecast = record.forecast.as_ref().unwrap();
    let oracle = world.config.chain.oracle.unwrap();
    Statement {
        chain_id: world.config.chain.chain_id,
        oracle,
        registry: world.chain.owner.read.registry_of(oracle).await.unwrap(),
        model_id: world.chain.deployment.model_id,
        period: record.period,
        omitted_markets: OmittedMarkets::NONE,
        attestor_set_version: world.chain.owner.read.attestor_set(oracle).await.unwrap().version,
        instances: forecast.instances(),
        prices: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_attests_what_its_own_candles_give_and_nothing_else() {
    let mut world = World::new().await;
    world.enter(FIRST).await;
    world.config.state_path = world.scratch.path().join("ours");
    let mut agent = world.agent("ours").await;
    let notary = serving::notary(&agent, &Arc::new(Store::open(&world.config.state_path).unwrap())).unwrap();
    let theirs = world.agent("theirs").await.run_until(Stage::Forecast, FIRST, &go()).await.unwrap();
    let right = request(&world, &theirs).await;
    let code = async |request: &Statement| notary.attest(request).await.map(|_| ()).map_err(|fault| fault.code());

    assert_eq!(code(&right).await, Err("VR-ATTEST-003"), "nothing is signed on trust");
    agent.run_until(Stage::Collected, FIRST, &go()).await.unwrap();
    for index in 0..right.instances.len() {
        let mut altered = right.clone();
        altered.instances[index] ^= alloy::primitives::U256::from(1);
        let fault = notary.attest(&altered).await.expect_err("altered");
        let kind = if index < 16 { "feature " } else { "output " };
        assert!(fault.code() == "VR-ATTEST-004" && fault.to_string().starts_with(kind), "{index}: {fault}");
    }
    let others = [
        (Statement { chain_id: 1, ..right.clone() }, "VR-ATTEST-001"),
        (Statement { oracle: Address::ZERO, ..right.clone() }, "VR-ATTEST-001"),
        (Statement { model_id: [7; 32].into(), ..right.clone() }, "VR-ATTEST-001"),
        (Statement { period: FIRST.next(), ..right.clone() }, "VR-ATTEST-002"),
        (Statement { registry: Address::ZERO, ..right.clone() }, "VR-ATTEST-001"),
        (Statement { omitted_markets: OmittedMarkets::from_bits(1), ..right.clone() }, "VR-ATTEST-001"),
        (Statement { instances: vec![], ..right.clone() }, "VR-ATTEST-004"),
    ];
    for (request, wanted) in others {
        assert_eq!(code(&request).await, Err(wanted));
    }
    let digest = right.digest();
    assert!(agent.store.attestations(digest).unwrap().is_empty(), "nothing was signed so far");
    let signed = notary.attest(&right).await.unwrap();
    assert_eq!(signed.signer, agent.chain.attestor());
    assert_eq!(veriregime_agent::attestation::statement::is_by_its_signer(&signed, digest), Some(true));
    agent.run_until(Stage::Forecast, FIRST, &go()).await.unwrap();
    assert_eq!(notary.attest(&right).await.unwrap(), signed, "the same question has the same answer");
    // The owner replaces the set in the middle of the period: the same payload again, under another digest.
    let again = Statement { attestor_set_version: right.attestor_set_version + 1, ..right.clone() };
    assert_ne!(notary.attest(&again).await.unwrap().signature, signed.signature);
    world.clock.set_ms(FIRST.end_ms());
    assert_eq!(code(&right).await, Err("VR-ATTEST-002"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signer_who_is_not_in_the_set_does_not_count() {
    let mut world = World::new().await;
    world.announce_and_call(&ModelRegistry::setAttestorsCall { attestors: World::attestors(2), threshold: 2 }).await;
    world.enter(FIRST).await;
    let stranger: PrivateKeySigner = KEYS[3].parse().unwrap();
    let server = MockServer::start().await;
    let attest = move |request: &Request| {
        let asked: Statement = request.body_json().unwrap();
        let digest = asked.digest();
        let signature = stranger.sign_hash_sync(&digest).unwrap().as_bytes().to_vec().into();
        ResponseTemplate::new(200).set_body_json(Attestation { signer: stranger.address(), signature })
    };
    Mock::given(method("POST")).respond_with(attest).mount(&server).await;
    world.config.attestation.peers = vec![server.uri().parse().unwrap()];
    let mut agent = world.agent("one").await;
    let record = agent.run_until(Stage::Proved, FIRST, &go()).await.unwrap();
    let fault = attestations(&world, &agent, &record).await.expect_err("one of two");
    assert_eq!(fault.code(), "VR-CHAIN-012");
    assert!(fault.to_string().contains("there are 1"), "{fault}");
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
    // An honest one instead.
    let honest: PrivateKeySigner = KEYS[1].parse().unwrap();
    let digest = request(&world, &record).await.digest();
    let signature = honest.sign_hash_sync(&digest).unwrap().as_bytes().to_vec().into();
    let right = Attestation { signer: honest.address(), signature };
    let honest = answering(ResponseTemplate::new(200).set_body_json(right)).await;
    agent.peers = Peers::new(&[honest.uri().parse().unwrap()], Duration::from_secs(2)).unwrap();
    assert_eq!(agent.run(FIRST, &go()).await.unwrap().stage, Stage::Confirmed);
    world.judge(FIRST, 1).await;
}

async fn attestations(
    world: &World,
    agent: &Agent,
    record: &CycleRecord,
) -> Result<Vec<Attestation>, veriregime_agent::job::error::StageError> {
    let forecast = record.forecast.as_ref().unwrap();
    agent.attestations(world.chain.deployment.model_id, record.period, forecast).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_has_attested_something_else_misses_its_own_period() {
    let world = World::new().await;
    world.enter(FIRST).await;
    let mut agent = world.agent("one").await;
    let record = agent.run_until(Stage::Proved, FIRST, &go()).await.unwrap();
    let mut other = record.clone();
    other.forecast.as_mut().unwrap().features[0].candle[0] ^= 1;
    attestations(&world, &agent, &other).await.unwrap();
    assert_eq!(attestations(&world, &agent, &record).await.expect_err("a second payload").code(), "VR-ATTEST-005");
    drop(agent);
    let mut agent = world.agent("one").await;
    let record = agent.run(FIRST, &go()).await.unwrap();
    assert_eq!((record.stage, record.miss.unwrap().code.as_str()), (Stage::Missed, "VR-ATTEST-005"));
    world.judge(FIRST, 0).await;
}

/// Asks a running node to attest: the status, and the answer.
async fn ask(at: &str, request: &Statement) -> Option<(StatusCode, Value)> {
    let url = format!("http://{at}/v1/attest");
    let answer = reqwest::Client::new().post(url).json(request).send().await.ok()?;
    Some((answer.status(), answer.json().await.unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_attested_binds_after_kill_9_and_even_with_other_candles() {
    let world = World::new().await;
    world.enter(FIRST).await;
    let at = free_address();
    // It waits for its turn all the time, so that what it attests is for others.
    let mut node = Node::new(&world, 2, |settings| {
        settings["api"] = json!({"listen": at});
        settings["attestation"] = json!({"answer": true});
        settings["replica"] = json!({"index": 2, "count": 3, "delay_seconds": 3600});
    });
    world.announce_and_call(&ModelRegistry::setAttestorsCall { attestors: World::attestors(3), threshold: 1 }).await;
    let forecast = |seen: &Node| {
        let record = seen.record(&world, FIRST);
        record.is_some_and(|record| record.stage == Stage::Proved)
    };
    node.start();
    world.until("its own forecast", async || forecast(&node)).await;
    let first = request(&world, &node.record(&world, FIRST).unwrap()).await;
    let (status, signed) = ask(&at, &first).await.unwrap();
    assert_eq!((status, &signed["signer"]), (StatusCode::OK, &json!(address(2))));
    node.kill();

    // The same node with another exchange and a cycle that begins anew: it believes in something else now.
    let settings = veriregime_files::read_text(&node.settings, 1 << 16).unwrap();
    let (old, new) = (world.config.candles.sources["binance"].base_url.clone().unwrap(), world.other_exchange().await);
    veriregime_files::write_atomic(&node.settings, settings.replace(old.as_str(), new.as_str()).as_bytes()).unwrap();
    let database = Connection::open(&node.database).unwrap();
    database.execute_batch("DELETE FROM cycles; DELETE FROM windows; DELETE FROM live_blocks").unwrap();
    node.start();
    world.until("its other forecast", async || forecast(&node)).await;
    let second = request(&world, &node.record(&world, FIRST).unwrap()).await;
    assert_ne!(first.instances, second.instances);
    let (status, refusal) = ask(&at, &second).await.unwrap();
    assert_eq!((status, refusal["code"].as_str()), (StatusCode::CONFLICT, Some("VR-ATTEST-005")), "{refusal}");
    let (status, refusal) = ask(&at, &first).await.unwrap();
    assert_eq!((status, refusal["code"].as_str()), (StatusCode::CONFLICT, Some("VR-ATTEST-004")), "{refusal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_not_told_to_attests_nothing() {
    let world = World::new().await;
    world.enter(FIRST).await;
    let at = free_address();
    let mut node = Node::new(&world, 0, |settings| settings["api"] = json!({"listen": at}));
    node.start();
    let record = async || {
        let found = node.record(&world, FIRST);
        found.filter(|record| record.forecast.is_some())
    };
    world.until("its forecast", async || record().await.is_some()).await;
    let right = request(&world, &record().await.unwrap()).await;
    world.until("its API", async || ask(&at, &right).await.is_some()).await;
    let (status, refusal) = ask(&at, &right).await.unwrap();
    assert_eq!((status, refusal["code"].as_str()), (StatusCode::NOT_FOUND, Some("VR-API-002")));
}
