//! One credential that is to be changed.

use uuid::Uuid;

use crate::cli::render::changes::OwnId;
use crate::request::ErrorCode;

/// A credential that is to be changed, as it was named.
#[derive(Debug)]
pub(super) struct ChangeTarget {
    pub(super) index: u64,
    pub(super) line: Option<u64>,
    pub(super) own_id: OwnId,
    /// Its id, or what is wrong with what should name it.
    pub(super) id: Result<Uuid, (ErrorCode, String)>,
}

impl ChangeTarget {
    pub(super) fn of(id: Result<Uuid, (ErrorCode, String)>) -> ChangeTarget {
        ChangeTarget { index: 0, line: None, own_id: OwnId::default(), id }
    }
}
