//! Which of the three formats an input is in: as told, by its name, or by its first bytes.

use std::path::Path;

use super::bytes::Bytes;
use super::columns::{names_credential, names_own_id};
use super::csv::{cells_of_line, separator_line};
use super::error::{InputFault, InputName};
use super::feed::Window;
use super::json::Splitter;
use super::{Contents, Format, Options};
use crate::request::fields::{BARE_ITEM, ITEM};

/// How much of an input without a telling name is looked at.
const MAX_HEAD: usize = 64 * 1024;

/// Decides the format, reading as much as that takes into the window.
pub(super) fn format(
    name: &InputName,
    bytes: &mut Bytes,
    window: &mut Window,
    options: &Options,
) -> Result<Format, InputFault> {
    if options.contents == Contents::Results {
        read_while(bytes, window, |head| is_undecided(head, |key| key == b"results"))?;
        return refuse_markup(window, form_of_results(&window.bytes, options));
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
        None => {
            read_while(bytes, window, |head| is_undecided(head, is_telling_key))?;
            refuse_markup(window, by_content(&window.bytes))
        }
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
fn is_undecided(head: &[u8], is_telling_key: impl Fn(&[u8]) -> bool) -> bool {
    let text = head.trim_ascii_start();
    match text.first() {
        None => true,
        Some(b'[' | b'<') => false,
        Some(b'{') if first_line_keys(text).next().is_some_and(&is_telling_key) => false,
        Some(_) => memchr::memchr2(b'\n', b'\r', text).is_none(),
    }
}

/// Whether an object's first key alone decides between an envelope and an item.
fn is_telling_key(key: &[u8]) -> bool {
    key == b"items" || std::str::from_utf8(key).is_ok_and(is_item_key)
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

fn by_content(head: &[u8]) -> Format {
    let text = head.trim_ascii_start();
    match text.first() {
        Some(b'[') => Format::Json,
        Some(b'{') if looks_like_envelope(text) => Format::Json,
        Some(b'{') | None => Format::Ndjson,
        Some(_) => Format::Csv,
    }
}

/// Whether an object is an envelope rather than the first of many items: `items` is among its
/// keys, or it begins on a line of its own, as no line of NDJSON does.
fn looks_like_envelope(text: &[u8]) -> bool {
    begins_on_a_line_of_its_own(text) || first_line_keys(text).any(|key| key == b"items")
}

fn begins_on_a_line_of_its_own(object: &[u8]) -> bool {
    let inside = &object[1..];
    let indented = &inside[..inside.len() - inside.trim_ascii_start().len()];
    indented.contains(&b'\n')
}

/// The form of results and of lists: a list is lines, as NDJSON is.
fn form_of_results(head: &[u8], options: &Options) -> Format {
    let text = head.trim_ascii_start();
    match text.first() {
        Some(b'[') => Format::Json,
        Some(b'{') if looks_like_results(text) => Format::Json,
        Some(b'{') | None => Format::Ndjson,
        Some(_) if looks_like_table(text, options) => Format::Csv,
        Some(_) => Format::Ndjson,
    }
}

/// Whether an object is the envelope of results: no result has a key of that name.
fn looks_like_results(text: &[u8]) -> bool {
    let is_of_envelope = |key: &[u8]| [&b"results"[..], b"success_count", b"failure_count"].contains(&key);
    begins_on_a_line_of_its_own(text) || first_line_keys(text).any(is_of_envelope)
}

/// Whether the first line is the header of a table, which a list does not have: several cells,
/// one of them a known name, or none of them an id or a token; or the name of a column of the user's own ids alone.
/// A header without a known name is refused as such, with its names.
fn looks_like_table(text: &[u8], options: &Options) -> bool {
    let line = memchr::memchr2(b'\n', b'\r', text).map_or(text, |end| &text[..end]);
    let line = String::from_utf8_lossy(line);
    if separator_line(line.as_bytes()).is_some() {
        return true;
    }
    let cells: Vec<&str> = cells_of_line(&line, options).filter(|cell| !cell.is_empty()).collect();
    if let ([name], true) = (cells.as_slice(), options.own_ids) {
        return names_own_id(name);
    }
    let is_credential = |cell: &&str| cell.contains(':') || cell.starts_with("eyJ");
    cells.len() > 1
        && !line.starts_with('#')
        && (cells.iter().any(|cell| names_credential(cell)) || !cells.iter().any(is_credential))
}

/// The keys of the object that `text` begins with, as far as they stand on its first line.
fn first_line_keys(text: &[u8]) -> impl Iterator<Item = &[u8]> {
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

/// Whether a key is one that an item has, so that the object around it is no envelope.
pub(super) fn is_item_key(key: &str) -> bool {
    ITEM.field(key).is_some() || BARE_ITEM.field(key).is_some()
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
        (Format::Ndjson, Some(b'{')) if first_line_keys(text).next() == Some(b"items") => Format::Json,
        (Format::Csv, Some(b'{' | b'[')) => by_content(text),
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
    fn results_are_known_by_their_first_line() {
        let options = Options { contents: Contents::Results, ..Options::default() };
        for (content, format) in [
            ("", Format::Ndjson),
            ("[\"urn:uuid:1\"]", Format::Json),
            ("{\"index\":0,\"results\":", Format::Json),
            ("{ \"index\": 0, \"credential\": {}}\n{\"results\":[]}", Format::Ndjson),
            ("{\"failure_count\":0,\"results\":[{", Format::Json),
            ("{\"success_count\":1,\n\"results\"", Format::Json),
            ("{\n  \"other\"", Format::Json),
            ("index;ID;x", Format::Csv),
            ("\"index\",\"Credential ID\"\r\n", Format::Csv),
            ("a\tsigned_payload", Format::Csv),
            ("sep=,\nid", Format::Csv),
            ("subject_id,claims_jurisdiction", Format::Csv),
            ("id", Format::Ndjson),
            ("\"ID\",\n", Format::Ndjson),
            ("\"urn:uuid:1\"\n", Format::Ndjson),
            ("urn:uuid:1,Acme\n", Format::Ndjson),
            ("# id, and so on\nurn:uuid:1", Format::Ndjson),
            ("eyJh.e30.x\n", Format::Ndjson),
        ] {
            assert_eq!(form_of_results(content.as_bytes(), &options), format, "{content}");
        }
    }

    #[test]
    fn content_tells_the_format() {
        for (content, format) in [
            (" [", Format::Json),
            ("{ \"items\" :", Format::Json),
            ("{\"a\":[1,{\"b\":\"}\"}],\"items\":[", Format::Json),
            ("{\r\n  \"data\"", Format::Json),
            ("{\"request\":{\"items\":1}}\n{\"items\":1}", Format::Ndjson),
            ("{}", Format::Ndjson),
            ("{\"\\", Format::Ndjson),
            ("", Format::Ndjson),
            ("subject_id", Format::Csv),
            ("\"subject_id\"", Format::Csv),
        ] {
            assert_eq!(by_content(content.as_bytes()), format, "{content}");
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
