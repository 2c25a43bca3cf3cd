// Showing a verdict. Whatever comes from a credential or from metadata becomes text, never markup.

const MAX_ROWS = 2000;
const MAX_SHOWN_CHARS = 2000;
const MAX_SHOWN_DEPTH = 8;

// Characters that leave no mark, of src/invisible.rs, but for white space, the line feed among it, and the joiners that
// scripts need.
const INVISIBLE = new RegExp(
  String.raw`[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f]` +
    String.raw`|[\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb]` +
    String.raw`|[\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]`,
  'gu',
);
// Selectors choose the look of a character of these kinds in front of them; behind any other they are not seen.
const SELECTOR = /^[\u180b-\u180d\u180f\ufe00-\ufe0f\u{e0100}-\u{e01ef}]$/u;
const HAS_LOOKS = /[\p{Script=Han}\p{Script=Mongolian}\p{Extended_Pictographic}#*0-9]$/u;

// Members that the summary shows, or that say how the credential is checked.
const NOT_CLAIMS = [
  '@context',
  'id',
  'type',
  'issuer',
  'validFrom',
  'validUntil',
  'credentialSubject',
  'credentialStatus',
  'credentialSchema',
  'iss',
  'sub',
  'aud',
  'jti',
  'iat',
  'nbf',
  'exp',
  'vct',
  'vct#integrity',
  'aka_vcts',
  'status',
  'cnf',
];

// An element with properties and children; children that are texts become text nodes.
function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter((child) => child !== null));
  return made;
}

