"""Tokens of beltic through PyJWT and sd-jwt, and theirs through beltic.

Run by .ci/interop/run, in a folder with a site and results that beltic has written.
"""

import base64
import hashlib
import json
import pathlib
import subprocess
import sys
import time
import zlib

import jsonschema
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwcrypto.jwk import JWK
from sd_jwt.common import SDObj
from sd_jwt.issuer import SDJWTIssuer
from sd_jwt.verifier import SDJWTVerifier

BELTIC = sys.argv[1]
ISSUER = "did:web:foreign.example"
KID = ISSUER + "#k1"
NOW = int(time.time())


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def request_of(item):
    return item.get("request", item)


def check_ours():
    """What beltic issued verifies elsewhere, and says what was asked for."""
    with open("site/.well-known/jwks.json", encoding="utf-8") as file:
        jwks = json.load(file)
    keys = {key["kid"]: key for key in jwks["keys"]}
    items = {item["correlation_id"]: request_of(item) for item in lines("items.ndjson")}
    for name in ("jwt_vc", "sd_jwt_vc"):
        checked = 0
        for row in lines(f"{name}.ndjson"):
            token, asked = row["credential"]["signed_payload"], items[row["correlation_id"]]
            kid = jwt.get_unverified_header(token.split("~")[0])["kid"]
            if name == "jwt_vc":
                assert jwt.get_unverified_header(token)["typ"] == "vc+jwt"
                payload = jwt.decode(token, jwt.PyJWK(keys[kid]), algorithms=["ES256"])
                subject = payload["credentialSubject"]
                assert subject["claims"] == asked["claims"]
                # Where the id is not a URI, both `id` and `sub` are left out.
                assert payload.get("sub") == subject.get("id")
                assert subject.get("id", subject.get("subject_id")) == asked["subject"]["id"]
            else:
                key = JWK(**{k: v for k, v in keys[kid].items() if k in ("kty", "crv", "x", "y")})
                payload = SDJWTVerifier(token, lambda issuer, header: key).get_verified_payload()
                assert payload["claims"] == asked["claims"], payload
                assert payload["subject"] == asked["subject"], payload
            checked += 1
        assert checked > 5
        print(f"{checked} {name} of beltic accepted by {'PyJWT' if name == 'jwt_vc' else 'sd-jwt'}")


def check_schemas():
    """Each `jwt_vc` cites the published schema of its type by its hash, and is as that says."""
    checked = set()
    for row in lines("jwt_vc.ndjson"):
        token = row["credential"]["signed_payload"]
        payload = jwt.decode(token, options={"verify_signature": False})
        cited = payload["credentialSchema"]
        document = pathlib.Path("site" + cited["id"].removeprefix("https://issuer.example")).read_bytes()
        digest = base64.b64encode(hashlib.sha256(document).digest()).decode()
        assert cited == {"id": cited["id"], "type": "JsonSchema", "digestSRI": f"sha256-{digest}"}, cited
        schema = json.loads(document)
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.Draft202012Validator(schema).validate(payload)
        checked.add(cited["id"])
    assert len(checked) == 6, checked
    print(f"credentials fit the {len(checked)} schemas that they cite, by jsonschema")


def check_lists():
    """The lists of the site are signed by the published key, and say whose they are."""
    with open("site/.well-known/jwks.json", encoding="utf-8") as file:
        keys = {key["kid"]: key for key in json.load(file)["keys"]}
    paths = sorted(pathlib.Path("site/status").glob("*/*.jwt"))
    assert {path.parent.name for path in paths} == {"token", "bitstring"}, paths
    for path in paths:
        token = path.read_text(encoding="utf-8")
        header = jwt.get_unverified_header(token)
        payload = jwt.decode(token, jwt.PyJWK(keys[header["kid"]]), algorithms=["ES256"])
        assert header["typ"] == {"token": "statuslist+jwt", "bitstring": "vc+jwt"}[path.parent.name]
        assert payload["iss"] == "did:web:issuer.example", path
    print(f"{len(paths)} status lists of beltic accepted by PyJWT")


def verdicts(tokens, *flags):
    """What beltic says of these tokens."""
    run = subprocess.run(
        [BELTIC, "verify", "-", "--jwks", "foreign.json", "--issuer", ISSUER, "--output-format", "ndjson", *flags],
        input="\n".join(tokens) + "\n", text=True, capture_output=True, check=False,
    )
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(rows) == len(tokens), run.stderr
    return [(row["valid"], row.get("reason")) for row in rows]


