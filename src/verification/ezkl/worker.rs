//! One running EZKL worker: a child process that answers line by line.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::protocol::Call;
use crate::verification::error::ProofError;

/// The worker's program; part of the binary, so that the two cannot be of different versions.
const PROGRAM: &str = include_str!("../../../prover/worker.py");
/// Longest response line.
const MAX_RESPONSE_BYTES: u64 = 8 << 20;
/// How much of the end of the worker's standard error is kept.
const KEPT_STDERR_BYTES: usize = 8192;
/// More threads do not help circuits of this size, and each has a stack that counts against the memory limit.
const MAX_THREADS: usize = 4;
/// Wait for a worker to end by itself after its input was closed, and for the remains of one that died.
const GRACE: Duration = Duration::from_secs(2);
/// What is said when memory cannot be had: by Rust, by Python, by the system, and by the system for a thread's stack.
const OUT_OF_MEMORY_SIGNS: [&str; 4] =
    ["memory allocation of", "MemoryError", "Cannot allocate memory", "Resource temporarily unavailable"];

/// How the worker begins what it says of a row for which there is no table.
const OUT_OF_TABLES: &str = "OutOfTables: ";

/// How the prover's process is run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Python with the pinned EZKL.
    pub python: PathBuf,
    /// Longest time for one call.
    pub deadline: Duration,
    /// Private writable memory that the process may take, in MiB.
    pub memory_limit_mb: u64,
}

#[derive(Serialize)]
struct Request<'a, C> {
    id: u64,
    call: &'static str,
    arguments: &'a C,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Response<A> {
    id: Option<u64>,
    ok: Option<A>,
    error: Option<String>,
}

/// A running worker. Dropping it kills the process.
#[derive(Debug)]
pub struct Worker {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    /// Shared with `reader`, which alone writes to it.
    stderr: Arc<Mutex<VecDeque<u8>>>,
    /// Drains standard error until the process closes it.
    reader: JoinHandle<()>,
    next_id: u64,
    memory_limit_mb: u64,
    /// Private folder, the program in it; removed with this value, or by the worker when its parent is gone.
    _scratch: TempDir,
}

