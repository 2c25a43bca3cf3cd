//! JSON as the signer needs it: what was reviewed is what gets signed.
//!
//! An item is parsed once, into a [`Document`] that keeps every value's place in the text. That
//! is why the project has a parser of its own: general-purpose ones give back values, and with
//! them go the spelling of numbers, the second of two equal keys, and the means to copy a
//! validated piece of text into a credential without writing it anew.
//!
//! The grammar is RFC 8259, strictly. Faults that leave the structure clear (a repeated key, an
//! escaped NUL, half a surrogate pair) do not end the parse: they are listed with their place, so
//! that they can be reported together with everything else that is wrong with the item.

mod decimal;
mod document;
mod escape;
mod object;
mod parse;
mod same;
mod write;

pub use decimal::Decimal;
pub use document::{Document, Fault, FaultKind, Kind, Value};
pub(crate) use document::{pointer_segments, pointer_to, push_pointer_segment};
pub(crate) use object::object;
pub use parse::{MAX_DEPTH, Parser, SyntaxError, SyntaxProblem};
pub use write::{push_number, push_str, push_str_to, string};
