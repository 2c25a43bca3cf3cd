//! `--annotations github`: a failed item as a workflow command of GitHub Actions, which shows it at its line.
//!
//! The commands go to standard error, which Actions reads as well, so that results on standard output stay clean.

use std::path::{Path, PathBuf};

use crate::batch::FailedItem;
use crate::cli::streams::{grouped, printable};

/// How many annotations are written. GitHub shows ten errors a step.
const SHOWN: u64 = 10;

/// Writes annotations.
pub(crate) struct Annotations {
    /// The input, relative to the repository, where all items are from one file.
    file: Option<String>,
    failed: u64,
}

impl Annotations {
    /// Annotations of items from these inputs. Which of several files an item is from is not known here, so that none is
    /// named then.
    pub(crate) fn of(inputs: &[PathBuf]) -> Annotations {
        let file = match inputs {
            [file] if file != Path::new("-") => Some(relative(file)),
            _ => None,
        };
        Annotations { file, failed: 0 }
    }

    /// The line for a failed item, where it is one of the first.
    pub(crate) fn line(&mut self, item: &FailedItem) -> Option<String> {
        self.failed += 1;
        (self.failed <= SHOWN).then(|| self.command(item))
    }

    /// What is said at the end of those that have no annotation.
    pub(crate) fn rest(&self) -> Option<String> {
        let more = self.failed.checked_sub(SHOWN).filter(|more| *more > 0)?;
        let items = if more == 1 { "item" } else { "items" };
        Some(format!("::notice title=beltic::{} more {items} failed; GitHub shows ten a step", grouped(more)))
    }

    fn command(&self, item: &FailedItem) -> String {
        let mut properties = Vec::new();
        if let Some(file) = &self.file {
            properties.push(format!("file={}", property(file)));
            properties.extend(item.line.map(|line| format!("line={line}")));
        }
        properties.push(format!("title={}", property(item.rejection.code.as_str())));
        let message = format!("item {}: {}", item.index, printable(&item.rejection.message));
        format!("::error {}::{}", properties.join(","), data(&message))
    }
}

/// The path as GitHub knows the file: from the root of the repository, with slashes.
fn relative(file: &Path) -> String {
    let workspace = std::env::var_os("GITHUB_WORKSPACE").map(PathBuf::from);
    let inside = workspace.and_then(|root| {
        let (root, file) = (root.canonicalize().ok()?, file.canonicalize().ok()?);
        file.strip_prefix(root).ok().map(Path::to_owned)
    });
    let path = inside.unwrap_or_else(|| file.to_owned());
    path.to_string_lossy().replace('\\', "/")
}

/// The escapes of GitHub's runner for the text of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Those for its properties.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Rejection;

    #[test]
    fn nothing_in_an_item_ends_a_command_or_begins_another() {
        let mut annotations = Annotations { file: Some("a,b:c\n.csv".to_owned()), failed: 0 };
        let item = |index| FailedItem {
            index,
            line: Some(7),
            correlation_id: None,
            rejection: Rejection::malformed("50%\n::error::x"),
        };
        assert_eq!(
            annotations.line(&item(0)).unwrap(),
            "::error file=a%2Cb%3Ac%0A.csv,line=7,title=malformed_request::item 0: 50%25\\n::error::x"
        );
        assert_eq!((1..100).filter_map(|index| annotations.line(&item(index))).count(), 9);
        assert!(annotations.rest().unwrap().contains("90 more items failed"));
    }
}
