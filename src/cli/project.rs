//! Which project a command belongs to, and whether it may be obeyed.
//!
//! The nearest folder, upward from the working directory, that holds `.beltic.yaml` or a folder `.beltic` is the
//! project: both are taken from it, and never from one further up.
//!
//! Whoever can write a project's file or its folder `.beltic` decides which key signs, as whom, and into which ledger.
//! So, like git with `safe.directory`, nothing is taken from a project by the mere fact that it lies above the working
//! directory unless only the user, root, or the user behind `sudo` could have put it there:
//!
//! - the file (the folder `.beltic`) belongs to one of them, and not everybody can write it; so does a link to it;
//! - the folder that holds it belongs to one of them, and not everybody can replace what is in it: one that everybody
//!   can write has the sticky bit, as `/tmp` has.
//!
//! What a flag or a variable names is obeyed, whoever owns it: `--config` for the file, `--key` and `--ledger` for what
//! the folder holds. What the group can write is a warning. The user's own settings file is named by the environment
//! (`HOME`, `XDG_CONFIG_HOME`) and obeyed.
//!
//! Settings that run a program or open a connection are to be taken from flags, the environment, the user's file or a
//! named file only ([`Origin::FoundFile`] is none of these): a repository that was cloned belongs to the user.

use std::ffi::OsStr;
use std::fs::Metadata;
use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::streams;

/// The name of a project's settings file.
pub(crate) const PROJECT_FILE: &str = ".beltic.yaml";
/// The folder of keys and state.
pub(crate) const STATE_FOLDER: &str = ".beltic";

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A flag, by its name with the dashes.
    Flag(&'static str),
    /// A variable of the environment.
    Variable(&'static str),
    /// A key of a settings file that a flag or a variable names, or of the user's own.
    NamedFile(&'static str, PathBuf),
    /// A key of a settings file that was found above the working directory.
    FoundFile(&'static str, PathBuf),
    /// Nobody said anything.
    Default,
}

impl Origin {
    /// Of a value that clap took from a flag or, where the flag was not typed, from its variable.
    pub(crate) fn typed(flag: &'static str, variable: Option<&'static str>) -> Origin {
        match variable {
            Some(variable) if !std::env::args_os().any(|arg| is_flag(&arg, flag)) => {
                Origin::Variable(variable)
            }
            _ => Origin::Flag(flag),
        }
    }
}

/// Whether an argument is this flag, alone or with a value behind a `=`.
pub(crate) fn is_flag(arg: &OsStr, flag: &str) -> bool {
    let arg = arg.to_string_lossy();
    arg.strip_prefix(flag).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
}

/// In front of what is wrong with a value: `credential.ttl in /a/.beltic.yaml`.
impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Origin::Flag(name) | Origin::Variable(name) => f.write_str(name),
            Origin::NamedFile(key, path) | Origin::FoundFile(key, path) => {
                write!(f, "{key} in {}", path.display())
            }
            Origin::Default => f.write_str("the default"),
        }
    }
}

/// The nearest folder upward that is a project; none where there is no such folder.
///
/// Anything of these names makes a project, a link to nothing included: whoever put it there meant this folder, and what
/// cannot be used is told, not skipped for a project further up.
pub(crate) fn nearest(from: &Path) -> Option<&Path> {
    let is_there = |path: PathBuf| path.symlink_metadata().is_ok();
    from.ancestors().find(|folder| is_there(folder.join(PROJECT_FILE)) || is_there(folder.join(STATE_FOLDER)))
}

