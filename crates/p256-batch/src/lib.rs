#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod dispatch;
mod field;
#[cfg(target_arch = "x86_64")]
mod ifma;
mod point;
mod scalar;
mod sums;
mod table;
mod verifier;
mod words;

pub use dispatch::Engine;
pub use verifier::{InvalidKey, KeyId, Keys, Signature, Verifier};

#[cfg(test)]
mod tests;
