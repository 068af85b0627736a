//! A stored cycle, for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use veriregime_core::types::cycle::CycleRecord;
use veriregime_core::types::origin::Origin;
use veriregime_core::types::time::format_utc;
use veriregime_core::types::vintage::TablesOrigin;

/// A cycle for programs.
pub fn json(record: &CycleRecord) -> Value {
    let mut said = json!({
        "period": record.period,
        "start": format_utc(record.start_ms),
        "outcome": record.stage,
        "candles": record.origin,
        "carried_minutes": record.origin.as_ref().map(Origin::carried_minutes),
        "omitted": record.origin.as_ref().map(|origin| &origin.omitted),
        "longest_carried_run_minutes": record.origin.as_ref().map(Origin::longest_run_minutes),
        "prove_ms": record.prove_ms,
        "landed": record.landed,
        "evidence": record.evidence,
        "miss": record.miss,
        "retrying": record.retrying.as_ref().map(|retrying| json!({
            "code": retrying.code, "message": retrying.message, "since": format_utc(retrying.since_ms),
        })),
    });
    if let Some(tables) = &record.tables {
        said["tables"] = json!(tables);
    }
    said
}

/// Where a cycle's candles came from: the source, those that failed before it, and what it did not have.
pub fn origin(record: &CycleRecord) -> String {
    if let Some(tables) = &record.tables {
        return self::tables(tables);
    }
    let Some(origin) = &record.origin else { return String::new() };
    let mut text = origin.source.clone();
    let failed: Vec<String> = origin.failed.iter().map(|one| format!("{} {}", one.source, one.code)).collect();
    if !failed.is_empty() {
        let _ = write!(text, " (not {})", failed.join(", "));
    }
    for lent in origin.gaps.iter().flat_map(|gaps| &gaps.lent) {
        let _ = write!(text, ", {} minutes of {}", lent.minutes, lent.source);
    }
    if origin.carried_minutes() > 0 {
        let (carried, longest) = (origin.carried_minutes(), origin.longest_run_minutes());
        let _ = write!(text, ", {carried} minutes carried forward, {longest} in a row");
    }
    for omission in &origin.omitted {
        let _ = write!(text, ", without {} ({})", omission.market, omission.code);
    }
    text
}

/// The editions of a cycle's tables, and those that could not be had.
fn tables(origin: &TablesOrigin) -> String {
    let fetched = origin.vintages.iter().map(|one| match one.revised {
        0 => format!("{} of {}", one.table, one.time),
        revised => format!("{} of {} ({revised} rows revised)", one.table, one.time),
    });
    let failed = origin.failed.iter().map(|one| format!("{} as it was before ({})", one.source, one.code));
    fetched.chain(failed).collect::<Vec<_>>().join(", ")
}
