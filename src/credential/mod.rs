//! Credentials: what is signed, and the resource that a result shows.
//!
//! A [`Profile`] holds what all credentials of a run have in common, written out once. An
//! [`Assembler`] puts a draft, its grant and the profile together; each worker has its own.

mod assemble;
mod evidence;
mod jwt_vc;
mod own;
mod profile;
mod record;
mod resource;
pub mod sd_jwt;
mod size;
mod status;

pub use assemble::{Assembler, AssemblyError, Tokens};
pub use own::{Contradiction, OwnCredential, stated_status};
pub use profile::{Profile, ProfileSettings, ProofFormat, TypeProfile, TypeSettings};
pub use record::{CredentialStatus, Grant, ListUris, Status, parse_id};
pub use resource::Resource;
pub use size::beyond_verifiers;
