//! Money over strategies: `yield allocate` and `yield backtest`.

use serde_json::Value;

use super::given::reference;
use super::yields::{folder, refused, said, table, trained};

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

#[test]
fn money_goes_where_it_pays_and_what_does_not_is_refused_with_its_reason() {
    let (_root, data, models) = trained("ridge");
    let ask = |more: &[&str]| {
        let fixed =
            ["allocate", "--model", &models, "--data", &data, "--strategy", "a=pool-3", "--strategy", "b=pool-5"];
        said(&[&fixed, more].concat())
    };
    let cheap = ask(&[
        "--capital",
        "100000",
        "--current",
        "a=0.5",
        "--gas-usd",
        "0",
        "--slippage-bps",
        "0",
        "--risk-aversion",
        "0",
    ]);
    let [a, b] = ["a", "b"].map(|name| &cheap["strategies"][name]);
    let better = if number(&a["apy"]) > number(&b["apy"]) { a } else { b };
    assert!((number(&better["weight"]) - 1.0).abs() < 1e-3, "{cheap}");
    let [before, after] = [&cheap["expected_apy"][0], &cheap["expected_apy"][1]].map(number);
    assert!(after > before && (after - number(&better["apy"])).abs() < 1e-4, "{cheap}");
    assert!(cheap["moves"].as_array().unwrap().iter().all(|step| step["is_made"] == true));
    // Nothing pays for gas of a million; what is refused says why, and stays where it is.
    let dear = ask(&[
        "--capital",
        "100000",
        "--current",
        "a=0.5",
        "--current",
        "b=0.5",
        "--gas-usd",
        "1000000",
        "--risk-aversion",
        "0",
    ]);
    let refused = &dear["moves"][0];
    assert_eq!((&refused["is_made"], &dear["cost_usd"]), (&false.into(), &0.0.into()), "{dear}");
    assert!(refused["why"].as_str().unwrap().contains("in 7 days and costs 2000100"), "{refused}");
    assert!(["a", "b"].iter().all(|name| (number(&dear["strategies"][name]["weight"]) - 0.5).abs() < 1e-12));
    for objective in ["max-sharpe", "min-drawdown"] {
        let one = ask(&[
            "--capital",
            "1e6",
            "--objective",
            objective,
            "--cap",
            "0.6",
            "--gas-usd",
            "1",
            "--slippage-bps",
            "1",
        ]);
        assert_eq!(one["objective"], objective.replace('-', "_"));
        let weights = ["a", "b"].map(|name| number(&one["strategies"][name]["target"]));
        assert!(
            weights.iter().all(|weight| *weight <= 0.6 + 1e-9) && (weights[0] + weights[1] - 1.0).abs() < 1e-6,
            "{one}"
        );
    }
}

#[test]
fn what_cannot_be_laid_out_is_refused_by_code() {
    let (_root, data, models) = trained("ridge");
    let ask = |more: &[&str]| refused(&[&["allocate", "--model", &models, "--data", &data], more].concat());
    let two = ["--strategy", "a=pool-3", "--strategy", "b=pool-5", "--capital", "1000"];
    for (more, code) in [
        (&["--gas-usd", "1", "--horizon-days", "0"][..], "VR-YIELD-007"),
        (&["--gas-usd", "1", "--horizon-days", "400"], "VR-YIELD-007"),
        (&["--gas-usd", "1", "--strategy", "c=nowhere"], "VR-YIELD-006"),
        (&["--gas-usd", "1", "--current", "c=1"], "VR-YIELD-006"),
        (&["--gas-usd", "1", "--current", "a=0.7", "--current", "b=0.7"], "VR-FOLIO-002"),
        (&["--gas-usd", "1", "--current", "a=-1"], "VR-FOLIO-002"),
        (&["--gas-usd=-1"], "VR-FOLIO-002"),
        (&["--gas-usd", "1", "--slippage-bps", "10000"], "VR-FOLIO-002"),
        (&["--gas-usd", "1", "--gate-days", "0"], "VR-FOLIO-002"),
        (&["--gas-usd", "1", "--risk-aversion=-1"], "VR-FOLIO-002"),
        (&["--gas-usd", "1", "--cap", "0.4"], "VR-FOLIO-003"),
        (&["--gas-usd", "1", "--cap", "0.6", "--min-position", "0.55"], "VR-FOLIO-003"),
        // The folder has no prices of gas.
        (&[], "VR-YIELD-020"),
    ] {
        let said = ask(&[&two, more].concat());
        assert!(said.contains(code), "{more:?}: {said}");
    }
    assert!(ask(&["--strategy", "pool-3", "--capital=-5", "--gas-usd", "1"]).contains("VR-FOLIO-002"));
    for count in [250, 10_000] {
        let many: Vec<String> = (0..count).map(|pool| format!("--strategy=s{pool}=pool-3")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).chain(["--capital", "1", "--gas-usd", "1"]).collect();
        assert!(ask(&many).contains("VR-YIELD-008"), "{count}");
    }
    let negative = folder(&[("yields_lp.csv", "date,pool,apy,tvlUsd\n2025-01-01,a,1,-5\n")]);
    let negative = negative.path().to_str().unwrap().to_owned();
    let said = refused(&["allocate", "--model", &models, "--data", &negative, "--capital", "1", "--gas-usd", "1"]);
    assert!(said.contains("VR-YIELD-002"), "{said}");
    let at =
        |more: &[&str]| refused(&[&["backtest", "--data", &data, "--kind", "lp", "--gas-usd", "1"], more].concat());
    assert!(at(&["--from", "2025-01-10"]).contains("VR-TRAIN-002"), "nothing is known by then");
    assert!(at(&["--from", "2025-03-01", "--capital", "0"]).contains("VR-FOLIO-002"));
    assert!(at(&["--from", "2025-03-01", "--largest", "201"]).contains("VR-FOLIO-001"));
}

