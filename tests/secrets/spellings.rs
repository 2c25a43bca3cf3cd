//! A secret in every spelling in which it could leak, and the search for it.

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use memchr::memmem;

/// What must not be found.
pub(crate) struct Secret {
    name: String,
    spellings: Vec<Spelling>,
}

struct Spelling {
    name: &'static str,
    text: Vec<u8>,
    /// How long the pieces are that are looked for, each half over the next.
    piece: usize,
}

impl Secret {
    /// Bytes, as they are and as programs write them.
    pub(crate) fn of_bytes(name: &str, bytes: &[u8]) -> Secret {
        let half = bytes.len().div_ceil(2);
        let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
        let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
        let mut spellings = vec![
            Spelling { name: "raw", text: bytes.to_vec(), piece: half },
            // As the words of a large number lie in memory.
            Spelling { name: "raw, last byte first", text: reversed, piece: half },
            Spelling { name: "hex", text: HEXLOWER.encode(bytes).into(), piece: 2 * half },
            Spelling { name: "HEX", text: HEXUPPER.encode(bytes).into(), piece: 2 * half },
            // As `Debug` prints bytes; without white space, as the search takes it out.
            Spelling { name: "numbers", text: numbers.join(",").into(), piece: 3 * half },
        ];
        for (name, encoding) in [("base64", BASE64_NOPAD), ("base64url", BASE64URL_NOPAD)] {
            // Within a longer text, its characters depend on how many bytes stand before it. Those that
            // share a byte with what stands around it are left out.
            for before in 0..3 {
                let text = encoding.encode(&[&vec![0; before], bytes].concat());
                let whole = &text[(before * 8).div_ceil(6)..(before + bytes.len()) * 8 / 6];
                spellings.push(Spelling { name, text: whole.into(), piece: whole.len().div_ceil(2) });
            }
        }
        Secret { name: name.to_owned(), spellings }
    }

    /// The spellings in which it is there, whole or to three quarters, also across white space.
    pub(crate) fn found_in(&self, bytes: &[u8]) -> Vec<&'static str> {
        self.found_in_both(bytes, &squeezed(bytes))
    }

    fn found_in_both(&self, bytes: &[u8], squeezed: &[u8]) -> Vec<&'static str> {
        let is_there =
            |spelling: &&Spelling| {
                spelling.text.windows(spelling.piece).step_by(spelling.piece / 2).any(|piece| {
                    memmem::find(bytes, piece).is_some() || memmem::find(squeezed, piece).is_some()
                })
            };
        self.spellings.iter().filter(is_there).map(|spelling| spelling.name).collect()
    }

    /// Fails where it is in these bytes.
    #[track_caller]
    pub(crate) fn expect_absent(&self, place: &str, bytes: &[u8]) {
        expect_all_absent(std::slice::from_ref(self), place, bytes);
    }
}

/// Fails where one of them is in these bytes.
#[track_caller]
pub(crate) fn expect_all_absent(secrets: &[Secret], place: &str, bytes: &[u8]) {
    let squeezed = squeezed(bytes);
    for secret in secrets {
        let found = secret.found_in_both(bytes, &squeezed);
        assert!(found.is_empty(), "{place} shows {} as {found:?}", secret.name);
    }
}

/// The bytes without white space.
fn squeezed(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect()
}

const SCALAR: [u8; 32] = [
    0xC9, 0x07, 0xFE, 0x10, 0x11, 0xA2, 0x53, 0x64, 0x95, 0xB6, 0x2D, 0x0A, 0x20, 0xE0, 0x31, 0x8C, 0x4F,
    0x60, 0x7B, 0x88, 0x99, 0x3C, 0xDD, 0x12, 0xAB, 0x05, 0x41, 0x76, 0xEF, 0x8A, 0x33, 0x58,
];

/// The search finds a secret that stands there, whole or in part, whoever wrote it.
#[test]
fn a_planted_secret_is_found_in_every_spelling() {
    let secret = Secret::of_bytes("the key", &SCALAR);
    let reversed: Vec<u8> = SCALAR.iter().rev().copied().collect();
    let hex: String = SCALAR.iter().map(|byte| format!("{byte:02x}")).collect();
    let planted: Vec<(&str, Vec<u8>)> = vec![
        ("raw", SCALAR.to_vec()),
        ("raw", SCALAR[16..].to_vec()),
        ("raw, last byte first", reversed),
        ("HEX", hex.to_uppercase().into()),
        ("hex", hex.into()),
        ("numbers", format!("{SCALAR:?}").into()),
        ("numbers", format!("{SCALAR:#?}").into()),
        ("base64url", BASE64URL_NOPAD.encode(&SCALAR).into()),
    ];
    for (spelling, bytes) in planted {
        let text = [b"error: ".as_slice(), &bytes, b", expected another"].concat();
        assert!(
            secret.found_in(&text).contains(&spelling),
            "{spelling} in {}",
            String::from_utf8_lossy(&text)
        );
    }
    for before in 0..7 {
        let der = [vec![0x30; before], SCALAR.to_vec(), vec![0xA1; 5]].concat();
        let text = data_encoding::BASE64.encode(&der);
        let lines =
            text.as_bytes().chunks(20).map(|line| [line, b"\r\n"].concat()).collect::<Vec<_>>().concat();
        assert!(secret.found_in(text.as_bytes()).contains(&"base64"), "{before}");
        assert!(secret.found_in(&lines).contains(&"base64"), "{before}, in lines");
    }
}

/// The key of the fixtures is found in the files of all forms, so the search knows it.
#[test]
fn the_key_of_the_fixtures_is_found_in_its_files() {
    let secret = crate::outputs::issuer_key();
    for name in
        ["p256-pkcs8.pem", "p256-sec1.pem", "p256-sec1-params.pem", "p256-private.jwk", "p256-pkcs8.der"]
    {
        let file = std::fs::read(crate::support::key_fixture(name)).unwrap();
        assert!(!secret.found_in(&file).is_empty(), "{name}");
    }
    for name in
        ["p256-public.pem", "p256-public.jwk", "p256-certificate.pem", "p384.pem", "p256-encrypted.pem"]
    {
        let file = std::fs::read(crate::support::key_fixture(name)).unwrap();
        secret.expect_absent(name, &file);
    }
    let passphrase = Secret::of_bytes("the passphrase", b"correct horse");
    assert_eq!(passphrase.found_in(b"wrong: correct horse."), ["raw"]);
    assert_eq!(passphrase.found_in(b"a wrong guess of the horses"), [""; 0]);
}
