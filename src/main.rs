//! The `beltic` command. Everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    beltic::cli::run(std::env::args_os()).into()
}
