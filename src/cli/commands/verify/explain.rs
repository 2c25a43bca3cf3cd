//! What is missing to verify credentials, for people: what to fetch from where, and the commands that do it.
//!
//! `--explain` says it of credentials whose key or status list is missing. `verify` without any key says it of all of
//! them. Everything here comes from tokens that nobody has verified: addresses are taken apart and put together again,
//! quoted, and never fetched here. How much is said is bounded, whatever the number of tokens.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use base64_simd::STANDARD;

use super::VerifyArgs;
use super::said::Said;
use crate::cli::streams::{grouped, printable};
use crate::issuer::{KeyPlace, key_place};
use crate::json::{Parser, Value};
use crate::keys::CertificateInfo;
use crate::request::rules::is_uri;
use crate::token::{Compact, Part, decode_text, parse_object};
use crate::verify::{Reason, Verdict};

/// How many issuers are explained, and how many lists of each.
const MAX_ISSUERS: usize = 10;
const MAX_LISTS: usize = 20;
/// The longest address that is put into a command.
const MAX_URL_BYTES: usize = 500;

/// What is missing, by issuer.
#[derive(Debug, Default)]
pub(super) struct Missing {
    issuers: BTreeMap<String, OfIssuer>,
    /// Tokens of further issuers, and those that cannot be read.
    others: u64,
}

/// What is missing for the credentials of one issuer.
#[derive(Debug)]
struct OfIssuer {
    tokens: u64,
    /// What the first of them says.
    first: Said,
    /// Where the keys are; none where they are not missing.
    keys: Option<KeySource>,
    lists: BTreeSet<String>,
}

/// Where the keys of an issuer are.
#[derive(Debug, Clone, PartialEq, Eq)]
enum KeySource {
    Place(KeyPlace),
    /// They come with certificates, of which this authority issued the last.
    Authority(String),
    /// Nothing says.
    Unknown,
}

impl Missing {
    /// Notes what a verdict says to be missing.
    pub(super) fn note(&mut self, token: &str, verdict: &Verdict<'_>) {
        match verdict {
            Verdict::Invalid(refusal) => match refusal.reason {
                Reason::UnknownKid | Reason::CertificateInvalid => self.add_token(token, true),
                Reason::StatusUnknown => self.add_token(token, false),
                _ => {}
            },
            Verdict::Valid(_) => {}
        }
    }

    /// Notes a token for which everything is missing, or the status lists alone.
    pub(super) fn add_token(&mut self, token: &str, needs_keys: bool) {
        let Some(said) = Said::of_token(token) else {
            self.others += 1;
            return;
        };
        let issuer = said.issuer.clone().unwrap_or_default();
        if !self.issuers.contains_key(&issuer) && self.issuers.len() == MAX_ISSUERS {
            self.others += 1;
            return;
        }
        let lists = said.lists.clone();
        let of_issuer = self.issuers.entry(issuer).or_insert_with(|| OfIssuer {
            tokens: 0,
            keys: None,
            lists: BTreeSet::new(),
            first: said,
        });
        of_issuer.tokens += 1;
        if needs_keys && of_issuer.keys.is_none() {
            of_issuer.keys = Some(key_source(token, of_issuer.first.issuer.as_deref()));
        }
        of_issuer.add_lists(lists);
    }

    pub(super) fn add(&mut self, other: Missing) {
        self.others += other.others;
        for (issuer, found) in other.issuers {
            let is_full = self.issuers.len() == MAX_ISSUERS;
            match self.issuers.get_mut(&issuer) {
                Some(known) => {
                    known.tokens += found.tokens;
                    known.keys = known.keys.take().or(found.keys);
                    known.add_lists(found.lists);
                }
                None if is_full => self.others += found.tokens,
                None => drop(self.issuers.insert(issuer, found)),
            }
        }
    }

    /// The explanation, a line each; none where nothing is missing.
    pub(super) fn lines(&self, args: &VerifyArgs) -> Vec<String> {
        let mut commands = Commands::default();
        let mut lines = Vec::new();
        for of_issuer in self.issuers.values() {
            of_issuer.explain(&mut lines, &mut commands, self.issuers.len() == 1);
        }
        if self.others > 0 {
            let noun = if self.others == 1 { "token" } else { "tokens" };
            lines.push(format!("{} more {noun} of other issuers, or unreadable", grouped(self.others)));
        }
        commands.push_to(&mut lines, args);
        lines
    }
}

impl OfIssuer {
    fn add_lists(&mut self, lists: impl IntoIterator<Item = String>) {
        for list in lists {
            if self.lists.len() == MAX_LISTS {
                return;
            }
            self.lists.insert(list);
        }
    }

