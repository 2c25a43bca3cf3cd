//! Claims that were issued, by the rules of the request that asked for them.

use super::findings::{Findings, Place, Strictness};
use crate::clock::Moment;
use crate::json::Value;
use crate::types::Object;

/// What is wrong with a part of an issued credential, such as its claims: the place in the part, as a JSON
/// Pointer, and a sentence. `None` where nothing is.
///
/// Members that no rule names are ignored, as verifiers have to. Where claims may be withheld, a member may be
/// missing. `moment` says as of when the credential is looked at.
pub fn issued_problem(
    value: Value<'_>,
    object: &'static Object,
    may_be_withheld: bool,
    moment: Moment,
) -> Option<(String, String)> {
    let mut findings = Findings::new(Strictness::Issued { may_be_withheld }, moment);
    findings.check_object(value, object, &Place::Root);
    let first = findings.violations.into_iter().next()?;
    Some((first.path, first.message))
}
