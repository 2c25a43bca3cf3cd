//! Keys, issuers and signatures against facts from outside: files that OpenSSL wrote, values from RFC 7515,
//! RFC 7517, RFC 7638 and the DID method specifications, and the vectors of Project Wycheproof.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "the exception for tests leaves out their helpers"
)]

#[path = "support/machine.rs"]
mod machine;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use beltic::issuer::{Issuer, IssuerError, LocationFault};
use beltic::keys::{
    EncryptionProblem, HolderKey, HolderKeyProblem, Implementation, IssuerKey, JwkProblem, KeyError, KeyForm,
    KeyKind, LoadError, PemContent, PublicKey, SIGNATURE_BYTES, SignatureVerifier, SigningKey, verify_es256,
};
use beltic::types::Types;
use p256::ecdsa::signature::Verifier as _;
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// What Python computed for the key in `fixtures/keys/p256-*` (see the README there).
const THUMBPRINT: &str = "JAJxGWg-IXkZykyMnN9TnIpIJyhRjlZIXM8Iuy0sNss";
const DID_KEY: &str = "did:key:zDnaef3n1kCM7piz95YbGm4MsVM5eHbjV9vLsiJ7ANx5CGWsj";
const X: &str = "2TANNFoTDIRmOeRM18xo_eA8Wc-SGU4XcMLdCCjrvFo";
const Y: &str = "mPzkIvXhGZatmXlj8KfmTXVPTojrHyJ2ic8zNOPERao";
const PASSPHRASE: &str = "correct horse";

// ---- Reading private keys

