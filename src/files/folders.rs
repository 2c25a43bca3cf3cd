//! Folders of small files, each of which appears whole or not at all.
//!
//! All of them stand in one root folder. A new one is first made in a staging folder, `.beltic-XXXXXX.tmp` in the
//! root, under a number. It is in one of these states:
//!
//! - *staged*: its files are written, and nobody sees them;
//! - *durable*: one flush of the file system has put all staged folders on the disk;
//! - *named*: it was renamed to its name in the root. A former folder of that name changes places with it in the same
//!   step, where the system can do that, and is then removed from the staging folder.
//!
//! A run that is killed leaves named folders, which are whole, and its staging folder. Whoever writes into the root
//! holds it, as publishing holds a site, so what the next run finds of that name is abandoned, and it removes it.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::temporary::{PREFIX, SUFFIX, create_private};
use super::together::flush;
use super::{DirectoryMode, PathError, builder, hold_directory, sync_directory};

/// So many folders wait at most for their names.
const MOST_WAITING: usize = 64;

/// Folders that wait for their names.
#[derive(Debug)]
pub struct Folders {
    root: PathBuf,
    /// Whether folders of the same names give way.
    replace: bool,
    /// The names of all files that such a folder can hold. One that holds anything else is somebody's own.
    known: &'static [&'static str],
    staging: Option<TempDir>,
    waiting: Vec<(PathBuf, PathBuf)>,
    /// How many folders were staged so far.
    staged: u64,
    _held: Option<fs::File>,
}

impl Folders {
    /// None yet, in this root folder. Waits for other processes that write into it, and removes what killed ones left.
    /// `known` are the names of the files that such folders can hold, and `replace` says whether a folder of the same
    /// name gives way.
    ///
    /// # Errors
    /// Where the root cannot be held.
    pub fn hold(root: &Path, replace: bool, known: &'static [&'static str]) -> Result<Folders, PathError> {
        let held = hold_directory(root).map_err(|source| PathError::new("open", root, source))?;
        remove_abandoned(root);
        Ok(Folders {
            root: root.to_owned(),
            replace,
            known,
            staging: None,
            waiting: Vec::new(),
            staged: 0,
            _held: held,
        })
    }

    /// Writes a folder of these files, for its owner alone, without its name yet.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn add(&mut self, name: &str, files: &[(&str, &[u8])]) -> Result<(), PathError> {
        if self.waiting.len() >= MOST_WAITING {
            self.commit()?;
        }
        let staged = self.stage(files).map_err(|source| PathError::new("write to", &self.root, source))?;
        self.waiting.push((staged, self.root.join(name)));
        Ok(())
    }

    fn stage(&mut self, files: &[(&str, &[u8])]) -> io::Result<PathBuf> {
        let staging = match self.staging.take() {
            Some(staging) => staging,
            None => staging_in(&self.root)?,
        };
        let folder = staging.path().join(self.staged.to_string());
        self.staging = Some(staging);
        self.staged += 1;
        builder(DirectoryMode::Private).create(&folder)?;
        for (name, bytes) in files {
            let mut file = create_private(&folder.join(name))?;
            file.write_all(bytes)?;
            if !cfg!(target_os = "linux") {
                file.sync_all()?;
            }
        }
        if !cfg!(target_os = "linux") {
            sync_directory(&folder)?;
        }
        Ok(folder)
    }

    /// Makes the folders durable and gives them their names.
    ///
    /// # Errors
    /// Where that fails, or a name is taken by something that must not give way. Those that have their names already
    /// keep them.
    pub fn commit(&mut self) -> Result<(), PathError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let failed = |source| PathError::new("write to", &self.root, source);
        flush(&self.root).map_err(failed)?;
        for (staged, target) in std::mem::take(&mut self.waiting) {
            self.name(&staged, &target).map_err(|source| PathError::new("create", &target, source))?;
        }
        sync_directory(&self.root).map_err(failed)
    }

    fn name(&self, staged: &Path, target: &Path) -> io::Result<()> {
        match rename_new(staged, target) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && self.replace => {
                self.refuse_foreign(target)?;
                exchange(staged, target)?;
                fs::remove_dir_all(staged)
            }
            other => other,
        }
    }

    /// Refuses to remove what is no folder of ours.
    fn refuse_foreign(&self, target: &Path) -> io::Result<()> {
        let is_folder = fs::symlink_metadata(target)?.is_dir();
        let is_known = |entry: &fs::DirEntry| {
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            is_file && self.known.iter().any(|known| entry.file_name() == *known)
        };
        let holds_only_ours = || {
            Ok::<_, io::Error>(fs::read_dir(target)?.all(|entry| entry.is_ok_and(|entry| is_known(&entry))))
        };
        match is_folder && holds_only_ours()? {
            true => Ok(()),
            false => Err(io::Error::other("the name belongs to something else, which is not replaced")),
        }
    }
}

fn staging_in(root: &Path) -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o700));
    }
    builder.tempdir_in(root)
}

/// Gives a folder a name that nothing has.
fn rename_new(staged: &Path, target: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    if let Some(outcome) = renamed(staged, target, rustix::fs::RenameFlags::NOREPLACE) {
        return outcome;
    }
    match fs::symlink_metadata(target) {
        Ok(_) => Err(ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(staged, target),
    }
}

/// Has two folders change places.
fn exchange(staged: &Path, target: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    if let Some(outcome) = renamed(staged, target, rustix::fs::RenameFlags::EXCHANGE) {
        return outcome;
    }
    exchange_in_steps(staged, target)
}

/// The same where the file system cannot do it at once: whoever looks meanwhile finds no folder, and never half of one.
fn exchange_in_steps(staged: &Path, target: &Path) -> io::Result<()> {
    let mut aside = staged.as_os_str().to_owned();
    aside.push("-former");
    fs::rename(target, &aside)?;
    fs::rename(staged, target)?;
    fs::rename(&aside, staged)
}

/// Renames in a way that not every file system knows; none where this one does not.
#[cfg(target_os = "linux")]
fn renamed(staged: &Path, target: &Path, how: rustix::fs::RenameFlags) -> Option<io::Result<()>> {
    use rustix::fs::{CWD, renameat_with};
    use rustix::io::Errno;

    match renameat_with(CWD, staged, CWD, target, how) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => None,
        outcome => Some(outcome.map_err(io::Error::from)),
    }
}

