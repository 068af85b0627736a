//! Who holds a key: the wallet's and the attestor's alike.

use std::path::PathBuf;

use alloy::primitives::Address;
use serde::{Deserialize, Serialize};

use super::{ConfigError, value};
use veriregime_core::types::address;

/// Where an Ethereum account lies on a ledger that nobody has set up otherwise.
const FIRST_LEDGER_PATH: &str = "m/44'/60'/0'/0/0";

/// A section as written.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RawSigner {
    pub kind: Kind,
    pub file: String,
    pub passphrase_file: String,
    pub key: String,
    pub address: String,
}

/// Who holds the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The wallet's key, for the attestor.
    Wallet,
    File,
    Keystore,
    AwsKms,
    GcpKms,
    Ledger,
}

/// A checked section.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Signer {
    pub holder: Holder,
    /// What the key's address must be, where the settings say.
    pub address: Option<Address>,
}

/// Who holds the key, and how to ask for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Holder {
    /// A file with 64 hex digits.
    File(PathBuf),
    /// An encrypted file, and a file with its passphrase.
    Keystore { file: PathBuf, passphrase_file: PathBuf },
    /// A key's id, ARN or alias.
    AwsKms(String),
    /// The resource name of a key's version.
    GcpKms(String),
    /// A derivation path.
    Ledger(String),
}

impl Signer {
    /// The key in a file of hex digits.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { holder: Holder::File(path.into()), address: None }
    }
}

/// Checks the wallet's section.
pub(super) fn check_wallet(raw: &RawSigner) -> Result<Signer, ConfigError> {
    if raw.kind == Kind::Wallet {
        return Err(value("signer.kind", "wallet", "is for the section [attestor]"));
    }
    check(raw, ["signer.file", "signer.passphrase_file", "signer.key", "signer.address"])
}

/// Checks the attestor's section; `None` where the wallet attests.
pub(super) fn check_attestor(raw: &RawSigner) -> Result<Option<Signer>, ConfigError> {
    const KEYS: [&str; 4] = ["attestor.file", "attestor.passphrase_file", "attestor.key", "attestor.address"];
    match raw.kind {
        // Whoever names a file and forgets the kind would sign with another key than they think.
        Kind::Wallet => match KEYS.iter().zip(fields(raw)).find(|(_, text)| !text.is_empty()) {
            Some((key, text)) => Err(value(*key, text, "means nothing as long as attestor.kind is \"wallet\"")),
            None => Ok(None),
        },
        Kind::Ledger => {
            Err(value("attestor.kind", "ledger", "a ledger asks a person each time; attestations are made without one"))
        }
        _ => check(raw, KEYS).map(Some),
    }
}

fn fields(raw: &RawSigner) -> [&str; 4] {
    [raw.file.trim(), raw.passphrase_file.trim(), raw.key.trim(), raw.address.trim()]
}

fn check(raw: &RawSigner, keys: [&'static str; 4]) -> Result<Signer, ConfigError> {
    let [file, passphrase_file, key, address] = fields(raw);
    let wanted = |index: usize, text: &str, what: &str| {
        if text.is_empty() { Err(value(keys[index], "", what)) } else { Ok(text.to_owned()) }
    };
    let address = match address {
        "" => None,
        text => Some(address::parse(text).map_err(|error| value(keys[3], text, error))?),
    };
    let holder = match raw.kind {
        Kind::File | Kind::Wallet => Holder::File(wanted(0, file, "wants the file with the key")?.into()),
        Kind::Keystore => Holder::Keystore {
            file: wanted(0, file, "wants the keystore; `veriregime-agent key new` makes one")?.into(),
            passphrase_file: wanted(1, passphrase_file, "wants the file with the keystore's passphrase")?.into(),
        },
        Kind::AwsKms => Holder::AwsKms(wanted(2, key, "wants the key's id, ARN or alias")?),
        Kind::GcpKms => Holder::GcpKms(wanted(2, key, "wants the resource name of the key's version")?),
        Kind::Ledger if key.is_empty() => Holder::Ledger(FIRST_LEDGER_PATH.into()),
        Kind::Ledger => Holder::Ledger(key.into()),
    };
    let is_remote = matches!(holder, Holder::AwsKms(_) | Holder::GcpKms(_) | Holder::Ledger(_));
    if is_remote && address.is_none() {
        return Err(value(keys[3], "", "a key that is elsewhere wants the address that it must have"));
    }
    Ok(Signer { holder, address })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

    fn raw(kind: Kind, [file, passphrase_file, key, address]: [&str; 4]) -> RawSigner {
        RawSigner {
            kind,
            file: file.into(),
            passphrase_file: passphrase_file.into(),
            key: key.into(),
            address: address.into(),
        }
    }

    #[test]
    fn each_kind_takes_what_it_needs() {
        let holder = |kind, texts| check_wallet(&raw(kind, texts)).map(|signer| signer.holder);
        assert_eq!(holder(Kind::File, ["a", "", "", ""]).unwrap(), Holder::File("a".into()));
        let keystore = Holder::Keystore { file: "a".into(), passphrase_file: "b".into() };
        assert_eq!(holder(Kind::Keystore, ["a", "b", "", ""]).unwrap(), keystore);
        assert_eq!(holder(Kind::AwsKms, ["", "", "alias/x", ADDRESS]).unwrap(), Holder::AwsKms("alias/x".into()));
        assert_eq!(holder(Kind::Ledger, ["", "", "", ADDRESS]).unwrap(), Holder::Ledger(FIRST_LEDGER_PATH.into()));
        assert_eq!(check_attestor(&raw(Kind::Wallet, [""; 4])).unwrap(), None);
    }

    #[test]
    fn what_is_missing_or_too_much_is_named() {
        let cases = [
            (Kind::File, [""; 4], "signer.file"),
            (Kind::Keystore, ["a", "", "", ""], "signer.passphrase_file"),
            (Kind::AwsKms, ["", "", "", ADDRESS], "signer.key"),
            (Kind::GcpKms, ["", "", "projects/p", ""], "signer.address"),
            (Kind::File, ["a", "", "", "0x12"], "signer.address"),
            // The last letter's case is wrong.
            (Kind::File, ["a", "", "", "0x70997970C51812dc3A010C7d01b50e0d17dc79c8"], "EIP-55"),
            (Kind::Wallet, [""; 4], "signer.kind"),
        ];
        for (kind, texts, named) in cases {
            assert!(check_wallet(&raw(kind, texts)).expect_err(named).to_string().contains(named));
        }
        for (kind, texts, named) in
            [(Kind::Wallet, ["a", "", "", ""], "attestor.file"), (Kind::Ledger, ["", "", "", ADDRESS], "attestor.kind")]
        {
            assert!(check_attestor(&raw(kind, texts)).expect_err(named).to_string().contains(named));
        }
    }
}
