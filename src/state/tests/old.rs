//! Databases of earlier versions, and of a later one.

use super::*;
use crate::state::legacy::UNKNOWN;
use crate::state::schema::MIGRATIONS;
use veriregime_core::types::alert::Subject;
use veriregime_core::types::attestation::Promise;

/// The job of rows whose contract is not known.
const OF_OLD: JobKey = JobKey { contract: UNKNOWN, manifest: MANIFEST };
/// The first period of the committed databases.
const FIRST: PeriodId = PeriodId(122_748);

fn copy_of(fixture: &str, path: &Path) {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(fixture);
    std::fs::copy(fixture, path).unwrap();
}

#[test]
fn a_database_of_the_first_version_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sqlite");
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch(MIGRATIONS[0]).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    let sql =
        "INSERT INTO cycles (manifest, period, stage, started_ms, updated_ms) VALUES (?1, 100, 'collected', 1, 2)";
    connection.execute(sql, [MANIFEST.to_string()]).unwrap();
    drop(connection);
    let record = Store::open(&path).unwrap().cycle(OF_OLD, PERIOD).unwrap().unwrap();
    assert_eq!((record.stage, record.origin), (Stage::Collected, None));
    Store::open(&path).unwrap().keep_live_candles("binance", "BTCUSDT", &[]).unwrap();
}

#[test]
fn a_database_of_the_first_version_is_taken_over_with_its_transactions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sqlite");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(MIGRATIONS[0]).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    let hash = attempt(1).hash;
    let sql = "INSERT INTO attempts VALUES (?1, 100, 1, ?2, x'01', '7', '2')";
    old.execute(sql, params![MANIFEST.to_string(), hash.to_string()]).unwrap();
    drop(old);
    let attempts = Store::open(&path).unwrap().attempts(OF_OLD, PERIOD).unwrap();
    assert_eq!((attempts[0].purpose, attempts[0].hash), (Purpose::Action, hash));
}

#[test]
fn stages_of_before_have_the_times_that_are_known() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sqlite");
    copy_of("agent-schema-7.sqlite", &path);
    let store = Store::open(&path).unwrap();
    let record = store.recent(Scope::All, 1).unwrap().remove(0);
    let times = crate::state::reader::Reader::open(&path).unwrap().stage_times(record.job, record.period, 9).unwrap();
    let mut expected = vec![(Stage::Planned, record.started_ms)];
    expected.extend((record.stage != Stage::Planned).then_some((record.stage, record.updated_ms)));
    assert_eq!(times, expected);
}

#[test]
fn a_database_of_schema_6_is_taken_over_with_its_contract_and_wallets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sqlite");
    copy_of("agent-schema-6.sqlite", &path);
    let store = Store::open(&path).unwrap();
    let made_for =
        Contract { chain_id: 31_337, address: "0x38C929c246aFB583EbE5C77b1a0B67ce226B2f7d".parse().unwrap() };
    let wallet: Address = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8".parse().unwrap();
    assert_eq!((store.next_nonce(31_337, wallet).unwrap(), store.next_nonce(31_337, WALLET).unwrap()), (2, 0));
    let cycles = store.recent(made_for, 9).unwrap();
    let periods: Vec<u64> = cycles.iter().map(|record| record.period.0).collect();
    assert_eq!(periods, [122_749, 122_748]);
    assert!(cycles.iter().all(|record| record.stage == Stage::Confirmed && record.evidence.is_some()));
    assert!(store.untold(Scope::All, 9).unwrap().is_empty(), "what ended long ago is no news");
    assert_eq!(store.without_manifest().unwrap(), [cycles[0].job.manifest]);
}

/// The jobs of the database of schema 7: a model, and the one that the node had just gone over to.
fn of_schema_7() -> [JobKey; 2] {
    let contract =
        Contract { chain_id: 31_337, address: "0x38C929c246aFB583EbE5C77b1a0B67ce226B2f7d".parse().unwrap() };
    ["fb46db71", "d81bc558"].map(|start| {
        let manifests = Connection::open(fixture_7()).unwrap();
        let sql = "SELECT sha256 FROM manifests WHERE sha256 LIKE ?1 || '%'";
        let manifest: String = manifests.query_row(sql, [start], |row| row.get(0)).unwrap();
        JobKey::new(contract, manifest.parse().unwrap())
    })
}

fn fixture_7() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/agent-schema-7.sqlite")
}

