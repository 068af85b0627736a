use alloy::primitives::Address;

use super::*;
use veriregime_core::types::cycle::{Purpose, Retrying};
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::origin::{CrossCheckResult, FailedSource, Gaps};
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::venue::Venue;

const MANIFEST: Digest = Digest([7; 32]);
const PERIOD: PeriodId = PeriodId(100);
const WALLET: Address = Address::repeat_byte(8);

fn series() -> CandleSeries {
    let candle = |minute: i64| Candle {
        open_time_ms: minute * MINUTE_MS,
        open: 1.0,
        high: 2.0,
        low: 0.5,
        close: 1.5,
        volume: 3.0,
    };
    CandleSeries::new(&[candle(0), candle(2)], 0, 3 * MINUTE_MS, 1).unwrap()
}

fn origin() -> Origin {
    let witness = CrossCheckResult {
        source: "okx".into(),
        symbol: "BTC-USDT".into(),
        common_minutes: 1440,
        basis_pips: -1_500,
        minutes_beyond: 2,
        worst_pips: 6_000,
        volatility_pips: 90_000,
    };
    Origin {
        source: "coinbase".into(),
        venue: Venue::Coinbase,
        symbols: vec!["BTC-USD".into()],
        failed: vec![FailedSource { source: "binance".into(), code: "VR-CANDLE-001".into() }],
        revised_minutes: 3,
        witnesses: vec![witness],
        gaps: vec![Gaps {
            market: "BTC-USD".into(),
            carried_minutes: 1,
            first_carried_ms: Some(MINUTE_MS),
            longest_run_minutes: 1,
            lent: vec![],
        }],
        omitted: vec![],
    }
}

fn attempt(nonce: u64) -> Attempt {
    Attempt {
        purpose: Purpose::Update,
        wallet: WALLET,
        nonce,
        hash: [nonce as u8; 32].into(),
        raw: vec![1, 2, nonce as u8].into(),
        max_fee_per_gas_wei: u128::from(u64::MAX),
        priority_fee_wei: 2,
    }
}

fn forecast() -> Forecast {
    Forecast { features: vec![], outputs: vec![], carried_minutes: vec![1], omitted: OmittedMarkets::NONE }
}

fn proof() -> Proof {
    Proof { bytes: vec![9; 4].into(), instances: vec![alloy::primitives::U256::MAX] }
}

#[test]
fn every_stage_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deeper/agent.sqlite");
    let landed = Landed { hash: [3; 32].into(), block: 4, gas_used: 5 };
    let steps = [
        Step::Collected(&[Some(series())], &origin()),
        Step::Forecast(&forecast()),
        Step::Proved(&proof(), 61, None),
        Step::Submitting(&attempt(1)),
        Step::Submitting(&attempt(2)),
        Step::Confirmed(landed),
    ];
    Store::open(&path).unwrap().begin(MANIFEST, PERIOD, 1).unwrap();
    for step in &steps {
        // A new connection each time: only what is on disk counts.
        let before = Store::open(&path).unwrap().begin(MANIFEST, PERIOD, 99).unwrap();
        assert_eq!(before.started_ms, 1);
        let stored = Store::open(&path).unwrap().advance(MANIFEST, PERIOD, step, 2).unwrap();
        assert_eq!(stored.stage, step.stage());
    }
    let store = Store::open(&path).unwrap();
    let record = store.cycle(MANIFEST, PERIOD).unwrap().unwrap();
    assert_eq!(record.candles, [series().digest()]);
    assert_eq!(record.origin, Some(origin()));
    assert_eq!(record.forecast, Some(forecast()));
    assert_eq!((record.proof, record.prove_ms), (Some(proof()), Some(61)));
    assert_eq!(record.landed, Some(landed));
    assert_eq!(store.attempts(MANIFEST, PERIOD).unwrap(), [attempt(1), attempt(2)]);
    assert_eq!(store.attempt_with_nonce(WALLET, 2, PERIOD).unwrap(), Some(attempt(2)));
    let stored = store.candles(MANIFEST, PERIOD).unwrap();
    assert_eq!(
        CandleSeries::new(&stored[0], 0, 3 * MINUTE_MS, 1).unwrap(),
        series(),
        "what was carried is carried again"
    );
    assert_eq!(store.recent(MANIFEST, 10).unwrap().len(), 1);
}

