//! `beltic schema`.

use super::super::exit::ExitStatus;
use super::super::failure::Failure;
use crate::request::schema;

pub(super) fn run() -> Result<ExitStatus, Failure> {
    let mut text = serde_json::to_vec_pretty(&schema::item()).expect("a JSON value always has a text");
    text.push(b'\n');
    super::print(&text)
}
