"""The tokens that the page and the command must judge alike, each with the reason that its name promises."""

import dataclasses
import json
import time

import forge
from forge import b64u, changed, disclosure, digest, parts

AUDIENCE = "https://verifier.example"
NONCE = "n-0S6_WzA2Mj"


@dataclasses.dataclass
class Case:
    """A text, what is asked for, and what it must come to: a reason, or nothing where it is valid."""

    name: str
    text: str
    reason: str = ""
    nonce: str | None = None
    audience: str = ""


class Forger:
    """Makes tokens of a site's issuer by changing real ones, and signing them again."""

    def __init__(self, site, now):
        self.site, self.now = site, now
        self.base = {}
        for proof_format in ("jwt_vc", "sd_jwt_vc"):
            header, payload, _, tail = parts(site.token(f"valid business {proof_format}"))
            self.base[proof_format] = (header, payload, tail)

    def make(self, proof_format, header=None, payload=None, tail=None, key=None):
        """Changes are members; a text or bytes stand for the whole part."""
        base_header, base_payload, base_tail = self.base[proof_format]
        merge = lambda base, change: (
            change if isinstance(change, (str, bytes, list)) else changed(base, **(change or {}))
        )
        jws = (key or self.site.key).jws(merge(base_header, header), merge(base_payload, payload))
        return jws + (base_tail if tail is None else tail)

    def open_type(self, claims, **changes):
        """A `jwt_vc` of a type that nobody knows, whose claims may be anything."""
        subject = {"id": "https://companies.example/1"} | claims
        return self.make(
            "jwt_vc",
            payload={
                "type": ["VerifiableCredential", "ExampleCredential"],
                "vct": None,
                "credentialSubject": subject,
                "credentialSchema": None,
                "sub": None,
                "evidence": None,
            }
            | changes,
        )

    def open_sd(self, payload, tail="~"):
        return self.make(
            "sd_jwt_vc", payload={"vct": "urn:example:open", "claims": None, "subject": None} | payload, tail=tail
        )


def issued(site, prefix=""):
    """What the site's issuer issued."""
    reasons = {"valid": "", "held": "", "revoked": "revoked", "suspended": "suspended"}
    return [Case(f"{prefix}{name}", site.token(name), reasons[name.split()[0]]) for name in site.issued]


def headers(forger):
    other = forge.Key()
    table = [
        ("alg none", "unsupported_alg", {"alg": "none"}),
        ("alg HS256", "unsupported_alg", {"alg": "HS256"}),
        ("alg ES384", "unsupported_alg", {"alg": "ES384"}),
        ("alg in lower case", "unsupported_alg", {"alg": "es256"}),
        ("no alg", "unsupported_alg", {"alg": None}),
        ("typ JWT", "unsupported_type", {"typ": "JWT"}),
        ("no typ", "unsupported_type", {"typ": None}),
        ("typ of a list", "unsupported_type", {"typ": "statuslist+jwt"}),
        ("typ kb+jwt", "unsupported_type", {"typ": "kb+jwt"}),
        ("typ a number", "malformed", {"typ": 1}),
        ("crit", "unsupported_critical", {"crit": ["exp"]}),
        ("empty crit", "unsupported_critical", {"crit": []}),
        ("b64 false", "unsupported_critical", {"b64": False}),
        ("b64 true", "", {"b64": True}),
        ("another kid", "unknown_kid", {"kid": forger.site.issuer + "#k2"}),
        ("kid of another issuer", "unknown_kid", {"kid": "did:web:evil.example#k1"}),
        ("kid as a path", "unknown_kid", {"kid": "../../.well-known/did.json"}),
        ("kid __proto__", "unknown_kid", {"kid": "__proto__"}),
        ("kid a number", "malformed", {"kid": 7}),
        ("no kid", "unknown_kid", {"kid": None}),
        ("kid its fragment", "", {"kid": forger.site.kid.split("#")[1]}),
        ("kid its relative URL", "", {"kid": "#" + forger.site.kid.split("#")[1]}),
        ("own key in jwk", "bad_signature", {"jwk": other.jwk()}),
        ("unknown parameters", "", {"x5t": "a", "jku": "https://evil.example/jwks.json"}),
    ]
    for proof_format in ("jwt_vc", "sd_jwt_vc"):
        for name, reason, change in table:
            key = other if name == "own key in jwk" else None
            yield Case(f"{proof_format}: {name}", forger.make(proof_format, header=change, key=key), reason)
    yield Case("typ with application/, in capitals", forger.make("jwt_vc", header={"typ": "application/VC+JWT"}))
    yield Case("cty of a presentation", forger.make("jwt_vc", header={"cty": "vp"}), "unsupported_type")
    yield Case("cty a number", forger.make("jwt_vc", header={"cty": 1}), "malformed")
    yield Case("header with a member twice", forger.make("jwt_vc", header='{"alg":"ES256","alg":"ES256"}'), "malformed")
    yield Case("header that is an array", forger.make("jwt_vc", header=["ES256"]), "malformed")
    yield Case("SD-JWT as vc+jwt", forger.make("sd_jwt_vc", header={"typ": "vc+jwt"}), "malformed")
    yield Case("jwt_vc as SD-JWT", forger.make("jwt_vc", header={"typ": "dc+sd-jwt"}), "malformed")


