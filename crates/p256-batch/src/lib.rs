#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod field;
mod point;
mod scalar;
mod sums;
mod table;
mod verifier;
mod words;

pub use verifier::{InvalidKey, KeyId, Keys, Signature, Verifier};

#[cfg(test)]
mod tests;
