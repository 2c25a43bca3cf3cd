//! The pages: the README, everything in `docs/`, and the other texts for people, with what stands where in them.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::{LazyLock, Mutex};

/// A Markdown file.
pub(crate) struct Page {
    /// From the root of the repository, such as `docs/tour.md`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The README and every page of `docs/`: what users read.
pub(crate) static PAGES: LazyLock<Vec<Page>> = LazyLock::new(|| {
    let mut paths = vec!["README.md".to_owned()];
    paths.extend(markdown_in("docs"));
    paths.into_iter().map(Page::read).collect()
});

/// The other texts: for those who work on the code, report problems, or read what changed.
pub(crate) static OTHER_TEXTS: LazyLock<Vec<Page>> = LazyLock::new(|| {
    let paths = [
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "benches/README.md",
        "examples/README.md",
        "fuzz/README.md",
        "src/README.md",
    ];
    paths.into_iter().map(|path| Page::read(path.to_owned())).collect()
});

fn markdown_in(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut paths: Vec<String> =
        names.filter(|name| name.ends_with(".md")).map(|name| format!("{folder}/{name}")).collect();
    paths.sort();
    paths
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn readme() -> &'static Page {
    &PAGES[0]
}

/// The page of `docs/` with this name.
pub(crate) fn page(name: &str) -> &'static Page {
    let path = format!("docs/{name}.md");
    PAGES.iter().find(|page| page.path == path).expect(&path)
}

/// What stands between two comments, and the one page that has them.
pub(crate) fn block(name: &str) -> (&'static Page, Range<usize>) {
    let comment = format!("<!-- {name} -->\n");
    let mut found = PAGES.iter().filter_map(|page| Some((page, page.text.find(&comment)? + comment.len())));
    let (page, begin) = found.next().unwrap_or_else(|| panic!("no page has a block {name}"));
    assert!(found.next().is_none(), "several pages have a block {name}");
    let end = page.text[begin..].find(&format!("<!-- /{name} -->")).expect(name);
    (page, begin..begin + end)
}

/// Puts other text into a place of a page, if `BELTIC_WRITE_DOCS` asks for that.
pub(crate) fn rewrite(page: &Page, place: Range<usize>, text: &str) {
    // Of all tests. Places are those in the text as it was read.
    static CHANGES: Mutex<Vec<(String, Range<usize>, String)>> = Mutex::new(Vec::new());
    if std::env::var_os("BELTIC_WRITE_DOCS").is_none() {
        return;
    }
    let mut changes = CHANGES.lock().unwrap();
    changes.push((page.path.clone(), place, text.to_owned()));
    let mut here: Vec<_> = changes.iter().filter(|(path, ..)| *path == page.path).collect();
    here.sort_by_key(|(_, place, _)| std::cmp::Reverse(place.start));
    let mut written = page.text.clone();
    for (_, place, text) in here {
        written.replace_range(place.clone(), text);
    }
    fs::write(root().join(&page.path), written).unwrap();
}

/// The cells of the table between two comments, row by row, without its head.
pub(crate) fn rows_of_block(name: &str) -> Vec<Vec<&'static str>> {
    let cells = |row: &'static str| row.trim_matches('|').split('|').map(str::trim).collect();
    let (page, place) = block(name);
    page.text[place].trim_end().lines().skip(2).map(cells).collect()
}

/// What stands in the backticks that come first in a cell.
pub(crate) fn code(cell: &str) -> Option<&str> {
    cell.split('`').nth(1)
}

impl Page {
    fn read(path: String) -> Page {
        let text = fs::read_to_string(root().join(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        Page { path, text }
    }

    /// The section under a heading, up to the next one of its rank.
    pub(crate) fn section(&self, heading: &str) -> &str {
        let (_, rest) = self.text.split_once(&format!("\n{heading}\n")).expect(heading);
        let rank = heading.split(' ').next().unwrap();
        rest.split_once(&format!("\n{rank} ")).map_or(rest, |(section, _)| section)
    }

    /// The first fenced block of a language under a heading.
    pub(crate) fn block_under(&self, heading: &str, language: &str) -> &str {
        let (_, rest) = self.section(heading).split_once(&format!("```{language}\n")).expect(heading);
        rest.split_once("```").unwrap().0
    }

    /// The fenced blocks of one language.
    pub(crate) fn blocks(&self, language: &str) -> Vec<&str> {
        let fence = format!("```{language}\n");
        self.text.split(&fence).skip(1).map(|rest| rest.split_once("```").unwrap().0).collect()
    }

    /// The rows of the first table that follows a heading: what stands in backticks first in each cell.
    pub(crate) fn table_under(&self, heading: &str) -> Vec<Vec<&str>> {
        let (_, section) = self.text.split_once(&format!("{heading}\n")).expect(heading);
        let rows = section.lines().skip_while(|line| !line.starts_with("| ---")).skip(1);
        rows.take_while(|line| line.starts_with('|'))
            .map(|row| row.trim_matches('|').split('|').map(|cell| code(cell).unwrap_or_default()).collect())
            .collect()
    }

    /// The lines outside fenced blocks, numbered from 1.
    pub(crate) fn prose(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut fenced = false;
        self.text.lines().enumerate().filter_map(move |(at, line)| {
            let is_fence = line.trim_start().starts_with("```");
            fenced ^= is_fence;
            (!fenced && !is_fence).then_some((at + 1, line))
        })
    }
}
