//! What an agent may do: the permissions of an authorization, against what is about to be done.
//!
//! It fails closed. A permission counts where its type, id and action are those of the context and all of its
//! conditions hold; whatever is missing, of another kind or not understood makes it count for nothing. One permission
//! that counts is enough.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use super::open::shown;
use super::verdict::{Reason, Refusal, Step};
use crate::json::{Decimal, Kind, Parser, Value};
use crate::types::{CredentialType, Grants, Rule};

/// What is about to be done: names and values, as conditions name them.
#[derive(Debug, Clone)]
pub struct ActionContext {
    values: BTreeMap<String, Operand>,
}

/// What is compared. Values of different kinds are never equal, and have no order.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Operand {
    Number(Decimal),
    Text(String),
    Boolean(bool),
}

/// The names by which both vocabularies call one thing.
const SYNONYMS: [(&str, &str); 2] = [("amount", "transaction_amount"), ("currency", "transaction_currency")];

impl ActionContext {
    /// A context from a JSON object of numbers, texts and booleans.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn of_json(text: &str) -> Result<ActionContext, String> {
        let mut parser = Parser::default();
        let document = parser.parse(text).map_err(|error| error.to_string())?;
        if let Some(fault) = document.faults().first() {
            return Err(format!("{}: {}", document.pointer(*fault), fault.kind));
        }
        let root = document.root();
        if root.kind() != Kind::Object {
            return Err(format!("expected a JSON object; found {}", root.kind()));
        }
        let mut values = BTreeMap::new();
        for (name, value) in root.members() {
            let operand = Operand::of(value).ok_or_else(|| {
                let name = shown(&name);
                format!("{name}: expected a number, text, true or false; found {}", value.kind())
            })?;
            values.insert(name.into_owned(), operand);
        }
        ActionContext { values }.without_contradiction()
    }

    /// A context from pairs such as `action=checkout,amount=5000`. A JSON number, `true` or `false` is that; anything
    /// else is text.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn of_pairs(text: &str) -> Result<ActionContext, String> {
        let mut values = BTreeMap::new();
        for pair in text.split(',') {
            let (name, value) = pair
                .split_once('=')
                .filter(|(name, _)| !name.is_empty())
                .ok_or_else(|| "expected pairs such as action=checkout,amount=5000".to_owned())?;
            if values.insert(name.to_owned(), Operand::of_text(value)).is_some() {
                return Err(format!("{} is there twice", shown(name)));
            }
        }
        ActionContext { values }.without_contradiction()
    }

    /// Two names of one thing must not say different things.
    fn without_contradiction(self) -> Result<ActionContext, String> {
        for (one, other) in SYNONYMS {
            if let (Some(found), Some(other_found)) = (self.values.get(one), self.values.get(other))
                && found != other_found
            {
                return Err(format!("{one} and {other} are the same, and say different things"));
            }
        }
        Ok(self)
    }

    fn value(&self, name: &str) -> Option<&Operand> {
        let synonym = SYNONYMS.iter().find_map(|(one, other)| match name {
            _ if name == *one => Some(*other),
            _ if name == *other => Some(*one),
            _ => None,
        });
        self.values.get(name).or_else(|| self.values.get(synonym?))
    }

    fn text(&self, name: &str) -> Option<&str> {
        match self.values.get(name)? {
            Operand::Text(text) => Some(text),
            Operand::Number(_) | Operand::Boolean(_) => None,
        }
    }
}

impl Operand {
    fn of(value: Value<'_>) -> Option<Operand> {
        match value.kind() {
            Kind::Number => Decimal::parse(value.text()).map(Operand::Number),
            Kind::String => value.as_str().map(|text| Operand::Text(text.into_owned())),
            Kind::Boolean(boolean) => Some(Operand::Boolean(boolean)),
            Kind::Object | Kind::Array | Kind::Null => None,
        }
    }

    fn of_text(text: &str) -> Operand {
        match text {
            "true" => Operand::Boolean(true),
            "false" => Operand::Boolean(false),
            _ => Decimal::parse(text).map_or_else(|| Operand::Text(text.to_owned()), Operand::Number),
        }
    }

