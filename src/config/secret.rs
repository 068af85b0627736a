//! Secrets come from files that nobody else can read.

use std::path::Path;

use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

use super::ConfigError;
use veriregime_files::access;
use veriregime_files::access::Exposed;

/// Longest secret, in bytes.
pub const MAX_SECRET_BYTES: u64 = 4096;
const KEY: &str = "64 hex digits of a valid private key";
const PASSPHRASE: &str = "a passphrase of one line";
const KEY_DIGITS: usize = 64;

/// Refuses a file that others can read.
///
/// # Errors
/// [`ConfigError::KeyUnreadable`] or [`ConfigError::KeyExposed`].
pub fn check_private(path: &Path) -> Result<(), ConfigError> {
    match access::exposed(path).map_err(|error| unreadable(path, &error))? {
        Some(Exposed { mode, group }) => Err(ConfigError::KeyExposed { path: path.to_owned(), mode, group }),
        None => Ok(()),
    }
}

/// Reads a private key file: 64 hex digits with or without `0x`.
///
/// # Errors
/// [`ConfigError::KeyUnreadable`], [`ConfigError::KeyExposed`] or [`ConfigError::KeyMalformed`].
pub fn read_key(path: &Path) -> Result<SecretString, ConfigError> {
    key(&read_private(path)?).map_err(|found| ConfigError::KeyMalformed { path: path.to_owned(), wants: KEY, found })
}

/// Reads a passphrase file: one line.
///
/// # Errors
/// As [`read_key`].
pub fn read_passphrase(path: &Path) -> Result<SecretString, ConfigError> {
    let fault = |found| ConfigError::KeyMalformed { path: path.to_owned(), wants: PASSPHRASE, found };
    let bytes = read_private(path)?;
    let line = text(&bytes).map_err(fault)?;
    let line = line.strip_suffix('\n').unwrap_or(line);
    let line = line.strip_suffix('\r').unwrap_or(line);
    match line {
        "" => Err(fault("it is empty")),
        _ if line.contains('\n') => Err(fault("it holds several lines")),
        _ => Ok(SecretString::from(line)),
    }
}

/// A key as it is written.
///
/// # Errors
/// What there is instead, without a word of it.
pub fn key(bytes: &[u8]) -> Result<SecretString, &'static str> {
    if bytes.len() == KEY_DIGITS / 2 && text(bytes).is_err() {
        return Err("it holds 32 bytes as they are, not written in hex digits");
    }
    let digits = text(bytes)?.trim();
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    match digits.len() {
        0 => Err("it is empty"),
        _ if digits.starts_with(['{', '[']) => Err("it holds JSON: is it a keystore?"),
        _ if digits.starts_with("-----BEGIN") => Err("it holds PEM"),
        _ if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => Err("it holds something else than hex digits"),
        1..KEY_DIGITS => Err("it holds fewer digits"),
        KEY_DIGITS => Ok(SecretString::from(digits)),
        _ => Err("it holds more digits"),
    }
}

/// Bytes as the text that they are; what they are otherwise as the error.
fn text(bytes: &[u8]) -> Result<&str, &'static str> {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Err("it is UTF-16 text, as some editors on Windows write it"),
        [0xef, 0xbb, 0xbf, ..] => Err("it begins with a byte order mark, as some editors on Windows write it"),
        _ if bytes.contains(&0) => Err("it is binary, or UTF-16 text"),
        _ => str::from_utf8(bytes).map_err(|_| "it is binary, or text that is not UTF-8"),
    }
}

fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, ConfigError> {
    check_private(path)?;
    let bytes = veriregime_files::read_bounded(path, MAX_SECRET_BYTES).map_err(|error| unreadable(path, &error))?;
    Ok(Zeroizing::new(bytes))
}

fn unreadable(path: &Path, error: &dyn std::error::Error) -> ConfigError {
    // What the system says is what names the remedy.
    let reason = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    ConfigError::KeyUnreadable { path: path.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use secrecy::ExposeSecret;

    use super::*;
    use veriregime_core::types::diagnostic::Diagnostic;

    #[test]
    fn a_file_for_a_group_of_ours_that_cannot_be_written_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        veriregime_files::write_private(&path, "ab".repeat(32).as_bytes()).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o440)).unwrap();
        assert_eq!(read_key(&path).unwrap().expose_secret(), "ab".repeat(32));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o444)).unwrap();
        assert_eq!(read_key(&path).expect_err("exposed").code(), "VR-KEY-002");
    }

    #[test]
    fn a_key_file_that_holds_something_else_says_what() {
        let digits = "ab".repeat(32);
        let utf16: Vec<u8> = digits.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let cases = [
            ([&[0xff, 0xfe], &utf16[..]].concat(), "UTF-16"),
            (utf16, "UTF-16"),
            ([&b"\xef\xbb\xbf"[..], digits.as_bytes()].concat(), "byte order mark"),
            (vec![0xab; 32], "32 bytes"),
            (vec![0xab; 33], "binary"),
            (b"{\"version\": 3}".to_vec(), "JSON"),
            (b"-----BEGIN EC PRIVATE KEY-----".to_vec(), "PEM"),
            (digits.as_bytes()[1..].to_vec(), "fewer"),
            (format!("{digits}0").into_bytes(), "more"),
            (b" \n".to_vec(), "empty"),
            (digits.replace('a', "g").into_bytes(), "something else"),
        ];
        for (bytes, named) in cases {
            let found = key(&bytes).expect_err(named);
            assert!(found.contains(named), "{named}: {found}");
        }
        assert_eq!(key(format!(" 0x{digits}\r\n").as_bytes()).unwrap().expose_secret(), digits);
    }

    #[test]
    fn only_a_private_file_with_a_key_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert_eq!(read_key(&path).expect_err("absent").code(), "VR-KEY-001");
        veriregime_files::write_private(&path, b"0xnot-a-key").unwrap();
        assert_eq!(read_key(&path).expect_err("malformed").code(), "VR-KEY-003");
        veriregime_files::write_private(&path, format!("0x{}\n", "ab".repeat(32)).as_bytes()).unwrap();
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
            veriregime_files::write_private(&path, text.as_bytes()).unwrap();
            assert_eq!(read_passphrase(&path).unwrap().expose_secret(), read);
            assert!(!format!("{:?}", read_passphrase(&path)).contains(read));
        }
        for text in ["", "\n", "two\nlines\n", "\u{feff}two", "t\0w\0o\0"] {
            veriregime_files::write_private(&path, text.as_bytes()).unwrap();
            let fault = read_passphrase(&path).expect_err("no passphrase");
            assert!(fault.code() == "VR-KEY-003" && !fault.to_string().contains("two"), "{fault}");
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o604)).unwrap();
        assert_eq!(read_passphrase(&path).expect_err("exposed").code(), "VR-KEY-002");
    }
}
