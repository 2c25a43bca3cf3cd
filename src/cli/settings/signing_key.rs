//! Which key signs: the one in a file, one that a program of the user's own signs with, or one in a PKCS#11 module.
//!
//! `key` and `signer.command` are one setting in two forms: who says more of it decides, and where both are said in one
//! place, that is an error. A program is never taken from a project file that was merely found: whoever cloned a
//! repository has not agreed to run what is in it. The same holds for `pkcs11:` keys, which name a library to load.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::module_key::ModulePlace;
use super::{Settings, keys};
use crate::cli::config::ConfigFile;
use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::project::Origin;
use crate::cli::shared_args::KeyArgs;
use crate::cli::variables;
use crate::keys::{Program, ProgramKey, SigningKey, is_private_key_text};

/// How long a signer program's answer may take.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// A key that can sign.
#[derive(Debug)]
pub(crate) struct OpenKey {
    pub(crate) key: Box<dyn SigningKey>,
    /// The files it was read from, which no output may replace.
    pub(crate) files: Vec<PathBuf>,
}

/// Where the key is.
#[derive(Debug)]
pub(crate) enum KeyPlace {
    File(PathBuf),
    Program(ProgramPlace),
    Module(ModulePlace),
}

/// A signer program, and the file of its public key.
#[derive(Debug)]
pub(crate) struct ProgramPlace {
    pub(crate) program: Program,
    pub(crate) public_key: PathBuf,
}

/// What the settings call these two.
const KEY: (&str, &str) = ("--key", "BELTIC_KEY");
const COMMAND: (&str, &str) = ("--signer-command", "BELTIC_SIGNER_COMMAND");

impl Settings {
    /// Where the key is that signs.
    ///
    /// # Errors
    /// Where what is said of it cannot be understood, or must not be obeyed.
    pub(crate) fn key_place(&self, given: &KeyArgs) -> Result<KeyPlace, Failure> {
        let place = match self.command(given)? {
            Some((origin, words)) => KeyPlace::Program(self.program(given, &origin, words)?),
            None => match self.module_uri(&given.key)? {
                Some((origin, uri)) => KeyPlace::Module(self.module(&origin, &uri, &given.public_key)?),
                None => KeyPlace::File(self.key_path(&given.key)?),
            },
        };
        match &place {
            KeyPlace::File(_) if was_typed("--public-key") => Err(Failure::usage(
                "--public-key is the public half of a key that a program or a module signs with",
            )
            .hint("add `--signer-command 'PROGRAM ARG…'`, or remove --public-key")),
            KeyPlace::Program(_) if given.passphrase_file.is_some() => {
                Err(Failure::usage("--passphrase-file is for key files, and a signer program signs here")
                    .hint("give the program what it needs in its own way, or name a key file with `--key`"))
            }
            KeyPlace::Module(_) if given.passphrase_file.is_some() => {
                Err(Failure::usage("--passphrase-file is for key files, and a PKCS#11 module signs here")
                    .hint("name the file of the PIN in the URI: `pin-source=FILE`"))
            }
            _ => Ok(place),
        }
    }

