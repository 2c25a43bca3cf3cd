"""joserfc, and with the argument `jwcrypto` in front of the others, jwcrypto: see ways.py."""

import json
import sys

library, way, path = sys.argv[1:]
key = json.load(open(path, encoding="utf-8"))
lines = [line.rstrip("\n") for line in sys.stdin]

if library == "joserfc":
    from joserfc import jws
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey

    key = ECKey.import_key(key)

    def verified(token):
        try:
            return jws.deserialize_compact(token, key, algorithms=["ES256"]).payload.decode()
        except JoseError:
            return "refused"

    def signed(header, payload):
        registry = jws.JWSRegistry(algorithms=["ES256"], strict_check_header=False)
        return jws.serialize_compact(json.loads(header), payload, key, registry=registry)
else:
    from jwcrypto.common import JWException
    from jwcrypto.jwk import JWK
    from jwcrypto.jws import JWS

    key = JWK(**key)

    def verified(token):
        found = JWS()
        found.allowed_algs = ["ES256"]
        try:
            found.deserialize(token, key)
            return found.payload.decode()
        except JWException:
            return "refused"

    def signed(header, payload):
        made = JWS(payload)
        made.add_signature(key, None, header)
        return made.serialize(compact=True)


if way == "verify":
    for token in lines:
        print(verified(token))
else:
    for header, payload in zip(lines[::2], lines[1::2]):
        print(signed(header, payload))
