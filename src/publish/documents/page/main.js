// The page: where it is, what the reader gives, and when it judges.

const byId = (id) => document.getElementById(id);
const MAX_FIELD_CHARS = 100000;
const LOCAL_HOST = /^(localhost|127\.0\.0\.1|\[::1\]|.+\.localhost)$/;

// The id of the credential that a link names, until the page has judged a file; null where no link names one.
let expectedId = null;
// The token of a file that is too long for the field of the form.
let longToken = '';
// Which judgement is the last that was asked for: the result of an earlier one is not shown.
let latest = 0;
// The nonce that came with a file, where the reader typed none.
let nonceOfFile = '';

// Why this page cannot judge where it is, as paragraphs; null where it can.
function whyNot() {
  const elsewhere = SITE.address
    ? ['Open it where it was published: ', SITE.address]
    : ['Open it where the issuer has published it.'];
  if (location.protocol === 'file:')
    return [
      'This page was opened as a file. It cannot load the issuer’s keys and status lists from there, and a file that ',
      'somebody gave you proves nothing. ',
      ...elsewhere,
    ];
  const isLocal = LOCAL_HOST.test(location.hostname);
  if (location.protocol !== 'https:' && !isLocal)
    return [
      'This page was loaded without encryption (http:). Anybody on the way could have changed it, and browsers do not ',
      'verify signatures here. ',
      ...elsewhere,
    ];
  if (!isLocal && SITE.hosts.length === 0)
    return [
      'The issuer has not laid down where this page is published, so it cannot tell itself from a copy, and a copy ',
      'proves nothing. ',
      ...elsewhere,
    ];
  if (!isLocal && !SITE.hosts.includes(location.host))
    return [
      `This is a copy: the page was published for ${SITE.hosts.join(' and ')}, and this is ${location.host}. `,
      'A copy proves nothing. ',
      ...elsewhere,
    ];
  if (!globalThis.crypto?.subtle || !globalThis.DecompressionStream || !URL.canParse)
    return ['This browser is too old to verify signatures and status lists. Please update it, or use another one.'];
  return null;
}

// Shows why there is no verdict; an address becomes a link.
function showProblem(parts) {
  const isAddress = (part) => part.startsWith('https://');
  byId('problem').replaceChildren(
    element(
      'p',
      {},
      ...parts.map((part) => (isAddress(part) ? element('a', { href: part, textContent: part }) : visible(part))),
    ),
  );
  byId('problem').hidden = false;
}

// Takes the fragment, which may hold a credential, out of the address: before anything else, and whatever it is.
function takeFragment() {
  const fragment = location.hash;
  if (fragment !== '') history.replaceState(null, '', location.pathname + location.search);
  return fragment.length > 1 ? readFragment(fragment) : null;
}

function followLink(link) {
  if (link?.id !== undefined) {
    expectedId = link.id;
    byId('wanted').replaceChildren(
      'The link that you followed names the credential ',
      foreign(link.id, { className: 'name' }),
      '. Open the file that came with it.',
    );
    byId('wanted').hidden = false;
    byId('file').focus();
  } else if (link) {
    give(link.text);
  }
}

// Takes what the reader gave, and judges it. A link to a credential asks for its file.
function give(text) {
  const input = readInput(text);
  if (input.id !== undefined) return followLink(input);
  longToken = input.text.length > MAX_FIELD_CHARS ? input.text : '';
  byId('token').value = longToken ? '' : input.text;
  // What the reader typed is never replaced: the holder may have written the file.
  if (input.nonce !== undefined && ['', nonceOfFile].includes(byId('nonce').value)) {
    byId('nonce').value = input.nonce;
    nonceOfFile = input.nonce;
    byId('binding').open = true;
  }
  return verify(input.text);
}

async function verify(text) {
  const [nonce, audience] = [byId('nonce').value.trim(), byId('audience').value.trim()];
  byId('missing-audience').hidden = nonce === '' || audience !== '';
  byId('audience').ariaInvalid = String(!byId('missing-audience').hidden);
  if (!byId('missing-audience').hidden) {
    byId('binding').open = true;
    byId('audience').focus();
    return;
  }
  latest += 1;
  const turn = latest;
  setBusy(true);
  byId('problem').hidden = true;
  byId('result').hidden = true;
  try {
    const found = await judge(text, { nonce, audience }, expectedId, Date.now() / 1000);
    const labels = found.read ? await loadMetadata(found.read) : { problem: null };
    if (turn === latest) showVerdict(byId('result'), { ...found, asksHolder: nonce !== '' }, labels);
  } catch (error) {
    if (turn === latest)
      showProblem([
        error instanceof CannotJudge
          ? error.message
          : `Something unexpected went wrong, so there is no verdict: ${error.message}`,
      ]);
  } finally {
    if (turn === latest) setBusy(false);
  }
}

function setBusy(isBusy) {
  byId('verify').disabled = isBusy;
  byId('verify').textContent = isBusy ? 'Verifying…' : 'Verify';
  document.body.ariaBusy = String(isBusy);
}

// Back to an empty form, without the credential that was judged.
function askAgain() {
  latest += 1;
  expectedId = null;
  longToken = '';
  byId('form').reset();
  for (const id of ['result', 'wanted', 'problem', 'missing-audience']) byId(id).hidden = true;
  byId('result').replaceChildren();
  setBusy(false);
  byId('token').focus();
}

async function giveDropped(transfer) {
  const [file] = transfer.files;
  give(file ? await readFile(file) : transfer.getData('text/plain'));
}

function listen() {
  byId('form').addEventListener('submit', (event) => {
    event.preventDefault();
    give(byId('token').value || longToken);
  });
  byId('file').addEventListener('change', async () => {
    const [file] = byId('file').files;
    if (file) give(await readFile(file));
  });
  window.addEventListener('hashchange', () => followLink(takeFragment()));
  const main = document.querySelector('main');
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    main.classList.add('dropping');
  });
  document.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) main.classList.remove('dropping');
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    main.classList.remove('dropping');
    giveDropped(event.dataTransfer);
  });
}

function start() {
  const link = takeFragment();
  byId('issuer').textContent = SITE.issuer;
  byId('host').textContent = location.host || 'no site, but in a file';
  byId('address').textContent = SITE.address ?? location.origin + location.pathname;
  const problem = whyNot();
  if (problem) {
    showProblem(problem);
    return;
  }
  listen();
  byId('form').hidden = false;
  followLink(link);
}

start();
