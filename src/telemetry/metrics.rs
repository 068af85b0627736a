//! Every figure that is counted, with its name and unit. Nothing is kept before [`install`]: then these calls do nothing.

mod names;
pub mod vault;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use alloy::primitives::Address;
use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

use names::{
    ALERTS, BALANCE, BASIS, BUILD, CARRIED, CLOCK_SKEW, CYCLES, DISAGREEMENTS, FEES, HEAD_LAG, LAST_PERIOD, LENT,
    LONGEST_RUN, MARKET_AGE, MARKET_APPLIED, MARKET_FEE, MARKET_PROBABILITY, MARKET_RATIO, MARKET_STATUS,
    MARKET_VOLATILITY, MODEL, OMITTED, PERIOD_SECONDS, PROOF_SECONDS, READY, REQUESTS, RETRIES, REVISED, RPC_ERRORS,
    SOURCE_FAILED, SOURCE_USED, STAGE_SECONDS, TRANSACTIONS, VOLATILITY, WORST, describe,
};
use veriregime_core::types::cycle::{Purpose, Stage};
use veriregime_core::types::digest::Digest;
use veriregime_core::types::origin::{CrossCheckResult, Origin};
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::vintage::TablesOrigin;

/// The label for the job's name. `job` itself is the scrape's: Prometheus would rename ours.
const JOB: &str = "job_name";
/// The label for the EIP-155 id of a chain.
const CHAIN: &str = "chain";
/// The label for a wallet's address.
const WALLET: &str = "wallet";

tokio::task_local! {
    /// Whose figures the running task counts.
    static COUNTED_JOB: String;
}

/// From a stage that takes a millisecond to one that waits for a day, whatever a model's grid.
const SECONDS_BUCKETS: [f64; 16] =
    [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1800.0, 3600.0, 21_600.0, 86_400.0];
/// Observations are folded into their buckets this often.
const UPKEEP: Duration = Duration::from_secs(30);
/// What was written out is good for this long.
const FRESH: Duration = Duration::from_secs(1);
const WEI_PER_GWEI: f64 = 1e9;
/// Outcomes of a cycle.
const OUTCOMES: [Stage; 3] = [Stage::Confirmed, Stage::AlreadyByOther, Stage::Missed];
/// What an RPC can fail with.
const RPC_CODES: [&str; 5] = ["VR-CHAIN-001", "VR-CHAIN-002", "VR-CHAIN-003", "VR-CHAIN-013", "VR-CHAIN-014"];
/// What the API answers.
const API_STATUSES: [u16; 9] = [200, 400, 404, 405, 409, 413, 429, 500, 503];

/// The figures in Prometheus' text format.
#[derive(Debug, Clone)]
pub struct Exposition {
    handle: PrometheusHandle,
    /// Written out at most once in [`FRESH`], however many ask.
    text: Arc<Mutex<Option<(Instant, String)>>>,
}

impl Exposition {
    /// One that nothing is counted in.
    pub fn apart() -> Self {
        Self { handle: PrometheusBuilder::new().build_recorder().handle(), text: Arc::default() }
    }

    /// All of them, at most a second old.
    pub fn render(&self) -> String {
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        match text.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            Some((_, text)) => text.clone(),
            None => text.insert((Instant::now(), self.handle.render())).1.clone(),
        }
    }
}

/// Begins to count, for the whole process; histograms are folded now and then until `stop`.
///
/// # Errors
/// Where something else counts already.
pub fn install(stop: CancellationToken) -> Result<Exposition, BuildError> {
    let seconds = Matcher::Suffix("_seconds".into());
    let handle = PrometheusBuilder::new().set_buckets_for_metric(seconds, &SECONDS_BUCKETS)?.install_recorder()?;
    describe();
    let folded = handle.clone();
    tokio::spawn(async move {
        while tokio::time::timeout(UPKEEP, stop.cancelled()).await.is_err() {
            folded.run_upkeep();
        }
    });
    Ok(Exposition { handle, text: Arc::default() })
}

