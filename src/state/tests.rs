use alloy::primitives::Address;

use super::jobs::Scope;
use super::*;
use veriregime_core::types::contract::Contract;
use veriregime_core::types::cycle::{Purpose, Retrying};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::origin::{CrossCheckResult, FailedSource, Gaps};
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::venue::Venue;

mod interleaved;
mod jobs;
mod kept;
mod old;

const MANIFEST: Digest = Digest([7; 32]);
const CONTRACT: Contract = Contract { chain_id: 1, address: Address::repeat_byte(9) };
const JOB: JobKey = JobKey { contract: CONTRACT, manifest: MANIFEST };
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
        purpose: Purpose::Action,
        wallet: WALLET,
        nonce,
        hash: [nonce as u8; 32].into(),
        raw: vec![1, 2, nonce as u8].into(),
        max_fee_per_gas_wei: u128::from(u64::MAX),
        priority_fee_wei: 2,
    }
}

fn forecast() -> Forecast {
    Forecast {
        features: vec![],
        outputs: vec![],
        carried_minutes: vec![1],
        omitted: OmittedMarkets::NONE,
        stated: None,
    }
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
    Store::open(&path).unwrap().begin(JOB, Grid::FOUR_HOURS, PERIOD, 1).unwrap();
    for step in &steps {
        // A new connection each time: only what is on disk counts.
        let before = Store::open(&path).unwrap().begin(JOB, Grid::FOUR_HOURS, PERIOD, 99).unwrap();
        assert_eq!(before.started_ms, 1);
        let stored = Store::open(&path).unwrap().advance(JOB, PERIOD, step, 2).unwrap();
        assert_eq!(stored.stage, step.stage());
    }
    let store = Store::open(&path).unwrap();
    let record = store.cycle(JOB, PERIOD).unwrap().unwrap();
    assert_eq!(record.candles, [series().digest()]);
    assert_eq!(record.origin, Some(origin()));
    assert_eq!(record.forecast, Some(forecast()));
    assert_eq!((record.proof, record.prove_ms), (Some(proof()), Some(61)));
    assert_eq!(record.landed, Some(landed));
    assert_eq!(store.attempts(JOB, PERIOD).unwrap(), [attempt(1), attempt(2)]);
    assert_eq!(store.attempt_with_nonce(1, WALLET, 2, PERIOD.start_ms()).unwrap(), Some(attempt(2)));
    let stored = store.candles(JOB, PERIOD).unwrap();
    assert_eq!(
        CandleSeries::new(&stored[0], 0, 3 * MINUTE_MS, 1).unwrap(),
        series(),
        "what was carried is carried again"
    );
    assert_eq!(store.recent(JOB, 10).unwrap().len(), 1);
}

#[test]
fn a_step_that_skips_work_is_refused_and_changes_nothing() {
    let store = Store::open(Path::new(":memory:")).unwrap();
    store.begin(JOB, Grid::FOUR_HOURS, PERIOD, 1).unwrap();
    let fault = store.advance(JOB, PERIOD, &Step::Submitting(&attempt(1)), 2).expect_err("no proof yet");
    assert_eq!(fault.code(), "VR-STATE-006");
    assert_eq!(store.cycle(JOB, PERIOD).unwrap().unwrap().stage, Stage::Planned);
    assert!(store.attempts(JOB, PERIOD).unwrap().is_empty());
    assert_eq!(store.unfinished_by(Scope::All, PERIOD.end_ms()).unwrap().len(), 1);
    let miss = Miss { stage: Stage::Planned, code: "VR-DATA-007".into(), message: "gap".into() };
    store.advance(JOB, PERIOD, &Step::Missed(&miss), 3).unwrap();
    assert!(store.unfinished_by(Scope::All, PERIOD.end_ms()).unwrap().is_empty());
    assert!(store.advance(JOB, PERIOD, &Step::AlreadyByOther, 4).is_err());
}

