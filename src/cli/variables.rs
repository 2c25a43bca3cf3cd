//! The environment: which `BELTIC_*` variables there are, and a warning for those that mean nothing.

use std::ffi::OsString;

use super::streams;
use crate::keys::is_private_key_text;

/// The variables of flags, and the one that has none.
const KNOWN: [&str; 20] = [
    "BELTIC_CONFIG",
    "BELTIC_DEVELOPER_ID",
    "BELTIC_IDEMPOTENCY_KEY",
    "BELTIC_INPUT_FORMAT",
    "BELTIC_ISSUER",
    "BELTIC_JOBS",
    "BELTIC_KEY",
    PASSPHRASE,
    "BELTIC_LEDGER",
    "BELTIC_LOG_FORMAT",
    "BELTIC_OUTPUT_FORMAT",
    PIN,
    "BELTIC_PROOF_FORMAT",
    "BELTIC_PUBLIC_KEY",
    "BELTIC_SIGNER_COMMAND",
    "BELTIC_TTL",
    "BELTIC_TYPE",
    "BELTIC_TYPES",
    "BELTIC_VCT",
    "BELTIC_X5C",
];

/// The passphrase of the key. It has no flag, because other users can see those.
pub(super) const PASSPHRASE: &str = "BELTIC_KEY_PASSPHRASE";

/// The PIN of a PKCS#11 token. It has no flag for the same reason.
pub(super) const PIN: &str = "BELTIC_PIN";

/// The variables that hold secrets of this program, which are not a signer program's business.
pub(super) const SECRETS: [&str; 2] = [PASSPHRASE, PIN];

/// The variable that holds a private key, by the look of it. Whatever it stands for, its value would be quoted as
/// something that is not understood, or become the name of a file. Of `BELTIC_KEY` the settings say more.
pub(super) fn holding_a_key() -> Option<&'static str> {
    let is_key = |name: &&&str| {
        std::env::var_os(name).is_some_and(|value| is_private_key_text(&value.to_string_lossy()))
    };
    KNOWN.iter().filter(|name| !["BELTIC_KEY", PASSPHRASE, PIN].contains(name)).find(is_key).copied()
}

/// Warns of variables that no flag has, such as misspelt ones. Their values are not shown.
pub(super) fn warn_of_unknown() {
    for warning in unknown_ones() {
        streams::say(&format!("warning: {warning}"));
    }
}

/// What is to be said about variables that no flag has.
pub(super) fn unknown_ones() -> Vec<String> {
    unknown(std::env::vars_os().map(|(name, _)| name))
}

fn unknown(names: impl Iterator<Item = OsString>) -> Vec<String> {
    let mut warnings: Vec<String> = names
        .filter(|name| name.as_encoded_bytes().starts_with(b"BELTIC_"))
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| !KNOWN.contains(&name.as_str()))
        .map(|name| {
            let nearest = KNOWN.iter().map(|known| (distance(known, &name), *known)).min();
            let hint = nearest.filter(|(distance, _)| *distance <= 3);
            let hint = hint.map(|(_, known)| format!("; did you mean {known}?")).unwrap_or_default();
            format!("the environment variable {} is unknown and ignored{hint}", streams::printable(&name))
        })
        .collect();
    warnings.sort();
    warnings
}

fn distance(known: &str, name: &str) -> usize {
    strsim::damerau_levenshtein(known, name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn variables_of(command: &clap::Command, found: &mut BTreeSet<String>) {
        let variables = command.get_arguments().filter_map(|arg| arg.get_env());
        found.extend(variables.map(|name| name.to_string_lossy().into_owned()));
        command.get_subcommands().for_each(|below| variables_of(below, found));
    }

    #[test]
    fn the_known_variables_are_those_of_the_flags() {
        let mut program = crate::cli::command();
        program.build();
        let mut found = BTreeSet::from(SECRETS.map(str::to_owned));
        variables_of(&program, &mut found);
        let known: BTreeSet<String> = KNOWN.iter().map(ToString::to_string).collect();
        assert_eq!(known, found);
    }

    #[test]
    fn a_misspelt_variable_is_named_with_the_nearest_one() {
        let names = ["HOME", "BELTIC_LEDGR", "BELTIC_KEY", "BELTICS", "BELTIC_SOMETHING_ELSE"];
        assert_eq!(
            unknown(names.into_iter().map(Into::into)),
            [
                "the environment variable BELTIC_LEDGR is unknown and ignored; did you mean BELTIC_LEDGER?",
                "the environment variable BELTIC_SOMETHING_ELSE is unknown and ignored",
            ]
        );
    }
}