def texts(forger):
    site = forger.site
    for proof_format in ("jwt_vc", "sd_jwt_vc"):
        token = site.token(f"valid business {proof_format}")
        jwt, tilde, tail = token.partition("~")
        header, payload, signature = jwt.split(".")
        raw = forge.unb64u(signature)
        join = lambda *three: ".".join(three) + tilde + tail
        flipped = payload[:100] + ("A" if payload[100] != "A" else "B") + payload[101:]
        # The last character of 64 bytes has four bits that say nothing.
        stray = signature[:-1] + chr(ord(signature[-1]) + 1)
        for name, text, reason in [
            ("payload with another character", join(header, flipped, signature), "bad_signature"),
            (
                "signature with a flipped bit",
                join(header, payload, b64u(bytes([raw[0] ^ 1]) + raw[1:])),
                "bad_signature",
            ),
            ("signature of zeros", join(header, payload, b64u(bytes(64))), "bad_signature"),
            ("signature of 63 bytes", join(header, payload, b64u(raw[:63])), "bad_signature"),
            ("signature of 65 bytes", join(header, payload, b64u(raw + b"\0")), "bad_signature"),
            ("signature in DER", join(header, payload, b64u(site.key.der(f"{header}.{payload}"))), "bad_signature"),
            ("no signature", join(header, payload, ""), "bad_signature"),
            ("signature with padding", join(header, payload, signature + "=="), "malformed"),
            ("signature with stray bits", join(header, payload, stray), "malformed"),
            ("signature by another key", forger.make(proof_format, key=forge.Key()), "bad_signature"),
            ("two parts", f"{header}.{payload}{tilde}{tail}", "malformed"),
            ("four parts", f"{jwt}.{signature}{tilde}{tail}", "malformed"),
            ("a space inside", token[:50] + " " + token[50:], "malformed"),
            ("a line break inside", token[:50] + "\n" + token[50:], "malformed"),
            ("a letter of another script", token[:50] + "е" + token[50:], "malformed"),
            ("header of another kind", join(b64u('{"alg":"none"}'), payload, signature), "unsupported_alg"),
        ]:
            yield Case(f"{proof_format}: {name}", text, reason)
    valid = site.token("valid business jwt_vc")
    yield Case("jwt_vc with a tilde", valid + "~", "malformed")
    yield Case("SD-JWT without its last tilde", site.token("valid business sd_jwt_vc")[:-1], "malformed")
    yield Case("one word", "hello", "malformed")
    yield Case("JSON serialization", '{"payload":"e30","signatures":[]}', "malformed")
    yield Case("only dots", "..", "malformed")
    yield Case("16 MiB and one", "a" * (16 * 1024 * 1024 + 1), "malformed")
    yield Case("a long signature", valid + "A" * 300_000, "bad_signature")
    yield Case("very many disclosures", valid + "~" + "a~" * 131_073, "disclosure_invalid")
    yield Case(
        "many disclosures of nothing",
        forger.make("sd_jwt_vc", tail="~" + "".join(disclosure(str(at), 1) + "~" for at in range(5000))),
        "disclosure_invalid",
    )


