//! `beltic keygen`, and the making of keys for `beltic init`.
//!
//! A key is made where the user is: in the working directory, unless a flag or a variable names another place. Inside a
//! project further up that would be a second identity beside the first, so it takes an answer or `--yes`. A key that
//! was made is on the disk before anything is said about it, and never replaces a file.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use zeroize::Zeroizing;

use crate::cli::asking;
use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::project;
use crate::cli::settings::{self, Settings};
use crate::cli::shared_args::Common;
use crate::files;
use crate::issuer::Issuer;
use crate::keys::{IssuerKey, PublicKey};

/// What `keygen` takes.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  beltic keygen
  beltic keygen --encrypt
  beltic keygen --issuer did:web:issuer.example
  beltic keygen --out keys/2027.pem
  beltic keygen --if-missing          in scripts: keeps the key that is there
")]
pub(crate) struct KeygenArgs {
    /// Write the private key to this file, and the public JWK to one beside it that ends in .pub.jwk [default: .beltic/issuer.pem]
    #[arg(long, value_name = "FILE", env = "BELTIC_KEY", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    /// Encrypt the private key; the passphrase is that of --passphrase-file or BELTIC_KEY_PASSPHRASE, or is asked for
    #[arg(long)]
    pub encrypt: bool,
    /// Keep an existing key, and succeed
    #[arg(long)]
    pub if_missing: bool,
    /// The issuer; determines the key's kid [default: the key's own did:key]
    #[arg(long, value_name = "DID", env = "BELTIC_ISSUER")]
    pub issuer: Option<String>,
    /// A file whose first line is the passphrase, of a new key or of the existing one [else BELTIC_KEY_PASSPHRASE, or a prompt]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub passphrase_file: Option<PathBuf>,
    /// Make a key of its own inside another project without asking
    #[arg(long, short)]
    pub yes: bool,
}

pub(super) fn run(common: &Common, args: &KeygenArgs) -> Result<ExitStatus, Failure> {
    let mut settings = Settings::load(common)?;
    let mut path = settings.key_path(&args.out)?;
    let is_kept = args.if_missing && path.symlink_metadata().is_ok();
    if args.out.is_none() && !is_kept && confirm_second_identity("keygen", args.yes)? {
        settings = settings.without_project();
        path = settings.key_path(&args.out)?;
    }
    let issuer_of = |key: &IssuerKey| settings.issuer(&args.issuer, key.public());
    let passphrase = || settings::new_passphrase(args.passphrase_file.as_deref(), args.encrypt);
    let (key, issuer) = match make(&path, passphrase, issuer_of)? {
        Some(made) => made,
        None if args.if_missing => {
            let key = settings::load_key(&path, args.passphrase_file.as_deref(), common.quiet)?;
            let issuer = issuer_of(&key)?;
            (key, issuer)
        }
        None => {
            return Err(Failure::said(ExitStatus::Key, format!("{} already exists", path.display())).hint(
                "use `--if-missing` to keep it and succeed, or `--out FILE` to write another key elsewhere",
            ));
        }
    };
    let public_path = write_public(&path, &key, &issuer)?;
    report(&path, &public_path, &issuer)
}

/// Whether the user wants an identity of its own for the working directory, which is inside a project further up;
/// false where it is not inside one.
///
/// # Errors
/// Where they do not, or cannot be asked.
pub(super) fn confirm_second_identity(command: &str, yes: bool) -> Result<bool, Failure> {
    let here = std::env::current_dir().unwrap_or_default();
    let Some(project) = project::nearest(&here).filter(|folder| *folder != here) else { return Ok(false) };
    let project = project.display();
    let question = format!("This folder is inside the project {project}. Make a second issuer here?");
    if yes || asking::is_possible() && asking::confirm(&question)? {
        return Ok(true);
    }
    let message = format!("this folder is inside the project {project}; nothing was changed");
    Err(Failure::usage(message)
        .hint(format!("run `beltic {command}` in that folder, or pass `--yes` to make a second issuer here")))
}

/// Makes a key in a file that is not there yet; `None` where it is. An issuer that cannot be used is found, and a
/// passphrase is known, before there is a file.
pub(super) fn make(
    path: &Path,
    passphrase: impl FnOnce() -> Result<Option<Zeroizing<String>>, Failure>,
    issuer_of: impl Fn(&IssuerKey) -> Result<Issuer, Failure>,
) -> Result<Option<(IssuerKey, Issuer)>, Failure> {
    let is_there = |path: &Path| path.symlink_metadata().is_ok();
    if is_there(path) {
        return Ok(None);
    }
    let public_path = public_path(path);
    if is_there(&public_path) {
        // Another process that is making the key writes the private file first.
        return if is_there(path) { Ok(None) } else { Err(lonely(&public_path, path)) };
    }
    let key = IssuerKey::generate()?;
    let issuer = issuer_of(&key)?;
    let pem = match passphrase()? {
        Some(passphrase) => key.to_encrypted_pem(&passphrase)?,
        None => key.to_pkcs8_pem(),
    };
    match files::create_new_private(path, pem.as_bytes()) {
        Ok(()) => Ok(Some((key, issuer))),
        // Another process was faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Where the public JWK of a key goes.
pub(super) fn public_path(path: &Path) -> PathBuf {
    path.with_extension("pub.jwk")
}

/// The public half of a key that is gone may be all that is left to verify what it signed.
fn lonely(public_path: &Path, path: &Path) -> Failure {
    let (public, private) = (public_path.display(), path.display());
    Failure::said(ExitStatus::Key, format!("{public} already exists, without its private key {private}"))
        .hint("put that private key back, or move the public file elsewhere")
}

/// Writes the public JWK beside the key. That of the same key is replaced, since its kid follows from the issuer.
pub(super) fn write_public(path: &Path, key: &IssuerKey, issuer: &Issuer) -> Result<PathBuf, Failure> {
    let public_path = public_path(path);
    let former = files::read_limited(&public_path, settings::MAX_DOCUMENT_BYTES).ok();
    let former = former.and_then(|bytes| PublicKey::parse(&bytes).ok());
    if former.is_some_and(|former| former != *key.public()) {
        let (public, private) = (public_path.display(), path.display());
        let message = format!("{public} already exists, and belongs to another key than {private}");
        return Err(Failure::said(ExitStatus::Key, message).hint("move the public file elsewhere"));
    }
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
