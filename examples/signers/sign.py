#!/usr/bin/env python3
"""A signer program for `beltic --signer-command`, with the `cryptography` package.

    beltic batch-issue items.csv --signer-command 'python3 sign.py key.pem' --public-key key.pub.pem

It signs with a P-256 key in a PEM file. To sign with a key service, replace `Key`. The passphrase of an encrypted key
comes from the file that SIGNER_PASSPHRASE_FILE names: arguments can be seen by every user of the machine.

A line in, a line out:

    {"v":1,"id":7,"alg":"ES256","digests":["base64url of a SHA-256 digest", ...]}
    {"id":7,"signatures":["base64url of r and s, 64 bytes", ...]}
    {"id":7,"error":"what went wrong","retry":true}
"""

import base64
import json
import os
import signal
import sys

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils


class Busy(Exception):
    """It may work in a moment: a quota, a lost connection."""


class Key:
    """A key in a file. That of a key service signs a whole batch here, with one call or with several at once."""

    def __init__(self, path):
        passphrase = None
        if "SIGNER_PASSPHRASE_FILE" in os.environ:
            with open(os.environ["SIGNER_PASSPHRASE_FILE"], "rb") as file:
                passphrase = file.readline().rstrip(b"\r\n")
        with open(path, "rb") as file:
            self.key = serialization.load_pem_private_key(file.read(), passphrase)

    def sign(self, digest):
        """The signature of a digest in DER, as most key services give it."""
        return self.key.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))


def jws_signature(der):
    """r and s, 32 bytes each, which is what JWS wants instead of DER."""
    r, s = utils.decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def encode(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def answer(key, request):
    if request["v"] != 1 or request["alg"] != "ES256":
        return {"id": request["id"], "error": "this program knows version 1 and ES256"}
    try:
        # All or nothing: an answer has a signature for each digest, in their order.
        signatures = [encode(jws_signature(key.sign(decode(digest)))) for digest in request["digests"]]
        return {"id": request["id"], "signatures": signatures}
    except Busy as error:
        return {"id": request["id"], "error": str(error), "retry": True}


def main():
    # Ctrl-C goes to every program of the terminal. beltic finishes its batch, and then ends the input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if len(sys.argv) != 2:
        sys.exit("usage: sign.py KEY.pem")
    key = Key(sys.argv[1])
    for line in sys.stdin:
        print(json.dumps(answer(key, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
