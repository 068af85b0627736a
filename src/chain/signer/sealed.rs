//! The form of an encrypted key file: geth's version 3, as the Web3 Secret Storage definition has it. Every field is read
//! and bounded before the passphrase is tried, for a file that is taken for what it is not opens as another wallet.

use aes::Aes128;
use aes::cipher::{KeyIvInit, StreamCipher};
use alloy::primitives::{Address, keccak256};
use alloy::signers::local::PrivateKeySigner;
use ctr::Ctr128BE;
use hmac::Hmac;
use scrypt::Params;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sha2::Sha256;

const VERSION: u64 = 3;
const CIPHER: &str = "aes-128-ctr";
const PRF: &str = "hmac-sha256";
/// Bytes of a private key, and of what is used of a derived one: the first half enciphers, the second one authenticates.
const KEY_BYTES: usize = 32;
const HALF: usize = KEY_BYTES / 2;
/// Derived bytes that a file may ask for; all beyond [`KEY_BYTES`] are of no use.
const DERIVED_BYTES: std::ops::RangeInclusive<u64> = 32..=1024;
/// Most memory of scrypt: four times what geth's own keystores take.
const MAX_SCRYPT_BYTES: u64 = 1 << 30;
/// Most work of scrypt, n·r·p: sixteen times that of geth's own keystores.
const MAX_SCRYPT_WORK: u64 = 1 << 25;
/// Most rounds of PBKDF2: some seconds.
const MAX_PBKDF2_ROUNDS: u64 = 10_000_000;
/// How keystores are sealed here.
const LOG_N: u8 = 13;
const R: u32 = 8;
const P: u32 = 1;

/// Why a keystore does not open.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is whole, and of a form that is not known here.
    Unknown(String),
    /// It is damaged, or no keystore.
    Malformed(String),
    /// The passphrase is another one.
    Passphrase,
    /// It says that it is of one address, and its key is another's.
    OtherAddress { named: Address, actual: Address },
}

/// A keystore whose fields make sense.
#[derive(Debug)]
pub struct Sealed {
    address: Option<Address>,
    iv: [u8; HALF],
    ciphertext: [u8; KEY_BYTES],
    mac: [u8; KEY_BYTES],
    derivation: Derivation,
    salt: Vec<u8>,
}

/// How a key is made of the passphrase.
#[derive(Debug)]
enum Derivation {
    Scrypt(Params),
    Pbkdf2 { rounds: u32 },
}

impl Sealed {
    /// Reads a keystore.
    ///
    /// # Errors
    /// [`Refusal::Unknown`] or [`Refusal::Malformed`].
    pub fn parse(json: &[u8]) -> Result<Self, Refusal> {
        // What does not parse might be a key: nothing of it is repeated.
        let file: Value = serde_json::from_slice(json).map_err(|error| {
            Refusal::Malformed(format!("it is not JSON from line {}, column {} on", error.line(), error.column()))
        })?;
        if file["version"] != VERSION {
            return Err(unknown("version", &file["version"], VERSION));
        }
        let crypto = match (file.get("crypto"), file.get("Crypto")) {
            (Some(crypto), None) | (None, Some(crypto)) => crypto,
            (Some(_), Some(_)) => return Err(Refusal::Malformed("it has both crypto and Crypto".into())),
            (None, None) => return Err(Refusal::Malformed("it has no crypto".into())),
        };
        if crypto["cipher"] != CIPHER {
            return Err(unknown("cipher", &crypto["cipher"], CIPHER));
        }
        let parameters = &crypto["kdfparams"];
        if !parameters["dklen"].as_u64().is_some_and(|length| DERIVED_BYTES.contains(&length)) {
            return Err(Refusal::Malformed("crypto.kdfparams.dklen is not between 32 and 1024".into()));
        }
        Ok(Self {
            address: address(&file)?,
            iv: bytes(&crypto["cipherparams"]["iv"], "crypto.cipherparams.iv")?,
            ciphertext: bytes(&crypto["ciphertext"], "crypto.ciphertext")?,
            mac: bytes(&crypto["mac"], "crypto.mac")?,
            derivation: derivation(&crypto["kdf"], parameters)?,
            salt: hex_of(&parameters["salt"])
                .ok_or_else(|| Refusal::Malformed("crypto.kdfparams.salt is not in hex digits".into()))?,
        })
    }

    /// The key. This may take seconds.
    ///
    /// # Errors
    /// [`Refusal::Passphrase`], [`Refusal::OtherAddress`], or [`Refusal::Malformed`] where no private key is in it.
    pub fn open(self, passphrase: &SecretString) -> Result<PrivateKeySigner, Refusal> {
        let derived = derive(&self.derivation, passphrase, &self.salt);
        if mac(&derived, &self.ciphertext) != self.mac {
            return Err(Refusal::Passphrase);
        }
        let mut key = Zeroizing::new(self.ciphertext);
        apply_cipher(&derived, &self.iv, &mut key);
        let signer = PrivateKeySigner::from_slice(&*key)
            .map_err(|_| Refusal::Malformed("what is in it is no private key".into()))?;
        match self.address {
            Some(named) if named != signer.address() => Err(Refusal::OtherAddress { named, actual: signer.address() }),
            _ => Ok(signer),
        }
    }
}

