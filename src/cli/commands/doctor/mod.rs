//! `beltic doctor`: the settings in force, and what is wrong with them.
//!
//! It only reads: no file is written, no lock is taken, and no passphrase is asked for. A key elsewhere signs a test
//! message. Each part is looked at whatever
//! is wrong with the others, so one run shows everything. What is wrong is a finding, never the end of the command.

mod checks;

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use crate::cli::exit::ExitStatus;
use crate::cli::failure::Failure;
use crate::cli::kept::Kept;
use crate::cli::output::{self, Output, Purpose};
use crate::cli::project::Origin;
use crate::cli::settings::{InForce, Settings, counted_words};
use crate::cli::shared_args::{Common, IssuerArgs, KeyArgs, LedgerArg, OutputArgs};
use crate::cli::streams::{paint, printable};
use crate::json;

/// What `doctor` takes.
#[derive(Debug, Args)]
#[command(
    before_help = "Examples:
  beltic doctor
  beltic doctor --site public
  beltic doctor --output-format ndjson
",
    after_help = "Exit code 3: there are warnings or errors.\n"
)]
pub(crate) struct DoctorArgs {
    /// Look at the status lists of this site, which `publish` wrote
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub site: Option<PathBuf>,
    /// The key that signs.
    #[command(flatten)]
    pub key: KeyArgs,
    /// Who issues.
    #[command(flatten)]
    pub issuer: IssuerArgs,
    /// Where credentials are recorded.
    #[command(flatten, next_help_heading = "Issuer")]
    pub ledger: LedgerArg,
    /// The form of the output [default: by the file's extension, else text on a terminal, ndjson in a pipe]
    #[arg(long, value_name = "FORMAT", value_enum, help_heading = "Output")]
    pub output_format: Option<DoctorFormat>,
    /// Where the output goes.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// The forms of `doctor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DoctorFormat {
    /// For people
    Text,
    /// One setting or finding a line, as JSON
    #[value(alias = "json")]
    Ndjson,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Severity {
    Ok,
    Warning,
    Error,
}

impl Severity {
    fn as_str(self) -> &'static str {
        match self {
            Severity::Ok => "ok",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }

    /// The colour, by its SGR parameters.
    fn style(self) -> &'static str {
        match self {
            Severity::Ok => "32",
            Severity::Warning => "33",
            Severity::Error => "1;31",
        }
    }
}

/// Something that was found.
#[derive(Debug)]
struct Finding {
    severity: Severity,
    /// What programs look at.
    code: &'static str,
    message: String,
    hint: Option<String>,
}

pub(super) fn run(common: &Common, args: &DoctorArgs) -> Result<ExitStatus, Failure> {
    let (settings, unnamed) = match Settings::load_for(common, &args.issuer.issuer) {
        Ok(settings) => (settings, None),
        Err(failure) => (Settings::load(common)?, Some(failure)),
    };
    let form = output::form(args.output_format, &args.output, DoctorFormat::Text, DoctorFormat::Ndjson)?;
    let output = Output::open(&args.output, Purpose::Read, Kept::default().and_settings(&settings))?;
    let in_force = settings.in_force(&given(common, args));
    let findings = checks::all(&settings, args, unnamed.as_ref());
    let worst = findings.iter().map(|finding| finding.severity).max().unwrap_or(Severity::Ok);
    let text = match form {
        DoctorFormat::Text => {
            for_people(&in_force, &findings, output::takes_color(&args.output, common.color))
        }
        DoctorFormat::Ndjson => for_programs(&in_force, &findings),
    };
    output.print_all(text.as_bytes())?;
    match worst {
        Severity::Ok => Ok(ExitStatus::Done),
        _ => Ok(ExitStatus::SomeFailed),
    }
}

/// What flags, or the variables that stand for them, say.
fn given(common: &Common, args: &DoctorArgs) -> [(&'static str, Option<String>, Origin); 8] {
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    let origin = |flag, variable| Origin::typed(flag, Some(variable));
    [
        ("key", path(&args.key.key), origin("--key", "BELTIC_KEY")),
        (
            "signer.command",
            args.key.signer_command.as_deref().map(counted_words),
            origin("--signer-command", "BELTIC_SIGNER_COMMAND"),
        ),
        ("signer.public_key", path(&args.key.public_key), origin("--public-key", "BELTIC_PUBLIC_KEY")),
        ("ledger", path(&args.ledger.ledger), origin("--ledger", "BELTIC_LEDGER")),
        ("issuer.did", args.issuer.issuer.clone(), origin("--issuer", "BELTIC_ISSUER")),
        ("issuer.x5c", path(&args.issuer.x5c), origin("--x5c", "BELTIC_X5C")),
        ("credential.vct", args.issuer.vct.clone(), origin("--vct", "BELTIC_VCT")),
        ("types", path(&common.types), origin("--types", "BELTIC_TYPES")),
    ]
}

fn for_people(in_force: &[InForce], findings: &[Finding], color: bool) -> String {
    let mut text = "Settings\n".to_owned();
    for InForce { key, value, origin } in in_force {
        let (value, origin) = (printable(value), printable(origin));
        let _ = writeln!(text, "  {key:<24} {value:<38} {origin}");
    }
    text.push_str("\nFindings\n");
    for Finding { severity, message, hint, .. } in findings {
        let word = paint(&format!("{:<7}", severity.as_str()), severity.style(), color);
        let _ = writeln!(text, "  {word}  {}", printable(message));
        if let Some(hint) = hint {
            let _ = writeln!(text, "           {} {}", paint("hint:", "1;36", color), printable(hint));
        }
    }
    text
}

fn for_programs(in_force: &[InForce], findings: &[Finding]) -> String {
    let mut text = String::new();
    for InForce { key, value, origin } in in_force {
        let (value, origin) = (json::string(value), json::string(origin));
        let _ = writeln!(text, r#"{{"setting":"{key}","value":{value},"origin":{origin}}}"#);
    }
    for Finding { severity, code, message, hint } in findings {
        let hint = hint.as_ref().map(|hint| format!(r#","hint":{}"#, json::string(hint))).unwrap_or_default();
        let (severity, message) = (severity.as_str(), json::string(message));
        let _ = writeln!(text, r#"{{"severity":"{severity}","code":"{code}","message":{message}{hint}}}"#);
    }
    text
}