def vc(**changes):
    credential = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": "urn:uuid:01a206e6-9989-7123-a539-f16d67dba009",
        "type": ["VerifiableCredential", "ExampleCredential"],
        "issuer": ISSUER,
        "validFrom": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW - 60)),
        "credentialSubject": {"id": "https://companies.example/1", "degree": "x"},
        "iss": ISSUER, "iat": NOW - 60, "exp": NOW + 3600,
    }
    return {name: value for name, value in (credential | changes).items() if value is not None}


def check_theirs():
    """What others issue is accepted, and refused where it has to be."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key()))
    with open("foreign.json", "w", encoding="utf-8") as file:
        json.dump({"keys": [public | {"kid": KID, "alg": "ES256", "use": "sig"}]}, file)

    def sign(payload, **header):
        return jwt.encode(payload, key, algorithm="ES256", headers={"typ": "vc+jwt", "kid": KID} | header)

    def listed(*revoked, uri="https://foreign.example/list"):
        bits = bytearray(16)
        for index in revoked:
            bits[index // 8] |= 1 << index % 8
        lst = base64.urlsafe_b64encode(zlib.compress(bytes(bits), 9)).rstrip(b"=").decode()
        claims = {"sub": uri, "iat": NOW, "exp": NOW + 600, "status_list": {"bits": 1, "lst": lst}}
        return sign(claims, typ="statuslist+jwt")

    status = lambda index: {"status_list": {"idx": index, "uri": "https://foreign.example/list"}}
    with open("foreign-list.jwt", "w", encoding="utf-8") as file:
        file.write(listed(7, 100))
    expected = {
        sign(vc()): (True, None),
        sign(vc(status=status(6))): (True, None),
        sign(vc(status=status(7))): (False, "revoked"),
        sign(vc(status=status(100))): (False, "revoked"),
        sign(vc(status=status(128))): (False, "status_unknown"),
        sign(vc(exp=NOW - 1)): (False, "expired"),
        sign(vc(nbf=NOW + 600)): (False, "not_yet_valid"),
        sign(vc(iss="did:web:other.example", issuer="did:web:other.example")): (False, "issuer_mismatch"),
        sign(vc(), typ="JWT"): (False, "unsupported_type"),
        sign(vc(), kid=ISSUER + "#k2"): (False, "unknown_kid"),
        jwt.encode(vc(), "secret" * 8, algorithm="HS256", headers={"typ": "vc+jwt", "kid": KID}):
            (False, "unsupported_alg"),
        jwt.encode(vc(), None, algorithm="none", headers={"typ": "vc+jwt", "kid": KID}):
            (False, "unsupported_alg"),
        sign(vc())[:-4] + "AAAA": (False, "bad_signature"),
    }
    found = verdicts(expected, "--status-list", "foreign-list.jwt")
    for token, verdict, wanted in zip(expected, found, expected.values()):
        assert verdict == wanted, (jwt.get_unverified_header(token), verdict, wanted)
    print(f"{len(expected)} tokens of PyJWT judged as they should be")

    claims = {
        "iss": ISSUER, "iat": NOW - 60, "exp": NOW + 3600, "vct": "https://foreign.example/types/1",
        SDObj("name"): "Quillmere", "address": {SDObj("city"): "Leith", "country": "GB"},
        SDObj("owners"): [SDObj("Ada"), SDObj("Bo"), "Cy"],
    }
    private = JWK.from_pyca(key)
    header = {"typ": "dc+sd-jwt", "kid": KID}
    issue = lambda decoys=False: SDJWTIssuer(
        claims, private, sign_alg="ES256", add_decoy_claims=decoys, extra_header_parameters=header
    ).sd_jwt_issuance
    tokens = [issue(), issue(True)]
    withheld = "~".join(tokens[0].split("~")[:1]) + "~"
    foreign_disclosure = tokens[0] + tokens[1].split("~")[1] + "~"
    twice = tokens[0] + tokens[0].split("~")[1] + "~"
    found = verdicts([*tokens, withheld, foreign_disclosure, twice])
    wanted = [(True, None)] * 3 + [(False, "disclosure_invalid")] * 2
    assert found == wanted, found
    print(f"{len(found)} SD-JWTs of sd-jwt judged as they should be")


check_ours()
check_schemas()
check_lists()
check_theirs()
