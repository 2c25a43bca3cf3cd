//! `--context` and `--chain`: what an authorization is asked for.

use std::path::Path;

use super::VerifyArgs;
use crate::cli::failure::Failure;
use crate::cli::given::{self, Given};
use crate::cli::settings::{MAX_DOCUMENT_BYTES, unusable};
use crate::files;
use crate::json::Parser;
use crate::verify::{ActionContext, Delegators, KeyRing, Lists, Policy, Verdict, Verifier};

/// What is about to be done: pairs, which have a `=`, or a file.
pub(super) fn context(given: &str) -> Result<ActionContext, Failure> {
    if given.contains('=') && !Path::new(given).exists() {
        return ActionContext::of_pairs(given)
            .map_err(|problem| Failure::usage(format!("cannot use --context: {problem}")));
    }
    let path = Path::new(given);
    let bytes = files::read_limited(path, MAX_DOCUMENT_BYTES)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| "it is not UTF-8".to_owned());
    text.and_then(ActionContext::of_json)
        .map_err(|problem| unusable(anyhow::Error::msg(problem), "the context", path))
}

/// The subjects of the valid credentials in the files of `--chain`. They are verified as the others are, but for what
/// is asked of those in particular: issuer, type, audience and life.
pub(super) fn delegators(
    args: &VerifyArgs,
    ring: &KeyRing,
    policy: &Policy,
    lists: &Lists,
) -> Result<Option<Delegators>, Failure> {
    if args.chain.is_empty() {
        return Ok(None);
    }
    let policy = Policy {
        issuer: None,
        vcts: Vec::new(),
        credential_type: None,
        max_ttl: None,
        context: None,
        delegators: None,
        ..policy.clone()
    };
    let mut verifier = Verifier::new(ring, &policy, lists);
    let mut delegators = Delegators::default();
    for path in &args.chain {
        add_subjects(path, &mut verifier, &mut delegators)?;
    }
    Ok(Some(delegators))
}

fn add_subjects(
    path: &Path,
    verifier: &mut Verifier<'_>,
    delegators: &mut Delegators,
) -> Result<(), Failure> {
    let mut parser = Parser::for_tokens();
    let mut results = Given::File(path.to_owned()).open()?;
    while let Some(rows) = results.next_raw()? {
        rows.read(&mut parser, |row| {
            if let Some(Ok(token)) = given::token_of(row.content)
                && let Verdict::Valid(valid) = verifier.verify(&token)
            {
                delegators.add(valid.credential);
            }
        });
    }
    Ok(())
}
