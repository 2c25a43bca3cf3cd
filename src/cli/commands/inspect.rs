//! `beltic inspect`: what a token says, without a word on whether it is true.

use super::super::args::InspectArgs;
use super::super::exit::ExitStatus;
use super::super::failure::Failure;
use super::super::given::{self, undecodable};
use super::super::inspection::{self, Inspection};
use crate::clock;
use crate::json::Parser;

pub(super) fn run(args: &InspectArgs) -> Result<ExitStatus, Failure> {
    let text = given::text(args.input.as_deref())?;
    let mut parser = Parser::default();
    if let Some(keys) =
        parser.parse(&text).ok().and_then(|document| inspection::keys(document.root(), args.json))
    {
        return super::print(keys.as_bytes());
    }
    let tokens = given::tokens(&text)?;
    if tokens.is_empty() {
        return Err(undecodable("the input holds no token"));
    }
    let now = clock::system_now();
    let mut problem = None;
    for (number, token) in tokens.iter().enumerate() {
        let inspection = Inspection::of(token).map_err(|error| {
            let which = if tokens.len() == 1 { "the token".into() } else { format!("token {}", number + 1) };
            undecodable(format!("{which} cannot be decoded: {error}"))
        })?;
        let mut shown = if args.json { inspection.json() } else { inspection.text(now) };
        if !args.json && number > 0 {
            shown.insert(0, '\n');
        }
        super::print(shown.as_bytes())?;
        problem = problem.or(inspection.disclosure_problem());
    }
    match problem {
        Some(problem) => {
            Err(undecodable(format!("the disclosures cannot be put in their places: {problem}")))
        }
        None => Ok(ExitStatus::Done),
    }
}
