//! A holder's choice: which disclosures go on, and which are dropped.

use thiserror::Error;

use super::compact::{Compact, decode_text, parse_object};
use super::disclosures::{Disclosed, process};
use super::error::{DisclosureError, Part, TokenError};
use crate::json::Parser;

/// Why a token cannot be presented as asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PresentError {
    /// The token cannot be read.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Its disclosures do not fit.
    #[error(transparent)]
    Disclosures(#[from] DisclosureError),
    /// A JWT without a `~`.
    #[error("it is not an SD-JWT: no `~` follows the signature, so nothing in it can be withheld")]
    NotSdJwt,
    /// A key binding JWT signs over the disclosures that it was made for.
    #[error("it ends in a key binding JWT, which would no longer fit; expected the token as it was issued")]
    KeyBinding,
    /// A path that no disclosure has.
    #[error("no disclosure is at \"{path}\"")]
    UnknownPath {
        /// The path, as given.
        path: String,
        /// The paths that there are.
        known: Vec<String>,
    },
    /// A path that several claims have, as names can hold dots and brackets.
    #[error("\"{path}\" is the path of several disclosures")]
    AmbiguousPath {
        /// The path, as given.
        path: String,
        /// Their JSON Pointers, which differ.
        pointers: Vec<String>,
    },
}

/// The token with those disclosures alone that are at these paths, and those that contain them.
///
/// A path is spelt as in [`Disclosed::path`]; `[]` in it stands for every index. A path names one
/// disclosure and not what can be disclosed inside it: `claims.beneficial_owners` shows that there is
/// a list, `claims.beneficial_owners[]` who is on it. A JSON Pointer (RFC 6901), as in [`Disclosed::pointer`],
/// does as well, and is never ambiguous.
pub fn present(token: &str, paths: &[String]) -> Result<String, PresentError> {
    let compact = Compact::split(token)?;
    if !compact.is_sd_jwt {
        return Err(PresentError::NotSdJwt);
    }
    if compact.key_binding.is_some() {
        return Err(PresentError::KeyBinding);
    }
    let (mut buffer, mut parser) = (Vec::new(), Parser::for_tokens());
    let payload = decode_text(compact.payload, Part::Payload, &mut buffer)?;
    let payload = parse_object(payload, Part::Payload, &mut parser)?;
    let disclosed = process(payload.root(), &compact.disclosures)?.disclosed;
    let keep = chosen(&disclosed, paths)?;

    let mut presented = format!("{}~", compact.jwt);
    for (disclosure, _) in compact.disclosures.iter().zip(keep).filter(|(_, keep)| *keep) {
        presented.push_str(disclosure);
        presented.push('~');
    }
    Ok(presented)
}

/// Which disclosures are kept by paths that are meant for many tokens: one that names no disclosure of this token is
/// skipped.
#[cfg(feature = "cli")]
pub(crate) fn chosen_where_there(
    disclosed: &[Disclosed],
    paths: &[String],
) -> Result<Vec<bool>, PresentError> {
    let is_there = |path: &&String| disclosed.iter().any(|found| names(path, found));
    chosen(disclosed, &paths.iter().filter(is_there).cloned().collect::<Vec<_>>())
}

/// Which disclosures are kept.
fn chosen(disclosed: &[Disclosed], paths: &[String]) -> Result<Vec<bool>, PresentError> {
    let mut keep = vec![false; disclosed.len()];
    for path in paths {
        let matching: Vec<usize> = (0..disclosed.len()).filter(|&at| names(path, &disclosed[at])).collect();
        if matching.is_empty() {
            let known = disclosed.iter().map(|found| found.path.clone()).collect();
            return Err(PresentError::UnknownPath { path: path.clone(), known });
        }
        if matching.len() > 1 && !path.contains("[]") {
            // To show more than was asked for cannot be taken back.
            let pointers = matching.iter().map(|&at| disclosed[at].pointer.clone()).collect();
            return Err(PresentError::AmbiguousPath { path: path.clone(), pointers });
        }
        for at in matching {
            let mut around = Some(at);
            // What stands around a disclosure that is kept is kept itself, and so is all around that.
            while let Some(at) = around.filter(|&at| !keep[at]) {
                keep[at] = true;
                around = disclosed[at].inside;
            }
        }
    }
    Ok(keep)
}

/// Whether the path, or JSON Pointer, names this disclosure.
pub(crate) fn names(path: &str, found: &Disclosed) -> bool {
    if path.starts_with('/') { path == found.pointer } else { matches(path, &found.path) }
}

/// Whether a path with `[]` for any index is this one.
fn matches(pattern: &str, path: &str) -> bool {
    let mut pieces = pattern.split("[]");
    let Some(mut rest) = pieces.next().and_then(|piece| path.strip_prefix(piece)) else { return false };
    for piece in pieces {
        let index = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let Some((digits, after)) = index else { return false };
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return false;
        }
        let Some(after) = after.strip_prefix(piece) else { return false };
        rest = after;
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disclosed(path: &str, pointer: &str) -> Disclosed {
        Disclosed { path: path.into(), pointer: pointer.into(), inside: None, bytes: 0 }
    }

    #[test]
    fn a_path_of_two_claims_shows_neither() {
        let two = [disclosed("a.b", "/a/b"), disclosed("a.b", "/a.b"), disclosed("c[0]", "/c/0")];
        let chosen = |path: &str| chosen(&two, &[path.to_owned()]);
        let pointers = vec!["/a/b".to_owned(), "/a.b".to_owned()];
        assert_eq!(chosen("a.b"), Err(PresentError::AmbiguousPath { path: "a.b".into(), pointers }));
        assert_eq!(chosen("/a/b"), Ok(vec![true, false, false]));
        assert_eq!(chosen("/a.b"), Ok(vec![false, true, false]));
        assert_eq!(chosen("/c/0"), Ok(vec![false, false, true]));
        assert_eq!(chosen("c[]"), Ok(vec![false, false, true]));
        assert!(matches!(chosen("/c"), Err(PresentError::UnknownPath { .. })));
        assert!(matches!(chosen("a/b"), Err(PresentError::UnknownPath { .. })));
    }

    #[test]
    fn brackets_without_a_number_stand_for_every_index() {
        for (pattern, path, expected) in [
            ("a.b", "a.b", true),
            ("a.b", "a.bc", false),
            ("a.b[]", "a.b[0]", true),
            ("a.b[]", "a.b[12]", true),
            ("a.b[]", "a.b", false),
            ("a.b[1]", "a.b[1]", true),
            ("a.b[1]", "a.b[12]", false),
            ("a[][].c", "a[1][2].c", true),
            ("a[][].c", "a[1].c", false),
            ("[]", "a[1]", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }
}
