//! Bundles of manifest 1, and kinds that have no job yet.

use std::path::Path;
use std::process::Command;

use ::veriregime_files;
use serde_json::json;
use veriregime_agent::bundle::Bundle;
use veriregime_agent::bundle::registry::Registry;
use veriregime_agent::bundle::reliability::RELIABILITY_FILE;
use veriregime_agent::node::assemble;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::card::VERIFICATION_CARD_FILE;
use veriregime_core::types::manifest::verification::{Verification, Way};
use veriregime_core::types::manifest::{MANIFEST_1_FILE, MANIFEST_FILE, Manifest, ONNX_FILE, VERIFIER_FILE};

use super::{LIMIT_BYTES, Models, SHIPPED, copy};

/// Digest of the manifest that the shipped bundle was converted to, before it offered other ways of verification.
const CONVERTED: &str = "25a290d5132cf8ffbce012dcd98e79480354671b2d887ce2b00056084c0a914d";

/// All bytes of a file of a bundle.
fn bytes(folder: &Path, name: &str) -> Vec<u8> {
    veriregime_files::read_bounded(&folder.join(name), LIMIT_BYTES).unwrap()
}

#[test]
fn a_bundle_of_schema_1_is_refused_by_name_of_the_command_that_converts_it() {
    let models = Models::new(&[]);
    models.add_from(MANIFEST_1_FILE, "old", |_| ());
    let (old, shipped) = (models.path("old"), Path::new(env!("CARGO_MANIFEST_DIR")).join(SHIPPED));
    copy(&shipped.join(MANIFEST_1_FILE), &old.join(MANIFEST_FILE));
    let command = format!("veriregime-agent models upgrade {}", old.display());
    for arguments in [&["show", "old"][..], &["check"], &["promote", "old"]] {
        let said = models.refused(arguments, "VR-MANIFEST-001");
        assert!(said.contains(&command), "{said}");
    }
    let listed = models.json(&["list"]);
    assert!(listed["broken"][0]["fault"].as_str().unwrap().contains(&command), "{listed}");

    // Into another folder: the old one stays as it is.
    let (before, to) = (bytes(&old, MANIFEST_FILE), models.path("new"));
    let said = models.json(&["upgrade", old.to_str().unwrap(), "--to", to.to_str().unwrap()]);
    assert_eq!(said["manifest_before"], Digest::of(&before).to_string());
    assert_eq!(said["manifest"], Digest::of(&bytes(&to, MANIFEST_FILE)).to_string());
    assert_eq!(bytes(&old, MANIFEST_FILE), before);
    models.refused(&["upgrade", old.to_str().unwrap(), "--to", to.to_str().unwrap()], "VR-MANIFEST-006");

    // In its place: what the shipped bundle was converted by, so that its first manifest comes out byte for byte.
    let output = models.agent(&["upgrade", old.to_str().unwrap()]);
    let said = String::from_utf8(output.stdout).unwrap();
    let now: Digest = CONVERTED.parse().unwrap();
    for words in [Digest::of(&before).to_string(), now.to_string(), "A contract that runs the old manifest".into()] {
        assert!(said.contains(&words), "{said}");
    }
    for folder in [&old, &to] {
        let bundle = Bundle::open(folder).unwrap();
        assert_eq!((bundle.manifest_digest, bytes(folder, MANIFEST_1_FILE)), (now, before.clone()));
        for name in bundle.manifest.files.keys() {
            assert_eq!(bytes(folder, name), bytes(&shipped, name), "{name}");
        }
    }
    models.refused(&["upgrade", old.to_str().unwrap()], "VR-MANIFEST-005");
    models.json(&["promote", "old"]);
}

