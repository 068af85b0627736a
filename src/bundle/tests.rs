use super::*;
use serde_json::json;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::manifest::regime::outputs;
use veriregime_core::types::manifest::{ONNX_FILE, SCHEMA, VERIFYING_KEY_FILE};
use veriregime_core::types::period::Grid;

const REQUIRED_FILES: [&str; 7] = {
    let [one, two, three, four, five, six] = EzklCircuit::FILES;
    [ONNX_FILE, one, two, three, four, five, six]
};

fn manifest() -> Manifest {
    serde_json::from_value(json!({
        "schema": SCHEMA, "model_id": "m",
        "inputs": {"kind": "candles", "markets": [{"name": "BTC-USD", "symbol": "BTCUSDT"}],
            "features": {"candle": [{"feature": {"name": "log_rms_return", "minutes": 60}, "mean": 0.0, "standard_deviation": 1.0}],
                "calendar": [], "clip": 4.0, "input_scale": 13, "lookback_minutes": 61, "max_missing_minutes": 1}},
        "model": {"kind": "layers", "param_scale": 16, "layers": [{"linear": 3}]},
        "outputs": outputs(74),
        "grid": Grid::FOUR_HOURS,
        "regime": {"threshold": 0.0005},
        "verification": {"ezkl": {"version": "23.0.5", "run_args": {"input_visibility": "public", "logrows": 7},
            "logrows": 8, "rows": 9, "instances": 4, "proof_bytes": 1856, "srs_sha256": "00".repeat(32), "srs_is_ceremony": true,
            "verifier_code_hash": format!("0x{}", "00".repeat(32)), "files": EzklCircuit::FILES}},
        "files": {},
        "training": {"provenance": null, "metrics": null}
    }))
    .unwrap()
}

fn write_settings(folder: &Path, version: &str, visibility: &str, logrows: u32) {
    let run_args = json!({"input_visibility": visibility, "logrows": logrows, "decomp_base": 16_384});
    let settings = json!({"run_args": run_args, "version": version});
    veriregime_files::write_atomic(&folder.join(SETTINGS_FILE), settings.to_string().as_bytes()).unwrap();
}

fn sealed() -> (tempfile::TempDir, Bundle) {
    let folder = tempfile::tempdir().unwrap();
    for name in REQUIRED_FILES {
        veriregime_files::write_atomic(&folder.path().join(name), name.as_bytes()).unwrap();
    }
    write_settings(folder.path(), EZKL_VERSION, "Public", 7);
    let bundle = Bundle::seal(folder.path(), manifest()).unwrap();
    (folder, bundle)
}

#[test]
fn one_wrong_byte_in_any_file_refuses_and_names_it() {
    for name in REQUIRED_FILES {
        let (folder, bundle) = sealed();
        let path = bundle.path(name);
        let whole = veriregime_files::read_bounded(&path, 1 << 10).unwrap();
        let mut flipped = whole.clone();
        flipped[0] ^= 1;
        let padded = [&whole[..], &[0]].concat();
        for wrong in [&flipped, &whole[1..].to_vec(), &padded] {
            veriregime_files::write_atomic(&path, wrong).unwrap();
            let fault = Bundle::open(folder.path()).expect_err(name);
            assert_eq!(fault.code(), "VR-PROVE-003");
            assert!(fault.to_string().contains(name), "{fault}");
        }
        std::fs::remove_file(&path).unwrap();
        let fault = Bundle::open(folder.path()).expect_err(name);
        assert_eq!(fault.code(), "VR-PROVE-004");
        assert!(fault.to_string().contains(name), "{fault}");
    }
}

#[test]
fn what_the_manifest_does_not_name_is_ignored_and_its_digest_is_that_of_its_bytes() {
    let (folder, bundle) = sealed();
    veriregime_files::write_atomic(&folder.path().join("notes.txt"), b"mine").unwrap();
    let again = Bundle::open(folder.path()).unwrap();
    assert_eq!(again.manifest_digest, bundle.manifest_digest);
    let bytes = veriregime_files::read_bounded(&bundle.path(MANIFEST_FILE), 1 << 20).unwrap();
    assert_eq!(bundle.manifest_digest, Digest::of(&bytes));
}

