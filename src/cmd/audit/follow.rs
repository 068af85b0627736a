//! `audit --follow`: a watcher that audits each update as it lands, and tells the webhook of what does not match.

use std::collections::VecDeque;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::one::{Auditor, Report};
use super::shown;
use crate::alerts::AlertFault;
use crate::alerts::conditions::of_period;
use crate::alerts::ledger::Message;
use crate::alerts::webhook::Webhook;
use crate::audit::Verdict;
use crate::clock::Clock;
use crate::cmd::daemon::stop_on_signal;
use crate::cmd::{report, setup};
use crate::config::Config;
use crate::types::alert::Severity;
use crate::types::fault::Fault;
use crate::types::period::PeriodId;

/// Longest pause between two looks.
const PAUSE: Duration = Duration::from_secs(30);
/// Messages that wait for a webhook that does not take them: two weeks of lies.
const MAX_WAITING: usize = 100;

/// Audits each update once it is there, until a signal comes. A source or chain that fails is asked again.
///
/// # Errors
/// A webhook's file that is not usable.
pub async fn run(
    auditor: &mut Auditor,
    config: &Config,
    clock: &Clock,
    json: bool,
    stop: &CancellationToken,
) -> anyhow::Result<Verdict> {
    let signals = stop_on_signal(stop.clone())?;
    let mut told = Telling::new(config)?;
    let pause = PAUSE.min(config.schedule.recheck);
    let (mut worst, mut next) = (Verdict::Match, PeriodId::at_ms(clock.now_ms()));
    while !stop.is_cancelled() {
        match auditor.audit(next).await {
            Ok(Some(audited)) => {
                let line = if json { serde_json::to_string(&audited)? } else { shown::lines(next, Some(&audited)) };
                println!("{line}");
                worst = worst.max(audited.found.verdict);
                told.note(&audited);
                next = next.next();
                continue;
            }
            Ok(None) if clock.now_ms() >= next.end_ms() => {
                if !json {
                    println!("{}", shown::lines(next, None));
                }
                next = next.next();
                continue;
            }
            Ok(None) => {}
            Err(error) => {
                let code = report::fault(&error).map_or("", Fault::code);
                warn!(period = next.0, code, error = format!("{error:#}"), "not audited yet, trying again");
            }
        }
        let rest = async {
            told.tell().await;
            tokio::time::sleep(pause).await;
        };
        tokio::select! {
            () = rest => {}
            () = stop.cancelled() => {}
        }
    }
    signals.abort();
    Ok(worst)
}

/// What the webhook has to be told.
struct Telling {
    webhook: Option<Webhook>,
    waiting: VecDeque<Message>,
}

impl Telling {
    fn new(config: &Config) -> anyhow::Result<Self> {
        let name = format!("audit of {}", setup::oracle(config)?);
        let webhook = config.alerts.webhook_file.as_deref().map(|path| Webhook::from_file(path, name));
        Ok(Self { webhook: webhook.transpose()?, waiting: VecDeque::new() })
    }

    fn note(&mut self, audited: &Report) {
        if self.webhook.is_none() || audited.found.verdict == Verdict::Match {
            return;
        }
        let fault =
            AlertFault::Audit { verdict: audited.found.verdict.words(), transaction: audited.transaction.to_string() };
        self.waiting.push_back(Message::Holds(of_period("audit", audited.period, Severity::Critical, &fault)));
        if self.waiting.len() > MAX_WAITING {
            self.waiting.pop_front();
        }
    }

    /// Tells what waits, oldest first, until the webhook refuses.
    async fn tell(&mut self) {
        let Some(webhook) = &self.webhook else { return };
        while let Some(message) = self.waiting.front() {
            if let Err(fault) = webhook.send(message).await {
                warn!(code = fault.code(), error = %fault, advice = fault.advice(), "alert not delivered");
                return;
            }
            info!("alert delivered");
            self.waiting.pop_front();
        }
    }
}
