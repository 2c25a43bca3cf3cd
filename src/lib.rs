#![doc = include_str!("README.md")]

#[doc(hidden)]
pub mod batch;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod clock;
#[doc(hidden)]
pub mod codes;
#[doc(hidden)]
pub mod credential;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod deliver;
#[doc(hidden)]
pub mod files;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod html;
#[doc(hidden)]
pub mod invisible;
#[doc(hidden)]
pub mod issuer;
#[doc(hidden)]
pub mod json;
#[doc(hidden)]
pub mod keys;
#[doc(hidden)]
pub mod ledger;
#[cfg(test)]
#[path = "../tests/support/machine.rs"]
mod machine;
#[doc(hidden)]
pub mod pipeline;
#[doc(hidden)]
pub mod publish;
#[doc(hidden)]
pub mod request;
#[doc(hidden)]
pub mod results;
#[doc(hidden)]
pub mod sample;
#[doc(hidden)]
pub mod sorter;

pub mod source;
#[doc(hidden)]
pub mod status_list;
#[doc(hidden)]
pub mod stop;

pub mod sync;
#[doc(hidden)]
pub mod token;
#[doc(hidden)]
pub mod types;
#[doc(hidden)]
pub mod verify;

pub use batch::{BatchError, Delivery, IssueError, Outcome, Plan, Register, Render, Row, issue};
pub use clock::{Clock, UnixTime};
pub use credential::{Profile, ProfileSettings, ProofFormat, Resource};
pub use issuer::Issuer;
pub use keys::{IssuerKey, PublicKey, Signer, SigningKey};
pub use ledger::{Ledger, LedgerError, RunDescription};
pub use publish::{Directory, Site, SitePlan};
pub use request::rules::CalendarDuration;
pub use request::{Rejection, Rules};
pub use source::{Input, InputName, Items, Options, Source};
pub use stop::Stop;
pub use types::{CredentialType, Types};
pub use verify::{KeyRing, NoLists, Policy, Verdict, Verifier};
