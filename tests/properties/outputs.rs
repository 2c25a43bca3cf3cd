//! What was written is read back as it was, in every form that can be read.

use std::cell::Cell;
use std::io::Cursor;

use beltic::results::{Content, ResultRow, Results};
use beltic::source::InputName;
use beltic::stop::Stop;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use crate::companies::{Company, any_company, any_style, csv_text, sound, spelt};
use crate::holds;
use crate::support::*;

/// When everything here happens: some of the credentials live for a second.
const NOW: &str = "2026-11-23T04:00:00Z";

/// What a results file says of an item: its correlation id, and the credential's id and token.
type Told = (Option<String>, Option<(String, String)>);

/// What the reader of results finds in a file.
fn read_back(bytes: Vec<u8>) -> Vec<Told> {
    let mut results =
        Results::read(InputName::Stdin, Box::new(Cursor::new(bytes)), &Stop::default()).unwrap().batches();
    let told = |row: ResultRow<'_>| {
        let credential = match row.content {
            Content::Credential { id: Some(id), token: Some(token) } => Some((id.into(), token.into())),
            Content::Failed => None,
            other => panic!("{other:?}"),
        };
        (row.correlation_id.map(String::from), credential)
    };
    let batches =
        std::iter::from_fn(|| Some(results.next_batch().unwrap()).filter(|batch| !batch.is_empty()));
    batches.flatten().map(told).collect()
}

/// The id of the credential in a token, whose signature must be sound.
fn id_in(token: &str) -> String {
    let jwt = token.split('~').next().unwrap();
    issuer_token_key().open(jwt).payload.text_of("jti").to_owned()
}

/// A result without its token, which is signed anew in every run.
fn without_token(mut result: Value) -> Value {
    if let Some(credential) = result.get_mut("credential") {
        credential.as_object_mut().unwrap().remove("signed_payload").unwrap();
    }
    result
}

/// A batch, issued again in each form under one key, so that all forms are of the same credentials.
struct Written {
    sandbox: Sandbox,
    key: String,
    rows: Vec<Row>,
}

impl Written {
    fn issued(&self) -> Vec<&Credential> {
        self.rows.iter().filter_map(|row| row.credential.as_ref()).collect()
    }

    fn check_envelope(&self) {
        let envelope: Value = serde_json::from_str(&self.sandbox.read("results.json")).unwrap();
        let lines = self.sandbox.read("results.ndjson");
        let lines: Vec<Value> =
            lines.lines().map(|line| without_token(serde_json::from_str(line).unwrap())).collect();
        let results: Vec<Value> =
            envelope["results"].as_array().unwrap().iter().cloned().map(without_token).collect();
        assert_eq!(results, lines);
        assert_eq!(envelope["success_count"], self.issued().len());
        assert_eq!(envelope["failure_count"], self.rows.len() - self.issued().len());
    }

    /// No cell is one that a spreadsheet would run.
    fn check_table(&self) {
        let text = self.sandbox.read("results.csv");
        let mut table = csv::Reader::from_reader(text.as_bytes());
        let records: Vec<_> = table.records().map(Result::unwrap).collect();
        assert_eq!(records.len(), self.rows.len());
        for cell in records.iter().flatten() {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?}");
        }
    }

    /// One line an item, and an indented one for each of its problems, with nothing in it that moves a terminal's cursor.
    fn check_lines_for_people(&self) {
        let text = self.sandbox.read("results.text");
        assert_eq!(text.lines().filter(|line| !line.starts_with(' ')).count(), self.rows.len(), "{text}");
        let is_mark = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        assert!(!text.chars().any(|c| c != '\n' && (c.is_control() || is_mark(c))), "{text:?}");
    }

    fn check_results(&self, form: &str) {
        let told = read_back(std::fs::read(self.sandbox.path(&format!("results.{form}"))).unwrap());
        assert_eq!(told.len(), self.rows.len());
        for (row, (correlation_id, credential)) in self.rows.iter().zip(told) {
            assert_eq!(correlation_id, row.correlation_id, "{form}");
            let id = credential.as_ref().map(|(id, _)| id);
            assert_eq!(id, row.credential.as_ref().map(|credential| &credential.id), "{form}");
            if let Some((id, token)) = credential {
                assert_eq!(id_in(&token), id);
            }
        }
    }

    fn check_tokens(&self) {
        let tokens = self.sandbox.read("results.jwt");
        let ids: Vec<_> = tokens.lines().map(id_in).collect();
        assert_eq!(ids, self.issued().iter().map(|credential| credential.id.clone()).collect::<Vec<_>>());
    }

    fn check_verdicts(&self, form: &str) {
        let file = format!("results.{form}");
        let args =
            ["verify", &file, "--key", ".beltic/issuer.pub.jwk", "--no-status", "--at", NOW, "--quiet"];
        let run = self.sandbox.beltic(&args).expect(0);
        let verdicts: Vec<Value> =
            run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let issued = self.rows.iter().filter(|row| row.credential.is_some());
        assert_eq!(verdicts.len(), self.issued().len());
        for (verdict, row) in verdicts.iter().zip(issued) {
            assert_eq!(verdict["valid"], true);
            assert_eq!(verdict["credential"]["jti"], row.credential.as_ref().unwrap().id);
            if form != "jwt" {
                assert_eq!(verdict["correlation_id"].as_str(), row.correlation_id.as_deref());
            }
        }
    }

    fn check_list(&self) {
        let run = self.sandbox.beltic(&["list", "--run", &self.key, "--output-format", "ndjson"]).expect(0);
        let listed: Vec<Value> = run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(listed.len(), self.issued().len());
        for (listed, credential) in listed.iter().zip(self.issued()) {
            assert_eq!(listed["id"], credential.id);
            assert_eq!(listed["status_list_index"].as_u64(), credential.status_list_index.map(u64::from));
            assert_eq!(listed["issued_at"], credential.issued_at);
            assert_eq!(listed["expires_at"], credential.expires_at);
        }
    }

    /// Revokes by one form, and is told by the other that all were revoked before.
    fn check_revocation(&self, forms: [&str; 2]) {
        for (form, before) in forms.into_iter().zip([None, Some(true)]) {
            let file = format!("results.{form}");
            let run =
                self.sandbox.beltic(&["revoke", "--from", &file, "--output-format", "ndjson"]).expect(0);
            let rows: Vec<Value> =
                run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert_eq!(rows.len(), self.issued().len());
            let issued = self.rows.iter().filter(|row| row.credential.is_some());
            for (row, told) in issued.zip(rows) {
                assert_eq!(told["id"], row.credential.as_ref().unwrap().id);
                assert_eq!(told["correlation_id"].as_str(), row.correlation_id.as_deref());
                assert_eq!(told["unchanged"].as_bool(), before);
                assert_eq!(told["status"], "revoked");
            }
        }
    }
}

