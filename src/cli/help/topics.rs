//! The topics of `beltic help TOPIC`: reference pages of `docs/`, which tests compare with the program.

use super::page::Page;

/// A topic.
#[derive(Debug)]
pub(crate) struct Topic {
    /// What is typed.
    pub(crate) name: &'static str,
    /// What it is about, in a few words.
    pub(crate) about: &'static str,
    /// The page that it stands in, as Markdown.
    markdown: &'static str,
    /// The heading of its part of the page, where it is not the whole one.
    section: Option<&'static str>,
}

impl Topic {
    /// The page, read.
    pub(crate) fn page(&self) -> Page {
        let page = Page::of(self.markdown);
        match self.section {
            Some(heading) => page.section(heading),
            None => page,
        }
    }
}

/// A topic that is a whole page.
const fn page(name: &'static str, about: &'static str, markdown: &'static str) -> Topic {
    Topic { name, about, markdown, section: None }
}

/// A topic that is a part of the page on errors.
const fn of_errors(name: &'static str, about: &'static str, section: &'static str) -> Topic {
    Topic { name, about, markdown: include_str!("../../../docs/errors.md"), section: Some(section) }
}

/// The topics, in the order in which they are listed.
pub(crate) const TOPICS: [Topic; 8] = [
    page("fields", "the fields of an item, and their rules", include_str!("../../../docs/fields.md")),
    page("columns", "the columns of a CSV file", include_str!("../../../docs/columns.md")),
    page("types", "the credential types that come with the program", include_str!("../../../docs/types.md")),
    page(
        "settings",
        "flags, environment variables and .beltic.yaml",
        include_str!("../../../docs/settings.md"),
    ),
    page("register", "what sync does, and what protects you", include_str!("../../../docs/register.md")),
    of_errors("exit-codes", "what the exit codes mean, and what to do", "Exit codes"),
    of_errors("errors", "the error codes of items, and what to do", "Error codes of items"),
    page(
        "offline",
        "what the program reads, writes and never does",
        include_str!("../../../docs/offline.md"),
    ),
];

/// The topic of this name.
pub(crate) fn topic(name: &str) -> Option<&'static Topic> {
    TOPICS.iter().find(|topic| topic.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_has_a_page_that_fits_80_columns_but_for_long_words() {
        for topic in &TOPICS {
            let text = topic.page().to_text(80);
            assert!(text.lines().count() > 5, "{}: {text}", topic.name);
            let long = text.lines().find(|line| {
                line.chars().count() > 80 && line.split_whitespace().all(|word| word.chars().count() < 40)
            });
            assert!(long.is_none() || text.contains("    "), "{}: {long:?}", topic.name);
        }
    }
}
