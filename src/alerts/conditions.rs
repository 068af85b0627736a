//! What somebody should know, from what is stored and what was checked. Pure.

use std::time::Duration;

use super::AlertError;
use crate::health::monitor::Report;
use crate::health::{Check, HealthError, Level};
use crate::sources::candles::error::{OMITTED_CODE, REVISED_CODE};
use veriregime_core::types::alert::{Alert, Severity};
use veriregime_core::types::cycle::{CycleRecord, Stage};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::period::PeriodId;

/// Key of the alert about a period without an update.
const MISSED: &str = "missed";
/// Longest text of an alert, in characters.
const MAX_TEXT_CHARS: usize = 500;

/// Everything that holds now, and what has ended in the meantime and nobody was told. `records` are the newest cycles,
/// `untold` those of whose end nobody was told, both newest first.
pub fn active_alerts(
    now_ms: i64,
    records: &[CycleRecord],
    untold: &[CycleRecord],
    report: &Report,
    stuck_after: Duration,
) -> Vec<Alert> {
    let mut found = Vec::new();
    if let Some(newest) = records.first().filter(|newest| !newest.stage.is_final()) {
        found.extend(stuck(now_ms, newest, stuck_after));
    }
    if let Some(ended) = records.iter().find(|record| record.stage.is_final()) {
        found.extend(missed(ended));
        found.extend(about_candles(ended));
    }
    let is_missed = found.iter().any(|alert| alert.key == MISSED);
    // That the last update is old is the same news.
    let checks = report.checks.iter().filter(|check| !(is_missed && check.name == "last update"));
    found.extend(failing(checks));
    add_untold(&mut found, untold);
    found
}

/// Adds what the ends of these cycles would have had somebody told. Of several such cycles the newest is told, with the number
/// of those that were missed before it.
fn add_untold(found: &mut Vec<Alert>, untold: &[CycleRecord]) {
    for alert in untold.iter().flat_map(|record| missed(record).into_iter().chain(about_candles(record))) {
        if !found.iter().any(|one| one.key == alert.key) {
            found.push(alert);
        }
    }
    let Some(told) = found.iter_mut().find(|alert| alert.key == MISSED) else { return };
    let earlier = || untold.iter().filter(|record| record.miss.is_some() && Some(record.period) < told.period);
    if let (Some(first), count) = (earlier().last(), earlier().count()) {
        told.text = cut(&format!("{}; {count} before it since period {} as well", told.text, first.period));
    }
}

fn stuck(now_ms: i64, record: &CycleRecord, stuck_after: Duration) -> Option<Alert> {
    let worked_ms = now_ms - record.started_ms;
    let limit_ms = i64::try_from(stuck_after.as_millis()).unwrap_or(i64::MAX);
    let fault = AlertError::Stuck { minutes: worked_ms / 60_000, stage: record.stage.name() };
    (worked_ms >= limit_ms).then(|| of_period("stuck", record.period, Severity::Critical, &fault))
}

/// That somebody else was first is no miss.
fn missed(record: &CycleRecord) -> Option<Alert> {
    let miss = record.miss.as_ref().filter(|_| record.stage == Stage::Missed)?;
    Some(Alert {
        key: MISSED.into(),
        occurrence: record.period.to_string(),
        code: miss.code.clone(),
        severity: Severity::Critical,
        text: cut(&format!("period {} missed after stage {}: {}", record.period, miss.stage.name(), miss.message)),
        period: Some(record.period),
        hint: format!("look {} up in docs/OPERATOR.md; `status` shows the last cycles", miss.code),
    })
}

