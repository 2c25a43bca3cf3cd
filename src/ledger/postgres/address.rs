//! The URL of a database, as PostgreSQL's own programs write it, and what else a connection needs.
//!
//! `postgres://[USER@]HOST[:PORT][,HOST[:PORT]…]/DATABASE[?NAME=VALUE…]`. A host may be an address in brackets, or the
//! folder of a socket, percent-encoded or as the parameter `host`. A password in it is refused: a URL is seen in the
//! list of processes and in logs.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

/// Where the server listens if nobody says: PostgreSQL's own port.
const DEFAULT_PORT: u16 = 5432;

/// How many open lists of one issuer machines write at once if nobody says.
const DEFAULT_LANES: u32 = 8;

/// A database that keeps a ledger.
#[derive(Debug, Clone)]
pub struct ServerAddress {
    /// Hosts and ports, which are tried one after the other.
    pub(super) hosts: Vec<(String, u16)>,
    pub(super) user: Option<String>,
    pub(super) database: Option<String>,
    pub(super) encryption: Encryption,
    /// The file with the certificates that the server's may be issued by; the system's where there is none.
    pub(super) roots: Option<PathBuf>,
    /// The files with this client's certificate and its key.
    pub(super) certificate: Option<(PathBuf, PathBuf)>,
    pub(super) application: Option<String>,
    pub(super) connect_timeout: Option<Duration>,
    /// The password, wiped when it is dropped.
    pub password: Option<Zeroizing<String>>,
    /// How many open lists of one issuer there may be at once.
    pub lanes: u32,
    /// How long to wait for a server that is away, or for others.
    pub wait: Duration,
    /// Whether a server that says neither who it is nor on which timeline may be used.
    pub without_failover_guard: bool,
}

/// Whether a connection is encrypted. One that is, is to a server whose certificate was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encryption {
    /// Always.
    Always,
    /// Over a network; not on this machine.
    OverNetworks,
    /// Never, and so on this machine only.
    Never,
}

/// Why a URL names no database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// There is a password in it.
    #[error("has a password in it")]
    Password,
    /// It is not such a URL.
    #[error("is not the URL of a database: {0}")]
    Form(String),
    /// A parameter that is not known here.
    #[error("has the parameter {0:?}, which is not known here")]
    Parameter(String),
    /// A parameter whose value is not one of those that are known.
    #[error("has the value {value:?} for {name}; expected {expected}")]
    Value {
        /// The parameter.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        expected: &'static str,
    },
    /// `sslmode=disable` over a network.
    #[error("disables TLS to {0:?}, which is not this machine")]
    Plain(String),
}

