//! What a verifier is given to trust: keys and status lists, read from files.
//!
//! A file that was named must be there and readable. Keys decide what is believed at all, so a file of keys that makes
//! no sense ends the command. A status list that makes no sense (HTML, half a download, nothing) only leaves the
//! credentials that need it without a known status: it is named in a warning, and everything else is verified. A byte
//! order mark in front of any of these files is skipped.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::args::VerifyArgs;
use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::streams::{self, printable};
use crate::files::{BYTE_ORDER_MARK, PathError};
use crate::verify::{KeyRing, Lists, MAX_LIST_TOKEN_BYTES, Policy, RingError, SkippedKey};

/// The longest file of keys.
const MAX_KEYS_BYTES: usize = 4 * 1024 * 1024;
/// How deep, and how many files, a site or a folder of lists may be.
const MAX_DEPTH: usize = 12;
const MAX_FILES: usize = 100_000;
/// How many lists that cannot be used are named; the others are counted.
const MAX_WARNINGS: usize = 20;

/// Reads the keys.
///
/// Keys that cannot be used are told of, unless `quiet`, and the others are (RFC 7517 section 5).
pub(crate) fn keys(args: &VerifyArgs, quiet: bool) -> Result<KeyRing, Failure> {
    let mut ring = KeyRing::default();
    let added = add_keys(&mut ring, args);
    let skipped = ring.take_skipped();
    if !quiet {
        for SkippedKey { name, problem } in skipped.iter().take(MAX_WARNINGS) {
            let (name, problem) = (printable(name), printable(problem));
            streams::say(&format!("warning: the key {name} cannot be used: {problem}"));
        }
        say_more(skipped.len());
    }
    added.map(|()| ring)
}

fn add_keys(ring: &mut KeyRing, args: &VerifyArgs) -> Result<(), Failure> {
    let issuer = args.issuer.as_deref();
    for path in &args.jwks {
        ring.add_jwks_or_metadata(&text(path)?, issuer).map_err(unusable(path))?;
    }
    for path in &args.did {
        ring.add_did_document(&text(path)?).map_err(unusable(path))?;
    }
    for path in &args.key {
        ring.add_key(&read(path, MAX_KEYS_BYTES)?, issuer).map_err(unusable(path))?;
    }
    for path in &args.trust_anchor {
        ring.add_trust_anchors(&read(path, MAX_KEYS_BYTES)?).map_err(unusable(path))?;
    }
    if let Some(site) = &args.site {
        for path in files_of(site)
            .map_err(|failure| failure.hint("run `beltic publish --out DIR` to write a site"))?
        {
            add_site_file(ring, site, &path, issuer)?;
        }
    }
    if let Some(issuer) = issuer {
        ring.add_did(issuer).map_err(|error| Failure::new(ExitStatus::Key, error))?;
    }
    if ring.is_empty() {
        return Err(Failure::said(ExitStatus::Key, "no key to verify with")
            .hint("name one with `--did`, `--jwks`, `--key`, `--trust-anchor` or `--site`; keys in tokens are never trusted"));
    }
    Ok(())
}

/// How many warnings were left out, if any.
fn say_more(found: usize) {
    if found > MAX_WARNINGS {
        streams::say(&format!("warning: and {} more", found - MAX_WARNINGS));
    }
}

/// Adds the keys of one file of a site, if it holds any.
fn add_site_file(ring: &mut KeyRing, site: &Path, path: &Path, issuer: Option<&str>) -> Result<(), Failure> {
    let name = path.file_name().unwrap_or_default();
    // The path of an issuer follows the well-known one (SD-JWT VC, "JWT VC Issuer Metadata"). What the folders around the site
    // are called says nothing.
    let in_site = path.strip_prefix(site).unwrap_or(path);
    let in_metadata = in_site.starts_with(".well-known/jwt-vc-issuer");
    if name == "did.json" {
        ring.add_did_document(&text(path)?).map_err(unusable(path))?;
    } else if name == "jwks.json" {
        ring.add_jwks(&text(path)?, issuer).map_err(unusable(path))?;
    } else if in_metadata {
        ring.add_issuer_metadata(&text(path)?).map_err(unusable(path))?;
    }
    Ok(())
}