fn about_candles(record: &CycleRecord) -> Vec<Alert> {
    let Some(origin) = &record.origin else { return Vec::new() };
    let mut found = Vec::new();
    if !origin.failed.is_empty() {
        let failed = origin.failed.iter().map(|one| format!("{} ({})", one.source, one.code)).collect();
        let fault = AlertError::Fallback { used: origin.source.clone(), failed };
        found.push(Alert {
            occurrence: String::new(),
            ..of_period("fallback", record.period, Severity::Warning, &fault)
        });
    }
    if !origin.omitted.is_empty() {
        let omitted: Vec<String> =
            origin.omitted.iter().map(|omission| format!("{} ({})", omission.market, omission.code)).collect();
        found.push(Alert {
            key: "omitted".into(),
            occurrence: String::new(),
            code: OMITTED_CODE.into(),
            severity: Severity::Critical,
            text: cut(&format!("updates omit {}: their candles keep failing", omitted.join(", "))),
            period: Some(record.period),
            hint: "look at these markets' candles; their parameters stay as they are and tighten with their age".into(),
        });
    }
    if origin.revised_minutes > 0 {
        found.push(Alert {
            key: "revised".into(),
            occurrence: String::new(),
            code: REVISED_CODE.into(),
            severity: Severity::Warning,
            text: format!(
                "{} revised {} minutes of candles that it had given before",
                origin.source, origin.revised_minutes
            ),
            period: Some(record.period),
            hint: "look the exchange's notices up; audits of earlier periods will differ in these minutes".into(),
        });
    }
    found
}

/// One alert for all checks that fail for the same reason.
fn failing<'a>(checks: impl Iterator<Item = &'a Check>) -> Vec<Alert> {
    let mut found: Vec<Alert> = Vec::new();
    for check in checks {
        let severity = match check.level {
            Level::Warn if check.code != Some(HealthError::NoUpdate.code()) => Severity::Warning,
            Level::Fail => Severity::Critical,
            Level::Ok | Level::Warn => continue,
        };
        let code = check.code.unwrap_or_default();
        if let Some(same) = found.iter_mut().find(|alert| alert.code == code) {
            same.text = cut(&format!("{}, {}", check.name, same.text));
            continue;
        }
        found.push(Alert {
            key: code.into(),
            occurrence: String::new(),
            code: code.into(),
            severity,
            text: cut(&format!("{}: {}", check.name, check.figure)),
            period: None,
            hint: check.hint.unwrap_or_default().into(),
        });
    }
    found
}

/// An alert about a period, said anew for each one.
pub fn of_period(key: &str, period: PeriodId, severity: Severity, fault: &dyn Diagnostic) -> Alert {
    Alert {
        key: key.into(),
        occurrence: period.to_string(),
        code: fault.code().into(),
        severity,
        text: cut(&format!("period {period}: {fault}")),
        period: Some(period),
        hint: fault.hint().into(),
    }
}

fn cut(text: &str) -> String {
    text.chars().take(MAX_TEXT_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use alloy::primitives::Address;

    use super::*;
    use veriregime_core::types::contract::Contract;
    use veriregime_core::types::cycle::Miss;
    use veriregime_core::types::digest::Digest;
    use veriregime_core::types::job::JobKey;

    fn record(period: u64, stage: Stage) -> CycleRecord {
        let period = PeriodId(period);
        let miss = Miss { stage: Stage::Collected, code: "VR-CHAIN-001".into(), message: "x".repeat(10_000) };
        CycleRecord {
            job: JobKey::new(Contract { chain_id: 1, address: Address::ZERO }, Digest([0; 32])),
            period,
            stage,
            started_ms: period.start_ms(),
            updated_ms: period.start_ms(),
            candles: vec![],
            origin: None,
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

    fn keys(records: &[CycleRecord], checks: Vec<Check>, minute: i64) -> Vec<String> {
        let report = Report { checked: Instant::now(), checks };
        let now_ms = records[0].period.start_ms() + minute * 60_000;
        let found = active_alerts(now_ms, records, &[], &report, Duration::from_mins(20));
        assert!(found.iter().all(|alert| alert.text.chars().count() <= MAX_TEXT_CHARS && !alert.code.is_empty()));
        found.into_iter().map(|alert| alert.key).collect()
    }

    #[test]
    fn a_missed_period_is_told_though_the_next_one_was_confirmed_since() {
        let report = Report { checked: Instant::now(), checks: vec![] };
        let active_alerts = |untold: &[CycleRecord]| {
            let records = [record(9, Stage::Confirmed), record(8, Stage::Missed), record(7, Stage::Missed)];
            active_alerts(records[0].period.start_ms(), &records, untold, &report, Duration::from_mins(20))
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
        // One dead RPC is one alert, however many checks it fails.
        let dead = |name| Check::fail(name, &HealthError::NoResult { after: Duration::from_secs(1) });
        assert_eq!(
            keys(&[record(7, Stage::Confirmed)], vec![dead("chain head"), dead("attestor")], 1),
            ["VR-HEALTH-006"]
        );
    }
}
