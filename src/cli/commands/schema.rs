//! `beltic schema`.

use crate::cli::args::{Common, SchemaArgs};
use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::kept::Kept;
use crate::cli::output::{Output, Purpose};
use crate::cli::settings::Settings;
use crate::credential::sd_jwt::type_metadata;
use crate::request::schema;

pub(super) fn run(common: &Common, args: &SchemaArgs) -> Result<ExitStatus, Failure> {
    let settings = Settings::load(common)?;
    let output = Output::open(&args.output, Purpose::Read, Kept::default().and_settings(&settings))?;
    let types = settings.types();
    let credential_type = types.default_type();
    let document = match &args.vct {
        None => schema::item(types),
        Some(vct) => {
            let vct = settings.vct_without_key(credential_type, vct, &args.issuer)?;
            type_metadata(credential_type, &vct, &settings.disclosure(credential_type)?)
        }
    };
    output.print_all(&text(&document))
}

/// A document as it is printed and published.
pub(super) fn text(document: &serde_json::Value) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(document).expect("a JSON value always has a text");
    text.push(b'\n');
    text
}