def payloads(forger):
    make = forger.make
    base = forge.text_of(forger.base["jwt_vc"][1])
    nested = lambda depth: json.dumps({"deep": None}).replace("null", "[" * depth + "]" * depth)
    yield Case("payload with a member twice", make("jwt_vc", payload=base[:-1] + ',"exp":9999999999}'), "malformed")
    yield Case(
        "payload with a member twice, escaped",
        make("jwt_vc", payload=base[:-1] + ',"\\u0065xp":9999999999}'),
        "malformed",
    )
    yield Case(
        "payload with a member twice inside", make("jwt_vc", payload=base[:-1] + ',"x":{"a":1,"a":1}}'), "malformed"
    )
    yield Case("payload that is an array", make("jwt_vc", payload=[1]), "malformed")
    yield Case("payload with a trailing comma", make("jwt_vc", payload=base[:-1] + ",}"), "malformed")
    yield Case("payload with text behind it", make("jwt_vc", payload=base + " x"), "malformed")
    yield Case("payload with a byte order mark", make("jwt_vc", payload="\ufeff" + base), "malformed")
    yield Case("payload that is not UTF-8", make("jwt_vc", payload=base.encode()[:-1] + b',"x":"\xff"}'), "malformed")
    yield Case("payload with half a surrogate pair", make("jwt_vc", payload=base[:-1] + ',"x":"\\ud83d"}'), "malformed")
    yield Case("payload with NUL", make("jwt_vc", payload=base[:-1] + ',"x":"\\u0000"}'), "malformed")
    yield Case("payload with a control character", make("jwt_vc", payload=base[:-1] + ',"x":"\n"}'), "malformed")
    yield Case("payload with a bad escape", make("jwt_vc", payload=base[:-1] + ',"x":"\\x"}'), "malformed")
    yield Case("payload with a long number", make("jwt_vc", payload=base[:-1] + f',"x":{"1" * 65}}}'), "malformed")
    yield Case("payload with a leading zero", make("jwt_vc", payload=base[:-1] + ',"x":01}'), "malformed")
    yield Case("payload nested too deeply", make("jwt_vc", payload=base[:-1] + "," + nested(66)[1:]), "malformed")
    yield Case("payload nested as deeply as allowed", make("jwt_vc", payload=base[:-1] + "," + nested(65)[1:]))
    yield Case("payload with white space", make("jwt_vc", payload=" " + base.replace('","', '" , \n"') + "\n"))
    yield Case("payload with a surrogate pair", make("jwt_vc", payload=base[:-1] + ',"x":"\\ud83d\\ude00"}'))


