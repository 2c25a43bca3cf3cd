//! `beltic publish`: resolve, build the site, write what has changed.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::settings::{self, Settings};
use crate::cli::shared_args::{Common, IssuerArgs, KeyArgs, LedgerArg, credential_type};
use crate::cli::streams::{self, grouped};
use crate::clock::system_now;
use crate::credential::TypeSettings;
use crate::credential::sd_jwt::type_metadata;
use crate::issuer::Issuer;
use crate::ledger::{CitedSchema, Ledger};
use crate::publish::credential_schema;
use crate::publish::{Directory, PublishedType, Site, SiteDifference, SitePlan, Stays, folder_of_lists};
use crate::types::{CredentialType, Types};

/// What `publish` takes.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  beltic publish --out site
  beltic publish --out site --issuer did:web:issuer.example
  beltic publish --out site --check   for cron: exit code 3 when work is due
  beltic publish --out new --previous site   after restoring the ledger
")]
pub(crate) struct PublishArgs {
    /// The site's directory, the root of the issuer's host; only what has changed is written
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
    /// Write nothing; say what is missing, outdated or about to lapse
    #[arg(long)]
    pub check: bool,
    /// Also compare revocations with this copy of a site published earlier
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub previous: Option<PathBuf>,
    /// Cite this program's own schema of a built-in type from now on, as a new version
    #[arg(long, value_name = "TYPE", value_parser = credential_type(), conflicts_with = "check")]
    pub new_type_version: Vec<String>,
    /// Publish although a restored ledger lost revocations; those already published stay revoked
    #[arg(long)]
    pub accept_lost_revocations: bool,

    /// The key that signs.
    #[command(flatten)]
    pub key: KeyArgs,
    /// Who issues.
    #[command(flatten)]
    pub issuer: IssuerArgs,
    /// Where credentials are recorded.
    #[command(flatten, next_help_heading = "Issuer")]
    pub ledger: LedgerArg,
}

pub(super) fn run(common: &Common, args: &PublishArgs) -> Result<ExitStatus, Failure> {
    let settings = Settings::load(common)?;
    let key_path = settings.key_path(&args.key.key)?;
    let key = settings::load_key(&key_path, args.key.passphrase_file.as_deref(), common.quiet)?;
    let issuer = settings.issuer(&args.issuer.issuer, key.public())?;
    let base_url = settings.status_base(&issuer)?;
    let lists = args.out.join(folder_of_lists(&issuer, base_url.as_deref())?);
    let ledger = open_if_any(&settings, args, &lists)?;
    let types = used_types(&settings, &issuer, ledger.as_ref())?;
    renew_schemas(&settings, args, &issuer)?;
    for known in types.all() {
        let vct = settings.of_type(known, types, &args.issuer.vct, &issuer)?.vct;
        ledger.as_ref().map_or(Ok(()), |ledger| credential_schema::check(ledger, &issuer, known, &vct))?;
    }
    let of_types =
        types.all().iter().map(|of_type| published_type(&settings, args, &issuer, (of_type, types)));
    let plan = SitePlan {
        issuer: &issuer,
        key: &key,
        other_keys: settings.other_keys()?,
        base_url,
        context: settings.context()?,
        types,
        type_metadata: of_types.collect::<Result<_, _>>()?,
        schemas: schemas(ledger.as_ref(), &issuer, types)?,
        x5c: settings.certificates(&args.issuer.x5c, key.public())?,
        validity: settings.list_validity(system_now())?,
        previous: previous_site(args)?,
        ledger_was_restored: ledger.as_ref().map_or(Ok(false), was_restored)?,
        accept_lost_revocations: args.accept_lost_revocations,
    };
    let directory = match args.check {
        true => Directory::to_read(&args.out),
        false => Directory::to_write(&args.out)?,
    };
    let site = Site::build(&plan, ledger.as_ref(), &directory)?;
    if !common.quiet {
        site.notices.iter().for_each(|notice| streams::say(&format!("warning: {notice}")));
    }
    match args.check {
        true => check(&site, &directory, args, common.quiet),
        false => write(&site, &directory, common.quiet),
    }
}

/// Makes new versions of schemas, where they are asked for.
fn renew_schemas(settings: &Settings, args: &PublishArgs, issuer: &Issuer) -> Result<(), Failure> {
    let types = settings.types(None)?;
    for name in &args.new_type_version {
        let known = settings.type_named(&Some(name.clone()))?.unwrap_or(types.default_type());
        if known.from_file.is_some() {
            return Err(Failure::usage(format!(
                "{name} is a type of your own, which gets a new version with its `vct`"
            )));
        }
        let vct = settings.of_type(known, types, &args.issuer.vct, issuer)?.vct;
        let mut ledger = super::open_ledger(settings, &args.ledger, false)?;
        let said = match credential_schema::renew(&mut ledger, issuer, known, &vct)? {
            Some(schema) => format!(
                "credentials of the type {name} cite version {} of its schema from now on",
                schema.version
            ),
            None => {
                format!("the schema of the type {name} that is cited says the same, or none is cited yet")
            }
        };
        streams::say(&said);
    }
    Ok(())
}

