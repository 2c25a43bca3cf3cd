//! Putting disclosures where they belong (RFC 9901 section 7.1).

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use base64_simd::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::error::{DisclosureError, DisclosureProblem as Problem};
use super::limits::MAX_DISCLOSURES;
use crate::json::{self, Document, Kind, MAX_DEPTH, Parser, Value};

/// The most bytes of all paths together. A hostile token could repeat one long name in each of them. Both forms of
/// the longest path of a claim that this program hides take fewer than 128 bytes, so that as many disclosures as are
/// allowed have room.
const MAX_PATH_BYTES: usize = 128 * MAX_DISCLOSURES;

/// A payload with its disclosures in their places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Processed {
    /// The claims as JSON text: without `_sd`, `_sd_alg`, and array elements that stayed hidden.
    pub payload: String,
    /// Where each disclosure went, in the order of the token.
    pub disclosed: Vec<Disclosed>,
    /// For each object and each array with digests: how many of them no disclosure explains. They are claims that
    /// were withheld, or decoys.
    pub unexplained: Vec<usize>,
}

impl Processed {
    /// How many digests no disclosure explains.
    pub fn unexplained_digests(&self) -> usize {
        self.unexplained.iter().sum()
    }
}

/// Where a disclosure went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosed {
    /// The place in the processed payload: `claims.beneficial_owners[0]`.
    pub path: String,
    /// The same place as a JSON Pointer (RFC 6901).
    pub pointer: String,
    /// The disclosure that it stands in, by its position in the token; none where its digest stands in
    /// the payload itself.
    pub inside: Option<usize>,
    /// Its length in the token, without the tilde.
    pub bytes: usize,
}

impl Disclosed {
    /// The name of the top-level claim that it is, or that it is inside of.
    pub fn top_level_claim(&self) -> &str {
        let name = self.pointer.trim_start_matches('/');
        name.split('/').next().unwrap_or(name)
    }
}

/// Puts the disclosures, base64url as in the token, into the payload.
///
/// # Errors
/// Whatever RFC 9901 section 7.1 refuses: a disclosure of the wrong form for its place, with a forbidden
/// name or one that is taken, twice in the token, or referred to by no digest; a digest that occurs twice
/// anywhere; another hash function than SHA-256; `_sd` or `...` that hold no digests. Digests that no
/// disclosure explains are dropped, and counted.
pub fn process(payload: Value<'_>, disclosures: &[&str]) -> Result<Processed, DisclosureError> {
    check_hash(payload)?;
    let texts = disclosures.iter().enumerate().map(|(at, text)| decode(text).map_err(refuse(at)));
    let texts: Vec<String> = texts.collect::<Result<_, _>>()?;
    let mut parsers: Vec<Parser> = texts.iter().map(|_| Parser::default()).collect();
    let opened = texts.iter().zip(&mut parsers).enumerate();
    let opened = opened.map(|(at, (text, parser))| Disclosure::read(text, parser).map_err(refuse(at)));
    let opened: Vec<Disclosure<'_>> = opened.collect::<Result<_, _>>()?;

    let mut walk = Walk::new(&opened, by_digest(disclosures)?);
    walk.object(payload)?;
    walk.finish(disclosures)
}

fn refuse(at: usize) -> impl Fn(Problem) -> DisclosureError {
    move |problem| DisclosureError { at: Some(at + 1), problem }
}

fn check_hash(payload: Value<'_>) -> Result<(), DisclosureError> {
    match payload.member("_sd_alg").map(Value::as_str) {
        None => Ok(()),
        Some(Some(name)) if name == "sha-256" => Ok(()),
        Some(_) => Err(DisclosureError { at: None, problem: Problem::UnknownHash }),
    }
}

fn decode(text: &str) -> Result<String, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode_to_vec(text).map_err(|_| Problem::Base64)?;
    String::from_utf8(bytes).map_err(|_| Problem::Utf8)
}

/// The disclosures by their digests: base64url of the SHA-256 of the text as it stands in the token, not of
/// what it decodes to (RFC 9901 section 4.2.3).
fn by_digest(disclosures: &[&str]) -> Result<HashMap<String, usize>, DisclosureError> {
    let mut places = HashMap::with_capacity(disclosures.len());
    for (at, text) in disclosures.iter().enumerate() {
        let digest = URL_SAFE_NO_PAD.encode_to_string(Sha256::digest(text.as_bytes()));
        if places.insert(digest, at).is_some() {
            return Err(refuse(at)(Problem::Repeated));
        }
    }
    Ok(places)
}

/// A disclosure: `[salt, name, value]` of an object's member, `[salt, value]` of an array's element.
struct Disclosure<'d> {
    name: Option<Cow<'d, str>>,
    value: Value<'d>,
}

