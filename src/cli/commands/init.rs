//! `beltic init`: an issuer, a key and a settings file for the working directory.
//!
//! All answers are known before anything is written: flags first, then questions on a terminal, then, with `--yes`, the
//! defaults. The key is made first and the settings file last, each whole or not at all and never over a file. So a run
//! that dies in between leaves a key, which the next run keeps.

use std::path::{Path, PathBuf};

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueHint};

use super::{keygen, template};
use crate::cli::asking;
use crate::cli::config::ConfigFile;
use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::project::{PROJECT_FILE, STATE_FOLDER};
use crate::cli::settings::{self, Settings};
use crate::cli::shared_args::{Common, TypeArg};
use crate::cli::streams;
use crate::files;
use crate::issuer::{Issuer, check_https_url};
use crate::json;
use crate::keys::IssuerKey;
use crate::source::PUT_IT;

/// What `init` takes.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  beltic init
  beltic init --issuer issuer.example --yes
  beltic init --issuer did:web:issuer.example --map export.csv --encrypt
  beltic init --issuer did:key --status-base-url https://status.example --yes
")]
pub(crate) struct InitArgs {
    /// Who issues: a host, did:web:HOST, https://HOST, or did:key for the key's own
    #[arg(long, value_name = "ISSUER", value_parser = NonEmptyStringValueParser::new())]
    pub issuer: Option<String>,
    /// Where you will publish status lists [default: the place of a did:web or https issuer]
    #[arg(long, value_name = "URL", value_parser = NonEmptyStringValueParser::new())]
    pub status_base_url: Option<String>,
    /// What you issue.
    #[command(flatten)]
    pub of: TypeArg,
    /// Map the header of this CSV file, with the best guess for each column
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub map: Option<PathBuf>,
    /// With --map: what separates CSV cells, one character or `tab` [default: found in the header]
    #[arg(long, value_name = "CHAR", requires = "map")]
    pub delimiter: Option<String>,
    /// With --map: the encoding of the file, such as windows-1252 [default: UTF-8, or UTF-16 by its BOM]
    #[arg(long, value_name = "NAME", requires = "map")]
    pub encoding: Option<String>,
    /// Encrypt the private key; the passphrase is that of --passphrase-file or BELTIC_KEY_PASSPHRASE, or is asked for
    #[arg(long)]
    pub encrypt: bool,
    /// A file whose first line is the passphrase of the key [else BELTIC_KEY_PASSPHRASE, or a prompt]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub passphrase_file: Option<PathBuf>,
    /// Do not ask: take the default for whatever no flag says
    #[arg(long, short)]
    pub yes: bool,
}

/// The answers.
struct Plan {
    /// Who issues; the key's own did:key where there is none.
    issuer: Option<String>,
    status_base_url: Option<String>,
    credential_type: Option<String>,
    /// Settings under `csv`, as YAML.
    mapping: Option<String>,
    encrypt: bool,
}

pub(super) fn run(common: &Common, args: &InitArgs) -> Result<ExitStatus, Failure> {
    let settings_file = Path::new(PROJECT_FILE);
    if settings_file.symlink_metadata().is_ok() {
        return Err(Failure::said(ExitStatus::Files, format!("{PROJECT_FILE} already exists"))
            .hint("edit it, and run `beltic doctor` to check it"));
    }
    keygen::confirm_second_identity("init", args.yes)?;
    // What a project further up says is not about this folder.
    let settings = Settings::load(common)?.without_project();
    let plan = Plan::of(args, &settings)?;
    let text = plan.settings_text();
    ConfigFile::parse(text.as_bytes()).map_err(|problem| Failure::said(ExitStatus::Unexpected, problem))?;

    let key_path = Path::new(STATE_FOLDER).join("issuer.pem");
    let issuer_of = |key: &IssuerKey| plan.issuer_of(key);
    let passphrase = || settings::new_passphrase(args.passphrase_file.as_deref(), plan.encrypt);
    let (key, issuer, is_new) = match keygen::make(&key_path, passphrase, issuer_of)? {
        Some((key, issuer)) => (key, issuer, true),
        None => {
            let key = settings::load_key(&key_path, args.passphrase_file.as_deref(), common.quiet)?;
            let issuer = issuer_of(&key)?;
            (key, issuer, false)
        }
    };
    let public_path = keygen::write_public(&key_path, &key, &issuer)?;
    files::create_new(settings_file, text.as_bytes())?;
    let kept = if is_new { "" } else { " (kept)" };
    super::print(
        format!(
            "key       {}{kept}\npublic    {}\nsettings  {PROJECT_FILE}\nissuer    {}\n\n{}",
            key_path.display(),
            public_path.display(),
            issuer.id(),
            plan.next_steps(args, &issuer)
        )
        .as_bytes(),
    )
}

