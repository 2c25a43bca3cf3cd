//! A connection to the server: statements go out one after the other, and nobody waits for the answer to one before the
//! next is sent.
//!
//! Statements have no names and no state of a session, so that a pooler may stand between, in its mode by transaction.

use std::fs;
use std::future::{Future, poll_fn};
use std::path::Path;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tokio::runtime::Runtime;
use tokio_postgres::config::SslMode;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, NoTls, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::{ServerAddress, is_socket};
use crate::ledger::store::{ServerError, ServerFault, StoreError, Stored};

/// How long a host may take to accept a connection if nobody says.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What the server shows of this program.
const APPLICATION: &str = "beltic";

/// A value of a statement, and its type.
pub(super) type Value = (Box<dyn ToSql + Sync + Send>, Type);

/// A statement with its values.
pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

impl Statement {
    pub(super) fn new(sql: impl Into<String>, values: Vec<Value>) -> Statement {
        Statement { sql: sql.into(), values }
    }
}

/// A connection.
pub(super) struct Line {
    client: Client,
    runtime: Runtime,
    /// How long an answer may take.
    wait: Duration,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Line")
    }
}

impl Line {
    /// Connects to the first host that answers.
    pub(super) fn connect(address: &ServerAddress) -> Stored<Line> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
        let runtime = runtime.map_err(|source| StoreError::Other(source.into()))?;
        let mut last = None;
        for (host, port) in &address.hosts {
            match runtime.block_on(connect_to(address, host, *port)) {
                Ok(client) => return Ok(Line { client, runtime, wait: address.wait }),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| server_error(ServerFault::Unreachable, "no host is named")))
    }

    /// Whether it is known to have broken off.
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Sends a statement, and does not wait for its answer.
    pub(super) fn tell(&self, sql: &str) {
        self.runtime.block_on(async {
            let mut answer = pin!(self.client.batch_execute(sql));
            let _ = poll_fn(|context| Poll::Ready(answer.as_mut().poll(context).is_ready())).await;
            // The connection is another task, which writes now.
            tokio::task::yield_now().await;
        });
    }

    /// Sends statements, and gives the rows of each. The first error is the one that counts: in a transaction, others
    /// follow from it.
    pub(super) fn send(&self, statements: &[Statement]) -> Stored<Vec<Vec<Row>>> {
        self.runtime.block_on(send_all(&self.client, statements, self.wait))
    }
}

pub(super) fn server_error(fault: ServerFault, said: &str) -> StoreError {
    StoreError::Server(ServerError { fault, said: said.to_owned(), constraint: None })
}

type Answer<'s> = Pin<Box<dyn Future<Output = Result<Vec<Row>, tokio_postgres::Error>> + 's>>;

/// Sends all statements before it waits for an answer, for each of them this long.
async fn send_all(client: &Client, statements: &[Statement], wait: Duration) -> Stored<Vec<Vec<Row>>> {
    let waited =
        || server_error(ServerFault::Waited, &format!("no answer within {} seconds", wait.as_secs()));
    let mut answers = Vec::with_capacity(statements.len());
    let mut sent: Vec<Result<Answer<'_>, Result<Vec<Row>, tokio_postgres::Error>>> = Vec::new();
    for Statement { sql, values } in statements {
        let values: Vec<_> =
            values.iter().map(|(value, of)| (&**value as &(dyn ToSql + Sync), of.clone())).collect();
        let mut answer: Answer<'_> = Box::pin(async move { client.query_typed(sql, &values).await });
        // A statement is sent when its answer is first asked for.
        match poll_fn(|context| Poll::Ready(answer.as_mut().poll(context))).await {
            Poll::Ready(answer) => sent.push(Err(answer)),
            Poll::Pending => sent.push(Ok(answer)),
        }
    }
    for answer in sent {
        let answer = match answer {
            Ok(waiting) => tokio::time::timeout(wait, waiting).await.map_err(|_| waited())?,
            Err(there) => there,
        };
        answers.push(answer?);
    }
    Ok(answers)
}

async fn connect_to(address: &ServerAddress, host: &str, port: u16) -> Stored<Client> {
    let mut config = Config::new();
    match is_socket(host) {
        true => config.host_path(host),
        false => config.host(host),
    };
    config.port(port).application_name(address.application.as_deref().unwrap_or(APPLICATION));
    config.connect_timeout(address.connect_timeout.unwrap_or(CONNECT_TIMEOUT));
    // A server that is gone without a word is noticed.
    config.keepalives_idle(Duration::from_secs(30)).tcp_user_timeout(address.wait);
    if let Some(user) = &address.user {
        config.user(user);
    }
    if let Some(database) = &address.database {
        config.dbname(database);
    }
    if let Some(password) = &address.password {
        config.password(password.as_bytes());
    }
    let limit = address.connect_timeout.unwrap_or(CONNECT_TIMEOUT);
    let connected = tokio::time::timeout(limit, async {
        if address.is_encrypted(host) {
            config.ssl_mode(SslMode::Require);
            let (client, connection) = config.connect(MakeRustlsConnect::new(tls(address)?)).await?;
            tokio::spawn(connection);
            return Ok(client);
        }
        config.ssl_mode(SslMode::Disable);
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(connection);
        Ok::<_, StoreError>(client)
    });
    connected.await.map_err(|_| server_error(ServerFault::Unreachable, &format!("{host} does not answer")))?
}

/// TLS to a server whose certificate and name are checked, always.
fn tls(address: &ServerAddress) -> Stored<ClientConfig> {
    let fail = |what: String| server_error(ServerFault::Tls, &what);
    let mut roots = RootCertStore::empty();
    match &address.roots {
        Some(file) => {
            for certificate in certificates(file)? {
                roots.add(certificate).map_err(|error| fail(format!("{}: {error}", file.display())))?;
            }
        }
        None => {
            // One that cannot be read is no root; with none at all, no server is accepted.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| fail(error.to_string()))?
        .with_root_certificates(roots);
    match &address.certificate {
        None => Ok(config.with_no_client_auth()),
        Some((certificate, key)) => {
            let cannot_read =
                |error: rustls::pki_types::pem::Error| fail(format!("{}: {error}", key.display()));
            let secret = PrivateKeyDer::from_pem_file(key).map_err(cannot_read)?;
            let config = config.with_client_auth_cert(certificates(certificate)?, secret);
            config.map_err(|error| fail(format!("{}: {error}", certificate.display())))
        }
    }
}

fn certificates(file: &Path) -> Stored<Vec<CertificateDer<'static>>> {
    let fail = |what: String| server_error(ServerFault::Tls, &format!("{}: {what}", file.display()));
    let text = fs::read(file).map_err(|error| fail(error.to_string()))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(fail("no certificate in it".to_owned())),
        Err(error) => Err(fail(error.to_string())),
    }
}
