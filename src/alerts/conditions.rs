//! What somebody should know, from what is stored and what was checked. Pure.

use std::time::Duration;

use alloy::primitives::Address;

use super::AlertError;
use crate::actions::error::PAUSED_CODE;
use crate::health::monitor::Report;
use crate::health::{About, Check, HealthError, Level};
use crate::job::overview::Failure;
use crate::job::tables::{FALL_BACK_AFTER_MS, waits_for_publisher};
use crate::sources::candles::error::{OMITTED_CODE, REVISED_CODE};
use veriregime_core::types::alert::{Alert, Severity, Subject};
use veriregime_core::types::cycle::{CycleRecord, Miss, Stage};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::period::PeriodId;

/// Key of the alert about a period without an update.
const MISSED: &str = "missed";
/// Key of the alert about a job that does not work.
const FAILED: &str = "failed";
/// Longest text of an alert, in characters.
const MAX_TEXT_CHARS: usize = 500;

/// A job, and what it shares with others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shares {
    /// Name of the job.
    pub job: String,
    pub chain_id: u64,
    pub wallet: Address,
    /// The source that it asks first.
    pub source: String,
}

impl Shares {
    /// The job itself.
    pub fn job(&self) -> Subject {
        Subject::Job { job: self.job.clone(), chain_id: self.chain_id }
    }

    /// All that its checks look at.
    pub fn subjects(&self) -> [Subject; 5] {
        [About::Node, About::Chain, About::Wallet, About::Source, About::Job].map(|about| self.subject(about))
    }

    fn subject(&self, about: About) -> Subject {
        let chain_id = self.chain_id;
        match about {
            About::Node => Subject::Node {},
            About::Chain => Subject::Chain { chain_id },
            About::Wallet => Subject::Wallet { wallet: self.wallet, chain_id },
            About::Source => Subject::Source { source: self.source.clone() },
            About::Job => self.job(),
        }
    }
}

/// That a job does not work.
pub fn failed(job: Subject, failure: &Failure) -> Alert {
    let Check { figure, .. } = Check::of_failure(failure);
    Alert {
        subject: job,
        key: FAILED.into(),
        occurrence: String::new(),
        code: failure.code.into(),
        severity: Severity::Critical,
        text: cut(&figure),
        period: None,
        hint: failure.hint.into(),
    }
}

/// Adds alerts of a job to those of others: what is about something that they share is one alert.
pub fn add(found: &mut Vec<Alert>, of_job: Vec<Alert>) {
    for alert in of_job {
        if !found.iter().any(|one| (&one.subject, &one.key) == (&alert.subject, &alert.key)) {
            found.push(alert);
        }
    }
}

/// Everything that holds now of a job, and what has ended in the meantime and nobody was told. `records` are its newest
/// cycles, `untold` those of whose end nobody was told, both newest first.
pub fn active_alerts(
    now_ms: i64,
    shares: &Shares,
    records: &[CycleRecord],
    untold: &[CycleRecord],
    report: &Report,
    stuck_after: Duration,
) -> Vec<Alert> {
    let (mut found, job) = (Vec::new(), shares.job());
    if let Some(newest) = records.first().filter(|newest| !newest.stage.is_final()) {
        found.extend(stuck(now_ms, &job, newest, stuck_after));
    }
    if let Some(ended) = records.iter().find(|record| record.stage.is_final()) {
        found.extend(missed(&job, ended));
        found.extend(about_candles(&job, ended));
    }
    let is_missed = found.iter().any(|alert| alert.key == MISSED);
    // That the last update is old is the same news.
    let checks = report.checks.iter().filter(|check| !(is_missed && check.name == "last update"));
    found.extend(failing(shares, checks));
    add_untold(&mut found, &job, untold);
    found
}

/// Adds what the ends of these cycles would have had somebody told. Of several such cycles the newest is told, with the number
/// of those that were missed before it.
fn add_untold(found: &mut Vec<Alert>, job: &Subject, untold: &[CycleRecord]) {
    add(
        found,
        untold.iter().flat_map(|record| missed(job, record).into_iter().chain(about_candles(job, record))).collect(),
    );
    let Some(told) = found.iter_mut().find(|alert| alert.key == MISSED) else { return };
    let earlier = || untold.iter().filter(|record| miss(record).is_some() && Some(record.period) < told.period);
    if let (Some(first), count) = (earlier().last(), earlier().count()) {
        told.text = cut(&format!("{}; {count} before it since period {} as well", told.text, first.period));
    }
}

