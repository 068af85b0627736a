//! A client of the measured API, as small as one can be: it is measured, too.

use anyhow::Context;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// Largest head or body of an answer.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// Reads one answer with a length; whether its status is 200.
///
/// # Errors
/// A connection that ends before, or an answer that is too large.
pub(super) async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<bool> {
    buffer.clear();
    loop {
        anyhow::ensure!(stream.read_buf(buffer).await? > 0 && buffer.len() <= MAX_ANSWER_BYTES, "no whole answer");
        let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&buffer[..end])?.to_ascii_lowercase();
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length:")).context("an answer without length")?;
        if buffer.len() >= end + 4 + length.trim().parse::<usize>()? {
            return Ok(head.starts_with("http/1.1 200"));
        }
    }
}