#[test]
fn every_plain_form_of_the_key_is_read_without_a_passphrase() {
    for name in [
        "p256-pkcs8.pem",
        "p256-sec1.pem",
        "p256-sec1-params.pem",
        "p256-sec1-unnamed.pem",
        "p256-private.jwk",
    ] {
        let key = parse(&fixture(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(key.public().thumbprint(), THUMBPRINT, "{name}");
        assert_eq!((key.public().x(), key.public().y()), (X, Y), "{name}");
    }
}

#[test]
fn encrypted_forms_are_read_with_the_passphrase() {
    for name in ["p256-encrypted.pem", "p256-encrypted-scrypt.pem"] {
        let mut asked = 0;
        let key = IssuerKey::parse(&fixture(name), &mut || {
            asked += 1;
            Ok(Zeroizing::new(PASSPHRASE.to_owned()))
        });
        assert_eq!(key.unwrap().public().thumbprint(), THUMBPRINT, "{name}");
        assert_eq!(asked, 1, "{name}");
    }
}

#[test]
fn a_wrong_passphrase_is_called_one() {
    // With `wrong 118` the decrypted text happens to end in sound padding (computed in Python).
    for (name, passphrase) in [
        ("p256-encrypted.pem", "wrong 0"),
        ("p256-encrypted.pem", "wrong 118"),
        ("p256-encrypted.pem", ""),
        ("p256-encrypted-scrypt.pem", "Correct horse"),
    ] {
        let error = IssuerKey::parse(&fixture(name), &mut || Ok(Zeroizing::new(passphrase.to_owned())));
        assert!(matches!(error, Err(KeyError::WrongPassphrase)), "{name} {passphrase}: {error:?}");
    }
}

#[test]
fn the_reason_why_there_is_no_passphrase_comes_through() {
    let error = IssuerKey::parse(&fixture("p256-encrypted.pem"), &mut || Err(KeyError::NoPassphrase));
    assert!(matches!(error, Err(KeyError::NoPassphrase)));
}

#[test]
fn a_private_number_without_its_leading_zeros_is_read() {
    let key = parse(&fixture("p256-short-scalar.pem")).unwrap();
    // The public key of the private number 1 is the base point (SEC 2 section 2.4.2).
    assert_eq!(hex(&key.public().sec1_uncompressed()[1..5]), "6b17d1f2");
}

#[test]
fn line_ends_blank_lines_byte_order_mark_and_surrounding_text_do_not_matter() {
    let pem = String::from_utf8(fixture("p256-pkcs8.pem")).unwrap();
    let public = String::from_utf8(fixture("p256-public.pem")).unwrap();
    let certificate = String::from_utf8(fixture("p256-certificate.pem")).unwrap();
    let variants = [
        pem.replace('\n', "\r\n"),
        pem.replace('\n', "\r"),
        format!("\n\n  \n{pem}\n\n"),
        format!("\u{FEFF}{pem}"),
        format!("Bag Attributes\n    localKeyID: 01\nKey Attributes: <No Attributes>\n{pem}# end\n"),
        pem.trim_end().to_owned(),
        pem.lines().map(|line| format!("  {line}  \n")).collect(),
        format!("{certificate}{pem}{public}"),
        one_character_lines(&pem),
    ];
    for variant in variants {
        let key = parse(variant.as_bytes()).unwrap_or_else(|error| panic!("{error}:\n{variant}"));
        assert_eq!(key.public().thumbprint(), THUMBPRINT);
    }
    let jwk = format!("\u{FEFF}\n  {}\r\n", String::from_utf8(fixture("p256-private.jwk")).unwrap());
    assert_eq!(parse(jwk.as_bytes()).unwrap().public().thumbprint(), THUMBPRINT);
}

#[test]
fn what_is_not_a_usable_private_key_is_named() {
    let message = |name: &str| parse(&fixture(name)).unwrap_err().to_string();
    for (name, found) in [
        ("p384.pem", "a P-384 key"),
        ("p521.pem", "a P-521 key"),
        ("secp256k1.pem", "a secp256k1 key"),
        ("ed25519.pem", "an Ed25519 key"),
        ("rsa.pem", "an RSA key"),
    ] {
        let expected =
            format!("it holds {found}; expected a P-256 key, because credentials are signed with ES256");
        assert_eq!(message(name), expected, "{name}");
    }
    for name in ["p256-public.pem", "p384-public.pem"] {
        assert_eq!(message(name), "it holds a public key (PEM); signing needs the private key");
    }
    assert_eq!(message("p256-public.jwk"), "it holds a public key (JWK); signing needs the private key");
    assert_eq!(message("p256-certificate.pem"), "it holds a certificate; expected a P-256 key");
    assert!(message("p256-literal-newlines.pem").contains(r"a literal \n (two characters)"));
    assert_eq!(message("p256-truncated.pem"), "it is truncated: it ends before the key does");
    assert!(message("p256-pkcs8.der").contains("openssl pkey -inform DER"));
    assert!(message("p256-explicit.pem").contains("-param_enc named_curve"));
    assert_eq!(
        message("p256-sec1-bare.pem"),
        "it does not say which curve it belongs to; expected a P-256 key"
    );
    assert_eq!(message("p256-mismatch.pem"), "its public part does not belong to its private part");
}

#[test]
fn old_encryption_is_refused_with_the_way_out_before_a_passphrase_is_asked_for() {
    for (name, expected) in [
        ("p256-sec1-encrypted.pem", EncryptionProblem::Traditional),
        ("p256-encrypted-pbes1.pem", EncryptionProblem::NotPbes2),
        ("p256-encrypted-sha1.pem", EncryptionProblem::Sha1),
    ] {
        let error = parse(&fixture(name)).unwrap_err();
        assert!(error.to_string().contains("openssl pkcs8 -topk8"), "{name}: {error}");
        let KeyError::UnsupportedEncryption { scheme } = error else { panic!("{name}: {error}") };
        assert_eq!(scheme, expected, "{name}");
    }
}

#[test]
fn what_is_no_key_at_all_is_named() {
    let pem = String::from_utf8(fixture("p256-pkcs8.pem")).unwrap();
    let one_line = pem.replace('\n', " ");
    let utf16: Vec<u8> = "\u{FEFF}-----BEGIN".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let no_begin = pem.lines().skip(1).collect::<Vec<_>>().join("\n");

    assert!(matches!(parse(b""), Err(KeyError::Empty)));
    assert!(matches!(parse(b" \r\n\t\n"), Err(KeyError::Empty)));
    assert!(matches!(parse("\u{FEFF}".as_bytes()), Err(KeyError::Empty)));
    assert!(matches!(parse(b"hello"), Err(KeyError::NotAKey)));
    assert!(matches!(parse(b"\x89PNG\r\n\x1a\n"), Err(KeyError::NotAKey)));
    assert!(matches!(parse(&utf16), Err(KeyError::Utf16)));
    assert!(matches!(parse(one_line.as_bytes()), Err(KeyError::LostLineBreaks)));
    assert!(matches!(parse(no_begin.as_bytes()), Err(KeyError::Truncated)));
    assert!(matches!(parse(format!("{pem}{pem}").as_bytes()), Err(KeyError::SeveralKeys { count: 2 })));
    assert!(matches!(
        parse(pem.replace("PRIVATE KEY", "OPENSSH PRIVATE KEY").as_bytes()),
        Err(KeyError::OtherPem { found: PemContent::OpenSsh })
    ));
    let quoted = format!("KEY=\"{}\"", pem.replace('\n', "\\n"));
    assert!(matches!(parse(quoted.as_bytes()), Err(KeyError::EscapedLineBreaks)));
}

/// Wrappings that secret stores, browsers and ssh like: what was found, and the command that converts it.
#[test]
fn keys_in_another_wrapping_are_named_with_the_command_that_converts_them() {
    let pem = fixture("p256-pkcs8.pem");
    let base64 = |bytes: &[u8]| base64_simd::STANDARD.encode_to_string(bytes);
    let lines = base64(&pem).as_bytes().chunks(76).map(<[u8]>::to_vec).collect::<Vec<_>>().join(&b'\n');
    let one_line = String::from_utf8(pem.clone()).unwrap().replace('\n', " ");
    let escaped = String::from_utf8(pem.clone()).unwrap().replace('\n', r"\n");
    let store = [&[0x30, 0x82, 0x04, 0x1B, 0x02, 0x01, 0x03][..], &[0; 64]].concat();
    let der = [&[0x30, 0x81, 0x87, 0x02, 0x01, 0x00][..], &[0; 64]].concat();
    for (bytes, found, command) in [
        (base64(&pem).into_bytes(), "base64 of a key file", "base64 -d FILE"),
        (lines, "base64 of a key file", "base64 -d FILE"),
        (store, "PKCS#12", "openssl pkcs12 -in FILE -nodes -nocerts"),
        (der, "binary", "openssl pkey -inform DER"),
        (
            b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n".to_vec(),
            "OpenSSH",
            "ssh-keygen -p -m PKCS8",
        ),
        (one_line.into_bytes(), "line breaks are lost", "sed -E"),
        (escaped.into_bytes(), r"literal \n", "printf '%b"),
    ] {
        let said = parse(&bytes).unwrap_err().to_string();
        assert!(said.contains(found) && said.contains(command), "{said}");
    }
}

/// RFC 7517 section 4.3: a key that says what it is for, and not for signing, does not sign.
#[test]
fn a_private_jwk_for_other_operations_is_refused() {
    for (operations, sound) in [
        (json!(["sign"]), true),
        (json!(["sign", "verify"]), true),
        (json!(["verify"]), false),
        (json!([]), false),
        (json!("sign"), false),
        (json!(["sign", "sign"]), false),
    ] {
        let mut jwk = private_jwk();
        jwk["key_ops"] = operations.clone();
        let read = parse(jwk.to_string().as_bytes());
        match sound {
            true => drop(read.unwrap()),
            false => {
                let problem = JwkProblem::OtherUse;
                assert!(
                    matches!(read, Err(KeyError::JwkMember { member: "key_ops", problem: found }) if found == problem),
                    "{operations}"
                );
            }
        }
    }
}

#[test]
fn a_private_jwk_must_be_complete_and_consistent() {
    let with = |member: &str, value: Value| {
        let mut jwk = private_jwk();
        jwk[member] = value;
        parse(jwk.to_string().as_bytes()).unwrap_err()
    };
    let without = |member: &str| {
        let mut jwk = private_jwk();
        jwk.as_object_mut().unwrap().remove(member);
        parse(jwk.to_string().as_bytes()).unwrap_err()
    };

    for member in ["kty", "crv", "x", "y"] {
        assert_eq!(without(member).to_string(), format!("JWK member `{member}` is missing"));
        assert_eq!(
            with(member, json!(7)).to_string(),
            format!("JWK member `{member}` is not a plain string")
        );
    }
    assert!(matches!(without("d"), KeyError::PublicKey { form: KeyForm::Jwk }));
    for member in ["d", "x", "y"] {
        for bad in ["", "AAAA", "not base64url!", &format!("{X}="), &format!("{X}AA"), &X.replace('_', "/")] {
            let error = with(member, json!(bad));
            assert!(
                matches!(error, KeyError::JwkMember { problem: JwkProblem::NotThirtyTwoBytes, .. }),
                "{member}={bad}: {error}"
            );
        }
    }
    assert!(matches!(with("y", json!(X)), KeyError::NotOnCurve));
    assert!(matches!(with("use", json!("enc")), KeyError::JwkMember { member: "use", .. }));
    assert!(matches!(with("alg", json!("ECDH-ES")), KeyError::JwkMember { member: "alg", .. }));
    assert!(matches!(with("crv", json!("P-384")), KeyError::WrongKind { found: KeyKind::Named("P-384") }));
    assert!(matches!(with("kty", json!("oct")), KeyError::WrongKind { found: KeyKind::Named("symmetric") }));
    assert!(matches!(with("kty", json!("ec")), KeyError::WrongKind { found: KeyKind::Unknown }));
}

#[test]
fn a_jwk_with_the_coordinates_of_another_key_is_refused() {
    let mut jwk = private_jwk();
    // RFC 7515 A.3: a sound point, but not this key's.
    jwk["x"] = json!("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
    jwk["y"] = json!("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
    assert!(matches!(parse(jwk.to_string().as_bytes()), Err(KeyError::PublicPartMismatch)));
}

#[test]
fn private_numbers_out_of_range_are_refused() {
    // 0; the order n of P-256 (SEC 2 section 2.4.2); 2^256 - 1.
    for d in [
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE",
        "__________________________________________8",
    ] {
        let mut jwk = private_jwk();
        jwk["d"] = json!(d);
        assert!(matches!(parse(jwk.to_string().as_bytes()), Err(KeyError::ScalarOutOfRange)), "{d}");
    }
}

#[test]
fn odd_json_is_named() {
    let text = String::from_utf8(fixture("p256-private.jwk")).unwrap();
    let twice = text.replacen('{', "{\"kid\":\"a\",\"kid\":\"b\",", 1);
    let d_twice = text.replacen('{', "{\"d\":\"AA\",", 1);
    let set = format!("{{\"keys\":[{text}]}}");

    assert!(matches!(parse(twice.as_bytes()), Err(KeyError::DuplicateMember)));
    assert!(matches!(parse(d_twice.as_bytes()), Err(KeyError::DuplicateMember)));
    assert!(matches!(parse(set.as_bytes()), Err(KeyError::JwkSet)));
    assert!(matches!(parse(&text.as_bytes()[..100]), Err(KeyError::Truncated)));
    assert!(matches!(
        parse(format!("{text}{text}").as_bytes()),
        Err(KeyError::Malformed { form: KeyForm::Jwk })
    ));
    assert!(matches!(
        parse(text.replace("\"d\": \"", "\"d\": \"\\u0041").as_bytes()),
        Err(KeyError::JwkMember { member: "d", problem: JwkProblem::NotAString })
    ));
    assert!(matches!(parse("[".repeat(100_000).as_bytes()), Err(KeyError::NotAKey)));
    assert!(parse(format!("{{\"a\":{}", "[".repeat(60_000)).as_bytes()).is_err());
}

#[test]
fn no_error_shows_a_piece_of_the_file() {
    for name in fixture_names() {
        let bytes = fixture(&name);
        let pieces = secret_pieces(&bytes);
        for damaged in damages(&bytes) {
            let result = IssuerKey::parse(&damaged, &mut || Ok(Zeroizing::new("not it".to_owned())));
            let text = match &result {
                Ok(key) => format!("{key:?}"),
                Err(error) => everything_printable(error),
            };
            for piece in &pieces {
                assert!(!text.contains(piece), "{name}: {text}");
            }
        }
    }
}

#[test]
fn debug_shows_the_thumbprint_and_nothing_else() {
    let key = parse(&fixture("p256-pkcs8.pem")).unwrap();
    assert_eq!(format!("{key:?}"), format!("IssuerKey {{ thumbprint: \"{THUMBPRINT}\", .. }}"));
}

// ---- Files

#[test]
fn a_loaded_key_tells_whether_others_can_read_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("issuer.pem");
    beltic::files::create_new_private(&path, &fixture("p256-pkcs8.pem")).unwrap();

    let loaded = IssuerKey::load(&path, &mut no_passphrase).unwrap();
    assert_eq!(loaded.key.public().thumbprint(), THUMBPRINT);
    assert!(!loaded.readable_by_others);

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(IssuerKey::load(&path, &mut no_passphrase).unwrap().readable_by_others);
    }
}

#[test]
fn a_key_that_cannot_be_loaded_is_named_with_its_path_as_typed() {
    let missing = IssuerKey::load(Path::new("keys/../nothing.pem"), &mut no_passphrase).unwrap_err();
    assert_eq!(missing.to_string(), "cannot read keys/../nothing.pem");
    assert!(matches!(&missing, LoadError::Read(error) if error.kind() == std::io::ErrorKind::NotFound));

    let path = fixture_path("p256-public.pem");
    let public = IssuerKey::load(&path, &mut no_passphrase).unwrap_err();
    assert_eq!(public.to_string(), format!("cannot use {} as the key", path.display()));
    assert_eq!(
        public.source().unwrap().to_string(),
        "it holds a public key (PEM); signing needs the private key"
    );
}

#[test]
fn a_file_too_large_for_a_key_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("big");
    fs::write(&path, vec![b'A'; 64 * 1024 + 1]).unwrap();
    let error = IssuerKey::load(&path, &mut no_passphrase).unwrap_err();
    assert!(matches!(error, LoadError::Read(error) if error.kind() == std::io::ErrorKind::FileTooLarge));
}

#[test]
fn generated_keys_are_different_and_survive_their_file() {
    let (one, other) = (IssuerKey::generate().unwrap(), IssuerKey::generate().unwrap());
    assert_ne!(one.public(), other.public());

    let pem = one.to_pkcs8_pem();
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n") && pem.ends_with("-----END PRIVATE KEY-----\n"));
    assert_eq!(parse(pem.as_bytes()).unwrap().public(), one.public());
}

#[test]
fn the_written_pem_is_the_one_that_openssl_writes() {
    let key = parse(&fixture("p256-private.jwk")).unwrap();
    assert_eq!(key.to_pkcs8_pem().as_bytes(), fixture("p256-pkcs8.pem"));
}

// ---- Public keys and their names

/// x, y, thumbprint, did:key. The did:key values of the first two are published in the method's test vectors
/// (`test-vectors/nist-curves.json`), the coordinates of the last two are those of RFC 7517 A.1 and RFC 7515 A.3;
/// the rest was computed in Python.
const NAMED_KEYS: [[&str; 4]; 4] = [
    [
        "fyNYMN0976ci7xqiSdag3buk-ZCwgXU4kz9XNkBlNUI",
        "hW2ojTNfH7Jbi8--CJUo3OCbH3y5n91g-IMA9MLMbTU",
        "G_96kD3GBXg7fuqEEJsKY1YHracLxBDq7pdwv2DgxdM",
        "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169",
    ],
    [
        "igrFmi0whuihKnj9R3Om1SoMph72wUGeFaBbzG2vzns",
        "efsX5b10x8yjyrj4ny3pGfLcY7Xby1KzgqOdqnsrJIM",
        "u7vrjwUEqr4_WVk1nfCx7nhirx2CrSvP9yUbAN4FNiQ",
        "did:key:zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv",
    ],
    [
        "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s",
        "did:key:zDnaekw6iisW1j4ronMuZagbvVehJK4unit6kvZ8UqJ2LSG1j",
    ],
    [
        "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U",
        "did:key:zDnaerGBD7Zxzau2fdfEFaaaTDYBu5XEBYdGV2BmERp3MDSov",
    ],
];

#[test]
fn thumbprint_and_did_key_are_those_that_others_compute() {
    for [x, y, thumbprint, did_key] in NAMED_KEYS {
        let key = public_key(x, y);
        assert_eq!(key.thumbprint(), thumbprint);
        assert_eq!(key.did_key(), did_key);
    }
}

/// The P-256 example of the did:jwk method specification.
#[test]
fn did_jwk_is_that_of_the_method_specification() {
    let key = spec_did_jwk_key();
    assert_eq!(key.did_jwk(), DID_JWK_OF_THE_SPEC);
    let issuer = Issuer::parse(DID_JWK_OF_THE_SPEC, &key).unwrap();
    assert_eq!(issuer.kid(), format!("{DID_JWK_OF_THE_SPEC}#0"));
}

#[test]
fn a_public_key_is_read_from_both_forms() {
    let pem = PublicKey::from_pem(&String::from_utf8(fixture("p256-public.pem")).unwrap()).unwrap();
    let jwk = PublicKey::parse(&fixture("p256-public.jwk")).unwrap();
    assert_eq!(pem, jwk);
    assert_eq!(pem.thumbprint(), THUMBPRINT);
}

#[test]
fn where_a_public_key_belongs_others_are_refused() {
    let refused = |name: &str| PublicKey::parse(&fixture(name)).unwrap_err();
    assert!(matches!(refused("p256-private.jwk"), KeyError::PrivateKey { form: KeyForm::Jwk }));
    assert!(matches!(refused("p256-pkcs8.pem"), KeyError::PrivateKey { form: KeyForm::Pkcs8 }));
    assert!(matches!(refused("p256-sec1.pem"), KeyError::PrivateKey { form: KeyForm::Sec1 }));
    assert!(matches!(refused("p384-public.pem"), KeyError::WrongKind { found: KeyKind::Named("P-384") }));
    assert!(matches!(refused("p256-certificate.pem"), KeyError::OtherPem { found: PemContent::Certificate }));
}

#[test]
fn a_public_jwk_is_written_in_a_fixed_order() {
    let key = PublicKey::parse(&fixture("p256-public.pem")).unwrap();
    let written = serde_json::to_string(&key.to_jwk(THUMBPRINT)).unwrap();
    let expected = format!(
        r#"{{"kty":"EC","crv":"P-256","x":"{X}","y":"{Y}","kid":"{THUMBPRINT}","alg":"ES256","use":"sig"}}"#
    );
    assert_eq!(written, expected);
}

/// Keys that a JWS library must not take for ES256 (Wycheproof, tests 19 to 26).
#[test]
fn wycheproof_jwks_that_must_be_rejected_are() {
    let Some(vectors) = wycheproof("json_web_key_test.json") else { return };
    let mut seen = 0;
    for (group, test) in tests_of(&vectors) {
        if !(19..=26).contains(&test["tcId"].as_u64().unwrap()) {
            continue;
        }
        assert_eq!(test["result"], "invalid");
        for jwk in group["public"]["keys"].as_array().or(group["private"]["keys"].as_array()).unwrap() {
            assert!(PublicKey::from_jwk_json(&jwk.to_string()).is_err(), "{}: {jwk}", test["tcId"]);
        }
        seen += 1;
    }
    assert_eq!(seen, 8);
}

// ---- Holder keys

#[test]
fn sound_public_jwks_of_holders_pass() {
    for jwk in [
        ec("P-256", NAMED_KEYS[2][0], NAMED_KEYS[2][1]),
        // RFC 8037 A.2.
        json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}),
        json!({"kty": "OKP", "crv": "X25519", "x": "3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08", "kid": "Bob"}),
        json!({"kty": "OKP", "crv": "Ed448", "x": zeros(57)}),
        json!({"kty": "OKP", "crv": "X448", "x": zeros(56)}),
        ec("P-384", &zeros(48), &zeros(48)),
        ec("P-521", &zeros(66), &zeros(66)),
        ec("secp256k1", &zeros(32), &zeros(32)),
        json!({"kty": "RSA", "n": RFC_7517_MODULUS, "e": "AQAB", "alg": "RS256"}),
    ] {
        assert!(HolderKey::of_jwk(jwk.as_object().unwrap()).is_ok(), "{jwk}");
    }
}

