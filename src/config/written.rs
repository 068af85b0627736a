//! Settings as they are written, in a file and in the environment, laid one over the other: numbers keep their digits.

use std::error::Error;
use std::path::{Path, PathBuf};

use config::builder::DefaultState;
use config::{ConfigBuilder, ConfigError, Environment, File, FileStoredFormat, Format, Map, Value, ValueKind};
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

use super::strict::{Misfit, Written};

/// Most digits of a fraction that binary numbers give back as they were written.
const EXACT_DIGITS: usize = 15;

/// TOML whose numbers are kept exactly or refused.
#[derive(Debug, Clone)]
struct ExactToml {
    /// The file, where the text is of one.
    path: Option<PathBuf>,
}

/// Reads a whole TOML text. Numbers must be of the wanted kind and size: nothing is rounded or converted.
///
/// # Errors
/// [`Misfit`] that names the key, or the line of what is no TOML.
pub fn from_toml<T: DeserializeOwned>(text: &str) -> Result<T, Misfit> {
    resolve(toml_layer(config::Config::builder(), text, None))
}

/// Lays a TOML text over what is there. `path` is the file's that it is of, if it is of one.
pub(super) fn toml_layer(
    below: ConfigBuilder<DefaultState>,
    text: &str,
    path: Option<&Path>,
) -> ConfigBuilder<DefaultState> {
    below.add_source(File::from_str(text, ExactToml { path: path.map(Path::to_owned) }))
}

/// Lays variables `VERIREGIME__SECTION__KEY` over what is there: these ones, or those of this process.
pub(super) fn environment_layer(
    below: ConfigBuilder<DefaultState>,
    variables: Option<Map<String, String>>,
) -> ConfigBuilder<DefaultState> {
    let environment = Environment::with_prefix("VERIREGIME").prefix_separator("__").separator("__");
    below.add_source(environment.source(variables))
}

/// What the layers come to.
///
/// # Errors
/// [`Misfit`] that names the key, or the line of what is no TOML.
pub(super) fn resolve<T: DeserializeOwned>(layers: ConfigBuilder<DefaultState>) -> Result<T, Misfit> {
    T::deserialize(Written(built(layers)?))
}

/// The keys of all that is no section, with dots between section and key, and what is there.
///
/// # Errors
/// As [`resolve`].
pub(super) fn leaves(layers: ConfigBuilder<DefaultState>) -> Result<Vec<(String, ValueKind)>, Misfit> {
    fn walk(path: &str, value: Value, found: &mut Vec<(String, ValueKind)>) {
        let ValueKind::Table(section) = value.kind else { return found.push((path.to_owned(), value.kind)) };
        for (key, value) in section {
            let path = if path.is_empty() { key } else { format!("{path}.{key}") };
            walk(&path, value, found);
        }
    }
    let mut found = Vec::new();
    walk("", built(layers)?, &mut found);
    Ok(found)
}

/// What the layers come to, before anything is made of it.
///
/// # Errors
/// As [`resolve`].
pub(super) fn built(layers: ConfigBuilder<DefaultState>) -> Result<Value, Misfit> {
    let config = layers.build().map_err(|error| match error {
        ConfigError::FileParse { cause, .. } => match cause.downcast::<Misfit>() {
            Ok(misfit) => *misfit,
            Err(cause) => Misfit::of(cause),
        },
        // Not in the crate's words, which repeat the value: it may be an address with a key in it.
        _ => Misfit::of("a variable VERIREGIME__… of the environment is not Unicode"),
    })?;
    Ok(config.cache)
}

impl Format for ExactToml {
    fn parse(&self, origin: Option<&String>, text: &str) -> Result<Map<String, Value>, Box<dyn Error + Send + Sync>> {
        let table = DeTable::parse(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or("");
            let number = before.matches('\n').count();
            let key = text.lines().nth(number).and_then(|line| line.split_once('=')).map_or("", |(key, _)| key.trim());
            let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
            let key = if !key.is_empty() && key.chars().all(is_plain) { format!(" ({key})") } else { String::new() };
            // The line is not repeated, for the same reason.
            let file = self.path.as_ref().map_or_else(String::new, |path| format!(" of {}", path.display()));
            Misfit::of(format!("line {}{key}{file} is no TOML: {}", number + 1, error.message()))
        })?;
        Ok(of_table(origin, table.into_inner())?)
    }
}

impl FileStoredFormat for ExactToml {
    fn file_extensions(&self) -> &'static [&'static str] {
        &["toml"]
    }
}

fn of_table(origin: Option<&String>, table: DeTable<'_>) -> Result<Map<String, Value>, Misfit> {
    let entries = table.into_iter();
    entries
        .map(|(key, value)| {
            let key = key.into_inner().into_owned();
            let value = of_value(origin, value.into_inner()).map_err(|misfit| misfit.at(&key))?;
            Ok((key, value))
        })
        .collect()
}

fn of_value(origin: Option<&String>, value: DeValue<'_>) -> Result<Value, Misfit> {
    let kind = match value {
        DeValue::String(text) => ValueKind::String(text.into_owned()),
        DeValue::Integer(integer) => match i128::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(number) => ValueKind::I128(number),
            Err(_) => return Err(Misfit::of(format!("{integer} is too large"))),
        },
        DeValue::Float(float) => ValueKind::Float(exact(float.as_str())?),
        DeValue::Boolean(value) => ValueKind::Boolean(value),
        DeValue::Datetime(moment) => ValueKind::String(moment.to_string()),
        DeValue::Array(items) => {
            let items = items.into_iter().enumerate();
            let item = |(index, item): (usize, toml::Spanned<DeValue<'_>>)| {
                of_value(origin, item.into_inner()).map_err(|misfit| misfit.at(&index.to_string()))
            };
            ValueKind::Array(items.map(item).collect::<Result<_, _>>()?)
        }
        DeValue::Table(table) => ValueKind::Table(of_table(origin, table)?),
    };
    Ok(Value::new(origin, kind))
}

/// A fraction as a binary number that is written with the same digits again.
fn exact(digits: &str) -> Result<f64, Misfit> {
    let mantissa = digits.split(['e', 'E']).next().unwrap_or("");
    let significant = mantissa.trim_start_matches(['+', '-', '0', '.']).chars().filter(char::is_ascii_digit).count();
    match digits.parse::<f64>() {
        Ok(number) if significant <= EXACT_DIGITS && number.is_finite() => Ok(number),
        Ok(number) if number.is_finite() => {
            Err(Misfit::of(format!("{digits} has too many digits for a number: write it in quotes")))
        }
        _ => Err(Misfit::of(format!("{digits} is no finite number"))),
    }
}