impl ServerAddress {
    /// Reads a URL.
    ///
    /// # Errors
    /// Where it is not the URL of a database, has a password, or a parameter that is not known. The error never shows
    /// more of it than the parameter that is wrong.
    pub fn parse(url: &str) -> Result<ServerAddress, UrlError> {
        let form = |what: &str| UrlError::Form(what.to_owned());
        let (_, rest) = url.split_once("://").ok_or_else(|| form("expected postgres://HOST/DATABASE"))?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, _)) if user.contains(':') => return Err(UrlError::Password),
            Some((user, hosts)) => (Some(decoded(user)?), hosts),
            None => (None, authority),
        };
        let mut address = ServerAddress {
            hosts: hosts
                .split(',')
                .filter(|host| !host.is_empty())
                .map(host_and_port)
                .collect::<Result<_, _>>()?,
            user: user.filter(|user| !user.is_empty()),
            database: Some(decoded(database)?).filter(|database| !database.is_empty()),
            encryption: Encryption::OverNetworks,
            roots: None,
            certificate: None,
            application: None,
            connect_timeout: None,
            password: None,
            lanes: DEFAULT_LANES,
            wait: crate::ledger::WAIT,
            without_failover_guard: false,
        };
        let (mut certificate, mut key) = (None, None);
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let (name, value) = (decoded(name)?, decoded(value)?);
            match name.as_str() {
                "password" | "passfile" | "sslpassword" => return Err(UrlError::Password),
                "host" => address.hosts = vec![(value, DEFAULT_PORT)],
                "port" => {
                    let port = port_of(&value)?;
                    address.hosts.iter_mut().for_each(|host| host.1 = port);
                }
                "user" => address.user = Some(value),
                "dbname" => address.database = Some(value),
                "sslmode" => address.encryption = encryption_of(&value)?,
                "sslrootcert" => address.roots = (value != "system").then(|| value.into()),
                "sslcert" => certificate = Some(value.into()),
                "sslkey" => key = Some(value.into()),
                "application_name" => address.application = Some(value),
                "connect_timeout" => address.connect_timeout = Some(seconds_of(&value)?),
                // A server that can only be read is refused with a message of its own.
                "target_session_attrs" if matches!(value.as_str(), "any" | "read-write" | "primary") => {}
                _ => return Err(UrlError::Parameter(name)),
            }
        }
        address.certificate = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => return Err(form("sslcert and sslkey belong together")),
        };
        if address.hosts.is_empty() {
            return Err(form("it names no host"));
        }
        match address.hosts.iter().find(|(host, _)| !is_this_machine(host)) {
            Some((host, _)) if address.encryption == Encryption::Never => Err(UrlError::Plain(host.clone())),
            _ => Ok(address),
        }
    }

    /// Sets the user where the URL names none.
    pub fn or_user(&mut self, user: impl FnOnce() -> Option<String>) {
        if self.user.is_none() {
            self.user = user();
        }
    }

    /// The password that a password file has for this database, in the form of PostgreSQL's own: a line is
    /// `HOST:PORT:DATABASE:USER:PASSWORD`, `*` stands for any, and a backslash before `:` and itself.
    pub fn password_in(&self, file: &str) -> Option<Zeroizing<String>> {
        let (host, port) = self.hosts.first()?;
        let host = if host.starts_with('/') { "localhost" } else { host };
        let user = self.user.as_deref().unwrap_or_default();
        let database = self.database.as_deref().unwrap_or(user);
        let wanted = [host, &port.to_string(), database, user].map(str::to_owned);
        file.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
            let mut fields = fields_of(line);
            let password = (fields.len() == 5).then(|| fields.pop()).flatten()?;
            let fits = fields.iter().zip(&wanted).all(|(field, wanted)| field == "*" || field == wanted);
            fits.then(|| Zeroizing::new(password))
        })
    }

    /// Whether a connection to this host is encrypted.
    pub(super) fn is_encrypted(&self, host: &str) -> bool {
        match self.encryption {
            Encryption::Always => !is_socket(host),
            Encryption::OverNetworks => !is_this_machine(host),
            Encryption::Never => false,
        }
    }
}

/// The URL, without what was said beside the place.
impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        for (at, (host, port)) in self.hosts.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            match host.contains(':') {
                true => write!(f, "[{host}]")?,
                false => f.write_str(host)?,
            }
            if *port != DEFAULT_PORT {
                write!(f, ":{port}")?;
            }
        }
        match &self.database {
            Some(database) => write!(f, "/{database}"),
            None => Ok(()),
        }
    }
}

/// Whether a host is the folder of a socket.
pub(super) fn is_socket(host: &str) -> bool {
    Path::new(host).is_absolute()
}

/// Whether nothing that is sent to a host leaves this machine.
fn is_this_machine(host: &str) -> bool {
    let is_loopback = |address: std::net::IpAddr| address.is_loopback();
    is_socket(host) || host == "localhost" || host.parse().is_ok_and(is_loopback)
}

fn host_and_port(text: &str) -> Result<(String, u16), UrlError> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, port) =
            rest.split_once(']').ok_or_else(|| UrlError::Form("a bracket is open".to_owned()))?;
        let port = port.strip_prefix(':').map_or(Ok(DEFAULT_PORT), port_of)?;
        return Ok((host.to_owned(), port));
    }
    match text.split_once(':') {
        Some((host, port)) => Ok((decoded(host)?, port_of(port)?)),
        None => Ok((decoded(text)?, DEFAULT_PORT)),
    }
}

fn port_of(text: &str) -> Result<u16, UrlError> {
    let value =
        |_| UrlError::Value { name: "port", value: text.to_owned(), expected: "a number from 1 to 65535" };
    text.parse().map_err(value)
}

fn seconds_of(text: &str) -> Result<Duration, UrlError> {
    let wrong = || UrlError::Value {
        name: "connect_timeout",
        value: text.to_owned(),
        expected: "a number of seconds from 1 to 3600",
    };
    let seconds = text.parse().ok().filter(|seconds| (1..=3600).contains(seconds)).ok_or_else(wrong)?;
    Ok(Duration::from_secs(seconds))
}

