//! The certificate as a page of HTML.

use std::fmt::{self, Write};

use base64_simd::STANDARD;
use sha2::{Digest, Sha256};

use super::blocks::{Block, Fact, blocks, heading};
use super::code::{Carries, Code};
use super::credential::Credential;
use super::fit::{Fitted, column_widths, fit, lines};
use super::look::{Label, Look};
use super::shown::{clipped, visible};
use crate::clock::UnixTime;
use crate::html::escaped;

/// The height of a page, in millimetres, with some room for what a browser rounds.
const PAGE: f64 = 294.0;

/// The longest issuer and address that are shown, in characters.
const MAX_ISSUER: usize = 160;
const MAX_ADDRESS: usize = 80;

/// The certificate of a credential, with its code and the picture of that.
pub fn certificate(credential: &Credential, look: &Look, code: &Code, picture: &str) -> String {
    let style = style(look);
    let (in_heading, about) = heading(credential);
    let blocks = blocks(credential, look, in_heading);
    let fitted = fit(blocks, room(credential, look, &about));
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = Page { credential, look, code, picture, out: &mut out }.write(&style, &about, &fitted);
    out
}

impl Look {
    /// What a certificate's code is called, for those who do not see it.
    pub fn name_of_code(&self) -> &'static str {
        self.words.code
    }
}

/// How much room there is for claims: the page without its head and foot, whose heights are those of the style sheet.
fn room(credential: &Credential, look: &Look, about: &str) -> f64 {
    let width_beside_logo = if look.logo.is_some() { 130.0 } else { 186.0 };
    let title = lines(&look.title, width_beside_logo / 7.06) as f64 * 8.5;
    let description = look
        .description
        .as_deref()
        .map_or(0.0, |text| lines(text, width_beside_logo / 3.53) as f64 * 4.6 + 1.5);
    let band = 16.0 + (title + description).max(if look.logo.is_some() { 18.0 } else { 0.0 });
    let (size, line) = if is_long(about) { (4.41, 5.4) } else { (5.64, 6.8) };
    let about = 13.0 + lines(about, 186.0 / size) as f64 * line;
    let issuer = lines(&clipped(&credential.issuer, MAX_ISSUER), 132.0 / 3.0) as f64 * 3.8 + 4.4;
    let (dates_and_id, notes) = (2.0 * 8.2, 4.0 * 3.7);
    let foot = 15.0 + (issuer + dates_and_id + notes + 3.0).max(46.0);
    PAGE - band - about - foot
}

/// Whether the heading is too long for large letters.
fn is_long(about: &str) -> bool {
    lines(about, 186.0 / 5.64) > 2
}

struct Page<'p> {
    credential: &'p Credential,
    look: &'p Look,
    code: &'p Code,
    picture: &'p str,
    out: &'p mut String,
}