def claims(forger):
    now, make, issuer = forger.now, forger.make, forger.site.issuer
    stamp = lambda seconds: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
    subject = forger.base["jwt_vc"][1]["credentialSubject"]
    for name, reason, change in [
        ("exp passed", "expired", {"exp": now - 1}),
        ("exp passed, with a fraction", "expired", {"exp": now - 10.5}),
        ("exp is text", "schema_invalid", {"exp": str(now + 86400)}),
        ("exp far away", "", {"exp": 1e300}),
        ("iat to come", "not_yet_valid", {"iat": now + 86400}),
        ("nbf to come", "not_yet_valid", {"nbf": now + 86400}),
        ("expired and not yet valid", "expired", {"exp": now - 1, "nbf": now + 86400}),
        ("aud of somebody", "audience_mismatch", {"aud": AUDIENCE}),
        ("issuer of another", "issuer_mismatch", {"issuer": "did:web:evil.example", "iss": "did:web:evil.example"}),
        ("another case of the issuer", "issuer_mismatch", {"issuer": issuer.upper(), "iss": issuer.upper()}),
    ]:
        for proof_format in ("jwt_vc", "sd_jwt_vc"):
            own = {name: value for name, value in change.items() if proof_format == "jwt_vc" or name != "issuer"}
            yield Case(f"{proof_format}: {name}", make(proof_format, payload=own), reason)
    for name, reason, change in [
        ("validUntil passed", "expired", {"validUntil": stamp(now - 1)}),
        ("validFrom to come", "not_yet_valid", {"validFrom": stamp(now + 86400)}),
        (
            "validUntil before validFrom",
            "schema_invalid",
            {"validFrom": stamp(now - 60), "validUntil": stamp(now - 90)},
        ),
        ("validFrom on 30 February", "schema_invalid", {"validFrom": "2026-02-30T00:00:00Z"}),
        ("validFrom without a zone", "schema_invalid", {"validFrom": "2026-02-03T00:00:00"}),
        ("validFrom with a leap second", "schema_invalid", {"validFrom": "2016-12-31T23:59:60Z"}),
        ("validFrom with an offset", "", {"validFrom": "2026-02-03T00:00:00.123+14:00"}),
        ("validUntil at the end of time", "", {"validUntil": "9999-12-31T23:59:59Z"}),
        ("no @context", "schema_invalid", {"@context": None}),
        ("@context of version 1", "schema_invalid", {"@context": ["https://www.w3.org/2018/credentials/v1"]}),
        ("type without VerifiableCredential", "schema_invalid", {"type": ["BusinessCredential"]}),
        ("type of a list", "unsupported_type", {"type": ["VerifiableCredential", "BitstringStatusListCredential"]}),
        ("type of a presentation", "unsupported_type", {"type": ["VerifiablePresentation"]}),
        ("no issuer", "schema_invalid", {"issuer": None}),
        ("issuer as an object", "", {"issuer": {"id": issuer, "name": "Quillmere"}}),
        ("iss and issuer differ", "schema_invalid", {"iss": "did:web:evil.example"}),
        ("jti and id differ", "schema_invalid", {"jti": "urn:uuid:0"}),
        ("id is no URL", "schema_invalid", {"id": "abc", "jti": None}),
        ("no credentialSubject", "schema_invalid", {"credentialSubject": None}),
        ("credentialSubject is empty", "schema_invalid", {"credentialSubject": {}}),
        ("credentialSubject is text", "schema_invalid", {"credentialSubject": "x"}),
        (
            "sub names another",
            "schema_invalid",
            {
                "sub": "https://companies.example/2",
                "credentialSubject": subject | {"id": "https://companies.example/1"},
            },
        ),
        ("vc beside", "schema_invalid", {"vc": {}}),
        (
            "credentialStatus with an id that is no URL",
            "schema_invalid",
            {"credentialStatus": {"id": "x", "type": "A"}},
        ),
        ("@context with text that is no URL", "schema_invalid", {"@context": [forge.CREDENTIALS_V2, "a b"]}),
        ("issuer that is no URL", "schema_invalid", {"issuer": "Quillmere", "iss": "Quillmere"}),
        ("credentialSubject.id that is no URL", "schema_invalid", {"credentialSubject": subject | {"id": "a b:c"}}),
        ("evidence without a type", "schema_invalid", {"evidence": [{"type": "A"}, {"id": "urn:x:1"}]}),
        ("evidence that is text", "schema_invalid", {"evidence": "x"}),
        ("termsOfUse without a type", "schema_invalid", {"termsOfUse": {"id": "urn:x:1"}}),
        ("proof without a type", "schema_invalid", {"proof": {}}),
        ("refreshService with a type", "", {"refreshService": {"type": "A", "id": "https://a.example/ä"}}),
        ("credentialSchema without an id", "schema_invalid", {"credentialSchema": {"type": "JsonSchema"}}),
        ("credentialSchema with several types", "", {"credentialSchema": {"type": ["A", "B"], "id": "urn:x:1"}}),
        ("credentialSchema without types", "schema_invalid", {"credentialSchema": {"type": [], "id": "urn:x:1"}}),
        ("credentialStatus without a type", "schema_invalid", {"credentialStatus": {"id": "urn:x:1"}}),
    ]:
        yield Case(name, make("jwt_vc", payload=change), reason)
    for name, reason, change in [
        ("no exp", "", {"exp": None}),
        ("no iss", "", {"iss": None}),
        ("no vct", "schema_invalid", {"vct": None}),
        ("cnf is text", "schema_invalid", {"cnf": "x"}),
        ("cnf with a private key", "schema_invalid", {"cnf": {"jwk": forge.Key().jwk() | {"d": "AA"}}}),
        ("aka_vcts with the vct", "schema_invalid", {"aka_vcts": [forger.base["sd_jwt_vc"][1]["vct"]]}),
    ]:
        yield Case(f"sd_jwt_vc: {name}", make("sd_jwt_vc", payload=change), reason)
    yield Case(
        "aud that is asked for", make("jwt_vc", payload={"aud": ["https://a.example", AUDIENCE]}), audience=AUDIENCE
    )
    yield Case(
        "aud of another",
        make("sd_jwt_vc", payload={"aud": "https://a.example"}),
        "audience_mismatch",
        audience=AUDIENCE,
    )
    yield Case("no aud where one is asked for", make("jwt_vc"), audience=AUDIENCE)
    yield Case("a subject with an id alone", forger.open_type({}))
    yield Case("an old type of SD-JWT VC", make("sd_jwt_vc", header={"typ": "vc+sd-jwt"}), "unsupported_type")
    yield Case(
        "two subjects", forger.open_type({}, credentialSubject=[{"id": "urn:x:1", "a": 1}, {"id": "urn:x:2", "a": 2}])
    )