#[test]
fn what_another_ezkl_or_other_arguments_made_is_refused() {
    let (folder, bundle) = sealed();
    let sealed_again = |version, visibility, logrows| {
        write_settings(folder.path(), version, visibility, logrows);
        Bundle::seal(folder.path(), bundle.manifest.clone()).map_err(|fault| fault.code())
    };
    assert_eq!(sealed_again("22.3.0", "Public", 7).err(), Some("VR-PROVE-019"));
    assert_eq!(sealed_again(EZKL_VERSION, "Private", 7).err(), Some("VR-PROVE-020"));
    assert_eq!(sealed_again(EZKL_VERSION, "Public", 8).err(), Some("VR-PROVE-020"));
    assert!(sealed_again(EZKL_VERSION, "Public", 7).is_ok());
    let mut other = bundle.manifest.clone();
    other.verification.ezkl.as_mut().unwrap().version = "24.0.0".to_owned();
    assert_eq!(Bundle::seal(folder.path(), other).expect_err("another version").code(), "VR-PROVE-019");
}

#[test]
fn a_manifest_that_contradicts_itself_is_refused() {
    let (folder, bundle) = sealed();
    let edits: [fn(&mut Value); 4] = [
        |document| document["schema"] = json!(3),
        |document| document["files"]["../pk.key"] = json!("00".repeat(32)),
        |document| drop(document["files"].as_object_mut().unwrap().remove(VERIFYING_KEY_FILE)),
        |document| document["surprise"] = json!(1),
    ];
    for edit in edits {
        let mut document = serde_json::to_value(&bundle.manifest).unwrap();
        edit(&mut document);
        veriregime_files::write_atomic(&bundle.path(MANIFEST_FILE), document.to_string().as_bytes()).unwrap();
        assert_eq!(Bundle::open(folder.path()).expect_err("edited").code(), "VR-PROVE-005");
    }
    std::fs::remove_file(bundle.path(MANIFEST_FILE)).unwrap();
    assert_eq!(Bundle::open(folder.path()).expect_err("no manifest").code(), "VR-PROVE-004");
}

/// Measured numbers came out of a set-up with another last digit, and the model by another digest.
#[test]
fn what_a_set_up_does_not_touch_keeps_its_digits() {
    let (folder, bundle) = sealed();
    let path = folder.path().join(MANIFEST_FILE);
    let written = std::fs::read_to_string(&path).unwrap();
    // The nearest number to the first prints as another; nobody would print the second.
    let measured = [("\"mean\": 0.0", "\"mean\": -7.8996490900000000003e0"), ("\"clip\": 4.0", "\"clip\": 4.000")];
    let written = measured.iter().fold(written, |text, (from, to)| {
        assert!(text.contains(from), "no {from} in {text}");
        text.replace(from, to)
    });
    std::fs::write(&path, &written).unwrap();
    let manifest = Bundle::open(&bundle.folder).unwrap().manifest;
    assert_eq!(Bundle::seal(&bundle.folder, manifest.clone()).unwrap().manifest, manifest);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), written, "nothing has changed");

    let mut other = manifest;
    other.verification.ezkl.as_mut().unwrap().verify_gas = Some(400_000);
    other.outputs[0].scale += 1;
    let sealed = Bundle::seal(&bundle.folder, other.clone()).unwrap();
    assert_eq!(sealed.manifest, other);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(measured.iter().all(|(_, kept)| text.contains(kept)) && text.contains("\"verify_gas\": 400000"), "{text}");
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
    let new: Vec<_> = lines(&text).difference(&lines(&written)).cloned().collect();
    assert!(
        new.iter().all(|line| ["verify_gas", "scale", "verifier_code_hash"].iter().any(|name| line.contains(name))),
        "{new:?}"
    );
}
