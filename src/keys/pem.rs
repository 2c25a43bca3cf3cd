//! PEM armour (RFC 7468), read the lax way that its section 3 describes: any text around the blocks, any line
//! ends, any line length. Which blocks there are is decided here; what is in them, in `der`.

use zeroize::{Zeroize, Zeroizing};

use super::error::{EncryptionProblem, KeyError, KeyForm, KeyKind, PemContent};

/// One armoured block, its content decoded.
pub(super) struct Block<'a> {
    pub(super) label: &'a str,
    pub(super) der: Zeroizing<Vec<u8>>,
}

/// Does this text have PEM armour in it, whole or in part?
pub(super) fn looks_like_pem(text: &str) -> bool {
    text.contains(BEGIN) || text.contains(END)
}

/// Finds the one private key in `text`. Curve parameters before a SEC1 key come with it.
pub(super) fn private_key(text: &str) -> Result<(Block<'_>, Option<Block<'_>>), KeyError> {
    let armour = scan(text)?;
    let keys = armour.iter().filter(|block| is_private(block.label)).count();
    match keys {
        0 => Err(not_private(&armour)),
        1 => {
            // The filter has counted one.
            let key = armour.iter().find(|block| is_private(block.label)).ok_or(KeyError::NotAKey)?;
            if let Some(found) = other_kind(key.label) {
                return Err(KeyError::WrongKind { found });
            }
            let parameters =
                armour.iter().find(|block| block.label == EC_PARAMETERS).map(decode).transpose()?;
            Ok((decode(key)?, parameters))
        }
        count => Err(KeyError::SeveralKeys { count }),
    }
}

/// Finds the one public key in `text`.
pub(super) fn public_key(text: &str) -> Result<Block<'_>, KeyError> {
    let armour = scan(text)?;
    if let Some(private) = armour.iter().find(|block| is_private(block.label)) {
        let form = if private.label == EC_PRIVATE_KEY { KeyForm::Sec1 } else { KeyForm::Pkcs8 };
        return Err(KeyError::PrivateKey { form });
    }
    let mut keys = armour.iter().filter(|block| block.label == PUBLIC_KEY);
    let Some(key) = keys.next() else { return Err(not_public(&armour)) };
    match keys.count() {
        0 => decode(key),
        more => Err(KeyError::SeveralKeys { count: more + 1 }),
    }
}

const PRIVATE_KEY: &str = "PRIVATE KEY";
pub(super) const ENCRYPTED_PRIVATE_KEY: &str = "ENCRYPTED PRIVATE KEY";
pub(super) const EC_PRIVATE_KEY: &str = "EC PRIVATE KEY";
const RSA_PRIVATE_KEY: &str = "RSA PRIVATE KEY";
const DSA_PRIVATE_KEY: &str = "DSA PRIVATE KEY";
const OPENSSH_PRIVATE_KEY: &str = "OPENSSH PRIVATE KEY";
const PGP_PRIVATE_KEY: &str = "PGP PRIVATE KEY BLOCK";
const EC_PARAMETERS: &str = "EC PARAMETERS";
const PUBLIC_KEY: &str = "PUBLIC KEY";
const RSA_PUBLIC_KEY: &str = "RSA PUBLIC KEY";

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// A block as it stands in the text.
struct Armour<'a> {
    label: &'a str,
    body: Vec<&'a str>,
}

fn is_private(label: &str) -> bool {
    matches!(label, PRIVATE_KEY | ENCRYPTED_PRIVATE_KEY | EC_PRIVATE_KEY | RSA_PRIVATE_KEY | DSA_PRIVATE_KEY)
}

/// The kind of key, where the label alone says that it is not an elliptic curve one.
fn other_kind(label: &str) -> Option<KeyKind> {
    match label {
        RSA_PRIVATE_KEY => Some(KeyKind::Named("RSA")),
        DSA_PRIVATE_KEY => Some(KeyKind::Named("DSA")),
        _ => None,
    }
}

