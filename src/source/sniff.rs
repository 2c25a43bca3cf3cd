//! Which of the three formats an input is in: as told, by its name, or by its first bytes.

use std::path::Path;

use super::bytes::Bytes;
use super::dialect::Dialect;
use super::error::{InputFault, InputName};
use super::items::ENVELOPES;
use super::splitter::Splitter;
use super::window::Window;
use super::{Format, Options};

/// How much of an input without a telling name is looked at.
const MAX_HEAD: usize = 64 * 1024;

/// Decides the format, reading as much as that takes into the window.
pub(super) fn format(
    name: &InputName,
    bytes: &mut Bytes,
    window: &mut Window,
    options: &Options,
) -> Result<Format, InputFault> {
    let dialect = &*options.dialect;
    let by_content = |bytes: &mut Bytes, window: &mut Window| {
        read_while(bytes, window, |head| is_undecided(head, dialect))?;
        refuse_markup(window, dialect.format_of(&window.bytes))
    };
    if !dialect.believes_names() {
        return by_content(bytes, window);
    }
    if let Some(format) = options.format {
        read_while(bytes, window, is_unclear)?;
        return refuse_markup(window, by_layout(window, format));
    }
    match by_extension(name) {
        Some(format) => {
            read_while(bytes, window, is_unclear)?;
            refuse_markup(window, format)?;
            refuse_other_format(window, by_layout(window, format))
        }
        None => by_content(bytes, window),
    }
}

/// Reads on while the head is undecided, but not endlessly.
fn read_while(
    bytes: &mut Bytes,
    window: &mut Window,
    undecided: impl Fn(&[u8]) -> bool,
) -> Result<(), InputFault> {
    while !window.ended && window.bytes.len() < MAX_HEAD && undecided(&window.bytes) {
        window.ended = bytes.read_onto(&mut window.bytes)? == 0;
    }
    Ok(())
}

/// Whether there is nothing yet but white space, and perhaps the bracket that pretty-printed JSON begins with.
fn is_unclear(head: &[u8]) -> bool {
    match head.trim_ascii_start() {
        [b'{' | b'[', inside @ ..] => inside.trim_ascii_start().is_empty(),
        text => text.is_empty(),
    }
}

/// The format of what is called NDJSON: a bracket on a line of its own, and behind it what can only stand inside, is
/// no line of NDJSON, but it is how JSON is pretty-printed. One value after the other is read as JSON too.
fn by_layout(window: &Window, named: Format) -> Format {
    match (named, window.bytes.trim_ascii_start()) {
        (Format::Ndjson, text) if is_pretty_printed(text) => Format::Json,
        _ => named,
    }
}

fn is_pretty_printed(text: &[u8]) -> bool {
    let (Some(open), Some(next)) =
        (text.first(), text.get(1..).and_then(|inside| inside.trim_ascii_start().first()))
    else {
        return false;
    };
    // Behind a line of NDJSON that was cut off after its first byte, another item begins.
    let is_inside = matches!((open, next), (b'{', b'"') | (b'[', b'{' | b'['));
    is_inside && begins_on_a_line_of_its_own(text)
}

/// Whether more of the first line may tell more. A producer that waits for the first result
/// before it goes on must not be kept waiting for a line end that JSON does not need.
fn is_undecided(head: &[u8], dialect: &dyn Dialect) -> bool {
    let is_telling_key = |key| std::str::from_utf8(key).is_ok_and(|key| dialect.is_telling_key(key));
    let text = head.trim_ascii_start();
    match text.first() {
        None => true,
        Some(b'[' | b'<') => false,
        Some(b'{') if first_line_keys(text).next().is_some_and(&is_telling_key) => false,
        Some(_) => memchr::memchr2(b'\n', b'\r', text).is_none(),
    }
}

fn by_extension(name: &InputName) -> Option<Format> {
    let InputName::File(path) = name else { return None };
    let mut path: &Path = path;
    let without_gz;
    if extension(path)? == "gz" {
        without_gz = path.with_extension("");
        path = &without_gz;
    }
    match extension(path)?.as_str() {
        "json" => Some(Format::Json),
        "ndjson" | "jsonl" => Some(Format::Ndjson),
        "csv" | "tsv" => Some(Format::Csv),
        _ => None,
    }
}

fn extension(path: &Path) -> Option<String> {
    Some(path.extension()?.to_str()?.to_ascii_lowercase())
}

