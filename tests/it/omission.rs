//! A model of two markets, one of which has no candles: the other one's forecast is proven, attested and published all the
//! same, and what is omitted can be made up for within the period.

mod passed_by;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use ::veriregime_files;
use alloy::eips::BlockId;
use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use prost::Message;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Side;
use tract_onnx::pb::{ModelProto, ValueInfoProto, type_proto};
use url::Url;
use veriregime_agent::attestation::statement::Statement;
use veriregime_agent::bundle::Bundle;
use veriregime_agent::clock::Clock;
use veriregime_agent::config::Config;
use veriregime_agent::config::candles::Source;
use veriregime_agent::config::signer::Signer;
use veriregime_agent::job::Agent;
use veriregime_agent::job::collect::OMIT_AFTER_MS;
use veriregime_agent::node::{assemble, serving};
use veriregime_agent::sources::candles::market::Market;
use veriregime_agent::state::Store;
use veriregime_agent::verification::ezkl::build::{Build, CircuitConfig, build};
use veriregime_agent::verification::ezkl::srs::Srs;
use veriregime_agent::verification::ezkl::supervisor::Ezkl;
use veriregime_core::types::cycle::{CycleRecord, Stage};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::manifest::inputs::{Candles, Inputs, Market as ModelMarket};
use veriregime_core::types::manifest::verification::Verification;
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::manifest::{Manifest, ONNX_FILE};
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::period::{MINUTE_MS, PeriodId};
use veriregime_core::types::venue::Venue;

use crate::bad_exchange::{BadExchange, ExchangeFaultMode};
use crate::given;
use crate::proof::compiler;
use crate::source_policy::cross_check;
use crate::world::{FIRST, KEYS, World, config};

const DATABASE: &str = "agent.sqlite";
const OMITS_ETH: OmittedMarkets = OmittedMarkets::from_bits(0b10);
/// Rows of circuits that a model of two markets may need.
const LOGROWS: [u32; 3] = [9, 10, 11];

/// An exchange with two symbols, each of which fails by itself.
pub struct Exchange {
    pub url: Url,
    btc: Arc<BadExchange>,
    eth: Arc<BadExchange>,
    _stop: DropGuard,
}

impl Exchange {
    pub async fn start(clock: &Clock) -> Self {
        let market = async |symbol: &str, seed| {
            Arc::new(BadExchange::start(Venue::Binance, Market::simulated(symbol, seed), clock.clone()).await)
        };
        let (btc, eth) = (market("BTCUSDT", 13).await, market("ETHUSDT", 17).await);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let stop = CancellationToken::new();
        let router = Router::new().fallback(by_symbol).with_state([Arc::clone(&btc), Arc::clone(&eth)]);
        let shutdown = stop.clone().cancelled_owned();
        tokio::spawn(async move { axum::serve(listener, router).with_graceful_shutdown(shutdown).await });
        Self { url, btc, eth, _stop: stop.drop_guard() }
    }

    /// Asked for ether's candles, it says that it does not know such a symbol.
    fn delist_eth(&self) {
        let body = r#"{"code":-1121,"msg":"Invalid symbol."}"#;
        self.eth.set(ExchangeFaultMode::Says { status: 400, body });
    }
}

async fn by_symbol(State([btc, eth]): State<[Arc<BadExchange>; 2]>, request: Request) -> Response {
    let target = request.uri().path_and_query().unwrap().as_str();
    let one = if target.contains("symbol=ETHUSDT") { eth } else { btc };
    let body = reqwest::get(one.url.join(target).unwrap()).await.unwrap();
    let status = body.status();
    (status, body.text().await.unwrap()).into_response()
}

/// The ceremony's strings for models of two markets where they are at hand, else others.
pub async fn strings(config: &mut Config, scratch: &Path) {
    if given::shared("srs").exists() {
        return;
    }
    let mut ezkl = Ezkl::new(assemble::worker_settings(config));
    config.prover.srs_dir = scratch.join("srs");
    for logrows in LOGROWS {
        Srs::generate(&mut ezkl, &config.prover.srs_dir, logrows).await.unwrap();
    }
    ezkl.stop().await;
}

