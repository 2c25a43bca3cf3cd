//! What is asked of a server before it may keep a ledger: see [`super`].

use tokio_postgres::Row;

use super::line::server_error;
use crate::ledger::identity::FileId;
use crate::ledger::store::{ServerFault, StoreError, Stored};

/// The home of a ledger whose server does not say which one it is.
pub(super) const UNGUARDED: FileId = FileId { inode: -1, born: -1 };

/// Whether a commit is durable before it is confirmed, on every server that has to have it.
pub(super) fn is_durable() -> String {
    "(current_setting('synchronous_commit') IN ('on', 'remote_apply') OR current_setting('synchronous_commit') <> 'off'
      AND current_setting('synchronous_standby_names') = '')"
        .to_owned()
}

/// The timeline on which a server writes that is no standby.
pub(super) fn timeline() -> &'static str {
    "('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint"
}

/// Asks whether the server may keep a ledger: [`read_fitness`] reads the answer.
pub(super) fn fitness(unguarded: bool) -> String {
    let home = match unguarded {
        true => "-1::bigint, -1::bigint".to_owned(),
        false => {
            "(SELECT system_identifier FROM pg_control_system()),
                  CASE WHEN pg_is_in_recovery() THEN 0 ELSE "
                .to_owned()
                + timeline()
                + " END"
        }
    };
    let durable = is_durable();
    format!(
        "SELECT {durable}, pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on',
                current_setting('server_encoding'),
                {home}"
    )
}

/// The server that answers, if it may keep a ledger.
pub(super) fn read_fitness(row: &Row) -> Stored<FileId> {
    let encoding: &str = row.try_get(2)?;
    if encoding != "UTF8" {
        let what =
            format!("the database's encoding is {encoding}; expected UTF8 (`createdb --encoding UTF8`)");
        return Err(server_error(ServerFault::Other, &what));
    }
    match (row.try_get(0)?, row.try_get(1)?) {
        (_, true) => Err(server_error(ServerFault::ReadOnly, "it is a standby, or read-only")),
        (false, _) => Err(asynchronous()),
        (true, false) => Ok(FileId { inode: row.try_get(3)?, born: row.try_get(4)? }),
    }
}

pub(super) fn asynchronous() -> StoreError {
    server_error(
        ServerFault::Asynchronous,
        "`synchronous_commit` does not wait for every server that has to have it",
    )
}