impl Plan {
    fn of(args: &InitArgs, settings: &Settings) -> Result<Plan, Failure> {
        let types = settings.types(args.of.credential_type.as_deref())?;
        let mapping = args
            .map
            .as_deref()
            .map(|file| template::mapping(settings, (&args.delimiter, &args.encoding), types, file));
        let issuer = issuer(args)?;
        let status_base_url = status_base_url(args, issuer.as_deref())?;
        Ok(Plan {
            issuer,
            status_base_url,
            credential_type: args.of.credential_type.clone(),
            mapping: mapping.transpose()?,
            encrypt: encrypt(args)?,
        })
    }

    fn issuer_of(&self, key: &IssuerKey) -> Result<Issuer, Failure> {
        match &self.issuer {
            Some(issuer) => Ok(Issuer::parse(issuer, key.public())?),
            None => Ok(Issuer::of_key(key.public())),
        }
    }

    /// The settings file.
    fn settings_text(&self) -> String {
        let mut text =
            "# Settings of beltic. `beltic help settings` explains every key; `beltic doctor` checks this \
                        file.\n\n# Who issues. Without this, the key's own did:key does.\n"
                .to_owned();
        match &self.issuer {
            Some(issuer) => text.push_str(&format!("issuer:\n  did: {}\n", json::string(issuer))),
            None => text.push_str("# issuer:\n#   did: did:web:issuer.example\n"),
        }
        text.push_str("\n# Where verifiers fetch the status lists that `beltic publish` writes.\n");
        match &self.status_base_url {
            Some(url) => text.push_str(&format!("status:\n  base_url: {}\n", json::string(url))),
            None => text.push_str("# status:\n#   base_url: https://issuer.example\n"),
        }
        text.push_str("\n# What is issued where an item does not say it, and for how long.\n");
        match &self.credential_type {
            Some(name) => {
                text.push_str(&format!("credential:\n  type: {}\n  # ttl: P1Y\n", json::string(name)))
            }
            None => text.push_str("# credential:\n#   type: business\n#   ttl: P1Y\n"),
        }
        if let Some(mapping) = &self.mapping {
            text.push_str("\n# How the columns of your CSV files are read.\n");
            text.push_str(&mapping.replacen(PUT_IT, "", 1));
        }
        text
    }

    /// What to do next, as commands that work as they stand.
    fn next_steps(&self, args: &InitArgs, issuer: &Issuer) -> String {
        let items = match &args.map {
            Some(file) => shell_word(&streams::printable(&file.display().to_string())),
            None => "items.csv".to_owned(),
        };
        let mut text = "Next:\n".to_owned();
        if args.map.is_none() {
            text.push_str("  beltic template csv > items.csv    # then add a row for each item\n");
        }
        text.push_str(&format!(
            "  beltic batch-issue {items} --dry-run    # says what is still wrong or missing\n  beltic batch-issue {items} --out results.ndjson\n  beltic \
             publish --out site\n"
        ));
        if let Some(host) = issuer.host() {
            text.push_str(&format!("and put what is in site/ on https://{host}\n"));
        }
        text
    }
}

