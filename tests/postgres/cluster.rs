//! PostgreSQL servers of the tests' own: each in a temporary folder, on the loopback address and a free port, and ended
//! with the test. No test uses a server that happens to run.
//!
//! `initdb` refuses root. Where root runs the tests, the servers run as `postgres` or `nobody`, by means of `setpriv`.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use super::readers::machine::skip;

/// The user that issues, and the database with the ledger, which belongs to that user.
pub(crate) const USER: &str = "beltic";
pub(crate) const DATABASE: &str = "ledger";

/// PostgreSQL's programs, and as whom they run.
#[derive(Debug, Clone)]
struct Programs {
    folder: PathBuf,
    account: Option<Account>,
}

/// Another user of this machine.
#[derive(Debug, Clone)]
struct Account {
    user: u32,
    group: u32,
}

/// What is said when a server begins.
#[derive(Default)]
pub(crate) struct Options {
    /// Lines for `postgresql.conf`.
    pub(crate) settings: Vec<String>,
    /// Lines for `pg_hba.conf` in place of those that let everyone on this machine in.
    pub(crate) access: Vec<String>,
    /// Whether the server makes sure that what is committed is on the disk. Without it, tests are faster.
    pub(crate) fsync: bool,
}

/// A server, running or crashed.
pub(crate) struct Cluster {
    programs: Programs,
    folder: TempDir,
    port: u16,
    postmaster: Option<Child>,
}

impl Cluster {
    /// A server with an empty database; `None`, with a message, where there is no PostgreSQL.
    pub(crate) fn new() -> Option<Cluster> {
        Cluster::with(Options::default())
    }

    /// One with other settings.
    pub(crate) fn with(options: Options) -> Option<Cluster> {
        let mut cluster = Cluster::unused()?;
        let data = cluster.data();
        cluster.succeed("initdb", |command| {
            command.arg("--pgdata").arg(data);
            command.args(["--username=admin", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"])
        });
        if !options.access.is_empty() {
            cluster.write("data/pg_hba.conf", &options.access.join("\n"));
        }
        cluster.configure(&options);
        cluster.start();
        cluster.sql("postgres", &format!("CREATE ROLE {USER} LOGIN"));
        cluster.sql("postgres", &format!("CREATE DATABASE {DATABASE} OWNER {USER}"));
        Some(cluster)
    }

    /// A server that follows this one: what is committed here arrives there a little later.
    pub(crate) fn standby(&self) -> Cluster {
        let mut standby = Cluster::unused().expect("the programs that made the first server");
        let (data, from) = (standby.data(), self.port.to_string());
        standby.succeed("pg_basebackup", |command| {
            command.arg("--pgdata").arg(data);
            command.args(["--host=127.0.0.1", "--port", &from, "--username=admin", "--no-sync"]);
            command.args(["--write-recovery-conf", "--checkpoint=fast", "--wal-method=stream"])
        });
        standby.configure(&Options::default());
        standby.start();
        standby
    }

    fn unused() -> Option<Cluster> {
        let programs = Programs::find()?;
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let cluster = Cluster { programs, folder, port: free_port(), postmaster: None };
        for name in ["data", "socket"] {
            fs::create_dir(cluster.path(name)).unwrap();
            cluster.own(name, 0o700);
        }
        fs::set_permissions(cluster.path("socket"), PermissionsExt::from_mode(0o755)).unwrap();
        Some(cluster)
    }

    fn configure(&self, options: &Options) {
        // The server listens to this machine alone, except where a test says otherwise.
        let mut lines = vec![
            "listen_addresses = '127.0.0.1'".to_owned(),
            format!("port = {}", self.port),
            format!("unix_socket_directories = '{}'", self.path("socket").display()),
            format!("fsync = {}", if options.fsync { "on" } else { "off" }),
            "max_connections = 200".to_owned(),
            "shared_buffers = 64MB".to_owned(),
        ];
        lines.extend(options.settings.iter().cloned());
        let path = self.path("data/postgresql.conf");
        let before = fs::read_to_string(&path).unwrap();
        fs::write(path, format!("{before}\n{}\n", lines.join("\n"))).unwrap();
    }

    /// Starts the server, and waits until it answers. After a crash, processes of the former server may still be about
    /// to end: then it is started again.
    pub(crate) fn start(&mut self) {
        loop {
            let log = File::options().create(true).append(true).open(self.path("log")).unwrap();
            let mut command = self.program("postgres");
            command.arg("-D").arg(self.data()).stdout(Stdio::null()).stderr(log);
            let mut postmaster = command.spawn().unwrap();
            while postmaster.try_wait().unwrap().is_none() {
                if self.try_sql("postgres", "SELECT 1").status.success() {
                    self.postmaster = Some(postmaster);
                    return;
                }
            }
            let log = self.log();
            let last: Vec<&str> = log.lines().rev().take(3).collect();
            let is_in_the_way = |line: &&str| line.contains("still in use") || line.contains("lock file");
            assert!(last.iter().any(is_in_the_way), "the server does not start: {log}");
        }
    }

    /// Ends the server as a crash of its machine would, except that the page cache survives.
    pub(crate) fn crash(&mut self) {
        let mut postmaster = self.postmaster.take().expect("the server runs");
        postmaster.kill().unwrap();
        postmaster.wait().unwrap();
    }

    /// Ends a standby's following, and makes it a server that can be written to.
    pub(crate) fn promote(&self) {
        assert_eq!(self.sql("postgres", "SELECT pg_promote()"), "t");
        while self.sql("postgres", "SELECT pg_is_in_recovery()") == "t" {}
    }

    /// Has a standby receive nothing any more, so that it falls behind.
    pub(crate) fn stop_following(&self) {
        self.sql("postgres", "ALTER SYSTEM SET primary_conninfo = ''");
        self.sql("postgres", "SELECT pg_reload_conf()");
        while self.sql("postgres", "SELECT count(*) FROM pg_stat_wal_receiver") != "0" {}
    }

    /// Waits until this standby has all that the other server has written.
    pub(crate) fn catch_up_with(&self, primary: &Cluster) {
        let written = primary.sql("postgres", "SELECT pg_current_wal_lsn()");
        while self.sql("postgres", &format!("SELECT pg_last_wal_replay_lsn() >= '{written}'")) != "t" {}
    }

    /// Runs SQL as the administrator, and gives what it says.
    #[track_caller]
    pub(crate) fn sql(&self, database: &str, sql: &str) -> String {
        let output = self.try_sql(database, sql);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{sql}: {said}{}", self.log());
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    fn try_sql(&self, database: &str, sql: &str) -> Output {
        let mut command = self.program("psql");
        command.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]);
        command.arg("--host").arg(self.path("socket")).args(["--port", &self.port.to_string()]);
        command.args(["--username=admin", "--dbname", database, "--command", sql]);
        command.output().unwrap()
    }

    /// All that is in a database, as SQL.
    pub(crate) fn dump(&self) -> String {
        let (socket, port) = (self.path("socket"), self.port.to_string());
        let output = self.succeed("pg_dump", |command| {
            command.arg("--host").arg(socket).args(["--port", &port, "--username=admin", DATABASE])
        });
        String::from_utf8(output.stdout).unwrap()
    }

    /// What the server has written to its log.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.path("log")).unwrap_or_default()).into_owned()
    }

