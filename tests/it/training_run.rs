//! `train` as a person runs it: killed in the middle, resumed, out of disk, given nonsense.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ::veriregime_files;
use serde_json::{Value, json};
use tempfile::TempDir;
use veriregime_agent::bundle::Bundle;
use veriregime_agent::node::assemble;
use veriregime_agent::sources::candles::parquet;
use veriregime_agent::verification::ezkl::search::SEARCH_FILE;
use veriregime_agent::verification::ezkl::srs::Srs;
use veriregime_agent::verification::ezkl::supervisor::Ezkl;
use veriregime_core::types::manifest::{MANIFEST_FILE, ONNX_FILE};
use veriregime_core::types::time::parse_utc_ms;
use veriregime_training::reference::TEACHER_WEIGHTS_FILE;

use crate::market::candles;
use crate::world::config;

const DAYS: usize = 60;

/// A folder with candles and settings of a run that takes seconds.
struct Bench {
    folder: TempDir,
    srs: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let srs = strings(folder.path());
        let bench = Self { folder, srs };
        let start_ms = parse_utc_ms("2024-01-01").unwrap();
        parquet::write(&bench.path("candles.parquet"), &candles(21, start_ms, DAYS * 1440)).unwrap();
        bench.settings(|text| text);
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn settings(&self, edit: impl Fn(String) -> String) {
        let text = include_str!("../fixtures/train-small.toml").to_owned();
        veriregime_files::write_atomic(&self.path("train.toml"), edit(text).as_bytes()).unwrap();
    }

    /// `train` into the folder `out`, with more arguments.
    fn command(&self, out: &str, more: &[&str]) -> Command {
        let settings = config();
        let mut command = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
        command.current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("VERIREGIME_CONFIG").stdin(Stdio::null());
        command.args(["train", "--json", "--settings"]).arg(self.path("train.toml"));
        command.arg("--candles").arg(self.path("candles.parquet")).arg("--out").arg(self.path(out).join("model"));
        command.arg("--python").arg(&settings.prover.python).arg("--srs-dir").arg(&self.srs);
        command.args(more);
        command
    }

    /// Runs and expects this error code.
    fn refused(&self, out: &str, more: &[&str], code: &str) -> String {
        let output = self.command(out, more).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(&format!("error {code}: ")) && said.contains("\n  next: "), "{said}");
        said
    }
}

/// The ceremony's SRS files where they are at hand, else SRS files made in `folder`.
fn strings(folder: &Path) -> PathBuf {
    let config = config();
    if config.prover.srs_dir.join("kzg7.srs").exists() {
        return config.prover.srs_dir;
    }
    let made = async {
        let mut ezkl = Ezkl::new(assemble::worker_settings(&config));
        for logrows in 6..=10 {
            Srs::generate(&mut ezkl, folder, logrows).await.unwrap();
        }
        ezkl.stop().await;
    };
    tokio::runtime::Runtime::new().unwrap().block_on(made);
    folder.to_owned()
}

fn bytes(folder: &Path, name: &str) -> Vec<u8> {
    veriregime_files::read_bounded(&folder.join(name), 1 << 26).unwrap()
}

#[test]
fn training_settings_are_not_the_agent_s() {
    let bench = Bench::new();
    let path = bench.path("train.toml");
    let said = bench.refused("never", &["--config", path.to_str().unwrap()], "VR-TRAIN-011");
    assert!(
        said.contains("--config names the agent's settings") && said.contains("next: name them by --settings"),
        "{said}"
    );
}

