//! What the dashboard asks of a running daemon: a node at a glance, charts, scores, and an update explained to the last bit.

use alloy::primitives::{Address, Bytes, I256, U256};
use alloy::sol_types::SolCall;
use reqwest::StatusCode;
use rusqlite::{Connection, params};
use serde_json::{Value, json};
use veriregime_agent::actions::risk_oracle::abi::oracle::RiskOracle;
use veriregime_core::features::label;
use veriregime_core::features::sums::Sums;
use veriregime_core::types::candle::{Candle, CandleSeries};
use veriregime_core::types::period::{MINUTE_MS, PeriodId};

use crate::node::Node;
use crate::world::{FIRST, World};

/// Periods of the charts that have to stay quick.
const MANY: u64 = 10_000;

pub fn list<'a>(said: &'a Value, key: &str) -> &'a Vec<Value> {
    said[key].as_array().unwrap_or_else(|| unreachable!("no {key} in {said}"))
}

pub fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| unreachable!("{value} is no number"))
}

pub fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{found}, not {expected}");
}

/// A node in its first period, once its update has landed and what it did is known.
async fn node(world: &World) -> Node {
    world.enter(FIRST).await;
    let node = Node::start(world, json!({"api": {"check_seconds": 1, "max_body_bytes": 1 << 18}})).await;
    explained(world, &node, FIRST).await;
    node
}

/// A period, explained, once all is known of it.
pub async fn explained(world: &World, node: &Node, period: PeriodId) -> Value {
    let path = format!("/v1/periods/{period}/explained");
    let is_known = |told: &Value| told["markets"][0]["parameters"].is_object() && told["evidence"].is_string();
    world.until("the update is explained", async || is_known(&node.json(&path).await.1)).await;
    node.json(&path).await.1
}

