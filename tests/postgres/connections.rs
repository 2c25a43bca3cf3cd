//! Servers that refuse, that cannot be trusted, or that are set up in a way that loses credentials. Each ends the command
//! with exit code 6 and a message that says what to do, and none has it show a password.

use std::net::UdpSocket;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType};

use crate::books::*;
use crate::cluster::{DATABASE, Options, USER, free_port, url_at};
use crate::readers::machine::skip;
use crate::world::World;

const PASSWORD: &str = "correct-horse-battery";

/// Where every user of this machine may connect as anyone, except for the user that issues.
fn with_password() -> Vec<String> {
    ["local all admin trust", "host all all 127.0.0.1/32 scram-sha-256"].map(str::to_owned).into()
}

/// A world with a batch to issue.
fn world(options: Options) -> Option<World> {
    let world = World::with(options)?;
    world.yard.write("items.ndjson", ndjson("i", 5, 0));
    world.wait_at_most("PT1S");
    Some(world)
}

/// Issues with variables of the environment.
fn issue_with(world: &World, url: &str, variables: &[(&str, &str)]) -> Ended {
    let mut command = world.yard.beltic(&format!("batch-issue items.ndjson --ledger {url}"));
    command.envs(variables.iter().copied());
    let ended = Ended::of(command.output().unwrap());
    assert!(!ended.stderr.contains(PASSWORD) && !ended.stdout.contains(PASSWORD), "{}", ended.stderr);
    ended
}

/// The end of a command that could do nothing: it says what is wrong in these words, and what to do.
#[track_caller]
fn assert_refused(ended: &Ended, words: &[&str]) {
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(6), ""), "{}", ended.stderr);
    assert!(ended.stderr.contains("hint: "), "{}", ended.stderr);
    let said = ended.stderr.to_lowercase();
    assert!(words.iter().any(|word| said.contains(word)), "one of {words:?}: {}", ended.stderr);
}

// ---- Passwords

#[test]
fn a_password_comes_from_the_environment_or_a_file_and_is_never_shown() {
    let Some(world) = world(Options { access: with_password(), ..Options::default() }) else { return };
    let (cluster, url) = (&world.cluster, world.cluster.url());
    cluster.sql("postgres", &format!("ALTER ROLE {USER} PASSWORD '{PASSWORD}'"));
    let port = cluster.port();
    let file = |name: &str, password: &str| {
        let line = format!("127.0.0.1:{port}:{DATABASE}:{USER}:{password}\n");
        world.yard.write(name, line);
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(world.yard.path(name), mode).unwrap();
        world.yard.path(name).display().to_string()
    };
    let (right, wrong) = (file("right", PASSWORD), file("wrong", "another"));

    issue_with(&world, &url, &[("PGPASSWORD", PASSWORD)]).expect(0);
    issue_with(&world, &url, &[("PGPASSFILE", &right)]).expect(0);
    for variables in [&[][..], &[("PGPASSWORD", "another")], &[("PGPASSFILE", &wrong)]] {
        assert_refused(&issue_with(&world, &url, variables), &["password"]);
    }
    cluster.sql("postgres", &format!("ALTER ROLE {USER} PASSWORD 'changed'"));
    assert_refused(&issue_with(&world, &url, &[("PGPASSWORD", PASSWORD)]), &["password"]);

    for url in [
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{port}/{DATABASE}"),
        format!("{url}?password={PASSWORD}"),
    ] {
        let ended = issue_with(&world, &url, &[]).expect(2);
        assert!(
            ended.stderr.contains("PGPASSWORD") || ended.stderr.contains("PGPASSFILE"),
            "{}",
            ended.stderr
        );
    }
}

// ---- What a server says

