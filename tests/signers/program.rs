//! Batches that a program signs: what it answers decides, and nothing is half delivered or given twice.

use crate::books::{Books, Choices, Running, ndjson, sound_items};
use crate::readers::exact::Exact;
use crate::support::{check_tokens, default_issuance, full_item, payload};
use crate::yard::Yard;

/// Three batches and a half.
const ITEMS: usize = 3_500;
const ISSUE: &str = "batch-issue items.ndjson --idempotency-key k --output-format ndjson --quiet";

fn yard_with_items() -> Yard {
    let yard = Yard::new();
    yard.sandbox.write("items.ndjson", ndjson("a", ITEMS, 0));
    yard
}

#[test]
fn a_program_signs_as_a_key_file_does() {
    let yard = Yard::new();
    let items: Vec<_> = (0..600).map(|number| full_item(&format!("c-{number}"))).collect();
    yard.sandbox.write_items("items.ndjson", &items);
    let exact: Vec<_> = items.iter().map(|item| Exact::parse(&item.to_string())).collect();
    for (format, jobs) in [("jwt_vc", 1), ("sd_jwt_vc", 3)] {
        let args =
            format!("batch-issue items.ndjson --proof-format {format} --jobs {jobs} --output-format ndjson");
        let run = yard.run(&args, "chatty").expect(0);
        if format == "jwt_vc" {
            assert_eq!(check_tokens(&default_issuance(), &run.stdout, &exact), 600);
        }
        yard.sandbox.write("results.ndjson", &run.stdout);
        let verified = yard.sandbox.beltic(&[
            "verify",
            "results.ndjson",
            "--key",
            "issuer.jwk",
            "--no-status",
            "--output-format",
            "text",
        ]);
        assert!(verified.stderr.contains("600 valid, 0 invalid"), "{}{}", verified.stdout, verified.stderr);
        assert!(run.stderr.contains("signer: request 2\n"), "what it writes is passed on: {}", run.stderr);
        assert!(payload(&run.rows()[0].credential.as_ref().unwrap().signed_payload).is_object());
    }
    assert!(yard.count("starts") >= 2);
    assert_eq!(yard.count("starts"), yard.count("ends"), "each program was let end by itself");
}

#[test]
fn a_program_is_started_once_for_each_worker() {
    let yard = yard_with_items();
    let run = yard.run(&format!("{ISSUE} --jobs 3"), "good").expect(3);
    assert_eq!(run.rows().len(), ITEMS);
    let starts = yard.count("starts");
    assert!((1..=3).contains(&starts), "{starts} starts");
    assert_eq!(yard.count("ends"), starts);
}

#[test]
fn what_passes_is_tried_again_after_a_restart() {
    for (does, restarts) in
        [("dies:1", 13..=14), ("halves:2", 6..=7), ("busy:4", 4..=4), ("mute:1", 1..=1), ("closes:1", 1..=1)]
    {
        let yard = yard_with_items();
        let run = yard.run(&format!("{ISSUE} --jobs 1 {}", patience(&yard, does)), does).expect(3);
        Books::default().enter_complete("k", &run.stdout, ITEMS);
        let started = yard.count("starts");
        assert!(restarts.contains(&(started - 1)), "{does}: started {started} times");
    }
}

/// How long a program that does this is waited for: so long that others answer in time on a busy machine.
fn patience(yard: &Yard, does: &str) -> &'static str {
    let timeout = if does.starts_with("mute") { "PT3S" } else { "PT10M" };
    yard.sandbox.write("settings.yaml", format!("signer: {{timeout: {timeout}}}"));
    "--config settings.yaml"
}

/// Behaviour, how often the program is started in all, and what is said.
const FINAL: [(&str, usize, &str); 15] = [
    ("dies", 5, "failed 5 times; the last time it ended without an answer (exit status: 3)"),
    ("halves", 5, "failed 5 times; the last time it ended without an answer (exit status: 0)"),
    ("busy:5", 5, "failed 5 times; the last time it said: quota exceeded"),
    ("mute:5", 5, "failed 5 times; the last time it did not answer within 3 s (`signer.timeout`)"),
    ("refuses", 1, "said: the key is disabled"),
    ("short", 1, "it has 255 signatures; expected 256"),
    ("long", 1, "it has 257 signatures; expected 256"),
    ("swapped", 1, "signature 1 does not verify with the public key"),
    ("other-id", 1, "it has the id 8; expected 7"),
    ("twice", 1, "it has the id 7; expected 8"),
    ("garbage", 1, "it is not a line such as"),
    ("padded", 1, "signature 1 is not base64url of 64 bytes"),
    ("endless", 1, "it is longer than 65536 bytes, without a line end"),
    ("other-key", 1, "signature 1 does not verify with the public key"),
    ("absent", 0, "cannot be started"),
];

