// The status of a credential, by the lists that it names and by no others.
//
// A credential can name a Token Status List (`status`) and a Bitstring Status List for each purpose
// (`credentialStatus`). Each entry is answered by the list at its own URL, on this site. Whatever keeps an answer from
// being certain (another origin, a failed download, a list that is broken, out of date, another's or too short) is no
// answer. What one good list has taken back stays taken back; nothing is valid before every entry says so.

const MAX_LIST_BYTES = 16 * 1024 * 1024;
const MIN_BITSTRING_BYTES = 131072 / 8;
const MAX_LISTS = 16;
// How long a list is relied on that does not say until when: as long as those that beltic publishes.
const MAX_ENDLESS_SECONDS = 7 * 86400;
const PURPOSES = ['revocation', 'suspension'];

const badEntry = (message) => badClaim(message, 'status');

// Why there is no answer.
class NoAnswer extends Error {}

// Checks every entry, and returns when the oldest of the lists was signed; undefined where there is no status.
async function checkStatus(claims, ring, now) {
  const entries = [...ofTokenStatus(claims.tokenStatus), ...ofBitstringStatus(claims.bitstringStatus)];
  const answers = [];
  const lists = new Map();
  for (const entry of entries) answers.push(await answerOf(entry, lists, ring, now));
  for (const value of ['revoked', 'suspended']) {
    const since = answers.filter((answer) => answer.value === value).map((answer) => answer.asOf);
    if (since.length > 0)
      throw new Refusal(value, 'status', `By a list that the issuer signed on ${inWords(Math.min(...since))}.`);
  }
  const unanswered = answers.find((answer) => answer.value === undefined);
  if (unanswered) throw new Refusal('status_unknown', 'status', unanswered.problem);
  return answers.length > 0 ? Math.min(...answers.map((answer) => answer.asOf)) : undefined;
}

// `status.status_list` (Token Status List section 6.2).
function ofTokenStatus(status) {
  if (status === undefined) return [];
  if (!isObject(status)) throw badEntry('“status” is not an object.');
  if (!status.has('status_list')) return [{ problem: 'Its status is of a kind that is not supported.' }];
  const list = status.get('status_list');
  const [index, uri] = [member(list, 'idx'), member(list, 'uri')];
  return [place(index instanceof Numeral ? index.text : undefined, uri, 'token')];
}

// `credentialStatus` (Bitstring Status List section 2.1): one entry, or one for each purpose.
function ofBitstringStatus(entries) {
  return entries === undefined
    ? []
    : oneOrMany(entries, isObject)
        .map(ofEntry)
        .filter((entry) => entry !== null);
}

function ofEntry(entry) {
  const types = oneOrMany(entry.get('type'), isText);
  const unsupported = { problem: 'It has a status entry of a kind that is not supported.' };
  if (!types.includes('BitstringStatusListEntry') || !types.every(isText)) return unsupported;
  const purpose = entry.get('statusPurpose');
  if (!isText(purpose)) throw badEntry('The purpose of a status entry is not text.');
  // Refreshing and messages do not say whether it is valid.
  if (['refresh', 'message'].includes(purpose)) return null;
  const size = entry.get('statusSize');
  if (!PURPOSES.includes(purpose) || (size !== undefined && !isNumeral(size, '1'))) return unsupported;
  const [index, uri] = [textMember(entry, 'statusListIndex'), member(entry, 'statusListCredential')];
  const found = place(index, uri, purpose);
  if (entry.has('id') && (!isText(entry.get('id')) || entry.get('id') === uri))
    throw badEntry('The id of a status entry is that of its list.');
  return found;
}

const isNumeral = (value, text) => value instanceof Numeral && value.text === text;

// A place in a list. An index beyond 64 bits is none: it must not wrap round to a small one.
function place(index, uri, kind) {
  const isWhole = index !== undefined && /^(0|[1-9]\d{0,19})$/.test(index) && BigInt(index) < 2n ** 64n;
  if (!isWhole) throw badEntry('The index of a status entry is not a whole number.');
  if (!isText(uri) || uri === '') throw badEntry('A status entry does not name its list.');
  return { index: Number(index), uri, kind };
}

// What the list says of an entry: `value` and `asOf`, or the `problem`.
async function answerOf(entry, lists, ring, now) {
  if (entry.problem) return entry;
  try {
    if (!lists.has(entry.uri) && lists.size === MAX_LISTS) throw new NoAnswer('it names too many lists');
    if (!lists.has(entry.uri)) lists.set(entry.uri, await loadList(entry, ring, now));
    const list = lists.get(entry.uri);
    if (!list.kinds.includes(entry.kind)) throw new NoAnswer('the list is of another kind');
    return { value: valueIn(list, entry), asOf: list.asOf };
  } catch (error) {
    return {
      problem: `The status list ${shortened(entry.uri)} cannot be relied on: ${error.message.replace(/\.$/, '')}.`,
    };
  }
}

// Downloads and checks a list, which must be good in every way.
async function loadList({ uri, kind }, ring, now) {
  const text = textOf(await download(listUrl(uri, kind), MAX_LIST_TOKEN_BYTES));
  if (text === null) throw new NoAnswer('it is not text');
  const token = splitToken(text.replace(/[ \t\n\f\r]+$/, ''), MAX_LIST_TOKEN_BYTES);
  const { header } = await openToken(token, ring, now, (typ) => acceptList(typ, token));
  const payload = readObject(token.payload, (message) => malformed('payload', message));
  const list = header.typ === 'statuslist+jwt' ? ofTokenList(payload) : ofBitstring(payload);
  if (list.issuer !== undefined && list.issuer !== ring.issuer) throw new NoAnswer('it belongs to another issuer');
  if (list.uri !== uri) throw new NoAnswer('the file there is another list');
  checkPeriod(
    list.starts,
    [...list.ends, endOf(list)],
    now,
    (_, message) => new NoAnswer(`it is not valid now: ${message}`),
  );
  return { kinds: list.kinds, bits: list.bits, asOf: issuedAt(list), entries: await decodeEntries(list) };
}