#[test]
fn a_run_that_is_killed_after_every_epoch_ends_with_the_weights_of_one_that_is_not() {
    let bench = Bench::new();
    let output = bench.command("whole", &[]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let epochs = String::from_utf8(output.stderr).unwrap().lines().filter(|line| line.contains(" epoch ")).count();
    assert!(epochs > 4, "only {epochs} epochs to kill after");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["model_id"], "small");
    let search = &report["circuit_search"];
    let chosen = &search["tried"][usize::try_from(search["chosen"].as_u64().unwrap()).unwrap()];
    let measured = &chosen["outcome"]["measured"];
    assert!(measured["agreement"].as_f64().unwrap() >= 0.999, "{chosen}");
    let circuit = Bundle::open(&bench.path("whole").join("model")).unwrap().manifest.ezkl().unwrap().clone();
    assert_eq!((&measured["rows"], &measured["logrows"]), (&json!(circuit.rows), &json!(circuit.logrows)));
    let kept: Value = serde_json::from_slice(&bytes(&bench.path("whole").join("model"), SEARCH_FILE)).unwrap();
    assert_eq!(kept["tried"].as_array().unwrap().len(), search["tried"].as_array().unwrap().len());

    let mut kills = 0;
    loop {
        let mut child = bench
            .command("killed", &["--resume", "--no-search"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let has_learnt = lines.any(|line| line.unwrap().contains(" epoch "));
        if !has_learnt {
            assert!(child.wait().unwrap().success());
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        assert!(kills <= epochs, "a resumed run learns again what it had already learnt");
        bench.refused("killed", &[], "VR-TRAIN-005");
    }
    assert!(kills > 4, "{kills}");
    for name in [ONNX_FILE, TEACHER_WEIGHTS_FILE] {
        let [whole, killed] = ["whole", "killed"].map(|run| bytes(&bench.path(run).join("model"), name));
        assert!(whole == killed, "{name} differs");
    }
    Bundle::open(&bench.path("killed").join("model")).unwrap();
    assert_eq!(std::fs::read_dir(bench.path("killed")).unwrap().count(), 1, "nothing but the bundle is left");
}

#[test]
fn input_that_no_run_can_follow_is_refused_by_code_and_leaves_nothing() {
    let bench = Bench::new();
    bench.refused("out", &["--threshold", "0.5"], "VR-TRAIN-008");
    bench.settings(|text| text.replace("\"log_rms_return\"", "\"log_rms_retrun\""));
    let said = bench.refused("out", &[], "VR-TRAIN-001");
    assert!(said.contains("log_rms_retrun"), "{said}");
    bench.settings(|text| text.replace("lookback_minutes = 1_441", "lookback_minutes = 200_000"));
    bench.refused("out", &[], "VR-TRAIN-002");
    bench.settings(|text| text.replace("2024-01-02", "2024-13-02"));
    bench.refused("out", &[], "VR-TRAIN-001");
    bench.settings(|text| text.replace("learning_rate = 3e-3", "learning_rate = nan"));
    bench.refused("out", &[], "VR-TRAIN-001");
    bench.settings(|text| text);
    let header = "open_time,open,high,low,close,volume\n";
    veriregime_files::write_atomic(&bench.path("candles.parquet"), format!("{header}0,1,1,1,NaN,1\n").as_bytes())
        .unwrap();
    let output = bench.command("out", &[]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let left: Vec<_> = std::fs::read_dir(bench.path("out")).into_iter().flatten().collect();
    assert!(left.is_empty(), "{left:?}");
}

/// No file may grow beyond 16 KiB: the first checkpoint of the teacher does not fit.
#[test]
fn a_disk_that_fills_up_in_a_checkpoint_is_told_and_leaves_no_half_of_it() {
    let bench = Bench::new();
    let train = bench.command("full", &[]);
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 32; exec \"$0\" \"$@\""]).arg(train.get_program());
    limited.args(train.get_args()).current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = limited.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("error VR-FILE-00"), "{said}");
    let run = bench.path("full").join(".run-small");
    let left: Vec<_> = std::fs::read_dir(&run).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["run.json"], "a half-written checkpoint");
    assert!(!bench.path("full").join("model").join(MANIFEST_FILE).exists());
}

