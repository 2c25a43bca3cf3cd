//! Links lead somewhere, the table of contents is complete, and the README is short.

use std::collections::{BTreeSet, HashMap};
use std::path::{Component, Path};

use super::pages::{OTHER_TEXTS, PAGES, Page, page, readme, root};

#[test]
fn the_readme_can_be_read_in_a_minute() {
    let lines = readme().text.lines().count();
    assert!(lines <= 180, "the README has {lines} lines; what is about one thing has its page in docs/");
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut dead = Vec::new();
    let mut checked = 0;
    for page in PAGES.iter().chain(OTHER_TEXTS.iter()) {
        for (line, target) in links(page) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            checked += 1;
            if let Err(why) = follow(page, target) {
                dead.push(format!("{}:{line}: {target}: {why}", page.path));
            }
        }
    }
    assert!(dead.is_empty(), "{}", dead.join("\n"));
    assert!(checked > 120, "{checked} links");
}

/// Where the links on a page lead, with the lines that they are on.
fn links(page: &Page) -> Vec<(usize, &str)> {
    let prose = page.prose();
    prose
        .flat_map(|(at, line)| {
            line.split("](").skip(1).filter_map(move |rest| Some((at, rest.split_once(')')?.0)))
        })
        .collect()
}

fn follow(page: &Page, target: &str) -> Result<(), String> {
    let (path, anchor) = match target.split_once('#') {
        Some((path, anchor)) => (path, Some(anchor)),
        None => (target, None),
    };
    let path = match path {
        "" => page.path.clone(),
        path => joined(&page.path, path).ok_or("outside of the repository")?,
    };
    if !root().join(&path).exists() {
        return Err("there is no such file".to_owned());
    }
    let Some(anchor) = anchor else { return Ok(()) };
    let all = PAGES.iter().chain(OTHER_TEXTS.iter());
    let target = all.into_iter().find(|page| page.path == path).ok_or("no page with headings")?;
    match anchors(target).contains(anchor) {
        true => Ok(()),
        false => Err("there is no such heading".to_owned()),
    }
}

/// A path as a link on a page means it, from the root of the repository.
fn joined(page: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in Path::new(link).components() {
        match part {
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::Normal(name) => parts.push(name.to_str()?),
            Component::CurDir => {}
            _ => return None,
        }
    }
    Some(parts.join("/"))
}

/// The anchors of a page's headings, as GitHub and mdBook make them.
fn anchors(page: &Page) -> BTreeSet<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let headings = page.prose().filter(|(_, line)| line.starts_with('#'));
    headings
        .map(|(_, line)| {
            let heading = line.trim_start_matches('#').trim().to_lowercase();
            let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            let anchor = kept.collect::<String>().replace(' ', "-");
            let times = seen.entry(anchor.clone()).and_modify(|times| *times += 1).or_default();
            if *times == 0 { anchor } else { format!("{anchor}-{times}") }
        })
        .collect()
}

#[test]
fn every_page_is_in_the_summary_once() {
    let summary = page("SUMMARY");
    let listed: Vec<String> =
        links(summary).into_iter().map(|(_, target)| format!("docs/{target}")).collect();
    assert_eq!(listed[0], "docs/README.md", "the book opens with the introduction");
    for page in PAGES.iter().filter(|page| page.path.starts_with("docs/") && page.path != "docs/SUMMARY.md") {
        let times = listed.iter().filter(|path| **path == page.path).count();
        assert_eq!(times, 1, "{} is in docs/SUMMARY.md {times} times", page.path);
    }
}

/// mdBook shows the title of the summary, everything else the page's own.
#[test]
fn pages_begin_with_their_title_and_have_short_names() {
    for page in PAGES.iter() {
        assert!(page.text.starts_with("# "), "{} has no title", page.path);
        let titles = page.prose().filter(|(_, line)| line.starts_with("# ")).count();
        assert!(titles == 1 || page.path == "docs/SUMMARY.md", "{} has {titles} titles", page.path);
        let name = page.path.rsplit('/').next().unwrap().trim_end_matches(".md");
        let is_plain = |c: char| c.is_ascii_lowercase() || c == '-';
        assert!(matches!(name, "README" | "SUMMARY") || name.chars().all(is_plain), "{}", page.path);
    }
}
