//! Tests that go through the `beltic` program: flags, streams, files and exit codes.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "what helps tests is test code, too")]

#[path = "../support/mod.rs"]
mod readers;

mod asking;
mod batch_issue;
mod completions;
mod csv_mapping;
mod csv_records;
mod deliver;
mod doctor;
mod dry_run;
mod failed;
mod hostile;
mod init;
mod input;
mod inspect;
mod issuers;
mod keygen;
mod ledger;
mod list;
mod max_failures;
mod messy;
mod mistakes;
mod moved;
mod output;
mod own_types;
mod present;
mod publish;
mod real_data;
mod recipients;
mod renewal;
mod replay;
mod revoke;
mod rules;
mod schema;
mod sd_jwt;
mod seen;
mod settings;
mod several_issuers;
mod shard;
mod show;
mod signals;
mod strangers;
mod support;
mod sync_accidents;
mod sync_scopes;
mod sync_support;
mod sync_table;
mod targets;
mod template;
mod types;
mod verify;

/// A file that is forgotten above would never be compiled.
#[test]
fn every_file_of_this_folder_is_a_module() {
    let folder = support::manifest_folder().join("tests/cli");
    let this = std::fs::read_to_string(folder.join("main.rs")).unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        if name != "main" {
            assert!(this.lines().any(|line| line == format!("mod {name};")), "mod {name}; is missing");
        }
    }
}
