//! Binance's payments of funding: what whoever is short a perpetual future is paid.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::YieldError;
use super::table::Pool;
use veriregime_core::hedge::panel::Day;
use veriregime_core::types::time::DAY_MS;
use veriregime_core::yields::Kind;
use veriregime_core::yields::series::{Observation, Series};

/// The path of payments.
pub const FUNDING_PATH: &str = "/fapi/v1/fundingRate";
/// Most payments of an answer, and the newest that there are: 333 days of three a day.
pub const MAX_PAYMENTS: usize = 1000;
/// Fewest payments of a whole day.
const PAYMENTS_A_DAY: usize = 3;
/// Days of a year, in percent.
const YEAR_PERCENT: f64 = 365.0 * 100.0;

/// A payment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Payment {
    /// The perpetual.
    pub symbol: String,
    /// When, Unix milliseconds.
    #[serde(rename = "fundingTime")]
    pub time_ms: i64,
    /// Share of the position's value.
    #[serde(rename = "fundingRate")]
    pub rate: String,
}

/// The days of a perpetual before `today`: a day's rate is what its payments come to, times 365. Days with fewer than three
/// payments are gaps.
///
/// # Errors
/// [`YieldError::Answer`], also for payments of another symbol or without a whole day.
pub fn payments(url: &str, bytes: &[u8], symbol: &str, today: Day) -> Result<Pool, YieldError> {
    let fault = |detail: String| YieldError::Answer { url: url.to_owned(), detail };
    let payments: Vec<Payment> = serde_json::from_slice(bytes).map_err(|error| fault(error.to_string()))?;
    if payments.len() > MAX_PAYMENTS {
        return Err(fault(format!("it has more than {MAX_PAYMENTS} payments")));
    }
    let mut days: BTreeMap<Day, Vec<f64>> = BTreeMap::new();
    for payment in payments {
        if payment.symbol != symbol {
            return Err(fault(format!("it has payments of another perpetual than {symbol}")));
        }
        let day = Day::try_from(payment.time_ms.div_euclid(DAY_MS)).map_err(|_| fault("a time is none".into()))?;
        let rate = payment.rate.parse::<f64>().ok().filter(|rate| rate.is_finite());
        days.entry(day).or_default().push(rate.ok_or_else(|| fault("a rate is no number".into()))?);
    }
    let whole = days.into_iter().filter(|(day, rates)| *day < today && rates.len() >= PAYMENTS_A_DAY);
    let rows: Vec<Observation> = whole
        .map(|(day, rates)| Observation { day, apy_percent: rates.iter().sum::<f64>() * YEAR_PERCENT, tvl_usd: None })
        .collect();
    let (series, _) = Series::new(&rows).map_err(|fault| YieldError::of(fault, url, symbol))?;
    let series = series.ok_or_else(|| fault("it has no whole day".into()))?;
    Ok(Pool { id: symbol.to_owned(), kind: Kind::Delta, series })
}

/// The newest payments of a strategy, three a day, as Binance would answer.
pub fn to_payments(pool: &Pool) -> Vec<Payment> {
    let three = |row: Observation| {
        (0..PAYMENTS_A_DAY as i64).map(move |place| Payment {
            symbol: pool.id.clone(),
            time_ms: i64::from(row.day) * DAY_MS + place * DAY_MS / PAYMENTS_A_DAY as i64,
            rate: (row.apy_percent / YEAR_PERCENT / PAYMENTS_A_DAY as f64).to_string(),
        })
    };
    let mut all: Vec<Payment> = pool.series.iter().flat_map(three).collect();
    all.drain(..all.len().saturating_sub(MAX_PAYMENTS / PAYMENTS_A_DAY * PAYMENTS_A_DAY));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use veriregime_core::types::diagnostic::Diagnostic;

    fn read(text: &str, today: Day) -> Result<Pool, YieldError> {
        payments("http://x/", text.as_bytes(), "BTCUSDT", today)
    }

    fn payment(day: i64, hour: i64, rate: &str) -> String {
        let time = day * DAY_MS + hour * 3_600_000 + 3;
        format!("{{\"symbol\":\"BTCUSDT\",\"fundingTime\":{time},\"fundingRate\":\"{rate}\",\"markPrice\":\"1\"}}")
    }

    #[test]
    fn a_day_s_rate_is_the_sum_of_its_payments_for_a_year() {
        let hours = |day: i64, rates: [&str; 3]| [0, 8, 16].map(|hour| payment(day, hour, rates[hour as usize / 8]));
        let all = [
            hours(100, ["0.0001", "0.0002", "-0.0001"]).to_vec(),
            vec![payment(101, 0, "0.0001"), payment(101, 8, "0.0001")],
            hours(102, ["0.0001"; 3]).to_vec(),
            hours(103, ["0.5"; 3]).to_vec(),
        ];
        let pool = read(&format!("[{}]", all.concat().join(",")), 103).unwrap();
        let series = &pool.series;
        assert_eq!((series.first_day(), series.last_day(), series.apy(1)), (100, 102, None), "two payments are no day");
        assert!((series.apy(0).unwrap() - 7.3).abs() < 1e-9 && (series.apy(2).unwrap() - 10.95).abs() < 1e-9);
        let text = serde_json::to_vec(&to_payments(&pool)).unwrap();
        let again = payments("u", &text, "BTCUSDT", 103).unwrap();
        assert!((again.series.apy(0).unwrap() - 7.3).abs() < 1e-9);
    }

    #[test]
    fn another_answer_is_refused_by_code() {
        let other = payment(100, 0, "0.1").replace("BTCUSDT", "ETHUSDT");
        for text in ["<html>".to_owned(), "[]".into(), format!("[{other}]"), format!("[{}]", payment(1, 0, "much"))] {
            assert_eq!(read(&text, 200).unwrap_err().code(), "VR-YIELD-012", "{text}");
        }
    }
}