#[test]
fn a_step_that_skips_work_is_refused_and_changes_nothing() {
    let store = Store::open(Path::new(":memory:")).unwrap();
    store.begin(MANIFEST, PERIOD, 1).unwrap();
    let fault = store.advance(MANIFEST, PERIOD, &Step::Submitting(&attempt(1)), 2).expect_err("no proof yet");
    assert_eq!(fault.code(), "VR-STATE-006");
    assert_eq!(store.cycle(MANIFEST, PERIOD).unwrap().unwrap().stage, Stage::Planned);
    assert!(store.attempts(MANIFEST, PERIOD).unwrap().is_empty());
    assert_eq!(store.unfinished_before(PERIOD.next()).unwrap().len(), 1);
    let miss = Miss { stage: Stage::Planned, code: "VR-DATA-007".into(), message: "gap".into() };
    store.advance(MANIFEST, PERIOD, &Step::Missed(&miss), 3).unwrap();
    assert!(store.unfinished_before(PERIOD.next()).unwrap().is_empty());
    assert!(store.advance(MANIFEST, PERIOD, &Step::AlreadyByOther, 4).is_err());
}

#[test]
fn candles_older_than_a_week_are_dropped_and_cycles_are_not() {
    let store = Store::open(Path::new(":memory:")).unwrap();
    for period in [PERIOD, PeriodId(PERIOD.0 + CANDLE_PERIODS_KEPT), PeriodId(PERIOD.0 + CANDLE_PERIODS_KEPT + 1)] {
        store.begin(MANIFEST, period, 1).unwrap();
        store.advance(MANIFEST, period, &Step::Collected(&[Some(series())], &origin()), 1).unwrap();
    }
    assert!(store.candles(MANIFEST, PERIOD).unwrap().is_empty());
    assert_eq!(store.candles(MANIFEST, PeriodId(PERIOD.0 + CANDLE_PERIODS_KEPT)).unwrap().len(), 1);
    assert_eq!(store.recent(MANIFEST, 10).unwrap().len(), 3);
}

#[test]
fn what_is_not_our_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other");
    veriregime_files::write_atomic(&path, &[b'x'; 4096]).unwrap();
    assert_eq!(Store::open(&path).expect_err("not SQLite").code(), "VR-STATE-001");
    assert_eq!(Store::open(Path::new("/proc/nowhere/db")).expect_err("no folder").code(), "VR-STATE-001");
}

#[test]
fn a_database_that_is_held_broken_or_written_by_somebody_else_has_its_code() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sqlite");
    let store = Store::open(&path).unwrap();
    store.begin(MANIFEST, PERIOD, 1).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(store.begin(MANIFEST, PERIOD.next(), 1).expect_err("held").code(), "VR-STATE-003");
    other.execute_batch("UPDATE cycles SET stage = 'asleep'; COMMIT").unwrap();
    assert_eq!(store.cycle(MANIFEST, PERIOD).expect_err("no such stage").code(), "VR-STATE-005");
    other.execute_batch("DROP TABLE cycles").unwrap();
    assert_eq!(store.cycle(MANIFEST, PERIOD).expect_err("no such table").code(), "VR-STATE-004");
}

#[test]
fn a_window_whose_first_minute_was_carried_in_is_read_back_the_same() {
    let candle = |minute: i64, close: f64| Candle {
        open_time_ms: minute * MINUTE_MS,
        open: close,
        high: close,
        low: close,
        close,
        volume: 1.0,
    };
    let series = CandleSeries::new(&[candle(0, 5.0), candle(2, 6.0)], MINUTE_MS, 3 * MINUTE_MS, 1).unwrap();
    let store = Store::open(Path::new(":memory:")).unwrap();
    store.begin(MANIFEST, PERIOD, 1).unwrap();
    store.advance(MANIFEST, PERIOD, &Step::Collected(&[Some(series.clone())], &origin()), 1).unwrap();
    let stored = store.candles(MANIFEST, PERIOD).unwrap();
    let again = CandleSeries::new(&stored[0], MINUTE_MS, 3 * MINUTE_MS, 1).unwrap();
    assert_eq!(again.digest(), series.digest());
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
    let record = Store::open(&path).unwrap().cycle(MANIFEST, PERIOD).unwrap().unwrap();
    assert_eq!((record.stage, record.origin), (Stage::Collected, None));
    Store::open(&path).unwrap().keep_live_candles("binance", "BTCUSDT", &[]).unwrap();
}

