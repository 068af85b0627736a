//! Dollars for a euro: the reference rates of the European Central Bank as CSV, zip or XML, and the same as parquet.

use std::path::Path;

use super::columns::{Content, content, parquet, places};
use super::error::TableError;
use super::series::{Bounds, DailySeries};
use veriregime_core::hedge::panel::Day;
use veriregime_core::types::time::{format_day, parse_day};

/// What such a table is called.
pub const WANTED: &str = "exchange rates";
const BOUNDS: Bounds = Bounds { column: "usd_per_eur", lowest: 0.5, highest: 2.0 };
/// From 2003 on a euro was never worth less on a business day; its inverse nearly always was.
const SINCE: Day = 12_053;
const LEAST_SINCE: f64 = 0.95;

/// Reads a file, whatever it is.
///
/// # Errors
/// [`TableError`].
pub fn read(path: &Path) -> Result<DailySeries, TableError> {
    let table = path.display().to_string();
    match content(path)? {
        Content::Text(text) => parse(&table, &text),
        Content::Parquet => {
            let columns = parquet(path, WANTED, ["date"], ["usd_per_eur"])?;
            let rows = columns.texts.iter().zip(columns.numbers);
            series(&table, rows.map(|([date], [rate])| Ok((day(date)?, rate))))
        }
    }
}

/// Reads the CSV or the XML. `table` only names it in errors.
///
/// # Errors
/// [`TableError`].
pub fn parse(table: &str, text: &[u8]) -> Result<DailySeries, TableError> {
    let start = text.trim_ascii_start();
    if start.starts_with(b"<") { from_xml(table, &String::from_utf8_lossy(start)) } else { from_csv(table, text) }
}

fn from_csv(table: &str, text: &[u8]) -> Result<DailySeries, TableError> {
    let not_table = |detail: String| TableError::NotTable { table: table.to_owned(), wanted: WANTED, detail };
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text);
    let header = reader.headers().map_err(|error| not_table(error.to_string()))?;
    let [date, rate] = places(header, [&["Date"], &["USD", "usd_per_eur"]]).map_err(not_table)?;
    series(
        table,
        reader.records().filter_map(|record| {
            let record = match record {
                Ok(record) => record,
                Err(error) => return Some(Err(error.to_string())),
            };
            let cell = |place: usize| record.get(place).unwrap_or("").trim().to_owned();
            // Days on which this currency was not quoted.
            let is_rate = !["", "N/A"].contains(&cell(rate).as_str());
            is_rate.then(|| Ok((day(&cell(date))?, number(&cell(rate))?)))
        }),
    )
}

/// `<Cube time="2024-04-30"><Cube currency="USD" rate="1.0718"/>…`: of all elements only these two attributes count.
fn from_xml(table: &str, text: &str) -> Result<DailySeries, TableError> {
    let mut time = None;
    series(
        table,
        text.split('<').filter_map(|element| {
            let element = element.split('>').next()?;
            if let Some(found) = attribute(element, "time") {
                time = Some(found);
            }
            if attribute(element, "currency") != Some("USD") {
                return None;
            }
            Some(match (time, attribute(element, "rate")) {
                (Some(date), Some(rate)) => day(date).and_then(|day| Ok((day, number(rate)?))),
                _ => Err("a rate without its day, or a day without its rate".into()),
            })
        }),
    )
}

fn attribute<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let rest = element.split_once(&format!(" {name}="))?.1;
    let quote = rest.chars().next().filter(|quote| ['"', '\''].contains(quote))?;
    rest[1..].split(quote).next()
}

fn day(text: &str) -> Result<Day, String> {
    parse_day(text).map_err(|error| error.to_string())
}

fn number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| format!("no rate: {:?}", text.chars().take(20).collect::<String>()))
}