/// Removes the staging folders of killed runs. The root is held, so nobody else writes into them.
#[cfg(unix)]
fn remove_abandoned(root: &Path) {
    use std::os::unix::fs::MetadataExt;

    let Ok(entries) = fs::read_dir(root) else { return };
    for entry in entries.flatten().filter(|entry| super::temporary::is_temporary(&entry.file_name())) {
        // The metadata of an entry are those of a link itself.
        let is_ours = entry
            .metadata()
            .is_ok_and(|found| found.is_dir() && found.uid() == rustix::process::geteuid().as_raw());
        if is_ours {
            // One that cannot be removed is in nobody's way.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Where folders cannot be held, nobody knows whether one is abandoned.
#[cfg(not(unix))]
fn remove_abandoned(_root: &Path) {}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::collections::BTreeMap;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const KNOWN: &[&str] = &["a", "b"];

    /// The folders of a root, each with its files.
    fn found(root: &Path) -> BTreeMap<String, Vec<(String, String)>> {
        let names = |folder: &Path| {
            let mut names: Vec<String> = fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        };
        let files = |folder: PathBuf| {
            let of = |name: String| (name.clone(), fs::read_to_string(folder.join(name)).unwrap());
            names(&folder).into_iter().map(of).collect()
        };
        names(root).into_iter().map(|name| (name.clone(), files(root.join(name)))).collect()
    }

    #[test]
    fn folders_appear_whole_for_their_owner_alone() {
        let root = tempfile::tempdir().unwrap();
        let mut folders = Folders::hold(root.path(), false, KNOWN).unwrap();
        for number in 0..MOST_WAITING + 2 {
            folders.add(&format!("f{number}"), &[("a", b"1"), ("b", b"2")]).unwrap();
        }
        assert!(root.path().join("f0").exists(), "as many as may wait are named together");
        assert!(!root.path().join(format!("f{MOST_WAITING}")).exists());
        folders.commit().unwrap();
        drop(folders);
        let found = found(root.path());
        assert_eq!(found.len(), MOST_WAITING + 2, "and the staging folder is gone");
        assert!(found.values().all(|files| *files == [("a".into(), "1".into()), ("b".into(), "2".into())]));
        let mode = |path: &str| root.path().join(path).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("f0"), mode("f0/a")), (0o700, 0o600));
    }

    #[test]
    fn only_what_was_made_here_is_replaced_and_only_where_that_is_wanted() {
        let root = tempfile::tempdir().unwrap();
        let add = |replace: bool, name: &str, text: &str| {
            let mut folders = Folders::hold(root.path(), replace, KNOWN).unwrap();
            folders.add(name, &[("a", text.as_bytes())])?;
            folders.commit()
        };
        let file = |path: &str| fs::read_to_string(root.path().join(path)).unwrap();
        add(false, "ours", "1").unwrap();
        assert_eq!(add(false, "ours", "2").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(file("ours/a"), "1");
        fs::write(root.path().join("ours/b"), "former").unwrap();
        add(true, "ours", "2").unwrap();
        assert_eq!(found(root.path())["ours"], [("a".into(), "2".into())]);

        fs::create_dir(root.path().join("documents")).unwrap();
        fs::write(root.path().join("documents/thesis"), "precious").unwrap();
        fs::create_dir_all(root.path().join("deep/a")).unwrap();
        fs::write(root.path().join("file"), "precious").unwrap();
        std::os::unix::fs::symlink("ours", root.path().join("link")).unwrap();
        for name in ["documents", "deep", "file", "link"] {
            assert!(add(true, name, "3").is_err(), "{name}");
        }
        assert_eq!(
            (file("documents/thesis"), file("file"), file("link/a")),
            ("precious".into(), "precious".into(), "2".into())
        );
        fs::create_dir(root.path().join("empty")).unwrap();
        add(true, "empty", "4").unwrap();
        assert_eq!(file("empty/a"), "4");
    }

    #[test]
    fn what_killed_runs_left_goes_and_all_else_stays() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join(".beltic-abc.tmp/0")).unwrap();
        fs::write(root.path().join(".beltic-abc.tmp/0/a"), "half").unwrap();
        fs::create_dir(root.path().join(".beltic")).unwrap();
        std::os::unix::fs::symlink("/", root.path().join(".beltic-link.tmp")).unwrap();
        drop(Folders::hold(root.path(), false, KNOWN).unwrap());
        let mut left: Vec<_> =
            fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [".beltic", ".beltic-link.tmp"]);
    }

    #[test]
    fn folders_change_places_on_every_file_system() {
        let root = tempfile::tempdir().unwrap();
        let [new, old] = ["new", "old"].map(|name| root.path().join(name));
        for folder in [&new, &old] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("a"), folder.file_name().unwrap().as_encoded_bytes()).unwrap();
        }
        let holds = |folder: &Path, text: &str| fs::read_to_string(folder.join("a")).unwrap() == text;
        exchange(&new, &old).unwrap();
        assert!(holds(&old, "new") && holds(&new, "old"));
        exchange_in_steps(&new, &old).unwrap();
        assert!(holds(&old, "old") && holds(&new, "new"));
    }
}