    fn explain(&self, lines: &mut Vec<String>, commands: &mut Commands, is_alone: bool) {
        let count = match self.tokens {
            1 => String::new(),
            count => format!(" (the first of {})", grouped(count)),
        };
        lines.push(match self.keys {
            Some(_) => format!("Not verified. A token says{count}:"),
            None => format!("Verified except for its status. A token says{count}:"),
        });
        let Said { issuer, subject, kind, until, .. } = &self.first;
        for (name, value) in [("issuer", issuer), ("about", subject), ("type", kind), ("until", until)] {
            lines.push(format!("  {name:<8} {}", value.as_deref().unwrap_or("it does not say")));
        }
        match &self.keys {
            None => {}
            Some(KeySource::Place(KeyPlace::DidDocument(url))) => {
                lines.push(format!("  keys     {url}"));
                commands.fetch("did", "json", "--did", url);
            }
            Some(KeySource::Place(KeyPlace::IssuerMetadata(url))) => {
                lines.push(format!("  keys     {url}"));
                commands.fetch("issuer", "json", "--jwks", url);
            }
            Some(KeySource::Place(KeyPlace::InDid)) => {
                lines.push("  keys     in the DID itself; anybody can make one, so ask the issuer whether it is theirs".to_owned());
                if is_alone && let Some(issuer) = issuer {
                    commands.flags.push(format!("--issuer {}", quoted(issuer)));
                }
            }
            Some(KeySource::Authority(authority)) => {
                lines.push(format!("  keys     in its certificates; get that of the authority {authority} from a source you trust"));
                commands.flags.push("--trust-anchor AUTHORITY.pem".to_owned());
            }
            Some(KeySource::Unknown) => {
                lines.push("  keys     it does not say where; ask the issuer for the public key".to_owned());
                commands.flags.push("--key KEY.jwk".to_owned());
            }
        }
        for list in &self.lists {
            match can_be_fetched(list) {
                true => {
                    lines.push(format!("  status   {list}"));
                    commands.fetch("list", "jwt", "--status-list", list);
                }
                false => {
                    lines.push(format!("  status   {} cannot be fetched; ask the issuer for it", shown(list)))
                }
            }
        }
    }
}

/// The commands that fetch what is missing, and the flags that use it.
#[derive(Debug, Default)]
struct Commands {
    fetches: Vec<String>,
    flags: Vec<String>,
    /// How many files there are of each name.
    files: BTreeMap<&'static str, usize>,
}

impl Commands {
    fn fetch(&mut self, name: &'static str, end: &str, flag: &str, url: &str) {
        let number = self.files.entry(name).or_default();
        *number += 1;
        let file = if *number == 1 { format!("{name}.{end}") } else { format!("{name}-{number}.{end}") };
        self.fetches.push(format!("  curl -fsS -o {file} {}", quoted(url)));
        self.flags.push(format!("{flag} {file}"));
    }

    fn push_to(self, lines: &mut Vec<String>, args: &VerifyArgs) {
        if self.flags.is_empty() {
            return;
        }
        lines.push(match self.fetches.is_empty() {
            true => "To verify it:".to_owned(),
            false => {
                "To verify it, fetch what is missing. Check first that the host is the issuer's:".to_owned()
            }
        });
        lines.extend(self.fetches);
        let inputs: Vec<String> = args.inputs.iter().map(|input| input_in_words(input)).collect();
        let inputs = if inputs.is_empty() { "-".to_owned() } else { inputs.join(" ") };
        let more = if args.names_keys() { " (and the flags of this command)" } else { "" };
        lines.push(format!("  beltic verify {inputs} {}{more}", self.flags.join(" ")));
    }
}

/// An input as it is typed. A token is not repeated.
fn input_in_words(input: &str) -> String {
    match input == "-" || Path::new(input).exists() {
        true => quoted(&printable(input)),
        false => "TOKEN".to_owned(),
    }
}

fn key_source(token: &str, issuer: Option<&str>) -> KeySource {
    if let Some(authority) = last_authority(token) {
        return KeySource::Authority(shown(&authority));
    }
    issuer.and_then(key_place).map_or(KeySource::Unknown, KeySource::Place)
}

/// Who issued the last certificate in a token's `x5c`.
fn last_authority(token: &str) -> Option<String> {
    let compact = Compact::split(token).ok()?;
    let (mut buffer, mut parser) = (Vec::new(), Parser::default());
    let header = decode_text(compact.header, Part::Header, &mut buffer).ok()?;
    let document = parse_object(header, Part::Header, &mut parser).ok()?;
    let last = document.root().member("x5c")?.elements().last().and_then(Value::as_str)?;
    Some(CertificateInfo::of_der(&STANDARD.decode_to_vec(&*last).ok()?)?.issuer)
}

fn can_be_fetched(url: &str) -> bool {
    url.starts_with("https://") && url.len() <= MAX_URL_BYTES && is_uri(url) && !url.contains('\'')
}

fn shown(text: &str) -> String {
    printable(&text.chars().take(MAX_URL_BYTES).collect::<String>())
}

/// A word for a POSIX shell.
fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+,=".contains(&byte);
    match !word.is_empty() && word.bytes().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_act_on_is_quoted() {
        for (word, expected) in [
            ("did.json", "did.json"),
            ("https://a.example/b?c=d&e", "'https://a.example/b?c=d&e'"),
            ("a'; rm -rf ~", r"'a'\''; rm -rf ~'"),
            ("$(x)", "'$(x)'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }

    #[test]
    fn only_sound_addresses_are_fetched() {
        assert!(can_be_fetched("https://a.example/1.jwt"));
        let long = format!("https://a.example/{}", "x".repeat(MAX_URL_BYTES));
        for url in [
            "http://a.example",
            "file:///etc/passwd",
            "urn:a",
            "https://a b",
            "https://a'b",
            "",
            "https://ä",
            &long,
        ] {
            assert!(!can_be_fetched(url), "{url}");
        }
    }
}
