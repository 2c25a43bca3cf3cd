// P-256 keys as Multikey (Controlled Identifiers 1.0 section 2.2.2): `z`, then base58 of the bytes 0x80 0x24 and the
// compressed point. Browsers do not read compressed points, so y is computed here (SEC 1 section 2.3.4).

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const MAX_MULTIKEY_CHARS = 60;
const P256_MULTICODEC = /^8024(02|03)([0-9a-f]{64})$/;

// The curve: y² = x³ - 3x + b, modulo p.
const CURVE_P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const CURVE_B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

// The key as a JWK; null for keys of other kinds, and for what is not a key.
function jwkOfMultikey(text) {
  const point = P256_MULTICODEC.exec(hexOfMultibase(text) ?? '');
  if (!point) return null;
  const [x, y] = [BigInt(`0x${point[2]}`), yOf(BigInt(`0x${point[2]}`), point[1] === '03')];
  if (y === null) return null;
  return new Map([
    ['kty', 'EC'],
    ['crv', 'P-256'],
    ['x', coordinate(x)],
    ['y', coordinate(y)],
  ]);
}

function hexOfMultibase(text) {
  if (!isText(text) || !text.startsWith('z') || text.length > MAX_MULTIKEY_CHARS) return null;
  const digits = Array.from(text.slice(1), (character) => BASE58.indexOf(character));
  // A digit 1 in front would be a byte of zeros, which no multicodec begins with.
  if (digits.length === 0 || digits.includes(-1) || digits[0] === 0) return null;
  return digits.reduce((sum, digit) => sum * 58n + BigInt(digit), 0n).toString(16);
}

// The y of a point with this x; null where no point has it.
function yOf(x, isOdd) {
  if (x >= CURVE_P) return null;
  const square = (((x * x - 3n) * x + CURVE_B) % CURVE_P + CURVE_P) % CURVE_P;
  const root = power(square, (CURVE_P + 1n) / 4n);
  if ((root * root) % CURVE_P !== square) return null;
  return (root % 2n === 1n) === isOdd ? root : CURVE_P - root;
}

function power(base, exponent) {
  let [result, square] = [1n, base];
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % CURVE_P;
    square = (square * square) % CURVE_P;
  }
  return result;
}

function coordinate(number) {
  const hex = number.toString(16).padStart(64, '0');
  return toBase64url(Uint8Array.from({ length: 32 }, (_, at) => parseInt(hex.slice(2 * at, 2 * at + 2), 16)));
}
