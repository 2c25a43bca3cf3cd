//! `beltic publish`: resolve, build the site, write what has changed.

use super::super::args::{Common, PublishArgs};
use super::super::exit::ExitStatus;
use super::super::failure::Failure;
use super::super::settings::{self, Settings};
use super::super::streams::{self, grouped};
use crate::clock::system_now;
use crate::credential::sd_jwt::type_metadata;
use crate::ledger::Ledger;
use crate::publish::{Difference, Plan, Site};

pub(super) fn run(common: &Common, args: &PublishArgs) -> Result<ExitStatus, Failure> {
    let settings = Settings::load(common)?;
    let key_path = settings.key_path(&args.key);
    let key = settings::load_key(&key_path, args.passphrase_file.as_deref(), common.quiet)?;
    let issuer = settings.issuer(&args.issuer, key.public())?;
    let vct = settings.vct(&args.vct)?.unwrap_or_else(|| issuer.default_vct());
    let plan = Plan {
        issuer: &issuer,
        key: &key,
        other_keys: settings.other_keys()?,
        base_url: settings.status_base()?,
        context: settings.context()?,
        type_metadata: type_metadata_of(&settings, &vct)?,
        vct,
        validity: settings.list_validity(system_now())?,
    };
    let ledger = open_if_any(&settings, args, common.quiet)?;
    let site = Site::build(&plan, ledger.as_ref(), &args.out)?;
    if !common.quiet {
        site.notices.iter().for_each(|notice| streams::say(&format!("warning: {notice}")));
    }
    match args.check {
        true => check(&site, args, common.quiet),
        false => write(&site, args, common.quiet),
    }
}

/// The document that is configured, byte for byte; otherwise the one that follows from the policy.
fn type_metadata_of(settings: &Settings, vct: &str) -> Result<Vec<u8>, Failure> {
    let policy = settings.disclosure()?;
    match settings.type_metadata(vct, &policy)? {
        Some(document) => Ok(document.into_bytes()),
        None => Ok(super::schema::text(&type_metadata(vct, &policy))),
    }
}

/// The ledger; an issuer that has none yet, or wants none, has no lists.
fn open_if_any(settings: &Settings, args: &PublishArgs, quiet: bool) -> Result<Option<Ledger>, Failure> {
    match settings.ledger_path(&args.ledger) {
        Some(path) if path.exists() => {
            super::open_ledger(settings, &args.ledger, args.check, quiet).map(Some)
        }
        Some(path) if args.ledger.is_some() => Err(Failure::no_ledger(&path)),
        _ => Ok(None),
    }
}

fn write(site: &Site, args: &PublishArgs, quiet: bool) -> Result<ExitStatus, Failure> {
    let differences = site.differences(&args.out)?;
    let mut told = String::new();
    for (path, difference) in &differences {
        site.write(path, &args.out)?;
        let done = match difference {
            Difference::Missing => "new      ",
            Difference::Outdated => "changed  ",
            Difference::Lapsing => "renewed  ",
        };
        told.push_str(&format!("{done} {}\n", path.relative().display()));
    }
    if !quiet {
        super::print(told.as_bytes())?;
        let (files, bytes) = size(site);
        streams::say(&format!(
            "wrote {} of {} files, {} bytes in all",
            grouped(differences.len() as u64),
            grouped(files),
            grouped(bytes)
        ));
    }
    Ok(ExitStatus::Done)
}

fn check(site: &Site, args: &PublishArgs, quiet: bool) -> Result<ExitStatus, Failure> {
    let differences = site.differences(&args.out)?;
    let mut told = String::new();
    for (path, difference) in &differences {
        let found = match difference {
            Difference::Missing => "missing  ",
            Difference::Outdated => "outdated ",
            Difference::Lapsing => "lapsing  ",
        };
        told.push_str(&format!("{found} {}\n", path.relative().display()));
    }
    super::print(told.as_bytes())?;
    let (files, _) = size(site);
    match differences.len() as u64 {
        0 if quiet => Ok(ExitStatus::Done),
        0 => {
            streams::say(&format!("{} files are as they should be", grouped(files)));
            Ok(ExitStatus::Done)
        }
        wrong => {
            let what = format!("{} of {} files have to be published", grouped(wrong), grouped(files));
            streams::say(&format!("{what}: beltic publish --out {}", args.out.display()));
            Ok(ExitStatus::SomeFailed)
        }
    }
}

/// How many files the site has, and their bytes.
fn size(site: &Site) -> (u64, u64) {
    site.files.iter().fold((0, 0), |(files, total), (_, _, bytes)| (files + 1, total + bytes.len() as u64))
}
