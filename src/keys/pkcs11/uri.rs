//! `pkcs11:` URIs (RFC 7512): which key of which token, and the module that reaches it.
//!
//! No error quotes a value: whoever writes a PIN into a URI must not find it in a log.

use std::path::PathBuf;

use thiserror::Error;

/// The longest URI that is read, in bytes.
const MAX_BYTES: usize = 8 * 1024;

/// A key of a token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModuleUri {
    /// What the token must say of itself.
    pub token: TokenTerms,
    /// The key's label.
    pub object: Option<String>,
    /// The key's id.
    pub id: Option<Vec<u8>>,
    /// The module: a shared library.
    pub module_path: PathBuf,
    /// The file whose first line is the PIN.
    pub pin_source: Option<PathBuf>,
}

/// What a token must say of itself to be the one that is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenTerms {
    /// Its label.
    pub label: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// Who made it.
    pub manufacturer: Option<String>,
    /// Its model.
    pub model: Option<String>,
}

/// Why a URI is not the name of a key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UriProblem {
    /// It does not begin with `pkcs11:`, or is longer than any.
    #[error("expected pkcs11:token=…;object=…?module-path=…")]
    Form,
    /// An attribute without a value.
    #[error("one of its attributes is not NAME=VALUE")]
    NoValue,
    /// An attribute that has no meaning here. It is named only where it looks like a name.
    #[error(
        "{0} is not an attribute that beltic knows; expected token, serial, manufacturer, model, object, id or type, and after \
         a `?` module-path or pin-source"
    )]
    Unknown(String),
    /// An attribute that is there twice.
    #[error("{0} is given twice")]
    Repeated(&'static str),
    /// A `%` without two hexadecimal digits behind it, or text that is not UTF-8.
    #[error("the value of {0} is not percent-encoded UTF-8")]
    Encoding(&'static str),
    /// A PIN in the URI, which shells and process lists show.
    #[error("it has a pin-value; a PIN does not belong into a URI, which others can see")]
    PinValue,
    /// A command that prints the PIN.
    #[error("its pin-source is a command; expected a file")]
    PinCommand,
    /// A PIN source that is neither a path nor a `file:` URI.
    #[error("its pin-source is not a file; expected a path or a file: URI")]
    PinSource,
    /// The name of a module, which only a registry of the system could find.
    #[error("it has a module-name; expected a module-path, the path of the shared library")]
    ModuleName,
    /// No module.
    #[error("it has no module-path; expected the path of the module, a shared library")]
    NoModule,
    /// A module that would be looked for.
    #[error("its module-path is not absolute")]
    RelativeModule,
    /// Neither label nor id of a key.
    #[error("it names no key; expected an object or an id")]
    NoKey,
    /// Another kind of object.
    #[error("its type is not private; expected the private key")]
    OtherType,
}

impl ModuleUri {
    /// Whether a text is meant to be such a URI.
    pub fn is_meant(text: &str) -> bool {
        text.get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME))
    }

    /// Reads a URI.
    ///
    /// # Errors
    /// See [`UriProblem`].
    pub fn parse(text: &str) -> Result<ModuleUri, UriProblem> {
        if !ModuleUri::is_meant(text) || text.len() > MAX_BYTES {
            return Err(UriProblem::Form);
        }
        let (path, query) = text[SCHEME.len()..].split_once('?').unwrap_or((&text[SCHEME.len()..], ""));
        let mut read = Attributes::default();
        for (attributes, separator, known) in [(path, ';', &PATH[..]), (query, '&', &QUERY[..])] {
            for attribute in attributes.split(separator).filter(|attribute| !attribute.is_empty()) {
                read.take(attribute, known)?;
            }
        }
        read.into_uri()
    }
}

const SCHEME: &str = "pkcs11:";
const PATH: [&str; 7] = ["token", "serial", "manufacturer", "model", "object", "id", "type"];
const QUERY: [&str; 4] = ["module-path", "pin-source", "pin-value", "module-name"];

