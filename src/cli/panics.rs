//! A panic is a fault of this program. It ends it with exit code 1 and a message that can be reported, like any failure
//! that has no other code.
//!
//! The message names the place in the code. What a panic says is shown only where it is a text of the program itself:
//! a formatted one may hold a part of an item or a key.

use std::panic::{self, AssertUnwindSafe, PanicHookInfo};

use super::exit::ExitStatus;
use super::streams;

/// Does something, and turns a panic into [`ExitStatus::Unexpected`].
pub(super) fn caught(act: impl FnOnce() -> ExitStatus) -> ExitStatus {
    // Called in the thread that panics, once for each panic: so a worker's is told of when it happens.
    panic::set_hook(Box::new(|info| streams::say(&message(info))));
    // Nothing that a panic may have left half changed is used again.
    panic::catch_unwind(AssertUnwindSafe(act)).unwrap_or(ExitStatus::Unexpected)
}

fn message(info: &PanicHookInfo<'_>) -> String {
    let place =
        info.location().map(|place| format!(" at {}:{}", place.file(), place.line())).unwrap_or_default();
    let said = info.payload().downcast_ref::<&'static str>();
    let said = said.map(|said| format!(": {said}")).unwrap_or_default();
    format!(
        "error: unexpected failure{place}{said}\n  hint: this is a bug in beltic {}; please report it with this message",
        env!("CARGO_PKG_VERSION")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In a thread of its own, and with the hook of the tests put back: it is one for the whole process.
    #[test]
    fn a_panic_is_exit_code_1() {
        let hook = panic::take_hook();
        let status = std::thread::spawn(|| caught(|| panic!("secret {}", std::hint::black_box(17)))).join();
        panic::set_hook(hook);
        assert_eq!(status.unwrap(), ExitStatus::Unexpected);
    }
}
