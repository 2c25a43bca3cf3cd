//! How CSV files are read.

use std::collections::BTreeMap;

use encoding_rs::Encoding;

use super::Settings;
use crate::cli::config::{CsvConfig, OneOrSeveral};
use crate::cli::failure::Failure;
use crate::cli::project::Origin;
use crate::source::{LineBreaks, Mapping};

/// What stands in `csv.ignore` for every header that nothing is known of.
const EVERY_UNKNOWN: &str = "*";

impl Settings {
    /// The encoding of inputs without a byte order mark, where somebody names one.
    pub(crate) fn encoding(&self, given: &Option<String>) -> Option<String> {
        self.value(given, |config| &config.csv.encoding)
    }

    /// How the columns of CSV files are read: each setting from the project's file, else from the user's. `set` is what
    /// this run lays down, as `FIELD=VALUE`.
    pub(crate) fn mapping(&self, set: &[String]) -> Result<Mapping, Failure> {
        let files = [&self.project.config.csv, &self.user.config.csv];
        let ignored =
            files.iter().find_map(|csv| csv.ignore.as_ref()).map(OneOrSeveral::all).unwrap_or_default();
        let fields =
            |(header, fields): (&String, &OneOrSeveral<String>)| (header.clone(), fields.all().to_vec());
        Ok(Mapping {
            columns: first_map(files, |csv| &csv.columns).iter().map(fields).collect(),
            ignored: ignored.iter().filter(|header| *header != EVERY_UNKNOWN).cloned().collect(),
            ignores_unknown: ignored.iter().any(|header| header == EVERY_UNKNOWN),
            constants: first_map(files, |csv| &csv.constants).clone(),
            set: set.iter().map(|pair| set_field(pair)).collect::<Result<_, _>>()?,
            defaults: first_map(files, |csv| &csv.defaults).clone(),
            values: first_map(files, |csv| &csv.values).clone(),
            dates: first_map(files, |csv| &csv.dates).clone(),
            allows_percent_sign: self.allows_percent_sign()?,
            nulls: files
                .iter()
                .map(|csv| &csv.nulls)
                .find(|nulls| !nulls.is_empty())
                .into_iter()
                .flatten()
                .cloned()
                .collect(),
        })
    }

    /// What separates cells, and the encoding of files, where somebody says so.
    pub(crate) fn csv_form(
        &self,
        delimiter: &Option<String>,
        encoding: &Option<String>,
    ) -> Result<(Option<u8>, Option<&'static Encoding>), Failure> {
        let typed = |given: &Option<String>, flag| given.as_ref().map(|_| Origin::typed(flag, None));
        let (delimiter_flag, encoding_flag) =
            (typed(delimiter, "--delimiter"), typed(encoding, "--encoding"));
        let delimiter_from = self.origin(delimiter_flag, "csv.delimiter", |config| &config.csv.delimiter);
        let encoding_from = self.origin(encoding_flag, "csv.encoding", |config| &config.csv.encoding);
        let delimiter = self.value(delimiter, |config| &config.csv.delimiter);
        let delimiter = delimiter.map(|text| parse_delimiter(&text, &delimiter_from)).transpose()?;
        let encoding =
            self.encoding(encoding).map(|name| find_encoding(&name, &encoding_from)).transpose()?;
        Ok((delimiter, encoding))
    }

    fn allows_percent_sign(&self) -> Result<bool, Failure> {
        match self.value(&None, |config| &config.csv.percent_sign).as_deref() {
            None | Some("refused") => Ok(false),
            Some("allowed") => Ok(true),
            Some(word) => {
                Err(Failure::usage(format!("csv.percent_sign is \"{word}\"; expected allowed or refused")))
            }
        }
    }

    /// Whether CSV cells can hold line breaks.
    pub(crate) fn line_breaks(&self) -> Result<LineBreaks, Failure> {
        let Some(word) = self.value(&None, |config| &config.csv.line_breaks) else {
            return Ok(LineBreaks::default());
        };
        let known = LineBreaks::ALL.into_iter().find(|(name, _)| *name == word);
        known.map(|(_, line_breaks)| line_breaks).ok_or_else(|| {
            Failure::usage(format!("csv.line_breaks is \"{word}\"; expected allowed or never"))
                .hint("write `line_breaks: never` under `csv` only if no cell holds a line break")
        })
    }
}

/// A mapping of the first file that has one; an empty one where none has.
fn first_map<'c, T>(
    [project, user]: [&'c CsvConfig; 2],
    of: impl Fn(&'c CsvConfig) -> &'c BTreeMap<String, T>,
) -> &'c BTreeMap<String, T> {
    if of(project).is_empty() { of(user) } else { of(project) }
}

/// A field and the text of its cells, from `FIELD=VALUE`.
fn set_field(pair: &str) -> Result<(String, String), Failure> {
    let (field, value) = pair.split_once('=').ok_or_else(|| {
        Failure::usage(format!("--set is \"{pair}\"; expected FIELD=VALUE, such as jurisdiction=GB"))
    })?;
    Ok((field.trim().to_owned(), value.to_owned()))
}

fn find_encoding(name: &str, origin: &Origin) -> Result<&'static Encoding, Failure> {
    Encoding::for_label(name.as_bytes()).ok_or_else(|| {
        Failure::usage(format!("{origin} is \"{name}\", which is not a known encoding")).hint(
            "use a name from the WHATWG Encoding Standard, such as windows-1252, iso-8859-1 or shift_jis; convert a file of another encoding with `iconv -f NAME -t utf-8`",
        )
    })
}

fn parse_delimiter(text: &str, origin: &Origin) -> Result<u8, Failure> {
    match text.as_bytes() {
        _ if text.eq_ignore_ascii_case("tab") || text == "\\t" => Ok(b'\t'),
        [byte]
            if byte.is_ascii()
                && !matches!(byte, b'"' | b'\n' | b'\r' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z') =>
        {
            Ok(*byte)
        }
        _ => Err(Failure::usage(format!(
            "{origin} is \"{text}\"; expected one character such as ; or the word tab"
        ))),
    }
}
