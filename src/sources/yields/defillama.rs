//! DefiLlama's answers: `/pools`, and `/chart/{pool}` with the days of one pool.

use serde::{Deserialize, Serialize};

use super::error::YieldError;
use super::table::{MAX_POOLS, Pool, check_name};
use veriregime_core::types::time::{format_day, parse_day};
use veriregime_core::yields::Kind;
use veriregime_core::yields::series::{Cleaning, Observation, Series};

/// Most days of a chart.
const MAX_POINTS: usize = 36_525;

/// A pool of `/pools`; the many other columns are not read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Listed {
    /// Its id.
    pub pool: String,
    /// The chain.
    pub chain: String,
    /// The protocol.
    pub project: String,
    /// Its tokens.
    pub symbol: String,
    /// What lies in it, USD.
    #[serde(rename = "tvlUsd")]
    pub tvl_usd: f64,
    /// Rate in percent a year.
    pub apy: Option<f64>,
    /// `single` or `multi`.
    pub exposure: Option<String>,
}

impl Listed {
    /// Pools of several tokens are liquidity; of one, lending or staking.
    pub fn kind(&self) -> Kind {
        if self.exposure.as_deref() == Some("multi") { Kind::Lp } else { Kind::Lending }
    }
}

/// A point of `/chart/{pool}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// A moment of the day, UTC.
    pub timestamp: String,
    /// What lies in the pool, USD.
    #[serde(rename = "tvlUsd")]
    pub tvl_usd: Option<f64>,
    /// Rate in percent a year.
    pub apy: Option<f64>,
}

/// What both answers come in.
#[derive(Serialize, Deserialize)]
struct Answer<T> {
    status: String,
    data: Vec<T>,
}

fn answer<T: for<'a> Deserialize<'a>>(url: &str, bytes: &[u8], limit: usize) -> Result<Vec<T>, YieldError> {
    let fault = |detail: String| YieldError::Answer { url: url.to_owned(), detail };
    let answer: Answer<T> = serde_json::from_slice(bytes).map_err(|error| fault(error.to_string()))?;
    if answer.status != "success" {
        return Err(fault(format!("its status is {:?}", answer.status.chars().take(40).collect::<String>())));
    }
    if answer.data.len() > limit {
        return Err(fault(format!("it has more than {limit} entries")));
    }
    Ok(answer.data)
}

/// The pools of `/pools`.
///
/// # Errors
/// [`YieldError::Answer`].
pub fn pools(url: &str, bytes: &[u8]) -> Result<Vec<Listed>, YieldError> {
    let listed: Vec<Listed> = answer(url, bytes, MAX_POOLS)?;
    for one in &listed {
        check_name(&one.pool).map_err(|detail| YieldError::Answer { url: url.to_owned(), detail })?;
    }
    Ok(listed)
}

/// The days of `/chart/{pool}`. Of several points of a day the last one counts; a chart without rates is none.
///
/// # Errors
/// [`YieldError`], also for points that are not in time's order.
pub fn chart(url: &str, bytes: &[u8], id: &str, kind: Kind) -> Result<(Pool, Cleaning), YieldError> {
    let fault = |detail: String| YieldError::Answer { url: url.to_owned(), detail };
    let mut rows: Vec<Observation> = Vec::new();
    for point in answer::<Point>(url, bytes, MAX_POINTS)? {
        let date = point.timestamp.get(..10).unwrap_or(&point.timestamp);
        let day = parse_day(date).map_err(|error| fault(error.to_string()))?;
        if rows.last().is_some_and(|last| last.day == day) {
            rows.pop();
        }
        rows.push(Observation { day, apy_percent: point.apy.unwrap_or(f64::NAN), tvl_usd: point.tvl_usd });
    }
    let (series, cleaning) = Series::new(&rows).map_err(|fault| YieldError::of(fault, url, id))?;
    let series = series.ok_or_else(|| fault("it has no rates".into()))?;
    Ok((Pool { id: id.to_owned(), kind, series }, cleaning))
}