/// Reads the status lists, and warns of those that cannot be relied on.
pub(crate) fn lists(
    args: &VerifyArgs,
    ring: &KeyRing,
    policy: &Policy,
    quiet: bool,
) -> Result<Lists, Failure> {
    let mut lists = Lists::default();
    let mut unusable = 0;
    if args.no_status {
        return Ok(lists);
    }
    for path in args.site.iter().chain(&args.status_list) {
        let files = list_files(path)?;
        if files.is_empty() && !quiet && args.status_list.contains(path) {
            let folder = path.display().to_string();
            streams::say(&format!("warning: {} has no status lists: no *.jwt files", printable(&folder)));
        }
        for file in files {
            let is_named = file == *path;
            let Err(problem) = add_list(&mut lists, &file, is_named, ring, policy)? else { continue };
            unusable += 1;
            if !quiet && unusable <= MAX_WARNINGS {
                let file = file.display().to_string();
                streams::say(&format!(
                    "warning: the status list {} is not usable: {}",
                    printable(&file),
                    printable(&problem)
                ));
            }
        }
    }
    if !quiet {
        say_more(unusable);
    }
    Ok(lists)
}

/// Adds the list in a file, or says why it cannot be relied on: that it is too long, or unreadable in a folder of
/// others, is no different from other faults.
fn add_list(
    lists: &mut Lists,
    file: &Path,
    is_named: bool,
    ring: &KeyRing,
    policy: &Policy,
) -> Result<Result<(), String>, Failure> {
    let bytes = match read(file, MAX_LIST_TOKEN_BYTES) {
        Err(error) if !is_named || error.source.kind() == io::ErrorKind::FileTooLarge => {
            return Ok(Err(error.source.to_string()));
        }
        bytes => bytes?,
    };
    let Ok(text) = String::from_utf8(bytes) else { return Ok(Err("it is not text".to_owned())) };
    let text = text.trim_ascii_end();
    if text.is_empty() {
        return Ok(Err("it is empty".to_owned()));
    }
    Ok(lists.add(text, ring, policy).map_err(|found| match (&found.uri, &found.problem) {
        (Some(uri), problem) => format!("{problem} (it names itself {uri})"),
        (None, problem) => problem.to_string(),
    }))
}

/// A list, or every list of a folder.
fn list_files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if path.is_dir() {
        let files = files_of(path)?;
        return Ok(files
            .into_iter()
            .filter(|file| file.extension().is_some_and(|end| end == "jwt"))
            .collect());
    }
    Ok(vec![path.to_owned()])
}

/// Every file below a folder, in the order of their names.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    collect(folder, 0, &mut files).map_err(|source| PathError::new("read", folder, source))?;
    Ok(files)
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        // A link to a folder above would never end.
        let kind = entry.file_type()?;
        if kind.is_dir() && depth < MAX_DEPTH {
            collect(&entry.path(), depth + 1, files)?;
        } else if entry.path().is_file() {
            if files.len() == MAX_FILES {
                return Err(io::Error::other(format!("it holds more than {MAX_FILES} files")));
            }
            files.push(entry.path());
        }
    }
    Ok(())
}

fn text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(read(path, MAX_KEYS_BYTES)?)
        .map_err(|_| Failure::said(ExitStatus::Key, format!("{} is not UTF-8 text", path.display())))
}

fn read(path: &Path, max_bytes: usize) -> Result<Vec<u8>, PathError> {
    let failed = |source| PathError::new("read", path, source);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(max_bytes as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > max_bytes {
        let problem = format!("it is larger than {max_bytes} bytes");
        return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, problem)));
    }
    if bytes.starts_with(BYTE_ORDER_MARK) {
        bytes.drain(..BYTE_ORDER_MARK.len());
    }
    Ok(bytes)
}

fn unusable(path: &Path) -> impl Fn(RingError) -> Failure {
    move |error| {
        let error = anyhow::Error::new(error).context(format!("cannot take keys from {}", path.display()));
        Failure::new(ExitStatus::Key, error)
    }
}
