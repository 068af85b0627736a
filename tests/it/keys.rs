//! Keys in encrypted files: made, imported, used, and never shown.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ::veriregime_files;
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use veriregime_agent::actions::risk_oracle::abi::registry::ModelRegistry;
use veriregime_agent::chain::signer::{Signer, keystore};
use veriregime_agent::config::signer::{Holder, Signer as Settings};
use veriregime_core::types::cycle::Stage;
use veriregime_core::types::diagnostic::Diagnostic;

use crate::world::{FIRST, KEYS, World, toml};

/// With geth's own scrypt parameters, made by other programs; its passphrase is "correct horse battery staple".
const SCRYPT: &str = r#"{"address": "70997970c51812dc3a010c7d01b50e0d17dc79c8", "crypto": {"cipher": "aes-128-ctr",
"ciphertext": "cee7697c355c59ec751bd068de65e4a63eea7b970885e04036464fac7b4c36b9", "cipherparams": {"iv":
"101112131415161718191a1b1c1d1e1f"}, "kdf": "scrypt", "kdfparams": {"dklen": 32, "n": 262144, "p": 1, "r": 8, "salt":
"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"}, "mac":
"5be69baed916399bd224d58055ed78c733985efc272b66be3ca9e49d09f609a8"}, "id": "5e6c1b1e-2b0a-4f6e-9a63-0a9f7a5d6c11",
"version": 3}"#;
/// The PBKDF2 vector of the Web3 Secret Storage definition; its passphrase is "testpassword".
const PBKDF2: &str = r#"{"crypto": {"cipher": "aes-128-ctr", "cipherparams": {"iv": "6087dab2f9fdbbfaddc31a909735c1e6"},
"ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46", "kdf": "pbkdf2", "kdfparams": {"c": 262144,
"dklen": 32, "prf": "hmac-sha256", "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},
"mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"}, "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
"version": 3}"#;
const PBKDF2_ADDRESS: &str = "0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b";
/// The address of the first of [`KEYS`].
const ADDRESS: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

/// A folder with keys, and the program in it.
struct Keys(TempDir);

impl Keys {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut program = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
        let mut child = program
            .args(arguments)
            .current_dir(self.0.path())
            .env_remove("VERIREGIME_CONFIG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It may have ended before it reads.
        let _unread = child.stdin.take().unwrap().write_all(input);
        child.wait_with_output().unwrap()
    }

    fn done(&self, arguments: &[&str], input: &str) -> String {
        let output = self.run(arguments, input.as_bytes());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn refused(&self, arguments: &[&str], input: &str, code: &str) -> String {
        self.refused_bytes(arguments, input.as_bytes(), code)
    }

    fn refused_bytes(&self, arguments: &[&str], input: &[u8], code: &str) -> String {
        let output = self.run(arguments, input);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains(&format!("error {code}: ")) && said.contains("\n  next: "), "{arguments:?}: {said}");
        said
    }

    /// What `key address` says to this wallet's section.
    fn address(&self, section: &Value) -> Output {
        veriregime_files::write_atomic(&self.path("agent.toml"), toml(&json!({"signer": section})).as_bytes()).unwrap();
        self.run(&["--config", "agent.toml", "--json", "key", "address"], b"")
    }

    fn address_refused(&self, section: &Value, code: &str) {
        veriregime_files::write_atomic(&self.path("agent.toml"), toml(&json!({"signer": section})).as_bytes()).unwrap();
        self.refused(&["--config", "agent.toml", "key", "address"], "", code);
    }
}

fn mode(path: &Path) -> u32 {
    veriregime_files::mode(path).unwrap().mode() & 0o777
}

const NEW: [&str; 5] = ["key", "new", "wallet.json", "--passphrase-file", "wallet.passphrase"];

