//! What has been said of what holds, and so what is to be said next. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use veriregime_core::types::alert::{Alert, FiredAlert, Subject};

/// Looks in a row that something must hold before it is said: what comes and goes by itself is nobody's work.
const LOOKS: u32 = 3;

/// Of what was perhaps not said.
const NEVER_MS: i64 = 0;

/// What to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// It holds, or still does.
    Holds(Alert),
    /// It is over.
    Resolved(FiredAlert),
}

/// What tells one alert from another.
type Id = (Subject, String);

fn id(alert: &Alert) -> Id {
    (alert.subject.clone(), alert.key.clone())
}

fn id_of_told(told: &FiredAlert) -> Id {
    (told.subject.clone(), told.key.clone())
}

/// The memory of what was said.
#[derive(Debug, Default)]
pub struct AlertState {
    told: BTreeMap<Id, FiredAlert>,
    /// How often in a row something was seen that has not been said yet.
    seen: BTreeMap<Id, u32>,
}

impl AlertState {
    /// With what an earlier run had said.
    pub fn new(told: Vec<FiredAlert>) -> Self {
        Self { told: told.into_iter().map(|one| (id_of_told(&one), one)).collect(), seen: BTreeMap::new() }
    }

    /// What is to be said now that exactly `active_alerts` holds of what `was_seen`; of other subjects nothing is over. What is
    /// said has to be noted by [`AlertState::said`]; what is not noted is due again the next time.
    pub fn due(
        &mut self,
        now_ms: i64,
        active_alerts: &[Alert],
        was_seen: impl Fn(&Subject) -> bool,
        resend_after: Duration,
    ) -> Vec<Message> {
        let holds = |one: &Id| active_alerts.iter().any(|alert| (&alert.subject, &alert.key) == (&one.0, &one.1));
        self.seen.retain(|one, _| holds(one));
        let mut due = Vec::new();
        for alert in active_alerts {
            let is_due = match self.told.get(&id(alert)) {
                Some(told) if told.occurrence != alert.occurrence => true,
                Some(told) => now_ms - told.told_ms >= i64::try_from(resend_after.as_millis()).unwrap_or(i64::MAX),
                None => {
                    let seen = self.seen.entry(id(alert)).or_default();
                    *seen += 1;
                    // What is about a period has happened, and does not go away by itself.
                    *seen >= LOOKS || alert.period.is_some()
                }
            };
            if is_due {
                due.push(Message::Holds(alert.clone()));
            }
        }
        let over = self.told.iter().filter(|(one, told)| !holds(one) && was_seen(&told.subject));
        due.extend(over.map(|(_, told)| Message::Resolved(told.clone())));
        due
    }

    /// What is to be remembered before a message is sent of which nothing is remembered yet: a process that dies after sending
    /// it leaves to the next one to say it again, or that it is over.
    pub fn about_to_say(&self, now_ms: i64, message: &Message) -> Option<FiredAlert> {
        match message {
            Message::Holds(alert) if !self.told.contains_key(&id(alert)) => Some(told(alert, now_ms, NEVER_MS)),
            _ => None,
        }
    }

    /// Notes that a message was delivered. Gives back what is to be remembered of it; nothing of what is over.
    pub fn said(&mut self, now_ms: i64, message: &Message) -> Option<FiredAlert> {
        match message {
            Message::Holds(alert) => {
                let since_ms = self.told.get(&id(alert)).map_or(now_ms, |told| told.since_ms);
                let told = told(alert, since_ms, now_ms);
                self.told.insert(id(alert), told.clone());
                self.seen.remove(&id(alert));
                Some(told)
            }
            Message::Resolved(told) => {
                self.told.remove(&id_of_told(told));
                None
            }
        }
    }
}

