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
    /// A member most likely belongs to another one, so its being alone deserves a look.
    SeldomAlone {
        /// The member.
        member: &'static str,
        /// The one that is expected with it.
        other: &'static str,
    },
}
