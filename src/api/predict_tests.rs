use std::fmt::Write;
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower_service::Service;

use super::*;
use crate::api::events::Events;
use crate::api::evidence::EvidenceCache;
use crate::api::jobs::Jobs;
use crate::api::limits::{LimitSettings, Limits};
use crate::api::page::Page;
use crate::api::yields::Strategies;
use crate::bundle::yields::YieldModels;
use crate::clock::Clock;
use crate::evidence::EvidenceStore;
use crate::job::overview::Overview;
use crate::job::yields::{YieldService, YieldSettings};
use crate::sources::yields::renewal::Publishers;
use crate::telemetry::metrics::Exposition;
use veriregime_core::types::time::{DAY_MS, format_day};
use veriregime_core::yields::Kind;

/// The request of the document that this interface is from, to the letter.
const DOCUMENTED: &str = r#"{
  "strategies": ["aave", "lido", "delta"],
  "horizon_days": 7
}"#;
/// 2025-01-01.
const FIRST_DAY: i32 = 20_089;
const DAYS: i32 = 120;
/// Days that data may be old.
const MAX_AGE_DAYS: u32 = 3;

/// A node with three strategies that were forecast on the day after their last rates.
struct Given {
    router: Router,
    clock: Clock,
    service: Arc<YieldService>,
    _folder: TempDir,
}

impl Given {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let table = |pools: &[(&str, f64)]| {
            let mut text = String::from("date,pool,apy,tvlUsd\n");
            for (pool, mean) in pools {
                for day in 0..DAYS {
                    let apy = mean + (f64::from(day) * 0.3).sin();
                    writeln!(text, "{},{pool},{apy},1000000", format_day(FIRST_DAY + day)).unwrap();
                }
            }
            text
        };
        std::fs::write(folder.path().join("yields_lending.csv"), table(&[("aave-v3", 5.0), ("steth", 4.0)])).unwrap();
        std::fs::write(folder.path().join("yields_delta.csv"), table(&[("BTCUSDT", 9.0)])).unwrap();
        let strategy = |name: &str, kind, pool: &str| veriregime_core::yields::Strategy {
            name: name.into(),
            kind,
            pool: pool.into(),
        };
        let settings = YieldSettings {
            folder: folder.path().to_owned(),
            publishers: Publishers { pools: None, funding: None },
            max_age_days: MAX_AGE_DAYS,
            strategies: vec![
                strategy("aave", Kind::Lending, "aave-v3"),
                strategy("lido", Kind::Lending, "steth"),
                strategy("delta", Kind::Delta, "BTCUSDT"),
                strategy("gone", Kind::Lp, "nowhere"),
            ],
        };
        let models = YieldModels::open(Path::new("models/yields-v1")).unwrap();
        let service = Arc::new(YieldService::new(settings, Arc::new(models)));
        let clock = Clock::manual(i64::from(FIRST_DAY + DAYS) * DAY_MS + 3_600_000);
        let many = NonZeroU32::new(1_000_000).unwrap();
        let shared = Arc::new(Shared {
            jobs: Jobs::new(Overview::new(Vec::new()).0),
            check_every: Duration::from_secs(1),
            evidence: EvidenceCache::new(EvidenceStore::new(folder.path().join("evidence"))),
            metrics: Exposition::apart(),
            limits: Limits::new(LimitSettings {
                requests_per_second: many,
                burst: many,
                max_body_bytes: 1 << 16,
                request_timeout: Duration::from_secs(30),
                max_connections: 1,
            }),
            strategies: Some(Strategies::new(service.clone(), clock.clone())),
            page: Page::default(),
            events: Events::new(1),
            charts: crate::api::series::charts(),
            scores: crate::api::series::scores(),
            alerts: tokio::sync::watch::channel(Arc::default()).1,
            started_ms: 0,
        });
        let router = crate::api::router(&shared);
        Self { router, clock, service, _folder: folder }
    }

    async fn forecast() -> Self {
        let given = Self::new();
        given.service.refresh(given.clock.now_ms()).await.unwrap();
        given
    }

    async fn ask(&self, method: &str, path: &str, body: impl Into<Body>) -> (StatusCode, Value) {
        let request = Request::builder().method(method).uri(path).body(body.into()).unwrap();
        let response = self.router.clone().call(request).await.unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    async fn predict(&self, body: impl Into<Body>) -> (StatusCode, Value) {
        self.ask("POST", "/predict", body).await
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.ask("GET", path, "").await
    }
}

fn asked(strategies: &[&str], horizon_days: i64) -> String {
    json!({ "strategies": strategies, "horizon_days": horizon_days }).to_string()
}

