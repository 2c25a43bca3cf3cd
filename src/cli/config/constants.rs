//! `csv.constants`: the text of cells that every row has.
//!
//! A scalar is the text of a cell as it is written in the file: `007` and `1.50` are not numbers here. A mapping or a
//! sequence is JSON, as a cell holds lists. YAML readers give either the text of a scalar or any value, but not the one
//! or the other by what is there; so the file is read once for its mappings and sequences, and again for its scalars.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_yaml::Value;

use crate::cli::yaml_place::At;

/// Notes the names of the constants. Their texts are read afterwards, by [`read`].
pub(super) fn named<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let named = BTreeMap::<String, IgnoredAny>::deserialize(deserializer)?;
    Ok(named.into_keys().map(|name| (name, String::new())).collect())
}

/// Where the constants stand.
const PATH: [&str; 2] = ["csv", "constants"];

/// The constants of a settings file that is sound otherwise.
pub(super) fn read(bytes: &[u8]) -> Result<BTreeMap<String, String>, serde_yaml::Error> {
    let mut constants = structured(&serde_yaml::from_slice(bytes)?)?;
    let structured = constants.keys().cloned().collect();
    let scalars = At { way: &PATH, last: Scalars { structured: &structured } };
    constants.extend(scalars.deserialize(serde_yaml::Deserializer::from_slice(bytes))?.unwrap_or_default());
    Ok(constants)
}

/// The constants that are mappings or sequences, as JSON.
fn structured(settings: &Value) -> Result<BTreeMap<String, String>, serde_yaml::Error> {
    let constants = PATH.iter().try_fold(settings, |value, name| value.get(name)).and_then(Value::as_mapping);
    let is_structured = |value: &Value| value.is_mapping() || value.is_sequence();
    let json = |(name, value): (&Value, &Value)| {
        let name = name.as_str().unwrap_or_default().to_owned();
        let text = serde_json::to_string(value).map_err(<serde_yaml::Error as serde::de::Error>::custom)?;
        Ok((name, text))
    };
    constants.into_iter().flatten().filter(|(_, value)| is_structured(value)).map(json).collect()
}

/// The text of each scalar.
struct Scalars<'s> {
    structured: &'s BTreeSet<String>,
}

impl<'de> DeserializeSeed<'de> for Scalars<'_> {
    type Value = BTreeMap<String, String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Scalars<'_> {
    type Value = BTreeMap<String, String>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a mapping of columns")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(BTreeMap::new())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut texts = BTreeMap::new();
        while let Some(name) = members.next_key::<String>()? {
            match self.structured.contains(&name) {
                true => members.next_value::<IgnoredAny>().map(drop)?,
                false => drop(texts.insert(name, members.next_value::<String>()?)),
            }
        }
        Ok(texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constants(text: &str) -> BTreeMap<String, String> {
        read(text.as_bytes()).unwrap()
    }

    #[test]
    fn scalars_are_their_text_and_the_rest_is_json() {
        let read = constants(
            "key: a.pem\ncsv:\n  delimiter: ;\n  constants:\n    a: 1.50\n    b: 00445790\n    c: TRUE\n    d: 'x y'\n    \
             permissions:\n      - resource_type: wallet\n        actions: [checkout, \"1\"]\n        conditions:\n          \
             - {field: amount, operator: lte, value: 5000}\n    e: 0x1F\n    f: {}\n    g: \"\"\n",
        );
        let expected = [
            ("a", "1.50"),
            ("b", "00445790"),
            ("c", "TRUE"),
            ("d", "x y"),
            ("e", "0x1F"),
            ("f", "{}"),
            ("g", ""),
            (
                "permissions",
                r#"[{"resource_type":"wallet","actions":["checkout","1"],"conditions":[{"field":"amount","operator":"lte","value":5000}]}]"#,
            ),
        ];
        assert_eq!(read, expected.map(|(name, text)| (name.to_owned(), text.to_owned())).into());
    }

    #[test]
    fn a_file_without_constants_has_none() {
        for text in
            ["", "key: a\n", "csv:\n", "csv:\n  constants:\n", "csv: {constants: {}}\n", "# only this\n"]
        {
            assert!(constants(text).is_empty(), "{text}");
        }
    }
}
