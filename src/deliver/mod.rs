//! What a credential's recipient gets beside the token: a certificate that can be read and printed, and a code that
//! leads to its verification.
//!
//! ```text
//!  token ──▶ Credential ──┬──▶ Code ──▶ qr::svg ──┐
//!            decoded,     │    what the code says │
//!            not judged   └──▶ blocks ──▶ fit ────┴──▶ page
//!                              claims     one A4       HTML
//!                              and labels page
//!                                ▲
//!            type metadata ──▶ Look
//! ```
//!
//! Nothing here looks at a signature: paper proves nothing, whoever printed it, and the certificate says so. What its
//! code leads to is what judges. [`Credential::read`] only refuses what is not a credential of a form that is issued
//! here.
//!
//! Of an SD-JWT, the certificate and the code show the same: what is always in the clear, and the disclosures that were
//! asked for.
//!
//! A page is hostile ground, because claims and type metadata hold any text. All text is escaped. A page has no script
//! and loads nothing, which its own policy enforces; colours are `#rrggbb` and nothing else; a logo is a small image
//! that is checked by its first bytes and stands in the page itself.

mod blocks;
mod code;
mod credential;
mod fit;
mod logo;
mod look;
mod page;
mod qr;
mod shown;
mod words;

pub use code::{Carries, Code, MAX_LINK_BYTES};
pub use credential::{Credential, Disclosing, Unfit};
pub use logo::{Logo, MAX_LOGO_BYTES};
pub use look::Look;
pub use page::certificate;
pub use qr::svg;