#[test]
fn two_markets_make_one_bundle_that_is_judged_market_by_market() {
    let bench = Bench::new();
    let start_ms = parse_utc_ms("2024-01-11").unwrap();
    parquet::write(&bench.path("other.parquet"), &candles(22, start_ms, (DAYS - 10) * 1440)).unwrap();
    bench.settings(|text| {
        let one = "[market]\nname = \"BTC-USD\"\nsymbol = \"BTCUSDT\"\n";
        let two = format!(
            "{}\n[[markets]]\nname = \"NEW-USD\"\nsymbol = \"NEWUSDT\"\n",
            one.replace("[market]", "[[markets]]")
        );
        assert!(text.contains(one));
        text.replace(one, &two).replace("threshold = 0.0006\n", "")
    });
    let said = bench.refused("two", &["--no-search"], "VR-TRAIN-013");
    assert!(said.contains("could be any of 2 markets"), "{said}");
    let named = |name: &str, file: &str| format!("{name}={}", bench.path(file).display());
    let files = [named("BTC-USD", "candles.parquet"), named("NEW-USD", "other.parquet")];
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
        command.current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("VERIREGIME_CONFIG").stdin(Stdio::null());
        let output = command.args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let [settings, out] = [bench.path("train.toml"), bench.path("two").join("model")];
    let [settings, out] = [&settings, &out].map(|path| path.to_str().unwrap());
    let python = config().prover.python;
    let [python, srs] = [&python, &bench.srs].map(|path| path.to_str().unwrap());
    let [one, other] = [&files[0], &files[1]];
    let trained = run(&[
        "train",
        "--json",
        "--settings",
        settings,
        "--candles",
        one,
        "--candles",
        other,
        "--out",
        out,
        "--python",
        python,
        "--srs-dir",
        srs,
        "--no-search",
    ]);
    let bundle = Bundle::open(Path::new(out)).unwrap();
    let regime = bundle.manifest.regime().unwrap();
    let [first, second] = [0, 1].map(|market| regime.market(market).unwrap());
    assert!(regime.market(2).is_none());
    assert!((first.label.threshold - second.label.threshold).abs() > 1e-9, "each has its own median");
    assert_ne!(first.features.candle, second.features.candle);
    assert_eq!(first.features.calendar, second.features.calendar);
    assert_ne!(first.baselines, second.baselines);
    for plot in ["plot-roc-btc-usd.svg", "plot-roc-new-usd.svg"] {
        assert!(bundle.manifest.files.contains_key(plot), "{plot}");
    }
    let card = String::from_utf8(bytes(&bundle.folder, "MODEL_CARD.md")).unwrap();
    assert!(card.contains("| test | ") && card.contains("| NEW-USD | student, circuit |"), "{card}");
    // What the card says is what the candles say again, market by market.
    let evaluated = run(&[
        "evaluate",
        "--json",
        "--model",
        out,
        "--candles",
        one,
        "--candles",
        other,
        "--split",
        "test",
        "--without-networks",
    ]);
    for market in ["BTC-USD", "NEW-USD"] {
        let figure =
            |of: &Value| of["markets"][market]["forecasters"]["student_circuit"]["every_minute"]["figures"].clone();
        assert_eq!(figure(&evaluated), figure(&trained["test"]), "{market}");
        assert!(figure(&evaluated)["accuracy"]["value"].as_f64().unwrap() > 0.5, "{market}");
    }
    let rows = |of: &Value| of["rows"].as_u64().unwrap();
    assert_eq!(rows(&evaluated), rows(&evaluated["markets"]["BTC-USD"]) + rows(&evaluated["markets"]["NEW-USD"]));
    // One of them alone is judged as well.
    let alone =
        run(&["evaluate", "--json", "--model", out, "--candles", other, "--split", "test", "--without-networks"]);
    assert_eq!(alone["markets"].as_object().unwrap().len(), 1);
}