#[test]
fn unsound_jwks_of_holders_are_refused_for_the_right_reason() {
    use HolderKeyProblem::*;
    let [x, y] = [NAMED_KEYS[2][0], NAMED_KEYS[2][1]];
    let rsa = |n: &str, e: &str| json!({"kty": "RSA", "n": n, "e": e});
    for (jwk, expected) in [
        (private_jwk(), PrivateMember { member: "d" }),
        (json!({"kty": "oct", "k": "AAAA"}), PrivateMember { member: "k" }),
        (json!({"kty": "oct"}), Symmetric),
        (
            json!({"kty": "RSA", "n": RFC_7517_MODULUS, "e": "AQAB", "oth": []}),
            PrivateMember { member: "oth" },
        ),
        (json!({}), Missing { member: "kty" }),
        (json!({"kty": 1}), NotAString { member: "kty" }),
        (json!({"kty": "ec"}), UnknownType),
        (json!({"kty": "EC", "crv": "P-256", "x": x}), Missing { member: "y" }),
        (ec("Ed25519", x, y), UnknownCurve { expected: "P-256, P-384, P-521 or secp256k1" }),
        (ec("P-256", y, x), NotOnCurve),
        (ec("P-256", x, &zeros(31)), WrongLength { member: "y", expected: 32 }),
        (ec("P-384", x, y), WrongLength { member: "x", expected: 48 }),
        (ec("P-256", &format!("{x}="), y), NotBase64Url { member: "x" }),
        (
            json!({"kty": "OKP", "crv": "P-256", "x": x}),
            UnknownCurve { expected: "Ed25519, Ed448, X25519 or X448" },
        ),
        (rsa(&RFC_7517_MODULUS[4..], "AQAB"), ShortModulus),
        (rsa(&format!("AAAA{RFC_7517_MODULUS}"), "AQAB"), LeadingZero { member: "n" }),
        (rsa("", "AQAB"), ShortModulus),
        (rsa(RFC_7517_MODULUS, "AQ"), BadExponent),
        (rsa(RFC_7517_MODULUS, "Ag"), BadExponent),
        (rsa(RFC_7517_MODULUS, ""), BadExponent),
    ] {
        assert_eq!(HolderKey::of_jwk(jwk.as_object().unwrap()), Err(expected), "{jwk}");
    }
}

