//! The issuer's keys and certificates.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{MAX_DOCUMENT_BYTES, Settings, unusable};
use crate::cli::config::KeysConfig;
use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::{asking, streams, variables};
use crate::files;
use crate::issuer::Issuer;
use crate::keys::{self, CertificateChain, IssuerKey, KeyError, PublicKey};
use crate::publish::documents::KeyState;
use crate::verify::KeyRing;

/// The longest passphrase file, in bytes.
const MAX_PASSPHRASE_BYTES: usize = 4096;

impl Settings {
    /// The private key's file.
    pub(crate) fn key_path(&self, given: &Option<PathBuf>) -> Result<PathBuf, Failure> {
        let path = match self.path(given, |config| &config.key) {
            Some(path) => path,
            None => self.in_state_folder("issuer.pem", "`--key FILE` or BELTIC_KEY")?,
        };
        if is_module_uri(&path.to_string_lossy()) {
            return Err(Failure::usage("expected the path of a key file, and found a `pkcs11:` URI"));
        }
        // It would be shown as a path that is not there, or become the name of a file.
        match keys::is_private_key_text(&path.to_string_lossy()) {
            false => Ok(path),
            true => Err(Failure::said(
                ExitStatus::Key,
                "the value is a private key; expected the path of its file",
            )
            .hint("write it to a file with mode 0600, and name that with `--key` or BELTIC_KEY")),
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

    /// The public keys beside the one that signs.
    pub(crate) fn other_keys(&self) -> Result<Vec<(PublicKey, KeyState)>, Failure> {
        let mut keys = Vec::new();
        for file in self.layers() {
            let KeysConfig { next, retired } = &file.config.keys;
            if next.is_empty() && retired.is_empty() {
                continue;
            }
            for (paths, state) in [(next, KeyState::Next), (retired, KeyState::Retired)] {
                for path in paths {
                    keys.push((load_public_key(&file.path(path), "publish", PUBLIC_HINT)?, state));
                }
            }
            break; // the project's keys replace the user's
        }
        Ok(keys)
    }

    /// The keys by which credentials are known to be the issuer's own: the one that signs, and those beside it. A did:key
    /// or a did:jwk has no others.
    pub(crate) fn ring_of(&self, issuer: &Issuer, key: &PublicKey) -> Result<KeyRing, Failure> {
        let mut ring = KeyRing::default();
        let others = self.other_keys()?;
        for key in [key].into_iter().chain(others.iter().map(|(key, _)| key)) {
            let Ok(named) = Issuer::parse(issuer.id(), key) else { continue };
            ring.add_named(named.kid(), key, issuer.id())
                .map_err(|error| Failure::new(ExitStatus::Key, error))?;
        }
        Ok(ring)
    }
}

/// Whether a key is named by a `pkcs11:` URI (RFC 7512) instead of a path.
pub(super) fn is_module_uri(key: &str) -> bool {
    const SCHEME: &str = "pkcs11:";
    key.get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME))
}

/// What to name among the keys of an issuer.
const PUBLIC_HINT: &str = "name the public JWK that `beltic keygen` wrote next to the key";

/// Loads a public key, PEM or JWK. `purpose` is what it cannot be used for, where it is none.
pub(super) fn load_public_key(path: &Path, purpose: &str, hint: &str) -> Result<PublicKey, Failure> {
    let bytes = files::read_limited(path, MAX_DOCUMENT_BYTES)
        .map_err(|error| Failure::new(ExitStatus::Key, error))?;
    PublicKey::parse(&bytes).map_err(|error| {
        let failed =
            anyhow::Error::new(error).context(format!("cannot {purpose} the key in {}", path.display()));
        Failure::new(ExitStatus::Key, failed).hint(hint)
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
            "warning: other users can read the private key {path}; fix it with `chmod 600 {path}`"
        ));
    }
    Ok(loaded.key)
}

/// The passphrase that a new key is encrypted with; none where it is not to be. One that is given is never ignored.
pub(crate) fn new_passphrase(
    file: Option<&Path>,
    encrypt: bool,
) -> Result<Option<Zeroizing<String>>, Failure> {
    let refuse = |failure: Failure| {
        failure.hint("give a passphrase by `--passphrase-file FILE` or BELTIC_KEY_PASSPHRASE, or run this on a terminal")
    };
    let is_given = file.is_some() || std::env::var_os(variables::PASSPHRASE).is_some();
    let found = match (is_given, encrypt) {
        (true, _) => passphrase(file),
        (false, true) if asking::is_possible() => asking::new_passphrase(),
        (false, true) => {
            return Err(refuse(Failure::said(ExitStatus::Key, "no passphrase was given for the new key")));
        }
        (false, false) => return Ok(None),
    };
    match found {
        Ok(passphrase) if passphrase.is_empty() => Err(refuse(KeyError::EmptyPassphrase.into())),
        Ok(passphrase) => Ok(Some(passphrase)),
        Err(error) => Err(refuse(error.into())),
    }
}

/// The first line of a file. Errors do not show the path: it may be the secret itself, by mistake.
pub(super) fn secret_in(path: &Path) -> Result<Zeroizing<String>, Box<dyn std::error::Error + Send + Sync>> {
    let bytes = files::read_limited(path, MAX_PASSPHRASE_BYTES).map_err(|error| error.source)?;
    let text = std::str::from_utf8(&bytes)?;
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}

/// The passphrase of an encrypted key: from the file named, the environment, or the terminal.
pub(crate) fn passphrase(file: Option<&Path>) -> Result<Zeroizing<String>, KeyError> {
    if let Some(path) = file {
        return secret_in(path).map_err(KeyError::PassphraseUnreadable);
    }
    if let Ok(text) = std::env::var(variables::PASSPHRASE) {
        return Ok(Zeroizing::new(text));
    }
    if !asking::is_possible() {
        return Err(KeyError::NoPassphrase);
    }
    rpassword::prompt_password("Passphrase of the issuer key: ")
        .map(Zeroizing::new)
        .map_err(|error| KeyError::PassphraseUnreadable(Box::new(error)))
}