def disclosures(forger):
    _, payload, tail = forger.base["sd_jwt_vc"]
    found = tail.strip("~").split("~")
    join = lambda some: "~" + "".join(text + "~" for text in some)
    make = lambda some: forger.make("sd_jwt_vc", tail=join(some))
    yield Case("one disclosure withheld", make(found[:-1]))
    yield Case("another disclosure withheld", make(found[1:]))
    yield Case("all disclosures withheld", make([]))
    yield Case("disclosures in another order", make(found[::-1]))
    yield Case("a disclosure twice", make(found + found[:1]), "disclosure_invalid")
    yield Case("a disclosure of nothing", make(found + [disclosure("c2FsdA", "name", "x")]), "disclosure_invalid")
    yield Case(
        "a disclosure of another credential",
        make(found + [forge.parts(forger.site.token("revoked business sd_jwt_vc"))[3].strip("~").split("~")[0]]),
        "disclosure_invalid",
    )
    inner = json.loads(forge.unb64u(found[0]))
    yield Case(
        "a changed disclosure", make([disclosure(inner[0], inner[1], "changed")] + found[1:]), "disclosure_invalid"
    )
    yield Case("a disclosure that is not base64url", make(found + ["A"]), "disclosure_invalid")
    yield Case("a disclosure that is no JSON", make(found + [b64u("x")]), "disclosure_invalid")
    yield Case("an empty disclosure", forger.make("sd_jwt_vc", tail="~~"), "disclosure_invalid")
    for name, reason, given, claims in [
        ("a decoy", "", [], lambda: {"_sd": [digest("decoy")], "a": 1}),
        ("an open claim", "", [disclosure("s", "a", 1)], lambda text: {"_sd": [digest(text)]}),
        ("a claim under a claim", "", [disclosure("s", "a", {"b": 1})], lambda text: {"x": {"_sd": [digest(text)]}}),
        ("an element", "", [disclosure("s", "one")], lambda text: {"list": [{"...": digest(text)}, "two"]}),
        ("a withheld element", "", [], lambda: {"list": [{"...": digest("gone")}, "two"]}),
        ("a digest twice", "disclosure_invalid", [], lambda: {"_sd": [digest("d"), digest("d")]}),
        (
            "a digest twice, in two places",
            "disclosure_invalid",
            [],
            lambda: {"_sd": [digest("d")], "x": {"_sd": [digest("d")]}},
        ),
        (
            "a name that is taken",
            "disclosure_invalid",
            [disclosure("s", "a", 1)],
            lambda text: {"_sd": [digest(text)], "a": 2},
        ),
        ("the name _sd", "disclosure_invalid", [disclosure("s", "_sd", [])], lambda text: {"_sd": [digest(text)]}),
        (
            "a member as an element",
            "disclosure_invalid",
            [disclosure("s", "a", 1)],
            lambda text: {"list": [{"...": digest(text)}]},
        ),
        ("an element as a member", "disclosure_invalid", [disclosure("s", 1)], lambda text: {"_sd": [digest(text)]}),
        ("dots beside another member", "disclosure_invalid", [], lambda: {"list": [{"...": digest("d"), "a": 1}]}),
        ("dots in an object", "disclosure_invalid", [], lambda: {"x": {"...": digest("d")}}),
        ("_sd that is text", "disclosure_invalid", [], lambda: {"_sd": digest("d")}),
        ("another hash", "disclosure_invalid", [], lambda: {"_sd_alg": "sha-512"}),
        ("_sd_alg inside", "disclosure_invalid", [], lambda: {"x": {"_sd_alg": "sha-256"}}),
        (
            "exp in a disclosure",
            "disclosure_invalid",
            [disclosure("s", "exp", 9999999999)],
            lambda text: {"exp": None, "_sd": [digest(text)]},
        ),
        (
            "status in a disclosure",
            "disclosure_invalid",
            [disclosure("s", "status", {})],
            lambda text: {"status": None, "_sd": [digest(text)]},
        ),
        ("a part of cnf in a disclosure", "disclosure_invalid", [], lambda: {"cnf": {"_sd": [digest("d")]}}),
        (
            "a salt that is a number",
            "disclosure_invalid",
            [disclosure(1, "a", 1)],
            lambda text: {"_sd": [digest(text)]},
        ),
        ("four elements", "disclosure_invalid", [disclosure("s", "a", 1, 2)], lambda text: {"_sd": [digest(text)]}),
        (
            "a member __proto__",
            "",
            [disclosure("s", "__proto__", {"valid": True})],
            lambda text: {"_sd": [digest(text)]},
        ),
    ]:
        yield Case(f"disclosures: {name}", forger.open_sd(claims(*given), join(given)), reason)


