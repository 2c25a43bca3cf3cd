//! How certificates of a type look: its name, colours and logo, and labels, in one language.
//!
//! All of it comes from the type metadata (SD-JWT VC), which wallets and verification pages read, too. So paper, wallet
//! and page call things by the same names.

use std::collections::HashMap;

use serde_json::Value;

use super::logo::Logo;
use super::shown::{clipped, spaced};
use super::words::Words;

/// How certificates of a type look.
#[derive(Debug)]
pub struct Look {
    pub(super) words: &'static Words,
    /// The locale that was asked for, or the first that the type has.
    pub(super) lang: String,
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) band: String,
    pub(super) ink: String,
    pub(super) logo: Option<Logo>,
    labels: HashMap<String, Label>,
    /// What is to be said about the type's display, once.
    pub warnings: Vec<String>,
}

/// A claim's name, and its language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) text: String,
    pub(super) lang: Option<String>,
    /// Its place among the claims of the type.
    order: usize,
}

/// The colours of types that have none.
const BAND: &str = "#1f3a5f";
const INK: &str = "#ffffff";

/// The longest title and description, in characters.
const MAX_TITLE: usize = 90;
const MAX_DESCRIPTION: usize = 160;

impl Look {
    /// The look of a type by its type metadata, in a locale; without one, in the first that the type names. A logo that
    /// is given stands in the place of the type's own.
    pub fn of_metadata(metadata: &Value, locale: Option<&str>, logo: Option<&Logo>) -> Look {
        let empty = Vec::new();
        let displays = metadata.get("display").and_then(Value::as_array).unwrap_or(&empty);
        let display = in_locale(displays, locale).unwrap_or(&Value::Null);
        let lang = locale.or_else(|| text(display, "locale")).unwrap_or("en").to_owned();
        let name = text(display, "name").or_else(|| text(metadata, "name"));
        let description = text(display, "description").or_else(|| text(metadata, "description"));
        let mut look =
            Look { title: clipped(name.unwrap_or_default(), MAX_TITLE), ..Look::plain(Some(&lang), logo) };
        if look.title.is_empty() {
            look.title = look.words.credential.to_owned();
        }
        look.description = description.map(|text| clipped(text, MAX_DESCRIPTION));
        let simple = display.pointer("/rendering/simple").unwrap_or(&Value::Null);
        look.set_colors(text(simple, "background_color"), text(simple, "text_color"));
        if let (None, Some(uri)) = (&look.logo, simple.pointer("/logo/uri").and_then(Value::as_str)) {
            let alt = simple.pointer("/logo/alt_text").and_then(Value::as_str).unwrap_or_default();
            match Logo::of_uri(uri, alt) {
                Ok(logo) => look.logo = Some(logo),
                Err(problem) => look.warnings.push(format!("its logo is left out: {problem}")),
            }
        }
        let claims = metadata.get("claims").and_then(Value::as_array).unwrap_or(&empty);
        look.labels = labels(claims, &lang);
        look
    }

    /// The look of credentials of which no type is known.
    pub fn plain(locale: Option<&str>, logo: Option<&Logo>) -> Look {
        let lang = locale.unwrap_or("en");
        let words = Words::of(lang);
        Look {
            words,
            lang: lang.to_owned(),
            title: words.credential.to_owned(),
            description: None,
            band: BAND.to_owned(),
            ink: INK.to_owned(),
            logo: logo.cloned(),
            labels: HashMap::new(),
            warnings: Vec::new(),
        }
    }

    /// Takes colours that are `#rrggbb`, and an ink that can be read where only the other is there.
    fn set_colors(&mut self, band: Option<&str>, ink: Option<&str>) {
        let mut taken = |color: Option<&str>, name: &str| {
            let color = color?;
            if !is_color(color) {
                self.warnings.push(format!("its {name} is not #rrggbb and is ignored"));
                return None;
            }
            Some(color.to_ascii_lowercase())
        };
        let (band, ink) = (taken(band, "background_color"), taken(ink, "text_color"));
        match (band, ink) {
            (Some(band), ink) => {
                self.ink = ink.unwrap_or_else(|| readable_on(&band).to_owned());
                self.band = band;
            }
            (None, Some(ink)) if readable_on(&ink) != INK => self.ink = ink,
            (None, _) => {}
        }
    }

    /// The label of a path, with `[]` for each element of a list: the type's own, else the last name in words.
    pub(super) fn label(&self, path: &str) -> Label {
        match self.labels.get(path) {
            Some(label) if path == "subject.id" && label.text == "id" => self.identifier(),
            Some(label) => label.clone(),
            None if path == "subject.id" => self.identifier(),
            None => {
                let name = path.rsplit('.').next().unwrap_or(path).trim_end_matches("[]");
                Label { text: spaced(name), lang: None, order: usize::MAX }
            }
        }
    }

    fn identifier(&self) -> Label {
        Label { text: self.words.identifier.to_owned(), lang: None, order: 0 }
    }

    /// Where a path stands among the claims of the type.
    pub(super) fn order(&self, path: &str) -> usize {
        self.labels.get(path).map_or(usize::MAX, |label| label.order)
    }
}

