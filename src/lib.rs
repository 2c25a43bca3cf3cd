//! beltic issues verifiable business credentials in bulk, offline.
//!
//! The library is the inside of the `beltic` command. Its API carries no promise; the command's
//! promises are in the README.
//!
//! Modules, from the edge inwards. Imports point down only.
//!
//! | layer | modules |
//! | --- | --- |
//! | edge | [`cli`]: arguments, settings, output forms, exit codes |
//! | engine | [`batch`]: the main job; [`verify`]: judging tokens; [`results`]: reads what it wrote; [`publish`]: the site from keys and ledger; [`pipeline`]: ordered parallel work; [`source`]: JSON, NDJSON and CSV readers |
//! | domain | [`types`]: what can be issued, said once; [`request`], [`credential`], [`ledger`], [`status`]: the two forms of status lists; [`site`]: what verifiers fetch; [`token`]: reading what is signed; [`issuer`]; [`keys`]: whatever signs and verifies |
//! | ground | [`sample`]: invented companies for benchmarks; [`json`], [`files`], [`clock`], [`stop`], [`invisible`]: characters that nobody sees |

pub mod batch;
pub mod cli;
pub mod clock;
pub mod credential;
pub mod files;
pub mod invisible;
pub mod issuer;
pub mod json;
pub mod keys;
pub mod ledger;
#[cfg(test)]
#[path = "../tests/support/machine.rs"]
mod machine;
pub mod pipeline;
pub mod publish;
pub mod request;
pub mod results;
pub mod sample;
pub mod site;
pub mod source;
pub mod status;
pub mod stop;
pub mod token;
pub mod types;
pub mod verify;
