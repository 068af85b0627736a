//! What the demo tells in the end.

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::row::{MarketRow, PeriodRow};
use super::table::table;
use crate::render::layout;
use crate::render::{self, Render};
use veriregime_core::types::manifest::verification::Way;

/// What a job's periods brought.
#[derive(Debug, Serialize)]
pub struct JobReport {
    #[serde(skip)]
    pub name: String,
    /// Name of its chain.
    #[serde(skip)]
    pub chain: String,
    #[serde(skip)]
    pub chain_id: u64,
    pub source: String,
    pub verification: Way,
    pub model_id: String,
    pub periods: Vec<PeriodRow>,
    pub cycle_ms_p50: f64,
    /// Volatility above which a period is High.
    #[serde(skip)]
    pub thresholds: Vec<f64>,
}

impl JobReport {
    fn json(&self) -> Value {
        let mut said = json!(self);
        said["name"] = json!(self.name);
        said["chain"] = json!(self.chain);
        said["chain_id"] = json!(self.chain_id);
        said
    }

    /// The table below the job's name, and how good the forecasts were.
    fn text(&self) -> String {
        let head = format!("job {}: {} on chain {} ({})", self.name, self.model_id, self.chain, self.chain_id);
        format!("{head}\n{}\n{}\n", self.table(), layout::text(&format!("{} {}", self.right(), self.speed())))
    }

    fn table(&self) -> String {
        table(&self.periods, layout::columns())
    }

    fn right(&self) -> String {
        let markets = self.periods.iter().flat_map(|row| &row.markets);
        let known: Vec<&MarketRow> = markets.filter(|row| row.realised_regime.is_some()).collect();
        let right = known.iter().filter(|row| row.realised_regime == Some(row.regime)).count();
        let what = if known.iter().all(|row| row.market.is_none()) {
            "ended periods were forecast right"
        } else {
            "forecasts of ended periods were right"
        };
        format!("{right} of {} {what}.", known.len())
    }

    fn speed(&self) -> String {
        format!("One cycle, from HTTP to a mined transaction: {:.0} ms at the median.", self.cycle_ms_p50)
    }
}

/// What happened in the demo's periods.
#[derive(Debug)]
pub struct Report {
    /// One of each job.
    pub jobs: Vec<JobReport>,
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.jobs.as_slice() {
            [only] => only.serialize(serializer),
            jobs => json!({"jobs": jobs.iter().map(JobReport::json).collect::<Vec<_>>()}).serialize(serializer),
        }
    }
}

impl Render for Report {
    /// The tables and what their columns mean.
    fn text(&self) -> String {
        let thresholds = self.jobs.iter().find(|job| job.thresholds.len() > 1).or(self.jobs.first());
        let thresholds = thresholds.map_or(&[][..], |job| &job.thresholds);
        let way = self.jobs.first().map_or(Way::Ezkl, |job| job.verification);
        match self.jobs.as_slice() {
            [only] => {
                let scores = format!("{} {}", only.right(), only.speed());
                let words = meaning(thresholds, way, Some(&scores), &only.model_id);
                format!("{}\n{}", only.table(), layout::text(&words))
            }
            jobs => {
                let tables = jobs.iter().map(|job| format!("{}\n", job.text()));
                format!(
                    "{}{}",
                    tables.collect::<String>(),
                    layout::text(&meaning(thresholds, way, None, "a job's model"))
                )
            }
        }
    }
}

fn meaning(thresholds: &[f64], way: Way, scores: Option<&str>, model: &str) -> String {
    let is_same = thresholds.iter().all(|one| Some(one) == thresholds.first());
    let told = if is_same { thresholds.get(..1).unwrap_or_default() } else { thresholds };
    let threshold = told.iter().map(|one| render::volatility_bps(*one)).collect::<Vec<_>>().join(", ");
    let whose = if is_same { "" } else { " (by market, in the model's order)" };
    let says = if way.has_proof() { "The proof says" } else { "The chain computed" };
    let first = format!(
        "Volatility: standard deviation of one-minute returns; a period is High above {threshold} a minute{whose}."
    );
    let rest = format!(
        "Before the first update readers get the cautious values. Collateral ratio and fee follow the applied volatility, by a policy \
         of the market's owner. A crash that pauses is not over, so it rises at once, but falls only once two forecasts in a \
         row ask for less, and by at most a quarter of the way between the policy's first and last knot a period. Tighter values hold as soon as the update lands, looser ones from \
         the time below them on; until then readers get the tighter of old and new. \
         {says} that {model} maps the published features to this forecast, not that the features are \
         true: attestors sign for that, and anyone can recompute them from public candles."
    );
    [Some(first.as_str()), scores, Some(rest.as_str())].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::table::tests::{market, of_three_markets, row};
    use super::*;

    fn job(name: &str, rows: Vec<PeriodRow>) -> JobReport {
        JobReport {
            name: name.into(),
            chain: "two".into(),
            chain_id: 1337,
            source: "simulated:13".into(),
            verification: Way::Ezkl,
            model_id: "btc-regime-4h-v1".into(),
            periods: rows,
            cycle_ms_p50: 149.0,
            thresholds: vec![0.000_8],
        }
    }

    #[test]
    fn one_job_is_told_as_before_there_were_several() {
        let only = json!(Report { jobs: vec![job("btc-one", vec![row(vec![market()])])] });
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&only), ["cycle_ms_p50", "model_id", "periods", "source", "verification"]);
        assert_eq!(
            keys(&only["periods"][0]),
            [
                "amm_fee_at_once_pips",
                "amm_fee_pips",
                "applied_volatility",
                "collateral_ratio_at_once_bps",
                "collateral_ratio_bps",
                "gas_used",
                "looser_from",
                "period",
                "prob_high_bps",
                "prove_ms",
                "realised_regime",
                "regime",
                "start",
                "tx_hash",
                "vol_forecast"
            ]
        );
    }

    #[test]
    fn several_jobs_are_told_by_name_and_chain_and_each_market_by_its_name() {
        let jobs = vec![job("btc-two", vec![row(vec![market()])]), job("altcoins", vec![of_three_markets()])];
        let report = Report { jobs };
        let said = json!(report);
        let (one, three) = (&said["jobs"][0], &said["jobs"][1]);
        assert_eq!((&one["name"], &one["chain"], &one["chain_id"]), (&"btc-two".into(), &"two".into(), &1337.into()));
        assert_eq!(one["periods"][0]["regime"], "High", "{one}");
        let period = &three["periods"][0];
        assert_eq!((&period["tx_hash"], &period["markets"][1]["market"]), (&"0x01".into(), &"SOL-USD".into()));
        assert!(period.get("regime").is_none(), "{period}");
        let text = report.text();
        assert!(text.contains("job altcoins: btc-regime-4h-v1 on chain two (1337)\n"), "{text}");
        assert!(text.contains("2 of 2 forecasts of ended periods were right."), "{text}");
        assert_eq!(text.matches("Volatility: ").count(), 1, "{text}");
    }
}
