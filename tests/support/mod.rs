//! What test binaries share: readers that have no code in common with the crate under test.
#![allow(dead_code, reason = "not every test binary uses all of it")]

pub(crate) mod exact;
pub(crate) mod machine;
pub(crate) mod property;
pub(crate) mod sd_jwt;
pub(crate) mod sign;
pub(crate) mod table;
pub(crate) mod token;
