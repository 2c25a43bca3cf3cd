//! Settings files: `.beltic.yaml` of a project, `beltic/config.yaml` of a user.

mod constants;

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::{fmt, io};

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::exit::ExitStatus;
use super::failure::Failure;
use super::project::{self, Origin, PROJECT_FILE};
use super::yaml_bounds;
use crate::files;

/// The largest settings file that is read, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// What a settings file can say. An unknown key is an error.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) key: Option<PathBuf>,
    pub(crate) keys: KeysConfig,
    pub(crate) signer: SignerConfig,
    pub(crate) ledger: LedgerConfig,
    pub(crate) developer_id: Option<String>,
    pub(crate) jobs: Option<NonZeroU16>,
    pub(crate) issuer: IssuerConfig,
    /// Several issuers, by their names.
    pub(crate) issuers: BTreeMap<String, IssuerEntry>,
    pub(crate) credential: CredentialConfig,
    pub(crate) disclosure: DisclosureConfig,
    pub(crate) status: StatusConfig,
    pub(crate) publish: PublishConfig,
    pub(crate) csv: CsvConfig,
    /// Files of types of one's own, or folders that hold them.
    pub(crate) types: Option<OneOrSeveral<PathBuf>>,
}

/// Where the ledger is, and how it is used: the place alone, or a mapping.
#[derive(Debug, Clone, Default)]
#[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "a file has nothing but a place"))]
pub(crate) struct LedgerConfig {
    /// A file, the URL of a database, or `none`.
    pub(crate) at: Option<PathBuf>,
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) lanes: Option<NonZeroU16>,
    pub(crate) wait: Option<String>,
}

impl<'de> Deserialize<'de> for LedgerConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<LedgerConfig, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        struct Mapping {
            at: Option<PathBuf>,
            password_file: Option<PathBuf>,
            lanes: Option<NonZeroU16>,
            wait: Option<String>,
        }
        struct PlaceOrMapping;
        impl<'de> Visitor<'de> for PlaceOrMapping {
            type Value = LedgerConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the place of the ledger, or a mapping")
            }

            fn visit_str<E>(self, place: &str) -> Result<LedgerConfig, E> {
                Ok(LedgerConfig { at: Some(place.into()), ..LedgerConfig::default() })
            }

            fn visit_unit<E>(self) -> Result<LedgerConfig, E> {
                Ok(LedgerConfig::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<LedgerConfig, A::Error> {
                let Mapping { at, password_file, lanes, wait } =
                    Mapping::deserialize(MapAccessDeserializer::new(members))?;
                Ok(LedgerConfig { at, password_file, lanes, wait })
            }
        }
        deserializer.deserialize_any(PlaceOrMapping)
    }
}

/// One value, or a list of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "expected text or a list of texts")]
pub(crate) enum OneOrSeveral<T> {
    One(T),
    Several(Vec<T>),
}

impl<T> OneOrSeveral<T> {
    pub(crate) fn all(&self) -> &[T] {
        match self {
            OneOrSeveral::One(one) => std::slice::from_ref(one),
            OneOrSeveral::Several(several) => several,
        }
    }
}

/// One of several issuers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct IssuerEntry {
    pub(crate) did: Option<String>,
    pub(crate) x5c: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    pub(crate) keys: KeysConfig,
    pub(crate) signer: SignerConfig,
    /// Where its status lists are published.
    pub(crate) base_url: Option<String>,
}

/// The keys beside the one that signs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct KeysConfig {
    /// Public keys that will sign.
    pub(crate) next: Vec<PathBuf>,
    /// Public keys that have signed.
    pub(crate) retired: Vec<PathBuf>,
}

