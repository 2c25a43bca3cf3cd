//! Every setting with the value in force and where that comes from, for `beltic doctor`.

use std::path::{Path, PathBuf};

use serde_yaml::Value;

use super::Settings;
use super::keys::is_module_uri;
use crate::cli::config::ConfigFile;
use crate::cli::project::Origin;
use crate::cli::yaml_place;
use crate::files;

/// A setting: its key, the variable that stands for it, and what holds where nobody says anything.
type Setting = (&'static str, Option<&'static str>, &'static str);

/// Every key of a settings file, in the order of `fixtures/beltic.yaml`.
const SETTINGS: [Setting; 40] = [
    ("key", Some("BELTIC_KEY"), ".beltic/issuer.pem"),
    ("keys.next", None, "none"),
    ("keys.retired", None, "none"),
    ("signer.command", Some("BELTIC_SIGNER_COMMAND"), "none"),
    ("signer.public_key", Some("BELTIC_PUBLIC_KEY"), "none"),
    ("signer.timeout", None, "PT30S"),
    ("ledger", Some("BELTIC_LEDGER"), ".beltic/ledger.db"),
    ("ledger.password_file", None, "none"),
    ("ledger.lanes", None, "8"),
    ("ledger.wait", None, "PT2M"),
    ("developer_id", Some("BELTIC_DEVELOPER_ID"), "none"),
    ("jobs", Some("BELTIC_JOBS"), "all cores"),
    ("issuer.did", Some("BELTIC_ISSUER"), "the key's own did:key"),
    ("issuer.x5c", Some("BELTIC_X5C"), "none"),
    ("issuers", None, "none"),
    ("credential.proof_format", Some("BELTIC_PROOF_FORMAT"), "jwt_vc"),
    ("credential.ttl", Some("BELTIC_TTL"), "P1Y"),
    ("credential.type", Some("BELTIC_TYPE"), "business"),
    ("credential.vct", Some("BELTIC_VCT"), "by issuer and type"),
    ("credential.context", None, "undefined terms"),
    ("credential.type_metadata", None, "none"),
    ("types", Some("BELTIC_TYPES"), "none"),
    ("disclosure.decoys", None, "0"),
    ("disclosure.claims", None, "by type"),
    ("status.base_url", None, "the place of a did:web or https issuer"),
    ("status.ttl", None, "PT12H"),
    ("status.validity", None, "P7D"),
    ("publish.legacy_did_methods", None, "false"),
    ("csv.delimiter", None, "found in the header"),
    ("csv.encoding", None, "UTF-8, or UTF-16 by its BOM"),
    ("csv.line_breaks", None, "allowed"),
    ("csv.columns", None, "none"),
    ("csv.ignore", None, "none"),
    ("csv.defaults", None, "none"),
    ("csv.values", None, "none"),
    ("csv.dates", None, "ISO 8601 and RFC 3339"),
    ("csv.percent_sign", None, "refused"),
    ("csv.nulls", None, "none"),
    ("csv.constants", None, "none"),
    ("output_format", Some("BELTIC_OUTPUT_FORMAT"), "text on a terminal, ndjson in a pipe"),
];

/// A setting in force.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InForce {
    /// Its key in a settings file.
    pub(crate) key: &'static str,
    /// Its value in a few words: of lists and mappings, how much they hold.
    pub(crate) value: String,
    /// Where it comes from, with the line of a file.
    pub(crate) origin: String,
}

impl Settings {
    /// Every setting; `given` are those that flags of this command or their variables say.
    pub(crate) fn in_force(&self, given: &[(&str, Option<String>, Origin)]) -> Vec<InForce> {
        let files: Vec<SettingsFile> =
            [&self.project, &self.user].into_iter().filter_map(SettingsFile::of).collect();
        let in_force = |(key, variable, default): Setting| {
            let by_flag = || {
                let (_, value, origin) = given.iter().find(|(known, ..)| *known == key)?;
                Some((value.clone()?, origin.to_string()))
            };
            let by_variable = || {
                let variable = variable?;
                let value = std::env::var(variable).ok().filter(|value| !value.is_empty())?;
                Some((if key == COMMAND { counted_words(&value) } else { value }, variable.to_owned()))
            };
            let by_issuer = || {
                let key = format!("issuers.{}.{}", self.chosen.as_ref()?.name, of_issuer(key)?);
                files.iter().find_map(|file| file.value(&key))
            };
            let by_file = || match key.starts_with("keys.") {
                // The project's keys replace the user's as a whole.
                true => files.iter().find(|file| file.has_keys())?.value(key),
                false => files.iter().find_map(|file| file.value(key)),
            };
            let found = by_flag().or_else(by_variable).or_else(by_issuer).or_else(by_file);
            let (value, origin) = found.unwrap_or_else(|| (default.to_owned(), "default".to_owned()));
            InForce { key, value: without_pin(value), origin }
        };
        SETTINGS.into_iter().map(in_force).collect()
    }
}