#[test]
fn a_new_key_is_private_opens_again_and_is_never_overwritten() {
    let keys = Keys::new();
    let address = keys.done(&NEW, "");
    assert_eq!((mode(&keys.path("wallet.json")), mode(&keys.path("wallet.passphrase"))), (0o600, 0o600));
    let sealed = std::fs::read_to_string(keys.path("wallet.json")).unwrap();
    let parsed: Value = serde_json::from_str(&sealed).unwrap();
    assert_eq!((&parsed["version"], &parsed["crypto"]["kdf"]), (&json!(3), &json!("scrypt")));
    assert_eq!(format!("0x{}", parsed["address"].as_str().unwrap()), address.to_lowercase());
    let section = json!({"kind": "keystore", "file": "wallet.json", "passphrase_file": "wallet.passphrase"});
    let said: Value = serde_json::from_slice(&keys.address(&section).stdout).unwrap();
    assert_eq!((&said["wallet"], &said["attestor"]), (&json!(address), &json!(address)));

    let said = keys.refused(&NEW, "", "VR-KEY-008");
    assert!(said.contains("wallet.json is there already"), "{said}");
    assert_eq!(std::fs::read_to_string(keys.path("wallet.json")).unwrap(), sealed);
    let other = keys.done(&["key", "new", "other.json", "--passphrase-file", "wallet.passphrase"], "");
    assert_ne!(other, address, "another key with the same passphrase");
}

#[test]
fn a_key_is_imported_from_a_file_or_a_pipe_and_shown_nowhere() {
    let keys = Keys::new();
    veriregime_files::write_private(&keys.path("raw"), KEYS[0].as_bytes()).unwrap();
    veriregime_files::write_private(&keys.path("pass"), b"correct horse battery staple\n").unwrap();
    let import = |name: &'static str| ["key", "import", name, "--passphrase-file", "pass"];
    assert_eq!(keys.done(&[&import("a.json")[..], &["--from", "raw"]].concat(), ""), ADDRESS);
    assert_eq!(keys.done(&import("b.json"), &format!("0x{}\n", KEYS[0])), ADDRESS);
    for name in ["a.json", "b.json"] {
        assert!(!std::fs::read_to_string(keys.path(name)).unwrap().contains(&KEYS[0][..8]));
    }
    let said = keys.refused(&import("c.json"), "correct horse", "VR-KEY-003");
    assert!(!said.contains("horse"), "what might be a key must not be printed: {said}");
    keys.refused(&import("c.json"), &"0".repeat(64), "VR-KEY-003");
    std::fs::set_permissions(keys.path("raw"), std::fs::Permissions::from_mode(0o644)).unwrap();
    keys.refused(&[&import("c.json")[..], &["--from", "raw"]].concat(), "", "VR-KEY-002");
    assert!(!keys.path("c.json").exists());
    // There is no way to pass a key as an argument.
    assert_eq!(keys.run(&[&import("c.json")[..], &["--key", KEYS[0]]].concat(), b"").status.code(), Some(2));
}

#[test]
fn a_key_that_cannot_be_used_says_why() {
    let keys = Keys::new();
    veriregime_files::write_private(&keys.path("raw"), KEYS[0].as_bytes()).unwrap();
    for (name, text) in [
        ("scrypt.json", SCRYPT),
        ("pbkdf2.json", PBKDF2),
        ("horse", "correct horse battery staple\n"),
        ("pass", "testpassword"),
    ] {
        veriregime_files::write_private(&keys.path(name), text.as_bytes()).unwrap();
    }
    let keystore =
        |file: &str, passphrase: &str| json!({"kind": "keystore", "file": file, "passphrase_file": passphrase});
    for (file, passphrase, address) in [("scrypt.json", "horse", ADDRESS), ("pbkdf2.json", "pass", PBKDF2_ADDRESS)] {
        let said: Value = serde_json::from_slice(&keys.address(&keystore(file, passphrase)).stdout).unwrap();
        assert_eq!(said["wallet"], address);
    }
    keys.address_refused(&keystore("pbkdf2.json", "horse"), "VR-KEY-004");
    let (short_key, short_iv) = (SCRYPT.replace("\"dklen\": 32", "\"dklen\": 3"), PBKDF2.replace("35c1e6\"", "\""));
    for broken in ["", "{}", &SCRYPT[..300], &short_key, &short_iv] {
        veriregime_files::write_private(&keys.path("broken.json"), broken.as_bytes()).unwrap();
        keys.address_refused(&keystore("broken.json", "pass"), "VR-KEY-004");
    }
    keys.address_refused(&keystore("absent.json", "pass"), "VR-KEY-001");
    std::fs::set_permissions(keys.path("scrypt.json"), std::fs::Permissions::from_mode(0o640)).unwrap();
    keys.address_refused(&keystore("scrypt.json", "horse"), "VR-KEY-002");
    keys.address_refused(&json!({"kind": "file", "file": "raw", "address": PBKDF2_ADDRESS}), "VR-KEY-007");
    let good = keys.address(&json!({"kind": "file", "file": "raw", "address": ADDRESS}));
    assert!(good.status.success());
    keys.address_refused(&json!({"kind": "file", "address": "0x12"}), "VR-CONFIG-002");
}