def key_binding(forger):
    site, now = forger.site, forger.now
    presentation = site.token("held business sd_jwt_vc")
    shorter = "~".join(presentation.split("~")[:-2]) + "~"
    holder = site.holder
    bind = lambda **changes: forge.bind(holder, presentation, AUDIENCE, NONCE, now, **changes)
    asked = lambda name, text, reason="key_binding_invalid", nonce=NONCE: Case(
        f"key binding: {name}", text, reason, nonce, AUDIENCE
    )
    yield asked("right", bind(), "")
    yield asked("right, with fewer disclosures", forge.bind(holder, shorter, AUDIENCE, NONCE, now), "")
    yield asked("missing", presentation, "key_binding_missing")
    yield asked(
        "missing, of a credential without a holder", site.token("valid business sd_jwt_vc"), "key_binding_missing"
    )
    yield asked("of a jwt_vc", site.token("held business jwt_vc"), "key_binding_missing")
    yield asked(
        "for a credential without a holder",
        forge.bind(holder, site.token("valid business sd_jwt_vc"), AUDIENCE, NONCE, now),
    )
    yield asked("another nonce", bind(), nonce="another")
    yield asked("nonce in another case", bind(nonce=NONCE.lower()))
    yield asked("no nonce", bind(nonce=None))
    yield asked("another audience", bind(aud="https://evil.example"))
    yield asked("several audiences", bind(aud=[AUDIENCE]))
    yield asked("another key", bind(sign=forge.Key()))
    yield asked("the issuer's key", bind(sign=site.key))
    yield asked("alg none", bind(header={"alg": "none"}))
    yield asked("typ JWT", bind(header={"typ": "JWT"}))
    yield asked("crit", bind(header={"crit": ["x"]}))
    yield asked("old", bind(iat=now - 3600))
    yield asked("made tomorrow", bind(iat=now + 86400))
    yield asked("no iat", bind(iat=None))
    yield asked("expired", bind(exp=now - 1))
    yield asked("another presentation", bind(sd_hash=digest(shorter)))
    yield asked("no sd_hash", bind(sd_hash=None))
    yield asked("a disclosure taken away afterwards", bind().replace(presentation, shorter))
    yield asked("a bad signature", bind()[:-4] + "AAAA")
    yield asked(
        "of a revoked credential", forge.bind(holder, site.token("revoked business sd_jwt_vc"), AUDIENCE, NONCE, now)
    )
    yield Case("key binding: not asked for", bind())
    yield Case("key binding: wrong, and not asked for", bind(sign=forge.Key()))
    yield Case("key binding: no JWS", presentation + "abc", "malformed")


def hostile(forger):
    html = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
    yield Case(
        "hostile: markup in every place",
        forger.open_type(
            {
                html: html,
                "name": f"</bdi></dd>{html}",
                "list": [html, {html: [html]}],
                "url": "javascript:window.hacked=1",
                "style": "color:red;background:url(https://evil.example/x)",
            }
        ),
    )
    yield Case(
        "hostile: names of built-in objects",
        forger.open_type(
            {
                "__proto__": {"valid": True},
                "constructor": "x",
                "toString": "y",
                "hasOwnProperty": "z",
            }
        ),
    )
    yield Case(
        "hostile: bidirectional and invisible",
        forger.open_type({"name": "\u202eetad\u202c \u2066x\u2069 a\u200bb \u0007"}),
    )
    yield Case("hostile: a long text", forger.open_type({"name": "W" * 200_000}))
    yield Case("hostile: very many claims", forger.open_type({f"claim{at}": at for at in range(20_000)}))
    yield Case("hostile: deep claims", forger.open_type({"a": json.loads('{"a":' * 50 + "1" + "}" * 50)}))
    yield Case("hostile: four scripts", forger.open_type({"name": "Ærøskøbing 株式会社 Ελλάς שלום مرحبا " * 3}))
    yield Case("hostile: markup as an id", forger.open_sd({"jti": html, "sub": html, "vct": html, html: 1}))
    yield Case(
        "hostile: disclosed markup",
        forger.open_sd({"_sd": [digest(disclosure("s", html, html))]}, f"~{disclosure('s', html, html)}~"),
    )


def everything(site, now):
    """The cases of a site with a DID document, but for presentations."""
    forger = Forger(site, now)
    return [
        *issued(site),
        *headers(forger),
        *texts(forger),
        *payloads(forger),
        *claims(forger),
        *disclosures(forger),
        *hostile(forger),
    ]
