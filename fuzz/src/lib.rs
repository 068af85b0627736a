//! What is done with bytes from outside, one function for each kind. Whatever the bytes are, nothing here may panic, run
//! away or contradict itself. `make fuzz` invents inputs; the gate repeats those that are kept in `corpus`.

use std::path::Path;
use std::sync::LazyLock;

use alloy::primitives::Bytes;
use alloy::rpc::json_rpc::ErrorPayload;
use alloy::sol_types::{SolCall, SolEvent};
use alloy::transports::RpcError;
use veriregime_agent::actions::risk_oracle::abi::oracle::RiskOracle;
use veriregime_agent::actions::risk_oracle::published::{brings, signatures};
use veriregime_agent::attestation::statement::Statement;
use veriregime_agent::attestation::statement::{is_by_its_signer, pack, split};
use veriregime_agent::bundle::{check_settings, parse_manifest};
use veriregime_agent::chain::error::ChainError;
use veriregime_agent::config;
use veriregime_agent::deployment::policy::MarketRules;
use veriregime_agent::deployment::record::Record;
use veriregime_agent::evidence;
use veriregime_agent::sources::candles::simulated::SimulatedMarket;
use veriregime_agent::sources::candles::{archive, exchange_api};
use veriregime_agent::sources::tables::electricity::Electricity;
use veriregime_agent::sources::tables::{difficulty, rates};
use veriregime_agent::sources::yields::defillama;
use veriregime_agent::verification::ezkl::protocol::{
    Call, Hello, Load, MakeSettings, PeakRss, Prove, Verify, Witness,
};
use veriregime_agent::verification::ezkl::worker::answer_in;
use veriregime_core::features;
use veriregime_core::hedge::snapshot::Snapshot;
use veriregime_core::model::{Layout, Model};
use veriregime_core::trees::Forest;
use veriregime_core::trees::xgboost::{XgboostModel, combined};
use veriregime_core::types::attestation::Attestation;
use veriregime_core::types::candle::{Candle, CandleSeries, check_all};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::Manifest;
use veriregime_core::types::period::{Grid, PeriodId};
use veriregime_core::types::time::{format_utc, parse_utc_ms};
use veriregime_core::types::venue::Venue;
use veriregime_core::yields::Kind;

/// A reference to a file that is not there: what is parsed comes from memory.
const NOWHERE: &str = "input";
/// Most minutes of candles that one input is worth.
const MAX_MINUTES: i64 = 3 * 1440;
/// Most columns of a row that trees are asked with.
const MAX_COLUMNS: usize = 1024;

/// A fault has a code, something to say and something to do.
fn is_well_put(fault: &dyn Diagnostic) {
    assert!(fault.code().starts_with("VR-") && !fault.hint().is_empty() && !fault.to_string().is_empty());
}

/// What goes to logs and to the database besides: its words do not steer a terminal, and are few.
fn is_quotable(fault: &dyn Diagnostic) {
    is_well_put(fault);
    let words = fault.to_string();
    assert!(!words.contains(char::is_control) && words.len() < 4096, "{words:?}");
}

fn judged<T, F: Diagnostic>(result: Result<T, F>) -> Option<T> {
    result.inspect_err(|fault| is_well_put(fault)).ok()
}

fn quoted<T, F: Diagnostic>(result: Result<T, F>) -> Option<T> {
    result.inspect_err(|fault| is_quotable(fault)).ok()
}

/// What exchanges answer: a page of candles, a time, a refusal. The first byte says which exchange.
pub fn exchange_answers(bytes: &[u8]) {
    let Some((first, body)) = bytes.split_first() else { return };
    let dialect = exchange_api::of(Venue::ALL[usize::from(*first) % Venue::ALL.len()]);
    quoted(dialect.time_ms(body));
    if let Some(fault) = dialect.refusal(dialect.bitcoin(), 400, body) {
        is_quotable(&fault);
    }
    let Some(candles) = quoted(dialect.candles(dialect.bitcoin(), body)) else { return };
    series_of(&candles);
}

/// Files of candles: the CSV of an archive, and a zip of it.
pub fn candle_files(bytes: &[u8]) {
    let path = Path::new(NOWHERE);
    for candles in [judged(archive::parse_zip(path, bytes)), judged(archive::parse_csv(path, bytes))].iter().flatten() {
        series_of(candles);
    }
}

/// What passes all checks has one candle for each minute.
fn series_of(candles: &[Candle]) {
    if check_all(candles).is_err() {
        return;
    }
    let (Some(first), Some(last)) = (candles.first(), candles.last()) else { return };
    let from_ms = first.open_time_ms;
    let to_ms = last.close_time_ms().min(from_ms + MAX_MINUTES * 60_000);
    let series = CandleSeries::new(candles, from_ms, to_ms, usize::MAX).expect("the first minute is there");
    assert_eq!(series.candles().len() as i64 * 60_000, to_ms - from_ms);
}

