//! Every input that is kept for the fuzzers once more, with the same demands.

use std::collections::BTreeSet;
use std::path::Path;

#[path = "../../fuzz/src/lib.rs"]
mod demands;

type Demand = fn(&[u8]);

const KINDS: [(&str, Demand); 13] = [
    ("candle_files", demands::candle_files),
    ("evidence_bundles", demands::evidence_bundles),
    ("exchange_answers", demands::exchange_answers),
    ("manifests", demands::manifests),
    ("networks", demands::networks),
    ("peers", demands::peers),
    ("rpc_errors", demands::rpc_errors),
    ("settings", demands::settings),
    ("tables", demands::tables),
    ("trees", demands::trees),
    ("updates", demands::updates),
    ("worker_answers", demands::worker_answers),
    ("yield_answers", demands::yield_answers),
];

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn what_the_fuzzers_found_is_harmless() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let expected: BTreeSet<String> = KINDS.iter().map(|(kind, _)| (*kind).to_owned()).collect();
    assert_eq!(names(&fuzz.join("targets")), expected);
    assert_eq!(names(&fuzz.join("corpus")), expected);
    for (kind, demand) in KINDS {
        let inputs = std::fs::read_dir(fuzz.join("corpus").join(kind)).unwrap();
        let mut count = 0;
        for input in inputs {
            let path = input.unwrap().path();
            println!("{}", path.display());
            demand(&std::fs::read(&path).unwrap());
            count += 1;
        }
        assert!(count > 1, "{kind} has only {count} inputs");
    }
}
