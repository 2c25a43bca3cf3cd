// Strict JSON (RFC 8259). `JSON.parse` takes the last of two members of one name, rounds numbers and allows half
// surrogate pairs; tokens with any of these could be read in two ways, and are refused.
//
// Objects are Maps, whose members may have any name. Numbers keep their spelling.

class Numeral {
  constructor(text) {
    this.text = text;
  }
}

class NotJson extends Error {}

const MAX_DEPTH = 64;
// In the payload of a token, the claims of an item that is as deep as allowed stand a little deeper.
const MAX_PAYLOAD_DEPTH = MAX_DEPTH + 2;
const MAX_NUMBER_CHARS = 64;

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const ESCAPED = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

class JsonReader {
  constructor(text, maxDepth) {
    this.text = text;
    this.at = 0;
    this.depth = 0;
    this.maxDepth = maxDepth;
  }

  // What the pattern matches here, which may be nothing.
  take(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (!found) return null;
    this.at = pattern.lastIndex;
    return found[0];
  }

  takeChar(expected) {
    if (this.text[this.at] !== expected) return false;
    this.at += 1;
    return true;
  }

  expect(expected) {
    if (!this.takeChar(expected)) throw new NotJson(`expected ${expected} at character ${this.at + 1}`);
  }

  document() {
    this.take(SPACE);
    const value = this.value();
    this.take(SPACE);
    if (this.at < this.text.length) throw new NotJson('text follows the JSON value');
    return value;
  }

  value() {
    switch (this.text[this.at]) {
      case '{':
        return this.nested(() => this.object());
      case '[':
        return this.nested(() => this.array());
      case '"':
        return this.string();
      case 't':
        return this.word('true', true);
      case 'f':
        return this.word('false', false);
      case 'n':
        return this.word('null', null);
      default:
        return this.number();
    }
  }

  nested(read) {
    if (this.depth === this.maxDepth) throw new NotJson('nested too deeply');
    this.depth += 1;
    this.at += 1;
    const value = read();
    this.depth -= 1;
    return value;
  }

  object() {
    const members = new Map();
    this.take(SPACE);
    if (this.takeChar('}')) return members;
    do {
      this.take(SPACE);
      const name = this.string();
      if (members.has(name)) throw new NotJson('a member stands twice in one object');
      this.take(SPACE);
      this.expect(':');
      this.take(SPACE);
      members.set(name, this.value());
      this.take(SPACE);
    } while (this.takeChar(','));
    this.expect('}');
    return members;
  }

  array() {
    const elements = [];
    this.take(SPACE);
    if (this.takeChar(']')) return elements;
    do {
      this.take(SPACE);
      elements.push(this.value());
      this.take(SPACE);
    } while (this.takeChar(','));
    this.expect(']');
    return elements;
  }

  word(word, value) {
    if (!this.text.startsWith(word, this.at)) throw new NotJson(`expected a value at character ${this.at + 1}`);
    this.at += word.length;
    return value;
  }

  number() {
    const text = this.take(NUMBER);
    if (!text) throw new NotJson(`expected a value at character ${this.at + 1}`);
    if (text.length > MAX_NUMBER_CHARS) throw new NotJson('a number is too long');
    return new Numeral(text);
  }

  string() {
    this.expect('"');
    let text = this.take(PLAIN);
    while (!this.takeChar('"')) {
      const escape = this.take(ESCAPE);
      if (!escape) throw new NotJson(`a string is not ended, or has a bad escape, at character ${this.at + 1}`);
      text += escape[1] === 'u' ? String.fromCharCode(parseInt(escape.slice(2), 16)) : ESCAPED[escape[1]];
      text += this.take(PLAIN);
    }
    if (text.includes('\0') || /\p{Surrogate}/u.test(text)) throw new NotJson('a string has a character that is none');
    return text;
  }
}

// Reads a JSON text.
function parseJson(text, maxDepth = MAX_DEPTH) {
  return new JsonReader(text, maxDepth).document();
}

const isObject = (value) => value instanceof Map;
const isText = (value) => typeof value === 'string';
const isContainer = (value) => isObject(value) || Array.isArray(value);

// A member of an object; undefined where the value is not an object, or has none.
const member = (value, name) => (isObject(value) ? value.get(name) : undefined);
const textMember = (value, name) => {
  const found = member(value, name);
  return isText(found) ? found : undefined;
};

// The elements of an array, or a value alone where it is what `isSingle` says.
const oneOrMany = (value, isSingle) => (Array.isArray(value) ? value : isSingle(value) ? [value] : []);

// The JSON text of a value, for showing it.
function jsonText(value) {
  if (value instanceof Numeral) return value.text;
  if (Array.isArray(value)) return `[${value.map(jsonText).join(', ')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Array.from(value, ([name, inner]) => `${JSON.stringify(name)}: ${jsonText(inner)}`);
  return `{${members.join(', ')}}`;
}
