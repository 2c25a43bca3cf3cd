//! What `doctor` looks at: each check gives its findings, good ones included.

use std::fs;
use std::path::{Path, PathBuf};

use super::{DoctorArgs, Finding, Severity};
use crate::cli::commands::{keygen, ledger_warnings, not_seen};
use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::key_speed::KeySpeed;
use crate::cli::settings::{self, KeyPlace, OpenKey, Settings};
use crate::cli::{streams, variables};
use crate::clock::{UnixTime, system_now};
use crate::files;
use crate::issuer::{Issuer, host_of};
use crate::json::Parser;
use crate::keys::{IssuerKey, KeyError, LoadError, PublicKey};
use crate::ledger::{FORMAT_VERSION, Ledger};
use crate::token::{Compact, Part, decode_text, parse_object};
use crate::verify::MAX_LIST_TOKEN_BYTES;

/// The longest file of a public key, in bytes.
const MAX_KEY_BYTES: usize = 64 * 1024;
/// How many signatures are asked for at once to see how fast a key is. Key services may charge for each.
const MEASURED_TOGETHER: usize = 64;
/// A list that holds for less time than this is about to lapse, in seconds.
const SOON: i64 = 86_400;
/// How many lists are looked at.
const MAX_LISTS: usize = 10_000;

/// Everything that was found. `unnamed` is why it is not known which of several issuers is meant.
pub(super) fn all(settings: &Settings, args: &DoctorArgs, unnamed: Option<&Failure>) -> Vec<Finding> {
    let mut found = vec![ok("version", versions())];
    found.extend(unnamed.map(|failure| failed("issuer_unnamed", failure)));
    found.extend(variables::unknown_ones().into_iter().map(|message| warning("variable_unknown", message)));
    let public = key(settings, args, &mut found);
    let issuer = public.and_then(|public| issuer(settings, args, &public, &mut found));
    let base = status_address(settings, issuer.as_ref(), &mut found);
    ledger(settings, args, base.as_deref(), &mut found);
    if let Some(site) = &args.site {
        lists_of_site(site, &mut found);
    }
    found
}

fn versions() -> String {
    format!("beltic {}, ledger format {FORMAT_VERSION}", env!("CARGO_PKG_VERSION"))
}

/// The key: whether it is there, can be read, and is the owner's alone. Returns its public half where that is known.
fn key(settings: &Settings, args: &DoctorArgs, found: &mut Vec<Finding>) -> Option<PublicKey> {
    let path = match settings.key_place(&args.key) {
        Ok(KeyPlace::File(path)) => path,
        Ok(KeyPlace::Program(place)) => {
            let what = format!("signer program {}", place.program.path.display());
            return key_elsewhere(&what, place.open(), found);
        }
        Ok(KeyPlace::Module(place)) => {
            return key_elsewhere(&place.shown(), place.open(false, true), found);
        }
        Err(failure) => {
            found.push(failed("key_unusable", &failure));
            return None;
        }
    };
    let shown = path.display();
    if path.symlink_metadata().is_err() {
        // Whoever has issued already needs that key, and no other one.
        let hint = match settings.ledger_address(&args.ledger.ledger) {
            Ok(Some(ledger)) if ledger.file().is_none_or(Path::exists) => {
                "name the key that the ledger's credentials were signed with: `--key FILE`, or `key` in .beltic.yaml"
            }
            _ => "run `beltic init` to set up a project, or pass `--key FILE`",
        };
        found.push(error("key_missing", format!("{shown}: key not found")).hint(hint));
        return None;
    }
    let passphrase_file = args.key.passphrase_file.as_deref();
    let is_given = passphrase_file.is_some() || std::env::var_os(variables::PASSPHRASE).is_some();
    let loaded = IssuerKey::load(&path, &mut || match is_given {
        true => settings::passphrase(passphrase_file),
        false => Err(KeyError::NoPassphrase),
    });
    match loaded {
        Ok(loaded) => {
            if loaded.readable_by_others {
                let hint = format!("fix it with `chmod 600 {shown}`");
                found.push(warning("key_readable", format!("{shown} can be read by others")).hint(hint));
            }
            let public = loaded.key.public().clone();
            found.push(ok("key", format!("{shown}: P-256, thumbprint {}", public.thumbprint())));
            Some(public)
        }
        Err(LoadError::Key { source: KeyError::NoPassphrase, .. }) => {
            found.push(ok("key", format!("{shown}: encrypted, and not opened without a passphrase")));
            public_beside(&path)
        }
        Err(problem) => {
            found.push(failed("key_unusable", &problem.into()));
            None
        }
    }
}