#[test]
fn what_does_not_pass_ends_the_run_and_loses_nothing() {
    let yard = yard_with_items();
    let other = beltic::IssuerKey::generate().unwrap();
    yard.sandbox.write("signer/other.pem", other.to_pkcs8_pem().as_bytes());
    let mut books = Books::default();
    for (does, starts, said) in FINAL {
        yard.forget();
        let args = format!("{ISSUE} --jobs 1 {}", patience(&yard, does));
        let run = match does {
            "absent" => yard.sandbox.beltic(
                &args
                    .split(' ')
                    .chain(["--signer-command", "./none", "--public-key", "issuer.jwk"])
                    .collect::<Vec<_>>(),
            ),
            // The test message is request 1; the seventh request is in the second batch.
            "dies" | "halves" => yard.run(&args, &format!("{does}:0 6")),
            _ => yard.run(&args, &format!("{does} 6")),
        };
        let run = run.expect(5);
        assert!(run.stderr.contains(said), "{does}: {}", run.stderr);
        assert!(
            !run.stderr.contains("secret-of-the-program") && !run.stderr.contains('\u{1b}'),
            "{}",
            run.stderr
        );
        assert_eq!(yard.count("starts"), starts, "{does}");
        let delivered = books.enter("k", &run.stdout);
        let expected = if matches!(does, "other-key" | "absent") { 0 } else { 1_000 };
        assert_eq!(delivered, expected, "{does}: whole batches");
    }
    let run = yard.run(&format!("{ISSUE} --jobs 2"), "good").expect(3);
    books.enter_complete("k", &run.stdout, ITEMS);
    assert_eq!(books.credentials(), sound_items(ITEMS));
    assert_eq!(yard.sandbox.recorded(), sound_items(ITEMS) as i64, "no credential was recorded twice");
}

/// A program that hangs is waited for once, and then no more.
#[test]
fn a_signal_ends_the_tries() {
    let yard = yard_with_items();
    let args =
        format!("{ISSUE} --jobs 1 {} --public-key issuer.jwk --signer-command", patience(&yard, "mute"));
    let args: Vec<_> = args.split(' ').chain(["./sign mute:5 6"]).collect();
    let mut running = Running::of(yard.sandbox.command(&args).spawn().unwrap());
    running.wait_until(|_| yard.count("mute") > 0);
    running.signal("TERM");
    let ended = running.end();
    assert_eq!(ended.code, Some(143), "{}", ended.stderr);
    let said = "was not tried again after the interruption; it did not answer within 3 s (`signer.timeout`)";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    assert!(yard.count("mute") < 5, "{} tries", yard.count("mute"));
    let mut books = Books::default();
    assert_eq!(books.enter("k", &ended.stdout), 1_000);
    let run = yard.run(&format!("{ISSUE} --jobs 2"), "good").expect(3);
    books.enter_complete("k", &run.stdout, ITEMS);
}

/// The wrong public key, or a program that does not reach its key, is found before anything is recorded.
#[test]
fn a_key_that_does_not_sign_records_nothing() {
    let yard = yard_with_items();
    yard.sandbox.write("signer/other.pem", beltic::IssuerKey::generate().unwrap().to_pkcs8_pem().as_bytes());
    for does in ["other-key 0", "refuses 0", "garbage 0"] {
        let run = yard.run(&format!("{ISSUE} --jobs 2"), does).expect(5);
        assert!(run.stderr.contains("cannot sign with the key"), "{}", run.stderr);
        assert_eq!((run.stdout.as_str(), yard.sandbox.recorded()), ("", 0), "{does}");
    }
}

/// `beltic` is killed at any moment, while its program dies after every other answer.
#[test]
fn kills_lose_and_double_nothing() {
    let yard = yard_with_items();
    let (mut books, mut choices) = (Books::default(), Choices::from_seed(23));
    let start = |does: &str| {
        let command = format!("./sign {does}");
        let args: Vec<_> = ISSUE
            .split(' ')
            .chain(["--jobs", "2", "--signer-command", &command, "--public-key", "issuer.jwk"])
            .collect();
        Running::of(yard.sandbox.command(&args).spawn().unwrap())
    };
    for _ in 0..12 {
        let mut running = start("dies:1");
        let bytes = choices.below(ITEMS * 900);
        running.wait_until(|running| running.bytes_read() >= bytes);
        books.enter("k", &running.kill().stdout);
    }
    let ended = start("good").end().finished();
    books.enter_complete("k", &ended.stdout, ITEMS);
    assert_eq!(books.credentials(), sound_items(ITEMS));
    assert_eq!(yard.sandbox.recorded(), sound_items(ITEMS) as i64);
}

#[test]
fn status_lists_are_signed_by_the_program() {
    let yard = yard_with_items();
    yard.run(&format!("{ISSUE} --issuer did:web:issuer.example --out results.ndjson"), "good").expect(3);
    let publish = "publish --out site --issuer did:web:issuer.example";
    yard.run(publish, "refuses 0").expect(5);
    assert!(!yard.sandbox.has("site/.well-known/jwks.json"), "nothing is half published");
    yard.run(publish, "good").expect(0);
    yard.forget();
    yard.run(publish, "refuses 0").expect(0);
    assert_eq!(yard.count("starts"), 0, "nothing changed, so nothing is signed");
    let verified =
        yard.sandbox.beltic(&["verify", "results.ndjson", "--site", "site", "--output-format", "text"]);
    assert!(
        verified
            .stderr
            .contains(&format!("{} valid, 0 invalid", sound_items(ITEMS)).replace("3464", "3,464")),
        "{}",
        verified.stderr
    );
}

#[test]
fn doctor_and_bench_say_how_fast_it_is() {
    let yard = Yard::new();
    let run = yard.run("doctor --ledger none --output-format text", "slow").expect(3);
    let found = run.stdout.lines().find(|line| line.contains("signer program ./sign")).unwrap();
    assert!(found.contains("1 signature takes") && found.contains("64 at once take"), "{found}");
    assert!(!run.stdout.contains("slow"), "arguments are not shown: {}", run.stdout);
    let run = yard.run("bench --items 600 --rounds 1 --jobs 2", "slow").expect(0);
    assert!(run.stdout.contains("The key: 1 signature takes") && run.stdout.contains("256 at once take"));
    let run = yard.run("doctor --output-format text", "refuses 0").expect(3);
    assert!(
        run.stdout.contains("error    the signer program ./sign said: the key is disabled"),
        "{}",
        run.stdout
    );
}