// ---- Signatures

#[test]
fn wycheproof_signatures_get_the_expected_verdict() {
    let Some(vectors) = wycheproof("ecdsa_secp256r1_sha256_p1363_test.json") else { return };
    let mut seen = 0;
    for (group, test) in tests_of(&vectors) {
        let key = PublicKey::from_pem(group["publicKeyPem"].as_str().unwrap()).unwrap();
        let (message, signature) = (unhex(&test["msg"]), unhex(&test["sig"]));
        let other = SignatureVerifier::of(Implementation::P256, &key).unwrap();
        for verdict in [verify_es256(&key, &message, &signature), other.verify(&message, &signature)] {
            assert_eq!(verdict, test["result"] == "valid", "test {}: {}", test["tcId"], test["comment"]);
        }
        seen += 1;
    }
    assert_eq!(seen, vectors["numberOfTests"]);
}

/// RFC 7515 A.3: another's signature verifies, and not over anything else.
#[test]
fn the_signature_of_rfc_7515_verifies() {
    let input = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let signature = base64_simd::URL_SAFE_NO_PAD
        .decode_to_vec(
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
        )
        .unwrap();
    let verifier = SignatureVerifier::new(&public_key(NAMED_KEYS[3][0], NAMED_KEYS[3][1])).unwrap();

    assert!(verifier.verify(input.as_bytes(), &signature));
    assert!(!verifier.verify(&input.as_bytes()[1..], &signature));
    assert!(!verifier.verify(input.as_bytes(), &signature[1..]));
    assert!(!verify_es256(&public_key(X, Y), input.as_bytes(), &signature));
}

