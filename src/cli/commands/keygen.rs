//! `beltic keygen`, and the making of keys for `beltic init`.
//!
//! A key is made where the user is: in the working directory, unless a flag or a variable names another place. Inside a
//! project further up that would be a second identity beside the first, so it takes an answer or `--yes`. A key that
//! was made is on the disk before anything is said about it, and never replaces a file.
//!
//! A key that a `pkcs11:` URI names is made in its token, out of which it cannot be taken.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use zeroize::Zeroizing;

use crate::cli::asking;
use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::project;
use crate::cli::settings::{self, ModulePlace, Settings};
use crate::cli::shared_args::Common;
use crate::cli::streams;
use crate::files::{self, DirectoryMode, PathError};
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
  beltic keygen --key 'pkcs11:token=T;object=K?module-path=/lib/m.so'
")]
pub(crate) struct KeygenArgs {
    /// Write the private key to this file, and the public JWK to one beside it that ends in .pub.jwk [default: .beltic/issuer.pem]
    #[arg(long, value_name = "FILE", env = "BELTIC_KEY", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    /// Make the key in a PKCS#11 token instead, and print the public JWK; it is also written beside the file of --out if it does not exist there
    #[arg(long, value_name = "URI", conflicts_with_all = ["encrypt", "passphrase_file"])]
    pub key: Option<PathBuf>,
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
    let mut settings = Settings::load_for(common, &args.issuer)?;
    if let Some((origin, uri)) = settings.module_uri(&args.key.as_ref().or(args.out.as_ref()).cloned())? {
        let place = settings.module(&origin, &uri, &None)?;
        return in_module(common, args, &settings, place);
    }
    if args.key.is_some() {
        return Err(
            Failure::usage("--key takes a pkcs11: URI here").hint("use `--out FILE` to make a key in a file")
        );
    }
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

/// Makes a key in a token, and prints its public JWK. That is written where no such file is.
fn in_module(
    common: &Common,
    args: &KeygenArgs,
    settings: &Settings,
    place: ModulePlace,
) -> Result<ExitStatus, Failure> {
    let public = match place.generate(common.quiet)? {
        Some(public) => public,
        None if args.if_missing => place.open(true, common.quiet)?.key.public().clone(),
        None => {
            return Err(Failure::said(ExitStatus::Key, "the token already has a key of this name")
                .hint("use `--if-missing` to keep it and succeed, or name another object"));
        }
    };
    let issuer = settings.issuer(&args.issuer, &public)?;
    let jwk = jwk_of(&public, &issuer);
    super::print(&jwk)?; // whatever becomes of the file: the key is made
    let beside = args.out.as_ref().filter(|_| args.key.is_some());
    let path = match beside {
        Some(out) => public_path(out),
        None => public_path(&settings.in_state_folder("issuer.pem", "`--out FILE`")?),
    };
    let said = if write_where_none_is(&path, &jwk)? { "written to" } else { "not written: there already is" };
    if !common.quiet {
        streams::say(&format!("public JWK {said} {}", path.display()));
    }
    Ok(ExitStatus::Done)
}

/// Writes a file, in a folder that is made if need be; false where something of this name is there.
fn write_where_none_is(path: &Path, bytes: &[u8]) -> Result<bool, Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    files::create_directories(folder, DirectoryMode::Private)
        .map_err(|source| PathError::new("make the folder", folder, source))?;
    match files::create_new(path, bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error.into()),
    }
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
    files::replace(&public_path, &jwk_of(key.public(), issuer))?;
    Ok(public_path)
}

/// The file of a public JWK.
fn jwk_of(key: &PublicKey, issuer: &Issuer) -> Vec<u8> {
    let mut jwk = serde_json::to_vec(&key.to_jwk(issuer.kid())).expect("a struct of strings has a JSON form");
    jwk.push(b'\n');
    jwk
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
