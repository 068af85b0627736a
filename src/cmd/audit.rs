//! `audit`: what the chain says, against public candles and the proof.

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::selection::Selection;
use super::signals::stop_on_signal;
use super::{EXIT_DONE, print};
use crate::audit::compare::Verdict;
use crate::audit::follow::{self, Notice};
use crate::audit::models::Models;
use crate::node::replay;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::time::parse_utc_ms;

/// An update is there but is not what the auditor's candles give, or nobody can say.
const EXIT_DATA_DIFFER: u8 = 3;
/// An update's proof or attestations do not hold.
const EXIT_INVALID: u8 = 4;
/// Most periods of one call: a year.
const MAX_PERIODS: u64 = 366 * PeriodId::PER_DAY;

/// Options of `audit`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent --config watcher.toml audit                              the last period that is over
  veriregime-agent --config watcher.toml audit --period 122748
  veriregime-agent --config watcher.toml audit --from 2026-01-05 --to 2026-01-06 --json
  veriregime-agent --config watcher.toml audit --follow                     every update as it lands, until stopped

It needs no key: model.bundle, chain.rpc_url, chain.oracle and the exchange are enough. It takes every update of the contract,
of whatever model, with the model's bundle if that is model.bundle or lies beside it. For each update it recomputes the
features from the exchange's candles and compares them bit for bit, verifies the proof here and by the verifier on chain,
and checks who attested; it names what it checked. An update of a model without a bundle is told as one.
Exchanges revise candles now and then: the earlier you audit, the less that is a reason.
Exit status: 0 all match (or nothing landed), 1 error, 3 data differ or unknown model, 4 proof or attestation invalid.")]
pub struct AuditArgs {
    /// One period, by its number.
    #[arg(long, value_name = "P", conflicts_with_all = ["from", "follow"])]
    period: Option<u64>,
    /// Periods that start from this moment on, UTC.
    #[arg(long, value_parser = parse_utc_ms, value_name = "DATE", requires = "to")]
    from: Option<i64>,
    /// Periods that start before this moment, UTC.
    #[arg(long, value_parser = parse_utc_ms, value_name = "DATE", requires = "from")]
    to: Option<i64>,
    /// Go on with each update that lands.
    #[arg(long, conflicts_with = "from")]
    follow: bool,
}

/// Audits and says what came out.
///
/// # Errors
/// Settings, bundle, chain or exchange that cannot be used.
pub async fn run(args: AuditArgs, settings: Selection<'_>, json: bool) -> anyhow::Result<u8> {
    let config = settings.one()?;
    let stop = CancellationToken::new();
    let clock = replay::clock(&config, &stop).await?;
    let mut models = Models::new(&config, clock.clone()).await?;
    let outcome = if args.follow {
        let _signals = stop_on_signal(stop.clone())?;
        let mut say = |notice: &Notice<'_>| {
            say(json, notice);
            print::is_read()
        };
        follow::run(&mut models, &config, &clock, &mut say, &stop).await
    } else {
        several(&mut models, periods(&args, clock.now_ms())?, json).await
    };
    stop.cancel();
    models.stop().await;
    Ok(exit_status(outcome?))
}

/// The exit status that says what was found.
pub fn exit_status(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Match => EXIT_DONE,
        Verdict::UnknownModel | Verdict::DataDiffer => EXIT_DATA_DIFFER,
        Verdict::AttestationInvalid | Verdict::ProofInvalid => EXIT_INVALID,
    }
}

fn periods(args: &AuditArgs, now_ms: i64) -> anyhow::Result<std::ops::Range<u64>> {
    let range = match (args.period, args.from, args.to) {
        (Some(period), ..) => period..period.saturating_add(1),
        (None, Some(from_ms), Some(to_ms)) => {
            PeriodId::at_ms(from_ms + PeriodId::SECONDS * 1000 - 1).0..PeriodId::at_ms(to_ms - 1).0 + 1
        }
        _ => {
            let running = PeriodId::at_ms(now_ms).0;
            running.saturating_sub(1)..running
        }
    };
    let count = range.end.saturating_sub(range.start);
    anyhow::ensure!((1..=MAX_PERIODS).contains(&count), "{count} periods: give at least one and at most {MAX_PERIODS}");
    Ok(range)
}

/// A notice; of an update that is not there programs hear nothing.
fn say(json: bool, notice: &Notice<'_>) {
    if !(json && matches!(notice, Notice::NoUpdate { .. })) {
        print::output(json, notice);
    }
}

/// The worst verdict of all.
async fn several(models: &mut Models, periods: std::ops::Range<u64>, json: bool) -> anyhow::Result<Verdict> {
    // With a bundle that is not right there is nothing to audit by.
    models.check_configured()?;
    let mut reports = Vec::new();
    for period in periods.map(PeriodId) {
        let updates = models.reader.updates(models.oracle, period).await?;
        if updates.is_empty() {
            say(json, &Notice::NoUpdate { period });
        }
        for update in updates {
            let report = models.audit(update).await?;
            if !json {
                say(json, &Notice::Audited(&report));
            }
            reports.push(report);
        }
    }
    if json {
        println!("{}", serde_json::to_string(&reports)?);
    }
    Ok(reports.iter().map(|report| report.found.verdict).max().unwrap_or(Verdict::Match))
}
