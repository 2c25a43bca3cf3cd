// Tokens in compact form, cut and read: JWS (RFC 7515), SD-JWT (RFC 9901), and the header.

const MAX_TOKEN_BYTES = 16 * 1024 * 1024;
const MAX_LIST_TOKEN_BYTES = 8 * 1024 * 1024;
const MAX_DISCLOSURES = 131072;

const malformed = (step, message) => new Refusal('malformed', step, message);

// Cuts a token. Nothing is decoded, and white space is not forgiven.
function splitToken(text, maxBytes = MAX_TOKEN_BYTES) {
  if (text === '') throw malformed('split', 'There is no text.');
  if (text.length > maxBytes)
    throw malformed('split', `It is longer than ${maxBytes.toLocaleString('en')} characters.`);
  if (/[^A-Za-z0-9._~-]/.test(text))
    throw malformed('split', 'It has characters that no token has, such as spaces or line breaks.');
  const tilde = text.indexOf('~');
  const isSdJwt = tilde >= 0;
  const jwt = isSdJwt ? text.slice(0, tilde) : text;
  const parts = jwt.split('.');
  if (parts.length !== 3) throw malformed('split', 'It does not have the three parts of a token.');
  const [header, payload, signature] = parts;
  const { disclosures, keyBinding } = isSdJwt
    ? splitTail(text.slice(tilde + 1))
    : { disclosures: [], keyBinding: null };
  return { text, header, payload, signature, signedText: `${header}.${payload}`, isSdJwt, disclosures, keyBinding };
}

// What follows the first `~`: disclosures, each ended by a `~`, and perhaps a key binding JWT.
function splitTail(tail) {
  const last = tail.lastIndexOf('~');
  if (last < 0) return { disclosures: [], keyBinding: keyBindingIn(tail) };
  const disclosures = tail.slice(0, last).split('~');
  if (disclosures.length > MAX_DISCLOSURES || disclosures.includes('')) {
    throw new Refusal('disclosure_invalid', 'split', 'It has an empty disclosure, or too many.');
  }
  return { disclosures, keyBinding: keyBindingIn(tail.slice(last + 1)) };
}

function keyBindingIn(text) {
  if (text === '') return null;
  if (text.split('.').length !== 3) throw malformed('split', 'Its end is cut off: a disclosure does not end with “~”.');
  return text;
}

// Decodes a part of a token that is a JSON object; `fail` makes the error of what is wrong with it.
function readObject(part, fail, maxDepth = MAX_DEPTH) {
  const bytes = fromBase64url(part);
  const text = bytes && fromUtf8(bytes);
  if (text === null) throw fail('A part of it is not base64url text.');
  let value;
  try {
    value = parseJson(text, maxDepth);
  } catch (error) {
    if (error instanceof NotJson) throw fail(`A part of it is not clear JSON: ${error.message}.`);
    throw error;
  }
  if (!isObject(value)) throw fail('A part of it is not a JSON object.');
  return value;
}

// A media type as it is compared (RFC 7515 section 4.1.9).
function mediaType(name) {
  const lower = name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return lower.startsWith('application/') ? lower.slice('application/'.length) : lower;
}

// Reads a header whose type `accepts` does not refuse. Keys in it, and places of keys, are ignored.
function readHeader(token, accepts) {
  const header = readObject(token.header, (message) => malformed('header', message));
  const refuse = (reason, message) => new Refusal(reason, 'header', message);
  if (member(header, 'alg') !== 'ES256') throw refuse('unsupported_alg', 'Its algorithm is not ES256.');
  const named = header.has('typ') ? header.get('typ') : 'jwt';
  if (!isText(named)) throw refuse('malformed', 'Its type is not text.');
  const typ = mediaType(named);
  accepts(typ);
  if (typ === 'vc+jwt' && header.has('cty')) checkContentType(header.get('cty'), refuse);
  if (header.has('crit')) throw refuse('unsupported_critical', 'It names extensions as critical.');
  if (header.has('b64') && header.get('b64') !== true)
    throw refuse('unsupported_critical', 'Its payload is not encoded.');
  if (header.has('kid') && !isText(header.get('kid'))) throw refuse('malformed', 'The name of its key is not text.');
  if (!header.has('kid')) throw refuse('unknown_kid', 'It does not name the key that signed it.');
  return { typ, kid: header.get('kid'), hasCertificates: header.has('x5c') };
}

// The payload of a `vc+jwt` is a credential, whatever else may be signed as one.
function checkContentType(cty, refuse) {
  if (!isText(cty)) throw refuse('malformed', 'The type of its content is not text.');
  if (mediaType(cty) !== 'vc') throw refuse('unsupported_type', 'Its content is not a credential.');
}

function readSignature(token) {
  const signature = fromBase64url(token.signature);
  if (!signature) throw malformed('signature', 'The signature is not base64url.');
  if (signature.length !== 64) throw new Refusal('bad_signature', 'signature', 'The signature does not have 64 bytes.');
  return signature;
}

// Checks header, key and signature of a token, and returns what the header says and whose key it is.
async function openToken(token, ring, now, accepts) {
  const header = readHeader(token, accepts);
  const key = ring.find(header.kid, now);
  const signature = readSignature(token);
  if (!(await verifiesEs256(key.crypto, token.signedText, signature))) {
    throw new Refusal('bad_signature', 'signature');
  }
  return { header, key };
}