/// A program that signs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SignerConfig {
    /// The program and its arguments.
    pub(crate) command: Option<Vec<String>>,
    pub(crate) public_key: Option<PathBuf>,
    pub(crate) timeout: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct IssuerConfig {
    pub(crate) did: Option<String>,
    pub(crate) x5c: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CredentialConfig {
    /// The type of items that name none; `vct`, `type_metadata` and `disclosure` are about it.
    pub(crate) r#type: Option<String>,
    pub(crate) context: Option<String>,
    pub(crate) vct: Option<String>,
    pub(crate) ttl: Option<String>,
    pub(crate) proof_format: Option<String>,
    pub(crate) type_metadata: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DisclosureConfig {
    pub(crate) decoys: Option<usize>,
    /// A word for each path.
    pub(crate) claims: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct StatusConfig {
    pub(crate) base_url: Option<String>,
    pub(crate) ttl: Option<String>,
    pub(crate) validity: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PublishConfig {
    pub(crate) legacy_did_methods: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CsvConfig {
    /// The field of a header, or several.
    pub(crate) columns: BTreeMap<String, OneOrSeveral<String>>,
    /// Headers that feed no field; `*` stands for all that nothing is known of.
    pub(crate) ignore: Option<OneOrSeveral<String>>,
    /// The text of an empty cell, by field.
    pub(crate) defaults: BTreeMap<String, String>,
    /// What the words of a column mean.
    pub(crate) values: BTreeMap<String, BTreeMap<String, String>>,
    /// The format of a column's dates.
    pub(crate) dates: BTreeMap<String, String>,
    /// `allowed` or `refused`.
    pub(crate) percent_sign: Option<String>,
    /// Cells that mean empty.
    pub(crate) nulls: Vec<String>,
    /// The text of cells, as it is written in the file, or as JSON: see [`constants`].
    #[serde(deserialize_with = "constants::named")]
    pub(crate) constants: BTreeMap<String, String>,
    pub(crate) delimiter: Option<String>,
    pub(crate) encoding: Option<String>,
    pub(crate) line_breaks: Option<String>,
}

/// Refuses what has the name of a settings file, was found and not named, and is no file: reading a pipe would wait for
/// somebody to write, and a link to nothing is no reason to obey the settings of a folder further up.
fn refuse_odd(path: &Path) -> Result<(), Failure> {
    let found = match path.metadata() {
        Ok(found) if found.is_file() => return Ok(()),
        Ok(found) if found.is_dir() => "is a directory",
        Ok(_) => "is a pipe or a device",
        Err(error) if error.kind() == io::ErrorKind::NotFound => "is a link to a file that does not exist",
        // Reading it says more.
        Err(_) => return Ok(()),
    };
    let message = format!("{} {found}; expected a file of settings", path.display());
    Err(Failure::usage(message).hint("fix or remove it, or name a settings file with `--config FILE`"))
}

/// A settings file that was read.
#[derive(Debug, Default)]
pub(crate) struct ConfigFile {
    pub(crate) config: Config,
    /// The folder that relative paths in it start from; none where there is no file.
    pub(crate) folder: Option<PathBuf>,
    /// The file itself, and whether it was found rather than named.
    source: Option<(PathBuf, bool)>,
}

impl ConfigFile {
    /// The project's file: the one named, or that of the nearest project upward from the working directory.
    pub(crate) fn of_project(named: Option<&Path>, quiet: bool) -> Result<ConfigFile, Failure> {
        if let Some(path) = named {
            return ConfigFile::read(path, false);
        }
        let here = std::env::current_dir().unwrap_or_default();
        let Some(folder) = project::nearest(&here) else { return Ok(ConfigFile::default()) };
        let path = folder.join(PROJECT_FILE);
        if path.symlink_metadata().is_ok() {
            project::check_trust(&path, "`--config FILE` or BELTIC_CONFIG", quiet)?;
            refuse_odd(&path)?;
            return ConfigFile::read(&path, true);
        }
        // In the working directory itself, paths stay short.
        let folder = (folder != here).then(|| folder.to_owned());
        Ok(ConfigFile { folder, ..ConfigFile::default() })
    }

    /// The user's file, `beltic/config.yaml` in the configuration folder.
    pub(crate) fn of_user() -> Result<ConfigFile, Failure> {
        let folder = std::env::var_os("XDG_CONFIG_HOME")
            .filter(|folder| !folder.is_empty())
            .map(PathBuf::from)
            .or_else(|| std::env::home_dir().map(|home| home.join(".config")));
        let is_there = |path: &PathBuf| path.symlink_metadata().is_ok();
        match folder.map(|folder| folder.join("beltic/config.yaml")).filter(is_there) {
            Some(path) => {
                refuse_odd(&path)?;
                ConfigFile::read(&path, false)
            }
            None => Ok(ConfigFile::default()),
        }
    }

    fn read(path: &Path, found: bool) -> Result<ConfigFile, Failure> {
        let bytes =
            files::read_limited(path, MAX_BYTES).map_err(|error| Failure::new(ExitStatus::Usage, error))?;
        let mut file = ConfigFile::parse(&bytes).map_err(|problem| {
            Failure::new(
                ExitStatus::Usage,
                anyhow::Error::msg(problem).context(format!("cannot use the settings in {}", path.display())),
            )
        })?;
        file.folder = path.parent().map(Path::to_owned);
        file.source = Some((path.to_owned(), found));
        Ok(file)
    }

    /// A file that is in no folder, or what is wrong with it and where.
    pub(crate) fn parse(bytes: &[u8]) -> Result<ConfigFile, String> {
        yaml_bounds::check(bytes)?;
        let config = parse(bytes).map_err(|error| problem(bytes, &error))?;
        Ok(ConfigFile { config, folder: None, source: None })
    }

    /// These settings as if they were in a file beside this one.
    pub(crate) fn beside(&self, config: Config) -> ConfigFile {
        ConfigFile { config, folder: self.folder.clone(), source: self.source.clone() }
    }

    /// The file itself, where there is one.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.source.as_ref().map(|(path, _)| path.as_path())
    }

    /// Where a value of this file comes from, by its key.
    pub(crate) fn origin(&self, key: &'static str) -> Origin {
        match &self.source {
            Some((path, true)) => Origin::FoundFile(key, path.clone()),
            Some((path, false)) => Origin::NamedFile(key, path.clone()),
            None => Origin::Default,
        }
    }

    /// A path of this file, from the folder that the file is in.
    pub(crate) fn path(&self, path: &Path) -> PathBuf {
        self.folder.as_deref().map_or_else(|| path.to_owned(), |folder| folder.join(path))
    }
}

fn parse(bytes: &[u8]) -> Result<Config, serde_yaml::Error> {
    // A file of comments only is an empty document, which says nothing.
    let settings: Option<Config> = serde_yaml::from_slice(bytes)?;
    let mut settings = settings.unwrap_or_default();
    if !settings.csv.constants.is_empty() {
        settings.csv.constants = constants::read(bytes)?;
    }
    Ok(settings)
}

/// What is wrong. A file that is no mapping may be a key or a passphrase, and is not quoted.
fn problem(bytes: &[u8], error: &serde_yaml::Error) -> String {
    match serde_yaml::from_slice(bytes) {
        Ok(serde_yaml::Value::Mapping(_)) | Err(_) => located(bytes, error),
        Ok(_) => "it has no settings; expected lines such as `key: issuer.pem`".to_owned(),
    }
}

/// What is wrong, with its line, in the words of settings instead of those of Rust and of `serde_yaml`.
fn located(bytes: &[u8], error: &serde_yaml::Error) -> String {
    let text = without_value(error.to_string());
    let text = match text.rsplit_once(" at line ") {
        Some((before, _)) => before.to_owned(),
        None => text,
    };
    let line = error.location().map(|place| format!("line {}: ", place.line())).unwrap_or_default();
    // Serde forgets the key of a value that has several forms.
    let text = if text == ONE_OR_SEVERAL { format!("{}{text}", key_before(bytes, error)) } else { text };
    line + &in_plain_words(&text)
}

/// What is said of a value that is neither one text nor a list of texts.
const ONE_OR_SEVERAL: &str = "expected text or a list of texts";

/// The key on the line of an error, as the beginning of a message.
fn key_before(bytes: &[u8], error: &serde_yaml::Error) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = error.location().and_then(|place| text.lines().nth(place.line().saturating_sub(1)));
    let key = line.and_then(|line| line.split_once(':')).map(|(key, _)| key.trim());
    match key {
        Some(key) if key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ' ')) => format!("{key}: "),
        _ => String::new(),
    }
}

/// A message of `serde` about a value of another type than was expected, in plain words.
fn in_plain_words(text: &str) -> String {
    let (problem, expected) = match text.split_once(", expected ") {
        Some((problem, expected)) => (problem, Some(expected)),
        None => (text, None),
    };
    let problem =
        FOUND_WORDS.iter().fold(problem.to_owned(), |problem, (theirs, ours)| problem.replace(theirs, ours));
    match expected {
        None => problem,
        Some(expected) => {
            let known = EXPECTED_WORDS.iter().find(|(theirs, _)| expected.starts_with(theirs));
            format!("{problem}; expected {}", known.map_or(expected, |(_, ours)| ours))
        }
    }
}

/// What `serde` says was found, and what we say.
const FOUND_WORDS: [(&str, &str); 13] = [
    ("invalid type: ", "found "),
    ("invalid value: ", "found "),
    ("found string", "found text"),
    ("found integer ", "found "),
    ("found floating point ", "found "),
    ("found boolean ", "found "),
    ("found unit value", "found no value"),
    ("found map", "found a mapping"),
    ("found sequence", "found a list"),
    ("unknown field ", "unknown key "),
    ("duplicate field ", "duplicate key "),
    ("duplicate entry ", "duplicate key "),
    ("missing field ", "missing key "),
];

/// How `serde` begins to say what was expected, and what we say.
const EXPECTED_WORDS: [(&str, &str); 8] = [
    ("a nonzero u16", "a whole number from 1 to 65,535"),
    ("struct ", "a mapping"),
    ("a map", "a mapping"),
    ("a sequence", "a list"),
    ("path string", "the path of a file"),
    ("a string", "text"),
    ("a boolean", "true or false"),
    ("usize", "a whole number, 0 or more"),
];

/// A message without the text that was found in the place of something else: it may be a key or a passphrase.
fn without_value(message: String) -> String {
    const FOUND: &str = "string \"";
    match (message.find(FOUND), message.rfind("\", expected ")) {
        (Some(start), Some(end)) if start + FOUND.len() <= end => {
            format!("{}{}", &message[..start + FOUND.len() - 2], &message[end + 1..])
        }
        _ => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let text = b"key: a.pem\nissuer:\n  dod: did:web:x\n";
        let error = located(text, &parse(text).unwrap_err());
        assert!(error.contains("unknown key `dod`") && error.contains("line 3"), "{error}");
    }

    #[test]
    fn a_file_without_settings_is_not_quoted() {
        for text in ["correct horse\n", "-----BEGIN PRIVATE KEY-----\nMIGH\n", "- correct horse\n"] {
            let said = problem(text.as_bytes(), &parse(text.as_bytes()).unwrap_err());
            assert!(
                said.contains("no settings") && !said.contains("correct") && !said.contains("MIGH"),
                "{said}"
            );
        }
    }

    #[test]
    fn a_text_in_the_place_of_something_else_is_not_quoted() {
        for name in ["issuer", "jobs", "keys", "status", "csv", "credential"] {
            let text = format!("{name}: |\n  -----BEGIN \"PRIVATE\", expected KEY-----\n  MIGH\n");
            let said = problem(text.as_bytes(), &parse(text.as_bytes()).unwrap_err());
            assert!(
                said.starts_with(&format!("line 1: {name}: found text; expected "))
                    && !said.contains("MIGH")
                    && !said.contains("PRIVATE"),
                "{said}"
            );
        }
    }

    #[test]
    fn a_value_of_another_type_is_named_in_plain_words() {
        let cases = [
            ("jobs: x", "line 1: jobs: found text; expected a whole number from 1 to 65,535"),
            ("jobs: 0", "line 1: jobs: found `0`; expected a whole number from 1 to 65,535"),
            ("jobs: 70000", "line 1: jobs: found `70000`; expected a whole number from 1 to 65,535"),
            ("jobs: [1]", "line 1: jobs: found a list; expected a whole number from 1 to 65,535"),
            ("\ntypes: 5", "line 2: types: expected text or a list of texts"),
            ("key: [a]", "line 1: key: found a list; expected the path of a file"),
            ("issuer: 5", "line 1: issuer: found `5`; expected a mapping"),
            ("issuer:\n  did: {a: b}", "line 2: issuer.did: found a mapping; expected text"),
            ("keys:\n  next: a.jwk", "line 2: keys.next: found text; expected a list"),
        ];
        for (text, expected) in cases {
            assert_eq!(problem(text.as_bytes(), &parse(text.as_bytes()).unwrap_err()), expected, "{text}");
        }
    }

    #[test]
    fn an_empty_file_says_nothing() {
        assert!(parse(b"").unwrap().key.is_none());
        assert!(parse(b"# nothing yet\n").unwrap().key.is_none());
    }

    #[test]
    fn constants_are_cells() {
        let config = parse(b"csv:\n  constants:\n    self_attestation_complete: true\n    ttl: P6M\n    registration_number: 00445790\n").unwrap();
        let cells: Vec<_> = config.csv.constants.values().cloned().collect();
        assert_eq!(cells, ["00445790", "true", "P6M"]);
    }
}