/// A path as a word of a shell's command line, and never as a flag.
fn shell_word(path: &str) -> String {
    let path = if path.starts_with('-') { format!("./{path}") } else { path.to_owned() };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"./_-+,:@%".contains(&byte) || byte >= 0x80;
    match path.bytes().all(is_plain) {
        true => path,
        false => format!("'{}'", path.replace('\'', "'\\''")),
    }
}

/// Who issues, by the flag, an answer, or the default.
fn issuer(args: &InitArgs) -> Result<Option<String>, Failure> {
    if let Some(given) = &args.issuer {
        return read_issuer(given);
    }
    if args.yes {
        return Ok(None);
    }
    loop {
        let question =
            "Issuer: a host such as issuer.example, did:web:HOST, https://HOST, or did:key for the key's own";
        match read_issuer(&ask(question, "did:key", "--issuer")?) {
            Ok(issuer) => return Ok(issuer),
            Err(failure) => streams::say(&failure.message()),
        }
    }
}

/// A host alone is a did:web. A trial key finds out whether the issuer can be one.
fn read_issuer(text: &str) -> Result<Option<String>, Failure> {
    let issuer = match text {
        "did:key" => return Ok(None),
        text if text.starts_with("did:") || text.contains("://") => text.trim_end_matches('/').to_owned(),
        place => did_web_of(place.trim_end_matches('/')),
    };
    Issuer::parse(&issuer, IssuerKey::generate()?.public())?;
    Ok(Some(issuer))
}

/// The did:web of a host, with its port and path (did:web method, "Method-specific identifier").
fn did_web_of(place: &str) -> String {
    let (host, path) = place.split_once('/').unwrap_or((place, ""));
    let host = host.to_ascii_lowercase().replacen(':', "%3A", 1);
    let path: String =
        path.split('/').filter(|segment| !segment.is_empty()).map(|segment| format!(":{segment}")).collect();
    format!("did:web:{host}{path}")
}

/// Where status lists are published; none where that is decided later.
fn status_base_url(args: &InitArgs, issuer: Option<&str>) -> Result<Option<String>, Failure> {
    let default = match issuer {
        Some(issuer) => Issuer::parse(issuer, IssuerKey::generate()?.public())?.default_status_base(),
        None => None,
    };
    if let Some(url) = &args.status_base_url {
        check_base_url(url)?;
        return Ok(Some(url.clone()));
    }
    // The place of the issuer is what is asked for anyway.
    if args.yes || default.is_some() && args.issuer.is_some() {
        return Ok(default);
    }
    loop {
        let question = "Address where you will publish status lists (an https:// URL; empty: decide later)";
        let answer = ask(question, default.as_deref().unwrap_or_default(), "--status-base-url")?;
        match answer.as_str() {
            "" => return Ok(None),
            url => match check_base_url(url) {
                Ok(()) => return Ok(Some(answer)),
                Err(failure) => streams::say(&failure.message()),
            },
        }
    }
}

fn check_base_url(url: &str) -> Result<(), Failure> {
    check_https_url(url)
        .map_err(|fault| Failure::usage(format!("'{url}' is not an https:// URL without a query: {fault}")))
}

/// Whether the key is encrypted. A key that is there stays as it is.
fn encrypt(args: &InitArgs) -> Result<bool, Failure> {
    let path = Path::new(STATE_FOLDER).join("issuer.pem");
    let exists = path.symlink_metadata().is_ok();
    if args.encrypt && exists {
        let message = format!("--encrypt is for a new key, and {} already exists", path.display());
        return Err(Failure::usage(message).hint("leave out `--encrypt` to keep that key as it is"));
    }
    if args.encrypt || args.yes || exists || !asking::is_possible() {
        return Ok(args.encrypt);
    }
    asking::confirm("Encrypt the private key with a passphrase?")
}

/// The answer to a question that no flag answered.
fn ask(question: &str, default: &str, flag: &str) -> Result<String, Failure> {
    let missing = || {
        Failure::usage(format!("`beltic init` needs {flag} where it cannot ask"))
            .hint("or pass `--yes` to take the default for whatever no flag says")
    };
    if !asking::is_possible() {
        return Err(missing());
    }
    asking::line(question, default)?.ok_or_else(missing)
}
