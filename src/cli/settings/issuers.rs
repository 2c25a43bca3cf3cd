//! Several issuers in one configuration (`issuers:`), of which a command takes one.
//!
//! `--issuer`, else `issuer.did`, names it, by its name or by its id. What its entry says then goes before what the files
//! say otherwise. Its id, certificates, other keys and the address of its status lists are its own and never those of
//! another issuer: two issuers must not share lists. An entry that says nothing of a key signs with that of the files.
//!
//! The project's issuers replace the user's as a whole.

use super::Settings;
use crate::cli::config::{Config, ConfigFile, IssuerConfig, IssuerEntry, StatusConfig};
use crate::cli::failure::Failure;
use crate::cli::project::Origin;
use crate::cli::shared_args::Common;

/// The issuer that a command takes.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(super) name: String,
    /// What its entry says, as if it were a settings file.
    pub(super) file: ConfigFile,
}

impl Settings {
    /// Reads the settings files, for the issuer that a command names.
    ///
    /// # Errors
    /// Where there are several, and nobody has said which.
    pub(crate) fn load_for(common: &Common, issuer: &Option<String>) -> Result<Settings, Failure> {
        let settings = Settings::load(common)?;
        let Some(file) = settings.file_of_issuers() else { return Ok(settings) };
        check_names(file)?;
        let entries = &file.config.issuers;
        let Some(wanted) = settings.value(issuer, |config| &config.issuer.did) else {
            let message = format!("{} has several issuers", file.origin("issuers"));
            return Err(Failure::usage(message).hint(format!("name one with `--issuer`: {}", names(file))));
        };
        let is_wanted =
            |(name, entry): &(&String, &IssuerEntry)| **name == wanted || entry.did.as_ref() == Some(&wanted);
        match entries.iter().find(is_wanted) {
            Some((name, entry)) => {
                let chosen = Chosen { name: name.clone(), file: as_file(file, entry) };
                Ok(settings.with(chosen))
            }
            None if wanted.contains(':') => Ok(settings), // none of them
            None => {
                let typed = issuer.as_ref().map(|_| Origin::typed("--issuer", Some("BELTIC_ISSUER")));
                let origin = settings.origin(typed, "issuer.did", |config| &config.issuer.did);
                Err(Failure::usage(format!("{origin} is \"{wanted}\", which is not the name of an issuer"))
                    .hint(format!(
                        "name one of {}, or an issuer's id such as did:web:issuer.example",
                        names(file)
                    )))
            }
        }
    }

    /// The names of the issuers, in alphabetical order.
    ///
    /// # Errors
    /// Where there are none.
    pub(crate) fn names_of_issuers(&self) -> Result<Vec<String>, Failure> {
        let file = self.file_of_issuers().ok_or_else(|| {
            Failure::usage("the settings have no `issuers`; expected the issuers to publish")
                .hint("leave out `--all` to publish the one issuer, or list them under `issuers`")
        })?;
        check_names(file)?;
        Ok(file.config.issuers.keys().cloned().collect())
    }

    fn file_of_issuers(&self) -> Option<&ConfigFile> {
        [&self.project, &self.user].into_iter().find(|file| !file.config.issuers.is_empty())
    }

    fn with(mut self, chosen: Chosen) -> Settings {
        for file in [&mut self.project, &mut self.user] {
            file.config.issuer = IssuerConfig::default();
            file.config.keys = Default::default();
            file.config.status.base_url = None;
        }
        self.chosen = Some(chosen);
        self
    }
}

/// What an entry says, as a file beside its own.
fn as_file(file: &ConfigFile, entry: &IssuerEntry) -> ConfigFile {
    let IssuerEntry { did, x5c, key, keys, signer, base_url } = entry.clone();
    file.beside(Config {
        key,
        keys,
        signer,
        issuer: IssuerConfig { did, x5c },
        status: StatusConfig { base_url, ..StatusConfig::default() },
        ..Config::default()
    })
}

/// Names are those of folders, too, and never taken for an id.
fn check_names(file: &ConfigFile) -> Result<(), Failure> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let is_name = |name: &&String| !name.is_empty() && name.chars().all(is_plain);
    match file.config.issuers.keys().find(|name| !is_name(name)) {
        None => Ok(()),
        Some(name) => Err(Failure::usage(format!(
            "{} has the name \"{name}\"; expected letters, digits, `-` and `_`",
            file.origin("issuers")
        ))),
    }
}

fn names(file: &ConfigFile) -> String {
    file.config.issuers.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}