/// Signed by AWS-LC, checked by the independent `p256` crate: on every worker of a shared key.
#[test]
fn signatures_verify_in_another_implementation() {
    let key = parse(&fixture("p256-sec1.pem")).unwrap();
    let other = p256_key_from_coordinates(X, Y);
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let (key, other) = (&key, &other);
            scope.spawn(move || {
                let inputs: Vec<String> = (0..50).map(|n| format!("header.{worker}.{n}")).collect();
                let messages: Vec<&[u8]> = inputs.iter().map(|input| input.as_bytes()).collect();
                let mut signatures = vec![[0; SIGNATURE_BYTES]; messages.len()];
                key.signer().unwrap().sign(&messages, &mut signatures).unwrap();
                for (message, signature) in messages.into_iter().zip(signatures) {
                    let signature = p256::ecdsa::Signature::from_slice(&signature).unwrap();
                    other.verify(message, &signature).unwrap();
                    other.verify(b"something else", &signature).unwrap_err();
                }
            });
        }
    });
}

/// The private key of RFC 7515 A.3, read from its JWK, signs what the RFC's public key verifies.
#[test]
fn the_private_key_of_rfc_7515_signs_for_its_public_key() {
    let [x, y, ..] = NAMED_KEYS[3];
    let mut jwk = ec("P-256", x, y);
    jwk["d"] = json!("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI");
    let mut signer = parse(jwk.to_string().as_bytes()).unwrap().signer().unwrap();
    let mut made = [[0; SIGNATURE_BYTES]];
    signer.sign(&[b"input"], &mut made).unwrap();

    let signature = p256::ecdsa::Signature::from_slice(&made[0]).unwrap();
    p256_key_from_coordinates(x, y).verify(b"input", &signature).unwrap();
}

