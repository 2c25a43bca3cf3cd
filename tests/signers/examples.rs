//! The programs of `examples/signers/` sign, with a key that they read from a file of OpenSSL's.

use std::process::Command;

use crate::readers::exact::Exact;
use crate::readers::machine::skip;
use crate::support::*;

fn works(program: &str, args: &[&str]) -> bool {
    Command::new(program).args(args).output().is_ok_and(|output| output.status.success())
}

fn check(file: &str, interpreter: &str, variables: &[(&str, &str)], key: &str, count: usize) {
    let sandbox = Sandbox::new();
    sandbox.copy_key(key, "key.pem");
    sandbox.write("issuer.jwk", std::fs::read(key_fixture("p256-public.jwk")).unwrap());
    sandbox.write("passphrase", "correct horse battery staple\n");
    let items: Vec<_> = (0..count).map(|number| full_item(&format!("c-{number}"))).collect();
    sandbox.write_items("items.ndjson", &items);
    let program = manifest_folder().join("examples/signers").join(file);
    let command = format!("{interpreter} '{}' key.pem", program.display());
    let run = |more: &[&str]| {
        let args = ["batch-issue", "items.ndjson", "--output-format", "ndjson", "--public-key", "issuer.jwk"];
        let args = [&args[..], &["--signer-command", &command], more].concat();
        let mut command = sandbox.command(&args);
        Run::of(command.envs(variables.iter().copied()).output().unwrap())
    };
    let issued = run(&[]).expect(0);
    let exact: Vec<_> = items.iter().map(|item| Exact::parse(&item.to_string())).collect();
    assert_eq!(check_tokens(&default_issuance(), &issued.stdout, &exact), count);
    // Without its key it says why, and nothing is recorded.
    std::fs::remove_file(sandbox.path("key.pem")).unwrap();
    let recorded = sandbox.recorded();
    let refused = run(&[]).expect(5);
    assert!(refused.stderr.contains("cannot sign with the key"), "{}", refused.stderr);
    assert_eq!(sandbox.recorded(), recorded);
}

#[test]
fn the_python_program_signs() {
    if !works("python3", &["-c", "import cryptography.hazmat.primitives.asymmetric.ec"]) {
        return skip("python3 has no package cryptography");
    }
    check("sign.py", "python3", &[], "p256-pkcs8.pem", 300);
}

#[test]
fn the_shell_program_signs() {
    if !works("openssl", &["version"]) || !works("bash", &["-c", "true"]) {
        return skip("there is no openssl, or no bash");
    }
    check("sign.sh", "bash", &[], "p256-pkcs8.pem", 8);
}