#[test]
fn live_candles_are_kept_by_source_and_symbol_until_they_are_old() {
    let candle = |minute: i64, close: f64| Candle {
        open_time_ms: minute * MINUTE_MS,
        open: close,
        high: close,
        low: close,
        close,
        volume: 1.0,
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sqlite");
    let all = 0..100 * MINUTE_MS;
    let store = Store::open(&path).unwrap();
    store.keep_live_candles("binance", "BTCUSDT", &[candle(1, 5.0), candle(2, 6.0)]).unwrap();
    store.keep_live_candles("binance", "BTCUSDT", &[candle(2, 7.0), candle(4, 8.0)]).unwrap();
    store.keep_live_candles("coinbase", "BTCUSDT", &[candle(3, 9.0)]).unwrap();
    drop(store);
    let store = Store::open(&path).unwrap();
    let kept = store.live_candles("binance", "BTCUSDT", &all).unwrap();
    assert_eq!(kept, [candle(1, 5.0), candle(2, 7.0), candle(4, 8.0)], "the newest word counts");
    assert_eq!(store.live_candles("binance", "BTCUSDT", &(2 * MINUTE_MS..4 * MINUTE_MS)).unwrap(), [candle(2, 7.0)]);
    assert!(store.live_candles("binance", "ETHUSDT", &all).unwrap().is_empty());
    store.drop_live_candles(3 * MINUTE_MS).unwrap();
    assert_eq!(store.live_candles("binance", "BTCUSDT", &all).unwrap(), [candle(4, 8.0)]);
    assert_eq!(store.live_candles("coinbase", "BTCUSDT", &all).unwrap(), [candle(3, 9.0)]);
    store.forget_live_candles("binance", "BTCUSDT", &all).unwrap();
    assert!(store.live_candles("binance", "BTCUSDT", &all).unwrap().is_empty());
    assert_eq!(store.live_candles("coinbase", "BTCUSDT", &all).unwrap(), [candle(3, 9.0)]);
    for (bytes, why) in [(vec![0; 47], "cut off"), (candle(5, 1.0).to_le_bytes().to_vec(), "another minute")] {
        let sql = "INSERT OR REPLACE INTO live_candles VALUES ('binance', 'X', 60000, ?1)";
        store.lock().execute(sql, [bytes]).unwrap();
        assert_eq!(store.live_candles("binance", "X", &all).expect_err(why).code(), "VR-STATE-005");
    }
}

/// A store whose only cycle has a proof.
fn proved() -> Store {
    let store = Store::open(Path::new(":memory:")).unwrap();
    store.begin(MANIFEST, PERIOD, 1).unwrap();
    for step in
        [Step::Collected(&[Some(series())], &origin()), Step::Forecast(&forecast()), Step::Proved(&proof(), 61, None)]
    {
        store.advance(MANIFEST, PERIOD, &step, 2).unwrap();
    }
    store
}

#[test]
fn a_transaction_that_another_process_has_left_behind_is_not_stored() {
    let store = proved();
    let priced = |hash: u8, purpose, fee: u128| Attempt {
        purpose,
        hash: [hash; 32].into(),
        max_fee_per_gas_wei: fee,
        priority_fee_wei: fee,
        ..attempt(1)
    };
    let add = |attempt: &Attempt| {
        let stored = store.advance(MANIFEST, PERIOD, &Step::Submitting(attempt), 3);
        stored.map(|_| ()).map_err(|fault| fault.code())
    };
    assert_eq!(add(&priced(1, Purpose::Update, 100)), Ok(()));
    assert_eq!(add(&priced(2, Purpose::Update, 109)), Err("VR-STATE-007"), "not a tenth more");
    let untipped = Attempt { priority_fee_wei: 100, ..priced(2, Purpose::Update, 120) };
    assert_eq!(add(&untipped), Err("VR-STATE-007"), "the tip is not raised");
    assert_eq!(add(&priced(3, Purpose::Update, 110)), Ok(()));
    assert_eq!(add(&priced(1, Purpose::Update, 100)), Ok(()), "the same bytes again are no news");
    assert_eq!(add(&priced(4, Purpose::Cancel, 130)), Ok(()));
    assert_eq!(add(&priced(5, Purpose::Update, 200)), Err("VR-STATE-007"), "what was cancelled stays cancelled");
    let stored = store.recent_attempts(None, 10).unwrap();
    let seen: Vec<_> = stored.iter().map(|one| (one.attempt.hash[0], one.attempt.purpose, one.signed_ms)).collect();
    assert_eq!(seen, [(4, Purpose::Cancel, 3), (3, Purpose::Update, 3), (1, Purpose::Update, 3)]);
}

#[test]
fn a_tip_of_zero_must_be_raised() {
    let store = proved();
    let tipped = |hash: u8, max_fee_per_gas_wei, priority_fee_wei| {
        let attempt = Attempt { hash: [hash; 32].into(), max_fee_per_gas_wei, priority_fee_wei, ..attempt(1) };
        store.advance(MANIFEST, PERIOD, &Step::Submitting(&attempt), 3).is_ok()
    };
    assert!(tipped(1, 100, 0) && !tipped(2, 120, 0) && tipped(3, 120, 1));
}

#[test]
fn a_confirmed_update_is_watched_until_its_block_is_final() {
    let store = proved();
    store.advance(MANIFEST, PERIOD, &Step::Submitting(&attempt(1)), 3).unwrap();
    let landed = Landed { hash: [1; 32].into(), block: 4, gas_used: 5 };
    store.advance(MANIFEST, PERIOD, &Step::Confirmed(landed), 4).unwrap();
    let moved = Landed { block: 6, ..landed };
    store.settle_at(MANIFEST, PERIOD, moved, false).unwrap();
    assert_eq!(store.not_final(9).unwrap()[0].landed, Some(moved));
    store.settle_at(MANIFEST, PERIOD, moved, true).unwrap();
    assert!(store.not_final(9).unwrap().is_empty());
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
    let attempts = Store::open(&path).unwrap().attempts(MANIFEST, PERIOD).unwrap();
    assert_eq!((attempts[0].purpose, attempts[0].hash), (Purpose::Update, hash));
}

fn contract(chain_id: u64) -> Contract {
    Contract { chain_id, address: Address::repeat_byte(9) }
}

#[test]
fn a_database_of_another_chain_or_contract_is_refused() {
    let store = Store::open(Path::new(":memory:")).unwrap();
    store.claim(contract(1)).unwrap();
    store.claim(contract(2)).unwrap();
    store.begin(MANIFEST, PERIOD, 1).unwrap();
    store.claim(contract(2)).unwrap();
    for other in [contract(1), Contract { address: Address::ZERO, ..contract(2) }] {
        let fault = store.claim(other).expect_err("it has a cycle");
        assert_eq!(fault.code(), "VR-STATE-009");
        assert!(fault.to_string().contains(&contract(2).to_string()), "{fault}");
    }
    store.claim(contract(2)).unwrap();
}

#[test]
fn a_wallet_is_vouched_for_by_its_own_nonces_only() {
    let store = proved();
    store.advance(MANIFEST, PERIOD, &Step::Submitting(&attempt(4)), 3).unwrap();
    let other = Address::repeat_byte(1);
    let next = |wallet| store.next_nonce(1, wallet).unwrap();
    assert_eq!((next(WALLET), next(other)), (5, 0));
    assert!(store.attempt_with_nonce(other, 4, PERIOD).unwrap().is_none());
    let of_other = Attempt { wallet: other, hash: [99; 32].into(), ..attempt(4) };
    store.advance(MANIFEST, PERIOD, &Step::Submitting(&of_other), 4).unwrap();
    assert_eq!((next(WALLET), next(other)), (5, 5), "two wallets do not outbid each other");
    let of_one = store.recent_attempts(Some(WALLET), 9).unwrap();
    assert_eq!(of_one.iter().map(|one| one.attempt.hash).collect::<Vec<_>>(), [attempt(4).hash]);
    for (known, wanted) in [(3, 5), (9, 9), (7, 9)] {
        store.know_nonces(1, WALLET, known).unwrap();
        assert_eq!(next(WALLET), wanted);
    }
    assert_eq!(store.next_nonce(2, WALLET).unwrap(), 5, "another chain's");
}

#[test]
fn a_database_of_the_version_before_is_taken_over_with_its_contract_and_wallets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sqlite");
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/agent-schema-6.sqlite");
    std::fs::copy(fixture, &path).unwrap();
    let store = Store::open(&path).unwrap();
    let made_for =
        Contract { chain_id: 31_337, address: "0x38C929c246aFB583EbE5C77b1a0B67ce226B2f7d".parse().unwrap() };
    let wallet: Address = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8".parse().unwrap();
    store.claim(made_for).unwrap();
    assert_eq!(store.claim(contract(31_337)).expect_err("another contract").code(), "VR-STATE-009");
    assert_eq!((store.next_nonce(31_337, wallet).unwrap(), store.next_nonce(31_337, WALLET).unwrap()), (2, 0));
    let cycles = store.recent(None, 9).unwrap();
    let periods: Vec<u64> = cycles.iter().map(|record| record.period.0).collect();
    assert_eq!(periods, [122_749, 122_748]);
    assert!(cycles.iter().all(|record| record.stage == Stage::Confirmed && record.evidence.is_some()));
    assert!(store.untold(9).unwrap().is_empty(), "what ended long ago is no news");
    assert_eq!(store.without_manifest().unwrap(), [cycles[0].manifest]);
    drop(store);
    Store::open(&path).unwrap().claim(made_for).unwrap();
}

