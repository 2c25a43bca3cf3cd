"""Makes the key of a foreign issuer: foreign-private.jwk, and the key set foreign-public.json."""

import base64
import json

from cryptography.hazmat.primitives.asymmetric import ec

key = ec.generate_private_key(ec.SECP256R1())
numbers = key.private_numbers()
part = lambda number: base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()
public = {"kty": "EC", "crv": "P-256", "x": part(numbers.public_numbers.x), "y": part(numbers.public_numbers.y)}
with open("foreign-private.jwk", "w", encoding="utf-8") as file:
    json.dump(public | {"d": part(numbers.private_value)}, file)
with open("foreign-public.json", "w", encoding="utf-8") as file:
    json.dump({"keys": [public | {"kid": "did:web:foreign.example#k1", "alg": "ES256", "use": "sig"}]}, file)
