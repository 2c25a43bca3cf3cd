// What the reader gives: a file, a text, or a link whose fragment holds a token or the id of a credential.

// A fragment is `#TOKEN`, or `#id=urn:uuid:…` where the token is too long for a link.
function readFragment(fragment) {
  let text = fragment.replace(/^#/, '');
  try {
    text = decodeURIComponent(text);
  } catch {
    return { text }; // Not percent-encoded; whatever it is, it is judged as it stands.
  }
  const id = /^id=(.{1,512})$/.exec(text);
  return id ? { id: id[1] } : { text };
}

// The token in a text, and the nonce beside it where the text has one: a token alone, a link to this page, a `data:`
// URL, or the JSON in which wallets and `beltic` wrap it.
function readInput(given) {
  const text = given.trim();
  if (text.startsWith('{')) return readWrapped(text) ?? { text };
  if (/^https?:\/\/\S*#/.test(text)) return readFragment(text.slice(text.indexOf('#')));
  return { text: withoutMediaType(text) };
}

const withoutMediaType = (text) =>
  text.startsWith('data:') && text.includes(',') ? text.slice(text.indexOf(',') + 1) : text;

function readWrapped(text) {
  let value;
  try {
    value = parseJson(text);
  } catch {
    return null;
  }
  const several = member(value, 'credentials');
  const inner = Array.isArray(several) && several.length === 1 ? several[0] : (member(value, 'credential') ?? value);
  const token = [
    textMember(value, 'presentation'),
    isText(inner) ? inner : undefined,
    textMember(inner, 'credential'),
    textMember(inner, 'signed_payload'),
  ].find((found) => found !== undefined);
  return token === undefined ? null : { text: withoutMediaType(token), nonce: textMember(value, 'nonce') };
}

// The text of a file, which may be no longer than a token in its wrapping.
async function readFile(file) {
  const bytes = await readAtMost(file.stream(), MAX_TOKEN_BYTES + 64 * 1024);
  if (!bytes) return 'x'.repeat(MAX_TOKEN_BYTES + 1);
  return fromUtf8(bytes) ?? '\ufffd';
}