/// What came after the last day moves nothing that was lived before it.
#[test]
fn a_backtest_does_not_see_what_came() {
    let until = |pools: &str, until: &[&str]| {
        let tables = folder(&[("yields_lp.csv", pools)]);
        let data = tables.path().to_str().unwrap().to_owned();
        let fixed = [
            "backtest",
            "--data",
            &data,
            "--kind",
            "lp",
            "--from",
            "2025-02-20",
            "--gas-usd",
            "2",
            "--capital",
            "50000",
        ];
        said(&[&fixed, until].concat())
    };
    let whole = until(&table(12, 110), &["--until", "2025-03-28"]);
    // The table's 87th day is 2025-03-28.
    let cut = until(&table(12, 87), &[]);
    assert_eq!(whole, cut);
    assert_eq!(
        (&whole["from"], &whole["to"], &whole["turns"]),
        (&"2025-02-20".into(), &"2025-03-28".into(), &6.into())
    );
    let rows = whole["rows"].as_array().unwrap();
    let apy = |rule: &str| number(&rows.iter().find(|row| row["rule"] == rule).unwrap()["net_apy"]);
    for rule in
        ["trailing 7 days, always", "trailing 7 days, gate", "forecast, always", "forecast, gate", "equal weight"]
    {
        assert!(apy(rule) <= apy("foresight") + 1e-9, "{rule}: {whole}");
    }
}

/// Two versions on the decisions that neither was fitted on.
#[test]
fn versions_are_compared_on_the_same_decisions() {
    let tables = folder(&[("yields_lp.csv", &table(25, 110))]);
    let data = tables.path().to_str().unwrap().to_owned();
    let models = tables.path().join("models").to_str().unwrap().to_owned();
    for (name, until) in [("one", "2025-02-20"), ("two", "2025-03-01"), ("late", "2025-04-20")] {
        let out = format!("{models}/{name}");
        said(&["train", "--data", &data, "--out", &out, "--until", until, "--no-circuit"]);
    }
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
        let fixed = ["models", "--models", &models, "--json", "compare"];
        command.args(fixed).args(arguments).args(["--data", &data]).output().unwrap()
    };
    let output = run(&["one", "two"]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let lp = &answer["kinds"]["lp"];
    assert_eq!((&lp["from"], &lp["first"]["rows"]), (&"2025-03-01".into(), &lp["second"]["rows"]), "{answer}");
    assert!(number(&lp["first"]["rows"]) > 500.0 && lp["gain_error"].is_number());
    let gain = number(&lp["gain"]);
    assert_eq!(gain > 0.0, lp["second_is"].as_str().unwrap().starts_with("better"), "{answer}");
    let same: Value = serde_json::from_slice(&run(&["two", "two"]).stdout).unwrap();
    assert_eq!((&same["kinds"]["lp"]["gain"], &same["kinds"]["lp"]["second_is"]), (&0.0.into(), &"same".into()));
    // Ten days before the end no week has come that one of them does not know.
    let told = String::from_utf8(run(&["one", "late"]).stderr).unwrap();
    assert!(told.contains("VR-YIELD-021"), "{told}");
}

/// Plots of every kind, and an LSTM whose training is kept: asked again, it says the same without learning anew.
#[test]
fn an_evaluation_draws_its_figures_and_keeps_its_training() {
    let (root, data, models) = trained("ridge");
    let [plots, run] = ["plots", "run"].map(|name| root.path().join(name).to_str().unwrap().to_owned());
    let evaluate = |epochs: &str| {
        let fixed = ["evaluate", "--model", &models, "--data", &data, "--kind", "lp", "--from", "2025-03-05"];
        [&fixed[..], &["--plots", &plots, "--lstm", epochs, "--lstm-run", &run]].concat().join("\n")
    };
    let ask = |epochs: &str| said(&evaluate(epochs).split('\n').collect::<Vec<_>>());
    let first = ask("1");
    for name in ["lp-errors", "lp-intervals", "lp-changes"] {
        let svg = std::fs::read_to_string(root.path().join(format!("plots/{name}.svg"))).unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{name}");
    }
    let kept = root.path().join("run/lp-lstm_residual/lstm.checkpoint");
    let before = std::fs::read(&kept).unwrap();
    assert_eq!(ask("1"), first);
    assert_eq!(std::fs::read(&kept).unwrap(), before);
    assert!(refused(&evaluate("2").split('\n').collect::<Vec<_>>()).contains("VR-TRAIN-006"));
}

/// The figures that the document of this project reports: money at lenders and in bitcoin's funding.
#[test]
fn with_the_gate_forecasts_earn_what_the_best_trailing_rule_does() {
    let Some(data) = reference("data/daily") else { return };
    let lived = said(&["backtest", "--data", data.to_str().unwrap(), "--from", "2021-02-01"]);
    println!("{lived}");
    for capital in [1e5, 1e6] {
        let rows =
            lived["rows"].as_array().unwrap().iter().filter(|row| (number(&row["capital_usd"]) - capital).abs() < 1.0);
        let apy = |rule: &str| number(&rows.clone().find(|row| row["rule"] == rule).unwrap()["net_apy"]);
        let best = apy("trailing 7 days, always").max(apy("equal weight"));
        assert!(apy("forecast, gate") >= best, "{capital}: {lived}");
        assert!(apy("foresight") >= apy("forecast, gate"));
    }
}
