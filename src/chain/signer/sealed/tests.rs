use proptest::prelude::*;

use super::*;

const ADDRESS: &str = "0x0648AdFEBEAc6cA0C96320848A5F17D843149477";

/// Made with another program; its passphrase is "pass phrase 1".
fn sample() -> Value {
    json!({
        "address": "0648adfebeac6ca0c96320848a5f17d843149477",
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": {"iv": "000102030405060708090a0b0c0d0e0f"},
            "ciphertext": "b2dd047fbc2eb168f946c675462f73969c9c6bbb4adae55986762a86f51feec0",
            "kdf": "scrypt",
            "kdfparams": {
                "dklen": 32, "n": 8192, "p": 1, "r": 8,
                "salt": "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            },
            "mac": "4d554d5a37462f0ec417d345d38936d7aa88d758a54a863e6fe8d51d4d1eee97",
        },
        "id": "00000000-0000-0000-0000-000000003039",
        "version": 3,
    })
}

fn opened(file: &Value) -> Result<Address, Refusal> {
    Sealed::parse(file.to_string().as_bytes())?.open(&"pass phrase 1".into()).map(|signer| signer.address())
}

/// The sample with the value at a JSON pointer replaced; `Null` takes it out.
fn with(pointer: &str, value: Value) -> Value {
    let mut file = sample();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = file.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Value::Null => parent.remove(name),
        value => parent.insert(name.into(), value),
    };
    file
}

fn ours() -> Address {
    ADDRESS.parse().unwrap()
}

#[test]
fn a_keystore_opens_in_the_spellings_of_all_who_write_it() {
    assert_eq!(opened(&sample()), Ok(ours()));
    let mut of_ethers = sample();
    let crypto = of_ethers.as_object_mut().unwrap().remove("crypto").unwrap();
    of_ethers["Crypto"] = crypto;
    of_ethers["x-ethers"] = json!({"client": "ethers.js"});
    assert_eq!(opened(&of_ethers), Ok(ours()));
    for (pointer, value) in [
        ("/address", Value::Null),
        ("/address", ADDRESS.into()),
        ("/id", Value::Null),
        ("/crypto/kdfparams/dklen", 64.into()),
        // Not of the derivation that is named.
        ("/crypto/kdfparams/c", 1.into()),
    ] {
        assert_eq!(opened(&with(pointer, value)), Ok(ours()), "{pointer}");
    }
}

#[test]
fn a_keystore_of_another_form_is_refused_by_name() {
    for (pointer, value, named) in [
        ("/crypto/cipher", json!("aes-128-cbc"), "its cipher is \"aes-128-cbc\", and only aes-128-ctr is known"),
        ("/version", json!(1), "its version is 1, and only 3 is known"),
        ("/version", json!("3"), "its version is \"3\", and only 3 is known"),
        ("/version", json!(3.5), "its version is 3.5, and only 3 is known"),
        ("/crypto/kdf", json!("argon2id"), "its kdf is \"argon2id\", and only scrypt or pbkdf2 is known"),
        ("/crypto/kdfparams/n", json!(1 << 24), "more work or memory"),
        ("/crypto/kdfparams/n", json!(1_u64 << 63), "more work or memory"),
        ("/crypto/kdfparams/r", json!(u64::MAX), "more work or memory"),
        ("/crypto/kdfparams/p", json!(1 << 20), "more work or memory"),
    ] {
        let refusal = opened(&with(pointer, value)).expect_err(pointer);
        assert!(matches!(&refusal, Refusal::Unknown(reason) if reason.contains(named)), "{pointer}: {refusal:?}");
    }
}