    /// The key that signs.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub(crate) fn open_key(&self, given: &KeyArgs) -> Result<OpenKey, Failure> {
        match self.key_place(given)? {
            KeyPlace::File(path) => {
                let key = keys::load_key(&path, given.passphrase_file.as_deref(), self.quiet)?;
                Ok(OpenKey { key: Box::new(key), files: vec![path] })
            }
            KeyPlace::Program(place) => place.open(),
            KeyPlace::Module(place) => place.open(true, self.quiet),
        }
    }

    /// The words of the signer's command, and who says them; none where a key file is to sign.
    fn command(&self, given: &KeyArgs) -> Result<Option<(Origin, Vec<String>)>, Failure> {
        let (key, command) = (given.key.is_some(), given.signer_command.as_deref());
        let (key_typed, command_typed) = (key && was_typed(KEY.0), command.is_some() && was_typed(COMMAND.0));
        let from_arguments = |command: &str| {
            let origin = Origin::typed(COMMAND.0, Some(COMMAND.1));
            let words = words(command, &origin)?;
            Ok(Some((origin, words)))
        };
        match (key, command) {
            (true, Some(_)) if key_typed && command_typed => return Err(both("the flags", KEY.0, COMMAND.0)),
            (true, Some(_)) if !key_typed && !command_typed => {
                return Err(both("the environment", KEY.1, COMMAND.1));
            }
            (true, _) if key_typed || command.is_none() => return Ok(None),
            (_, Some(command)) => return from_arguments(command),
            _ => {}
        }
        for file in self.layers() {
            let command = file.config.signer.command.as_ref().filter(|words| !words.is_empty());
            match (&file.config.key, command) {
                (Some(_), Some(_)) => {
                    let name = file.file().unwrap_or(Path::new("")).display().to_string();
                    return Err(both(&name, "key", "signer.command"));
                }
                (Some(_), None) => return Ok(None),
                (None, Some(words)) => return in_file(file, words).map(Some),
                (None, None) => {}
            }
        }
        Ok(None)
    }

    fn program(&self, given: &KeyArgs, origin: &Origin, words: Vec<String>) -> Result<ProgramPlace, Failure> {
        let mut words = words.into_iter();
        let path = words.next().filter(|first| !first.is_empty());
        let path = path.ok_or_else(|| Failure::usage(format!("{origin} is empty; expected a program")))?;
        // Neither of these is shown: they may be secret.
        if is_private_key_text(&path) {
            return Err(Failure::said(
                ExitStatus::Key,
                format!("{origin} is a private key; expected a program"),
            ));
        }
        if path.split(['/', '\\']).next().is_some_and(|start| start.contains('=')) {
            let message = format!("{origin} begins with a variable, but no shell runs that would set it");
            return Err(Failure::usage(message).hint("set the variable before you run beltic"));
        }
        let public_key =
            self.path(&given.public_key, |config| &config.signer.public_key).ok_or_else(|| {
                Failure::usage(format!("{origin} needs the public half of the program's key"))
                    .hint("name its file, a JWK or PEM, with `--public-key FILE`")
            })?;
        Ok(ProgramPlace {
            program: Program {
                path: PathBuf::from(path),
                arguments: words.collect(),
                timeout: self.signer_timeout()?,
                withheld: &variables::SECRETS,
            },
            public_key,
        })
    }

    /// How long a signer program's answer may take.
    pub(crate) fn signer_timeout(&self) -> Result<Duration, Failure> {
        let given = self.waiting_time("signer.timeout", |config| &config.signer.timeout)?;
        Ok(given.unwrap_or(DEFAULT_TIMEOUT))
    }
}

impl ProgramPlace {
    pub(crate) fn open(self) -> Result<OpenKey, Failure> {
        let public = keys::load_public_key(&self.public_key, "use", "name the public half, a JWK or PEM")?;
        Ok(OpenKey { key: Box::new(ProgramKey::new(self.program, public)), files: vec![self.public_key] })
    }
}

/// Whether a flag was typed; otherwise its value is that of a variable.
fn was_typed(flag: &'static str) -> bool {
    std::env::args_os().any(|arg| crate::cli::project::is_flag(&arg, flag))
}

fn both(place: &str, first: &str, second: &str) -> Failure {
    Failure::usage(format!("{place}: both {first} and {second} are set, and one key signs"))
        .hint(format!("remove {first} or {second}"))
}

/// The words of a command, split as a POSIX shell splits them. Nothing is expanded.
fn words(command: &str, origin: &Origin) -> Result<Vec<String>, Failure> {
    shlex::split(command)
        .ok_or_else(|| Failure::usage(format!("{origin} ends within quotes or in a backslash")))
}

/// Refuses what would run somebody else's code, where it is in a file that was found.
pub(super) fn refuse_found(origin: &Origin, what: &str) -> Result<(), Failure> {
    let Origin::FoundFile(key, path) = origin else { return Ok(()) };
    let path = path.display();
    let message = format!("refusing to {what} the {key} of {path}, which was found and not named");
    Err(Failure::usage(message).hint(format!(
        "if you trust it, name it with `--config {path}`, or put {key} into your own settings file"
    )))
}

/// The command of a settings file. A path in it starts from the file's folder.
fn in_file(file: &ConfigFile, words: &[String]) -> Result<(Origin, Vec<String>), Failure> {
    let origin = file.origin("signer.command");
    refuse_found(&origin, "run")?;
    let mut words = words.to_vec();
    if let Some(program) = words.first_mut().filter(|program| program.contains('/')) {
        *program = file.path(Path::new(program)).to_string_lossy().into_owned();
    }
    Ok((origin, words))
}