/// Refuses what somebody else could have put there; warns where the group could have, unless `quiet`.
///
/// # Errors
/// Where it must not be obeyed. `named_by` are the flags that make it obeyed all the same.
pub(crate) fn check_trust(path: &Path, named_by: &str, quiet: bool) -> Result<(), Failure> {
    match suspicion(path) {
        Some(Suspicion::Refuse(why)) => {
            let message = format!("refusing to use {}: {why}", path.display());
            Err(Failure::usage(message).hint(format!("if you trust it, name it with {named_by}")))
        }
        Some(Suspicion::Warn(why)) if !quiet => {
            let path = path.display();
            streams::say(&format!("warning: {path} {why}; fix it with `chmod g-w {path}`"));
            Ok(())
        }
        _ => Ok(()),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Suspicion {
    Refuse(String),
    Warn(&'static str),
}

#[cfg(not(unix))]
fn suspicion(_path: &Path) -> Option<Suspicion> {
    None // no owners or modes that could be looked at
}

#[cfg(unix)]
fn suspicion(path: &Path) -> Option<Suspicion> {
    let (own, link) = (path.metadata().ok()?, path.symlink_metadata().ok()?);
    // Whoever makes a link decides which of the user's own files is used.
    let folder = path.parent().and_then(|folder| folder.metadata().ok());
    Trusted::here().suspicion(&own, &link, folder.as_ref())
}

/// The users whose files are obeyed.
#[cfg(unix)]
#[derive(Debug, Clone, Copy)]
struct Trusted {
    user: u32,
    behind_sudo: Option<u32>,
}

#[cfg(unix)]
impl Trusted {
    fn here() -> Trusted {
        let user = rustix::process::geteuid().as_raw();
        // Only root has somebody behind it.
        let behind_sudo = std::env::var("SUDO_UID").ok().filter(|_| user == 0);
        Trusted { user, behind_sudo: behind_sudo.and_then(|uid| uid.parse().ok()) }
    }

    fn suspicion(self, own: &Metadata, link: &Metadata, folder: Option<&Metadata>) -> Option<Suspicion> {
        use std::os::unix::fs::MetadataExt;

        let refuse = |why: String| Some(Suspicion::Refuse(why));
        for found in [own, link] {
            if !self.includes(found.uid()) {
                return refuse(format!("it belongs to another user (uid {})", found.uid()));
            }
        }
        if own.mode() & OTHERS_WRITE != 0 {
            return refuse("every user can write to it".to_owned());
        }
        if let Some(folder) = folder {
            if !self.includes(folder.uid()) {
                return refuse(format!("its folder belongs to another user (uid {})", folder.uid()));
            }
            if folder.mode() & OTHERS_WRITE != 0 && folder.mode() & STICKY == 0 {
                return refuse("every user can replace it in its folder".to_owned());
            }
        }
        (own.mode() & GROUP_WRITE != 0).then_some(Suspicion::Warn("is writable by its group"))
    }

    fn includes(self, uid: u32) -> bool {
        uid == self.user || uid == 0 || self.behind_sudo == Some(uid)
    }
}

#[cfg(unix)]
const OTHERS_WRITE: u32 = 0o002;
#[cfg(unix)]
const GROUP_WRITE: u32 = 0o020;
#[cfg(unix)]
const STICKY: u32 = 0o1000;

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    #[test]
    fn the_nearest_folder_with_a_file_or_a_state_folder_is_the_project() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("a/b/c");
        fs::create_dir_all(&inner).unwrap();
        fs::write(dir.path().join(PROJECT_FILE), "").unwrap();
        assert_eq!(nearest(&inner), Some(dir.path()));
        fs::create_dir(dir.path().join("a/b").join(STATE_FOLDER)).unwrap();
        assert_eq!(nearest(&inner), Some(&*dir.path().join("a/b")));
        symlink("nothing", inner.join(PROJECT_FILE)).unwrap();
        assert_eq!(nearest(&inner), Some(&*inner), "a link to nothing is not skipped");
    }

    /// Owners and modes as they would be of others; who "we" are is what changes here.
    #[test]
    fn what_somebody_else_could_have_put_there_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (folder, file, link) = (dir.path().join("p"), dir.path().join("p/s"), dir.path().join("p/l"));
        fs::create_dir(&folder).unwrap();
        fs::write(&file, "").unwrap();
        symlink(&file, &link).unwrap();
        let owner = file.metadata().unwrap().uid();
        let chmod = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let judge = |trusted: Trusted, path: &Path, in_folder: bool| {
            let folder = folder.metadata().unwrap();
            let (own, link) = (path.metadata().unwrap(), path.symlink_metadata().unwrap());
            trusted.suspicion(&own, &link, in_folder.then_some(&folder))
        };
        let us = Trusted { user: owner, behind_sudo: None };
        let refused = |found: Option<Suspicion>| matches!(found, Some(Suspicion::Refuse(_)));

        for (folder_mode, file_mode, expected) in [
            (0o755, 0o644, None),
            (0o1777, 0o600, None),
            (0o755, 0o664, Some(false)),
            (0o775, 0o660, Some(false)),
            (0o755, 0o646, Some(true)),
            (0o755, 0o666, Some(true)),
            (0o777, 0o600, Some(true)),
            (0o757, 0o600, Some(true)),
        ] {
            chmod(&folder, folder_mode);
            chmod(&file, file_mode);
            let found = judge(us, &file, true).map(|found| matches!(found, Suspicion::Refuse(_)));
            assert_eq!(found, expected, "{folder_mode:o} {file_mode:o}");
        }
        chmod(&folder, 0o755);
        chmod(&file, 0o644);
        assert_eq!(judge(us, &link, true), None);
        // The same files, seen by somebody else: only root's are obeyed by everybody.
        let other = Trusted { user: owner + 1, behind_sudo: None };
        assert_eq!(refused(judge(other, &file, true)), owner != 0);
        let behind = Trusted { user: owner + 1, behind_sudo: Some(owner) };
        assert_eq!(judge(behind, &file, true), None);
    }
}