#[test]
fn a_database_of_schema_7_is_taken_over_by_job_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sqlite");
    copy_of("agent-schema-7.sqlite", &path);
    let [before, now] = of_schema_7();
    let wallet: Address = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8".parse().unwrap();
    let store = Store::open(&path).unwrap();
    assert_eq!(store.jobs().unwrap(), [before, now]);
    let landed = store.cycle(before, FIRST).unwrap().unwrap();
    assert_eq!((landed.stage, landed.evidence.is_some(), landed.candles.len()), (Stage::Confirmed, true, 1));
    assert_eq!((landed.start_ms, landed.end_ms), (FIRST.start_ms(), FIRST.end_ms()), "slots of four hours");
    assert_eq!(store.untold(before, 9).unwrap(), std::slice::from_ref(&landed));
    assert_eq!(store.not_final(before.contract, 9).unwrap(), std::slice::from_ref(&landed));
    assert_eq!(store.evidence_before(before, FIRST.next().start_ms()).unwrap()[0].evidence, landed.evidence.unwrap());
    // The transaction that waited waits, and holds its nonce.
    let open = store.open_attempts(31_337, wallet).unwrap();
    let seen: Vec<_> = open.iter().map(|one| (one.job, one.period, one.stage, one.attempt.nonce)).collect();
    assert_eq!(seen, [(before, FIRST.next(), Stage::Submitting, 1)]);
    assert_eq!((store.next_nonce(31_337, wallet).unwrap(), store.next_nonce(1, wallet).unwrap()), (2, 0));
    assert_eq!(store.next_nonce(31_337, Address::repeat_byte(3)).unwrap(), 4, "a deployment's");
    assert_eq!(store.attempts(before, FIRST).unwrap()[0].hash, landed.landed.unwrap().hash);
    assert_eq!(store.last_action(before).unwrap().unwrap(), open[0].attempt);
    let unfinished = store.unfinished_by(before.contract, PeriodId(FIRST.0 + 2).start_ms()).unwrap();
    let stages: Vec<_> = unfinished.iter().map(|record| (record.job, record.stage)).collect();
    assert_eq!(stages, [(before, Stage::Submitting), (now, Stage::Proved)]);
    let windows = [(before, FIRST), (before, FIRST.next()), (now, FIRST.next())];
    for (job, period) in windows {
        let candles = store.candles(job, period).unwrap();
        assert_eq!(candles[0].len(), 64);
        assert!(candles[0].windows(2).all(|pair| pair[0].open_time_ms < pair[1].open_time_ms));
    }
    let live = store.live_candles("binance", "BTCUSDT", &(0..i64::MAX)).unwrap();
    assert_eq!((live.len(), live.last().unwrap().close_time_ms()), (16, FIRST.next().start_ms()));
    let told = store.told().unwrap();
    assert_eq!((told.len(), &told[0].subject, told[0].key.as_str()), (1, &Subject::Node {}, "missed"));
    assert!(store.without_manifest().unwrap().is_empty());
    // Promises of schema 7 are about whole updates of contracts that are no more: 008 drops them.
    let promise = Promise {
        chain_id: 31_337,
        registry: before.contract.address,
        model_id: [9; 32].into(),
        period: FIRST,
        ends_seconds: FIRST.end_ms() / 1000,
        payloads: vec![(0, [1; 32].into())],
    };
    assert!(store.promise(&promise).unwrap());
    drop(store);
    // And it goes on: another job finds the nonce taken until its cycle has ended.
    let store = Store::open(&path).unwrap();
    let signed = Attempt { wallet, nonce: 1, ..attempt(1) };
    let fault = store.advance(now, FIRST.next(), &Step::Submitting(&signed), 5).expect_err("it waits");
    assert_eq!(fault.code(), "VR-STATE-011");
    let landed = Landed { hash: open[0].attempt.hash, block: 12, gas_used: 5 };
    store.advance(before, FIRST.next(), &Step::Confirmed(landed), 6).unwrap();
    store.advance(now, FIRST.next(), &Step::Submitting(&Attempt { nonce: 2, ..signed }), 7).unwrap();
    assert_eq!(store.next_nonce(31_337, wallet).unwrap(), 3);
}

