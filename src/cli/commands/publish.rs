//! `beltic publish`: resolve, build the site, write what has changed.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::settings::Settings;
use crate::cli::shared_args::{Common, IssuerArgs, KeyArgs, LedgerArg, credential_type};
use crate::cli::streams::{self, grouped};
use crate::clock::system_now;
use crate::credential::TypeSettings;
use crate::credential::sd_jwt::type_metadata;
use crate::issuer::{Issuer, certified};
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
  beltic publish --out sites --all           each issuer in a folder of its name
")]
pub(crate) struct PublishArgs {
    /// Directory of the site, the root of the issuer's host; only changed files are written
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
    /// Publish every issuer of `issuers` in the settings, each to a folder of its name in --out
    #[arg(long, conflicts_with_all = ["issuer", "x5c", "vct", "key", "signer_command", "public_key"])]
    pub all: bool,
    /// Write nothing; report what is missing, outdated or about to expire
    #[arg(long)]
    pub check: bool,
    /// Also compare revocations with this earlier site
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub previous: Option<PathBuf>,
    /// Publish this version's schema of a built-in type as a new version, for new credentials
    #[arg(long, value_name = "TYPE", value_parser = credential_type(), conflicts_with = "check")]
    pub new_type_version: Vec<String>,
    /// Publish even if a restored ledger lost revocations; published revocations stay in effect
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
    if args.all {
        return publish_all(common, args);
    }
    let settings = Settings::load_for(common, &args.issuer.issuer)?;
    let folders = Folders {
        out: args.out.clone(),
        previous: args.previous.clone(),
        shown: PathBuf::new(),
        command: format!("beltic publish --out {}", args.out.display()),
    };
    publish(common, args, &settings, &folders)
}

/// Where one issuer's site is, and where it was before.
struct Folders {
    out: PathBuf,
    previous: Option<PathBuf>,
    /// What the names of files begin with where they are printed.
    shown: PathBuf,
    /// What is typed to write it.
    command: String,
}

/// Publishes each issuer. What goes wrong with one does not keep the others from being published.
fn publish_all(common: &Common, args: &PublishArgs) -> Result<ExitStatus, Failure> {
    let (mut ended, mut failures) = (ExitStatus::Done, Vec::new());
    for name in Settings::load(common)?.names_of_issuers()? {
        let folders = Folders {
            out: args.out.join(&name),
            previous: args.previous.as_ref().map(|previous| previous.join(&name)),
            shown: PathBuf::from(&name),
            command: format!("beltic publish --all --out {}", args.out.display()),
        };
        let settings = Settings::load_for(common, &Some(name.clone()));
        match settings.and_then(|settings| publish(common, args, &settings, &folders)) {
            Ok(ExitStatus::Done) => {}
            Ok(status) => ended = status,
            Err(failure) => failures.push(failure.of(&format!("the issuer {name}"))),
        }
    }
    Failure::of_all(failures).map(|()| ended)
}

/// Publishes the issuer of these settings.
fn publish(
    common: &Common,
    args: &PublishArgs,
    settings: &Settings,
    folders: &Folders,
) -> Result<ExitStatus, Failure> {
    let key = settings.open_key(&args.key)?.key;
    let issuer = settings.issuer(&args.issuer.issuer, key.public())?;
    let base_url = settings.status_base(&issuer)?;
    let lists = folders.out.join(folder_of_lists(&issuer, base_url.as_deref())?);
    renew_schemas(settings, args, &issuer)?;
    let ledger = open_if_any(settings, args, &lists)?;
    let types = used_types(settings, &issuer, ledger.as_ref())?;
    let of_types = types.all().iter().map(|known| settings.of_type(known, types, &args.issuer.vct, &issuer));
    let of_types: Vec<TypeSettings> = of_types.collect::<Result<_, _>>()?;
    let schemas = match &ledger {
        Some(ledger) => schemas(ledger, &issuer, &of_types)?,
        None => Vec::new(),
    };
    let type_metadata = of_types.iter().map(|of_type| published_type(settings, of_type));
    let plan = SitePlan {
        issuer: &issuer,
        key: &*key,
        other_keys: settings.other_keys()?,
        base_url,
        context: settings.context()?,
        types,
        type_metadata: type_metadata.collect::<Result<_, _>>()?,
        schemas,
        did_methods: settings.did_methods(),
        x5c: settings.certificates(&args.issuer.x5c, key.public())?,
        validity: settings.list_validity(system_now())?,
        previous: previous_site(folders)?,
        ledger_was_restored: ledger.as_ref().map_or(Ok(false), was_restored)?,
        accept_lost_revocations: args.accept_lost_revocations,
    };
    let directory = match args.check {
        true => Directory::to_read(&folders.out),
        false => Directory::to_write(&folders.out)?,
    };
    let site = Site::build(&plan, ledger.as_ref(), &directory)?;
    if !common.quiet {
        let doubts = plan.x5c.iter().flat_map(|chain| certified::doubts(chain, issuer.id(), system_now()));
        doubts.for_each(|doubt| streams::say(&format!("warning: {doubt}")));
        site.notices.iter().for_each(|notice| streams::say(&format!("warning: {notice}")));
    }
    match args.check {
        true => check(&site, &directory, folders, common.quiet),
        false => write(&site, &directory, folders, common.quiet),
    }
}

