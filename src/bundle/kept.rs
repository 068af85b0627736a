//! A manifest that is written again: what has not changed stays as it was written, to the last digit.
//!
//! A number that is read and written again may come out with another last digit, and with it the digest by which the model is
//! known.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use veriregime_core::types::manifest::Manifest;

/// The text of a manifest, as bundles have it.
pub fn text(manifest: &Manifest) -> String {
    serde_json::to_string_pretty(manifest).expect("a manifest has only names, numbers and lists")
}

/// The text of `after`, with the parts of `original` that `before`, which it was read as, has in common with it.
pub fn merged(original: &str, before: &Manifest, after: &Manifest) -> String {
    let after = text(after);
    merge(original.trim(), &text(before), &after, 0).unwrap_or(after)
}

/// `None` where one of them is no object.
fn merge(original: &str, before: &str, after: &str, depth: usize) -> Option<String> {
    if before == after {
        return Some(original.to_owned());
    }
    let [original, before, after] = [entries(original)?, entries(before)?, entries(after)?];
    let value = |entries: &[(String, Box<RawValue>)], key: &str| {
        entries.iter().find(|(name, _)| name == key).map(|(_, value)| value.get().to_owned())
    };
    let indent = "  ".repeat(depth);
    let entries: Vec<String> = after
        .into_iter()
        .map(|(key, after)| {
            let known = value(&original, &key).zip(value(&before, &key));
            let text = known.and_then(|(original, before)| merge(&original, &before, after.get(), depth + 1));
            let key = serde_json::Value::from(key);
            format!("{indent}  {key}: {}", text.as_deref().unwrap_or(after.get()))
        })
        .collect();
    Some(format!("{{\n{}\n{indent}}}", entries.join(",\n")))
}

/// The entries of an object that is not empty, in their order.
fn entries(text: &str) -> Option<Vec<(String, Box<RawValue>)>> {
    let Entries(entries) = serde_json::from_str(text).ok()?;
    (!entries.is_empty()).then_some(entries)
}

struct Entries(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(Object)
    }
}