// The URL of a list. One without a URL of its own is in its form's folder, by its UUID.
function listUrl(uri, kind) {
  const uuid = /^urn:uuid:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(uri);
  if (uuid)
    return new URL(`${SITE.root}status/${kind === 'token' ? 'token' : 'bitstring'}/${uuid[1]}.jwt`, location.href);
  const url = URL.canParse(uri) ? new URL(uri) : null;
  if (!url || url.origin !== location.origin) throw new NoAnswer('it is not on this site, and this page asks no other');
  return url;
}

function acceptList(typ, token) {
  if (!['statuslist+jwt', 'vc+jwt'].includes(typ) || token.isSdJwt) throw new NoAnswer('it is not a status list');
}

// Token Status List section 5.1.
function ofTokenList(payload) {
  const list = requiredMember(payload, 'status_list');
  requiredMember(payload, 'iat');
  return {
    kinds: ['token'],
    uri: nonEmptyText('sub', payload.get('sub')),
    issuer: optionalText(payload, 'iss'),
    starts: timesOf(payload, ['iat', numericDate], ['nbf', numericDate]),
    ends: timesOf(payload, ['exp', numericDate]),
    ttl: lasting(payload.get('ttl'), 1),
    bits: [1, 2, 4, 8].find((bits) => isNumeral(member(list, 'bits'), String(bits))),
    encoded: nonEmptyText('lst', member(list, 'lst')),
  };
}

// Bitstring Status List section 2.2: a credential whose subject is a list.
function ofBitstring(payload) {
  const types = oneOrMany(payload.get('type'), () => false);
  if (!['BitstringStatusListCredential', 'VerifiableCredential'].every((name) => types.includes(name)))
    throw new NoAnswer('it is not a status list');
  checkContext(payload);
  if (payload.has('vc')) throw badClaim('“vc” is not allowed.');
  const subject = requiredMember(payload, 'credentialSubject');
  const size = member(subject, 'statusSize');
  if (member(subject, 'type') !== 'BitstringStatusList' || (size !== undefined && !isNumeral(size, '1')))
    throw new NoAnswer('it is not a supported list');
  const issuer = issuerId(requiredMember(payload, 'issuer'));
  agree('iss', optionalText(payload, 'iss'), 'issuer', issuer);
  return {
    kinds: purposesOf(member(subject, 'statusPurpose')),
    uri: nonEmptyText('id', payload.get('id')),
    issuer,
    starts: timesOf(payload, ['iat', numericDate], ['nbf', numericDate], ['validFrom', dateTime]),
    ends: timesOf(payload, ['exp', numericDate], ['validUntil', dateTime]),
    ttl: lasting(member(subject, 'ttl'), 1000),
    bits: undefined,
    encoded: nonEmptyText('encodedList', member(subject, 'encodedList')),
  };
}

function purposesOf(purposes) {
  const names = oneOrMany(purposes, isText).map((name) => nonEmptyText('statusPurpose', name));
  const known = names.filter((name) => PURPOSES.includes(name));
  if (known.length === 0) throw new NoAnswer('it says nothing of revocation');
  return known;
}

// A length of time in whole seconds, a fraction rounded up; `perSecond` of its units make one.
function lasting(value, perSecond) {
  if (value === undefined) return undefined;
  const number = value instanceof Numeral ? Number(value.text) : NaN;
  if (!(number > 0)) throw badClaim('“ttl” is not a number above 0.');
  return Math.ceil(number / perSecond);
}

const issuedAt = (list) => Math.max(...list.starts.map(({ seconds }) => seconds));

// When a list ends that names no end: it may be kept for its `ttl`, and without one for a week.
function endOf(list) {
  if (list.ends.length > 0) return list.ends[0];
  if (list.starts.length === 0) throw badClaim('It has neither a start nor an end.');
  return { claim: 'ttl', seconds: issuedAt(list) + (list.ttl ?? MAX_ENDLESS_SECONDS) };
}

async function decodeEntries(list) {
  const isToken = list.kinds.includes('token');
  if (isToken && list.bits === undefined) throw new NoAnswer('its entries have a wrong size');
  if (!isToken && !list.encoded.startsWith('u')) throw new NoAnswer('it is not encoded as base64url');
  const packed = fromBase64url(isToken ? list.encoded : list.encoded.slice(1));
  if (!packed) throw new NoAnswer('it is not encoded as base64url');
  const entries = await inflate(packed, isToken ? 'deflate' : 'gzip', MAX_LIST_BYTES).catch(() => {
    throw new NoAnswer('it is damaged');
  });
  if (!entries) throw new NoAnswer('it is too large');
  if (!isToken && entries.length < MIN_BITSTRING_BYTES) throw new NoAnswer('it is too short');
  return entries;
}

// The first entry of a byte has its lowest bits in a token list, and its highest in a bitstring.
function valueIn({ entries, bits }, { index, kind }) {
  const perByte = kind === 'token' ? 8 / bits : 8;
  const byte = entries[Math.floor(index / perByte)];
  if (byte === undefined) throw new NoAnswer('the credential’s place is outside of it');
  if (kind !== 'token')
    return byte & (0x80 >> (index % 8)) ? { revocation: 'revoked', suspension: 'suspended' }[kind] : 'valid';
  const value = (byte >> ((index % perByte) * bits)) & ((1 << bits) - 1);
  if (value > 2) throw new NoAnswer('its value for this credential has no known meaning');
  return ['valid', 'revoked', 'suspended'][value];
}
