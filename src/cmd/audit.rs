//! `audit`: what the chain says, against public candles and the proof.

use anyhow::Context;
use clap::Args;
use serde::Serialize;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::selection::Selection;
use super::signals::stop_on_signal;
use super::{EXIT_DONE, EXIT_FAILED, print, report};
use crate::audit::compare::Verdict;
use crate::audit::market::MarketAuditor;
use crate::audit::models::{self, Group, Models};
use crate::audit::one::Report;
use crate::audit::publication::FeedAuditor;
use crate::audit::reports::{PublicationReport, SaleReport};
use crate::audit::vault::VaultAuditor;
use crate::audit::watch::Notice;
use crate::audit::{follow, follow_market};
use crate::clock::Clock;
use crate::config::Config;
use crate::config::raw::JobKind;
use crate::node::replay;
use veriregime_core::types::period::{Grid, PeriodId};
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
  veriregime-agent --config watcher.toml audit --job btc-on-base            one job's contract; without it all of them

It needs no key: model.bundle, chain.rpc_url, chain.oracle and the exchange are enough. It takes every update of the contract,
of whatever model, with the model's bundle if that is model.bundle or lies beside it. For each update it recomputes the
features from the exchange's candles and compares them bit for bit, verifies the proof here and by the verifier on chain,
and checks who attested; it names what it checked. An update of a model without a bundle is told as one.
Exchanges revise candles now and then: the earlier you audit, the less that is a reason. Of a hedge job it takes (and follows) the vault's
sales, and the publishers' tables as they are now; `verify-bundle` takes those that the forecast was made from. Of a yield job it
takes (and follows) the feed's forecasts in the same way.
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

/// What was audited.
#[derive(Serialize)]
#[serde(untagged)]
enum Audited<'a> {
    Update(&'a Report),
    Sale(&'a SaleReport),
    Publication(&'a PublicationReport),
}

/// Audits and says what came out.
///
/// # Errors
/// Settings, bundle, chain or exchange that cannot be used.
pub async fn run(args: AuditArgs, settings: Selection<'_>, json: bool) -> anyhow::Result<u8> {
    let (vaults, jobs): (Vec<Config>, Vec<Config>) =
        settings.several()?.into_iter().partition(|job| job.kind == JobKind::Hedge);
    let (feeds, jobs): (Vec<Config>, Vec<Config>) = jobs.into_iter().partition(|job| job.kind == JobKind::Yield);
    let contracts = models::by_contract(jobs)?;
    let stop = CancellationToken::new();
    if args.follow {
        let _signals = stop_on_signal(stop.clone())?;
        return follow_all(contracts, vaults, feeds, json, stop).await;
    }
    let (mut reports, mut failed) = (Vec::new(), Vec::new());
    for group in contracts {
        let name = group.jobs[0].names.job.clone();
        match several(group, &args, json, &stop).await {
            Ok(found) => reports.extend(found),
            Err(error) => failed.push((name, error)),
        }
    }
    let mut sales = Vec::new();
    for job in vaults {
        match audited(VaultAuditor::new(job.clone()), &args).await {
            Ok(found) => sales.extend(found),
            Err(error) => failed.push((job.names.job.clone(), error)),
        }
    }
    let mut forecasts = Vec::new();
    for job in feeds {
        match audited(FeedAuditor::new(job.clone()), &args).await {
            Ok(found) => forecasts.extend(found),
            Err(error) => failed.push((job.names.job.clone(), error)),
        }
    }
    for found in sales.iter().filter(|_| !json) {
        print::output(json, found);
    }
    for found in forecasts.iter().filter(|_| !json) {
        print::output(json, found);
    }
    stop.cancel();
    if json && (failed.is_empty() || !reports.is_empty() || !sales.is_empty() || !forecasts.is_empty()) {
        let told = reports.iter().map(Audited::Update).chain(sales.iter().map(Audited::Sale));
        let told = told.chain(forecasts.iter().map(Audited::Publication));
        println!("{}", serde_json::to_string(&told.collect::<Vec<_>>())?);
    }
    for (job, error) in &failed {
        report::say(error, std::slice::from_ref(job));
    }
    let verdicts = reports.iter().map(|report| report.found.verdict);
    let verdicts = verdicts.chain(sales.iter().map(|sale| sale.found.verdict));
    let verdicts = verdicts.chain(forecasts.iter().map(|forecast| forecast.found.verdict));
    let worst = verdicts.max().unwrap_or(Verdict::Match);
    Ok(if worst == Verdict::Match && !failed.is_empty() { EXIT_FAILED } else { exit_status(worst) })
}

/// Follows every contract, vault and feed until stopped, or until one cannot be followed. The worst verdict of all.
async fn follow_all(
    contracts: Vec<Group>,
    vaults: Vec<Config>,
    feeds: Vec<Config>,
    json: bool,
    stop: CancellationToken,
) -> anyhow::Result<u8> {
    let hear = move |notice: &Notice<'_>| {
        say(json, notice);
        print::is_read()
    };
    let mut followed = JoinSet::new();
    for group in contracts {
        let stop = stop.clone();
        followed.spawn(async move {
            let clock = replay::clock(&group.jobs[0], &stop).await?;
            let mut models = Models::new(group, clock.clone()).await?;
            let outcome = follow::run(&mut models, &clock, &mut { hear }, &stop).await;
            models.stop().await;
            outcome
        });
    }
    for job in vaults {
        let stop = stop.clone();
        followed.spawn(async move {
            let auditor = VaultAuditor::new(job).await?;
            follow_market::run(&auditor, &Clock::System, &mut { hear }, &stop).await
        });
    }
    for job in feeds {
        let stop = stop.clone();
        followed.spawn(async move {
            let auditor = FeedAuditor::new(job).await?;
            follow_market::run(&auditor, &Clock::System, &mut { hear }, &stop).await
        });
    }
    let mut worst = Ok(Verdict::Match);
    while let Some(outcome) = followed.join_next().await {
        let outcome = outcome.context("an audit broke off").flatten();
        if outcome.is_err() {
            stop.cancel();
        }
        worst = worst.and_then(|worst: Verdict| outcome.map(|verdict| worst.max(verdict)));
    }
    stop.cancel();
    Ok(exit_status(worst?))
}

/// The exit status that says what was found.
pub fn exit_status(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Match => EXIT_DONE,
        Verdict::UnknownModel | Verdict::DataDiffer => EXIT_DATA_DIFFER,
        Verdict::AttestationInvalid | Verdict::ProofInvalid => EXIT_INVALID,
    }
}

