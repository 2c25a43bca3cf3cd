//! Making a certificate fit one A4 page.
//!
//! There is no script that could measure the page, so its height is estimated here: every word has a width by its
//! characters, words are wrapped greedily, and the numbers err on the large side. The largest of four sizes at which
//! everything fits is taken. Where nothing fits even at the smallest, the last entries are left out, and the page says
//! how many: a second page could be lost, and whoever reads the first would not know.
//!
//! The numbers are those of the style sheet in [`super::page`]. A test prints pages of many kinds with a browser and
//! counts them.

use unicode_width::UnicodeWidthChar;

use super::blocks::{Block, Fact};

/// The width of the text, and of the gap between two columns of facts, in millimetres.
pub(super) const WIDTH: f64 = 186.0;
const GAP: f64 = 8.0;

/// The padding of a cell of a table on its right, in millimetres.
const CELL_PADDING: f64 = 3.0;

/// A size of the text. Lengths are in millimetres.
#[derive(Debug)]
struct Size {
    /// How many columns of facts there are.
    columns: usize,
    /// The height of the letters of values.
    em: f64,
    /// A line of a value, and of a label.
    line: f64,
    label: f64,
    /// Below a fact, and below a row of a table.
    fact_gap: f64,
    row_gap: f64,
    /// The heading of a group or table, with the room above and below it.
    heading: f64,
}

/// The sizes, of which the style sheet has a class each.
const SIZES: [Size; 4] = [
    Size { columns: 2, em: 3.71, line: 4.83, label: 3.7, fact_gap: 2.5, row_gap: 1.9, heading: 11.0 },
    Size { columns: 3, em: 3.18, line: 4.13, label: 3.3, fact_gap: 1.8, row_gap: 1.4, heading: 8.6 },
    Size { columns: 3, em: 2.89, line: 3.75, label: 3.1, fact_gap: 1.4, row_gap: 1.2, heading: 7.5 },
    Size { columns: 3, em: 2.65, line: 3.45, label: 2.9, fact_gap: 1.1, row_gap: 1.0, heading: 6.6 },
];

/// What fits.
#[derive(Debug)]
pub(super) struct Fitted {
    /// The size, of [`SIZES`].
    pub(super) size: usize,
    pub(super) blocks: Vec<Block>,
    /// How many facts and rows were left out.
    pub(super) left_out: usize,
}

impl Fitted {
    /// Whether a fact takes all columns.
    pub(super) fn is_wide(&self, fact: &Fact) -> bool {
        SIZES[self.size].is_wide(fact)
    }
}

/// Makes the blocks fit into so many millimetres.
pub(super) fn fit(blocks: Vec<Block>, room: f64) -> Fitted {
    let fits = |size: &Size| blocks.iter().map(|block| size.block(block)).sum::<f64>() <= room;
    if let Some(size) = SIZES.iter().position(fits) {
        return Fitted { size, blocks, left_out: 0 };
    }
    let smallest = SIZES.len() - 1;
    let (blocks, left_out) = SIZES[smallest].cut(blocks, room);
    Fitted { size: smallest, blocks, left_out }
}

impl Size {
    fn block(&self, block: &Block) -> f64 {
        match block {
            Block::Facts(facts) => self.facts(facts),
            Block::Group { facts, .. } => self.heading + self.facts(facts),
            Block::Table { heads, rows, .. } => {
                let widths = column_widths(heads.len(), rows);
                self.head(heads) + rows.iter().map(|row| self.row(row, &widths)).sum::<f64>()
            }
        }
    }

    /// The heading of a table and of its columns.
    fn head(&self, heads: &[super::look::Label]) -> f64 {
        let lines = if heads.is_empty() { 0.0 } else { 2.0 };
        self.heading + lines * self.label + self.row_gap
    }

    fn row(&self, row: &[String], widths: &[f64]) -> f64 {
        let lines = row.iter().zip(widths).map(|(text, width)| self.lines(text, width - CELL_PADDING));
        lines.max().unwrap_or(1) as f64 * self.line + self.row_gap
    }

    /// Facts in columns, in which a wide one has a line of its own.
    fn facts(&self, facts: &[Fact]) -> f64 {
        let (mut height, mut in_row, mut highest) = (0.0, 0, 0.0_f64);
        for fact in facts {
            let wide = self.is_wide(fact);
            if wide || in_row == self.columns {
                height += highest;
                (in_row, highest) = (0, 0.0);
            }
            highest = highest.max(self.fact(fact));
            in_row = if wide { self.columns } else { in_row + 1 };
        }
        height + highest
    }