/// All blocks of the text, in order.
fn scan(text: &str) -> Result<Vec<Armour<'_>>, KeyError> {
    let mut blocks = Vec::new();
    let mut broken = KeyError::Truncated;
    // `lines` keeps a lone carriage return, which classic Mac OS and some web forms use as a line end.
    let mut lines = text.split(['\n', '\r']).map(str::trim);
    while let Some(line) = lines.next() {
        let Some(label) = boundary(line, BEGIN) else {
            if line.contains(BEGIN) {
                broken = broken_boundary(line);
            }
            continue;
        };
        let body = body_of(label, &mut lines)?;
        blocks.push(Armour { label, body });
    }
    if blocks.is_empty() { Err(broken) } else { Ok(blocks) }
}

/// The lines up to the END line that belongs to `label`.
fn body_of<'a>(label: &str, lines: &mut impl Iterator<Item = &'a str>) -> Result<Vec<&'a str>, KeyError> {
    let mut body = Vec::new();
    for line in lines {
        if line.contains("\\n") {
            return Err(KeyError::EscapedLineBreaks);
        }
        match boundary(line, END) {
            Some(end) if end == label => return Ok(body),
            Some(_) => return Err(KeyError::Truncated),
            None if line.starts_with(BEGIN) => return Err(KeyError::Truncated),
            None => body.push(line),
        }
    }
    Err(KeyError::Truncated)
}

/// The label, where `line` is exactly a boundary of the kind asked for.
fn boundary<'a>(line: &'a str, kind: &str) -> Option<&'a str> {
    let label = line.strip_prefix(kind)?.strip_suffix(DASHES)?;
    (!label.contains(['-', '\\'])).then_some(label)
}

/// Why a line that starts like a BEGIN line is not one.
fn broken_boundary(line: &str) -> KeyError {
    if line.contains("\\n") || line.contains("\\r") {
        KeyError::EscapedLineBreaks
    } else if line.contains(END) {
        // A whole key on one line: line breaks lost, or turned into spaces.
        KeyError::LostLineBreaks
    } else {
        KeyError::Truncated
    }
}

fn decode<'a>(armour: &Armour<'a>) -> Result<Block<'a>, KeyError> {
    if armour.body.iter().any(|line| line.starts_with("Proc-Type:")) {
        return Err(KeyError::UnsupportedEncryption { scheme: EncryptionProblem::Traditional });
    }
    // One buffer of the full size, so that nothing is left behind by a growing one.
    let length = armour.body.iter().map(|line| line.len()).sum();
    let mut bytes = Zeroizing::new(Vec::with_capacity(length));
    for line in &armour.body {
        bytes.extend(line.bytes().filter(|byte| !byte.is_ascii_whitespace()));
    }
    let damaged = |_| KeyError::Malformed { form: form_of(armour.label) };
    let decoded = base64_simd::STANDARD.decode_inplace(&mut bytes).map_err(damaged)?.len();
    bytes[decoded..].zeroize();
    bytes.truncate(decoded);
    Ok(Block { label: armour.label, der: bytes })
}

fn form_of(label: &str) -> KeyForm {
    match label {
        EC_PRIVATE_KEY | EC_PARAMETERS => KeyForm::Sec1,
        PUBLIC_KEY => KeyForm::Spki,
        _ => KeyForm::Pkcs8,
    }
}

/// The blocks hold no private key: say what they hold.
fn not_private(armour: &[Armour<'_>]) -> KeyError {
    if armour.iter().any(|block| matches!(block.label, PUBLIC_KEY | RSA_PUBLIC_KEY)) {
        KeyError::PublicKey { form: KeyForm::Spki }
    } else {
        other_content(armour)
    }
}

/// The blocks hold no `PUBLIC KEY`: say what they hold.
fn not_public(armour: &[Armour<'_>]) -> KeyError {
    if armour.iter().any(|block| block.label == RSA_PUBLIC_KEY) {
        KeyError::WrongKind { found: KeyKind::Named("RSA") }
    } else {
        other_content(armour)
    }
}

fn other_content(armour: &[Armour<'_>]) -> KeyError {
    let found = match armour.first().map(|block| block.label) {
        Some("CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE") => PemContent::Certificate,
        Some("CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST") => PemContent::CertificateRequest,
        Some(OPENSSH_PRIVATE_KEY) => PemContent::OpenSsh,
        Some(PGP_PRIVATE_KEY | "PGP PUBLIC KEY BLOCK") => PemContent::Pgp,
        Some(EC_PARAMETERS | "DH PARAMETERS") => PemContent::Parameters,
        _ => PemContent::Unknown,
    };
    KeyError::OtherPem { found }
}
