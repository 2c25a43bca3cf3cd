//! The forms of a status list, and whether those that are published already can stay.

use std::collections::HashSet;

use serde_json::Value;

use super::SitePlan;
use crate::credential::Status;
use crate::keys::{self, CertificateChain, PublicKey};
use crate::ledger::ListState;
use crate::ledger::allocation::LIST_ENTRIES;
use crate::publish::documents::DocumentKind;
use crate::status_list::bitstring::{self, Bitstring, ListCredential, StatusPurpose};
use crate::status_list::token_list::{self, TokenList};
use crate::status_list::{StatusArray, StatusType, Width};
use crate::token::{Compact, Part, decode_text};

/// A form of a list, before it is signed.
pub(super) struct UnsignedList {
    pub(super) uri: String,
    pub(super) kind: DocumentKind,
    pub(super) header: String,
    pub(super) payload: String,
}

/// The entries of a list with one of these statuses.
pub(super) fn entries_of(list: &ListState, statuses: &[Status]) -> HashSet<u64> {
    let found = list.entries.iter().filter(|(_, status)| statuses.contains(status));
    found.map(|(index, _)| (*index).into()).collect()
}

/// Every form of a list: the token list, and a bitstring for each purpose that is in use.
pub(super) fn forms(
    list: &ListState,
    plan: &SitePlan<'_>,
    aggregation_uri: Option<&str>,
) -> Vec<UnsignedList> {
    let validity = plan.validity;
    // A list keeps the second bit once it had one.
    let width = if list.uris.suspension.is_some() { Width::Two } else { Width::One };
    let mut array = StatusArray::new(LIST_ENTRIES, width);
    for (index, status) in &list.entries {
        array.set((*index).into(), on_the_wire(*status)).expect("an index of the ledger is in its list");
    }
    let x5c = plan.x5c.as_ref().map(CertificateChain::to_json);
    let (uri, issuer) = (&list.uris.token, plan.issuer.id());
    let token = TokenList { uri, issuer, validity, array: &array, aggregation_uri };
    let mut forms = vec![UnsignedList {
        uri: list.uris.token.clone(),
        kind: DocumentKind::TokenList,
        header: token_list::header(plan.issuer.kid(), x5c.as_deref()),
        payload: token.payload(),
    }];
    let bitstrings = [
        (Some(&list.uris.bitstring), StatusPurpose::Revocation, Status::Revoked),
        (list.uris.suspension.as_ref(), StatusPurpose::Suspension, Status::Suspended),
    ];
    for (url, purpose, status) in bitstrings {
        let Some(url) = url else { continue };
        let set = list.entries.iter().filter(|(_, entry)| *entry == status).map(|(index, _)| (*index).into());
        let bits = Bitstring::with(LIST_ENTRIES, set).expect("an index of the ledger is in its list");
        let credential = ListCredential { url, issuer: plan.issuer.id(), validity, purpose, list: &bits };
        forms.push(UnsignedList {
            uri: url.clone(),
            kind: DocumentKind::BitstringList,
            header: bitstring::header(plan.issuer.kid()),
            payload: credential.payload(),
        });
    }
    forms
}

fn on_the_wire(status: Status) -> StatusType {
    match status {
        Status::Active => StatusType::Valid,
        Status::Suspended => StatusType::Suspended,
        Status::Revoked => StatusType::Invalid,
    }
}

/// Whether a published list can stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Freshness {
    Fresh,
    /// It says what it should, but for less than half of its life.
    Lapsing,
    /// It is not there, says something else, or is not signed by the current key.
    Outdated,
}

impl UnsignedList {
    pub(super) fn freshness(&self, published: Option<&[u8]>, plan: &SitePlan<'_>) -> Freshness {
        let times = published.and_then(|bytes| self.times_if_same(bytes, plan.key.public()));
        let now = plan.validity.issued_at.seconds();
        match times {
            None => Freshness::Outdated,
            // Signed before a clock was put back: it does not hold yet.
            Some((issued, _)) if issued > now => Freshness::Outdated,
            Some((issued, expires)) if (expires - now) * 2 < expires - issued => Freshness::Lapsing,
            Some(_) => Freshness::Fresh,
        }
    }

    /// `iat` and `exp` of a published list that differs from this one in nothing else and is
    /// signed by the key.
    fn times_if_same(&self, published: &[u8], key: &PublicKey) -> Option<(i64, i64)> {
        let token = Compact::split(std::str::from_utf8(published).ok()?).ok()?;
        let (mut buffer, mut signature) = (Vec::new(), Vec::new());
        if decode_text(token.header, Part::Header, &mut buffer).ok()? != self.header {
            return None;
        }
        let payload = decode_text(token.payload, Part::Payload, &mut buffer).ok()?;
        let mut theirs: Value = serde_json::from_str(payload).ok()?;
        let times = (theirs.get("iat")?.as_i64()?, theirs.get("exp")?.as_i64()?);
        let mut ours: Value = serde_json::from_str(&self.payload).expect("a payload of ours is JSON");
        for payload in [&mut theirs, &mut ours] {
            let members = payload.as_object_mut()?;
            for time in ["iat", "exp", "validFrom", "validUntil"] {
                members.remove(time);
            }
        }
        let signature = crate::token::decode(token.signature, Part::Signature, &mut signature).ok()?;
        let sound = keys::verify_es256(key, token.signing_input(), signature);
        (ours == theirs && sound).then_some(times)
    }
}
