// Status lists of beltic through @sd-jwt/jwt-status-list, @owf/token-status-list and
// @digitalbazaar/vc-bitstring-status-list, and theirs through beltic.
//
// Run by .ci/interop/run, in a folder with results of which some are revoked, and with the site that says so.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { exportJWK, generateKeyPair, jwtVerify, SignJWT, createLocalJWKSet } from "jose";
import * as owf from "@owf/token-status-list";
import * as sdJwt from "@sd-jwt/jwt-status-list";
import { createList, decodeList } from "@digitalbazaar/vc-bitstring-status-list";

const beltic = process.argv[2];
const tokenLists = { sdJwt, owf };
const issuer = "did:web:foreign.example";
const kid = `${issuer}#k1`;
const now = Math.floor(Date.now() / 1000);
const lines = (path) => readFileSync(path, "utf8").trim().split("\n").map((line) => JSON.parse(line));
const read = (uri) => readFileSync(`site${new URL(uri).pathname}`, "utf8").trim();
const payloadOf = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());

async function checkOurs() {
  const keys = createLocalJWKSet(JSON.parse(readFileSync("site/.well-known/jwks.json", "utf8")));
  const verdicts = lines("verdicts.ndjson");
  const counts = { token: 0, bitstring: 0 };
  for (const [at, row] of lines("jwt_vc.ndjson").entries()) {
    const { status, credentialStatus } = payloadOf(row.credential.signed_payload);
    const revoked = !verdicts[at].valid;
    assert.equal(revoked, verdicts[at].reason === "revoked");

    const token = read(status.status_list.uri);
    await jwtVerify(token, keys, { typ: "statuslist+jwt", subject: status.status_list.uri });
    for (const { getListFromStatusListJWT } of Object.values(tokenLists)) {
      assert.equal(getListFromStatusListJWT(token).getStatus(status.status_list.idx), revoked ? 1 : 0);
    }

    for (const entry of [credentialStatus].flat().filter((entry) => entry.statusPurpose === "revocation")) {
      const { payload } = await jwtVerify(read(entry.statusListCredential), keys, { typ: "vc+jwt" });
      const list = await decodeList({ encodedList: payload.credentialSubject.encodedList });
      assert.equal(list.getStatus(Number(entry.statusListIndex)), revoked);
    }
    counts[revoked ? "token" : "bitstring"] += 1;
  }
  assert.ok(counts.token > 1 && counts.bitstring > 1, JSON.stringify(counts));
  console.log("lists of beltic say the same to @sd-jwt/jwt-status-list, @owf/token-status-list and @digitalbazaar's");
}

async function checkTheirs() {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: "ES256", use: "sig" };
  writeFileSync("foreign.json", JSON.stringify({ keys: [jwk] }));
  const sign = (payload, header) => new SignJWT(payload).setProtectedHeader({ alg: "ES256", kid, ...header }).sign(privateKey);

  const uri = { sdJwt: "https://foreign.example/1", owf: "https://foreign.example/2", bitstring: "https://foreign.example/3" };
  const values = Array.from({ length: 64 }, (_, at) => (at % 5 === 0 ? 1 : 0));
  for (const [name, { createHeaderAndPayload, StatusList }] of Object.entries(tokenLists)) {
    const claims = { iss: issuer, sub: uri[name], iat: now, exp: now + 600 };
    const { header, payload } = createHeaderAndPayload(new StatusList(values, 1), claims, { alg: "ES256" });
    assert.equal(header.typ, "statuslist+jwt");
    writeFileSync(`foreign-${name}.jwt`, await sign(payload, { ...header, kid }));
  }

  const list = await createList({ length: 131072 });
  values.forEach((value, at) => list.setStatus(at, value === 1));
  const credential = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    id: uri.bitstring,
    type: ["VerifiableCredential", "BitstringStatusListCredential"],
    issuer,
    validFrom: new Date((now - 60) * 1000).toISOString(),
    credentialSubject: {
      id: `${uri.bitstring}#list`, type: "BitstringStatusList", statusPurpose: "revocation", encodedList: await list.encode(),
    },
  };
  writeFileSync("foreign-bitstring.jwt", await sign(credential, { typ: "vc+jwt" }));

  const about = (status) => ({
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    type: ["VerifiableCredential", "ExampleCredential"],
    issuer, iss: issuer, iat: now - 60, exp: now + 3600,
    credentialSubject: { id: "https://companies.example/1", name: "x" },
    ...status,
  });
  const entry = (index) => ({
    credentialStatus: {
      id: `${uri.bitstring}#${index}`, type: "BitstringStatusListEntry", statusPurpose: "revocation",
      statusListIndex: String(index), statusListCredential: uri.bitstring,
    },
  });
  const tokens = [], wanted = [];
  for (const [at, value] of values.entries()) {
    const inTokenList = (name) => ({ status: { status_list: { idx: at, uri: uri[name] } } });
    for (const status of [inTokenList("sdJwt"), inTokenList("owf"), entry(at)]) {
      tokens.push(await sign(about(status), { typ: "vc+jwt" }));
      wanted.push(value === 1 ? "revoked" : true);
    }
  }
  const flags = ["verify", "-", "--jwks", "foreign.json", "--issuer", issuer, "--output-format", "ndjson"];
  const files = ["sdJwt", "owf", "bitstring"].flatMap((name) => ["--status-list", `foreign-${name}.jwt`]);
  const run = spawnSync(beltic, [...flags, ...files], { input: tokens.join("\n") + "\n", encoding: "utf8" });
  const found = run.stdout.trim().split("\n").map((line) => JSON.parse(line)).map((row) => row.reason ?? row.valid);
  assert.deepEqual(found, wanted, run.stderr);
  console.log(`${tokens.length} credentials judged by lists of @sd-jwt, @owf and @digitalbazaar`);
}

await checkOurs();
await checkTheirs();