    fn is_of_kind(&self, other: &Operand) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// Whether an authorization allows what is about to be done. `claims` is what it says about its one subject. Returns
/// what limits it beyond its permissions.
pub(super) fn check_policy(
    credential_type: &'static CredentialType,
    claims: Option<Value<'_>>,
    context: &ActionContext,
) -> Result<NotJudged, Refusal> {
    let denied = |message: String| Err(Refusal::new(Reason::PolicyDenied, Step::Policy, message));
    let Some(grants) = &credential_type.grants else {
        return denied(format!("a credential of the type {} grants nothing", credential_type.name));
    };
    let found = claims.and_then(|claims| Some((claims, claims.member(grants.permissions)?)));
    let Some((claims, permissions)) = found else {
        return denied("it has no permissions, or they were withheld".to_owned());
    };
    let mut why = "none of its permissions is for this resource and action".to_owned();
    for (place, permission) in permissions.elements().enumerate() {
        if !is_for(permission, context) {
            continue;
        }
        match failing_condition(permission, context) {
            None => return Ok(NotJudged::of(grants, claims)),
            Some(condition) => {
                why = format!("condition {} of permission {} does not hold", condition + 1, place + 1);
            }
        }
    }
    denied(why)
}

/// Whether a permission is for the context's resource and action.
fn is_for(permission: Value<'_>, context: &ActionContext) -> bool {
    let says = |value: Option<Value<'_>>, name: &str| {
        let wanted = context.text(name);
        value.and_then(Value::as_str).is_some_and(|found| Some(found.as_ref()) == wanted)
    };
    let id = permission.member("resource_id");
    // A permission that names no resource is for all of the type.
    let is_for_all = id.is_none() || id.and_then(Value::as_str).as_deref() == Some("*");
    let mut actions = permission.member("actions").into_iter().flat_map(Value::elements);
    says(permission.member("resource_type"), "resource_type")
        && (is_for_all || says(id, "resource_id"))
        && actions.any(|action| says(Some(action), "action"))
}

/// The place of the first condition that does not hold.
fn failing_condition(permission: Value<'_>, context: &ActionContext) -> Option<usize> {
    let conditions = permission.member("conditions")?;
    if conditions.kind() != Kind::Array {
        return Some(0);
    }
    conditions.elements().position(|condition| !holds(condition, context).unwrap_or(false))
}

/// Whether a condition holds. `None` where it cannot be judged.
fn holds(condition: Value<'_>, context: &ActionContext) -> Option<bool> {
    let field = condition.member("field")?.as_str()?;
    let operator = condition.member("operator")?.as_str()?;
    let value = condition.member("value")?;
    let found = context.value(&field)?;
    if operator == "in" {
        let is_array = value.kind() == Kind::Array;
        return Some(
            is_array && value.elements().any(|element| Operand::of(element).as_ref() == Some(found)),
        );
    }
    let wanted = Operand::of(value)?;
    match (operator.as_ref(), found, &wanted) {
        ("lte", Operand::Number(found), Operand::Number(wanted)) => Some(found <= wanted),
        ("lt", Operand::Number(found), Operand::Number(wanted)) => Some(found < wanted),
        ("gte", Operand::Number(found), Operand::Number(wanted)) => Some(found >= wanted),
        ("gt", Operand::Number(found), Operand::Number(wanted)) => Some(found > wanted),
        ("eq", ..) => Some(*found == wanted),
        // What cannot be compared is not different: nobody knows.
        ("neq", ..) if found.is_of_kind(&wanted) => Some(*found != wanted),
        _ => None,
    }
}

/// The subjects of whom there are valid credentials, and who may therefore delegate.
#[derive(Debug, Clone, Default)]
pub struct Delegators {
    subjects: HashSet<String>,
}

impl Delegators {
    /// Adds the subject of a valid credential, given its payload; of one without a subject's id, or with several
    /// subjects, nothing is added.
    pub fn add(&mut self, credential: &[u8]) {
        self.subjects.extend(subject_of(credential));
    }
}

fn subject_of(credential: &[u8]) -> Option<String> {
    let mut parser = Parser::for_tokens();
    let document = parser.parse(std::str::from_utf8(credential).ok()?).ok()?;
    let root = document.root();
    let subject = root.member("credentialSubject").or_else(|| root.member("subject"));
    let id = match subject {
        Some(subject) => subject.member("id").or_else(|| subject.member("subject_id")),
        None => root.member("sub"),
    };
    id?.as_str().map(Cow::into_owned)
}

