//! The verifier against hostile tokens of every kind that is issued, and against tokens of others.
//!
//! Tokens are made by hand, with a signature that is sound unless the case is about the signature. Each case
//! says which verdict the standards demand.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "what helps tests is test code, too")]

#[path = "../support/mod.rs"]
mod readers;

mod accepted;
mod authority;
mod certificates;
mod chains;
mod claims;
mod data_model;
mod encodings;
mod engines;
mod holder;
mod hostile_lists;
mod keys;
mod lists;
mod published;
mod sd_jwt;
mod world;

use beltic::verify::{Reason, Step};

use world::{Case, Kind, World};

/// Every kind of token that is issued, in at least 150 hostile variants.
#[test]
fn every_hostile_variant_gets_the_verdict_that_the_standard_demands() {
    let world = World::new();
    for kind in [Kind::JwtVc, Kind::SdJwtVc] {
        let mut cases = encodings::cases(kind);
        cases.extend(claims::cases(kind));
        if kind == Kind::SdJwtVc {
            cases.extend(sd_jwt::cases());
        }
        assert!(cases.len() >= 150, "{} cases of {kind:?}", cases.len());
        let names: std::collections::BTreeSet<_> = cases.iter().map(|case| &case.name).collect();
        assert_eq!(names.len(), cases.len(), "each case has a name of its own");
        let wrong: Vec<String> = cases.iter().filter_map(|case| case.problem(&world)).collect();
        assert!(wrong.is_empty(), "{kind:?}:\n{}", wrong.join("\n"));
    }
}

/// Change any one character, or cut the token anywhere, and it is no longer valid.
#[test]
fn no_character_can_be_changed_and_none_left_out() {
    let world = World::new();
    for kind in [Kind::JwtVc, Kind::SdJwtVc] {
        let token = kind.token();
        assert_eq!(world.verdict(&token).map(|_| ()), Ok(()));
        let last_of_a_part = |at: usize| matches!(token.as_bytes().get(at + 1), None | Some(b'.' | b'~'));
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            // The other case, or the neighbour: a change that keeps the alphabet.
            bytes[at] = match bytes[at] {
                b'A' => b'B',
                b'.' => b'~',
                b'~' => b'.',
                _ => b'A',
            };
            let changed = String::from_utf8(bytes).unwrap();
            let verdict = world.verdict(&changed);
            assert!(verdict.is_err(), "{kind:?} at {at} (last of a part: {})", last_of_a_part(at));
        }
        // An SD-JWT may lose whole disclosures from its end; anything else that is cut is broken.
        let whole: Vec<usize> = token.match_indices('~').map(|(at, _)| at + 1).collect();
        for end in (0..token.len()).filter(|end| !whole.contains(end)) {
            assert!(world.verdict(&token[..end]).is_err(), "{kind:?} cut at {end}");
        }
    }
}

/// The payload of a token.
fn readers_payload(token: &str) -> serde_json::Value {
    let payload = readers::token::base64url(token.split('.').nth(1).unwrap());
    serde_json::from_slice(&payload).unwrap()
}

/// What a case is about, and what the verdict must be.
fn case(name: impl Into<String>, token: String, reason: Reason, step: Step) -> Case {
    Case { name: name.into(), token, reason, step }
}