// ---- Issuers

#[test]
fn each_kind_of_issuer_names_its_key() {
    let key = fixture_key();
    let key_part = DID_KEY.trim_start_matches("did:key:");
    let did_web_kid = |did: &str| format!("{did}#{THUMBPRINT}");
    for (id, kid, host, vct) in [
        (DID_KEY, format!("{DID_KEY}#{key_part}"), None, "urn:beltic:business:1"),
        (
            "did:web:w3c-ccg.github.io",
            did_web_kid("did:web:w3c-ccg.github.io"),
            Some("w3c-ccg.github.io"),
            "https://w3c-ccg.github.io/credentials/business/v1",
        ),
        (
            "did:web:example.com%3A3000:user:alice",
            did_web_kid("did:web:example.com%3A3000:user:alice"),
            Some("example.com:3000"),
            "https://example.com:3000/credentials/business/v1",
        ),
        (
            "https://issuer.example/tenants/7",
            THUMBPRINT.to_owned(),
            Some("issuer.example"),
            "https://issuer.example/credentials/business/v1",
        ),
    ] {
        let issuer = Issuer::parse(id, &key).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(issuer.id(), id);
        assert_eq!(issuer.kid(), kid);
        assert_eq!(issuer.host().as_deref(), host);
        assert_eq!(Types::BUILT_IN.default_type().default_vct(issuer.host().as_deref()), vct);
        assert_eq!(issuer.is_did(), id.starts_with("did:"));
    }
    assert_eq!(Issuer::of_key(&key), Issuer::parse(DID_KEY, &key).unwrap());
}