/// What a setting is called in the entry of one of several issuers.
fn of_issuer(key: &str) -> Option<&str> {
    match key {
        "issuer.did" => Some("did"),
        "issuer.x5c" => Some("x5c"),
        "status.base_url" => Some("base_url"),
        _ => (key == "key" || key.starts_with("keys.") || key.starts_with("signer.")).then_some(key),
    }
}

/// The setting whose words may be secret.
const COMMAND: &str = "signer.command";

/// A signer program's command, as it is shown: like a list in a file.
pub(crate) fn counted_words(command: &str) -> String {
    let words = shlex::split(command).unwrap_or_default().len();
    if words == 1 { "1 entry".to_owned() } else { format!("{words} entries") }
}

/// A value that may be a `pkcs11:` URI, without the PIN that does not belong into it.
fn without_pin(value: String) -> String {
    if is_module_uri(&value) && value.contains("pin-value") { "pkcs11:…".to_owned() } else { value }
}

/// A settings file, read once more for what is in which line.
struct SettingsFile {
    path: PathBuf,
    bytes: Vec<u8>,
    root: Value,
}

impl SettingsFile {
    fn of(file: &ConfigFile) -> Option<SettingsFile> {
        let path: &Path = file.file()?;
        let bytes = files::read_limited(path, super::MAX_DOCUMENT_BYTES).ok()?.to_vec();
        let root = serde_yaml::from_slice(&bytes).ok()?;
        Some(SettingsFile { path: path.to_owned(), bytes, root })
    }

    fn has_keys(&self) -> bool {
        ["keys.next", "keys.retired"].iter().any(|key| self.value(key).is_some())
    }

    fn value(&self, key: &str) -> Option<(String, String)> {
        // The place of the ledger alone stands for a mapping that says nothing else.
        let is_mapping = self.root.get("ledger").is_some_and(Value::is_mapping);
        let key = if key == "ledger" && is_mapping { "ledger.at" } else { key };
        let value = key.split('.').try_fold(&self.root, |value, name| value.get(name))?;
        let line = yaml_place::line_of(&self.bytes, &format!("/{}", key.replace('.', "/")));
        Some((in_words(value)?, format!("{} line {line}", self.path.display())))
    }
}

/// A value in a few words; none where it says nothing.
fn in_words(value: &Value) -> Option<String> {
    let several = |count: usize| match count {
        0 => None,
        1 => Some("1 entry".to_owned()),
        count => Some(format!("{count} entries")),
    };
    match value {
        Value::Null => None,
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(value) => Some(value.to_string()),
        Value::String(value) => Some(value.clone()),
        Value::Sequence(elements) => several(elements.len()),
        Value::Mapping(members) => several(members.len()),
        Value::Tagged(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys are those of the example, which tests compare with what settings files can say.
    #[test]
    fn every_key_of_a_settings_file_is_shown() {
        let example: Value = serde_yaml::from_str(include_str!("../../../fixtures/beltic.yaml")).unwrap();
        let mut keys = Vec::new();
        for (name, value) in example.as_mapping().unwrap() {
            let name = name.as_str().unwrap();
            match value.as_mapping().filter(|_| name != "issuers") {
                Some(members) => {
                    let shown = |key: &Value| match key.as_str().unwrap() {
                        "at" => name.to_owned(),
                        key => format!("{name}.{key}"),
                    };
                    keys.extend(members.keys().map(shown))
                }
                None => keys.push(name.to_owned()),
            }
        }
        keys.sort_unstable();
        let mut known: Vec<&str> =
            SETTINGS.iter().map(|(key, ..)| *key).filter(|key| *key != "output_format").collect();
        known.sort_unstable();
        assert_eq!(known, keys);
    }
}
