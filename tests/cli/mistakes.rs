//! Mistakes on `revoke`, `suspend`, `reinstate`, `list` and `show`: each with its exit code and what is said,
//! nothing is changed by any of them, and nothing secret is repeated.

use crate::support::*;

/// A mistake: what is typed, separated by spaces, the exit code, and what the output says.
type Mistake = (&'static str, i32, &'static str);

const MISTAKES: &[Mistake] = &[
    // Which credentials
    ("revoke", 2, "required arguments"),
    ("revoke ID --run first", 2, "cannot be used with"),
    ("revoke --from results.ndjson --subject urn:example:company-0", 2, "cannot be used with"),
    ("revoke --corelation-id company-0", 2, "a similar argument exists: '--correlation-id'"),
    ("revok ID", 2, "a similar subcommand exists: 'revoke'"),
    ("revoke company-0", 3, "use `--correlation-id ID` or `--subject ID`"),
    ("revoke 01a206e6-9989-4123-a539-f16d67dba009", 3, "a version 7 UUID"),
    ("revoke 01a206e6-9989-7123-a539-f16d67dba009", 3, "credential_not_found"),
    ("suspend --run frist", 3, "the ledger has no credential of run 'frist'"),
    ("suspend --subject= ", 2, "a value is required"),
    ("reinstate --correlation-id compnay-0", 3, "no credential in the ledger has this correlation id"),
    ("revoke ID --reason=", 2, "the reason must have 1 to 512 characters"),
    // Files that are not what was meant
    ("revoke --from result.ndjson", 6, "No such file"),
    ("revoke --from .beltic", 6, "is a directory"),
    ("revoke --from empty", 4, "empty file"),
    ("revoke --from /dev/null", 4, "empty file"),
    ("revoke --from binary", 3, "`--from` reads results of batch-issue"),
    ("revoke --from page.html", 4, "starts with '<'"),
    ("revoke --from items.ndjson", 3, "`--from` reads results of batch-issue"),
    ("revoke --from table.csv", 4, "no correlation_id or subject_id"),
    ("revoke --from numbers.csv", 3, "to name credentials by another column, remove or rename 'id'"),
    ("revoke --from .beltic/ledger.db", 4, "SQLite database"),
    ("revoke --from .beltic/issuer.pem", 3, "`--from` reads results of batch-issue"),
    ("revoke --from other.ndjson", 3, "credential_not_found"),
    // Ledgers that are not what was meant
    ("revoke ID --ledger none", 2, "needs a ledger"),
    ("revoke ID --ledger ledger.db", 6, "no ledger at ledger.db"),
    ("revoke ID --ledger binary", 6, "is not a beltic ledger"),
    ("revoke ID --ledger other.db", 3, "credential_not_found"),
    // Looking things up
    ("list --status revokd", 2, "a similar value exists: 'revoked'"),
    ("list --after yesterday", 2, "expected the `cursor` of a row"),
    ("list --expires-before 2026-13-01", 2, "RFC 3339"),
    ("list --events --kid k", 2, "cannot be used with"),
    ("show company-0", 2, "is not a credential id"),
    ("show 01a206e6-9989-7123-a539-f16d67dba009", 6, "has no credential"),
];

#[test]
fn a_mistake_is_named_and_changes_nothing() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.write_items("items.ndjson", &items(2));
    let results = sandbox.issue("items.ndjson --idempotency-key first").expect(0);
    let other = sandbox.issue("items.ndjson --ledger other.db").expect(0);
    let id = results.rows()[0].clone().into_credential().id;
    sandbox.write("results.ndjson", &results.stdout);
    sandbox.write("other.ndjson", &other.stdout);
    sandbox.write("empty", "");
    sandbox.write("binary", [0xE7, 0x00, 0x0A, 0x90, 0xFE].repeat(500));
    sandbox.write("page.html", "<!DOCTYPE html>\n");
    sandbox.write("table.csv", "customer,country\n1,GB\n");
    sandbox.write("numbers.csv", "id,correlation_id\n1,company-0\n2,company-1\n");
    let key = sandbox.read(".beltic/issuer.pem");
    let before = sandbox.beltic(&["list"]).expect(0).stdout;
    for (typed, code, said) in MISTAKES {
        let args: Vec<&str> =
            typed.split_whitespace().map(|arg| if arg == "ID" { &id } else { arg }).collect();
        let run = sandbox.beltic(&args);
        let output = run.stderr + &run.stdout;
        assert_eq!(run.code, *code, "{typed}: {output}");
        assert!(output.contains(said), "{typed}: {output}");
        let secrets = key.lines().filter(|line| line.len() > 8 && !line.starts_with('-'));
        assert!(secrets.into_iter().all(|line| !output.contains(line)), "{typed}");
        assert_eq!(sandbox.beltic(&["list"]).expect(0).stdout, before, "{typed}");
    }
    assert!(MISTAKES.len() >= 20);
}