/// That a cycle waits for an owner's word is no fault, nor is it to wait for a publisher as long as its last edition does not count.
fn stuck(now_ms: i64, job: &Subject, record: &CycleRecord, stuck_after: Duration) -> Option<Alert> {
    if record.retrying.as_ref().is_some_and(|noted| noted.code == PAUSED_CODE) {
        return None;
    }
    let waits = record.retrying.as_ref().is_some_and(|noted| waits_for_publisher(&noted.code));
    let allowed_ms = if waits { FALL_BACK_AFTER_MS } else { 0 };
    let worked_ms = now_ms - record.started_ms;
    let limit_ms = i64::try_from(stuck_after.as_millis()).unwrap_or(i64::MAX);
    let fault = AlertError::Stuck { minutes: worked_ms / 60_000, stage: record.stage.name() };
    (worked_ms >= limit_ms.saturating_add(allowed_ms))
        .then(|| of_period(job.clone(), "stuck", record.period, Severity::Critical, &fault))
}

/// Why a cycle missed its period. That somebody else was first is no miss, nor that the owner wanted nothing done.
fn miss(record: &CycleRecord) -> Option<&Miss> {
    record.miss.as_ref().filter(|miss| record.stage == Stage::Missed && miss.code != PAUSED_CODE)
}

fn missed(job: &Subject, record: &CycleRecord) -> Option<Alert> {
    let miss = miss(record)?;
    Some(Alert {
        subject: job.clone(),
        key: MISSED.into(),
        occurrence: record.period.to_string(),
        code: miss.code.clone(),
        severity: Severity::Critical,
        text: cut(&format!("period {} missed after stage {}: {}", record.period, miss.stage.name(), miss.message)),
        period: Some(record.period),
        hint: format!("look {} up in docs/OPERATOR.md; `status` shows the last cycles", miss.code),
    })
}

fn about_candles(job: &Subject, record: &CycleRecord) -> Vec<Alert> {
    let Some(origin) = &record.origin else { return Vec::new() };
    let mut found = Vec::new();
    if !origin.failed.is_empty() {
        let failed = origin.failed.iter().map(|one| format!("{} ({})", one.source, one.code)).collect();
        let fault = AlertError::Fallback { used: origin.source.clone(), failed };
        found.push(Alert {
            occurrence: String::new(),
            ..of_period(job.clone(), "fallback", record.period, Severity::Warning, &fault)
        });
    }
    if !origin.omitted.is_empty() {
        let omitted: Vec<String> =
            origin.omitted.iter().map(|omission| format!("{} ({})", omission.market, omission.code)).collect();
        found.push(Alert {
            subject: job.clone(),
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
            subject: job.clone(),
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

/// One alert for all checks that fail for the same reason, about the widest of what they look at.
fn failing<'a>(shares: &Shares, checks: impl Iterator<Item = &'a Check>) -> Vec<Alert> {
    let mut found: Vec<(About, Alert)> = Vec::new();
    for check in checks {
        let severity = match check.level {
            Level::Warn if check.code != Some(HealthError::NoUpdate.code()) => Severity::Warning,
            Level::Fail => Severity::Critical,
            Level::Ok | Level::Warn => continue,
        };
        let code = check.code.unwrap_or_default();
        if let Some((about, same)) = found.iter_mut().find(|(_, alert)| alert.code == code) {
            same.text = cut(&format!("{}, {}", check.name, same.text));
            *about = check.about().min(*about);
            same.subject = shares.subject(*about);
            continue;
        }
        let alert = Alert {
            subject: shares.subject(check.about()),
            key: code.into(),
            occurrence: String::new(),
            code: code.into(),
            severity,
            text: cut(&format!("{}: {}", check.name, check.figure)),
            period: None,
            hint: check.hint.unwrap_or_default().into(),
        };
        found.push((check.about(), alert));
    }
    found.into_iter().map(|(_, alert)| alert).collect()
}

/// An alert about a period, said anew for each one.
pub fn of_period(subject: Subject, key: &str, period: PeriodId, severity: Severity, fault: &dyn Diagnostic) -> Alert {
    Alert {
        subject,
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
#[path = "conditions_tests.rs"]
mod tests;
