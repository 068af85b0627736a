//! Yields: fetched and served in DefiLlama's dialect; models trained, judged and asked.

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use url::Url;
use veriregime_agent::bundle::Bundle;
use veriregime_agent::sources::tables::serve;
use veriregime_agent::sources::yields::fetch::fetch;
use veriregime_agent::sources::yields::folder::Yields;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::time::format_day;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::given::reference;

/// 2025-01-01.
const FIRST_DAY: i32 = 20_089;

/// A table of strategies whose rates swing at speeds of their own.
pub(super) fn table(pools: usize, days: i32) -> String {
    let mut text = String::from("date,pool,apy,tvlUsd\n");
    for pool in 0..pools {
        for day in 0..days {
            let angle = f64::from(day) * (0.05 + 0.01 * pool as f64);
            let apy = 8.0 + 5.0 * angle.sin() + f64::from((day * 7 + pool as i32 * 3) % 5) * 0.2;
            writeln!(text, "{},pool-{pool},{apy:.4},1000000", format_day(FIRST_DAY + day)).unwrap();
        }
    }
    text
}

pub(super) fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

async fn served(folder: &Path) -> (Url, CancellationToken) {
    let listener = serve::listen(([127, 0, 0, 1], 0).into()).await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let stop = CancellationToken::new();
    let content = serve::Content { tables: None, yields: Some(Yields::read(folder).unwrap()) };
    tokio::spawn(serve::serve(content, listener, stop.clone()));
    (url, stop)
}

#[tokio::test]
async fn pools_are_fetched_as_defillama_serves_them_and_revisions_are_counted() {
    let here = TempDir::new().unwrap();
    let ids = ["pool-0".to_owned(), "pool-1".to_owned()];
    let source =
        folder(&[("yields_lp.csv", &table(2, 20)), ("yields_lending.csv", "date,pool,apy\n2025-01-01,usdc,4\n")]);
    let (url, stop) = served(source.path()).await;
    let fetched = fetch(here.path(), &url, &ids).await.unwrap();
    assert_eq!(fetched.pools.iter().map(|one| (one.days, one.added)).collect::<Vec<_>>(), [(20, 20); 2]);
    let theirs = Yields::read(source.path()).unwrap();
    let ours = Yields::read(here.path()).unwrap();
    assert!(ids.iter().all(|id| ours.pools[id] == theirs.pools[id]));
    let error = fetch(here.path(), &url, &["pool-9".to_owned()]).await.unwrap_err();
    assert_eq!(error.code(), "VR-YIELD-006");
    for ids in [vec![], vec!["pool-0".to_owned(); 501]] {
        assert_eq!(fetch(here.path(), &url, &ids).await.unwrap_err().code(), "VR-YIELD-008");
    }
    stop.cancel();
    // Another vintage: the first days are gone, one is revised, two are new.
    let later: String = table(1, 22)
        .replace("2025-01-01,pool-0", "2025-01-01,gone")
        .replace("2025-01-10,pool-0,", "2025-01-10,pool-0,1");
    let source = folder(&[("yields_lp.csv", &later)]);
    let (url, stop) = served(source.path()).await;
    let fetched = fetch(here.path(), &url, &ids[..1]).await.unwrap();
    let one = &fetched.pools[0];
    assert_eq!((one.days, one.added, one.revised), (22, 2, 1));
    stop.cancel();
    // A publisher that is gone changes nothing.
    let before = Yields::read(here.path()).unwrap();
    let nowhere = Url::parse("http://127.0.0.1:9/").unwrap();
    assert_eq!(fetch(here.path(), &nowhere, &ids).await.unwrap_err().code(), "VR-CANDLE-001");
    assert_eq!(Yields::read(here.path()).unwrap(), before);
}