/// A key that something else signs with, and how fast. Its public half is known even where it does not sign.
fn key_elsewhere(
    what: &str,
    opened: Result<OpenKey, Failure>,
    found: &mut Vec<Finding>,
) -> Option<PublicKey> {
    let key = match opened {
        Ok(OpenKey { key, .. }) => key,
        Err(failure) => {
            found.push(failed("key_unusable", &failure));
            return None;
        }
    };
    let thumbprint = key.public().thumbprint();
    found.push(match KeySpeed::of(&*key, MEASURED_TOGETHER) {
        Ok(speed) => ok("key", format!("{what}: P-256, thumbprint {thumbprint}; {speed}")),
        Err(problem) => failed("key_unusable", &Failure::new(ExitStatus::Key, problem)),
    });
    Some(key.public().clone())
}

/// The public JWK that `keygen` wrote beside the key.
fn public_beside(key: &Path) -> Option<PublicKey> {
    let bytes = files::read_limited(&keygen::public_path(key), MAX_KEY_BYTES).ok()?;
    PublicKey::parse(&bytes).ok()
}

fn issuer(
    settings: &Settings,
    args: &DoctorArgs,
    public: &PublicKey,
    found: &mut Vec<Finding>,
) -> Option<Issuer> {
    match settings.issuer(&args.issuer.issuer, public) {
        Ok(issuer) => {
            found.push(ok("issuer", format!("{}, kid {}", issuer.id(), issuer.kid())));
            Some(issuer)
        }
        Err(failure) => {
            found.push(failed("issuer_unusable", &failure));
            None
        }
    }
}

/// Where status lists are fetched from.
fn status_address(settings: &Settings, issuer: Option<&Issuer>, found: &mut Vec<Finding>) -> Option<String> {
    let base = match (settings.configured_status_base(), issuer) {
        (Err(failure), _) => {
            found.push(failed("status_address_unusable", &failure));
            return None;
        }
        (Ok(Some(base)), _) => Some(base),
        (Ok(None), Some(issuer)) => issuer.default_status_base(),
        (Ok(None), None) => return None,
    };
    let Some(base) = base else {
        let message = "status lists have no address that verifiers can fetch";
        found.push(
            warning("status_address_missing", message)
                .hint("set `status.base_url` in .beltic.yaml before you issue"),
        );
        return None;
    };
    let (host, of_issuer) = (host_of(&base).ok().flatten(), issuer.and_then(Issuer::host));
    match (host, of_issuer) {
        (Some(host), Some(of_issuer)) if host != of_issuer => {
            let message = format!("status lists are on {host}, and the issuer is on {of_issuer}");
            found.push(
                warning("status_address_elsewhere", message).hint("check `status.base_url` in .beltic.yaml"),
            );
        }
        _ => found.push(ok("status_address", format!("status lists are fetched from {base}"))),
    }
    Some(base)
}

fn ledger(settings: &Settings, args: &DoctorArgs, base: Option<&str>, found: &mut Vec<Finding>) {
    let path = match settings.ledger_address(&args.ledger.ledger) {
        Err(failure) => return found.push(failed("ledger_unusable", &failure)),
        Ok(None) => {
            return found
                .push(ok("ledger", "no ledger configured (ledger: none): credentials cannot be revoked"));
        }
        Ok(Some(path)) => path,
    };
    match Ledger::open_read_only(&path) {
        Err(problem) => found.push(failed("ledger_unusable", &problem.into())),
        Ok(None) => found.push(ok("ledger", format!("{path}: not there yet; the first run creates it"))),
        Ok(Some(ledger)) => look_into(&ledger, base, found),
    }
}

