//! Where a ledger is kept.

use std::fmt;
use std::path::{Path, PathBuf};

#[cfg(feature = "postgres")]
use super::postgres::ServerAddress;

/// Where a ledger is kept.
#[derive(Debug, Clone)]
pub enum Address {
    /// In a file.
    File(PathBuf),
    /// In a PostgreSQL database.
    #[cfg(feature = "postgres")]
    Server(Box<ServerAddress>),
}

impl Address {
    /// The ledger's file, where it is kept in one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Address::File(path) => Some(path),
            #[cfg(feature = "postgres")]
            Address::Server(_) => None,
        }
    }

    /// The same database, where a server need not say on which timeline it is; `None` for a file.
    pub fn without_failover_guard(self) -> Option<Address> {
        match self {
            Address::File(_) => None,
            #[cfg(feature = "postgres")]
            Address::Server(mut server) => {
                server.without_failover_guard = true;
                Some(Address::Server(server))
            }
        }
    }

    /// The name by which it is found from anywhere: a file by its absolute path, behind all links.
    pub(super) fn full_name(&self) -> String {
        match self {
            Address::File(path) => super::sqlite::real_path(path).display().to_string(),
            #[cfg(feature = "postgres")]
            Address::Server(server) => server.to_string(),
        }
    }
}

/// As messages name it: a path, or the URL without a password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::File(path) => path.display().fmt(f),
            #[cfg(feature = "postgres")]
            Address::Server(server) => server.fmt(f),
        }
    }
}

impl From<&Path> for Address {
    fn from(path: &Path) -> Address {
        Address::File(path.to_owned())
    }
}

impl From<&PathBuf> for Address {
    fn from(path: &PathBuf) -> Address {
        Address::File(path.clone())
    }
}

#[cfg(feature = "postgres")]
impl From<&ServerAddress> for Address {
    fn from(server: &ServerAddress) -> Address {
        Address::Server(Box::new(server.clone()))
    }
}

impl From<&Address> for Address {
    fn from(address: &Address) -> Address {
        address.clone()
    }
}