#[test]
fn a_keystore_that_is_damaged_is_refused_by_the_field() {
    for (pointer, value, named) in [
        ("/version", Value::Null, "no version"),
        ("/crypto", Value::Null, "no crypto"),
        ("/Crypto", json!({}), "both"),
        ("/address", json!("0x12"), "address"),
        ("/address", json!(12), "address"),
        ("/crypto/cipher", Value::Null, "no cipher"),
        ("/crypto/cipherparams/iv", json!("0001020304050607"), "iv is not 16 bytes"),
        ("/crypto/cipherparams", Value::Null, "iv"),
        ("/crypto/ciphertext", json!("b2dd"), "ciphertext is not 32 bytes"),
        ("/crypto/mac", json!("xy"), "mac"),
        ("/crypto/kdf", Value::Null, "no kdf"),
        ("/crypto/kdfparams/dklen", json!(16), "dklen"),
        ("/crypto/kdfparams/dklen", json!(u64::MAX), "dklen"),
        ("/crypto/kdfparams/salt", json!("0"), "salt"),
        ("/crypto/kdfparams/n", json!(8191), "power of two"),
        ("/crypto/kdfparams/n", json!(0), "above 0"),
        ("/crypto/kdfparams/p", json!(-1), "above 0"),
        ("/crypto/kdfparams/r", json!(8.5), "above 0"),
    ] {
        let refusal = opened(&with(pointer, value)).expect_err(pointer);
        assert!(matches!(&refusal, Refusal::Malformed(reason) if reason.contains(named)), "{pointer}: {refusal:?}");
    }
    for text in ["", "[]", "3", "null", "\"crypto\"", "{\"version\": 3, \"crypto\": []}"] {
        assert!(Sealed::parse(text.as_bytes()).is_err(), "{text}");
    }
    let raw = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";
    for text in [raw.to_owned(), format!("\"{raw}\""), "7".repeat(64)] {
        let refusal = Sealed::parse(text.as_bytes()).expect_err("a key is no keystore");
        assert!(!format!("{refusal:?}").contains("59c6") && !format!("{refusal:?}").contains("777"), "{refusal:?}");
    }
}

#[test]
fn a_keystore_that_opens_as_another_wallet_is_refused() {
    let zero = "0000000000000000000000000000000000000000";
    let refusal = Refusal::OtherAddress { named: Address::ZERO, actual: ours() };
    assert_eq!(opened(&with("/address", zero.into())), Err(refusal));
    // The check sum covers the ciphertext and not what it is deciphered with.
    let other_iv = opened(&with("/crypto/cipherparams/iv", "ff0102030405060708090a0b0c0d0e0f".into()));
    assert!(matches!(other_iv, Err(Refusal::OtherAddress { named, .. }) if named == ours()), "{other_iv:?}");
}

fn junk() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        (0_u32..64).prop_map(Value::from),
        "[0-9a-f]{0,80}".prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(Value::Null),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_keystore_opens_as_another_wallet_and_none_panics(at in any::<prop::sample::Index>(), value in junk()) {
        let pointers = [
            "/version", "/crypto", "/Crypto", "/crypto/cipher", "/crypto/cipherparams", "/crypto/cipherparams/iv", "/crypto/mac",
            "/crypto/ciphertext", "/crypto/kdf", "/crypto/kdfparams", "/crypto/kdfparams/n", "/crypto/kdfparams/r",
            "/crypto/kdfparams/p", "/crypto/kdfparams/c", "/crypto/kdfparams/dklen", "/crypto/kdfparams/salt", "/id",
        ];
        if let Ok(address) = opened(&with(at.get::<&str>(&pointers), value)) {
            prop_assert_eq!(address, ours());
        }
    }

    #[test]
    fn what_is_sealed_opens_with_its_passphrase_and_no_other(passphrase in ".{1,20}", other in ".{1,20}") {
        let signer = PrivateKeySigner::from_slice(&[7; 32]).unwrap();
        let sealed = seal(&signer, &passphrase.clone().into());
        let open = |passphrase: String| Sealed::parse(&sealed).unwrap().open(&passphrase.into());
        prop_assert_eq!(open(passphrase.clone()).unwrap().address(), signer.address());
        if other != passphrase {
            prop_assert_eq!(open(other).expect_err("another passphrase"), Refusal::Passphrase);
        }
    }
}
