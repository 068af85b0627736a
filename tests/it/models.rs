//! The model registry as a person meets it: promote, roll back, compare, and what is refused.

mod conversion;
#[cfg(feature = "training")]
mod on_candles;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ::veriregime_files;
use serde_json::{Value, json};
use tempfile::TempDir;
use veriregime_agent::bundle::registry::{HISTORY_FILE, Registry};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::manifest::{CURRENT_FILE, MANIFEST_FILE, PROVING_KEY_FILE};

use crate::given;

const SHIPPED: &str = "models/btc-regime-4h-v1";

const LIMIT_BYTES: u64 = 16 << 20;

/// A folder with copies of the shipped bundle.
struct Models {
    folder: TempDir,
}

impl Models {
    fn new(ids: &[&str]) -> Self {
        let models = Self { folder: TempDir::new().unwrap() };
        for id in ids {
            models.add(id, |_| ());
        }
        models
    }

    /// A copy whose manifest was edited.
    fn add(&self, id: &str, edit: impl Fn(&mut Value)) {
        self.add_from(MANIFEST_FILE, id, edit);
    }

    /// The same, from the manifest in another file.
    fn add_from(&self, manifest: &str, id: &str, edit: impl Fn(&mut Value)) {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join(SHIPPED);
        veriregime_files::create_folder(&self.path(id)).unwrap();
        let text = veriregime_files::read_text(&shipped.join(manifest), LIMIT_BYTES).unwrap();
        let mut manifest: Value = serde_json::from_str(&text).unwrap();
        for name in manifest["files"].as_object().unwrap().keys() {
            copy(&shipped.join(name), &self.path(id).join(name));
        }
        edit(&mut manifest);
        veriregime_files::write_atomic(&self.path(id).join(MANIFEST_FILE), manifest.to_string().as_bytes()).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn registry(&self) -> Registry {
        Registry::new(self.folder.path())
    }

    fn agent(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_veriregime-agent"))
            .args(["models", "--models", self.folder.path().to_str().unwrap()])
            .args(arguments)
            .env_remove("VERIREGIME_CONFIG")
            .output()
            .unwrap()
    }

    /// What is printed with `--json`.
    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.agent(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn refused(&self, arguments: &[&str], code: &str) -> String {
        let said = self.refused_any(arguments);
        assert!(said.contains(&format!("error {code}: ")) && said.contains("\n  next: "), "{arguments:?}: {said}");
        said
    }

    /// What is said where something is refused, whatever the code.
    fn refused_any(&self, arguments: &[&str]) -> String {
        let output = self.agent(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        said
    }
}

fn copy(from: &Path, to: &Path) {
    veriregime_files::write_atomic(to, &veriregime_files::read_bounded(from, LIMIT_BYTES).unwrap()).unwrap();
}

/// Sets the circuit's accuracy on the test split.
fn with_accuracy(accuracy: f64) -> impl Fn(&mut Value) {
    move |manifest| {
        let figures = &mut manifest["training"]["metrics"]["forecasters"]["student_circuit"]["every_minute"]["figures"];
        let value = figures.pointer_mut("/accuracy/value").expect("the manifest tells an accuracy");
        *value = json!(accuracy);
    }
}

#[test]
fn a_model_is_promoted_and_taken_back() {
    let models = Models::new(&["one", "two", "three"]);
    let registry = models.registry();
    assert_eq!(registry.current().unwrap(), None);
    models.refused(&["rollback"], "VR-MODELS-002");
    models.json(&["promote", "one"]);
    models.refused(&["rollback"], "VR-MODELS-005");
    models.refused(&["promote", "one"], "VR-MODELS-006");
    let change = models.json(&["promote", "two"]);
    assert_eq!((&change["from"], &change["to"]), (&json!("one"), &json!("two")));
    models.json(&["promote", "three"]);
    assert_eq!(registry.current().unwrap().as_deref(), Some("three"));
    assert_eq!(models.json(&["rollback"])["to"], "two");
    assert_eq!(models.json(&["rollback"])["to"], "one");
    models.refused(&["rollback"], "VR-MODELS-005");
    assert_eq!(registry.history().unwrap().len(), 5);
    let listed = models.json(&["list"]);
    assert_eq!(listed["current"], "one");
    let current: Vec<bool> =
        listed["models"].as_array().unwrap().iter().map(|model| model["current"] == json!(true)).collect();
    assert_eq!(current, [true, false, false]);
    assert!(models.agent(&["list"]).status.success() && models.agent(&["show", "one"]).status.success());
}

#[test]
fn a_crash_at_any_point_leaves_the_old_model_or_the_new_one() {
    let models = Models::new(&["one", "two"]);
    let registry = models.registry();
    registry.promote("one", false, 0).unwrap();
    let before = veriregime_files::read_text(&models.path(CURRENT_FILE), 100).unwrap();
    registry.promote("two", false, 1).unwrap();
    // As if the program had died between the two files: the history is new, `current` is old.
    veriregime_files::write_atomic(&models.path(CURRENT_FILE), before.as_bytes()).unwrap();
    assert_eq!(registry.current().unwrap().as_deref(), Some("one"));
    assert_eq!(registry.history().unwrap().len(), 1);
    assert_eq!(registry.rollback(2).expect_err("one was the first").code(), "VR-MODELS-005");
    registry.promote("two", false, 3).unwrap();
    assert_eq!(registry.history().unwrap().len(), 2);
    assert_eq!(registry.rollback(4).unwrap().to, "one");
}

#[test]
fn a_promotion_that_is_killed_leaves_a_whole_state() {
    let models = Models::new(&["one", "two"]);
    models.registry().promote("one", false, 0).unwrap();
    let text = |name: &str| std::fs::read_to_string(models.path(name)).unwrap_or_default();
    let names = || std::fs::read_dir(models.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let started = |_: &str| true;
    let writes = |_: &str| names().any(|name| name.to_string_lossy().starts_with(".partial-"));
    let wrote_history = |before: &str| text(HISTORY_FILE) != before;
    let wrote_current = |_: &str| text(CURRENT_FILE) == "two\n";
    let moments: [&dyn Fn(&str) -> bool; 4] = [&started, &writes, &wrote_history, &wrote_current];
    for moment in moments.iter().cycle().take(12) {
        let history_before = text(HISTORY_FILE);
        let mut child = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"))
            .args(["models", "--models", models.folder.path().to_str().unwrap(), "promote", "two"])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // A moment may be too short to be seen: then the promotion ends.
        while !moment(&history_before) && child.try_wait().unwrap().is_none() {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let registry = models.registry();
        let current = registry.current().unwrap().unwrap();
        let history = registry.history().unwrap();
        assert!(["one", "two"].contains(&current.as_str()));
        assert_eq!(history.last().unwrap().to, current);
        if current == "two" {
            registry.rollback(1).unwrap();
        }
    }
}

#[test]
fn a_worse_model_needs_force() {
    let models = Models::new(&["good"]);
    models.add("bad", with_accuracy(0.6));
    models.json(&["promote", "good"]);
    let said = models.refused(&["promote", "bad"], "VR-MODELS-003");
    assert!(said.contains("accuracy 0.6000 instead of"), "{said}");
    assert_eq!(models.registry().current().unwrap().as_deref(), Some("good"));
    let figures = models.json(&["compare", "good", "bad"]);
    assert_eq!(figures["figures"][0]["second_is"], "worse");
    assert_eq!(models.json(&["compare", "bad", "good"])["figures"][0]["second_is"], "better");
    models.json(&["promote", "bad", "--force"]);
    models.json(&["promote", "good"]);
}

#[test]
fn models_of_different_labels_are_not_compared() {
    let models = Models::new(&["one"]);
    models.add("other", |manifest| manifest["regime"]["threshold"] = json!(0.001));
    models.refused(&["compare", "one", "other"], "VR-MODELS-004");
    models.json(&["promote", "one"]);
    models.refused(&["promote", "other"], "VR-MODELS-004");
    models.json(&["promote", "other", "--force"]);
}

/// Says that the model was tested on other rows.
fn tested_from(date: &'static str) -> impl Fn(&mut Value) {
    move |manifest| manifest["training"]["provenance"]["split"]["test"]["from"] = json!(date)
}

#[test]
fn figures_of_different_test_periods_are_not_compared() {
    let models = Models::new(&["one"]);
    models.add("newer", tested_from("2024-09-01T00:00Z"));
    models.add("unknown", |manifest| manifest["training"]["provenance"] = json!({}));
    for other in ["newer", "unknown"] {
        let said = models.refused(&["compare", "one", other], "VR-MODELS-009");
        assert!(
            said.contains("146209 from 2024-07-30T07:12Z to 2024-11-08T20:01Z") && said.contains("--candles"),
            "{said}"
        );
    }
    models.json(&["promote", "one"]);
    models.refused(&["promote", "newer"], "VR-MODELS-009");
    assert_eq!(models.registry().current().unwrap().as_deref(), Some("one"));
    models.json(&["promote", "newer", "--force"]);
    let listed = models.json(&["list"]);
    assert_eq!(listed["models"][0]["tested_on"]["from"], "2024-09-01T00:00Z");
}

#[test]
fn a_bundle_that_changed_is_not_gone_back_to() {
    let models = Models::new(&["one", "two"]);
    models.json(&["promote", "one"]);
    models.json(&["promote", "two"]);
    models.add("one", with_accuracy(0.99));
    models.refused(&["rollback"], "VR-MODELS-007");
    assert_eq!(models.registry().current().unwrap().as_deref(), Some("two"));
}

#[test]
fn what_is_not_there_or_not_whole_is_refused() {
    let models = Models::new(&["one", "halved"]);
    let said = models.refused(&["promote", "absent"], "VR-MODELS-001");
    assert!(said.contains("halved, one"), "{said}");
    for id in ["../one", ".", CURRENT_FILE] {
        models.refused(&["promote", id], "VR-MODELS-001");
    }
    std::fs::remove_file(models.path("halved").join(PROVING_KEY_FILE)).unwrap();
    models.refused(&["promote", "halved"], "VR-PROVE-004");
    models.refused(&["check"], "VR-PROVE-004");
    models.json(&["check", "one"]);
    let listed = models.json(&["list"]);
    assert_eq!((listed["models"].as_array().unwrap().len(), &listed["broken"][0]["id"]), (1, &json!("halved")));
    models.add("foreign", |manifest| manifest["verification"]["ezkl"]["version"] = json!("22.3.0"));
    models.refused(&["promote", "foreign"], "VR-PROVE-019");
    models.add("reargued", |manifest| manifest["verification"]["ezkl"]["run_args"]["param_scale"] = json!(15));
    models.refused(&["promote", "reargued"], "VR-PROVE-020");
    assert_eq!(models.registry().current().unwrap(), None);
    veriregime_files::write_atomic(&models.path(CURRENT_FILE), b"../elsewhere\n").unwrap();
    models.refused(&["promote", "one"], "VR-MODELS-008");
    veriregime_files::write_atomic(&models.path(CURRENT_FILE), b"one\n").unwrap();
    veriregime_files::write_atomic(&models.path(HISTORY_FILE), b"{}\n").unwrap();
    models.refused(&["rollback"], "VR-MODELS-008");
}

#[test]
fn a_full_disk_changes_nothing() {
    let models = Models::new(&["one", "two"]);
    let Some(disk) = given::small_disk(64) else { return };
    for id in ["one", "two"] {
        std::os::unix::fs::symlink(models.path(id), disk.path().join(id)).unwrap();
    }
    let registry = Registry::new(disk.path());
    registry.promote("one", false, 0).unwrap();
    std::fs::write(disk.path().join("filler"), vec![0; 1 << 20]).expect_err("the disk is small");
    let history = registry.history().unwrap();
    assert_eq!(registry.promote("two", false, 1).expect_err("full").code(), "VR-FILE-003");
    assert_eq!(registry.current().unwrap().as_deref(), Some("one"));
    assert_eq!(registry.history().unwrap(), history);
    std::fs::remove_file(disk.path().join("filler")).unwrap();
    registry.promote("two", false, 2).unwrap();
}

#[test]
fn settings_may_name_the_current_model() {
    let models = Models::new(&["one"]);
    let current = models.path(CURRENT_FILE);
    let settings = models.path("agent.toml");
    veriregime_files::write_private(
        &models.path("key"),
        b"ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    )
    .unwrap();
    let text = format!("[model]\nbundle = {current:?}\n[signer]\nfile = {:?}\n", models.path("key"));
    veriregime_files::write_atomic(&settings, text.as_bytes()).unwrap();
    let check = || {
        Command::new(env!("CARGO_BIN_EXE_veriregime-agent"))
            .args(["--config", settings.to_str().unwrap(), "config", "check"])
            .output()
            .unwrap()
    };
    let refused = check();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("error VR-CONFIG-002") && said.contains("models promote"), "{said}");
    models.json(&["promote", "one"]);
    let accepted = check();
    assert!(accepted.status.success(), "{}", String::from_utf8_lossy(&accepted.stderr));
}
