// The claims that every credential of a format has: which must be there, what they must be, and which must agree. What
// needs JSON-LD processing is not looked at.

const CREDENTIALS_V2 = 'https://www.w3.org/ns/credentials/v2';
const OTHER_KINDS = ['BitstringStatusListCredential', 'StatusList2021Credential', 'VerifiablePresentation'];
// The private members of every kind of key (RFC 7518 section 6).
const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

// Parts of a credential that are objects with a type, one or several (VC Data Model 2.0 sections 4.11, 4.12, 5.3 to 5.6).
const PARTS = ['credentialSchema', 'evidence', 'proof', 'refreshService', 'termsOfUse'];

// An IRI (RFC 3987) with its scheme. Brackets stand around the address of a host alone.
const IRI_PART = String.raw`(?:[a-z0-9._~!$&'()*+,;=:@/?\u{a0}-\u{d7ff}\u{f900}-\u{fdcf}\u{fdf0}-\u{ffef}\u{10000}-\u{efffd}-]|%[0-9a-f]{2})*`;
const IRI = new RegExp(
  String.raw`^[a-z][a-z0-9+.-]*:(?://(?:[^/?#[\]]*@)?\[[0-9a-f:.]+\])?${IRI_PART}(?:#${IRI_PART})?$`,
  'iu',
);
const isUrl = (value) => isText(value) && IRI.test(value);

function requiredMember(object, name) {
  if (!object.has(name)) throw badClaim(`“${name}” is missing.`);
  return object.get(name);
}

function nonEmptyText(name, value) {
  if (!isText(value) || value === '') throw badClaim(`“${name}” is not text.`);
  return value;
}

const optionalText = (object, name) => (object.has(name) ? nonEmptyText(name, object.get(name)) : undefined);

function agree(one, first, other, second) {
  if (first !== undefined && second !== undefined && first !== second)
    throw badClaim(`“${one}” and “${other}” contradict each other.`);
}

// The claims of a credential of this format: its issuer, id, type, dates and status entries.
function readClaims(payload, format) {
  const claims = format === 'jwt_vc' ? ofCredential(payload) : ofSdJwt(payload);
  return {
    ...claims,
    audience: payload.get('aud'),
    tokenStatus: payload.get('status'),
    bitstringStatus: payload.get('credentialStatus'),
  };
}

// VC Data Model 2.0, secured by VC-JOSE-COSE: the payload is the credential.
function ofCredential(payload) {
  for (const name of ['vc', 'vp']) if (payload.has(name)) throw badClaim(`“${name}” is not allowed.`);
  checkContext(payload);
  checkTypes(payload);
  const issuer = issuerId(requiredMember(payload, 'issuer'));
  const [id, jti] = [optionalUrl('id', payload.get('id')), optionalText(payload, 'jti')];
  agree('iss', optionalText(payload, 'iss'), 'issuer', issuer);
  agree('jti', jti, 'id', id);
  checkSubjects(payload);
  const validity = timesOf(payload, ['validFrom', dateTime], ['validUntil', dateTime]);
  if (validity.length === 2 && validity[0].seconds > validity[1].seconds)
    throw badClaim('“validUntil” is before “validFrom”.');
  checkEntries(payload);
  for (const name of PARTS) if (payload.has(name)) checkParts(name, payload.get(name));
  return {
    issuer,
    id: id ?? jti,
    vct: optionalText(payload, 'vct'),
    starts: timesOf(payload, ['iat', numericDate], ['nbf', numericDate], ['validFrom', dateTime]),
    ends: timesOf(payload, ['exp', numericDate], ['validUntil', dateTime]),
  };
}

// SD-JWT VC, after its disclosures were put in. `iss` and `exp` are optional.
function ofSdJwt(payload) {
  const issuer = optionalText(payload, 'iss');
  const vct = nonEmptyText('vct', requiredMember(payload, 'vct'));
  optionalText(payload, 'sub');
  checkConfirmation(payload);
  optionalText(payload, 'vct#integrity');
  checkOtherTypes(payload, vct);
  checkEntries(payload);
  return {
    issuer,
    id: optionalText(payload, 'jti'),
    vct,
    starts: timesOf(payload, ['iat', numericDate], ['nbf', numericDate]),
    ends: timesOf(payload, ['exp', numericDate]),
  };
}

