//! Moments as people write them: `2024-08-04`, `2024-08-04T12:00Z`.

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};
use thiserror::Error;

use crate::types::diagnostic::Diagnostic;

/// First moment that is refused as absurd: the start of the year 10000, in Unix milliseconds.
pub const END_MS: i64 = 253_402_300_800_000;

/// A text that is not a moment in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("\"{text}\" is not a date or time in UTC")]
pub struct TimeError {
    text: String,
}

impl Diagnostic for TimeError {
    fn code(&self) -> &'static str {
        "VR-TIME-001"
    }

    fn hint(&self) -> &'static str {
        "write a day as 2024-08-04 or a moment as 2024-08-04T12:00Z; years 1970 to 9999"
    }
}

/// Unix milliseconds of a day (`2024-08-04`, its midnight) or a moment (`2024-08-04T12:00Z`, `…T12:00:30Z`,
/// `…T12:00:30.250Z`). The final `Z` is required, so that nobody means local time.
///
/// # Errors
/// [`TimeError`] for anything else, and outside the years 1970 to 9999.
pub fn parse_utc_ms(text: &str) -> Result<i64, TimeError> {
    let moment = match text.strip_suffix('Z') {
        None => NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().and_then(|day| day.and_hms_opt(0, 0, 0)),
        Some(local) => ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%.f"]
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(local, format).ok()),
    };
    moment
        .map(|moment| moment.and_utc().timestamp_millis())
        .filter(|unix_ms| (0..END_MS).contains(unix_ms))
        .ok_or_else(|| TimeError { text: text.chars().take(40).collect() })
}

/// Writes Unix milliseconds so that [`parse_utc_ms`] reads them back: `2024-08-04T12:00Z`, with seconds and
/// milliseconds only where they are not zero.
pub fn format_utc(unix_ms: i64) -> String {
    let Some(moment) = DateTime::<Utc>::from_timestamp_millis(unix_ms) else {
        return format!("{unix_ms} ms");
    };
    if unix_ms.rem_euclid(60_000) == 0 {
        moment.format("%Y-%m-%dT%H:%MZ").to_string()
    } else if unix_ms.rem_euclid(1000) == 0 {
        moment.to_rfc3339_opts(SecondsFormat::Secs, true)
    } else {
        moment.to_rfc3339_opts(SecondsFormat::Millis, true)
    }
}

/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;

/// The day of `2024-08-04`, counted from 1970-01-01.
///
/// # Errors
/// As [`parse_utc_ms`].
pub fn parse_day(text: &str) -> Result<i32, TimeError> {
    let day = parse_utc_ms(text)? / DAY_MS;
    i32::try_from(day).map_err(|_| TimeError { text: text.to_owned() })
}

/// Writes a day so that [`parse_day`] reads it back.
pub fn format_day(day: i32) -> String {
    format_utc(i64::from(day) * DAY_MS).chars().take("2024-08-04".len()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn days_and_moments_are_read() {
        assert_eq!(parse_utc_ms("1970-01-01"), Ok(0));
        assert_eq!(parse_utc_ms("2024-08-04"), Ok(1_722_729_600_000));
        assert_eq!(parse_utc_ms("2024-08-04T12:00Z"), Ok(1_722_772_800_000));
        assert_eq!(parse_utc_ms("2024-08-04T12:00:30Z"), Ok(1_722_772_830_000));
        assert_eq!(parse_utc_ms("2024-08-04T12:00:30.250Z"), Ok(1_722_772_830_250));
        assert_eq!(format_utc(1_722_772_800_000), "2024-08-04T12:00Z");
    }

    #[test]
    fn days_are_counted_from_1970() {
        assert_eq!((parse_day("1970-01-01"), parse_day("2024-08-04")), (Ok(0), Ok(19_939)));
        assert_eq!(format_day(19_939), "2024-08-04");
        assert!(parse_day("04/08/2024").is_err());
    }

    #[test]
    fn anything_else_is_refused_with_its_code() {
        let wrong = [
            "",
            "Z",
            "2024-8",
            "2024-02-30",
            "2024-08-04T12:00",
            "2024-08-04 12:00Z",
            "2024-08-04T24:00Z",
            "yesterday",
        ];
        for text in wrong.into_iter().chain(["2024-08-04T12:00+02:00", "1969-12-31", "10000-01-01", "2024-08-04Z"]) {
            assert_eq!(parse_utc_ms(text).expect_err(text).code(), "VR-TIME-001");
        }
        assert!(parse_utc_ms(&"9".repeat(10_000)).expect_err("long").to_string().len() < 100);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(unix_ms in 0..END_MS) {
            prop_assert_eq!(parse_utc_ms(&format_utc(unix_ms)), Ok(unix_ms));
            let minute = unix_ms - unix_ms % 60_000;
            prop_assert_eq!(parse_utc_ms(&format_utc(minute)), Ok(minute));
        }
    }
}
