//! Keys in a PKCS#11 module: SoftHSM, where it is installed, with tokens in a folder of its own.

use std::path::Path;
use std::process::Command;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::object::{Attribute, AttributeType, ObjectClass};
use cryptoki::session::UserType;
use cryptoki::types::AuthPin;

use crate::books::{Books, Choices, Running, check_signature, ndjson, sound_items};
use crate::readers::exact::Exact;
use crate::readers::machine::skip;
use crate::support::*;

const PIN: &str = "4711-token-pin";
const MODULES: [&str; 4] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/lib/pkcs11/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
];

/// A sandbox with a token that has the key of `fixtures/keys`, and its PIN in a file.
pub(crate) struct Hsm {
    pub(crate) sandbox: Sandbox,
    module: &'static str,
}

impl Hsm {
    /// None where SoftHSM is not installed.
    fn new() -> Option<Hsm> {
        Hsm::with_pin(PIN)
    }

    /// The same with another PIN.
    pub(crate) fn with_pin(pin: &str) -> Option<Hsm> {
        let module = MODULES.into_iter().find(|path| Path::new(path).exists());
        let (Some(module), Ok(_)) = (module, Command::new("softhsm2-util").arg("--version").output()) else {
            skip("SoftHSM is not installed");
            return None;
        };
        let hsm = Hsm { sandbox: Sandbox::new(), module };
        let tokens = hsm.sandbox.path("tokens");
        std::fs::create_dir(&tokens).unwrap();
        hsm.sandbox.write(
            "softhsm.conf",
            format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display()),
        );
        hsm.sandbox.write("pin", format!("{pin}\n"));
        set_mode(&hsm.sandbox.path("pin"), 0o600);
        hsm.tool(&["--init-token", "--free", "--label", "The token", "--pin", pin, "--so-pin", "0815-so"]);
        hsm.sandbox.copy_key("p256-pkcs8.pem", "import.pem");
        hsm.tool(&[
            "--import",
            "import.pem",
            "--token",
            "The token",
            "--label",
            "issuer",
            "--id",
            "01",
            "--pin",
            pin,
        ]);
        std::fs::remove_file(hsm.sandbox.path("import.pem")).unwrap();
        Some(hsm)
    }

    fn tool(&self, args: &[&str]) {
        let output = Command::new("softhsm2-util")
            .args(args)
            .current_dir(self.sandbox.path(""))
            .env("SOFTHSM2_CONF", self.sandbox.path("softhsm.conf"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    pub(crate) fn uri_without_pin(&self, key: &str) -> String {
        format!("pkcs11:token=The%20token;{key}?module-path={}", self.module)
    }

    pub(crate) fn uri(&self, key: &str) -> String {
        format!("{}&pin-source=pin", self.uri_without_pin(key))
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.sandbox.command(args);
        command.env("SOFTHSM2_CONF", self.sandbox.path("softhsm.conf"));
        command
    }

    fn beltic(&self, args: &[&str]) -> Run {
        Run::of(self.command(args).output().unwrap())
    }

    /// Runs a command with the key of the token; `args` are separated by spaces.
    fn run(&self, args: &str) -> Run {
        let uri = self.uri("object=issuer");
        self.beltic(&args.split(' ').chain(["--key", &uri]).collect::<Vec<_>>())
    }
}

#[test]
fn a_key_in_a_token_signs_as_a_key_file_does() {
    let Some(hsm) = Hsm::new() else { return };
    let items: Vec<_> = (0..600).map(|number| full_item(&format!("c-{number}"))).collect();
    hsm.sandbox.write_items("items.ndjson", &items);
    let exact: Vec<_> = items.iter().map(|item| Exact::parse(&item.to_string())).collect();
    for (format, jobs) in [("jwt_vc", 3), ("sd_jwt_vc", 2)] {
        let args =
            format!("batch-issue items.ndjson --proof-format {format} --jobs {jobs} --output-format ndjson");
        let run = hsm.run(&args).expect(0);
        let rows = run.rows();
        assert_eq!(rows.len(), 600);
        match format {
            "jwt_vc" => assert_eq!(check_tokens(&default_issuance(), &run.stdout, &exact), 600),
            _ => rows.into_iter().for_each(|row| {
                check_signature(row.into_credential().signed_payload.split('~').next().unwrap());
            }),
        }
    }
    for key in ["id=%01", "object=issuer;id=%01;type=private", "manufacturer=SoftHSM%20project;object=issuer"]
    {
        hsm.beltic(&["batch-issue", "items.ndjson", "--out", "r", "--force", "--key", &hsm.uri(key)])
            .expect(0);
    }
}

#[test]
fn the_key_and_the_token_must_be_one() {
    let Some(hsm) = Hsm::new() else { return };
    hsm.tool(&["--init-token", "--free", "--label", "Another", "--pin", PIN, "--so-pin", "0815-so"]);
    hsm.sandbox.write_items("items.ndjson", &items(1));
    let module = format!("?module-path={}&pin-source=pin", hsm.module);
    for (uri, code, said) in [
        (hsm.uri("object=other"), 5, "0 private keys of the token"),
        (hsm.uri("object=issuer;id=%02"), 5, "0 private keys of the token"),
        (format!("pkcs11:token=None;object=issuer{module}"), 5, "0 tokens of the module"),
        (format!("pkcs11:object=issuer{module}"), 5, "2 tokens of the module"),
        (
            "pkcs11:object=issuer?module-path=/no/such/module.so".to_owned(),
            5,
            "cannot be loaded as a PKCS#11 module",
        ),
        (format!("pkcs11:token=The%20token{module}"), 2, "it names no key"),
        ("pkcs11:object=issuer?pin-source=pin".to_owned(), 2, "it has no module-path"),
        (format!("{}&pin-value={PIN}", hsm.uri_without_pin("object=issuer")), 2, "it has a pin-value"),
        (
            format!("{}&pin-source=|cat pin", hsm.uri_without_pin("object=issuer")),
            2,
            "its pin-source is a command",
        ),
    ] {
        let run = hsm.beltic(&["batch-issue", "items.ndjson", "--key", &uri]).expect(code);
        assert!(run.stderr.contains(said), "{uri}: {}", run.stderr);
        assert!(!run.stderr.contains(PIN), "{}", run.stderr);
        assert_eq!(hsm.sandbox.recorded(), 0, "{uri}");
        let run = hsm.beltic(&["doctor", "--key", &uri]);
        assert!(!run.stdout.contains(PIN) && !run.stderr.contains(PIN), "{}", run.stdout);
    }
}

#[test]
fn the_pin_comes_from_a_file_or_the_environment_and_is_shown_nowhere() {
    let Some(hsm) = Hsm::new() else { return };
    hsm.sandbox.write_items("items.ndjson", &items(1));
    let uri = hsm.uri_without_pin("object=issuer");
    let issue = |pin: Option<&str>| {
        let mut command = hsm.command(&["batch-issue", "items.ndjson", "--key", &uri]);
        Run::of(command.envs(pin.map(|pin| ("BELTIC_PIN", pin))).output().unwrap())
    };
    issue(Some(PIN)).expect(0);
    let run = issue(None).expect(5);
    assert!(run.stderr.contains("needs a PIN") && run.stderr.contains("BELTIC_PIN"), "{}", run.stderr);
    let run = issue(Some("wrong-secret")).expect(5);
    assert!(run.stderr.contains("the PIN is wrong (C_Login: CKR_PIN_INCORRECT)"), "{}", run.stderr);
    assert!(!run.stderr.contains("wrong-secret"), "{}", run.stderr);
    // The file has more weight than the environment; a relative path in settings starts from their folder.
    hsm.sandbox.write("etc/pin", format!("{PIN}\nsecond line\n"));
    hsm.sandbox.write("etc/settings.yaml", format!("key: {}\n", hsm.uri("object=issuer")));
    let mut command = hsm.command(&["batch-issue", "items.ndjson", "--config", "etc/settings.yaml"]);
    let run = Run::of(command.env("BELTIC_PIN", "wrong-secret").output().unwrap()).expect(0);
    assert!(run.stderr.contains("warning: other users can read the PIN in"), "{}", run.stderr);
    let doctor = hsm.run("doctor --ledger none --output-format text");
    assert!(doctor.stdout.contains("1 signature takes"), "{}", doctor.stdout);
    let bench = hsm.run("bench --items 300 --rounds 1 --jobs 2").expect(0);
    assert!(bench.stdout.contains("The key: 1 signature takes"), "{}", bench.stdout);
    for run in [run, doctor, bench] {
        assert!(!run.stdout.contains(PIN) && !run.stderr.contains(PIN));
    }
}

#[test]
fn a_module_is_not_taken_from_a_project_that_was_found() {
    let Some(hsm) = Hsm::new() else { return };
    hsm.sandbox.write_items("items.ndjson", &items(1));
    hsm.sandbox.write(".beltic.yaml", format!("key: {}\n", hsm.uri("object=issuer")));
    let run = hsm.beltic(&["batch-issue", "items.ndjson"]).expect(2);
    assert!(run.stderr.contains("refusing to load a library for the key of"), "{}", run.stderr);
    hsm.beltic(&["batch-issue", "items.ndjson", "--config", ".beltic.yaml"]).expect(0);
    hsm.run("batch-issue items.ndjson").expect(0);
}

#[test]
fn keygen_makes_a_key_that_cannot_be_taken_out() {
    let Some(hsm) = Hsm::new() else { return };
    let uri = hsm.uri("object=new");
    let made = hsm.beltic(&["keygen", "--key", &uri, "--issuer", "did:web:issuer.example"]).expect(0);
    assert_eq!(made.stdout, hsm.sandbox.read(".beltic/issuer.pub.jwk"));
    assert!(made.stdout.contains(r#""kid":"did:web:issuer.example#"#), "{}", made.stdout);
    let again = hsm.beltic(&["keygen", "--key", &uri]).expect(5);
    assert!(again.stderr.contains("already has a key of this name"), "{}", again.stderr);
    let kept = hsm
        .beltic(&["keygen", "--key", &uri, "--if-missing", "--issuer", "did:web:issuer.example"])
        .expect(0);
    assert_eq!(kept.stdout, made.stdout);
    assert!(kept.stderr.contains("not written"), "{}", kept.stderr);
    // Another key does not replace the file of the first.
    let other = hsm.beltic(&["keygen", "--key", &hsm.uri("object=other")]).expect(0);
    assert_ne!(other.stdout, made.stdout);
    assert_eq!(hsm.sandbox.read(".beltic/issuer.pub.jwk"), made.stdout);
    hsm.beltic(&["keygen", "--key", "file.pem"]).expect(2);
    hsm.sandbox.write_items("items.ndjson", &items(3));
    hsm.beltic(&[
        "batch-issue",
        "items.ndjson",
        "--key",
        &uri,
        "--issuer",
        "did:web:issuer.example",
        "--out",
        "r.ndjson",
    ])
    .expect(0);
    let args = ["verify", "r.ndjson", "--key", ".beltic/issuer.pub.jwk", "--no-status"];
    hsm.sandbox.beltic(&args).expect(0);
    assert_is_kept(&hsm, "new");
}

/// Asks the module itself, not through beltic: in a process of its own, whose environment says where the tokens are.
fn assert_is_kept(hsm: &Hsm, label: &str) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "token::looks_into_the_token"])
        .env("SOFTHSM2_CONF", hsm.sandbox.path("softhsm.conf"))
        .env("HSM_MODULE", hsm.module)
        .env("HSM_LABEL", label)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
#[ignore = "a part of another test, which starts it"]
fn looks_into_the_token() {
    let Ok(module) = std::env::var("HSM_MODULE") else { return };
    let context = Pkcs11::new(module).unwrap();
    context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
    let session = context.open_ro_session(context.get_slots_with_initialized_token().unwrap()[0]).unwrap();
    session.login(UserType::User, Some(&AuthPin::from(PIN.to_owned()))).unwrap();
    let label = std::env::var("HSM_LABEL").unwrap().into_bytes();
    let template = [Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::Label(label)];
    let keys = session.find_objects(&template).unwrap();
    let wanted = [
        (AttributeType::Token, Attribute::Token(true)),
        (AttributeType::Sign, Attribute::Sign(true)),
        (AttributeType::Sensitive, Attribute::Sensitive(true)),
        (AttributeType::AlwaysSensitive, Attribute::AlwaysSensitive(true)),
        (AttributeType::Extractable, Attribute::Extractable(false)),
        (AttributeType::NeverExtractable, Attribute::NeverExtractable(true)),
    ];
    let found = session.get_attributes(keys[0], &wanted.clone().map(|(name, _)| name)).unwrap();
    assert_eq!(found, wanted.map(|(_, value)| value));
}

#[test]
fn status_lists_are_signed_by_the_token() {
    let Some(hsm) = Hsm::new() else { return };
    hsm.sandbox.write_items("items.ndjson", &items(2));
    hsm.run("batch-issue items.ndjson --issuer did:web:issuer.example --out results.ndjson").expect(0);
    hsm.run("publish --out site --issuer did:web:issuer.example").expect(0);
    hsm.sandbox.beltic(&["verify", "results.ndjson", "--site", "site"]).expect(0);
}

/// The token is pulled, or the program is killed, at any moment; repeats under the key finish the batch.
#[test]
fn a_token_that_is_pulled_and_kills_lose_and_double_nothing() {
    const ITEMS: usize = 3_500;
    let Some(hsm) = Hsm::new() else { return };
    hsm.sandbox.write("items.ndjson", ndjson("a", ITEMS, 0));
    let (tokens, pulled) = (hsm.sandbox.path("tokens"), hsm.sandbox.path("pulled"));
    let uri = hsm.uri("object=issuer");
    let args =
        ["batch-issue", "items.ndjson", "--idempotency-key", "k", "--output-format", "ndjson", "--jobs", "2"];
    let args = [&args[..], &["--key", &uri]].concat();
    let (mut books, mut choices, mut failed) = (Books::default(), Choices::from_seed(11), 0);
    for round in 0..12 {
        let mut running = Running::of(hsm.command(&args).spawn().unwrap());
        let bytes = 1 + choices.below(ITEMS * 500);
        running.wait_until(|running| running.bytes_read() >= bytes);
        let ended = match round % 2 {
            0 => running.kill(),
            _ => {
                std::fs::rename(&tokens, &pulled).unwrap();
                let ended = running.end();
                std::fs::rename(&pulled, &tokens).unwrap();
                assert!(matches!(ended.code, Some(3 | 5)), "{ended:?}");
                failed += usize::from(ended.code == Some(5));
                assert!(!ended.stderr.contains(PIN), "{}", ended.stderr);
                ended
            }
        };
        books.enter("k", &ended.stdout);
    }
    assert!(failed > 0, "no run noticed that the token was pulled");
    let ended = Running::of(hsm.command(&args).spawn().unwrap()).end().finished();
    books.enter_complete("k", &ended.stdout, ITEMS);
    assert_eq!(books.credentials(), sound_items(ITEMS));
    assert_eq!(hsm.sandbox.recorded(), sound_items(ITEMS) as i64);
}