function checkContext(payload) {
  const context = requiredMember(payload, '@context');
  const isSound =
    Array.isArray(context) &&
    context[0] === CREDENTIALS_V2 &&
    context.every((element) => isUrl(element) || isObject(element));
  if (!isSound) throw badClaim('Its “@context” is not that of a credential.');
}

function checkTypes(payload) {
  const types = oneOrMany(requiredMember(payload, 'type'), isText).map((name) => nonEmptyText('type', name));
  const other = types.find((name) => OTHER_KINDS.includes(name));
  if (other) throw new Refusal('unsupported_type', 'claims', `It is a ${other}, not a credential.`);
  if (!types.includes('VerifiableCredential')) throw badClaim('“type” does not include VerifiableCredential.');
}

function issuerId(issuer) {
  return requiredUrl('issuer', isObject(issuer) ? requiredMember(issuer, 'id') : issuer);
}

function requiredUrl(name, value) {
  if (!isUrl(nonEmptyText(name, value))) throw badClaim(`“${name}” is not a URL.`);
  return value;
}

const optionalUrl = (name, value) => (value === undefined ? undefined : requiredUrl(name, value));

// One subject or several. A `sub` names one of them, by its `id`, or, where none has one, by its `subject_id`.
function checkSubjects(payload) {
  const subjects = oneOrMany(requiredMember(payload, 'credentialSubject'), isObject);
  const isSound = (subject) => isObject(subject) && subject.size > 0;
  if (subjects.length === 0 || !subjects.every(isSound))
    throw badClaim('“credentialSubject” is not an object that says something.');
  const ids = subjects
    .map((subject) => optionalUrl('credentialSubject.id', subject.get('id')))
    .filter((id) => id !== undefined);
  const ownIds = subjects.map((subject) => textMember(subject, 'subject_id')).filter((id) => id !== undefined);
  const sub = optionalText(payload, 'sub');
  const named = ids.length > 0 ? ids : ownIds;
  if (sub !== undefined && named.length > 0 && !named.includes(sub)) throw badClaim('“sub” names another subject.');
}

function checkEntries(payload) {
  if (!payload.has('credentialStatus')) return;
  const entries = payload.get('credentialStatus');
  if (Array.isArray(entries) && entries.length === 0) throw badClaim('“credentialStatus” is empty.');
  checkParts('credentialStatus', entries);
}

// Each part has a type, and an id that is a URL, if any; a schema must have one.
function checkParts(name, parts) {
  for (const part of oneOrMany(parts, () => true)) {
    const types = oneOrMany(member(part, 'type'), isText);
    if (types.length === 0 || types.includes('') || !types.every(isText))
      throw badClaim(`“${name}” has an entry without a type.`);
    const id = optionalUrl(`${name}.id`, part.get('id'));
    if (id === undefined && name === 'credentialSchema') throw badClaim('“credentialSchema” does not name its schema.');
  }
}

// `cnf` (RFC 7800 section 3): a key in it is the holder's public one.
function checkConfirmation(payload) {
  if (!payload.has('cnf')) return;
  const cnf = payload.get('cnf');
  if (!isObject(cnf)) throw badClaim('“cnf” is not an object.');
  if (!cnf.has('jwk')) return;
  const jwk = cnf.get('jwk');
  if (!isObject(jwk) || SECRET_MEMBERS.some((name) => jwk.has(name)))
    throw badClaim('“cnf” does not hold a public key.');
}

function checkOtherTypes(payload, vct) {
  if (!payload.has('aka_vcts')) return;
  const others = oneOrMany(payload.get('aka_vcts'), () => false);
  const isSound = others.length > 0 && others.every((name) => isText(name) && name !== '' && name !== vct);
  if (!isSound) throw badClaim('“aka_vcts” is not a list of other types.');
}
