//! Places in a YAML file: what stands at one, and on which line.
//!
//! The parser gives values without their lines, and says the line of an error. So whoever wants to know where a place
//! is goes there, and fails.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::json::pointer_segments;

/// Reads what stands at the end of a way of names and numbers with `last`, and skips everything else. `None` where
/// nothing stands there.
pub(super) struct At<'w, T, S> {
    pub(super) way: &'w [T],
    pub(super) last: S,
}

impl<'de, T: AsRef<str>, S: DeserializeSeed<'de>> DeserializeSeed<'de> for At<'_, T, S> {
    type Value = Option<S::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        match self.way.split_first() {
            None => self.last.deserialize(deserializer).map(Some),
            Some((first, rest)) => {
                let inside = At { way: rest, last: self.last };
                deserializer.deserialize_any(Inside { first: first.as_ref(), inside, of: PhantomData })
            }
        }
    }
}

/// What a way leads through: the first step, and the rest of it.
struct Inside<'w, 'de, T, S> {
    first: &'w str,
    inside: At<'w, T, S>,
    of: PhantomData<&'de ()>,
}

impl<'de, T: AsRef<str>, S: DeserializeSeed<'de>> Visitor<'de> for Inside<'_, 'de, T, S> {
    type Value = Option<S::Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a mapping or a sequence")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut inside = Some(self.inside);
        let mut found = None;
        while let Some(name) = members.next_key::<String>()? {
            match inside.take_if(|_| name == self.first) {
                Some(inside) => found = members.next_value_seed(inside)?,
                None => members.next_value::<IgnoredAny>().map(drop)?,
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let number: Option<usize> = self.first.parse().ok();
        let mut inside = Some(self.inside);
        let mut found = None;
        for place in 0.. {
            let next = match inside.take_if(|_| number == Some(place)) {
                Some(inside) => elements.next_element_seed(inside)?.map(|value| found = value),
                None => elements.next_element::<IgnoredAny>()?.map(drop),
            };
            if next.is_none() {
                break;
            }
        }
        Ok(found)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// The line of a place in YAML or JSON, which is YAML, by its JSON Pointer. Of a place that is not there, the line of
/// what it is missing in.
pub(super) fn line_of(bytes: &[u8], pointer: &str) -> usize {
    let way: Vec<String> = pointer_segments(pointer).collect();
    for depth in (0..=way.len()).rev() {
        let at = At { way: &way[..depth], last: Here };
        if let Err(error) = at.deserialize(serde_yaml::Deserializer::from_slice(bytes))
            && error.to_string().contains(FOUND)
        {
            return error.location().map_or(1, |place| place.line());
        }
    }
    1
}

/// What the error says that stands for the place that was looked for.
const FOUND: &str = "this is the place";

/// Fails at whatever it finds.
struct Here;

impl<'de> DeserializeSeed<'de> for Here {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(Here)
    }
}

impl<'de> Visitor<'de> for Here {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(FOUND)
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(A::Error::custom(FOUND))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(A::Error::custom(FOUND))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_its_line() {
        let yaml = b"# a type\ntype: a\nschema:\n  properties:\n    claims:\n      enum:\n        - x\n        - y\n\n      a/b: 1\n";
        for (pointer, line) in [
            ("/type", 2),
            ("/schema/properties", 5),
            ("/schema/properties/claims", 6),
            ("/schema/properties/claims/enum/1", 8),
            ("/schema/properties/claims/a~1b", 10),
            ("/schema/properties/claims/missing/deeper", 6),
            ("", 2),
            ("/nothing", 2),
        ] {
            assert_eq!(line_of(yaml, pointer), line, "{pointer}");
        }
        let json = b"{\n  \"type\": \"object\",\n\t\"properties\": {\n    \"a\": {\"type\":\n \"strin\"}}}";
        assert_eq!(line_of(json, "/properties/a/type"), 5);
    }
}
