//! What `deliver` takes.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueHint};

use crate::cli::credential_names::NameBy;
use crate::cli::shared_args::JobsArg;

/// What `deliver` takes.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  beltic deliver results.ndjson --out handover
  beltic deliver results.csv --out handover --name-by correlation-id --locale de
  beltic deliver results.ndjson --out handover --column subject.email
  beltic deliver results.ndjson --out h --disclose 'claims.beneficial_owners[]'
  beltic deliver results.ndjson --out h --page https://issuer.example/check
")]
pub(crate) struct DeliverArgs {
    /// Results of `batch-issue`, or files of tokens [default: standard input, also `-`]
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub inputs: Vec<String>,
    /// Write a folder for each credential, and index.csv, into this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Output")]
    pub out: PathBuf,
    /// What names the folders of credentials
    #[arg(long, value_name = "FIELD", value_enum, default_value = "credential-id", help_heading = "Output")]
    pub name_by: NameBy,
    /// Write to a folder that is not empty; replace index.csv and the folders of the same names
    #[arg(long, help_heading = "Output")]
    pub force: bool,
    /// Also put this into index.csv: correlation_id, link, or a claim such as subject.name; repeatable
    #[arg(long, value_name = "NAME", value_parser = column, help_heading = "Output")]
    pub column: Vec<Column>,

    /// Address of the verification page [default: status.base_url, then /verify/]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, help_heading = "Certificate")]
    pub page: Option<String>,
    /// Language of the certificates, such as de or fr-CH [default: the first of the type's display, else en]
    #[arg(long, value_name = "TAG", value_parser = locale, help_heading = "Certificate")]
    pub locale: Option<String>,
    /// Put this image on the certificates, in place of the type's own logo: PNG, JPEG, GIF, WebP or SVG, at most 64 kB
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Certificate")]
    pub logo: Option<PathBuf>,
    /// Show this claim of an SD-JWT on the certificate and in the link, although its holder may hide it: a path as for `present`, or `*` for all; repeatable
    #[arg(long, value_name = "PATH", value_parser = NonEmptyStringValueParser::new(), help_heading = "Certificate")]
    pub disclose: Vec<String>,

    /// How much is done at once.
    #[command(flatten)]
    pub jobs: JobsArg,
}

/// A column of the index that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Column {
    /// The item's own name.
    CorrelationId,
    /// Where the code leads.
    Link,
    /// A claim, hidden or not.
    Claim(String),
}

impl Column {
    /// The name in the header.
    pub(crate) fn name(&self) -> &str {
        match self {
            Column::CorrelationId => "correlation_id",
            Column::Link => "link",
            Column::Claim(path) => path,
        }
    }
}

fn column(text: &str) -> Result<Column, String> {
    match text {
        "correlation_id" => Ok(Column::CorrelationId),
        "link" => Ok(Column::Link),
        path if ["subject.", "claims."]
            .iter()
            .any(|start| path.len() > start.len() && path.starts_with(start)) =>
        {
            Ok(Column::Claim(path.to_owned()))
        }
        _ => Err("expected correlation_id, link, or the path of a claim, such as subject.name".to_owned()),
    }
}

/// A language tag, as type files have them.
fn locale(text: &str) -> Result<String, String> {
    let is_word =
        |word: &str| (1..=8).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let mut words = text.split('-');
    let language = words.next().unwrap_or_default();
    let is_language = language.len() > 1 && language.bytes().all(|byte| byte.is_ascii_alphabetic());
    match is_language && is_word(language) && words.all(is_word) {
        true => Ok(text.to_owned()),
        false => Err("expected a language tag, such as de or fr-CH".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_and_locales_are_checked_before_anything_is_written() {
        assert_eq!(column("link"), Ok(Column::Link));
        assert_eq!(column("subject.name").as_ref().map(Column::name), Ok("subject.name"));
        for text in ["", "subject", "subject.", "name", "iss"] {
            assert!(column(text).is_err(), "{text}");
        }
        for text in ["de", "de-CH", "zh-Hant-TW", "de-1996"] {
            assert_eq!(locale(text), Ok(text.to_owned()));
        }
        for text in ["", "d", "de_CH", "de-", "deutschland", "de\"><script>"] {
            assert!(locale(text).is_err(), "{text}");
        }
    }
}