impl<'d> Disclosure<'d> {
    fn read(text: &'d str, parser: &'d mut Parser) -> Result<Disclosure<'d>, Problem> {
        let document: Document<'d> = parser.parse(text).map_err(Problem::Syntax)?;
        if let Some(fault) = document.faults().first() {
            return Err(Problem::Fault(fault.kind));
        }
        let mut elements = document.root().elements();
        let elements = [elements.next(), elements.next(), elements.next(), elements.next()];
        let (salt, name, value) = match elements {
            [Some(salt), Some(value), None, None] => (salt, None, value),
            [Some(salt), Some(name), Some(value), None] => (salt, Some(name), value),
            _ => return Err(Problem::NotAnArray),
        };
        if salt.kind() != Kind::String {
            return Err(Problem::Salt);
        }
        let name = name.map(|name| name.as_str().ok_or(Problem::Name)).transpose()?;
        match name {
            // `_sd_alg` may stand at the top level of the payload alone (RFC 9901 section 4.1.1).
            Some(name) if matches!(&*name, "_sd" | "..." | "_sd_alg") => {
                Err(Problem::ForbiddenName(name.into_owned()))
            }
            name => Ok(Disclosure { name, value }),
        }
    }
}

/// The walk over a payload and the disclosures that it leads to.
struct Walk<'d> {
    disclosures: &'d [Disclosure<'d>],
    by_digest: HashMap<String, usize>,
    /// Every digest met so far, explained or not.
    met: HashSet<Cow<'d, str>>,
    out: Vec<u8>,
    /// The place of what is being written, in both spellings.
    path: String,
    pointer: String,
    depth: usize,
    /// The innermost disclosure around it.
    inside: Option<usize>,
    found: Vec<Option<Disclosed>>,
    path_bytes: usize,
    unexplained: Vec<usize>,
}