fn look_into(ledger: &Ledger, base: Option<&str>, found: &mut Vec<Finding>) {
    let shown = ledger.path().display();
    found.extend(ledger_warnings(ledger).into_iter().map(|message| warning("ledger_changed", message)));
    found.extend(not_seen(ledger).map(|message| ok("ledger", message)));
    match ledger.examine() {
        Err(problem) => return found.push(failed("ledger_unusable", &problem.into())),
        Ok(examined) if !examined.problems.is_empty() => {
            let message = format!("{shown} is damaged: {}", examined.problems.join("; "));
            return found.push(error("ledger_damaged", message).hint("run `beltic ledger check`"));
        }
        Ok(examined) => {
            let counts = [("credentials", examined.credentials), ("runs", examined.runs)];
            let counts =
                counts.map(|(noun, count)| format!("{noun}: {}", streams::grouped(count))).join(", ");
            found.push(ok("ledger", format!("{shown}: {counts}")));
        }
    }
    let numbers = ledger.status_lists().unwrap_or_default();
    let lists = numbers.iter().take(MAX_LISTS).filter_map(|number| ledger.status_list(*number).ok());
    let (mut uris, mut closed) = (Vec::new(), 0_usize);
    for list in lists {
        closed += usize::from(list.closed);
        uris.push(list.uris.token);
    }
    let message =
        format!("status lists: {}, of which closed after a restore or on request: {closed}", uris.len());
    found.push(ok("lists", message));
    let without_address = uris.iter().filter(|uri| !uri.starts_with("https://")).count();
    if without_address > 0 {
        let message = format!(
            "{without_address} of {} status lists have no address that verifiers can fetch",
            uris.len()
        );
        found.push(warning("list_without_address", message).hint("their credentials can be verified with the lists at hand only; set `status.base_url` for new ones"));
    }
    let elsewhere =
        |uri: &&String| base.is_some_and(|base| uri.starts_with("https://") && !uri.starts_with(base));
    if let Some(uri) = uris.iter().find(elsewhere) {
        let count = uris.iter().filter(elsewhere).count();
        let message = format!(
            "{count} of {} status lists are at another address than `status.base_url`, such as {uri}",
            uris.len()
        );
        found.push(
            warning("list_elsewhere", message)
                .hint("keep serving them there as long as their credentials are valid"),
        );
    }
}

/// The lists of a site: whether they hold, and for how long.
fn lists_of_site(site: &Path, found: &mut Vec<Finding>) {
    let folders = ["status/token", "status/bitstring"].map(|folder| site.join(folder));
    let files: Vec<PathBuf> = folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "jwt"))
        .take(MAX_LISTS)
        .collect();
    if files.is_empty() {
        let message = format!("{} has no status lists", site.display());
        return found.push(
            warning("site_empty", message).hint("run `beltic publish --out DIR`, and name that folder"),
        );
    }
    let now = system_now().seconds();
    let ends: Vec<Option<i64>> = files.iter().map(|file| end_of(file)).collect();
    let count = |is_so: fn(Option<i64>, i64) -> bool| ends.iter().filter(|end| is_so(**end, now)).count();
    let unreadable = count(|end, _| end.is_none());
    let lapsed = count(|end, now| end.is_some_and(|end| end <= now));
    let soon = count(|end, now| end.is_some_and(|end| end > now && end <= now + SOON));
    let publish = "run `beltic publish` and copy the site to your server";
    for (count, severity, code, what) in [
        (unreadable, Severity::Error, "list_unreadable", "cannot be read"),
        (lapsed, Severity::Error, "list_lapsed", "have expired; verifiers reject the credentials on them"),
        (soon, Severity::Warning, "list_lapses_soon", "expire within a day"),
    ] {
        if count > 0 {
            let message = format!("{count} of {} status lists of {} {what}", files.len(), site.display());
            found.push(Finding { severity, code, message, hint: Some(publish.to_owned()) });
        }
    }
    let first = ends.iter().flatten().min().and_then(|end| UnixTime::from_seconds(*end));
    if let (0, Some(first)) = (unreadable + lapsed + soon, first) {
        found.push(ok("site", format!("{} status lists, valid until {first} or longer", files.len())));
    }
}

/// The `exp` of a signed list. Nothing is verified: `verify` does that.
fn end_of(file: &Path) -> Option<i64> {
    let bytes = files::read_limited(file, MAX_LIST_TOKEN_BYTES).ok()?;
    let text = std::str::from_utf8(&bytes).ok()?.trim();
    let compact = Compact::split_at_most(text, MAX_LIST_TOKEN_BYTES).ok()?;
    let (mut buffer, mut parser) = (Vec::new(), Parser::for_tokens());
    let payload = decode_text(compact.payload, Part::Payload, &mut buffer).ok()?;
    let payload = parse_object(payload, Part::Payload, &mut parser).ok()?;
    payload.root().member("exp")?.text().parse().ok()
}

impl Finding {
    fn hint(self, hint: impl Into<String>) -> Finding {
        Finding { hint: Some(hint.into()), ..self }
    }
}

fn finding(severity: Severity, code: &'static str, message: impl Into<String>) -> Finding {
    Finding { severity, code, message: message.into(), hint: None }
}

fn ok(code: &'static str, message: impl Into<String>) -> Finding {
    finding(Severity::Ok, code, message)
}

fn warning(code: &'static str, message: impl Into<String>) -> Finding {
    finding(Severity::Warning, code, message)
}

fn error(code: &'static str, message: impl Into<String>) -> Finding {
    finding(Severity::Error, code, message)
}

/// What would end another command, as a finding.
fn failed(code: &'static str, failure: &Failure) -> Finding {
    Finding { severity: Severity::Error, code, message: failure.whole_message(), hint: failure.first_hint() }
}
