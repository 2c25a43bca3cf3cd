//! Rules between the members of one object.

/// A rule between members of the object in whose table it stands.
#[derive(Debug)]
pub enum Rule {
    /// The shares in a list are parts of a whole, so a sum beyond 100 percent deserves a look.
    SharesOfAWhole {
        /// The member that is the list.
        list: &'static str,
        /// The member of each element that is a share, in percent.
        share: &'static str,
    },
    /// A member says nothing without another one.
    Needs {
        /// The member.
        member: &'static str,
        /// The one that must be there with it.
        other: &'static str,
    },
    /// A member is believed only where another one has one of these words.
    NeedsWord {
        /// The member.
        member: &'static str,
        /// The one that decides, which must be there.
        other: &'static str,
        /// What it must say.
        words: &'static [&'static str],
    },
    /// The delegation must be named if an element of a list has this word in one of its members.
    DelegationNeeded {
        /// The member.
        member: &'static str,
        /// The list.
        list: &'static str,
        /// The member of an element, and what it says.
        says: (&'static str, &'static str),
    },
    /// What a condition compares with fits its operator: `lte`, `lt`, `gte` and `gt` compare numbers, `in` looks into
    /// an array that is not empty, others compare with one value.
    Comparison {
        /// The member that is the operator.
        operator: &'static str,
        /// The member with which it compares.
        value: &'static str,
    },
    /// A member that is a public JWK is the key of another one, a did:jwk.
    KeyOfDid {
        /// The did:jwk.
        did: &'static str,
        /// The public JWK.
        jwk: &'static str,
    },
    /// The holder's key (`cnf.jwk`) is the key of `subject.id`, a did:jwk, and is made from that where it is absent.
    HolderIsSubject,
    /// A member of an object should be among the elements of a list beside that object.
    AmongThese {
        /// The object, and its member.
        of: (&'static str, &'static str),
        /// The list.
        list: &'static str,
    },
    /// The credential should not live longer than this many days.
    ShortLife {
        /// The days.
        days: u16,
    },
    /// A member most likely belongs to another one, so its being alone deserves a look.
    SeldomAlone {
        /// The member.
        member: &'static str,
        /// The one that is expected with it.
        other: &'static str,
    },
}
