//! An issuer, its key, its lists, and a sound token of each kind.

use beltic::clock::UnixTime;
use beltic::verify::{KeyRing, Lists, Policy, Reason, Step, Verdict, Verifier};
use serde_json::{Value, json};

use crate::readers::sign::{Hand, digest, element, member};

pub(crate) const ISSUER: &str = "did:web:issuer.example";
pub(crate) const KID: &str = "did:web:issuer.example#key-1";
pub(crate) const TOKEN_LIST: &str = "https://issuer.example/status/1.jwt";
pub(crate) const BIT_LIST: &str = "https://issuer.example/status/1b.jwt";
pub(crate) const INDEX: u64 = 94_567;
/// 2026-11-23T04:00:00Z, and an hour later, when tokens are verified.
pub(crate) const ISSUED: i64 = 1_795_406_400;
pub(crate) const NOW: i64 = ISSUED + 3_600;
/// A year after it was issued.
pub(crate) const ENDS: i64 = 1_826_942_400;

/// The issuer's key.
pub(crate) fn hand() -> Hand {
    Hand::of_number(11)
}

/// Somebody else's key.
pub(crate) fn stranger() -> Hand {
    Hand::of_number(12)
}

/// The kinds of credentials that are issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    JwtVc,
    SdJwtVc,
}

impl Kind {
    pub(crate) fn header(self) -> Value {
        match self {
            Kind::JwtVc => json!({"alg": "ES256", "typ": "vc+jwt", "cty": "vc", "kid": KID}),
            Kind::SdJwtVc => json!({"alg": "ES256", "typ": "dc+sd-jwt", "kid": KID}),
        }
    }

    pub(crate) fn payload(self) -> Value {
        match self {
            Kind::JwtVc => json!({
                "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/undefined-terms/v2"],
                "id": "urn:uuid:01a206e6-9989-7123-a539-f16d67dba009",
                "type": ["VerifiableCredential", "BusinessCredential"],
                "issuer": ISSUER,
                "validFrom": "2026-11-23T04:00:00Z", "validUntil": "2027-11-23T04:00:00Z",
                "credentialSubject": {
                    "id": "urn:example:a", "registration_number": "00012345",
                    "claims": {"jurisdiction": "GB", "beneficial_owners": [{"full_name": "Ada", "ownership_percent": 62.5}]},
                },
                "credentialStatus": {
                    "id": format!("{BIT_LIST}#{INDEX}"), "type": "BitstringStatusListEntry",
                    "statusPurpose": "revocation", "statusListIndex": INDEX.to_string(),
                    "statusListCredential": BIT_LIST,
                },
                "iss": ISSUER, "sub": "urn:example:a", "jti": "urn:uuid:01a206e6-9989-7123-a539-f16d67dba009",
                "iat": ISSUED, "exp": ENDS, "vct": "urn:beltic:business:1",
                "status": {"status_list": {"idx": INDEX, "uri": TOKEN_LIST}},
            }),
            Kind::SdJwtVc => {
                let [number, owners, _, address] = disclosures();
                json!({
                    "iss": ISSUER, "sub": "urn:example:a", "jti": "urn:uuid:01a206e6-9989-7123-a539-f16d67dba009",
                    "iat": ISSUED, "nbf": ISSUED, "exp": ENDS, "vct": "urn:beltic:business:1",
                    "_sd_alg": "sha-256",
                    "status": {"status_list": {"idx": INDEX, "uri": TOKEN_LIST}},
                    "subject": {"id": "urn:example:a", "_sd": [digest(&number)]},
                    "claims": {"jurisdiction": "GB", "_sd": [digest(&owners), digest(&address)]},
                })
            }
        }
    }

    /// What follows the signature.
    pub(crate) fn tail(self) -> String {
        match self {
            Kind::JwtVc => String::new(),
            Kind::SdJwtVc => format!("~{}~", disclosures().join("~")),
        }
    }

    pub(crate) fn token(self) -> String {
        self.with(&self.header().to_string(), &self.payload().to_string())
    }

    /// A token of these texts, with a sound signature.
    pub(crate) fn with(self, header: &str, payload: &str) -> String {
        hand().jws(header, payload) + &self.tail()
    }

    /// A token whose header was changed.
    pub(crate) fn with_header(self, change: impl FnOnce(&mut Value)) -> String {
        let mut header = self.header();
        change(&mut header);
        self.with(&header.to_string(), &self.payload().to_string())
    }

    /// A token whose payload was changed.
    pub(crate) fn with_payload(self, change: impl FnOnce(&mut Value)) -> String {
        let mut payload = self.payload();
        change(&mut payload);
        self.with(&self.header().to_string(), &payload.to_string())
    }

    /// A token with another value at this JSON Pointer of the payload, or without one.
    pub(crate) fn at(self, pointer: &str, value: Option<Value>) -> String {
        self.with_payload(|payload| {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            let parent = payload.pointer_mut(parent).unwrap_or_else(|| panic!("{parent}"));
            match (parent, value) {
                (Value::Array(elements), Some(value)) => elements[name.parse::<usize>().unwrap()] = value,
                (parent, Some(value)) => parent[name] = value,
                (parent, None) => drop(parent.as_object_mut().unwrap().remove(name).expect(pointer)),
            }
        })
    }
}

