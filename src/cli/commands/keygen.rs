//! `beltic keygen`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::settings::{self, Settings};
use crate::cli::shared_args::Common;
use crate::files;
use crate::issuer::Issuer;
use crate::keys::IssuerKey;

/// What `keygen` takes.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  beltic keygen
  beltic keygen --issuer did:web:issuer.example
  beltic keygen --out keys/2027.pem
  beltic keygen --if-missing          in scripts: keeps the key that is there
")]
pub(crate) struct KeygenArgs {
    /// Where the private key goes; the public JWK goes beside it, ending in .pub.jwk [default: .beltic/issuer.pem]
    #[arg(long, value_name = "FILE", env = "BELTIC_KEY", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    /// Keep a key that is there, and succeed
    #[arg(long)]
    pub if_missing: bool,
    /// The issuer, from which the key's kid is made [default: the key's own did:key]
    #[arg(long, value_name = "DID", env = "BELTIC_ISSUER")]
    pub issuer: Option<String>,
    /// A file whose first line is the passphrase of the key that is there [else BELTIC_KEY_PASSPHRASE, or a prompt]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "if_missing")]
    pub passphrase_file: Option<PathBuf>,
}

pub(super) fn run(common: &Common, args: &KeygenArgs) -> Result<ExitStatus, Failure> {
    let settings = Settings::load(common)?;
    let path = settings.key_path(&args.out)?;
    let issuer_of = |key: &IssuerKey| settings.issuer(&args.issuer, key.public());
    let (key, issuer) = match make(&path, issuer_of)? {
        Some(made) => made,
        None if args.if_missing => {
            let key = settings::load_key(&path, args.passphrase_file.as_deref(), common.quiet)?;
            let issuer = issuer_of(&key)?;
            (key, issuer)
        }
        None => {
            return Err(Failure::said(ExitStatus::Key, format!("{} is there already", path.display()))
                .hint("`--if-missing` keeps it and succeeds; `--out FILE` makes another key elsewhere"));
        }
    };
    let public_path = write_public(&path, &key, &issuer)?;
    report(&path, &public_path, &issuer)
}

/// Makes a key in a file that is not there yet; `None` where it is. An issuer that cannot be used
/// is found before there is a file.
fn make(
    path: &Path,
    issuer_of: impl Fn(&IssuerKey) -> Result<Issuer, Failure>,
) -> Result<Option<(IssuerKey, Issuer)>, Failure> {
    if path.symlink_metadata().is_ok() {
        return Ok(None);
    }
    let key = IssuerKey::generate()?;
    let issuer = issuer_of(&key)?;
    match files::create_new_private(path, key.to_pkcs8_pem().as_bytes()) {
        Ok(()) => Ok(Some((key, issuer))),
        // Another process was faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Writes the public JWK beside the key.
fn write_public(path: &Path, key: &IssuerKey, issuer: &Issuer) -> Result<PathBuf, Failure> {
    let public_path = path.with_extension("pub.jwk");
    let mut jwk =
        serde_json::to_vec(&key.public().to_jwk(issuer.kid())).expect("a struct of strings has a JSON form");
    jwk.push(b'\n');
    files::replace(&public_path, &jwk)?;
    Ok(public_path)
}

fn report(path: &Path, public_path: &Path, issuer: &Issuer) -> Result<ExitStatus, Failure> {
    let name = if issuer.is_did() { "did" } else { "issuer" };
    super::print(
        format!(
            "key     {}\npublic  {}\nkid     {}\n{name:<7} {}\n",
            path.display(),
            public_path.display(),
            issuer.kid(),
            issuer.id()
        )
        .as_bytes(),
    )
}
