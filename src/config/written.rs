//! Settings as they are written, in a file and in the environment: a tree in which every number is still its own digits.

use std::collections::BTreeMap;
use std::ffi::OsString;

use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

use super::strict::Misfit;

/// What variables of the environment begin with, and what is between section and key.
const PREFIX: &str = "VERIREGIME__";
const SEPARATOR: &str = "__";

/// A section by its keys.
pub(super) type Section = BTreeMap<String, Written>;

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Written {
    Text(String),
    /// Decimal digits as they were written, but for underscores.
    Number(String),
    Boolean(bool),
    List(Vec<Self>),
    Section(Section),
    /// Of the environment, where nothing says whether it is a text or a number.
    Word(String),
}

/// Reads a whole TOML text. Numbers must be of the wanted kind and size: nothing is rounded or converted.
///
/// # Errors
/// [`Misfit`] that names the key, or the line of what is no TOML.
pub fn from_toml<T: DeserializeOwned>(text: &str) -> Result<T, Misfit> {
    T::deserialize(Written::Section(section(text)?))
}

/// The tree of a TOML text.
///
/// # Errors
/// [`Misfit`] that names line and key. The line is not repeated: it may hold an address with a key in it.
pub(super) fn section(text: &str) -> Result<Section, Misfit> {
    let table = DeTable::parse(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or("");
        let number = before.matches('\n').count();
        let key = text.lines().nth(number).and_then(|line| line.split_once('=')).map_or("", |(key, _)| key.trim());
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
        let key = if !key.is_empty() && key.chars().all(is_plain) { format!(" ({key})") } else { String::new() };
        Misfit::of(format!("line {}{key} is no TOML: {}", number + 1, error.message()))
    })?;
    Ok(of_table(table.into_inner()))
}

fn of_table(table: DeTable<'_>) -> Section {
    let entries = table.into_iter();
    entries.map(|(key, value)| (key.into_inner().into_owned(), of_value(value.into_inner()))).collect()
}

fn of_value(value: DeValue<'_>) -> Written {
    match value {
        DeValue::String(text) => Written::Text(text.into_owned()),
        DeValue::Integer(integer) => Written::Number(
            // What does not fit is kept as it is, and fits nothing.
            i128::from_str_radix(integer.as_str(), integer.radix())
                .map_or_else(|_| integer.to_string(), |number| number.to_string()),
        ),
        DeValue::Float(float) => Written::Number(float.as_str().trim_start_matches('+').to_owned()),
        DeValue::Boolean(value) => Written::Boolean(value),
        DeValue::Datetime(moment) => Written::Text(moment.to_string()),
        DeValue::Array(items) => Written::List(items.into_iter().map(|item| of_value(item.into_inner())).collect()),
        DeValue::Table(table) => Written::Section(of_table(table)),
    }
}

/// The tree of those variables that are settings.
///
/// # Errors
/// [`Misfit`] for a value that is no Unicode.
pub(super) fn environment(variables: impl Iterator<Item = (OsString, OsString)>) -> Result<Section, Misfit> {
    let mut tree = Section::new();
    for (name, value) in variables {
        let Some(name) = name.to_str().map(str::to_ascii_lowercase) else { continue };
        let Some(path) = name.strip_prefix(&PREFIX.to_ascii_lowercase()) else { continue };
        let path: Vec<&str> = path.split(SEPARATOR).collect();
        let value = value.into_string().map_err(|_| Misfit::of("is not Unicode").at(&path.join(".")))?;
        let (key, sections) = path.split_last().unwrap_or((&"", &[]));
        let mut leaf = Section::from([((*key).to_owned(), Written::Word(value))]);
        for section in sections.iter().rev() {
            leaf = Section::from([((*section).to_owned(), Written::Section(leaf))]);
        }
        lay_over(&mut tree, leaf);
    }
    Ok(tree)
}

/// Lays one tree over another: what is in both is the upper one's.
pub(super) fn lay_over(lower: &mut Section, upper: Section) {
    for (key, value) in upper {
        match (lower.get_mut(&key), value) {
            (Some(Written::Section(below)), Written::Section(above)) => lay_over(below, above),
            (_, value) => {
                lower.insert(key, value);
            }
        }
    }
}