fn encryption_of(mode: &str) -> Result<Encryption, UrlError> {
    match mode {
        "disable" => Ok(Encryption::Never),
        "prefer" | "allow" => Ok(Encryption::OverNetworks),
        // What PostgreSQL's own programs leave unchecked is checked here all the same.
        "require" | "verify-ca" | "verify-full" => Ok(Encryption::Always),
        _ => Err(UrlError::Value {
            name: "sslmode",
            value: mode.to_owned(),
            expected: "disable, require or verify-full",
        }),
    }
}

/// What percent-encoded text says (RFC 3986 section 2.1).
fn decoded(text: &str) -> Result<String, UrlError> {
    let wrong = || UrlError::Form("a percent sign is not followed by two hexadecimal digits".to_owned());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next().ok_or_else(wrong)?, rest.next().ok_or_else(wrong)?];
        let digits = std::str::from_utf8(&digits).map_err(|_| wrong())?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| wrong())?);
    }
    String::from_utf8(bytes).map_err(|_| UrlError::Form("it is not UTF-8".to_owned()))
}

/// The fields of a line of a password file.
fn fields_of(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        if letter == ':' && fields.len() < 5 {
            fields.push(String::new());
            continue;
        }
        let letter = if letter == '\\' { letters.next() } else { Some(letter) };
        fields.last_mut().expect("there is always one").extend(letter);
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_as_other_programs_read_it() {
        for (url, shown) in [
            ("postgres://db.example/credentials", "postgres://db.example/credentials"),
            (
                "postgresql://issuer@db.example:6432/credentials",
                "postgres://issuer@db.example:6432/credentials",
            ),
            ("postgres://a,b:5433/x?connect_timeout=5", "postgres://a,b:5433/x"),
            ("postgres://[::1]:5433/x", "postgres://[::1]:5433/x"),
            ("postgres://%2Fvar%2Frun/x", "postgres:///var/run/x"),
            ("postgres:///x?host=/tmp&port=5433&user=nobody", "postgres://nobody@/tmp:5433/x"),
            ("postgres://localhost/x?sslmode=disable", "postgres://localhost/x"),
        ] {
            assert_eq!(ServerAddress::parse(url).unwrap().to_string(), shown, "{url}");
        }
    }

    #[test]
    fn a_password_in_a_url_is_refused_and_never_shown() {
        for url in ["postgres://u:secret@h/x", "postgres://u:@h/x", "postgres://h/x?password=secret"] {
            let error = ServerAddress::parse(url).unwrap_err();
            assert_eq!(error, UrlError::Password);
            assert!(!error.to_string().contains("secret"));
        }
    }

    #[test]
    fn a_url_that_is_none_is_refused() {
        for url in [
            "postgres:h/x",
            "postgres:///x",
            "postgres://h:0x/x",
            "postgres://h/%zz",
            "postgres://h/x?sslmode=maybe",
            "postgres://h/x?colour=red",
            "postgres://h/x?sslcert=c.pem",
            "postgres://h/x?sslmode=disable",
            "postgres://10.0.0.1,localhost/x?sslmode=disable",
        ] {
            assert!(ServerAddress::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn only_what_leaves_the_machine_is_encrypted_unasked() {
        for (url, host, encrypted) in [
            ("postgres://db.example/x", "db.example", true),
            ("postgres://db.example/x?sslmode=prefer", "db.example", true),
            ("postgres://localhost/x", "localhost", false),
            ("postgres://127.0.0.2/x", "127.0.0.2", false),
            ("postgres://localhost/x?sslmode=verify-full", "localhost", true),
            ("postgres:///x?host=/tmp&sslmode=require", "/tmp", false),
        ] {
            assert_eq!(ServerAddress::parse(url).unwrap().is_encrypted(host), encrypted, "{url}");
        }
    }

    #[test]
    fn a_password_file_is_read_as_other_programs_read_it() {
        let address = ServerAddress::parse("postgres://issuer@db.example/credentials").unwrap();
        let password = |file: &str| address.password_in(file).map(|password| password.to_string());
        assert_eq!(password("db.example:5432:credentials:issuer:one\n*:*:*:*:two"), Some("one".into()));
        assert_eq!(password("# db\nother:*:*:*:no\n*:5432:*:issuer:a\\:b\\\\:c"), Some("a:b\\:c".into()));
        assert_eq!(password("db.example:5433:*:*:no\nshort:line"), None);
    }
}