/// Lines of the prover's process.
pub fn worker_answers(line: &[u8]) {
    fn answer<C: Call>(line: &[u8]) {
        judged(answer_in::<C>(line, 1, 512));
    }
    answer::<Hello>(line);
    answer::<PeakRss>(line);
    answer::<Load>(line);
    answer::<Witness>(line);
    answer::<Prove>(line);
    answer::<Verify>(line);
    answer::<MakeSettings>(line);
}

/// Evidence bundles: what is read is written as the same bundle again, and its signatures can be judged.
pub fn evidence_bundles(bytes: &[u8]) {
    let Some((_, read)) = judged(evidence::parse(Path::new(NOWHERE), bytes.to_vec())) else { return };
    let written = serde_json::to_vec(&read).expect("evidence can be written");
    let (digest, again) = evidence::parse(Path::new(NOWHERE), written.clone()).expect("what was written can be read");
    assert!(digest == Digest::of(&written) && serde_json::to_vec(&again).expect("evidence can be written") == written);
    brings(&read.calldata, &read.update);
    if let Some(arguments) = &read.update.arguments {
        judged(signatures(read.chain_id, read.oracle, &read.update, arguments, &read.instances));
    }
    for market in &read.markets {
        let candles: Vec<_> = market.candles.iter().map(|row| row.0).collect();
        series_of(&candles);
    }
    format_utc(read.update.period.end_ms());
}

/// What the chain gives: calldata of `submit`, the attestations in it, the event.
pub fn updates(bytes: &[u8]) {
    if let Ok(call) = RiskOracle::submitCall::abi_decode(bytes) {
        let written = call.abi_encode();
        assert_eq!(RiskOracle::submitCall::abi_decode(&written).ok(), Some(call));
    }
    if let Ok(event) = RiskOracle::UpdateAccepted::abi_decode_data(bytes) {
        let _ = format!("{event:?}");
    }
    let Some(parts) = judged(split(bytes)) else { return };
    for part in &parts {
        is_by_its_signer(part, Digest::of(bytes).0.into());
    }
    let packed = pack(&parts);
    let mut sorted = parts;
    sorted.sort_unstable();
    assert_eq!(split(&packed).ok(), Some(sorted));
}

/// Errors of RPCs, as JSON and as revert data.
pub fn rpc_errors(bytes: &[u8]) {
    let fault_of = |payload: ErrorPayload| is_quotable(&ChainError::from(RpcError::ErrorResp(payload)));
    if let Ok(payload) = serde_json::from_slice::<ErrorPayload>(bytes) {
        fault_of(payload);
    }
    let data = serde_json::value::to_raw_value(&Bytes::copy_from_slice(bytes)).expect("hex is JSON");
    fault_of(ErrorPayload { code: 3, message: "execution reverted".into(), data: Some(data) });
}

/// What other operators ask and answer.
pub fn peers(bytes: &[u8]) {
    if let Ok(request) = serde_json::from_slice::<Statement>(bytes) {
        let written = serde_json::to_vec(&request).expect("a request can be written");
        assert_eq!(serde_json::from_slice::<Statement>(&written).ok(), Some(request));
    }
    if let Ok(attestation) = serde_json::from_slice::<Attestation>(bytes) {
        is_by_its_signer(&attestation, Digest::of(bytes).0.into());
    }
}

/// Manifests of models, of today's schema and of the one before, and EZKL's settings beside them. A manifest that is taken can
/// be written, and that of a regime model can be computed with.
pub fn manifests(bytes: &[u8]) {
    static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
        let bytes = include_bytes!("../corpus/manifests/small-2.json");
        Manifest::parse(bytes).expect("the smallest of the corpus is one")
    });
    let circuit = MANIFEST.ezkl().expect("it has a circuit");
    judged(check_settings(Path::new(NOWHERE), bytes, circuit));
    judged(parse_manifest(Path::new(NOWHERE), bytes));
    let Some(manifest) = judged(Manifest::parse_kept(bytes)) else { return };
    let written = serde_json::to_vec(&manifest).expect("a manifest can be written");
    assert!(Manifest::parse(&written).is_ok(), "what is written is read back");
    let Some(model) = judged(manifest.regime()) else { return };
    Layout::of(&model);
    let spec = &model.candles.features;
    let Some(calendar) = judged(features::calendar_table(spec, Grid::FOUR_HOURS)) else { return };
    assert!(calendar.iter().flatten().all(|integer| integer.abs() <= spec.bound()));
    let period = PeriodId(120_000);
    let (from_ms, to_ms) = features::window_ms(spec, period.start_ms());
    if to_ms - from_ms > MAX_MINUTES * 60_000 || spec.count() > 64 {
        return;
    }
    let candles = SimulatedMarket::new(7).candles(from_ms..to_ms);
    let Ok(series) = CandleSeries::new(&candles, from_ms, to_ms, 0) else { return };
    if let Some(vector) = judged(features::vector(spec, &series, period.start_ms())) {
        assert!(vector.integers().all(|integer| integer.abs() <= spec.bound()));
    }
}

