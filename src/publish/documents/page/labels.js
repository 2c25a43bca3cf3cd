// Labels and colours for claims, from the type metadata of the site. They decide nothing: without them, claims are
// shown by their own names.

const MAX_METADATA_BYTES = 1024 * 1024;
const COLOUR = /^#[0-9a-f]{6}$/i;
const ALGORITHMS = { sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' };

// The type metadata that the credential names, as far as they are on this site and are those that it names; else why
// they are not used.
async function loadMetadata({ payload, claims }) {
  if (!claims.vct?.startsWith('https://')) return { problem: null };
  try {
    const bytes = await download(new URL(claims.vct), MAX_METADATA_BYTES);
    const integrity = textMember(payload, 'vct#integrity');
    if (integrity !== undefined && !(await hasIntegrity(bytes, integrity)))
      throw new Error('the file is not the one that was signed');
    const metadata = parseJson(textOf(bytes) ?? '');
    if (textMember(metadata, 'vct') !== claims.vct) throw new Error('the file describes another type');
    return { metadata, problem: null };
  } catch (error) {
    return { problem: error.message };
  }
}

// Subresource integrity: one of the hashes of the strongest algorithm that is named.
async function hasIntegrity(bytes, integrity) {
  const hashes = integrity
    .split(/\s+/)
    .map((hash) => /^(sha256|sha384|sha512)-([A-Za-z0-9+/]+=*)/.exec(hash))
    .filter((hash) => hash !== null);
  const strongest = hashes
    .map(([, name]) => name)
    .sort()
    .at(-1);
  if (!strongest) return false;
  const digest = new Uint8Array(await crypto.subtle.digest(ALGORITHMS[strongest], bytes));
  const expected = toBase64url(digest).replaceAll('-', '+').replaceAll('_', '/');
  return hashes.some(([, name, hash]) => name === strongest && hash.replace(/=+$/, '') === expected);
}

// The display entry for the reader: in one of their languages, else in English, else the first.
function forReader(displays) {
  const entries = oneOrMany(displays, () => false).filter((entry) => isText(textMember(entry, 'locale')));
  const localeOf = (entry) => textMember(entry, 'locale').toLowerCase();
  for (const wanted of [...navigator.languages, 'en'].map((tag) => tag.toLowerCase())) {
    const language = wanted.split('-', 1)[0];
    const found =
      entries.find((entry) => localeOf(entry) === wanted) ??
      entries.find((entry) => localeOf(entry) === language) ??
      entries.find((entry) => localeOf(entry).split('-', 1)[0] === language);
    if (found) return found;
  }
  return entries[0];
}

// The label of the claim at a path, with its language; its own name in words where there is none.
function labelOf(metadata, path) {
  const isAt = (claim) => {
    const wanted = member(claim, 'path');
    return (
      Array.isArray(wanted) && wanted.length === path.length && wanted.every((segment, at) => fits(segment, path[at]))
    );
  };
  const claim = oneOrMany(member(metadata, 'claims'), () => false).find(isAt);
  const display = forReader(member(claim, 'display'));
  const label = textMember(display, 'label');
  if (label) return { text: capital(label), locale: textMember(display, 'locale') };
  return { text: capital(String(path.at(-1)).replaceAll('_', ' ')), locale: 'en' };
}

// Null stands for each element of an array, a number for one of them.
function fits(segment, found) {
  if (segment === null) return typeof found === 'number';
  return segment instanceof Numeral ? segment.text === String(found) && typeof found === 'number' : segment === found;
}

const capital = (text) => text.charAt(0).toLocaleUpperCase() + text.slice(1);

// The name of the type and its colours, of which none but `#rrggbb` is taken.
function appearanceOf(metadata) {
  const display = forReader(member(metadata, 'display'));
  const simple = member(member(display, 'rendering'), 'simple');
  const colour = (name) => (COLOUR.test(textMember(simple, name) ?? '') ? textMember(simple, name) : undefined);
  const background = colour('background_color');
  const name = textMember(display, 'name') ?? textMember(metadata, 'name');
  return {
    name,
    locale: textMember(display, 'locale'),
    background,
    text: background && readable(background, colour('text_color')),
  };
}

// The text colour that was asked for where it can be read on the background, else black or white.
function readable(background, wanted) {
  if (wanted && contrast(background, wanted) >= 4.5) return wanted;
  return contrast(background, '#000000') >= contrast(background, '#ffffff') ? '#000000' : '#ffffff';
}

// WCAG 2.2, "contrast ratio".
function contrast(one, other) {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour) {
  const [red, green, blue] = [1, 3, 5]
    .map((at) => parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
