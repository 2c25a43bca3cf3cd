//! `beltic present`: the holder's side of an SD-JWT.

use super::super::args::PresentArgs;
use super::super::exit::ExitStatus;
use super::super::failure::Failure;
use super::super::given::{self, undecodable};
use super::super::streams::printable;
use crate::token::{self, PresentError};

pub(super) fn run(args: &PresentArgs) -> Result<ExitStatus, Failure> {
    let text = given::text(args.input.as_deref())?;
    let tokens = given::tokens(&text)?;
    let [token] = &tokens[..] else {
        let found = tokens.len();
        return Err(undecodable(format!("found {found} tokens; expected one, to be presented")));
    };
    let presented = token::present(token, &args.disclose).map_err(failure)?;
    super::print(format!("{presented}\n").as_bytes())
}

fn failure(error: PresentError) -> Failure {
    match error {
        PresentError::UnknownPath { path, known } => {
            let there_are = match known.is_empty() {
                true => "the token has no disclosures".to_owned(),
                false => format!("the token has: {}", printable(&known.join(", "))),
            };
            Failure::usage(format!("no disclosure is at \"{}\"", printable(&path))).hint(there_are)
        }
        PresentError::AmbiguousPath { path, pointers } => {
            let message = format!("\"{}\" is the path of {} disclosures", printable(&path), pointers.len());
            let pointers = printable(&pointers.join(" or "));
            Failure::usage(message).hint(format!("name the one by its JSON Pointer: {pointers}"))
        }
        other => undecodable(format!("the token cannot be presented: {other}")),
    }
}
