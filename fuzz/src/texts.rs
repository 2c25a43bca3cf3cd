//! Small texts and documents: JSON, settings, type metadata, the disclosure policy, dates and names.

use std::collections::BTreeMap;

use beltic::cli::check_settings;
use beltic::credential::sd_jwt::{DisclosurePolicy, TypeMetadata, type_metadata as metadata_of};
use beltic::issuer::Issuer;
use beltic::json::{self as ours, Kind, Parser, SyntaxProblem};
use beltic::publish::documents::Hosts;
use beltic::request::rules::{self, CalendarDuration};
use beltic::types::Types;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::world::{KEY, now};

/// The type of the credentials here.
const VCT: &str = "urn:beltic:business:1";

/// Any JSON text: our parser against `serde_json`.
pub fn json(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut parser = Parser::default();
    let theirs = serde_json::from_str::<IgnoredAny>(text);
    let document = match parser.parse(text) {
        Ok(document) => document,
        Err(error) => {
            let beyond_a_limit = matches!(error.problem, SyntaxProblem::TooDeep | SyntaxProblem::LongNumber);
            assert!(theirs.is_err() || beyond_a_limit, "only we refuse it: {error}");
            assert!(error.offset <= text.len() && text.is_char_boundary(error.offset));
            return;
        }
    };
    assert!(theirs.is_ok(), "only we accept it: {theirs:?}");
    for fault in document.faults() {
        assert!(document.pointer(*fault).starts_with('/') || document.root().kind() == Kind::String);
    }
    let mut compact = Vec::new();
    document.root().write_compact(&mut compact);
    let Ok(value) = serde_json::from_str::<Value>(text) else { return };
    assert_eq!(serde_json::from_slice::<Value>(&compact).ok().as_ref(), Some(&value), "written anew");
    if document.faults().is_empty() {
        assert_eq!(value_of(document.root()), value);
    }
}

/// The same value as `serde_json` has it. Numbers are spelt as they were, so it reads them.
fn value_of(value: ours::Value<'_>) -> Value {
    match value.kind() {
        Kind::Object => value.members().map(|(name, member)| (name.into_owned(), value_of(member))).collect(),
        Kind::Array => value.elements().map(value_of).collect(),
        Kind::String => {
            let text = value.as_str().expect("a string").into_owned();
            assert_eq!(serde_json::from_str::<String>(&ours::string(&text)).ok(), Some(text.clone()));
            Value::String(text)
        }
        Kind::Number => serde_json::from_str(value.text()).expect("a number that was read before"),
        Kind::Boolean(truth) => Value::Bool(truth),
        Kind::Null => Value::Null,
    }
}

/// `.beltic.yaml`.
pub fn settings(data: &[u8]) {
    if let Err(problem) = check_settings(data) {
        assert!(!problem.is_empty());
    }
}

/// A type metadata document.
pub fn type_metadata(data: &[u8]) {
    if let Ok(document) =
        TypeMetadata::read(data, VCT, &DisclosurePolicy::of_type(Types::BUILT_IN.default_type()))
    {
        assert!(document.integrity().starts_with("sha256-"));
        assert_eq!(document.into_bytes(), data);
    }
}

/// A disclosure policy: `path=word` on lines of their own, the number of decoys alone.
pub fn disclosure_policy(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let words: BTreeMap<String, String> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(path, word)| (path.to_owned(), word.to_owned()))
        .collect();
    let decoys = text.lines().find_map(|line| line.parse().ok()).unwrap_or_default();
    let Ok(policy) = DisclosurePolicy::new(Types::BUILT_IN.default_type(), &words, decoys) else { return };
    for (path, word) in &words {
        let hidden = policy.to_string().split(' ').any(|hidden| hidden == path);
        assert_eq!(hidden, word == "always", "{path}");
    }
    let document = metadata_of(Types::BUILT_IN.default_type(), VCT, &policy).to_string();
    assert!(TypeMetadata::read(document.as_bytes(), VCT, &policy).is_ok(), "a policy agrees with itself");
}

/// Durations, dates, URIs, issuers and the places of a site, all from one text.
pub fn small_texts(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(duration) = CalendarDuration::parse(text)
        && let Ok(end) = duration.after(now())
    {
        assert!(end > now(), "a life has a length");
    }
    if let Some(time) = rules::date_time(text) {
        assert_eq!(rules::date_time(&time.to_string()), Some(time));
    }
    let _ = rules::percent(text);
    if let Ok(issuer) = Issuer::parse(text, KEY.public()) {
        assert!(
            rules::is_uri(issuer.id())
                && rules::is_uri(&Types::BUILT_IN.default_type().default_vct(issuer.host().as_deref()))
        );
        assert_eq!(
            Issuer::parse(issuer.id(), KEY.public()).map(|again| again.kid().to_owned()).ok().as_deref(),
            Some(issuer.kid())
        );
    }
    let Ok(issuer) = Issuer::parse("https://issuer.example/a", KEY.public()) else { return };
    let Ok(hosts) = Hosts::new(&issuer, None) else { return };
    if let Ok(path) = hosts.path_of(text) {
        let sound = |part: std::path::Component<'_>| matches!(part, std::path::Component::Normal(_));
        assert!(path.relative().components().all(sound), "a place inside the site");
    }
}