/// The shipped model over two markets, with the ceremony's strings where they are at hand.
async fn two_market_bundle(config: &mut Config, scratch: &Path) {
    let shipped = Bundle::open(&config.bundle).unwrap();
    strings(config, scratch).await;
    let mut ezkl = Ezkl::new(assemble::worker_settings(config));
    let folder = scratch.join("two-markets");
    veriregime_files::create_folder(&folder).unwrap();
    let onnx = veriregime_files::read_bounded(&shipped.path(ONNX_FILE), 1 << 20).unwrap();
    let mut network = ModelProto::decode(&onnx[..]).unwrap();
    let graph = network.graph.as_mut().unwrap();
    graph.input.iter_mut().chain(&mut graph.output).chain(&mut graph.value_info).for_each(double_rows);
    veriregime_files::write_atomic(&folder.join(ONNX_FILE), &network.encode_to_vec()).unwrap();
    let (srs_folder, compiler) = (&config.prover.srs_dir, compiler());
    let features = shipped.manifest.columns();
    let form = CircuitConfig { inner_columns: 1, logrows: None, ..CircuitConfig::of(&shipped.manifest).unwrap() };
    let request = Build { folder: &folder, srs_folder, markets: 2, features, outputs: 3, form, compiler: &compiler };
    let built = build(&mut ezkl, &request).await.unwrap();
    ezkl.stop().await;
    let market = |name: &str, symbol: &str| ModelMarket { name: name.into(), symbol: symbol.into() };
    let markets = vec![market("BTC-USD", "BTCUSDT"), market("ETH-USD", "ETHUSDT")];
    let inputs = Inputs::Candles(Candles { markets, ..shipped.manifest.candles().unwrap().clone() });
    let verification = Verification { ezkl: Some(built.circuit), ..Verification::default() };
    let manifest = Manifest { inputs, verification, files: BTreeMap::new(), ..shipped.manifest };
    Bundle::seal(&folder, manifest).unwrap();
    config.bundle = folder;
}

fn double_rows(tensor: &mut ValueInfoProto) {
    let Some(type_proto::Value::TensorType(tensor)) = tensor.r#type.as_mut().and_then(|kind| kind.value.as_mut())
    else {
        return;
    };
    if let Some(rows) = tensor.shape.as_mut().and_then(|shape| shape.dim.first_mut()) {
        rows.value = Some(Side::DimValue(2));
    }
}

/// A world with that model, its exchange, and the settings for another exchange with the same candles.
async fn world() -> (World, Exchange) {
    let (scratch, clock, mut config) = (TempDir::new().unwrap(), Clock::manual(FIRST.start_ms()), config());
    two_market_bundle(&mut config, scratch.path()).await;
    let exchange = Exchange::start(&clock).await;
    config.candles.only_from(exchange.url.clone());
    (World::of(config, clock, scratch).await, exchange)
}

/// Moves chain and clock to so long after the start of a period.
async fn enter(world: &World, period: PeriodId, after_ms: i64) {
    let seconds = period.start_seconds() + after_ms / 1000;
    world.chain.anvil.set_time(seconds).await.unwrap();
    world.clock.set_ms(seconds * 1000);
}

/// Runs a cycle that cannot go on for a while, until the time has come when a market may be omitted.
async fn run_late(
    world: &World,
    (database, agent): (&str, &mut Agent),
    period: PeriodId,
    after_ms: i64,
) -> CycleRecord {
    enter(world, period, after_ms).await;
    let (stop, job) = (CancellationToken::new(), agent.job());
    let later = async {
        let store = Store::open(&world.scratch.path().join(database)).unwrap();
        let is_waiting = || store.cycle(job, period).unwrap().is_some_and(|record| record.retrying.is_some());
        world.until("the cycle waits for the market", async || is_waiting()).await;
        assert_eq!(store.cycle(job, period).unwrap().unwrap().stage, Stage::Planned);
        enter(world, period, after_ms + OMIT_AFTER_MS).await;
    };
    let (record, ()) = tokio::join!(agent.run(period, &stop), later);
    let record = record.unwrap();
    agent.store.cycle(agent.job(), record.period).unwrap().unwrap()
}

