//! `beltic completions`.

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
        Err(error) => println!("skipped: {error}"),
    }
}