#[test]
fn a_database_of_a_newer_schema_is_refused_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sqlite");
    Store::open(&path).unwrap().begin(MANIFEST, PERIOD, 1).unwrap();
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
fn cycles_of_every_model_are_settled_watched_and_told_of() {
    let store = Store::open(Path::new(":memory:")).unwrap();
    let before = Digest([6; 32]);
    store.begin(before, PERIOD, 1).unwrap();
    store.begin(MANIFEST, PERIOD.next(), 2).unwrap();
    let all = |records: Vec<CycleRecord>| records.iter().map(|record| record.manifest).collect::<Vec<_>>();
    assert_eq!(all(store.unfinished_before(PERIOD.next().next()).unwrap()), [before, MANIFEST]);
    assert_eq!(all(store.recent(None, 9).unwrap()), [MANIFEST, before]);
    assert_eq!(all(store.recent(MANIFEST, 9).unwrap()), [MANIFEST]);
    store.advance(before, PERIOD, &Step::AlreadyByOther, 3).unwrap();
    assert_eq!(all(store.not_final(9).unwrap()), [before]);
    let untold = store.untold(9).unwrap();
    assert_eq!(all(untold.clone()), [before]);
    store.reopen(before, PERIOD, 4).unwrap();
    assert!(store.untold(9).unwrap().is_empty(), "it has not ended");
    store.advance(before, PERIOD, &Step::AlreadyByOther, 5).unwrap();
    store.have_told(&untold).unwrap();
    assert_eq!(store.untold(9).unwrap().len(), 1, "it has ended anew since");
    store.have_told(&store.untold(9).unwrap()).unwrap();
    assert!(store.untold(9).unwrap().is_empty());
}