impl Page<'_> {
    fn write(&mut self, style: &str, about: &str, fitted: &Fitted) -> fmt::Result {
        let Look { lang, title, description, logo, words, .. } = self.look;
        let images = if logo.is_some() { "; img-src data:" } else { "" };
        let hash = STANDARD.encode_to_string(Sha256::digest(style));
        let (lang, title) = (escaped(lang), escaped(&visible(title)));
        writeln!(
            self.out,
            "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{hash}'{images}; \
             base-uri 'none'; form-action 'none'\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
             <meta name=\"robots\" content=\"noindex, nofollow\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
             <style>{style}</style>\n</head>\n<body>\n<main class=\"sheet size{}\">\n<header class=\"band\"><div><h1>{title}</h1>",
            fitted.size
        )?;
        if let Some(description) = description {
            write!(self.out, "<p>{}</p>", escaped(&visible(description)))?;
        }
        self.out.push_str("</div>");
        if let Some(logo) = logo {
            write!(
                self.out,
                "<img src=\"{}\" alt=\"{}\">",
                escaped(&logo.data_uri),
                escaped(&visible(&logo.alt))
            )?;
        }
        writeln!(self.out, "</header>")?;
        if !about.is_empty() {
            let class = if is_long(about) { " class=\"long\"" } else { "" };
            writeln!(
                self.out,
                "<section class=\"about\"><p class=\"label\">{}</p><h2{class} dir=\"auto\">{}</h2></section>",
                words.about,
                escaped(about)
            )?;
        }
        writeln!(self.out, "<section class=\"claims\">")?;
        fitted.blocks.iter().try_for_each(|block| self.block(block, fitted))?;
        if fitted.left_out > 0 {
            writeln!(self.out, "<p class=\"note\">{} {}</p>", words.left_out, fitted.left_out)?;
        }
        writeln!(self.out, "</section>")?;
        self.foot()?;
        writeln!(self.out, "</main>\n</body>\n</html>")
    }

    fn block(&mut self, block: &Block, fitted: &Fitted) -> fmt::Result {
        match block {
            Block::Facts(facts) => self.facts(facts, fitted),
            Block::Group { label, facts } => {
                self.heading(label)?;
                self.facts(facts, fitted)
            }
            Block::Table { label, heads, rows } => {
                self.heading(label)?;
                self.table(heads, rows)
            }
        }
    }

    fn heading(&mut self, label: &Label) -> fmt::Result {
        writeln!(self.out, "<h3{}>{}</h3>", lang(label), shown(label))
    }

    fn facts(&mut self, facts: &[Fact], fitted: &Fitted) -> fmt::Result {
        writeln!(self.out, "<dl>")?;
        for fact in facts {
            let wide = if fitted.is_wide(fact) { " class=\"wide\"" } else { "" };
            let (label, value) = (shown(&fact.label), escaped(&fact.value));
            writeln!(
                self.out,
                "<div{wide}><dt{}>{label}</dt><dd dir=\"auto\">{value}</dd></div>",
                lang(&fact.label)
            )?;
        }
        writeln!(self.out, "</dl>")
    }

    fn table(&mut self, heads: &[Label], rows: &[Vec<String>]) -> fmt::Result {
        write!(self.out, "<table><colgroup>")?;
        for width in column_widths(heads.len(), rows) {
            write!(self.out, "<col width=\"{:.1}%\">", width / super::fit::WIDTH * 100.0)?;
        }
        writeln!(self.out, "</colgroup>")?;
        if !heads.is_empty() {
            write!(self.out, "<thead><tr>")?;
            for head in heads {
                write!(self.out, "<th scope=\"col\"{}>{}</th>", lang(head), shown(head))?;
            }
            writeln!(self.out, "</tr></thead>")?;
        }
        writeln!(self.out, "<tbody>")?;
        for row in rows {
            write!(self.out, "<tr>")?;
            for (column, cell) in row.iter().enumerate() {
                let of =
                    heads.get(column).map(|head| format!(" data-of=\"{}\"", shown(head))).unwrap_or_default();
                write!(self.out, "<td{of}><span dir=\"auto\">{}</span></td>", escaped(cell))?;
            }
            writeln!(self.out, "</tr>")?;
        }
        writeln!(self.out, "</tbody></table>")
    }

    /// The code, and what is said of the credential itself.
    fn foot(&mut self) -> fmt::Result {
        let words = self.look.words;
        let link = self.code.link().map(escaped);
        let (open, close) = match &link {
            Some(link) => (format!("<a href=\"{link}\" rel=\"noreferrer\">"), "</a>"),
            None => (String::new(), ""),
        };
        writeln!(
            self.out,
            "<footer><div class=\"code\">{open}{}{close}</div><div class=\"rest\"><dl>",
            self.picture.trim_end()
        )?;
        let issuer = clipped(&visible(&self.credential.issuer), MAX_ISSUER);
        self.row("wide", words.issued_by, &issuer)?;
        for (name, time) in
            [(words.issued_at, self.credential.issued_at), (words.valid_until, self.credential.expires_at)]
        {
            if let Some(time) = time {
                self.row("", name, &in_words(time))?;
            }
        }
        self.row("wide", words.credential_id, &self.credential.id.urn().to_string())?;
        writeln!(self.out, "</dl>")?;
        if self.credential.hidden > 0 {
            writeln!(self.out, "<p class=\"note\">{} {}</p>", words.hidden, self.credential.hidden)?;
        }
        let what_to_do = match self.code.carries {
            Carries::Token => words.scan,
            Carries::Link => words.scan_and_add,
            Carries::Id => words.id_only,
        };
        write!(self.out, "<p class=\"note\">{} {what_to_do}", words.paper)?;
        if let Some(link) = &link {
            let page = self.code.text.split('#').next().unwrap_or_default();
            let page = escaped(&clipped(page.trim_start_matches("https://"), MAX_ADDRESS));
            write!(self.out, " <a href=\"{link}\" rel=\"noreferrer\">{page}</a>")?;
        }
        writeln!(self.out, "</p></div></footer>")
    }

    fn row(&mut self, class: &str, name: &str, value: &str) -> fmt::Result {
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        writeln!(self.out, "<div{class}><dt>{name}</dt><dd>{}</dd></div>", escaped(value))
    }
}

/// A label as it stands in the page.
fn shown(label: &Label) -> String {
    escaped(&visible(&label.text))
}

/// The language of a label that is not in that of the page.
fn lang(label: &Label) -> String {
    label.lang.as_deref().map(|lang| format!(" lang=\"{}\"", escaped(lang))).unwrap_or_default()
}

/// `2026-11-23, 04:00 UTC`.
fn in_words(time: UnixTime) -> String {
    let text = time.to_string();
    match (text.get(..10), text.get(11..16)) {
        (Some(date), Some(time)) => format!("{date}, {time} UTC"),
        _ => text,
    }
}

/// The style sheet with the type's colours, which are `#rrggbb`.
fn style(look: &Look) -> String {
    format!(":root{{--band:{};--ink:{}}}\n{}", look.band, look.ink, include_str!("certificate.css"))
}