/// Whether who delegated is among those of whom there are valid credentials.
pub(super) fn check_delegation(
    credential_type: &CredentialType,
    claims: Option<Value<'_>>,
    delegators: &Delegators,
) -> Result<(), Refusal> {
    let refuse = |message: &str| Err(Refusal::new(Reason::DelegationUnproven, Step::Delegation, message));
    let (Some(grants), Some(claims)) = (&credential_type.grants, claims) else { return Ok(()) };
    match claims.member(grants.delegated_by).map(Value::as_str) {
        Some(Some(subject)) if delegators.subjects.contains(subject.as_ref()) => Ok(()),
        Some(_) => refuse("none of the credentials of --chain is a valid one of who delegated"),
        None if needs_delegation(credential_type, claims) => {
            refuse("it does not say who delegated, or that was withheld")
        }
        None => Ok(()),
    }
}

/// Whether one of the permissions needs a delegation.
fn needs_delegation(credential_type: &CredentialType, claims: Value<'_>) -> bool {
    credential_type.claims.1.rules.iter().any(|rule| match rule {
        Rule::DelegationNeeded { list, says: (part, word), .. } => {
            let list = claims.member(list).into_iter().flat_map(Value::elements);
            list.filter_map(|element| element.member(part)?.as_str()).any(|text| text == *word)
        }
        _ => false,
    })
}

/// What is in an authorization and was not judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NotJudged {
    names: &'static [&'static str],
    /// A bit for each name that is there.
    present: u32,
}

impl NotJudged {
    fn of(grants: &'static Grants, claims: Value<'_>) -> NotJudged {
        let bit = |(place, name): (usize, &&str)| u32::from(claims.member(name).is_some()) << place;
        NotJudged { names: grants.not_judged, present: grants.not_judged.iter().enumerate().map(bit).sum() }
    }

