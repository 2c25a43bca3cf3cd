//! Hiding claims: disclosures and their digests (RFC 9901 section 4.2).

use base64_simd::{Out, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::policy::{DisclosureRule, PolicyNode};
use crate::credential::assemble::push_base64url;
use crate::json::{self, Kind, Value};

/// 128 random bits, as RFC 9901 section 9.3 recommends.
const SALT_BYTES: usize = 16;
/// A salt in base64url.
const SALT_CHARS: usize = 22;
/// A SHA-256 digest in base64url.
const DIGEST_CHARS: usize = 43;
/// How many random bytes are drawn at once: one by one, salts would cost a hundred times as much.
const BLOCK_BYTES: usize = 4096;

type DigestText = [u8; DIGEST_CHARS];

/// Fresh salts from the operating system's generator, drawn in blocks. No byte is used twice.
#[derive(Debug)]
struct Salts {
    block: Vec<u8>,
    used: usize,
}

impl Default for Salts {
    fn default() -> Salts {
        Salts { block: vec![0; BLOCK_BYTES], used: BLOCK_BYTES }
    }
}

impl Salts {
    fn next<const N: usize>(&mut self) -> Result<[u8; N], getrandom::Error> {
        if self.used + N > self.block.len() {
            getrandom::fill(&mut self.block)?;
            self.used = 0;
        }
        let bytes = std::array::from_fn(|at| self.block[self.used + at]);
        self.used += N;
        Ok(bytes)
    }
}

/// Hides claims, one credential at a time.
#[derive(Debug, Default)]
pub(in crate::credential) struct Hider {
    salts: Salts,
    /// The disclosures of the credential at hand, each with the `~` before it.
    pub(in crate::credential) disclosures: Vec<u8>,
}

impl Hider {
    /// Writes a value; what the policy hides in it goes into disclosures.
    pub(super) fn write(
        &mut self,
        value: Value<'_>,
        policy: &PolicyNode,
        decoys: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), getrandom::Error> {
        match value.kind() {
            Kind::Object if policy.hides_inside() => self.write_object(value, policy, decoys, out),
            Kind::Array if policy.hides_inside() => self.write_array(value, policy, decoys, out),
            _ => {
                value.write_compact(out);
                Ok(())
            }
        }
    }

    fn write_object(
        &mut self,
        object: Value<'_>,
        policy: &PolicyNode,
        decoys: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), getrandom::Error> {
        let clear = PolicyNode::default();
        let mut digests = Vec::new();
        let mut separator = b'{';
        for (name, value) in object.members() {
            let known = policy.member(&name);
            let is_hidden =
                known.map_or(policy.hides_unknown(), |member| member.disclosure == DisclosureRule::Always);
            let policy = known.unwrap_or(&clear);
            if is_hidden {
                digests.push(self.hide(Some(&name), value, policy, decoys)?);
            } else {
                out.push(separator);
                separator = b',';
                json::push_str(out, &name);
                out.push(b':');
                self.write(value, policy, decoys, out)?;
            }
        }
        if !digests.is_empty() {
            out.push(separator);
            separator = b',';
            self.write_digests(digests, decoys, out)?;
        }
        out.extend_from_slice(if separator == b'{' { b"{}" } else { b"}" });
        Ok(())
    }

    fn write_array(
        &mut self,
        array: Value<'_>,
        policy: &PolicyNode,
        decoys: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), getrandom::Error> {
        let clear = PolicyNode::default();
        let policy = policy.element().unwrap_or(&clear);
        if policy.disclosure == DisclosureRule::Always {
            return self.write_placeholders(array, policy, decoys, out);
        }
        out.push(b'[');
        for (position, element) in array.elements().enumerate() {
            if position > 0 {
                out.push(b',');
            }
            self.write(element, policy, decoys, out)?;
        }
        out.push(b']');
        Ok(())
    }

    /// Writes an array whose elements are hidden: a digest in place of each (section 4.2.4.2), and
    /// decoys anywhere between them, so that neither number nor place of the elements shows.
    fn write_placeholders(
        &mut self,
        array: Value<'_>,
        policy: &PolicyNode,
        decoys: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), getrandom::Error> {
        let mut digests = Vec::new();
        for element in array.elements() {
            digests.push(self.hide(None, element, policy, decoys)?);
        }
        if !digests.is_empty() {
            for _ in 0..decoys {
                let place = u64::from_le_bytes(self.salts.next::<8>()?) % (digests.len() as u64 + 1);
                digests.insert(place as usize, digest_text(&self.salts.next::<32>()?));
            }
        }
        out.push(b'[');
        for (position, digest) in digests.iter().enumerate() {
            out.extend_from_slice(if position == 0 { br#"{"...":""#.as_slice() } else { br#",{"...":""# });
            out.extend_from_slice(digest);
            out.extend_from_slice(br#""}"#);
        }
        out.push(b']');
        Ok(())
    }

    /// Writes the `_sd` of an object, with decoys among the digests (section 4.2.5).
    pub(super) fn write_digests(
        &mut self,
        mut digests: Vec<DigestText>,
        decoys: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), getrandom::Error> {
        for _ in 0..decoys {
            digests.push(digest_text(&self.salts.next::<32>()?));
        }
        // Sorted, so that their order tells nothing of the claims' order (section 4.2.4.1).
        digests.sort_unstable();
        out.extend_from_slice(br#""_sd":["#);
        for (position, digest) in digests.iter().enumerate() {
            out.extend_from_slice(if position == 0 { b"\"" } else { b",\"" });
            out.extend_from_slice(digest);
            out.push(b'"');
        }
        out.push(b']');
        Ok(())
    }

    /// Makes the disclosure of a claim, after those of the claims inside it, and returns its
    /// digest.
    pub(super) fn hide(
        &mut self,
        name: Option<&str>,
        value: Value<'_>,
        policy: &PolicyNode,
        decoys: usize,
    ) -> Result<DigestText, getrandom::Error> {
        let mut salt = [0; SALT_CHARS];
        let _ = URL_SAFE_NO_PAD.encode(&self.salts.next::<SALT_BYTES>()?, Out::from_slice(&mut salt));
        let mut text = Vec::with_capacity(SALT_CHARS + 64 + value.text().len());
        begin_disclosure(&mut text, &salt, name);
        self.write(value, policy, decoys, &mut text)?;
        text.push(b']');
        Ok(self.add(&text))
    }

    /// Adds a disclosure, and returns its digest.
    fn add(&mut self, text: &[u8]) -> DigestText {
        self.disclosures.push(b'~');
        let start = self.disclosures.len();
        push_base64url(&mut self.disclosures, text);
        // The digest is over the base64url text, not over what it encodes (section 4.2.3).
        digest_text(&self.disclosures[start..])
    }
}

/// Writes a disclosure up to the claim's value: an object's member has a name, an array's element
/// has none (sections 4.2.1 and 4.2.2).
fn begin_disclosure(text: &mut Vec<u8>, salt: &[u8], name: Option<&str>) {
    text.extend_from_slice(b"[\"");
    text.extend_from_slice(salt);
    text.extend_from_slice(b"\",");
    if let Some(name) = name {
        json::push_str(text, name);
        text.push(b',');
    }
}

fn digest_text(bytes: &[u8]) -> DigestText {
    let mut text = [0; DIGEST_CHARS];
    let _ = URL_SAFE_NO_PAD.encode(&Sha256::digest(bytes), Out::from_slice(&mut text));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9901 section 4.2.3 gives this disclosure and its digest, and section 4.2.2 one of an
    /// array element.
    #[test]
    fn digests_are_those_of_the_standard() {
        let cases = [
            (
                "WyI2cU1RdlJMNWhhaiIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0",
                "uutlBuYeMDyjLLTpf6Jxi7yNkEF35jdyWMn9U7b_RYY",
            ),
            ("WyJsa2x4RjVqTVlsR1RQVW92TU5JdkNBIiwgIkZSIl0", "w0I8EKcdCtUPkGCNUrfwVp2xEgNjtoIDlOxc9-PlOhs"),
        ];
        for (disclosure, digest) in cases {
            assert_eq!(std::str::from_utf8(&digest_text(disclosure.as_bytes())).unwrap(), digest);
        }
    }

    /// RFC 9901 section 4.2.1 shows what a disclosure may look like without white space, as it is
    /// written here, and its digest.
    #[test]
    fn a_disclosure_is_that_of_the_standard() {
        let mut text = Vec::new();
        begin_disclosure(&mut text, b"_26bc4LT-ac6q2KI6cBW5es", Some("family_name"));
        text.extend_from_slice("\"Möbius\"]".as_bytes());
        let mut hider = Hider::default();
        let digest = hider.add(&text);
        assert_eq!(
            std::str::from_utf8(&hider.disclosures).unwrap(),
            "~WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsImZhbWlseV9uYW1lIiwiTcO2Yml1cyJd"
        );
        assert_eq!(&digest, b"TZjouOTrBKEwUNjNDs9yeMzBoQn8FFLPaJjRRmAtwrM");
    }

    #[test]
    fn salts_are_fresh_over_many_blocks() {
        let mut salts = Salts::default();
        let drawn: std::collections::HashSet<[u8; 16]> = (0..2_000).map(|_| salts.next().unwrap()).collect();
        assert_eq!(drawn.len(), 2_000);
    }
}
