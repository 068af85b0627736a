//! The columns of candle files by their names, as exchanges, libraries and people write them. Never by their place where
//! they have names.

/// What a candle is made of, in the order of its fields.
pub const NAMES: [&str; 6] = ["timestamp", "open", "high", "low", "close", "volume"];
/// Names of the open time, the surest first: a file may have the time in more than one form. The last one is what pandas
/// calls an index without a name.
const OPEN_TIME: [&str; 12] = [
    "opentime",
    "opentimems",
    "klineopentime",
    "timestamp",
    "timestampms",
    "starttime",
    "unix",
    "ts",
    "time",
    "datetime",
    "date",
    "indexlevel0",
];
/// Names of the other five.
const OTHERS: [&[&str]; 5] = [
    &["open", "openprice"],
    &["high", "highprice"],
    &["low", "lowprice"],
    &["close", "closeprice"],
    &["volume", "vol", "basevolume"],
];
const CLOSE_TIME: &str = "closetime";

/// Where the columns are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns {
    /// Those of [`NAMES`].
    pub candle: [usize; 6],
    /// The close time's, which says how long a candle is.
    pub close_time: Option<usize>,
}

impl Columns {
    /// Finds the columns among `names`. Case and whatever is neither letter nor digit are of no account; further columns are
    /// passed over.
    ///
    /// # Errors
    /// What is not there, or there twice.
    pub fn find<'a>(names: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let names: Vec<&str> = names.collect();
        let plain: Vec<String> = names.iter().map(|name| plain(name)).collect();
        let place = |wanted: &str| plain.iter().position(|name| name == wanted);
        let mut candle = [0; 6];
        let open_time = OPEN_TIME.iter().find_map(|wanted| place(wanted));
        candle[0] = open_time.ok_or_else(|| missing(NAMES[0], &names))?;
        for ((found, wanted), name) in candle[1..].iter_mut().zip(OTHERS).zip(&NAMES[1..]) {
            let places: Vec<usize> = (0..plain.len()).filter(|&at| wanted.contains(&plain[at].as_str())).collect();
            *found = match places[..] {
                [only] => only,
                [] => return Err(missing(name, &names)),
                [first, second, ..] => {
                    return Err(format!("columns \"{}\" and \"{}\" both say {name}", names[first], names[second]));
                }
            };
        }
        Ok(Self { candle, close_time: place(CLOSE_TIME) })
    }
}

fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

fn missing(wanted: &str, names: &[&str]) -> String {
    /// Names that are listed.
    const MAX_NAMES: usize = 12;
    let listed: Vec<String> =
        names.iter().take(MAX_NAMES).map(|name| format!("{:?}", name.chars().take(24).collect::<String>())).collect();
    format!("no column \"{wanted}\" among {}", listed.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(names: &str) -> Result<[usize; 6], String> {
        Columns::find(names.split(',')).map(|columns| columns.candle)
    }

    #[test]
    fn columns_are_found_by_name_wherever_they_are() {
        for (names, places) in [
            ("timestamp,open,high,low,close,volume", [0, 1, 2, 3, 4, 5]),
            ("open_time,close,high,low,open,volume", [0, 4, 2, 3, 1, 5]),
            ("Open time,Open,High,Low,Close,Volume,Close time,Quote asset volume,Ignore", [0, 1, 2, 3, 4, 5]),
            (",symbol,volume,closePrice,lowPrice,highPrice,openPrice,date,unix", [8, 6, 5, 4, 3, 2]),
            ("open,high,low,close,vol,__index_level_0__", [5, 0, 1, 2, 3, 4]),
        ] {
            assert_eq!(find(names).unwrap(), places, "{names}");
        }
        let columns = Columns::find("open_time,open,high,low,close,volume,close_time".split(',')).unwrap();
        assert_eq!(columns.close_time, Some(6));
    }

    #[test]
    fn what_is_missing_or_twice_is_named() {
        for (names, named) in [
            ("a,b,c,d,e,f", "no column \"timestamp\" among \"a\", \"b\""),
            ("time,open,high,low,close,quote_volume", "no column \"volume\""),
            ("time,open,high,low,last,volume", "no column \"close\""),
            ("time,open,high,low,close,volume,Vol", "columns \"volume\" and \"Vol\" both say volume"),
            ("time,open,open,high,low,close,volume", "both say open"),
            ("", "no column \"timestamp\""),
        ] {
            let said = find(names).expect_err(names);
            assert!(said.contains(named), "{names}: {said}");
        }
    }
}