#[test]
fn a_database_that_does_not_say_its_contract_asks_its_transactions_else_nobody_acts_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sqlite");
    copy_of("agent-schema-7.sqlite", &path);
    let [before, now] = of_schema_7();
    Connection::open(&path).unwrap().execute("DELETE FROM contract", []).unwrap();
    let store = Store::open(&path).unwrap();
    assert_eq!(store.cycle(before, FIRST.next()).unwrap().unwrap().stage, Stage::Submitting);
    // Nothing was signed for this one: it begins anew under the contract of the settings.
    let unknown = JobKey { contract: UNKNOWN, ..now };
    assert_eq!(store.jobs().unwrap(), [before, unknown]);
    assert_eq!(store.cycle(unknown, FIRST.next()).unwrap().unwrap().stage, Stage::Proved);
    assert_eq!(store.begin(now, Grid::FOUR_HOURS, FIRST.next(), 1).unwrap().stage, Stage::Planned);
    assert_eq!(unknown.caretaker(&[now]), None);
}

#[test]
fn cycles_of_several_contracts_in_an_old_database_come_under_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sqlite");
    copy_of("agent-schema-7.sqlite", &path);
    let [before, now] = of_schema_7();
    let noted = Contract { chain_id: 5, address: Address::repeat_byte(5) };
    let sql = "UPDATE contract SET chain_id = 5, address = ?1";
    Connection::open(&path).unwrap().execute(sql, [noted.address.to_string()]).unwrap();
    let store = Store::open(&path).unwrap();
    assert_eq!(store.recent(before, 9).unwrap().len(), 2, "their transactions say so");
    assert_eq!(store.recent(JobKey { contract: noted, ..now }, 9).unwrap().len(), 1);
}

#[test]
fn a_migration_that_breaks_off_leaves_the_database_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sqlite");
    copy_of("agent-schema-7.sqlite", &path);
    // The last of the migrations finds a table of its own name.
    let broken = Connection::open(&path).unwrap();
    broken.execute_batch("CREATE TABLE old_alerts (key TEXT)").unwrap();
    assert_eq!(Store::open(&path).expect_err("in the way").code(), "VR-STATE-001");
    assert_eq!(broken.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0)).unwrap(), 7);
    let count = |sql| broken.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap();
    assert_eq!((count("SELECT count(manifest) FROM cycles"), count("SELECT count(*) FROM contract")), (3, 1));
    broken.execute_batch("DROP TABLE old_alerts").unwrap();
    let store = Store::open(&path).unwrap();
    assert_eq!(store.recent(Scope::All, 9).unwrap().len(), 3);
    drop(store);
    assert_eq!(
        Store::open(&path).unwrap().recent(Scope::All, 9).unwrap().len(),
        3,
        "and a second start changes nothing"
    );
}

#[test]
fn a_database_of_a_newer_schema_is_refused_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sqlite");
    Store::open(&path).unwrap().begin(JOB, Grid::FOUR_HOURS, PERIOD, 1).unwrap();
    let newer = Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", MIGRATIONS.len() as u32 + 1).unwrap();
    newer.execute_batch("ALTER TABLE cycles RENAME COLUMN stage TO something_else").unwrap();
    drop(newer);
    let before = std::fs::read(&path).unwrap();
    assert_eq!(Store::open(&path).expect_err("newer").code(), "VR-STATE-008");
    assert_eq!(reader::Reader::open(&path).expect_err("newer").code(), "VR-STATE-008");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn what_was_promised_before_periods_had_grids_stays_promised_for_a_year() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sqlite");
    let old = Connection::open(&path).unwrap();
    for migration in &MIGRATIONS[..8] {
        old.execute_batch(migration).unwrap();
    }
    old.pragma_update(None, "user_version", 8).unwrap();
    let promise = Promise {
        chain_id: 1,
        registry: CONTRACT.address,
        model_id: [9; 32].into(),
        period: FIRST,
        ends_seconds: FIRST.end_ms() / 1000,
        payloads: vec![(0, [1; 32].into())],
    };
    let sql =
        "INSERT INTO promises (chain_id, oracle, model_id, period, market, payload) VALUES (1, ?1, ?2, ?3, 0, ?4)";
    let payload = promise.payloads[0].1.to_string();
    let said = params![CONTRACT.address.to_string(), promise.model_id.to_string(), FIRST.0 as i64, payload];
    old.execute(sql, said).unwrap();
    drop(old);
    let store = Store::open(&path).unwrap();
    assert!(store.promise(&promise).unwrap(), "the same");
    let other = Promise { payloads: vec![(0, [2; 32].into())], ..promise };
    assert!(!store.promise(&other).unwrap());
    let ends: i64 = store.lock().query_row("SELECT ends FROM promises", [], |row| row.get(0)).unwrap();
    assert_eq!(ends, FIRST.end_ms() / 1000);
}
