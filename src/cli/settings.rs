//! What the arguments mean: flag, else environment, else project file, else user file, else
//! default. Each value is decided by where it came from.

use std::io::{self, IsTerminal};
use std::num::{NonZeroU16, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::args::{BatchIssueArgs, Common, InputFormat, MAX_JOBS};
use super::config::{Config, ConfigFile, KeysConfig};
use super::exit::ExitStatus;
use super::failure::Failure;
use super::project::{self, Origin, STATE_FOLDER};
use super::streams;
use super::variables;
use crate::clock::{Clock, UnixTime};

use crate::credential::sd_jwt::{Policy, TypeMetadata};
use crate::credential::{ProfileSettings, ProofFormat, TypeSettings};
use crate::files;
use crate::invisible::{self, is_invisible};
use crate::issuer::{self, Issuer};
use crate::keys::{self, CertificateChain, IssuerKey, KeyError, PublicKey};
use crate::request::rules::CalendarDuration;
use crate::site::KeyState;
use crate::source::{self, InputError, Items, RowCheck};
use crate::status::Validity;
use crate::types::{CredentialType, Types};

/// The value of `--ledger` that keeps no state.
const NO_LEDGER: &str = "none";
/// The default validity period of credentials.
const DEFAULT_TTL: &str = "P1Y";
/// The longest passphrase file, in bytes.
const MAX_PASSPHRASE_BYTES: usize = 4096;
/// How long a status list holds.
const DEFAULT_LIST_VALIDITY: &str = "P7D";
/// How long a verifier may keep a status list before it asks again.
const DEFAULT_LIST_TTL: &str = "PT12H";
/// The longest document that settings name, in bytes: type metadata, certificates.
const MAX_DOCUMENT_BYTES: usize = 1 << 20;
/// How many items the API takes at once.
const API_LIMIT: u64 = 1_000;

/// The settings files that apply.
#[derive(Debug)]
pub(crate) struct Settings {
    project: ConfigFile,
    user: ConfigFile,
    quiet: bool,
}

impl Settings {
    /// Reads the settings files.
    pub(crate) fn load(common: &Common) -> Result<Settings, Failure> {
        Ok(Settings {
            project: ConfigFile::of_project(common.config.as_deref(), common.quiet)?,
            user: ConfigFile::of_user()?,
            quiet: common.quiet,
        })
    }

    /// The settings files that are there.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        [&self.project, &self.user].into_iter().filter_map(ConfigFile::file)
    }

    /// A value: the one given, else the project's, else the user's.
    fn value<T: Clone>(&self, given: &Option<T>, from: impl Fn(&Config) -> &Option<T>) -> Option<T> {
        given
            .clone()
            .or_else(|| from(&self.project.config).clone())
            .or_else(|| from(&self.user.config).clone())
    }

    /// A path; those in settings files start from the file's folder.
    fn path(&self, given: &Option<PathBuf>, from: impl Fn(&Config) -> &Option<PathBuf>) -> Option<PathBuf> {
        let in_file = |file: &ConfigFile| {
            from(&file.config)
                .as_ref()
                .map(|path| if path == Path::new(NO_LEDGER) { path.clone() } else { file.path(path) })
        };
        given.clone().or_else(|| in_file(&self.project)).or_else(|| in_file(&self.user))
    }

    /// Where a value comes from, for messages: the flag or variable that gave it, else the file that holds it.
    fn origin<T>(
        &self,
        given: Option<Origin>,
        key: &'static str,
        from: impl Fn(&Config) -> &Option<T>,
    ) -> Origin {
        let in_file = |file: &ConfigFile| from(&file.config).as_ref().map(|_| file.origin(key));
        given.or_else(|| in_file(&self.project)).or_else(|| in_file(&self.user)).unwrap_or(Origin::Default)
    }

    /// A file in the project's state folder, which nobody has named.
    fn in_state_folder(&self, name: &str, named_by: &str) -> Result<PathBuf, Failure> {
        let folder = self.project.path(Path::new(STATE_FOLDER));
        // The owner of the working directory is found by its real path.
        if folder.exists() {
            let real = std::path::absolute(&folder).unwrap_or_else(|_| folder.clone());
            project::check_trust(&real, named_by, self.quiet)?;
        }
        Ok(folder.join(name))
    }

    /// The private key's file.
    pub(crate) fn key_path(&self, given: &Option<PathBuf>) -> Result<PathBuf, Failure> {
        let path = match self.path(given, |config| &config.key) {
            Some(path) => path,
            None => self.in_state_folder("issuer.pem", "`--key FILE` or BELTIC_KEY")?,
        };
        // It would be shown as a path that is not there, or become the name of a file.
        match keys::is_private_key_text(&path.to_string_lossy()) {
            false => Ok(path),
            true => Err(Failure::said(
                ExitStatus::Key,
                "a key itself stands where the path of its file is expected",
            )
            .hint("write it to a file of mode 0600, and name that by `--key` or BELTIC_KEY")),
        }
    }

    /// The ledger's file; `None` for a run without one.
    ///
    /// # Errors
    /// Where what is named is the URL of a database, or the file lies in a folder that is not trusted.
    pub(crate) fn ledger_path(&self, given: &Option<PathBuf>) -> Result<Option<PathBuf>, Failure> {
        let named = given.clone().or_else(|| self.value(&None, |config| &config.ledger));
        if let Some(scheme) = named.as_deref().and_then(scheme_of) {
            let typed = given.as_ref().map(|_| Origin::typed("--ledger", Some("BELTIC_LEDGER")));
            let origin = self.origin(typed, "ledger", |config| &config.ledger);
            return Err(refused_scheme(&scheme, &origin));
        }
        if let Some(hidden) = named.as_deref().and_then(hidden_character) {
            let typed = given.as_ref().map(|_| Origin::typed("--ledger", Some("BELTIC_LEDGER")));
            let origin = self.origin(typed, "ledger", |config| &config.ledger);
            return Err(Failure::usage(format!("{origin} has {} in it", invisible::name(hidden))).hint(
                "remove the character, which names another ledger; files of variables from Windows end their lines with \
                 U+000D",
            ));
        }
        let path = match self.path(given, |config| &config.ledger) {
            Some(path) => path,
            None => self.in_state_folder("ledger.db", "`--ledger FILE` or BELTIC_LEDGER")?,
        };
        Ok((path != Path::new(NO_LEDGER)).then_some(path))
    }

    /// Whether somebody said which ledger it is.
    pub(crate) fn ledger_is_named(&self, given: &Option<PathBuf>) -> bool {
        self.path(given, |config| &config.ledger).is_some()
    }

    /// The issuer whom this key signs for.
    pub(crate) fn issuer(&self, given: &Option<String>, key: &PublicKey) -> Result<Issuer, Failure> {
        match self.value(given, |config| &config.issuer.did) {
            Some(text) => Issuer::parse(&text, key).map_err(|error| {
                let typed = given.as_ref().map(|_| Origin::typed("--issuer", Some("BELTIC_ISSUER")));
                let origin = self.origin(typed, "issuer.did", |config| &config.issuer.did);
                Failure::new(
                    ExitStatus::Usage,
                    anyhow::Error::new(error).context(format!("cannot use {origin}")),
                )
            }),
            None => Ok(Issuer::of_key(key)),
        }
    }

    /// The types that can be issued.
    pub(crate) fn types(&self) -> Types {
        Types::BUILT_IN
    }

    /// What the run's credentials have in common.
    pub(crate) fn profile(
        &self,
        args: &BatchIssueArgs,
        issuer: &Issuer,
        key: &PublicKey,
    ) -> Result<ProfileSettings, Failure> {
        let proof_format = self.proof_format(args)?;
        let mut of_types = Vec::new();
        for credential_type in self.types().all() {
            let mut of_type = self.of_type(credential_type, &args.vct, issuer)?;
            if proof_format == ProofFormat::SdJwtVc {
                let document = self.type_metadata(credential_type, &of_type.vct, &of_type.disclosure)?;
                of_type.vct_integrity = document.map(|document| document.integrity());
            }
            of_types.push(of_type);
        }
        Ok(ProfileSettings {
            proof_format,
            context: self.context()?,
            developer_id: self.value(&args.developer_id, |config| &config.developer_id),
            x5c: self.certificates_for(&args.x5c, proof_format, key)?,
            types: of_types,
        })
    }

    /// What is said of a type. `--vct` and `credential.vct` name the run's default type; others have their own names.
    pub(crate) fn of_type(
        &self,
        credential_type: &'static CredentialType,
        vct: &Option<String>,
        issuer: &Issuer,
    ) -> Result<TypeSettings, Failure> {
        let mut of_type = TypeSettings::of_type(credential_type, issuer);
        if credential_type == self.types().default_type() {
            of_type.vct = self.vct(vct)?.unwrap_or(of_type.vct);
            of_type.disclosure = self.disclosure(credential_type)?;
        }
        Ok(of_type)
    }

    /// The credential type, where one is named.
    pub(crate) fn vct(&self, given: &Option<String>) -> Result<Option<String>, Failure> {
        let typed = given.as_ref().map(|_| Origin::typed("--vct", Some("BELTIC_VCT")));
        let origin = || self.origin(typed, "credential.vct", |config| &config.credential.vct);
        uri(self.value(given, |config| &config.credential.vct), origin)
    }

    /// The credential type whose metadata are asked for. There may be no key yet.
    pub(crate) fn vct_without_key(
        &self,
        credential_type: &CredentialType,
        given: &Option<String>,
        issuer: &Option<String>,
    ) -> Result<String, Failure> {
        let given = given.clone().or_else(|| std::env::var("BELTIC_VCT").ok());
        match (self.vct(&given)?, self.value(issuer, |config| &config.issuer.did)) {
            (Some(vct), _) => Ok(vct),
            (None, None) => Ok(credential_type.default_vct(None)),
            (None, Some(issuer)) => Ok(credential_type.default_vct(issuer::host_of(&issuer)?.as_deref())),
        }
    }

    /// Which claims of an `sd_jwt_vc` can be disclosed one by one.
    pub(crate) fn disclosure(&self, credential_type: &'static CredentialType) -> Result<Policy, Failure> {
        let (project, user) = (&self.project.config.disclosure, &self.user.config.disclosure);
        let claims = if project.claims.is_empty() { &user.claims } else { &project.claims };
        let decoys = project.decoys.or(user.decoys).unwrap_or_default();
        Policy::new(credential_type, claims, decoys).map_err(|error| Failure::new(ExitStatus::Usage, error))
    }

    /// The type metadata document that is published for a type, where one is configured: that of the default type can
    /// be.
    pub(crate) fn type_metadata(
        &self,
        credential_type: &CredentialType,
        vct: &str,
        policy: &Policy,
    ) -> Result<Option<TypeMetadata>, Failure> {
        if credential_type != self.types().default_type() {
            return Ok(None);
        }
        let Some(path) = self.path(&None, |config| &config.credential.type_metadata) else { return Ok(None) };
        let bytes = files::read_limited(&path, MAX_DOCUMENT_BYTES)?;
        TypeMetadata::read(&bytes, vct, policy)
            .map(Some)
            .map_err(|error| unusable(error, "the type metadata", &path))
    }

    /// The certificates for the header of an `sd_jwt_vc`.
    fn certificates_for(
        &self,
        given: &Option<PathBuf>,
        proof_format: ProofFormat,
        key: &PublicKey,
    ) -> Result<Option<CertificateChain>, Failure> {
        match proof_format {
            ProofFormat::SdJwtVc => self.certificates(given, key),
            ProofFormat::JwtVc if given.is_none() => Ok(None),
            ProofFormat::JwtVc => {
                Err(Failure::usage("--x5c is for sd_jwt_vc, whose header can hold certificates")
                    .hint("add `--proof-format sd_jwt_vc`, or leave --x5c out"))
            }
        }
    }

    /// The certificates of the key, where there are any.
    pub(crate) fn certificates(
        &self,
        given: &Option<PathBuf>,
        key: &PublicKey,
    ) -> Result<Option<CertificateChain>, Failure> {
        let Some(path) = self.path(given, |config| &config.issuer.x5c) else { return Ok(None) };
        let pem = files::read_limited(&path, MAX_DOCUMENT_BYTES)?;
        CertificateChain::read(&pem, key)
            .map(Some)
            .map_err(|error| unusable(error, "the certificates", &path))
    }

    fn proof_format(&self, args: &BatchIssueArgs) -> Result<ProofFormat, Failure> {
        if let Some(format) = args.proof_format {
            return Ok(format);
        }
        match self.value(&None, |config| &config.credential.proof_format) {
            None => Ok(ProofFormat::default()),
            Some(name) => {
                ProofFormat::ALL.into_iter().find(|format| format.as_str() == name).ok_or_else(|| {
                    let known = ProofFormat::ALL.map(ProofFormat::as_str).join(", ");
                    let origin = self
                        .origin(None, "credential.proof_format", |config| &config.credential.proof_format);
                    Failure::usage(format!("{origin} is \"{name}\"; known are {known}"))
                })
            }
        }
    }

    /// The life of credentials whose item does not say, and how it is written.
    pub(crate) fn default_ttl(
        &self,
        args: &BatchIssueArgs,
        issued_at: UnixTime,
    ) -> Result<(CalendarDuration, String), Failure> {
        let given = self.value(&args.ttl, |config| &config.credential.ttl);
        let text = given.unwrap_or_else(|| DEFAULT_TTL.to_owned());
        CalendarDuration::parse(&text)
            .and_then(|duration| duration.after(issued_at).map(|_| duration))
            .map_err(|problem| {
                let typed = args.ttl.as_ref().map(|_| Origin::typed("--ttl", Some("BELTIC_TTL")));
                let origin = self.origin(typed, "credential.ttl", |config| &config.credential.ttl);
                Failure::usage(format!("{origin} is \"{text}\"; {problem}"))
            })
            .map(|duration| (duration, text))
    }

    /// Where this issuer's status lists are published: where the settings say, else at the issuer's own place.
    pub(crate) fn status_base(&self, issuer: &Issuer) -> Result<Option<String>, Failure> {
        Ok(self.configured_status_base()?.or_else(|| issuer.default_status_base()))
    }

    fn configured_status_base(&self) -> Result<Option<String>, Failure> {
        match self.value(&None, |config| &config.status.base_url) {
            None => Ok(None),
            Some(url) => match issuer::check_https_url(&url) {
                Ok(()) => Ok(Some(url)),
                Err(fault) => Err(Failure::usage(format!(
                    "{} is \"{url}\"; expected an https:// URL without a query: {fault}",
                    self.origin(None, "status.base_url", |config| &config.status.base_url)
                ))),
            },
        }
    }

    /// From when to when status lists hold that are signed now.
    pub(crate) fn list_validity(&self, now: UnixTime) -> Result<Validity, Failure> {
        let end = |key, from: fn(&Config) -> &Option<String>, default: &str| {
            let text = self.value(&None, from).unwrap_or_else(|| default.to_owned());
            CalendarDuration::parse(&text).and_then(|duration| duration.after(now)).map_err(|problem| {
                Failure::usage(format!("{} is \"{text}\"; {problem}", self.origin(None, key, from)))
            })
        };
        let expires_at = end("status.validity", |config| &config.status.validity, DEFAULT_LIST_VALIDITY)?;
        let kept_until = end("status.ttl", |config| &config.status.ttl, DEFAULT_LIST_TTL)?;
        if kept_until > expires_at {
            return Err(Failure::usage(
                "status.ttl is longer than status.validity; a list cannot be kept beyond its life",
            ));
        }
        let ttl_seconds = (kept_until.seconds() - now.seconds()) as u32; // ten years at most
        Ok(Validity { issued_at: now, expires_at, ttl_seconds })
    }

    /// The public keys beside the one that signs.
    pub(crate) fn other_keys(&self) -> Result<Vec<(PublicKey, KeyState)>, Failure> {
        let mut keys = Vec::new();
        for file in [&self.project, &self.user] {
            let KeysConfig { next, retired } = &file.config.keys;
            if next.is_empty() && retired.is_empty() {
                continue;
            }
            for (paths, state) in [(next, KeyState::Next), (retired, KeyState::Retired)] {
                for path in paths {
                    keys.push((load_public_key(&file.path(path))?, state));
                }
            }
            break; // the project's keys replace the user's
        }
        Ok(keys)
    }

    /// The issuer's JSON-LD context, where there is one.
    pub(crate) fn context(&self) -> Result<Option<String>, Failure> {
        let origin = || self.origin(None, "credential.context", |config| &config.credential.context);
        uri(self.value(&None, |config| &config.credential.context), origin)
    }

    /// The encoding of inputs without a byte order mark, where somebody names one.
    pub(crate) fn encoding(&self, given: &Option<String>) -> Option<String> {
        self.value(given, |config| &config.csv.encoding)
    }

    /// How the batch files are read.
    pub(crate) fn source(
        &self,
        args: &BatchIssueArgs,
        row_check: RowCheck,
    ) -> Result<source::Options, Failure> {
        let (project, user) = (&self.project.config.csv, &self.user.config.csv);
        let columns = if project.columns.is_empty() { &user.columns } else { &project.columns };
        let constants = if project.constants.is_empty() { &user.constants } else { &project.constants };
        let delimiter = self.value(&args.delimiter, |config| &config.csv.delimiter);
        let encoding = self.encoding(&args.encoding);
        let typed = |given: &Option<String>, flag| given.as_ref().map(|_| Origin::typed(flag, None));
        let delimiter_from = self
            .origin(typed(&args.delimiter, "--delimiter"), "csv.delimiter", |config| &config.csv.delimiter);
        let encoding_from =
            self.origin(typed(&args.encoding, "--encoding"), "csv.encoding", |config| &config.csv.encoding);
        let items = Items::new(self.types(), columns.clone(), constants.clone(), row_check)
            .map_err(InputError::of_run)?;
        Ok(source::Options {
            dialect: Arc::new(items),
            format: args.input_format.map(|format| match format {
                InputFormat::Json => source::Format::Json,
                InputFormat::Ndjson => source::Format::Ndjson,
                InputFormat::Csv => source::Format::Csv,
            }),
            encoding: encoding.map(|name| find_encoding(&name, &encoding_from)).transpose()?,
            delimiter: delimiter.map(|text| parse_delimiter(&text, &delimiter_from)).transpose()?,
            line_breaks: self.line_breaks()?,
            max_item_bytes: args.max_item_bytes as usize,
            allow_empty: args.allow_empty,
            max_items: args.api_limits.then_some(API_LIMIT),
        })
    }

    /// Whether CSV cells can hold line breaks.
    fn line_breaks(&self) -> Result<source::LineBreaks, Failure> {
        let Some(word) = self.value(&None, |config| &config.csv.line_breaks) else {
            return Ok(source::LineBreaks::default());
        };
        let known = source::LineBreaks::ALL.into_iter().find(|(name, _)| *name == word);
        known.map(|(_, line_breaks)| line_breaks).ok_or_else(|| {
            Failure::usage(format!("csv.line_breaks is \"{word}\"; expected allowed or never"))
                .hint("write `line_breaks: never` under `csv` only if no cell holds a line break")
        })
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

/// The scheme of a URL that was given where a path is expected, in lower case. One letter before the colon is a drive
/// of Windows, and what is no scheme (RFC 3986 section 3.1) is a file's name.
fn scheme_of(path: &Path) -> Option<String> {
    // A variable may bring along what a shell would have taken off: quotes, and what nobody sees.
    let is_around = |c: char| c.is_whitespace() || matches!(c, '"' | '\'') || is_invisible(c);
    let (scheme, _) = path.to_str()?.trim_start_matches(is_around).split_once(':')?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    (is_scheme && scheme.len() > 1).then(|| scheme.to_ascii_lowercase())
}

/// A URL that is not a ledger of this build. Only its scheme is shown: there may be a password in the rest.
fn refused_scheme(scheme: &str, origin: &Origin) -> Failure {
    match scheme {
        "postgres" | "postgresql" => Failure::usage(format!(
            "{origin} is a {scheme}: URL, and this build of beltic has no PostgreSQL ledger"
        ))
        .hint("name a file, such as `--ledger ledger.db`"),
        _ => Failure::usage(format!("{origin} is a {scheme}: URL; expected the path of a file"))
            .hint("write the path without a scheme; `./` before a file name that holds a colon makes it one"),
    }
}

fn uri(value: Option<String>, origin: impl FnOnce() -> Origin) -> Result<Option<String>, Failure> {
    match value {
        Some(text) if !crate::request::rules::is_uri(&text) => {
            Err(Failure::usage(format!("{} is \"{text}\"; expected a URI", origin())))
        }
        value => Ok(value),
    }
}

/// Checks a settings file and what it says, but for the files that it names.
///
/// # Errors
/// What is wrong with it, in words.
pub fn check_settings(bytes: &[u8]) -> Result<(), String> {
    let settings = Settings { project: ConfigFile::parse(bytes)?, user: ConfigFile::default(), quiet: true };
    let in_words = |failure: Failure| failure.message();
    settings.disclosure(settings.types().default_type()).map_err(in_words)?;
    settings.context().map_err(in_words)?;
    settings.vct(&None).map_err(in_words)?;
    settings.configured_status_base().map_err(in_words)?;
    settings.list_validity(UnixTime::FIRST).map_err(in_words)?;
    settings.line_breaks().map_err(in_words)?;
    Ok(())
}

/// A document that is named in flags or settings and says something wrong.
fn unusable(error: impl Into<anyhow::Error>, what: &str, path: &Path) -> Failure {
    Failure::new(ExitStatus::Usage, error.into().context(format!("cannot use {what} in {}", path.display())))
}

/// When credentials are issued.
pub(crate) fn clock(issued_at: Option<&str>) -> Result<Clock, Failure> {
    clock_of("--issued-at", issued_at)
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

fn find_encoding(name: &str, origin: &Origin) -> Result<&'static encoding_rs::Encoding, Failure> {
    encoding_rs::Encoding::for_label(name.as_bytes()).ok_or_else(|| {
        Failure::usage(format!("{origin} is \"{name}\", which is not a known encoding")).hint(
            "names are those of the WHATWG Encoding Standard, such as windows-1252, iso-8859-1 or shift_jis",
        )
    })
}

fn parse_delimiter(text: &str, origin: &Origin) -> Result<u8, Failure> {
    match text.as_bytes() {
        _ if text.eq_ignore_ascii_case("tab") || text == "\\t" => Ok(b'\t'),
        [byte]
            if byte.is_ascii()
                && !matches!(byte, b'"' | b'\n' | b'\r' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z') =>
        {
            Ok(*byte)
        }
        _ => Err(Failure::usage(format!(
            "{origin} is \"{text}\"; expected one character such as ; or the word tab"
        ))),
    }
}

/// A control character in a path, or white space at one of its ends. Nobody names a ledger so on purpose, and another
/// name is another ledger.
fn hidden_character(path: &Path) -> Option<char> {
    let text = path.to_string_lossy();
    let ends = [text.chars().next(), text.chars().next_back()];
    let at_ends = ends.into_iter().flatten().find(|end| end.is_whitespace());
    text.chars().find(|character| character.is_control()).or(at_ends)
}

/// Loads a public key, PEM or JWK.
fn load_public_key(path: &Path) -> Result<PublicKey, Failure> {
    let bytes = files::read_limited(path, MAX_DOCUMENT_BYTES)
        .map_err(|error| Failure::new(ExitStatus::Key, error))?;
    PublicKey::parse(&bytes).map_err(|error| {
        let failed =
            anyhow::Error::new(error).context(format!("cannot publish the key in {}", path.display()));
        Failure::new(ExitStatus::Key, failed)
            .hint("name the public JWK that `beltic keygen` wrote beside the key")
    })
}

/// Loads the issuer's key, and warns where others can read it.
pub(crate) fn load_key(
    path: &Path,
    passphrase_file: Option<&Path>,
    quiet: bool,
) -> Result<IssuerKey, Failure> {
    let loaded = IssuerKey::load(path, &mut || passphrase(passphrase_file))?;
    if loaded.readable_by_others && !quiet {
        let path = path.display();
        streams::say(&format!(
            "warning: the private key {path} can be read by others; `chmod 600 {path}` mends that"
        ));
    }
    Ok(loaded.key)
}

/// The passphrase of an encrypted key: from the file named, the environment, or the terminal.
fn passphrase(file: Option<&Path>) -> Result<Zeroizing<String>, KeyError> {
    if let Some(path) = file {
        // The path is not shown: it may be the passphrase itself, by mistake.
        let bytes = files::read_limited(path, MAX_PASSPHRASE_BYTES)
            .map_err(|error| KeyError::PassphraseUnreadable(Box::new(error.source)))?;
        let text =
            std::str::from_utf8(&bytes).map_err(|error| KeyError::PassphraseUnreadable(Box::new(error)))?;
        return Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()));
    }
    if let Ok(text) = std::env::var(variables::PASSPHRASE) {
        return Ok(Zeroizing::new(text));
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(KeyError::NoPassphrase);
    }
    rpassword::prompt_password("Passphrase of the issuer key: ")
        .map(Zeroizing::new)
        .map_err(|error| KeyError::PassphraseUnreadable(Box::new(error)))
}

/// The batch files, or standard input.
pub(crate) fn inputs(paths: &[PathBuf]) -> Result<Vec<source::Input>, Failure> {
    let stdin = || source::Input::Stdin(Box::new(io::stdin()));
    if paths.is_empty() {
        if io::stdin().is_terminal() {
            return Err(Failure::new(ExitStatus::Usage, anyhow::anyhow!("no batch file"))
                .hint("name one, or pipe one in: beltic batch-issue items.json"));
        }
        return Ok(vec![stdin()]);
    }
    Ok(paths
        .iter()
        .map(|path| if path == Path::new("-") { stdin() } else { source::Input::File(path.clone()) })
        .collect())
}