/// Audits what a job's vault or feed has of the periods.
async fn audited<A: MarketAuditor>(
    auditor: impl Future<Output = anyhow::Result<A>>,
    args: &AuditArgs,
) -> anyhow::Result<Vec<A::Report>> {
    let now_ms = Clock::System.now_ms();
    let periods = periods(args, A::GRID, now_ms)?;
    auditor.await?.audit_periods(periods, now_ms).await
}

fn periods(args: &AuditArgs, grid: Grid, now_ms: i64) -> anyhow::Result<std::ops::Range<u64>> {
    let range = match (args.period, args.from, args.to) {
        (Some(period), ..) => period..period.saturating_add(1),
        (None, Some(from_ms), Some(to_ms)) => {
            let length_ms = i64::try_from(grid.period_seconds).unwrap_or(i64::MAX).saturating_mul(1000);
            grid.period_at(from_ms.saturating_add(length_ms) - 1).0..grid.period_at(to_ms - 1).0 + 1
        }
        _ => {
            let running = grid.period_at(now_ms).0;
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

/// Audits what these jobs' contract has of the periods, and says it to people as it comes.
async fn several(group: Group, args: &AuditArgs, json: bool, stop: &CancellationToken) -> anyhow::Result<Vec<Report>> {
    let clock = replay::clock(&group.jobs[0], stop).await?;
    let mut models = Models::new(group, clock.clone()).await?;
    let periods = periods(args, models.config().grid(), clock.now_ms())?;
    let reports = each(&mut models, periods, json).await;
    models.stop().await;
    reports
}

async fn each(models: &mut Models, periods: std::ops::Range<u64>, json: bool) -> anyhow::Result<Vec<Report>> {
    // With a bundle that is not right there is nothing to audit by.
    models.check_configured()?;
    let grid = models.config().grid();
    let mut reports = Vec::new();
    for period in periods.map(PeriodId) {
        let mut updates = Vec::new();
        for update in models.reader.updates(models.oracle, grid, period).await? {
            if models.has(update.model_id).await? {
                updates.push(update);
            }
        }
        if updates.is_empty() {
            say(json, &Notice::NoUpdate { job: models.job(), period, start_ms: grid.start_ms(period) });
        }
        for update in updates {
            let report = models.audit(update).await?;
            if !json {
                say(json, &Notice::Audited(&report));
            }
            reports.push(report);
        }
    }
    Ok(reports)
}
