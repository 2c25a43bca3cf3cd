//! A page of `docs/` for a terminal and for `man`: its Markdown, laid out as text or as roff.

use clap_mangen::roff::{Inline, Roff, bold, roman};
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// A page: blocks, in their order. Comments of the Markdown are left out.
#[derive(Debug)]
pub(crate) struct Page {
    blocks: Vec<Block>,
}

/// What a page is made of. Texts keep the backticks of their code.
#[derive(Debug, PartialEq, Eq)]
enum Block {
    /// A heading, with its level from 1.
    Heading(usize, String),
    Paragraph(String),
    /// A point of a list.
    Point(String),
    Code(String),
    /// The rows of a table; the first one is its head.
    Table(Vec<Vec<String>>),
}

impl Page {
    /// Reads a page.
    pub(crate) fn of(markdown: &str) -> Page {
        let mut reader = Reader::default();
        for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
            reader.take(event);
        }
        Page { blocks: reader.blocks }
    }

    /// The part under this heading, up to the next one of its level; the heading becomes the title.
    pub(crate) fn section(self, heading: &str) -> Page {
        let is_start = |block: &Block| matches!(block, Block::Heading(_, text) if text == heading);
        let mut blocks = self.blocks.into_iter().skip_while(|block| !is_start(block));
        let first = blocks.next();
        let level = match &first {
            Some(Block::Heading(level, _)) => *level,
            _ => 1,
        };
        let rest = blocks.take_while(|block| !matches!(block, Block::Heading(next, _) if *next <= level));
        Page { blocks: first.into_iter().chain(rest).collect() }
    }

    /// The page as text, in lines of at most so many columns where words are short enough.
    pub(crate) fn to_text(&self, width: usize) -> String {
        let texts: Vec<String> = self.blocks.iter().map(|block| block.to_text(width)).collect();
        texts.join("\n")
    }

    /// The page as sections of a man page.
    pub(crate) fn to_roff(&self) -> Roff {
        let mut roff = Roff::new();
        self.blocks.iter().for_each(|block| block.write_roff(&mut roff));
        roff
    }
}

impl Block {
    fn to_text(&self, width: usize) -> String {
        match self {
            Block::Heading(1, text) => format!("{}\n", text.to_uppercase()),
            Block::Heading(_, text) => format!("{text}\n"),
            Block::Paragraph(text) => indented(&wrapped(text, width - INDENT), "  ", "  "),
            Block::Point(text) => indented(&wrapped(text, width - INDENT - 2), "  - ", "    "),
            Block::Code(text) => text.lines().map(|line| format!("      {line}\n")).collect(),
            Block::Table(rows) => table(rows, width - INDENT),
        }
    }

    fn write_roff(&self, roff: &mut Roff) {
        match self {
            Block::Heading(_, text) => {
                roff.control("SH", [text.to_uppercase().as_str()]);
            }
            Block::Paragraph(text) => {
                roff.control("PP", []).text(inlines(text));
            }
            Block::Point(text) => {
                roff.control("IP", ["\\(bu", "2"]).text(inlines(text));
            }
            Block::Code(text) => {
                roff.control("PP", []).control("nf", []);
                text.lines().for_each(|line| {
                    roff.text([roman(format!("    {line}"))]);
                });
                roff.control("fi", []);
            }
            // A row is a term and what the head says of its other cells.
            Block::Table(rows) => {
                let Some((head, rows)) = rows.split_first() else { return };
                for row in rows {
                    let Some((term, cells)) = row.split_first() else { continue };
                    roff.control("TP", []).text([bold(term.replace('`', ""))]);
                    let cells = head.iter().skip(1).zip(cells).filter(|(_, cell)| !cell.is_empty());
                    let said: Vec<String> = cells.map(|(name, cell)| format!("{name}: {cell}")).collect();
                    roff.text(inlines(&said.join("; ")));
                }
            }
        }
    }
}

/// How far text stands from the margin.
const INDENT: usize = 2;
/// What separates the cells of a row.
const GAP: usize = 2;
/// The least width of a cell that is made narrower.
const NARROW: usize = 12;

/// Text in which code stands between backticks, with the code in bold.
fn inlines(text: &str) -> Vec<Inline> {
    let pieces = text.split('`').enumerate();
    pieces.map(|(n, piece)| if n % 2 == 1 { bold(piece) } else { roman(piece) }).collect()
}

/// Rows whose cells stand under each other; the widest column gives way where they do not fit. Cells are mostly code,
/// and are shown without backticks.
fn table(rows: &[Vec<String>], width: usize) -> String {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| cell.replace('`', "")).collect()).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cells = |column: usize| rows.iter().filter_map(move |row| row.get(column));
    let length = |text: &str| text.chars().count();
    let longest_word = |cell: &String| cell.split_whitespace().map(length).max().unwrap_or(0);
    let mut widths: Vec<usize> =
        (0..columns).map(|column| cells(column).map(|cell| length(cell)).max().unwrap_or(0)).collect();
    let words: Vec<usize> =
        (0..columns).map(|column| cells(column).map(longest_word).max().unwrap_or(0)).collect();
    let room = width.saturating_sub(GAP * columns.saturating_sub(1));
    // The widest column gives way, as long as its words stay whole; then the one with the longest word.
    while widths.iter().sum::<usize>() > room {
        let wide = widths.iter_mut().zip(&words).filter(|(width, word)| **width > **word);
        let Some((widest, _)) = wide.max_by_key(|(width, _)| **width) else { break };
        *widest -= 1;
    }
    while widths.iter().sum::<usize>() > room {
        let wide = widths.iter_mut().zip(&words).filter(|(width, _)| **width > NARROW);
        let Some((longest, _)) = wide.max_by_key(|(_, word)| **word) else { break };
        *longest -= 1;
    }
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        let cells: Vec<Vec<String>> =
            row.iter().zip(&widths).map(|(cell, width)| wrapped(cell, *width)).collect();
        for line in 0..cells.iter().map(Vec::len).max().unwrap_or(0) {
            let mut said = " ".repeat(INDENT);
            for (cell, width) in cells.iter().zip(&widths) {
                let part = cell.get(line).map_or("", String::as_str);
                said.push_str(&format!("{part:<width$}{}", " ".repeat(GAP)));
            }
            text.push_str(said.trim_end());
            text.push('\n');
        }
        if number == 0 {
            let line: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
            text.push_str(&format!("{}{}\n", " ".repeat(INDENT), line.join(&" ".repeat(GAP))));
        }
    }
    text
}

