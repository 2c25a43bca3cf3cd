//! Names of files that come from ids, which may hold anything.
//!
//! A name has only `A–Z a–z 0–9 . _ -`, and `%` with two hex digits for every other byte. It has at most [`MAX_NAME`]
//! bytes, begins with no dot, ends with no dot, and is no device of Windows, whatever ending it gets. [`NameBook`] sees
//! to it that no two names of a folder are the same where case makes no difference.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

/// The longest name, in bytes, without the ending.
pub const MAX_NAME: usize = 120;

/// Names that Windows keeps for devices, with any ending.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// The name of a file for an id; none where it would be empty or too long. Two ids never have the same name.
pub fn name_for(id: &str) -> Option<String> {
    let mut name = String::new();
    for (at, byte) in id.bytes().enumerate() {
        let is_plain = byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let is_edge = byte == b'.' && (at == 0 || at + 1 == id.len());
        match is_plain && !is_edge && !(at == 0 && is_device(id)) {
            true => name.push(char::from(byte)),
            false => name.push_str(&format!("%{byte:02X}")),
        }
    }
    (!name.is_empty() && name.len() <= MAX_NAME).then_some(name)
}

/// Windows looks at what stands before the first dot.
fn is_device(id: &str) -> bool {
    let stem = id.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let numbered = |kind: &str| {
        stem.strip_prefix(kind)
            .is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    DEVICES.contains(&stem.as_str()) || numbered("com") || numbered("lpt")
}

/// The names of a folder so far. It keeps a hash of each: 16 bytes or so a name.
#[derive(Debug, Default)]
pub struct NameBook {
    taken: HashSet<u64>,
    hasher: RandomState,
}

impl NameBook {
    /// Takes a name, unless one like it is taken. Names of which the hashes are alike count as alike, which happens by
    /// chance once in billions of folders, and then does no harm.
    pub fn take(&mut self, name: &str) -> bool {
        self.taken.insert(self.hasher.hash_one(name.to_ascii_lowercase()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_safe_everywhere() {
        for (id, name) in [
            ("ACME-0042", Some("ACME-0042")),
            ("urn:uuid:1", Some("urn%3Auuid%3A1")),
            ("../../etc/passwd", Some("%2E.%2F..%2Fetc%2Fpasswd")),
            (".", Some("%2E")),
            ("..", Some("%2E%2E")),
            (".hidden", Some("%2Ehidden")),
            ("CON", Some("%43ON")),
            ("nul.txt", Some("%6Eul.txt")),
            ("Com1", Some("%43om1")),
            ("con ", Some("%63on%20")),
            ("console", Some("console")),
            ("a%2Fb", Some("a%252Fb")),
            ("é", Some("%C3%A9")),
            ("", None),
        ] {
            assert_eq!(name_for(id).as_deref(), name, "{id}");
        }
        assert_eq!(name_for(&"a".repeat(120)).map(|name| name.len()), Some(120));
        assert_eq!(name_for(&"a".repeat(121)), None);
    }

    proptest! {
        #[test]
        fn names_have_the_charset_and_the_length(id in any::<String>()) {
            if let Some(name) = name_for(&id) {
                prop_assert!(name.len() <= MAX_NAME && !name.starts_with('.') && !name.ends_with('.'));
                prop_assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-%".contains(&byte)));
                prop_assert!(!is_device(&name));
            }
        }

        #[test]
        fn no_two_names_of_a_folder_are_alike(ids in prop::collection::vec("[aAbB./:é]{0,3}|(?i)con|nul", 0..60)) {
            let mut book = NameBook::default();
            let names: Vec<String> = ids.iter().filter_map(|id| name_for(id)).filter(|name| book.take(name)).collect();
            let alike: HashSet<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
            prop_assert_eq!(alike.len(), names.len());
        }

        #[test]
        fn two_ids_have_two_names(a in ".{0,12}", b in ".{0,12}") {
            prop_assume!(a != b);
            if let (Some(a), Some(b)) = (name_for(&a), name_for(&b)) {
                prop_assert_ne!(a, b);
            }
        }
    }
}
