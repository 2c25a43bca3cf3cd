//! Where the ledger is.

use std::path::{Path, PathBuf};

use super::{NO_LEDGER, Settings};
use crate::cli::failure::Failure;
use crate::cli::project::Origin;
use crate::invisible::{self, is_invisible};

impl Settings {
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
                "remove the character, which changes the path; env files from Windows end their lines with \
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
            "{origin} is a {scheme}: URL, but this build of beltic has no PostgreSQL ledger"
        ))
        .hint("name a file, such as `--ledger ledger.db`"),
        _ => Failure::usage(format!("{origin} is a {scheme}: URL; expected the path of a file"))
            .hint("write the path without a scheme; put `./` before a file name that contains a colon"),
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
