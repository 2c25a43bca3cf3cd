// The claims that every credential of a format has: which must be there, what they must be, and which must agree.

const CREDENTIALS_V2 = 'https://www.w3.org/ns/credentials/v2';
const OTHER_KINDS = ['BitstringStatusListCredential', 'StatusList2021Credential', 'VerifiablePresentation'];
// The private members of every kind of key (RFC 7518 section 6).
const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

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
  if (first !== undefined && second !== undefined && first !== second) throw badClaim(`“${one}” and “${other}” contradict each other.`);
}

// The claims of a credential of this format: its issuer, id, type, dates and status entries.
function readClaims(payload, format) {
  const claims = format === 'jwt_vc' ? ofCredential(payload) : ofSdJwt(payload);
  return { ...claims, audience: payload.get('aud'), tokenStatus: payload.get('status'), bitstringStatus: payload.get('credentialStatus') };
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
  if (validity.length === 2 && validity[0].seconds > validity[1].seconds) throw badClaim('“validUntil” is before “validFrom”.');
  checkEntries(payload);
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
  const isSound = Array.isArray(context) && context[0] === CREDENTIALS_V2 && context.every((element) => isText(element) || isObject(element));
  if (!isSound) throw badClaim('Its “@context” is not that of a credential.');
}

function checkTypes(payload) {
  const types = oneOrMany(requiredMember(payload, 'type'), isText).map((name) => nonEmptyText('type', name));
  const other = types.find((name) => OTHER_KINDS.includes(name));
  if (other) throw new Refusal('unsupported_type', 'claims', `It is a ${other}, not a credential.`);
  if (!types.includes('VerifiableCredential')) throw badClaim('“type” does not include VerifiableCredential.');
}

function issuerId(issuer) {
  return nonEmptyText('issuer', isObject(issuer) ? requiredMember(issuer, 'id') : issuer);
}

function optionalUrl(name, value) {
  if (value === undefined) return undefined;
  if (!nonEmptyText(name, value).includes(':')) throw badClaim(`“${name}” is not a URL.`);
  return value;
}

// One subject or several. A `sub` names one of them, by its `id`, or, where none has one, by its `subject_id`.
function checkSubjects(payload) {
  const subjects = oneOrMany(requiredMember(payload, 'credentialSubject'), isObject);
  if (subjects.length === 0 || !subjects.every(isObject)) throw badClaim('“credentialSubject” is not an object.');
  const ids = subjects.map((subject) => optionalUrl('credentialSubject.id', subject.get('id'))).filter((id) => id !== undefined);
  const ownIds = subjects.map((subject) => textMember(subject, 'subject_id')).filter((id) => id !== undefined);
  const sub = optionalText(payload, 'sub');
  const named = ids.length > 0 ? ids : ownIds;
  if (sub !== undefined && named.length > 0 && !named.includes(sub)) throw badClaim('“sub” names another subject.');
}

function checkEntries(payload) {
  if (!payload.has('credentialStatus')) return;
  const entries = oneOrMany(payload.get('credentialStatus'), isObject);
  const isSound = entries.length > 0 && entries.every((entry) => member(entry, 'type') !== undefined);
  if (!isSound) throw badClaim('“credentialStatus” has an entry without a type.');
}

// `cnf` (RFC 7800 section 3): a key in it is the holder's public one.
function checkConfirmation(payload) {
  if (!payload.has('cnf')) return;
  const cnf = payload.get('cnf');
  if (!isObject(cnf)) throw badClaim('“cnf” is not an object.');
  if (!cnf.has('jwk')) return;
  const jwk = cnf.get('jwk');
  if (!isObject(jwk) || SECRET_MEMBERS.some((name) => jwk.has(name))) throw badClaim('“cnf” does not hold a public key.');
}

function checkOtherTypes(payload, vct) {
  if (!payload.has('aka_vcts')) return;
  const others = oneOrMany(payload.get('aka_vcts'), () => false);
  const isSound = others.length > 0 && others.every((name) => isText(name) && name !== '' && name !== vct);
  if (!isSound) throw badClaim('“aka_vcts” is not a list of other types.');
}
