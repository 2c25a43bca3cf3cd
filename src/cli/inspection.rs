//! A token laid out for reading, as text or as JSON.

mod certificates;

use std::collections::BTreeSet;
use std::fmt::Write;

use base64_simd::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::streams::{grouped, printable};
use crate::clock::UnixTime;
use crate::json::{self, Kind, Parser, Value};
use crate::keys::PublicKey;
use crate::request::rules;
use crate::status_list::{bitstring, token_list};
use crate::token::{
    Compact, DisclosureError, Part, Processed, TokenError, decode, decode_text, parse_object, process,
};

/// A token, decoded and not judged.
pub struct Inspection {
    header: String,
    /// The payload as it was signed.
    payload: String,
    /// The payload with its disclosures, where they fit.
    processed: Result<Processed, DisclosureError>,
    kind: &'static str,
    sizes: Sizes,
    key_binding: Option<KeyBindingShown>,
}

/// A key binding JWT, decoded.
struct KeyBindingShown {
    header: String,
    claims: String,
}

impl KeyBindingShown {
    fn of(text: &str) -> Result<KeyBindingShown, TokenError> {
        let compact = Compact::split(text)?;
        let (mut buffer, mut parser) = (Vec::new(), Parser::for_tokens());
        let mut object = |text, part| {
            let text = decode_text(text, part, &mut buffer)?.to_owned();
            parse_object(&text, part, &mut parser)?;
            Ok::<_, TokenError>(text)
        };
        Ok(KeyBindingShown {
            header: object(compact.header, Part::Header)?,
            claims: object(compact.payload, Part::Payload)?,
        })
    }
}

/// Lengths in the token, in bytes.
struct Sizes {
    token: usize,
    jwt: usize,
    signature: usize,
    disclosures: usize,
}

/// What every form of the output begins with.
const NOTHING_VERIFIED: &str = "decoded only: no signature, date or status was checked";

impl Inspection {
    /// Decodes a token. Disclosures that do not fit are told of, and the payload is shown without them.
    pub fn of(token: &str) -> Result<Inspection, TokenError> {
        let compact = Compact::split(token)?;
        let (mut buffer, mut parser) = (Vec::new(), Parser::for_tokens());
        let header = decode_text(compact.header, Part::Header, &mut buffer)?.to_owned();
        let typ = {
            let document = parse_object(&header, Part::Header, &mut parser)?;
            document.root().member("typ").and_then(Value::as_str).unwrap_or_default().into_owned()
        };
        let signature = decode(compact.signature, Part::Signature, &mut buffer)?.len();
        let payload = decode_text(compact.payload, Part::Payload, &mut buffer)?.to_owned();
        let document = parse_object(&payload, Part::Payload, &mut parser)?;
        let kind = kind(&typ, document.root(), compact.is_sd_jwt);
        let processed = match compact.is_sd_jwt {
            true => process(document.root(), &compact.disclosures),
            false => {
                Ok(Processed { payload: payload.clone(), disclosed: Vec::new(), unexplained: Vec::new() })
            }
        };
        let sizes = Sizes {
            token: token.len(),
            jwt: compact.jwt.len(),
            signature,
            disclosures: compact.disclosures.iter().map(|text| text.len()).sum(),
        };
        let key_binding = compact.key_binding.map(KeyBindingShown::of).transpose()?;
        Ok(Inspection { header, payload, processed, kind, sizes, key_binding })
    }

    /// Why the disclosures do not fit, if they do not.
    pub fn disclosure_problem(&self) -> Option<DisclosureError> {
        self.processed.as_ref().err().cloned()
    }

    /// The claims: with disclosures where they fit, else as they were signed.
    fn claims(&self) -> &str {
        self.processed.as_ref().map_or(&self.payload, |processed| &processed.payload)
    }

    /// For people.
    pub fn text(&self, now: UnixTime) -> String {
        let mut page =
            InspectionPage { out: format!("{NOTHING_VERIFIED}\n\n"), now, disclosable: BTreeSet::new() };
        page.line(0, "kind", self.kind);
        page.line(0, "size", &self.sizes_in_words());
        if let Some(list) = list_in_words(&self.payload) {
            page.line(0, "list", &list);
        }
        page.section("header", &self.header);
        page.certificates(&certificates::of_header(&self.header), 2);
        if let Ok(processed) = &self.processed {
            page.disclosable = processed.disclosed.iter().map(|found| found.pointer.clone()).collect();
        }
        page.section("claims", self.claims());
        page.out.push_str(&self.disclosures_in_words());
        if let Some(KeyBindingShown { header, claims }) = &self.key_binding {
            page.disclosable.clear();
            page.section("key binding header", header);
            page.section("key binding claims", claims);
        }
        page.out
    }