/// The document's response, with further fields: fractions, not percent.
#[tokio::test]
async fn the_documented_request_has_the_documented_response() {
    let given = Given::forecast().await;
    let (status, answer) = given.predict(DOCUMENTED).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(answer.as_object().unwrap().keys().collect::<Vec<_>>(), ["predictions"]);
    let predictions = answer["predictions"].as_object().unwrap();
    assert_eq!(predictions.keys().collect::<Vec<_>>(), ["aave", "delta", "lido"]);
    for (name, mean) in [("aave", 0.05), ("lido", 0.04), ("delta", 0.09)] {
        let one = &predictions[name];
        let [apy, volatility, low, high] = [&one["apy"], &one["volatility"], &one["interval"][0], &one["interval"][1]]
            .map(|value| value.as_f64().unwrap());
        assert!((apy - mean).abs() < 0.02 && volatility > 0.0 && volatility < 0.1, "{one}");
        assert!(low < apy && apy < high, "{one}");
        assert_eq!((&one["as_of"], &one["age_days"]), (&"2025-04-30".into(), &1.into()));
        assert!(one["model_id"].as_str().unwrap().starts_with("yields-v1-"), "{one}");
    }
}

#[tokio::test]
async fn what_cannot_be_said_is_refused_by_code() {
    let given = Given::new();
    let (status, answer) = given.predict(DOCUMENTED).await;
    assert_eq!((status, &answer["code"]), (StatusCode::SERVICE_UNAVAILABLE, &"VR-API-016".into()));
    let given = Given::forecast().await;
    let many: Vec<String> = (0..10_000).map(|number| number.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (body, code) in [
        (asked(&["aave", "lid"], 7), "VR-YIELD-006"),
        (asked(&["aave"], 0), "VR-YIELD-007"),
        (asked(&["aave"], 400), "VR-YIELD-007"),
        (asked(&["aave"], -7), "VR-YIELD-007"),
        (asked(&[], 7), "VR-YIELD-008"),
        (asked(&["aave"; 101], 7), "VR-YIELD-008"),
        (asked(&many[..5000], 7), "VR-YIELD-008"),
        (asked(&["aave", "gone"], 7), "VR-YIELD-006"),
    ] {
        let (status, answer) = given.predict(body.clone()).await;
        let told = (status, answer["code"].as_str().unwrap());
        assert_eq!(told, (StatusCode::UNPROCESSABLE_ENTITY, code), "{body:.80}: {answer}");
    }
    assert!(given.predict(asked(&["lid"], 7)).await.1["message"].as_str().unwrap().contains("did you mean lido?"));
    let (status, answer) = given.predict(asked(&many, 7)).await;
    assert_eq!((status, &answer["code"]), (StatusCode::PAYLOAD_TOO_LARGE, &"VR-API-008".into()));
    for body in [
        "",
        "{}",
        "[]",
        r#"{"strategies":"aave","horizon_days":7}"#,
        r#"{"strategies":["aave"],"horizon_days":7,"more":1}"#,
    ] {
        let (status, answer) = given.predict(body).await;
        assert_eq!((status, &answer["code"]), (StatusCode::BAD_REQUEST, &"VR-API-005".into()), "{body}");
    }
    let (status, _) = given.get("/predict").await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
}

/// The source is down for days: what was said last is told with its age, and is no answer any more once it is too old.
#[tokio::test]
async fn the_last_forecast_is_told_with_its_age_until_it_is_too_old() {
    let given = Given::forecast().await;
    given.clock.set_ms(given.clock.now_ms() + 2 * DAY_MS);
    let (status, answer) = given.predict(asked(&["aave"], 7)).await;
    assert_eq!((status, &answer["predictions"]["aave"]["age_days"]), (StatusCode::OK, &3.into()));
    given.clock.set_ms(given.clock.now_ms() + DAY_MS);
    let (status, answer) = given.predict(asked(&["aave"], 7)).await;
    assert_eq!((status, &answer["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &"VR-YIELD-011".into()));
    let (status, aave) = given.get("/v1/yields/aave").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((&aave["prediction"]["age_days"], &aave["error"]["code"]), (&4.into(), &"VR-YIELD-011".into()));
    let (_, all) = given.get("/v1/yields").await;
    assert_eq!(all["strategies"].as_object().unwrap().len(), 4);
    assert_eq!((&all["strategies"]["gone"]["prediction"], &all["horizon_days"]), (&Value::Null, &7.into()));
    assert_eq!(all["strategies"]["aave"], aave);
    let (status, answer) = given.get("/v1/yields/lid").await;
    assert_eq!((status, &answer["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &"VR-YIELD-006".into()));
}

#[tokio::test]
async fn money_is_laid_out_over_the_strategies() {
    let given = Given::forecast().await;
    let (status, answer) = given.get("/v1/allocation?capital_usd=100000&current=lido:1&gas_usd=5&gate_days=30").await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let number = |value: &Value| value.as_f64().unwrap();
    assert_eq!(answer["strategies"].as_object().unwrap().len(), 3);
    assert!((number(&answer["strategies"]["delta"]["weight"]) - 1.0).abs() < 1e-3, "{answer}");
    assert_eq!((&answer["moves"][0]["from"], &answer["moves"][0]["to"]), (&"lido".into(), &"delta".into()));
    assert!(number(&answer["expected_gain_usd"]) > number(&answer["cost_usd"]));
    // The same for a tenth of it does not pay for gas of 50.
    let (_, answer) = given.get("/v1/allocation?capital_usd=10000&current=lido:1&gas_usd=50&gate_days=30").await;
    assert_eq!((&answer["moves"][0]["is_made"], &answer["strategies"]["lido"]["weight"]), (&false.into(), &1.0.into()));
    let (_, answer) = given
        .get(
            "/v1/allocation?capital_usd=1e6&strategies=aave,lido&objective=max_sharpe&cap=0.6&cash_rate=0.01&gas_usd=0",
        )
        .await;
    assert_eq!(answer["objective"], "max_sharpe");
    assert!(number(&answer["strategies"]["aave"]["weight"]) <= 0.6 + 1e-6, "{answer}");
    for (query, status, code) in [
        ("capital_usd=1e5", 422, "VR-YIELD-020"),
        ("capital_usd=-1&gas_usd=1", 422, "VR-FOLIO-002"),
        ("capital_usd=NaN&gas_usd=1", 422, "VR-FOLIO-002"),
        ("capital_usd=1e5&gas_usd=-1", 422, "VR-FOLIO-002"),
        ("capital_usd=1e5&gas_usd=1&cap=0.2", 422, "VR-FOLIO-003"),
        ("capital_usd=1e5&gas_usd=1&gate_days=0", 422, "VR-FOLIO-002"),
        ("capital_usd=1e5&gas_usd=1&current=aave:0.7,lido:0.7", 422, "VR-FOLIO-002"),
        ("capital_usd=1e5&gas_usd=1&current=nobody:0.7", 422, "VR-YIELD-006"),
        ("capital_usd=1e5&gas_usd=1&strategies=nobody", 422, "VR-YIELD-006"),
        ("capital_usd=1e5&gas_usd=1&current=aave", 400, "VR-API-005"),
        ("capital_usd=1e5&objective=luck", 400, "VR-API-005"),
        ("gas_usd=1", 400, "VR-API-005"),
        ("capital_usd=1e5&more=1", 400, "VR-API-005"),
    ] {
        let (answered, answer) = given.get(&format!("/v1/allocation?{query}")).await;
        assert_eq!((answered.as_u16(), answer["code"].as_str().unwrap()), (status, code), "{query}: {answer}");
    }
}

/// Whatever is sent: an answer, or a refusal with a code, and never a fault of the node.
#[test]
fn no_body_breaks_the_prediction() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let given = runtime.block_on(Given::forecast());
    let word = prop_oneof!["aave|lido|delta|gone", "\\PC{0,12}"];
    let value = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        proptest::collection::vec(word, 0..5).prop_map(Value::from),
        Just(Value::Null),
        Just(json!({"strategies": ["aave"]})),
        Just(Value::from(7)),
    ];
    let key = prop_oneof![Just("strategies".to_owned()), Just("horizon_days".to_owned()), "[a-z_]{0,12}"];
    let object = proptest::collection::btree_map(key, value, 0..4).prop_map(|map| serde_json::to_vec(&map).unwrap());
    let likely = proptest::collection::vec("aave|lido|delta|gone|[a-z]{0,4}", 0..4)
        .prop_map(|names| serde_json::to_vec(&json!({"strategies": names, "horizon_days": 7})).unwrap());
    let body = prop_oneof![object, likely, proptest::collection::vec(any::<u8>(), 0..200)];
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(512));
    runner
        .run(&body, |body| {
            let (status, answer) = runtime.block_on(given.predict(body));
            match status.as_u16() {
                200 => prop_assert!(answer["predictions"].is_object()),
                400 | 413 | 422 => prop_assert!(answer["code"].as_str().is_some_and(|code| code.starts_with("VR-"))),
                other => prop_assert!(false, "{other}: {answer}"),
            }
            Ok(())
        })
        .unwrap();
}