#[test]
fn a_manifest_is_kept_byte_for_byte() {
    let store = Store::open(Path::new(":memory:")).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/btc-regime-4h-v1/manifest.json");
    let json = std::fs::read(path).unwrap();
    let digest = Digest::of(&json);
    assert_eq!(store.manifest(digest).unwrap(), None);
    store.begin(digest, PERIOD, 1).unwrap();
    assert_eq!(store.without_manifest().unwrap(), [digest]);
    store.keep_manifest(&json).unwrap();
    assert_eq!(store.manifest(digest).unwrap().unwrap().model_id, "btc-regime-4h-v1");
    assert!(store.without_manifest().unwrap().is_empty());
    store.lock().execute("UPDATE manifests SET json = x'7b7d'", []).unwrap();
    assert_eq!(store.manifest(digest).expect_err("altered").code(), "VR-STATE-005");
}

#[test]
fn why_a_stage_is_tried_again_is_forgotten_once_it_gets_on() {
    let store = Store::open(Path::new(":memory:")).unwrap();
    let mut record = store.begin(MANIFEST, PERIOD, 1).unwrap();
    let retrying = Retrying { code: "VR-CANDLE-001".into(), message: "no answer".into(), since_ms: 5 };
    record.retrying = Some(retrying.clone());
    store.note_retrying(&record).unwrap();
    assert_eq!(store.cycle(MANIFEST, PERIOD).unwrap().unwrap().retrying, Some(retrying));
    let next = store.advance(MANIFEST, PERIOD, &Step::Collected(&[Some(series())], &origin()), 6).unwrap();
    assert_eq!(next.retrying, None);
    store.note_retrying(&record).unwrap();
    assert_eq!(store.cycle(MANIFEST, PERIOD).unwrap().unwrap().retrying, None, "another stage's");
}