    fn sizes_in_words(&self) -> String {
        let Sizes { token, jwt, signature, disclosures } = self.sizes;
        let [token, jwt] = [token, jwt].map(|bytes| grouped(bytes as u64));
        match disclosures {
            0 => format!("{token} bytes; a signature of {signature} bytes"),
            disclosures => {
                let disclosures = grouped(disclosures as u64);
                format!(
                    "{token} bytes: JWT {jwt}, disclosures {disclosures}; a signature of {signature} bytes"
                )
            }
        }
    }

    fn disclosures_in_words(&self) -> String {
        let mut words = String::new();
        match &self.processed {
            Ok(processed) => {
                let (disclosed, unexplained) = (&processed.disclosed, processed.unexplained_digests());
                if !disclosed.is_empty() {
                    words += &format!("\n{} {DISCLOSABLE}\n", count(disclosed.len(), "claim"));
                }
                if unexplained > 0 {
                    let digests = count(unexplained, "digest");
                    words += &format!("\n{digests} without a disclosure: withheld claims, or decoys\n");
                }
            }
            Err(problem) => words += &format!("\ndisclosures omitted: {problem}\n"),
        }
        words
    }

    /// For programs: one object on one line.
    pub fn json(&self) -> String {
        let mut out = String::from(r#"{"verified":false,"kind":"#);
        json::push_str_to(&mut out, self.kind);
        let Sizes { token, jwt, signature, disclosures } = self.sizes;
        let _ = write!(
            out,
            r#","bytes":{{"token":{token},"jwt":{jwt},"signature":{signature},"disclosures":{disclosures}}}"#
        );
        let _ =
            write!(out, r#","header":{},"claims":{}"#, on_one_line(&self.header), on_one_line(self.claims()));
        certificates::push_json(&mut out, &certificates::of_header(&self.header));
        match &self.processed {
            Ok(processed) => push_disclosures(&mut out, processed),
            Err(problem) => {
                out.push_str(r#","disclosure_problem":"#);
                json::push_str_to(&mut out, &problem.to_string());
            }
        }
        let key_binding = self.key_binding.as_ref().map(|KeyBindingShown { header, claims }| {
            format!(r#"{{"header":{},"claims":{}}}"#, on_one_line(header), on_one_line(claims))
        });
        let _ = writeln!(out, r#","key_binding":{}}}"#, key_binding.as_deref().unwrap_or("null"));
        out
    }
}

/// A disclosure without its token (RFC 9901 section 4.2), laid out for people or for programs.
pub fn disclosure(text: &str, as_json: bool) -> Option<String> {
    let content = String::from_utf8(URL_SAFE_NO_PAD.decode_to_vec(text).ok()?).ok()?;
    let mut parser = Parser::for_tokens();
    let document = parser.parse(&content).ok()?;
    let elements: Vec<Value<'_>> = document.root().elements().collect();
    let (salt, name, value) = match elements[..] {
        [salt, value] => (salt, None, value),
        [salt, name, value] => (salt, Some(name), value),
        _ => return None,
    };
    let kind = if name.is_some() { "disclosure of a claim" } else { "disclosure of an array's element" };
    let digest = URL_SAFE_NO_PAD.encode_to_string(Sha256::digest(text));
    salt.as_str()?;
    let name = name.map(Value::text);
    if as_json {
        let name = name.map(|name| format!(r#""name":{name},"#)).unwrap_or_default();
        let (salt, value) = (salt.text(), on_one_line(value.text()));
        return Some(format!(
            r#"{{"verified":false,"kind":"{kind}","digest":"{digest}","salt":{salt},{name}"value":{value}}}{}"#,
            '\n'
        ));
    }
    let mut page = format!(
        "{NOTHING_VERIFIED}\n\nkind    {kind}\ndigest  {digest}\nsalt    {}\n",
        printable(salt.text())
    );
    if let Some(name) = name {
        page += &format!("name    {}\n", printable(name));
    }
    page += &format!("value   {}\n", printable(&on_one_line(value.text())));
    Some(page)
}

/// The largest status list that is unpacked, in bytes.
const MAX_LIST_BYTES: usize = 16 << 20;

/// How many entries a status list has, and how many say something; none where the payload is no
/// list.
fn list_in_words(payload: &str) -> Option<String> {
    let mut parser = Parser::default();
    let document = parser.parse(payload).ok()?;
    let text = |object: Value<'_>, name: &str| object.member(name)?.as_str().map(|text| text.into_owned());
    let counts = match document.root().member("status_list") {
        Some(list) => {
            let bits = list.member("bits")?.text().parse().ok()?;
            token_list::decode(bits, &text(list, "lst")?, MAX_LIST_BYTES).map(|array| {
                let set = (0..array.entries()).filter(|index| array.get(*index) != Some(0)).count();
                (array.entries(), set)
            })
        }
        None => {
            let subject = document.root().member("credentialSubject")?;
            bitstring::decode(&text(subject, "encodedList")?, MAX_LIST_BYTES).map(|list| {
                let set = (0..list.entries()).filter(|index| list.get(*index) == Some(true)).count();
                (list.entries(), set)
            })
        }
    };
    Some(match counts {
        Ok((entries, set)) => format!("{} entries, {} of them set", grouped(entries), grouped(set as u64)),
        Err(error) => format!("cannot be unpacked: {error}"),
    })
}

/// What marks a claim that its holder may withhold.
const MARK: &str = "*";
const DISCLOSABLE: &str = "can be withheld by the holder (marked *)";

fn page(now: UnixTime) -> InspectionPage {
    InspectionPage { out: format!("{NOTHING_VERIFIED}\n"), now, disclosable: BTreeSet::new() }
}

fn count(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number as u64), if number == 1 { "" } else { "s" })
}

fn push_disclosures(out: &mut String, processed: &Processed) {
    out.push_str(r#","disclosures":["#);
    for (number, found) in processed.disclosed.iter().enumerate() {
        out.push_str(if number == 0 { r#"{"path":"# } else { r#",{"path":"# });
        json::push_str_to(out, &found.path);
        out.push_str(r#","pointer":"#);
        json::push_str_to(out, &found.pointer);
        if let Some(inside) = found.inside {
            let _ = write!(out, r#","inside":{inside}"#);
        }
        let _ = write!(out, r#","bytes":{}}}"#, found.bytes);
    }
    let _ = write!(out, r#"],"unexplained_digests":{}"#, processed.unexplained_digests());
}

/// A JSON text without white space around its values.
fn on_one_line(text: &str) -> String {
    let mut out = Vec::new();
    if let Ok(document) = Parser::default().parse(text) {
        document.root().write_compact(&mut out);
    }
    String::from_utf8(out).unwrap_or_default()
}

/// What the token seems to be, by its `typ` and its claims.
fn kind(typ: &str, payload: Value<'_>, is_sd_jwt: bool) -> &'static str {
    let typ = typ.strip_prefix("application/").unwrap_or(typ);
    let has_type = |name: &str| {
        let types = payload.member("type");
        types.is_some_and(|types| {
            types.elements().chain([types]).any(|text| text.as_str().as_deref() == Some(name))
        })
    };
    match typ {
        "vc+jwt" if has_type("BitstringStatusListCredential") => "W3C Bitstring Status List credential",
        "vc+jwt" => "W3C Verifiable Credential 2.0 (VC-JOSE-COSE)",
        "dc+sd-jwt" => "SD-JWT VC",
        "vc+sd-jwt" if payload.member("vct").is_some() => {
            "SD-JWT VC, with the media type of its older drafts"
        }
        "statuslist+jwt" => "IETF Token Status List",
        "kb+jwt" => "key binding JWT",
        _ if payload.member("vc").is_some() => "JWT with a `vc` claim (VC Data Model 1.1)",
        _ if is_sd_jwt => "SD-JWT of no known kind",
        _ => "JWT of no known kind",
    }
}

/// A page for people.
struct InspectionPage {
    out: String,
    now: UnixTime,
    /// The JSON Pointers of disclosed claims.
    disclosable: BTreeSet<String>,
}

/// Long values, such as the bits of a status list, are cut to this many characters.
const MAX_VALUE_CHARS: usize = 400;
/// The width of a column of names.
const NAME_WIDTH: usize = 12;

impl InspectionPage {
    fn line(&mut self, indent: usize, name: &str, value: &str) {
        let _ = writeln!(self.out, "{:indent$}{:<NAME_WIDTH$} {value}", "", printable(name));
    }

    fn section(&mut self, name: &str, text: &str) {
        let mut parser = Parser::default();
        let Ok(document) = parser.parse(text) else { return };
        let _ = writeln!(self.out, "\n{name}");
        self.members(2, document.root(), "");
    }

    fn members(&mut self, indent: usize, object: Value<'_>, pointer: &str) {
        for (name, member) in object.members() {
            self.value(indent, &name, member, &json::pointer_to(pointer, &name));
        }
    }

    fn value(&mut self, indent: usize, name: &str, value: Value<'_>, pointer: &str) {
        let mark = if self.disclosable.contains(pointer) { MARK } else { "" };
        let name = format!("{name}{mark}");
        let mut children = value.elements().count() + value.members().count();
        if value.kind() == Kind::Array && self.is_short(value, pointer) {
            children = 0;
        }
        if children == 0 {
            let shown = format!("{}{}", shortened(value.text()), self.time_in_words(&name, value));
            self.line(indent, &name, &shown);
            return;
        }
        let _ = writeln!(self.out, "{:indent$}{}", "", printable(&name));
        self.members(indent + 2, value, pointer);
        for (index, element) in value.elements().enumerate() {
            self.value(indent + 2, &format!("[{index}]"), element, &format!("{pointer}/{index}"));
        }
    }

    /// Whether an array holds only scalars, none of them disclosed, and fits on a line.
    fn is_short(&self, array: Value<'_>, pointer: &str) -> bool {
        let scalar = |(index, element): (usize, Value<'_>)| {
            !matches!(element.kind(), Kind::Object | Kind::Array)
                && !self.disclosable.contains(&format!("{pointer}/{index}"))
        };
        array.text().len() <= 100 && array.elements().enumerate().all(scalar)
    }

    /// What a time means, beside its number or text.
    fn time_in_words(&self, name: &str, value: Value<'_>) -> String {
        let name = name.trim_end_matches(MARK);
        match name {
            "iat" | "nbf" | "exp" | "updated_at" | "auth_time" => match value.text().parse().ok() {
                Some(seconds) => UnixTime::from_seconds(seconds)
                    .map_or(String::new(), |time| format!("  ({time}, {})", self.away(time))),
                None => String::new(),
            },
            "validFrom" | "validUntil" | "issuanceDate" | "expirationDate" | "verified_at" => {
                let text = value.as_str().unwrap_or_default();
                let time = rules::date_time(&text).and_then(UnixTime::from_timestamp);
                time.map_or(String::new(), |time| format!("  ({})", self.away(time)))
            }
            _ => String::new(),
        }
    }

    /// How far off a time is, in its largest unit.
    fn away(&self, time: UnixTime) -> String {
        let seconds = time.seconds() - self.now.seconds();
        let units = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
        let (length, unit) =
            units.into_iter().find(|(length, _)| seconds.abs() >= *length).unwrap_or((1, "second"));
        let number = count((seconds.abs() / length) as usize, unit);
        if seconds > 0 { format!("in {number}") } else { format!("{number} ago") }
    }
}

/// Certificates in PEM, laid out, as JSON one certificate a line; none where the text holds none.
pub fn certificates(pem: &[u8], as_json: bool, now: UnixTime) -> Option<String> {
    certificates::of_pem(pem, as_json, now)
}

/// A value's text, safe to show, and cut where it is long.
fn shortened(text: &str) -> String {
    let cut: String = text.chars().take(MAX_VALUE_CHARS).collect();
    match cut.len() < text.len() {
        true => format!("{}… ({} bytes)", printable(&cut), grouped(text.len() as u64)),
        false => printable(text),
    }
}

/// A JWK or a JWK Set, laid out, as JSON one key a line; `None` where the value is neither, and nothing of a set
/// without keys.
pub fn keys(value: Value<'_>, as_json: bool) -> Option<String> {
    let keys = value.member("keys").filter(|keys| keys.kind() == Kind::Array);
    if keys.is_none() && value.member("kty").is_none() {
        return None;
    }
    let keys = keys.map_or(vec![value], |keys| keys.elements().collect());
    let mut out = match as_json || keys.is_empty() {
        true => String::new(),
        false => format!("{NOTHING_VERIFIED}\n"),
    };
    for key in keys {
        match as_json {
            true => push_key_json(&mut out, key),
            false => push_key_text(&mut out, key),
        }
    }
    Some(out)
}

fn push_key_json(out: &mut String, key: Value<'_>) {
    let kid = key.member("kid").and_then(Value::as_str);
    out.push_str(r#"{"verified":false,"kind":"JWK""#);
    if let Some(kid) = kid {
        out.push_str(r#","kid":"#);
        json::push_str_to(out, &kid);
    }
    match PublicKey::from_jwk_json(key.text()) {
        Ok(public) => {
            let _ =
                write!(out, r#","thumbprint":"{}","did_key":"{}""#, public.thumbprint(), public.did_key());
        }
        Err(problem) => {
            out.push_str(r#","problem":"#);
            json::push_str_to(out, &problem.to_string());
        }
    }
    out.push_str("}\n");
}

fn push_key_text(out: &mut String, key: Value<'_>) {
    let kid = key.member("kid").and_then(Value::as_str).unwrap_or("none".into());
    let _ = writeln!(out, "\nJWK\n  kid         {}", printable(&kid));
    let _ = match PublicKey::from_jwk_json(key.text()) {
        Ok(public) => {
            writeln!(out, "  thumbprint  {}\n  did:key     {}", public.thumbprint(), public.did_key())
        }
        Err(problem) => writeln!(out, "  unusable    {problem}"),
    };
}
