// Bytes: base64url, UTF-8, hashes, decompression and downloads. Every size is bounded.

const BASE64URL = /^[A-Za-z0-9_-]*$/;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

// Decodes base64url without padding (RFC 7515 section 2); null for padding, other characters and stray bits at the
// end, so that no two texts are one value.
function fromBase64url(text) {
  if (!BASE64URL.test(text) || text.length % 4 === 1) return null;
  const strayBits = [0, 0, 0x0f, 0x03][text.length % 4];
  if (strayBits && ALPHABET.indexOf(text.at(-1)) & strayBits) return null;
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

function toBase64url(bytes) {
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

// Text of strict UTF-8; null for anything else. A byte order mark stays, and is then no JSON.
function fromUtf8(bytes) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

const asciiBytes = (text) => new TextEncoder().encode(text);

async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

// The digest of a disclosure or a presentation: of its text, as it stands in the token.
async function digestOfText(text) {
  return toBase64url(await sha256(asciiBytes(text)));
}

const ES256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

// Whether the signature, r and s of 32 bytes each, is that of the key.
async function verifiesEs256(key, signedText, signature) {
  if (signature.length !== 64) return false;
  return crypto.subtle.verify(ES256, key, signature, asciiBytes(signedText));
}

// Everything that a stream yields; null once that is more than `maxBytes`.
async function readAtMost(stream, maxBytes) {
  const reader = stream.getReader();
  const chunks = [];
  let total = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    total += value.length;
    if (total > maxBytes) {
      reader.cancel().catch(() => {});
      return null;
    }
    chunks.push(value);
  }
  const all = new Uint8Array(total);
  chunks.reduce((at, chunk) => (all.set(chunk, at), at + chunk.length), 0);
  return all;
}

// Decompresses 'gzip' (RFC 1952) or 'deflate' (zlib, RFC 1950). Fails for other framings, a wrong checksum, a stream
// that stops early and bytes after its end, and, with null, beyond `maxBytes`.
async function inflate(bytes, format, maxBytes) {
  return readAtMost(new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format)), maxBytes);
}

// Fetches a file of this site, and of no other. No redirect is followed: it could lead elsewhere.
async function download(url, maxBytes) {
  if (url.origin !== location.origin) throw new Error(`${url.origin} is not this site`);
  const response = await fetch(url, {
    mode: 'same-origin',
    credentials: 'omit',
    redirect: 'error',
    cache: 'no-cache',
    referrerPolicy: 'no-referrer',
  });
  if (!response.ok || !response.body) throw new Error(`the server answered ${response.status}`);
  const bytes = await readAtMost(response.body, maxBytes);
  if (!bytes) throw new Error(`the file has more than ${maxBytes} bytes`);
  return bytes;
}

// The text of a downloaded file: as `beltic verify` reads one, without a byte order mark.
function textOf(bytes) {
  const text = fromUtf8(bytes);
  return text !== null && text.startsWith('\ufeff') ? text.slice(1) : text;
}