/// The format of a batch by its first bytes.
pub(super) fn format_of_items(head: &[u8]) -> Format {
    let text = head.trim_ascii_start();
    match text.first() {
        Some(b'[') => Format::Json,
        Some(b'{') if looks_like_envelope(text) => Format::Json,
        Some(b'{') | None => Format::Ndjson,
        Some(_) => Format::Csv,
    }
}

/// Whether an object is an envelope rather than the first of many items: `items` or `results` is among its
/// keys, or it begins on a line of its own, as no line of NDJSON does.
fn looks_like_envelope(text: &[u8]) -> bool {
    begins_on_a_line_of_its_own(text) || first_line_keys(text).any(is_envelope_key)
}

fn is_envelope_key(key: &[u8]) -> bool {
    ENVELOPES.iter().any(|envelope| envelope.as_bytes() == key)
}

/// Whether what is inside an object begins on another line than the object.
pub(crate) fn begins_on_a_line_of_its_own(object: &[u8]) -> bool {
    let inside = &object[1..];
    let indented = &inside[..inside.len() - inside.trim_ascii_start().len()];
    indented.contains(&b'\n')
}

/// The keys of the object that `text` begins with, as far as they stand on its first line.
pub(crate) fn first_line_keys(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let line = memchr::memchr(b'\n', text).map_or(text, |end| &text[..end]);
    let mut rest = &line[1..];
    std::iter::from_fn(move || {
        let key = rest.trim_ascii_start();
        let key_length = key.first().filter(|byte| **byte == b'"').and_then(|_| Splitter::whole(key))?;
        let value = key[key_length..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        let after = Splitter::whole(value).map_or(&[][..], |length| value[length..].trim_ascii_start());
        rest = after.strip_prefix(b",").unwrap_or(&[]);
        Some(&key[1..key_length - 1])
    })
}

fn refuse_markup(window: &Window, expected: Format) -> Result<Format, InputFault> {
    if window.bytes.trim_ascii_start().starts_with(b"<") {
        return Err(InputFault::Markup { expected });
    }
    Ok(expected)
}

/// A name that promises another format than the content has. JSON is not looked at here: its
/// cutter sees the difference, wherever it is.
fn refuse_other_format(window: &Window, expected: Format) -> Result<Format, InputFault> {
    let text = window.bytes.trim_ascii_start();
    let found = match (expected, text.first()) {
        (Format::Ndjson, Some(b'{')) if first_line_keys(text).next().is_some_and(is_envelope_key) => {
            Format::Json
        }
        (Format::Csv, Some(b'{' | b'[')) => format_of_items(text),
        _ => return Ok(expected),
    };
    Err(InputFault::LooksLike { found, expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_tell_the_format_also_under_gz() {
        for (name, format) in [
            ("a.json", Some(Format::Json)),
            ("a.JSONL", Some(Format::Ndjson)),
            ("a.b.ndjson.gz", Some(Format::Ndjson)),
            ("a.tsv.GZ", Some(Format::Csv)),
            ("a.txt", None),
            ("a.gz", None),
            (".json", None),
            ("json", None),
        ] {
            assert_eq!(by_extension(&InputName::File(name.into())), format, "{name}");
        }
        assert_eq!(by_extension(&InputName::Stdin), None);
    }

    #[test]
    fn content_tells_the_format() {
        for (content, format) in [
            (" [", Format::Json),
            ("{ \"items\" :", Format::Json),
            ("{\"results\":[", Format::Json),
            ("{\"index\":0,\"credential\":{\"results\":[]}}\n{", Format::Ndjson),
            ("{\"a\":[1,{\"b\":\"}\"}],\"items\":[", Format::Json),
            ("{\r\n  \"data\"", Format::Json),
            ("{\"request\":{\"items\":1}}\n{\"items\":1}", Format::Ndjson),
            ("{}", Format::Ndjson),
            ("{\"\\", Format::Ndjson),
            ("", Format::Ndjson),
            ("subject_id", Format::Csv),
            ("\"subject_id\"", Format::Csv),
        ] {
            assert_eq!(format_of_items(content.as_bytes()), format, "{content}");
        }
    }

    #[test]
    fn pretty_printed_json_is_known_whatever_it_is_called() {
        for (content, is_pretty) in [
            ("{\n  \"request\"", true),
            ("{\r\n\r\n\t\"request\"", true),
            ("[\n  {", true),
            ("{\n", false),
            ("{\n{\"request\"", false),
            ("{\n}", false),
            ("[\n]", false),
            ("{ \"request\": {\n", false),
            ("[{\"request\"", false),
            ("", false),
        ] {
            assert_eq!(is_pretty_printed(content.as_bytes()), is_pretty, "{content}");
        }
    }
}