/// The attributes that were read so far, decoded.
#[derive(Default)]
struct Attributes(Vec<(&'static str, Vec<u8>)>);

impl Attributes {
    fn take(&mut self, attribute: &str, known: &[&'static str]) -> Result<(), UriProblem> {
        let (name, value) = attribute.split_once('=').ok_or(UriProblem::NoValue)?;
        let Some(name) = known.iter().find(|known| **known == name) else {
            let is_name =
                name.len() <= 32 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
            return Err(UriProblem::Unknown(if is_name { name.to_owned() } else { "one".to_owned() }));
        };
        match *name {
            "pin-value" => return Err(UriProblem::PinValue),
            "module-name" => return Err(UriProblem::ModuleName),
            _ => {}
        }
        if self.0.iter().any(|(taken, _)| taken == name) {
            return Err(UriProblem::Repeated(name));
        }
        self.0.push((name, decoded(value).ok_or(UriProblem::Encoding(name))?));
        Ok(())
    }

    fn bytes(&mut self, name: &'static str) -> Option<Vec<u8>> {
        let at = self.0.iter().position(|(taken, _)| *taken == name)?;
        Some(self.0.swap_remove(at).1)
    }

    fn text(&mut self, name: &'static str) -> Result<Option<String>, UriProblem> {
        let bytes = self.bytes(name);
        bytes.map(String::from_utf8).transpose().map_err(|_| UriProblem::Encoding(name))
    }

    fn into_uri(mut self) -> Result<ModuleUri, UriProblem> {
        let token = TokenTerms {
            label: self.text("token")?,
            serial: self.text("serial")?,
            manufacturer: self.text("manufacturer")?,
            model: self.text("model")?,
        };
        if self.text("type")?.is_some_and(|found| found != "private") {
            return Err(UriProblem::OtherType);
        }
        let (object, id) = (self.text("object")?, self.bytes("id"));
        if object.is_none() && id.is_none() {
            return Err(UriProblem::NoKey);
        }
        let pin_source = self.text("pin-source")?.map(pin_file).transpose()?;
        let module_path = PathBuf::from(self.text("module-path")?.ok_or(UriProblem::NoModule)?);
        if !module_path.is_absolute() {
            return Err(UriProblem::RelativeModule);
        }
        Ok(ModuleUri { token, object, id, module_path, pin_source })
    }
}

/// The file of a PIN source: a path, or a `file:` URI without a host. Both are decoded by now.
fn pin_file(source: String) -> Result<PathBuf, UriProblem> {
    if source.trim_start().starts_with('|') {
        return Err(UriProblem::PinCommand);
    }
    let path = match source.strip_prefix("file:") {
        None if source.split('/').next().is_some_and(|start| start.contains(':')) => {
            return Err(UriProblem::PinSource);
        }
        None => source,
        Some(rest) => match rest.strip_prefix("//") {
            None => rest.to_owned(),
            Some(rest) => {
                let path = rest.strip_prefix("localhost").unwrap_or(rest);
                path.starts_with('/').then(|| path.to_owned()).ok_or(UriProblem::PinSource)?
            }
        },
    };
    if path.is_empty() { Err(UriProblem::PinSource) } else { Ok(PathBuf::from(path)) }
}

/// A value without its percent-encoding.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    loop {
        match rest {
            [b'%', high, low, after @ ..] => {
                bytes.push((digit(*high)? * 16 + digit(*low)?) as u8);
                rest = after;
            }
            [b'%', ..] => return None,
            [byte, after @ ..] => {
                bytes.push(*byte);
                rest = after;
            }
            [] => return Some(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULE: &str = "?module-path=/usr/lib/softhsm/libsofthsm2.so";

    #[test]
    fn a_key_is_named_by_what_its_token_and_it_say_of_themselves() {
        let uri = ModuleUri::parse(
            "pkcs11:model=SoftHSM%20v2;manufacturer=A;serial=0f;token=My%20tok%C3%A9n;id=%00%fF;object=k%3B1;type=private\
             ?pin-source=file:/etc/pin&module-path=/m%20odule.so",
        );
        assert_eq!(
            uri,
            Ok(ModuleUri {
                token: TokenTerms {
                    label: Some("My tokén".into()),
                    serial: Some("0f".into()),
                    manufacturer: Some("A".into()),
                    model: Some("SoftHSM v2".into()),
                },
                object: Some("k;1".into()),
                id: Some(vec![0, 0xFF]),
                module_path: "/m odule.so".into(),
                pin_source: Some("/etc/pin".into()),
            })
        );
    }

    #[test]
    fn a_pin_comes_from_a_file_alone() {
        let pin = |source: &str| {
            ModuleUri::parse(&format!("pkcs11:object=a{MODULE}&pin-source={source}"))
                .map(|uri| uri.pin_source.unwrap())
        };
        for (source, expected) in [
            ("/run/pin", Ok("/run/pin")),
            ("pins/a", Ok("pins/a")),
            ("file:///run/pin", Ok("/run/pin")),
            ("file://localhost/run/pin", Ok("/run/pin")),
            ("file:/run/pin", Ok("/run/pin")),
            ("file:pin", Ok("pin")),
            ("|cat /run/pin", Err(UriProblem::PinCommand)),
            ("%7Ccat", Err(UriProblem::PinCommand)),
            ("%20%7ccat", Err(UriProblem::PinCommand)),
            ("file://host/run/pin", Err(UriProblem::PinSource)),
            ("https://host/pin", Err(UriProblem::PinSource)),
            ("file:", Err(UriProblem::PinSource)),
            ("", Err(UriProblem::PinSource)),
        ] {
            assert_eq!(pin(source), expected.map(PathBuf::from), "{source}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_no_value_is_shown() {
        for (uri, expected) in [
            (format!("pkcs11:object=a{MODULE}&pin-value=4711"), UriProblem::PinValue),
            (format!("pkcs11:pin-value=4711{MODULE}"), UriProblem::Unknown("pin-value".into())),
            (format!("pkcs11:object=a;object=4711{MODULE}"), UriProblem::Repeated("object")),
            (format!("pkcs11:object=4711%{MODULE}"), UriProblem::Encoding("object")),
            (format!("pkcs11:object=%4{MODULE}"), UriProblem::Encoding("object")),
            (format!("pkcs11:object=%FF4711{MODULE}"), UriProblem::Encoding("object")),
            (format!("pkcs11:4711{MODULE}"), UriProblem::NoValue),
            (format!("pkcs11:47 11=4711{MODULE}"), UriProblem::Unknown("one".into())),
            (format!("pkcs11:object=a;slot-id=4711{MODULE}"), UriProblem::Unknown("slot-id".into())),
            (format!("pkcs11:object=a;type=cert{MODULE}"), UriProblem::OtherType),
            (format!("pkcs11:token=a{MODULE}"), UriProblem::NoKey),
            ("pkcs11:object=a".into(), UriProblem::NoModule),
            ("pkcs11:".into(), UriProblem::NoKey),
            ("pkcs11:object=a?module-path=m.so".into(), UriProblem::RelativeModule),
            ("pkcs11:object=a?module-name=softhsm".into(), UriProblem::ModuleName),
            ("file:4711".into(), UriProblem::Form),
            (format!("pkcs11:object={}", "4711".repeat(4096)), UriProblem::Form),
        ] {
            let found = ModuleUri::parse(&uri).unwrap_err();
            assert_eq!(found, expected, "{uri}");
            assert!(!found.to_string().contains("4711"), "{found}");
        }
    }
}
