//! Secrets come from files that only their owner can read.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use secrecy::SecretString;

use super::ConfigFault;
use crate::fs;

const MAX_SECRET_BYTES: u64 = 4096;

/// Reads a private key file: mode at most 0600, 64 hex digits with or without `0x`.
///
/// # Errors
/// [`ConfigFault::KeyUnreadable`], [`ConfigFault::KeyExposed`] or [`ConfigFault::KeyMalformed`].
pub fn read_key(path: &Path) -> Result<SecretString, ConfigFault> {
    let unreadable =
        |error: &dyn std::error::Error| ConfigFault::KeyUnreadable { path: path.to_owned(), reason: error.to_string() };
    let mode = fs::mode(path).map_err(|error| unreadable(&error))?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(ConfigFault::KeyExposed { path: path.to_owned(), mode });
    }
    let text = fs::read_text(path, MAX_SECRET_BYTES).map_err(|error| unreadable(&error))?;
    let digits = text.trim();
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(ConfigFault::KeyMalformed { path: path.to_owned() });
    }
    Ok(SecretString::from(digits))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

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
}
