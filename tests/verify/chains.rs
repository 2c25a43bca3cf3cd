//! Chains in `x5c` and the anchors that are trusted, each with the verdict that it must get.

use beltic::clock::UnixTime;
use beltic::verify::{KeyRing, Lists, Policy, Reason, Step};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, GeneralSubtree, IsCa,
    KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256, RsaKeySize,
    date_time_ymd,
};
use serde_json::{Value, json};

use crate::authority::{Authority, dns, pem, self_signed, uri};
use crate::world::{KID, Kind, NOW, World, hand, stranger};

pub(crate) const HTTPS_ISSUER: &str = "https://issuer.example";

/// A token with these certificates, of an issuer who trusts nobody in particular.
pub(crate) struct Row {
    name: &'static str,
    anchors: Vec<Vec<u8>>,
    pub(crate) x5c: Value,
    header: Value,
    iss: Option<&'static str>,
    expected: Expected,
}

/// What must come of it.
pub(crate) enum Expected {
    Valid,
    /// `certificate_invalid`, with these words in the message.
    Refused(&'static str),
    /// Another reason.
    Other(Reason, Step),
    /// The anchors are refused, with these words.
    NoAnchors(&'static str),
}

pub(crate) use Expected::{NoAnchors, Other, Refused, Valid};

/// A chain as the value of `x5c`.
pub(crate) fn x5c(chain: &[&[u8]]) -> Value {
    chain.iter().map(|der| data_encoding::BASE64.encode(der)).collect()
}

pub(crate) fn row(name: &'static str, anchors: &[&[u8]], x5c: Value, expected: Expected) -> Row {
    let anchors = anchors.iter().map(|der| der.to_vec()).collect();
    let header = json!({"alg": "ES256", "typ": "dc+sd-jwt"});
    Row { name, anchors, x5c, header, iss: Some(HTTPS_ISSUER), expected }
}

impl Row {
    /// With this issuer; none where the token does not say.
    pub(crate) fn by(self, iss: Option<&'static str>) -> Row {
        Row { iss, ..self }
    }

    pub(crate) fn kid(mut self, kid: &str) -> Row {
        self.header["kid"] = json!(kid);
        self
    }

    pub(crate) fn token(&self, kind: Kind) -> String {
        let mut header = kind.header();
        let members = self.header.as_object().unwrap();
        header.as_object_mut().unwrap().remove("kid");
        header["x5c"] = self.x5c.clone();
        if let Some(kid) = members.get("kid") {
            header["kid"] = kid.clone();
        }
        let mut payload = kind.payload();
        let object = payload.as_object_mut().unwrap();
        object.remove("iss");
        object.remove("status");
        object.remove("credentialStatus");
        if let Some(iss) = self.iss {
            object.insert("iss".to_owned(), json!(iss));
            if kind == Kind::JwtVc {
                object.insert("issuer".to_owned(), json!(iss));
            }
        }
        kind.with(&header.to_string(), &payload.to_string())
    }

    pub(crate) fn world(&self) -> Result<World, String> {
        let mut ring = KeyRing::default();
        let pems: String = self.anchors.iter().map(|der| pem(der)).collect();
        ring.add_trust_anchors(pems.as_bytes()).map_err(|error| error.to_string())?;
        Ok(World { ring, policy: Policy::at(UnixTime::from_seconds(NOW).unwrap()), lists: Lists::default() })
    }

    /// What is wrong with the verdict, if anything.
    fn problem(&self) -> Option<String> {
        let world = match (self.world(), &self.expected) {
            (Err(problem), NoAnchors(words)) if problem.contains(words) => return None,
            (Err(problem), _) => return Some(format!("{}: anchors: {problem}", self.name)),
            (Ok(_), NoAnchors(words)) => {
                return Some(format!("{}: anchors are taken; expected {words}", self.name));
            }
            (Ok(world), _) => world,
        };
        let kinds: &[Kind] =
            if self.iss.is_some() { &[Kind::SdJwtVc, Kind::JwtVc] } else { &[Kind::SdJwtVc] };
        kinds.iter().find_map(|kind| {
            let verdict = world.verdict(&self.token(*kind));
            let is_right = match (&verdict, &self.expected) {
                (Ok(_), Valid) => true,
                (Err((Reason::CertificateInvalid, Step::Key, said)), Refused(words)) => said.contains(words),
                (Err((reason, step, _)), Other(expected, at)) => (reason, step) == (expected, at),
                _ => false,
            };
            (!is_right).then(|| format!("{} as {kind:?}: {verdict:?}", self.name))
        })
    }
}

pub(crate) fn unchanged(_: &mut CertificateParams) {}

pub(crate) fn sans(names: impl IntoIterator<Item = rcgen::SanType>) -> impl FnOnce(&mut CertificateParams) {
    let names = names.into_iter().collect();
    |params| params.subject_alt_names = names
}

fn dates(from: (i32, u8), until: (i32, u8)) -> impl FnOnce(&mut CertificateParams) {
    move |params| {
        (params.not_before, params.not_after) =
            (date_time_ymd(from.0, from.1, 1), date_time_ymd(until.0, until.1, 1));
    }
}

fn expired() -> impl FnOnce(&mut CertificateParams) {
    dates((2025, 1), (2026, 6))
}

fn usages(usages: &[KeyUsagePurpose]) -> impl FnOnce(&mut CertificateParams) {
    let usages = usages.to_vec();
    |params| params.key_usages = usages
}

fn path_length(most: u8) -> impl FnOnce(&mut CertificateParams) {
    move |params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(most))
}

fn only(permitted: GeneralSubtree) -> impl FnOnce(&mut CertificateParams) {
    |params| {
        params.name_constraints =
            Some(NameConstraints { permitted_subtrees: vec![permitted], excluded_subtrees: vec![] });
    }
}

fn critical(oid: &[u64]) -> impl FnOnce(&mut CertificateParams) {
    let mut extension = CustomExtension::from_oid_content(oid, vec![5, 0]);
    extension.set_criticality(true);
    |params| params.custom_extensions.push(extension)
}

/// Chains that are good, and what else may stand in them.
fn good_rows() -> Vec<Row> {
    let root = Authority::root("Root", unchanged);
    let (one, own) = (root.below("One", unchanged), hand());
    let two = one.below("Two", unchanged);
    let other = Authority::root("Other", unchanged);
    let renewed = Authority::root("Root", unchanged);
    let (r, o) = (&root.certificate[..], &other.certificate[..]);
    let (direct, below_one, below_two) =
        (root.issue(&own, unchanged), one.issue(&own, unchanged), two.issue(&own, unchanged));
    let of_host = root.issue(&own, sans([dns("ISSUER.example")]));
    let of_several = root.issue(&own, sans([uri("urn:a"), dns("b.example"), uri(HTTPS_ISSUER)]));
    let of_did = root.issue(&own, sans([uri("did:web:issuer.example")]));
    let nameless = root.issue(&own, sans([]));
    let any_usage = root.issue(&own, usages(&[]));
    let only_dns = root.below("Only", only(GeneralSubtree::DnsName("issuer.example".into())));
    let within = only_dns.issue(&own, sans([dns("issuer.example")]));
    let uri_within = only_dns.issue(&own, unchanged);
    let plain_root = Authority::root("Plain", only(GeneralSubtree::DnsName("issuer.example".into())));
    let below_plain = plain_root.issue(&own, unchanged);
    let just_one = root.below("JustOne", path_length(0));
    let below_just_one = just_one.issue(&own, unchanged);
    vec![
        row("no intermediate", &[r], x5c(&[&direct]), Valid),
        row("one intermediate", &[r], x5c(&[&below_one, &one.certificate]), Valid),
        row("two intermediates", &[r], x5c(&[&below_two, &two.certificate, &one.certificate]), Valid),
        row("the anchor is in the chain", &[r], x5c(&[&below_one, &one.certificate, r]), Valid),
        row("one of several anchors", &[o, r], x5c(&[&direct]), Valid),
        row("two anchors of one name, one of them right", &[&renewed.certificate, r], x5c(&[&direct]), Valid),
        row("an intermediate is the anchor", &[&two.certificate], x5c(&[&below_two]), Valid),
        row(
            "certificates above an anchor",
            &[&two.certificate],
            x5c(&[&below_two, &two.certificate, &one.certificate, r]),
            Valid,
        ),
        row("a path of the length allowed", &[r], x5c(&[&below_just_one, &just_one.certificate]), Valid),
        row("no key usage says anything", &[r], x5c(&[&any_usage]), Valid),
        row("within its name constraint", &[r], x5c(&[&within, &only_dns.certificate]), Valid),
        row(
            "a URI within the hosts that are permitted",
            &[r],
            x5c(&[&uri_within, &only_dns.certificate]),
            Valid,
        ),
        row(
            "critical extensions that are understood",
            &[&plain_root.certificate],
            x5c(&[&below_plain]),
            Valid,
        ),
        row("a host", &[r], x5c(&[&of_host]), Valid),
        row("a host, and an issuer with port and path", &[r], x5c(&[&of_host]), Valid)
            .by(Some("https://issuer.example:8443/a/b")),
        row("a host, and a did:web", &[r], x5c(&[&of_host]), Valid).by(Some("did:web:issuer.example:a")),
        row("one of several names", &[r], x5c(&[&of_several]), Valid),
        row("a DID", &[r], x5c(&[&of_did]), Valid).by(Some("did:web:issuer.example")),
        row("no kid and no iss", &[r], x5c(&[&of_several]), Valid).by(None),
        row("no kid and no iss, and a certificate without names", &[r], x5c(&[&nameless]), Valid).by(None),
        row("a kid that nobody gave", &[r], x5c(&[&direct]), Valid).kid("2026-key"),
    ]
}

/// Chains that do not lead to an anchor, or not in this order.
fn broken_rows() -> Vec<Row> {
    let root = Authority::root("Root", unchanged);
    let (one, own) = (root.below("One", unchanged), hand());
    let two = one.below("Two", unchanged);
    let other = Authority::root("Other", unchanged);
    let namesake = Authority::root("Root", unchanged);
    let (r, o) = (&root.certificate[..], &other.certificate[..]);
    let direct = root.issue(&own, unchanged);
    let (below_one, below_two) = (one.issue(&own, unchanged), two.issue(&own, unchanged));
    let of_stranger = root.issue(&stranger(), unchanged);
    let mut forged = direct.clone();
    *forged.last_mut().unwrap() ^= 1;
    let bytes = |text: &str| json!([text]);
    let many = vec![&direct[..]; 11];
    let base64 = data_encoding::BASE64.encode(&direct);
    let lines = base64.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line)).collect::<Vec<_>>();
    vec![
        row(
            "wrong order",
            &[r],
            x5c(&[&one.certificate, &below_one]),
            Refused("certificate 1 was not issued by"),
        ),
        row(
            "intermediates in the wrong order",
            &[r],
            x5c(&[&below_two, &one.certificate, &two.certificate]),
            Refused("certificate 1 was not issued by the one after it"),
        ),
        row(
            "a missing intermediate",
            &[r],
            x5c(&[&below_two, &two.certificate]),
            Refused("the issuer of certificate 2, \"CN=One\", is not a trust anchor"),
        ),
        row(
            "a gap before the anchor",
            &[r],
            x5c(&[&below_two, &two.certificate, r]),
            Refused("certificate 2 was not issued by the one after it"),
        ),
        row("another anchor", &[o], x5c(&[&direct]), Refused("\"CN=Root\", is not a trust anchor")),
        row(
            "an anchor of the same name",
            &[&namesake.certificate],
            x5c(&[&direct]),
            Refused("does not match its issuer's key"),
        ),
        row("an anchor of its own in the chain", &[o], x5c(&[&direct, r]), Refused("is not a trust anchor")),
        row(
            "a stranger's certificate behind it",
            &[r],
            x5c(&[&direct, &of_stranger]),
            Refused("certificate 1 was not issued by the one after it"),
        ),
        row("the leaf twice", &[r], x5c(&[&direct, &direct]), Refused("certificate 1 was not issued by")),
        row("too many certificates", &[r], x5c(&many), Refused("it holds more than 10 certificates")),
        row(
            "a changed signature",
            &[r],
            x5c(&[&forged]),
            Refused("signature of a certificate does not match"),
        ),
        row(
            "somebody else's certificate",
            &[r],
            x5c(&[&of_stranger]),
            Other(Reason::BadSignature, Step::Signature),
        ),
        row("an empty chain", &[r], json!([]), Refused("it is empty")),
        row("no array", &[r], json!(base64), Refused("`x5c` is not an array")),
        row("null", &[r], json!(null), Refused("`x5c` is not an array")),
        row("no text", &[r], json!([5]), Refused("certificate 1 in `x5c` is not base64")),
        row("garbage", &[r], bytes("%%%"), Refused("certificate 1 in `x5c` is not base64")),
        row("an empty certificate", &[r], bytes(""), Refused("certificate 1 is not an X.509 certificate")),
        row(
            "base64 of something else",
            &[r],
            bytes("MIIB"),
            Refused("certificate 1 is not an X.509 certificate"),
        ),
        row(
            "base64url",
            &[r],
            json!([data_encoding::BASE64URL_NOPAD.encode(&[&direct[..], &[255; 64]].concat())]),
            Refused("certificate 1 in `x5c` is not base64"),
        ),
        row("PEM", &[r], json!([pem(&direct)]), Refused("certificate 1 in `x5c` is not base64")),
        row(
            "line breaks in base64",
            &[r],
            json!([lines.join("\n")]),
            Refused("certificate 1 in `x5c` is not base64"),
        ),
        row(
            "bytes behind a certificate",
            &[r],
            x5c(&[&[&direct[..], &[0]].concat()]),
            Refused("certificate 1 is not an X.509 certificate"),
        ),
        row(
            "garbage behind a good certificate",
            &[r],
            json!([base64, "MIIB"]),
            Refused("certificate 2 is not an X.509 certificate"),
        ),
    ]
}

