//! What the VC Data Model 2.0 demands of the parts of a credential: contexts and ids are URLs, and parts have types. "A
//! verifier MUST produce errors for non-conforming documents" (section 1.3). What needs JSON-LD processing is not
//! looked at: whether a context defines a type, and as what.

use std::borrow::Cow;

use super::{optional_text, required, text, wrong};
use crate::json::{Kind, Value};
use crate::verify::verdict::Refusal;

/// The parts that are objects, one or several, each with a type (sections 4.11, 5.3 to 5.6 and 4.12). For `credentialStatus` see
/// [`check_entries`].
pub(super) const PARTS: [&str; 5] = ["credentialSchema", "evidence", "proof", "refreshService", "termsOfUse"];

/// The part that must have an id, too (section 4.11).
const WITH_ID: &str = "credentialSchema";

/// `@context` (section 4.3): an array of URLs and objects that starts with this URL.
pub(in crate::verify) fn check_context(context: Option<Value<'_>>, first: &str) -> Result<(), Refusal> {
    let context = required("@context", context)?;
    let mut elements = context.elements();
    if elements.next().and_then(Value::as_str).as_deref() != Some(first) {
        return Err(wrong(format!("`@context` is not an array starting with {first}")));
    }
    let is_sound = |element: Value<'_>| match element.kind() {
        Kind::Object => true,
        _ => element.as_str().is_some_and(|text| is_url(&text)),
    };
    match elements.all(is_sound) {
        true => Ok(()),
        false => Err(wrong("`@context` has an element that is neither a URL nor an object")),
    }
}

/// The parts that are there, each with its name.
pub(super) fn check_parts<'d>(
    parts: impl IntoIterator<Item = Option<(&'static str, Value<'d>)>>,
) -> Result<(), Refusal> {
    parts.into_iter().flatten().try_for_each(|(name, part)| {
        let single = (part.kind() != Kind::Array).then_some(part);
        single.into_iter().chain(part.elements()).try_for_each(|object| check_part(name, object))
    })
}

fn check_part(name: &str, object: Value<'_>) -> Result<(), Refusal> {
    check_type(name, object)?;
    match url(&format!("{name}.id"), object.member("id"))? {
        None if name == WITH_ID => Err(wrong(format!("`{name}.id` is missing"))),
        _ => Ok(()),
    }
}

/// `type` of an object: a text or an array of texts (section 4.5).
fn check_type(name: &str, object: Value<'_>) -> Result<(), Refusal> {
    let problem = || wrong(format!("`{name}` has an entry that is not an object with a type"));
    let types = object.member("type").ok_or_else(problem)?;
    let single = (types.kind() != Kind::Array).then_some(types);
    let mut names = single.into_iter().chain(types.elements()).map(Value::as_str).peekable();
    let is_sound = names.peek().is_some() && names.all(|name| name.is_some_and(|name| !name.is_empty()));
    if is_sound { Ok(()) } else { Err(problem()) }
}

/// `credentialStatus` (section 4.10): one object or several, each with a type, and an id that is a URL, if any.
pub(super) fn check_entries(entries: Option<Value<'_>>) -> Result<(), Refusal> {
    let Some(entries) = entries else { return Ok(()) };
    if entries.kind() == Kind::Array && entries.elements().next().is_none() {
        return Err(wrong("`credentialStatus` is empty"));
    }
    check_parts([Some(("credentialStatus", entries))])
}

/// The issuer, a URL or an object with an id that is one (section 4.7).
pub(super) fn issuer_id<'d>(name: &str, issuer: Value<'d>) -> Result<Cow<'d, str>, Refusal> {
    let (name, id) = match issuer.kind() {
        Kind::Object => ("issuer.id", issuer.member("id")),
        _ => (name, Some(issuer)),
    };
    let id = text(name, required(name, id)?)?;
    if is_url(&id) { Ok(id) } else { Err(not_a_url(name)) }
}

/// An id, which must be one URL (section 4.4).
pub(super) fn url<'d>(name: &str, value: Option<Value<'d>>) -> Result<Option<Cow<'d, str>>, Refusal> {
    match optional_text(name, value)? {
        Some(text) if !is_url(&text) => Err(not_a_url(name)),
        text => Ok(text),
    }
}

fn not_a_url(name: &str) -> Refusal {
    wrong(format!("`{name}` is not a URL"))
}

/// Whether a text is a URL with a scheme. The URL Standard takes characters outside of ASCII.
fn is_url(text: &str) -> bool {
    text.contains(':') && fluent_uri::Iri::parse(text).is_ok()
}