/// `/pools` as DefiLlama would answer of these.
pub fn to_pools<'a>(pools: impl Iterator<Item = &'a Pool>) -> serde_json::Value {
    let listed = pools.map(|pool| {
        let last = pool.series.iter().last();
        Listed {
            pool: pool.id.clone(),
            chain: String::new(),
            project: String::new(),
            symbol: String::new(),
            tvl_usd: last.and_then(|row| row.tvl_usd).unwrap_or(0.0),
            apy: last.map(|row| row.apy_percent),
            exposure: Some(if pool.kind == Kind::Lp { "multi" } else { "single" }.into()),
        }
    });
    wrapped(listed.collect::<Vec<_>>())
}

/// `/chart/{pool}` as DefiLlama would answer.
pub fn to_chart(series: &Series) -> serde_json::Value {
    let point = |row: Observation| Point {
        timestamp: format!("{}T23:01:00.000Z", format_day(row.day)),
        tvl_usd: row.tvl_usd,
        apy: Some(row.apy_percent),
    };
    wrapped(series.iter().map(point).collect::<Vec<_>>())
}

fn wrapped<T: Serialize>(data: Vec<T>) -> serde_json::Value {
    serde_json::json!({ "status": "success", "data": data })
}

#[cfg(test)]
mod tests {
    use super::*;
    use veriregime_core::types::diagnostic::Diagnostic;

    /// A chart as DefiLlama gives it, with columns that are not read.
    const CHART: &str = r#"{"status":"success","data":[
        {"timestamp":"2025-07-10T23:01:10.000Z","tvlUsd":1000,"apy":5.5,"apyBase":5.5,"apyReward":null,"il7d":null,"apyBase7d":null},
        {"timestamp":"2025-07-11T01:01:10.000Z","tvlUsd":1001,"apy":7,"apyBase":7,"apyReward":null,"il7d":null,"apyBase7d":null},
        {"timestamp":"2025-07-11T23:01:10.000Z","tvlUsd":1002,"apy":6,"apyBase":6,"apyReward":null,"il7d":null,"apyBase7d":null},
        {"timestamp":"2025-07-12T23:01:10.000Z","tvlUsd":1003,"apy":null,"apyBase":null,"apyReward":null,"il7d":null,"apyBase7d":null}]}"#;

    fn chart(text: &str) -> Result<(Pool, Cleaning), YieldError> {
        super::chart("http://x/chart/a", text.as_bytes(), "a", Kind::Lending)
    }

    #[test]
    fn a_chart_is_read_and_written_back() {
        let (pool, cleaning) = chart(CHART).unwrap();
        assert_eq!((pool.series.days(), pool.series.apy(1), pool.series.tvl(1)), (2, Some(6.0), Some(1002.0)));
        assert_eq!((cleaning.without_apy, cleaning.young_pools), (1, 1));
        assert_eq!(chart(&to_chart(&pool.series).to_string()).unwrap().0, pool);
        let listed = pools("http://x/pools", to_pools([&pool].into_iter()).to_string().as_bytes()).unwrap();
        assert_eq!((listed[0].pool.as_str(), listed[0].kind(), listed[0].apy), ("a", Kind::Lending, Some(6.0)));
    }

    #[test]
    fn another_answer_is_refused_by_code() {
        for (text, code) in [
            ("<html>", "VR-YIELD-012"),
            (r#"{"status":"error","data":[]}"#, "VR-YIELD-012"),
            (r#"{"status":"success","data":[]}"#, "VR-YIELD-012"),
            (r#"{"status":"success","data":[{"timestamp":"soon","tvlUsd":1,"apy":1}]}"#, "VR-YIELD-012"),
            (r#"{"status":"success","data":[{"timestamp":"2025-07-10","tvlUsd":-1,"apy":1}]}"#, "VR-YIELD-002"),
            (
                r#"{"status":"success","data":[{"timestamp":"2025-07-10","tvlUsd":1,"apy":1},{"timestamp":"2025-07-09","tvlUsd":1,"apy":1}]}"#,
                "VR-YIELD-003",
            ),
        ] {
            assert_eq!(chart(text).unwrap_err().code(), code, "{text}");
        }
        let pools = pools(
            "u",
            br#"{"status":"success","data":[{"pool":"a b","chain":"","project":"","symbol":"","tvlUsd":1,"apy":1}]}"#,
        );
        assert_eq!(pools.unwrap_err().code(), "VR-YIELD-012");
    }
}