#[test]
fn what_a_server_refuses_is_said_with_what_to_do() {
    let Some(world) = world(Options::default()) else { return };
    let (cluster, url) = (&world.cluster, world.cluster.url());
    issue_with(&world, &url, &[]).expect(0);
    let admin = |sql: &str| cluster.sql(DATABASE, sql);

    admin("CREATE ROLE stranger LOGIN");
    let as_stranger = url.replace(USER, "stranger");
    assert_refused(&issue_with(&world, &as_stranger, &[]), &["right", "permission", "grant"]);
    assert_refused(&issue_with(&world, &url.replace(USER, "absent"), &[]), &["role", "user"]);
    assert_refused(&issue_with(&world, &url.replace("/ledger", "/absent"), &[]), &["database"]);

    admin(&format!("ALTER ROLE {USER} CONNECTION LIMIT 0"));
    assert_refused(&issue_with(&world, &url, &[]), &["too many connections"]);
    admin(&format!("ALTER ROLE {USER} CONNECTION LIMIT -1"));

    for level in ["off", "local"] {
        admin(&format!("ALTER ROLE {USER} SET synchronous_commit = {level}"));
        let ended = issue_with(&world, &url, &[]);
        // `local` is as good as `on` where no standby is waited for.
        if level == "off" || ended.code != Some(0) {
            assert_refused(&ended, &["synchronous_commit"]);
        }
    }
    admin(&format!("ALTER ROLE {USER} RESET synchronous_commit"));

    admin(&format!("ALTER ROLE {USER} SET default_transaction_read_only = on"));
    assert_refused(&issue_with(&world, &url, &[]), &["read-only", "read only"]);
    admin(&format!("ALTER ROLE {USER} RESET default_transaction_read_only"));

    issue_with(&world, &url, &[]).expect(0);
    assert_refused(&issue_with(&world, &url_at(free_port()), &[]), &["connect", "reach"]);
}

#[test]
fn a_standby_can_be_read_and_not_issued_from() {
    let Some(world) = world(Options::default()) else { return };
    issue_with(&world, &world.cluster.url(), &[]).expect(0);
    let standby = world.cluster.standby();
    standby.catch_up_with(&world.cluster);
    let refused = issue_with(&world, &standby.url(), &[]);
    assert_refused(&refused, &["standby", "read-only", "read only", "recovery"]);
    for command in ["ledger check", "list", "list --events --verify"] {
        world.yard.run(&format!("{command} --ledger {}", standby.url())).expect(0);
    }
}

#[test]
fn a_socket_leads_to_the_same_ledger() {
    let Some(world) = world(Options::default()) else { return };
    issue_with(&world, &world.cluster.url(), &[]).expect(0);
    issue_with(&world, &world.cluster.socket_url(), &[]).expect(0);
    assert_eq!(world.recorded(), 10);
}

// ---- TLS

/// An authority, and the servers' certificates that it issues.
struct Authority {
    params: CertificateParams,
    key: KeyPair,
}

impl Authority {
    fn new(name: &str) -> Authority {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        Authority { params, key: KeyPair::generate().unwrap() }
    }

    fn certificate(&self) -> String {
        self.params.self_signed(&self.key).unwrap().pem()
    }

    /// The certificate of a server with this address, and its key.
    fn issue(&self, address: &str) -> (String, String) {
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![SanType::IpAddress(address.parse().unwrap())];
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::from_params(&self.params, &self.key);
        (params.signed_by(&key, &issuer).unwrap().pem(), key.serialize_pem())
    }
}

/// A server that lets the user in over TLS only, with a certificate for this address.
fn encrypting(certificate: &str, key: &str) -> Option<World> {
    let access = ["local all all trust", "hostssl all all all trust", "hostnossl all all all reject"];
    let world = world(Options { access: access.map(str::to_owned).into(), ..Options::default() })?;
    world.cluster.write("data/server.crt", certificate);
    world.cluster.write("data/server.key", key);
    for sql in ["ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()"] {
        world.cluster.sql("postgres", sql);
    }
    while world.cluster.sql("postgres", "SHOW ssl") != "on" {}
    Some(world)
}

