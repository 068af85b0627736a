use std::time::Instant;

use alloy::primitives::Address;

use super::*;
use veriregime_core::types::contract::Contract;
use veriregime_core::types::cycle::Retrying;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::job::JobKey;

fn record(period: u64, stage: Stage) -> CycleRecord {
    let period = PeriodId(period);
    let miss = Miss { stage: Stage::Collected, code: "VR-CHAIN-001".into(), message: "x".repeat(10_000) };
    CycleRecord {
        job: JobKey::new(Contract { chain_id: 1, address: Address::ZERO }, Digest([0; 32])),
        period,
        stage,
        start_ms: period.start_ms(),
        end_ms: period.end_ms(),
        started_ms: period.start_ms(),
        updated_ms: period.start_ms(),
        candles: vec![],
        origin: None,
        tables: None,
        forecast: None,
        proof: None,
        prove_ms: None,
        retrying: None,
        landed: None,
        witness_sha256: None,
        evidence: None,
        miss: (stage == Stage::Missed).then_some(miss),
    }
}

fn shares(job: &str) -> Shares {
    Shares { job: job.into(), chain_id: 1, wallet: Address::ZERO, source: "binance".into() }
}

fn keys(records: &[CycleRecord], checks: Vec<Check>, minute: i64) -> Vec<String> {
    let report = Report { checked: Instant::now(), checks };
    let now_ms = records[0].period.start_ms() + minute * 60_000;
    let found = active_alerts(now_ms, &shares("one"), records, &[], &report, Duration::from_mins(20));
    assert!(found.iter().all(|alert| alert.text.chars().count() <= MAX_TEXT_CHARS && !alert.code.is_empty()));
    found.into_iter().map(|alert| alert.key).collect()
}

#[test]
fn a_missed_period_is_told_though_the_next_one_was_confirmed_since() {
    let report = Report { checked: Instant::now(), checks: vec![] };
    let active_alerts = |untold: &[CycleRecord]| {
        let records = [record(9, Stage::Confirmed), record(8, Stage::Missed), record(7, Stage::Missed)];
        active_alerts(records[0].period.start_ms(), &shares("one"), &records, untold, &report, Duration::from_mins(20))
    };
    assert!(active_alerts(&[]).is_empty());
    let told = active_alerts(&[record(9, Stage::Confirmed), record(8, Stage::Missed)]).remove(0);
    assert_eq!((told.key.as_str(), told.occurrence.as_str(), told.period), ("missed", "8", Some(PeriodId(8))));
    assert!(!told.text.contains("before it"), "{}", told.text);
    let short = |period| {
        let mut record = record(period, Stage::Missed);
        record.miss = record.miss.map(|miss| Miss { message: "why".into(), ..miss });
        record
    };
    let told = active_alerts(&[short(8), short(7), record(6, Stage::AlreadyByOther), short(5)]);
    assert_eq!(told.len(), 1);
    assert!(told[0].text.ends_with("why; 2 before it since period 5 as well"), "{}", told[0].text);
}

#[test]
fn only_what_somebody_must_know_holds() {
    let old = Check::fail("last update", &HealthError::Overdue { last: PeriodId(1), age_minutes: 600 });
    let poor = Check::warn("wallet balance", &HealthError::LowBalance { balance: "1".into(), updates: 3 });
    let new = Check::warn("last update", &HealthError::NoUpdate);
    let none: [&str; 0] = [];
    for stage in [Stage::Confirmed, Stage::AlreadyByOther] {
        assert_eq!(keys(&[record(7, stage)], vec![new.clone()], 0), none);
    }
    assert_eq!(keys(&[record(7, Stage::Proved), record(6, Stage::Confirmed)], vec![], 19), none);
    assert_eq!(keys(&[record(7, Stage::Proved), record(6, Stage::Confirmed)], vec![], 20), ["stuck"]);
    // A miss holds until a later period has ended better.
    assert_eq!(keys(&[record(7, Stage::Proved), record(6, Stage::Missed)], vec![old.clone()], 1), ["missed"]);
    assert_eq!(keys(&[record(7, Stage::Confirmed), record(6, Stage::Missed)], vec![poor], 1), ["VR-HEALTH-004"]);
    assert_eq!(keys(&[record(7, Stage::AlreadyByOther)], vec![old], 1), ["VR-HEALTH-001"]);
    // One dead RPC is one alert, however many checks it fails, and of however many jobs.
    let dead = |name| Check::fail(name, &HealthError::NoResult { after: Duration::from_secs(1) });
    assert_eq!(keys(&[record(7, Stage::Confirmed)], vec![dead("chain head"), dead("attestor")], 1), ["VR-HEALTH-006"]);
}