#[tokio::test]
async fn a_publisher_that_wants_a_pause_is_asked_again() {
    let server = MockServer::start().await;
    let busy = ResponseTemplate::new(429).insert_header("retry-after", "0");
    Mock::given(path("/pools")).respond_with(busy).up_to_n_times(2).expect(2).mount(&server).await;
    let listed = r#"{"status":"success","data":[{"pool":"a","chain":"Base","project":"x","symbol":"A-B","tvlUsd":1,"apy":1,"exposure":"multi","ilRisk":"yes"}]}"#;
    Mock::given(path("/pools"))
        .respond_with(ResponseTemplate::new(200).set_body_string(listed))
        .expect(1)
        .mount(&server)
        .await;
    let chart = r#"{"status":"success","data":[{"timestamp":"2025-07-10T23:01:10.000Z","tvlUsd":1000,"apy":5.5,"apyBase":5.5,"apyReward":null}]}"#;
    Mock::given(path("/chart/a"))
        .respond_with(ResponseTemplate::new(200).set_body_string(chart))
        .expect(1)
        .mount(&server)
        .await;
    let here = TempDir::new().unwrap();
    let fetched = fetch(here.path(), &Url::parse(&server.uri()).unwrap(), &["a".to_owned()]).await.unwrap();
    assert_eq!((fetched.pools[0].days, fetched.pools[0].kind.name()), (1, "lp"));
}

pub(super) fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
    command.args(["yield", "--json"]).args(arguments).output().unwrap()
}

pub(super) fn said(arguments: &[&str]) -> Value {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(said.lines().last().unwrap()).unwrap()
}