    /// The claims.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let is_there = move |(place, _): &(usize, &&str)| self.present & (1 << place) != 0;
        self.names.iter().enumerate().filter(is_there).map(|(_, name)| *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Types;

    const WALLET: &str = r#"{"permissions":[
        {"resource_type":"wallet","resource_id":"w-1","actions":["checkout"],"conditions":[
            {"field":"amount","operator":"lte","value":5000.00},
            {"field":"currency","operator":"in","value":["EUR","USD"]}]},
        {"resource_type":"wallet","resource_id":"*","actions":["checkout"],"conditions":[
            {"field":"amount","operator":"lt","value":1e1}]},
        {"resource_type":"report","actions":["read","list"]}]}"#;

    fn judged(claims: &str, context: &ActionContext) -> Result<NotJudged, Refusal> {
        let agent = Types::BUILT_IN.all().iter().find(|known| known.grants.is_some()).unwrap();
        let mut parser = Parser::default();
        let document = parser.parse(claims).unwrap();
        check_policy(agent, Some(document.root()), context)
    }

    fn allows(claims: &str, pairs: &str) -> bool {
        let verdict = judged(claims, &ActionContext::of_pairs(pairs).unwrap());
        assert!(verdict.as_ref().err().is_none_or(|refusal| refusal.reason == Reason::PolicyDenied));
        verdict.is_ok()
    }

    #[test]
    fn one_permission_that_counts_is_enough() {
        let spend = "resource_type=wallet,resource_id=w-1,action=checkout,currency=EUR";
        for (pairs, allowed) in [
            (format!("{spend},amount=5000"), true),
            (format!("{spend},transaction_amount=5e3"), true),
            (format!("{spend},amount=5000.000000000000000000001"), false),
            (format!("{spend},amount=-1"), true),
            (
                "resource_type=wallet,resource_id=w-1,action=checkout,transaction_currency=USD,amount=10"
                    .into(),
                true,
            ),
            ("resource_type=wallet,resource_id=w-1,action=checkout,currency=GBP,amount=10".into(), false),
            // The second permission is for every wallet, and asks for no currency.
            ("resource_type=wallet,resource_id=w-2,action=checkout,amount=9.99".into(), true),
            ("resource_type=wallet,action=checkout,amount=9.99".into(), true),
            ("resource_type=wallet,resource_id=w-2,action=checkout,amount=10".into(), false),
            ("resource_type=report,action=list".into(), true),
            ("resource_type=report,resource_id=r-1,action=read".into(), true),
        ] {
            assert_eq!(allows(WALLET, &pairs), allowed, "{pairs}");
        }
    }

    /// Whatever is missing, of another kind or not understood denies.
    #[test]
    fn it_fails_closed() {
        for pairs in [
            "action=read",
            "resource_type=report",
            "resource_type=report,action=",
            "resource_type=report,action=write",
            "resource_type=report,action=READ",
            "resource_type=reports,action=read",
            "resource_type=wallet,resource_id=w-1,action=checkout",
            "resource_type=wallet,resource_id=w-1,action=checkout,amount=1O,currency=EUR",
            "resource_type=wallet,resource_id=w-1,action=checkout,amount=true,currency=EUR",
        ] {
            assert!(!allows(WALLET, pairs), "{pairs}");
        }
        let read = "resource_type=report,action=read,level=5,word=a,flag=true";
        let with = |condition: &str| {
            format!(
                r#"{{"permissions":[{{"resource_type":"report","actions":["read"],"conditions":{condition}}}]}}"#
            )
        };
        for (field, operator, value, allowed) in [
            ("level", "eq", "5.0", true),
            ("level", "eq", "\"5\"", false),
            ("level", "neq", "6", true),
            ("level", "neq", "5e0", false),
            // What cannot be compared is not different.
            ("level", "neq", "\"6\"", false),
            ("level", "neq", "[6]", false),
            ("level", "gte", "5", true),
            ("level", "gt", "5", false),
            ("level", "lt", "\"6\"", false),
            ("level", "between", "5", false),
            ("level", "IN", "[5]", false),
            ("level", "in", "[\"5\",5]", true),
            ("level", "in", "[]", false),
            ("level", "in", "5", false),
            ("level", "eq", "null", false),
            ("level", "eq", "{}", false),
            ("word", "eq", "\"a\"", true),
            ("word", "eq", "\"A\"", false),
            ("word", "lte", "\"b\"", false),
            ("flag", "eq", "true", true),
            ("flag", "eq", "\"true\"", false),
            ("other", "neq", "1", false),
        ] {
            let condition = format!(r#"[{{"field":"{field}","operator":"{operator}","value":{value}}}]"#);
            assert_eq!(allows(&with(&condition), read), allowed, "{condition}");
        }
        for conditions in ["{}", "\"\"", "[null]", "[[]]", "[{}]", r#"[{"field":"level","operator":"eq"}]"#] {
            assert!(!allows(&with(conditions), read), "{conditions}");
        }
        assert!(allows(&with("[]"), read));
        for claims in [
            "{}",
            r#"{"permissions":[]}"#,
            r#"{"permissions":"*"}"#,
            r#"{"permissions":[{"resource_type":"report"}]}"#,
            r#"{"permissions":[{"resource_type":"report","actions":[]}]}"#,
            r#"{"permissions":[{"resource_type":"report","actions":"read"}]}"#,
            r#"{"permissions":[{"resource_type":"report","actions":["*"]}]}"#,
            r#"{"permissions":[{"resource_type":"*","actions":["read"]}]}"#,
            r#"{"permissions":[{"resource_type":"report","resource_id":5,"actions":["read"]}]}"#,
            r#"{"permissions":[{"actions":["read"]}]}"#,
        ] {
            assert!(!allows(claims, read), "{claims}");
        }
    }

    #[test]
    fn a_context_is_read_in_one_way_only() {
        for text in [
            "",
            "[]",
            r#"{"a":null}"#,
            r#"{"a":[1]}"#,
            r#"{"a":{}}"#,
            r#"{"a":1,"a":2}"#,
            r#"{"amount":1,"transaction_amount":2}"#,
            r#"{"currency":"EUR","transaction_currency":"eur"}"#,
        ] {
            assert!(ActionContext::of_json(text).is_err(), "{text}");
        }
        assert!(ActionContext::of_json(r#"{"amount":1,"transaction_amount":1.0,"b":"x","c":true}"#).is_ok());
        for pairs in ["", "a", "=1", "a=1,", "a=1,a=1", "amount=1,transaction_amount=2"] {
            assert!(ActionContext::of_pairs(pairs).is_err(), "{pairs}");
        }
    }

    #[test]
    fn limits_that_are_not_judged_are_named() {
        let claims = r#"{"human_present":true,"spend_limit":{},"permissions":[{"resource_type":"a","actions":["b"]}]}"#;
        let context = ActionContext::of_pairs("resource_type=a,action=b").unwrap();
        let limits = judged(claims, &context).unwrap();
        assert_eq!(limits.names().collect::<Vec<_>>(), ["spend_limit", "human_present"]);
    }
}