// Characters that cannot be seen, or that turn the text around them, as their code points: so that no claim can look
// like another.
function visible(text) {
  const clipped =
    text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS)}… (${text.length} characters)` : text;
  return clipped.replace(INVISIBLE, (character, at) => {
    if (SELECTOR.test(character) && HAS_LOOKS.test(clipped.slice(Math.max(0, at - 2), at))) return character;
    return `⟨U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`;
  });
}

// A text of a stranger, which keeps its own direction to itself.
const foreign = (text, properties = {}) => element('bdi', { textContent: visible(text), ...properties });

// Shows what the judgement came to.
function showVerdict(section, found, labels) {
  section.replaceChildren(
    verdictCard(found),
    ...(found.read ? [summaryOf(found), claimsCard(found, labels)] : []),
    element('h3', { textContent: 'What was checked' }),
    stepsList(found),
    element('h3', { textContent: 'What was not checked' }),
    openList(found, labels),
    element(
      'div',
      { className: 'buttons' },
      element('button', { type: 'button', className: 'second', textContent: 'Print', onclick: () => window.print() }),
      element('button', {
        type: 'button',
        className: 'second',
        textContent: 'Check another',
        onclick: () => askAgain(),
      }),
    ),
  );
  section.hidden = false;
  document.getElementById('verdict-title').focus();
}

const KINDS = { valid: '✓', invalid: '✕', unknown: '?' };

function verdictCard(found) {
  const kind = found.valid ? 'valid' : found.reason === 'status_unknown' ? 'unknown' : 'invalid';
  const [title, meaning] = found.valid
    ? ['Valid', 'This issuer signed it, nobody has changed it, and it is neither expired nor taken back.']
    : REASONS[found.reason];
  const card = element(
    'div',
    { className: 'verdict', id: 'verdict' },
    element(
      'h2',
      { id: 'verdict-title', tabIndex: -1 },
      element('span', { ariaHidden: 'true', textContent: KINDS[kind] }),
      title,
    ),
    element('p', { textContent: meaning }),
    found.valid
      ? null
      : element(
          'p',
          {},
          ...(found.message ? [foreign(found.message), ' '] : []),
          element('span', { className: 'code', textContent: `(${found.reason})` }),
        ),
    element('p', { textContent: `Checked on ${inWords(found.now)} on ${location.host}.` }),
  );
  Object.assign(card.dataset, {
    verdict: kind,
    reason: found.reason ?? '',
    step: found.step ?? '',
    unchecked: found.unchecked.join(' '),
  });
  return card;
}

// A list of names and values; empty ones are left out.
function pairs(rows) {
  const made = rows.filter(([, value]) => value !== undefined && value !== null);
  return element(
    'dl',
    {},
    ...made.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value))),
  );
}

function summaryOf({ read: { payload, claims, format }, asOf }) {
  const [start, end] = [claims.starts.map(({ seconds }) => seconds), claims.ends.map(({ seconds }) => seconds)];
  const subject = oneOrMany(payload.get('credentialSubject') ?? payload.get('subject'), isObject)[0];
  const about = textMember(subject, 'id') ?? textMember(subject, 'subject_id') ?? textMember(payload, 'sub');
  return element(
    'div',
    {},
    element('h3', { textContent: 'Credential' }),
    pairs([
      ['Issued by', foreign(SITE.issuer, { className: 'name' })],
      ['About', about && foreign(about, { className: 'name' })],
      ['Valid from', start.length > 0 ? inWords(Math.max(...start)) : 'not stated'],
      ['Valid until', end.length > 0 ? inWords(Math.min(...end)) : 'without an end'],
      ['Status', asOf && `in force, by a list that the issuer signed on ${inWords(asOf)}`],
      ['Id', claims.id && foreign(claims.id, { className: 'name' })],
      ['Format', format === 'jwt_vc' ? 'W3C Verifiable Credential (JWT)' : 'SD-JWT VC'],
    ]),
  );
}

// ---- Claims

function claimsCard(found, { metadata }) {
  const appearance = metadata ? appearanceOf(metadata) : {};
  const band = element(
    'div',
    { className: 'band' },
    foreign(appearance.name ?? typeName(found.read), { lang: appearance.locale ?? '' }),
  );
  if (appearance.background) {
    band.style.setProperty('--band', appearance.background);
    band.style.setProperty('--band-text', appearance.text);
  }
  const view = new ClaimsView(metadata);
  const groups = view.groups(found.read);
  const warning = found.valid ? null : 'The issuer said this, but it does not hold now: see above.';
  const cut = view.rows > MAX_ROWS ? `Only the first ${MAX_ROWS} claims are shown.` : null;
  return element(
    'div',
    {},
    element('h3', { textContent: 'Claims' }),
    element(
      'div',
      { className: 'card', id: 'claims' },
      band,
      element(
        'div',
        { className: 'body' },
        ...[warning, cut].map((text) => text && element('p', { className: 'warning', textContent: text })),
        ...(groups.length > 0
          ? groups
          : [element('p', { className: 'warning', textContent: 'No claims were disclosed.' })]),
      ),
    ),
  );
}

function typeName({ payload, claims }) {
  const types = oneOrMany(payload.get('type'), isText).filter(
    (name) => isText(name) && name !== 'VerifiableCredential',
  );
  return types[0] ?? claims.vct ?? 'Credential';
}

class ClaimsView {
  constructor(metadata) {
    this.metadata = metadata;
    this.rows = 0;
  }

  // What is said about each subject, and what else the credential says. Paths are those of the type metadata, which
  // describe a `jwt_vc` by the members that it has as an SD-JWT.
  groups({ payload, format }) {
    const subjects = format === 'jwt_vc' ? oneOrMany(payload.get('credentialSubject'), isObject) : [payload];
    const groups = subjects.flatMap((subject) =>
      format === 'jwt_vc' ? this.ofSubject(subject) : this.ofPayload(subject),
    );
    const others = Array.from(payload).filter(
      ([name]) => !NOT_CLAIMS.includes(name) && !['subject', 'claims'].includes(name),
    );
    groups.push(
      this.group(
        null,
        others.map(([name, value]) => [[name], value]),
      ),
    );
    return groups.filter((group) => group !== null);
  }

  ofSubject(subject) {
    const members = Array.from(subject).filter(([name]) => name !== 'claims');
    const path = (name) => (name === 'subject_id' ? ['subject', 'id'] : ['subject', name]);
    return [
      this.group(
        ['subject'],
        members.map(([name, value]) => [path(name), value]),
      ),
      this.section('claims', subject.get('claims')),
    ];
  }

  ofPayload(payload) {
    return [this.section('subject', payload.get('subject')), this.section('claims', payload.get('claims'))];
  }

  section(name, value) {
    if (value === undefined) return null;
    if (!isObject(value)) return this.group(null, [[[name], value]]);
    return this.group(
      [name],
      Array.from(value, ([inner, found]) => [[name, inner], found]),
    );
  }

  group(path, entries) {
    if (entries.length === 0) return null;
    const title = path ? this.label(path) : 'Further claims';
    return element('div', {}, element('h4', {}, title), this.list(entries, 1));
  }

  label(path) {
    const { text, locale } = labelOf(this.metadata, path);
    return foreign(text, { lang: locale });
  }

  list(entries, depth) {
    const shown = entries.filter(() => (this.rows += 1) <= MAX_ROWS);
    return element('dl', {}, ...shown.map(([path, value]) => this.row(path, value, depth)));
  }

  row(path, value, depth) {
    const className = isContainer(value) && depth < MAX_SHOWN_DEPTH ? 'wide' : '';
    return element(
      'div',
      { className },
      element('dt', {}, this.label(path)),
      element('dd', {}, this.value(path, value, depth)),
    );
  }

  value(path, value, depth) {
    if (isContainer(value) && depth >= MAX_SHOWN_DEPTH) return foreign(jsonText(value), { className: 'code' });
    if (isObject(value))
      return this.list(
        Array.from(value, ([name, inner]) => [[...path, name], inner]),
        depth + 1,
      );
    if (Array.isArray(value)) return this.items(path, value, depth);
    return scalar(value);
  }

  items(path, array, depth) {
    if (array.length === 0) return element('em', { textContent: 'none' });
    const shown = array.filter(() => (this.rows += 1) <= MAX_ROWS);
    const item = (value, at) =>
      element('li', { className: isContainer(value) ? '' : 'plain' }, this.value([...path, at], value, depth + 1));
    return element('ol', { className: 'items' }, ...shown.map(item));
  }
}

function scalar(value) {
  if (isText(value)) return foreign(value, { dir: 'auto' });
  if (value instanceof Numeral) return foreign(value.text);
  return element('em', { textContent: { true: 'yes', false: 'no', null: 'none' }[String(value)] });
}

// ---- Steps

function stepsList(found) {
  const failedAt = STEPS.findIndex(([name]) => name === found.step);
  const isLeftOut = (name) =>
    (name === 'holder' && !found.asksHolder) ||
    (name === 'disclosures' && found.read?.format === 'jwt_vc') ||
    (name === 'status' && found.valid && found.asOf === undefined);
  const steps = STEPS.filter(([name]) => !isLeftOut(name) || name === found.step);
  return element(
    'ul',
    { className: 'steps' },
    ...steps.map((step) => {
      const at = STEPS.indexOf(step);
      const outcome = failedAt < 0 || at < failedAt ? 'passed' : at === failedAt ? 'failed' : 'later';
      const [mark, word] = { passed: ['✓', 'passed'], failed: ['✕', 'failed'], later: ['–', 'not reached'] }[outcome];
      return element(
        'li',
        { className: outcome },
        element('span', { className: 'mark', ariaHidden: 'true', textContent: mark }),
        step[1],
        element('span', { className: 'outcome', textContent: ` (${word})` }),
      );
    }),
  );
}

function withheldLine(count) {
  const hashes = count === 1 ? 'one hash stands' : `${count} hashes stand`;
  return `What was withheld: ${hashes} for claims that are not shown to you, or for none.`;
}

function openList(found, { problem }) {
  const { read, valid } = found;
  const hasStatus = read && (read.claims.tokenStatus !== undefined || read.claims.bitstringStatus !== undefined);
  const lines = [
    found.unchecked.includes('holder')
      ? 'Who gave it to you. It was issued to a holder’s key; only a presentation with a nonce shows that they have it.'
      : null,
    read && !found.unchecked.includes('holder') && !found.asksHolder
      ? 'Who gave it to you. Anybody who has a copy can show it.'
      : null,
    'Whether what the issuer says is true, and whether the claims keep to the rules of their type.',
    valid && hasStatus ? 'Whether it was taken back after the issuer signed the status list.' : null,
    valid && !hasStatus
      ? 'Whether it was taken back: it names no status list, so the issuer has no way to say so.'
      : null,
    read?.withheld ? withheldLine(read.withheld) : null,
    found.hasCertificates ? 'The certificates in its header (x5c): this site says by itself which keys are its own.' : null,
    read && problem ? `The labels of the claims, which are shown by their own names: ${problem}.` : null,
    valid ? null : 'Everything after the step that failed.',
  ];
  const item = (line) =>
    element('li', {}, element('span', { className: 'mark', ariaHidden: 'true', textContent: '–' }), line);
  return element('ul', { className: 'open', id: 'open' }, ...lines.filter((line) => line).map(item));
}