/// What the network in an answer makes of a market's row, as whoever reads the answer computes it.
pub fn outputs(network: &Value, row: &[Value], market: usize) -> Vec<I256> {
    let integer = |value: &Value| value.as_str().unwrap().parse::<I256>().unwrap();
    let mut values: Vec<I256> = row.iter().map(|value| I256::try_from(value.as_i64().unwrap()).unwrap()).collect();
    let layers = list(network, "layers");
    for (index, layer) in layers.iter().enumerate() {
        let own = list(network, "offsets").get(market).filter(|_| index + 1 == layers.len());
        let sums =
            list(layer, "weights").iter().zip(list(layer, "biases")).enumerate().map(|(unit, (weights, bias))| {
                let terms =
                    weights.as_array().unwrap().iter().zip(&values).map(|(weight, value)| integer(weight) * *value);
                let constant = integer(bias) + own.map_or(I256::ZERO, |own| integer(&own[unit]));
                terms.fold(constant, |total, term| total + term)
            });
        let after = |sum: I256| match layer["activation"].as_str().unwrap() {
            "square" => sum * sum,
            "none" => sum,
            other => unreachable!("{other}"),
        };
        let shift = usize::try_from(layer["shift"].as_u64().unwrap()).unwrap();
        values = sums.map(|sum| after(sum) << shift).collect();
    }
    values
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_is_explained_to_the_last_bit_and_the_chain_verifies_what_is_shown() {
    let world = World::new().await;
    let node = node(&world).await;
    let told = explained(&world, &node, FIRST).await;
    let stages: Vec<&str> = list(&told, "stages").iter().map(|stage| stage["stage"].as_str().unwrap()).collect();
    assert_eq!(stages, ["planned", "collected", "forecast", "proved", "submitting", "confirmed"]);
    assert!(list(&told, "stages").iter().all(|stage| stage["at_ms"].as_i64() >= Some(FIRST.start_ms())), "{told}");
    assert_eq!((told["start_ms"].as_i64(), told["end_ms"].as_i64()), (Some(FIRST.start_ms()), Some(FIRST.end_ms())));

    // The network of the answer gives the outputs of the answer, and the contributions add up to them.
    let (market, network) = (&told["markets"][0], &told["network"]);
    let features = list(market, "features");
    let row: Vec<Value> = features.iter().map(|feature| feature["integer"].clone()).collect();
    let said: Vec<String> = list(market, "outputs").iter().map(|one| one["integer"].as_str().unwrap().into()).collect();
    assert_eq!(outputs(network, &row, 0).iter().map(ToString::to_string).collect::<Vec<_>>(), said);
    let by_name =
        |name: &str| number(&list(market, "outputs").iter().find(|output| output["name"] == name).unwrap()["value"]);
    for name in ["logit_high", "log_volatility"] {
        let shares: f64 = features.iter().map(|feature| number(&feature["contribution"][name])).sum();
        close(number(&market["neutral"][name]) + shares, by_name(name));
    }
    let odds: f64 = features.iter().map(|feature| number(&feature["contribution"]["log_odds_high"])).sum();
    let odds = number(&market["neutral"]["log_odds_high"]) + odds;
    close(odds, by_name("logit_high") - by_name("logit_low"));
    close(1.0 / (1.0 + (-odds).exp()), number(&told["period"]["forecasts"][0]["probability_high"]));
    let scale = 2_f64.powi(-i32::try_from(network["input_scale_log2"].as_u64().unwrap()).unwrap());
    for feature in features {
        close(number(&feature["z"]), number(&feature["integer"]) * scale);
        assert_eq!(feature["is_clipped"] == true, feature["value"].is_null(), "{feature}");
        assert!(!feature["unit"].as_str().unwrap().is_empty());
    }

    // What the chain says of the same parameters, and why.
    let (_, params) = node.json("/v1/params/BTC-USD").await;
    let moved = &market["parameters"];
    for key in ["borrow_collateral_ratio_bps", "amm_fee_pips", "borrow_cap_factor_bps"] {
        assert_eq!(moved["after"][key], params["next"][key], "{key}");
    }
    assert_eq!(moved["applied_volatility"], params["applied_volatility"]);
    assert_eq!(moved["effective_at_s"], params["next"]["effective_at_seconds"]);
    // The first update of a calm market asks for looser values than the tightest, and one alone is not enough.
    assert_eq!(moved["bound"], json!(["dwell"]), "{moved}");
    assert!(moved["because"].as_str().unwrap().contains("updates in a row"), "{moved}");
    assert_eq!(moved["before"], moved["after"], "{moved}");

    let transaction = &told["transaction"];
    let whole = |key: &str| transaction[key].as_str().unwrap().parse::<u128>().unwrap();
    assert_eq!(
        whole("paid_wei"),
        whole("effective_gas_price_wei") * u128::from(transaction["gas_used"].as_u64().unwrap())
    );
    assert!(whole("effective_gas_price_wei") <= whole("max_fee_per_gas_wei"));
    assert_eq!(list(&told, "attestations").len(), 1);
    assert_eq!(told["attestation_digest"].as_str().unwrap().len(), 66);

    // One click: the verifier says yes, and no to a proof with another number in it.
    let proof = &told["proof"];
    assert_eq!(list(proof, "public_inputs").len(), row.len() + said.len());
    let call = |data: &str| json!({"to": proof["verifier"], "data": data});
    let data = proof["call_data"].as_str().unwrap();
    let (status, answer) = node.ask("/v1/call", &call(data)).await;
    assert_eq!((status, &answer["result"]), (StatusCode::OK, &json!(format!("0x{:064x}", 1))), "{answer}");
    let mut tampered: Vec<u8> = data.parse::<Bytes>().unwrap().to_vec();
    let last = tampered.len() - 1;
    tampered[last] ^= 1;
    let (status, answer) = node.ask("/v1/call", &call(&Bytes::from(tampered).to_string())).await;
    let says_no = answer["result"] == format!("0x{:064x}", 0) || answer["code"] == "VR-API-023";
    assert!(says_no, "{status}: {answer}");

    assert_eq!(node.json("/v1/periods/1/explained").await.1["code"], "VR-API-004");
    assert_eq!(node.json("/v1/periods/x/explained").await.1["code"], "VR-API-005");

    // What the chain has forgotten, or evidence, is said from what is stored.
    let database = Connection::open(world.scratch.path().join("agent.sqlite")).unwrap();
    database.execute("UPDATE cycles SET evidence = 'pruned', proof = NULL", []).unwrap();
    let path = format!("/v1/periods/{FIRST}/explained");
    let is_gone = |told: &Value| told["is_pruned"] == true && told["proof"].is_null();
    world.until("it is pruned", async || is_gone(&node.json(&path).await.1)).await;
    let (_, pruned) = node.json(&path).await;
    assert!(list(&pruned, "attestations").is_empty() && pruned["attestation_digest"].is_null());
    assert_eq!(pruned["markets"], told["markets"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn charts_and_scores_are_of_what_training_would_measure() {
    let world = World::new().await;
    let node = node(&world).await;
    let second = FIRST.next();
    world.enter(second).await;
    explained(&world, &node, second).await;
    world
        .until("what followed the first forecast is known", async || {
            node.json("/v1/series?market=BTC-USD").await.1["realised_volatility"][0].is_f64()
        })
        .await;
    let (_, series) = node.json("/v1/series?market=BTC-USD").await;
    assert_eq!(series["period"], json!([FIRST.0, second.0]), "{series}");
    assert_eq!(series["stage"], json!(["confirmed", "confirmed"]));
    assert!(series["realised_volatility"][1].is_null(), "its horizon is not over");
    let (_, detail) = node.json(&format!("/v1/periods/{FIRST}")).await;
    assert_eq!(series["probability_high"][0], detail["forecasts"][0]["probability_high"]);
    for key in ["persistence_volatility", "har_volatility", "applied_volatility", "requested_volatility"] {
        let both = list(&series, key);
        assert!(both.iter().all(|value| (1e-6..1.0).contains(&number(value))), "{key}: {both:?}");
    }
    assert!(list(&series, "effective_at_s").iter().all(Value::is_u64), "{series}");

    // The label of training, from the candles that the API gives.
    let bars = |minutes: u32, from_ms: i64, to_ms: i64| {
        format!("/v1/candles?market=BTC-USD&minutes={minutes}&from_ms={from_ms}&to_ms={to_ms}")
    };
    let (start_ms, end_ms) = (FIRST.start_ms(), FIRST.end_ms());
    let (_, minutes) = node.json(&bars(1, start_ms - MINUTE_MS, end_ms)).await;
    let candles = candles_of(&minutes);
    assert_eq!(candles.len(), 241, "{}", minutes["open_time_ms"]);
    let window = CandleSeries::new(&candles, start_ms - MINUTE_MS, end_ms, 0).unwrap();
    let sums = Sums::new(window.candles(), window.carried());
    let realised = label::volatility(&sums, 1, 240).unwrap();
    assert_eq!(series["realised_volatility"][0], realised);

    let (_, hours) = node.json(&bars(240, start_ms, end_ms)).await;
    assert_eq!(hours["open_time_ms"], json!([start_ms]));
    assert_eq!((&hours["close"][0], &hours["open"][0]), (&json!(candles[240].close), &json!(candles[1].open)));
    let (_, all) = node.json("/v1/candles?market=BTC-USD&minutes=60").await;
    let times = list(&all, "open_time_ms");
    assert!(times.len() > 24 * 28, "{} hours of the look-back", times.len());
    let (_, newest) = node.json(&format!("/v1/candles?market=BTC-USD&minutes=1&to_ms={end_ms}")).await;
    assert_eq!(list(&newest, "open_time_ms").len(), 3_000, "no more, and the newest");

    // One period is over: its figures are those of the hand.
    let (_, score) = node.json("/v1/score?market=BTC-USD&days=1").await;
    assert_eq!((&score["periods"], list(&score, "rows").len()), (&json!(1), 3), "{score}");
    let probability = number(&series["probability_high"][0]);
    let was_high = f64::from(u8::from(realised > number(&series["threshold_volatility"])));
    close(number(&score["rows"][0]["brier"]), (probability - was_high).powi(2));
    assert!(score["rows"][1]["brier"].is_null() && score["rows"][2]["brier"].is_f64(), "{score}");
    let ratio = ((realised + 1e-7) / number(&series["volatility"][0])).powi(2);
    close(number(&score["rows"][0]["qlike"]), ratio - ratio.ln() - 1.0);
    assert_eq!(score["calibration"][0]["count"], 1);

    let (_, glance) = node.json("/v1/overview").await;
    let job = &glance["jobs"][0];
    assert_eq!((&job["kind"], &job["verification"]), (&json!("regime"), &json!("ezkl")), "{glance}");
    assert_eq!(job["last_cycle"]["period"], second.0);
    assert_eq!(job["next_period_ms"].as_i64().map(|ms| ms / 60_000), Some(second.end_ms() / 60_000), "{job}");
    assert!(list(job, "checks").iter().any(|check| check["name"] == "chain head"), "{job}");
    let market = &job["markets"][0];
    assert_eq!((&market["name"], &market["params"]["status"]), (&json!("BTC-USD"), &json!("fresh")), "{market}");
    let recent: Vec<&Value> = list(market, "recent").iter().map(|one| &one["volatility"]).collect();
    assert_eq!(recent, list(&series, "volatility").iter().collect::<Vec<_>>());
    assert!(glance["started_ms"].as_i64() > Some(0) && glance["now_ms"].as_i64() >= Some(second.start_ms()));
    assert!(glance["alerts"].is_array());
}

fn candles_of(view: &Value) -> Vec<Candle> {
    let column = |key: &str, at: usize| number(&view[key][at]);
    let candle = |(at, time): (usize, &Value)| Candle {
        open_time_ms: time.as_i64().unwrap(),
        open: column("open", at),
        high: column("high", at),
        low: column("low", at),
        close: column("close", at),
        volume: column("volume", at),
    };
    list(view, "open_time_ms").iter().enumerate().map(candle).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_charts_and_calls_cannot_answer_has_its_code_and_ten_thousand_periods_are_one_answer() {
    let world = World::new().await;
    let node = node(&world).await;
    let cases = [
        ("/v1/series", 400, "VR-API-005"),
        ("/v1/series?market=DOGE-USD", 404, "VR-API-010"),
        ("/v1/series?market=BTC-USD&job=another", 404, "VR-API-013"),
        ("/v1/series?market=BTC-USD&from_ms=2&to_ms=1", 400, "VR-API-005"),
        ("/v1/series?market=BTC-USD&from_ms=-1", 400, "VR-API-005"),
        ("/v1/series?market=BTC-USD&to_ms=253402300800001", 400, "VR-API-005"),
        ("/v1/candles?market=BTC-USD&minutes=7", 400, "VR-API-005"),
        ("/v1/candles?market=..%2f", 404, "VR-API-010"),
        ("/v1/candles?market=BTC-USD&from_ms=9223372036854775807", 400, "VR-API-005"),
        ("/v1/score?market=BTC-USD&days=0", 400, "VR-API-005"),
        ("/v1/score?market=BTC-USD&days=367", 400, "VR-API-005"),
        ("/v1/score?market=BTC-USD&day=3", 400, "VR-API-005"),
    ];
    for (path, status, code) in cases {
        let (told, body) = node.json(path).await;
        assert_eq!((told.as_u16(), &body["code"]), (status, &code.into()), "{path}: {body}");
    }
    let oracle = world.config.chain.oracle.unwrap();
    let registry = world.chain.deployment.contracts.registry.address;
    let nobody = Address::repeat_byte(7);
    let policy = RiskOracle::policyCall { market: U256::from(1).into() }.abi_encode();
    let long = vec![0_u8; 65_537];
    for (to, data, status, code) in [
        (oracle, policy.clone(), 200, Value::Null),
        (registry, policy.clone(), 422, "VR-API-023".into()),
        (nobody, policy, 422, "VR-API-022".into()),
        (oracle, long, 413, "VR-API-008".into()),
    ] {
        let (told, body) = node.ask("/v1/call", &json!({"to": to, "data": Bytes::from(data)})).await;
        assert_eq!((told.as_u16(), &body["code"]), (status, &code), "{to}: {body}");
    }
    let (told, body) = node.ask("/v1/call", &json!({"to": oracle, "data": "0x", "gas": 1})).await;
    assert_eq!((told.as_u16(), &body["code"]), (400, &json!("VR-API-005")), "{body}");

    let database = Connection::open(world.scratch.path().join("agent.sqlite")).unwrap();
    // What it is of is the same in each, as far back as they go.
    database
        .execute(
            "WITH RECURSIVE back (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM back WHERE n < ?1)
             INSERT INTO cycles (job, period, stage, started_ms, updated_ms, starts, ends, forecast, landed, has_parameters, is_final, evidence)
             SELECT job, period - n, stage, started_ms, updated_ms, starts - 14400 * n, ends - 14400 * n, forecast, landed, 1, 1, 'pruned'
             FROM cycles, back WHERE period = ?2",
            params![MANY as i64, FIRST.0 as i64],
        )
        .unwrap();
    for copied in ["parameters", "outcomes"] {
        let columns: Vec<String> = database
            .prepare(&format!("SELECT name FROM pragma_table_info('{copied}') WHERE name NOT IN ('job', 'period')"))
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let columns = columns.join(", ");
        let sql = format!(
            "INSERT INTO {copied} (job, period, {columns}) SELECT cycles.job, cycles.period, {columns}
             FROM cycles, {copied} WHERE cycles.period < ?1 AND {copied}.period = ?1"
        );
        assert_eq!(database.execute(&sql, [FIRST.0 as i64]).unwrap(), usize::try_from(MANY).unwrap(), "{copied}");
    }
    let path = format!("/v1/series?market=BTC-USD&to_ms={}", FIRST.end_ms());
    world.until("all of them", async || list(&node.json(&path).await.1, "period").len() as u64 == MANY).await;
    let (_, series) = node.json(&path).await;
    let columns = series.as_object().unwrap().values().filter_map(Value::as_array);
    assert!(columns.clone().all(|column| column.len() as u64 == MANY));
    assert_eq!(columns.count(), 16);
    assert_eq!(series["period"][0], FIRST.0 + 1 - MANY, "the newest of them");
    assert!(list(&series, "applied_volatility").iter().all(|value| *value == series["applied_volatility"][0]));
    let (_, some) = node.json(&format!("{path}&from_ms={}", FIRST.start_ms() - 1)).await;
    assert_eq!(some["period"], json!([FIRST.0]));
}
