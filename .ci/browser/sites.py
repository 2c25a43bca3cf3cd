"""Real sites: what `beltic` itself issues, revokes, suspends and publishes."""

import json
import pathlib
import subprocess
import time

import forge

ITEMS = {
    "business": {
        "self_attestation_complete": True,
        "subject": {"id": "EX-GB-00EX4179", "name": "Quillmere Lantern Works Ltd", "registration_number": "00EX4179"},
        "claims": {
            "jurisdiction": "GB",
            "tax_id_verified": True,
            "beneficial_owners": [
                {"full_name": "Marjory Thistlewick", "ownership_percent": 62.5},
                {"full_name": "Osric Penhallow-Vane", "ownership_percent": 37.50},
            ],
            "registered_address": {"line1": "14 Wick Lane", "city": "Quillmere", "country": "GB"},
        },
    },
    "trade_licence": {
        "credential_type": "trade_licence",
        "self_attestation_complete": True,
        "subject": {"id": "https://companies.example/quillmere", "name": "Quillmere Bakery"},
        "claims": {"jurisdiction": "GB", "licence_number": "L-0042", "holder_name": "Ottilie Quarrington", "fee": 12.5},
    },
}


class Site:
    """An issuer, its published site, and its credentials by their names."""

    def __init__(self, beltic, folder, issuer, page, settings=""):
        self.beltic, self.folder, self.issuer, self.page = beltic, folder, issuer, page
        folder.mkdir(parents=True)
        types = pathlib.Path(__file__).resolve().parents[2] / "fixtures/types"
        did = f"issuer: {{ did: '{issuer}' }}\n" if issuer else ""
        (folder / ".beltic.yaml").write_text(f"{did}types: {types}\n{settings}", encoding="utf-8")
        self.run("keygen", "--quiet")
        self.key = forge.Key.load(folder / ".beltic/issuer.pem")
        self.holder = forge.Key()
        self.issued = {}
        for name in ("valid", "revoked", "suspended", "held"):
            for proof_format in ("jwt_vc", "sd_jwt_vc"):
                for kind in ITEMS:
                    self.issue(f"{name} {kind} {proof_format}", kind, proof_format, name == "held")
        self.change("revoke", "revoked")
        self.change("suspend", "suspended")
        self.publish()
        self.kid = forge.parts(self.token("valid business jwt_vc"))[0]["kid"]
        self.issuer = self.issuer or self.kid.split("#")[0]

    @property
    def root(self):
        return self.folder / "site"

    def run(self, *arguments, codes=(0,), **options):
        command = [self.beltic, *map(str, arguments)]
        done = subprocess.run(command, cwd=self.folder, text=True, capture_output=True, check=False, **options)
        assert done.returncode in codes, f"{command}: {done.returncode}\n{done.stderr}"
        return done.stdout

    def issue(self, name, kind, proof_format, is_held):
        item = ITEMS[kind] | ({"cnf": {"jwk": self.holder.jwk()}} if is_held else {})
        (self.folder / "item.json").write_text(json.dumps(item), encoding="utf-8")
        rows = self.run(
            "batch-issue", "item.json", "--proof-format", proof_format, "--output-format", "ndjson", "--quiet"
        )
        self.issued[name] = json.loads(rows)["credential"]

    def change(self, command, prefix):
        ids = [credential["id"] for name, credential in self.issued.items() if name.startswith(prefix)]
        self.run(command, *ids, "--yes", *(["--reason", "compromised"] if command == "revoke" else []), "--quiet")

    def publish(self):
        self.run("publish", "--out", "site", "--quiet")

    def token(self, name):
        return self.issued[name]["signed_payload"]

    def id_of(self, name):
        return self.issued[name]["id"]

    def put(self, path, content):
        """A file of the site that the issuer did not mean to publish."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())

    def verify_code(self, text):
        """The exit code of `beltic verify --site` for a token."""
        command = [self.beltic, "verify", "-", "--site", "site", "--quiet"]
        return subprocess.run(command, cwd=self.folder, text=True, input=text, capture_output=True, check=False).returncode

    def verdicts(self, cases):
        """What `beltic verify --site` says of each case."""
        found = {}
        for nonce_is_given in (False, True):
            for audience in {case.audience for case in cases}:
                group = [
                    case for case in cases if case.audience == audience and (case.nonce is not None) == nonce_is_given
                ]
                found |= self._verdicts_of(group, audience, nonce_is_given)
        return [found[case.name] for case in cases]

    def _verdicts_of(self, group, audience, nonce_is_given):
        if not group:
            return {}
        wrapped = [{"presentation": case.text} | ({"nonce": case.nonce} if nonce_is_given else {}) for case in group]
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in wrapped)
        flags = ["--audience", audience] if audience else []
        flags += ["--key-binding", "required"] if nonce_is_given else []
        out = self.run("verify", "-", "--site", "site", "--output-format", "ndjson", *flags, input=lines, codes=(0, 3))
        rows = [json.loads(line) for line in out.splitlines()]
        assert len(rows) == len(group), f"{len(rows)} verdicts for {len(group)} tokens"
        return {case.name: (row["valid"], row.get("reason", ""), row.get("step", "")) for case, row in zip(group, rows)}


def now():
    return int(time.time())
