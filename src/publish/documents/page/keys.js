// The issuer's keys, from the site's own DID document or issuer metadata, and from nowhere else.

const MAX_KEYS_BYTES = 4 * 1024 * 1024;

// Keys by the names that tokens call them, compared exactly.
class KeyRing {
  constructor(issuer) {
    this.issuer = issuer;
    this.names = new Map();
  }

  // A key may be named twice; the earlier of its ends counts.
  add(name, key) {
    const known = this.names.get(name) ?? [];
    const same = known.find((other) => other.point === key.point);
    if (same) same.end = Math.min(same.end, key.end);
    else this.names.set(name, [...known, { ...key }]);
  }

  // The key of this name. A key that ended verifies nothing, however old the token says that it is: who has the key
  // can date a token back.
  find(kid, now) {
    const unknown = (message) => new Refusal('unknown_kid', 'key', message);
    const found = this.names.get(kid) ?? [];
    if (found.length > 1) throw unknown('Several keys of this issuer have the name that it gives.');
    if (found.length === 0) {
      const owner = didOf(kid);
      throw unknown(
        owner && owner !== this.issuer
          ? `Its key is one of ${shortened(owner)}.`
          : 'No key of this issuer has the name that it gives.',
      );
    }
    if (found[0].end <= now) throw unknown('Its key may no longer be used.');
    return found[0];
  }
}

// The DID in front of a DID URL's fragment; null where the name is something else.
function didOf(kid) {
  const [did, fragment] = [kid.split('#', 1)[0], kid.slice(kid.indexOf('#') + 1)];
  return kid.includes('#') && did.startsWith('did:') && fragment !== '' && !/[/?]/.test(did) ? did : null;
}

const shortened = (text, length = 120) => (text.length > length ? `${text.slice(0, length)}…` : text);

// The keys of this site's issuer.
async function loadKeys(site) {
  let document;
  try {
    document = parseJson(textOf(await download(new URL(site.keys, location.href), MAX_KEYS_BYTES)) ?? '');
  } catch (error) {
    throw new CannotJudge(
      `The issuer’s keys (${site.keys.replace(/^[./]+/, '')}) cannot be loaded from this site: ${error.message}.`,
    );
  }
  const ring = new KeyRing(site.issuer);
  const named = document && (textMember(document, 'id') ?? textMember(document, 'issuer'));
  if (named !== site.issuer) throw new CannotJudge(`The keys on this site are not those of ${site.issuer}.`);
  await (site.issuer.startsWith('did:') ? addDidDocument(ring, document) : addMetadata(ring, document));
  if (ring.names.size === 0) throw new CannotJudge('The site has no key that could be used.');
  return ring;
}

// The assertion methods of a DID document (DID Core section 5.3.2); a key for logging in issues no credentials.
async function addDidDocument(ring, document) {
  const absolute = (id) => (id.startsWith('#') ? ring.issuer + id : id);
  const methods = oneOrMany(member(document, 'verificationMethod'), () => false);
  for (const reference of oneOrMany(member(document, 'assertionMethod'), () => false)) {
    const isNamed = (method) =>
      isText(textMember(method, 'id')) && absolute(textMember(method, 'id')) === absolute(reference);
    const found = isText(reference) ? methods.filter(isNamed) : [reference];
    for (const method of found) await addMethod(ring, method, absolute);
  }
}

async function addMethod(ring, method, absolute) {
  const named = textMember(method, 'id');
  const jwk = member(method, 'publicKeyJwk') ?? jwkOfMultikey(textMember(method, 'publicKeyMultibase'));
  if (!isObject(jwk) || named === undefined) return;
  const id = absolute(named);
  if (didOf(id) !== ring.issuer || textMember(method, 'controller') !== ring.issuer) return;
  const key = await importKey(jwk);
  if (!key) return;
  try {
    const ends = ['expires', 'revoked'].filter((name) => method.has(name));
    key.end = Math.min(Infinity, ...ends.map((name) => dateTime(name, method.get(name)).seconds));
  } catch {
    return; // It does not say clearly until when it may be used.
  }
  // Also by its fragment, with and without `#`: a DID URL that is relative to the issuer (DID Core section 3.2.2).
  const fragment = id.slice(id.indexOf('#') + 1);
  for (const name of [id, fragment, `#${fragment}`]) ring.add(name, key);
  const own = textMember(jwk, 'kid');
  if (own && !didOf(own) && !ring.names.has(own)) ring.add(own, key);
}

// The metadata of an https issuer (SD-JWT VC, "JWT VC Issuer Metadata").
async function addMetadata(ring, metadata) {
  for (const jwk of oneOrMany(member(member(metadata, 'jwks'), 'keys'), () => false)) {
    const [key, kid] = [await importKey(jwk), textMember(jwk, 'kid')];
    if (key && kid) ring.add(kid, key);
  }
}

// A public P-256 key for ES256; null for every other kind, and for private ones.
async function importKey(jwk) {
  const [kty, crv, x, y, use, alg] = ['kty', 'crv', 'x', 'y', 'use', 'alg'].map((name) => member(jwk, name));
  if (kty !== 'EC' || crv !== 'P-256' || member(jwk, 'd') !== undefined) return null;
  if ((use ?? 'sig') !== 'sig' || (alg ?? 'ES256') !== 'ES256' || !allowsVerifying(member(jwk, 'key_ops'))) return null;
  if (![x, y].every((part) => isText(part) && fromBase64url(part)?.length === 32)) return null;
  try {
    const imported = await crypto.subtle.importKey('jwk', { kty, crv, x, y }, ES256, false, ['verify']);
    return { crypto: imported, point: `${x}.${y}`, end: Infinity };
  } catch {
    return null; // Not a point of the curve.
  }
}

// RFC 7517 section 4.3.
function allowsVerifying(operations) {
  if (operations === undefined) return true;
  return (
    Array.isArray(operations) &&
    operations.includes('verify') &&
    new Set(operations).size === operations.length &&
    operations.every(isText)
  );
}