/// Text that an operator writes: settings, the policy of a market, a time, a record of a deployment.
pub fn settings(bytes: &[u8]) {
    let _ = serde_json::from_slice::<Record>(bytes);
    let Ok(text) = str::from_utf8(bytes) else { return };
    judged(config::parse(text));
    judged(MarketRules::parse(Path::new(NOWHERE), text));
    if let Some(time_ms) = judged(parse_utc_ms(text)) {
        assert_eq!(parse_utc_ms(&format_utc(time_ms)).ok(), Some(time_ms));
    }
}

/// Models that others trained, as XGBoost saved them, and the same as they are kept here: what is taken has a leaf for every row, and
/// is read as it was written.
pub fn trees(bytes: &[u8]) {
    let saved = judged(XgboostModel::parse(bytes)).and_then(|model| judged(combined(vec![model])));
    for forest in [saved, judged(Forest::parse(bytes))].into_iter().flatten() {
        let written = serde_json::to_vec(&forest).expect("trees can be written");
        let again = Forest::parse(&written).expect("what was written can be read");
        assert_eq!((again.columns, again.trees(), again.depth()), (forest.columns, forest.trees(), forest.depth()));
        if forest.columns > MAX_COLUMNS {
            continue;
        }
        for value in [0.0, f32::MAX, f32::MIN, f32::NAN] {
            judged(forest.evaluate(&vec![value; forest.columns]));
        }
    }
}

/// What publishers of tables answer: Ember, the European Central Bank, those who tell mining difficulty; and a snapshot of them. What
/// is taken is served as its publisher would, and read again as the same.
pub fn tables(bytes: &[u8]) {
    if let Some(prices) = judged(Electricity::parse(NOWHERE, bytes)) {
        let again = Electricity::parse(NOWHERE, prices.to_csv().as_bytes()).expect("what was written can be read");
        assert!(again.countries == prices.countries && again.names == prices.names);
        prices.panel();
    }
    if let Some(series) = judged(rates::parse(NOWHERE, bytes)) {
        for text in [rates::to_csv(&series), rates::to_xml(&series)] {
            assert_eq!(rates::parse(NOWHERE, text.as_bytes()).ok().as_ref(), Some(&series));
        }
    }
    if let Some(series) = judged(difficulty::parse(NOWHERE, bytes)) {
        let again = difficulty::parse(NOWHERE, difficulty::to_blockchain(&series).to_string().as_bytes());
        assert_eq!(again.expect("what was written can be read").len(), series.len());
        judged(difficulty::parse(NOWHERE, difficulty::to_mempool(&series).to_string().as_bytes()));
    }
    if let Ok(snapshot) = Snapshot::parse(bytes) {
        let written = snapshot.to_bytes();
        assert_eq!(Snapshot::parse(&written).ok().map(|again| again.to_bytes()), Some(written));
        snapshot.panel();
    }
}

/// What DefiLlama answers: its pools, and the days of one.
pub fn yield_answers(bytes: &[u8]) {
    judged(defillama::pools(NOWHERE, bytes));
    for kind in [Kind::Lp, Kind::Lending] {
        let Some((pool, _)) = judged(defillama::chart(NOWHERE, bytes, "pool", kind)) else { continue };
        let text = defillama::to_chart(&pool.series).to_string();
        let (again, _) =
            defillama::chart(NOWHERE, text.as_bytes(), "pool", kind).expect("what was written can be read");
        assert_eq!(again.series.iter().count(), pool.series.iter().count());
    }
}

/// Networks: what is taken gives an answer to the largest inputs, in integers and in floats.
pub fn networks(bytes: &[u8]) {
    const LAYOUT: Layout = Layout {
        markets: 1,
        features: 2,
        outputs: 3,
        feature_bound: 1 << 15,
        input_scale: 13,
        param_scale: 16,
        output_scale: 61,
    };
    let Some(model) = judged(Model::load(bytes, LAYOUT)) else { return };
    for integers in [[0, 0], [1 << 15, -(1 << 15)]] {
        judged(model.predict(&integers));
    }
}