#[test]
fn candles_older_than_a_week_are_dropped_and_cycles_are_not() {
    let store = Store::open(Path::new(":memory:")).unwrap();
    for period in [PERIOD, PeriodId(PERIOD.0 + PeriodId::PER_WEEK), PeriodId(PERIOD.0 + PeriodId::PER_WEEK + 1)] {
        store.begin(JOB, Grid::FOUR_HOURS, period, 1).unwrap();
        store.advance(JOB, period, &Step::Collected(&[Some(series())], &origin()), 1).unwrap();
    }
    assert!(store.candles(JOB, PERIOD).unwrap().is_empty());
    assert_eq!(store.candles(JOB, PeriodId(PERIOD.0 + PeriodId::PER_WEEK)).unwrap().len(), 1);
    assert_eq!(store.recent(JOB, 10).unwrap().len(), 3);
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
    store.begin(JOB, Grid::FOUR_HOURS, PERIOD, 1).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(store.begin(JOB, Grid::FOUR_HOURS, PERIOD.next(), 1).expect_err("held").code(), "VR-STATE-003");
    other.execute_batch("UPDATE cycles SET stage = 'asleep'; COMMIT").unwrap();
    assert_eq!(store.cycle(JOB, PERIOD).expect_err("no such stage").code(), "VR-STATE-005");
    other.execute_batch("DROP TABLE cycles").unwrap();
    assert_eq!(store.cycle(JOB, PERIOD).expect_err("no such table").code(), "VR-STATE-004");
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
    store.begin(JOB, Grid::FOUR_HOURS, PERIOD, 1).unwrap();
    store.advance(JOB, PERIOD, &Step::Collected(&[Some(series.clone())], &origin()), 1).unwrap();
    let stored = store.candles(JOB, PERIOD).unwrap();
    let again = CandleSeries::new(&stored[0], MINUTE_MS, 3 * MINUTE_MS, 1).unwrap();
    assert_eq!(again.digest(), series.digest());
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
    store.keep_live_candles("binance", "BTCUSDT", &[candle(1439, 1.0), candle(1440, 2.0), candle(4000, 3.0)]).unwrap();
    let all = 0..5000 * MINUTE_MS;
    let read = || store.live_candles("binance", "BTCUSDT", &all).unwrap().len();
    store.drop_live_candles(1440 * MINUTE_MS - 1).unwrap();
    assert_eq!(read(), 6, "the first day is not over");
    store.drop_live_candles(1440 * MINUTE_MS).unwrap();
    assert_eq!(read(), 2);
    assert!(store.live_candles("coinbase", "BTCUSDT", &all).unwrap().is_empty(), "of every source");
    store.keep_live_candles("coinbase", "BTCUSDT", &[candle(3, 9.0)]).unwrap();
    store.forget_live_candles("binance", "BTCUSDT", &(4000 * MINUTE_MS..4001 * MINUTE_MS)).unwrap();
    assert_eq!(store.live_candles("binance", "BTCUSDT", &all).unwrap(), [candle(1440, 2.0)]);
    store.forget_live_candles("binance", "BTCUSDT", &all).unwrap();
    assert!(store.live_candles("binance", "BTCUSDT", &all).unwrap().is_empty());
    assert_eq!(store.live_candles("coinbase", "BTCUSDT", &all).unwrap(), [candle(3, 9.0)]);
    store.keep_live_candles("binance", "X", &[candle(5, 1.0)]).unwrap();
    for (sql, why) in [
        ("UPDATE live_blocks SET start_ms = start_ms + 86400000", "another day's"),
        ("UPDATE candle_blocks SET candles = substr(candles, 2)", "cut off"),
        ("UPDATE candle_blocks SET candles = x'0300', sha256 = zeroblob(32)", "other bytes"),
        ("DELETE FROM candle_blocks", "not there"),
    ] {
        let broken = store.lock();
        broken.execute_batch("SAVEPOINT whole").unwrap();
        // Of two blocks with one digest, one is enough.
        broken.execute_batch("DELETE FROM live_blocks WHERE symbol != 'X'; DELETE FROM candle_blocks WHERE id NOT IN (SELECT block FROM live_blocks)").unwrap();
        broken.execute_batch(sql).unwrap();
        drop(broken);
        assert_eq!(store.live_candles("binance", "X", &all).expect_err(why).code(), "VR-STATE-005", "{why}");
        store.lock().execute_batch("ROLLBACK TO whole; RELEASE whole").unwrap();
    }
    assert_eq!(store.live_candles("binance", "X", &all).unwrap(), [candle(5, 1.0)]);
}

