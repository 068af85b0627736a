//! Secrets come from files that only their owner can read.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use super::ConfigFault;
use crate::fs;

/// Longest secret, in bytes.
pub const MAX_SECRET_BYTES: u64 = 4096;
const KEY: &str = "64 hex digits of a valid private key";
const PASSPHRASE: &str = "a passphrase of one line";

/// Refuses a file that others than its owner can read.
///
/// # Errors
/// [`ConfigFault::KeyUnreadable`] or [`ConfigFault::KeyExposed`].
pub fn check_private(path: &Path) -> Result<(), ConfigFault> {
    let mode = fs::mode(path).map_err(|error| unreadable(path, &error))?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(ConfigFault::KeyExposed { path: path.to_owned(), mode });
    }
    Ok(())
}

/// Reads a private key file: mode at most 0600, 64 hex digits with or without `0x`.
///
/// # Errors
/// [`ConfigFault::KeyUnreadable`], [`ConfigFault::KeyExposed`] or [`ConfigFault::KeyMalformed`].
pub fn read_key(path: &Path) -> Result<SecretString, ConfigFault> {
    let text = read_private(path)?;
    key(&text).ok_or_else(|| ConfigFault::KeyMalformed { path: path.to_owned(), wants: KEY })
}

/// Reads a passphrase file: mode at most 0600, one line.
///
/// # Errors
/// As [`read_key`].
pub fn read_passphrase(path: &Path) -> Result<SecretString, ConfigFault> {
    let text = read_private(path)?;
    let line = text.expose_secret();
    let line = line.strip_suffix('\n').unwrap_or(line);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() || line.contains('\n') {
        return Err(ConfigFault::KeyMalformed { path: path.to_owned(), wants: PASSPHRASE });
    }
    Ok(SecretString::from(line))
}

/// A key as it is written; `None` for anything else.
pub fn key(text: &SecretString) -> Option<SecretString> {
    let digits = text.expose_secret().trim();
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    let is_key = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_key.then(|| SecretString::from(digits))
}

fn read_private(path: &Path) -> Result<SecretString, ConfigFault> {
    check_private(path)?;
    Ok(SecretString::from(fs::read_text(path, MAX_SECRET_BYTES).map_err(|error| unreadable(path, &error))?))
}

fn unreadable(path: &Path, error: &dyn std::error::Error) -> ConfigFault {
    ConfigFault::KeyUnreadable { path: path.to_owned(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::fault::Fault;

    #[test]
    fn only_a_private_file_with_a_key_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert_eq!(read_key(&path).expect_err("absent").code(), "VR-KEY-001");
        fs::write_private(&path, b"0xnot-a-key").unwrap();
        assert_eq!(read_key(&path).expect_err("malformed").code(), "VR-KEY-003");
        fs::write_private(&path, format!("0x{}\n", "ab".repeat(32)).as_bytes()).unwrap();
        assert_eq!(read_key(&path).unwrap().expose_secret(), "ab".repeat(32));
        assert!(!format!("{:?}", read_key(&path)).contains("abab"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(read_key(&path).expect_err("exposed").code(), "VR-KEY-002");
    }

    #[test]
    fn a_passphrase_is_one_line_of_a_private_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passphrase");
        for (text, read) in
            [("correct horse\n", "correct horse"), ("  both ends  \r\n", "  both ends  "), ("xyzzy", "xyzzy")]
        {
            fs::write_private(&path, text.as_bytes()).unwrap();
            assert_eq!(read_passphrase(&path).unwrap().expose_secret(), read);
            assert!(!format!("{:?}", read_passphrase(&path)).contains(read));
        }
        for text in ["", "\n", "two\nlines\n"] {
            fs::write_private(&path, text.as_bytes()).unwrap();
            let fault = read_passphrase(&path).expect_err("no passphrase");
            assert!(fault.code() == "VR-KEY-003" && !fault.to_string().contains("two"), "{fault}");
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o604)).unwrap();
        assert_eq!(read_passphrase(&path).expect_err("exposed").code(), "VR-KEY-002");
    }
}