    fn fact(&self, fact: &Fact) -> f64 {
        let width = if self.is_wide(fact) { WIDTH } else { self.column() };
        // The letters of a label are smaller than it is taken for here.
        let label = self.lines(&fact.label.text, width) as f64 * self.label;
        label + self.lines(&fact.value, width) as f64 * self.line + self.fact_gap
    }

    /// The width of a column of facts.
    fn column(&self) -> f64 {
        (WIDTH - GAP * (self.columns - 1) as f64) / self.columns as f64
    }

    /// Whether a fact takes all columns.
    fn is_wide(&self, fact: &Fact) -> bool {
        self.lines(&fact.value, self.column()) > 2
    }

    /// How many lines a text takes.
    fn lines(&self, text: &str, width: f64) -> usize {
        lines(text, width / self.em)
    }

    /// Leaves out the last facts and rows.
    fn cut(&self, blocks: Vec<Block>, room: f64) -> (Vec<Block>, usize) {
        let (mut kept, mut left_out) = (Vec::new(), 0);
        let mut rest = room - self.line - self.fact_gap; // for the line that says so
        for block in blocks {
            let height = self.block(&block);
            if left_out == 0 && height <= rest {
                rest -= height;
                kept.push(block);
                continue;
            }
            let room = if left_out == 0 { rest } else { 0.0 };
            let (part, dropped) = self.part(block, room);
            kept.extend(part);
            left_out += dropped;
        }
        (kept, left_out)
    }

    /// As much of a block as fits, and how much of it does not.
    fn part(&self, block: Block, room: f64) -> (Option<Block>, usize) {
        match block {
            Block::Facts(mut facts) => {
                let dropped = keep_while(&mut facts, |facts| self.facts(facts) <= room);
                ((!facts.is_empty()).then_some(Block::Facts(facts)), dropped)
            }
            Block::Group { label, mut facts } => {
                let dropped = keep_while(&mut facts, |facts| self.heading + self.facts(facts) <= room);
                ((!facts.is_empty()).then_some(Block::Group { label, facts }), dropped)
            }
            Block::Table { label, heads, mut rows } => {
                let widths = column_widths(heads.len(), &rows);
                let mut rest = room - self.head(&heads);
                let fits = rows.iter().take_while(|row| {
                    rest -= self.row(row, &widths);
                    rest >= 0.0
                });
                let fits = fits.count();
                let dropped = rows.len() - fits;
                rows.truncate(fits);
                // The widths of what is left may be others, which take no more room only by chance.
                while !rows.is_empty() && self.table_of(&heads, &rows) > room {
                    rows.pop();
                }
                let dropped = dropped + fits - rows.len();
                ((!rows.is_empty()).then_some(Block::Table { label, heads, rows }), dropped)
            }
        }
    }

    fn table_of(&self, heads: &[super::look::Label], rows: &[Vec<String>]) -> f64 {
        let widths = column_widths(heads.len(), rows);
        self.head(heads) + rows.iter().map(|row| self.row(row, &widths)).sum::<f64>()
    }
}

/// Keeps as many of the first facts as fit, and counts the others.
fn keep_while(facts: &mut Vec<Fact>, fits: impl Fn(&[Fact]) -> bool) -> usize {
    let all = facts.len();
    let kept = (1..=all).take_while(|&count| fits(&facts[..count])).count();
    facts.truncate(kept);
    all - kept
}

/// The widths of a table's columns, in millimetres: by the longest texts, within bounds, so that a short column is not
/// starved by a long one.
pub(super) fn column_widths(columns: usize, rows: &[Vec<String>]) -> Vec<f64> {
    let columns = columns.max(1);
    let widest = |column: usize| {
        let widths = rows.iter().filter_map(|row| row.get(column)).map(|text| width(text));
        widths.fold(0.0, f64::max).clamp(8.0, 40.0)
    };
    let widest: Vec<f64> = (0..columns).map(widest).collect();
    let sum: f64 = widest.iter().sum();
    widest.into_iter().map(|width| width / sum * WIDTH).collect()
}

/// How many lines a text takes in a width of so many times the height of its letters. Words are wrapped greedily, and
/// broken where they are wider than a line.
pub(super) fn lines(text: &str, width_of_line: f64) -> usize {
    let (mut lines, mut used) = (1, 0.0);
    for word in words(text) {
        let (width, visible) = (width(word), width(word.trim_end()));
        if used + visible <= width_of_line {
            used += width;
            continue;
        }
        // A word may need a line of its own before it is broken.
        lines += usize::from(used > 0.0);
        let broken = (visible / (width_of_line - 1.0).max(1.0)).floor();
        lines += broken as usize;
        used = (width - broken * (width_of_line - 1.0)).max(0.0);
    }
    lines
}