/// Keystores as they come from elsewhere; the passphrase of all is "pass phrase 1".
fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/keystores").join(name)
}

#[test]
fn a_keystore_that_is_not_what_it_seems_is_refused_before_it_is_anybody_s_wallet() {
    let keys = Keys::new();
    veriregime_files::write_private(&keys.path("pass"), b"pass phrase 1\n").unwrap();
    let section = json!({"kind": "keystore", "file": "wallet.json", "passphrase_file": "pass"});
    for (name, code, named) in [
        ("cbc.json", "VR-KEY-010", "its cipher is \"aes-128-cbc\", and only aes-128-ctr is known"),
        ("wrongaddr.json", "VR-KEY-011", "it is of 0x0000000000000000000000000000000000000000"),
        ("iv8.json", "VR-KEY-004", "crypto.cipherparams.iv is not 16 bytes"),
    ] {
        veriregime_files::write_private(&keys.path("wallet.json"), &std::fs::read(case(name)).unwrap()).unwrap();
        keys.address_refused(&section, code);
        let said = keys.refused(&["--config", "agent.toml", "key", "address"], "", code);
        assert!(said.contains(named) && said.lines().count() == 2, "{name}: {said}");
    }
    veriregime_files::write_private(&keys.path("wallet.json"), &std::fs::read(case("ethers.json")).unwrap()).unwrap();
    let said: Value = serde_json::from_slice(&keys.address(&section).stdout).unwrap();
    assert_eq!(said["wallet"], "0x0648AdFEBEAc6cA0C96320848A5F17D843149477");
}