impl<'d> Walk<'d> {
    fn new(disclosures: &'d [Disclosure<'d>], by_digest: HashMap<String, usize>) -> Walk<'d> {
        Walk {
            disclosures,
            by_digest,
            met: HashSet::new(),
            out: Vec::new(),
            path: String::new(),
            pointer: String::new(),
            depth: 0,
            inside: None,
            found: vec![None; disclosures.len()],
            path_bytes: 0,
            unexplained: Vec::new(),
        }
    }

    /// What is wrong, told of the disclosure that is being walked through, or of the payload.
    fn fault<T>(&self, problem: Problem) -> Result<T, DisclosureError> {
        Err(DisclosureError { at: self.inside.map(|at| at + 1), problem })
    }

    fn value(&mut self, value: Value<'d>) -> Result<(), DisclosureError> {
        match value.kind() {
            Kind::Object => self.object(value),
            Kind::Array => self.array(value),
            _ => {
                self.out.extend_from_slice(value.text().as_bytes());
                Ok(())
            }
        }
    }

    fn object(&mut self, object: Value<'d>) -> Result<(), DisclosureError> {
        self.enter()?;
        let mut separator = b'{';
        let mut digests = None;
        for (name, member) in object.members() {
            match &*name {
                "_sd" => digests = Some(member),
                "_sd_alg" if self.depth == 1 => {}
                "_sd_alg" => return self.fault(Problem::MisplacedHash),
                "..." => return self.fault(Problem::Dots),
                _ => {
                    self.put_name(&mut separator, &name);
                    self.at_name(&name, |walk| walk.value(member))?;
                }
            }
        }
        if let Some(digests) = digests {
            self.disclosed_members(object, digests, &mut separator)?;
        }
        self.out.extend_from_slice(if separator == b'{' { b"{}" } else { b"}" });
        self.depth -= 1;
        Ok(())
    }

    /// Writes the members that the digests of `_sd` lead to.
    fn disclosed_members(
        &mut self,
        object: Value<'d>,
        digests: Value<'d>,
        separator: &mut u8,
    ) -> Result<(), DisclosureError> {
        if digests.kind() != Kind::Array {
            return self.fault(Problem::Digests);
        }
        let mut names: HashSet<Cow<'d, str>> = object.members().map(|(name, _)| name).collect();
        let mut unexplained = 0;
        for digest in digests.elements() {
            let Some(digest) = digest.as_str() else { return self.fault(Problem::Digests) };
            let Some(at) = self.meet(digest)? else {
                unexplained += 1;
                continue;
            };
            let disclosure = &self.disclosures[at];
            let Some(name) = &disclosure.name else { return Err(refuse(at)(Problem::ElementAsMember)) };
            if !names.insert(name.clone()) {
                return Err(refuse(at)(Problem::NameTaken(name.clone().into_owned())));
            }
            self.put_name(separator, name);
            self.at_name(name, |walk| walk.disclosed(at, disclosure.value))?;
        }
        self.unexplained.push(unexplained);
        Ok(())
    }

    fn array(&mut self, array: Value<'d>) -> Result<(), DisclosureError> {
        self.enter()?;
        let mut separator = b'[';
        let mut index = 0;
        let mut unexplained = None;
        for element in array.elements() {
            let disclosed = match element.member("...") {
                None => None,
                Some(digest) => {
                    let unexplained = unexplained.get_or_insert(0);
                    match self.disclosed_element(element, digest)? {
                        Some(at) => Some(at),
                        None => {
                            *unexplained += 1;
                            continue;
                        }
                    }
                }
            };
            self.out.push(separator);
            separator = b',';
            self.at_index(index, |walk| match disclosed {
                Some(at) => walk.disclosed(at, walk.disclosures[at].value),
                None => walk.value(element),
            })?;
            index += 1;
        }
        self.unexplained.extend(unexplained);
        self.out.extend_from_slice(if separator == b'[' { b"[]" } else { b"]" });
        self.depth -= 1;
        Ok(())
    }

    /// The disclosure that an element `{"...": digest}` stands for.
    fn disclosed_element(
        &mut self,
        element: Value<'d>,
        digest: Value<'d>,
    ) -> Result<Option<usize>, DisclosureError> {
        match digest.as_str() {
            Some(digest) if element.members().count() == 1 => match self.meet(digest)? {
                Some(at) if self.disclosures[at].name.is_some() => Err(refuse(at)(Problem::MemberAsElement)),
                at => Ok(at),
            },
            _ => self.fault(Problem::Dots),
        }
    }

    /// Notes a digest, and gives the disclosure that it belongs to.
    fn meet(&mut self, digest: Cow<'d, str>) -> Result<Option<usize>, DisclosureError> {
        let at = self.by_digest.get(&*digest).copied();
        if !self.met.insert(digest) {
            return self.fault(Problem::RepeatedDigest);
        }
        Ok(at)
    }

    /// Writes a disclosed value at the present place.
    fn disclosed(&mut self, at: usize, value: Value<'d>) -> Result<(), DisclosureError> {
        self.path_bytes += self.path.len() + self.pointer.len();
        if self.path_bytes > MAX_PATH_BYTES {
            return Err(refuse(at)(Problem::LongNames));
        }
        let (path, pointer) = (self.path.clone(), self.pointer.clone());
        self.found[at] = Some(Disclosed { path, pointer, inside: self.inside, bytes: 0 });
        let around = self.inside.replace(at);
        self.value(value)?;
        self.inside = around;
        Ok(())
    }

    fn enter(&mut self) -> Result<(), DisclosureError> {
        if self.depth == MAX_DEPTH {
            return self.fault(Problem::TooDeep);
        }
        self.depth += 1;
        Ok(())
    }

    fn put_name(&mut self, separator: &mut u8, name: &str) {
        self.out.push(*separator);
        *separator = b',';
        json::push_str(&mut self.out, name);
        self.out.push(b':');
    }

    fn at_name(
        &mut self,
        name: &str,
        write: impl FnOnce(&mut Self) -> Result<(), DisclosureError>,
    ) -> Result<(), DisclosureError> {
        let ends = (self.path.len(), self.pointer.len());
        if !self.path.is_empty() {
            self.path.push('.');
        }
        self.path.push_str(name);
        self.pointer.push('/');
        json::push_pointer_segment(&mut self.pointer, name);
        write(self)?;
        self.leave(ends);
        Ok(())
    }

    fn at_index(
        &mut self,
        index: usize,
        write: impl FnOnce(&mut Self) -> Result<(), DisclosureError>,
    ) -> Result<(), DisclosureError> {
        let ends = (self.path.len(), self.pointer.len());
        // Writing to a String does not fail.
        let _ = write!(self.path, "[{index}]");
        let _ = write!(self.pointer, "/{index}");
        write(self)?;
        self.leave(ends);
        Ok(())
    }

    fn leave(&mut self, (path, pointer): (usize, usize)) {
        self.path.truncate(path);
        self.pointer.truncate(pointer);
    }

    fn finish(self, disclosures: &[&str]) -> Result<Processed, DisclosureError> {
        let mut disclosed = Vec::with_capacity(self.found.len());
        for (at, (found, text)) in self.found.into_iter().zip(disclosures).enumerate() {
            let found = found.ok_or_else(|| refuse(at)(Problem::Unreferenced))?;
            disclosed.push(Disclosed { bytes: text.len(), ..found });
        }
        let payload = String::from_utf8(self.out).expect("made of pieces of text");
        Ok(Processed { payload, disclosed, unexplained: self.unexplained })
    }
}

#[cfg(test)]
mod tests;
