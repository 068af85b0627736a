//! Who may use whom, checked against the source.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The modules that each module may name, itself and the leaves apart.
const MAY_USE: &[(&str, &[&str])] = &[
    ("actions", &["attestation", "chain"]),
    ("alerts", &["health", "sources", "state", "telemetry"]),
    ("api", &["actions", "attestation", "chain", "evidence", "health", "state", "telemetry"]),
    ("attestation", &["chain", "state"]),
    (
        "audit",
        &[
            "actions",
            "alerts",
            "bundle",
            "chain",
            "config",
            "deployment",
            "diagnosis",
            "evidence",
            "job",
            "node",
            "render",
            "state",
            "verification",
        ],
    ),
    (
        "bench",
        &[
            "actions",
            "api",
            "attestation",
            "bundle",
            "chain",
            "config",
            "devnet",
            "job",
            "node",
            "render",
            "sources",
            "state",
            "telemetry",
            "verification",
        ],
    ),
    ("bundle", &[]),
    ("chain", &["telemetry"]),
    ("config", &["telemetry"]),
    ("demo", &["actions", "bundle", "config", "devnet", "job", "node", "render", "sources", "state"]),
    ("deployment", &["actions", "bundle", "chain", "config", "render", "state"]),
    ("devnet", &["actions", "bundle", "chain", "config", "deployment", "diagnosis", "node", "verification"]),
    (
        "diagnosis",
        &[
            "actions",
            "alerts",
            "api",
            "attestation",
            "bundle",
            "chain",
            "config",
            "deployment",
            "evidence",
            "job",
            "sources",
            "state",
            "verification",
        ],
    ),
    ("doctor", &["bundle", "chain", "config", "devnet", "diagnosis", "health", "job", "node", "render", "state"]),
    ("evidence", &[]),
    ("forecast", &["state"]),
    ("health", &["actions", "bundle", "chain", "sources", "telemetry", "verification"]),
    (
        "job",
        &[
            "actions",
            "attestation",
            "bundle",
            "chain",
            "evidence",
            "forecast",
            "sources",
            "state",
            "telemetry",
            "verification",
        ],
    ),
    ("modelling", &["bundle", "chain", "config", "devnet", "diagnosis", "render", "sources", "verification"]),
    (
        "node",
        &[
            "actions",
            "alerts",
            "api",
            "attestation",
            "bundle",
            "chain",
            "config",
            "deployment",
            "diagnosis",
            "evidence",
            "health",
            "job",
            "sources",
            "state",
            "telemetry",
            "verification",
        ],
    ),
    (
        "operator",
        &[
            "actions",
            "bundle",
            "chain",
            "config",
            "diagnosis",
            "evidence",
            "health",
            "job",
            "node",
            "render",
            "sources",
            "state",
            "verification",
        ],
    ),
    ("render", &[]),
    ("sources", &["render"]),
    ("state", &[]),
    ("telemetry", &[]),
    ("verification", &["bundle"]),
];
/// Small modules that every other may use.
const LEAVES: [&str; 2] = ["clock", "http"];
/// Where an outside crate, or a part of the standard library, may be named.
const OWNERS: [(&str, &[&str]); 15] = [
    // With the macros of `cmd::print`, which no closed pipe ends with a panic.
    ("print!(", &["cmd/"]),
    ("println!(", &["cmd/"]),
    ("plotters::", &[]),
    ("reqwest::", &["http.rs", "alerts/webhook.rs", "sources/candles/http.rs", "chain/", "attestation/peers.rs"]),
    ("rusqlite::", &["state/"]),
    ("burn::", &[]),
    ("tract_onnx::", &[]),
    ("axum::", &["sources/candles/serve/", "api/", "chain/read_only_proxy.rs"]),
    ("utoipa", &["api/"]),
    ("hyper", &["api/server.rs"]),
    ("metrics_exporter_prometheus", &["telemetry/"]),
    ("std::fs", &["sources/candles/parquet.rs"]),
    ("SystemTime", &["clock.rs"]),
    ("alloy::providers", &["actions/", "chain/", "deployment/", "devnet/"]),
    ("alloy::signers", &["chain/"]),
];
const MAX_LINES: usize = 400;

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Every source with its path below `src` and its text up to its unit tests.
fn read() -> BTreeMap<String, String> {
    read_below("src")
}

/// The same of another folder of sources.
fn read_below(folder: &str) -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Vec::new();
    sources(&root, &mut found);
    let own = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        text.split("#[cfg(test)]").next().unwrap_or_default().to_owned()
    };
    let is_test = |path: &str| path.ends_with("tests.rs") || path.contains("/tests/");
    let below = |path: &PathBuf| path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
    found.iter().map(|path| (below(path), own(path))).filter(|(path, _)| !is_test(path)).collect()
}

#[test]
fn no_module_uses_one_that_it_may_not() {
    let mut wrong = String::new();
    for (path, text) in read() {
        let module = path.split(['/', '.']).next().unwrap();
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == module) else { continue };
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for used in line.split("crate::").skip(1) {
                let used = used.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next().unwrap();
                let leaf = LEAVES.contains(&used);
                if !used.is_empty() && used != module && !leaf && !allowed.contains(&used) {
                    writeln!(wrong, "{path}: {}", line.trim()).unwrap();
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn outside_crates_stay_with_their_owners() {
    let mut wrong = String::new();
    for (path, text) in read() {
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for (name, owners) in OWNERS {
                if line.contains(name) && !owners.iter().any(|owner| path.starts_with(owner)) {
                    writeln!(wrong, "{path} names {name}: {}", line.trim()).unwrap();
                }
            }
            if line.trim_start().starts_with("pub use") || line.contains("mod utils") {
                writeln!(wrong, "{path}: {}", line.trim()).unwrap();
            }
        }
        if text.lines().count() > MAX_LINES {
            writeln!(wrong, "{path} has more than {MAX_LINES} lines").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn codes(text: &str) -> BTreeSet<String> {
    let starts = text.match_indices("VR-").map(|(at, _)| &text[at..]);
    let code =
        |tail: &str| tail.chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect();
    starts.map(code).filter(|code: &String| code.ends_with(|letter: char| letter.is_ascii_digit())).collect()
}

#[test]
fn the_handbook_explains_every_code_and_no_other() {
    let handbook = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/OPERATOR.md")).unwrap();
    let folders = ["src", "crates/core/src", "crates/files/src", "crates/training/src"];
    let program: BTreeSet<String> =
        folders.iter().flat_map(|folder| read_below(folder).into_values()).flat_map(|text| codes(&text)).collect();
    let explained = codes(&handbook);
    let missing: Vec<_> = program.difference(&explained).collect();
    let invented: Vec<_> = explained.difference(&program).collect();
    assert!(missing.is_empty() && invented.is_empty(), "not explained: {missing:?}; not in the program: {invented:?}");
}
