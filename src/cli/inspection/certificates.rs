//! Certificates laid out for reading: those in the `x5c` of a header, and those of a PEM file.

use std::fmt::Write;

use base64_simd::STANDARD;

use super::{InspectionPage, MAX_VALUE_CHARS, page};
use crate::cli::streams::printable;
use crate::clock::UnixTime;
use crate::json::{self, Parser, Value};
use crate::keys::{CertificateInfo, MAX_CERTIFICATES};

/// The certificates of a header's `x5c`, of which no chain has more; none for each that cannot be read.
pub(super) fn of_header(header: &str) -> Vec<Option<CertificateInfo>> {
    let mut parser = Parser::default();
    let Ok(document) = parser.parse(header) else { return Vec::new() };
    let x5c = document.root().member("x5c").into_iter().flat_map(Value::elements);
    let read = |text: Value<'_>| {
        let der = STANDARD.decode_to_vec(&*text.as_str()?).ok()?;
        CertificateInfo::of_der(&der)
    };
    x5c.take(MAX_CERTIFICATES).map(read).collect()
}

/// The certificates of a PEM file, laid out.
pub(super) fn of_pem(pem: &[u8], as_json: bool, now: UnixTime) -> Option<String> {
    let certificates = CertificateInfo::of_pem(pem).filter(|found| !found.is_empty())?;
    if as_json {
        let mut out = String::new();
        for certificate in &certificates {
            out.push_str(r#"{"verified":false,"kind":"X.509 certificate","#);
            push_members(&mut out, certificate);
            out.push_str("}\n");
        }
        return Some(out);
    }
    let mut page = page(now);
    page.certificates(&certificates.into_iter().map(Some).collect::<Vec<_>>(), 0);
    Some(page.out)
}

/// `,"certificates":[…]`, if there are any.
pub(super) fn push_json(out: &mut String, certificates: &[Option<CertificateInfo>]) {
    if certificates.is_empty() {
        return;
    }
    out.push_str(r#","certificates":["#);
    for (place, certificate) in certificates.iter().enumerate() {
        out.push_str(if place == 0 { "{" } else { ",{" });
        match certificate {
            Some(certificate) => push_members(out, certificate),
            None => out.push_str(r#""problem":"it is not an X.509 certificate""#),
        }
        out.push('}');
    }
    out.push(']');
}

fn push_members(out: &mut String, certificate: &CertificateInfo) {
    let CertificateInfo { names, issuer, valid_from, valid_until, is_ca, path_length, key, .. } = certificate;
    let mut text = |name: &str, value: &str| {
        let _ = write!(out, r#""{name}":"#);
        json::push_str_to(out, value);
        out.push(',');
    };
    text("subject", &names.subject);
    text("issuer", issuer);
    text("valid_from", &time(*valid_from));
    text("valid_until", &time(*valid_until));
    match key {
        Ok(public) => text("thumbprint", public.thumbprint()),
        Err(problem) => text("key_problem", problem),
    }
    text("sha256", &certificate.fingerprint());
    let usage: Vec<String> =
        certificate.usage_names().unwrap_or_default().into_iter().map(str::to_owned).collect();
    for (name, values) in [("uris", &names.uris), ("dns_names", &names.dns_names), ("key_usage", &usage)] {
        let values: Vec<String> = values.iter().map(|value| json::string(value)).collect();
        let _ = write!(out, r#""{name}":[{}],"#, values.join(","));
    }
    let _ = write!(out, r#""ca":{is_ca}"#);
    if let Some(length) = path_length {
        let _ = write!(out, r#","path_length":{length}"#);
    }
}

impl InspectionPage {
    pub(super) fn certificates(&mut self, certificates: &[Option<CertificateInfo>], indent: usize) {
        for (place, certificate) in certificates.iter().enumerate() {
            let _ = writeln!(self.out, "\n{:indent$}certificate {}", "", place + 1);
            match certificate {
                Some(certificate) => self.certificate(certificate, indent + 2),
                None => self.line(indent + 2, "problem", "it is not an X.509 certificate"),
            }
        }
    }

    fn certificate(&mut self, certificate: &CertificateInfo, indent: usize) {
        let CertificateInfo { names, issuer, is_ca, path_length, key, .. } = certificate;
        let cut = |text: &str| printable(&text.chars().take(MAX_VALUE_CHARS).collect::<String>());
        self.line(indent, "subject", &cut(&names.subject));
        self.line(indent, "issuer", &cut(issuer));
        let all: Vec<&str> = names.uris.iter().chain(&names.dns_names).map(String::as_str).collect();
        self.line(indent, "names", &if all.is_empty() { "none".to_owned() } else { cut(&all.join(", ")) });
        for (name, seconds) in [("from", certificate.valid_from), ("until", certificate.valid_until)] {
            let away = UnixTime::from_seconds(seconds).map(|time| self.away(time)).unwrap_or_default();
            self.line(indent, name, &format!("{}  ({away})", time(seconds)));
        }
        match key {
            Ok(public) => self.line(indent, "thumbprint", public.thumbprint()),
            Err(problem) => self.line(indent, "key", &cut(problem)),
        }
        let authority = match (is_ca, path_length) {
            (false, _) => "no".to_owned(),
            (true, None) => "yes".to_owned(),
            (true, Some(length)) => format!("yes, with at most {length} authorities below it"),
        };
        self.line(indent, "authority", &authority);
        let usage = certificate.usage_names().map_or_else(|| "any".to_owned(), |names| names.join(", "));
        self.line(indent, "key usage", &usage);
        self.line(indent, "sha256", &certificate.fingerprint());
    }
}

fn time(seconds: i64) -> String {
    UnixTime::from_seconds(seconds).map_or_else(|| seconds.to_string(), |time| time.to_string())
}