impl Worker {
    /// Starts the process in its own process group: an interrupt at the terminal is for the daemon to pass on.
    ///
    /// # Errors
    /// [`ProofError::Start`], or a file fault when the scratch folder cannot be filled.
    pub fn start(settings: &Settings) -> Result<Self, ProofError> {
        let start = |source| ProofError::Start { python: settings.python.clone(), source };
        let scratch = tempfile::Builder::new().prefix("veriregime-prover-").tempdir().map_err(start)?;
        let program = scratch.path().join("worker.py");
        veriregime_files::write_private(&program, PROGRAM.as_bytes())?;
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
        let mut child = Command::new(&settings.python)
            .arg("-I")
            .arg(&program)
            .arg(scratch.path())
            .arg((settings.memory_limit_mb << 20).to_string())
            .env("RAYON_NUM_THREADS", threads.to_string())
            .env("RUST_BACKTRACE", "0")
            .env("HOME", scratch.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(start)?;
        let stdin = child.stdin.take().expect("asked for a pipe");
        let stdout = BufReader::new(child.stdout.take().expect("asked for a pipe"));
        let stderr = Arc::new(Mutex::new(VecDeque::new()));
        let reader = tokio::spawn(keep_end(child.stderr.take().expect("asked for a pipe"), Arc::clone(&stderr)));
        let memory_limit_mb = settings.memory_limit_mb;
        Ok(Self { child, stdin, stdout, stderr, reader, next_id: 0, memory_limit_mb, _scratch: scratch })
    }

    /// Id of the process while it runs.
    pub fn process_id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Whether the process has not ended yet.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// One request and its response. After any error but [`ProofError::Refused`] and [`ProofError::OutOfTables`] the worker is of no further use.
    ///
    /// # Errors
    /// [`ProofError::Refused`], [`ProofError::OutOfTables`], [`ProofError::Deadline`], [`ProofError::Crashed`], [`ProofError::Memory`] or
    /// [`ProofError::Malformed`].
    pub async fn call<C: Call>(&mut self, arguments: &C, deadline: Duration) -> Result<C::Answer, ProofError> {
        let call = C::NAME;
        let malformed = |reason: String| ProofError::Malformed { call, reason };
        self.next_id += 1;
        let mut line = serde_json::to_vec(&Request { id: self.next_id, call, arguments })
            .map_err(|error| malformed(error.to_string()))?;
        line.push(b'\n');
        let Ok(exchanged) = timeout(deadline, self.exchange(&line)).await else {
            return Err(ProofError::Deadline { call, deadline });
        };
        let answer = match exchanged {
            Ok(answer) if answer.ends_with(b"\n") => answer,
            Ok(part) if part.len() as u64 >= MAX_RESPONSE_BYTES => {
                return Err(malformed(format!("a line longer than {MAX_RESPONSE_BYTES} bytes")));
            }
            _ => return Err(self.post_mortem(call).await),
        };
        answer_in::<C>(&answer, self.next_id, self.memory_limit_mb)
    }

    /// Closes the worker's input, waits a little for it to end, then kills it.
    pub async fn stop(self) {
        let Self { mut child, stdin, .. } = self;
        drop(stdin);
        if timeout(GRACE, child.wait()).await.is_err() {
            // Nothing is left to do about a process that not even a kill ends.
            let _ = child.kill().await;
        }
    }

    async fn exchange(&mut self, line: &[u8]) -> std::io::Result<Vec<u8>> {
        self.stdin.write_all(line).await?;
        self.stdin.flush().await?;
        let mut answer = Vec::new();
        (&mut self.stdout).take(MAX_RESPONSE_BYTES).read_until(b'\n', &mut answer).await?;
        Ok(answer)
    }

    /// Why a worker that closed its output did so.
    async fn post_mortem(&mut self, call: &'static str) -> ProofError {
        let status = match timeout(GRACE, self.child.wait()).await {
            Ok(Ok(status)) => status.to_string(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "still running without an output".to_owned(),
        };
        // The reader ends with the process; when it does not, what has been read so far must do.
        let _ = timeout(GRACE, &mut self.reader).await;
        let kept = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        let stderr = String::from_utf8_lossy(&kept.iter().copied().collect::<Vec<u8>>()).trim().to_owned();
        if is_out_of_memory(&stderr) {
            return ProofError::Memory { call, limit_mb: self.memory_limit_mb, stderr };
        }
        ProofError::Crashed { call, status, stderr }
    }
}

/// The answer to request `id` in a response line.
///
/// # Errors
/// [`ProofError::Refused`], [`ProofError::Memory`] or [`ProofError::Malformed`].
pub fn answer_in<C: Call>(line: &[u8], id: u64, memory_limit_mb: u64) -> Result<C::Answer, ProofError> {
    let call = C::NAME;
    let malformed = |reason: String| ProofError::Malformed { call, reason };
    let response: Response<C::Answer> = serde_json::from_slice(line).map_err(|error| malformed(error.to_string()))?;
    match response {
        Response { id: found, .. } if found != Some(id) => {
            Err(malformed(format!("response {found:?} to request {id}")))
        }
        Response { ok: Some(answer), error: None, .. } => Ok(answer),
        Response { ok: None, error: Some(message), .. } if is_out_of_memory(&message) => {
            Err(ProofError::Memory { call, limit_mb: memory_limit_mb, stderr: message })
        }
        Response { ok: None, error: Some(message), .. } => match message.strip_prefix(OUT_OF_TABLES) {
            Some(message) => Err(ProofError::OutOfTables { call, message: message.to_owned() }),
            None => Err(ProofError::Refused { call, message }),
        },
        Response { .. } => Err(malformed("neither a result nor an error".to_owned())),
    }
}

fn is_out_of_memory(words: &str) -> bool {
    OUT_OF_MEMORY_SIGNS.iter().any(|sign| words.contains(sign))
}

/// Reads to the end and keeps the last [`KEPT_STDERR_BYTES`].
async fn keep_end(mut stderr: ChildStderr, kept: Arc<Mutex<VecDeque<u8>>>) {
    let mut chunk = [0; 1024];
    while let Ok(count @ 1..) = stderr.read(&mut chunk).await {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(&chunk[..count]);
        let surplus = kept.len().saturating_sub(KEPT_STDERR_BYTES);
        kept.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verification::ezkl::protocol::PeakRss;

    #[test]
    fn the_worker_s_header_shows_the_formats_that_are_read() {
        let header = PROGRAM.split("\"\"\"").nth(1).unwrap();
        let shown = |mark: &str| header.split_once(mark).unwrap().1.lines().next().unwrap().trim().as_bytes().to_vec();
        let request = header.lines().find_map(|line| line.split_once("  ->")).unwrap().0.trim();
        let ours = Request { id: 7, call: PeakRss::NAME, arguments: &PeakRss {} };
        let request: serde_json::Value = serde_json::from_str(request).unwrap();
        assert_eq!(request, serde_json::to_value(&ours).unwrap());
        assert_eq!(answer_in::<PeakRss>(&shown("  ->  "), 7, 512).unwrap().peak_rss_bytes, 41_943_040);
        let refused = answer_in::<PeakRss>(&shown("  or  "), 7, 512).expect_err("an error").to_string();
        assert!(refused.contains("RuntimeError: what went wrong"), "{refused}");
        let line = format!(r#"{{"id":7,"error":"{OUT_OF_TABLES}-9 to 3 are looked up"}}"#);
        let refused = answer_in::<PeakRss>(line.as_bytes(), 7, 512).expect_err("an error");
        assert!(matches!(&refused, ProofError::OutOfTables { message, .. } if message.starts_with("-9")), "{refused}");
        assert!(PROGRAM.contains("class OutOfTables("));
    }
}
