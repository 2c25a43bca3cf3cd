//! `beltic` alone: what there is, in groups, on one screen.

use clap::Command;

/// A group of commands: its name, and for each line the commands and, where there are several, what they do.
type Group = (&'static str, &'static [(&'static [&'static str], &'static str)]);

/// Every command, in the order in which a new user meets them. The empty text stands for the command's own.
const GROUPS: [Group; 5] = [
    (
        "Set up",
        &[
            (&["init"], "Set up a project: issuer, key, settings"),
            (&["keygen"], ""),
            (&["doctor"], "Show the settings, and what is wrong"),
        ],
    ),
    (
        "Issue",
        &[
            (&["batch-issue", "sync"], "Issue a file; keep a register up to date"),
            (&["template"], ""),
            (&["types", "schema"], "Show credential types; print a schema"),
        ],
    ),
    (
        "Keep",
        &[
            (&["list", "show"], "Find credentials; show one's history"),
            (&["revoke", "suspend", "reinstate"], "Change the status of credentials"),
            (&["publish", "deliver"], "Write the site, and folders to hand over"),
            (&["ledger"], ""),
        ],
    ),
    (
        "Receive",
        &[
            (&["verify"], ""),
            (&["inspect"], "Decode a token, list or key for reading"),
            (&["present"], "Choose what an SD-JWT discloses"),
        ],
    ),
    (
        "More",
        &[
            (&["bench", "completions"], "Measure this machine; set up your shell"),
            (&["help"], "Explain a command or a topic"),
        ],
    ),
];

/// The text of the overview, without an end of line after its last line.
pub(super) fn overview(program: &Command) -> String {
    let about = program.get_about().map(ToString::to_string).unwrap_or_default();
    let mut text = format!("{about}\n\nUsage: beltic <COMMAND> [OPTIONS]\n\n");
    let names = |names: &[&str]| names.join(", ");
    let width = GROUPS.iter().flat_map(|(_, lines)| *lines).map(|(of, _)| names(of).len()).max().unwrap_or(0);
    for (group, lines) in GROUPS {
        for (number, (of, what)) in lines.iter().enumerate() {
            let group = if number == 0 { group } else { "" };
            let what = if what.is_empty() { about_of(program, of[0]) } else { (*what).to_owned() };
            text.push_str(&format!("{group:<9}{:<width$}  {what}\n", names(of)));
        }
    }
    text.push_str(
        "\nStart with `beltic init`, fill in `beltic template csv > items.csv`,\nand run `beltic batch-issue \
         items.csv`. `beltic COMMAND -h` explains a command.\n",
    );
    text
}

fn about_of(program: &Command, name: &str) -> String {
    let command = program.find_subcommand(name);
    command.and_then(Command::get_about).map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_command_is_in_one_group() {
        let listed: Vec<&str> =
            GROUPS.iter().flat_map(|(_, lines)| *lines).flat_map(|(of, _)| of.iter().copied()).collect();
        let program = crate::cli::command();
        let commands: BTreeSet<&str> = program.get_subcommands().map(Command::get_name).collect();
        assert_eq!(listed.len(), commands.len());
        assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), commands);
    }
}