#[test]
fn the_certificate_of_a_server_is_always_checked() {
    let authority = Authority::new("Private Authority");
    let (certificate, key) = authority.issue("127.0.0.1");
    let Some(world) = encrypting(&certificate, &key) else { return };
    world.yard.write("ca.pem", authority.certificate());
    world.yard.write("other.pem", Authority::new("Another Authority").certificate());
    let url = world.cluster.url();
    let roots = |file: &str| world.yard.path(file).display().to_string();

    for mode in ["verify-full", "require"] {
        let encrypted = format!("{url}?sslmode={mode}&sslrootcert={}", roots("ca.pem"));
        issue_with(&world, &encrypted, &[]).expect(0);
        let unknown = format!("{url}?sslmode={mode}&sslrootcert={}", roots("other.pem"));
        assert_refused(&issue_with(&world, &unknown, &[]), &["certificate"]);
        let system = format!("{url}?sslmode={mode}");
        assert_refused(&issue_with(&world, &system, &[]), &["certificate", "sslrootcert"]);
    }
    let missing = format!("{url}?sslmode=verify-full&sslrootcert={}", roots("missing.pem"));
    let ended = issue_with(&world, &missing, &[]);
    assert!(matches!(ended.code, Some(2 | 6)) && ended.stderr.contains("missing.pem"), "{}", ended.stderr);
    assert_eq!(world.cluster.sql(DATABASE, "SELECT sum(end_slot - first_slot) FROM beltic.slots"), "10");
}

#[test]
fn the_certificate_of_another_server_is_refused() {
    let authority = Authority::new("Private Authority");
    let (certificate, key) = authority.issue("192.0.2.7");
    let Some(world) = encrypting(&certificate, &key) else { return };
    world.yard.write("ca.pem", authority.certificate());
    let roots = world.yard.path("ca.pem");
    let url = format!("{}?sslmode=verify-full&sslrootcert={}", world.cluster.url(), roots.display());
    assert_refused(&issue_with(&world, &url, &[]), &["certificate", "name", "127.0.0.1"]);
}

/// An authority's own certificate as that of a server: libpq takes it, and the message says that this is it.
#[test]
fn the_certificate_of_an_authority_is_not_one_of_a_server() {
    let mut authority = Authority::new("Self Signed");
    authority.params.subject_alt_names = vec![SanType::IpAddress("127.0.0.1".parse().unwrap())];
    let Some(world) = encrypting(&authority.certificate(), &authority.key.serialize_pem()) else { return };
    world.yard.write("ca.pem", authority.certificate());
    let roots = world.yard.path("ca.pem");
    let url = format!("{}?sslmode=verify-full&sslrootcert={}", world.cluster.url(), roots.display());
    assert_refused(&issue_with(&world, &url, &[]), &["its own ca"]);
}

/// Nothing goes over a network in the clear, whatever the URL says and the server offers.
#[test]
fn a_server_elsewhere_is_spoken_to_over_tls_only() {
    let settings_of_server = vec!["listen_addresses = '*'".to_owned()];
    let access = vec!["local all all trust".to_owned(), "host all all all trust".to_owned()];
    let options = Options { settings: settings_of_server, access, ..Options::default() };
    let Some(world) = world(options) else { return };
    let here = world.cluster.url();
    issue_with(&world, &format!("{here}?sslmode=disable"), &[]).expect(0);
    let Some(address) = own_address() else {
        skip("this machine has the loopback address alone");
        return;
    };
    let elsewhere = here.replace("127.0.0.1", &address);
    let ended = issue_with(&world, &format!("{elsewhere}?sslmode=disable"), &[]).expect(2);
    assert!(ended.stderr.contains("TLS"), "{}", ended.stderr);
    for mode in ["", "?sslmode=prefer", "?sslmode=require"] {
        assert_refused(&issue_with(&world, &format!("{elsewhere}{mode}"), &[]), &["tls", "ssl"]);
    }
    assert_eq!(world.recorded(), 5);
}

/// The address of this machine in a network, if it is in one. No packet is sent for it.
fn own_address() -> Option<String> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then(|| address.to_string())
}