    /// The address of the ledger.
    pub(crate) fn url(&self) -> String {
        url_at(self.port)
    }

    /// The same over the server's socket.
    pub(crate) fn socket_url(&self) -> String {
        let socket = self.path("socket");
        format!("postgres://{USER}@/{DATABASE}?host={}&port={}", socket.display(), self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Where a file of this server is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// Writes a file that belongs to the server's user and that nobody else reads.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        self.own(name, 0o600);
    }

    fn own(&self, name: &str, mode: u32) {
        let path = self.path(name);
        fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        if let Some(Account { user, group }) = self.programs.account {
            chown(path, Some(user), Some(group)).unwrap();
        }
    }

    /// A program of PostgreSQL, as the server's user.
    pub(crate) fn program(&self, name: &str) -> Command {
        self.as_owner(&self.programs.folder.join(name))
    }

    /// Any program, as the server's user, in an environment with nothing in it.
    pub(crate) fn as_owner(&self, program: &Path) -> Command {
        let mut command = match &self.programs.account {
            None => Command::new(program),
            Some(Account { user, group }) => {
                let mut command = Command::new("setpriv");
                command.args([format!("--reuid={user}"), format!("--regid={group}")]);
                // Whatever ends the test ends the server, too.
                command.args(["--clear-groups", "--pdeathsig=KILL"]).arg(program);
                command
            }
        };
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Runs a program of PostgreSQL, which must succeed.
    fn succeed(&self, name: &str, arguments: impl FnOnce(&mut Command) -> &mut Command) -> Output {
        let mut command = self.program(name);
        arguments(&mut command);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }
}

/// The server ends, and with it its processes, whatever they are doing.
impl Drop for Cluster {
    fn drop(&mut self) {
        let Some(mut postmaster) = self.postmaster.take() else { return };
        let asked = Command::new("kill").args(["-QUIT", &postmaster.id().to_string()]).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = postmaster.kill();
        }
        let _ = postmaster.wait();
    }
}

impl Programs {
    fn find() -> Option<Programs> {
        let Some(folder) = folder_of_programs() else {
            skip("PostgreSQL's programs are not installed");
            return None;
        };
        let account = match id_of("-u", None) {
            Some(0) => match ["postgres", "nobody"].iter().find_map(|name| Account::named(name)) {
                Some(account) => Some(account),
                None => {
                    skip("root runs no PostgreSQL, and there is no other user for it");
                    return None;
                }
            },
            _ => None,
        };
        if account.is_some() && Command::new("setpriv").arg("--version").output().is_err() {
            skip("root runs no PostgreSQL, and there is no setpriv");
            return None;
        }
        Some(Programs { folder, account })
    }
}

impl Account {
    fn named(name: &str) -> Option<Account> {
        Some(Account { user: id_of("-u", Some(name))?, group: id_of("-g", Some(name))? })
    }
}

/// What `id` says.
fn id_of(flag: &str, name: Option<&str>) -> Option<u32> {
    let output = Command::new("id").arg(flag).args(name).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// Where the servers' programs are: as `pg_config` says, or the newest of those that Debian has.
fn folder_of_programs() -> Option<PathBuf> {
    let said = Command::new("pg_config").arg("--bindir").output().ok();
    let said = said.and_then(|output| String::from_utf8(output.stdout).ok());
    let mut folders: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin")))
        })
        .collect();
    folders.sort();
    let found = said.map(|path| PathBuf::from(path.trim())).into_iter();
    let mut found = found.chain(folders.into_iter().rev().map(|(_, folder)| folder));
    found.find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}

/// The address of a ledger behind a port of this machine.
pub(crate) fn url_at(port: u16) -> String {
    format!("postgres://{USER}@127.0.0.1:{port}/{DATABASE}")
}

/// A port on which nothing listens.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// Waits until something listens on a port, as long as the process that is to do so runs.
pub(crate) fn wait_for_port(port: u16, process: &mut Child) {
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        assert!(process.try_wait().unwrap().is_none(), "it ended before it listened");
        std::thread::yield_now();
    }
}