#[test]
fn a_job_that_waits_for_its_publisher_is_stuck_once_it_could_have_gone_on_without() {
    let none: [&str; 0] = [];
    let waiting = |code: &str| {
        let retrying = Some(Retrying { code: code.into(), message: "why".into(), since_ms: 0 });
        [CycleRecord { retrying, ..record(7, Stage::Planned) }]
    };
    for code in ["VR-TABLE-008", "VR-YIELD-015"] {
        assert_eq!(keys(&waiting(code), vec![], 79), none, "{code}");
        assert_eq!(keys(&waiting(code), vec![], 80), ["stuck"], "{code}");
    }
    // The last edition does not count any more, or nothing of it can be used: nobody is waited for.
    for code in ["VR-YIELD-011", "VR-TABLE-010", "VR-CHAIN-001"] {
        assert_eq!(keys(&waiting(code), vec![], 19), none, "{code}");
        assert_eq!(keys(&waiting(code), vec![], 20), ["stuck"], "{code}");
    }
}

#[test]
fn a_job_that_waits_for_an_owner_s_word_is_neither_stuck_nor_missed() {
    let mut waits = record(7, Stage::Proved);
    let noted = |code: &str| Some(Retrying { code: code.into(), message: "why".into(), since_ms: 0 });
    waits.retrying = noted(PAUSED_CODE);
    let mut ended = record(6, Stage::Missed);
    ended.miss = ended.miss.map(|miss| Miss { code: PAUSED_CODE.into(), ..miss });
    let none: [&str; 0] = [];
    assert_eq!(keys(&[waits.clone(), ended.clone()], vec![], 60 * 24), none);
    waits.retrying = noted("VR-VAULT-002");
    assert_eq!(keys(&[waits, ended], vec![], 20), ["stuck"]);
}

#[test]
fn what_jobs_share_is_told_once_and_what_is_one_job_s_by_its_name() {
    let dead = |name| Check::fail(name, &HealthError::NoResult { after: Duration::from_secs(1) });
    let poor = Check::fail("wallet balance", &HealthError::LowBalance { balance: "1".into(), updates: 0 });
    let other = Check::fail("model files", &HealthError::OtherBundle);
    let report = Report { checked: Instant::now(), checks: vec![dead("attestor"), dead("chain head"), poor, other] };
    let mut found = Vec::new();
    for job in ["one", "other"] {
        let records = [record(7, Stage::Missed)];
        add(&mut found, active_alerts(0, &shares(job), &records, &[], &report, Duration::from_mins(20)));
    }
    let failure = Failure { code: "VR-PROVE-003", message: "why".into(), hint: "restore it", since_ms: 0, tries: 2 };
    add(&mut found, vec![failed(shares("third").job(), &failure)]);
    let told: Vec<_> = found.iter().map(|alert| format!("{} {}", alert.code, alert.subject)).collect();
    let wallet = Address::ZERO;
    assert_eq!(
        told,
        [
            "VR-CHAIN-001 job one on chain 1",
            "VR-HEALTH-006 chain 1",
            &format!("VR-HEALTH-004 wallet {wallet} on chain 1"),
            "VR-HEALTH-008 job one on chain 1",
            "VR-CHAIN-001 job other on chain 1",
            "VR-HEALTH-008 job other on chain 1",
            "VR-PROVE-003 job third on chain 1",
        ]
    );
    assert!(found[6].text.ends_with("(try 2): why"), "{}", found[6].text);
}