/// Period of the last update of each market.
async fn served(world: &World) -> [u64; 2] {
    let reader = assemble::reader(&world.config).unwrap();
    let expected = assemble::expected(&world.chain.bundle, Way::Ezkl).unwrap();
    let mut periods = [0; 2];
    for (period, market) in periods.iter_mut().zip(&expected.markets) {
        let last = reader
            .last_period(world.config.chain.oracle.unwrap(), &[*market], world.config.grid(), BlockId::latest())
            .await;
        *period = last.unwrap().unwrap().0;
    }
    periods
}

async fn masks(world: &World, period: PeriodId) -> Vec<u32> {
    let reader = assemble::reader(&world.config).unwrap();
    let updates = reader.updates(world.config.chain.oracle.unwrap(), world.config.grid(), period).await.unwrap();
    updates.iter().map(|update| update.omitted_markets.bits()).collect()
}

fn said(world: &World, arguments: &[&str]) -> (i32, Value) {
    let output = world.program(&[&["--json"], arguments].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.is_empty(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap(), serde_json::from_str(text.lines().last().unwrap()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_market_without_candles_is_omitted_and_the_other_one_is_served() {
    let (world, exchange) = world().await;
    let mut agent = world.agent(DATABASE).await;
    exchange.delist_eth();
    let record = run_late(&world, (DATABASE, &mut agent), FIRST, 15_000).await;
    assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);
    assert_eq!(record.omitted_markets(), OMITS_ETH);
    let omission = &record.origin.as_ref().unwrap().omitted[0];
    assert_eq!((omission.market.as_str(), omission.code.as_str()), ("ETH-USD", "VR-CANDLE-010"));
    assert_eq!(record.forecast.as_ref().unwrap().omitted, OMITS_ETH);
    assert!(record.forecast.as_ref().unwrap().features[1].candle.iter().all(|feature| *feature == 0));
    assert_eq!((masks(&world, FIRST).await, served(&world).await), (vec![2], [FIRST.0, 0]));

    // The same is told everywhere.
    let (_, status) = said(&world, &["status"]);
    assert_eq!(status["cycles"][0]["omitted"][0]["market"], "ETH-USD", "{status}");
    let text = String::from_utf8(world.program(&["status"]).stdout).unwrap();
    assert!(text.contains("without ETH-USD (VR-CANDLE-010)"), "{text}");
    let (code, audit) = said(&world, &["audit", "--period", &FIRST.0.to_string()]);
    assert_eq!((code, &audit[0]["verdict"]), (0, &Value::from("match")), "{audit}");
    assert_eq!(audit[0]["omitted"], serde_json::json!(["ETH-USD"]));
    let file = agent.evidence.file(record.evidence.expect("evidence was left"));
    let (code, report) = said(&world, &["verify-bundle", file.to_str().unwrap()]);
    assert_eq!((code, &report["verdict"]), (0, &Value::from("match")), "{report}");

    // And once the candles are there again, so is the market.
    exchange.eth.set(ExchangeFaultMode::None);
    enter(&world, FIRST.next(), 15_000).await;
    let next = agent.run(FIRST.next(), &CancellationToken::new()).await.unwrap();
    assert_eq!((next.stage, next.omitted_markets()), (Stage::Confirmed, OmittedMarkets::NONE));
    assert_eq!((masks(&world, FIRST.next()).await, served(&world).await), (vec![0], [FIRST.next().0; 2]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_of_a_moment_omits_nothing_and_one_of_all_markets_neither() {
    let (world, exchange) = world().await;
    let mut agent = world.agent(DATABASE).await;
    exchange.eth.set(ExchangeFaultMode::Status { status: 500, retry_after_seconds: None, times: 8 });
    enter(&world, FIRST, 15_000).await;
    let record = agent.run(FIRST, &CancellationToken::new()).await.unwrap();
    assert_eq!((record.stage, record.omitted_markets()), (Stage::Confirmed, OmittedMarkets::NONE));
    assert_eq!(masks(&world, FIRST).await, [0]);

    // Without any market there is nothing to publish: the cycle goes on trying until the period ends.
    let second = FIRST.next();
    for market in [&exchange.btc, &exchange.eth] {
        market.set(ExchangeFaultMode::Status { status: 500, retry_after_seconds: None, times: usize::MAX });
    }
    enter(&world, second, 15_000).await;
    let stop = CancellationToken::new();
    let store = Store::open(&world.scratch.path().join(DATABASE)).unwrap();
    let job = agent.job();
    let later = async {
        let is_waiting = || store.cycle(job, second).unwrap().is_some_and(|record| record.retrying.is_some());
        world.until("the cycle waits", async || is_waiting()).await;
        enter(&world, second, OMIT_AFTER_MS + 15_000).await;
        let before = exchange.btc.pages() + exchange.eth.pages();
        let is_asked = || exchange.btc.pages() + exchange.eth.pages() > before + 4;
        world.until("both are asked again", async || is_asked()).await;
        assert_eq!(store.cycle(job, second).unwrap().unwrap().stage, Stage::Planned);
        world.clock.set_ms(second.end_ms());
    };
    let (record, ()) = tokio::join!(agent.run(second, &stop), later);
    let record = record.unwrap();
    assert_eq!((record.stage, record.miss.unwrap().code.as_str()), (Stage::Missed, "VR-CANDLE-005"));
    assert!(masks(&world, second).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_market_of_which_a_second_exchange_tells_another_story_is_omitted() {
    let (mut world, _first) = world().await;
    let second = Exchange::start(&world.clock).await;
    let spikes = (0..20).map(|step| FIRST.start_ms() - (200 + 2 * step) * MINUTE_MS).collect();
    second.eth.set(ExchangeFaultMode::Spiked(spikes));
    let source = Source {
        venue: Venue::Binance,
        base_url: Some(second.url.clone()),
        weight_per_minute: NonZeroU32::new(1_000_000),
        symbols: None,
    };
    world.config.candles.sources.insert("second".into(), source);
    world.config.candles.cross_check = Some(cross_check(&["second"], true));
    let mut agent = world.agent(DATABASE).await;
    let record = run_late(&world, (DATABASE, &mut agent), FIRST, 15_000).await;
    assert_eq!((record.stage, record.omitted_markets()), (Stage::Confirmed, OMITS_ETH), "{:?}", record.miss);
    let origin = record.origin.unwrap();
    assert_eq!((origin.omitted[0].code.as_str(), origin.witnesses.len()), ("VR-CANDLE-019", 1));
    assert_eq!(masks(&world, FIRST).await, [2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_the_candles_serves_what_another_omitted_and_no_more() {
    let (mut world, exchange) = world().await;
    let mut agent = world.agent(DATABASE).await;
    exchange.delist_eth();
    assert_eq!(run_late(&world, (DATABASE, &mut agent), FIRST, 15_000).await.stage, Stage::Confirmed);
    let btc = assemble::reader(&world.config).unwrap();
    let (oracle, market) =
        (world.config.chain.oracle.unwrap(), assemble::expected(&world.chain.bundle, Way::Ezkl).unwrap().markets[0]);
    let before = btc.params(oracle, market).await.unwrap().current;

    // Another operator, who sees what the first one saw: nothing is left to do. Its own wait begins with its own cycle.
    let mut poor = world.agent("poor").await;
    let poor = run_late(&world, ("poor", &mut poor), FIRST, OMIT_AFTER_MS + 30_000).await;
    assert_eq!(poor.stage, Stage::AlreadyByOther);
    assert_eq!(masks(&world, FIRST).await, [2]);

    // One with another exchange serves the market that was left, and changes nothing of the other one.
    let good = Exchange::start(&world.clock).await;
    world.config.candles.only_from(good.url.clone());
    let wallet = Signer::file(world.key_file("rich.key", KEYS[1]));
    world.config.attestor = Some(std::mem::replace(&mut world.config.signer, wallet));
    let rich = world.agent("rich").await.run(FIRST, &CancellationToken::new()).await.unwrap();
    assert_eq!((rich.stage, rich.omitted_markets()), (Stage::Confirmed, OmittedMarkets::NONE));
    assert_eq!((masks(&world, FIRST).await, served(&world).await), (vec![2, 0], [FIRST.0; 2]));
    let after = btc.params(oracle, market).await.unwrap().current;
    assert_eq!(after.updatedAt, before.updatedAt, "the market that was served is left alone");
    let third = world.agent("third").await.run(FIRST, &CancellationToken::new()).await.unwrap();
    assert_eq!(third.stage, Stage::AlreadyByOther);
    let (code, audit) = said(&world, &["audit", "--period", &FIRST.0.to_string()]);
    assert_eq!(code, 0, "both updates of the period: {audit}");
}

/// What an operator with this cycle asks the others to sign.
async fn request(world: &World, record: &CycleRecord) -> Statement {
    let forecast = record.forecast.as_ref().unwrap();
    let oracle = world.config.chain.oracle.unwrap();
    Statement {
        prices: None,
        chain_id: world.config.chain.chain_id,
        oracle,
        registry: world.chain.owner.read.registry_of(oracle).await.unwrap(),
        model_id: world.chain.deployment.model_id,
        period: record.period,
        attestor_set_version: world.chain.owner.read.attestor_set(oracle).await.unwrap().version,
        omitted_markets: forecast.omitted,
        instances: forecast.instances(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attestor_signs_less_than_it_has_and_never_more() {
    let (mut world, exchange) = world().await;
    let good = Exchange::start(&world.clock).await;
    exchange.delist_eth();
    let mut poor = world.agent(DATABASE).await;
    let partial = request(&world, &run_late(&world, (DATABASE, &mut poor), FIRST, 15_000).await).await;
    world.config.state_path = world.scratch.path().join(DATABASE);
    let poor = serving::notary(&poor, &Arc::new(Store::open(&world.config.state_path).unwrap())).unwrap();

    world.config.candles.only_from(good.url.clone());
    world.config.state_path = world.scratch.path().join("rich");
    let mut agent = world.agent("rich").await;
    let rich = serving::notary(&agent, &Arc::new(Store::open(&world.config.state_path).unwrap())).unwrap();
    let whole = agent.run_until(Stage::Forecast, FIRST, &CancellationToken::new()).await.unwrap();
    let whole = request(&world, &whole).await;
    assert_eq!(whole.omitted_markets, OmittedMarkets::NONE);

    let signed = rich.attest(&partial).await.expect("an omission takes nothing from the market");
    assert_eq!(signed.signer, agent.chain.attestor());
    rich.attest(&whole).await.expect("of each market the same is said, with the other one or without");
    rich.attest(&partial).await.expect("the same question has the same answer");
    let code = async |fault: Result<_, veriregime_agent::attestation::error::AttestationError>| {
        fault.map(|_| ()).expect_err("refused").code()
    };
    assert_eq!(code(poor.attest(&whole).await).await, "VR-ATTEST-006");
    poor.attest(&partial).await.expect("its own");
    // Whatever an omitted market's inputs and outputs are not: they are what follows from zeros.
    let features = world.chain.bundle.manifest.columns();
    for index in [features, 2 * features - 1, partial.instances.len() - 1] {
        let mut altered = partial.clone();
        altered.instances[index] ^= alloy::primitives::U256::from(1);
        assert_eq!(code(rich.attest(&altered).await).await, "VR-ATTEST-004", "{index}");
    }
    for bits in [0b11, 0b100, 0b101] {
        let altered = Statement { omitted_markets: OmittedMarkets::from_bits(bits), ..partial.clone() };
        assert_eq!(code(rich.attest(&altered).await).await, "VR-ATTEST-001", "{bits:b}");
    }
    let altered = Statement { omitted_markets: OmittedMarkets::NONE, ..partial };
    assert_eq!(code(rich.attest(&altered).await).await, "VR-ATTEST-004", "zeros are not what the candles give");
}