/// Certificates that are not good for this, or not at this time.
fn unfit_rows() -> Vec<Row> {
    let root = Authority::root("Root", unchanged);
    let (r, own) = (&root.certificate[..], hand());
    let old_root = Authority::root("Old", expired());
    let new_root = Authority::root("New", dates((2026, 12), (2028, 1)));
    let short_root = Authority::root("Short", path_length(0));
    let odd_root = Authority::root("Odd", critical(&[1, 3, 6, 1, 4, 1, 99_999, 1]));
    let strict_root = Authority::root("Strict", only(GeneralSubtree::DnsName("other.example".into())));
    let mute_root = Authority::root("Mute", usages(&[KeyUsagePurpose::CrlSign]));
    let old = root.below("OldOne", expired());
    let no_ca = root.below("NoCa", |params| params.is_ca = IsCa::ExplicitNoCa);
    let silent = root.below("Silent", |params| params.is_ca = IsCa::NoCa);
    let mute = root.below("MuteOne", usages(&[KeyUsagePurpose::CrlSign]));
    let short = root.below("ShortOne", path_length(0));
    let under_short = short.below("TooDeep", unchanged);
    let under_short_root = short_root.below("TooDeepAsWell", unchanged);
    let constrained = root.below("Constrained", only(GeneralSubtree::DnsName("other.example".into())));
    let mut of_org = DistinguishedName::new();
    of_org.push(DnType::OrganizationName, "Other");
    let named = root.below("Named", only(GeneralSubtree::DirectoryName(of_org)));
    let (rsa, p384) = (
        KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap(),
        KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap(),
    );
    let x = |by: &Authority, change: &dyn Fn(&mut CertificateParams)| by.issue(&own, |params| change(params));
    let good = |by: &Authority| x(by, &unchanged);
    let own_anchor = self_signed(&own, unchanged);
    let own_authority = self_signed(&own, |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let as_authority = x(&root, &|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let unknown = root.issue(&own, critical(&[1, 3, 6, 1, 4, 1, 99_999, 1]));
    let named_by = |names: Vec<rcgen::SanType>| root.issue(&own, sans(names));
    let mismatch = || Other(Reason::IssuerMismatch, Step::Issuer);
    vec![
        row(
            "an expired leaf",
            &[r],
            x5c(&[&root.issue(&own, expired())]),
            Refused("certificate 1 expired at 2026-06-01T00:00:00Z"),
        ),
        row(
            "a leaf that is not valid yet",
            &[r],
            x5c(&[&root.issue(&own, dates((2027, 1), (2028, 1)))]),
            Refused("certificate 1 is not valid before 2027-01-01T00:00:00Z"),
        ),
        row(
            "an expired intermediate",
            &[r],
            x5c(&[&good(&old), &old.certificate]),
            Refused("certificate 2 expired at"),
        ),
        row(
            "an expired anchor",
            &[&old_root.certificate],
            x5c(&[&good(&old_root)]),
            Refused("\"CN=Old\" is not valid at this time"),
        ),
        row(
            "an anchor that is not valid yet",
            &[&new_root.certificate],
            x5c(&[&good(&new_root)]),
            Refused("\"CN=New\" is not valid at this time"),
        ),
        row(
            "an intermediate that is no authority",
            &[r],
            x5c(&[&good(&no_ca), &no_ca.certificate]),
            Refused("not that of a certificate authority"),
        ),
        row(
            "an intermediate that does not say so",
            &[r],
            x5c(&[&good(&silent), &silent.certificate]),
            Refused("not that of a certificate authority"),
        ),
        row(
            "an intermediate without keyCertSign",
            &[r],
            x5c(&[&good(&mute), &mute.certificate]),
            Refused("certificate 2 does not include keyCertSign"),
        ),
        row(
            "an anchor without keyCertSign",
            &[&mute_root.certificate],
            x5c(&[&good(&mute_root)]),
            Refused("\"CN=Mute\" does not include keyCertSign"),
        ),
        row(
            "a path longer than an intermediate allows",
            &[r],
            x5c(&[&good(&under_short), &under_short.certificate, &short.certificate]),
            Refused("longer than one of its certificates allows"),
        ),
        row(
            "an anchor with a critical extension that nobody knows",
            &[&odd_root.certificate],
            x5c(&[&good(&odd_root)]),
            Refused("\"CN=Odd\" has a critical extension that is not supported"),
        ),
        row(
            "a URI on a host that an intermediate does not allow",
            &[r],
            x5c(&[&good(&constrained), &constrained.certificate]),
            Refused("a name that one above it does not allow"),
        ),
        row(
            "a URI on a host that the anchor does not allow",
            &[&strict_root.certificate],
            x5c(&[&good(&strict_root)]),
            Refused("a name that one above it does not allow"),
        ),
        row(
            "a DID on a host that an intermediate does not allow",
            &[r],
            x5c(&[&constrained.issue(&own, sans([uri("did:web:issuer.example")])), &constrained.certificate]),
            Refused("a name that one above it does not allow"),
        )
        .by(Some("did:web:issuer.example")),
        row(
            "a path longer than the anchor allows",
            &[&short_root.certificate],
            x5c(&[&good(&under_short_root), &under_short_root.certificate]),
            Refused("\"CN=Short\" does not allow so many"),
        ),
        row(
            "a leaf without digitalSignature",
            &[r],
            x5c(&[&root.issue(&own, usages(&[KeyUsagePurpose::KeyAgreement]))]),
            Refused("does not include digitalSignature"),
        ),
        row(
            "a leaf that is an authority",
            &[r],
            x5c(&[&as_authority]),
            Refused("certificate 1 is that of a certificate authority"),
        ),
        row("an RSA leaf", &[r], x5c(&[&root.issue_for(&rsa, unchanged)]), Refused("expected a P-256 key")),
        row("a P-384 leaf", &[r], x5c(&[&root.issue_for(&p384, unchanged)]), Refused("expected a P-256 key")),
        row(
            "a leaf as its own anchor",
            &[&own_anchor],
            x5c(&[&own_anchor]),
            NoAnchors("pass the key of a single issuer with `--key`"),
        ),
        row("a self-signed leaf", &[r], x5c(&[&own_anchor]), Refused("certificate 1 is self-signed")),
        row(
            "a self-signed authority as its own anchor",
            &[&own_authority],
            x5c(&[&own_authority]),
            Refused("certificate 1 is self-signed"),
        ),
        row("a critical extension that nobody knows", &[r], x5c(&[&unknown]), Refused("critical extension")),
        row(
            "a host outside of the name constraints",
            &[r],
            x5c(&[&constrained.issue(&own, sans([dns("issuer.example")])), &constrained.certificate]),
            Refused("has a name that one above it does not allow"),
        ),
        row(
            "a subject outside of the name constraints",
            &[r],
            x5c(&[&good(&named), &named.certificate]),
            Refused("has a name that one above it does not allow"),
        ),
        row("a URI of another host", &[r], x5c(&[&named_by(vec![uri("https://other.example")])]), mismatch()),
        row(
            "a URI of the same host",
            &[r],
            x5c(&[&named_by(vec![uri("https://issuer.example/a")])]),
            mismatch(),
        ),
        row("another host", &[r], x5c(&[&named_by(vec![dns("www.issuer.example")])]), mismatch()),
        row("a wildcard", &[r], x5c(&[&named_by(vec![dns("*.issuer.example")])]), mismatch())
            .by(Some("https://a.issuer.example")),
        row(
            "a common name alone",
            &[r],
            x5c(&[&root.issue(&own, |params| {
                params.subject_alt_names.clear();
                params.distinguished_name = DistinguishedName::new();
                params.distinguished_name.push(DnType::CommonName, "issuer.example");
            })]),
            mismatch(),
        ),
        row(
            "a kid that is a DID, and another issuer",
            &[r],
            x5c(&[&root.issue(&own, unchanged)]),
            mismatch(),
        )
        .by(Some("did:web:other.example"))
        .kid(KID),
    ]
}

/// Every chain gets its verdict, in both formats.
#[test]
fn every_chain_gets_its_verdict() {
    let rows: Vec<Row> = [good_rows(), broken_rows(), unfit_rows()].into_iter().flatten().collect();
    assert!(rows.len() >= 40, "{} chains", rows.len());
    let wrong: Vec<String> = rows.iter().filter_map(Row::problem).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}