/// Runs `work` with its figures counted as those of a job.
pub async fn of_job<F: Future>(job: String, work: F) -> F::Output {
    COUNTED_JOB.scope(job, work).await
}

/// As [`of_job`], of what is done at once.
pub fn begin_job(job: &str, work: impl FnOnce()) {
    COUNTED_JOB.sync_scope(job.to_owned(), work);
}

/// The name of the job that is counted; empty, as good as no label, outside of any.
fn job() -> String {
    COUNTED_JOB.try_with(Clone::clone).unwrap_or_default()
}

/// A wallet on a chain.
#[derive(Debug, Clone, Copy)]
pub struct Wallet<'a> {
    /// EIP-155 id of the chain.
    pub chain_id: u64,
    /// Its address.
    pub address: &'a Address,
}

impl Wallet<'_> {
    fn chain(&self) -> String {
        self.chain_id.to_string()
    }

    fn wallet(&self) -> String {
        self.address.to_string()
    }
}

/// What runs.
pub fn runs(model_id: &str, manifest: Digest, period_seconds: u64) {
    gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    gauge!(MODEL, JOB => job(), "model_id" => model_id.to_owned(), "manifest_sha256" => manifest.to_string()).set(1.0);
    gauge!(PERIOD_SECONDS, JOB => job()).set(period_seconds as f64);
}

/// Begins every series whose labels are known, at nothing: what appears with its first event shows no increase by it.
pub fn begin(
    chain: Wallet<'_>,
    sources: &[String],
    witnesses: &[String],
    markets: &[String],
    rpcs: usize,
    verification: &'static str,
) {
    for market in markets {
        counter!(OMITTED, JOB => job(), "market" => market.clone()).increment(0);
    }
    for outcome in OUTCOMES {
        counter!(CYCLES, JOB => job(), "outcome" => outcome.name()).increment(0);
    }
    for stage in Stage::ALL.into_iter().filter(|stage| !stage.is_final()) {
        let _begun = histogram!(STAGE_SECONDS, JOB => job(), "stage" => stage.name());
    }
    let _begun = histogram!(PROOF_SECONDS, JOB => job(), "verification" => verification);
    for purpose in Purpose::ALL {
        counter!(TRANSACTIONS, JOB => job(), "purpose" => purpose.name()).increment(0);
    }
    counter!(FEES, JOB => job(), CHAIN => chain.chain(), WALLET => chain.wallet()).increment(0);
    for source in sources {
        counter!(SOURCE_USED, JOB => job(), "source" => source.clone()).increment(0);
        counter!(REVISED, JOB => job(), "source" => source.clone()).increment(0);
    }
    for source in witnesses {
        counter!(DISAGREEMENTS, JOB => job(), "source" => source.clone()).increment(0);
    }
    for endpoint in 0..rpcs {
        for code in RPC_CODES {
            counter!(RPC_ERRORS, CHAIN => chain.chain(), "endpoint" => endpoint.to_string(), "code" => code)
                .increment(0);
        }
    }
    for status in API_STATUSES {
        counter!(REQUESTS, "status" => status.to_string()).increment(0);
    }
    for delivered in ["true", "false"] {
        counter!(ALERTS, "delivered" => delivered).increment(0);
    }
}

/// What the contract says of a market.
#[derive(Debug, Clone, Copy)]
pub struct MarketFigures {
    /// Forecast probability of High, 0 to 1.
    pub probability_high: f64,
    /// Volatility that the parameters follow.
    pub applied_volatility: f64,
    /// Forecast standard deviation of one-minute returns.
    pub volatility: f64,
    /// Collateral that a new borrow must show, as a share of the debt.
    pub borrow_collateral_ratio: f64,
    /// Swap fee as a share.
    pub amm_fee: f64,
    /// Time since the last update landed; `None` before the first.
    pub age_seconds: Option<i64>,
}