pub(super) fn refused(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// Models of two kinds of made-up strategies, with the tables.
pub(super) fn trained(form: &str) -> (TempDir, String, String) {
    let root =
        folder(&[("yields_lp.csv", &table(25, 80)), ("yields_delta.csv", &table(1, 400).replace("pool-", "perp-"))]);
    let data = root.path().to_str().unwrap().to_owned();
    let models = root.path().join("models").to_str().unwrap().to_owned();
    let trained = said(&["train", "--data", &data, "--out", &models, "--form", form, "--epochs", "5", "--no-circuit"]);
    assert_eq!(trained["bundles"].as_array().unwrap().len(), 2);
    (root, data, models)
}

#[test]
fn both_forms_are_trained_judged_and_asked() {
    for (form, weights) in [("ridge", 18 * 3 + 3), ("square", 18 * 10 + 10 + 10 * 3 + 3)] {
        let (_root, data, models) = trained(form);
        let report = said(&["evaluate", "--model", &models, "--data", &data, "--from", "2025-02-20"]);
        let [lp, delta] = ["lp", "delta"].map(|kind| &report["kinds"][kind]);
        for (part, names) in
            [(&lp["seen"], true), (&lp["unseen"], true), (&delta["seen"], true), (&delta["unseen"], false)]
        {
            assert_eq!(part["rows"].as_u64().unwrap() > 0, names, "{part}");
            for name in ["r2", "mae_pp", "skill_last", "skill_mean7", "volatility_skill", "coverage90"] {
                assert_eq!(part[name].is_number(), names, "{form} {name}: {part}");
            }
        }
        assert!(lp["seen"]["skill_mean7"].as_f64().unwrap() > 0.2, "{form}: {lp}");
        assert_eq!(lp["others"]["mean_7"]["skill_mean7"], 0.0);
        assert_eq!(report["models"]["lp"], "models-lp");
        let manifest: Value =
            serde_json::from_slice(&std::fs::read(Path::new(&models).join("lp/manifest.json")).unwrap()).unwrap();
        assert_eq!(manifest["training"]["provenance"]["parameters"], weights);
        let asked =
            ["predict", "--model", &models, "--data", &data, "--strategy", "mine=pool-3", "--strategy", "perp-0"];
        let answer = said(&asked);
        assert_eq!(answer["horizon_days"], 7);
        let mine = &answer["predictions"]["mine"];
        let number = |value: &Value| value.as_f64().unwrap();
        let (apy, low, high) = (number(&mine["apy"]), number(&mine["interval"][0]), number(&mine["interval"][1]));
        assert!(low < apy && apy < high && (0.0..0.2).contains(&apy) && number(&mine["volatility"]) > 0.0, "{mine}");
        assert_eq!((&mine["as_of"], &mine["pool"]), (&"2025-03-21".into(), &"pool-3".into()));
        assert_eq!(answer["predictions"]["perp-0"]["as_of"], "2026-02-04");
        // All strategies, where none are named; a day in the past is forecast by what was known then.
        let all = said(&["predict", "--model", &models, "--data", &data, "--at", "2025-03-01"]);
        assert_eq!(all["predictions"].as_object().unwrap().len(), 26);
        assert_eq!(all["predictions"]["pool-3"]["as_of"], "2025-03-01");
    }
}

/// The future of the tables moves no forecast of an earlier day, and neither does its interval.
#[test]
fn a_forecast_of_a_past_day_does_not_see_what_came() {
    let (_root, data, models) = trained("ridge");
    let shorter = folder(&[("yields_lp.csv", &table(25, 60))]);
    let asked = |data: &str| {
        let answer =
            said(&["predict", "--model", &models, "--data", data, "--strategy", "pool-3", "--at", "2025-03-01"]);
        answer["predictions"]["pool-3"].clone()
    };
    let (whole, cut) = (asked(&data), asked(shorter.path().to_str().unwrap()));
    assert_eq!(whole, cut);
    assert_eq!(whole["as_of"], "2025-03-01");
}

#[test]
fn what_cannot_be_forecast_is_refused_by_code() {
    let (root, data, models) = trained("ridge");
    let ask = |more: &[&str]| refused(&[&["predict", "--model", &models, "--data", &data], more].concat());
    for (more, code) in [
        (&["--strategy", "pol-3"][..], "VR-YIELD-006"),
        (&["--horizon-days", "0"], "VR-YIELD-007"),
        (&["--horizon-days", "400"], "VR-YIELD-007"),
        (&["--strategy", "pool-3", "--max-age-days", "3"], "VR-YIELD-011"),
        (&["--strategy", "pool-3", "--at", "2025-01-03"], "VR-YIELD-010"),
    ] {
        let said = ask(more);
        assert!(said.contains(code), "{more:?}: {said}");
    }
    assert!(ask(&["--strategy", "pol-3"]).contains("did you mean pool-3?"));
    let many: Vec<String> = (0..1001).map(|pool| format!("--strategy=s{pool}=pool-3")).collect();
    assert!(ask(&many.iter().map(String::as_str).collect::<Vec<_>>()).contains("VR-YIELD-008"));
    // A pool that vanished, one that is too young, and a kind without a model.
    let late: String = table(25, 80)
        .lines()
        .filter(|row| !(row.contains(",pool-3,") && *row > "2025-03-10"))
        .fold(String::new(), |text, row| text + row + "\n");
    std::fs::write(root.path().join("yields_lp.csv"), late).unwrap();
    assert!(ask(&["--strategy", "pool-3"]).contains("VR-YIELD-009"));
    std::fs::write(root.path().join("yields_lending.csv"), table(1, 30).replace("pool-", "usdc-")).unwrap();
    assert!(ask(&["--strategy", "usdc-0"]).contains("VR-YIELD-013"));
    let others = said(&["predict", "--model", &models, "--data", &data]);
    assert_eq!(others["left_out"], 2, "nothing is invented for them");
    // A folder without rates, and a bundle of something else.
    let empty = TempDir::new().unwrap();
    assert!(
        refused(&["evaluate", "--model", &models, "--data", empty.path().to_str().unwrap(), "--from", "2025-01-01"])
            .contains("VR-YIELD-005")
    );
    assert!(refused(&["predict", "--model", "models/eu-electricity-v1", "--data", &data]).contains("VR-PROVE-005"));
    let few = folder(&[("yields_lp.csv", &table(2, 20))]);
    let out = few.path().join("m");
    let said =
        refused(&["train", "--data", few.path().to_str().unwrap(), "--out", out.to_str().unwrap(), "--no-circuit"]);
    assert!(said.contains("VR-TRAIN-002") && !out.exists(), "{said}");
}

#[test]
fn every_command_shows_examples() {
    for command in ["train", "evaluate", "predict", "allocate", "backtest"] {
        let said = String::from_utf8(run(&[command, "--help"]).stdout).unwrap();
        assert!(said.contains("Examples:"), "{command}: {said}");
    }
    assert!(refused(&["predict", "--data", "any", "--strategy", "=pool-3"]).contains("NAME=POOL"));
}

/// One model for all kinds is a bundle of its own, which is told the kind.
#[test]
fn one_model_for_all_kinds_is_one_bundle() {
    let (root, data, _) = trained("ridge");
    let one = root.path().join("one").to_str().unwrap().to_owned();
    said(&["train", "--data", &data, "--out", &one, "--together", "--no-circuit"]);
    let report = said(&["evaluate", "--model", &one, "--data", &data, "--from", "2025-02-20"]);
    assert_eq!((&report["models"]["lp"], &report["models"]["delta"]), (&"one".into(), &"one".into()));
    assert!(report["kinds"]["lending"].is_null());
}

/// What ships is what its data give: the cards' figures and every weight, but for the circuits.
#[test]
fn the_shipped_models_are_those_that_are_trained() {
    let Some(data) = reference("data/daily") else { return };
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("yields-v1");
    said(&["train", "--data", data.to_str().unwrap(), "--out", out.to_str().unwrap(), "--no-circuit"]);
    for kind in ["lp", "lending", "delta"] {
        let [trained, shipped] =
            [out.join(kind), Path::new("models/yields-v1").join(kind)].map(|folder| Bundle::open(&folder).unwrap());
        assert_eq!(trained.manifest.inputs, shipped.manifest.inputs, "{kind}");
        assert_eq!(trained.manifest.model, shipped.manifest.model, "{kind}");
        assert_eq!(trained.manifest.training, shipped.manifest.training, "{kind}");
        for name in ["model.onnx", "MODEL_CARD.md"] {
            assert_eq!(
                std::fs::read(trained.path(name)).unwrap(),
                std::fs::read(shipped.path(name)).unwrap(),
                "{kind}: {name}"
            );
        }
    }
}

/// The figures that the document of this project reports, on the tables that are given.
#[test]
fn real_rates_are_forecast_better_than_by_their_mean() {
    let Some(data) = reference("data/daily") else { return };
    let data = data.to_str().unwrap();
    let folder = TempDir::new().unwrap();
    let models = folder.path().join("yields").to_str().unwrap().to_owned();
    let report = |kind: &str, until: &str| {
        said(&["train", "--data", data, "--out", &models, "--kind", kind, "--until", until, "--no-circuit"]);
        said(&["evaluate", "--model", &models, "--data", data, "--from", until])["kinds"][kind].clone()
    };
    let number = |value: &Value| value.as_f64().unwrap();
    let lp = report("lp", "2025-08-01");
    for part in ["seen", "unseen"] {
        let figures = &lp[part];
        println!("lp {part}: {figures}");
        assert!(number(&figures["rows"]) > 1000.0);
        assert!(number(&figures["skill_mean7"]) > number(&lp["others"]["ewma"]["skill_mean7"]), "{lp}");
        assert!(number(&figures["volatility_skill"]) > 0.2);
        assert!((0.86..0.94).contains(&number(&figures["coverage90"])));
    }
    let lending = report("lending", "2021-05-01");
    println!("lending: {lending}");
    assert!(number(&lending["seen"]["mae_pp"]) <= number(&lending["others"]["ewma"]["mae_pp"]), "{lending}");
    let delta = report("delta", "2023-06-01");
    println!("delta: {delta}");
    assert!(number(&delta["seen"]["r2"]) > 0.5 && number(&delta["seen"]["skill_mean7"]) > 0.2, "{delta}");
}
