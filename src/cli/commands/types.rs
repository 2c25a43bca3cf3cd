//! `beltic types`: what can be issued.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::kept::Kept;
use crate::cli::output::{Output, Purpose};
use crate::cli::settings::{self, Settings};
use crate::cli::shared_args::{Common, OutputArgs, credential_type};
use crate::cli::type_file::TypeFile;
use crate::source::csv_columns;
use crate::types::{CredentialType, FieldInWords, FieldKind, Object, Types, described};

/// What `types` takes.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  beltic types
  beltic types show agent_authorization
  beltic types new trade_licence --out trade_licence.yaml
  beltic types check trade_licence.yaml
")]
pub(crate) struct TypesArgs {
    /// The action; without one, list the types
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
        /// Name of the type
        #[arg(value_name = "TYPE", value_parser = credential_type())]
        credential_type: String,
        /// Where the output goes.
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Check the definition file of your own type
    #[command(before_help = "Examples:
  beltic types check trade_licence.yaml
")]
    Check {
        /// The file
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Print a definition file to fill in, for your own type
    #[command(before_help = "Examples:
  beltic types new trade_licence --out trade_licence.yaml
")]
    New {
        /// Name of the type: lower-case letters, digits and _
        #[arg(value_name = "NAME")]
        name: String,
        /// Where the output goes.
        #[command(flatten)]
        output: OutputArgs,
    },
}

pub(super) fn run(common: &Common, args: &TypesArgs) -> Result<ExitStatus, Failure> {
    let settings = Settings::load(common)?;
    match &args.action {
        None => super::print(list(settings.types(None)?).as_bytes()),
        Some(TypesAction::Show { credential_type, output }) => {
            let known = settings.type_shown(credential_type)?;
            let output = Output::open(output, Purpose::Read, Kept::default().and_settings(&settings))?;
            output.print_all(shown(known).as_bytes())
        }
        Some(TypesAction::Check { file }) => {
            let file = TypeFile::read(file)?;
            let known = settings::define_type(&file, settings.types_beside(file.definition().type_name())?)?;
            super::print(checked(known).as_bytes())
        }
        Some(TypesAction::New { name, output }) => {
            let text = new(name)?;
            TypeFile::of_new(&text)?.define(settings.known_types()?)?;
            let output = Output::open(output, Purpose::Read, Kept::default().and_settings(&settings))?;
            output.print_all(text.as_bytes())
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
    let hidden = match credential_type.hidden {
        [] => "nothing".to_owned(),
        hidden => hidden.join(", "),
    };
    let more = match credential_type.schema() {
        Some(_) => "\nThe schema has rules beside these: `beltic schema` prints them.\n",
        None => "",
    };
    let mut vct = credential_type.default_vct(None);
    if credential_type.default_vct(Some("HOST")) != vct {
        vct += &format!(", or https://HOST/credentials/{name}/v1");
    }
    format!(
        "{name}: {description}\n\nW3C type: {vc_type}\nvct: {vct}\n\n\
         Fields (* required):\n{}{more}\nCSV columns, with those of the first element of each list:\n  {columns}\n\n\
         Hidden in sd_jwt_vc:\n  {hidden}\n",
        fields.iter().map(field).collect::<String>(),
    )
}

/// The cells of a field's line. On a terminal, code stands without backticks.
fn cells(FieldInWords { path, value, required, doc }: FieldInWords) -> [String; 3] {
    let mark = if required { "*" } else { "" };
    [path + mark, value.replace('`', ""), doc.replace('`', "")]
}

/// What was checked, and what deserves a look.
fn checked(known: &'static CredentialType) -> String {
    let fields = described(known.subject.1).chain(described(known.claims.1)).count();
    let columns = csv_columns(known, 1).len();
    let speed = match known.schema() {
        None => "fast schema validation (tables only)",
        Some(_) => "slower schema validation (rules beyond tables)",
    };
    let plural = if fields == 1 { "" } else { "s" };
    let mut text = format!("{}: {fields} field{plural}, {columns} CSV columns; {speed}\n", known.name);
    for path in personal_in_the_clear(known) {
        text += &format!(
            "note: {path} is personal and in the clear in sd_jwt_vc; `disclosure: {{{path}: always}}` hides it\n"
        );
    }
    text
}

/// Fields that are personal, and that neither they nor what they stand in hides.
fn personal_in_the_clear(known: &'static CredentialType) -> Vec<String> {
    let mut found = Vec::new();
    for (part, (_, table)) in [("subject", known.subject), ("claims", known.claims)] {
        collect_personal(known, table, part, &mut found);
    }
    found
}

fn collect_personal(known: &CredentialType, object: &Object, path: &str, found: &mut Vec<String>) {
    for field in object.fields {
        let mut path = format!("{path}.{}", field.name);
        if known.hidden.contains(&path.as_str()) {
            continue;
        }
        let mut kind = &field.kind;
        if let FieldKind::Array { of, .. } = kind {
            path += "[]";
            kind = &of.kind;
        }
        match kind {
            _ if known.hidden.contains(&path.as_str()) => {}
            FieldKind::Object(inside) => collect_personal(known, inside, &path, found),
            _ if field.personal => found.push(path),
            _ => {}
        }
    }
}

/// The file of a new type, with every setting and what it means.
fn new(name: &str) -> Result<String, Failure> {
    const TEMPLATE: &str = include_str!("new_type.yaml");
    let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    if !name.starts_with(|first: char| first.is_ascii_lowercase())
        || !name.chars().all(is_plain)
        || name.len() > 64
    {
        let message =
            format!("the name is \"{name}\"; expected small letters, digits and _, such as trade_licence");
        return Err(Failure::usage(message));
    }
    let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    let words: Vec<&str> = name.split('_').filter(|word| !word.is_empty()).collect();
    let vc_type = words.iter().map(|word| capital(word)).collect::<String>() + "Credential";
    let title = capital(&words.join(" "));
    Ok(TEMPLATE.replace("NAME", name).replace("VcType", &vc_type).replace("Title", &title))
}
