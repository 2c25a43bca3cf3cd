//! `beltic types`: what can be issued.

use clap::{Args, Subcommand};

use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::kept::Kept;
use crate::cli::output::{Output, Purpose};
use crate::cli::settings::Settings;
use crate::cli::shared_args::{Common, OutputArgs, credential_type};
use crate::source::csv_columns;
use crate::types::{CredentialType, FieldInWords, Types, described};

/// What `types` takes.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  beltic types
  beltic types show agent_authorization
")]
pub(crate) struct TypesArgs {
    /// What to do; without it, list the types
    #[command(subcommand)]
    pub action: Option<TypesAction>,
}

/// What can be done with credential types.
#[derive(Debug, Subcommand)]
pub(crate) enum TypesAction {
    /// Print the fields, CSV columns and disclosure policy of a type
    #[command(before_help = "Examples:
  beltic types show user
")]
    Show {
        /// The type
        #[arg(value_name = "TYPE", value_parser = credential_type())]
        credential_type: &'static CredentialType,
        /// Where the output goes.
        #[command(flatten)]
        output: OutputArgs,
    },
}

pub(super) fn run(common: &Common, args: &TypesArgs) -> Result<ExitStatus, Failure> {
    let settings = Settings::load(common)?;
    let types = settings.types(None)?;
    match &args.action {
        None => super::print(list(types).as_bytes()),
        Some(TypesAction::Show { credential_type, output }) => {
            let output = Output::open(output, Purpose::Read, Kept::default().and_settings(&settings))?;
            output.print_all(shown(credential_type).as_bytes())
        }
    }
}

/// A line for each type, the default first.
fn list(types: Types) -> String {
    let width = types.all().iter().map(|known| known.name.len()).max().unwrap_or_default();
    let line = |known: &&CredentialType| {
        let is_default = *known == types.default_type();
        let mark = if is_default { " Items that name no type are of this one." } else { "" };
        format!("{:width$}  {}{mark}\n", known.name, known.description)
    };
    types.all().iter().map(line).collect()
}

fn shown(credential_type: &'static CredentialType) -> String {
    let CredentialType { name, vc_type, description, .. } = credential_type;
    let fields: Vec<[String; 3]> = described(credential_type.item()).map(cells).collect();
    let width =
        |column: usize| fields.iter().map(|cells| cells[column].chars().count()).max().unwrap_or_default();
    let (path_width, value_width) = (width(0), width(1));
    let field =
        |[path, value, doc]: &[String; 3]| format!("  {path:path_width$}  {value:value_width$}  {doc}\n");
    let columns = csv_columns(credential_type, 1).join(", ");
    let hidden = credential_type.hidden.join(", ");
    format!(
        "{name}: {description}\n\nW3C type: {vc_type}\nvct: {}, or https://HOST/credentials/{name}/v1\n\n\
         Fields (* required):\n{}\nCSV columns, with those of the first element of each list:\n  {columns}\n\n\
         Hidden in sd_jwt_vc:\n  {hidden}\n",
        credential_type.default_vct(None),
        fields.iter().map(field).collect::<String>(),
    )
}

/// The cells of a field's line. On a terminal, code stands without backticks.
fn cells(FieldInWords { path, value, required, doc }: FieldInWords) -> [String; 3] {
    let mark = if required { "*" } else { "" };
    [path + mark, value.replace('`', ""), doc.replace('`', "")]
}