/// The schemas that credentials of these types cite, with their URLs.
fn schemas(
    ledger: Option<&Ledger>,
    issuer: &Issuer,
    types: Types,
) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let Some(ledger) = ledger else { return Ok(Vec::new()) };
    let kept = ledger.schemas_of(issuer.id())?.into_iter();
    let used = kept.filter(|schema| types.named(&schema.credential_type).is_some());
    let with_url = |schema: CitedSchema| Some((credential_schema::url_of(&schema, issuer)?, schema.document));
    Ok(used.filter_map(with_url).collect())
}

/// The types that are issued: the project's own, those of its files, and those of which the ledger has credentials.
fn used_types(settings: &Settings, issuer: &Issuer, ledger: Option<&Ledger>) -> Result<Types, Failure> {
    let types = settings.types(None)?;
    let issued = ledger.map(|ledger| ledger.types_of(issuer.id())).transpose()?.unwrap_or_default();
    let is_used = |known: &&CredentialType| {
        *known == types.default_type() || known.from_file.is_some() || issued.contains(known.name)
    };
    Ok(Types::new(types.all().iter().copied().filter(is_used).collect::<Vec<_>>().leak()))
}

/// The type metadata: what is configured, byte for byte; otherwise what follows from the policy.
fn published_type(
    settings: &Settings,
    args: &PublishArgs,
    issuer: &Issuer,
    (credential_type, types): (&'static CredentialType, Types),
) -> Result<PublishedType, Failure> {
    let TypeSettings { vct, disclosure, .. } =
        settings.of_type(credential_type, types, &args.issuer.vct, issuer)?;
    let configured = settings.type_metadata(credential_type, &vct, &disclosure)?;
    let stays = match configured {
        Some(_) => Stays::Hashed,
        None if credential_type.from_file.is_some() => Stays::OwnType,
        None => Stays::No,
    };
    let document = match configured {
        Some(document) => document.into_bytes(),
        None => super::schema::text(&type_metadata(credential_type, &vct, &disclosure)),
    };
    Ok(PublishedType { vct, document, stays })
}

/// The site with which lists are compared, which must be there.
fn previous_site(args: &PublishArgs) -> Result<Option<PathBuf>, Failure> {
    match &args.previous {
        Some(folder) if !folder.is_dir() => {
            Err(Failure::said(ExitStatus::Files, format!("{}: no such folder", folder.display())))
        }
        previous => Ok(previous.clone()),
    }
}

/// Whether the ledger was restored from a copy, as far as it could notice.
fn was_restored(ledger: &Ledger) -> Result<bool, Failure> {
    Ok(ledger.restored_at()?.is_some())
}

/// The ledger; an issuer that has none yet, or wants none, has no lists. One that was named must be
/// there, and so must one whose lists are published: without it they would lapse unseen.
fn open_if_any(settings: &Settings, args: &PublishArgs, lists: &Path) -> Result<Option<Ledger>, Failure> {
    match settings.ledger_path(&args.ledger.ledger)? {
        Some(path) if path.exists() => super::open_ledger(settings, &args.ledger, true).map(Some),
        Some(path) if settings.ledger_is_named(&args.ledger.ledger) || lists.exists() => {
            Err(Failure::no_ledger(&path))
        }
        _ => Ok(None),
    }
}

fn write(site: &Site, directory: &Directory, quiet: bool) -> Result<ExitStatus, Failure> {
    let differences = site.differences(directory)?;
    let mut told = String::new();
    for file in &differences {
        directory.write(file)?;
        let done = match file.difference {
            SiteDifference::Missing => "new      ",
            SiteDifference::Outdated => "changed  ",
            SiteDifference::Lapsing => "renewed  ",
        };
        told.push_str(&format!("{done} {}\n", file.path.relative().display()));
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

fn check(site: &Site, directory: &Directory, args: &PublishArgs, quiet: bool) -> Result<ExitStatus, Failure> {
    let differences = site.differences(directory)?;
    let mut told = String::new();
    for file in &differences {
        let found = match file.difference {
            SiteDifference::Missing => "missing  ",
            SiteDifference::Outdated => "outdated ",
            SiteDifference::Lapsing => "lapsing  ",
        };
        told.push_str(&format!("{found} {}\n", file.path.relative().display()));
    }
    super::print(told.as_bytes())?;
    let (files, _) = size(site);
    match differences.len() as u64 {
        0 if quiet => Ok(ExitStatus::Done),
        0 => {
            streams::say(&format!("{} files, all up to date", grouped(files)));
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