/// The primary language of a locale.
pub(super) fn language(locale: &str) -> String {
    locale.split('-').next().unwrap_or_default().to_ascii_lowercase()
}

/// The entry for a locale: of the same tag, else of the same language, else in English, else the first; without a
/// locale, the first.
fn in_locale<'v>(displays: &'v [Value], locale: Option<&str>) -> Option<&'v Value> {
    let Some(locale) = locale else { return displays.first() };
    let tag = |display: &Value| text(display, "locale").unwrap_or_default().to_owned();
    let same = displays.iter().find(|display| tag(display).eq_ignore_ascii_case(locale));
    let of = |wanted: &str| displays.iter().find(|display| language(&tag(display)) == wanted);
    same.or_else(|| of(&language(locale))).or_else(|| of("en")).or_else(|| displays.first())
}

/// The labels by path.
fn labels(claims: &[Value], locale: &str) -> HashMap<String, Label> {
    let mut labels = HashMap::new();
    for (order, claim) in claims.iter().enumerate() {
        let path = claim.get("path").and_then(Value::as_array).map(|path| dotted(path));
        let displays = claim.get("display").and_then(Value::as_array);
        let display = displays.and_then(|displays| in_locale(displays, Some(locale)));
        let (Some(path), Some(label)) = (path, display.and_then(|display| text(display, "label"))) else {
            continue;
        };
        let lang = display.and_then(|display| text(display, "locale"));
        let lang = lang.filter(|lang| language(lang) != language(locale)).map(str::to_owned);
        labels.entry(path).or_insert(Label { text: clipped(label, MAX_TITLE), lang, order });
    }
    labels
}

/// `["claims", "owners", null, "name"]` as `claims.owners[].name`.
fn dotted(path: &[Value]) -> String {
    let mut dotted = String::new();
    for segment in path {
        match segment.as_str() {
            Some(name) if dotted.is_empty() => dotted.push_str(name),
            Some(name) => dotted.extend([".", name]),
            None => dotted.push_str("[]"),
        }
    }
    dotted
}

fn text<'v>(object: &'v Value, name: &str) -> Option<&'v str> {
    object.get(name).and_then(Value::as_str)
}

fn is_color(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Black or white, whichever has more contrast on a colour (WCAG 2.2, relative luminance).
fn readable_on(color: &str) -> &'static str {
    let channel = |at: usize| {
        let value = u8::from_str_radix(color.get(at..at + 2).unwrap_or_default(), 16).unwrap_or_default();
        let value = f64::from(value) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    let luminance = 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
    // Above this, black has the higher contrast ratio.
    if luminance > 0.179 { "#000000" } else { INK }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metadata() -> Value {
        json!({
            "vct": "urn:x",
            "name": "Trade licence",
            "display": [
                {"locale": "de-AT", "name": "Gewerbeschein", "rendering": {"simple": {"background_color": "#AABBCC"}}},
                {"locale": "en", "name": "Trade licence", "rendering": {"simple": {
                    "background_color": "red;} body{background:url(//evil.example)}", "text_color": "#00000"
                }}}
            ],
            "claims": [
                {"path": ["claims", "holders", null, "number"], "display": [
                    {"locale": "en", "label": "Number"}, {"locale": "de", "label": "Nummer"}
                ]},
                {"path": ["claims", "since"], "display": [{"locale": "en", "label": "Since"}]}
            ]
        })
    }

    #[test]
    fn a_locale_finds_its_tag_then_its_language_then_english() {
        let look = |locale| Look::of_metadata(&metadata(), locale, None);
        for (locale, title, lang, label) in [
            (None, "Gewerbeschein", "de-AT", "Nummer"),
            (Some("DE-at"), "Gewerbeschein", "DE-at", "Nummer"),
            (Some("de-CH"), "Gewerbeschein", "de-CH", "Nummer"),
            (Some("fr"), "Trade licence", "fr", "Number"),
        ] {
            let look = look(locale);
            let found = (look.title.as_str(), look.lang.as_str(), look.label("claims.holders[].number").text);
            assert_eq!(found, (title, lang, label.to_owned()));
        }
        let german = look(Some("de"));
        assert_eq!(german.label("claims.since").lang.as_deref(), Some("en"), "an English label says so");
        assert_eq!(german.label("claims.tax_number").text, "tax number");
        assert_eq!((look(Some("pt")).words.lang, look(Some("es-MX")).words.lang), ("en", "es"));
    }

    #[test]
    fn colours_are_six_digits_and_the_ink_can_be_read() {
        let look = Look::of_metadata(&metadata(), Some("de"), None);
        assert_eq!((look.band.as_str(), look.ink.as_str()), ("#aabbcc", "#000000"));
        let hostile = Look::of_metadata(&metadata(), Some("en"), None);
        assert_eq!((hostile.band.as_str(), hostile.ink.as_str(), hostile.warnings.len()), (BAND, INK, 2));
        for (color, ink) in
            [("#000000", INK), ("#ffffff", "#000000"), ("#003366", INK), ("#ffd400", "#000000")]
        {
            assert_eq!(readable_on(color), ink, "{color}");
        }
    }
}