/// A store whose only cycle has a proof.
fn proved() -> Store {
    let store = Store::open(Path::new(":memory:")).unwrap();
    store.begin(JOB, Grid::FOUR_HOURS, PERIOD, 1).unwrap();
    for step in
        [Step::Collected(&[Some(series())], &origin()), Step::Forecast(&forecast()), Step::Proved(&proof(), 61, None)]
    {
        store.advance(JOB, PERIOD, &step, 2).unwrap();
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
        let stored = store.advance(JOB, PERIOD, &Step::Submitting(attempt), 3);
        stored.map(|_| ()).map_err(|fault| fault.code())
    };
    assert_eq!(add(&priced(1, Purpose::Action, 100)), Ok(()));
    assert_eq!(add(&priced(2, Purpose::Action, 109)), Err("VR-STATE-007"), "not a tenth more");
    let untipped = Attempt { priority_fee_wei: 100, ..priced(2, Purpose::Action, 120) };
    assert_eq!(add(&untipped), Err("VR-STATE-007"), "the tip is not raised");
    assert_eq!(add(&priced(3, Purpose::Action, 110)), Ok(()));
    assert_eq!(add(&priced(1, Purpose::Action, 100)), Ok(()), "the same bytes again are no news");
    assert_eq!(add(&priced(4, Purpose::Cancel, 130)), Ok(()));
    assert_eq!(add(&priced(5, Purpose::Action, 200)), Err("VR-STATE-007"), "what was cancelled stays cancelled");
    let stored = store.recent_attempts(Scope::All, 10).unwrap();
    let seen: Vec<_> = stored.iter().map(|one| (one.attempt.hash[0], one.attempt.purpose, one.signed_ms)).collect();
    assert_eq!(seen, [(4, Purpose::Cancel, 3), (3, Purpose::Action, 3), (1, Purpose::Action, 3)]);
}

#[test]
fn a_tip_of_zero_must_be_raised() {
    let store = proved();
    let tipped = |hash: u8, max_fee_per_gas_wei, priority_fee_wei| {
        let attempt = Attempt { hash: [hash; 32].into(), max_fee_per_gas_wei, priority_fee_wei, ..attempt(1) };
        store.advance(JOB, PERIOD, &Step::Submitting(&attempt), 3).is_ok()
    };
    assert!(tipped(1, 100, 0) && !tipped(2, 120, 0) && tipped(3, 120, 1));
}

#[test]
fn a_confirmed_update_is_watched_until_its_block_is_final() {
    let store = proved();
    store.advance(JOB, PERIOD, &Step::Submitting(&attempt(1)), 3).unwrap();
    let landed = Landed { hash: [1; 32].into(), block: 4, gas_used: 5 };
    store.advance(JOB, PERIOD, &Step::Confirmed(landed), 4).unwrap();
    let moved = Landed { block: 6, ..landed };
    store.settle_at(JOB, PERIOD, moved, false).unwrap();
    assert_eq!(store.not_final(Scope::All, 9).unwrap()[0].landed, Some(moved));
    store.settle_at(JOB, PERIOD, moved, true).unwrap();
    assert!(store.not_final(Scope::All, 9).unwrap().is_empty());
}

#[test]
fn a_wallet_is_vouched_for_by_its_own_nonces_only() {
    let store = proved();
    store.advance(JOB, PERIOD, &Step::Submitting(&attempt(4)), 3).unwrap();
    let other = Address::repeat_byte(1);
    let next = |wallet| store.next_nonce(1, wallet).unwrap();
    assert_eq!((next(WALLET), next(other)), (5, 0));
    assert!(store.attempt_with_nonce(1, other, 4, PERIOD.start_ms()).unwrap().is_none());
    let of_other = Attempt { wallet: other, hash: [99; 32].into(), ..attempt(4) };
    store.advance(JOB, PERIOD, &Step::Submitting(&of_other), 4).unwrap();
    assert_eq!((next(WALLET), next(other)), (5, 5), "two wallets do not outbid each other");
    let of_one = store.open_attempts(1, WALLET).unwrap();
    assert_eq!(of_one.iter().map(|one| one.attempt.hash).collect::<Vec<_>>(), [attempt(4).hash]);
    for (known, wanted) in [(3, 5), (9, 9), (7, 9)] {
        store.know_nonces(1, WALLET, known).unwrap();
        assert_eq!(next(WALLET), wanted);
    }
    assert_eq!(store.next_nonce(2, WALLET).unwrap(), 0, "another chain's");
}

