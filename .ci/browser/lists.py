"""Status lists, good and broken, and the credentials that name them."""

import gzip
import zlib

import forge
from cases import Case, Forger
from forge import b64u

INDEX = 94567


def entry(uri, index=str(INDEX), purpose="revocation", **changes):
    return {
        "id": f"{uri}#{index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": index,
        "statusListCredential": uri,
    } | changes


class Listing:
    """Publishes lists beside those of the site, and makes credentials that name them."""

    def __init__(self, site, base, now):
        self.site, self.base, self.now = site, base, now
        self.forger = Forger(site, now)
        self.count = 0

    def place(self, folder):
        self.count += 1
        path = f"status/{folder}/forged-{self.count}.jwt"
        return path, f"{self.base}/{path}"

    def publish(self, path, typ, claims, key=None, header=None, content=None):
        signed = (key or self.site.key).jws({"alg": "ES256", "typ": typ, "kid": self.site.kid} | (header or {}), claims)
        self.site.put(path, signed if content is None else content(signed))

    def token(self, name, reason, key=None, header=None, content=None, uri_in_list=None, index=INDEX, **changes):
        """A credential whose token list is like this."""
        path, uri = self.place("token")
        self.publish(
            path,
            "statuslist+jwt",
            forge.token_list(self.site, uri_in_list or uri, self.now, **changes),
            key,
            header,
            content,
        )
        return self.names(f"token list: {name}", reason, status={"status_list": {"idx": index, "uri": uri}})

    def bitstring(
        self,
        name,
        reason,
        key=None,
        header=None,
        content=None,
        uri_in_list=None,
        asked="revocation",
        index=INDEX,
        **changes,
    ):
        """A credential whose bitstring list is like this."""
        path, uri = self.place("bitstring")
        self.publish(
            path, "vc+jwt", forge.bitstring(self.site, uri_in_list or uri, self.now, **changes), key, header, content
        )
        return self.names(f"bitstring: {name}", reason, credentialStatus=entry(uri, str(index), asked))

    def names(self, name, reason, **status):
        return Case(
            name, self.forger.make("jwt_vc", payload={"status": None, "credentialStatus": None} | status), reason
        )