/// The pieces between which a line can end: behind spaces and hyphens, and beside wide characters.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_wide = |character: char| character.width() == Some(2);
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut characters = rest.char_indices().peekable();
        while let Some((_, character)) = characters.next() {
            let next = characters.peek().copied();
            let ends = match next {
                None => true,
                Some((_, ' ')) => false,
                Some((_, next)) => " -‐".contains(character) || is_wide(character) || is_wide(next),
            };
            if ends {
                let (word, after) = rest.split_at(next.map_or(rest.len(), |(at, _)| at));
                rest = after;
                return Some(word);
            }
        }
        None
    })
}

/// The width of a space, in times of the height of letters.
const SPACE: f64 = 0.3;

/// The width of a text on one line, in times of the height of its letters.
fn width(text: &str) -> f64 {
    text.chars().map(width_of).sum()
}

/// The width of a character: that of wide fonts, since nobody knows which one there is.
fn width_of(character: char) -> f64 {
    match character.width() {
        Some(0) => 0.0,
        Some(2) => 1.05,
        _ if character == ' ' => SPACE,
        _ if character.is_uppercase() || "mw@%&…—".contains(character) => 0.72,
        _ if character.is_ascii_digit() => 0.62,
        _ if character.is_ascii() => 0.55,
        _ if ('\u{590}'..='\u{8FF}').contains(&character) => 0.55,
        _ => 0.61,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::look::Look;

    fn fact(value: &str) -> Fact {
        Fact { label: Look::plain(None, None).label("claims.x"), value: value.to_owned() }
    }

    fn owners(count: usize) -> Block {
        let look = Look::plain(None, None);
        let heads = ["name", "share"].map(|name| look.label(name)).to_vec();
        let rows =
            (0..count).map(|number| vec![format!("Ottilie Quarrington {number}"), "25".into()]).collect();
        Block::Table { label: look.label("owners"), heads, rows }
    }

    #[test]
    fn text_wraps_at_words_and_breaks_long_ones() {
        assert_eq!(lines("", 10.0), 1);
        assert_eq!(lines("aaaa aaaa", 6.0), 1);
        assert_eq!(lines("aaaa aaaa aaaa", 6.0), 2);
        assert_eq!(lines("aaaa-aaaa-aaaa", 6.0), 2);
        assert_eq!(lines(&"a".repeat(100), 11.0), 6);
        assert_eq!(lines(&"字".repeat(20), 12.0), 2);
        assert_eq!(lines("aaaa 字字字字", 5.0), 2);
        assert_eq!(words("a b-c  字d").collect::<Vec<_>>(), ["a ", "b-", "c  ", "字", "d"]);
        assert_eq!(width("e\u{301}"), width("e"), "a combining accent has no width");
    }

    #[test]
    fn the_largest_size_that_fits_is_taken() {
        let size = |rows: usize| fit(vec![owners(rows)], 150.0).size;
        assert_eq!([5, 23, 25, 29].map(size), [0, 1, 2, 3]);
        assert_eq!(fit(vec![owners(29)], 150.0).left_out, 0);
    }

    /// Whatever is left out is counted, and what is kept fits.
    #[test]
    fn what_does_not_fit_is_counted() {
        for room in [0.0, 10.0, 40.0, 150.0] {
            for (facts, rows) in [(1, 1_000), (200, 0), (200, 200), (0, 60)] {
                let values = (0..facts).map(|number| fact(&"word ".repeat(number % 70))).collect();
                let fitted = fit(vec![Block::Facts(values), owners(rows), owners(3)], room);
                let entries = |block: &Block| match block {
                    Block::Facts(facts) | Block::Group { facts, .. } => facts.len(),
                    Block::Table { rows, .. } => rows.len(),
                };
                let kept: usize = fitted.blocks.iter().map(entries).sum();
                assert_eq!(kept + fitted.left_out, facts + rows + 3, "{room} {facts} {rows}");
                let height: f64 = fitted.blocks.iter().map(|block| SIZES[fitted.size].block(block)).sum();
                assert!(height <= room, "{height} of {room}");
            }
        }
    }

    #[test]
    fn columns_share_the_width() {
        let rows = vec![vec!["x".to_owned(), "long ".repeat(100), String::new()]];
        let widths = column_widths(3, &rows);
        assert!((widths.iter().sum::<f64>() - WIDTH).abs() < 0.01);
        assert!(widths[1] > 2.0 * widths[0] && widths[0] > 25.0, "{widths:?}");
    }
}