#[test]
fn a_secret_for_a_group_of_this_process_is_taken_where_nobody_can_write_it() {
    let keys = Keys::new();
    veriregime_files::write_private(&keys.path("raw"), KEYS[0].as_bytes()).unwrap();
    let section = json!({"kind": "file", "file": "raw"});
    let with_mode = |mode: u32, group: Option<u32>| {
        std::os::unix::fs::chown(keys.path("raw"), None, group).unwrap();
        std::fs::set_permissions(keys.path("raw"), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    with_mode(0o440, None);
    assert!(keys.address(&section).status.success());
    with_mode(0o444, None);
    keys.address_refused(&section, "VR-KEY-002");
    // Only root can give a file to a group that it is not of.
    if belongs_to_root(&keys.path("raw")) {
        with_mode(0o440, Some(54_321));
        keys.address_refused(&section, "VR-KEY-002");
    }
}

/// Whether a file that we made belongs to root, which we are then.
fn belongs_to_root(path: &Path) -> bool {
    std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(path).unwrap()) == 0
}

#[test]
fn a_key_file_or_pipe_that_holds_something_else_says_what_and_has_a_code() {
    let keys = Keys::new();
    let import = ["key", "import", "wallet.json", "--passphrase-file", "pass"];
    veriregime_files::write_private(&keys.path("pass"), b"correct horse battery staple\n").unwrap();
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(KEYS[0].encode_utf16().flat_map(u16::to_le_bytes)).collect();
    for (bytes, named) in [
        (utf16, "it is UTF-16 text"),
        (hex::decode(KEYS[0]).unwrap(), "it holds 32 bytes as they are"),
        (vec![0xff; 40], "it is binary"),
        (KEYS[0].as_bytes()[..63].to_vec(), "it holds fewer digits"),
        (Vec::new(), "it is empty"),
    ] {
        veriregime_files::write_private(&keys.path("raw"), &bytes).unwrap();
        let from_file = keys.refused(&[&import[..], &["--from", "raw"]].concat(), "", "VR-KEY-003");
        let from_pipe = keys.refused_bytes(&import, &bytes, "VR-KEY-003");
        for said in [from_file, from_pipe] {
            assert!(said.contains(named) && !said.contains(&KEYS[0][..8]), "{named}: {said}");
        }
    }
    let utf16: Vec<u8> = "pass".encode_utf16().flat_map(u16::to_le_bytes).collect();
    veriregime_files::write_private(&keys.path("pass"), &utf16).unwrap();
    let said = keys.refused(&import, KEYS[0], "VR-KEY-003");
    assert!(said.contains("a passphrase of one line: it is binary, or UTF-16 text"), "{said}");
}

#[test]
fn keys_that_are_elsewhere_want_a_build_that_knows_how_to_ask() {
    let keys = Keys::new();
    for (kind, is_built) in [
        ("aws-kms", cfg!(feature = "kms-aws")),
        ("gcp-kms", cfg!(feature = "kms-gcp")),
        ("ledger", cfg!(feature = "ledger")),
    ] {
        let code = if is_built { "VR-KEY-006" } else { "VR-KEY-005" };
        keys.address_refused(&json!({"kind": kind, "key": "nothing", "address": ADDRESS}), code);
    }
    let text = toml(&json!({"chain": {"oracle": ADDRESS}, "signer": {"kind": "ledger", "address": ADDRESS}}));
    veriregime_files::write_atomic(&keys.path("agent.toml"), text.as_bytes()).unwrap();
    keys.refused(&["--config", "agent.toml", "tx", "list"], "", "VR-KEY-009");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_runs_on_two_keystores_and_says_nothing_of_keys_or_passphrases() {
    let mut world = World::new().await;
    let attestors = World::attestors(3);
    world.announce_and_call(&ModelRegistry::setAttestorsCall { attestors, threshold: 1 }).await;
    let passphrases = ["open sesame", "abracadabra"];
    for (index, passphrase) in passphrases.into_iter().enumerate() {
        let (file, passphrase_file) = (
            world.scratch.path().join(format!("{index}.json")),
            world.scratch.path().join(format!("{index}.passphrase")),
        );
        veriregime_files::write_private(&passphrase_file, passphrase.as_bytes()).unwrap();
        let key = SecretString::from(KEYS[index + 1]);
        let made = keystore::write(&file, Some(&key), &SecretString::from(passphrase)).await.unwrap();
        let settings = Settings { address: Some(made.address()), holder: Holder::Keystore { file, passphrase_file } };
        if index == 0 {
            world.config.signer = settings;
        } else {
            world.config.attestor = Some(settings);
        }
    }
    world.enter(FIRST).await;
    let mut agent = world.agent("agent.sqlite").await;
    assert_ne!(agent.chain.address(), agent.chain.attestor());
    assert_eq!(agent.run(FIRST, &CancellationToken::new()).await.unwrap().stage, Stage::Confirmed);
    world.judge(FIRST, 1).await;
    // Neither what is printed to find errors, nor what the program says at its loudest.
    let shown = format!("{agent:?} {:?}", world.config);
    drop(agent);
    let mut settings = world.settings();
    settings["log"] = json!({"level": "trace"});
    let said = world.program_with(&settings, &["key", "address"]);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let config = world.program_with(&settings, &["tx", "list"]);
    let said = [said.stdout, said.stderr, config.stdout, config.stderr].concat();
    let everything = shown + &String::from_utf8_lossy(&said);
    for secret in KEYS.iter().map(|key| &key[..16]).chain(passphrases) {
        assert!(!everything.to_lowercase().contains(secret), "a secret is shown");
    }
    let (wrong, file) = (SecretString::from("open barley"), world.scratch.path().join("0.json"));
    let fault = Signer::from_keystore(&file, &wrong).await.expect_err("another passphrase");
    assert!(fault.code() == "VR-KEY-004" && !format!("{fault} {fault:?}").contains("barley"));
}