/// A market was looked at: its figures, and its status, one of `statuses`.
pub fn market_seen(market: &str, figures: MarketFigures, status: &'static str, statuses: &[&'static str]) {
    let set = |name: &'static str, value: f64| gauge!(name, JOB => job(), "market" => market.to_owned()).set(value);
    set(MARKET_RATIO, figures.borrow_collateral_ratio);
    set(MARKET_FEE, figures.amm_fee);
    for one in statuses {
        gauge!(MARKET_STATUS, JOB => job(), "market" => market.to_owned(), "status" => *one)
            .set(f64::from(u8::from(*one == status)));
    }
    let Some(age_seconds) = figures.age_seconds else { return };
    set(MARKET_AGE, age_seconds as f64);
    set(MARKET_PROBABILITY, figures.probability_high);
    set(MARKET_APPLIED, figures.applied_volatility);
    set(MARKET_VOLATILITY, figures.volatility);
}

/// A stage was left, so long after it had been reached.
pub fn stage_left(stage: Stage, after: Duration) {
    histogram!(STAGE_SECONDS, JOB => job(), "stage" => stage.name()).record(after.as_secs_f64());
}

/// A cycle has ended.
pub fn cycle_ended(outcome: Stage) {
    counter!(CYCLES, JOB => job(), "outcome" => outcome.name()).increment(1);
}

/// A proof was made, by this way of verification.
pub fn proof_made(verification: &'static str, prove_ms: f64) {
    histogram!(PROOF_SECONDS, JOB => job(), "verification" => verification).record(prove_ms / 1e3);
}

/// A step failed and is tried again.
pub fn tried_again(stage: Stage, code: &'static str) {
    counter!(RETRIES, JOB => job(), "stage" => stage.name(), "code" => code).increment(1);
}

/// A transaction was signed.
pub fn signed(purpose: Purpose) {
    counter!(TRANSACTIONS, JOB => job(), "purpose" => purpose.name()).increment(1);
}

/// A transaction of ours was mined at this cost.
pub fn fee_paid(of: Wallet<'_>, fee_wei: u128) {
    // Counters are whole numbers; a transaction below a gwei in all is none that anybody pays for.
    let counter = counter!(FEES, JOB => job(), CHAIN => of.chain(), WALLET => of.wallet());
    counter.increment(u64::try_from(fee_wei / 1_000_000_000).unwrap_or(u64::MAX));
}

/// What the wallet holds.
pub fn wallet_holds(of: Wallet<'_>, balance_wei: f64) {
    gauge!(BALANCE, CHAIN => of.chain(), WALLET => of.wallet()).set(balance_wei / WEI_PER_GWEI);
}

/// How old the chain's newest block is.
pub fn head_lags(chain_id: u64, seconds: i64) {
    gauge!(HEAD_LAG, CHAIN => chain_id.to_string()).set(seconds as f64);
}

/// How far an exchange's clock is from ours.
pub fn clock_differs(source: &str, skew_ms: i64) {
    gauge!(CLOCK_SKEW, "source" => source.to_owned()).set(skew_ms as f64 / 1e3);
}

/// The last period with an update.
pub fn last_landed(period: PeriodId) {
    gauge!(LAST_PERIOD, JOB => job()).set(period.0 as f64);
}

/// Where a cycle's candles of these markets came from, and what was missing.
pub fn collected<'a>(origin: &Origin, markets: impl Iterator<Item = &'a str>) {
    for market in markets {
        let gaps = origin.gaps.iter().find(|gaps| gaps.market == market);
        let lent: usize = gaps.iter().flat_map(|gaps| &gaps.lent).map(|one| one.minutes).sum();
        gauge!(CARRIED, JOB => job(), "market" => market.to_owned())
            .set(gaps.map_or(0, |gaps| gaps.carried_minutes) as f64);
        gauge!(LONGEST_RUN, JOB => job(), "market" => market.to_owned())
            .set(gaps.map_or(0, |gaps| gaps.longest_run_minutes) as f64);
        gauge!(LENT, JOB => job(), "market" => market.to_owned()).set(lent as f64);
        let is_omitted = origin.omitted.iter().any(|omission| omission.market == market);
        counter!(OMITTED, JOB => job(), "market" => market.to_owned()).increment(u64::from(is_omitted));
    }
    counter!(SOURCE_USED, JOB => job(), "source" => origin.source.clone()).increment(1);
    counter!(REVISED, JOB => job(), "source" => origin.source.clone()).increment(origin.revised_minutes as u64);
    for failed in &origin.failed {
        counter!(SOURCE_FAILED, JOB => job(), "source" => failed.source.clone(), "code" => failed.code.clone())
            .increment(1);
    }
    for CrossCheckResult { source, basis_pips, worst_pips, volatility_pips, .. } in &origin.witnesses {
        gauge!(BASIS, JOB => job(), "source" => source.clone()).set(*basis_pips as f64);
        gauge!(WORST, JOB => job(), "source" => source.clone()).set(*worst_pips as f64);
        gauge!(VOLATILITY, JOB => job(), "source" => source.clone()).set(*volatility_pips as f64);
    }
}

