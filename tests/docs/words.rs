//! The words of the pages: British spelling, and the common word of the trade in place of a literal translation.
//!
//! Code, and tables that are compared with the program, are the program's words and are not looked at.

use std::sync::LazyLock;

use regex::Regex;

use super::pages::{OTHER_TEXTS, PAGES, Page};

/// What is not written, as a regular expression, and what to write.
const WORDS: [(&str, &str); 35] = [
    (r"^(<{7}|>{7}) ", "resolve the conflict"),
    (r"(?i)\bmend(s|ed|ing)?\b", "fix"),
    (r"(?i)\bfor ever\b", "permanently"),
    (r"(?i)\bpass(es|ed|ing) over\b", "skip"),
    (r"(?i)\b(is|are) there already\b", "already exists"),
    (r"(?i)\bas (it|they) should be\b", "up to date"),
    (r"(?i)\blook(s|ed|ing)? (it|them|the \w+) over\b", "check"),
    (r"(?i)\b(writ(es|e|ten)|wrote) (over|anew)\b", "overwrite, rewrite"),
    (r"(?i)\bsigned anew\b", "signed again"),
    (r"(?i)\bliv(es?|ed) (for|until)\b", "is valid for, expires"),
    (r"(?i)\bis to live\b", "is valid"),
    (r"(?i)\b(sound|unsound) (one|item|row|request|credential)s?\b", "valid"),
    (r"(?i)\bnot sound\b", "invalid"),
    (r"(?i)\bcannot be had\b", "is not available"),
    (r"(?i)\bwhat (there )?is (not|missing)( for that)? \w+ \w+", "say it in the usual word order"),
    (r"(?i)\btells? of\b", "show, record"),
    (r"(?i)\bgiv(es?|en|ing) (it |them )?back\b", "return, copy"),
    (
        r"(?i)\b(it|that|this|which|what \w+) is no (array|number|token|credential|company|batch|file|key|list)\b",
        "is not a …",
    ),
    (r"(?i)\btypes? of one's own\b", "your own types"),
    (r"(?i)\bsome(body|one) else's own\b", "someone else's"),
    (r"(?i)\bhis or her\b", "their"),
    (r"(?i)\bone has to\b", "you must"),
    (r"(?i)\bso many\b", "that many, the number of"),
    (r"(?i)\bon request\b", "interrupted"),
    (r"(?i)\bsimply\b|\beasily\b|\bjust\b", "leave it out"),
    (r"(?i)\bblazing\b|\bseamless(ly)?\b|\bpowerful\b|\brobust(ly)?\b", "leave it out"),
    (r"(?i)\bcolor(s|ed|ing)?\b", "colour"),
    (r"(?i)\bbehavior(s|al)?\b", "behaviour"),
    (r"(?i)\bcenter(s|ed)?\b", "centre"),
    (r"(?i)\bfavor(s|ed|ite)?\b|\bhonor(s|ed)?\b", "favour, honour"),
    (r"\b[Ll]icenses?\b", "licence, as a noun"),
    (r"(?i)\b(cancel|label|travel|model)(ed|ing)\b", "a double l"),
    (r"(?i)\bcatalogs?\b", "catalogue"),
    (r"(?i)\banalyz(e|es|ed|ing)\b", "analyse"),
    (r"(?i)\bgr[a]y\b", "grey"),
];

/// Words in -ize that British English writes so, and those of the standards.
const IZE: [&str; 5] = ["size", "resize", "prize", "authorize", "authorization"];

#[test]
fn pages_are_written_in_plain_british_english() {
    let found: Vec<String> = PAGES.iter().chain(OTHER_TEXTS.iter()).flat_map(found_in).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

fn found_in(page: &Page) -> Vec<String> {
    static PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        WORDS.iter().map(|(pattern, right)| (Regex::new(pattern).unwrap(), *right)).collect()
    });
    let mut found = Vec::new();
    for (at, line) in own_words(page) {
        let mut say = |word: &str, right: &str| found.push(format!("{}:{at}: {word}: {right}", page.path));
        for (pattern, right) in PATTERNS.iter() {
            if let Some(word) = pattern.find(&line) {
                say(word.as_str(), right);
            }
        }
        for word in words_in_ize(&line) {
            say(word, "-ise");
        }
    }
    found
}

/// Lines of prose, without code, comments and what is compared with the program.
fn own_words(page: &Page) -> Vec<(usize, String)> {
    let mut program = false;
    let mut lines = Vec::new();
    for (at, line) in page.prose() {
        if line.starts_with("<!--") {
            program = is_closed(page, line) && !is_ours(line);
        } else if !program {
            lines.push((at, line.split('`').step_by(2).collect::<Vec<_>>().join("`")));
        }
    }
    lines
}

/// Whether a comment begins a block that another comment ends.
fn is_closed(page: &Page, comment: &str) -> bool {
    comment.ends_with("-->")
        && !comment.starts_with("<!-- /")
        && page.text.contains(&comment.replace("<!-- ", "<!-- /"))
}

/// Whether a block is compared with the program, but in words of its own.
fn is_ours(comment: &str) -> bool {
    comment == "<!-- cells -->" || comment.starts_with("<!-- api ")
}

fn words_in_ize(line: &str) -> Vec<&str> {
    static IN_IZE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?i)\b([a-z]+iz)(e|es|ed|er|ing|ation|ations)\b").unwrap());
    let stem = |word: &str| word.to_lowercase();
    let is_right = |word: &str| IZE.iter().any(|right| stem(word).starts_with(right.trim_end_matches('e')));
    IN_IZE.find_iter(line).map(|found| found.as_str()).filter(|word| !is_right(word)).collect()
}

#[test]
fn words_are_found_and_code_is_not_looked_at() {
    let page = |text: &str| Page { path: "page".to_owned(), text: text.to_owned() };
    assert_eq!(found_in(&page("Mend the row.\n")).len(), 1);
    assert_eq!(found_in(&page("It recognizes colors.\n")).len(), 2);
    assert!(found_in(&page("Run `mend`. Authorizations have a size.\n")).is_empty());
    assert!(found_in(&page("```\nmend\n```\n")).is_empty());
    assert!(found_in(&page("<!-- a -->\nmend\n<!-- /a -->\n")).is_empty());
    assert_eq!(found_in(&page("<!-- a -->\nfix\n<!-- /a -->\nmend\n")).len(), 1);
}
