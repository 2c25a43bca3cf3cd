//! No picture of this process's memory on the disk, nor in the hands of the user's other processes.
//!
//! Whatever the command: the passphrase may be in the environment, and the private key may be named where a
//! public one was meant.

use super::streams;

/// Turns core dumps off. Where the system does not let it, says so and goes on.
pub(super) fn turn_off() {
    if let Err(error) = no_dumps() {
        streams::say(&format!("warning: core dumps cannot be turned off: {}", crate::files::reason(&error)));
    }
}

#[cfg(unix)]
fn no_dumps() -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};

    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    no_other_eyes()
}

/// Dumps that the kernel pipes to a program, as systemd and Ubuntu have it, are bound by no limit. Of a process
/// that is not dumpable there are none, and only root can attach to it or read its `/proc/PID/mem`.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn no_other_eyes() -> std::io::Result<()> {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};

    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
fn no_other_eyes() -> std::io::Result<()> {
    Ok(())
}

/// Windows has no such switch for a process.
#[cfg(not(unix))]
fn no_dumps() -> std::io::Result<()> {
    Ok(())
}
