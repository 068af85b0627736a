//! What is printed. In all commands these macros take the place of the standard ones, which panic where nobody reads any more,
//! as after `| head`.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::sync::OnceLock;

use crate::render::Render;
use veriregime_files::FileError;

/// Why standard output takes nothing more.
static ENDED: OnceLock<io::Error> = OnceLock::new();

/// Prints on standard output.
macro_rules! print {
    ($($words:tt)*) => { $crate::cmd::print::out(format_args!($($words)*), "") };
}

/// Prints a line on standard output.
macro_rules! println {
    () => { $crate::cmd::print::out(format_args!(""), "\n") };
    ($($words:tt)*) => { $crate::cmd::print::out(format_args!($($words)*), "\n") };
}

/// Prints a line on standard error.
macro_rules! eprintln {
    ($($words:tt)*) => { $crate::cmd::print::err(format_args!($($words)*)) };
}

/// Prints a result: for programs as one line of JSON, else as text.
pub fn output(json: bool, result: &impl Render) {
    if !json {
        return println!("{}", result.text());
    }
    match serde_json::to_string(result) {
        Ok(line) => println!("{line}"),
        Err(error) => drop(ENDED.set(error.into())),
    }
}

/// Writes to standard output at once. Where that does not work, nothing more is written: the command goes on with what it does
/// and ends with its own exit status.
pub fn out(words: fmt::Arguments, end: &str) {
    if ENDED.get().is_none()
        && let Err(error) = write(io::stdout().lock(), words, end)
    {
        let _first = ENDED.set(error);
    }
}

/// Writes a line to standard error; where nobody reads it, there is nobody to tell so.
pub fn err(words: fmt::Arguments) {
    let _unread = write(io::stderr().lock(), words, "\n");
}

/// Whether standard output still takes what is printed. What only prints, and has no end, ends where it does not.
pub fn is_read() -> bool {
    ENDED.get().is_none()
}

/// Fails where standard output was no longer written to for another reason than that its reader has gone.
///
/// # Errors
/// [`FileError::Full`] or [`FileError::Write`].
pub fn check() -> Result<(), FileError> {
    match ENDED.get() {
        Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(FileError::writing(Path::new("standard output"), io::Error::new(error.kind(), error.to_string())))
        }
        _ => Ok(()),
    }
}

fn write(mut to: impl Write, words: fmt::Arguments, end: &str) -> io::Result<()> {
    to.write_fmt(words)?;
    to.write_all(end.as_bytes())?;
    to.flush()
}