/// The disclosures of the sound SD-JWT: registration number, owners, the one owner, address.
pub(crate) fn disclosures() -> [String; 4] {
    let ada = element(&json!({"full_name": "Ada", "ownership_percent": 62.5}));
    let owners = member("beneficial_owners", &json!([{"...": digest(&ada)}]));
    let address = member("registered_address", &json!({"line1": "1 Quay", "city": "Leith", "country": "GB"}));
    [member("registration_number", &json!("00012345")), owners, ada, address]
}

/// Who verifies: with the issuer's key and sound lists in which nothing is set.
pub(crate) struct World {
    pub(crate) ring: KeyRing,
    pub(crate) policy: Policy,
    pub(crate) lists: Lists,
}

impl World {
    pub(crate) fn new() -> World {
        let mut ring = KeyRing::default();
        let document = json!({
            "id": ISSUER,
            "verificationMethod": [{
                "id": KID, "type": "JsonWebKey", "controller": ISSUER, "publicKeyJwk": hand().jwk(KID),
            }],
            "assertionMethod": [KID],
        });
        ring.add_did_document(&document.to_string()).unwrap();
        let policy = Policy::at(UnixTime::from_seconds(NOW).unwrap());
        let mut world = World { ring, policy, lists: Lists::default() };
        for list in [crate::lists::token_list(&[]), crate::lists::bit_list(&[])] {
            world.lists.add(&list, &world.ring, &world.policy).unwrap();
        }
        world
    }

    /// The credential of a valid token, or why it is not.
    pub(crate) fn verdict(&self, token: &str) -> Result<Value, (Reason, Step, String)> {
        let mut verifier = Verifier::new(&self.ring, &self.policy, &self.lists);
        match verifier.verify(token) {
            Verdict::Valid(valid) => Ok(serde_json::from_slice(valid.credential).unwrap()),
            Verdict::Invalid(refusal) => Err((refusal.reason, refusal.step, refusal.message)),
        }
    }

    /// Reason and step of a refusal; `None` where the token is valid.
    pub(crate) fn refusal(&self, token: &str) -> Option<(Reason, Step)> {
        self.verdict(token).err().map(|(reason, step, _)| (reason, step))
    }

    /// The same with another policy.
    pub(crate) fn asking(&self, change: impl FnOnce(&mut Policy)) -> World {
        let mut policy = self.policy.clone();
        change(&mut policy);
        let mut world = World { ring: self.ring.clone(), policy, lists: Lists::default() };
        for list in [crate::lists::token_list(&[]), crate::lists::bit_list(&[])] {
            // Lists that do not hold at another time are part of the case.
            let _ = world.lists.add(&list, &world.ring, &world.policy);
        }
        world
    }
}

/// A token and the verdict that it must get.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) token: String,
    pub(crate) reason: Reason,
    pub(crate) step: Step,
}

impl Case {
    /// What is wrong with the verdict, if anything.
    pub(crate) fn problem(&self, world: &World) -> Option<String> {
        let expected = (self.reason, self.step);
        match world.verdict(&self.token) {
            Err((reason, step, message)) if (reason, step) == expected => {
                message.is_empty().then(|| format!("{}: no message", self.name))
            }
            Err((reason, step, message)) => {
                Some(format!("{}: {reason:?} at {step:?} ({message}), not {expected:?}", self.name))
            }
            Ok(_) => Some(format!("{}: valid, not {expected:?}", self.name)),
        }
    }
}
