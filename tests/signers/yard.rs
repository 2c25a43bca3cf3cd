//! A folder with a signer program and no key file where `beltic` would look for one.

use std::fs;

use crate::signer;
use crate::support::*;

/// How `beltic` is told of the program.
pub(crate) const PUBLIC: [&str; 2] = ["--public-key", "issuer.jwk"];

pub(crate) struct Yard {
    pub(crate) sandbox: Sandbox,
}

impl Yard {
    pub(crate) fn new() -> Yard {
        let sandbox = Sandbox::new();
        sandbox.copy_key("p256-pkcs8.pem", "signer/key.pem");
        sandbox.write("issuer.jwk", fs::read(key_fixture("p256-public.jwk")).unwrap());
        let folder = sandbox.path("signer");
        sandbox.write("sign", signer::script(&folder));
        set_mode(&sandbox.path("sign"), 0o700);
        Yard { sandbox }
    }

    /// Runs a command with the program doing this; `args` are separated by spaces.
    pub(crate) fn run(&self, args: &str, does: &str) -> Run {
        let command = format!("./sign {does}");
        let args: Vec<_> = args.split(' ').chain(["--signer-command", &command]).chain(PUBLIC).collect();
        self.sandbox.beltic(&args)
    }

    /// How often the program did this.
    pub(crate) fn count(&self, what: &str) -> usize {
        fs::read_to_string(self.sandbox.path(&format!("signer/{what}"))).unwrap_or_default().lines().count()
    }

    pub(crate) fn forget(&self) {
        for name in ["starts", "ends", "busy", "mute", "closes"] {
            let _ = fs::remove_file(self.sandbox.path(&format!("signer/{name}")));
        }
    }
}
