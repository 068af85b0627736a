//! Bitcoin's mining difficulty: JSON of mempool.space and of blockchain.com, and the same as parquet.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::json;

use super::columns::{Content, content, parquet};
use super::error::TableError;
use super::series::{Bounds, DailySeries};
use veriregime_core::hedge::panel::Day;
use veriregime_core::types::time::parse_day;

/// What such a table is called.
pub const WANTED: &str = "mining difficulty";
const BOUNDS: Bounds = Bounds { column: "difficulty", lowest: 1.0, highest: 1e18 };
const DAY_SECONDS: i64 = 86_400;

/// Either publisher's answer.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Mempool { difficulty: Vec<Retarget> },
    Blockchain { values: Vec<Point> },
}

/// A difficulty from a block on.
#[derive(Deserialize)]
struct Retarget {
    #[serde(alias = "timestamp")]
    time: i64,
    difficulty: f64,
}

/// A point of a chart.
#[derive(Deserialize)]
struct Point {
    x: i64,
    y: f64,
}

/// Reads a file, whatever it is.
///
/// # Errors
/// [`TableError`].
pub fn read(path: &Path) -> Result<DailySeries, TableError> {
    let table = path.display().to_string();
    match content(path)? {
        Content::Text(text) => parse(&table, &text),
        Content::Parquet => {
            let columns = parquet(path, WANTED, ["date"], ["difficulty"])?;
            let rows = columns.texts.iter().zip(columns.numbers).map(|([date], [difficulty])| {
                parse_day(date).map(|day| (day, difficulty)).map_err(|error| error.to_string())
            });
            let not_table = |detail: String| TableError::NotTable { table: table.clone(), wanted: WANTED, detail };
            DailySeries::new(&table, &BOUNDS, rows.collect::<Result<Vec<_>, _>>().map_err(not_table)?)
        }
    }
}

/// Reads JSON: the days on which the difficulty changed, or a chart's points. Of a day that has several the last counts.
/// `table` only names it in errors.
///
/// # Errors
/// [`TableError`].
pub fn parse(table: &str, text: &[u8]) -> Result<DailySeries, TableError> {
    let not_table = |detail: String| TableError::NotTable { table: table.to_owned(), wanted: WANTED, detail };
    let answer: Answer = serde_json::from_slice(text).map_err(|error| not_table(error.to_string()))?;
    let points: Vec<(i64, f64)> = match answer {
        Answer::Mempool { difficulty } => difficulty.into_iter().map(|one| (one.time, one.difficulty)).collect(),
        Answer::Blockchain { values } => values.into_iter().map(|point| (point.x, point.y)).collect(),
    };
    let mut days: BTreeMap<Day, (i64, f64)> = BTreeMap::new();
    for (seconds, difficulty) in points {
        let day = Day::try_from(seconds.div_euclid(DAY_SECONDS));
        let day = day.map_err(|_| not_table(format!("{seconds} is no time in seconds")))?;
        let last = days.entry(day).or_insert((seconds, difficulty));
        if seconds >= last.0 {
            *last = (seconds, difficulty);
        }
    }
    DailySeries::new(table, &BOUNDS, days.into_iter().map(|(day, (_, difficulty))| (day, difficulty)))
}

/// As mempool.space answers: the days on which it changed.
pub fn to_mempool(series: &DailySeries) -> serde_json::Value {
    let mut before = None;
    let changes = series.iter().filter(|(_, difficulty)| before.replace(*difficulty) != Some(*difficulty));
    let difficulty: Vec<_> = changes
        .map(|(day, difficulty)| json!({ "time": i64::from(day) * DAY_SECONDS, "difficulty": difficulty }))
        .collect();
    let current = series.iter().next_back().map(|(_, difficulty)| difficulty);
    json!({ "hashrates": [], "difficulty": difficulty, "currentDifficulty": current })
}

/// As blockchain.com answers: a point a day.
pub fn to_blockchain(series: &DailySeries) -> serde_json::Value {
    let values: Vec<_> = series.iter().map(|(day, y)| json!({ "x": i64::from(day) * DAY_SECONDS, "y": y })).collect();
    json!({ "status": "ok", "name": "Difficulty", "unit": "Difficulty", "period": "day", "values": values })
}

#[cfg(test)]
mod tests {
    use super::*;
    use veriregime_core::types::diagnostic::Diagnostic;

    #[test]
    fn both_publishers_are_read() {
        let mempool = br#"{"hashrates":[{"timestamp":1714435200,"avgHashrate":6.1e20}],"difficulty":[
            {"time":1713955200,"height":840672,"difficulty":88104191118793.16,"adjustment":1.0199},
            {"time":1713000000,"height":838656,"difficulty":86388558925171.02,"adjustment":1.0394}],"currentDifficulty":88104191118793.16}"#;
        let series = parse("mempool", mempool).unwrap();
        assert_eq!(
            series.iter().collect::<Vec<_>>(),
            [(19_826, 86_388_558_925_171.02), (19_837, 88_104_191_118_793.16)]
        );
        assert_eq!(series.carried(19_840, 30), Some(88_104_191_118_793.16));
        assert_eq!(parse("again", to_mempool(&series).to_string().as_bytes()).unwrap(), series);
        let chart = br#"{"status":"ok","name":"Difficulty","unit":"Difficulty","period":"day","values":[{"x":1713916800,"y":8.5e13},{"x":1714003200,"y":8.8e13}]}"#;
        let series = parse("chart", chart).unwrap();
        assert_eq!(series.len(), 2);
        assert_eq!(parse("again", to_blockchain(&series).to_string().as_bytes()).unwrap(), series);
    }

    #[test]
    fn other_answers_are_refused() {
        for (text, code) in [
            (&b"{}"[..], "VR-TABLE-001"),
            (b"<html>", "VR-TABLE-001"),
            (br#"{"values":[]}"#, "VR-TABLE-001"),
            (br#"{"values":[{"x":1713916800000000,"y":1}]}"#, "VR-TABLE-001"),
            (br#"{"values":[{"x":1713916800,"y":0}]}"#, "VR-TABLE-003"),
        ] {
            assert_eq!(parse("answer", text).unwrap_err().code(), code);
        }
    }
}
