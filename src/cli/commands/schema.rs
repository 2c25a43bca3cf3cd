//! `beltic schema`.

use clap::Args;

use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::kept::Kept;
use crate::cli::output::{Output, Purpose};
use crate::cli::settings::Settings;
use crate::cli::shared_args::{Common, OutputArgs, TypeArg};
use crate::credential::sd_jwt::type_metadata;
use crate::request::schema;

/// What `schema` takes.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  beltic schema > item.schema.json
  beltic schema --vct > business-v1.json
")]
pub(crate) struct SchemaArgs {
    /// Instead print the SD-JWT type metadata document, for this type URI [default: the configured one]
    #[arg(long, value_name = "URI", num_args = 0..=1)]
    pub vct: Option<Option<String>>,
    /// The issuer, from which the type's URI is derived
    #[arg(long, value_name = "DID", env = "BELTIC_ISSUER", requires = "vct")]
    pub issuer: Option<String>,
    /// What is described.
    #[command(flatten)]
    pub of: TypeArg,
    /// Where the output goes.
    #[command(flatten)]
    pub output: OutputArgs,
}

pub(super) fn run(common: &Common, args: &SchemaArgs) -> Result<ExitStatus, Failure> {
    let settings = match &args.vct {
        None => Settings::load(common)?, // an item says nothing of its issuer
        Some(_) => Settings::load_for(common, &args.issuer)?,
    };
    let output = Output::open(&args.output, Purpose::Read, Kept::default().and_settings(&settings))?;
    let types = settings.types(args.of.credential_type.as_deref())?;
    let credential_type = types.default_type();
    let document = match &args.vct {
        None => schema::item(types),
        Some(vct) => {
            let vct = settings.vct_without_key(credential_type, types, vct, &args.issuer)?;
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
