//! The API's document: the one that is committed, and true of what a running daemon answers.

use std::path::Path;

use reqwest::StatusCode;
use serde_json::{Value, json};
use veriregime_agent::api;

use crate::node::Node;
use crate::world::{FIRST, World};

/// Where it is committed; `make api` writes it again.
const COMMITTED: &str = "docs/openapi.json";
/// Largest depth of an answer.
const DEPTH: usize = 32;

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_the_one_that_is_committed_and_names_every_route() {
    let document = serde_json::to_value(api::document()).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(COMMITTED);
    let text = serde_json::to_string_pretty(&document).unwrap() + "\n";
    if std::env::var_os("WRITE_OPENAPI").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert!(
        committed == text,
        "{COMMITTED} is not what the daemon serves: run `make api` and look at what has changed"
    );
    let world = World::new().await;
    world.enter(FIRST).await;
    let node = Node::start(&world, json!({})).await;
    assert_eq!(node.json("/openapi.json").await.1, document);
    world.until("an update", async || node.newest_stage().await == "confirmed").await;
    let explained = format!("/v1/periods/{FIRST}/explained");
    let is_known = |told: &Value| told["markets"][0]["parameters"].is_object() && told["evidence"].is_string();
    world.until("it is explained", async || is_known(&node.json(&explained).await.1)).await;
    let job = node.json("/v1/jobs").await.1["jobs"][0]["name"].as_str().unwrap().to_owned();
    let mut checked = 0;
    for (route, item) in document["paths"].as_object().unwrap() {
        if item.get("get").is_none() || route == "/v1/events" {
            continue;
        }
        let path = route.replace("{period}", &FIRST.to_string()).replace("{market}", "BTC-USD").replace("{job}", &job);
        let query =
            if ["/v1/series", "/v1/candles", "/v1/score"].contains(&route.as_str()) { "?market=BTC-USD" } else { "" };
        let (status, text) = node.text(&format!("{path}{query}")).await;
        assert!(!text.contains("VR-API-002") && status != StatusCode::INTERNAL_SERVER_ERROR, "{path}: {status} {text}");
        let said = &item["get"]["responses"][status.as_str()]["content"]["application/json"]["schema"];
        if let Some(schema) = said.as_object() {
            let answer: Value = serde_json::from_str(&text).unwrap();
            let wrong = misfit(&document, &answer, &Value::Object(schema.clone()), DEPTH);
            assert_eq!(wrong, None, "{path} answers otherwise than the document says");
            checked += usize::from(status == StatusCode::OK);
        }
    }
    assert!(checked >= 16, "only {checked} routes have answered");
    let policy = node.json("/v1/policy/BTC-USD").await.1["policy"].clone();
    let (status, answer) = node.ask("/v1/lab", &json!({"job": job, "market": "BTC-USD", "policy": policy})).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(misfit(&document, &answer, &json!({"$ref": "#/components/schemas/LabView"}), DEPTH), None);
}

#[test]
fn an_answer_that_is_another_than_the_document_says_is_found() {
    let document = serde_json::to_value(api::document()).unwrap();
    let schema = json!({"$ref": "#/components/schemas/ErrorBody"});
    let wrong = |answer: Value| misfit(&document, &answer, &schema, DEPTH);
    assert_eq!(wrong(json!({"code": "VR", "message": "m", "hint": "h"})), None);
    assert_eq!(wrong(json!({"code": "VR", "message": "m"})), Some(".hint is absent".into()));
    assert_eq!(wrong(json!({"code": 1, "message": "m", "hint": "h"})), Some(".code: 1 is no \"string\"".into()));
    assert!(wrong(json!({"code": "VR", "message": "m", "hint": "h", "more": 1})).is_some());
}

/// Where an answer is not what its schema says; `None` where it is.
fn misfit(document: &Value, answer: &Value, schema: &Value, depth: usize) -> Option<String> {
    assert!(depth > 0, "a schema in a circle");
    let inner = |answer: &Value, schema: &Value| misfit(document, answer, schema, depth - 1);
    if let Some(reference) = schema["$ref"].as_str() {
        return inner(answer, document.pointer(reference.trim_start_matches('#')).unwrap());
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let found: Vec<_> = choices.iter().map(|choice| inner(answer, choice)).collect();
        return if found.contains(&None) { None } else { found.into_iter().flatten().next() };
    }
    let (fields, required) = fields(document, schema);
    if !fields.is_empty() {
        let Some(object) = answer.as_object() else { return Some(format!(": {answer} is no object")) };
        if let Some(absent) = required.iter().find(|name| !object.contains_key(*name)) {
            return Some(format!(".{absent} is absent"));
        }
        return object.iter().find_map(|(name, value)| match fields.iter().find(|(field, _)| field == name) {
            Some((_, schema)) => inner(value, schema).map(|wrong| format!(".{name}{wrong}")),
            None => Some(format!(".{name} is not told of")),
        });
    }
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.clone(),
        Value::Null => return None,
        kind => vec![kind.clone()],
    };
    let is = |kind: &Value| match kind.as_str().unwrap() {
        "null" => answer.is_null(),
        "string" => answer.is_string(),
        "boolean" => answer.is_boolean(),
        "integer" => answer.is_i64() || answer.is_u64(),
        "number" => answer.is_number(),
        "array" => answer.is_array(),
        "object" => answer.is_object(),
        other => unreachable!("{other}"),
    };
    if !kinds.iter().any(is) {
        let kinds: Vec<String> = kinds.iter().map(ToString::to_string).collect();
        return Some(format!(": {answer} is no {}", kinds.join(" or ")));
    }
    match answer {
        Value::Array(entries) => {
            entries.iter().find_map(|entry| inner(entry, &schema["items"]).map(|wrong| format!("[]{wrong}")))
        }
        Value::Object(entries) if schema["additionalProperties"].is_object() => entries
            .values()
            .find_map(|entry| inner(entry, &schema["additionalProperties"]).map(|wrong| format!("{{}}{wrong}"))),
        _ => None,
    }
}

/// The fields of an object with their schemas, and the names of those that are always there, what it holds of others included.
fn fields(document: &Value, schema: &Value) -> (Vec<(String, Value)>, Vec<String>) {
    let mut all = (Vec::new(), Vec::new());
    let mut parts = vec![schema.clone()];
    while let Some(part) = parts.pop() {
        if let Some(reference) = part["$ref"].as_str() {
            parts.push(document.pointer(reference.trim_start_matches('#')).unwrap().clone());
        }
        parts.extend(part["allOf"].as_array().into_iter().flatten().cloned());
        let own = part["properties"].as_object().into_iter().flatten();
        all.0.extend(own.map(|(name, schema)| (name.clone(), schema.clone())));
        let names = part["required"].as_array().into_iter().flatten();
        all.1.extend(names.map(|name| name.as_str().unwrap().to_owned()));
    }
    all
}
