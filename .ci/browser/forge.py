"""Tokens and status lists, right and wrong, signed with the issuer's own key."""

import base64
import gzip
import hashlib
import json
import zlib

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

CREDENTIALS_V2 = "https://www.w3.org/ns/credentials/v2"


def b64u(data):
    data = data if isinstance(data, bytes) else data.encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64u(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def text_of(value):
    """JSON text; a text stands for itself, so that it may be no JSON."""
    return value if isinstance(value, (str, bytes)) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class Key:
    """A P-256 key that signs."""

    def __init__(self, private=None):
        self.private = private or ec.generate_private_key(ec.SECP256R1())

    @classmethod
    def load(cls, path):
        return cls(serialization.load_pem_private_key(path.read_bytes(), None))

    def jwk(self):
        numbers = self.private.public_key().public_numbers()
        return {"kty": "EC", "crv": "P-256", "x": b64u(numbers.x.to_bytes(32)), "y": b64u(numbers.y.to_bytes(32))}

    def multikey(self):
        numbers = self.private.public_key().public_numbers()
        return multibase(bytes([0x80, 0x24, 2 + numbers.y % 2]) + numbers.x.to_bytes(32))

    def der(self, text):
        return self.private.sign(text.encode(), ec.ECDSA(hashes.SHA256()))

    def sign(self, text):
        r, s = decode_dss_signature(self.der(text))
        return r.to_bytes(32) + s.to_bytes(32)

    def jws(self, header, payload):
        text = f"{b64u(text_of(header))}.{b64u(text_of(payload))}"
        return f"{text}.{b64u(self.sign(text))}"


def multibase(content):
    """Base58 with its prefix, of bytes that do not begin with a zero."""
    digits, number = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", int.from_bytes(content)
    text = ""
    while number:
        number, digit = divmod(number, 58)
        text = digits[digit] + text
    return f"z{text}"


def parts(token):
    """Header, payload, signature, and what follows the first tilde, itself included."""
    jwt, tilde, tail = token.partition("~")
    header, payload, signature = jwt.split(".")
    return json.loads(unb64u(header)), json.loads(unb64u(payload)), signature, tilde + tail


def disclosure(*elements):
    return b64u(text_of(list(elements)))


def digest(text):
    return b64u(hashlib.sha256(text.encode()).digest())


def bind(key, presentation, audience, given_nonce, made, /, header=None, sign=None, **changes):
    """The presentation with a key binding JWT behind it."""
    claims = {"iat": made, "aud": audience, "nonce": given_nonce, "sd_hash": digest(presentation)} | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    return presentation + (sign or key).jws({"alg": "ES256", "typ": "kb+jwt"} | (header or {}), claims)


def packed(values, bits):
    """The bytes of a token list in which these places have these values."""
    data = bytearray(131072 * bits // 8)
    for index, value in values.items():
        data[index * bits // 8] |= value << (index * bits % 8)
    return bytes(data)


def token_list(site, uri, now, values=None, bits=1, data=None, encoded=None, **changes):
    """The claims of a Token Status List."""
    encoded = encoded or b64u(zlib.compress(packed(values or {}, bits) if data is None else data, 9))
    claims = {"iss": site.issuer, "sub": uri, "iat": now - 60, "exp": now + 3600}
    return changed(claims | {"status_list": {"bits": bits, "lst": encoded}}, **changes)


def bitstring(site, uri, now, places=(), purpose="revocation", size=16384, encoded=None, **changes):
    """The claims of a Bitstring Status List."""
    data = bytearray(size)
    for index in places:
        data[index // 8] |= 0x80 >> index % 8
    encoded = encoded or "u" + b64u(gzip.compress(bytes(data)))
    subject = {"id": f"{uri}#list", "type": "BitstringStatusList", "statusPurpose": purpose, "encodedList": encoded}
    claims = {
        "@context": [CREDENTIALS_V2],
        "id": uri,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": site.issuer,
        "iat": now - 60,
        "exp": now + 3600,
        "credentialSubject": subject,
    }
    return changed(claims, **changes)


def changed(claims, /, **changes):
    """A copy with other members; None takes one away."""
    return {name: value for name, value in (claims | changes).items() if value is not None}
