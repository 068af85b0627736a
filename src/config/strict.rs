//! From what is written to what it is: only what is of the right kind, and nothing that would have to be rounded.

use std::fmt;
use std::iter::Enumerate;
use std::vec;

use config::{Map, Value, ValueKind};
use serde::de::value::{MapAccessDeserializer, StringDeserializer};
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

/// Where the crate says that a variable of the environment is from.
pub(super) const ENVIRONMENT: &str = "the environment";

/// A value as it is written, or a section of them.
#[derive(Debug, Clone)]
pub(super) struct Written(pub(super) Value);

/// A setting that is of the wrong kind, missing or unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// With its sections; empty for what is wrong with all of it.
    key: String,
    /// As it is written, where that helps.
    found: Option<String>,
    reason: String,
}

impl Misfit {
    pub(super) fn of(reason: impl fmt::Display) -> Self {
        Self { key: String::new(), found: None, reason: reason.to_string() }
    }

    /// The same further down.
    pub(super) fn at(mut self, section: &str) -> Self {
        let dot = if self.key.is_empty() { "" } else { "." };
        self.key = format!("{section}{dot}{}", self.key);
        self
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&*self.key, &self.found) {
            ("", _) => self.reason.fmt(f),
            (key, None) => write!(f, "setting {key}: {}", self.reason),
            (key, Some(found)) => write!(f, "setting {key} = {found}: {}", self.reason),
        }
    }
}

impl std::error::Error for Misfit {}

impl serde::de::Error for Misfit {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self::of(reason)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::of(format!("there is no such setting; there are {}", expected.join(", "))).at(field)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::of("is missing").at(field)
    }
}

impl Written {
    fn misfit(&self, reason: impl fmt::Display) -> Misfit {
        let found = match &self.0.kind {
            ValueKind::String(text) => format!("{text:?}"),
            ValueKind::Array(_) => "a list".into(),
            ValueKind::Table(_) => "a section".into(),
            kind => kind.to_string(),
        };
        Misfit { found: Some(found), ..Misfit::of(reason) }
    }

    /// A value of the environment, where nothing says whether it is a text, a number or a switch.
    fn word(&self) -> Option<&str> {
        match &self.0.kind {
            ValueKind::String(text) if self.0.origin() == Some(ENVIRONMENT) => Some(text),
            _ => None,
        }
    }

    /// Digits as they are written.
    fn digits(&self) -> Option<String> {
        match &self.0.kind {
            ValueKind::I128(number) => Some(number.to_string()),
            // A fraction stays one, also where nothing is behind its point.
            ValueKind::Float(number) if number.fract() == 0.0 => Some(format!("{number}.0")),
            ValueKind::Float(number) => Some(number.to_string()),
            _ => self.word().map(str::to_owned),
        }
    }
}

/// Whole numbers: those digits, and no others.
macro_rules! whole_numbers {
    ($($method:ident $visit:ident $number:ty),*) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            let number = self.digits().and_then(|digits| digits.parse::<$number>().ok());
            match number {
                Some(number) => visitor.$visit(number),
                None => Err(self.misfit(format!("wants a whole number from {} to {}", <$number>::MIN, <$number>::MAX))),
            }
        }
    )* };
}

impl<'de> Deserializer<'de> for Written {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0.kind {
            ValueKind::String(text) => visitor.visit_string(text),
            ValueKind::Boolean(value) => visitor.visit_bool(value),
            ValueKind::Array(items) => visitor.visit_seq(Items { left: items.into_iter().enumerate() }),
            ValueKind::Table(section) => visitor.visit_map(Entries::new(section)),
            ValueKind::I128(number) => match (u64::try_from(number), i64::try_from(number)) {
                (Ok(number), _) => visitor.visit_u64(number),
                (_, Ok(number)) => visitor.visit_i64(number),
                _ => Err(self.misfit("is too large")),
            },
            _ => self.deserialize_f64(visitor),
        }
    }

    whole_numbers!(
        deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16, deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64, deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32, deserialize_i64 visit_i64 i64
    );

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match (&self.0.kind, self.word()) {
            (ValueKind::Boolean(value), _) => visitor.visit_bool(*value),
            (_, Some(word)) if word.eq_ignore_ascii_case("true") => visitor.visit_bool(true),
            (_, Some(word)) if word.eq_ignore_ascii_case("false") => visitor.visit_bool(false),
            _ => Err(self.misfit("wants true or false")),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let number = self.digits().and_then(|digits| digits.parse().ok()).filter(|number: &f64| number.is_finite());
        match number {
            Some(number) => visitor.visit_f64(number),
            None => Err(self.misfit("wants a finite number")),
        }
    }

    /// Whatever it is, as it is written: for numbers that no number of ours holds exactly.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let text = match &self.0.kind {
            ValueKind::String(text) => Some(text.clone()),
            _ => self.digits(),
        };
        match text {
            Some(text) => visitor.visit_str(&text).map_err(|misfit: Misfit| self.misfit(misfit.reason)),
            None => Err(self.misfit("wants a number or a text")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0.kind {
            ValueKind::String(text) => visitor.visit_string(text),
            _ => Err(self.misfit("wants a text in quotes")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.0.kind {
            ValueKind::String(text) => {
                let name: StringDeserializer<Misfit> = text.into_deserializer();
                visitor.visit_enum(name)
            }
            ValueKind::Table(section) if section.len() == 1 => {
                visitor.visit_enum(MapAccessDeserializer::new(Entries::new(section)))
            }
            _ => Err(self.misfit(format!("wants one of {}", variants.join(", ")))),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0.kind {
            ValueKind::Array(_) => self.deserialize_any(visitor),
            _ if self.word().is_some() => Err(self.misfit("wants a list, and only a file can hold one")),
            _ => Err(self.misfit("wants a list")),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0.kind {
            ValueKind::Table(_) => self.deserialize_any(visitor),
            _ => Err(self.misfit("wants a section")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_map(visitor)
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

/// A list's values, each known by its place.
struct Items {
    left: Enumerate<vec::IntoIter<Value>>,
}

impl<'de> SeqAccess<'de> for Items {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        let Some((index, value)) = self.left.next() else { return Ok(None) };
        seed.deserialize(Written(value)).map(Some).map_err(|misfit| misfit.at(&index.to_string()))
    }
}

/// A section's values, each known by its key.
struct Entries {
    left: vec::IntoIter<(String, Value)>,
    value: Option<(String, Value)>,
}

impl Entries {
    /// In the order of the keys, so that of several faults the same one is told each time.
    fn new(section: Map<String, Value>) -> Self {
        let mut entries: Vec<_> = section.into_iter().collect();
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        Self { left: entries.into_iter(), value: None }
    }
}

impl<'de> MapAccess<'de> for Entries {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        self.value = self.left.next();
        let Some((key, _)) = &self.value else { return Ok(None) };
        let key: StringDeserializer<Misfit> = key.clone().into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let (key, value) = self.value.take().ok_or_else(|| Misfit::of("a value without its key"))?;
        seed.deserialize(Written(value)).map_err(|misfit| misfit.at(&key))
    }
}