def token_lists(listing):
    site, now = listing.site, listing.now
    token = listing.token
    zeros = bytes(16384)
    packed = zlib.compress(zeros)
    yield token("good", "")
    yield token("revoked", "revoked", values={INDEX: 1})
    yield token("its neighbours revoked", "", values={INDEX - 1: 1, INDEX + 1: 1})
    for bits in (2, 4, 8):
        yield token(f"{bits} bits, suspended", "suspended", values={INDEX: 2}, bits=bits)
        yield token(f"{bits} bits, valid", "", values={INDEX - 1: 3, INDEX + 1: 3}, bits=bits)
        yield token(f"{bits} bits, a reserved value", "status_unknown", values={INDEX: 3}, bits=bits)
    yield token("3 bits", "status_unknown", data=zeros, bits=3)
    yield token("signed by another", "status_unknown", key=forge.Key())
    yield token("by a key of another issuer", "status_unknown", header={"kid": "did:web:evil.example#1"})
    yield token("typ of a credential", "status_unknown", header={"typ": "vc+jwt"})
    yield token("typ JWT", "status_unknown", header={"typ": "JWT"})
    yield token("of another issuer", "status_unknown", iss="did:web:evil.example")
    yield token("another list", "status_unknown", uri_in_list=f"{listing.base}/status/token/other.jwt")
    yield token("expired", "status_unknown", exp=now - 1)
    yield token("not valid yet", "status_unknown", iat=now + 86400)
    yield token("older than its ttl", "status_unknown", iat=now - 3600, exp=None, ttl=60)
    yield token("older than a week, without an end", "status_unknown", iat=now - 8 * 86400, exp=None)
    yield token("a week young, without an end", "", iat=now - 6 * 86400, exp=None)
    yield token("its ttl is 0", "status_unknown", ttl=0)
    yield token("gzip in place of zlib", "status_unknown", encoded=b64u(gzip.compress(zeros)))
    yield token("raw deflate", "status_unknown", encoded=b64u(packed[2:-4]))
    yield token("a wrong checksum", "status_unknown", encoded=b64u(packed[:-1] + b"\0"))
    yield token("cut off", "status_unknown", encoded=b64u(packed[:-6]))
    yield token("bytes behind the end", "status_unknown", encoded=b64u(packed + b"x"))
    yield token("two streams", "status_unknown", encoded=b64u(packed + packed))
    yield token("a bomb", "status_unknown", data=bytes(300 << 20), index=0)
    yield token("as large as allowed", "", data=bytes(16 << 20), index=(128 << 20) - 1)
    yield token("padding", "status_unknown", encoded=b64u(packed) + "=")
    yield token("a place outside", "status_unknown", index=131072)
    yield token("a place far outside", "status_unknown", index=2**53 + 1)
    yield token(
        "a member twice",
        "status_unknown",
        content=lambda signed: site.key.jws(
            {"alg": "ES256", "typ": "statuslist+jwt", "kid": site.kid}, '{"sub":"a","sub":"b"}'
        ),
    )
    yield token("an error page", "status_unknown", content=lambda _: "<!doctype html><title>Not found</title>")
    yield token("an empty file", "status_unknown", content=lambda _: "")
    yield token("half a download", "status_unknown", content=lambda signed: signed[: len(signed) // 2])
    yield token("a line end", "", content=lambda signed: signed + "\n")
    yield token("a tilde", "status_unknown", content=lambda signed: signed + "~")
    yield token("too long a file", "status_unknown", content=lambda signed: signed + "A" * (9 << 20))
    yield token("not text", "status_unknown", content=lambda _: b"\xff\xfe")
    for name, reason, status in [
        (
            "a file that is not there",
            "status_unknown",
            {"status_list": {"idx": 1, "uri": f"{listing.base}/status/token/none.jwt"}},
        ),
        (
            "another origin",
            "status_unknown",
            {"status_list": {"idx": 1, "uri": "https://lists.example/status/token/1.jwt"}},
        ),
        (
            "plain http",
            "status_unknown",
            {"status_list": {"idx": 1, "uri": "http://issuer.example/status/token/1.jwt"}},
        ),
        ("a URL that is none", "status_unknown", {"status_list": {"idx": 1, "uri": "../token/1.jwt"}}),
        ("no status_list", "status_unknown", {"other": 1}),
        ("status is text", "schema_invalid", "x"),
        ("idx is text", "schema_invalid", {"status_list": {"idx": "1", "uri": "https://issuer.example/1"}}),
        ("idx is negative", "schema_invalid", {"status_list": {"idx": -1, "uri": "https://issuer.example/1"}}),
        ("idx wraps round", "schema_invalid", {"status_list": {"idx": 2**64, "uri": "https://issuer.example/1"}}),
        ("no uri", "schema_invalid", {"status_list": {"idx": 1}}),
    ]:
        yield listing.names(f"token list: {name}", reason, status=status)


def bitstrings(listing):
    bitstring, now = listing.bitstring, listing.now
    packed = gzip.compress(bytes(16384))
    yield bitstring("good", "")
    yield bitstring("revoked", "revoked", places=[INDEX])
    yield bitstring("its neighbours revoked", "", places=[INDEX - 1, INDEX + 1])
    yield bitstring("suspended", "suspended", places=[INDEX], purpose="suspension", asked="suspension")
    yield bitstring("of another purpose", "status_unknown", places=[INDEX], purpose="suspension")
    yield bitstring("of two purposes", "revoked", places=[INDEX], purpose=["suspension", "revocation"])
    yield bitstring("of a purpose that says nothing", "status_unknown", purpose="message")
    yield bitstring("signed by another", "status_unknown", key=forge.Key())
    yield bitstring("of another issuer", "status_unknown", issuer="did:web:evil.example")
    yield bitstring("iss and issuer differ", "status_unknown", iss="did:web:evil.example")
    yield bitstring("another list", "status_unknown", uri_in_list=f"{listing.base}/status/bitstring/other.jwt")
    yield bitstring("expired", "status_unknown", exp=now - 1)
    yield bitstring("validUntil passed", "status_unknown", validUntil="2020-01-01T00:00:00Z")
    yield bitstring("validFrom to come", "status_unknown", validFrom="2999-01-01T00:00:00Z")
    yield bitstring("too short", "status_unknown", size=16383)
    yield bitstring("zlib in place of gzip", "status_unknown", encoded="u" + b64u(zlib.compress(bytes(16384))))
    yield bitstring("no multibase", "status_unknown", encoded=b64u(packed))
    yield bitstring("another multibase", "status_unknown", encoded="z" + b64u(packed))
    yield bitstring("two members of gzip", "status_unknown", encoded="u" + b64u(packed + packed))
    yield bitstring("bytes behind the end", "status_unknown", encoded="u" + b64u(packed + b"\0\0"))
    yield bitstring("cut off", "status_unknown", encoded="u" + b64u(packed[:-9]))
    yield bitstring("a bomb", "status_unknown", size=300 << 20, index=0)
    yield bitstring("a place outside", "status_unknown", index=131072)
    yield bitstring("typ of a token list", "status_unknown", header={"typ": "statuslist+jwt"})
    yield bitstring("no id", "status_unknown", id=None)
    yield bitstring("an ordinary credential", "status_unknown", type=["VerifiableCredential"])
    good, uri = listing.place("bitstring")
    listing.publish(good, "vc+jwt", forge.bitstring(listing.site, uri, now))
    for name, reason, status in [
        ("refresh alone", "", entry(uri, purpose="refresh")),
        ("an unknown purpose", "status_unknown", entry(uri, purpose="banning")),
        ("an unknown type", "status_unknown", entry(uri, type="StatusList2021Entry")),
        ("two bits", "status_unknown", entry(uri, statusSize=2)),
        ("one bit", "", entry(uri, statusSize=1)),
        ("index is a number", "schema_invalid", entry(uri, statusListIndex=1)),
        ("index with a sign", "schema_invalid", entry(uri, statusListIndex="+1")),
        ("index with a zero in front", "schema_invalid", entry(uri, statusListIndex="01")),
        ("id of the list itself", "schema_invalid", entry(uri, id=uri)),
        ("no purpose", "schema_invalid", entry(uri, statusPurpose=None)),
        (
            "good, and one that is not there",
            "status_unknown",
            [entry(uri), entry(f"{listing.base}/none.jwt", purpose="suspension")],
        ),
        ("no entries", "schema_invalid", []),
    ]:
        yield listing.names(f"bitstring: {name}", reason, credentialStatus=status)


def both(listing):
    """What one good list has taken back stays taken back, whatever the other is like."""
    now, site = listing.now, listing.site
    token_path, token_uri = listing.place("token")
    listing.publish(token_path, "statuslist+jwt", forge.token_list(site, token_uri, now, values={1: 1}))
    bits_path, bits_uri = listing.place("bitstring")
    listing.publish(bits_path, "vc+jwt", forge.bitstring(site, bits_uri, now, places=[2]))
    missing = f"{listing.base}/status/bitstring/none.jwt"
    for name, reason, index, uri in [
        ("neither", "", 3, bits_uri),
        ("the token list alone", "revoked", 1, bits_uri),
        ("the bitstring alone", "revoked", 2, bits_uri),
        ("revoked, and the other is missing", "revoked", 1, missing),
        ("valid, and the other is missing", "status_unknown", 3, missing),
    ]:
        yield listing.names(
            f"both forms: {name}",
            reason,
            status={"status_list": {"idx": index, "uri": token_uri}},
            credentialStatus=entry(uri, str(index)),
        )


def everything(site, base, now):
    listing = Listing(site, base, now)
    return [*token_lists(listing), *bitstrings(listing), *both(listing)]
