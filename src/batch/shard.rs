//! One of several parts into which processes divide a batch, without talking to each other.
//!
//! An item belongs to the shard `SHA-256(name) mod N`, where the first eight bytes of the hash are read as a number with
//! the most significant byte first. The item's name is, in this order:
//!
//! 1. its `correlation_id`, as UTF-8;
//! 2. its line in its file, in decimal digits, where it has no id or cannot be parsed;
//! 3. its index in the run, in decimal digits, where its file has no lines (JSON).
//!
//! So each item belongs to exactly one shard, an invalid one too, whoever asks. Nothing depends on what was issued, on
//! the settings or on the rules. Other programs can compute the same, so this never changes.
//!
//! A worker leaves the items of other shards out as it opens a chunk: after that they do not exist. They have no row, are
//! not counted, and take no place in the ledger. An item keeps its index and its line.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::source::ItemText;

/// Which part of a batch a process takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    count: NonZeroU32,
}

/// What tells the shard of an item.
#[derive(Deserialize)]
struct Name<'i> {
    #[serde(borrow, default)]
    correlation_id: Option<Cow<'i, str>>,
}

impl Shard {
    /// Whether an item belongs to it.
    pub(super) fn has(self, item: &ItemText<'_>) -> bool {
        let id = item.text.as_ref().ok().and_then(|text| id_of(text));
        let number = match id {
            Some(id) => number_of(&id),
            None => number_of(&item.line.unwrap_or(item.index).to_string()),
        };
        number % u64::from(self.count.get()) == u64::from(self.index)
    }
}

/// The `correlation_id` of an item; none where it has none, or is not a JSON object.
fn id_of(item: &str) -> Option<Cow<'_, str>> {
    let name: Name<'_> = serde_json::from_str(item).ok()?;
    name.correlation_id.filter(|id| !id.is_empty())
}

/// The number of a name, whose remainder says the shard.
fn number_of(name: &str) -> u64 {
    let digest = Sha256::digest(name);
    u64::from_be_bytes(std::array::from_fn(|at| digest[at]))
}

impl FromStr for Shard {
    type Err = String;

    /// Reads `I/N`.
    fn from_str(text: &str) -> Result<Shard, String> {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let read = || {
            let (index, count) =
                text.split_once('/').filter(|(index, count)| digits(index) && digits(count))?;
            let (index, count): (u32, NonZeroU32) = (index.parse().ok()?, count.parse().ok()?);
            (index < count.get()).then_some(Shard { index, count })
        };
        read().ok_or_else(|| {
            "expected I/N, such as 0/16: shard I of N, where I counts from 0 to N-1".to_owned()
        })
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::source::ItemFault;

    fn item(index: u64, line: Option<u64>, text: Result<&str, ItemFault>) -> ItemText<'_> {
        ItemText { index, line, unterminated: false, correlation_id: None, text }
    }

    /// The shards of so many that an item belongs to.
    fn shards_of(item: &ItemText<'_>, count: u32) -> Vec<u32> {
        let shard = |index| Shard { index, count: NonZeroU32::new(count).unwrap() };
        (0..count).filter(|index| shard(*index).has(item)).collect()
    }

    /// Computed by another program: `printf 0001 | sha256sum`, first sixteen digits, modulo 16.
    #[test]
    fn the_numbers_are_those_that_others_compute() {
        assert_eq!(number_of("0001"), 0x888b_19a4_3b15_1683);
        assert_eq!(number_of("2"), 0xd473_5e3a_265e_16ee);
        assert_eq!(shards_of(&item(0, Some(1), Ok(r#"{"correlation_id":"0001"}"#)), 16), [3]);
    }

    #[test]
    fn an_item_is_named_by_its_id_else_its_line_else_its_index() {
        let name = |item: &ItemText<'_>| shards_of(item, 1_000_003);
        let by_id = name(&item(0, None, Ok(r#"{"correlation_id":"7"}"#)));
        let nested = r#"{"request":{"correlation_id":"x","subject":[1e999,{}]},"correlation_id":"\u0037"}"#;
        assert_eq!(name(&item(5, Some(9), Ok(nested))), by_id, "wherever it is and however it is written");
        let without = [
            "{}",
            "",
            "{",
            "[7]",
            r#"{"correlation_id":""}"#,
            r#"{"correlation_id":null}"#,
            r#"{"correlation_id":8}"#,
            r#"{"correlation_id":"8"} {}"#,
            r#"{"correlation_id":"8","correlation_id":"9"}"#,
        ];
        for text in without {
            assert_eq!(name(&item(3, Some(7), Ok(text))), by_id, "{text}: by its line");
            assert_eq!(name(&item(7, None, Ok(text))), by_id, "{text}: by its index");
        }
        let unreadable = ItemText { correlation_id: Some("8"), ..item(3, Some(7), Err(fault())) };
        assert_eq!(name(&unreadable), by_id);
    }

    fn fault() -> ItemFault {
        ItemFault::NulBytes { line: Some(7) }
    }

    proptest! {
        #[test]
        fn every_item_is_in_one_shard(text in ".{0,40}", line in proptest::option::of(1u64..1_000), count in 1u32..40) {
            let json = serde_json::json!({ "correlation_id": text }).to_string();
            for text in [&json, &text] {
                prop_assert_eq!(shards_of(&item(3, line, Ok(text)), count).len(), 1);
            }
        }
    }

    #[test]
    fn only_i_of_n_is_a_shard() {
        for good in ["0/1", "0/16", "15/16", "0/4294967295"] {
            assert_eq!(good.parse::<Shard>().unwrap().to_string(), good);
        }
        for bad in
            ["", "/", "1", "1/", "/2", "1/1", "16/16", "0/0", "-1/2", "+0/2", "0/2/3", " 0/2", "0/4294967296"]
        {
            assert!(bad.parse::<Shard>().is_err(), "{bad}");
        }
    }
}
