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