/// The keystore of a key, as JSON.
pub fn seal(signer: &PrivateKeySigner, passphrase: &SecretString) -> Vec<u8> {
    let (salt, iv): ([u8; KEY_BYTES], [u8; HALF]) = (rand::random(), rand::random());
    let parameters = Params::new(LOG_N, R, P).expect("the parameters are fixed");
    let derived = derive(&Derivation::Scrypt(parameters), passphrase, &salt);
    let mut ciphertext = signer.to_bytes().0;
    apply_cipher(&derived, &iv, &mut ciphertext);
    let sealed = json!({
        "address": hex::encode(signer.address()),
        "crypto": {
            "cipher": CIPHER,
            "cipherparams": {"iv": hex::encode(iv)},
            "ciphertext": hex::encode(ciphertext),
            "kdf": "scrypt",
            "kdfparams": {"dklen": KEY_BYTES, "n": 1_u32 << LOG_N, "p": P, "r": R, "salt": hex::encode(salt)},
            "mac": hex::encode(mac(&derived, &ciphertext)),
        },
        "id": random_uuid(),
        "version": VERSION,
    });
    sealed.to_string().into_bytes()
}

/// What is there instead of the only thing that is known here.
fn unknown(name: &str, found: &Value, wanted: impl std::fmt::Display) -> Refusal {
    /// Longer words are not repeated.
    const MAX_WORD: usize = 24;
    let found = match found {
        Value::Null => return Refusal::Malformed(format!("it has no {name}")),
        Value::Number(number) => number.to_string(),
        Value::String(word) if word.len() <= MAX_WORD => format!("{word:?}"),
        _ => "something else".into(),
    };
    Refusal::Unknown(format!("its {name} is {found}, and only {wanted} is known"))
}

fn derivation(kind: &Value, parameters: &Value) -> Result<Derivation, Refusal> {
    let whole = |name: &str| {
        let number = parameters[name].as_u64().filter(|number| *number > 0);
        number.ok_or_else(|| Refusal::Malformed(format!("crypto.kdfparams.{name} is not a whole number above 0")))
    };
    match kind.as_str() {
        Some("scrypt") => scrypt_parameters(whole("n")?, whole("r")?, whole("p")?).map(Derivation::Scrypt),
        Some("pbkdf2") if parameters["prf"] != PRF => Err(unknown("prf", &parameters["prf"], PRF)),
        Some("pbkdf2") => match whole("c")? {
            rounds @ ..=MAX_PBKDF2_ROUNDS => Ok(Derivation::Pbkdf2 { rounds: rounds as u32 }),
            rounds => Err(Refusal::Unknown(format!(
                "it asks for {rounds} rounds of PBKDF2, and at most {MAX_PBKDF2_ROUNDS} are allowed here"
            ))),
        },
        _ => Err(unknown("kdf", kind, "scrypt or pbkdf2")),
    }
}

fn scrypt_parameters(n: u64, r: u64, p: u64) -> Result<Params, Refusal> {
    if n < 2 || !n.is_power_of_two() {
        return Err(Refusal::Malformed("crypto.kdfparams.n is not a power of two".into()));
    }
    let work = n.checked_mul(r).and_then(|work| work.checked_mul(p));
    let memory = n.checked_add(p).and_then(|blocks| blocks.checked_mul(r)?.checked_mul(128));
    if work.is_none_or(|work| work > MAX_SCRYPT_WORK) || memory.is_none_or(|memory| memory > MAX_SCRYPT_BYTES) {
        return Err(Refusal::Unknown(format!(
            "its scrypt parameters n = {n}, r = {r}, p = {p} ask for more work or memory than is allowed here"
        )));
    }
    // Each is at most the work, which fits.
    Params::new(n.ilog2() as u8, r as u32, p as u32)
        .map_err(|_| Refusal::Unknown(format!("its scrypt parameter n = {n} is not below 2^(16 r), where r = {r}")))
}

fn derive(derivation: &Derivation, passphrase: &SecretString, salt: &[u8]) -> Zeroizing<[u8; KEY_BYTES]> {
    let passphrase = passphrase.expose_secret().as_bytes();
    let mut derived = Zeroizing::new([0; KEY_BYTES]);
    match derivation {
        Derivation::Scrypt(parameters) => {
            scrypt::scrypt(passphrase, salt, parameters, &mut *derived).expect("32 bytes are a length that it makes");
        }
        Derivation::Pbkdf2 { rounds } => {
            pbkdf2::pbkdf2::<Hmac<Sha256>>(passphrase, salt, *rounds, &mut *derived);
        }
    }
    derived
}

fn mac(derived: &[u8; KEY_BYTES], ciphertext: &[u8; KEY_BYTES]) -> [u8; KEY_BYTES] {
    keccak256([&derived[HALF..], ciphertext].concat()).0
}

fn apply_cipher(derived: &[u8; KEY_BYTES], iv: &[u8; HALF], text: &mut [u8; KEY_BYTES]) {
    let (key, _) = derived.split_at(HALF);
    Ctr128BE::<Aes128>::new(key.into(), iv.into()).apply_keystream(text);
}

fn address(file: &Value) -> Result<Option<Address>, Refusal> {
    let Some(address) = file.get("address").filter(|address| !address.is_null()) else { return Ok(None) };
    let digits = address.as_str().map(|text| text.strip_prefix("0x").unwrap_or(text));
    let bytes: Option<[u8; 20]> = digits.and_then(|digits| hex::decode(digits).ok()?.try_into().ok());
    bytes.map(|bytes| Some(bytes.into())).ok_or_else(|| Refusal::Malformed("its address is not 40 hex digits".into()))
}

fn bytes<const N: usize>(value: &Value, name: &str) -> Result<[u8; N], Refusal> {
    let bytes = hex_of(value).and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| Refusal::Malformed(format!("{name} is not {N} bytes in hex digits")))
}

fn hex_of(value: &Value) -> Option<Vec<u8>> {
    hex::decode(value.as_str()?).ok()
}

/// A random UUID, version 4.
fn random_uuid() -> String {
    let mut bytes: [u8; 16] = rand::random();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex::encode(bytes);
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

#[cfg(test)]
mod tests;
