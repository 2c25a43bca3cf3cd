//! The recipes of the page on renewal: what `list` finds, joined with results, is what is due.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::console::shell;
use super::machine::has_tool;
use super::pages::page;
use super::text_of;

/// Two credentials that expire soon, of which one is suspended, between two that do not, in both forms of results.
const SETUP: &str = r#"
beltic keygen --quiet > key.jwk
echo 'status: {base_url: https://issuer.example}' > .beltic.yaml
cat > items.csv <<END
correlation_id,subject_id,claims_jurisdiction,ttl,self_attestation_complete
a,"EX, 1",GB,P1Y,true
b,EX-2,GB,P20D,true
c,EX-3,GB,P1Y,true
d,EX-4,GB,P20D,true
END
beltic batch-issue items.csv --idempotency-key first --out results.ndjson --quiet
beltic batch-issue items.csv --idempotency-key first --out results.csv --quiet
beltic suspend --correlation-id d --quiet > suspended.ndjson
"#;

/// Runs a script in a folder, and returns what it says.
fn run(folder: &Path, script: &str) -> String {
    let output = shell(folder).arg(format!("set -eu\nexec 2>&1\n{script}")).output().unwrap();
    text_of(&output.stdout)
}

/// The correlation ids of the results in a file that have a credential, and of those that do not.
fn outcomes(path: &Path) -> (Vec<String>, Vec<String>) {
    let rows = fs::read_to_string(path).unwrap();
    let rows = rows.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let (issued, failed): (Vec<Value>, Vec<Value>) = rows.partition(|row| row["credential"].is_object());
    let ids = |rows: Vec<Value>| {
        rows.iter().map(|row| row["correlation_id"].as_str().unwrap().to_owned()).collect()
    };
    (ids(issued), ids(failed))
}

#[test]
fn what_expires_soon_is_renewed_by_either_recipe() {
    if !has_tool("bash") {
        return;
    }
    let blocks = page("renew").blocks("sh");
    let [with_jq, with_sqlite] = blocks.as_slice() else { panic!("{} recipes", blocks.len()) };
    let folder = tempfile::tempdir().unwrap();
    let renewed = folder.path().join("renewed.ndjson");
    let said = run(folder.path(), SETUP);
    if has_tool("jq") {
        let said = said.clone() + &run(folder.path(), with_jq);
        assert_eq!(outcomes(&renewed), (vec!["b".to_owned()], vec!["d".to_owned()]), "{said}");
        fs::remove_file(&renewed).unwrap();
    }
    if has_tool("sqlite3") {
        let script = format!("{with_sqlite}beltic batch-issue renew.csv --out renewed.ndjson");
        let said = said + &run(folder.path(), &script);
        assert_eq!(outcomes(&renewed), (vec!["b".to_owned()], vec!["d".to_owned()]), "{said}");
    }
}
