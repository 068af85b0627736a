//! What the daemon takes, period by period: time, memory, file handles, room in the database.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use veriregime_core::types::period::PeriodId;
use veriregime_training::plots::chart::{Chart, Colour, Line};

/// What the resident set may grow by between the first and the last quarter of the undisturbed half.
const GROWTH_KB: u64 = 16 << 10;
/// The same for open files and sockets: connections to exchanges and RPCs come and go.
const GROWTH_HANDLES: u64 = 16;
/// What the database may grow by for a period of one job.
const DATABASE_BYTES: u64 = 64 << 10;
/// Medians of fewer samples are not compared.
const MIN_SAMPLES: usize = 20;

/// What a period was like.
pub(super) struct Row {
    pub(super) period: PeriodId,
    pub(super) took: Duration,
    /// One sample for each look at the daemon.
    pub(super) usage: Vec<Usage>,
    /// Of the database, at the period's end.
    pub(super) database_bytes: u64,
    pub(super) faults: String,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    resident_kb: u64,
    handles: u64,
}

impl Usage {
    /// Of a process; `None` where it has just ended.
    pub(super) fn of(process: u32) -> Option<Self> {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let resident_kb = line.split_whitespace().next()?.parse().ok()?;
        Some(Self { resident_kb, handles: std::fs::read_dir(format!("/proc/{process}/fd")).ok()?.count() as u64 })
    }
}

/// Bytes of the database that hold something; what was freed is used again before the file grows.
pub(super) fn database_bytes(file: &Path) -> u64 {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let of = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
    ((of("page_count") - of("freelist_count")) * of("page_size")).unsigned_abs()
}

/// Compares the first with the last quarter of the undisturbed half.
pub(super) fn judge(rows: &[Row], jobs: usize) {
    let calm = &rows[rows.len() / 2..];
    let quarter = (calm.len() / 4).max(1);
    let (first, last) = (&calm[..quarter], &calm[calm.len() - quarter..]);
    let fewest = [first, last].map(|rows| rows.iter().map(|row| row.usage.len()).sum::<usize>());
    assert!(fewest.iter().all(|samples| *samples >= MIN_SAMPLES), "{fewest:?} samples say nothing");
    let of = |rows: &[Row], figure: fn(&Usage) -> u64| median(rows.iter().flat_map(|row| &row.usage).map(figure));
    let memory = [first, last].map(|rows| of(rows, |usage| usage.resident_kb));
    let handles = [first, last].map(|rows| of(rows, |usage| usage.handles));
    let [begun, ended] = [&calm[0], &calm[calm.len() - 1]].map(|row| row.database_bytes);
    let cycles = ((calm.len() - 1).max(1) * jobs) as u64;
    let bytes_a_cycle = ended.saturating_sub(begun) / cycles;
    println!(
        "soak: resident {} kB, then {} kB; {} open files, then {}; database {ended} bytes, {bytes_a_cycle} for each cycle",
        memory[0], memory[1], handles[0], handles[1],
    );
    assert!(memory[1] <= memory[0] + GROWTH_KB, "memory grew: {memory:?} kB");
    assert!(handles[1] <= handles[0] + GROWTH_HANDLES, "open files grew: {handles:?}");
    assert!(bytes_a_cycle <= DATABASE_BYTES, "the database grew by {bytes_a_cycle} bytes for each cycle");
}

fn median(values: impl Iterator<Item = u64>) -> u64 {
    let mut sorted: Vec<u64> = values.collect();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or(0)
}

/// A table of all periods, and plots of memory and time.
pub(super) fn write_down(folder: &Path, rows: &[Row]) {
    let resident_kb = |row: &Row| median(row.usage.iter().map(|usage| usage.resident_kb));
    veriregime_files::create_folder(folder).unwrap();
    let mut table = String::from("period,milliseconds,resident_kb,open_files,database_bytes,faults\n");
    for row in rows {
        let handles = median(row.usage.iter().map(|usage| usage.handles));
        let (took, resident, bytes) = (row.took.as_millis(), resident_kb(row), row.database_bytes);
        writeln!(table, "{},{took},{resident},{handles},{bytes},\"{}\"", row.period, row.faults).unwrap();
    }
    veriregime_files::write_atomic(&folder.join("soak.csv"), table.as_bytes()).unwrap();
    let memory = rows.iter().map(|row| resident_kb(row) as f64 / 1024.0).collect::<Vec<_>>();
    let seconds = rows.iter().map(|row| row.took.as_secs_f64()).collect::<Vec<_>>();
    plot(&folder.join("memory.svg"), "resident set of the daemon, MiB, by period", &memory);
    plot(&folder.join("time.svg"), "seconds from a period's start to its last settled update", &seconds);
}

fn plot(path: &Path, title: &str, values: &[f64]) {
    let points = values.iter().copied().enumerate().map(|(period, value)| (period as f64, value));
    let line = Line {
        name: String::new(),
        colour: Colour::Blue,
        is_dashed: false,
        points: points.collect(),
        has_marks: false,
    };
    let chart = Chart {
        title: title.into(),
        labels: ["period".into(), String::new()],
        axes: [0.0..values.len() as f64, 0.0..values.iter().copied().fold(0.0, f64::max) * 1.1],
        formats: [|value| format!("{value:.0}"), |value| format!("{value:.1}")],
        lines: vec![line],
        shades: Vec::new(),
        has_diagonal: false,
    };
    veriregime_files::write_atomic(path, chart.to_svg().as_bytes()).unwrap();
}
