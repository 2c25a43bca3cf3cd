//! What a certificate's code says.

use uuid::Uuid;

/// The longest link with a token in it, in bytes. A code of more is too fine for the cameras of older phones at the
/// size that it has on paper.
pub const MAX_LINK_BYTES: usize = 1_000;

/// What a code carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carries {
    /// A link to the verification page, with the token.
    Token,
    /// A link to the verification page, with the credential's id. The page asks for the token.
    Link,
    /// The credential's id alone.
    Id,
}

impl Carries {
    /// The word in the index.
    pub fn as_str(self) -> &'static str {
        match self {
            Carries::Token => "token",
            Carries::Link => "link",
            Carries::Id => "id",
        }
    }
}

/// The text of a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// The text.
    pub text: String,
    /// What it is.
    pub carries: Carries,
}

impl Code {
    /// The code for a credential of this id, whose token is presented like this. A fragment never leaves the browser,
    /// so the page's server does not see the token.
    pub fn of(page: Option<&str>, presented: &str, id: Uuid) -> Code {
        let id = id.urn();
        let Some(page) = page else { return Code { text: id.to_string(), carries: Carries::Id } };
        if page.len() + "#".len() + presented.len() <= MAX_LINK_BYTES {
            return Code { text: format!("{page}#{presented}"), carries: Carries::Token };
        }
        Code { text: format!("{page}#id={id}"), carries: Carries::Link }
    }

    /// Where it leads, if it is a link.
    pub fn link(&self) -> Option<&str> {
        (self.carries != Carries::Id).then_some(self.text.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_in_the_link_only_where_that_is_short() {
        let id = Uuid::from_u128(0x01a2_06e6_9989_7123_a539_f16d_67db_a009);
        let urn = "urn:uuid:01a206e6-9989-7123-a539-f16d67dba009";
        let page = "https://issuer.example/verify/";
        let of = |length: usize| Code::of(Some(page), &"x".repeat(length), id);
        let most = MAX_LINK_BYTES - page.len() - 1;
        assert_eq!((of(most).carries, of(most).text.len()), (Carries::Token, MAX_LINK_BYTES));
        assert_eq!(of(most + 1), Code { text: format!("{page}#id={urn}"), carries: Carries::Link });
        let bare = Code::of(None, "x", id);
        assert_eq!((bare.text.as_str(), bare.carries, bare.link()), (urn, Carries::Id, None));
    }
}
