"""JOSE libraries in several languages, both ways: they verify what beltic issued, and beltic judges what they sign.

Run by .ci/interop/run, in a folder with a site and results that beltic has written: ways.py BELTIC NAME COMMAND…

COMMAND verify PUBLIC.jwk reads tokens, one a line, and prints the payload of each that it accepts, or `refused`.
COMMAND sign PRIVATE.jwk reads a header and a payload in turn, as JSON, a line each, and prints a token for each pair.
"""

import base64
import json
import subprocess
import sys
import time

BELTIC, NAME, *COMMAND = sys.argv[1:]
ISSUER = "did:web:foreign.example"
KID = ISSUER + "#k1"
NOW = int(time.time())


def run(way, key, lines):
    fed = "".join(line + "\n" for line in lines)
    ended = subprocess.run([*COMMAND, way, key], input=fed, text=True, capture_output=True, check=False)
    assert ended.returncode == 0, f"{NAME} {way}: {ended.stderr}"
    return ended.stdout.splitlines()


def decoded(part):
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def altered(token):
    """The same token with another signature."""
    head, signature = token.rsplit(".", 1)
    return head + "." + ("B" if signature[0] != "B" else "C") + signature[1:]


def check_ours():
    with open("site/.well-known/jwks.json", encoding="utf-8") as file:
        (key,) = json.load(file)["keys"]
    with open("ours.jwk", "w", encoding="utf-8") as file:
        json.dump({name: key[name] for name in ("kty", "crv", "x", "y")}, file)
    tokens = []
    for name in ("jwt_vc", "sd_jwt_vc"):
        with open(f"{name}.ndjson", encoding="utf-8") as file:
            tokens += [json.loads(line)["credential"]["signed_payload"].split("~")[0] for line in file]
    found = run("verify", "ours.jwk", tokens + [altered(token) for token in tokens])
    assert len(found) == 2 * len(tokens), f"{NAME}: {len(found)} answers to {2 * len(tokens)} tokens"
    for token, answer in zip(tokens, found):
        assert answer != "refused" and json.loads(answer) == decoded(token.split(".")[1]), (NAME, answer)
    assert set(found[len(tokens):]) == {"refused"}, NAME
    return len(tokens)


def check_theirs():
    header = {"alg": "ES256", "typ": "vc+jwt", "cty": "vc", "kid": KID}
    credential = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": "urn:uuid:01a206e6-9989-7123-a539-f16d67dba009",
        "type": ["VerifiableCredential", "ExampleCredential"],
        "issuer": ISSUER,
        "credentialSubject": {"id": "https://companies.example/1", "name": "Fennwick & Søn, 東京"},
        "iss": ISSUER, "iat": NOW - 60, "exp": NOW + 3600,
    }
    sd_jwt = {"iss": ISSUER, "iat": NOW - 60, "exp": NOW + 3600, "vct": "https://foreign.example/1", "name": "Ødegård"}
    pairs = [
        (header, credential, True),
        (header, credential | {"exp": NOW - 1}, "expired"),
        (header, credential | {"iss": "did:web:x.example", "issuer": "did:web:x.example"}, "issuer_mismatch"),
        (header | {"kid": KID + "2"}, credential, "unknown_kid"),
        (header | {"typ": "dc+sd-jwt"}, sd_jwt, True),
    ]
    lines = [json.dumps(part) for *pair, _ in pairs for part in pair]
    tokens = run("sign", "foreign-private.jwk", lines)
    assert len(tokens) == len(pairs), f"{NAME}: {tokens}"
    tokens[-1] += "~"
    cases = list(zip(tokens, [wanted for *_, wanted in pairs])) + [(altered(tokens[0]), "bad_signature")]
    judged = subprocess.run(
        [BELTIC, "verify", "-", "--jwks", "foreign-public.json", "--issuer", ISSUER, "--output-format", "ndjson"],
        input="".join(token + "\n" for token, _ in cases), text=True, capture_output=True, check=False,
    )
    verdicts = [row.get("reason", row["valid"]) for row in map(json.loads, judged.stdout.splitlines())]
    assert verdicts == [wanted for _, wanted in cases], (NAME, verdicts, judged.stderr)
    return len(cases)


OURS, THEIRS = check_ours(), check_theirs()
print(f"{NAME}: accepts {OURS} tokens of beltic and refuses them altered; beltic judges {THEIRS} of its own")
