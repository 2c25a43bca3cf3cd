// Tokens of beltic through jose and @sd-jwt/sd-jwt-vc, and theirs through beltic.
//
// Run by .ci/interop/run, in a folder with a site and results that beltic has written.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createLocalJWKSet, exportJWK, generateKeyPair, importJWK, jwtVerify, SignJWT, compactVerify, CompactSign } from "jose";
import { SDJwtVcInstance } from "@sd-jwt/sd-jwt-vc";

const beltic = process.argv[2];
const issuer = "did:web:foreign.example";
const kid = `${issuer}#k1`;
const now = Math.floor(Date.now() / 1000);
const lines = (path) => readFileSync(path, "utf8").trim().split("\n").map((line) => JSON.parse(line));
const hasher = (data, alg) => createHash(alg.replace("sha-", "sha")).update(data).digest();
const requestOf = (item) => item.request ?? item;

async function checkOurs() {
  const jwks = JSON.parse(readFileSync("site/.well-known/jwks.json", "utf8"));
  const keys = createLocalJWKSet(jwks);
  const items = new Map(lines("items.ndjson").map((item) => [item.correlation_id, requestOf(item)]));
  for (const row of lines("jwt_vc.ndjson")) {
    const { payload } = await jwtVerify(row.credential.signed_payload, keys, { algorithms: ["ES256"], typ: "vc+jwt" });
    assert.deepEqual(payload.credentialSubject.claims, items.get(row.correlation_id).claims);
  }
  const key = await importJWK(jwks.keys[0], "ES256");
  const verifier = new SDJwtVcInstance({
    hasher,
    hashAlg: "sha-256",
    verifier: async (data, signature) => {
      try {
        await compactVerify(`${data}.${signature}`, key);
        return true;
      } catch {
        return false;
      }
    },
    // The list is where the credential says; here it is read from the site's folder.
    statusListFetcher: async (uri) => readFileSync(`site${new URL(uri).pathname}`, "utf8"),
    // The type metadata are where `vct` says, and their schema is checked: a claim's name is its label.
    loadTypeMetadataFormat: true,
    // The library compares `vct#integrity` with a hash in hex, which is wrong: it is subresource integrity, base64.
    vctFetcher: async (uri, integrity) => {
      const document = readFileSync(`site${new URL(uri).pathname}`);
      if (integrity) {
        assert.equal(integrity, `sha256-${createHash("sha256").update(document).digest("base64")}`);
        hashed += 1;
      }
      return JSON.parse(document.toString("utf8"));
    },
  });
  let hashed = 0;
  const types = new Set();
  for (const row of lines("sd_jwt_vc.ndjson")) {
    const { payload } = await verifier.verify(row.credential.signed_payload);
    const asked = items.get(row.correlation_id);
    assert.deepEqual(payload.claims, asked.claims);
    assert.deepEqual(payload.subject, asked.subject);
    types.add(payload.vct);
  }
  assert.equal(types.size, 6);
  assert.ok(hashed > 0);
  console.log("all credentials of beltic accepted by jose and @sd-jwt/sd-jwt-vc");
}

function verdicts(tokens) {
  const flags = ["verify", "-", "--jwks", "foreign.json", "--issuer", issuer, "--output-format", "ndjson"];
  const run = spawnSync(beltic, flags, { input: tokens.join("\n") + "\n", encoding: "utf8" });
  const rows = run.stdout.trim().split("\n").map((line) => JSON.parse(line));
  assert.equal(rows.length, tokens.length, run.stderr);
  return rows.map((row) => row.reason ?? row.valid);
}

async function checkTheirs() {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: "ES256", use: "sig" };
  writeFileSync("foreign.json", JSON.stringify({ keys: [jwk] }));
  const credential = (changes) => ({
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    type: ["VerifiableCredential", "ExampleCredential"],
    issuer,
    credentialSubject: { id: "https://companies.example/1", degree: "x" },
    iss: issuer, iat: now - 60, exp: now + 3600, ...changes,
  });
  const sign = (payload, header) =>
    new SignJWT(payload).setProtectedHeader({ alg: "ES256", typ: "vc+jwt", cty: "vc", kid, ...header }).sign(privateKey);
  const found = verdicts([
    await sign(credential()),
    await sign(credential({ exp: now })),
    await sign(credential({ vc: {} })),
    await sign(credential(), { typ: "jwt" }),
  ]);
  assert.deepEqual(found, [true, "expired", "schema_invalid", "unsupported_type"]);

  const instance = new SDJwtVcInstance({
    hasher, hashAlg: "sha-256", signAlg: "ES256",
    saltGenerator: () => randomBytes(16).toString("base64url"),
    signer: async (data) => {
      const [header, payload] = data.split(".");
      const token = await new CompactSign(Buffer.from(payload, "base64url"))
        .setProtectedHeader(JSON.parse(Buffer.from(header, "base64url").toString()))
        .sign(privateKey);
      // The header is written again in the same order, so what was signed is what was asked for.
      assert.equal(token.slice(0, token.lastIndexOf(".")), data);
      return token.slice(token.lastIndexOf(".") + 1);
    },
  });
  const claims = { iss: issuer, iat: now - 60, exp: now + 3600, vct: "https://foreign.example/1", name: "Quillmere", address: { city: "Leith" } };
  const frame = { _sd: ["name", "address"], address: { _sd: ["city"] } };
  const token = await instance.issue(claims, frame, { header: { kid } });
  assert.deepEqual(verdicts([token, token.split("~")[0] + "~", token.slice(0, -2) + "A~"]), [true, true, "disclosure_invalid"]);
  console.log("tokens of jose and @sd-jwt/sd-jwt-vc judged as they should be");
}

await checkOurs();
await checkTheirs();
