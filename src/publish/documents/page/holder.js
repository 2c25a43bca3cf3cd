// Key binding: whether whoever made the presentation has the key that the credential was issued to (RFC 9901 section
// 7.3). It is checked when the reader gives a nonce, whatever the presentation holds.

const MAX_BINDING_AGE_SECONDS = 300;

const badBinding = (message) => new Refusal('key_binding_invalid', 'holder', message);

async function checkHolder(token, payload, { nonce, audience }, now) {
  if (token.keyBinding === null)
    throw new Refusal('key_binding_missing', 'holder', 'No key binding JWT stands at the end.');
  const jwk = member(payload.get('cnf'), 'jwk');
  if (jwk === undefined) throw badBinding('The credential was not issued to a key.');
  const key = await importKey(jwk);
  if (!key) throw badBinding('The key that the credential was issued to is not one for ES256.');
  const claims = await openBinding(token.keyBinding, key);
  checkBindingTime(claims, now);
  const sdHash = await digestOfText(token.text.slice(0, -token.keyBinding.length));
  if (claims.get('aud') !== audience) throw badBinding('It was made for another audience.');
  if (claims.get('nonce') !== nonce) throw badBinding('It was made for another nonce.');
  if (claims.get('sd_hash') !== sdHash) throw badBinding('It was made for another presentation.');
}

async function openBinding(text, key) {
  let jwt;
  try {
    jwt = splitToken(text);
  } catch {
    throw badBinding('The key binding JWT cannot be read.');
  }
  const header = readObject(jwt.header, badBinding);
  const typ = header.get('typ');
  if (header.get('alg') !== 'ES256' || !isText(typ) || mediaType(typ) !== 'kb+jwt' || header.has('crit')) {
    throw badBinding('Its header is not that of a key binding JWT.');
  }
  const signature = fromBase64url(jwt.signature);
  if (!signature || !(await verifiesEs256(key.crypto, jwt.signedText, signature)))
    throw badBinding('It is not signed by the holder.');
  return readObject(jwt.payload, badBinding, MAX_PAYLOAD_DEPTH);
}

function checkBindingTime(claims, now) {
  if (!claims.has('iat')) throw badBinding('It does not say when it was made.');
  try {
    const starts = timesOf(claims, ['iat', numericDate], ['nbf', numericDate]);
    checkPeriod(starts, timesOf(claims, ['exp', numericDate]), now, (_, message) => badBinding(message));
    if (now > starts[0].seconds + MAX_BINDING_AGE_SECONDS) throw badBinding('It was made more than five minutes ago.');
  } catch (error) {
    throw error.reason === 'schema_invalid' ? badBinding(error.message) : error;
  }
}
