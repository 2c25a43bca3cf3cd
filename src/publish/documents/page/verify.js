// Judging a token, step by step. The first step that fails is the verdict.

// What the publisher of this site wrote into the page.
const SITE = JSON.parse(document.getElementById('site').textContent);

// Judges a token. `binding` is the nonce and the audience where the reader asks for proof of the holder.
//
// `read` holds what the issuer is known to have said; it is null until the token is known to be the issuer's, so that
// nothing is ever shown that somebody else wrote.
async function judge(text, { nonce, audience }, expectedId, now) {
  const found = { valid: false, read: null, unchecked: [], now };
  const ring = await loadKeys(SITE);
  try {
    const { token, header } = await openCredential(text, ring, now);
    found.hasCertificates = header.hasCertificates;
    const { payload, withheld } = await readPayload(token, header);
    const format = formatOf(header.typ);
    if (nonce) await checkHolder(token, payload, { nonce, audience }, now);
    checkRelativeName(payload, header, format);
    const claims = readClaims(payload, format);
    checkIssuer(claims);
    checkAudience(claims, audience);
    found.read = { payload, format, claims, withheld };
    found.unchecked = uncheckedOf(payload, nonce);
    checkPeriod(claims.starts, claims.ends, now, (reason, message) => new Refusal(reason, 'times', message));
    found.asOf = await checkStatus(claims, ring, now);
    if (expectedId !== null && claims.id !== expectedId) throw otherCredential(claims.id, expectedId);
    found.valid = true;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    Object.assign(found, { reason: error.reason, step: error.step, message: error.message });
  }
  return found;
}

const FORMATS = { 'vc+jwt': 'jwt_vc', 'dc+sd-jwt': 'sd_jwt_vc' };
const formatOf = (typ) => FORMATS[typ];

// Goes with a token up to its signature.
async function openCredential(text, ring, now) {
  const token = splitToken(text);
  const accepts = (typ) => {
    if (!Object.hasOwn(FORMATS, typ))
      throw new Refusal(
        'unsupported_type',
        'header',
        typ === 'statuslist+jwt' ? 'It is a status list.' : 'Its type is not that of a credential.',
      );
    if (token.isSdJwt !== (typ === 'dc+sd-jwt'))
      throw malformed('header', 'Its type and its form do not fit together.');
  };
  return { token, ...(await openToken(token, ring, now, accepts)) };
}

// The payload, with disclosures in their places.
async function readPayload(token, header) {
  const payload = readObject(token.payload, (message) => malformed('payload', message), MAX_PAYLOAD_DEPTH);
  return formatOf(header.typ) === 'sd_jwt_vc' ? putIn(payload, token.disclosures) : { payload, withheld: 0 };
}

// A name that does not say whose key it is needs an `iss` that does.
function checkRelativeName(payload, header, format) {
  if (format === 'jwt_vc' && !header.kid.includes(':') && !payload.has('iss'))
    throw badClaim('Nothing says whose key it is.');
}

// The credential must be by the issuer whose key signed it (RFC 8725 section 3.8); one that names nobody is by whoever
// the key belongs to.
function checkIssuer(claims) {
  if (claims.issuer !== undefined && claims.issuer !== SITE.issuer) {
    throw new Refusal('issuer_mismatch', 'issuer', `It names ${shortened(claims.issuer)} as its issuer.`);
  }
}

// A token that names an audience is for that audience alone (RFC 7519 section 4.1.3).
function checkAudience({ audience }, expected) {
  if (audience === undefined) return;
  if (!expected || !oneOrMany(audience, isText).includes(expected)) {
    throw new Refusal(
      'audience_mismatch',
      'issuer',
      'The credential names an audience, and that is not the one you entered.',
    );
  }
}

function otherCredential(id, expectedId) {
  return new Refusal(
    'id_mismatch',
    'link',
    `The link names ${shortened(expectedId)}; the file holds ${shortened(id ?? 'a credential without an id')}.`,
  );
}

// What is never or not now checked, by the names that the command has for it.
function uncheckedOf(payload, nonce) {
  return [payload.has('cnf') && !nonce ? 'holder' : null, 'schema'].filter((name) => name !== null);
}
