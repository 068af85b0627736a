//! Who may use whom, checked against the source.

mod circles;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The modules that each module may name, itself and the leaves apart.
const MAY_USE: &[(&str, &[&str])] = &[
    ("actions", &["attestation", "chain"]),
    ("alerts", &["actions", "health", "job", "sources", "state", "telemetry"]),
    ("api", &["actions", "attestation", "chain", "evidence", "health", "job", "state", "telemetry"]),
    ("attestation", &["chain", "state"]),
    (
        "audit",
        &[
            "actions",
            "alerts",
            "attestation",
            "bundle",
            "chain",
            "config",
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
    (
        "demo",
        &[
            "actions",
            "api",
            "bundle",
            "config",
            "devnet",
            "forecast",
            "job",
            "node",
            "render",
            "sources",
            "state",
            "telemetry",
            "verification",
        ],
    ),
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
    (
        "doctor",
        &["bundle", "chain", "config", "deployment", "devnet", "diagnosis", "health", "job", "node", "render", "state"],
    ),
    ("evidence", &[]),
    ("forecast", &["state"]),
    ("health", &["actions", "bundle", "chain", "job", "sources", "state", "telemetry"]),
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
            "diagnosis",
            "evidence",
            "forecast",
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
            "api",
            "attestation",
            "bundle",
            "chain",
            "config",
            "diagnosis",
            "evidence",
            "forecast",
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
/// Small modules that every other may use, and that use none.
const LEAVES: [&str; 2] = ["clock", "http"];
/// What is above all the others: arguments, calls, printing, and the program itself.
const TOP: [&str; 3] = ["cmd", "lib", "main"];
/// The folders of sources, one a crate.
const CRATES: [&str; 7] = [
    "src",
    "crates/backtest/src",
    "crates/portfolio/src",
    "crates/core/src",
    "crates/files/src",
    "crates/halo2/src",
    "crates/training/src",
];
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
    ("axum::", &["sources/candles/serve/", "sources/tables/serve.rs", "api/", "chain/read_only_proxy.rs"]),
    ("utoipa", &["api/"]),
    ("hyper", &["api/server.rs"]),
    ("metrics_exporter_prometheus", &["telemetry/"]),
    ("std::fs", &["sources/candles/parquet.rs", "sources/tables/columns.rs"]),
    ("SystemTime", &["clock.rs"]),
    ("alloy::providers", &["actions/", "chain/", "deployment/", "devnet/"]),
    ("alloy::signers", &["chain/"]),
];
const MAX_LINES: usize = 400;
/// Largest share of the code that one folder of sources may have, in percent.
const MAX_SHARE_PERCENT: usize = 15;

/// Every file of a folder with this ending.
fn sources(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, ending, found);
        } else if path.extension().is_some_and(|extension| extension == ending) {
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
    sources(&root, "rs", &mut found);
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
        if TOP.contains(&module) {
            continue;
        }
        let row = MAY_USE.iter().find(|(name, _)| *name == module).map(|(_, allowed)| *allowed);
        let Some(allowed) = row.or(LEAVES.contains(&module).then_some(&[])) else {
            writeln!(wrong, "{path}: {module} has no row").unwrap();
            continue;
        };
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
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn no_files_use_one_another_in_a_circle() {
    let mut wrong = String::new();
    for folder in CRATES {
        for circle in circles::circles(&circles::graph(&read_below(folder))) {
            writeln!(wrong, "{folder}: {}", circle.join(" → ")).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Lines of every file below a folder of the project, by its path.
fn lengths(folder: &str, ending: &str) -> BTreeMap<String, usize> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    sources(&project.join(folder), ending, &mut found);
    let path = |path: &Path| path.strip_prefix(project).unwrap().to_str().unwrap().to_owned();
    found.iter().map(|file| (path(file), std::fs::read_to_string(file).unwrap().lines().count())).collect()
}

#[test]
fn no_file_is_longer_than_a_reader_holds() {
    let folders = [("src", "rs"), ("crates", "rs"), ("tests", "rs"), ("contracts/src", "sol")];
    let all: BTreeMap<String, usize> = folders.iter().flat_map(|(folder, ending)| lengths(folder, ending)).collect();
    let long: BTreeMap<_, _> = all.into_iter().filter(|(_, lines)| *lines > MAX_LINES).collect();
    assert!(long.is_empty(), "more than {MAX_LINES} lines: {long:?}");
}

#[test]
fn no_folder_is_most_of_the_program() {
    let mut folders: BTreeMap<String, usize> = BTreeMap::new();
    for root in CRATES {
        for (path, lines) in lengths(root, "rs") {
            let folder = path[root.len() + 1..].split_once('/').map_or("", |(folder, _)| folder);
            *folders.entry(format!("{root}/{folder}")).or_default() += lines;
        }
    }
    let all: usize = folders.values().sum();
    let large: Vec<_> = folders.iter().filter(|(_, lines)| *lines * 100 > all * MAX_SHARE_PERCENT).collect();
    assert!(large.is_empty(), "more than {MAX_SHARE_PERCENT} % of {all} lines: {large:?}");
}

#[test]
fn no_modules_may_use_one_another_in_a_circle() {
    let row =
        |(module, uses): &(&str, &[&str])| ((*module).to_owned(), uses.iter().map(|used| (*used).to_owned()).collect());
    let found = circles::circles(&MAY_USE.iter().map(row).collect());
    assert!(found.is_empty(), "{found:?}");
}

fn document(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn the_page_of_the_architecture_has_every_module_on_its_floor() {
    let page = document("docs/ARCHITECTURE.md");
    let (picture, readme) = (document("docs/architecture.svg"), document("README.md"));
    let table = page.split_once("| floor |").unwrap().1.split_once("\n\n").unwrap().0;
    let cells = table.lines().filter_map(|row| row.strip_prefix("| `")?.split(" | ").next());
    let floors: Vec<Vec<&str>> = cells.map(|cell| cell.trim_matches('`').split("`, `").collect()).collect();
    let floor_of = |module: &str| {
        let floor = floors.iter().position(|floor| floor.contains(&module));
        floor.unwrap_or_else(|| panic!("{module} is on no floor"))
    };
    for module in MAY_USE.iter().map(|(module, _)| *module).chain(LEAVES) {
        assert!(picture.contains(&format!(">{module}<")), "the picture has no {module}");
        assert!(readme.contains(&format!("src/{module}")), "README does not say where {module} is");
        floor_of(module);
    }
    let mut upwards = MAY_USE.iter().flat_map(|(module, uses)| uses.iter().map(move |used| (*module, *used)));
    assert_eq!(upwards.find(|(module, used)| floor_of(used) < floor_of(module)), None, "it points upwards");
}

fn codes(text: &str) -> BTreeSet<String> {
    let starts = text.match_indices("VR-").map(|(at, _)| &text[at..]);
    let code =
        |tail: &str| tail.chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect();
    starts.map(code).filter(|code: &String| code.ends_with(|letter: char| letter.is_ascii_digit())).collect()
}

#[test]
fn the_handbook_explains_every_code_and_no_other() {
    let program: BTreeSet<String> =
        CRATES.iter().flat_map(|folder| read_below(folder).into_values()).flat_map(|text| codes(&text)).collect();
    let explained = codes(&document("docs/OPERATOR.md"));
    let missing: Vec<_> = program.difference(&explained).collect();
    let invented: Vec<_> = explained.difference(&program).collect();
    assert!(missing.is_empty() && invented.is_empty(), "not explained: {missing:?}; not in the program: {invented:?}");
}