fn series(table: &str, rows: impl Iterator<Item = Result<(Day, f64), String>>) -> Result<DailySeries, TableError> {
    let rows = rows.collect::<Result<Vec<_>, String>>();
    let not_table = |detail: String| TableError::NotTable { table: table.to_owned(), wanted: WANTED, detail };
    let series = DailySeries::new(table, &BOUNDS, rows.map_err(not_table)?)?;
    let (mut low, mut count) = (0, 0);
    for (_, rate) in series.iter().filter(|(day, _)| *day >= SINCE) {
        low += usize::from(rate < LEAST_SINCE);
        count += 1;
    }
    if 2 * low > count {
        let (table, column) = (table.to_owned(), BOUNDS.column);
        return Err(TableError::Units { table, column, seen: "EUR for a dollar", wanted: "USD for a euro" });
    }
    Ok(series)
}

/// The bank's CSV, newest first.
pub fn to_csv(series: &DailySeries) -> String {
    let rows = series.iter().rev().map(|(day, rate)| format!("{},{rate},\n", format_day(day)));
    std::iter::once("Date,USD,\n".to_owned()).chain(rows).collect()
}

/// The bank's XML, newest first.
pub fn to_xml(series: &DailySeries) -> String {
    let rows = series.iter().rev().map(|(day, rate)| {
        format!("<Cube time=\"{}\"><Cube currency=\"USD\" rate=\"{rate}\"/></Cube>", format_day(day))
    });
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><gesmes:Envelope><gesmes:subject>Reference rates</gesmes:subject><Cube>";
    std::iter::once(head.to_owned()).chain(rows).chain(["</Cube></gesmes:Envelope>".to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use veriregime_core::types::diagnostic::Diagnostic;

    fn parsed(text: &str) -> Result<Vec<(Day, f64)>, TableError> {
        parse("rates", text.as_bytes()).map(|series| series.iter().collect())
    }

    #[test]
    fn csv_and_xml_say_the_same() {
        let csv = "Date,USD,JPY,\n2024-04-30,1.0718,168.0,\n2024-04-29,1.0720,N/A,\n2001-01-01,N/A,1,\n";
        let expected = vec![(19_842, 1.072), (19_843, 1.0718)];
        assert_eq!(parsed(csv).unwrap(), expected);
        let xml = "<?xml version='1.0'?>\n<e:Envelope><Cube><Cube time='2024-04-30'><Cube currency='USD' rate='1.0718'/>\
                   <Cube currency='JPY' rate='168'/></Cube><Cube time=\"2024-04-29\"><Cube currency=\"USD\" rate=\"1.072\"/></Cube></Cube>";
        assert_eq!(parsed(xml).unwrap(), expected);
        let series = parse("rates", csv.as_bytes()).unwrap();
        assert_eq!(parse("xml", to_xml(&series).as_bytes()).unwrap(), series);
        assert_eq!(parse("csv", to_csv(&series).as_bytes()).unwrap(), series);
    }

    #[test]
    fn euros_for_a_dollar_are_told_apart() {
        let error = parsed("Date,USD\n2024-04-30,0.933\n2024-04-29,0.9328\n").unwrap_err();
        assert_eq!(error.code(), "VR-TABLE-004");
        assert!(error.to_string().contains("EUR for a dollar"), "{error}");
        assert_eq!(parsed("Date,USD\n2001-06-01,0.8470\n").unwrap().len(), 1, "it was so once");
    }

    #[test]
    fn other_texts_are_refused() {
        for (text, code) in [
            ("Date,JPY\n2024-04-30,168\n", "VR-TABLE-001"),
            ("Date,USD\n30 April 2024,1.07\n", "VR-TABLE-001"),
            ("Date,USD\n2024-04-30,one\n", "VR-TABLE-001"),
            ("Date,USD\n2024-04-30,107\n", "VR-TABLE-003"),
            ("<html><body>Not found</body></html>", "VR-TABLE-001"),
            ("<Cube currency='USD' rate='1.07'/>", "VR-TABLE-001"),
        ] {
            assert_eq!(parsed(text).unwrap_err().code(), code, "{text}");
        }
    }
}
