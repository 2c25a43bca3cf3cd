//! `beltic completions`.

use std::collections::BTreeSet;
use std::process::Stdio;

use crate::readers::machine::skip;
use crate::support::*;

/// What the command prints is what `completions/` holds, for packagers. After a change of the
/// command line: `BELTIC_WRITE_COMPLETIONS=1 cargo test --test cli completions`.
#[test]
fn the_committed_files_are_what_the_command_prints() {
    let folder = manifest_folder().join("completions");
    let files = [
        ("bash", "beltic.bash"),
        ("zsh", "_beltic"),
        ("fish", "beltic.fish"),
        ("powershell", "_beltic.ps1"),
        ("elvish", "beltic.elv"),
    ];
    let sandbox = Sandbox::new();
    for (shell, name) in files {
        let printed = sandbox.beltic(&["completions", shell]).expect(0).stdout;
        for word in ["batch-issue", "keygen", "completions", "passphrase-file"] {
            assert!(printed.contains(word), "{word} for {shell}");
        }
        let path = folder.join(name);
        if std::env::var_os("BELTIC_WRITE_COMPLETIONS").is_some() {
            std::fs::write(&path, &printed).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(committed, printed, "{name} is not up to date");
    }
    let known: std::collections::HashSet<_> = files.iter().map(|(_, name)| *name).collect();
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(known.contains(name.as_str()), "{name} belongs to no shell");
    }
}

#[test]
fn another_shell_is_a_usage_error() {
    let run = Sandbox::new().beltic(&["completions", "cmd"]).expect(2);
    assert!(run.stderr.contains("powershell"), "{}", run.stderr);
}

/// The script is one that the shell reads, where that shell is there.
#[test]
fn bash_reads_the_script() {
    let sandbox = Sandbox::new();
    sandbox.write("beltic.bash", sandbox.beltic(&["completions", "bash"]).expect(0).stdout);
    match std::process::Command::new("bash").arg("-n").arg(sandbox.path("beltic.bash")).status() {
        Ok(status) => assert!(status.success()),
        Err(error) => skip(format_args!("bash: {error}")),
    }
}

/// A page for the program and one for each command, those below `ledger` included, and no others.
#[test]
fn every_command_has_a_man_page() {
    let sandbox = Sandbox::new();
    let run = sandbox.beltic(&["completions", "--man", "share/man"]).expect(0);
    assert_eq!(run.stdout, "");
    let mut program = beltic::cli::command();
    program.build();
    let mut expected = BTreeSet::new();
    name_pages(&program, "beltic", &mut expected);
    assert!(
        sandbox.read("share/man/man5/beltic-batch.5").contains("batch files of beltic: JSON, NDJSON and CSV")
    );
    assert!(sandbox.read("share/man/man5/beltic.yaml.5").contains("\\fBcsv.constants\\fR"));
    assert!(expected.contains("beltic-batch-issue.1") && expected.contains("beltic-ledger-check.1"));
    assert_eq!(pages(&sandbox), expected);
    assert!(run.stderr.contains(&format!("wrote {} man pages", expected.len() + 2)), "{}", run.stderr);
}

fn name_pages(command: &clap::Command, name: &str, pages: &mut BTreeSet<String>) {
    pages.insert(format!("{name}.1"));
    for below in command.get_subcommands() {
        name_pages(below, &format!("{name}-{}", below.get_name()), pages);
    }
}