/// Lines of at most so many characters. A word that is longer is cut.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace().flat_map(|word| pieces_of(word, width.max(1))) {
        let line = lines.last_mut().expect("there is always a line");
        let taken = line.chars().count();
        if taken == 0 {
            line.push_str(&word);
        } else if taken + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(&word);
        } else {
            lines.push(word);
        }
    }
    lines
}

fn pieces_of(word: &str, width: usize) -> Vec<String> {
    let characters: Vec<char> = word.chars().collect();
    characters.chunks(width).map(|piece| piece.iter().collect()).collect()
}

fn indented(lines: &[String], first: &str, others: &str) -> String {
    let start = |number| if number == 0 { first } else { others };
    lines.iter().enumerate().map(|(number, line)| format!("{}{line}\n", start(number))).collect()
}

/// Gathers blocks from the events of the Markdown parser.
#[derive(Debug, Default)]
struct Reader {
    blocks: Vec<Block>,
    /// The text of the block that is being read.
    text: String,
    rows: Vec<Vec<String>>,
    /// Points stand in lists, whose paragraphs are parts of them.
    in_point: bool,
}

impl Reader {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Text(text) => self.text.push_str(&text),
            Event::Code(code) => self.text.push_str(&format!("`{code}`")),
            Event::SoftBreak | Event::HardBreak => self.text.push(' '),
            Event::Start(Tag::Item) => {
                self.end_point();
                self.in_point = true;
            }
            Event::Start(Tag::Paragraph) if self.in_point && !self.text.is_empty() => self.text.push(' '),
            Event::Start(Tag::TableRow | Tag::TableHead) => self.rows.push(Vec::new()),
            Event::Start(Tag::CodeBlock(_)) => self.end_point(),
            Event::End(end) => self.end(end),
            _ => {}
        }
    }

    fn end(&mut self, end: TagEnd) {
        match end {
            TagEnd::Heading(level) => {
                let text = std::mem::take(&mut self.text);
                self.blocks.push(Block::Heading(depth(level), text));
            }
            TagEnd::Paragraph if !self.in_point => {
                let text = std::mem::take(&mut self.text);
                if !text.trim().is_empty() {
                    self.blocks.push(Block::Paragraph(text));
                }
            }
            TagEnd::Item => {
                self.end_point();
                self.in_point = false;
            }
            TagEnd::CodeBlock => {
                let text = std::mem::take(&mut self.text);
                self.blocks.push(Block::Code(text));
            }
            TagEnd::TableCell => {
                let text = std::mem::take(&mut self.text);
                if let Some(row) = self.rows.last_mut() {
                    row.push(text);
                }
            }
            TagEnd::Table => {
                let rows = std::mem::take(&mut self.rows);
                self.blocks.push(Block::Table(rows));
            }
            _ => {}
        }
    }

    fn end_point(&mut self) {
        let text = std::mem::take(&mut self.text);
        if self.in_point && !text.trim().is_empty() {
            self.blocks.push(Block::Point(text));
        }
    }
}

fn depth(level: HeadingLevel) -> usize {
    level as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKDOWN: &str = "# Codes\n\nWhat `beltic` says,\nin two lines.\n\n<!-- codes -->\n| code | meaning |\n\
        | --- | --- |\n| `0` | done |\n| `3` | some items failed, and the others were issued |\n<!-- /codes -->\n\n\
        ## Lists\n\n- one\n- two, with\n  more\n\n```sh\nbeltic list\n```\n\n## Other\n\nText.\n";

    #[test]
    fn markdown_becomes_text() {
        assert_eq!(
            Page::of(MARKDOWN).to_text(40),
            "CODES\n\n  What `beltic` says, in two lines.\n\n  code  meaning\n  ----  --------------------------------\n  \
             0     done\n  3     some items failed, and the\n        others were issued\n\nLists\n\n  - one\n\n  - two, \
             with more\n\n      beltic list\n\nOther\n\n  Text.\n"
        );
    }

    #[test]
    fn a_section_ends_where_the_next_one_starts() {
        let text = Page::of(MARKDOWN).section("Lists").to_text(40);
        assert_eq!(text, "Lists\n\n  - one\n\n  - two, with more\n\n      beltic list\n");
        assert_eq!(Page::of(MARKDOWN).section("Missing").to_text(40), "");
    }

    #[test]
    fn markdown_becomes_roff() {
        let roff = Page::of(MARKDOWN).to_roff().render();
        assert!(roff.contains(".SH CODES\n.PP\nWhat \\fBbeltic\\fR says, in two lines."), "{roff}");
        assert!(roff.contains(".TP\n\\fB3\\fR\nmeaning: some items failed"), "{roff}");
        assert!(roff.contains(".SH LISTS\n"), "{roff}");
    }
}
