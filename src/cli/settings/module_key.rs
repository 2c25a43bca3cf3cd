//! Keys in PKCS#11 modules: what a `pkcs11:` URI means, and where the PIN comes from. A build without the feature `pkcs11`
//! knows such a URI when it sees one, and refuses it.

use std::path::PathBuf;

use super::Settings;
use super::keys::is_module_uri;
use super::signing_key::{OpenKey, refuse_found};
use crate::cli::failure::Failure;
use crate::cli::project::Origin;

impl Settings {
    /// The `pkcs11:` URI that names the key, and who says it; none where a file is named.
    ///
    /// # Errors
    /// Where it is in a project file that was found.
    pub(crate) fn module_uri(&self, given: &Option<PathBuf>) -> Result<Option<(Origin, String)>, Failure> {
        let Some(key) = self.value(given, |config| &config.key) else { return Ok(None) };
        let Some(uri) = key.to_str().filter(|key| is_module_uri(key)) else { return Ok(None) };
        let typed = given.as_ref().map(|_| Origin::typed("--key", Some("BELTIC_KEY")));
        let origin = self.origin(typed, "key", |config| &config.key);
        refuse_found(&origin, "load a library for")?;
        Ok(Some((origin, uri.to_owned())))
    }
}

#[cfg(feature = "pkcs11")]
mod with_modules {
    use std::path::{Path, PathBuf};

    use zeroize::Zeroizing;

    use super::super::keys::{self, secret_in};
    use super::*;
    use crate::cli::{asking, exit::ExitStatus, streams, variables};
    use crate::files;
    use crate::keys::PublicKey;
    use crate::keys::pkcs11::{ModuleError, ModuleKey, ModuleUri, PinSourceError};

    /// A key in a module.
    #[derive(Debug)]
    pub(crate) struct ModulePlace {
        uri: ModuleUri,
        public_key: Option<PathBuf>,
    }

    impl Settings {
        /// The key that a URI names. Its public half can be in a file, where the token does not have it.
        pub(crate) fn module(
            &self,
            origin: &Origin,
            uri: &str,
            public_key: &Option<PathBuf>,
        ) -> Result<ModulePlace, Failure> {
            let mut uri = ModuleUri::parse(uri).map_err(|problem| {
                // The URI is not shown: there may be a PIN in it.
                Failure::usage(format!("the pkcs11: URI of {origin} cannot be used: {problem}"))
                    .hint("the PIN comes from a file, `pin-source=FILE`, from BELTIC_PIN, or from a prompt")
            })?;
            if let (Some(pin), Origin::NamedFile(_, file)) = (&mut uri.pin_source, origin) {
                *pin = file.parent().unwrap_or(Path::new("")).join(&*pin);
            }
            let public_key = self.path(public_key, |config| &config.signer.public_key);
            Ok(ModulePlace { uri, public_key })
        }
    }

    impl ModulePlace {
        /// Logs in to the token. `asks` is whether the PIN may be asked for.
        pub(crate) fn open(self, asks: bool, quiet: bool) -> Result<OpenKey, Failure> {
            let public = self
                .public_key
                .as_deref()
                .map(|path| keys::load_public_key(path, "use", "name the public half, a JWK or PEM"));
            let key = ModuleKey::open(
                &self.uri,
                &mut |token| pin(&self.uri, token, asks, quiet),
                public.transpose()?,
            )?;
            let files = self.public_key.into_iter().chain(self.uri.pin_source).collect();
            Ok(OpenKey { key: Box::new(key), files })
        }

        /// Makes the key in its token; none where there is one of this name.
        pub(crate) fn generate(&self, quiet: bool) -> Result<Option<PublicKey>, Failure> {
            match ModuleKey::generate(&self.uri, &mut |token| pin(&self.uri, token, true, quiet)) {
                Ok(public) => Ok(Some(public)),
                Err(ModuleError::Exists) => Ok(None),
                Err(error) => Err(error.into()),
            }
        }

        /// What is signed with, for people.
        pub(crate) fn shown(&self) -> String {
            format!("PKCS#11 module {}", self.uri.module_path.display())
        }
    }

    /// The PIN: from the file that the URI names, the environment, or the terminal.
    fn pin(
        uri: &ModuleUri,
        token: &str,
        asks: bool,
        quiet: bool,
    ) -> Result<Option<Zeroizing<String>>, PinSourceError> {
        if let Some(path) = &uri.pin_source {
            if !quiet && files::is_readable_by_others(path).unwrap_or(false) {
                let path = path.display();
                streams::say(&format!(
                    "warning: other users can read the PIN in {path}; fix it with `chmod 600 {path}`"
                ));
            }
            return secret_in(path).map(Some);
        }
        if let Ok(pin) = std::env::var(variables::PIN) {
            return Ok(Some(Zeroizing::new(pin)));
        }
        if !asks || !asking::is_possible() {
            return Ok(None);
        }
        let prompt = format!("PIN of the token {}: ", streams::printable(token));
        Ok(rpassword::prompt_password(prompt).map(Zeroizing::new).map(Some)?)
    }

    impl From<ModuleError> for Failure {
        fn from(error: ModuleError) -> Failure {
            let hint = match &error {
                ModuleError::NoPin => {
                    "give the PIN in a file (`pin-source=FILE` in the URI) or in BELTIC_PIN, or run this on a terminal"
                }
                ModuleError::NoPublicHalf => "name its file, a JWK or PEM, with `--public-key FILE`",
                ModuleError::Key { found: 0 } => {
                    "`beltic keygen --key 'pkcs11:…'` makes the key in the token"
                }
                ModuleError::Token { .. } | ModuleError::Key { .. } => {
                    "name it by its token, serial, object and id"
                }
                _ => return Failure::new(ExitStatus::Key, error),
            };
            Failure::new(ExitStatus::Key, error).hint(hint)
        }
    }
}

#[cfg(feature = "pkcs11")]
pub(crate) use with_modules::ModulePlace;

/// There is none of them in this build.
#[cfg(not(feature = "pkcs11"))]
#[derive(Debug)]
pub(crate) enum ModulePlace {}

#[cfg(not(feature = "pkcs11"))]
mod without_modules {
    use super::*;
    use crate::keys::PublicKey;

    impl Settings {
        /// Refuses the URI.
        pub(crate) fn module(
            &self,
            origin: &Origin,
            _: &str,
            _: &Option<PathBuf>,
        ) -> Result<ModulePlace, Failure> {
            Err(Failure::usage(format!(
                "{origin} is a pkcs11: URI, which needs a build with the feature `pkcs11`, and this is one without it"
            ))
            .hint("build beltic with `--features pkcs11`"))
        }
    }

    impl ModulePlace {
        pub(crate) fn open(self, _: bool, _: bool) -> Result<OpenKey, Failure> {
            match self {}
        }

        pub(crate) fn generate(&self, _: bool) -> Result<Option<PublicKey>, Failure> {
            match *self {}
        }

        pub(crate) fn shown(&self) -> String {
            match *self {}
        }
    }
}
