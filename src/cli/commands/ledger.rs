//! `beltic ledger check`.

use super::super::args::{Common, LedgerAction, LedgerArgs};
use super::super::exit::ExitStatus;
use super::super::failure::{DAMAGED_LEDGER, Failure};
use super::super::settings::Settings;
use super::super::streams::grouped;
use crate::ledger::Examination;

pub(super) fn run(common: &Common, args: &LedgerArgs) -> Result<ExitStatus, Failure> {
    let LedgerAction::Check { ledger } = &args.action;
    let path = Settings::load(common)?
        .ledger_path(ledger)?
        .ok_or_else(|| Failure::usage("there is no ledger to check: the settings say `none`"))?;
    if !path.exists() {
        return Err(Failure::no_ledger(&path));
    }
    let found = Examination::of(&path)?;
    if !found.problems.is_empty() {
        let message = format!("the ledger {} is damaged: {}", path.display(), found.problems.join("; "));
        return Err(Failure::said(ExitStatus::Files, message).hint(DAMAGED_LEDGER));
    }
    let counted =
        |count: u64, noun: &str| format!("{} {noun}{}", grouped(count), if count == 1 { "" } else { "s" });
    super::print(
        format!(
            "{} is sound: {}, {}, {}\n",
            path.display(),
            counted(found.credentials, "credential"),
            counted(found.lists, "status list"),
            counted(found.runs, "run")
        )
        .as_bytes(),
    )
}