fn pages(sandbox: &Sandbox) -> BTreeSet<String> {
    let folder = std::fs::read_dir(sandbox.path("share/man/man1")).unwrap();
    folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// The text of a page, in which roff has hyphens and apostrophes escaped.
fn page(sandbox: &Sandbox, name: &str) -> String {
    let text = sandbox.read(&format!("share/man/man1/{name}.1"));
    text.replace("\\-", "-")
        .replace("\\*(Aq", "'")
        .replace("\\fB", "")
        .replace("\\fI", "")
        .replace("\\fR", "")
}

/// A page has what the help has: the examples, each flag, each variable, each exit code.
#[test]
fn a_man_page_says_what_the_help_says() {
    let sandbox = Sandbox::new();
    sandbox.beltic(&["completions", "--man", "share/man", "--quiet"]).expect(0);
    let page_of_issuing = page(&sandbox, "beltic-batch-issue");
    assert!(
        page_of_issuing.contains("\nbeltic-batch-issue - Issue a signed credential"),
        "{page_of_issuing}"
    );
    let mut program = beltic::cli::command();
    program.build();
    let command = program.find_subcommand("batch-issue").unwrap();
    for line in command.get_before_help().unwrap().to_string().lines().skip(1) {
        assert!(page_of_issuing.lines().any(|written| written == line.trim()), "{line}");
    }
    for arg in command.get_arguments() {
        if let Some(flag) = arg.get_long() {
            assert!(
                page_of_issuing.contains(&format!("--{flag}\n"))
                    || page_of_issuing.contains(&format!("--{flag} "))
            );
        }
        if let Some(variable) = arg.get_env() {
            assert!(page_of_issuing.contains(&format!("\n{}\nsame as", variable.to_str().unwrap())));
        }
    }
    assert!(page_of_issuing.contains("\nBELTIC_KEY_PASSPHRASE\n"));
    for (status, meaning, _) in beltic::cli::ExitStatus::ALL {
        assert!(page_of_issuing.contains(&format!(".TP\n{}\n{meaning}\n", status.code())), "{meaning}");
    }
    assert!(page(&sandbox, "beltic-revoke").contains("\nRevocation is permanent."));
    assert!(
        page(&sandbox, "beltic").contains("\n.beltic/ledger.db\n")
            || page(&sandbox, "beltic").contains("\n\\&.beltic/ledger.db\n")
    );
    assert!(!page(&sandbox, "beltic-keygen").contains(sandbox.path("").to_str().unwrap()));
}

/// Pages that are there are written anew; other files are left alone.
#[test]
fn man_pages_replace_older_ones() {
    let sandbox = Sandbox::new();
    sandbox.write("share/man/man1/beltic.1", "old");
    sandbox.write("share/man/man1/other.1", "not ours");
    let run = sandbox.beltic(&["completions", "--quiet", "--man", "share/man"]).expect(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    assert!(sandbox.read("share/man/man1/beltic.1").contains(".SH NAME"));
    assert_eq!(sandbox.read("share/man/man1/other.1"), "not ours");
}

/// What reads man pages finds nothing to complain of, where such a program is there.
#[test]
fn man_reads_the_pages() {
    let sandbox = Sandbox::new();
    sandbox.beltic(&["completions", "--man", "share/man"]).expect(0);
    let readers: [(&str, &[&str]); 2] =
        [("man", &["--warnings", "-E", "UTF-8", "-l"]), ("mandoc", &["-T", "lint", "-W", "error"])];
    for (reader, args) in readers {
        // Another kind of `man`, or one that only says that it was left out of the system, cannot judge.
        sandbox.write("known.1", ".TH KNOWN 1\n.SH NAME\nknown \\- a page without faults\n");
        if let Some(said) = complaint(&sandbox, reader, args, "known.1") {
            skip(format_args!("{reader}: {said}"));
            continue;
        }
        let of_files = ["beltic-batch.5", "beltic.yaml.5"].map(|page| format!("man5/{page}"));
        for page in pages(&sandbox).iter().map(|page| format!("man1/{page}")).chain(of_files) {
            let said = complaint(&sandbox, reader, args, &format!("share/man/{page}"));
            assert_eq!(said, None, "{reader}, {page}");
        }
    }
}

/// What a reader of man pages says against a page; `None` where it has nothing to say. Whatever language its user
/// speaks, it reads the page in the language of the page.
fn complaint(sandbox: &Sandbox, reader: &str, args: &[&str], page: &str) -> Option<String> {
    let mut command = std::process::Command::new(reader);
    command.args(args).arg(sandbox.path(page)).stdin(Stdio::null()).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", sandbox.path(""));
    match command.env("LC_ALL", "C").output() {
        Ok(output) if output.status.success() && output.stderr.is_empty() => None,
        Ok(output) => Some(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr))),
        Err(error) => Some(error.to_string()),
    }
}

#[test]
fn a_shell_and_man_pages_are_two_wishes() {
    let sandbox = Sandbox::new();
    for args in [&["completions"][..], &["completions", "bash", "--man", "man1"]] {
        let run = sandbox.beltic(args).expect(2);
        assert!(run.stderr.contains("--man"), "{}", run.stderr);
    }
    assert!(!sandbox.has("man1"));
}

#[test]
fn a_directory_for_man_pages_that_is_a_file() {
    let sandbox = Sandbox::new();
    sandbox.write("man1", "a file");
    let run = sandbox.beltic(&["completions", "--man", "man1"]).expect(6);
    assert!(run.stderr.contains("man1"), "{}", run.stderr);
    assert_eq!(sandbox.read("man1"), "a file");
}