#[test]
fn cycles_of_every_model_are_settled_watched_and_told_of() {
    let store = Store::open(Path::new(":memory:")).unwrap();
    let before = JobKey { manifest: Digest([6; 32]), ..JOB };
    store.begin(before, Grid::FOUR_HOURS, PERIOD, 1).unwrap();
    store.begin(JOB, Grid::FOUR_HOURS, PERIOD.next(), 2).unwrap();
    let all = |records: Vec<CycleRecord>| records.iter().map(|record| record.job).collect::<Vec<_>>();
    assert_eq!(all(store.unfinished_by(Scope::All, PERIOD.next().end_ms()).unwrap()), [before, JOB]);
    assert_eq!(all(store.recent(Scope::All, 9).unwrap()), [JOB, before]);
    assert_eq!(all(store.recent(CONTRACT, 9).unwrap()), [JOB, before]);
    assert_eq!(all(store.recent(JOB, 9).unwrap()), [JOB]);
    store.advance(before, PERIOD, &Step::AlreadyByOther, 3).unwrap();
    assert_eq!(all(store.not_final(CONTRACT, 9).unwrap()), [before]);
    assert!(store.not_final(JOB, 9).unwrap().is_empty());
    let untold = store.untold(CONTRACT, 9).unwrap();
    assert_eq!(all(untold.clone()), [before]);
    store.reopen(before, PERIOD, 4).unwrap();
    assert!(store.untold(CONTRACT, 9).unwrap().is_empty(), "it has not ended");
    store.advance(before, PERIOD, &Step::AlreadyByOther, 5).unwrap();
    store.have_told(&untold).unwrap();
    assert_eq!(store.untold(CONTRACT, 9).unwrap().len(), 1, "it has ended anew since");
    store.have_told(&store.untold(CONTRACT, 9).unwrap()).unwrap();
    assert!(store.untold(Scope::All, 9).unwrap().is_empty());
}

#[test]
fn a_manifest_is_kept_byte_for_byte() {
    let store = Store::open(Path::new(":memory:")).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/btc-regime-4h-v1/manifest.json");
    let json = std::fs::read(&path).unwrap();
    let digest = Digest::of(&json);
    assert_eq!(store.manifest(digest).unwrap(), None);
    store.begin(JobKey { manifest: digest, ..JOB }, Grid::FOUR_HOURS, PERIOD, 1).unwrap();
    assert_eq!(store.without_manifest().unwrap(), [digest]);
    store.keep_manifest(&json).unwrap();
    let new = store.manifest(digest).unwrap().unwrap();
    assert_eq!(new.model_id, "btc-regime-4h-v1");
    assert!(store.without_manifest().unwrap().is_empty());

    // Of a time when manifests had another schema.
    let old = veriregime_files::read_bounded(&path.with_file_name("manifest.1.json"), 1 << 20).unwrap();
    store.keep_manifest(&old).unwrap();
    let kept = store.manifest(Digest::of(&old)).unwrap().unwrap();
    assert_eq!((&kept.inputs, &kept.outputs), (&new.inputs, &new.outputs));
    assert!(kept.files.iter().all(|(name, digest)| new.files.get(name) == Some(digest)), "other ways came since");
    store.keep_manifest(b"{\"schema\":1}").unwrap();
    assert!(store.manifest(Digest::of(b"{\"schema\":1}")).is_err());
    store.lock().execute("UPDATE manifests SET json = x'7b7d'", []).unwrap();
    assert_eq!(store.manifest(digest).expect_err("altered").code(), "VR-STATE-005");
}

#[test]
fn why_a_stage_is_tried_again_is_forgotten_once_it_gets_on() {
    let store = Store::open(Path::new(":memory:")).unwrap();
    let mut record = store.begin(JOB, Grid::FOUR_HOURS, PERIOD, 1).unwrap();
    let retrying = Retrying { code: "VR-CANDLE-001".into(), message: "no answer".into(), since_ms: 5 };
    record.retrying = Some(retrying.clone());
    store.note_retrying(&record).unwrap();
    assert_eq!(store.cycle(JOB, PERIOD).unwrap().unwrap().retrying, Some(retrying));
    let next = store.advance(JOB, PERIOD, &Step::Collected(&[Some(series())], &origin()), 6).unwrap();
    assert_eq!(next.retrying, None);
    store.note_retrying(&record).unwrap();
    assert_eq!(store.cycle(JOB, PERIOD).unwrap().unwrap().retrying, None, "another stage's");
}
