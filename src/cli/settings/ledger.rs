//! Where the ledger is.

use std::path::{Path, PathBuf};

use super::{NO_LEDGER, Settings};
use crate::cli::failure::Failure;
use crate::cli::project::Origin;
use crate::invisible::{self, is_invisible};
use crate::ledger::Address;

impl Settings {
    /// Where the ledger is; `None` for a run without one.
    ///
    /// # Errors
    /// Where what is named is a URL that this build knows nothing of, or the file lies in a folder that is not trusted.
    pub(crate) fn ledger_address(&self, given: &Option<PathBuf>) -> Result<Option<Address>, Failure> {
        let named = given.clone().or_else(|| self.value(&None, |config| &config.ledger.at));
        let origin = || {
            let typed = given.as_ref().map(|_| Origin::typed("--ledger", Some("BELTIC_LEDGER")));
            self.origin(typed, "ledger", |config| &config.ledger.at)
        };
        if let Some(place) = &named
            && let Some(server) = self.server_of(place, origin)?
        {
            return Ok(Some(server));
        }
        let path = match self.path(given, |config| &config.ledger.at) {
            Some(path) => path,
            None => self.in_state_folder("ledger.db", "`--ledger FILE` or BELTIC_LEDGER")?,
        };
        Ok((path != Path::new(NO_LEDGER)).then_some(Address::File(path)))
    }

    /// The ledger at a place that an argument names.
    ///
    /// # Errors
    /// As [`Settings::ledger_address`].
    pub(crate) fn ledger_at(&self, place: &Path, argument: &'static str) -> Result<Address, Failure> {
        let server = self.server_of(place, || Origin::typed(argument, None))?;
        Ok(server.unwrap_or_else(|| Address::from(place)))
    }

    /// The database that is named, where it is one and not a path.
    fn server_of(&self, place: &Path, origin: impl Fn() -> Origin) -> Result<Option<Address>, Failure> {
        if let Some(hidden) = hidden_character(place) {
            return Err(Failure::usage(format!("{} has {} in it", origin(), invisible::name(hidden))).hint(
                "remove the character, which changes the path; env files from Windows end their lines with \
                 U+000D",
            ));
        }
        let server = |scheme: String| self.server_address(&scheme, &place.to_string_lossy(), &origin());
        scheme_of(place).map(server).transpose()
    }

    /// Whether somebody said which ledger it is.
    pub(crate) fn ledger_is_named(&self, given: &Option<PathBuf>) -> bool {
        self.path(given, |config| &config.ledger.at).is_some()
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
        .hint("install a build with it (`cargo install --features postgres`), or name a file"),
        _ => Failure::usage(format!("{origin} is a {scheme}: URL; expected the path of a file"))
            .hint("write the path without a scheme; put `./` before a file name that contains a colon"),
    }
}

#[cfg(not(feature = "postgres"))]
impl Settings {
    fn server_address(&self, scheme: &str, _: &str, origin: &Origin) -> Result<Address, Failure> {
        Err(refused_scheme(scheme, origin))
    }
}

#[cfg(feature = "postgres")]
mod server {
    //! The database, and what its settings say beside the URL.

    use std::path::Path;
    use std::{env, fs};

    use zeroize::Zeroizing;

    use super::refused_scheme;
    use crate::cli::exit::ExitStatus;
    use crate::cli::failure::Failure;
    use crate::cli::project::Origin;
    use crate::cli::settings::Settings;
    use crate::ledger::{Address, ServerAddress, UrlError};

    /// The largest file of passwords that is read, in bytes.
    const MAX_BYTES: usize = 1 << 20;

    impl Settings {
        /// The database of a URL.
        pub(super) fn server_address(
            &self,
            scheme: &str,
            url: &str,
            origin: &Origin,
        ) -> Result<Address, Failure> {
            if !matches!(scheme, "postgres" | "postgresql") {
                return Err(refused_scheme(scheme, origin));
            }
            let mut server = ServerAddress::parse(url).map_err(|error| {
                let refused = Failure::usage(format!("{origin} {error}"));
                match error {
                    UrlError::Password => refused.hint(
                        "other users of the machine could read it; put it into a file for PGPASSFILE, or into \
                         `ledger.password_file`",
                    ),
                    UrlError::Plain(_) => refused.hint("`sslrootcert=FILE` names the certificate of a private CA"),
                    _ => refused.hint("write it as `postgres://USER@HOST/DATABASE`"),
                }
            })?;
            server.or_user(|| env::var("PGUSER").or_else(|_| env::var("USER")).ok());
            server.password = self.database_password(&server)?;
            if let Some(lanes) = self.value(&None, |config| &config.ledger.lanes) {
                server.lanes = lanes.get().into();
            }
            if let Some(wait) = self.waiting_time("ledger.wait", |config| &config.ledger.wait)? {
                server.wait = wait;
            }
            Ok(Address::Server(Box::new(server)))
        }

        /// The password: from the file that the settings name, the variables of PostgreSQL's own programs, or the file
        /// that these look into.
        fn database_password(&self, server: &ServerAddress) -> Result<Option<Zeroizing<String>>, Failure> {
            if let Some(file) = self.path(&None, |config| &config.ledger.password_file) {
                let text = private_text(&file)?;
                return Ok(Some(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned())));
            }
            if let Ok(password) = env::var("PGPASSWORD") {
                return Ok(Some(Zeroizing::new(password)));
            }
            let by_default = || Some(Path::new(&env::var_os("HOME")?).join(".pgpass"));
            let named = env::var_os("PGPASSFILE").map(Into::into);
            match named.or_else(by_default).filter(|file| file.exists()) {
                Some(file) => Ok(server.password_in(&private_text(&file)?)),
                None => Ok(None),
            }
        }
    }

    /// What is in a file that is for its owner alone.
    fn private_text(file: &Path) -> Result<Zeroizing<String>, Failure> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let shown = file.display();
            let of_others = fs::metadata(file).is_ok_and(|found| found.permissions().mode() & 0o077 != 0);
            if of_others {
                return Err(Failure::said(
                    ExitStatus::Files,
                    format!("other users can read the password file {shown}"),
                )
                .hint(format!("run `chmod 600 {shown}`")));
            }
        }
        let bytes = crate::files::read_limited(file, MAX_BYTES)?;
        let text = String::from_utf8(bytes.to_vec());
        let unreadable = |_| Failure::said(ExitStatus::Files, format!("{} is not UTF-8", file.display()));
        text.map(Zeroizing::new).map_err(unreadable)
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
