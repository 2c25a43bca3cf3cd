//! What the arguments mean: flag, else environment, else project file, else user file, else
//! default. Each value is decided by where it came from.

mod credentials;
mod csv;
mod in_force;
mod issuers;
mod keys;
mod ledger;
mod module_key;
mod signing_key;
mod types;

use std::cell::OnceCell;
use std::num::{NonZeroU16, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::config::{Config, ConfigFile};
use super::exit::ExitStatus;
use super::failure::Failure;
use super::project::{self, Origin, STATE_FOLDER};
use super::shared_args::Common;
use crate::clock::{Clock, UnixTime};
use crate::request::rules::CalendarDuration;
pub(crate) use in_force::{InForce, counted_words};
pub(crate) use keys::{load_key, new_passphrase, passphrase};
pub(crate) use module_key::ModulePlace;
pub(crate) use signing_key::{KeyPlace, OpenKey};
pub(crate) use types::{define as define_type, read as read_type_file};

/// The value of `--ledger` that keeps no state.
const NO_LEDGER: &str = "none";
/// The most workers.
const MAX_JOBS: usize = 1024;
/// The longest document that settings name, in bytes: type metadata, certificates.
pub(crate) const MAX_DOCUMENT_BYTES: usize = 1 << 20;

/// The settings files that apply.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The issuer of the command, where there are several.
    chosen: Option<issuers::Chosen>,
    project: ConfigFile,
    user: ConfigFile,
    quiet: bool,
    /// What names files of types, where that is a flag or a variable.
    given_types: Option<PathBuf>,
    /// The types, once their files were read.
    types: OnceCell<types::KnownTypes>,
}

impl Settings {
    /// Reads the settings files.
    pub(crate) fn load(common: &Common) -> Result<Settings, Failure> {
        Ok(Settings {
            chosen: None,
            project: ConfigFile::of_project(common.config.as_deref(), common.quiet)?,
            user: ConfigFile::of_user()?,
            quiet: common.quiet,
            given_types: common.types.clone(),
            types: OnceCell::new(),
        })
    }

    /// The settings as they are where there is no project.
    pub(crate) fn without_project(self) -> Settings {
        Settings { chosen: None, project: ConfigFile::default(), ..self }
    }

    /// What holds settings, the one that counts most first.
    fn layers(&self) -> impl Iterator<Item = &ConfigFile> {
        self.chosen.iter().map(|chosen| &chosen.file).chain([&self.project, &self.user])
    }

    /// The settings files that are there, and those of types, once they were read.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        let settings = [&self.project, &self.user].into_iter().filter_map(ConfigFile::file);
        settings.chain(self.files_of_types())
    }

    /// A value: the one given, else the issuer's, else the project's, else the user's.
    pub(crate) fn value<T: Clone>(
        &self,
        given: &Option<T>,
        from: impl Fn(&Config) -> &Option<T>,
    ) -> Option<T> {
        given.clone().or_else(|| self.layers().find_map(|file| from(&file.config).clone()))
    }

    /// A path; those in settings files start from the file's folder.
    pub(crate) fn path(
        &self,
        given: &Option<PathBuf>,
        from: impl Fn(&Config) -> &Option<PathBuf>,
    ) -> Option<PathBuf> {
        let in_file = |file: &ConfigFile| {
            from(&file.config)
                .as_ref()
                .map(|path| if path == Path::new(NO_LEDGER) { path.clone() } else { file.path(path) })
        };
        given.clone().or_else(|| self.layers().find_map(in_file))
    }

    /// How long to wait for something, as a setting says.
    fn waiting_time(
        &self,
        key: &'static str,
        from: impl Fn(&Config) -> &Option<String>,
    ) -> Result<Option<Duration>, Failure> {
        let Some(text) = self.value(&None, &from) else { return Ok(None) };
        let end = CalendarDuration::parse(&text).and_then(|duration| duration.after(UnixTime::FIRST));
        let end = end.map_err(|problem| {
            Failure::usage(format!("{} is \"{text}\"; {problem}", self.origin(None, key, from)))
        })?;
        Ok(Some(Duration::from_secs(end.seconds().abs_diff(UnixTime::FIRST.seconds()))))
    }

    /// Where a value comes from, for messages: the flag or variable that gave it, else the file that holds it.
    pub(crate) fn origin<T>(
        &self,
        given: Option<Origin>,
        key: &'static str,
        from: impl Fn(&Config) -> &Option<T>,
    ) -> Origin {
        let in_file = |file: &ConfigFile| from(&file.config).as_ref().map(|_| file.origin(key));
        given.or_else(|| self.layers().find_map(in_file)).unwrap_or(Origin::Default)
    }

    /// A file in the project's state folder, which nobody has named.
    pub(crate) fn in_state_folder(&self, name: &str, named_by: &str) -> Result<PathBuf, Failure> {
        let folder = self.project.path(Path::new(STATE_FOLDER));
        // The owner of the working directory is found by its real path.
        if folder.exists() {
            let real = std::path::absolute(&folder).unwrap_or_else(|_| folder.clone());
            project::check_trust(&real, named_by, self.quiet)?;
        }
        Ok(folder.join(name))
    }

    /// How many workers there are.
    pub(crate) fn jobs(&self, given: &Option<NonZeroU16>) -> usize {
        let given = self.value(given, |config| &config.jobs);
        jobs_or_cores(given)
    }
}

/// How many workers there are: as many as were asked for, within the limit, else one a core.
pub(crate) fn jobs_or_cores(given: Option<NonZeroU16>) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    given.map_or_else(cores, |jobs| usize::from(jobs.get())).min(MAX_JOBS)
}

/// The clock that a flag sets.
pub(crate) fn clock_of(flag: &str, time: Option<&str>) -> Result<Clock, Failure> {
    let Some(text) = time else { return Ok(Clock::System) };
    crate::request::rules::date_time(text)
        .and_then(UnixTime::from_timestamp)
        .map(Clock::Fixed)
        .ok_or_else(|| {
            Failure::usage(format!(
                "{flag} is \"{text}\"; expected an RFC 3339 date-time from 1970 on, such as 2026-01-31T12:00:00Z"
            ))
        })
}

/// Checks a settings file and what it says, but for the files that it names.
///
/// # Errors
/// What is wrong with it, in words.
pub fn check_settings(bytes: &[u8]) -> Result<(), String> {
    let settings = Settings {
        chosen: None,
        project: ConfigFile::parse(bytes)?,
        user: ConfigFile::default(),
        quiet: true,
        given_types: None,
        // The files of types are not looked at.
        types: OnceCell::from(types::KnownTypes::BUILT_IN),
    };
    let in_words = |failure: Failure| failure.message();
    let types = settings.types(None).map_err(in_words)?;
    settings.disclosure(types.default_type()).map_err(in_words)?;
    settings.context().map_err(in_words)?;
    settings.vct(types.default_type(), types, &None).map_err(in_words)?;
    settings.configured_status_base().map_err(in_words)?;
    settings.list_validity(UnixTime::FIRST).map_err(in_words)?;
    settings.line_breaks().map_err(in_words)?;
    settings.signer_timeout().map_err(in_words)?;
    settings.mapping(&[]).map_err(in_words)?;
    Ok(())
}

/// A document that is named in flags or settings and says something wrong.
pub(crate) fn unusable(error: impl Into<anyhow::Error>, what: &str, path: &Path) -> Failure {
    Failure::new(ExitStatus::Usage, error.into().context(format!("cannot use {what} in {}", path.display())))
}