#[test]
fn paths_are_decoded_for_the_files_that_they_name() {
    let path = |id: &str| Issuer::parse(id, &fixture_key()).unwrap().path().to_vec();
    assert_eq!(path("did:web:example.com"), Vec::<String>::new());
    assert_eq!(path("did:web:example.com:a:b%20c"), ["a", "b c"]);
    assert_eq!(path("https://example.com"), Vec::<String>::new());
    assert_eq!(path("https://example.com/"), Vec::<String>::new());
    assert_eq!(path("https://example.com/a/b%20c/"), ["a", "b c"]);
}

#[test]
fn issuers_with_a_fault_are_refused_with_that_fault() {
    use LocationFault::*;
    for (id, expected) in [
        ("did:web:", NoHost),
        ("did:web::a", NoHost),
        ("did:web:Example.com", UpperCase),
        ("DID:web:example.com", UpperCase),
        ("did:WEB:example.com", UpperCase),
        ("HTTPS://example.com", UpperCase),
        ("did:web:127.0.0.1", IpAddress),
        ("did:web:127.1", IpAddress),
        ("did:web:0x7f.1", IpAddress),
        ("did:web:[::1]", IpAddress),
        ("did:web:example.com.", TrailingDot),
        ("did:web:exa_mple.com", BadLabel),
        ("did:web:-example.com", BadLabel),
        ("did:web:example..com", BadLabel),
        ("did:web:example.com%3A", BadPort),
        ("did:web:example.com%3A0", BadPort),
        ("did:web:example.com%3A65536", BadPort),
        ("did:web:example.com%3A+80", BadPort),
        ("did:web:example.com%2Fa", PercentInHost),
        ("did:web:example.com%3", BadPercent),
        ("did:web:example.com::a", EmptySegment),
        ("did:web:example.com:a:", EmptySegment),
        ("did:web:example.com:..", DotSegment),
        ("did:web:example.com:%2e%2E", DotSegment),
        ("did:web:example.com:a%2Fb", HiddenSeparator),
        ("did:web:example.com:a%5Cb", HiddenSeparator),
        ("did:web:example.com:a%00b", HiddenSeparator),
        ("did:web:example.com:a%zz", BadPercent),
        ("did:web:example.com:a%2", BadPercent),
        ("did:web:example.com:a%ff", BadPercent),
        ("did:web:example.com:a@b", BadPathCharacter),
        ("https://", NoHost),
        ("https:///path", NoHost),
        ("https://example.com?x", Query),
        ("https://example.com/#x", Fragment),
        ("https://user@example.com", UserInfo),
        ("https://example.com:@evil.example", UserInfo),
        ("https://example.com.", TrailingDot),
        ("https://example.com:", BadPort),
        ("https://example.com:99999", BadPort),
        ("https://1.2.3", BadIpAddress),
        ("https://[::1", BadIpAddress),
        ("https://exa%6Dple.com", PercentInHost),
        ("https://example.com/a/../b", DotSegment),
        ("https://example.com/a//b", EmptySegment),
        ("https://example.com/a\\b", BadPathCharacter),
        ("https://example.com\\@evil.example", UserInfo),
    ] {
        let error = Issuer::parse(id, &fixture_key()).unwrap_err();
        assert_eq!(error, IssuerError::Faulty { found: id.to_owned(), fault: expected }, "{id}");
    }
    for id in
        ["https://192.0.2.1", "https://[2001:db8::1]:8443", "did:web:localhost%3a8443", "https://localhost"]
    {
        Issuer::parse(id, &fixture_key()).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn misspelt_issuers_get_a_hint() {
    let message = |id: &str| Issuer::parse(id, &fixture_key()).unwrap_err().to_string();
    let four = "expected did:web:…, did:key:…, did:jwk:… or an https:// URL";
    assert_eq!(message("http://example.com"), format!("\"http://example.com\" is not an https URL; {four}"));
    assert_eq!(message("did:ion:EiClk"), format!("DID method \"ion\" is not supported; {four}"));
    assert_eq!(
        message("example.com"),
        "\"example.com\" is neither a DID nor an https URL; did you mean \"did:web:example.com\"?"
    );
    assert!(message("example.com/a").ends_with("did you mean \"did:web:example.com\"?"));
    assert!(message("acme").ends_with(four));
    assert!(message("did:web").ends_with(four));
    assert!(message("").ends_with(four));
    assert!(message("did:web:exämple.com").contains("Punycode"));
    assert!(message("did:web:example.com\n").contains("'\\n'"));
    assert_eq!(
        message("did:web:example.com#key-1"),
        "\"did:web:example.com#key-1\" is a DID URL; expected the DID alone, \"did:web:example.com\""
    );
}

#[test]
fn a_did_of_another_key_is_refused_and_the_own_one_shown() {
    let key = fixture_key();
    for other in [NAMED_KEYS[0][3], DID_JWK_OF_THE_SPEC, "did:jwk:e30", "did:jwk:%", "did:key:z"] {
        let error = Issuer::parse(other, &key).unwrap_err();
        let own = if other.starts_with("did:key") { DID_KEY.to_owned() } else { key.did_jwk() };
        assert_eq!(error, IssuerError::OtherKey { found: other.to_owned(), own });
    }
}

/// Members in another order make another did:jwk of the same key; this one is from the wild (Credo's tests).
#[test]
fn a_did_jwk_may_order_its_members_differently() {
    let did = "did:jwk:eyJrdHkiOiJFQyIsImNydiI6IlAtMjU2IiwieCI6ImFjYklRaXVNczNpOF91c3pFakoydHBUdFJNNEVVM3l6OTFQSDZDZEgyVjAiLCJ5IjoiX0tjeUxqOXZXTXB0bm1LdG00NkdxRHo4d2Y3NEk1TEtncmwyR3pIM25TRSJ9";
    let issuer = Issuer::parse(did, &spec_did_jwk_key()).unwrap();
    assert_eq!((issuer.id(), issuer.kid()), (did, format!("{did}#0").as_str()));
}

// ---- Support

const DID_JWK_OF_THE_SPEC: &str = "did:jwk:eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6ImFjYklRaXVNczNpOF91c3pFakoydHBUdFJNNEVVM3l6OTFQSDZDZEgyVjAiLCJ5IjoiX0tjeUxqOXZXTXB0bm1LdG00NkdxRHo4d2Y3NEk1TEtncmwyR3pIM25TRSJ9";

/// The RSA modulus of RFC 7517 A.1 (2048 bits).
const RFC_7517_MODULUS: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

fn fixture_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/keys").join(name)
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(fixture_path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn fixture_names() -> Vec<String> {
    let entries = fs::read_dir(fixture_path("")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: Vec<_> = names.filter(|name| name != "README.md").collect();
    assert!(names.len() > 20);
    names
}

fn fixture_key() -> PublicKey {
    PublicKey::parse(&fixture("p256-public.pem")).unwrap()
}

fn spec_did_jwk_key() -> PublicKey {
    public_key("acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0", "_KcyLj9vWMptnmKtm46GqDz8wf74I5LKgrl2GzH3nSE")
}

fn no_passphrase() -> Result<Zeroizing<String>, KeyError> {
    panic!("no passphrase is needed")
}

fn parse(bytes: &[u8]) -> Result<IssuerKey, KeyError> {
    IssuerKey::parse(bytes, &mut no_passphrase)
}

fn private_jwk() -> Value {
    serde_json::from_slice(&fixture("p256-private.jwk")).unwrap()
}

fn ec(curve: &str, x: &str, y: &str) -> Value {
    json!({"kty": "EC", "crv": curve, "x": x, "y": y})
}

fn public_key(x: &str, y: &str) -> PublicKey {
    PublicKey::from_jwk_json(&ec("P-256", x, y).to_string()).unwrap()
}

fn zeros(bytes: usize) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(vec![0; bytes])
}

/// A verifying key that never went through this crate.
fn p256_key_from_coordinates(x: &str, y: &str) -> p256::ecdsa::VerifyingKey {
    let mut point = vec![4];
    for coordinate in [x, y] {
        point.extend(base64_simd::URL_SAFE_NO_PAD.decode_to_vec(coordinate).unwrap());
    }
    p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).unwrap()
}

/// The same PEM with one character of base64 a line.
fn one_character_lines(pem: &str) -> String {
    pem.lines()
        .map(|line| match line.starts_with('-') {
            true => format!("{line}\n"),
            false => line.chars().map(|c| format!("{c}\n")).collect(),
        })
        .collect()
}

/// All pieces of eight characters of the lines that could hold key material.
fn secret_pieces(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().filter(|line| !is_boundary(line) && !line.contains("kid"));
    lines
        .flat_map(|line| {
            let characters: Vec<char> = line.trim().chars().collect();
            characters.windows(8).map(|piece| piece.iter().collect()).collect::<Vec<String>>()
        })
        .filter(|piece| piece.chars().all(|c| c.is_ascii_alphanumeric() || "+/-_".contains(c)))
        .collect()
}

fn is_boundary(line: &str) -> bool {
    line.starts_with('-') && !line.contains("\\n")
}

/// Ways in which a file gets damaged: cut short, one byte changed.
fn damages(bytes: &[u8]) -> Vec<Vec<u8>> {
    let step = (bytes.len() / 60).max(1);
    let mut damaged = vec![bytes.to_vec()];
    for at in (0..bytes.len()).step_by(step) {
        damaged.push(bytes[..at].to_vec());
        for replacement in [b'A', b'"', b'\n', 0xFF] {
            let mut changed = bytes.to_vec();
            changed[at] = replacement;
            damaged.push(changed);
        }
    }
    damaged
}

/// Everything that a log could show of an error.
fn everything_printable(error: &dyn Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut next = error.source();
    while let Some(source) = next {
        text += &format!(" {source} {source:?}");
        next = source.source();
    }
    text
}

/// A file of Wycheproof vectors, where the shared folder is there.
fn wycheproof(name: &str) -> Option<Value> {
    let folder = machine::data("vectors/wycheproof")?;
    Some(serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap())
}

fn tests_of(vectors: &Value) -> impl Iterator<Item = (&Value, &Value)> {
    let groups = vectors["testGroups"].as_array().unwrap().iter();
    groups.flat_map(|group| group["tests"].as_array().unwrap().iter().map(move |test| (group, test)))
}

fn unhex(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