#[test]
fn a_damaged_bundle_is_not_converted() {
    let models = Models::new(&[]);
    let upgrade = |id: &str| models.refused_any(&["upgrade", models.path(id).to_str().unwrap()]);
    models.add_from(MANIFEST_1_FILE, "odd", |manifest| manifest["circuit"]["instances"] = json!(20));
    assert!(upgrade("odd").contains("VR-PROVE-005"));
    models.add_from(MANIFEST_1_FILE, "foreign", |manifest| manifest["circuit"]["ezkl_version"] = json!("22.3.0"));
    assert!(upgrade("foreign").contains("VR-PROVE-019"));
    models.add_from(MANIFEST_1_FILE, "flipped", |_| ());
    let mut verifier = bytes(&models.path("flipped"), VERIFIER_FILE);
    verifier[0] ^= 1;
    veriregime_files::write_atomic(&models.path("flipped").join(VERIFIER_FILE), &verifier).unwrap();
    assert!(upgrade("flipped").contains("VR-PROVE-003"));
    models.add_from(MANIFEST_1_FILE, "headless", |_| ());
    std::fs::remove_file(models.path("headless").join(ONNX_FILE)).unwrap();
    assert!(upgrade("headless").contains("VR-PROVE-004"));
    for id in ["odd", "foreign", "flipped", "headless"] {
        assert!(!models.path(id).join(MANIFEST_1_FILE).exists(), "{id} is left as it was");
    }
    assert!(upgrade("absent").contains("VR-PROVE-004"));
}

/// The manifest that the shipped bundle was converted to: other ways of verification, and their card, came later, as did the table of its
/// reliability.
fn first_of(bundle: &Bundle) -> Manifest {
    let mut manifest = bundle.manifest.clone();
    let later = Verification { ezkl: None, ..std::mem::take(&mut manifest.verification) };
    let is_later = |name: &str| name == VERIFICATION_CARD_FILE || name == RELIABILITY_FILE;
    manifest.files.retain(|name, _| later.files().all(|file| file != name) && !is_later(name));
    manifest.verification.ezkl.clone_from(&bundle.manifest.verification.ezkl);
    manifest
}

/// What a contract knows of the model before its manifest was converted, the converted bundle still says.
#[test]
fn a_converted_bundle_is_found_by_the_digest_of_its_old_manifest() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join(SHIPPED);
    let old_digest = Digest::of(&bytes(&shipped, MANIFEST_1_FILE));
    let registry = Registry::new(shipped.parent().unwrap());
    let (old, new) = (registry.with_manifest(old_digest).unwrap().unwrap(), Bundle::open(&shipped).unwrap());
    assert_eq!((old.manifest_digest, &old.manifest), (old_digest, &first_of(&new)));
    let [mut expected, today] = [&old, &new].map(|bundle| assemble::expected(bundle, Way::Ezkl).unwrap());
    assert_eq!(expected.feature_spec.to_string(), "3193619ec3a8915f923d7f8aa2de8aed078c75c187aece3c62a6a32e4d8ffda7");
    let verifier = alloy::primitives::Address::ZERO;
    assert_ne!(expected.model_id(verifier), today.model_id(verifier), "a contract must be told of the new one");
    expected.manifest = today.manifest;
    assert_eq!(expected.model_id(verifier), today.model_id(verifier), "nothing but the manifest's digest changed");
    assert!(registry.with_manifest(Digest::of(b"another")).unwrap().is_none());
}

/// The kinds that have no job yet are refused by everything that would forecast, prove or deploy with them.
#[test]
fn a_model_that_is_no_regime_model_is_told_so() {
    let models = Models::new(&[]);
    models.add("table", |manifest| {
        manifest["inputs"] = json!({"kind": "table", "input_scale": 13, "columns": [
            {"name": "difficulty", "unit": "hashes / 2^32", "mean": 1e14, "standard_deviation": 2.5e13, "clip": 4.0},
        ]});
        manifest["verification"].as_object_mut().unwrap().retain(|way, _| way == "ezkl");
        manifest["verification"]["ezkl"]["instances"] = json!(4);
    });
    models.add("weekly", |manifest| manifest["grid"]["period_seconds"] = json!(604_800));
    models.add("flat", |manifest| manifest["model"]["layers"] = json!([{"linear": 3}]));
    let show = String::from_utf8(models.agent(&["show", "table"]).stdout).unwrap();
    assert!(show.contains("1 of a table"), "{show}");
    for (id, code) in [("table", "VR-MANIFEST-002"), ("weekly", "VR-MANIFEST-003"), ("flat", "VR-MODEL-011")] {
        let output = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"))
            .args([
                "prove",
                "--candles",
                "none.csv",
                "--at",
                "2024-08-05",
                "--model",
                models.path(id).to_str().unwrap(),
            ])
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(&format!("error {code}: ")), "{id}: {said}");
    }
}