#[test]
fn results_are_read_back_as_they_were_written() {
    let sandbox = Sandbox::with_issuer_key();
    sandbox.beltic(&["keygen", "--if-missing"]).expect(0);
    let written = std::cell::RefCell::new(Written { sandbox, key: String::new(), rows: Vec::new() });
    let runs = Cell::new(0);
    let companies = (prop::collection::vec(any_company(), 0..24), sound(), any_style());
    let ways = (
        select(vec!["jwt_vc", "sd_jwt_vc"]),
        select(vec![["csv", "json"], ["json", "ndjson"], ["ndjson", "csv"]]),
    );
    holds(8, file!(), (companies, ways), |((mut companies, last, style), (format, revoked))| {
        companies.push(last);
        let written = &mut *written.borrow_mut();
        runs.set(runs.get() + 1);
        written.key = format!("run-{}", runs.get());
        let items = companies.iter().map(|company| spelt(&company.item(), style) + "\n").collect::<String>();
        written.sandbox.write("items.ndjson", items);
        for form in ["ndjson", "json", "csv", "jwt", "text"] {
            let key = &written.key;
            let run = written.sandbox.issue(&format!(
                "items.ndjson --output-format {form} --out results.{form} --force --proof-format {format} \
                 --issued-at {NOW} --idempotency-key {key}"
            ));
            assert!(matches!(run.code, 0 | 3), "{}", run.stderr);
        }
        written.rows = rows(&written.sandbox.read("results.ndjson"));
        written.check_envelope();
        written.check_table();
        written.check_lines_for_people();
        written.check_tokens();
        for form in ["ndjson", "json", "csv"] {
            written.check_results(form);
        }
        for form in ["ndjson", "json", "csv", "jwt"] {
            written.check_verdicts(form);
        }
        written.check_list();
        written.check_revocation(revoked);
    });
}

/// Text without the numbers of lines in its messages.
fn without_lines(text: &str) -> String {
    let mut parts = text.split("line ");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out += "line ";
        out += part.trim_start_matches(|character: char| character.is_ascii_digit());
    }
    out
}

/// The failed items of a run, issued again, fail again, each for the same reason.
#[test]
fn failed_items_come_back_in_the_form_they_came_in() {
    let sandbox = Sandbox::with_issuer_key();
    let companies = (prop::collection::vec(any_company(), 1..40), any_style());
    let form = select(vec!["ndjson", "json", "csv"]);
    holds(16, file!(), (companies, form), |((companies, style), form)| {
        let items: Vec<_> = companies.iter().map(|company| spelt(&company.item(), style)).collect();
        let all: Vec<&Company> = companies.iter().collect();
        let input = format!("items.{form}");
        match form {
            "ndjson" => sandbox.write(&input, items.join("\n")),
            "json" => sandbox.write(&input, format!("[{}]", items.join(","))),
            _ => sandbox.write(&input, csv_text(&all, b',')),
        }
        let failed = |input: &str, output: &str| {
            let _ = std::fs::remove_file(sandbox.path(output));
            let run = sandbox.issue(&format!("{input} --ledger none --quiet --failed {output}"));
            let failed = run.rows().into_iter().filter_map(|row| Some((row.correlation_id, row.error?)));
            let reason = |(id, error): (Option<String>, RowError)| {
                let places =
                    error.places().into_iter().map(|(path, code)| (path.to_owned(), code.to_owned()));
                (id, error.code.clone(), places.collect::<Vec<_>>())
            };
            failed.map(reason).collect::<Vec<_>>()
        };
        let first = failed(&input, &format!("failed.{form}"));
        assert_eq!(sandbox.has(&format!("failed.{form}")), !first.is_empty());
        if !first.is_empty() {
            assert_eq!(failed(&format!("failed.{form}"), &format!("again.{form}")), first);
            // Of the rows of a table, each message names the line in the file that was read.
            let [again, failed] =
                ["again", "failed"].map(|name| without_lines(&sandbox.read(&format!("{name}.{form}"))));
            assert_eq!(again, failed);
        }
    });
}