fn told(alert: &Alert, since_ms: i64, told_ms: i64) -> FiredAlert {
    FiredAlert {
        subject: alert.subject.clone(),
        key: alert.key.clone(),
        occurrence: alert.occurrence.clone(),
        code: alert.code.clone(),
        text: alert.text.clone(),
        since_ms,
        told_ms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use veriregime_core::types::alert::Severity;
    use veriregime_core::types::period::PeriodId;

    const HOUR: Duration = Duration::from_hours(1);
    const HOUR_MS: i64 = 3_600_000;

    fn alert(key: &str, occurrence: &str) -> Alert {
        Alert {
            subject: Subject::Node {},
            key: key.into(),
            occurrence: occurrence.into(),
            code: "VR-X-001".into(),
            severity: Severity::Critical,
            text: String::new(),
            period: (!occurrence.is_empty()).then_some(PeriodId(1)),
            hint: String::new(),
        }
    }

    /// Says what is due, and gives back the keys; those that are over in brackets.
    fn say(ledger: &mut AlertState, now_ms: i64, active_alerts: &[Alert]) -> Vec<String> {
        let due = ledger.due(now_ms, active_alerts, |_| true, HOUR);
        for message in &due {
            ledger.said(now_ms, message);
        }
        let name = |message: &Message| match message {
            Message::Holds(alert) => alert.key.clone(),
            Message::Resolved(told) => format!("({})", told.key),
        };
        due.iter().map(name).collect()
    }

    #[test]
    fn it_is_said_once_again_after_a_while_and_when_it_is_over() {
        let (mut ledger, missed) = (AlertState::default(), |period: &str| [alert("missed", period)]);
        let none: [&str; 0] = [];
        assert_eq!(say(&mut ledger, 0, &missed("1")), ["missed"]);
        assert_eq!(say(&mut ledger, HOUR_MS - 1, &missed("1")), none);
        assert_eq!(say(&mut ledger, HOUR_MS, &missed("1")), ["missed"]);
        assert_eq!(say(&mut ledger, HOUR_MS + 1, &missed("2")), ["missed"], "another period");
        assert_eq!(say(&mut ledger, HOUR_MS + 2, &[]), ["(missed)"]);
        assert_eq!(say(&mut ledger, HOUR_MS + 3, &[]), none);
        assert_eq!(say(&mut ledger, HOUR_MS + 4, &missed("2")), ["missed"]);
    }

    #[test]
    fn what_comes_and_goes_is_not_said() {
        let (mut ledger, failing) = (AlertState::default(), [alert("check", "")]);
        let none: [&str; 0] = [];
        for _ in 0..10 {
            assert_eq!(say(&mut ledger, 0, &failing), none);
            assert_eq!(say(&mut ledger, 0, &failing), none);
            assert_eq!(say(&mut ledger, 0, &[]), none);
        }
        assert_eq!([(); 3].map(|()| say(&mut ledger, 0, &failing).len()), [0, 0, 1]);
    }

    #[test]
    fn what_was_not_delivered_is_due_again_and_a_restart_repeats_nothing() {
        let (mut ledger, missed) = (AlertState::default(), [alert("missed", "1")]);
        assert_eq!(ledger.due(0, &missed, |_| true, HOUR).len(), 1);
        let due = ledger.due(1, &missed, |_| true, HOUR);
        let told = ledger.said(1, &due[0]).unwrap();
        let mut restarted = AlertState::new(vec![told]);
        assert!(restarted.due(2, &missed, |_| true, HOUR).is_empty());
        assert_eq!(restarted.due(3, &[], |_| true, HOUR).len(), 1, "that it is over is said by whoever comes after");
    }

    #[test]
    fn what_was_perhaps_said_before_a_crash_is_said_again_or_that_it_is_over() {
        let (mut ledger, failing) = (AlertState::default(), [alert("check", "")]);
        ledger.due(HOUR_MS, &failing, |_| true, HOUR);
        ledger.due(HOUR_MS, &failing, |_| true, HOUR);
        let due = ledger.due(HOUR_MS, &failing, |_| true, HOUR);
        let perhaps = ledger.about_to_say(HOUR_MS, &due[0]).unwrap();
        let restarted = || AlertState::new(vec![perhaps.clone()]);
        assert_eq!(say(&mut restarted(), HOUR_MS + 1, &failing), ["check"]);
        assert_eq!(say(&mut restarted(), HOUR_MS + 1, &[]), ["(check)"]);
        ledger.said(HOUR_MS, &due[0]);
        assert_eq!(ledger.about_to_say(HOUR_MS, &due[0]), None);
    }

    #[test]
    fn nothing_is_over_of_what_was_not_looked_at_and_two_jobs_may_have_the_same_trouble() {
        let about = |job: &str| Subject::Job { job: job.into(), chain_id: 1 };
        let missed = |job: &str| Alert { subject: about(job), ..alert("missed", "1") };
        let mut ledger = AlertState::default();
        let both = [missed("one"), missed("other")];
        assert_eq!(say(&mut ledger, 0, &both), ["missed", "missed"]);
        let none: [&str; 0] = [];
        assert_eq!(say(&mut ledger, 1, &both), none);
        let due = ledger.due(2, &[], |subject| *subject == about("one"), HOUR);
        let [Message::Resolved(told)] = due.as_slice() else { unreachable!("{due:?}") };
        assert_eq!(told.subject, about("one"));
    }
}