/// Where a cycle's tables came from.
pub fn tables_collected(source: &str, tables: &TablesOrigin) {
    counter!(SOURCE_USED, JOB => job(), "source" => source.to_owned()).increment(1);
    for failed in &tables.failed {
        counter!(SOURCE_FAILED, JOB => job(), "source" => failed.source.clone(), "code" => failed.code.clone())
            .increment(1);
    }
}

/// Another exchange has other candles.
pub fn sources_disagree(source: &str) {
    counter!(DISAGREEMENTS, JOB => job(), "source" => source.to_owned()).increment(1);
}

/// An RPC failed.
pub fn rpc_failed(chain_id: u64, endpoint: usize, code: &'static str) {
    counter!(RPC_ERRORS, CHAIN => chain_id.to_string(), "endpoint" => endpoint.to_string(), "code" => code)
        .increment(1);
}

/// A check of the node's readiness.
pub fn checked(check: &'static str, passes: bool) {
    gauge!(READY, JOB => job(), "check" => check).set(f64::from(u8::from(passes)));
}

/// A request was answered.
pub fn answered(status: u16) {
    counter!(REQUESTS, "status" => status.to_string()).increment(1);
}

/// A message to the webhook was delivered, or given up for now.
pub fn alerted(delivered: bool) {
    counter!(ALERTS, "delivered" => if delivered { "true" } else { "false" }).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use veriregime_core::types::origin::{Gaps, Lent};
    use veriregime_core::types::venue::Venue;

    #[test]
    fn carried_and_lent_minutes_are_figures_and_go_back_to_nothing() {
        let lent = Lent { source: "okx".into(), symbol: "B".into(), minutes: 7, first_ms: 0, with_volumes: true };
        let gaps = Gaps {
            market: "BTC-USD".into(),
            carried_minutes: 51,
            first_carried_ms: Some(0),
            longest_run_minutes: 50,
            lent: vec![lent],
        };
        let mut origin = Origin {
            source: "binance".into(),
            venue: Venue::Binance,
            symbols: vec!["BTCUSDT".into()],
            failed: vec![],
            revised_minutes: 0,
            witnesses: vec![],
            gaps: vec![gaps],
            omitted: vec![],
        };
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        let figures = |origin: &Origin| {
            metrics::with_local_recorder(&recorder, || collected(origin, ["BTC-USD", "ETH-USD"].into_iter()));
            let text = handle.render();
            [CARRIED, LONGEST_RUN, LENT].map(|name| {
                let figure = |market: &str| {
                    let start = format!("{name}{{job_name=\"\",market=\"{market}\"}} ");
                    text.lines().find_map(|line| line.strip_prefix(&start)).map(str::to_owned)
                };
                (figure("BTC-USD").unwrap(), figure("ETH-USD").unwrap())
            })
        };
        let none = || String::from("0");
        let of_btc = ["51", "50", "7"].map(|figure| (figure.to_owned(), none()));
        assert_eq!(figures(&origin), of_btc);
        origin.gaps.clear();
        assert_eq!(figures(&origin), [(); 3].map(|()| (none(), none())));
    }
}