/// Makes new versions of schemas, where they are asked for.
fn renew_schemas(settings: &Settings, args: &PublishArgs, issuer: &Issuer) -> Result<(), Failure> {
    if args.new_type_version.is_empty() {
        return Ok(());
    }
    let types = settings.types(None)?;
    let known = args.new_type_version.iter().map(|name| settings.type_shown(name));
    let known = known.collect::<Result<Vec<_>, _>>()?;
    if let Some(own) = known.iter().find(|known| known.from_file.is_some()) {
        let message = format!("{} is a type of your own, which gets a new version with its `vct`", own.name);
        return Err(Failure::usage(message));
    }
    let mut ledger = super::open_ledger(settings, &args.ledger, false)?;
    for known in known {
        let name = known.name;
        let vct = settings.of_type(known, types, &args.issuer.vct, issuer)?.vct;
        let said = match credential_schema::renew(&mut ledger, issuer, &(known, vct))? {
            Some(CitedSchema { version, .. }) => {
                format!("new credentials of the type {name} now use version {version} of its schema")
            }
            None => {
                format!("the schema of the type {name} has not changed since it was published")
            }
        };
        streams::say(&said);
    }
    Ok(())
}

/// The schemas that credentials of these types cite, with their URLs.
fn schemas(
    ledger: &Ledger,
    issuer: &Issuer,
    of_types: &[TypeSettings],
) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let types: Vec<_> =
        of_types.iter().map(|of_type| (of_type.credential_type, of_type.vct.clone())).collect();
    credential_schema::check(ledger, issuer, &types)?;
    let is_used = |schema: &CitedSchema| types.iter().any(|(known, _)| known.name == schema.credential_type);
    let used = ledger.schemas_of(issuer.id())?.into_iter().filter(is_used);
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
fn published_type(settings: &Settings, of_type: &TypeSettings) -> Result<PublishedType, Failure> {
    let TypeSettings { credential_type, vct, disclosure, .. } = of_type;
    let configured = settings.type_metadata(credential_type, vct, disclosure)?;
    let stays = match configured {
        Some(_) => Stays::Hashed,
        None if credential_type.from_file.is_some() => Stays::OwnType,
        None => Stays::No,
    };
    let document = match configured {
        Some(document) => document.into_bytes(),
        None => super::schema::text(&type_metadata(credential_type, vct, disclosure)),
    };
    Ok(PublishedType { vct: vct.clone(), document, stays })
}

/// The site with which lists are compared, which must be there.
fn previous_site(folders: &Folders) -> Result<Option<PathBuf>, Failure> {
    match &folders.previous {
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
    match settings.ledger_address(&args.ledger.ledger)? {
        Some(address) if address.file().is_none_or(Path::exists) => {
            let ledger = super::open_ledger(settings, &args.ledger, true)?;
            ledger.must_be_in_use()?;
            Ok(Some(ledger))
        }
        Some(address) if settings.ledger_is_named(&args.ledger.ledger) || lists.exists() => {
            Err(Failure::no_ledger(&address))
        }
        _ => Ok(None),
    }
}

fn write(site: &Site, directory: &Directory, folders: &Folders, quiet: bool) -> Result<ExitStatus, Failure> {
    let differences = site.differences(directory)?;
    let mut told = String::new();
    for file in &differences {
        directory.write(file)?;
        let done = match file.difference {
            SiteDifference::Missing => "new      ",
            SiteDifference::Outdated => "changed  ",
            SiteDifference::Lapsing => "renewed  ",
        };
        told.push_str(&format!("{done} {}\n", folders.shown.join(file.path.relative()).display()));
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

fn check(site: &Site, directory: &Directory, folders: &Folders, quiet: bool) -> Result<ExitStatus, Failure> {
    let differences = site.differences(directory)?;
    let mut told = String::new();
    for file in &differences {
        let found = match file.difference {
            SiteDifference::Missing => "missing  ",
            SiteDifference::Outdated => "outdated ",
            SiteDifference::Lapsing => "lapsing  ",
        };
        told.push_str(&format!("{found} {}\n", folders.shown.join(file.path.relative()).display()));
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
            streams::say(&format!("{what}: {}", folders.command));
            Ok(ExitStatus::SomeFailed)
        }
    }
}

/// How many files the site has, and their bytes.
fn size(site: &Site) -> (u64, u64) {
    site.files.iter().fold((0, 0), |(files, total), (_, _, bytes)| (files + 1, total + bytes.len() as u64))
}
